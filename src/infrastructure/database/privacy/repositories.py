"""Consents, erasures and exports."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from domain.privacy.consents import Consent
from domain.privacy.erasure import Erasure
from domain.privacy.exports import Export
from infrastructure.database.transaction import Row, Statements

_ADD_CONSENT = """
INSERT INTO consents (id, user_id, channel, purpose, granted, source, wording, given_at)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s)
"""
_ADD_ERASURE = """
INSERT INTO erasures (id, user_id, requested_by_user_id, reason, requested_at, due_at)
VALUES (%s, %s, %s, %s, %s, %s)
"""
_OPEN = "SELECT * FROM erasures WHERE {which} AND withdrawn_at IS NULL AND done_at IS NULL FOR UPDATE"
_DUE = """
SELECT id FROM erasures WHERE withdrawn_at IS NULL AND done_at IS NULL AND due_at <= %s
ORDER BY tried_at NULLS FIRST, due_at LIMIT %s
"""
_ADD_EXPORT = """
INSERT INTO personal_data_exports (id, user_id, requested_by_user_id, locale, status, requested_at)
VALUES (%s, %s, %s, %s, 'REQUESTED', %s)
"""
_EXPORTS_SINCE = "SELECT count(*) AS made FROM personal_data_exports WHERE user_id = %s AND requested_at > %s"
_EXPORT = "SELECT * FROM personal_data_exports WHERE id = %s AND status = 'REQUESTED'"
_READY = """
UPDATE personal_data_exports SET status = 'READY', ready_at = %(at)s, expires_at = %(expires_at)s, size_bytes = %(size)s
WHERE id = %(id)s AND status = 'REQUESTED' RETURNING 1
"""
_GIVE_UP = "UPDATE personal_data_exports SET status = 'FAILED' WHERE status = 'REQUESTED' AND requested_at < %s"
_PAST = """
SELECT id FROM personal_data_exports
WHERE expires_at <= %(at)s OR (status = 'FAILED' AND requested_at < %(failed_before)s)
ORDER BY id LIMIT %(limit)s
"""
# Somebody who registered, proved no address, bought nothing and was never asked to do anything for us.
_UNUSED = """
SELECT id FROM users u
WHERE email_verified_at IS NULL AND created_at < %s AND roles = ARRAY['CUSTOMER'] AND erased_at IS NULL
  AND NOT EXISTS (SELECT 1 FROM bookings b WHERE b.user_id = u.id)
  AND NOT EXISTS (SELECT 1 FROM payments p WHERE p.user_id = u.id)
  AND NOT EXISTS (SELECT 1 FROM membership_subscriptions s WHERE s.user_id = u.id)
  AND NOT EXISTS (SELECT 1 FROM ledger_accounts a WHERE a.user_id = u.id)
  AND NOT EXISTS (SELECT 1 FROM erasures e WHERE e.user_id = u.id AND e.withdrawn_at IS NULL)
ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED
"""


class SqlPrivacy:
    """Implements `application.privacy.ports.PrivacyRecords`."""

    def __init__(self, statements: Statements) -> None:
        self._statements = statements

    def add_consent(self, consent: Consent) -> None:
        self._statements.execute(
            _ADD_CONSENT,
            (consent.id, consent.user_id, consent.channel, consent.purpose, consent.granted, consent.source,
             consent.wording, consent.given_at),
        )  # fmt: skip

    def add_erasure(self, erasure: Erasure) -> None:
        self._statements.execute(
            _ADD_ERASURE,
            (erasure.id, erasure.user_id, erasure.requested_by_user_id, erasure.reason, erasure.requested_at,
             erasure.due_at),
        )  # fmt: skip

    def open_erasure_of(self, user_id: UUID) -> Erasure | None:
        row = self._statements.row(_OPEN.format(which="user_id = %s"), (user_id,))
        return None if row is None else _erasure(row)

    def open_erasure(self, erasure_id: UUID) -> Erasure | None:
        row = self._statements.row(_OPEN.format(which="id = %s"), (erasure_id,))
        return None if row is None else _erasure(row)

    def hasten(self, erasure_id: UUID, *, due_at: datetime) -> None:
        self._statements.execute("UPDATE erasures SET due_at = %s WHERE id = %s", (due_at, erasure_id))

    def withdraw(self, erasure_id: UUID, *, at: datetime) -> None:
        self._statements.execute("UPDATE erasures SET withdrawn_at = %s WHERE id = %s", (at, erasure_id))

    def due_erasures(self, *, at: datetime, limit: int) -> Sequence[UUID]:
        return [row["id"] for row in self._statements.rows(_DUE, (at, limit))]

    def is_erased(self, user_id: UUID) -> bool:
        row = self._statements.row("SELECT erased_at IS NOT NULL AS erased FROM users WHERE id = %s", (user_id,))
        return row is not None and bool(row["erased"])

    def blockers(self, user_id: UUID, *, at: datetime) -> Sequence[str]:
        row = self._statements.row("SELECT erasure_blockers(%s, %s) AS found", (user_id, at))
        return [] if row is None else list(row["found"])

    def note_blocked(self, erasure_id: UUID, blockers: Sequence[str], *, at: datetime) -> None:
        self._statements.execute(
            "UPDATE erasures SET blocked_by = %s, tried_at = %s WHERE id = %s", (list(blockers), at, erasure_id)
        )

    def erase(self, erasure_id: UUID, *, at: datetime) -> None:
        # Remembered answers of a week are looked through byte by byte.
        self._statements.execute("SET LOCAL statement_timeout = '60s'")
        self._statements.execute("SELECT erase_person(%s, %s)", (erasure_id, at))

    def finish_erasure(self, erasure_id: UUID, *, at: datetime) -> None:
        self._statements.execute(
            "UPDATE erasures SET done_at = %s, objects = '{}', blocked_by = '{}' WHERE id = %s AND done_at IS NULL",
            (at, erasure_id),
        )

    def add_export(self, export: Export) -> None:
        self._statements.execute(
            _ADD_EXPORT,
            (export.id, export.user_id, export.requested_by_user_id, export.locale, export.requested_at),
        )

    def exports_since(self, user_id: UUID, since: datetime) -> int:
        row = self._statements.row(_EXPORTS_SINCE, (user_id, since))
        return int(row["made"]) if row is not None else 0

    def export_to_make(self, export_id: UUID) -> Export | None:
        row = self._statements.row(_EXPORT, (export_id,))
        return None if row is None else _export(row)

    def export_is_ready(self, export_id: UUID, *, size: int, at: datetime, expires_at: datetime) -> bool:
        values = {"id": export_id, "size": size, "at": at, "expires_at": expires_at}
        return self._statements.row(_READY, values) is not None

    def give_up_exports(self, *, requested_before: datetime) -> None:
        self._statements.execute(_GIVE_UP, (requested_before,))

    def past_exports(self, *, at: datetime, failed_before: datetime, limit: int) -> Sequence[UUID]:
        values = {"at": at, "failed_before": failed_before, "limit": limit}
        return [row["id"] for row in self._statements.rows(_PAST, values)]

    def drop_export(self, export_id: UUID) -> None:
        self._statements.execute("DELETE FROM personal_data_exports WHERE id = %s", (export_id,))

    def unused_accounts(self, *, created_before: datetime, limit: int) -> Sequence[UUID]:
        return [row["id"] for row in self._statements.rows(_UNUSED, (created_before, limit))]


def _erasure(row: Row) -> Erasure:
    return Erasure(
        id=row["id"],
        user_id=row["user_id"],
        requested_by_user_id=row["requested_by_user_id"],
        reason=row["reason"],
        requested_at=row["requested_at"],
        due_at=row["due_at"],
        erased_at=row["erased_at"],
        objects=tuple(row["objects"]),
    )


def _export(row: Row) -> Export:
    return Export(
        id=row["id"],
        user_id=row["user_id"],
        requested_by_user_id=row["requested_by_user_id"],
        locale=row["locale"],
        requested_at=row["requested_at"],
    )
