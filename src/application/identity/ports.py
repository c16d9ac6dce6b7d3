"""What identity needs from outside: password hashing and access tokens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID


class PasswordHasher(Protocol):
    """Hashes passwords slowly; takes the same time whether or not there is a hash to compare with.

    Accounts that claim one address share one salt, so that one slow hash is compared with all of them
    (docs/decisions/0008): whoever hashes for an address passes the hashes that it has as `like`.
    """

    def hash(self, password: str, *, like: Sequence[str] = (), pointer: str = "/password") -> str:
        """A hash with the salt of the first of `like` that costs what is set now, else with a fresh one.

        Raises InvalidValue, at `pointer`, for a password that is too short, too long or well known.
        """
        ...

    def rehash(self, password: str, *, like: Sequence[str] = ()) -> str:
        """The same for a password that was accepted when other rules held: refuses nothing."""
        ...

    def same(self, made: str, hashes: Sequence[str]) -> int | None:
        """Which of the hashes first equals one made by `hash`, in constant time; hashes nothing."""
        ...

    def verify(self, password: str, hashes: Sequence[str]) -> int | None:
        """Which of the hashes is first one of the password; None for none of them.

        Hashes once for each salt among them, and once where there are none.
        """
        ...

    def is_outdated(self, password_hash: str) -> bool:
        """Whether it cost something else than what is set now."""
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
