"""The night's cleaning: what has served is expired, archived, deleted, emptied or compressed, each after its time.

Exports and accounts that nobody used end in `application/privacy/retention.py`. What is not named here
or there is kept: the books and invoices for as long as the law says, the audit log and consents for ten
years at least; nothing in the application deletes them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

import structlog

from application.sales.archiving import archive_bookings
from application.sales.expiry import expire_bookings
from domain.operations.settings import ARCHIVE_AFTER_DAYS, GRACE_MINUTES, WEBHOOK_BODY_DAYS
from domain.shared.clock import Clock
from infrastructure.database.transaction import Database
from infrastructure.storage.old_logs import compress_logs
from workers.outbox_worker import reason_of

if TYPE_CHECKING:
    from infrastructure.bootstrap import Running

log = structlog.get_logger(__name__)

Figures = Mapping[str, int]
Step = Callable[["Running"], Figures]

BATCH: Final = 1000
TEST_DATA_KEPT: Final = timedelta(days=30)
LOGS_KEPT: Final = timedelta(days=90)

# RFC 2606 §2 and §3: names that nobody can own.
_OF_TESTERS: Final = """created_at < %(before)s AND user_id IN (
    SELECT id FROM users WHERE email ~ '(@|\\.)(test|example|invalid|localhost|example\\.(com|net|org))$')"""

_ENDED: Final = "coalesce(least(revoked_at, expires_at), expires_at) < %(before)s"
_TOKENS_LEFT: Final = "EXISTS (SELECT 1 FROM refresh_tokens t WHERE t.session_id = sessions.id)"

KEPT: Final = (
    ("idempotency_keys", "created_at < %(before)s", timedelta(days=7)),
    ("scheduled_runs", "claimed_at < %(before)s", timedelta(days=30)),
    ("email_verifications", "expires_at < %(before)s", timedelta(days=30)),
    ("password_resets", "expires_at < %(before)s", timedelta(days=30)),
    ("login_failures", "began_at < %(before)s", timedelta(days=1)),
    ("refresh_tokens", f"session_id IN (SELECT id FROM sessions WHERE {_ENDED})", timedelta(days=30)),
    ("notification_deliveries", "finished_at < %(before)s", timedelta(days=90)),
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


class MaintenanceIncomplete(Exception):
    """A step failed; the others were done. The night's run is tried again."""


def run_maintenance(running: Running) -> None:
    """Every step, whatever becomes of the others. Raises MaintenanceIncomplete, naming those that failed."""
    failed = [name for name, step in STEPS.items() if not _done(name, step, running)]
    if failed:
        raise MaintenanceIncomplete(", ".join(failed))


def _done(name: str, step: Step, running: Running) -> bool:
    try:
        figures = step(running)
    except Exception as error:  # noqa: BLE001 - whatever a step raises, the others have their turn
        log.error("maintenance_step_failed", step=name, reason=reason_of(error))
        return False
    log.info("maintenance_step", step=name, **figures)
    return True


def cleanup_expired_bookings(running: Running) -> Figures:
    """What the job of every quarter minute left, were there any: bookings that were not paid in time."""
    use, expired = running.dependencies, 0
    grace = timedelta(minutes=use.system_settings.value(GRACE_MINUTES))
    while batch := expire_bookings(new_uow=use.new_uow, clock=use.clock, new_id=use.new_id, grace=grace):
        expired += batch
    return {"expired": expired}


def archive_completed_bookings(running: Running) -> Figures:
    """Put completed bookings aside after the time that the settings say, a year."""
    use, archived = running.dependencies, 0
    after = timedelta(days=use.system_settings.value(ARCHIVE_AFTER_DAYS))
    while batch := archive_bookings(uow=use.new_uow(), clock=use.clock, after=after):
        archived += batch
    return {"archived": archived}


def cleanup_old_sessions(running: Running) -> Figures:
    """Delete sessions that ended more than 30 days ago, with their tokens, and other rows that have served."""
    use = running.dependencies
    kept = timedelta(days=use.system_settings.value(WEBHOOK_BODY_DAYS))
    return clean_up(running.database, use.clock, bodies_kept=kept)


def cleanup_test_data(running: Running) -> Figures:
    """Outside production, drop what trying the system left at addresses that RFC 2606 reserves for tests.

    Those are the demo's accounts and those of testers. Notifications of more than 30 days go; what moved money
    stays, because the books are never rewritten, and so do the accounts.
    """
    if running.settings.is_production:
        return {"notifications": 0}
    before = running.dependencies.clock.now() - TEST_DATA_KEPT
    delete = _DELETE.format(table="notifications", old=_OF_TESTERS, batch=BATCH)
    return {"notifications": _repeat(running.database, delete, before, BATCH)}


def compress_old_logs(running: Running) -> Figures:
    """Compress log files that nobody has written to for 90 days, in LOG_FOLDER where one is set."""
    folder = running.settings.log_folder
    if folder is None:
        return {"compressed": 0}
    return {"compressed": compress_logs(folder, before=running.dependencies.clock.now() - LOGS_KEPT)}


STEPS: Final[Mapping[str, Step]] = {
    "expired_bookings": cleanup_expired_bookings,
    "archive": archive_completed_bookings,
    "served_rows": cleanup_old_sessions,
    "test_data": cleanup_test_data,
    "logs": compress_old_logs,
}


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
