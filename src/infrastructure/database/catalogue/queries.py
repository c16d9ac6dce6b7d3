"""Packages as they are found and shown."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Final
from uuid import UUID

from application.catalogue.queries import Facets, Found, PackageSearch, Row, Sight
from application.queries import After
from domain.catalogue.items import ItemKind
from infrastructure.database.catalogue.facets import Entries, Values
from infrastructure.database.catalogue.finding import BOOKABLE, counts_column, key_column, revenues_column, within
from infrastructure.database.catalogue.item_search import SqlItemSearch
from infrastructure.database.catalogue.listings import Listing
from infrastructure.database.catalogue.prices import price_columns
from infrastructure.database.catalogue.tables import PRICE_NOW
from infrastructure.database.pages import Order, page_values
from infrastructure.database.transaction import Database

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
_SELECT: Final = f"SELECT {_COLUMNS}"
PACKAGES: Final = Listing(
    kind=ItemKind.PACKAGE,
    alias="p",
    select=_SELECT,
    labels=("category", "currency"),
    place="destination",
    duration="duration_days",
    party=("min_travelers", "max_travelers"),
    own_facets=(
        Values("category", "p.category"),
        Values("currency", "p.currency"),
        Entries("destination", "p.destination_keys", "p.destinations", sent_as="destination"),
    ),
    durations=(1, 2, 4, 8, 15),
)
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
        self._search = SqlItemSearch(database, PACKAGES)

    def search(self, search: PackageSearch, *, sight: Sight) -> Found:
        return self._search.search(search, sight=sight)

    def facets(self, search: PackageSearch, *, sight: Sight) -> Facets:
        return self._search.facets(search, sight=sight)

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
