"""Balances, entries and cashback as they are shown."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from application.queries import After, Row
from infrastructure.database.pages import page_after, page_values
from infrastructure.database.transaction import Database

# The newest entry carries the balance, and the head says where it is: two look-ups, whatever the history.
_BALANCE = """
SELECT e.balance_after_minor FROM ledger_heads h
JOIN ledger_entries e ON e.journal_id = h.journal_id AND e.line = h.line
WHERE h.account_id = %s
"""
_ENTRIES = """
SELECT e.sequence, j.journal_type AS transaction_type, e.amount_minor, e.currency,
       e.balance_before_minor, e.balance_after_minor, j.reference_type, j.reference_id,
       j.description_ar, j.description_en, e.occurred_at
FROM ledger_entries e JOIN ledger_journals j ON j.id = e.journal_id
WHERE e.account_id = %(account_id)s AND e.sequence < %(before)s
ORDER BY e.sequence DESC LIMIT %(limit)s
"""
_CASHBACK = """
SELECT c.id, c.user_id, c.booking_id, b.booking_number, c.booking_amount_minor, c.cashback_rate,
       c.cashback_amount_minor, c.currency, c.status, c.eligible_at, c.created_at
FROM cashback_records c JOIN bookings b ON b.id = c.booking_id
WHERE (%(owner)s::uuid IS NULL OR c.user_id = %(owner)s)
"""
NO_SEQUENCE = 2**62


class SqlLedgerQueries:
    """Implements `application.queries.LedgerQueries`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def balance(self, account_id: UUID) -> int:
        row = self._database.row(_BALANCE, (account_id,))
        return int(row["balance_after_minor"]) if row is not None else 0

    def entries(self, account_id: UUID, *, limit: int, before_sequence: int | None) -> Sequence[Row]:
        before = before_sequence if before_sequence is not None else NO_SEQUENCE
        return self._database.rows(_ENTRIES, {"account_id": account_id, "before": before, "limit": limit + 1})

    def cashback(self, *, owner: UUID | None, limit: int, after: After | None) -> Sequence[Row]:
        condition = page_after(after, "c.created_at", "c.id")
        sql = f"{_CASHBACK} AND {condition} ORDER BY c.created_at DESC, c.id DESC LIMIT %(limit)s"
        return self._database.rows(sql, {"owner": owner, **page_values(after, limit)})
