"""Loyalty points: what earns them, what they are worth, how long they live, and what happens to them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar
from uuid import UUID

from domain.shared.events import DomainEvent
from domain.shared.money import Currency, Money


@dataclass(frozen=True, slots=True, kw_only=True)
class PointsTender:
    """Points that pay an amount of money, exactly."""

    points: int
    worth: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class PointsTerms:
    """The company's figures (settings `ledger.points_…`, `ledger.money_units_per_point`).

    `money_units_per_point` whole units of money earn a point; `points_per_money_unit` points pay one.
    """

    money_units_per_point: int = 10
    points_per_money_unit: int = 100
    lifetime: timedelta = timedelta(days=365)
    grace: timedelta = timedelta(days=30)
    """How long points live on that are given back to a lot that has ended."""
    expiring_soon: timedelta = timedelta(days=30)

    def earned_by(self, amount: Money, multiplier: int) -> int:
        """Points that a paid amount earns, times the plan's multiplier, in hundredths (×1.50 is 150).

        Both steps round down (guide §4, `_award_points`).
        """
        base = amount.minor // (self.money_units_per_point * amount.currency.scale)
        return base * multiplier // 100

    def value_of(self, points: int, currency: Currency) -> Money:
        """What points pay; what does not make a whole minor unit pays nothing."""
        return Money(points * currency.scale // self.points_per_money_unit, currency)

    def points_for_exactly(self, amount: Money) -> int:
        """The fewest points that pay an amount to its last minor unit (trap 26)."""
        return -(-amount.minor * self.points_per_money_unit // amount.currency.scale)

    def tender(self, points: int, due: Money) -> PointsTender:
        """What up to `points` pay of what is due: never more than that, and no point that pays nothing is taken."""
        worth = min(self.value_of(points, due.currency), due, key=lambda amount: amount.minor)
        return PointsTender(points=self.points_for_exactly(worth), worth=worth)


@dataclass(frozen=True, slots=True, kw_only=True)
class PointsLot:
    """Points that came together; spent soonest-ending first."""

    id: UUID
    user_id: UUID
    journal_id: UUID
    points: int
    earned_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Earning:
    """Points that a journal gave: `reached` went into its lot, the others paid off a debt.

    `taken_back` is what reversals took of all, `taken_from_points` what they took of it from the account.
    """

    journal_id: UUID
    points: int
    reached: int
    taken_back: int = 0
    taken_from_points: int = 0

    def takeable(self, available: int) -> int:
        """How many of them may leave the account, not into debt: no more than reached it, and than is there."""
        return max(min(available, self.reached - self.taken_from_points), 0)


def still_to_take(earnings: Sequence[Earning], *, paid: Money, refunded: Money) -> int:
    """Points to take back of all that one thing earned once `refunded`, in all, of what was `paid` is given back.

    What stays is the paid rest's share of the points themselves, rounded down as earning is: the rate is the
    one they were earned at, whatever it is now, and a refund of everything takes every point (guarantee M9).
    """
    points, taken = sum(each.points for each in earnings), sum(each.taken_back for each in earnings)
    kept = points * (paid - refunded).minor // paid.minor
    return max(points - kept - taken, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class PointsEarned(DomainEvent):
    """`repaid` of the points paid off a debt; the others reached the account."""

    name: ClassVar[str] = "ledger.points_earned"
    user_id: UUID
    journal_id: UUID
    points: int
    repaid: int
    reference_type: str
    reference_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class PointsRedeemed(DomainEvent):
    name: ClassVar[str] = "ledger.points_redeemed"
    user_id: UUID
    journal_id: UUID
    points: int
    reference_type: str
    reference_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class PointsRestored(DomainEvent):
    """Points went back to the lots that they were taken from: what had taken them was reversed."""

    name: ClassVar[str] = "ledger.points_restored"
    user_id: UUID
    journal_id: UUID
    points: int
    reference_type: str
    reference_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class PointsClawedBack(DomainEvent):
    """`owed` of the points had been spent, and became a debt."""

    name: ClassVar[str] = "ledger.points_clawed_back"
    user_id: UUID
    journal_id: UUID
    points: int
    owed: int
    reference_type: str
    reference_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class PointsAdjusted(DomainEvent):
    """Staff gave points, or took them (below zero)."""

    name: ClassVar[str] = "ledger.points_adjusted"
    user_id: UUID
    journal_id: UUID
    points: int
    reference_type: str
    reference_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class PointsExpired(DomainEvent):
    """All that one run of the expiry took from a person."""

    name: ClassVar[str] = "ledger.points_expired"
    user_id: UUID
    points: int
    lots: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PointsExpiring(DomainEvent):
    """A person is to be reminded: points end within `days`, the first of them at `ends_at`."""

    name: ClassVar[str] = "ledger.points_expiring"
    user_id: UUID
    points: int
    days: int
    ends_at: datetime
