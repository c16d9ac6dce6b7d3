"""What is being bought, and how vouchers and offers see it: items in one currency, and what is left of their prices."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from domain.shared.money import Money, total
from domain.shared.percentage import Percentage


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitPrice:
    """So many of one kind at one price each: two adults, one child; `label` is empty where there is one kind.

    `listed` is the price without season; what is charged is `price`.
    """

    quantity: int
    listed: Money
    price: Money
    label_ar: str = ""
    label_en: str = ""
    season_ar: str = ""
    season_en: str = ""

    @property
    def amount(self) -> Money:
        return self.price * self.quantity

    @property
    def is_seasonal(self) -> bool:
        """Whether the season changes what it costs."""
        return self.price.minor != self.listed.minor


@dataclass(frozen=True, slots=True, kw_only=True)
class BasketItem:
    """One thing that is bought. `key` is the package, the activity, or the item itself where it is priced by hand.

    `taken_off` is what discounts so far have taken off its price.
    """

    key: UUID
    booking_type: str
    name_ar: str
    name_en: str
    units: tuple[UnitPrice, ...]
    tax_rate: Percentage
    tax_inclusive: bool
    taken_off: Money

    @property
    def quantity(self) -> int:
        return sum(unit.quantity for unit in self.units)

    @property
    def price(self) -> Money:
        """As shown, before discounts; with its tax where that is included."""
        return total((unit.amount for unit in self.units), self.taken_off.currency.code)

    @property
    def left(self) -> Money:
        """What discounts have left of the price."""
        return self.price - self.taken_off


@dataclass(frozen=True, slots=True, kw_only=True)
class Basket:
    """Items in one currency, who buys them, and when; each discount makes the next basket."""

    items: tuple[BasketItem, ...]
    currency: str
    tier_code: str
    at: datetime
    starts_on: date | None = None

    @property
    def left(self) -> Money:
        return total((item.left for item in self.items), self.currency)

    def left_of(self, keys: frozenset[UUID]) -> Money:
        """What is left of the prices of some items."""
        return total((item.left for item in self.items if item.key in keys), self.currency)

    @property
    def keys(self) -> frozenset[UUID]:
        return frozenset(item.key for item in self.items)

    def take_off(self, amount: Money, keys: frozenset[UUID]) -> Basket:
        """The basket after a discount on some of its items, shared by what is left of them (largest remainder).

        Raises ValueError for more than is left of them.
        """
        if amount.is_zero:
            return self
        weights = [item.left.minor if item.key in keys else 0 for item in self.items]
        if not 0 < amount.minor <= sum(weights):
            raise ValueError("a discount is at most what is left of its items")
        shares = amount.allocate(weights)
        reduced = (
            replace(item, taken_off=item.taken_off + share) for item, share in zip(self.items, shares, strict=True)
        )
        return replace(self, items=tuple(reduced))


class PromotionKind(StrEnum):
    """Where a benefit comes from."""

    OFFER = "OFFER"
    VOUCHER = "VOUCHER"
    POINTS = "POINTS"
    """Only of what is not applied: the points that were asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Benefit:
    """What an offer or a voucher gives a basket.

    `discount` comes off the items with these `keys`. `cashback` is promised beside the plan's own once the trip is
    over, `bonus_points` come with the points that the payment earns; `gift` names a service or an upgrade that
    costs nothing.
    """

    kind: PromotionKind
    source_id: UUID
    title_ar: str
    title_en: str
    discount: Money
    keys: frozenset[UUID]
    code: str | None = None
    cashback: Money | None = None
    bonus_points: int = 0
    gift_ar: str = ""
    gift_en: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NotApplied:
    """Why an offer or a voucher gives this basket nothing, or points less than was asked: a stable code, and figures
    that its sentence names.
    """

    kind: PromotionKind
    reason: str
    title_ar: str = ""
    title_en: str = ""
    source_id: UUID | None = None
    code: str | None = None
    figures: Mapping[str, str] = field(default_factory=dict)


class Promotion(Protocol):
    """An offer or a voucher with what is known of its use; says what it gives a basket, or why nothing.

    `evaluate` never gives more than is left of the items that it is for. `combines` is whether it goes with others.
    """

    @property
    def combines(self) -> bool: ...

    def evaluate(self, basket: Basket) -> Benefit | NotApplied: ...

    def not_combined(self) -> NotApplied:
        """What is said where another one that goes with no other came first."""
        ...
