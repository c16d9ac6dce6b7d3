"""What operations need from outside: settings' rows, their values at hand, and what was given up."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, TypeVar
from uuid import UUID

from domain.operations.settings import Setting

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class StoredSetting:
    """A setting's row; `value` is None while the default holds, `version` counts its changes."""

    id: UUID
    value: object
    version: int


class SettingRows(Protocol):
    """The rows of settings, to change them."""

    def get(self, setting: Setting[Any], *, at: datetime) -> StoredSetting:
        """Its row, locked until the unit of work ends; made where there is none yet."""
        ...

    def put(self, setting: Setting[Any], value: object, *, by: UUID | None, at: datetime) -> None:
        """Keep a value that its kind has read; None lets the default hold again."""
        ...


class DeadLetters(Protocol):
    """Deliveries of events that were given up."""

    def replay(self, *, event_id: UUID | None, handler: str | None) -> Sequence[str]:
        """Give them their attempts back, of one event or handler, or all; the handler of each."""
        ...


class SystemSettings(Protocol):
    """The values that hold now; reading one costs no round trip."""

    def value(self, setting: Setting[T]) -> T:
        """At most one second behind what another process wrote."""
        ...

    def made_into(self, make: Callable[[SystemSettings], T]) -> T:
        """What a function makes of the values, made once for as long as they hold."""
        ...

    def default(self, setting: Setting[T]) -> T:
        """What holds where nobody chose."""
        ...

    def forget(self) -> None:
        """Called by whoever wrote, after the commit: the next reader of this process sees it."""
        ...
