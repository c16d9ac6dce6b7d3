"""Changing the system's settings, and taking a change back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from application.operations.ports import SystemSettings
from application.ports import UnitOfWork
from domain.operations.audit import changed
from domain.operations.settings import Setting, setting_of
from domain.shared.clock import Clock
from domain.shared.errors import refuse_stale


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeSetting:
    """`value` as JSON said it; `expected_version` is the one that the caller saw."""

    key: str
    value: object
    actor_id: UUID | None
    expected_version: int | None = None


def change_setting(command: ChangeSetting, *, uow: UnitOfWork, values: SystemSettings, clock: Clock) -> None:
    """Choose a setting's value. Raises SettingNotFound, InvalidValue at `/value`, or PreconditionFailed.

    Whoever calls it makes `values` forget once that is committed.
    """
    known = setting_of(command.key)
    value = known.kind.read(command.value)
    _put(known, value, _Choice(command.actor_id, command.expected_version), uow=uow, values=values, clock=clock)


@dataclass(frozen=True, slots=True, kw_only=True)
class ResetSetting:
    """`expected_version` is the one that the caller saw."""

    key: str
    actor_id: UUID | None
    expected_version: int | None = None


def reset_setting(command: ResetSetting, *, uow: UnitOfWork, values: SystemSettings, clock: Clock) -> None:
    """Let a setting's default hold again. Raises SettingNotFound or PreconditionFailed."""
    choice = _Choice(command.actor_id, command.expected_version)
    _put(setting_of(command.key), None, choice, uow=uow, values=values, clock=clock)


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
