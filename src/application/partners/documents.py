"""Papers of vendors and agents: pictures, because those can be made clean; and what staff say of them."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from application.billing.ports import ObjectStorage
from application.pictures import Pictures
from application.ports import NewUnitOfWork, UnitOfWork
from domain.partners.documents import DocumentKind, PartnerDocument, refuse_expired
from domain.partners.partners import PartnerNotFound
from domain.shared.clock import Clock, business_date
from domain.shared.identifiers import NewId
from domain.shared.payees import PayeeType


@dataclass(frozen=True, slots=True, kw_only=True)
class SendDocument:
    """A picture of a paper, as bytes that nobody has looked at yet; `expires_on` is its last good day."""

    partner_id: UUID
    user_id: UUID
    kind: DocumentKind
    expires_on: date | None
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentDesk:
    """What papers are made and kept with."""

    pictures: Pictures
    storage: ObjectStorage


def send_document(
    command: SendDocument, *, desk: DocumentDesk, new_uow: NewUnitOfWork, clock: Clock, new_id: NewId
) -> UUID:
    """Clean a picture and keep it; its id. Papers of before stay on file.

    Raises PartnerNotFound for somebody else's profile, TooManyDocuments, or InvalidValue for what is no usable picture
    or is over.
    """
    refuse_expired(command.expires_on, today=business_date(clock.now()))
    with new_uow() as uow:
        uow.partners.get(command.partner_id, owner=command.user_id)
    picture = desk.pictures.cleaned(command.content, pointer="/document")
    document = PartnerDocument(
        id=new_id(),
        partner_id=command.partner_id,
        owner_id=command.user_id,
        kind=command.kind,
        expires_on=command.expires_on,
        storage_key=f"partners/{secrets.token_hex(16)}",
        content_type=picture.content_type,
        size_bytes=len(picture.content),
        uploaded_at=clock.now(),
    )
    with new_uow() as uow:
        uow.partners.get(command.partner_id, owner=command.user_id)
        uow.partners.add_document(document)
        uow.commit()
    desk.storage.put(document.storage_key, picture.content, document.content_type)
    with new_uow() as uow:
        is_kept = uow.partners.document_stored(document.id, at=clock.now())
        uow.commit()
    if not is_kept:
        # Its owner was erased meanwhile: nothing of theirs stays.
        desk.storage.delete(document.storage_key)
        raise PartnerNotFound()
    return document.id


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyDocument:
    """Staff looked at a paper."""

    partner_id: UUID
    document_id: UUID
    payee_type: PayeeType
    actor_id: UUID


def verify_document(command: VerifyDocument, *, uow: UnitOfWork, clock: Clock) -> None:
    """Say that a paper is in order.

    Raises PartnerNotFound, PartnerDocumentNotFound, OwnRequest, DocumentVerified, or InvalidValue for one that is over.
    """
    now = clock.now()
    with uow:
        partner = uow.partners.get(command.partner_id, payee_type=command.payee_type)
        document = uow.partners.document(command.document_id, partner_id=partner.id)
        document.verify(by=command.actor_id, today=business_date(now), at=now)
        uow.partners.verify_document(document)
        uow.audit.add(
            actor=command.actor_id,
            action="partners.verify_document",
            resource_type="PARTNER",
            resource_id=partner.id,
            changes={"after": {"document_id": str(document.id), "kind": document.kind, "verified": True}},
            at=now,
        )
        uow.commit()
