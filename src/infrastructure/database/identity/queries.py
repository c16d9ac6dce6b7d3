"""People as they are shown."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

from application.queries import CHANGES, NEWEST, After, Row
from infrastructure.database.pages import Order, order_sql, order_values, page_after, page_values
from infrastructure.database.transaction import Database

_PROFILE = """
SELECT u.id, u.email, u.first_name, u.last_name, u.phone, u.roles, u.locale, u.status, u.email_verified_at,
       u.phone_verified_at, u.created_at, u.updated_at, u.version,
       coalesce(m.tier_code, 'GUEST') AS tier_code, m.membership_number, m.expiry_date
FROM users u LEFT JOIN LATERAL (
    SELECT l.tier_code, s.membership_number, s.expiry_date
    FROM membership_subscriptions s JOIN membership_plans l ON l.id = s.plan_id
    WHERE s.user_id = u.id AND s.status = 'ACTIVE' AND s.expiry_date >= %(today)s LIMIT 1) m ON true
WHERE (%(closed)s OR u.deleted_at IS NULL)
"""
_ORDERS = {
    NEWEST: Order("u.created_at", "u.id", descending=True),
    "created_at": Order("u.created_at", "u.id"),
    "email": Order("u.email", "u.id", "text"),
    "-email": Order("u.email", "u.id", "text", descending=True),
    CHANGES: Order("u.updated_at", "u.id"),
}
STANDING = """
SELECT u.roles,
       ARRAY(SELECT DISTINCT p.permission_code FROM roles r JOIN role_permissions g ON g.role_id = r.id
             JOIN permissions p ON p.id = g.permission_id
             WHERE r.role_name = ANY(u.roles) AND (s.surface = 'STAFF' OR r.surface = 'APP' OR r.surface = s.surface)
            ) AS permissions
FROM users u JOIN sessions s ON s.user_id = u.id
WHERE u.id = %(user_id)s AND s.id = %(session_id)s AND s.revoked_at IS NULL AND u.status = 'ACTIVE'
  AND u.deleted_at IS NULL
"""
_SESSIONS = """
SELECT s.id, s.user_agent, s.address, s.created_at, s.last_used_at FROM sessions s
WHERE s.user_id = %(user_id)s AND s.revoked_at IS NULL AND s.expires_at > %(at)s
"""
_PERMISSIONS = """
SELECT DISTINCT p.permission_code FROM permissions p
JOIN role_permissions g ON g.permission_id = p.id JOIN roles r ON r.id = g.role_id
WHERE r.role_name = ANY(%s)
"""
_SECOND_FACTOR = """
SELECT f.created_at, f.confirmed_at,
       (SELECT count(*) FROM recovery_codes c WHERE c.user_id = f.user_id AND c.used_at IS NULL) AS recovery_codes_left
FROM second_factors f WHERE f.user_id = %s
"""
_INVITATIONS = """
SELECT * FROM (
    SELECT id, email, roles, locale, invited_by, created_at, expires_at, accepted_at, withdrawn_at,
           CASE WHEN status = 'PENDING' AND expires_at <= %(now)s THEN 'EXPIRED' ELSE status END AS state
    FROM invitations) i
"""
_OPEN_INVITATION = """
SELECT i.email, i.roles, i.locale, u.id IS NOT NULL AS has_account, f.user_id IS NOT NULL AS has_second_factor
FROM invitation_tokens t JOIN invitations i ON i.id = t.invitation_id
LEFT JOIN users u ON u.email = i.email AND u.email_verified_at IS NOT NULL AND u.deleted_at IS NULL
LEFT JOIN second_factors f ON f.user_id = u.id AND f.confirmed_at IS NOT NULL
WHERE t.token_hash = %(token_hash)s AND i.status = 'PENDING' AND i.expires_at > %(now)s
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
        return self._database.row(_PROFILE + " AND u.id = %(id)s", {"id": user_id, "today": today, "closed": False})

    def standing(self, user_id: UUID, session_id: UUID) -> Row | None:
        return self._database.row(STANDING, {"user_id": user_id, "session_id": session_id})

    def sessions(self, user_id: UUID, *, at: datetime, limit: int, after: After | None) -> Sequence[Row]:
        condition = page_after(after, "s.created_at", "s.id")
        sql = f"{_SESSIONS} AND {condition} ORDER BY s.created_at DESC, s.id DESC LIMIT %(limit)s"
        return self._database.rows(sql, {"user_id": user_id, "at": at, **page_values(after, limit)})

    def permissions_of(self, roles: Sequence[str]) -> frozenset[str]:
        return frozenset(row["permission_code"] for row in self._database.rows(_PERMISSIONS, (list(roles),)))

    def second_factor(self, user_id: UUID) -> Row | None:
        return self._database.row(_SECOND_FACTOR, (user_id,))

    def invitation(self, invitation_id: UUID, *, now: datetime) -> Row | None:
        return self._database.row(_INVITATIONS + " WHERE i.id = %(id)s", {"id": invitation_id, "now": now})

    def invitations(self, *, now: datetime, state: str | None, limit: int, after: After | None) -> Sequence[Row]:
        condition = page_after(after, "i.created_at", "i.id")
        sql = (
            f"{_INVITATIONS} WHERE (%(state)s::text IS NULL OR i.state = %(state)s) AND {condition}"
            " ORDER BY i.created_at DESC, i.id DESC LIMIT %(limit)s"
        )
        return self._database.rows(sql, {"now": now, "state": state, **page_values(after, limit)})

    def open_invitation(self, token_hash: bytes, *, now: datetime) -> Row | None:
        return self._database.row(_OPEN_INVITATION, {"token_hash": token_hash, "now": now})

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
        order: str = NEWEST,
        updated_after: datetime | None = None,
    ) -> Sequence[Row]:
        escaped = (q or "").replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        wanted = {"q": q, "like": f"%{escaped}%", "role": role, "status": status, "verified": verified}
        return self._database.rows(
            f"{_PROFILE} AND {_FOUND}{order_sql(_ORDERS[order], after, updated_after)}",
            {
                "today": today,
                "closed": updated_after is not None,
                **wanted,
                **order_values(self._database, after, updated_after, limit),
            },
        )
