"""Taking money out of a wallet: one's own requests, and what staff make of them."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response
from marshmallow import fields, validate

from api.answers import answer, answer_page
from api.blueprint import Blueprint
from api.context import use, viewer
from api.fields import MoneyField, Schema, Text
from api.pagination import PageQuery, after_cursor, by_time, split_page
from api.specification import page_of
from api.views import MethodView
from application.ledger import withdrawals
from application.queries import Row
from domain.ledger.withdrawals import WithdrawalNotFound, WithdrawalStatus
from domain.operations.kinds import amount_in
from domain.operations.settings import WITHDRAWAL_MINIMUM
from middlewares.auth_middleware import permission_required, token_required
from middlewares.idempotency import idempotent

blueprint = Blueprint("withdrawals", __name__, description="Withdrawals")


class WithdrawalRequest(Schema):
    amount = MoneyField(required=True)
    destination = Text(
        required=True,
        least=8,
        most=200,
        identifier=True,
        metadata={
            "description": "Bank, holder and number (IBAN) of the account, the number last; kept encrypted.",
            "examples": ["Bank of Cairo, Mona Adel, EG380019000500000000263180002"],
        },
    )


class ReasonRequest(Schema):
    reason = Text(required=True, least=3, most=500)


class PaidRequest(Schema):
    bank_reference = Text(required=True, least=1, most=100, identifier=True)


class WithdrawalSearch(PageQuery):
    """Which withdrawals."""

    status = fields.String(load_default=None, validate=validate.OneOf(list(WithdrawalStatus)))


class WithdrawalShown(Schema):
    id = fields.UUID()
    withdrawal_number = fields.String()
    user_id = fields.UUID()
    amount = MoneyField()
    destination = fields.String(attribute="destination_masked", allow_none=True)
    status = fields.String(validate=validate.OneOf(list(WithdrawalStatus)))
    bank_reference = fields.String(allow_none=True)
    reason = fields.String(allow_none=True)
    created_at = fields.DateTime()
    decided_at = fields.DateTime(allow_none=True)
    closed_at = fields.DateTime(allow_none=True)


class AnyWithdrawalShown(WithdrawalShown):
    user_email = fields.String()
    decided_by_user_id = fields.UUID(allow_none=True)
    closed_by_user_id = fields.UUID(allow_none=True)
    debt = MoneyField(metadata={"description": "What its owner owes in the currency now: it is not paid out."})


class WithdrawalToPayShown(AnyWithdrawalShown):
    destination = fields.String(allow_none=True)


@blueprint.route("/wallet/withdrawals")
class Withdrawals(MethodView):
    @token_required
    @blueprint.arguments(WithdrawalSearch, location="query")
    @blueprint.response(200, page_of(WithdrawalShown))
    def get(self, query: dict[str, Any]) -> Response:
        """One's own withdrawals, newest first."""
        return _page(WithdrawalShown, viewer().user_id, query)

    @token_required
    @idempotent(required=True)
    @blueprint.arguments(WithdrawalRequest)
    @blueprint.response(201, WithdrawalShown)
    def post(self, body: dict[str, Any]) -> Response:
        """Ask for money back: it is set aside until staff decide. Only with a proved e-mail address."""
        least = amount_in(use().system_settings.value(WITHDRAWAL_MINIMUM), body["amount"].currency.code)
        command = withdrawals.RequestWithdrawal(user_id=viewer().user_id, least=least, **body)
        made = withdrawals.request_withdrawal(command, uow=use().new_uow(), clock=use().clock, new_id=use().new_id)
        shown = _withdrawal(made, owner=viewer().user_id)
        return answer(WithdrawalShown, shown, 201, location=f"/api/v1/wallet/withdrawals/{made}")


@blueprint.route("/wallet/withdrawals/<uuid:withdrawal_id>")
class OneWithdrawal(MethodView):
    @token_required
    @blueprint.response(200, WithdrawalShown)
    def get(self, withdrawal_id: UUID) -> Response:
        """One of one's own withdrawals."""
        return answer(WithdrawalShown, _withdrawal(withdrawal_id, owner=viewer().user_id))


@blueprint.route("/wallet/withdrawals/<uuid:withdrawal_id>/cancel")
class CancelWithdrawal(MethodView):
    @token_required
    @idempotent(required=True)
    @blueprint.response(200, WithdrawalShown)
    def post(self, withdrawal_id: UUID) -> Response:
        """Think again, before anybody decided: the money is free."""
        owner = viewer().user_id
        withdrawals.cancel_withdrawal(withdrawal_id, owner=owner, uow=use().new_uow(), clock=use().clock)
        return answer(WithdrawalShown, _withdrawal(withdrawal_id, owner=owner))


