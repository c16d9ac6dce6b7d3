"""Choosing how one is told."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from uuid import UUID

from application.ports import UnitOfWork
from domain.messaging.preferences import Choices, QuietHours
from domain.shared.clock import Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangePreferences:
    """What is not named stays; `quiet` counts only where `sets_quiet`, and None ends quiet hours."""

    user_id: UUID
    choices: Choices = field(default_factory=dict)
    sets_quiet: bool = False
    quiet: QuietHours | None = None
    time_zone: str | None = None


def change_preferences(command: ChangePreferences, *, uow: UnitOfWork, clock: Clock) -> None:
    """Choose anew. Raises ChannelFixed, or InvalidValue for a zone that there is none."""
    with uow:
        preferences = uow.notification_preferences.lock(command.user_id).choosing(command.choices)
        if command.sets_quiet:
            preferences = replace(preferences, quiet=command.quiet)
        if command.time_zone is not None:
            preferences = preferences.living_in(command.time_zone)
        uow.notification_preferences.save(command.user_id, preferences, at=clock.now())
        uow.commit()
