"""Roles: what their holders may do, on which surface they count, and who gives them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from domain.shared.aggregate import Aggregate
from domain.shared.errors import Conflict, InvalidValue, NotAllowed, NotFound


class Surface(StrEnum):
    """Where somebody signs in; a role counts on its own surface and on wider ones."""

    APP = "APP"
    """The customers' app and site."""
    PARTNER = "PARTNER"
    """The portal of agents and vendors."""
    STAFF = "STAFF"
    """The company's own console."""

    def holds(self, other: Surface) -> bool:
        """Whether what counts on the other surface counts here, too."""
        return _WIDTH[other] <= _WIDTH[self]


_WIDTH: Final = {Surface.APP: 0, Surface.PARTNER: 1, Surface.STAFF: 2}
SUPER_ADMIN: Final = "SUPER_ADMIN"
ADMINS: Final = frozenset({SUPER_ADMIN, "ADMIN"})
_OUTSIDE: Final = {"CUSTOMER": Surface.APP, "AGENT": Surface.PARTNER, "VENDOR": Surface.PARTNER}


class RoleNotFound(NotFound):
    """There is no such role."""

    code = "role_not_found"


class RoleNameTaken(Conflict):
    """Another role has this name."""

    code = "role_name_taken"


class RoleInUse(Conflict):
    """Somebody has the role; take it from them first."""

    code = "role_in_use"


class SystemRoleFixed(Conflict):
    """The system's own roles keep their names and are never deleted; the super admin's permissions never change."""

    code = "system_role_fixed"


class RoleNotGrantable(NotAllowed):
    """The role is above what this person may give, or take from whoever has it."""

    code = "role_not_grantable"

    def __init__(self, role: str) -> None:
        super().__init__(role=role)


class PermissionNotHeld(NotAllowed):
    """Nobody gives a permission that they do not have themselves."""

    code = "permission_not_held"

    def __init__(self, permissions: Iterable[str]) -> None:
        super().__init__(permissions=", ".join(sorted(permissions)))


class WrongSurface(NotAllowed):
    """The account has no role there, or the token was issued for another surface than this route is on."""

    code = "wrong_surface"


def surface_of(role: str) -> Surface:
    """Where a role counts; whatever role the company makes for itself is one of its staff."""
    return _OUTSIDE.get(role, Surface.STAFF)


def widest_surface(roles: Iterable[str]) -> Surface:
    """The widest surface that any of the roles counts on; customers' where there is none."""
    return max(map(surface_of, roles), key=_WIDTH.__getitem__, default=Surface.APP)


def roles_on(surface: Surface, roles: Iterable[str]) -> frozenset[str]:
    """Those of the roles that count on a surface."""
    return frozenset(role for role in roles if surface.holds(surface_of(role)))


def choose_surface(wanted: Surface | None, roles: Iterable[str]) -> Surface:
    """Where a session is opened: the widest that the roles allow unless asked for. Raises WrongSurface."""
    widest = widest_surface(roles)
    if wanted is not None and not widest.holds(wanted):
        raise WrongSurface()
    return wanted or widest


def may_grant(granter_roles: Iterable[str], role: str) -> bool:
    """Whether holders of these roles may give or take a role: administrators are made by super admins alone."""
    granters = frozenset(granter_roles)
    return SUPER_ADMIN in granters if role in ADMINS else not granters.isdisjoint(ADMINS)


def may_change(changer_roles: Iterable[str], roles: Iterable[str]) -> bool:
    """Whether staff with these roles may change the account of somebody: a customer's, or one they could make."""
    changers = frozenset(changer_roles)
    return all(role == "CUSTOMER" or may_grant(changers, role) for role in roles)


@dataclass(eq=False, kw_only=True)
class Role(Aggregate):
    """A name that people are given, and the permission codes that go with it."""

    id: UUID
    name: str
    display_name_ar: str
    display_name_en: str
    surface: Surface
    is_system: bool
    permissions: frozenset[str] = field(default_factory=frozenset)
    created_at: datetime
    updated_at: datetime
    version: int = 1
    """Counted by the database with every change."""

    @classmethod
    def create(cls, *, role_id: UUID, name: str, display_name_ar: str, display_name_en: str, at: datetime) -> Role:
        """A role of the company's own making, without permissions yet."""
        if not _NAME.fullmatch(name):
            raise InvalidValue("3 to 40 capital letters, digits and _", pointer="/name", code="invalid_name")
        return cls(
            id=role_id,
            name=name,
            display_name_ar=display_name_ar,
            display_name_en=display_name_en,
            surface=Surface.STAFF,
            is_system=False,
            created_at=at,
            updated_at=at,
        )

    def rename(self, *, display_name_ar: str | None, display_name_en: str | None, at: datetime) -> None:
        """Show it under other names; None leaves one as it is. Raises SystemRoleFixed."""
        if self.is_system:
            raise SystemRoleFixed()
        self.display_name_ar = display_name_ar or self.display_name_ar
        self.display_name_en = display_name_en or self.display_name_en
        self.updated_at = at

    def permit(self, permissions: Iterable[str], *, held: frozenset[str], at: datetime) -> None:
        """Give it exactly these; `held` are the giver's own. Raises PermissionNotHeld or SystemRoleFixed."""
        wanted = frozenset(permissions)
        if self.name == SUPER_ADMIN:
            raise SystemRoleFixed()
        if wanted - self.permissions - held:
            raise PermissionNotHeld(wanted - self.permissions - held)
        self.permissions = wanted
        self.updated_at = at

    def check_removable(self, *, in_use: bool) -> None:
        """Raises SystemRoleFixed or RoleInUse where the role has to stay."""
        if self.is_system:
            raise SystemRoleFixed()
        if in_use:
            raise RoleInUse()


_NAME: Final = re.compile(r"[A-Z][A-Z0-9_]{2,39}")
