"""The settings' values as every process holds them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import structlog

from application.operations.ports import SystemSettings
from domain.operations.settings import SETTINGS, Setting
from domain.shared.errors import InvalidValue
from infrastructure.database.snapshots import Snapshot, revision_of
from infrastructure.database.transaction import Database

T = TypeVar("T")
_VALUES = "SELECT setting_key, setting_value FROM system_settings WHERE setting_value IS NOT NULL"
_log = structlog.get_logger(__name__)


class SnapshotSettings:
    """Implements `application.operations.ports.SystemSettings`: at most one second behind other processes.

    `defaults` are those of this installation, by key; the registry's hold for the others.
    """

    def __init__(self, database: Database, defaults: Mapping[str, Any]) -> None:
        self._database = database
        self._defaults = {key: defaults.get(key, known.default) for key, known in SETTINGS.items()}
        self._snapshot = Snapshot(self._load, revision_of(database, "settings"))
        self._made: tuple[Mapping[str, Any], dict[Any, Any]] = ({}, {})

    def value(self, setting: Setting[T]) -> T:
        found: T = self._snapshot.value[setting.key]
        return found

    def made_into(self, make: Callable[[SystemSettings], T]) -> T:
        values = self._snapshot.value
        if self._made[0] is not values:
            self._made = values, {}
        made = self._made[1]
        if make not in made:
            made[make] = make(self)
        found: T = made[make]
        return found

    def default(self, setting: Setting[T]) -> T:
        found: T = self._defaults[setting.key]
        return found

    def forget(self) -> None:
        self._snapshot.forget()

    def _load(self) -> Mapping[str, Any]:
        return {**self._defaults, **dict(_read(self._database.rows(_VALUES)))}


def _read(rows: list[dict[str, Any]]) -> list[tuple[str, Any]]:
    """The values that this release knows; one that no longer fits gives way to the default, and is told of."""
    read: list[tuple[str, Any]] = []
    for row in rows:
        known = SETTINGS.get(row["setting_key"])
        if known is None:
            continue
        try:
            read.append((known.key, known.kind.read(row["setting_value"])))
        except InvalidValue:
            _log.warning("setting_does_not_fit", setting=known.key)
    return read
