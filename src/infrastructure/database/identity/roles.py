"""Roles and their permissions: as rows, and as every process holds them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from functools import lru_cache
from uuid import UUID

from domain.identity.roles import Role, RoleNotFound, Surface
from infrastructure.database.snapshots import Snapshot, revision_of
from infrastructure.database.transaction import Database, Row, Statements

_PERMITTED = """
ARRAY(SELECT p.permission_code FROM role_permissions g JOIN permissions p ON p.id = g.permission_id
      WHERE g.role_id = r.id ORDER BY 1) AS permissions
"""
_GET = f"""
SELECT r.id, r.role_name, r.display_name_ar, r.display_name_en, r.surface, r.is_system_role, r.created_at,
       r.updated_at, r.version, {_PERMITTED}
FROM roles r WHERE r.id = %s FOR UPDATE
"""
_ADD = """
INSERT INTO roles (id, role_name, display_name_ar, display_name_en, is_system_role, surface, created_at, updated_at)
VALUES (%(id)s, %(name)s, %(display_name_ar)s, %(display_name_en)s, %(is_system)s, %(surface)s, %(created_at)s,
        %(updated_at)s)
"""
_SAVE = """
UPDATE roles SET display_name_ar = %(display_name_ar)s, display_name_en = %(display_name_en)s,
                 updated_at = %(updated_at)s
WHERE id = %(id)s
"""
_DROP_GRANTS = """
DELETE FROM role_permissions g USING permissions p
WHERE g.role_id = %(id)s AND p.id = g.permission_id AND NOT p.permission_code = ANY(%(permissions)s)
"""
_ADD_GRANTS = """
INSERT INTO role_permissions (role_id, permission_id)
SELECT %(id)s, p.id FROM permissions p WHERE p.permission_code = ANY(%(permissions)s)
ON CONFLICT DO NOTHING
"""
_IN_USE = "SELECT 1 FROM users WHERE %s = ANY(roles) AND deleted_at IS NULL LIMIT 1"
# Shared with other grants of the role, and in the way of its removal.
_KEEP = "SELECT r.id FROM roles r WHERE r.role_name = %s FOR SHARE"
_PERMISSIONS_OF = f"SELECT {_PERMITTED} FROM roles r WHERE r.id = %s"


class SqlRoles:
    """Implements `application.identity.records.Roles`."""

    def __init__(self, statements: Statements) -> None:
        self._statements = statements

    def add(self, role: Role) -> None:
        self._statements.execute(_ADD, _values(role))
        self._statements.execute(_ADD_GRANTS, _values(role))

    def get(self, role_id: UUID) -> Role:
        row = self._statements.row(_GET, (role_id,))
        if row is None:
            raise RoleNotFound()
        return _role(row)

    def save(self, role: Role) -> None:
        for statement in (_SAVE, _DROP_GRANTS, _ADD_GRANTS):
            self._statements.execute(statement, _values(role))

    def remove(self, role: Role) -> None:
        self._statements.execute("DELETE FROM roles WHERE id = %s", (role.id,))

    def is_in_use(self, name: str) -> bool:
        return self._statements.row(_IN_USE, (name,)) is not None

    def permissions_of(self, name: str) -> frozenset[str] | None:
        kept = self._statements.row(_KEEP, (name,))
        if kept is None:
            return None
        row = self._statements.row(_PERMISSIONS_OF, (kept["id"],))
        return frozenset(row["permissions"]) if row is not None else None


def _values(role: Role) -> Row:
    return {**asdict(role), "surface": role.surface.value, "permissions": sorted(role.permissions)}


def _role(row: Row) -> Role:
    return Role(
        id=row["id"],
        name=row["role_name"],
        display_name_ar=row["display_name_ar"],
        display_name_en=row["display_name_en"],
        surface=Surface(row["surface"]),
        is_system=row["is_system_role"],
        permissions=frozenset(row["permissions"]),
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        version=row["version"],
    )


_EVERY_GRANT = f"SELECT r.role_name, {_PERMITTED} FROM roles r"


class RoleGrants:
    """What roles permit, in this process: at most a second behind a change."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._snapshot = Snapshot(self._load, revision_of(database, "roles"))

    def permissions_of(self, roles: Iterable[str]) -> frozenset[str]:
        """What the holders of these roles may do. Raises DatabaseUnavailable where nothing was ever read."""
        return self._snapshot.value.permissions_of(frozenset(roles))

    def _load(self) -> _Grants:
        rows = self._database.rows(_EVERY_GRANT)
        return _Grants({row["role_name"]: frozenset(row["permissions"]) for row in rows})


class _Grants:
    """One reading of all roles; each combination that people have is put together once."""

    def __init__(self, by_role: Mapping[str, frozenset[str]]) -> None:
        self._by_role = by_role
        self.permissions_of = lru_cache(maxsize=1024)(self._permissions_of)

    def _permissions_of(self, roles: frozenset[str]) -> frozenset[str]:
        return frozenset[str]().union(*(self._by_role.get(role, frozenset()) for role in roles))
