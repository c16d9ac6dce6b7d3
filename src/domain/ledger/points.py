"""Loyalty points: how many a purchase earns, and until when they live."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from domain.shared.money import Money

LIFETIME = timedelta(days=365)
EXPIRING_SOON = timedelta(days=30)
MONEY_UNITS_PER_POINT = 10


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
