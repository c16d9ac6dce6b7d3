"""Calendar feeds, and the departures that they show."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Final
from uuid import UUID

from application.queries import After, Row
from infrastructure.database.catalogue.finding import SEATS_LEFT
from infrastructure.database.pages import page_after, page_values
from infrastructure.database.transaction import Database, Statements

_LOCK_OWNER: Final = "SELECT 1 FROM users WHERE id = %s FOR NO KEY UPDATE"
_COUNT: Final = "SELECT count(*) AS count FROM calendar_feeds WHERE user_id = %s AND revoked_at IS NULL"
_ADD: Final = "INSERT INTO calendar_feeds (id, user_id, token_hash, created_at) VALUES (%s, %s, %s, %s)"
_REVOKE: Final = """
UPDATE calendar_feeds SET revoked_at = %s WHERE id = %s AND user_id = %s AND revoked_at IS NULL RETURNING 1
"""
_FEEDS: Final = "SELECT id, created_at FROM calendar_feeds WHERE user_id = %(owner)s AND revoked_at IS NULL"
_HOLDER: Final = """
SELECT u.id AS user_id, u.roles, u.locale,
       ARRAY(SELECT DISTINCT p.permission_code FROM roles r JOIN role_permissions g ON g.role_id = r.id
             JOIN permissions p ON p.id = g.permission_id WHERE r.role_name = ANY(u.roles)) AS permissions
FROM calendar_feeds f JOIN users u ON u.id = f.user_id
WHERE f.token_hash = %s AND f.revoked_at IS NULL AND u.status = 'ACTIVE' AND u.deleted_at IS NULL
"""
_CALENDAR: Final = f"""
SELECT d.id, d.starts_on, d.ends_on, d.start_time, d.time_zone, d.status, d.capacity, d.seats_taken, d.version,
       {SEATS_LEFT} AS seats_left, coalesce(p.name_ar, a.name_ar) AS name_ar, coalesce(p.name_en, a.name_en) AS name_en,
       a.duration_hours
FROM departures d LEFT JOIN packages p ON p.id = d.package_id LEFT JOIN activities a ON a.id = d.activity_id
WHERE d.starts_on BETWEEN %(first)s AND %(last)s
"""
_IN_ORDER: Final = "ORDER BY d.starts_on, d.start_time, d.id LIMIT %(limit)s"
_NARROWED: Final = {
    "vendor_id": " AND coalesce(p.vendor_id, a.vendor_id) = %(vendor_id)s",
    "package_id": " AND d.package_id = %(package_id)s",
    "activity_id": " AND d.activity_id = %(activity_id)s",
}


class SqlCalendarQueries:
    """Implements `application.catalogue.calendars.CalendarQueries`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def feeds(self, owner_id: UUID, *, limit: int, after: After | None) -> Sequence[Row]:
        sql = f"{_FEEDS} AND {page_after(after, 'created_at', 'id')} ORDER BY created_at DESC, id DESC LIMIT %(limit)s"
        return self._database.rows(sql, {"owner": owner_id, **page_values(after, limit)})

    def feed_holder(self, token_hash: bytes) -> Row | None:
        return self._database.row(_HOLDER, (token_hash,))

    def calendar(
        self,
        *,
        vendor_id: UUID | None,
        package_id: UUID | None,
        activity_id: UUID | None,
        first: date,
        last: date,
        limit: int,
    ) -> Sequence[Row]:
        asked: Row = {"vendor_id": vendor_id, "package_id": package_id, "activity_id": activity_id}
        narrowed = "".join(sql for name, sql in _NARROWED.items() if asked[name] is not None)
        values = {**asked, "first": first, "last": last, "limit": limit}
        return self._database.rows(f"{_CALENDAR}{narrowed} {_IN_ORDER}", values, replan=True)


class SqlCalendarFeeds:
    """Implements `application.catalogue.calendars.CalendarFeeds`."""

    def __init__(self, statements: Statements) -> None:
        self._statements = statements

    def count_live(self, owner_id: UUID) -> int:
        self._statements.row(_LOCK_OWNER, (owner_id,))
        (row,) = self._statements.rows(_COUNT, (owner_id,))
        return int(row["count"])

    def add(self, feed_id: UUID, *, owner_id: UUID, token_hash: bytes, at: datetime) -> None:
        self._statements.execute(_ADD, (feed_id, owner_id, token_hash, at))

    def revoke(self, feed_id: UUID, *, owner_id: UUID, at: datetime) -> bool:
        return self._statements.row(_REVOKE, (at, feed_id, owner_id)) is not None
