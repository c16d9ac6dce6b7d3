"""Paying with points."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from application.ledger.movements import Movement
from application.ports import UnitOfWork
from domain.ledger import accounts
from domain.ledger.accounts import POINTS_UNIT, AccountKind, AccountRef
from domain.ledger.holds import BalanceHold, HoldNotFound
from domain.ledger.journal import Entry, InsufficientBalance, JournalType, transfer
from domain.ledger.lots import consume
from domain.ledger.points import PointsRedeemed
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


def refuse_unspendable(user_id: UUID, points: int, *, uow: UnitOfWork, at: datetime) -> None:
    """What `redeem_points` would refuse of somebody's points, before anything is done. Raises InsufficientBalance."""
    account = accounts.points(user_id)
    if uow.ledger.lock([account])[account].available_minor < points:
        raise InsufficientBalance()
    consume(uow.points.open_lots(user_id, ending_after=at), points)


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


_REDEEMED = accounts.platform(AccountKind.POINTS_REDEEMED, POINTS_UNIT)
