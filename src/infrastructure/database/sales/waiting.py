"""Waiting lists, by hand-written statements; whoever changes an entry holds the lock of its departure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from domain.sales.waiting import WaitingEntry, WaitingEntryNotFound, WaitingStatus
from infrastructure.database.catalogue.finding import SEATS_LEFT, moment, sold_still
from infrastructure.database.transaction import Row, Statements

_ADD: Final = """
INSERT INTO waiting_list_entries (id, departure_id, user_id, joined_by_user_id, seats, status, created_at)
VALUES (%s, %s, %s, %s, %s, %s, %s)
"""
_COLUMNS: Final = """
id, departure_id, user_id, coalesce(joined_by_user_id, user_id) AS joined_by_user_id, seats, status, created_at,
offered_at, offer_expires_at, booking_id, ended_at
"""
_GET: Final = f"SELECT {_COLUMNS} FROM waiting_list_entries WHERE id = %s FOR UPDATE"
_OPEN_OF: Final = f"""
SELECT {_COLUMNS} FROM waiting_list_entries
WHERE departure_id = %s AND user_id = %s AND status IN ('WAITING', 'OFFERED')
"""
_LINE: Final = f"""
SELECT {_COLUMNS} FROM waiting_list_entries WHERE departure_id = %s AND status IN ('WAITING', 'OFFERED')
ORDER BY created_at, id FOR UPDATE
"""
_SAVE: Final = """
UPDATE waiting_list_entries
SET status = %s, offered_at = %s, offer_expires_at = %s, booking_id = %s, ended_at = %s
WHERE id = %s
"""
_DEPARTURE_OF: Final = """
SELECT departure_id FROM waiting_list_entries
WHERE id = %(id)s AND (%(owner)s::uuid IS NULL OR %(owner)s IN (user_id, joined_by_user_id))
"""
# Ended offers; lines of what is sold no more; and lines with somebody whose party fits.
_TO_SERVE: Final = f"""
SELECT w.departure_id FROM waiting_list_entries w WHERE w.status = 'OFFERED' AND w.offer_expires_at <= %(now)s
UNION
SELECT d.id FROM departures d
JOIN (SELECT departure_id, min(seats) AS fewest FROM waiting_list_entries WHERE status = 'WAITING' GROUP BY 1) w
    ON w.departure_id = d.id
WHERE d.status = 'CANCELLED' OR NOT ({sold_still("d")}) OR (
    d.status = 'OPEN' AND {SEATS_LEFT} >= w.fewest AND 'ACTIVE' = coalesce(
        (SELECT p.status FROM packages p WHERE p.id = d.package_id),
        (SELECT a.status FROM activities a WHERE a.id = d.activity_id)))
ORDER BY 1 LIMIT %(limit)s
"""
_HAS_LINE: Final = """
SELECT 1 FROM waiting_list_entries WHERE departure_id = %s AND status IN ('WAITING', 'OFFERED') LIMIT 1
"""
_LINES_OF_POOL: Final = """
SELECT DISTINCT w.departure_id FROM departure_pools a
JOIN waiting_list_entries w ON w.departure_id = a.departure_id AND w.status = 'WAITING'
WHERE a.pool_id = %s ORDER BY 1
"""


class SqlWaitingList:
    """Implements `application.sales.waiting_ports.WaitingList`."""

    def __init__(self, statements: Statements) -> None:
        self._statements = statements
        self._loaded: dict[UUID, WaitingEntry] = {}
        self._stored: dict[UUID, tuple[Any, ...]] = {}

    def add(self, entry: WaitingEntry) -> None:
        values = (
            entry.id, entry.departure_id, entry.user_id, entry.joined_by_user_id, entry.seats, entry.status,
            entry.created_at,
        )  # fmt: skip
        self._statements.execute(_ADD, values)
        self._remember(entry)

    def get(self, entry_id: UUID) -> WaitingEntry:
        row = self._statements.row(_GET, (entry_id,))
        if row is None:
            raise WaitingEntryNotFound()
        return self._remember(_entry(row))

    def open_of(self, departure_id: UUID, user_id: UUID) -> WaitingEntry | None:
        row = self._statements.row(_OPEN_OF, (departure_id, user_id))
        return self._remember(_entry(row)) if row is not None else None

    def line(self, departure_id: UUID) -> Sequence[WaitingEntry]:
        return [self._remember(_entry(row)) for row in self._statements.rows(_LINE, (departure_id,))]

    def departure_of(self, entry_id: UUID, *, owner: UUID | None) -> UUID:
        row = self._statements.row(_DEPARTURE_OF, {"id": entry_id, "owner": owner})
        if row is None:
            raise WaitingEntryNotFound()
        departure_id: UUID = row["departure_id"]
        return departure_id

    def to_serve(self, *, now: datetime, limit: int) -> Sequence[UUID]:
        rows = self._statements.rows(_TO_SERVE, {**moment(now), "limit": limit})
        return [row["departure_id"] for row in rows]

    def has_line(self, departure_id: UUID) -> bool:
        return self._statements.row(_HAS_LINE, (departure_id,)) is not None

    def lines_of_pool(self, pool_id: UUID) -> Sequence[UUID]:
        return [row["departure_id"] for row in self._statements.rows(_LINES_OF_POOL, (pool_id,))]

    def _remember(self, entry: WaitingEntry) -> WaitingEntry:
        """One object for each row, however often it is asked for."""
        known = self._loaded.setdefault(entry.id, entry)
        self._stored.setdefault(entry.id, _moving(entry))
        return known

    def flush(self) -> Sequence[WaitingEntry]:
        """Write the entries that changed since they were loaded; answers all that were touched."""
        for entry in self._loaded.values():
            now = _moving(entry)
            if now != self._stored[entry.id]:
                self._statements.execute(_SAVE, (*now, entry.id))
                self._stored[entry.id] = now
        return list(self._loaded.values())


def _moving(entry: WaitingEntry) -> tuple[Any, ...]:
    return entry.status, entry.offered_at, entry.offer_expires_at, entry.booking_id, entry.ended_at


def _entry(row: Row) -> WaitingEntry:
    return WaitingEntry(**{**row, "status": WaitingStatus(row["status"])})