@blueprint.route("/admin/withdrawals")
class AllWithdrawals(MethodView):
    @permission_required("ledger.read")
    @blueprint.arguments(WithdrawalSearch, location="query")
    @blueprint.response(200, page_of(AnyWithdrawalShown))
    def get(self, query: dict[str, Any]) -> Response:
        """Everybody's withdrawals, newest first."""
        return _page(AnyWithdrawalShown, None, query)


@blueprint.route("/admin/withdrawals/<uuid:withdrawal_id>")
class AnyWithdrawal(MethodView):
    @permission_required("wallets.approve")
    @blueprint.response(200, WithdrawalToPayShown)
    def get(self, withdrawal_id: UUID) -> Response:
        """A withdrawal with its destination in full, for those who pay it."""
        return answer(WithdrawalToPayShown, _withdrawal(withdrawal_id))


@blueprint.route("/admin/withdrawals/<uuid:withdrawal_id>/approve")
class ApproveWithdrawal(MethodView):
    @permission_required("wallets.approve")
    @idempotent(required=True)
    @blueprint.response(200, AnyWithdrawalShown)
    def post(self, withdrawal_id: UUID) -> Response:
        """Take the money out of the wallet, on its way to the bank; never one's own."""
        withdrawals.approve_withdrawal(
            _decision(withdrawal_id), uow=use().new_uow(), clock=use().clock, new_id=use().new_id
        )
        return answer(AnyWithdrawalShown, _withdrawal(withdrawal_id))


@blueprint.route("/admin/withdrawals/<uuid:withdrawal_id>/reject")
class RejectWithdrawal(MethodView):
    @permission_required("wallets.approve")
    @idempotent(required=True)
    @blueprint.arguments(ReasonRequest)
    @blueprint.response(200, AnyWithdrawalShown)
    def post(self, body: dict[str, Any], withdrawal_id: UUID) -> Response:
        """Refuse it: the money is free."""
        withdrawals.reject_withdrawal(_decision(withdrawal_id, body["reason"]), uow=use().new_uow(), clock=use().clock)
        return answer(AnyWithdrawalShown, _withdrawal(withdrawal_id))


@blueprint.route("/admin/withdrawals/<uuid:withdrawal_id>/paid")
class PayWithdrawal(MethodView):
    @permission_required("wallets.approve")
    @idempotent(required=True)
    @blueprint.arguments(PaidRequest)
    @blueprint.response(200, AnyWithdrawalShown)
    def post(self, body: dict[str, Any], withdrawal_id: UUID) -> Response:
        """The bank carried it out, under this reference."""
        withdrawals.pay_withdrawal(
            _decision(withdrawal_id, body["bank_reference"]),
            uow=use().new_uow(),
            clock=use().clock,
            new_id=use().new_id,
        )
        return answer(AnyWithdrawalShown, _withdrawal(withdrawal_id))


@blueprint.route("/admin/withdrawals/<uuid:withdrawal_id>/returned")
class ReturnWithdrawal(MethodView):
    @permission_required("wallets.approve")
    @idempotent(required=True)
    @blueprint.arguments(ReasonRequest)
    @blueprint.response(200, AnyWithdrawalShown)
    def post(self, body: dict[str, Any], withdrawal_id: UUID) -> Response:
        """The bank sent it back: it is in the wallet again."""
        withdrawals.return_withdrawal(
            _decision(withdrawal_id, body["reason"]), uow=use().new_uow(), clock=use().clock, new_id=use().new_id
        )
        return answer(AnyWithdrawalShown, _withdrawal(withdrawal_id))


def _decision(withdrawal_id: UUID, words: str = "") -> withdrawals.DecideWithdrawal:
    return withdrawals.DecideWithdrawal(withdrawal_id=withdrawal_id, actor_id=viewer().user_id, words=words)


def _withdrawal(withdrawal_id: UUID, *, owner: UUID | None = None) -> Row:
    """One of the owner's, or for staff anybody's."""
    row = use().queries.wallet_requests.withdrawal(withdrawal_id, owner=owner)
    if row is None:
        raise WithdrawalNotFound()
    return row


def _page(schema: type[Schema], owner: UUID | None, query: dict[str, Any]) -> Response:
    rows = use().queries.wallet_requests.withdrawals(
        owner=owner, status=query["status"], limit=query["limit"], after=after_cursor(query["cursor"])
    )
    return answer_page(schema, *split_page(rows, query["limit"], by_time("created_at")))
