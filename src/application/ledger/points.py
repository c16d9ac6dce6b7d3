"""Giving points and taking them back, each within the caller's transaction.

Whatever changes somebody's points locks their account first, then reads the lots: so check and deduction see
the same rows (trap 22), and an idempotency key that was used meanwhile is seen.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from application.ledger.movements import Movement
from application.operations.ports import SystemSettings
from application.ports import UnitOfWork
from domain.ledger import accounts
from domain.ledger.accounts import POINTS_UNIT, AccountKind, AccountRef
from domain.ledger.debts import earn, take_back
from domain.ledger.journal import Journal, JournalType, transfer
from domain.ledger.lots import consume, consume_from
from domain.ledger.points import (
    Earning,
    PointsAdjusted,
    PointsClawedBack,
    PointsEarned,
    PointsFigures,
    PointsLot,
    PointsTerms,
    still_to_take,
)
from domain.operations import settings
from domain.shared.errors import InvalidValue
from domain.shared.identifiers import NewId
from domain.shared.money import Money


def points_terms(values: SystemSettings) -> PointsTerms:
    """The company's figures, as staff chose them."""
    return PointsTerms(
        money_units_per_point=values.value(settings.MONEY_UNITS_PER_POINT),
        points_per_money_unit=values.value(settings.POINTS_PER_MONEY_UNIT),
        by_currency={
            figures["currency"]: PointsFigures(
                money_units_per_point=figures["money_units_per_point"],
                points_per_money_unit=figures["points_per_money_unit"],
            )
            for figures in values.value(settings.POINTS_BY_CURRENCY)
        },
        lifetime=timedelta(days=values.value(settings.POINTS_LIFETIME_DAYS)),
        grace=timedelta(days=values.value(settings.POINTS_GRACE_DAYS)),
        expiring_soon=timedelta(days=values.value(settings.POINTS_EXPIRING_SOON_DAYS)),
    )


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
    standing = _lock(command.user_id, uow)
    posted = uow.points.posted(command.key)
    if posted is not None:
        return posted
    entries = earn(_ISSUED, standing.points, command.points, owed_minor=standing.owed)
    journal = command.journal(JournalType.EARNED, entries, journal_id=new_id(), at=at)
    _post_with_lot(journal, command.user_id, uow=uow, new_id=new_id)
    repaid = min(standing.owed, command.points)
    uow.publish(PointsEarned(points=command.points, repaid=repaid, **command.told_by(journal)))
    return journal.id


@dataclass(frozen=True, slots=True, kw_only=True)
class ClawBackPoints(Movement):
    """A refund: in all, `refunded` of what was `paid` is given back now.

    `earned_keys` are the keys of all that was earned by it, the newest first; `promised` is how many points that is by
    now, where it can change.
    """

    earned_keys: tuple[str, ...]
    paid: Money
    refunded: Money
    promised: int | None = None


def claw_back_points(command: ClawBackPoints, *, uow: UnitOfWork, at: datetime, new_id: NewId) -> int:
    """Take back, within the caller's transaction, what was earned by money that is given back; how many points.

    The newest earning first. They leave the earning's own lot first, then the soonest-ending ones; what was spent of
    them, or is held, becomes a debt of points that later earnings pay off (guarantee M9, trap 20).
    """
    standing = _lock(command.user_id, uow)
    earnings = [earning for key in command.earned_keys if (earning := uow.points.earning(key)) is not None]
    if not earnings or uow.points.posted(command.key) is not None:
        return 0
    wanted = left = still_to_take(earnings, paid=command.paid, refunded=command.refunded, promised=command.promised)
    available, key = standing.available, command.key
    for place, earning in enumerate(earnings, start=2):
        part = min(left, earning.points - earning.taken_back)
        if part == 0:
            continue
        available -= _take(replace(command, key=key), earning, part, available, uow=uow, at=at, new_id=new_id)
        left -= part
        key = f"{command.key}:{place}"
    return wanted


def _take(
    command: ClawBackPoints,
    earning: Earning,
    wanted: int,
    available: int,
    *,
    uow: UnitOfWork,
    at: datetime,
    new_id: NewId,
) -> int:
    """Take so many of one earning; how many left the account, and did not become a debt."""
    points = accounts.points(command.user_id)
    taken = min(earning.takeable(available), wanted)
    entries = take_back(_ISSUED, points, wanted, available_minor=taken)
    journal = command.journal(JournalType.REVERSAL, entries, journal_id=new_id(), at=at, reverses=earning.journal_id)
    lots = uow.points.open_lots(command.user_id, ending_after=None)
    uow.ledger.post([journal])
    uow.points.record({journal.id: consume_from(lots, taken, first=earning.journal_id)})
    uow.publish(PointsClawedBack(points=wanted, owed=wanted - taken, **command.told_by(journal)))
    return taken


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
    standing = _lock(command.user_id, uow)
    posted = uow.points.posted(command.key)
    if posted is not None:
        return posted
    if command.points > 0:
        entries = earn(_ADJUSTMENTS, standing.points, command.points, owed_minor=standing.owed)
        journal = command.journal(JournalType.ADJUSTMENT, entries, journal_id=new_id(), at=at)
        _post_with_lot(journal, command.user_id, uow=uow, new_id=new_id)
    else:
        taken = consume(uow.points.open_lots(command.user_id, ending_after=None), -command.points)
        entries = transfer(standing.points, _ADJUSTMENTS, -command.points)
        journal = command.journal(JournalType.ADJUSTMENT, entries, journal_id=new_id(), at=at)
        uow.ledger.post([journal])
        uow.points.record({journal.id: taken})
    uow.publish(PointsAdjusted(points=command.points, **command.told_by(journal)))
    return journal.id


@dataclass(frozen=True, slots=True)
class _Locked:
    """A person's points account under its lock: what they may spend of it, and what they owe in points."""

    points: AccountRef
    available: int
    owed: int


def _lock(user_id: UUID, uow: UnitOfWork) -> _Locked:
    points, debt = accounts.points(user_id), accounts.debt(user_id, POINTS_UNIT)
    standing = uow.ledger.lock([points, debt])
    return _Locked(points, standing[points].available_minor, -standing[debt].balance_minor)


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


_ISSUED = accounts.platform(AccountKind.POINTS_ISSUED, POINTS_UNIT)
_ADJUSTMENTS = accounts.platform(AccountKind.ADJUSTMENTS, POINTS_UNIT)
