"""Staff's desks for vendors and for agents: the same routes twice, because not everybody looks after both."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from flask import Response

from api.answers import answer, answer_page
from api.blueprint import Blueprint
from api.context import use, viewer
from api.etags import expected_version, tagged, with_tag
from api.pagination import after_cursor, after_in, by_order, by_time, split_page
from api.specification import page_of
from api.v1.partners.documents import FILE, answer_file, paper_of, papers_of
from api.v1.partners.profiles import cooling
from api.v1.partners.schemas import (
    AnyPartnerDocumentShown,
    AnyPartnerShown,
    ExpiringDocumentShown,
    ExpiringQuery,
    PartnerRateRequest,
    PartnerRateShown,
    PartnerReasonRequest,
    PartnerSearchQuery,
    StripeAccountRequest,
)
from api.views import MethodView
from application.partners import decisions
from application.partners.documents import VerifyDocument, verify_document
from application.partners.ports import PartnerSearch
from application.queries import Row
from domain.partners.partners import PartnerNotFound
from domain.shared.clock import business_date
from domain.shared.payees import PayeeType
from middlewares.auth_middleware import permission_required
from middlewares.idempotency import idempotent


@dataclass(frozen=True, slots=True)
class Desk:
    """One trade, and what staff need to look at its profiles and to decide about them."""

    payee_type: PayeeType
    read: str
    manage: str

    @property
    def plural(self) -> str:
        return f"{self.payee_type.lower()}s"

    def profile(self, partner_id: UUID) -> Row:
        """A profile of this trade. Raises PartnerNotFound."""
        row = use().queries.partners.partner(partner_id, payee_type=self.payee_type, at=use().clock.now())
        if row is None:
            raise PartnerNotFound()
        return row

    def answer(self, partner_id: UUID) -> Response:
        """The profile, with its ETag."""
        row = self.profile(partner_id)
        return with_tag(answer(AnyPartnerShown, row), row["version"])

    def decision(self, partner_id: UUID, reason: str = "") -> decisions.DecidePartner:
        """What the viewer says of a profile."""
        return decisions.DecidePartner(
            partner_id=partner_id,
            payee_type=self.payee_type,
            actor_id=viewer().user_id,
            expected_version=expected_version(),
            reason=reason,
        )


VENDORS: Final = Desk(PayeeType.VENDOR, "vendors.read", "vendors.manage")
AGENTS: Final = Desk(PayeeType.AGENT, "agents.read", "agents.manage")


def desk_routes(desk: Desk) -> Blueprint:
    """The routes of one desk, below `/admin/vendors` or `/admin/agents`."""
    blueprint = Blueprint(
        f"admin_{desk.plural}",
        __name__,
        url_prefix=f"/admin/{desk.plural}",
        description=f"What staff do with {desk.plural}",
    )
    for add in (_profiles, _decisions, _money, _papers):
        add(blueprint, desk)
    return blueprint


def _profiles(blueprint: Blueprint, desk: Desk) -> None:
    @blueprint.route("")
    class Partners(MethodView):
        @permission_required(desk.read)
        @blueprint.arguments(PartnerSearchQuery, location="query")
        @blueprint.response(200, page_of(AnyPartnerShown))
        def get(self, query: dict[str, Any]) -> Response:
            """Profiles, newest first; `status=PENDING_APPROVAL` waits, with a `refusal_reason` for the partner."""
            search = PartnerSearch(payee_type=desk.payee_type, status=query["status"], q=query["q"])
            rows = use().queries.partners.search(
                search, at=use().clock.now(), limit=query["limit"], after=after_cursor(query["cursor"])
            )
            return answer_page(AnyPartnerShown, *split_page(rows, query["limit"], by_time("created_at")))

    @blueprint.route("/<uuid:partner_id>")
    class OnePartner(MethodView):
        @permission_required(desk.read)
        @tagged
        @blueprint.response(200, AnyPartnerShown)
        def get(self, partner_id: UUID) -> Response:
            """One profile; of its bank account the mask alone."""
            return desk.answer(partner_id)


def _decisions(blueprint: Blueprint, desk: Desk) -> None:
    @blueprint.route("/<uuid:partner_id>/approve")
    class Approve(MethodView):
        @permission_required(desk.manage)
        @idempotent()
        @tagged
        @blueprint.response(200, AnyPartnerShown)
        def post(self, partner_id: UUID) -> Response:
            """Agree with a profile, and with the bank account on file; never with one's own. Send `If-Match`."""
            decisions.approve_partner(desk.decision(partner_id), uow=use().new_uow(), clock=use().clock)
            return desk.answer(partner_id)

    @blueprint.route("/<uuid:partner_id>/reinstate")
    class Reinstate(MethodView):
        @permission_required(desk.manage)
        @idempotent()
        @tagged
        @blueprint.response(200, AnyPartnerShown)
        def post(self, partner_id: UUID) -> Response:
            """Take a suspension back."""
            decisions.reinstate_partner(desk.decision(partner_id), uow=use().new_uow(), clock=use().clock)
            return desk.answer(partner_id)

    @blueprint.route("/<uuid:partner_id>/refuse")
    class Refuse(MethodView):
        @permission_required(desk.manage)
        @idempotent()
        @tagged
        @blueprint.arguments(PartnerReasonRequest)
        @blueprint.response(200, AnyPartnerShown)
        def post(self, body: dict[str, Any], partner_id: UUID) -> Response:
            """Say what has to be changed first; the profile waits again once the partner has changed something."""
            command = desk.decision(partner_id, body["reason"])
            decisions.refuse_partner(command, uow=use().new_uow(), clock=use().clock)
            return desk.answer(partner_id)

    @blueprint.route("/<uuid:partner_id>/suspend")
    class Suspend(MethodView):
        @permission_required(desk.manage)
        @idempotent()
        @tagged
        @blueprint.arguments(PartnerReasonRequest)
        @blueprint.response(200, AnyPartnerShown)
        def post(self, body: dict[str, Any], partner_id: UUID) -> Response:
            """From now on nothing new is sold and nothing is paid; bookings that were made stand."""
            command = desk.decision(partner_id, body["reason"])
            decisions.suspend_partner(command, uow=use().new_uow(), clock=use().clock)
            return desk.answer(partner_id)


