"""What staff do to other people's accounts: profiles, status, roles, closing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from application.ports import UnitOfWork
from domain.identity.roles import SUPER_ADMIN, RoleNotGrantable, may_change, may_grant
from domain.identity.users import LastSuperAdmin, OwnAccount, User, UserStatus
from domain.shared.clock import Clock
from domain.shared.errors import InvalidValue, NotAllowed, NotFound, refuse_stale


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeUser:
    """What to change; None leaves a field as it is. `reason` goes with `status`, and into the audit log."""

    actor_id: UUID
    user_id: UUID
    status: UserStatus | None
    reason: str | None
    first_name: str | None
    last_name: str | None
    phone: str | None
    locale: str | None
    expected_version: int | None = None


def change_user(command: ChangeUser, *, uow: UnitOfWork, clock: Clock) -> None:
    """Change somebody's profile or status; whoever is disabled is signed out everywhere.

    Raises PreconditionFailed, OwnAccount, RoleNotGrantable, LastSuperAdmin, AccountClosed, or InvalidValue naming
    the field.
    """
    if command.status is UserStatus.DISABLED and command.reason is None:
        raise InvalidValue("say why", pointer="/reason", code="required")
    now = clock.now()
    with uow:
        user, others = _subject(command, uow)
        before = _shown(user)
        user.change_profile(
            first_name=command.first_name, last_name=command.last_name, phone=command.phone, locale=command.locale
        )
        if command.status is not None and command.status is not user.status:
            _refuse_own(command.actor_id, user)
            _keep_a_super_admin(user, others, stays=command.status is UserStatus.ACTIVE)
            user.set_status(command.status)
            if command.status is UserStatus.DISABLED:
                _sign_out(user, "disabled", uow=uow, at=now)
        _audit(command.actor_id, "users.update", user, before, uow=uow, at=now, reason=command.reason)
        uow.commit()


@dataclass(frozen=True, slots=True, kw_only=True)
class SetRoles:
    """`actor_permissions` are what the actor may do: nobody gives a role that permits more."""

    actor_id: UUID
    actor_permissions: frozenset[str]
    user_id: UUID
    roles: frozenset[str]
    expected_version: int | None = None


def set_roles(command: SetRoles, *, uow: UnitOfWork, clock: Clock) -> None:
    """Give somebody exactly these roles; their tokens change nothing any more until they are refreshed.

    Raises PreconditionFailed, OwnAccount, RoleNotGrantable, LastSuperAdmin, AccountClosed, or InvalidValue for an
    unknown role.
    """
    now = clock.now()
    with uow:
        user, others = _subject(command, uow)
        _refuse_own(command.actor_id, user)
        before, had = _shown(user), frozenset(user.roles)
        _refuse_above(uow.users.get(command.actor_id).roles, command.roles ^ had)
        _refuse_unknown(command.roles - had, command.actor_permissions, uow)
        _keep_a_super_admin(user, others, stays=SUPER_ADMIN in command.roles)
        user.set_roles(command.roles)
        _audit(command.actor_id, "users.roles", user, before, uow=uow, at=now)
        uow.commit()


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseUser:
    actor_id: UUID
    user_id: UUID
    expected_version: int | None = None


def close_user(command: CloseUser, *, uow: UnitOfWork, clock: Clock) -> None:
    """Close somebody's account, as they could themselves; what was bought stays on the books.

    Raises PreconditionFailed, OwnAccount, RoleNotGrantable or LastSuperAdmin.
    """
    now = clock.now()
    with uow:
        user, others = _subject(command, uow)
        _refuse_own(command.actor_id, user)
        _keep_a_super_admin(user, others, stays=False)
        before = _shown(user)
        user.close(at=now)
        _sign_out(user, "account closed", uow=uow, at=now)
        _audit(command.actor_id, "users.delete", user, before, uow=uow, at=now)
        uow.commit()


def _subject(command: ChangeUser | SetRoles | CloseUser, uow: UnitOfWork) -> tuple[User, int]:
    """Who is changed, and how many super admins there are besides; the actor must be above them, here and now."""
    # Asked for first: two that unmake each other at the same time come one after the other from here on.
    others = uow.users.other_super_admins(command.user_id)
    actor, user = (uow.users.get(one) for one in (command.actor_id, command.user_id))
    if not actor.may_sign_in:
        raise NotAllowed()
    if user.deleted_at is not None:
        raise NotFound()
    if not may_change(actor.roles, user.roles):
        raise RoleNotGrantable(", ".join(role for role in user.roles if not may_grant(actor.roles, role)))
    refuse_stale(command.expected_version, current=user.version)
    return user, others


def _refuse_own(actor_id: UUID, user: User) -> None:
    if user.id == actor_id:
        raise OwnAccount()


def _refuse_above(actor_roles: Iterable[str], roles: Iterable[str]) -> None:
    for role in sorted(roles):
        if not may_grant(actor_roles, role):
            raise RoleNotGrantable(role)


def _refuse_unknown(roles: Iterable[str], actor_permissions: frozenset[str], uow: UnitOfWork) -> None:
    """Refuse roles that do not exist, or permit what the actor may not do."""
    for role in sorted(roles):
        permitted = uow.roles.permissions_of(role)
        if permitted is None:
            raise InvalidValue(f"there is no role {role}", pointer="/roles", code="unknown_role")
        if not permitted <= actor_permissions:
            raise RoleNotGrantable(role)


def _keep_a_super_admin(user: User, others: int, *, stays: bool) -> None:
    if user.is_super_admin and user.may_sign_in and not stays and not others:
        raise LastSuperAdmin()


def _sign_out(user: User, reason: str, *, uow: UnitOfWork, at: datetime) -> None:
    for session in uow.sessions.of_user(user.id):
        session.revoke(at=at, reason=reason)


def _shown(user: User) -> dict[str, Any]:
    return {
        "status": user.status.value,
        "roles": sorted(user.roles),
        "first_name": user.first_name,
        "last_name": user.last_name,
        "phone": user.phone,
        "locale": user.locale,
        "closed": user.deleted_at is not None,
    }


def _audit(
    actor_id: UUID,
    action: str,
    user: User,
    before: dict[str, Any],
    *,
    uow: UnitOfWork,
    at: datetime,
    reason: str | None = None,
) -> None:
    """What differs, before and after; nothing where nothing does."""
    after = _shown(user)
    changed = [name for name in after if after[name] != before[name]]
    if not changed:
        return
    changes: dict[str, object] = {
        "before": {name: before[name] for name in changed},
        "after": {name: after[name] for name in changed},
    }
    if reason is not None:
        changes["reason"] = reason
    uow.audit.add(actor=actor_id, action=action, resource_type="USER", resource_id=user.id, changes=changes, at=at)
