"""Places in line as they are shown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from application.queries import After, Row
from domain.shared.errors import NotFound
from infrastructure.database.pages import Order, order_sql, order_values
from infrastructure.database.transaction import Database

_ENTRIES: Final = """
SELECT w.id, w.departure_id, w.user_id,
       coalesce(w.joined_by_user_id, w.user_id) AS joined_by_user_id, w.seats, w.status, w.created_at,
       w.booking_id, w.ended_at,
       CASE WHEN w.status = 'OFFERED' THEN w.offer_expires_at END AS offer_expires_at,
       CASE WHEN w.status = 'WAITING' THEN (
           SELECT count(*) FROM waiting_list_entries f WHERE f.departure_id = w.departure_id
           AND f.status = 'WAITING' AND (f.created_at, f.id) <= (w.created_at, w.id)) END AS place
FROM waiting_list_entries w
"""
_FILTERS: Final = {
    "owner": "(w.user_id = %(owner)s OR w.joined_by_user_id = %(asker)s::uuid)",
    "departure_id": "w.departure_id = %(departure_id)s",
    "status": "w.status = %(status)s",
}
_NEWEST: Final = Order("w.created_at", "w.id", descending=True)
_FACTS: Final = """
SELECT u.id AS user_id, u.email, u.first_name, u.locale, w.seats, w.status, w.offer_expires_at, w.departure_id,
       d.starts_on, coalesce(p.name_ar, a.name_ar) AS name_ar, coalesce(p.name_en, a.name_en) AS name_en,
       d.package_id, d.time_zone
FROM waiting_list_entries w JOIN users u ON u.id = w.user_id JOIN departures d ON d.id = w.departure_id
LEFT JOIN packages p ON p.id = d.package_id LEFT JOIN activities a ON a.id = d.activity_id
WHERE w.id = %s
"""


class SqlWaitingQueries:
    """Implements `application.sales.waiting_ports.WaitingQueries`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def entries(
        self,
        *,
        owner: UUID | None,
        asker: UUID | None,
        departure_id: UUID | None,
        status: str | None,
        limit: int,
        after: After | None,
    ) -> Sequence[Row]:
        values: dict[str, Any] = {"owner": owner, "departure_id": departure_id, "status": status}
        where = "".join(f" AND {sql}" for name, sql in _FILTERS.items() if values[name] is not None)
        return self._database.rows(
            f"{_ENTRIES} WHERE true {where} {order_sql(_NEWEST, after, None)}",
            {**values, "asker": asker, **order_values(self._database, after, None, limit)},
        )

    def entry(self, entry_id: UUID, *, owner: UUID | None, asker: UUID | None) -> Row | None:
        theirs = f"(%(owner)s::uuid IS NULL OR {_FILTERS['owner']})"
        sql = f"{_ENTRIES} WHERE w.id = %(id)s AND {theirs}"
        return self._database.row(sql, {"id": entry_id, "owner": owner, "asker": asker})

    def facts(self, entry_id: UUID) -> Row:
        row = self._database.row(_FACTS, (entry_id,))
        if row is None:
            raise NotFound()
        return row
