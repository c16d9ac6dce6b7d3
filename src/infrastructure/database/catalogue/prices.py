"""Prices of packages and activities: beside the item in a statement that is made anyway, and replaced as a whole."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from psycopg.types.json import Jsonb

from application.pricing.price_lists import bands_of, seasons_of
from domain.catalogue.items import Item, ItemKind
from domain.pricing.age_bands import AgeBand
from domain.pricing.seasons import Season
from domain.shared.identifiers import NewId
from domain.shared.money import Money
from domain.shared.percentage import Percentage
from infrastructure.database.catalogue.finding import ITEM_COLUMN
from infrastructure.database.transaction import Row, Statements

# Percentages as text: a number in JSON would come back as a float.
_AMOUNT: Final = "'percentage', {row}.percentage::text, 'price_minor', {row}.price_minor, 'currency', {row}.currency"
_BANDS: Final = f"""
(SELECT json_agg(json_build_object(
     'code', b.code, 'name_ar', b.name_ar, 'name_en', b.name_en, 'min_age', b.min_age, 'max_age', b.max_age,
     {_AMOUNT.format(row="b")}, 'takes_a_seat', b.takes_a_seat) ORDER BY b.min_age)
 FROM item_age_bands b WHERE b.{{column}} = {{item}}) AS age_bands
"""
_SEASONS: Final = f"""
(SELECT json_agg(json_build_object(
     'name_ar', s.name_ar, 'name_en', s.name_en, 'first_on', s.first_on, 'last_on', s.last_on,
     'weekdays', s.weekdays, 'adjustment', s.adjustment, {_AMOUNT.format(row="s")}, 'priority', s.priority)
     ORDER BY s.first_on, s.priority, s.id)
 FROM item_seasons s WHERE s.{{column}} = {{item}}{{on}}) AS seasons
"""
_RATE: Final = """
(SELECT json_build_object('id', r.id, 'from_currency', r.from_currency, 'to_currency', r.to_currency,
                          'rate', r.rate::text, 'valid_from', r.valid_from)
 FROM exchange_rates r
 WHERE r.from_currency = {source} AND r.to_currency = %(asked_currency)s AND r.valid_from <= %(now)s
 ORDER BY r.valid_from DESC, r.id DESC LIMIT 1) AS exchange_rate
"""


def price_columns(kind: ItemKind, item: str, *, starts_on: str = "") -> str:
    """`age_bands` and `seasons` as columns of a SELECT, for `price_list_of`.

    `item` is the SQL of the item's id. Where `starts_on`, the SQL of the day of the trip, is given, only the seasons
    that it lies between come along.
    """
    on = f" AND {starts_on} BETWEEN s.first_on AND s.last_on" if starts_on else ""
    column = ITEM_COLUMN[kind]
    return f"{_BANDS.format(column=column, item=item)}, {_SEASONS.format(column=column, item=item, on=on)}"


def rate_column(source: str) -> str:
    """`exchange_rate` as a column of a SELECT, for `rate_of`: the newest one that is valid.

    `source` is the SQL of the item's currency; the statement's values are `asked_currency` and `now`.
    """
    return _RATE.format(source=source)


_REPLACE_BANDS: Final = """
INSERT INTO item_age_bands (id, {column}, code, name_ar, name_en, min_age, max_age, percentage, price_minor, currency,
                            takes_a_seat)
SELECT b.id, %(item_id)s, b.code, b.name_ar, b.name_en, b.min_age, b.max_age, b.percentage, b.price_minor, b.currency,
       b.takes_a_seat
FROM jsonb_to_recordset(%(bands)s) AS b(
    id uuid, code text, name_ar text, name_en text, min_age smallint, max_age smallint, percentage numeric,
    price_minor bigint, currency text, takes_a_seat boolean)
"""
_REPLACE_SEASONS: Final = """
INSERT INTO item_seasons (id, {column}, name_ar, name_en, first_on, last_on, weekdays, adjustment, percentage,
                          price_minor, currency, priority)
SELECT s.id, %(item_id)s, s.name_ar, s.name_en, s.first_on, s.last_on, s.weekdays, s.adjustment, s.percentage,
       s.price_minor, s.currency, s.priority
FROM jsonb_to_recordset(%(seasons)s) AS s(
    id uuid, name_ar text, name_en text, first_on date, last_on date, weekdays smallint[], adjustment text,
    percentage numeric, price_minor bigint, currency text, priority smallint)
"""


class SqlItemPrices:
    """Implements `application.pricing.ports.ItemPrices`."""

    def __init__(self, statements: Statements, new_id: NewId) -> None:
        self._statements = statements
        self._new_id = new_id

    def bands_of(self, item: Item) -> Sequence[AgeBand]:
        return bands_of(self._prices_of(item)["age_bands"])

    def seasons_of(self, item: Item) -> Sequence[Season]:
        return seasons_of(self._prices_of(item)["seasons"])

    def _prices_of(self, item: Item) -> Row:
        row = self._statements.row(f"SELECT {price_columns(item.kind, '%(item_id)s')}", {"item_id": item.id})
        return row or {"age_bands": None, "seasons": None}

    def replace_bands(self, item: Item, bands: Sequence[AgeBand]) -> None:
        column = ITEM_COLUMN[item.kind]
        self._statements.execute(f"DELETE FROM item_age_bands WHERE {column} = %s", (item.id,))
        values = {"item_id": item.id, "bands": Jsonb([self._band_row(band) for band in bands])}
        self._statements.execute(_REPLACE_BANDS.format(column=column), values)

    def replace_seasons(self, item: Item, seasons: Sequence[Season]) -> None:
        column = ITEM_COLUMN[item.kind]
        self._statements.execute(f"DELETE FROM item_seasons WHERE {column} = %s", (item.id,))
        values = {"item_id": item.id, "seasons": Jsonb([self._season_row(season) for season in seasons])}
        self._statements.execute(_REPLACE_SEASONS.format(column=column), values)

    def _band_row(self, band: AgeBand) -> Row:
        return {
            "id": self._new_id(),
            "code": band.code,
            "name_ar": band.name_ar,
            "name_en": band.name_en,
            "min_age": band.min_age,
            "max_age": band.max_age,
            "takes_a_seat": band.takes_a_seat,
            **_amount_row(band.price),
        }

    def _season_row(self, season: Season) -> Row:
        return {
            "id": self._new_id(),
            "name_ar": season.name_ar,
            "name_en": season.name_en,
            "first_on": season.first_on,
            "last_on": season.last_on,
            "weekdays": sorted(season.weekdays),
            "adjustment": season.adjustment,
            "priority": season.priority,
            **_amount_row(season.amount),
        }


def _amount_row(amount: Percentage | Money) -> dict[str, Any]:
    if isinstance(amount, Money):
        return {"percentage": None, "price_minor": amount.minor, "currency": amount.currency.code}
    return {"percentage": str(amount), "price_minor": None, "currency": None}
