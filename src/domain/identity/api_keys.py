"""API keys: how a partner's system acts for its owner, and for how much of what the owner may do."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from domain.shared.aggregate import Aggregate
from domain.shared.errors import Conflict, InvalidValue, NotAllowed, NotFound

LONGEST: Final = timedelta(days=365)
MOST_PER_OWNER: Final = 20


class ApiKeyNotFound(NotFound):
    """There is no such key of this owner."""

    code = "api_key_not_found"


class InvalidApiKey(NotAllowed):
    """The key is unknown, expired or revoked, or its owner may not act any more."""

    code = "invalid_api_key"


class KeyNotAccepted(NotAllowed):
    """People alone do this, signed in: their account, sessions, passwords, keys and roles."""

    code = "key_not_accepted"


class ScopeMissing(NotAllowed):
    """The key was not made for this."""

    code = "scope_missing"

    def __init__(self, scope: str) -> None:
        super().__init__(scope=scope)


class TooManyApiKeys(Conflict):
    """The owner has as many keys as anybody may; revoke one first."""

    code = "too_many_api_keys"

    def __init__(self) -> None:
        super().__init__(most=MOST_PER_OWNER)


class ApiKeyEnded(Conflict):
    """The key is expired or revoked: there is nothing left to replace."""

    code = "api_key_ended"


@dataclass(eq=False, kw_only=True)
class ApiKey(Aggregate):
    """A key of an owner; `public_id` finds it, and of the key itself only its SHA-256 is kept."""

    id: UUID
    user_id: UUID
    name: str
    public_id: str
    key_hash: bytes
    scopes: list[str] = field(default_factory=list)
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None = None
    revoked_by: UUID | None = None
    last_used_at: datetime | None = None
    last_used_address: str | None = None

    @classmethod
    def issue(
        cls,
        *,
        key_id: UUID,
        user_id: UUID,
        name: str,
        public_id: str,
        key_hash: bytes,
        scopes: frozenset[str],
        grantable: frozenset[str],
        valid_for: timedelta,
        at: datetime,
    ) -> ApiKey:
        """A new key. `grantable` is what the owner may pass on; raises InvalidValue for scopes beyond it."""
        if not scopes or not scopes <= grantable:
            beyond = ", ".join(sorted(scopes - grantable)) or "none was named"
            raise InvalidValue(f"not yours to give a key: {beyond}", pointer="/scopes", code="scope_unavailable")
        if not timedelta() < valid_for <= LONGEST:
            raise InvalidValue("1 to 365 days", pointer="/expires_in_days", code="out_of_range")
        return cls(
            id=key_id,
            user_id=user_id,
            name=name,
            public_id=public_id,
            key_hash=key_hash,
            scopes=sorted(scopes),
            created_at=at,
            expires_at=at + valid_for,
        )

    def is_good(self, *, at: datetime) -> bool:
        return self.revoked_at is None and at < self.expires_at

    def revoke(self, *, at: datetime, by: UUID) -> None:
        """The key opens nothing from now on; saying so twice changes nothing."""
        if self.revoked_at is None:
            self.revoked_at, self.revoked_by = at, by

    def replace(self, *, public_id: str, key_hash: bytes, at: datetime) -> None:
        """Another secret for the same key; the one before opens nothing from now on. Raises ApiKeyEnded."""
        if not self.is_good(at=at):
            raise ApiKeyEnded()
        self.public_id, self.key_hash = public_id, key_hash
        self.last_used_at = self.last_used_address = None
