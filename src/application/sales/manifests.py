"""Manifests: read by staff and by the vendor whose departure it is, drawn by a worker, dropped after their time."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Final
from uuid import UUID

from application.billing.ports import DocumentRenderer, ObjectStorage
from application.identity.ports import KeyedDigests
from application.ports import NewUnitOfWork, UnitOfWork
from application.sales.manifest_ports import ManifestDocument, Manifests
from domain.catalogue.departures import DepartureNotFound
from domain.sales.manifests import KEPT_FOR, Manifest, ManifestRequested, storage_key
from domain.shared.clock import Clock, business_date
from domain.shared.identifiers import NewId

LANGUAGES: Final = ("ar", "en", "both")
BATCH: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadManifest:
    """Somebody looks at who travels, in a format; `whole` shows document numbers as they are.

    `vendor_id` is whose departures they may look at; None for staff, who may look at all.
    """

    departure_id: UUID
    actor_id: UUID
    vendor_id: UUID | None
    format: str
    whole: bool


def read_manifest(command: ReadManifest, *, manifests: Manifests, uow: UnitOfWork, clock: Clock) -> Manifest:
    """The manifest; that it was read, and how many document numbers were shown, stays in the audit log.

    Raises DepartureNotFound.
    """
    with uow:
        manifest = _manifest(command, manifests)
        _note(command, manifest, uow=uow, clock=clock)
        uow.commit()
    return manifest if command.whole else manifest.masked()


def _manifest(command: ReadManifest, manifests: Manifests) -> Manifest:
    manifest = manifests.read(command.departure_id, vendor_id=command.vendor_id)
    if manifest is None:
        raise DepartureNotFound()
    return manifest


def _note(command: ReadManifest, manifest: Manifest, *, uow: UnitOfWork, clock: Clock) -> None:
    uow.audit.add(
        actor=command.actor_id,
        action="departures.manifest",
        resource_type="DEPARTURE",
        resource_id=command.departure_id,
        changes={
            "format": command.format,
            "parties": len(manifest.parties),
            "travelers": manifest.seats,
            "documents_shown": manifest.documents if command.whole else 0,
        },
        at=clock.now(),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class PrintManifest:
    """A manifest on paper, its document numbers masked, in `ar`, `en` or `both`."""

    reading: ReadManifest
    language: str


def print_manifest(
    command: PrintManifest,
    *,
    manifests: Manifests,
    uow: UnitOfWork,
    clock: Clock,
    new_id: NewId,
    digests: KeyedDigests,
) -> str | None:
    """Where the PDF lies; None while a worker makes it. One that says what stands there now is not made again.

    Raises DepartureNotFound or ManifestTooLong.
    """
    reading = command.reading
    with uow:
        manifest = _manifest(reading, manifests)
        manifest.refuse_long()
        asked = uow.manifest_requests.ask(
            reading.departure_id,
            command.language,
            content=digests.of(repr(asdict(manifest.masked()))),
            manifest_id=new_id(),
            by=reading.actor_id,
            at=clock.now(),
        )
        if asked.is_made:
            _note(reading, manifest, uow=uow, clock=clock)
        elif asked.is_new:
            uow.publish(ManifestRequested(at=clock.now(), manifest_id=asked.id))
        uow.commit()
    return storage_key(asked.id) if asked.is_made else None


def draw_manifest(
    manifest_id: UUID, *, manifests: Manifests, renderer: DocumentRenderer, storage: ObjectStorage, clock: Clock
) -> None:
    """Draw and keep the PDF of a manifest that is wanted, as it stands now."""
    wanted = manifests.to_draw(manifest_id)
    manifest = manifests.read(wanted.departure_id, vendor_id=None) if wanted is not None else None
    if wanted is None or manifest is None:
        return
    now = clock.now()
    document = ManifestDocument(manifest=manifest.masked(), made_on=business_date(now))
    pdf = renderer.manifest(document, wanted.language)
    key = storage_key(manifest_id)
    storage.put(key, pdf, "application/pdf")
    if not manifests.remember(manifest_id, size=len(pdf), at=now):
        # Somebody on it was erased while this was being drawn.
        storage.delete(key)


def drop_past_manifests(*, new_uow: NewUnitOfWork, storage: ObjectStorage, clock: Clock) -> int:
    """Delete PDFs past their time, file first; how many."""
    before, dropped = clock.now() - KEPT_FOR, 0
    while True:
        with new_uow() as uow:
            past = uow.manifest_requests.past(requested_before=before, limit=BATCH)
        for manifest_id in past:
            storage.delete(storage_key(manifest_id))
        with new_uow() as uow:
            uow.manifest_requests.drop(past)
            uow.commit()
        dropped += len(past)
        if len(past) < BATCH:
            return dropped
