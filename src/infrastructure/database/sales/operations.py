"""Mass operations and their items, by hand-written statements.

Locks are taken in one order: a worker takes one item, then its booking, then departures; whoever orders, tries again or
finishes takes the departure, then the operation.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from domain.sales.departure_operations import (
    DepartureOperation,
    ItemStatus,
    OperationKind,
    OperationNotFound,
    OperationStatus,
)
from infrastructure.database.transaction import Row, Statements

_ADD: Final = """
INSERT INTO departure_operations (id, kind, departure_id, target_departure_id, reason_ar, reason_en, status,
                                  created_by_user_id, created_at)
VALUES (%(id)s, %(kind)s, %(departure_id)s, %(target_departure_id)s, %(reason_ar)s, %(reason_en)s, %(status)s,
        %(created_by_user_id)s, %(created_at)s)
"""
BOOKED: Final = """
    FROM holds h JOIN bookings b ON b.id = h.booking_id
    WHERE b.departure_id = %(departure_id)s AND h.departure_id = %(departure_id)s
      AND h.status IN ('ACTIVE', 'CAPTURED') AND b.status IN ('PENDING_PAYMENT', 'CONFIRMED')
"""
"""The bookings of a departure that an operation is about."""
# Beside them, those whose amendment leads to it: paid meanwhile, they are of the departure too.
_ADD_ITEMS: Final = f"""
WITH booked AS (SELECT b.id, h.seats {BOOKED}), made AS (
    INSERT INTO departure_operation_items (operation_id, booking_id, status)
    SELECT %(operation_id)s, id, 'PENDING' FROM booked UNION
    SELECT %(operation_id)s, booking_id, 'PENDING' FROM booking_amendments
    WHERE departure_id = %(departure_id)s AND status = 'PENDING')
SELECT coalesce(sum(seats), 0)::integer AS seats FROM booked
"""
_READ: Final = "SELECT * FROM departure_operations WHERE id = %s"
_GET: Final = f"{_READ} FOR UPDATE"
_SAVE: Final = "UPDATE departure_operations SET status = %s, finished_at = %s WHERE id = %s"
_OPEN_OF: Final = "SELECT id FROM departure_operations WHERE departure_id = %s AND status IN ('PENDING', 'RUNNING')"
_OPEN: Final = "SELECT id FROM departure_operations WHERE status IN ('PENDING', 'RUNNING') ORDER BY created_at, id"
_PENDING: Final = """
SELECT booking_id FROM departure_operation_items
WHERE operation_id = %s AND status = 'PENDING' AND booking_id > %s ORDER BY booking_id LIMIT %s
"""
# What another worker has in hand is left to it; should it die, its lock dies with it.
_CLAIM: Final = """
SELECT 1 FROM departure_operation_items
WHERE operation_id = %s AND booking_id = %s AND status = 'PENDING' FOR UPDATE SKIP LOCKED
"""
_SETTLE: Final = """
UPDATE departure_operation_items SET status = %(status)s, error = %(error)s, done_at = %(at)s
WHERE operation_id = %(operation_id)s AND booking_id = %(booking_id)s AND status = 'PENDING'
"""
_COUNTS: Final = """
SELECT status, count(*) AS count FROM departure_operation_items WHERE operation_id = %s GROUP BY status
"""
_TRY_AGAIN: Final = """
UPDATE departure_operation_items SET status = 'PENDING', error = NULL, done_at = NULL
WHERE operation_id = %s AND status = 'FAILED'
"""


class SqlDepartureOperations:
    """Implements `application.sales.operation_ports.DepartureOperations`."""

    def __init__(self, statements: Statements) -> None:
        self._statements = statements
        self._loaded: dict[UUID, DepartureOperation] = {}
        self._stored: dict[UUID, tuple[Any, ...]] = {}

    def add(self, operation: DepartureOperation) -> int:
        self._statements.execute(_ADD, vars(operation))
        self._remember(operation)
        values = {"operation_id": operation.id, "departure_id": operation.departure_id}
        row = self._statements.row(_ADD_ITEMS, values)
        return int(row["seats"]) if row is not None else 0

    def read(self, operation_id: UUID) -> DepartureOperation:
        return _operation(self._found(_READ, operation_id))

    def get(self, operation_id: UUID) -> DepartureOperation:
        return self._remember(_operation(self._found(_GET, operation_id)))

    def _found(self, sql: str, operation_id: UUID) -> Row:
        row = self._statements.row(sql, (operation_id,))
        if row is None:
            raise OperationNotFound()
        return row

    def open_of(self, departure_id: UUID) -> UUID | None:
        row = self._statements.row(_OPEN_OF, (departure_id,))
        return row["id"] if row is not None else None

    def open(self) -> Sequence[UUID]:
        return [row["id"] for row in self._statements.rows(_OPEN)]

    def pending(self, operation_id: UUID, *, after: UUID, limit: int) -> Sequence[UUID]:
        return [row["booking_id"] for row in self._statements.rows(_PENDING, (operation_id, after, limit))]

    def claim(self, operation_id: UUID, booking_id: UUID) -> bool:
        return self._statements.row(_CLAIM, (operation_id, booking_id)) is not None

    def settle(
        self, operation_id: UUID, booking_id: UUID, status: ItemStatus, *, error: str | None = None, at: datetime
    ) -> None:
        self._statements.execute(
            _SETTLE,
            {"operation_id": operation_id, "booking_id": booking_id, "status": status, "error": error, "at": at},
        )

    def counts(self, operation_id: UUID) -> Mapping[ItemStatus, int]:
        rows = self._statements.rows(_COUNTS, (operation_id,))
        return {ItemStatus(row["status"]): row["count"] for row in rows}

    def try_failed_again(self, operation_id: UUID) -> None:
        self._statements.execute(_TRY_AGAIN, (operation_id,))

    def _remember(self, operation: DepartureOperation) -> DepartureOperation:
        self._loaded[operation.id] = operation
        self._stored[operation.id] = _moving(operation)
        return operation

    def flush(self) -> Sequence[DepartureOperation]:
        """Write the operations that moved since they were loaded; answers all that were touched."""
        for operation in self._loaded.values():
            now = _moving(operation)
            if now != self._stored[operation.id]:
                self._statements.execute(_SAVE, (*now, operation.id))
                self._stored[operation.id] = now
        return list(self._loaded.values())


def _moving(operation: DepartureOperation) -> tuple[Any, ...]:
    return operation.status, operation.finished_at


def _operation(row: Row) -> DepartureOperation:
    kind, status = OperationKind(row["kind"]), OperationStatus(row["status"])
    return DepartureOperation(**{**row, "kind": kind, "status": status})
