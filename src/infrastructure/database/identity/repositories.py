"""Users, sessions, the tokens that are mailed, counted failures."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select

from application.identity.ports import KeyedDigests
from domain.identity.lockout import Attempt, LockoutPolicy
from domain.identity.sessions import Session, SessionNotFound
from domain.identity.users import Claim, User
from domain.shared.errors import NotFound
from infrastructure.database.identity.tables import refresh_tokens, sessions, users
from infrastructure.database.transaction import Statements

_CLAIMS = """
SELECT id, password_hash, email_verified_at IS NOT NULL AS is_proved, status = 'ACTIVE' AS may_sign_in FROM users
WHERE email = %s AND deleted_at IS NULL
ORDER BY may_sign_in DESC, is_proved DESC, created_at DESC, id DESC LIMIT 100
"""


class SqlUsers:
    """Implements `application.identity.records.Users`."""

    def __init__(self, statements: Statements) -> None:
        self._statements = statements
        self.seen: list[User] = []

    def add(self, user: User) -> None:
        self._statements.session.add(user)
        self.seen.append(user)

    def get(self, user_id: UUID) -> User:
        query = (
            select(User)
            .where(users.c.id == user_id)
            .with_for_update(key_share=True)
            .execution_options(populate_existing=True)
        )
        user = self._statements.session.scalars(query).one_or_none()
        if user is None:
            raise NotFound()
        self.seen.append(user)
        return user

    def lock(self, user_ids: Collection[UUID]) -> None:
        self._statements.execute(_LOCK, (list(user_ids),))

    def by_email(self, email: str) -> User | None:
        query = select(User).where(
            users.c.email == email, users.c.email_verified_at.is_not(None), users.c.deleted_at.is_(None)
        )
        user = self._statements.session.scalars(query).one_or_none()
        if user is not None:
            self.seen.append(user)
        return user

    def claims(self, email: str) -> Sequence[Claim]:
        rows = self._statements.rows(_CLAIMS, (email,))
        return [Claim(row["id"], row["password_hash"], row["is_proved"], row["may_sign_in"]) for row in rows]

    def roles_of_active(self, user_id: UUID) -> frozenset[str]:
        row = self._statements.row(_ROLES_OF_ACTIVE, (user_id,))
        return frozenset(row["roles"]) if row is not None else frozenset()

    def other_super_admins(self, user_id: UUID) -> int:
        self._statements.execute("SELECT pg_advisory_xact_lock(hashtext('altayar super admins'))")
        row = self._statements.row(_OTHER_SUPER_ADMINS, (user_id,))
        return int(row["count"]) if row is not None else 0


_LOCK = "SELECT 1 FROM users WHERE id = ANY(%s) ORDER BY id FOR NO KEY UPDATE"
_ROLES_OF_ACTIVE = "SELECT roles FROM users WHERE id = %s AND status = 'ACTIVE' AND deleted_at IS NULL"
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
_VERIFICATIONS = """
SELECT expires_at FROM email_verifications WHERE user_id = %s AND expires_at > %s ORDER BY expires_at DESC
"""
_OWNER = "SELECT s.user_id FROM refresh_tokens t JOIN sessions s ON s.id = t.session_id WHERE t.token_hash = %s"
_END_RESETS = "UPDATE password_resets SET expires_at = %(at)s WHERE user_id = %(user_id)s AND expires_at > %(at)s"
_EXPECT_RESET = """
INSERT INTO password_resets (token_hash, user_id, created_at, expires_at) VALUES (%s, %s, %s, %s)
"""
_RESETS_SINCE = """
SELECT count(*) AS made FROM password_resets r JOIN users u ON u.id = r.user_id WHERE u.email = %s AND r.created_at > %s
"""
_RESET_OF = """
SELECT user_id FROM password_resets WHERE token_hash = %(token_hash)s AND used_at IS NULL AND expires_at > %(at)s
"""
_TAKE_RESET = """
UPDATE password_resets SET used_at = %(at)s
WHERE token_hash = %(token_hash)s AND used_at IS NULL AND expires_at > %(at)s
RETURNING user_id
"""


class SqlSessions:
    """Implements `application.identity.records.Sessions`."""

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

    def owner_of(self, token_hash: bytes) -> UUID | None:
        row = self._statements.row(_OWNER, (token_hash,))
        return row["user_id"] if row is not None else None

    def get(self, session_id: UUID, *, user_id: UUID) -> Session:
        query = select(Session).where(
            sessions.c.id == session_id, sessions.c.user_id == user_id, sessions.c.revoked_at.is_(None)
        )
        session = self._statements.session.scalars(query.with_for_update()).one_or_none()
        if session is None:
            raise SessionNotFound()
        return session

    def of_user(self, user_id: UUID) -> Sequence[Session]:
        query = select(Session).where(sessions.c.user_id == user_id, sessions.c.revoked_at.is_(None)).with_for_update()
        return self._statements.session.scalars(query).all()

    def expect_verification(self, *, token_hash: bytes, user_id: UUID, expires_at: datetime) -> None:
        self._statements.execute(_EXPECT, (token_hash, user_id, expires_at))

    def verifications_until(self, user_id: UUID, *, after: datetime) -> Sequence[datetime]:
        return [row["expires_at"] for row in self._statements.rows(_VERIFICATIONS, (user_id, after))]

    def take_verification(self, *, token_hash: bytes, at: datetime) -> UUID | None:
        return self._owner(_TAKE, {"token_hash": token_hash, "at": at})

    def expect_reset(self, *, token_hash: bytes, user_id: UUID, at: datetime, expires_at: datetime) -> None:
        self.end_resets(user_id, at=at)
        self._statements.execute(_EXPECT_RESET, (token_hash, user_id, at, expires_at))

    def resets_since(self, email: str, at: datetime) -> int:
        row = self._statements.row(_RESETS_SINCE, (email, at))
        return int(row["made"]) if row is not None else 0

    def reset_of(self, *, token_hash: bytes, at: datetime) -> UUID | None:
        return self._owner(_RESET_OF, {"token_hash": token_hash, "at": at})

    def take_reset(self, *, token_hash: bytes, at: datetime) -> UUID | None:
        return self._owner(_TAKE_RESET, {"token_hash": token_hash, "at": at})

    def end_resets(self, user_id: UUID, *, at: datetime) -> None:
        self._statements.execute(_END_RESETS, {"user_id": user_id, "at": at})

    def _owner(self, statement: str, values: Mapping[str, Any]) -> UUID | None:
        row = self._statements.row(statement, values)
        return row["user_id"] if row is not None else None


_LOCKED = """
SELECT max(locked_until) AS locked_until FROM login_failures
WHERE subject IN (%(account)s, %(origin)s) AND locked_until > %(at)s
"""
_COUNT = """
INSERT INTO login_failures AS f (subject, failures, began_at) VALUES (%(subject)s, 1, %(at)s)
ON CONFLICT (subject) DO UPDATE SET
    failures = CASE WHEN f.began_at > %(begins)s THEN f.failures + 1 ELSE 1 END,
    began_at = CASE WHEN f.began_at > %(begins)s THEN f.began_at ELSE excluded.began_at END,
    locked_until = CASE WHEN f.began_at <= %(begins)s THEN NULL
                        WHEN f.failures + 1 = %(most)s THEN %(lock_until)s ELSE f.locked_until END
