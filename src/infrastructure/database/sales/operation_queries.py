"""Mass operations as staff see them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from application.queries import After, Row
from domain.shared.errors import NotFound
from infrastructure.database.catalogue.finding import SEATS_LEFT
from infrastructure.database.pages import Order, order_sql, order_values
from infrastructure.database.sales.operations import BOOKED
from infrastructure.database.transaction import Database

_OPERATIONS: Final = """
SELECT o.id, o.kind, o.departure_id, o.target_departure_id, o.reason_ar, o.reason_en, o.status, o.created_by_user_id,
       o.created_at, o.finished_at, i.total, i.done, i.skipped, i.failed
FROM departure_operations o
CROSS JOIN LATERAL (
    SELECT count(*) AS total, count(*) FILTER (WHERE n.status = 'DONE') AS done,
           count(*) FILTER (WHERE n.status = 'SKIPPED') AS skipped,
           count(*) FILTER (WHERE n.status = 'FAILED') AS failed
    FROM departure_operation_items n WHERE n.operation_id = o.id) i
"""
_NEWEST: Final = Order("o.created_at", "o.id", descending=True)
_ITEMS: Final = """
SELECT i.booking_id, b.booking_number, b.user_id, i.status, i.error, i.done_at
FROM departure_operation_items i JOIN bookings b ON b.id = i.booking_id
WHERE i.operation_id = %(id)s AND (%(status)s::text IS NULL OR i.status = %(status)s) AND i.booking_id > %(after)s
ORDER BY i.booking_id LIMIT %(limit)s
"""
_PREVIEW: Final = f"""
WITH booked AS (SELECT b.id, b.status, b.currency, b.paid_amount_minor - b.refunded_amount_minor AS held_minor, h.seats
                {BOOKED})
SELECT d.id AS departure_id, d.status, {SEATS_LEFT} AS seats_left,
       (SELECT count(*) FROM booked) AS bookings, (SELECT coalesce(sum(seats), 0) FROM booked) AS seats,
       (SELECT count(*) FROM booked WHERE status = 'CONFIRMED') AS confirmed,
       (SELECT count(*) FROM booked WHERE status = 'PENDING_PAYMENT') AS unpaid,
       (SELECT coalesce(json_agg(json_build_object('amount_minor', m.held, 'currency', m.currency) ORDER BY m.currency),
                        '[]')
        FROM (SELECT currency, sum(held_minor)::bigint AS held FROM booked GROUP BY currency) m
        WHERE m.held > 0) AS paid,
       (SELECT count(*) FROM waiting_list_entries w
        WHERE w.departure_id = d.id AND w.status IN ('WAITING', 'OFFERED')) AS waiting
FROM departures d WHERE d.id = %(departure_id)s
"""
_MOVED: Final = """
SELECT u.id AS user_id, u.email, u.first_name, u.locale, b.booking_number, b.start_date, b.end_date,
       b.free_cancellation_until, o.reason_ar, o.reason_en, n.item_name_ar AS name_ar, n.item_name_en AS name_en
FROM departure_operation_items i JOIN departure_operations o ON o.id = i.operation_id
JOIN bookings b ON b.id = i.booking_id JOIN users u ON u.id = b.user_id
LEFT JOIN LATERAL (SELECT * FROM booking_items x WHERE x.booking_id = b.id ORDER BY x.id LIMIT 1) n ON true
WHERE i.booking_id = %s AND i.operation_id = %s
"""


class SqlOperationQueries:
    """Implements `application.sales.operation_ports.OperationQueries`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def operations(self, *, departure_id: UUID | None, limit: int, after: After | None) -> Sequence[Row]:
        where = "" if departure_id is None else " AND o.departure_id = %(departure_id)s"
        return self._database.rows(
            f"{_OPERATIONS} WHERE true {where} {order_sql(_NEWEST, after, None)}",
            {"departure_id": departure_id, **order_values(self._database, after, None, limit)},
        )

    def operation(self, operation_id: UUID) -> Row | None:
        return self._database.row(f"{_OPERATIONS} WHERE o.id = %s", (operation_id,))

    def items(self, operation_id: UUID, *, status: str | None, limit: int, after: UUID | None) -> Sequence[Row]:
        values: dict[str, Any] = {
            "id": operation_id,
            "status": status,
            "after": after or UUID(int=0),
            "limit": limit + 1,
        }
        return self._database.rows(_ITEMS, values)

    def preview(self, departure_id: UUID) -> Row | None:
        return self._database.row(_PREVIEW, {"departure_id": departure_id})

    def moved_facts(self, booking_id: UUID, operation_id: UUID) -> Row:
        row = self._database.row(_MOVED, (booking_id, operation_id))
        if row is None:
            raise NotFound()
        return row
