"""Prices that people write down: the items as they are quoted, and as a booking keeps them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from application.pricing.ports import Offered
from application.sales.pricing import booked_items
from domain.pricing.hand_priced import UNTAXED, HandPricedItem, basket_of
from domain.pricing.quotes import Quote, Terms, quote
from domain.sales.agreed import BookingItem, BookingType, FrozenShares, Trip
from domain.sales.amendments import KeptPoints
from domain.sales.details import clean_details
from domain.shared.identifiers import NewId
from domain.shared.money import Money
from domain.shared.percentage import Percentage


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferedItem:
    """One thing as it was written down; of the trip's own type where `booking_type` is None."""

    booking_type: BookingType | None
    name_ar: str
    name_en: str
    quantity: int
    unit_price: Money
    tax_rate: Percentage = UNTAXED
    tax_inclusive: bool = True
    details: Mapping[str, object]
    notes: str


def hand_priced(items: Sequence[OfferedItem], trip: Trip, *, new_id: NewId) -> list[HandPricedItem]:
    """The items of a trip, looked at. Raises InvalidValue for details that nothing keeps."""
    return [_hand_priced(item, trip, f"/items/{place}", new_id) for place, item in enumerate(items)]


def _hand_priced(item: OfferedItem, trip: Trip, pointer: str, new_id: NewId) -> HandPricedItem:
    return HandPricedItem(
        key=new_id(),
        booking_type=item.booking_type or trip.booking_type,
        name_ar=item.name_ar,
        name_en=item.name_en,
        quantity=item.quantity,
        unit_price=item.unit_price,
        tax_rate=item.tax_rate,
        tax_inclusive=item.tax_inclusive,
        details=clean_details(item.details, pointer=f"{pointer}/details"),
        notes=item.notes,
    )


def quote_by_hand(
    items: Sequence[HandPricedItem],
    trip: Trip,
    promoted: Offered,
    *,
    tier_code: str,
    fee_in: Callable[[str], Money],
    at: datetime,
) -> Quote:
    """Priced as anything else, but for the member's discount: whoever prices by hand knows for whom.

    Nobody spends the customer's points for them. `fee_in` tells the fee in a currency. Raises UnsoundOffer.
    """
    basket = basket_of(items, tier_code=tier_code, at=at, starts_on=trip.start_date)
    terms = Terms(
        member_rate=Percentage(0),
        offers=promoted.offers,
        voucher=promoted.voucher,
        points=0,
        tender=lambda _, left: KeptPoints(points=0, worth=Money(0, left.currency)),
        fee=fee_in(basket.currency),
    )
    return quote(basket, terms)


def booked_by_hand(
    items: Sequence[HandPricedItem], priced: Quote, shares: FrozenShares, *, new_id: NewId
) -> Iterator[BookingItem]:
    """The items with what is said of them, then what offers and the voucher give beside them."""
    booked = booked_items(priced, shares, new_id=new_id)
    for item, bought in zip(items, booked, strict=False):
        yield replace(bought, details=item.details, notes=item.notes)
    yield from booked[len(items) :]
