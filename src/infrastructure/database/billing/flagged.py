"""Attempts and webhooks as staff act on them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from application.billing.attention_ports import (
    AttemptNotFound,
    FlaggedWebhook,
    NamedAttempt,
    RawBody,
    WebhookNotFound,
)
from application.billing.inbox import OpenAttempt, StoredWebhook
from infrastructure.database.transaction import Row, Statements

_ATTEMPT: Final = """
SELECT a.id AS attempt_id, a.payment_id, a.provider, a.merchant_reference,
       coalesce(a.provider_reference, '') AS provider_reference, a.provider_key,
       coalesce(a.charge_reference, '') AS charge_reference, p.user_id
FROM payment_attempts a JOIN payments p ON p.id = a.payment_id
"""
_WEBHOOK: Final = """
SELECT w.*, (SELECT p.user_id FROM payments p WHERE p.id = w.payment_id) AS owner
FROM payment_webhook_logs w WHERE w.id = %s FOR NO KEY UPDATE OF w
"""
_REOPEN: Final = """
UPDATE payment_webhook_logs
SET status = 'RECEIVED', processed_at = NULL, error_message = NULL, look_again_at = NULL WHERE id = %s
"""
_DISMISS: Final = """
UPDATE payment_webhook_logs
SET status = 'FAILED', processed_at = coalesce(processed_at, %(at)s), dismissed_at = %(at)s,
    dismissed_by_user_id = %(by)s, dismissed_reason = %(reason)s
WHERE id = %(id)s
"""
_ASSIGN: Final = """
UPDATE payment_webhook_logs
SET status = 'PROCESSED', payment_id = %s, error_message = NULL, processed_at = %s, look_again_at = NULL WHERE id = %s
"""
_BODY: Final = "SELECT content_type, body FROM payment_webhook_logs WHERE id = %s"


class SqlFlaggedRows:
    """Implements `application.billing.attention_ports.FlaggedRows`."""

    def __init__(self, statements: Statements) -> None:
        self._statements = statements

    def attempt(self, attempt_id: UUID) -> NamedAttempt:
        row = self._statements.row(f"{_ATTEMPT} WHERE a.id = %s", (attempt_id,))
        if row is None:
            raise AttemptNotFound()
        return _named(row)

    def attempts_of(self, payment_id: UUID, provider: str) -> Sequence[NamedAttempt]:
        sql = f"{_ATTEMPT} WHERE a.payment_id = %s AND a.provider = %s ORDER BY a.id DESC"
        return [_named(row) for row in self._statements.rows(sql, (payment_id, provider))]

    def webhook(self, webhook_id: UUID) -> FlaggedWebhook:
        row = self._statements.row(_WEBHOOK, (webhook_id,))
        if row is None:
            raise WebhookNotFound()
        return FlaggedWebhook(
            stored=StoredWebhook(
                id=row["id"],
                provider=row["provider"],
                provider_reference=row["provider_reference"],
                provider_key=row["provider_key"],
                merchant_reference=row["merchant_reference"],
                reference_number=row["reference_number"],
                received_at=row["received_at"],
                charge_reference=row["charge_reference"],
                is_about_refund=row["is_about_refund"],
            ),
            status=row["status"],
            error=row["error_message"],
            owner=row["owner"],
            is_dismissed=row["dismissed_at"] is not None,
        )

    def reopen(self, webhook_id: UUID) -> None:
        self._statements.execute(_REOPEN, (webhook_id,))

    def dismiss(self, webhook_id: UUID, *, by: UUID, reason: str, at: datetime) -> None:
        self._statements.execute(_DISMISS, {"id": webhook_id, "by": by, "reason": reason, "at": at})

    def assign(self, webhook_id: UUID, payment_id: UUID, *, at: datetime) -> None:
        self._statements.execute(_ASSIGN, (payment_id, at, webhook_id))

    def body(self, webhook_id: UUID) -> RawBody:
        row = self._statements.row(_BODY, (webhook_id,))
        if row is None:
            raise WebhookNotFound()
        return RawBody(row["content_type"], bytes(row["body"]))


def _named(row: Row) -> NamedAttempt:
    owner: UUID = row["user_id"]
    return NamedAttempt(OpenAttempt(**{name: value for name, value in row.items() if name != "user_id"}), owner)
