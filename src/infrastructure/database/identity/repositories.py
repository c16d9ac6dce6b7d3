"""Users, sessions, e-mail verifications, the audit log."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

import orjson
from sqlalchemy import select

from domain.identity.sessions import Session
from domain.identity.users import User
from domain.shared.errors import NotFound
from domain.shared.identifiers import NewId
from infrastructure.database.identity.tables import refresh_tokens, sessions, users
from infrastructure.database.transaction import Statements


class SqlUsers:
    """Implements `application.ports.Users`."""

    def __init__(self, statements: Statements) -> None:
        self._statements = statements
        self.seen: list[User] = []

    def add(self, user: User) -> None:
        self._statements.session.add(user)
        self.seen.append(user)

    def get(self, user_id: UUID) -> User:
        query = select(User).where(users.c.id == user_id).with_for_update(key_share=True)
        user = self._statements.session.scalars(query).one_or_none()
        if user is None:
            raise NotFound()
        self.seen.append(user)
        return user

    def by_email(self, email: str) -> User | None:
        user = self._statements.session.scalars(select(User).where(users.c.email == email)).one_or_none()
        if user is not None:
            self.seen.append(user)
        return user

    def other_super_admins(self, user_id: UUID) -> int:
        self._statements.execute("SELECT pg_advisory_xact_lock(hashtext('altayar super admins'))")
        row = self._statements.row(_OTHER_SUPER_ADMINS, (user_id,))
        return int(row["count"]) if row is not None else 0


_OTHER_SUPER_ADMINS = """
SELECT count(*) AS count FROM users
WHERE id <> %s AND 'SUPER_ADMIN' = ANY(roles) AND status = 'ACTIVE' AND deleted_at IS NULL
"""
_EXPECT = "INSERT INTO email_verifications (token_hash, user_id, expires_at) VALUES (%s, %s, %s)"
_TAKE = """
UPDATE email_verifications SET used_at = %(at)s
WHERE token_hash = %(token_hash)s AND used_at IS NULL AND expires_at > %(at)s
RETURNING user_id
"""


class SqlSessions:
    """Implements `application.ports.Sessions`."""

    def __init__(self, statements: Statements) -> None:
        self._statements = statements

    def add(self, session: Session) -> None:
        self._statements.session.add(session)

    def by_token(self, token_hash: bytes) -> Session | None:
        owner = select(refresh_tokens.c.session_id).where(refresh_tokens.c.token_hash == token_hash).scalar_subquery()
        query = (
            select(Session).where(sessions.c.id == owner).with_for_update().execution_options(populate_existing=True)
        )
        return self._statements.session.scalars(query).one_or_none()

    def of_user(self, user_id: UUID) -> Sequence[Session]:
        query = select(Session).where(sessions.c.user_id == user_id, sessions.c.revoked_at.is_(None)).with_for_update()
        return self._statements.session.scalars(query).all()

    def expect_verification(self, *, token_hash: bytes, user_id: UUID, expires_at: datetime) -> None:
        self._statements.execute(_EXPECT, (token_hash, user_id, expires_at))

    def take_verification(self, *, token_hash: bytes, at: datetime) -> UUID | None:
        row = self._statements.row(_TAKE, {"token_hash": token_hash, "at": at})
        return row["user_id"] if row is not None else None


_ADD_AUDIT = """
INSERT INTO audit_logs (id, user_id, action, module, resource_type, resource_id, changes, created_at)
VALUES (%s, %s, %s, %s, %s, %s, %s::jsonb, %s)
"""


class SqlAuditLog:
    """Implements `application.ports.AuditLog`."""

    def __init__(self, statements: Statements, new_id: NewId) -> None:
        self._statements = statements
        self._new_id = new_id

    def add(
        self,
        *,
        actor: UUID | None,
        action: str,
        resource_type: str,
        resource_id: UUID,
        changes: Mapping[str, object],
        at: datetime,
    ) -> None:
        module = action.partition(".")[0]
        document = orjson.dumps(dict(changes)).decode()
        self._statements.execute(
            _ADD_AUDIT, (self._new_id(), actor, action, module, resource_type, resource_id, document, at)
        )
