"""Activities as they are found and shown."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, Final

from application.catalogue.activity_queries import ActivitySearch
from application.catalogue.queries import CHANGES, Row, Sight
from domain.catalogue.items import ItemKind
from domain.catalogue.spelling import fold_for_search
from infrastructure.database.catalogue.finding import (
    BOOKABLE,
    WITHIN_DATES,
    containing,
    counts_column,
    key_column,
    revenues_column,
    within,
)
from infrastructure.database.catalogue.prices import price_columns
from infrastructure.database.pages import Order, settled_before
from infrastructure.database.transaction import Database

_SELECT: Final = f"""
SELECT a.id, a.slug, a.name_ar, a.name_en, a.description_ar, a.description_en, a.category, a.difficulty_level,
       a.price_minor, a.currency, a.tax_rate, a.tax_inclusive, a.duration_hours, a.location, a.min_participants,
       a.max_participants, a.featured_image, a.is_featured, a.display_order, a.status, a.availability_start,
       a.availability_end, a.time_zone, a.vendor_id, a.created_at, a.updated_at, a.version,
       {counts_column(ItemKind.ACTIVITY, "a.id")} AS statistics,
       (SELECT min(d.starts_on) FROM departures d WHERE d.activity_id = a.id AND {BOOKABLE}) AS next_departure
"""
_SELECT_ONE: Final = f"""
{_SELECT}, {price_columns(ItemKind.ACTIVITY, "a.id")}, {revenues_column(ItemKind.ACTIVITY, "a.id")} AS revenues
"""
_FILTERS: Final = {
    "category": "a.category = %(category)s",
    "difficulty": "a.difficulty_level = %(difficulty)s",
    "destination": "a.search_text LIKE %(destination_within)s AND fold_for_search(a.location) = %(destination)s",
    "min_price": "a.price_thousandths >= %(min_price)s",
    "max_price": "a.price_thousandths <= %(max_price)s",
    "featured": "a.is_featured = %(featured)s",
}
_DEPARTING: Final = f"""
    EXISTS (SELECT 1 FROM departures d WHERE d.activity_id = a.id AND {BOOKABLE} AND {WITHIN_DATES})
"""
_ORDERS: Final = {
    "featured": Order("a.listing_place", "a.id", "bigint"),
    "price": Order("a.price_thousandths", "a.id", "bigint"),
    "-price": Order("a.price_thousandths", "a.id", "bigint", descending=True),
    "newest": Order("a.created_at", "a.id", descending=True),
    CHANGES: Order("a.updated_at", "a.id"),
}


class SqlActivityQueries:
    """Implements `application.catalogue.activity_queries.ActivityQueries`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def search(self, search: ActivitySearch, *, sight: Sight) -> Sequence[Row]:
        order = _ORDERS[search.sort]
        conditions, values = _conditions(search)
        values |= {"today": search.today, "vendor_id": sight.vendor_id, "limit": search.limit + 1}
        if search.after is not None:
            conditions.append(order.behind)
            values |= {"after_key": search.after.key, "after_id": search.after.id}
        if search.updated_after is not None:
            conditions.append("a.updated_at > %(updated_after)s AND a.updated_at < %(settled)s")
            values |= {"updated_after": search.updated_after, "settled": settled_before(self._database)}
        where = " AND ".join([within(sight, "a"), *conditions])
        sql = (
            f"{_SELECT}, {order.column} AS sort_key FROM activities a WHERE {where} ORDER BY {order.by} LIMIT %(limit)s"
        )
        # A word may stand in every activity or in none: a plan that is kept would suit one of them.
        return self._database.rows(sql, values, replan=True)

    def activity(self, id_or_slug: str, *, today: date, sight: Sight) -> Row | None:
        column = key_column(id_or_slug)
        if column is None:
            return None
        sql = f"{_SELECT_ONE} FROM activities a WHERE a.{column} = %(key)s AND {within(sight, 'a')}"
        return self._database.row(sql, {"key": id_or_slug, "today": today, "vendor_id": sight.vendor_id})


def _conditions(search: ActivitySearch) -> tuple[list[str], dict[str, Any]]:
    """What a row has to fulfil, and the values that the conditions name."""
    values: dict[str, Any] = {
        "category": search.category.value if search.category is not None else None,
        "difficulty": search.difficulty.value if search.difficulty is not None else None,
        "destination": fold_for_search(search.destination) or None,
        "min_price": search.min_price,
        "max_price": search.max_price,
        "featured": search.featured,
    }
    conditions = [sql for name, sql in _FILTERS.items() if values[name] is not None]
    values["destination_within"] = containing(values["destination"] or "")
    for i, word in enumerate(fold_for_search(search.q).split()):
        conditions.append(f"a.search_text LIKE %(word_{i})s")
        values[f"word_{i}"] = containing(word)
    if search.starts_from is not None or search.starts_to is not None:
        conditions.append(_DEPARTING)
        values |= {"starts_from": search.starts_from, "starts_to": search.starts_to}
    return conditions, values
