"""Everybody who may come to the API, signed in without a password: as rows, and tokens from the issuer itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID, uuid4

from domain.identity.roles import Surface, roles_on, widest_surface
from infrastructure.bootstrap import Running
from infrastructure.clock import new_id
from infrastructure.database.roles import DatabaseAddresses, connect
from security.permissions import permissions_of
from tests.conftest import Person

ANONYMOUS: Final = "anonymous"
ROLES_OF: Final[dict[str, tuple[str, ...]]] = {
    "customer": ("CUSTOMER",),
    "other customer": ("CUSTOMER",),
    "agent": ("AGENT",),
    "vendor": ("VENDOR",),
    "other vendor": ("VENDOR",),
    "employee": ("EMPLOYEE",),
    "finance": ("EMPLOYEE", "FINANCE"),
    "admin": ("ADMIN",),
    "super admin": ("SUPER_ADMIN",),
}


@dataclass(frozen=True)
class Persona:
    """One of them on a surface, the widest that the roles allow unless a test says otherwise."""

    name: str
    user_id: UUID
    session_id: UUID
    roles: tuple[str, ...]
    surface: Surface
    headers: dict[str, str]

    @property
    def permissions(self) -> frozenset[str]:
        return permissions_of(roles_on(self.surface, self.roles))

    @property
    def person(self) -> Person:
        return Person(self.user_id, f"{self.user_id}@example.com", self.headers)


class Personas:
    """Makes personas, and makes them whole again after what a request did to them."""

    def __init__(self, running: Running, addresses: DatabaseAddresses) -> None:
        self._use = running.dependencies
        self._connection = connect(addresses.owner)

    def close(self) -> None:
        self._connection.close()

    def named(self, name: str) -> Persona:
        return self.with_roles(*ROLES_OF[name], name=name)

    def with_roles(self, *roles: str, name: str = "somebody", surface: Surface | None = None) -> Persona:
        now, user_id, session_id = self._use.clock.now(), new_id(), uuid4()
        surface = surface or widest_surface(roles)
        self._connection.execute(
            """INSERT INTO users (id, email, password_hash, first_name, last_name, locale, status, roles, created_at,
                                  email_verified_at)
               VALUES (%s, %s, 'none', 'Mona', 'Adel', 'en', 'ACTIVE', %s, %s, %s)""",
            (user_id, f"{user_id}@example.com", list(roles), now, now),
        )
        self._connection.execute(
            """INSERT INTO sessions (id, user_id, user_agent, created_at, expires_at, surface)
               VALUES (%s, %s, 'tests', %s, %s, %s)""",
            (session_id, user_id, now, now + timedelta(days=30), surface),
        )
        token = self._use.tokens.issue(user_id=user_id, session_id=session_id, roles=roles, at=now, surface=surface)
        return Persona(name, user_id, session_id, roles, surface, {"Authorization": f"Bearer {token}"})

    def renew(self, persona: Persona) -> None:
        """Whatever happened to the account: it may act again, as before."""
        self._connection.execute(
            """WITH one AS (UPDATE users SET status = 'ACTIVE', deleted_at = NULL, roles = %s WHERE id = %s)
               UPDATE sessions SET revoked_at = NULL WHERE id = %s""",
            (list(persona.roles), persona.user_id, persona.session_id),
        )
