"""Giving people everything that is held about them."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from uuid import UUID

from application.billing.ports import ObjectStorage
from application.ports import Encryption, NewUnitOfWork, UnitOfWork
from application.privacy.ports import PersonalDataArchive, PersonalDataReader
from domain.privacy.exports import (
    A_DAY,
    KEPT_FOR,
    MOST_A_DAY,
    Export,
    ExportNotReady,
    ExportRequested,
    ExportStatus,
    TooManyExports,
    storage_key,
)
from domain.shared.clock import Clock
from domain.shared.identifiers import NewId


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestExport:
    """Whose data, and who asks: the person, or staff for them."""

    user_id: UUID
    actor_id: UUID
    locale: str


def request_export(command: RequestExport, *, uow: UnitOfWork, clock: Clock, new_id: NewId) -> UUID:
    """Have an export made by a worker. Raises ExportInProgress or TooManyExports."""
    now = clock.now()
    export = Export(
        id=new_id(),
        user_id=command.user_id,
        requested_by_user_id=command.actor_id,
        locale=command.locale,
        requested_at=now,
    )
    with uow:
        # Locked: two requests in the same second must not both count the same exports.
        uow.users.get(command.user_id)
        if uow.privacy.exports_since(command.user_id, now - A_DAY) >= MOST_A_DAY:
            raise TooManyExports(most=MOST_A_DAY)
        uow.privacy.add_export(export)
        if command.actor_id != command.user_id:
            uow.audit.add(
                actor=command.actor_id,
                action="privacy.export",
                resource_type="USER",
                resource_id=command.user_id,
                changes={"after": {"export_id": str(export.id)}},
                at=now,
            )
        uow.publish(ExportRequested(at=now, export_id=export.id, user_id=export.user_id))
        uow.commit()
    return export.id


@dataclass(frozen=True, slots=True)
class Exporting:
    """What an export is read from, packed with and kept in; files are sealed with the keys of encrypted fields."""

    reader: PersonalDataReader
    archive: PersonalDataArchive
    storage: ObjectStorage
    encryption: Encryption

    def keep(self, key: str, packed: bytes) -> None:
        sealed = self.encryption.encrypt(base64.b64encode(packed).decode())
        self.storage.put(key, sealed, "application/octet-stream")

    def kept(self, key: str) -> bytes | None:
        sealed = self.storage.get(key)
        return None if sealed is None else base64.b64decode(self.encryption.decrypt(sealed))


def make_export(export_id: UUID, *, exporting: Exporting, new_uow: NewUnitOfWork, clock: Clock) -> None:
    """Read, pack and keep an export; one that nobody waits for any more leaves nothing behind."""
    with new_uow() as uow:
        export = uow.privacy.export_to_make(export_id)
    if export is None:
        return
    stored = exporting.reader.invoice_files(export.user_id)
    files = {name: pdf for name, key in stored.items() if (pdf := exporting.storage.get(key)) is not None}
    packed = exporting.archive.pack(exporting.reader.collect(export.user_id), export.locale, files)
    exporting.keep(export.storage_key, packed)
    now = clock.now()
    with new_uow() as uow:
        wanted = uow.privacy.export_is_ready(export_id, size=len(packed), at=now, expires_at=now + KEPT_FOR)
        uow.commit()
    if not wanted:
        # The person was erased while this was being made.
        exporting.storage.delete(export.storage_key)


def read_export(export_id: UUID, status: str, *, as_json: bool, exporting: Exporting) -> bytes:
    """The archive, or its JSON document alone. Raises ExportNotReady."""
    packed = exporting.kept(storage_key(export_id)) if status == ExportStatus.READY else None
    if packed is None:
        raise ExportNotReady(current=status)
    return exporting.archive.json_of(packed) if as_json else packed
