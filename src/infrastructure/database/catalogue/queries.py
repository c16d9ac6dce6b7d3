"""Packages as they are found and shown."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any, Final
from uuid import UUID

from application.catalogue.queries import CHANGES, Behind, Correction, Facets, Found, PackageSearch, Row, Sight
from domain.catalogue.spelling import fold_for_search
from infrastructure.database.catalogue.facets import Counted, Counts, Entries, Ranges, Values, count
from infrastructure.database.catalogue.search import (
    Conditions,
    Searched,
    Word,
    by_relevance,
    corrected,
    held_in,
    typed_words,
)
from infrastructure.database.pages import Order, settled_before
from infrastructure.database.transaction import Database

PACKAGES: Final = Searched(
    table="packages p", text="p.search_text", name="p.name_text", listing_place="p.listing_place"
)
FACETS: Final[Sequence[Counted]] = (
    Values("category", "p.category"),
    Values("currency", "p.currency"),
    Entries("destination", "p.destination_keys", "p.destinations"),
    Ranges(
        "price",
        "p.price_thousandths",
        [whole * 1000 for whole in (0, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000)],
        "min_price",
        "max_price",
        lambda thousandths: f"{thousandths // 1000}.{thousandths % 1000:03}",
    ),
    Ranges("duration", "p.duration_days", (1, 2, 4, 8, 15), "duration_min", "duration_max", int),
)
_BOOKABLE: Final = (
    "d.package_id = p.id AND d.status = 'OPEN' AND d.starts_on > %(today)s AND d.seats_taken < d.capacity"
)
_COLUMNS: Final = f"""
    p.id, p.slug, p.name_ar, p.name_en, p.description_ar, p.description_en, p.category, p.base_price_minor,
    p.currency, p.tax_rate, p.tax_inclusive, p.duration_days, p.duration_nights, p.min_travelers, p.max_travelers,
    p.destinations, p.inclusions_ar, p.inclusions_en, p.exclusions_ar, p.exclusions_en, p.itinerary, p.is_featured,
    p.display_order, p.status, p.availability_start, p.availability_end, p.vendor_id, p.created_at, p.updated_at,
    p.version,
    (SELECT min(d.starts_on) FROM departures d WHERE {_BOOKABLE}) AS next_departure
