"""Items that people price: what is said of each, its limits, and the basket that they are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final
from uuid import UUID

from domain.pricing.baskets import Basket, BasketItem, UnitPrice
from domain.shared.errors import FieldFault, RuleBroken
from domain.shared.money import Money
from domain.shared.percentage import Percentage

MOST_ITEMS: Final = 50
MOST_OF_ONE: Final = 200
HIGHEST_PRICE: Final = 10_000_000
"""In whole units of any currency, for one; as packages have it."""
UNTAXED: Final = Percentage(0)


class UnsoundOffer(RuleBroken):
    """Nobody can be asked to pay these items together."""

    code = "validation_failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class HandPricedItem:
    """One thing of an offer. `unit_price` may be zero for what comes along, and includes its tax unless said otherwise.

    `details` and `notes` go into the booking as they are.
    """

    key: UUID
    booking_type: str
    name_ar: str
    name_en: str
    quantity: int
    unit_price: Money
    tax_rate: Percentage = UNTAXED
    tax_inclusive: bool = True
    details: Mapping[str, object] = field(default_factory=dict)
    notes: str = ""


def basket_of(items: Sequence[HandPricedItem], *, tier_code: str, at: datetime, starts_on: date) -> Basket:
    """The items as something that can be quoted. Raises UnsoundOffer that names every field that is wrong."""
    faults = tuple(_faults(items))
    if faults:
        raise UnsoundOffer(faults=faults)
    unit = items[0].unit_price.currency.code
    basket_items = tuple(_basket_item(item) for item in items)
    return Basket(items=basket_items, currency=unit, tier_code=tier_code, at=at, starts_on=starts_on)


def _faults(items: Sequence[HandPricedItem]) -> Iterator[FieldFault]:
    if not 1 <= len(items) <= MOST_ITEMS:
        yield FieldFault("/items", "out_of_range", f"1 to {MOST_ITEMS} items")
        return
    for place, item in enumerate(items):
        price = item.unit_price
        if price.currency != items[0].unit_price.currency:
            yield FieldFault(f"/items/{place}/unit_price", "another_currency", "all items are in one currency")
        if not 0 <= price.minor <= HIGHEST_PRICE * price.currency.scale:
            yield FieldFault(f"/items/{place}/unit_price", "out_of_range", f"a price is at most {HIGHEST_PRICE}")
        if not 1 <= item.quantity <= MOST_OF_ONE:
            yield FieldFault(f"/items/{place}/quantity", "out_of_range", f"1 to {MOST_OF_ONE}")
    if not any(item.unit_price.minor > 0 for item in items):
        # A trip for nothing would be confirmed at once, on one person's word.
        yield FieldFault("/items", "out_of_range", "an offer costs something")


def _basket_item(item: HandPricedItem) -> BasketItem:
    return BasketItem(
        key=item.key,
        booking_type=item.booking_type,
        name_ar=item.name_ar,
        name_en=item.name_en,
        units=(UnitPrice(quantity=item.quantity, listed=item.unit_price, price=item.unit_price),),
        tax_rate=item.tax_rate,
        tax_inclusive=item.tax_inclusive,
        taken_off=Money(0, item.unit_price.currency),
    )
