"""Deletes rows that have served: old idempotency keys, runs, tokens."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from domain.shared.clock import Clock
from infrastructure.database.transaction import Database

BATCH: Final = 1000

KEPT: Final = (
    ("idempotency_keys", "created_at < %(before)s", timedelta(days=7)),
    ("scheduled_runs", "claimed_at < %(before)s", timedelta(days=30)),
    ("email_verifications", "expires_at < %(before)s", timedelta(days=30)),
    ("password_resets", "expires_at < %(before)s", timedelta(days=30)),
    ("login_failures", "began_at < %(before)s", timedelta(days=1)),
    (
        "refresh_tokens",
        "session_id IN (SELECT id FROM sessions WHERE expires_at < %(before)s)",
        timedelta(days=30),
    ),
)
"""Table, what is old in it, and how long that is kept."""

_DELETE = """
DELETE FROM {table} WHERE ctid IN (SELECT ctid FROM {table} WHERE {old} LIMIT {batch:d} FOR UPDATE SKIP LOCKED)
RETURNING 1
"""


def clean_up(database: Database, clock: Clock, *, batch: int = BATCH) -> dict[str, int]:
    """Delete what is past its time, table by table, in short transactions; how many rows of each."""
    now = clock.now()
    return {table: _delete_old(database, table, old, now - kept, batch) for table, old, kept in KEPT}


def _delete_old(database: Database, table: str, old: str, before: datetime, batch: int) -> int:
    statement, total = _DELETE.format(table=table, old=old, batch=batch), 0
    while True:
        with database.transaction() as transaction:
            deleted = len(transaction.rows(statement, {"before": before}))
            transaction.commit()
        total += deleted
        if deleted < batch:
            return total
