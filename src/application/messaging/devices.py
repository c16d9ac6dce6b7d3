"""Devices: where one's own pushes go."""

from __future__ import annotations

from dataclasses import dataclass, field
from uuid import UUID

from application.ports import UnitOfWork
from domain.messaging.devices import Device, DeviceNotFound, Platform
from domain.shared.clock import Clock
from domain.shared.identifiers import NewId


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterDevice:
    user_id: UUID
    token: str = field(repr=False)
    platform: Platform
    locale: str


def register_device(command: RegisterDevice, *, uow: UnitOfWork, clock: Clock, new_id: NewId) -> UUID:
    """Have pushes sent to a device; whoever had it before gets none there any more. Its id."""
    with uow:
        device_id = uow.devices.register(
            Device(
                id=new_id(),
                user_id=command.user_id,
                token=command.token,
                platform=command.platform,
                locale=command.locale,
                last_seen_at=clock.now(),
            )
        )
        uow.commit()
    return device_id


def remove_device(device_id: UUID, *, user_id: UUID, uow: UnitOfWork) -> None:
    """Send no more pushes there. Raises DeviceNotFound."""
    with uow:
        if not uow.devices.remove(device_id, user_id=user_id):
            raise DeviceNotFound()
        uow.commit()
