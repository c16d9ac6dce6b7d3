"""The audit log and the settings' rows as they are read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from application.operations.queries import AuditSearch
from application.queries import After, Row
from infrastructure.database.pages import page_after, page_values
from infrastructure.database.transaction import Database

_COLUMNS = """
SELECT id, user_id, action, module, resource_type, resource_id, changes, ip_address, user_agent, status,
       error_message, request_id, created_at
FROM audit_logs
"""
_FILTERS: Final[Mapping[str, str]] = {
    "user_id": "user_id = %(user_id)s",
    "module": "module = %(module)s",
    "action": "action = %(action)s",
    "resource_type": "resource_type = %(resource_type)s",
    "resource_id": "resource_id = %(resource_id)s",
    "since": "created_at >= %(since)s",
    "until": "created_at < %(until)s",
    "status": "status = %(status)s",
    "request_id": "request_id = %(request_id)s AND request_id <> ''",
}
_SETTINGS = """
SELECT id, setting_key, setting_value, version, updated_by_user_id, updated_at FROM system_settings
"""
_DEAD_LETTERS = """
SELECT e.id, e.name, e.payload, e.occurred_at, d.dead_at, d.deliveries
FROM (SELECT event_id, max(dead_at) AS dead_at,
             jsonb_agg(jsonb_build_object('handler', handler, 'attempts', attempts, 'reason', reason,
                                          'dead_at', dead_at) ORDER BY handler) AS deliveries
      FROM processed_events
      WHERE dead_at IS NOT NULL AND processed_at IS NULL AND (%(handler)s::text IS NULL OR handler = %(handler)s)
      GROUP BY event_id) d JOIN outbox_events e ON e.id = d.event_id
WHERE {page} ORDER BY d.dead_at DESC, e.id DESC LIMIT %(limit)s
"""


class SqlOperationsQueries:
    """Implements `application.operations.queries.OperationsQueries`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def audit_logs(self, search: AuditSearch, *, limit: int, after: After | None) -> Sequence[Row]:
        asked = {name: value for name, value in search.asked().items() if name in _FILTERS}
        conditions = [*(_FILTERS[name] for name in asked), page_after(after, "created_at", "id")]
        sql = f"{_COLUMNS} WHERE {' AND '.join(conditions)} ORDER BY created_at DESC, id DESC LIMIT %(limit)s"
        return self._database.rows(sql, {**asked, **page_values(after, limit)})

    def audit_log(self, log_id: UUID) -> Row | None:
        return self._database.row(f"{_COLUMNS} WHERE id = %s", (log_id,))

    def settings(self) -> Mapping[str, Mapping[str, Any]]:
        return {row["setting_key"]: row for row in self._database.rows(_SETTINGS)}

    def dead_letters(self, handler: str | None, *, limit: int, after: After | None) -> Sequence[Row]:
        page = page_after(after, "d.dead_at", "e.id")
        return self._database.rows(_DEAD_LETTERS.format(page=page), {"handler": handler, **page_values(after, limit)})
