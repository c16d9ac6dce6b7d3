"""Consents, exports and erasures as they are shown."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from application.queries import After, Row
from infrastructure.database.pages import page_after, page_values
from infrastructure.database.transaction import Database

_CURRENT = """
SELECT DISTINCT ON (channel) channel, purpose, granted, source, wording, given_at
FROM consents WHERE user_id = %s ORDER BY channel, id DESC
"""
_EXPORTS = """
SELECT id, user_id, requested_at, ready_at, expires_at, size_bytes,
       CASE WHEN expires_at <= %(now)s THEN 'EXPIRED' ELSE status END AS status
FROM personal_data_exports WHERE (%(owner)s::uuid IS NULL OR user_id = %(owner)s)
"""
_ERASURE = """
SELECT id, user_id, requested_at, due_at, blocked_by FROM erasures
WHERE user_id = %s AND withdrawn_at IS NULL AND done_at IS NULL
"""


class SqlPrivacyQueries:
    """Implements `application.queries.PrivacyQueries`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def consents(self, user_id: UUID) -> Sequence[Row]:
        return self._database.rows(_CURRENT, (user_id,))

    def consent_history(self, user_id: UUID, *, limit: int, after: After | None) -> Sequence[Row]:
        condition = page_after(after, "given_at", "id")
        sql = (
            "SELECT id, channel, purpose, granted, source, wording, given_at FROM consents"
            f" WHERE user_id = %(user_id)s AND {condition} ORDER BY given_at DESC, id DESC LIMIT %(limit)s"
        )
        return self._database.rows(sql, {"user_id": user_id, **page_values(after, limit)})

    def export(self, export_id: UUID, *, owner: UUID | None, now: datetime) -> Row | None:
        return self._database.row(_EXPORTS + " AND id = %(id)s", {"id": export_id, "owner": owner, "now": now})

    def exports(self, *, owner: UUID, now: datetime, limit: int, after: After | None) -> Sequence[Row]:
        condition = page_after(after, "requested_at", "id")
        sql = f"{_EXPORTS} AND {condition} ORDER BY requested_at DESC, id DESC LIMIT %(limit)s"
        return self._database.rows(sql, {"owner": owner, "now": now, **page_values(after, limit)})

    def erasure(self, user_id: UUID) -> Row | None:
        return self._database.row(_ERASURE, (user_id,))
