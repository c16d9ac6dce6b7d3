"""Changing the system's settings, and taking a change back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from application.operations.ports import SystemSettings
from application.ports import UnitOfWork
from domain.identity.roles import SUPER_ADMIN
from domain.operations.audit import changed
from domain.operations.settings import Setting, setting_of
from domain.shared.clock import Clock
from domain.shared.errors import NotAllowed, refuse_stale


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeSetting:
    """`value` as JSON said it; `expected_version` is the one that the caller saw.

    `actor_id` is None from the command line, which may change everything.
    """

    key: str
    value: object
    actor_id: UUID | None
    actor_roles: frozenset[str] = frozenset()
    expected_version: int | None = None


def change_setting(command: ChangeSetting, *, uow: UnitOfWork, values: SystemSettings, clock: Clock) -> None:
    """Choose a setting's value. Raises SettingNotFound, NotAllowed, InvalidValue at `/value`, or PreconditionFailed.

    Whoever calls it makes `values` forget once that is committed.
    """
    known = _changeable(command)
    value = known.kind.read(command.value)
    _put(known, value, _Choice(command.actor_id, command.expected_version), uow=uow, values=values, clock=clock)


@dataclass(frozen=True, slots=True, kw_only=True)
class ResetSetting:
    """`expected_version` is the one that the caller saw; `actor_id` is None from the command line."""

    key: str
    actor_id: UUID | None
    actor_roles: frozenset[str] = frozenset()
    expected_version: int | None = None


def reset_setting(command: ResetSetting, *, uow: UnitOfWork, values: SystemSettings, clock: Clock) -> None:
    """Let a setting's default hold again. Raises SettingNotFound, NotAllowed or PreconditionFailed."""
    choice = _Choice(command.actor_id, command.expected_version)
    _put(_changeable(command), None, choice, uow=uow, values=values, clock=clock)


def _changeable(command: ChangeSetting | ResetSetting) -> Setting[Any]:
    """The setting, where whoever asks may change it. Raises SettingNotFound or NotAllowed."""
    known = setting_of(command.key)
    if known.super_admins_only and command.actor_id is not None and SUPER_ADMIN not in command.actor_roles:
        raise NotAllowed()
    return known


@dataclass(frozen=True, slots=True)
class _Choice:
    actor_id: UUID | None
    expected_version: int | None


def _put(
    known: Setting[Any], value: object, choice: _Choice, *, uow: UnitOfWork, values: SystemSettings, clock: Clock
) -> None:
    now, default = clock.now(), values.default(known)
    with uow:
        stored = uow.system_settings.get(known, at=now)
        refuse_stale(choice.expected_version, current=stored.version)
        changes = changed(_state(stored.value, default), _state(value, default))
        if changes["after"]:
            uow.system_settings.put(known, value, by=choice.actor_id, at=now)
            uow.audit.add(
                actor=choice.actor_id,
                action="settings.update",
                resource_type="SETTING",
                resource_id=stored.id,
                changes={**changes, "setting": known.key},
                at=now,
            )
        uow.commit()


def _state(value: object, default: object) -> dict[str, object]:
    return {"value": default if value is None else value, "is_default": value is None}