"""
# By the facet that they are the filters of; what no facet counts stands under the empty name.
_FILTERS: Final = {
    "category": {"category": "p.labels @> ARRAY[%(category)s]"},
    "currency": {"currency": "p.labels @> ARRAY[%(currency)s]"},
    "destination": {"destination": "p.labels @> ARRAY[%(destination)s]"},
    "price": {
        "min_price": "p.price_thousandths >= %(min_price)s",
        "max_price": "p.price_thousandths <= %(max_price)s",
    },
    "duration": {
        "duration_min": "p.duration_days >= %(duration_min)s",
        "duration_max": "p.duration_days <= %(duration_max)s",
    },
    "": {
        "featured": "p.is_featured = %(featured)s",
        "travelers": "%(travelers)s BETWEEN p.min_travelers AND p.max_travelers",
    },
}
# The departure is named by what is put in for the braces.
_FITTING: Final = (
    "{0}.package_id = p.id AND {0}.status = 'OPEN' AND {0}.starts_on BETWEEN %(starts_from)s AND %(starts_to)s"
    " AND {0}.capacity - {0}.seats_taken >= %(seats)s"
)
_RELEVANCE, _DEPARTURE = "relevance", "departure"
_ORDERS: Final = {
    "featured": Order("p.listing_place", "p.id", "bigint"),
    "price": Order("p.price_thousandths", "p.id", "bigint"),
    "-price": Order("p.price_thousandths", "p.id", "bigint", descending=True),
    "newest": Order("p.created_at", "p.id", descending=True),
    "duration": Order("p.duration_days", "p.id", "bigint"),
    "-duration": Order("p.duration_days", "p.id", "bigint", descending=True),
    _DEPARTURE: Order("d.starts_on", "d.package_id", "date"),
    "name_ar": Order('left(fold_for_search(p.name_ar), 40) COLLATE "C"', "p.id", "text"),
    "name_en": Order('left(fold_for_search(p.name_en), 40) COLLATE "C"', "p.id", "text"),
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

    def search(self, search: PackageSearch, *, sight: Sight) -> Found:
        words = typed_words(search.q)
        rows = self._page(search, sight, words)
        if rows or not words:
            return Found(rows)
        words, corrections = corrected(self._database, PACKAGES, _seen(sight), words)
        return Found(self._page(search, sight, words), corrections) if corrections else Found(rows)

    def facets(self, search: PackageSearch, *, sight: Sight) -> Facets:
        words = typed_words(search.q)
        counts = self._counts(search, sight, words)
        corrections: Sequence[Correction] = ()
        if words and not counts.total:
            words, corrections = corrected(self._database, PACKAGES, _seen(sight), words)
            counts = self._counts(search, sight, words) if corrections else counts
        return Facets(counts.total, counts.is_exact, corrections=corrections, **counts.facets)

    def _counts(self, search: PackageSearch, sight: Sight, words: Sequence[Word]) -> Counts:
        own = _filters(search)
        always = _seen(sight) & held_in(PACKAGES.text, words) & own.pop("", Conditions()) & _departing(search)
        return count(self._database, PACKAGES, FACETS, always, own)

    def _page(self, search: PackageSearch, sight: Sight, words: Sequence[Word]) -> Sequence[Row]:
        wanted = _seen(sight)
        for conditions in _filters(search).values():
            wanted &= conditions
        if search.sort == _DEPARTURE:
            return self._by_departure(search, wanted & held_in(PACKAGES.text, words))
        wanted &= _departing(search)
        if search.sort == _RELEVANCE:

            def page(conditions: Conditions, limit: int, after: Behind | None) -> Sequence[Row]:
                return self._in_order(replace(search, limit=limit, after=after), conditions, _ORDERS["featured"])

            return by_relevance(PACKAGES, wanted, words, page, limit=search.limit, after=search.after)
        return self._in_order(search, wanted & held_in(PACKAGES.text, words), _ORDERS[search.sort])

    def _by_departure(self, search: PackageSearch, wanted: Conditions) -> Sequence[Row]:
        """Soonest first: each package with the first departure that fits, found by walking departures.

        Nothing about it is kept in the package: seats are taken by the second, and today moves by itself.
        """
        fits, sooner = _fitting(search, "d"), _fitting(search, "sooner")
        is_first = f"""NOT EXISTS (SELECT 1 FROM departures sooner
            WHERE {sooner} AND (sooner.starts_on, sooner.id) < (d.starts_on, d.id))"""
        table = "departures d JOIN packages p ON p.id = d.package_id"
        return self._in_order(search, wanted & fits & Conditions((is_first,)), _ORDERS[_DEPARTURE], table)

    def _in_order(
        self, search: PackageSearch, wanted: Conditions, order: Order, table: str = PACKAGES.table
    ) -> Sequence[Row]:
        values = {**wanted.values, "today": search.today, "limit": search.limit + 1}
        conditions = [*wanted.sql]
        if search.after is not None:
            conditions.append(order.behind)
            values |= {"after_key": search.after.key, "after_id": search.after.id}
        if search.updated_after is not None:
            conditions.append("p.updated_at > %(updated_after)s AND p.updated_at < %(settled)s")
            values |= {"updated_after": search.updated_after, "settled": settled_before(self._database)}
        where = " AND ".join(conditions)
        sql = f"{_SELECT}, {order.column} AS sort_key FROM {table} WHERE {where} ORDER BY {order.by} {_PAGE}"
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


def _seen(sight: Sight) -> Conditions:
    return Conditions((_within(sight),), {"vendor_id": sight.vendor_id})


def _within(sight: Sight) -> str:
    if sight.everything:
        return "true"
    if sight.vendor_id is not None:
        return "(p.status = 'ACTIVE' OR p.vendor_id = %(vendor_id)s)"
    return "p.status = 'ACTIVE'"


def _filters(search: PackageSearch) -> dict[str, Conditions]:
    """The filters that are used, by the facet that they belong to."""
    category = search.category.value if search.category is not None else ""
    values: dict[str, Any] = {
        "category": _label("category", category),
        "currency": _label("currency", search.currency or ""),
        "destination": _label("destination", fold_for_search(search.destination)),
        "min_price": search.min_price,
        "max_price": search.max_price,
        "duration_min": search.duration_min,
        "duration_max": search.duration_max,
        "featured": search.featured,
        "travelers": search.travelers,
    }
    used = {}
    for facet, filters in _FILTERS.items():
        names = [name for name in filters if values[name] is not None]
        if names:
            used[facet] = Conditions(tuple(filters[name] for name in names), {name: values[name] for name in names})
    return used


def _label(kind: str, value: str) -> str | None:
    """As the trigger `fold_package` writes it; None where nothing is asked for."""
    return f"{kind}:{value}" if value else None


def _departing(search: PackageSearch) -> Conditions:
    """Where dates are asked for: a departure within them that can be booked, by the whole party."""
    if search.starts_from is None and search.starts_to is None:
        return Conditions()
    fits = _fitting(search, "d")
    return Conditions((f"EXISTS (SELECT 1 FROM departures d WHERE {fits})",), fits.values)


def _fitting(search: PackageSearch, departure: str) -> Conditions:
    """A departure of the package `p` that can be booked, on the dates and by the party that are asked for.

    Each side of a range is bounded once: of two bounds the planner would think that they narrow it twice.
    """
    tomorrow = search.today + timedelta(days=1)
    values = {
        "starts_from": max(search.starts_from or tomorrow, tomorrow),
        "starts_to": search.starts_to or date.max,
        "seats": search.travelers or 1,
    }
    return Conditions((_FITTING.format(departure),), values)
