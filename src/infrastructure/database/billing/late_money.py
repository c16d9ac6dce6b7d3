"""Choices about late money, as rows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from application.queries import Row
from domain.billing.late_money import Hindrance, LateMoney
from domain.shared.money import Money
from infrastructure.database.transaction import Database, Statements

_ADD: Final = """
INSERT INTO late_money (receipt_id, booking_id, hindrance, offered_at, choose_until) VALUES (%s, %s, %s, %s, %s)
"""
_OFFERED: Final = "SELECT 1 FROM late_money WHERE receipt_id = %s"
_REBOOKED: Final = "SELECT 1 FROM late_money WHERE booking_id = %s AND rebooked_id IS NOT NULL LIMIT 1"
_WAITS: Final = "l.choice IS NULL AND s.status = 'OPEN'"
_WAITING: Final = f"""
SELECT l.*, s.amount_minor, s.currency FROM late_money l JOIN suspense_items s ON s.receipt_id = l.receipt_id
WHERE l.booking_id = %s AND {_WAITS} ORDER BY l.receipt_id
"""
_OVERDUE: Final = f"""
SELECT DISTINCT l.booking_id FROM late_money l JOIN suspense_items s ON s.receipt_id = l.receipt_id
WHERE {_WAITS} AND l.choose_until <= %s
  AND NOT EXISTS (SELECT 1 FROM disputes d WHERE d.payment_id = s.payment_id AND d.status = 'OPEN')
LIMIT %s
"""
_SAVE: Final = """
UPDATE late_money SET choice = %s, chosen_at = %s, chosen_by_user_id = %s, rebooked_id = %s WHERE receipt_id = %s
"""
_OF_BOOKING: Final = """
SELECT l.receipt_id, s.amount_minor, s.currency, l.hindrance, l.choice, l.offered_at, l.choose_until, l.chosen_at,
       l.rebooked_id,
       CASE WHEN s.status = 'OPEN' AND l.choice IS NULL THEN 'WAITING' WHEN s.status = 'OPEN' THEN 'WITH_STAFF'
            ELSE coalesce(s.resolution, s.status) END AS status
FROM late_money l JOIN suspense_items s ON s.receipt_id = l.receipt_id
WHERE l.booking_id = %s ORDER BY l.receipt_id
"""


class SqlLateMoneyChoices:
    """Implements `application.billing.late_ports.LateMoneyChoices`."""

    def __init__(self, statements: Statements) -> None:
        self._statements = statements
        self.seen: list[LateMoney] = []

    def add(self, late: LateMoney) -> None:
        values = (late.receipt_id, late.booking_id, late.hindrance, late.offered_at, late.choose_until)
        self._statements.execute(_ADD, values)
        self.seen.append(late)

    def is_offered(self, receipt_id: UUID) -> bool:
        return self._statements.row(_OFFERED, (receipt_id,)) is not None

    def has_rebooked(self, booking_id: UUID) -> bool:
        return self._statements.row(_REBOOKED, (booking_id,)) is not None

    def waiting_of(self, booking_id: UUID) -> Sequence[LateMoney]:
        found = [_late(row) for row in self._statements.rows(_WAITING, (booking_id,))]
        self.seen.extend(found)
        return found

    def overdue(self, *, at: datetime, limit: int) -> Sequence[UUID]:
        return [row["booking_id"] for row in self._statements.rows(_OVERDUE, (at, limit))]

    def save(self, late: LateMoney) -> None:
        values = (late.choice, late.chosen_at, late.chosen_by, late.rebooked_id, late.receipt_id)
        self._statements.execute(_SAVE, values)


class SqlLateMoneyQueries:
    """Implements `application.billing.late_ports.LateMoneyQueries`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of_booking(self, booking_id: UUID) -> Sequence[Row]:
        return self._database.rows(_OF_BOOKING, (booking_id,))


def _late(row: Row) -> LateMoney:
    return LateMoney(
        receipt_id=row["receipt_id"],
        booking_id=row["booking_id"],
        amount=Money.of(row["amount_minor"], row["currency"]),
        hindrance=Hindrance(row["hindrance"]),
        offered_at=row["offered_at"],
        choose_until=row["choose_until"],
    )
