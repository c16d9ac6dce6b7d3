"""Loyalty points: what earns them, what they are worth, how long they live, and what happens to them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import ClassVar, Protocol
from uuid import UUID

from domain.shared.events import DomainEvent
from domain.shared.money import Currency, Money


@dataclass(frozen=True, slots=True, kw_only=True)
class PointsTender:
    """Points that pay an amount of money, exactly."""

    points: int
    worth: Money


class Exchange(Protocol):
    """What a sale's prices were converted with: `rate` units of its currency are one unit of what is listed."""

    @property
    def from_currency(self) -> str: ...

    @property
    def rate(self) -> Decimal: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class PointsFigures:
    """What points are in one currency: so many whole units earn one, and so many points pay a whole unit."""

    money_units_per_point: int
    points_per_money_unit: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PointsTerms:
    """The company's figures (settings `ledger.points_…`, `ledger.money_units_per_point`).

    `money_units_per_point` whole units of money earn a point; `points_per_money_unit` points pay one. `by_currency` is
    what counts instead in some currencies. All of it is of what is listed in that currency: the terms of a sale in
    another one are `converted`, and count its money as what it is there.
    """

    money_units_per_point: int = 10
    points_per_money_unit: int = 100
    by_currency: Mapping[str, PointsFigures] = field(default_factory=dict)
    rate: tuple[int, int] = (1, 1)
    """How many units of the sale's currency one listed unit is, as an exact ratio."""
    lifetime: timedelta = timedelta(days=365)
    grace: timedelta = timedelta(days=30)
    """How long points live on that are given back to a lot that has ended."""
    expiring_soon: timedelta = timedelta(days=30)

    def earned_by(self, amount: Money, multiplier: int) -> int:
        """Points that a paid amount earns, times the plan's multiplier, in hundredths (×1.50 is 150).

        Both steps round down (guide §4, `_award_points`).
        """
        units, listed = self.rate
        base = (
            amount.minor * listed // (self._in(amount.currency).money_units_per_point * amount.currency.scale * units)
        )
        return base * multiplier // 100

    def value_of(self, points: int, currency: Currency) -> Money:
        """What points pay; what does not make a whole minor unit pays nothing."""
        return Money(self._minor_of(points, currency), currency)

    def points_for_exactly(self, amount: Money) -> int:
        """The fewest points that pay an amount to its last minor unit (trap 26)."""
        units, listed = self.rate
        per_unit = self._in(amount.currency).points_per_money_unit
        return -(-amount.minor * per_unit * listed // (amount.currency.scale * units))

    def tender(self, points: int, due: Money) -> PointsTender:
        """What up to `points` pay of what is due: never more than that, and no point that pays nothing is taken."""
        worth = Money(min(self._minor_of(points, due.currency), due.minor), due.currency)
        return PointsTender(points=self.points_for_exactly(worth), worth=worth)

    def converted(self, exchange: Exchange | None) -> PointsTerms:
        """The terms of a sale whose prices were converted so; they are these where none were."""
        if exchange is None:
            return self
        figures = self.by_currency.get(exchange.from_currency, self)
        return replace(
            self,
            money_units_per_point=figures.money_units_per_point,
            points_per_money_unit=figures.points_per_money_unit,
            by_currency={},
            rate=exchange.rate.as_integer_ratio(),
        )

    def _in(self, currency: Currency) -> PointsFigures | PointsTerms:
        return self.by_currency.get(currency.code, self)

    def _minor_of(self, points: int, currency: Currency) -> int:
        units, listed = self.rate
        return points * currency.scale * units // (self._in(currency).points_per_money_unit * listed)


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


def kept_of(points: int, *, paid: Money, refunded: Money) -> int:
    """How many points stay: the share that the rest of what was paid has, rounded down; all where nothing was."""
    return points * (paid - refunded).minor // paid.minor if paid.is_positive else points


def still_to_take(earnings: Sequence[Earning], *, paid: Money, refunded: Money, promised: int | None = None) -> int:
    """Points to take back of all that one thing earned once `refunded`, in all, of what was `paid` is given back.

    What stays is the paid rest's share of the points themselves, rounded down as earning is: the rate is the
    one they were earned at, whatever it is now, and a refund of everything takes every point (guarantee M9).
    `promised` is how many of them it earns by now, where that can change.
    """
    points = sum(each.points for each in earnings)
    kept = kept_of(points if promised is None else promised, paid=paid, refunded=refunded)
    return max(points - kept - sum(each.taken_back for each in earnings), 0)


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
