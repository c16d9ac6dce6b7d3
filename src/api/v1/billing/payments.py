"""Payments, and what staff have to look at."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response
from marshmallow import ValidationError, fields, validate

from api.answers import answer, answer_page
from api.blueprint import Blueprint
from api.context import own_key, scope_of, use, viewer
from api.fields import MoneyField, Schema, Text
from api.pagination import ChangesQuery, after_in, by_order, order_of, split_page
from api.specification import page_of
from api.views import MethodView
from application.billing.cancelling import CancelPayment, cancel_open_payment
from application.billing.code_holds import code_terms
from application.billing.payments import OpenPayment, open_payment
from application.billing.splits import WantedPart
from application.queries import Row
from domain.billing.manual import is_reference_number
from domain.billing.payments import PaymentMethod, PaymentNotFound, PaymentStatus, PaymentType
from domain.billing.tenders import OWN_KINDS, TenderKind
from middlewares.auth_middleware import token_required
from middlewares.idempotency import idempotent
from middlewares.language import reading_language

blueprint = Blueprint("payments", __name__, description="Payments")

MOST_POINTS = 10**9
_PAYABLES = {
    "BOOKING": PaymentType.BOOKING,
    "MEMBERSHIP": PaymentType.MEMBERSHIP_PURCHASE,
    "WALLET_DEPOSIT": PaymentType.WALLET_DEPOSIT,
}


def _way_back(text: str) -> None:
    """An absolute http or https address, or one of our own apps': a browser is sent there, so nothing else will do."""
    if not use().app_addresses.may_be_asked_for(text):
        raise ValidationError("An absolute http or https address.")


def _number_to_quote(text: str) -> None:
    """Nine digits, the last of which checks the others."""
    if not is_reference_number(text):
        raise ValidationError("This number was copied wrongly.")


class PayableRequest(Schema):
    type = fields.String(required=True, validate=validate.OneOf(list(_PAYABLES)))
    id = fields.UUID(load_default=None, allow_none=True)


class TenderRequest(Schema):
    """A part from a balance of one's own: an amount, or points."""

    type = fields.String(
        required=True, validate=validate.OneOf([kind.value for kind in TenderKind if kind in OWN_KINDS])
    )
    amount = MoneyField(load_default=None, allow_none=True)
    points = fields.Integer(load_default=None, allow_none=True, strict=True, validate=validate.Range(1, MOST_POINTS))


class PaymentRequest(Schema):
    payable = fields.Nested(PayableRequest, required=True)
    method = fields.Enum(PaymentMethod, required=True)
    provider = fields.String(load_default=None, allow_none=True, validate=validate.Length(1, 30))
    amount = MoneyField(load_default=None, allow_none=True)
    tenders = fields.List(fields.Nested(TenderRequest), load_default=(), validate=validate.Length(max=3))
    success_url = fields.String(load_default=None, allow_none=True, validate=_way_back)
    cancel_url = fields.String(load_default=None, allow_none=True, validate=_way_back)


class DepositRequest(Schema):
    amount = MoneyField(required=True)
    method = fields.Enum(PaymentMethod, required=True)
    provider = fields.String(load_default=None, allow_none=True, validate=validate.Length(1, 30))
    success_url = fields.String(load_default=None, allow_none=True, validate=_way_back)
    cancel_url = fields.String(load_default=None, allow_none=True, validate=_way_back)


class CheckoutShown(Schema):
    url = fields.String(attribute="checkout_url", allow_none=True)
    reference_number = fields.String(allow_none=True)
    qr_code = fields.String(allow_none=True)
    expires_at = fields.DateTime(attribute="checkout_expires_at", allow_none=True)


class TenderShown(Schema):
    """One part of a payment; `refunding` is asked back and not decided."""

    type = fields.String(attribute="kind")
    method = fields.String()
    status = fields.String()
    amount = MoneyField()
    points = fields.Integer(allow_none=True)
    refunding = MoneyField()
    refunded = MoneyField()


class PaymentShown(Schema):
    id = fields.UUID()
    payment_number = fields.String()
    user_id = fields.UUID()
    payment_type = fields.String()
    booking_id = fields.UUID(allow_none=True)
    subscription_id = fields.UUID(allow_none=True)
    amount = MoneyField()
    refund_amount = MoneyField()
    method = fields.String(attribute="payment_method")
    provider = fields.String(allow_none=True)
    provider_reference = fields.String(allow_none=True)
    status = fields.String()
    attempt_status = fields.String(allow_none=True)
    checkout = fields.Nested(CheckoutShown, allow_none=True)
    tenders = fields.List(fields.Nested(TenderShown))
    paid_at = fields.DateTime(allow_none=True)
    created_at = fields.DateTime()
    updated_at = fields.DateTime()


