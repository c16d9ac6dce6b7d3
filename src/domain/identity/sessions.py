"""Signed-in sessions: one family of refresh tokens each, of which only the newest is good."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from domain.identity.roles import Surface
from domain.shared.aggregate import Aggregate
from domain.shared.errors import NotAllowed

SESSION_LIFETIME = timedelta(days=30)


class SessionEnded(NotAllowed):
    """The refresh token is unknown, used before, expired or revoked; sign in again."""

    code = "session_ended"


@dataclass(eq=False, kw_only=True)
class RefreshToken:
    """One link of the chain; only its SHA-256 is kept."""

    token_hash: bytes
    issued_at: datetime
    used_at: datetime | None = None


@dataclass(eq=False, kw_only=True)
class Session(Aggregate):
    """A device that signed in; reuse of an old refresh token ends it (RFC 9700 §4.14.2)."""

    id: UUID
    user_id: UUID
    user_agent: str
    created_at: datetime
    expires_at: datetime
    surface: Surface = Surface.APP
    """Where it was opened; only roles that count there are in its tokens."""
    revoked_at: datetime | None = None
    revoked_reason: str | None = None
    tokens: list[RefreshToken] = field(default_factory=list)

    @classmethod
    def open(
        cls,
        *,
        session_id: UUID,
        user_id: UUID,
        token_hash: bytes,
        user_agent: str,
        at: datetime,
        surface: Surface = Surface.APP,
    ) -> Session:
        return cls(
            id=session_id,
            user_id=user_id,
            user_agent=user_agent[:200],
            created_at=at,
            expires_at=at + SESSION_LIFETIME,
            surface=surface,
            tokens=[RefreshToken(token_hash=token_hash, issued_at=at)],
        )

    def rotate(self, *, presented: bytes, successor: bytes, at: datetime) -> bool:
        """Spend the presented token for its successor; False, and the session is over, when it was spent before."""
        token = next(token for token in self.tokens if token.token_hash == presented)
        if self.revoked_at is not None or at >= self.expires_at:
            return False
        if token.used_at is not None:
            self.revoke(at=at, reason="refresh token used twice")
            return False
        token.used_at = at
        self.tokens.append(RefreshToken(token_hash=successor, issued_at=at))
        return True

    def revoke(self, *, at: datetime, reason: str) -> None:
        if self.revoked_at is None:
            self.revoked_at = at
            self.revoked_reason = reason
