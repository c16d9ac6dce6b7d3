"""One's own papers: sent, listed, looked at."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response

from api.answers import answer, answer_page
from api.blueprint import Blueprint
from api.context import use, viewer
from api.specification import page_of
from api.uploads import picture_bodies, sent_picture
from api.v1.partners.profiles import own_profile
from api.v1.partners.schemas import DocumentQuery, PartnerDocumentShown
from api.views import MethodView
from application.partners.documents import SendDocument, send_document
from application.queries import Row
from domain.partners.documents import PartnerDocumentNotFound
from domain.shared.clock import business_date
from middlewares.auth_middleware import token_required
from middlewares.idempotency import not_idempotent

blueprint = Blueprint("partner_documents", __name__, url_prefix="/partners", description="Papers of vendors and agents")

FILE = {"type": "string", "format": "binary"}


@blueprint.route("/<uuid:partner_id>/documents")
class OwnDocuments(MethodView):
    @token_required
    @blueprint.response(200, page_of(PartnerDocumentShown))
    def get(self, partner_id: UUID) -> Response:
        """One's own papers, newest first."""
        own_profile(partner_id)
        return answer_page(PartnerDocumentShown, papers_of(partner_id), None)

    @token_required
    @not_idempotent("each picture is a paper of its own; the newest of a kind counts")
    @blueprint.arguments(DocumentQuery, location="query")
    @blueprint.doc(**picture_bodies("document"))
    @blueprint.response(201, PartnerDocumentShown)
    def post(self, query: dict[str, Any], partner_id: UUID) -> Response:
        """Send a picture of a licence, a tax card or a contract; at most 50 are kept."""
        document_id = send_document(
            SendDocument(
                partner_id=partner_id,
                user_id=viewer().user_id,
                content=sent_picture("document"),
                **query,
            ),
            desk=use().document_desk,
            new_uow=use().new_uow,
            clock=use().clock,
            new_id=use().new_id,
        )
        location = f"/api/v1/partners/{partner_id}/documents/{document_id}"
        return answer(PartnerDocumentShown, paper_of(partner_id, document_id), 201, location=location)


@blueprint.route("/<uuid:partner_id>/documents/<uuid:document_id>")
class OwnDocument(MethodView):
    @token_required
    @blueprint.response(200, FILE, content_type="image/jpeg")
    def get(self, partner_id: UUID, document_id: UUID) -> Response:
        """The picture itself."""
        own_profile(partner_id)
        return answer_file(partner_id, document_id)


def papers_of(partner_id: UUID) -> list[Row]:
    """The papers of a profile, whose viewer was looked at before."""
    return list(use().queries.partners.documents(partner_id, today=business_date(use().clock.now())))


def paper_of(partner_id: UUID, document_id: UUID) -> Row:
    """One of them. Raises PartnerDocumentNotFound."""
    found = next((paper for paper in papers_of(partner_id) if paper["id"] == document_id), None)
    if found is None:
        raise PartnerDocumentNotFound()
    return found


def answer_file(partner_id: UUID, document_id: UUID) -> Response:
    """The bytes of a paper, which nobody on the way keeps. Raises PartnerDocumentNotFound."""
    file = use().queries.partners.document(document_id, partner_id=partner_id)
    content = use().document_desk.storage.get(file["storage_key"]) if file is not None else None
    if file is None or content is None:
        raise PartnerDocumentNotFound()
    headers = {"Cache-Control": "private, no-store", "Content-Disposition": 'inline; filename="document.jpg"'}
    return Response(content, content_type=file["content_type"], headers=headers)
