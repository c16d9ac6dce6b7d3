"""Packages as they are found and shown."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from typing import Any, Final
from uuid import UUID

from application.catalogue.queries import CHANGES, Behind, PackageSearch, Row, Sight
from domain.catalogue.packages import fold_for_search
from infrastructure.database.pages import Order, settled_before
from infrastructure.database.transaction import Database

_BOOKABLE: Final = """
    d.package_id = p.id AND d.status = 'OPEN' AND d.starts_on > %(today)s AND d.seats_taken < d.capacity
"""
_COLUMNS: Final = f"""
    p.id, p.slug, p.name_ar, p.name_en, p.description_ar, p.description_en, p.category, p.base_price_minor,
    p.currency, p.tax_rate, p.tax_inclusive, p.duration_days, p.duration_nights, p.min_travelers, p.max_travelers,
    p.destinations, p.inclusions_ar, p.inclusions_en, p.exclusions_ar, p.exclusions_en, p.itinerary, p.is_featured,
    p.display_order, p.status, p.availability_start, p.availability_end, p.vendor_id, p.created_at, p.updated_at,
    p.version, p.cancellation_policy_id,
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
_DEPARTING: Final = f"""
    EXISTS (SELECT 1 FROM departures d WHERE {_BOOKABLE}
            AND d.starts_on >= coalesce(%(starts_from)s::date, '-infinity')
            AND d.starts_on <= coalesce(%(starts_to)s::date, 'infinity'))
"""


_ORDERS: Final = {
    "featured": Order("p.listing_place", "p.id", "bigint"),
    "price": Order("p.price_thousandths", "p.id", "bigint"),
    "-price": Order("p.price_thousandths", "p.id", "bigint", descending=True),
    "newest": Order("p.created_at", "p.id", descending=True),
    CHANGES: Order("p.updated_at", "p.id"),
}

_SELECT: Final = f"SELECT {_COLUMNS}"
_PAGE: Final = "LIMIT %(limit)s"
_DEPARTURES: Final = """
SELECT d.id, d.package_id, d.starts_on, d.ends_on, d.capacity, d.capacity - d.seats_taken AS seats_left, d.status
FROM departures d
WHERE d.package_id = %(package_id)s AND d.starts_on > %(today)s
  AND (%(everything)s OR d.status <> 'CANCELLED')
  AND (d.starts_on, d.id) > (%(after_key)s::date, %(after_id)s::uuid)
ORDER BY d.starts_on, d.id LIMIT %(limit)s
"""
_FIRST_DEPARTURE: Final = Behind(date.min, UUID(int=0))


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
        where = " AND ".join([_within(sight), *conditions])
        sql = f"{_SELECT}, {order.column} AS sort_key FROM packages p WHERE {where} ORDER BY {order.by} {_PAGE}"
        # A word may stand in every package or in none: a plan that is kept would suit one of them.
        return self._database.rows(sql, values, replan=True)

    def package(self, id_or_slug: str, *, today: date, sight: Sight) -> Row | None:
        if not _KEY.fullmatch(id_or_slug):
            return None
        column = "p.id" if _ID.fullmatch(id_or_slug) else "p.slug"
        sql = f"{_SELECT} FROM packages p WHERE {column} = %(key)s AND {_within(sight)}"
        return self._database.row(sql, {"key": id_or_slug, "today": today, "vendor_id": sight.vendor_id})

    def departures(
        self, package_id: UUID, *, today: date, sight: Sight, limit: int, after: Behind | None
    ) -> Sequence[Row]:
        behind = after or _FIRST_DEPARTURE
        values = {
            "package_id": package_id,
            "today": today,
            "everything": sight.everything,
            "after_key": behind.key,
            "after_id": behind.id,
            "limit": limit + 1,
        }
        return self._database.rows(_DEPARTURES, values)


_KEY = re.compile(r"[\w-]{1,200}")
_ID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def _within(sight: Sight) -> str:
    if sight.everything:
        return "true"
    if sight.vendor_id is not None:
        return "(p.status = 'ACTIVE' OR p.vendor_id = %(vendor_id)s)"
    return "p.status = 'ACTIVE'"


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
    values["destination_within"] = _containing(values["destination"] or "")
    for i, word in enumerate(fold_for_search(search.q).split()):
        conditions.append(f"p.search_text LIKE %(word_{i})s")
        values[f"word_{i}"] = _containing(word)
    if search.starts_from is not None or search.starts_to is not None:
        conditions.append(_DEPARTING)
        values |= {"starts_from": search.starts_from, "starts_to": search.starts_to}
    return conditions, values


def _containing(text: str) -> str:
    """A LIKE pattern for text that contains this, taken literally."""
    return "%" + re.sub(r"([\\%_])", r"\\\1", text) + "%"
