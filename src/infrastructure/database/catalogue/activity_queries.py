"""Activities as they are found and shown."""

from __future__ import annotations

from datetime import date
from typing import Final

from application.catalogue.activity_queries import ActivitySearch
from application.catalogue.queries import Facets, Found, Row, Sight
from domain.catalogue.items import ItemKind
from infrastructure.database.catalogue.facets import Entries, Values
from infrastructure.database.catalogue.finding import BOOKABLE, counts_column, key_column, revenues_column, within
from infrastructure.database.catalogue.item_search import SqlItemSearch
from infrastructure.database.catalogue.listings import Listing
from infrastructure.database.catalogue.prices import price_columns
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


class SqlActivityQueries:
    """Implements `application.catalogue.activity_queries.ActivityQueries`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._search = SqlItemSearch(database, ACTIVITIES)

    def search(self, search: ActivitySearch, *, sight: Sight) -> Found:
        return self._search.search(search, sight=sight)

    def facets(self, search: ActivitySearch, *, sight: Sight) -> Facets:
        return self._search.facets(search, sight=sight)

    def activity(self, id_or_slug: str, *, today: date, sight: Sight) -> Row | None:
        column = key_column(id_or_slug)
        if column is None:
            return None
        sql = f"{_SELECT_ONE} FROM activities a WHERE a.{column} = %(key)s AND {within(sight, 'a')}"
        return self._database.row(sql, {"key": id_or_slug, "today": today, "vendor_id": sight.vendor_id})
