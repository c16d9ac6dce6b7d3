"""People as they are shown."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from application.queries import After, Row
from infrastructure.database.pages import page_after, page_values
from infrastructure.database.transaction import Database

_PROFILE = """
SELECT u.id, u.email, u.first_name, u.last_name, u.phone, u.roles, u.locale, u.status, u.email_verified_at,
       u.created_at, coalesce(m.tier_code, 'GUEST') AS tier_code, m.membership_number, m.expiry_date
FROM users u LEFT JOIN LATERAL (
    SELECT l.tier_code, s.membership_number, s.expiry_date
    FROM membership_subscriptions s JOIN membership_plans l ON l.id = s.plan_id
    WHERE s.user_id = u.id AND s.status = 'ACTIVE' AND s.expiry_date >= %(today)s LIMIT 1) m ON true
WHERE u.deleted_at IS NULL
"""
_STANDING = """
SELECT u.roles,
       ARRAY(SELECT DISTINCT p.permission_code FROM roles r JOIN role_permissions g ON g.role_id = r.id
             JOIN permissions p ON p.id = g.permission_id
             WHERE r.role_name = ANY(u.roles) AND (s.surface = 'STAFF' OR r.surface = 'APP' OR r.surface = s.surface)
            ) AS permissions
FROM users u JOIN sessions s ON s.user_id = u.id
WHERE u.id = %s AND s.id = %s AND s.revoked_at IS NULL AND u.status = 'ACTIVE' AND u.deleted_at IS NULL
"""
_PERMISSIONS = """
SELECT DISTINCT p.permission_code FROM permissions p
JOIN role_permissions g ON g.permission_id = p.id JOIN roles r ON r.id = g.role_id
WHERE r.role_name = ANY(%s)
"""
_FOUND = """
(%(q)s::text IS NULL OR u.email LIKE %(like)s OR u.first_name || ' ' || u.last_name ILIKE %(like)s)
AND (%(role)s::text IS NULL OR %(role)s = ANY(u.roles))
AND (%(status)s::text IS NULL OR u.status = %(status)s)
AND (%(verified)s::boolean IS NULL OR (u.email_verified_at IS NOT NULL) = %(verified)s)
"""


class SqlIdentityQueries:
    """Implements `application.queries.IdentityQueries`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def profile(self, user_id: UUID, *, today: date) -> Row | None:
        return self._database.row(_PROFILE + " AND u.id = %(id)s", {"id": user_id, "today": today})

    def standing(self, user_id: UUID, session_id: UUID) -> Row | None:
        return self._database.row(_STANDING, (user_id, session_id))

    def permissions_of(self, roles: Sequence[str]) -> frozenset[str]:
        return frozenset(row["permission_code"] for row in self._database.rows(_PERMISSIONS, (list(roles),)))

    def find_users(
        self,
        *,
        today: date,
        q: str | None,
        role: str | None = None,
        status: str | None = None,
        verified: bool | None = None,
        limit: int,
        after: After | None,
    ) -> Sequence[Row]:
        condition = page_after(after, "u.created_at", "u.id")
        sql = f"{_PROFILE} AND {_FOUND} AND {condition} ORDER BY u.created_at DESC, u.id DESC LIMIT %(limit)s"
        escaped = (q or "").replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        wanted = {"q": q, "like": f"%{escaped}%", "role": role, "status": status, "verified": verified}
        return self._database.rows(sql, {"today": today, **wanted, **page_values(after, limit)})
