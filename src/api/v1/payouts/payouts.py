"""Payouts one by one: looked up, taken back, and decided where no machine knows."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response

from api.answers import answer, answer_page
from api.blueprint import Blueprint
from api.context import use, viewer
from api.etags import expected_version, tagged, with_tag
from api.pagination import after_cursor, by_time, split_page
from api.specification import page_of
from api.v1.payouts.batch_schemas import AnyPayoutShown, PayoutArrivedRequest, PayoutReasonRequest, PayoutSearchQuery
from api.views import MethodView
from application.payouts import deciding
from application.payouts.deciding import DecidePayout
from application.payouts.queries import PayoutSearch
from domain.payouts.payouts import PayoutNotFound
from middlewares.auth_middleware import permission_required
from middlewares.idempotency import idempotent

blueprint = Blueprint("all_payouts", __name__, url_prefix="/admin/payouts", description="Payroll")


@blueprint.route("")
class Payouts(MethodView):
    @permission_required("payouts.read")
    @blueprint.arguments(PayoutSearchQuery, location="query")
    @blueprint.response(200, page_of(AnyPayoutShown))
    def get(self, query: dict[str, Any]) -> Response:
        """Every payout, newest first."""
        limit, after = query.pop("limit"), after_cursor(query.pop("cursor"))
        rows = use().queries.payroll.payouts(PayoutSearch(**query), limit=limit, after=after)
        return answer_page(AnyPayoutShown, *split_page(rows, limit, by_time("created_at")))


@blueprint.route("/<uuid:payout_id>")
class OnePayout(MethodView):
    @permission_required("payouts.read")
    @tagged
    @blueprint.response(200, AnyPayoutShown)
    def get(self, payout_id: UUID) -> Response:
        """One payout."""
        return _shown(payout_id)


@blueprint.route("/<uuid:payout_id>/cancel")
class CancelPayout(MethodView):
    @permission_required("payouts.process")
    @idempotent(required=True)
    @tagged
    @blueprint.arguments(PayoutReasonRequest)
    @blueprint.response(200, AnyPayoutShown)
    def post(self, body: dict[str, Any], payout_id: UUID) -> Response:
        """Take back what was not sent, or what is UNKNOWN and surely was not carried out: it is owed again."""
        deciding.cancel_payout(
            _decision(payout_id, reason=body["reason"]), new_uow=use().new_uow, clock=use().clock, new_id=use().new_id
        )
        return _shown(payout_id)


@blueprint.route("/<uuid:payout_id>/confirm")
class ConfirmPayout(MethodView):
    @permission_required("payouts.process")
    @idempotent(required=True)
    @tagged
    @blueprint.arguments(PayoutArrivedRequest)
    @blueprint.response(200, AnyPayoutShown)
    def post(self, body: dict[str, Any], payout_id: UUID) -> Response:
        """Say that a transfer in the bank's file, or one that is UNKNOWN, arrived under this reference."""
        deciding.confirm_payout(
            _decision(payout_id, bank_reference=body["bank_reference"]),
            new_uow=use().new_uow,
            clock=use().clock,
            new_id=use().new_id,
        )
        return _shown(payout_id)


@blueprint.route("/<uuid:payout_id>/fail")
class FailPayout(MethodView):
    @permission_required("payouts.process")
    @idempotent(required=True)
    @tagged
    @blueprint.arguments(PayoutReasonRequest)
    @blueprint.response(200, AnyPayoutShown)
    def post(self, body: dict[str, Any], payout_id: UUID) -> Response:
        """Say that a transfer in the bank's file, or one that is UNKNOWN, was refused: it is owed again."""
        deciding.fail_payout(
            _decision(payout_id, reason=body["reason"]), new_uow=use().new_uow, clock=use().clock, new_id=use().new_id
        )
        return _shown(payout_id)


@blueprint.route("/<uuid:payout_id>/returned")
class ReturnPayout(MethodView):
    @permission_required("payouts.process")
    @idempotent(required=True)
    @tagged
    @blueprint.arguments(PayoutReasonRequest)
    @blueprint.response(200, AnyPayoutShown)
    def post(self, body: dict[str, Any], payout_id: UUID) -> Response:
        """Say that the bank sent back a transfer that was paid: it is owed again."""
        deciding.return_payout(
            _decision(payout_id, reason=body["reason"]), new_uow=use().new_uow, clock=use().clock, new_id=use().new_id
        )
        return _shown(payout_id)


def _decision(payout_id: UUID, *, bank_reference: str = "", reason: str = "") -> DecidePayout:
    return DecidePayout(
        payout_id=payout_id,
        actor_id=viewer().user_id,
        bank_reference=bank_reference,
        reason=reason,
        expected=expected_version(),
    )


def _shown(payout_id: UUID) -> Response:
    row = use().queries.payroll.payout(payout_id)
    if row is None:
        raise PayoutNotFound()
    return with_tag(answer(AnyPayoutShown, row), row["version"])
