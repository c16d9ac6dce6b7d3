"""Devices that pushes go to."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from domain.shared.errors import NotFound

MOST_DEVICES: Final = 10
"""Of one person; beyond them those that were not seen for the longest are forgotten."""


class DeviceNotFound(NotFound):
    """There is no such device, or it is not the viewer's."""

    code = "device_not_found"


class Platform(StrEnum):
    """What the app runs on."""

    IOS = "IOS"
    ANDROID = "ANDROID"
    WEB = "WEB"


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """An app on a device, as its token for pushes names it; `locale` is the language it shows."""

    id: UUID
    user_id: UUID
    token: str = field(repr=False)
    platform: Platform
    locale: str
    last_seen_at: datetime
