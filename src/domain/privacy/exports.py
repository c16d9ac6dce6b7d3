"""A copy of everything that is held about a person, made on request."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import ClassVar, Final
from uuid import UUID

from domain.shared.errors import Conflict, NotFound, RuleBroken
from domain.shared.events import DomainEvent

KEPT_FOR: Final = timedelta(days=7)
A_DAY: Final = timedelta(days=1)
MOST_A_DAY: Final = 3


class ExportStatus(StrEnum):
    """How far an export is."""

    REQUESTED = "REQUESTED"
    READY = "READY"
    FAILED = "FAILED"
    """It could not be made within a day; ask again."""
    EXPIRED = "EXPIRED"
    """Its time is over; the file is deleted at the next clean-up."""


class ExportInProgress(Conflict):
    """The export that was asked for before is still being made."""

    code = "export_in_progress"


class TooManyExports(RuleBroken):
    """As many exports as a day allows were made."""

    code = "export_limit_reached"


class ExportNotFound(NotFound):
    """There is no such export of this person."""

    code = "export_not_found"


class ExportNotReady(Conflict):
    """The export has no file: not yet, or no longer."""

    code = "export_not_ready"


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportRequested(DomainEvent):
    name: ClassVar[str] = "privacy.export_requested"
    export_id: UUID
    user_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """One request for a person's data."""

    id: UUID
    user_id: UUID
    requested_by_user_id: UUID
    locale: str
    requested_at: datetime

    @property
    def storage_key(self) -> str:
        return storage_key(self.id)


def storage_key(export_id: UUID) -> str:
    """Where an export's file lies; the erasing function of the database knows the same rule."""
    return f"exports/{export_id}"
