"""Attempts, webhooks and statements' days that are to be looked at again, found by scanning for what is due."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Final
from uuid import UUID

from application.billing.chasing_ports import DueAttempt
from application.billing.inbox import OpenAttempt
from domain.billing.payments import AttemptStatus
from infrastructure.database.transaction import Row, Statements

_COLUMNS: Final = """id, payment_id, provider, merchant_reference, provider_key,
    coalesce(provider_reference, '') AS provider_reference,
    coalesce(charge_reference, '') AS charge_reference, status, created_at, expires_at, reads"""
# The conditions on `status` are those of the partial indexes, word for word.
_OPEN: Final = f"""
SELECT {_COLUMNS} FROM payment_attempts
WHERE provider = %(provider)s AND status IN ('CREATED', 'OPEN', 'UNKNOWN') AND read_again_at <= %(due_by)s
  AND (status <> 'CREATED' OR updated_at <= %(created_before)s)
ORDER BY read_again_at LIMIT %(limit)s FOR NO KEY UPDATE SKIP LOCKED
"""
_PAID: Final = f"""
SELECT {_COLUMNS} FROM payment_attempts
WHERE provider = %(provider)s AND status = 'PAID' AND read_again_at <= %(due_by)s
ORDER BY read_again_at LIMIT %(limit)s FOR NO KEY UPDATE SKIP LOCKED
"""
_ASK_AGAIN: Final = """
UPDATE payment_attempts a SET read_again_at = x.at, reads = a.reads + 1
FROM unnest(%s::uuid[], %s::timestamptz[]) AS x(id, at) WHERE a.id = x.id
"""
_COUNT_DUE: Final = """
SELECT count(*) AS due FROM payment_attempts
WHERE provider = ANY(%s) AND status IN ('CREATED', 'OPEN', 'UNKNOWN') AND read_again_at <= %s
"""
_MAKE_ALL_DUE: Final = """
UPDATE payment_attempts SET read_again_at = %(at)s
WHERE status IN ('CREATED', 'OPEN', 'UNKNOWN') AND (read_again_at > %(at)s OR read_again_at IS NULL)
"""
_LOOK_AGAIN: Final = "UPDATE payment_webhook_logs SET look_again_at = %s WHERE id = %s AND status = 'RECEIVED'"
_DUE_WEBHOOKS: Final = """
UPDATE payment_webhook_logs SET look_again_at = %(next_at)s
WHERE id IN (SELECT id FROM payment_webhook_logs WHERE status = 'RECEIVED' AND look_again_at <= %(due_by)s
             ORDER BY look_again_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED)
RETURNING id
"""
_FETCHED: Final = "SELECT day FROM statement_fetches WHERE provider = %s AND day = ANY(%s::date[])"
_CURRENCIES: Final = """
SELECT DISTINCT r.currency FROM payment_receipts r JOIN payment_attempts a ON a.id = r.attempt_id
WHERE a.provider = %(provider)s AND r.received_at >= %(day)s::date::timestamp AT TIME ZONE 'Africa/Cairo'
  AND r.received_at < (%(day)s::date + 1)::timestamp AT TIME ZONE 'Africa/Cairo'
ORDER BY 1
"""
_REMEMBER: Final = """
INSERT INTO statement_fetches (provider, day, reconciliation_id, fetched_at) VALUES (%s, %s, %s, %s)
ON CONFLICT (provider, day) DO UPDATE
SET reconciliation_id = excluded.reconciliation_id, fetched_at = excluded.fetched_at
"""


class SqlChasing:
    """Implements `application.billing.chasing_ports.Chasing`."""

    def __init__(self, statements: Statements) -> None:
        self._statements = statements

    def open_attempts(
        self, provider: str, *, due_by: datetime, created_before: datetime, limit: int
    ) -> Sequence[DueAttempt]:
        values = {"provider": provider, "due_by": due_by, "created_before": created_before, "limit": limit}
        return [_due(row) for row in self._statements.rows(_OPEN, values)]

    def paid_attempts(self, provider: str, *, due_by: datetime, limit: int) -> Sequence[DueAttempt]:
        values = {"provider": provider, "due_by": due_by, "limit": limit}
        return [_due(row) for row in self._statements.rows(_PAID, values)]

    def ask_again(self, times: Mapping[UUID, datetime | None]) -> None:
        self._statements.execute(_ASK_AGAIN, (list(times), list(times.values())))

    def count_due(self, providers: Sequence[str], *, due_by: datetime) -> int:
        row = self._statements.row(_COUNT_DUE, (list(providers), due_by))
        return int(row["due"]) if row else 0

    def make_all_due(self, *, at: datetime) -> None:
        self._statements.execute(_MAKE_ALL_DUE, {"at": at})

    def look_again(self, webhook_id: UUID, *, at: datetime) -> None:
        self._statements.execute(_LOOK_AGAIN, (at, webhook_id))

    def due_webhooks(self, *, due_by: datetime, next_at: datetime, limit: int) -> Sequence[UUID]:
        values = {"due_by": due_by, "next_at": next_at, "limit": limit}
        return [row["id"] for row in self._statements.rows(_DUE_WEBHOOKS, values)]


class SqlStatementDays:
    """Implements `application.billing.chasing_ports.StatementDays`."""

    def __init__(self, statements: Statements) -> None:
        self._statements = statements

    def fetched(self, provider: str, days: Sequence[date]) -> frozenset[date]:
        return frozenset(row["day"] for row in self._statements.rows(_FETCHED, (provider, list(days))))

    def currencies(self, provider: str, day: date) -> Sequence[str]:
        rows = self._statements.rows(_CURRENCIES, {"provider": provider, "day": day})
        return [row["currency"] for row in rows]

    def remember(self, provider: str, day: date, *, reconciliation_id: UUID | None, at: datetime) -> None:
        self._statements.execute(_REMEMBER, (provider, day, reconciliation_id, at))


def _due(row: Row) -> DueAttempt:
    return DueAttempt(
        attempt=OpenAttempt(
            attempt_id=row["id"],
            payment_id=row["payment_id"],
            provider=row["provider"],
            merchant_reference=row["merchant_reference"],
            provider_reference=row["provider_reference"],
            provider_key=row["provider_key"],
            charge_reference=row["charge_reference"],
        ),
        status=AttemptStatus(row["status"]),
        created_at=row["created_at"],
        ends_at=row["expires_at"],
        reads=row["reads"],
    )
