"""Activities as they are found and shown."""

from __future__ import annotations

from typing import Final

from application.catalogue.activity_queries import ActivitySearch
from domain.catalogue.items import ItemKind
from infrastructure.database.catalogue.facets import Entries, Values
from infrastructure.database.catalogue.finding import BOOKABLE, counts_column
from infrastructure.database.catalogue.item_queries import SqlItemQueries, own_columns
from infrastructure.database.catalogue.listings import Listing
from infrastructure.database.transaction import Database

_SELECT: Final = f"""
SELECT a.id, a.slug, a.name_ar, a.name_en, a.description_ar, a.description_en, a.category, a.difficulty_level,
       a.price_minor, a.currency, a.tax_rate, a.tax_inclusive, a.duration_hours, a.location, a.min_participants,
       a.max_participants, a.is_featured, a.display_order, a.status, a.availability_start,
       a.availability_end, a.time_zone, a.vendor_id, a.created_at, a.updated_at, a.version,
       {own_columns(ItemKind.ACTIVITY, "a")},
       {counts_column(ItemKind.ACTIVITY, "a.id")} AS statistics,
       (SELECT min(d.starts_on) FROM departures d WHERE d.activity_id = a.id AND {BOOKABLE}) AS next_departure
"""
ACTIVITIES: Final = Listing(
    kind=ItemKind.ACTIVITY,
    alias="a",
    select=_SELECT,
    labels=("category", "difficulty", "currency"),
    place="location",
    duration="duration_hours",
    party=("min_participants", "max_participants"),
    own_facets=(
        Values("category", "a.category"),
        Values("difficulty", "a.difficulty_level"),
        Values("currency", "a.currency"),
        Entries("location", "ARRAY[a.location_key]", "ARRAY[a.location]", sent_as="destination"),
    ),
    durations=(1, 3, 6, 12, 24),
)


class SqlActivityQueries(SqlItemQueries[ActivitySearch]):
    """Activities, as far as the reader's sight goes."""

    def __init__(self, database: Database) -> None:
        super().__init__(database, ACTIVITIES)
