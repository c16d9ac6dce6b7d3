"""Paying with points, and giving them back to the lots that they came from."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from application.ledger.movements import Movement
from application.ports import UnitOfWork
from domain.ledger import accounts
from domain.ledger.accounts import POINTS_UNIT, AccountKind, AccountRef
from domain.ledger.holds import BalanceHold, HoldNotFound
from domain.ledger.journal import Entry, JournalType, transfer
from domain.ledger.lots import Part, consume, give_back
from domain.ledger.points import PointsRedeemed, PointsRestored
from domain.shared.clock import Clock
from domain.shared.errors import InvalidValue
from domain.shared.identifiers import NewId
from domain.shared.money import Money


@dataclass(frozen=True, slots=True)
class PointsPayment:
    """Money that points pay, and the account that it reaches: a booking's prepayments, for one."""

    worth: Money
    to: AccountRef


@dataclass(frozen=True, slots=True, kw_only=True)
class RedeemPoints(Movement):
    """Somebody spends points; `pays` as `PointsTerms.tender` worked it out, None where no money moves.

    `hold_id` is the hold that set them aside, where one did.
    """

    points: int
    pays: PointsPayment | None
    hold_id: UUID | None = None


def pay_with_points(command: RedeemPoints, *, uow: UnitOfWork, clock: Clock, new_id: NewId) -> UUID:
    """Redeem points in a transaction of their own; as `redeem_points`."""
    with uow:
        journal_id = redeem_points(command, uow=uow, at=clock.now(), new_id=new_id)
        uow.commit()
    return journal_id


def redeem_points(command: RedeemPoints, *, uow: UnitOfWork, at: datetime, new_id: NewId) -> UUID:
    """Spend points within the caller's transaction, soonest-ending lots first; the journal's id.

    One journal takes the points and, in their owner's stead, pays their worth out of the discounts. The same key
    answers the same journal. A hold is captured, and what has ended since it was made still pays: it was promised.
    Raises InsufficientBalance where living lots, or the account less what is held, hold less; JournalKeyReused where
    the key spent something else; HoldNotFound, or IllegalTransition for a hold that is over.
    """
    if command.points <= 0:
        raise InvalidValue("points to redeem are above zero", pointer="/points_to_redeem", code="out_of_range")
    held = _held(command, uow)
    uow.ledger.lock([accounts.points(command.user_id)])
    journal = command.journal(JournalType.REDEEMED, _redeemed(command), journal_id=new_id(), at=at)
    posted = uow.points.posted(command.key)
    if posted is not None:
        # Posted again, it is skipped if it says the same, and refused if it does not.
        uow.ledger.post([journal])
        return posted
    lived_at = at
    if held is not None:
        lived_at = held.created_at
        held.capture(command.points, journal_id=journal.id, at=at)
        uow.ledger.resolve_hold(held)
    taken = consume(uow.points.open_lots(command.user_id, ending_after=lived_at), command.points)
    uow.ledger.post([journal])
    uow.points.record({journal.id: taken})
    uow.publish(PointsRedeemed(points=command.points, **command.told_by(journal)))
    return journal.id


def _held(command: RedeemPoints, uow: UnitOfWork) -> BalanceHold | None:
    """The hold, locked before the account that it is of."""
    if command.hold_id is None:
        return None
    held = uow.ledger.get_hold(command.hold_id)
    if held.account != accounts.points(command.user_id):
        raise HoldNotFound()
    return held


def _redeemed(command: RedeemPoints) -> tuple[Entry, ...]:
    points = transfer(accounts.points(command.user_id), _REDEEMED, command.points)
    if command.pays is None:
        return points
    discounts = accounts.platform(AccountKind.DISCOUNTS, command.pays.worth.currency.code)
    return *points, *transfer(discounts, command.pays.to, command.pays.worth)


@dataclass(frozen=True, slots=True, kw_only=True)
class RestorePoints(Movement):
    """Take a redemption back: by a part of what it paid, by points of it, or (None) all that is left of it."""

    journal_id: UUID
    part: Money | int | None


@dataclass(frozen=True, slots=True)
class Restored:
    """The reversal, and how many points it gave back; a part of little worth may be none."""

    journal_id: UUID
    points: int


def restore_points(command: RestorePoints, *, uow: UnitOfWork, at: datetime, new_id: NewId) -> Restored | None:
    """Reverse a redemption within the caller's transaction, to the lots that it took from; None if done before.

    What the journal did is mirrored, and no rule is asked again (trap 21): points at the rate they paid at, the
    money back to the discounts. Raises RedemptionNotFound, and ReversalRefused for more than is left of it.
    """
    uow.ledger.lock([accounts.points(command.user_id)])
    if uow.points.posted(command.key) is not None:
        return None
    redemption = uow.points.redemption(command.journal_id, user_id=command.user_id)
    part = redemption.part(command.part)
    given = give_back(redemption.outstanding, part.points, at=at, grace=uow.points.terms.grace)
    entries = _restored(command.user_id, part, redemption.paid)
    journal = command.journal(JournalType.REVERSAL, entries, journal_id=new_id(), at=at, reverses=redemption.journal_id)
    uow.ledger.post([journal])
    uow.points.record({journal.id: given})
    uow.publish(PointsRestored(points=part.points, **command.told_by(journal)))
    return Restored(journal.id, part.points)


def _restored(user_id: UUID, part: Part, paid: AccountRef | None) -> tuple[Entry, ...]:
    """The redemption's own legs, the other way round; those of nothing are left out."""
    entries: tuple[Entry, ...] = ()
    if part.points:
        entries += transfer(_REDEEMED, accounts.points(user_id), part.points)
    if part.worth_minor and paid is not None:
        entries += transfer(paid, accounts.platform(AccountKind.DISCOUNTS, paid.currency), part.worth_minor)
    return entries


_REDEEMED = accounts.platform(AccountKind.POINTS_REDEEMED, POINTS_UNIT)
