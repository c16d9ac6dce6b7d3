"""Departures, pools and patterns as they are shown."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time
from typing import Any, Final
from uuid import UUID

from application.catalogue.departure_queries import LastDeparture
from application.catalogue.queries import Row, Sight
from application.queries import After
from domain.catalogue.items import Item
from infrastructure.database.catalogue.finding import ITEM_COLUMN, SEATS_LEFT, moment, on_sale, sold_still
from infrastructure.database.pages import Order, order_sql, order_values
from infrastructure.database.transaction import Database

_COLUMNS: Final = f"""
    d.id, d.package_id, d.activity_id, d.starts_on, d.start_time, d.time_zone, d.ends_on, d.capacity,
    {SEATS_LEFT} AS seats_left, d.status, d.pattern_id, d.version
"""
_OF_ITEM: Final = f"""
SELECT {_COLUMNS} FROM departures d
WHERE d.{{column}} = %(item_id)s AND {sold_still("d")}
  AND (%(everything)s OR d.status <> 'CANCELLED')
  AND (d.starts_on, d.start_time, d.id) > (%(starts_on)s::date, %(start_time)s::time, %(id)s::uuid)
ORDER BY d.starts_on, d.start_time, d.id LIMIT %(limit)s
"""
_ONE: Final = f"""
SELECT {_COLUMNS} FROM departures d
LEFT JOIN packages p ON p.id = d.package_id LEFT JOIN activities a ON a.id = d.activity_id
WHERE d.id = %(id)s
  AND (%(everything)s OR coalesce(p.vendor_id, a.vendor_id) = %(vendor_id)s
       OR ({on_sale("coalesce(p.status, a.status)", "coalesce(p.vendor_id, a.vendor_id)")} AND d.status <> 'CANCELLED'))
"""
_POOL_COLUMNS: Final = """
    o.id, o.name_ar, o.name_en, o.capacity, o.capacity - o.seats_taken AS seats_left, o.series_id, o.on_date,
    o.created_at, o.version
"""
_POOLS_OF: Final = f"""
SELECT {_POOL_COLUMNS} FROM departure_pools s JOIN pools o ON o.id = s.pool_id
WHERE s.departure_id = %s ORDER BY o.name_en, o.id
"""
_POOLS: Final = f"SELECT {_POOL_COLUMNS} FROM pools o WHERE (%(on_date)s::date IS NULL OR o.on_date = %(on_date)s)"
_POOL: Final = f"SELECT {_POOL_COLUMNS} FROM pools o WHERE o.id = %s"
_SERIES: Final = "SELECT * FROM pool_series o WHERE true"
_ONE_SERIES: Final = "SELECT * FROM pool_series o WHERE o.id = %s"
_PATTERNS: Final = """
SELECT o.*, ARRAY(SELECT s.series_id FROM departure_pattern_series s WHERE s.pattern_id = o.id ORDER BY 1) AS series_ids
FROM departure_patterns o
LEFT JOIN packages p ON p.id = o.package_id LEFT JOIN activities a ON a.id = o.activity_id
WHERE (%(owner)s::uuid IS NULL OR coalesce(p.vendor_id, a.vendor_id) = %(owner)s)
"""
_NEWEST: Final = Order("o.created_at", "o.id", descending=True)
_FIRST: Final = LastDeparture(date.min, time.min, UUID(int=0))


class SqlDepartureQueries:
    """Implements `application.catalogue.departure_queries.DepartureQueries`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def departures(
        self, item: Item, *, at: datetime, sight: Sight, limit: int, after: LastDeparture | None
    ) -> Sequence[Row]:
        last = after or _FIRST
        values = {
            "item_id": item.id,
            **moment(at),
            "everything": sight.everything,
            "starts_on": last.starts_on,
            "start_time": last.start_time,
            "id": last.id,
            "limit": limit + 1,
        }
        return self._database.rows(_OF_ITEM.format(column=ITEM_COLUMN[item.kind]), values)

    def departure(self, departure_id: UUID, *, sight: Sight) -> Row | None:
        return self._database.row(
            _ONE, {"id": departure_id, "everything": sight.everything, "vendor_id": sight.vendor_id}
        )

    def pools_of(self, departure_id: UUID) -> Sequence[Row]:
        return self._database.rows(_POOLS_OF, (departure_id,))

    def pools(self, *, on_date: date | None, limit: int, after: After | None) -> Sequence[Row]:
        return self._newest(_POOLS, {"on_date": on_date}, limit, after)

    def pool(self, pool_id: UUID) -> Row | None:
        return self._database.row(_POOL, (pool_id,))

    def all_series(self, *, limit: int, after: After | None) -> Sequence[Row]:
        return self._newest(_SERIES, {}, limit, after)

    def series(self, series_id: UUID) -> Row | None:
        return self._database.row(_ONE_SERIES, (series_id,))

    def patterns(
        self, *, owner: UUID | None, package_id: UUID | None, activity_id: UUID | None, limit: int, after: After | None
    ) -> Sequence[Row]:
        values = {"owner": owner, "package_id": package_id, "activity_id": activity_id}
        of_item = "".join(
            f" AND o.{name} = %({name})s" for name in ("package_id", "activity_id") if values[name] is not None
        )
        return self._newest(_PATTERNS + of_item, values, limit, after)

    def pattern(self, pattern_id: UUID, *, owner: UUID | None) -> Row | None:
        return self._database.row(f"{_PATTERNS} AND o.id = %(id)s", {"id": pattern_id, "owner": owner})

    def _newest(self, sql: str, values: dict[str, Any], limit: int, after: After | None) -> Sequence[Row]:
        return self._database.rows(
            sql + order_sql(_NEWEST, after, None), {**values, **order_values(self._database, after, None, limit)}
        )
