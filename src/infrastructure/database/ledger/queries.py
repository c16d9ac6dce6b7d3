"""Balances and entries as they are shown."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from application.queries import Row
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
