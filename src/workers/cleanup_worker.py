"""Deletes rows that have served, and empties what is kept of others, each after its time.

Exports and accounts that nobody used end in `application/privacy/retention.py`. What is not named here
or there is kept: the books and invoices for as long as the law says, the audit log and consents for ten
years at least; nothing in the application deletes them.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

import structlog

from domain.operations.settings import WEBHOOK_BODY_DAYS
from domain.shared.clock import Clock
from infrastructure.database.transaction import Database

if TYPE_CHECKING:
    from infrastructure.bootstrap import Running

log = structlog.get_logger(__name__)

BATCH: Final = 1000

_ENDED: Final = "coalesce(least(revoked_at, expires_at), expires_at) < %(before)s"
_TOKENS_LEFT: Final = "EXISTS (SELECT 1 FROM refresh_tokens t WHERE t.session_id = sessions.id)"

KEPT: Final = (
    ("idempotency_keys", "created_at < %(before)s", timedelta(days=7)),
    ("scheduled_runs", "claimed_at < %(before)s", timedelta(days=30)),
    ("email_verifications", "expires_at < %(before)s", timedelta(days=30)),
    ("password_resets", "expires_at < %(before)s", timedelta(days=30)),
    ("login_failures", "began_at < %(before)s", timedelta(days=1)),
    ("refresh_tokens", f"session_id IN (SELECT id FROM sessions WHERE {_ENDED})", timedelta(days=30)),
    ("view_batches", "folded_at < %(before)s", timedelta(days=30)),
    ("sessions", f"{_ENDED} AND NOT {_TOKENS_LEFT}", timedelta(days=30)),
)
"""Table, what is old in it, and how long that is kept; then its rows are deleted."""

EMPTIED: Final = (
    (
        "payment_webhook_logs",
        "body = ''",
        "body <> '' AND status NOT IN ('RECEIVED', 'PROCESSING') AND received_at < %(before)s",
    ),
)
"""Table, what is set, and what is old in it; the rows themselves stay."""

_DELETE = """
DELETE FROM {table} WHERE ctid IN (SELECT ctid FROM {table} WHERE {old} LIMIT {batch:d} FOR UPDATE SKIP LOCKED)
RETURNING 1
"""
_EMPTY = """
UPDATE {table} SET {values}
WHERE ctid IN (SELECT ctid FROM {table} WHERE {old} LIMIT {batch:d} FOR UPDATE SKIP LOCKED)
RETURNING 1
"""


def run_maintenance(running: Running) -> None:
    """The night's cleaning."""
    use = running.dependencies
    kept = timedelta(days=use.system_settings.value(WEBHOOK_BODY_DAYS))
    log.info("cleaned_up", **clean_up(running.database, use.clock, bodies_kept=kept))


def clean_up(
    database: Database, clock: Clock, *, bodies_kept: timedelta = timedelta(days=90), batch: int = BATCH
) -> dict[str, int]:
    """Delete or empty what is past its time, table by table, in short transactions; how many rows of each.

    `bodies_kept` is for how long webhooks are kept as they arrived.
    """
    now = clock.now()
    deleted = {
        table: _repeat(database, _DELETE.format(table=table, old=old, batch=batch), now - kept, batch)
        for table, old, kept in KEPT
    }
    emptied = {
        table: _repeat(
            database, _EMPTY.format(table=table, values=values, old=old, batch=batch), now - bodies_kept, batch
        )
        for table, values, old in EMPTIED
    }
    return deleted | emptied


def _repeat(database: Database, statement: str, before: datetime, batch: int) -> int:
    total = 0
    while True:
        with database.transaction() as transaction:
            changed = len(transaction.rows(statement, {"before": before}))
            transaction.commit()
        total += changed
        if changed < batch:
            return total
