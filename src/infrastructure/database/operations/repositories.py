"""The audit log, and the rows of settings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from psycopg.types.json import Jsonb

from application.operations.ports import StoredSetting
from application.origin import current_origin
from domain.operations.audit import AuditStatus, refuse_secrets, without_secrets
from domain.operations.settings import Setting
from domain.shared.identifiers import NewId
from infrastructure.database.transaction import Statements

_ADD_AUDIT = """
INSERT INTO audit_logs (id, user_id, action, module, resource_type, resource_id, changes, created_at,
                        ip_address, user_agent, request_id, status, error_message)
VALUES (%s, %s, %s, %s, %s, %s, %s::jsonb, %s, %s, %s, %s, %s, %s)
"""


class SqlAuditLog:
    """Implements `application.ports.AuditLog`; address, agent and request id are those of the origin."""

    def __init__(self, statements: Statements, new_id: NewId, *, withhold_secrets: bool = False) -> None:
        self._statements = statements
        self._new_id = new_id
        self._withhold_secrets = withhold_secrets

    def add(
        self,
        *,
        actor: UUID | None,
        action: str,
        resource_type: str,
        resource_id: UUID | None,
        changes: Mapping[str, object],
        at: datetime,
        status: AuditStatus = AuditStatus.SUCCESS,
        error_message: str | None = None,
    ) -> None:
        if not self._withhold_secrets:
            refuse_secrets(changes)
        origin = current_origin()
        document = orjson.dumps(without_secrets(changes)).decode()
        row = (self._new_id(), actor, action, action.partition(".")[0], resource_type, resource_id, document, at)
        came_from = (origin.address, origin.user_agent, origin.request_id)
        self._statements.execute(_ADD_AUDIT, (*row, *came_from, status.value, error_message))


_KNOW = """
INSERT INTO system_settings (id, setting_key, setting_value, setting_type, category, description_ar, description_en,
                             is_public, version, created_at, updated_at)
VALUES (%(id)s, %(key)s, NULL, %(setting_type)s, %(category)s, %(description_ar)s, %(description_en)s, %(is_public)s,
        0, %(at)s, %(at)s)
ON CONFLICT (setting_key) DO NOTHING
"""
_LOCK = "SELECT id, setting_value, version FROM system_settings WHERE setting_key = %s FOR UPDATE"
_PUT = """
UPDATE system_settings
SET setting_value = %(value)s, setting_type = %(setting_type)s, category = %(category)s,
    description_ar = %(description_ar)s, description_en = %(description_en)s, is_public = %(is_public)s,
    version = version + 1, updated_by_user_id = %(by)s, updated_at = %(at)s
WHERE setting_key = %(key)s
"""


class SqlSettingRows:
    """Implements `application.operations.ports.SettingRows`."""

    def __init__(self, statements: Statements, new_id: NewId) -> None:
        self._statements = statements
        self._new_id = new_id

    def get(self, setting: Setting[Any], *, at: datetime) -> StoredSetting:
        # Made where it is missing: two that change it at once then wait for one another on its row.
        self._statements.execute(_KNOW, {"id": self._new_id(), "at": at, **_facts(setting)})
        row = self._statements.row(_LOCK, (setting.key,))
        if row is None:
            raise LookupError(setting.key)
        return StoredSetting(id=row["id"], value=row["setting_value"], version=row["version"])

    def put(self, setting: Setting[Any], value: object, *, by: UUID | None, at: datetime) -> None:
        stored = None if value is None else Jsonb(value)
        self._statements.execute(_PUT, {"value": stored, "by": by, "at": at, **_facts(setting)})


def _facts(setting: Setting[Any]) -> dict[str, object]:
    return {
        "key": setting.key,
        "setting_type": setting.kind.setting_type.value,
        "category": setting.category.value,
        "description_ar": setting.description_ar,
        "description_en": setting.description_en,
        "is_public": setting.is_public,
    }


# Due as of when it was enqueued: a relay that looks for what is overdue finds it at once.
_REPLAY = """
UPDATE processed_events SET dead_at = NULL, attempts = 0, due_at = enqueued_at
WHERE dead_at IS NOT NULL AND processed_at IS NULL
  AND (%(event_id)s::uuid IS NULL OR event_id = %(event_id)s) AND (%(handler)s::text IS NULL OR handler = %(handler)s)
RETURNING handler
"""


class SqlDeadLetters:
    """Implements `application.operations.ports.DeadLetters`."""

    def __init__(self, statements: Statements) -> None:
        self._statements = statements

    def replay(self, *, event_id: UUID | None, handler: str | None) -> Sequence[str]:
        return [row["handler"] for row in self._statements.rows(_REPLAY, {"event_id": event_id, "handler": handler})]