class PaymentSearch(ChangesQuery):
    """Which payments."""

    status = fields.String(load_default=None, validate=validate.OneOf([status.value for status in PaymentStatus]))
    provider = Text(most=30, least=1, load_default=None)
    reference_number = fields.String(
        load_default=None,
        validate=_number_to_quote,
        metadata={"description": "What a customer quotes of a payment that staff confirm."},
    )


@blueprint.route("/payments")
class Payments(MethodView):
    @token_required(scope="payments.own")
    @blueprint.arguments(PaymentSearch, location="query")
    @blueprint.response(200, page_of(PaymentShown))
    def get(self, query: dict[str, Any]) -> Response:
        """One's own payments, newest first; everybody's for staff."""
        order = order_of(query)
        rows = use().queries.billing.payments(
            owner=scope_of("payments.read"),
            limit=query["limit"],
            after=after_in(query["cursor"], order),
            status=query["status"],
            provider=query["provider"],
            reference_number=query["reference_number"],
            updated_after=query["updated_after"],
        )
        shown, cursor = split_page(rows, query["limit"], by_order(order))
        return answer_page(PaymentShown, [_with_checkout(row) for row in shown], cursor)

    @token_required
    @idempotent(required=True, calls_provider=True)
    @blueprint.arguments(PaymentRequest)
    @blueprint.response(201, PaymentShown)
    def post(self, body: dict[str, Any]) -> Response:
        """Pay from the wallet, or open a checkout at a provider and send the customer to `checkout.url`.

        An agent pays what it booked for a customer by `AGENT_CREDIT`, from its own deposit account, without `tenders`.

        `tenders` come from balances of one's own: they are set aside while the checkout is open, taken when it is
        paid, and free again when it is not. The `method` pays what they leave.
        """
        payable = body.pop("payable")
        parts = tuple(
            WantedPart(kind=TenderKind(part["type"]), amount=part["amount"], points=part["points"])
            for part in body.pop("tenders")
        )
        return open_and_show(payment_type=_PAYABLES[payable["type"]], payable_id=payable["id"], parts=parts, **body)


@blueprint.route("/wallet/deposits")
class Deposits(MethodView):
    @token_required
    @idempotent(required=True, calls_provider=True)
    @blueprint.arguments(DepositRequest)
    @blueprint.response(201, PaymentShown)
    def post(self, body: dict[str, Any]) -> Response:
        """Put money into one's own wallet: a payment like any other."""
        return open_and_show(payment_type=PaymentType.WALLET_DEPOSIT, payable_id=None, **body)


@blueprint.route("/payments/<uuid:payment_id>")
class OnePayment(MethodView):
    @token_required(scope="payments.own")
    @blueprint.response(200, PaymentShown)
    def get(self, payment_id: UUID) -> Response:
        """One payment and its newest checkout."""
        return answer(PaymentShown, _shown(payment_id))


@blueprint.route("/payments/<uuid:payment_id>/cancel")
class CancelledPayment(MethodView):
    @token_required
    @idempotent()
    @blueprint.response(200, PaymentShown)
    def post(self, payment_id: UUID) -> Response:
        """Pay in another way, or not at all: what the payment had set aside is free again."""
        command = CancelPayment(payment_id=payment_id, user_id=viewer().user_id)
        cancel_open_payment(command, uow=use().new_uow(), clock=use().clock)
        return answer(PaymentShown, _shown(payment_id))


def open_and_show(*, payment_type: PaymentType, payable_id: UUID | None, **body: Any) -> Response:
    """Open a payment for the viewer and answer it."""
    command = OpenPayment(
        user_id=viewer().user_id,
        agent_id=viewer().agent_id,
        payment_type=payment_type,
        payable_id=payable_id,
        idempotency_key=own_key(),
        locale=reading_language(),
        public_url=use().public_url,
        code_terms=code_terms(use().system_settings),
        **body,
    )
    payment_id = open_payment(
        command,
        new_uow=use().new_uow,
        gateways=use().gateways,
        returns=use().returns,
        clock=use().clock,
        new_id=use().new_id,
    )
    return answer(PaymentShown, _shown(payment_id), 201, location=f"/api/v1/payments/{payment_id}")


def _shown(payment_id: UUID) -> Row:
    row = use().queries.billing.payment(payment_id, owner=scope_of("payments.read"))
    if row is None:
        raise PaymentNotFound()
    return _with_checkout(row)


def _with_checkout(row: Row) -> Row:
    return {**row, "checkout": row if row["provider_reference"] is not None else None}
