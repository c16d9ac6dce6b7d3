"""One message on its way to one person by one channel."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from domain.messaging.channels import Channel
from domain.shared.errors import NotFound
from domain.shared.events import DomainEvent


class SuppressionNotFound(NotFound):
    """Mail to this address is not held back, or not any more."""

    code = "suppression_not_found"


class DeliveryStatus(StrEnum):
    """Where it stands."""

    PENDING = "PENDING"
    """To be sent; also while it is tried again."""
    HELD = "HELD"
    """Waits for its reader's quiet hours to end."""
    SENT = "SENT"
    """Taken by whoever delivers it; never sent again."""
    REFUSED = "REFUSED"
    """Will never be taken: a dead address, number or device."""
    SKIPPED = "SKIPPED"
    """Not worth saying any more, or nobody to say it to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryPlanned(DomainEvent):
    """It may be sent."""

    name: ClassVar[str] = "messaging.delivery_planned"
    delivery_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryWithFilesPlanned(DomainEvent):
    """A mail may be sent whose files are drawn first, which takes longer than what waits behind it should."""

    name: ClassVar[str] = "messaging.delivery_with_files_planned"
    delivery_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One for each event, person, channel and, for pushes, device: planning it twice is planning it once."""

    id: UUID
    event_id: UUID
    user_id: UUID
    channel: Channel
    device_id: UUID | None
    created_at: datetime
