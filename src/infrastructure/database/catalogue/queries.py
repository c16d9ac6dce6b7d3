"""Packages as they are found and shown."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, Final

from application.catalogue.queries import CHANGES, PackageSearch, Row, Sight
from application.pricing.ports import ItemKind
from domain.catalogue.packages import fold_for_search
from infrastructure.database.catalogue.finding import BOOKABLE, WITHIN_DATES, containing, key_column, within
from infrastructure.database.catalogue.prices import price_columns
from infrastructure.database.pages import Order, settled_before
from infrastructure.database.transaction import Database

_BOOKABLE: Final = f"d.package_id = p.id AND {BOOKABLE}"
_COLUMNS: Final = f"""
    p.id, p.slug, p.name_ar, p.name_en, p.description_ar, p.description_en, p.category, p.base_price_minor,
    p.currency, p.tax_rate, p.tax_inclusive, p.duration_days, p.duration_nights, p.min_travelers, p.max_travelers,
    p.destinations, p.inclusions_ar, p.inclusions_en, p.exclusions_ar, p.exclusions_en, p.itinerary, p.is_featured,
    p.display_order, p.status, p.availability_start, p.availability_end, p.time_zone, p.vendor_id, p.created_at,
    p.updated_at, p.version, p.cancellation_policy_id,
    (SELECT json_build_object('policy_id', c.id, 'name_ar', c.name_ar, 'name_en', c.name_en, 'tiers', c.tiers)
     FROM cancellation_policies c
     WHERE c.id = coalesce(p.cancellation_policy_id, (SELECT f.id FROM cancellation_policies f WHERE f.is_default)))
        AS cancellation,
    (SELECT min(d.starts_on) FROM departures d WHERE {_BOOKABLE}) AS next_departure
"""
_FILTERS: Final = {
    "category": "p.category = %(category)s",
    "destination": """
        p.search_text LIKE %(destination_within)s AND EXISTS (
            SELECT 1 FROM unnest(p.destinations) AS place WHERE fold_for_search(place) = %(destination)s)
    """,
    "min_price": "p.price_thousandths >= %(min_price)s",
    "max_price": "p.price_thousandths <= %(max_price)s",
    "featured": "p.is_featured = %(featured)s",
}
_DEPARTING: Final = f"EXISTS (SELECT 1 FROM departures d WHERE {_BOOKABLE} AND {WITHIN_DATES})"


_ORDERS: Final = {
    "featured": Order("p.listing_place", "p.id", "bigint"),
    "price": Order("p.price_thousandths", "p.id", "bigint"),
    "-price": Order("p.price_thousandths", "p.id", "bigint", descending=True),
    "newest": Order("p.created_at", "p.id", descending=True),
    CHANGES: Order("p.updated_at", "p.id"),
}

_SELECT: Final = f"SELECT {_COLUMNS}"
_SELECT_ONE: Final = f"{_SELECT}, {price_columns(ItemKind.PACKAGE, 'p.id')}"
_PAGE: Final = "LIMIT %(limit)s"


class SqlCatalogueQueries:
    """Implements `application.catalogue.queries.CatalogueQueries`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def search(self, search: PackageSearch, *, sight: Sight) -> Sequence[Row]:
        order = _ORDERS[search.sort]
        conditions, values = _conditions(search)
        values |= {"today": search.today, "vendor_id": sight.vendor_id, "limit": search.limit + 1}
        if search.after is not None:
            conditions.append(order.behind)
            values |= {"after_key": search.after.key, "after_id": search.after.id}
        if search.updated_after is not None:
            conditions.append("p.updated_at > %(updated_after)s AND p.updated_at < %(settled)s")
            values |= {"updated_after": search.updated_after, "settled": settled_before(self._database)}
        where = " AND ".join([within(sight, "p"), *conditions])
        sql = f"{_SELECT}, {order.column} AS sort_key FROM packages p WHERE {where} ORDER BY {order.by} {_PAGE}"
        # A word may stand in every package or in none: a plan that is kept would suit one of them.
        return self._database.rows(sql, values, replan=True)

    def package(self, id_or_slug: str, *, today: date, sight: Sight) -> Row | None:
        column = key_column(id_or_slug)
        if column is None:
            return None
        sql = f"{_SELECT_ONE} FROM packages p WHERE p.{column} = %(key)s AND {within(sight, 'p')}"
        return self._database.row(sql, {"key": id_or_slug, "today": today, "vendor_id": sight.vendor_id})


def _conditions(search: PackageSearch) -> tuple[list[str], dict[str, Any]]:
    """What a row has to fulfil, and the values that the conditions name."""
    values: dict[str, Any] = {
        "category": search.category.value if search.category is not None else None,
        "destination": fold_for_search(search.destination) or None,
        "min_price": search.min_price,
        "max_price": search.max_price,
        "featured": search.featured,
    }
    conditions = [sql for name, sql in _FILTERS.items() if values[name] is not None]
    values["destination_within"] = containing(values["destination"] or "")
    for i, word in enumerate(fold_for_search(search.q).split()):
        conditions.append(f"p.search_text LIKE %(word_{i})s")
        values[f"word_{i}"] = containing(word)
    if search.starts_from is not None or search.starts_to is not None:
        conditions.append(_DEPARTING)
        values |= {"starts_from": search.starts_from, "starts_to": search.starts_to}
    return conditions, values
