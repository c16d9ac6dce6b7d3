"""Packages as they are found and shown."""

from __future__ import annotations

from typing import Final

from application.catalogue.queries import PackageSearch
from domain.catalogue.items import ItemKind
from infrastructure.database.catalogue.facets import Entries, Values
from infrastructure.database.catalogue.finding import BOOKABLE, counts_column
from infrastructure.database.catalogue.item_queries import SqlItemQueries, own_columns
from infrastructure.database.catalogue.listings import Listing
from infrastructure.database.catalogue.tables import PRICE_NOW
from infrastructure.database.transaction import Database

_BOOKABLE: Final = f"d.package_id = p.id AND {BOOKABLE}"
_COLUMNS: Final = f"""
    p.id, p.slug, p.name_ar, p.name_en, p.description_ar, p.description_en, p.category, p.base_price_minor,
    p.discounted_price_minor, p.currency, p.tax_rate, p.tax_inclusive, p.duration_days, p.duration_nights,
    p.min_travelers, p.max_travelers, p.destinations, p.inclusions_ar, p.inclusions_en, p.exclusions_ar,
    p.exclusions_en, p.itinerary, p.is_customizable, p.is_featured, p.display_order, p.status, p.availability_start,
    p.availability_end, p.vendor_id, p.created_at, p.updated_at,
    p.version, p.time_zone, p.meta_title_ar, p.meta_title_en, p.meta_description_ar, p.meta_description_en,
    {PRICE_NOW.format(packages="p")} AS price_minor, {own_columns(ItemKind.PACKAGE, "p")},
    {counts_column(ItemKind.PACKAGE, "p.id")} AS statistics,
    (SELECT min(d.starts_on) FROM departures d WHERE {_BOOKABLE}) AS next_departure
"""
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


class SqlCatalogueQueries(SqlItemQueries[PackageSearch]):
    """Packages, as far as the reader's sight goes."""

    def __init__(self, database: Database) -> None:
        super().__init__(database, PACKAGES)
