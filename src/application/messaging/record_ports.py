"""What messaging keeps: devices, preferences, deliveries by channel, and addresses that are dead."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol
from uuid import UUID

from domain.messaging.channels import Channel
from domain.messaging.deliveries import Delivery, DeliveryStatus
from domain.messaging.devices import Device
from domain.messaging.notifications import Notification
from domain.messaging.preferences import Preferences


class Notifications(Protocol):
    """In-app messages."""

    def add(self, notification: Notification) -> None: ...


class Devices(Protocol):
    """Where pushes go."""

    def register(self, device: Device) -> UUID:
        """Keep a device, or see it again: a token is whoever registered it last's. Its id.

        Of more than MOST_DEVICES of one person, those not seen for the longest go.
        """
        ...

    def remove(self, device_id: UUID, *, user_id: UUID) -> bool:
        """Forget one of a person's devices; whether there was one."""
        ...

    def forget(self, device_id: UUID, *, token: str) -> None:
        """Forget a device whose token is dead."""
        ...


class PreferenceRows(Protocol):
    """Everybody's preferences."""

    def lock(self, user_id: UUID) -> Preferences:
        """Those of one person, which nobody else changes until the commit."""
        ...

    def save(self, user_id: UUID, preferences: Preferences, *, at: datetime) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """Somebody to tell something: by which ways they can be reached, and which they want."""

    user_id: UUID
    is_erased: bool
    has_proved_phone: bool
    preferences: Preferences
    device_ids: tuple[UUID, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Posting:
    """A delivery that is to be sent now, with what it takes to write and to address it.

    `event` is the event's payload with its id; `token` and `device_locale` are of the device that it goes to,
    empty where that is gone, or somebody else's by now.
    """

    id: UUID
    channel: Channel
    event_name: str
    event: dict[str, object] = field(repr=False)
    email: str = field(repr=False)
    phone: str | None = field(repr=False)
    first_name: str = field(repr=False)
    locale: str
    device_id: UUID | None
    token: str = field(repr=False)
    device_locale: str
    preferences: Preferences


class NotificationDeliveries(Protocol):
    """Messages on their way by mail, text and push."""

    def reader(self, user_id: UUID) -> Reader:
        """Raises NotFound."""
        ...

    def plan(self, deliveries: Sequence[Delivery]) -> Sequence[UUID]:
        """Keep those that there are not yet; their ids."""
        ...

    def posting(self, delivery_id: UUID) -> Posting | None:
        """What is still to be sent; None when it was sent, held or ended, or is gone."""
        ...

    def hold(self, delivery_id: UUID, *, until: datetime) -> None: ...

    def release(self, *, at: datetime, limit: int) -> Sequence[UUID]:
        """Make deliveries pending whose quiet hours are over; their ids."""
        ...

    def note_failure(self, delivery_id: UUID, error: str) -> None:
        """One more try went wrong; it stays pending."""
        ...

    def finish(self, delivery_id: UUID, status: DeliveryStatus, *, error: str | None, at: datetime) -> None:
        """One more try, and the last: sent, refused or skipped. What has ended does not change any more."""
        ...


class Suppressions(Protocol):
    """Addresses at which a mail server says that nobody can be reached."""

    def lift(self, suppression_id: UUID) -> str | None:
        """Let mail go to an address again; the address, None where it is not held back."""
        ...
