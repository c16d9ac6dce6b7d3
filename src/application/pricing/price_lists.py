"""Price lists from rows: what statements that select an item's prices beside it answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from domain.catalogue.items import Item, ItemKind
from domain.pricing.age_bands import AgeBand
from domain.pricing.exchange import ExchangeRate, RateNotFound
from domain.pricing.price_lists import PriceList
from domain.pricing.seasons import Adjustment, Season
from domain.shared.money import Money, currency
from domain.shared.percentage import Percentage

Row = Mapping[str, Any]


_NAMES: Final = {
    ItemKind.PACKAGE: ("min_travelers", "max_travelers"),
    ItemKind.ACTIVITY: ("min_participants", "max_participants"),
}


def price_list_of(row: Row, item: Item) -> PriceList:
    """An item's price list from a row with its prices.

    The row has `price_minor`, which is what the item is sold at; columns of the item's table: name_ar, name_en,
    currency, tax_rate, tax_inclusive, how few and how many; and the JSON columns age_bands and seasons, which are
    None where there is none.
    """
    least, most = _NAMES[item.kind]
    return PriceList(
        key=item.id,
        booking_type=item.kind,
        name_ar=row["name_ar"],
        name_en=row["name_en"],
        price=Money.of(row["price_minor"], row["currency"]),
        tax_rate=Percentage(int(row["tax_rate"] * 100)),
        tax_inclusive=row["tax_inclusive"],
        min_travelers=row[least],
        max_travelers=row[most],
        bands=tuple(bands_of(row["age_bands"])),
        seasons=tuple(seasons_of(row["seasons"])),
    )


def bands_of(rows: Sequence[Row] | None) -> Sequence[AgeBand]:
    """Age bands from their JSON."""
    return [
        AgeBand(
            code=row["code"],
            name_ar=row["name_ar"],
            name_en=row["name_en"],
            min_age=row["min_age"],
            max_age=row["max_age"],
            price=_amount(row),
            takes_a_seat=row["takes_a_seat"],
        )
        for row in rows or ()
    ]


def seasons_of(rows: Sequence[Row] | None) -> Sequence[Season]:
    """Seasons from their JSON."""
    return [
        Season(
            name_ar=row["name_ar"],
            name_en=row["name_en"],
            first_on=date.fromisoformat(row["first_on"]),
            last_on=date.fromisoformat(row["last_on"]),
            weekdays=frozenset(row["weekdays"]),
            adjustment=Adjustment(row["adjustment"]),
            amount=_amount(row),
            priority=row["priority"],
        )
        for row in rows or ()
    ]


def _amount(row: Row) -> Percentage | Money:
    if row["price_minor"] is not None:
        return Money.of(row["price_minor"], row["currency"])
    return Percentage.parse(row["percentage"])


def rate_of(found: Row | None) -> ExchangeRate | None:
    """An exchange rate from its JSON; None where nobody set one."""
    if found is None:
        return None
    return ExchangeRate(
        id=UUID(found["id"]),
        source=currency(found["from_currency"]),
        target=currency(found["to_currency"]),
        rate=Decimal(found["rate"]),
        valid_from=datetime.fromisoformat(found["valid_from"]),
    )


def in_asked_currency(prices: PriceList, code: str | None, rate: ExchangeRate | None) -> PriceList:
    """The list in the currency that the customer asked for, or in its own where they asked for none.

    `rate` is the newest valid one. Raises RateNotFound where there is none, and CurrencyMismatch for another's.
    """
    if code is None or code == prices.price.currency.code:
        return prices
    if rate is None:
        raise RateNotFound()
    return prices.in_currency(rate)
