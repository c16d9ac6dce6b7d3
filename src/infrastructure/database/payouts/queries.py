"""Batches and payouts as staff see them."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from application.payouts.ports import Selection
from application.payouts.queries import SHOWN_AT_ONCE, PayoutSearch
from application.queries import After, Row
from domain.payouts.batches import BatchPayees
from infrastructure.database.pages import page_after, page_values
from infrastructure.database.payouts.selection import preview
from infrastructure.database.transaction import Database

_BATCHES = """
SELECT b.id, b.batch_number, b.period, b.payee_type, b.origin, b.period_start, b.cut_off, b.status,
       b.created_by_user_id, b.approved_by_user_id, b.created_at, b.approved_at, b.processing_at, b.completed_at,
       b.cancelled_at, b.version, false AS dry_run,
       (SELECT count(*) FROM payouts p WHERE p.batch_id = b.id) AS payouts_count,
       (SELECT count(*) FROM payouts_left_out o WHERE o.batch_id = b.id) AS left_out_count,
       (SELECT json_agg(t ORDER BY t.currency) FROM (
            SELECT p.currency, count(*) AS payouts, sum(p.amount_minor)::bigint AS amount_minor,
                   coalesce(sum(p.amount_minor) FILTER (WHERE p.status = 'PAID'), 0)::bigint AS paid_minor,
                   coalesce(sum(p.amount_minor) FILTER (WHERE p.status IN ('PENDING', 'SENT', 'UNKNOWN')), 0)::bigint
                       AS open_minor,
                   coalesce(sum(p.amount_minor) FILTER (WHERE p.status IN ('FAILED', 'CANCELLED', 'RETURNED')), 0)
                       ::bigint AS back_minor
            FROM payouts p WHERE p.batch_id = b.id GROUP BY p.currency) t) AS totals
FROM payout_batches b
WHERE true
"""
_PAYOUTS = """
SELECT p.id, p.payout_number, p.batch_id, b.batch_number, p.payee_id, p.payee_type, u.email AS payee_email, p.method,
       p.destination_masked, p.amount_minor, p.currency, p.status, p.attempts, p.provider_reference, p.bank_reference,
       p.failure_code, p.reason, p.decided_by_user_id, p.created_at, p.sent_at, p.closed_at, p.next_try_at, p.version
FROM payouts p JOIN payout_batches b ON b.id = p.batch_id JOIN users u ON u.id = p.payee_id
WHERE true
"""
_ENTRIES = """
SELECT count(*) AS entries_count FROM payout_entries l JOIN payouts p ON p.id = l.payout_id WHERE p.batch_id = %s
"""
_LEFT_OUT = """
SELECT o.payee_id, o.payee_type, u.email AS payee_email, o.currency, o.amount_minor, o.reason
FROM payouts_left_out o JOIN users u ON u.id = o.payee_id
WHERE o.batch_id = %s ORDER BY o.payee_id, o.payee_type, o.currency LIMIT %s
"""
_LAST_TOTALS = """
SELECT b.batch_number,
       (SELECT json_agg(t) FROM (SELECT p.currency, sum(p.amount_minor)::bigint AS amount_minor FROM payouts p
                                 WHERE p.batch_id = b.id GROUP BY p.currency) t) AS totals,
       (SELECT json_agg(p.payee_id || ' ' || p.payee_type || ' ' || p.currency) FROM payouts p
        WHERE p.batch_id = b.id) AS payees
FROM payout_batches b
WHERE b.payee_type = %s AND b.status <> 'CANCELLED' ORDER BY b.created_at DESC, b.id DESC LIMIT 1
"""
_FILTERS = {
    "batch_id": "p.batch_id = %(batch_id)s",
    "payee_id": "p.payee_id = %(payee_id)s",
    "status": "p.status = %(status)s",
    "method": "p.method = %(method)s",
}


class SqlPayrollQueries:
    """Implements `application.payouts.queries.PayrollQueries`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def batches(self, *, status: str | None, limit: int, after: After | None) -> Sequence[Row]:
        condition = " AND b.status = %(status)s" if status is not None else ""
        behind = page_after(after, "b.created_at", "b.id")
        return self._database.rows(
            f"{_BATCHES}{condition} AND {behind} ORDER BY b.created_at DESC, b.id DESC LIMIT %(limit)s",
            {"status": status, **page_values(after, limit)},
        )

    def batch(self, batch_id: UUID) -> Row | None:
        row = self._database.row(f"{_BATCHES} AND b.id = %s", (batch_id,))
        return None if row is None else self._with_its_own(row)

    def batch_named(self, name: str) -> Row | None:
        row = self._database.row(f"{_BATCHES} AND (b.batch_number = %(name)s OR b.id::text = %(name)s)", {"name": name})
        return None if row is None else self._with_its_own(row)

    def _with_its_own(self, batch: Row) -> Row:
        counted = self._database.row(_ENTRIES, (batch["id"],))
        payouts = self._database.rows(
            f"{_PAYOUTS} AND p.batch_id = %s ORDER BY p.payout_number LIMIT %s", (batch["id"], SHOWN_AT_ONCE)
        )
        return {
            **batch,
            "entries_count": counted["entries_count"] if counted else 0,
            "payouts": payouts,
            "left_out": self._database.rows(_LEFT_OUT, (batch["id"], SHOWN_AT_ONCE)),
            "difference": None,
        }

    def payouts(self, search: PayoutSearch, *, limit: int, after: After | None) -> Sequence[Row]:
        values = {name: getattr(search, name) for name in _FILTERS}
        where = "".join(f" AND {sql}" for name, sql in _FILTERS.items() if values[name] is not None)
        behind = page_after(after, "p.created_at", "p.id")
        return self._database.rows(
            f"{_PAYOUTS}{where} AND {behind} ORDER BY p.created_at DESC, p.id DESC LIMIT %(limit)s",
            {**values, **page_values(after, limit)},
        )

    def payout(self, payout_id: UUID) -> Row | None:
        return self._database.row(f"{_PAYOUTS} AND p.id = %s", (payout_id,))

    def preview(self, selection: Selection) -> Sequence[Row]:
        with self._database.transaction() as transaction:
            return preview(selection, transaction)

    def last_totals(self, payees: BatchPayees) -> Row | None:
        return self._database.row(_LAST_TOTALS, (payees,))
