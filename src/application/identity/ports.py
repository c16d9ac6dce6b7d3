"""What identity needs from outside: password hashing and access tokens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID


class PasswordHasher(Protocol):
    """Hashes passwords slowly; takes the same time whether or not there is a hash to compare with."""

    def hash(self, password: str) -> str:
        """A salted hash. Raises InvalidValue for a password that is too short, too long or well known."""
        ...

    def verify(self, password: str, password_hash: str | None) -> bool:
        """Whether it is the password; None as hash costs as much time and is never right."""
        ...


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who is asking: what a valid access token says."""

    user_id: UUID
    session_id: UUID
    roles: frozenset[str]
    permissions: frozenset[str]

    def may(self, permission: str) -> bool:
        return permission in self.permissions

    @property
    def is_staff(self) -> bool:
        return not self.roles.isdisjoint({"SUPER_ADMIN", "ADMIN", "EMPLOYEE"})


class AccessTokens(Protocol):
    """Short-lived signed tokens."""

    lifetime_seconds: int

    def issue(self, *, user_id: UUID, session_id: UUID, roles: Sequence[str], at: datetime) -> str: ...

    def read(self, token: str, *, at: datetime) -> Viewer:
        """Who it was issued to. Raises NotAllowed for anything but a valid token of ours."""
        ...
