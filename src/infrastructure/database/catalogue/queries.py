"""Packages as they are found and shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any, Final
from uuid import UUID

from application.catalogue.queries import CHANGES, Behind, Correction, Facets, Found, PackageSearch, Row, Sight
from application.queries import After
from domain.catalogue.items import ItemKind
from domain.catalogue.spelling import fold_for_search
from infrastructure.database.catalogue.facets import Counted, Counts, Entries, Ranges, Values, count
from infrastructure.database.catalogue.finding import (
    BOOKABLE,
    counts_column,
    key_column,
    revenues_column,
    seats_left,
    within,
)
from infrastructure.database.catalogue.prices import price_columns
from infrastructure.database.catalogue.search import (
    Conditions,
    Searched,
    Word,
    by_relevance,
    corrected,
    held_in,
    typed_words,
)
from infrastructure.database.catalogue.tables import PRICE_NOW
from infrastructure.database.pages import Order, page_values, settled_before
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
_BOOKABLE: Final = f"d.package_id = p.id AND {BOOKABLE}"
_COLUMNS: Final = f"""
    p.id, p.slug, p.name_ar, p.name_en, p.description_ar, p.description_en, p.category, p.base_price_minor,
    p.discounted_price_minor, p.currency, p.tax_rate, p.tax_inclusive, p.duration_days, p.duration_nights,
    p.min_travelers, p.max_travelers, p.destinations, p.inclusions_ar, p.inclusions_en, p.exclusions_ar,
    p.exclusions_en, p.itinerary, p.is_customizable, p.is_featured, p.display_order, p.status, p.availability_start,
    p.availability_end, p.vendor_id, p.created_at, p.updated_at,
    p.version, p.time_zone, p.meta_title_ar, p.meta_title_en, p.meta_description_ar, p.meta_description_en, p.approval,
    p.approval_reason, p.approval_decided_at, p.review_requested_at, p.cancellation_policy_id,
    (SELECT i.id FROM package_images i WHERE i.package_id = p.id AND i.is_featured) AS featured_image_id,
    {counts_column(ItemKind.PACKAGE, "p.id")} AS statistics,
    (SELECT json_build_object('policy_id', c.id, 'name_ar', c.name_ar, 'name_en', c.name_en, 'tiers', c.tiers)
     FROM cancellation_policies c
     WHERE c.id = coalesce(p.cancellation_policy_id, (SELECT f.id FROM cancellation_policies f WHERE f.is_default)))
        AS cancellation,
    (SELECT min(d.starts_on) FROM departures d WHERE {_BOOKABLE}) AS next_departure
"""
_ALONE: Final = f"""
    {PRICE_NOW.format(packages="p")} AS price_minor, {price_columns(ItemKind.PACKAGE, "p.id")},
    (SELECT json_agg(json_build_object(
                'id', i.id, 'width', i.width, 'height', i.height, 'caption_ar', i.caption_ar,
                'caption_en', i.caption_en, 'display_order', i.display_order, 'is_featured', i.is_featured)
            ORDER BY i.display_order, i.id)
     FROM package_images i WHERE i.package_id = p.id AND i.state = 'STORED') AS images,
    {revenues_column(ItemKind.PACKAGE, "p.id")} AS revenues
"""
"""What a package is shown with besides, where it is shown alone."""
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
_REVIEWS: Final = Order("p.review_requested_at", "p.id")
_IMAGE: Final = """
SELECT i.id, i.storage_key, i.content_type, i.digest, p.status
FROM package_images i JOIN packages p ON p.id = i.package_id
WHERE i.id = %(id)s AND i.state = 'STORED'
"""


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
        column = key_column(id_or_slug)
        if column is None:
            return None
        sql = f"{_SELECT}, {_ALONE} FROM packages p WHERE p.{column} = %(key)s AND {within(sight, 'p')}"
        return self._database.row(sql, {"key": id_or_slug, "today": today, "vendor_id": sight.vendor_id})

    def reviews(self, *, today: date, limit: int, after: After | None) -> Sequence[Row]:
        behind = f" AND {_REVIEWS.behind}" if after is not None else ""
        sql = f"{_SELECT} FROM packages p WHERE p.approval = 'PENDING'{behind} ORDER BY {_REVIEWS.by} {_PAGE}"
        return self._database.rows(sql, {"today": today, **page_values(after, limit)})

    def image(self, id_or_slug: str, image_id: UUID, *, sight: Sight) -> Row | None:
        column = key_column(id_or_slug)
        if column is None:
            return None
        sql = f"{_IMAGE} AND p.{column} = %(key)s AND {within(sight, 'p')}"
        return self._database.row(sql, {"id": image_id, "key": id_or_slug, "vendor_id": sight.vendor_id})


def _seen(sight: Sight) -> Conditions:
    return Conditions((within(sight, "p"),), {"vendor_id": sight.vendor_id})


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
    sql = f"""
        {departure}.package_id = p.id AND {departure}.status = 'OPEN'
        AND {departure}.starts_on BETWEEN %(starts_from)s AND %(starts_to)s
        AND {departure}.capacity - {departure}.seats_taken >= %(seats)s
        AND (NOT {departure}.has_pools OR {seats_left(departure)} >= %(seats)s)
    """
    return Conditions((sql,), values)
