"""What identity needs from outside: password hashing and access tokens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from domain.identity.api_keys import ApiKey
from domain.identity.roles import Role, Surface, surface_of


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
    """Who is asking: what a valid access token or API key says.

    Roles and permissions are those that count on the surface; of a key, those that it was made for besides.
    """

    user_id: UUID
    session_id: UUID
    """The key's id where a key asks."""
    roles: frozenset[str]
    permissions: frozenset[str]
    second_factor: bool = False
    surface: Surface = Surface.APP
    scopes: frozenset[str] | None = None
    """What an API key was made for; None for people who are signed in."""

    def may(self, permission: str) -> bool:
        return permission in self.permissions

    @property
    def is_staff(self) -> bool:
        return any(surface_of(role) is Surface.STAFF for role in self.roles)


class AccessTokens(Protocol):
    """Short-lived signed tokens."""

    lifetime_seconds: int

    def issue(
        self,
        *,
        user_id: UUID,
        session_id: UUID,
        roles: Sequence[str],
        at: datetime,
        surface: Surface | None = None,
    ) -> str:
        """A token for a surface, naming the roles that count there; for the widest where none is given."""
        ...

    def read(self, token: str, *, at: datetime) -> Viewer:
        """Who it was issued to. Raises NotAllowed for anything but a valid token of ours."""
        ...


class Roles(Protocol):
    """Roles and what they permit."""

    def add(self, role: Role) -> None:
        """Raises RoleNameTaken, here or at commit."""
        ...

    def get(self, role_id: UUID) -> Role:
        """The role, locked. Raises RoleNotFound."""
        ...

    def save(self, role: Role) -> None: ...

    def remove(self, role: Role) -> None: ...

    def is_in_use(self, name: str) -> bool:
        """Whether an account that is not closed has it."""
        ...

    def permissions_of(self, name: str) -> frozenset[str] | None:
        """What a role permits, kept from being removed meanwhile; None where there is no such role."""
        ...


class ApiKeys(Protocol):
    """API keys, of which only hashes are kept."""

    def add(self, key: ApiKey) -> None: ...

    def get(self, key_id: UUID, *, owner: UUID | None) -> ApiKey:
        """The owner's key, or anybody's for None; locked. Raises ApiKeyNotFound."""
        ...

    def save(self, key: ApiKey) -> None: ...

    def count_good(self, owner: UUID, *, at: datetime) -> int:
        """How many of an owner's keys open something; nobody makes another one for them meanwhile."""
        ...

    def note_use(self, key_id: UUID, *, address: str, at: datetime) -> None:
        """Remember a use, without waiting for anybody who remembers another one."""
        ...
