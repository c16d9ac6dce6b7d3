"""What one item costs a party: the price for one traveller, and which parties it takes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from domain.pricing.baskets import BasketItem, UnitPrice
from domain.shared.errors import InvalidValue
from domain.shared.money import Money
from domain.shared.percentage import Percentage


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """How many travel; `birth_dates` of those who are known, in no order."""

    count: int
    birth_dates: tuple[date, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceList:
    """A package's or an activity's prices. `price` is for one traveller, with its tax where that is inclusive."""

    key: UUID
    booking_type: str
    name_ar: str
    name_en: str
    price: Money
    tax_rate: Percentage
    tax_inclusive: bool
    min_travelers: int
    max_travelers: int

    def item_for(self, party: Party, *, starts_on: date | None) -> BasketItem:
        """The item at what it costs this party then. Raises InvalidValue for a party that it does not take."""
        if not self.min_travelers <= party.count <= self.max_travelers:
            raise InvalidValue(
                f"takes {self.min_travelers} to {self.max_travelers} travellers",
                pointer="/travelers_count",
                code="out_of_range",
            )
        return BasketItem(
            key=self.key,
            booking_type=self.booking_type,
            name_ar=self.name_ar,
            name_en=self.name_en,
            units=(UnitPrice(quantity=party.count, listed=self.price, price=self.price),),
            tax_rate=self.tax_rate,
            tax_inclusive=self.tax_inclusive,
            taken_off=Money(0, self.price.currency),
        )
