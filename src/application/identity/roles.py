"""Making roles, saying what they permit, removing them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from application.ports import UnitOfWork
from domain.identity.roles import Role, RoleNotGrantable, may_grant
from domain.shared.clock import Clock
from domain.shared.errors import refuse_stale
from domain.shared.identifiers import NewId


@dataclass(frozen=True, slots=True, kw_only=True)
class Administrator:
    """Who works on roles: with which roles and permissions."""

    id: UUID
    roles: frozenset[str]
    permissions: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateRole:
    by: Administrator
    name: str
    display_name_ar: str
    display_name_en: str
    permissions: frozenset[str]


def create_role(command: CreateRole, *, uow: UnitOfWork, clock: Clock, new_id: NewId) -> UUID:
    """Make a role of the company's own. Raises RoleNotGrantable, RoleNameTaken, PermissionNotHeld, or InvalidValue."""
    if not may_grant(command.by.roles, command.name):
        raise RoleNotGrantable(command.name)
    now = clock.now()
    role = Role.create(
        role_id=new_id(),
        name=command.name,
        display_name_ar=command.display_name_ar,
        display_name_en=command.display_name_en,
        at=now,
    )
    role.permit(command.permissions, held=command.by.permissions, at=now)
    with uow:
        uow.roles.add(role)
        _audit(command.by, role, {"after": _shown(role)}, uow=uow, at=now)
        uow.commit()
    return role.id


@dataclass(frozen=True, slots=True, kw_only=True)
class RenameRole:
    """Other display names; None leaves one as it is. The name itself never changes: people are given it."""

    by: Administrator
    role_id: UUID
    display_name_ar: str | None
    display_name_en: str | None
    expected_version: int | None = None


def rename_role(command: RenameRole, *, uow: UnitOfWork, clock: Clock) -> None:
    """Show a role under other names. Raises SystemRoleFixed."""
    now = clock.now()
    with uow:
        role = _role(command, uow)
        before = _shown(role)
        role.rename(display_name_ar=command.display_name_ar, display_name_en=command.display_name_en, at=now)
        uow.roles.save(role)
        _audit(command.by, role, {"before": before, "after": _shown(role)}, uow=uow, at=now)
        uow.commit()


@dataclass(frozen=True, slots=True, kw_only=True)
class PermitRole:
    by: Administrator
    role_id: UUID
    permissions: frozenset[str]
    expected_version: int | None = None


def permit_role(command: PermitRole, *, uow: UnitOfWork, clock: Clock) -> None:
    """Give a role exactly these permissions; every process heeds it within a second.

    Raises PermissionNotHeld, SystemRoleFixed or RoleNotGrantable.
    """
    now = clock.now()
    with uow:
        role = _role(command, uow)
        before = _shown(role)
        role.permit(command.permissions, held=command.by.permissions, at=now)
        uow.roles.save(role)
        _audit(command.by, role, {"before": before, "after": _shown(role)}, uow=uow, at=now)
        uow.commit()


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveRole:
    by: Administrator
    role_id: UUID
    expected_version: int | None = None


def remove_role(command: RemoveRole, *, uow: UnitOfWork, clock: Clock) -> None:
    """Delete a role that nobody has. Raises SystemRoleFixed or RoleInUse."""
    now = clock.now()
    with uow:
        role = _role(command, uow)
        role.check_removable(in_use=uow.roles.is_in_use(role.name))
        uow.roles.remove(role)
        _audit(command.by, role, {"before": _shown(role)}, uow=uow, at=now)
        uow.commit()


def _role(command: RenameRole | PermitRole | RemoveRole, uow: UnitOfWork) -> Role:
    """A role that this administrator could give to somebody, locked, in the version that they saw."""
    role = uow.roles.get(command.role_id)
    if not may_grant(command.by.roles, role.name):
        raise RoleNotGrantable(role.name)
    refuse_stale(command.expected_version, current=role.version)
    return role


def _shown(role: Role) -> dict[str, Any]:
    return {
        "name": role.name,
        "display_name_ar": role.display_name_ar,
        "display_name_en": role.display_name_en,
        "permissions": sorted(role.permissions),
    }


def _audit(by: Administrator, role: Role, changes: dict[str, object], *, uow: UnitOfWork, at: datetime) -> None:
    uow.audit.add(actor=by.id, action="roles.manage", resource_type="ROLE", resource_id=role.id, changes=changes, at=at)
