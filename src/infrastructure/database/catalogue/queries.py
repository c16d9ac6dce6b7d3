"""Packages as they are found and shown."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final
from uuid import UUID

from application.catalogue.queries import PackageSearch, Row, Sight
from domain.catalogue.packages import fold_for_search
from domain.shared.money import EXPONENTS
from infrastructure.database.transaction import Database


def _scale_case(column: str) -> str:
    """A price in thousandths of a whole unit, so that currencies of 0 to 3 decimals compare by their number."""
    cases = " ".join(
        f"WHEN '{code}' THEN {column} * {10 ** (3 - exponent)}"
        for code, exponent in sorted(EXPONENTS.items())
        if exponent != 2
    )
    return f"(CASE p.currency {cases} ELSE {column} * 10 END)"


_PRICE: Final = _scale_case("p.base_price_minor")
_BOOKABLE: Final = """
    d.package_id = p.id AND d.status = 'OPEN' AND d.starts_on > %(today)s AND d.seats_taken < d.capacity
"""
_COLUMNS: Final = f"""
    p.id, p.slug, p.name_ar, p.name_en, p.description_ar, p.description_en, p.category, p.base_price_minor,
    p.currency, p.tax_rate, p.tax_inclusive, p.duration_days, p.duration_nights, p.min_travelers, p.max_travelers,
    p.destinations, p.inclusions_ar, p.inclusions_en, p.exclusions_ar, p.exclusions_en, p.itinerary, p.is_featured,
    p.display_order, p.status, p.availability_start, p.availability_end, p.vendor_id, p.created_at, p.updated_at,
    (SELECT min(d.starts_on) FROM departures d WHERE {_BOOKABLE}) AS next_departure
"""
_FILTERS: Final = {
    "category": "p.category = %(category)s",
    "destination": """
        p.search_text LIKE %(destination_within)s AND EXISTS (
            SELECT 1 FROM unnest(p.destinations) AS place WHERE fold_for_search(place) = %(destination)s)
    """,
    "min_price": f"{_PRICE} >= %(min_price)s",
    "max_price": f"{_PRICE} <= %(max_price)s",
    "featured": "p.is_featured = %(featured)s",
}
_DEPARTING: Final = f"""
    EXISTS (SELECT 1 FROM departures d WHERE {_BOOKABLE}
            AND d.starts_on >= coalesce(%(starts_from)s::date, '-infinity')
            AND d.starts_on <= coalesce(%(starts_to)s::date, 'infinity'))
"""


@dataclass(frozen=True, slots=True)
class _Order:
    """One way to sort: the values a page goes on from, their types, and the direction they are read in."""

    keys: tuple[str, ...]
    types: tuple[str, ...]
    descending: bool = False

    @property
    def by(self) -> str:
        direction = " DESC" if self.descending else ""
        return ", ".join(f"{key}{direction}" for key in self.keys)

    @property
    def behind(self) -> str:
        places = ", ".join(f"%(after_{i})s::{kind}" for i, kind in enumerate(self.types))
        return f"({', '.join(self.keys)}) {'<' if self.descending else '>'} ({places})"


_ORDERS: Final = {
    "featured": _Order(("(NOT p.is_featured)", "p.display_order", "p.id"), ("boolean", "integer", "uuid")),
    "price": _Order((_PRICE, "p.id"), ("bigint", "uuid")),
    "-price": _Order((_PRICE, "p.id"), ("bigint", "uuid"), descending=True),
    "newest": _Order(("p.created_at", "p.id"), ("timestamptz", "uuid"), descending=True),
}

_ONE: Final = f"SELECT {_COLUMNS} FROM packages p WHERE"
_DEPARTURES: Final = """
SELECT d.id, d.package_id, d.starts_on, d.ends_on, d.capacity, d.capacity - d.seats_taken AS seats_left, d.status
FROM departures d
WHERE d.package_id = %(package_id)s AND d.starts_on > %(today)s
ORDER BY d.starts_on, d.id LIMIT 1000
"""


class SqlCatalogueQueries:
    """Implements `application.catalogue.queries.CatalogueQueries`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def search(self, search: PackageSearch, *, sight: Sight) -> Sequence[Row]:
        order = _ORDERS[search.sort]
        conditions, values = _conditions(search)
        if search.after is not None:
            conditions.append(order.behind)
            values |= {f"after_{i}": value for i, value in enumerate(search.after)}
        where = " AND ".join([_within(sight), *conditions])
        cursor = ", ".join(f"{key} AS cursor_{i}" for i, key in enumerate(order.keys))
        sql = f"SELECT {_COLUMNS}, {cursor} FROM packages p WHERE {where} ORDER BY {order.by} LIMIT %(limit)s"
        values |= {"today": search.today, "vendor_id": sight.vendor_id, "limit": search.limit + 1}
        rows = self._database.rows(sql, values)
        return [{**row, "cursor": [row[f"cursor_{i}"] for i in range(len(order.keys))]} for row in rows]

    def package(self, id_or_slug: str, *, today: date, sight: Sight) -> Row | None:
        values = {"key": id_or_slug, "today": today, "vendor_id": sight.vendor_id}
        column = "p.id" if _ID.fullmatch(id_or_slug) else "p.slug"
        return self._database.row(f"{_ONE} {column} = %(key)s AND {_within(sight)}", values)

    def departures(self, package_id: UUID, *, today: date, sight: Sight) -> Sequence[Row] | None:
        if self.package(str(package_id), today=today, sight=sight) is None:
            return None
        return self._database.rows(_DEPARTURES, {"package_id": package_id, "today": today})


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
        "category": search.category,
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
