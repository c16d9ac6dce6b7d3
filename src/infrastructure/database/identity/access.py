"""Roles and API keys as they are shown, and whom a key speaks for."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from application.queries import After, Row
from infrastructure.database.pages import page_after, page_values
from infrastructure.database.transaction import Database

_ROLES = """
SELECT r.id, r.version, r.role_name, r.display_name_ar, r.display_name_en, r.surface, r.is_system_role, r.created_at,
       r.updated_at,
       ARRAY(SELECT p.permission_code FROM role_permissions g JOIN permissions p ON p.id = g.permission_id
             WHERE g.role_id = r.id ORDER BY 1) AS permissions,
       (SELECT count(*) FROM users u WHERE r.role_name = ANY(u.roles) AND u.deleted_at IS NULL) AS holders
FROM roles r
"""
_KEYS = """
SELECT k.id, k.user_id, u.email AS owner_email, k.name, k.public_id, k.scopes, k.created_at, k.expires_at,
       k.revoked_at, k.last_used_at, k.last_used_address
FROM api_keys k JOIN users u ON u.id = k.user_id
WHERE (%(owner)s::uuid IS NULL OR k.user_id = %(owner)s)
"""
_HOLDER = """
SELECT k.id, k.key_hash, k.scopes, k.expires_at, k.revoked_at, k.last_used_at, u.id AS user_id, u.roles,
       ARRAY(SELECT DISTINCT p.permission_code FROM roles r JOIN role_permissions g ON g.role_id = r.id
             JOIN permissions p ON p.id = g.permission_id WHERE r.role_name = ANY(u.roles)) AS permissions
FROM api_keys k JOIN users u ON u.id = k.user_id
WHERE k.public_id = %s AND u.status = 'ACTIVE' AND u.deleted_at IS NULL
"""


class SqlAccessQueries:
    """Implements `application.queries.AccessQueries`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def roles(self) -> Sequence[Row]:
        return self._database.rows(f"{_ROLES} ORDER BY NOT r.is_system_role, r.role_name")

    def role(self, role_id: UUID) -> Row | None:
        return self._database.row(f"{_ROLES} WHERE r.id = %s", (role_id,))

    def api_keys(self, *, owner: UUID | None, limit: int, after: After | None) -> Sequence[Row]:
        condition = page_after(after, "k.created_at", "k.id")
        sql = f"{_KEYS} AND {condition} ORDER BY k.created_at DESC, k.id DESC LIMIT %(limit)s"
        return self._database.rows(sql, {"owner": owner, **page_values(after, limit)})

    def api_key(self, key_id: UUID, *, owner: UUID | None) -> Row | None:
        return self._database.row(f"{_KEYS} AND k.id = %(id)s", {"id": key_id, "owner": owner})

    def key_holder(self, public_id: str) -> Row | None:
        return self._database.row(_HOLDER, (public_id,))
