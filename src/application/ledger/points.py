"""Giving points and taking them back, each within the caller's transaction.

Whatever changes somebody's points locks their account first, then reads the lots: so check and deduction see
the same rows (trap 22), and an idempotency key that was used meanwhile is seen.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from application.operations.ports import SystemSettings
from application.ports import Standing, UnitOfWork
from domain.ledger import accounts
from domain.ledger.accounts import POINTS_UNIT, AccountKind, AccountRef
from domain.ledger.debts import earn, take_back
from domain.ledger.journal import Entry, Journal, JournalType, transfer
from domain.ledger.lots import consume, consume_from
from domain.ledger.points import PointsAdjusted, PointsClawedBack, PointsEarned, PointsLot, PointsTerms
from domain.operations import settings
from domain.shared.errors import InvalidValue
from domain.shared.identifiers import NewId
from domain.shared.money import Money


def points_terms(values: SystemSettings) -> PointsTerms:
    """The company's figures, as staff chose them."""
    return PointsTerms(
        money_units_per_point=values.value(settings.MONEY_UNITS_PER_POINT),
        points_per_money_unit=values.value(settings.POINTS_PER_MONEY_UNIT),
        lifetime=timedelta(days=values.value(settings.POINTS_LIFETIME_DAYS)),
        grace=timedelta(days=values.value(settings.POINTS_GRACE_DAYS)),
        expiring_soon=timedelta(days=values.value(settings.POINTS_EXPIRING_SOON_DAYS)),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Movement:
    """What a movement of points says of itself: its key makes it happen once, its reference says for what."""

    user_id: UUID
    key: str
    reference_type: str
    reference_id: UUID
    description_ar: str
    description_en: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EarnPoints(Movement):
    """Somebody earned points; nought of them is nothing that happened."""

    points: int


def earn_points(command: EarnPoints, *, uow: UnitOfWork, at: datetime, new_id: NewId) -> UUID | None:
    """Give points within the caller's transaction: first they pay off a debt of points, the rest is a lot.

    The journal's id; None for no points at all.
    """
    if command.points == 0:
        return None
    standing = uow.ledger.lock([_points(command), _debt(command)])
    posted = uow.points.posted(command.key)
    if posted is not None:
        return posted
    owed = _owed(standing[_debt(command)])
    entries = earn(_platform(AccountKind.POINTS_ISSUED), _points(command), command.points, owed_minor=owed)
    journal = _journal(command, JournalType.EARNED, entries, at=at, new_id=new_id)
    _post_with_lot(journal, command.user_id, uow=uow, new_id=new_id)
    uow.publish(
        PointsEarned(
            at=journal.occurred_at,
            user_id=command.user_id,
            journal_id=journal.id,
            points=command.points,
            repaid=min(owed, command.points),
            reference_type=command.reference_type,
            reference_id=command.reference_id,
        )
    )
    return journal.id


@dataclass(frozen=True, slots=True, kw_only=True)
class ClawBackPoints(Movement):
    """A refund: in all, `refunded` of what was `paid` is given back now; `earned_key` is the earning's key."""

    earned_key: str
    paid: Money
    refunded: Money


def claw_back_points(command: ClawBackPoints, *, uow: UnitOfWork, at: datetime, new_id: NewId) -> int:
    """Take back, within the caller's transaction, what was earned by money that is given back; how many points.

    They leave the earning's own lot first, then the soonest-ending ones; what was spent of them, or is held,
    becomes a debt of points that later earnings pay off (guarantee M9, trap 20).
    """
    standing = uow.ledger.lock([_points(command), _debt(command)])
    earning = uow.points.earning(command.earned_key)
    if earning is None or uow.points.posted(command.key) is not None:
        return 0
    wanted = earning.still_to_take(paid=command.paid, refunded=command.refunded)
    if wanted == 0:
        return 0
    available = earning.takeable(standing[_points(command)].available_minor)
    entries = take_back(_platform(AccountKind.POINTS_ISSUED), _points(command), wanted, available_minor=available)
    journal = _journal(command, JournalType.REVERSAL, entries, at=at, new_id=new_id, reverses=earning.journal_id)
    taken = min(available, wanted)
    lots = uow.points.open_lots(command.user_id, ending_after=None)
    uow.ledger.post([journal])
    uow.points.record({journal.id: consume_from(lots, taken, first=earning.lot_id)})
    uow.publish(
        PointsClawedBack(
            at=journal.occurred_at,
            user_id=command.user_id,
            journal_id=journal.id,
            points=wanted,
            owed=wanted - taken,
            reference_type=command.reference_type,
            reference_id=command.reference_id,
        )
    )
    return wanted


@dataclass(frozen=True, slots=True, kw_only=True)
class AdjustPoints(Movement):
    """Staff give points, or take them (below zero); what was said for a reason is the caller's to record."""

    points: int


def adjust_points(command: AdjustPoints, *, uow: UnitOfWork, at: datetime, new_id: NewId) -> UUID:
    """Post an adjustment within the caller's transaction; the journal's id.

    Points that are given pay off a debt first, and the rest is a lot like any other; those that are taken leave
    the soonest-ending lots. Raises InvalidValue for nothing, InsufficientBalance for more than there is.
    """
    if command.points == 0:
        raise InvalidValue("an adjustment gives or takes something", pointer="/points", code="out_of_range")
    standing = uow.ledger.lock([_points(command), _debt(command)])
    posted = uow.points.posted(command.key)
    if posted is not None:
        return posted
    source = _platform(AccountKind.ADJUSTMENTS)
    if command.points > 0:
        entries = earn(source, _points(command), command.points, owed_minor=_owed(standing[_debt(command)]))
        journal = _journal(command, JournalType.ADJUSTMENT, entries, at=at, new_id=new_id)
        _post_with_lot(journal, command.user_id, uow=uow, new_id=new_id)
    else:
        taken = consume(uow.points.open_lots(command.user_id, ending_after=None), -command.points)
        entries = transfer(_points(command), source, -command.points)
        journal = _journal(command, JournalType.ADJUSTMENT, entries, at=at, new_id=new_id)
        uow.ledger.post([journal])
        uow.points.record({journal.id: taken})
    uow.publish(PointsAdjusted(at=at, user_id=command.user_id, journal_id=journal.id, points=command.points))
    return journal.id


def _post_with_lot(journal: Journal, user_id: UUID, *, uow: UnitOfWork, new_id: NewId) -> None:
    """Post a journal that gives points, and keep what reaches the account as a lot."""
    reached = sum(entry.amount_minor for entry in journal.entries if entry.account == accounts.points(user_id))
    uow.ledger.post([journal])
    if reached == 0:
        return
    uow.ledger.add_lot(
        PointsLot(
            id=new_id(),
            user_id=user_id,
            journal_id=journal.id,
            points=reached,
            earned_at=journal.occurred_at,
            expires_at=journal.occurred_at + uow.points.terms.lifetime,
        )
    )


def _journal(
    command: Movement,
    journal_type: JournalType,
    entries: tuple[Entry, ...],
    *,
    at: datetime,
    new_id: NewId,
    reverses: UUID | None = None,
) -> Journal:
    return Journal(
        id=new_id(),
        journal_type=journal_type,
        idempotency_key=command.key,
        reference_type=command.reference_type,
        reference_id=command.reference_id,
        description_ar=command.description_ar,
        description_en=command.description_en,
        occurred_at=at,
        entries=entries,
        reverses=reverses,
    )


def _points(command: Movement) -> AccountRef:
    return accounts.points(command.user_id)


def _debt(command: Movement) -> AccountRef:
    return accounts.debt(command.user_id, POINTS_UNIT)


def _owed(debt: Standing) -> int:
    return -debt.balance_minor


def _platform(kind: AccountKind) -> AccountRef:
    return accounts.platform(kind, POINTS_UNIT)
