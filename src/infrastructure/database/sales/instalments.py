"""Instalments as the jobs that look after them read and note them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Final
from uuid import UUID

from application.sales.ports import NotedInstalment, Notice, OverdueBooking
from domain.shared.clock import business_date
from infrastructure.database.transaction import Statements

_MARKERS: Final[Mapping[Notice, tuple[str, str]]] = {
    Notice.SOON: ("reminded_at", "i.due_on > %(today)s AND i.due_on <= %(until)s"),
    Notice.TODAY: ("due_told_at", "i.due_on = %(today)s"),
    Notice.OVERDUE: ("overdue_told_at", "i.due_on < %(today)s"),
}
# What is paid up to and with an instalment, in the order of its booking.
_THROUGH: Final = """
    SELECT sum(e.amount_minor) FROM booking_instalments e WHERE e.booking_id = i.booking_id AND e.position <= i.position
"""


def _note(marker: str, window: str) -> str:
    """Paid ones are noted as well, so that nothing is looked at again; before a booking is confirmed nothing is."""
    return f"""
WITH due AS (
    SELECT i.booking_id, i.position FROM booking_instalments i JOIN bookings b ON b.id = i.booking_id
    WHERE i.overdue_told_at IS NULL AND i.{marker} IS NULL AND i.position > 1 AND {window}
      AND b.status NOT IN ('DRAFT', 'PENDING_PAYMENT')
    ORDER BY i.due_on, i.booking_id LIMIT %(limit)s FOR UPDATE OF i SKIP LOCKED
), noted AS (
    UPDATE booking_instalments i SET {marker} = %(at)s FROM due
    WHERE i.booking_id = due.booking_id AND i.position = due.position
    RETURNING i.booking_id, i.position, i.due_on, i.amount_minor
)
SELECT i.booking_id, i.position, i.due_on, b.user_id, b.currency, b.start_date AS starts_on,
       CASE WHEN b.status IN ('CONFIRMED', 'IN_PROGRESS')
            THEN greatest(least(i.amount_minor, ({_THROUGH}) - b.paid_amount_minor), 0) ELSE 0 END::bigint AS left_minor
FROM noted i JOIN bookings b ON b.id = i.booking_id
ORDER BY i.due_on, i.booking_id
"""


_NOTE: Final = {notice: _note(*marker) for notice, marker in _MARKERS.items()}
# Its oldest that is owed; that was told of, else nobody knows that they are about to lose the booking.
_OVERDUE: Final = f"""
SELECT b.id, b.start_date, owed.due_on, owed.overdue_told_at
FROM bookings b
CROSS JOIN LATERAL (
    SELECT i.due_on, i.overdue_told_at FROM booking_instalments i
    WHERE i.booking_id = b.id AND ({_THROUGH}) > b.paid_amount_minor ORDER BY i.position LIMIT 1) owed
WHERE b.status = 'CONFIRMED' AND b.paid_amount_minor < b.final_amount_minor
  AND owed.due_on < %(today)s AND owed.overdue_told_at IS NOT NULL
  AND coalesce(b.starts_at, b.start_date::timestamp AT TIME ZONE b.time_zone) > %(at)s
  AND (%(after)s::uuid IS NULL OR b.id > %(after)s)
  AND NOT EXISTS (
      SELECT 1 FROM payments p WHERE p.booking_id = b.id AND p.status = 'PENDING' AND (
          EXISTS (SELECT 1 FROM payment_attempts a WHERE a.payment_id = p.id AND a.status = 'UNKNOWN')
          OR EXISTS (SELECT 1 FROM payment_slips s WHERE s.payment_id = p.id AND s.stored_at IS NOT NULL)
          OR EXISTS (SELECT 1 FROM manual_receipts r WHERE r.payment_id = p.id AND r.status <> 'REJECTED')))
ORDER BY b.id LIMIT %(limit)s
"""


class SqlInstalments:
    """Implements `application.sales.ports.Instalments`."""

    def __init__(self, statements: Statements) -> None:
        self._statements = statements

    def note(
        self, notice: Notice, *, today: date, until: date, at: datetime, limit: int
    ) -> tuple[int, Sequence[NotedInstalment]]:
        rows = self._statements.rows(_NOTE[notice], {"today": today, "until": until, "at": at, "limit": limit})
        return len(rows), [NotedInstalment(**row) for row in rows if row["left_minor"] > 0]

    def overdue(self, *, at: datetime, after: UUID | None, limit: int) -> Sequence[OverdueBooking]:
        values = {"today": business_date(at), "at": at, "after": after, "limit": limit}
        rows = self._statements.rows(_OVERDUE, values)
        return [
            OverdueBooking(
                booking_id=row["id"],
                due_on=row["due_on"],
                told_on=business_date(row["overdue_told_at"]),
                starts_on=row["start_date"],
            )
            for row in rows
        ]
