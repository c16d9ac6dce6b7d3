"""Invitations and the hashes of their links."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from domain.identity.invitations import Invitation, InvitationNotFound, InvitationStatus
from infrastructure.database.transaction import Row, Statements

_COLUMNS = """
SELECT id, email, roles, locale, status, invited_by, created_at, expires_at, accepted_at, accepted_by, withdrawn_at
FROM invitations
"""
_BY_TOKEN = f"""
{_COLUMNS} WHERE id = (SELECT invitation_id FROM invitation_tokens WHERE token_hash = %s) FOR UPDATE
"""
_LOCK_ADDRESS = "SELECT pg_advisory_xact_lock(hashtextextended('invitation ' || %s, 0))"
_ADD = """
INSERT INTO invitations (id, email, roles, locale, status, invited_by, created_at, expires_at)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s)
"""
_SAVE = """
UPDATE invitations SET status = %s, invited_by = %s, expires_at = %s, accepted_at = %s, accepted_by = %s,
                       withdrawn_at = %s
WHERE id = %s
"""
_UNKNOWN_ROLES = """
SELECT asked.name FROM unnest(%s::text[]) AS asked(name) LEFT JOIN roles r ON r.role_name = asked.name
WHERE r.id IS NULL
"""


class SqlInvitations:
    """Implements `application.identity.records.Invitations`."""

    def __init__(self, statements: Statements) -> None:
        self._statements = statements
        self.seen: list[Invitation] = []

    def unknown_roles(self, roles: Sequence[str]) -> Sequence[str]:
        return [row["name"] for row in self._statements.rows(_UNKNOWN_ROLES, (list(roles),))]

    def pending_for(self, email: str) -> Invitation | None:
        self._statements.execute(_LOCK_ADDRESS, (email,))
        row = self._statements.row(_COLUMNS + " WHERE email = %s AND status = 'PENDING' FOR UPDATE", (email,))
        return self._seen(row)

    def add(self, invitation: Invitation) -> None:
        values = (
            invitation.id,
            invitation.email,
            list(invitation.roles),
            invitation.locale,
            invitation.status.value,
            invitation.invited_by,
            invitation.created_at,
            invitation.expires_at,
        )
        self._statements.execute(_ADD, values)
        self.seen.append(invitation)

    def get(self, invitation_id: UUID) -> Invitation:
        found = self._seen(self._statements.row(_COLUMNS + " WHERE id = %s FOR UPDATE", (invitation_id,)))
        if found is None:
            raise InvitationNotFound()
        return found

    def by_token(self, token_hash: bytes) -> Invitation | None:
        return self._seen(self._statements.row(_BY_TOKEN, (token_hash,)))

    def save(self, invitation: Invitation) -> None:
        values = (
            invitation.status.value,
            invitation.invited_by,
            invitation.expires_at,
            invitation.accepted_at,
            invitation.accepted_by,
            invitation.withdrawn_at,
            invitation.id,
        )
        self._statements.execute(_SAVE, values)

    def add_token(self, invitation_id: UUID, token_hash: bytes) -> None:
        sql = "INSERT INTO invitation_tokens (token_hash, invitation_id) VALUES (%s, %s)"
        self._statements.execute(sql, (token_hash, invitation_id))

    def forget_tokens(self, invitation_id: UUID) -> None:
        self._statements.execute("DELETE FROM invitation_tokens WHERE invitation_id = %s", (invitation_id,))

    def _seen(self, row: Row | None) -> Invitation | None:
        if row is None:
            return None
        values = {**row, "roles": tuple(row["roles"]), "status": InvitationStatus(row["status"])}
        invitation = Invitation(**values)
        self.seen.append(invitation)
        return invitation
