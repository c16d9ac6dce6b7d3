"""Preferences as a row has them."""

from __future__ import annotations

from typing import Any, Final

from domain.messaging.channels import Channel, MessageKind
from domain.messaging.preferences import Choices, Preferences, QuietHours
from infrastructure.database.transaction import Row

PREFERENCES: Final = """
SELECT preferences, quiet_from, quiet_until, time_zone FROM notification_preferences WHERE user_id = %s
"""


def preferences_of(row: Row | None) -> Preferences:
    """Those of a row, joined ones too; without one, what is usual."""
    if row is None or row["time_zone"] is None:
        return Preferences()
    begins, ends = row["quiet_from"], row["quiet_until"]
    quiet = QuietHours(begins, ends) if begins is not None else None
    return Preferences(choices=_choices(row["preferences"]), quiet=quiet, time_zone=row["time_zone"])


def _choices(kept: dict[str, dict[str, Any]]) -> Choices:
    return {
        MessageKind(kind): {Channel(channel): bool(wanted) for channel, wanted in chosen.items()}
        for kind, chosen in kept.items()
    }
