"""Loyalty points: how many a purchase earns, and until when they live."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from domain.shared.money import Money

LIFETIME = timedelta(days=365)
EXPIRING_SOON = timedelta(days=30)
MONEY_UNITS_PER_POINT = 10
RESTORED_FOR = timedelta(days=30)
"""How long points at least live after they were given back to a lot."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PointsLot:
    """Points earned together; spent soonest-expiring first."""

    id: UUID
    user_id: UUID
    journal_id: UUID
    points: int
    earned_at: datetime
    expires_at: datetime


def points_for(amount: Money, multiplier: int) -> int:
    """Points that a paid amount earns: one per ten whole units of money, times the plan's multiplier.

    `multiplier` is in hundredths (×1.50 is 150). Both steps round down (guide §4, `_award_points`).
    """
    base = amount.minor // (MONEY_UNITS_PER_POINT * amount.currency.scale)
    return base * multiplier // 100


@dataclass(frozen=True, slots=True)
class LotUse:
    """How many points a journal took from a lot, or gave back to it: a count above zero."""

    lot_id: UUID
    points: int


def restored(taken: Sequence[LotUse], given_back: Sequence[LotUse], points: int) -> list[LotUse]:
    """Which lots get `points` back of what a journal took from them: the one that expires last first.

    `taken` is in the order in which lots expire, soonest first; `given_back` is what earlier reversals gave.
    Raises ValueError where more would be given back than was taken.
    """
    before = Counter({use.lot_id: use.points for use in given_back})
    uses = []
    for use in reversed(taken):
        back = min(points, use.points - before[use.lot_id])
        if back > 0:
            uses.append(LotUse(use.lot_id, back))
            points -= back
    if points:
        raise ValueError(f"{points} points more than were taken")
    return uses


def consumed(open_lots: Sequence[LotUse], points: int) -> list[LotUse]:
    """What to take from each lot, the first first. Raises ValueError where the lots hold less."""
    uses = []
    for lot in open_lots:
        part = min(points, lot.points)
        if part > 0:
            uses.append(LotUse(lot.lot_id, part))
            points -= part
    if points:
        raise ValueError(f"{points} points more than the lots hold")
    return uses


def grace_until(expires_at: datetime, *, at: datetime) -> datetime | None:
    """Until when points live that go back to a lot now; None where the lot itself lives long enough."""
    least = at + RESTORED_FOR
    return least if expires_at < least else None