def _money(blueprint: Blueprint, desk: Desk) -> None:
    @blueprint.route("/<uuid:partner_id>/rates")
    class Rates(MethodView):
        @permission_required(desk.read)
        @blueprint.response(200, page_of(PartnerRateShown))
        def get(self, partner_id: UUID) -> Response:
            """What was agreed and will be, newest first; without any the company's own holds."""
            desk.profile(partner_id)
            return answer_page(PartnerRateShown, use().queries.partners.rates(partner_id), None)

        @permission_required("commissions.manage")
        @idempotent()
        @blueprint.arguments(PartnerRateRequest)
        @blueprint.response(201, PartnerRateShown)
        def post(self, body: dict[str, Any], partner_id: UUID) -> Response:
            """Agree on another rate, from now on or from an instant to come; what was sold keeps its own."""
            command = decisions.SetPartnerRate(
                partner_id=partner_id, payee_type=desk.payee_type, actor_id=viewer().user_id, **body
            )
            made = decisions.set_partner_rate(command, uow=use().new_uow(), clock=use().clock, new_id=use().new_id)
            (row,) = (rate for rate in use().queries.partners.rates(partner_id) if rate["id"] == made)
            return answer(PartnerRateShown, row, 201)

    @blueprint.route("/<uuid:partner_id>/stripe-account")
    class StripeAccount(MethodView):
        @permission_required("partners.bank")
        @idempotent()
        @tagged
        @blueprint.arguments(StripeAccountRequest)
        @blueprint.response(200, AnyPartnerShown)
        def put(self, body: dict[str, Any], partner_id: UUID) -> Response:
            """Enter the account at Stripe, which the partner may then choose to be paid to."""
            command = decisions.EnterStripeAccount(
                partner_id=partner_id,
                payee_type=desk.payee_type,
                actor_id=viewer().user_id,
                stripe_account=body["stripe_account"],
                cooling=cooling(),
                expected_version=expected_version(),
            )
            decisions.enter_stripe_account(command, uow=use().new_uow(), clock=use().clock)
            return desk.answer(partner_id)


def _papers(blueprint: Blueprint, desk: Desk) -> None:
    @blueprint.route("/expiring-documents")
    class ExpiringDocuments(MethodView):
        @permission_required(desk.read)
        @blueprint.arguments(ExpiringQuery, location="query")
        @blueprint.response(200, page_of(ExpiringDocumentShown))
        def get(self, query: dict[str, Any]) -> Response:
            """Papers that are over, or will be by `until`, and that no newer one replaced; the longest over first."""
            today = business_date(use().clock.now())
            rows = use().queries.partners.expiring_documents(
                desk.payee_type,
                until=query["until"] or today - timedelta(days=1),
                today=today,
                limit=query["limit"],
                after=after_in(query["cursor"], "expires_on"),
            )
            return answer_page(ExpiringDocumentShown, *split_page(rows, query["limit"], by_order("expires_on")))

    @blueprint.route("/<uuid:partner_id>/documents")
    class Documents(MethodView):
        @permission_required(desk.read)
        @blueprint.response(200, page_of(AnyPartnerDocumentShown))
        def get(self, partner_id: UUID) -> Response:
            """A profile's papers, newest first."""
            desk.profile(partner_id)
            return answer_page(AnyPartnerDocumentShown, papers_of(partner_id), None)

    @blueprint.route("/<uuid:partner_id>/documents/<uuid:document_id>")
    class Document(MethodView):
        @permission_required(desk.manage)
        @blueprint.response(200, FILE, content_type="image/jpeg")
        def get(self, partner_id: UUID, document_id: UUID) -> Response:
            """The picture itself."""
            desk.profile(partner_id)
            return answer_file(partner_id, document_id)

    @blueprint.route("/<uuid:partner_id>/documents/<uuid:document_id>/verify")
    class Verify(MethodView):
        @permission_required(desk.manage)
        @idempotent()
        @blueprint.response(200, AnyPartnerDocumentShown)
        def post(self, partner_id: UUID, document_id: UUID) -> Response:
            """Say that a paper is in order; never of one's own, nor of one that is over."""
            command = VerifyDocument(
                partner_id=partner_id,
                document_id=document_id,
                payee_type=desk.payee_type,
                actor_id=viewer().user_id,
            )
            verify_document(command, uow=use().new_uow(), clock=use().clock)
            return answer(AnyPartnerDocumentShown, paper_of(partner_id, document_id))