RETURNING failures
"""
_FORGET = """
DELETE FROM login_failures WHERE subject = %s AND (locked_until IS NULL OR locked_until <= %s)
"""
# As forgetting does, it waits for whoever counts at this moment.
_KEEP = "SELECT 1 FROM login_failures WHERE subject = %s FOR UPDATE"
_UNLOCK = "DELETE FROM login_failures WHERE subject = %s"


class SqlLoginFailures:
    """Implements `application.identity.records.LoginFailures`."""

    def __init__(self, statements: Statements, digests: KeyedDigests, policy: LockoutPolicy) -> None:
        self._statements = statements
        self._digest = digests.of
        self._policy = policy

    def locked_until(self, attempt: Attempt, *, at: datetime) -> datetime | None:
        account, origin = self._digest(attempt.account), self._digest(attempt.origin)
        row = self._statements.row(_LOCKED, {"account": account, "origin": origin, "at": at})
        return row["locked_until"] if row is not None else None

    def add(self, attempt: Attempt, *, at: datetime) -> bool:
        # Always in this order: two attempts never wait for each other.
        is_locked = self.add_to_account(attempt, at=at)
        self._count(attempt.origin, self._policy.address_failures, at)
        return is_locked

    def add_to_account(self, attempt: Attempt, *, at: datetime) -> bool:
        return self._count(attempt.account, self._policy.account_failures, at)

    def _count(self, subject: str, most: int, at: datetime) -> bool:
        period = self._policy.period
        values = {"begins": at - period, "lock_until": at + period, "most": most, "at": at}
        row = self._statements.row(_COUNT, {"subject": self._digest(subject), **values})
        return row is not None and row["failures"] == most

    def end(self, attempt: Attempt, *, at: datetime) -> datetime | None:
        self._statements.execute(_FORGET, (self._digest(attempt.account), at))
        return self.locked_until(attempt, at=at)

    def keep(self, attempt: Attempt, *, at: datetime) -> datetime | None:
        self._statements.execute(_KEEP, (self._digest(attempt.account),))
        return self.locked_until(attempt, at=at)

    def unlock(self, attempt: Attempt) -> None:
        self._statements.execute(_UNLOCK, (self._digest(attempt.account),))
