"""Papers of vendors and agents: what they are, until when they hold, and that staff looked at them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from domain.shared.errors import Conflict, InvalidValue, NotFound, OwnRequest

MOST_DOCUMENTS: Final = 50
"""How many papers one profile keeps."""


class DocumentKind(StrEnum):
    """What a paper is."""

    LICENSE = "LICENSE"
    TAX_CARD = "TAX_CARD"
    CONTRACT = "CONTRACT"
    OTHER = "OTHER"


class PartnerDocumentNotFound(NotFound):
    """There is no such paper, or it is somebody else's."""

    code = "partner_document_not_found"


class TooManyDocuments(Conflict):
    """The profile keeps as many papers as it may."""

    code = "too_many_documents"


class DocumentVerified(Conflict):
    """Staff have said of this paper that it is in order."""

    code = "document_verified"


@dataclass(slots=True, kw_only=True)
class PartnerDocument:
    """A picture of a paper; a newer one of its kind takes its place, and it stays on file."""

    id: UUID
    partner_id: UUID
    owner_id: UUID
    kind: DocumentKind
    expires_on: date | None
    storage_key: str
    content_type: str
    size_bytes: int
    uploaded_at: datetime
    verified_by: UUID | None = None
    verified_at: datetime | None = None

    def verify(self, *, by: UUID, today: date, at: datetime) -> None:
        """Say that it is in order; never of one's own. Raises OwnRequest, DocumentVerified, InvalidValue."""
        if by == self.owner_id:
            raise OwnRequest()
        if self.verified_at is not None:
            raise DocumentVerified()
        refuse_expired(self.expires_on, today=today)
        self.verified_by, self.verified_at = by, at


def refuse_expired(expires_on: date | None, *, today: date) -> None:
    """A paper whose day is over proves nothing. Raises InvalidValue."""
    if expires_on is not None and expires_on < today:
        raise InvalidValue("the paper is no longer valid", pointer="/expires_on", code="document_expired")
