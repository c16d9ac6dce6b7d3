"""One's own profile as a vendor or an agent, and where one's money goes."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from flask import Response

from api.answers import answer, answer_page
from api.blueprint import Blueprint
from api.context import network_address, use, viewer
from api.etags import expected_version, tagged, with_tag
from api.specification import page_of
from api.v1.partners.schemas import (
    BankAccountRequest,
    PartnerChanges,
    PartnerRequest,
    PartnerShown,
    PayoutMethodRequest,
)
from api.views import MethodView
from application.partners.profiles import (
    ApplyAsPartner,
    ChangeCompany,
    ChoosePayoutMethod,
    Proof,
    Prover,
    PutBankAccount,
    apply_as_partner,
    change_company,
    choose_payout_method,
    put_bank_account,
)
from application.queries import Row
from domain.operations.settings import BANK_CHANGE_COOLING_HOURS
from domain.partners.bank_accounts import BankAccount
from domain.partners.partners import PartnerNotFound
from middlewares.auth_middleware import token_required
from middlewares.idempotency import idempotent, not_idempotent

blueprint = Blueprint("partners", __name__, url_prefix="/partners", description="Vendors and agents")

_WHY = "sent again it ends the same, and wrong passwords have to stay counted"


@blueprint.route("")
class Profiles(MethodView):
    @token_required
    @blueprint.response(200, page_of(PartnerShown))
    def get(self) -> Response:
        """One's own profiles: at most one as a vendor, and one as an agent."""
        rows = use().queries.partners.own(viewer().user_id, at=use().clock.now())
        return answer_page(PartnerShown, rows, None)

    @token_required
    @idempotent()
    @blueprint.arguments(PartnerRequest)
    @blueprint.response(201, PartnerShown)
    def post(self, body: dict[str, Any]) -> Response:
        """Ask to be paid as a vendor or an agent, with that role; it waits for staff."""
        payee_type, method = body.pop("payee_type"), body.pop("payout_method")
        command = ApplyAsPartner(
            user_id=viewer().user_id,
            roles=viewer().roles,
            payee_type=payee_type,
            payout_method=method,
            company=body,  # type: ignore[arg-type]
        )
        made = apply_as_partner(command, uow=use().new_uow(), clock=use().clock, new_id=use().new_id)
        row = own_profile(made)
        return with_tag(answer(PartnerShown, row, 201, location=f"/api/v1/partners/{made}"), row["version"])


@blueprint.route("/<uuid:partner_id>")
class OwnProfile(MethodView):
    @token_required
    @tagged
    @blueprint.response(200, PartnerShown)
    def get(self, partner_id: UUID) -> Response:
        """One of one's own profiles."""
        return _answer(partner_id)

    @token_required
    @idempotent()
    @tagged
    @blueprint.arguments(PartnerChanges)
    @blueprint.response(200, PartnerShown)
    def patch(self, body: dict[str, Any], partner_id: UUID) -> Response:
        """Say something else of one's company; a profile that was refused waits for staff again."""
        command = ChangeCompany(
            partner_id=partner_id,
            user_id=viewer().user_id,
            company=body,  # type: ignore[arg-type]
            expected_version=expected_version(),
        )
        change_company(command, uow=use().new_uow(), clock=use().clock)
        return _answer(partner_id)


@blueprint.route("/<uuid:partner_id>/bank-account")
class OwnBankAccount(MethodView):
    @token_required
    @not_idempotent(_WHY)
    @tagged
    @blueprint.arguments(BankAccountRequest)
    @blueprint.response(200, PartnerShown)
    def put(self, body: dict[str, Any], partner_id: UUID) -> Response:
        """Say where payouts by transfer go, with the password, and a code where sign-in asks for one.

        What is on file when staff approve the profile is used at once. Later changes cool off first
        (`payout.bank_change_cooling_hours`), and the owner is told of each. The number is never shown again.
        """
        proof = _proof(body)
        command = PutBankAccount(
            partner_id=partner_id,
            proof=proof,
            account=BankAccount(**body),
            cooling=cooling(),
            expected_version=expected_version(),
        )
        put_bank_account(command, uow=use().new_uow(), prover=_prover(), clock=use().clock, new_id=use().new_id)
        return _answer(partner_id)


@blueprint.route("/<uuid:partner_id>/payout-method")
class OwnPayoutMethod(MethodView):
    @token_required
    @not_idempotent(_WHY)
    @tagged
    @blueprint.arguments(PayoutMethodRequest)
    @blueprint.response(200, PartnerShown)
    def put(self, body: dict[str, Any], partner_id: UUID) -> Response:
        """Be paid another way, with the same proof; after approval that cools off, too (`payouts_from`)."""
        command = ChoosePayoutMethod(
            partner_id=partner_id,
            proof=_proof(body),
            payout_method=body["payout_method"],
            cooling=cooling(),
            expected_version=expected_version(),
        )
        choose_payout_method(command, uow=use().new_uow(), prover=_prover(), clock=use().clock)
        return _answer(partner_id)


def own_profile(partner_id: UUID) -> Row:
    """One of the viewer's own. Raises PartnerNotFound."""
    row = use().queries.partners.partner(partner_id, owner=viewer().user_id, at=use().clock.now())
    if row is None:
        raise PartnerNotFound()
    return row


def cooling() -> timedelta:
    """For how long nothing goes where money was newly sent."""
    return timedelta(hours=use().system_settings.value(BANK_CHANGE_COOLING_HOURS))


def _answer(partner_id: UUID) -> Response:
    row = own_profile(partner_id)
    return with_tag(answer(PartnerShown, row), row["version"])


def _proof(body: dict[str, Any]) -> Proof:
    return Proof(
        user_id=viewer().user_id,
        current_password=body.pop("current_password"),
        second_factor_code=body.pop("second_factor_code"),
        address=network_address(),
    )


def _prover() -> Prover:
    return Prover(passwords=use().passwords, codes=use().one_time_codes)
