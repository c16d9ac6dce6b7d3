"""Signed-in sessions: one family of refresh tokens each, of which only the newest is good."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from domain.identity.roles import Surface
from domain.shared.aggregate import Aggregate
from domain.shared.errors import NotAllowed, NotFound

SESSION_LIFETIME = timedelta(days=30)


class SessionEnded(NotAllowed):
    """The refresh token is unknown, used before, expired or revoked; sign in again."""

    code = "session_ended"


class SessionNotFound(NotFound):
    """There is no such session of this user that is not over."""

    code = "session_not_found"


@dataclass(eq=False, kw_only=True)
class RefreshToken:
    """One link of the chain; only its SHA-256 is kept, and of the token that it was issued for."""

    token_hash: bytes
    issued_at: datetime
    follows: bytes | None = None
    used_at: datetime | None = None
    withdrawn_at: datetime | None = None
    """When an earlier release held the answer that carried it to be lost; as good as spent since then."""

    @property
    def is_live(self) -> bool:
        return self.used_at is None and self.withdrawn_at is None


@dataclass(eq=False, kw_only=True)
class Session(Aggregate):
    """A device that signed in; reuse of an old refresh token ends it (RFC 9700 §4.14.2)."""

    id: UUID
    user_id: UUID
    user_agent: str
    address: str
    created_at: datetime
    last_used_at: datetime
    expires_at: datetime
    surface: Surface = Surface.APP
    """Where it was opened; only roles that count there are in its tokens."""
    revoked_at: datetime | None = None
    revoked_reason: str | None = None
    second_factor_at: datetime | None = None
    """When whoever holds it gave a code of the account's second factor."""
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
        address: str = "",
        second_factor_at: datetime | None = None,
        surface: Surface = Surface.APP,
    ) -> Session:
        return cls(
            id=session_id,
            user_id=user_id,
            user_agent=user_agent[:200],
            address=address,
            created_at=at,
            last_used_at=at,
            expires_at=at + SESSION_LIFETIME,
            second_factor_at=second_factor_at,
            surface=surface,
            tokens=[RefreshToken(token_hash=token_hash, issued_at=at)],
        )

    def rotate(self, *, presented: bytes, successor: bytes, at: datetime, address: str = "") -> bool:
        """Give the presented token a successor; False where there is none to be had.

        A token that was spent before ends the session, however soon it is presented again (docs/decisions/0034).
        """
        token = next(token for token in self.tokens if token.token_hash == presented)
        if self.revoked_at is not None or at >= self.expires_at:
            return False
        if not token.is_live:
            self.revoke(at=at, reason="refresh token used twice")
            return False
        token.used_at = at
        self.tokens.append(RefreshToken(token_hash=successor, issued_at=at, follows=presented))
        self.last_used_at, self.address = at, address
        return True

    def revoke(self, *, at: datetime, reason: str) -> None:
        if self.revoked_at is None:
            self.revoked_at = at
            self.revoked_reason = reason
