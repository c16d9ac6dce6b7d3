"""Refunds and disputes."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response
from marshmallow import fields, validate

from api.answers import answer, answer_page
from api.blueprint import Blueprint
from api.context import own_key, scope_of, use, viewer
from api.fields import MoneyField, Schema, Text
from api.pagination import PageQuery, after_cursor, by_time, split_page
from api.specification import page_of
from api.views import MethodView
from application.billing.refund_plans import (
    PlannedPart,
    PreviewRefund,
    RefundPlan,
    agreed_plan,
    preview_refund,
    token_of,
)
from application.billing.refunds import (
    ConfirmRefund,
    RequestRefund,
    RetryPart,
    confirm_refund,
    give_up_refund,
    refund_to_wallet_instead,
    request_refund,
    resubmit_refund,
)
from application.queries import Row
from domain.billing.disputes import DisputeStatus
from domain.billing.payments import PaymentNotFound
from domain.billing.refunds import Destination, RefundNotFound, RefundStatus
from domain.shared.errors import InvalidValue
from domain.shared.money import Money
from middlewares.auth_middleware import permission_required, token_required
from middlewares.idempotency import idempotent

blueprint = Blueprint("refunds", __name__, description="Refunds")


class PreviewQuery(Schema):
    """Which refund: an amount in the payment's currency, or all that is left."""

    amount = Text(most=20, least=1, load_default=None)
    destination = fields.Enum(Destination, load_default=Destination.ORIGINAL)


class RefundRequest(Schema):
    amount = MoneyField(load_default=None, allow_none=True)
    reason = Text(required=True, least=3, most=500)
    destination = fields.Enum(Destination, load_default=Destination.ORIGINAL)
    preview_token = fields.String(load_default=None, allow_none=True, validate=validate.Length(1, 500))


class ConfirmRefundRequest(Schema):
    part_id = fields.UUID(required=True)
    provider_reference = Text(required=True, least=1, most=100, identifier=True)
    refunded_on = fields.Date(required=True)


class RetryRequest(Schema):
    part_id = fields.UUID(required=True)
    reason = Text(required=True, least=3, most=500)


class PlannedPartShown(Schema):
    type = fields.String()
    method = fields.String()
    way = fields.String()
    amount = MoneyField()
    points = fields.Integer(allow_none=True)


class PreviewShown(Schema):
    """What a refund would do; the token commits exactly this."""

    amount = MoneyField()
    left_afterwards = MoneyField()
    destination = fields.String()
    parts = fields.List(fields.Nested(PlannedPartShown))
    points_taken = fields.Integer()
    cashback_taken = MoneyField()
    vendor_share_taken = MoneyField(metadata={"description": "What the vendor of a completed trip earns less."})
    commission_taken = MoneyField(metadata={"description": "What its agent earns less."})
    payment_status_after = fields.String()
    token = fields.String()


class PartShown(Schema):
    """One part: a tender's, or of money in suspense."""

    id = fields.UUID()
    type = fields.String()
    way = fields.String()
    amount = MoneyField()
    points = fields.Integer(allow_none=True)
    status = fields.String()
    provider = fields.String(allow_none=True)
    merchant_reference = fields.String()
    provider_refund_reference = fields.String(allow_none=True)
    error_code = fields.String(allow_none=True)
    is_replaced = fields.Boolean()


class RefundShown(Schema):
    id = fields.UUID()
    refund_number = fields.String()
    payment_id = fields.UUID()
    payment_number = fields.String()
    user_id = fields.UUID()
    amount = MoneyField()
    reason = fields.String()
    destination = fields.String()
    origin = fields.String()
    status = fields.String()
    parts = fields.List(fields.Nested(PartShown))
    created_at = fields.DateTime()
    succeeded_at = fields.DateTime(allow_none=True)
    updated_at = fields.DateTime()


class RefundSearch(PageQuery):
    """Which refunds."""

    status = fields.String(load_default=None, validate=validate.OneOf([status.value for status in RefundStatus]))
    payment_id = fields.UUID(load_default=None)


class DisputeSearch(PageQuery):
    """Which disputes."""

    status = fields.String(load_default=None, validate=validate.OneOf([status.value for status in DisputeStatus]))


class DisputeShown(Schema):
    id = fields.UUID()
    payment_id = fields.UUID()
    payment_number = fields.String()
    booking_id = fields.UUID(allow_none=True)
    user_id = fields.UUID()
    provider = fields.String()
    provider_dispute_reference = fields.String()
    amount = MoneyField()
    taken = MoneyField()
    status = fields.String()
    reason = fields.String()
    opened_at = fields.DateTime()
    decided_at = fields.DateTime(allow_none=True)


@blueprint.route("/payments/<uuid:payment_id>/refund-preview")
class RefundPreview(MethodView):
    @permission_required("refunds.create")
    @blueprint.arguments(PreviewQuery, location="query")
    @blueprint.response(200, PreviewShown)
    def get(self, query: dict[str, Any], payment_id: UUID) -> Response:
        """What a refund would do to every part, to points and to cashback; valid for 15 minutes."""
        command = PreviewRefund(
            payment_id=payment_id, amount=_amount(query["amount"], payment_id), destination=query["destination"]
        )
        plan = preview_refund(
            command, uow=use().new_uow(), gateways=use().gateways, clock=use().clock, new_id=use().new_id
        )
        return answer(PreviewShown, _plan_row(plan))


@blueprint.route("/payments/<uuid:payment_id>/refunds")
class PaymentRefunds(MethodView):
    @permission_required("refunds.create")
    @idempotent(required=True)
    @blueprint.arguments(RefundRequest)
    @blueprint.response(202, RefundShown)
    def post(self, body: dict[str, Any], payment_id: UUID) -> Response:
        """Give back an amount, or all that is left; never one's own. What a provider has to do follows."""
        token, clock = body.pop("preview_token"), use().clock
        agreed = agreed_plan(token, digests=use().digests, at=clock.now()) if token is not None else None
        command = RequestRefund(
            payment_id=payment_id,
            actor_id=viewer().user_id,
            idempotency_key=own_key(),
            agreed=agreed,
            **body,
        )
        refund_id = request_refund(
            command, uow=use().new_uow(), gateways=use().gateways, clock=clock, new_id=use().new_id
        )
        return answer(RefundShown, _shown(refund_id), 202, location=f"/api/v1/refunds/{refund_id}")


@blueprint.route("/refunds")
class Refunds(MethodView):
    @token_required(scope="payments.own")
    @blueprint.arguments(RefundSearch, location="query")
    @blueprint.response(200, page_of(RefundShown))
    def get(self, query: dict[str, Any]) -> Response:
        """One's own refunds, newest first; everybody's for staff."""
        rows = use().queries.billing.refunds(
            owner=scope_of("refunds.read"),
            limit=query["limit"],
            after=after_cursor(query["cursor"]),
            status=query["status"],
            payment_id=query["payment_id"],
        )
        return answer_page(RefundShown, *split_page(rows, query["limit"], by_time("created_at")))


@blueprint.route("/refunds/<uuid:refund_id>")
class OneRefund(MethodView):
    @token_required(scope="payments.own")
    @blueprint.response(200, RefundShown)
    def get(self, refund_id: UUID) -> Response:
        """One refund and its parts."""
        return answer(RefundShown, _shown(refund_id))


@blueprint.route("/admin/refunds/<uuid:refund_id>/confirm")
class ConfirmedRefund(MethodView):
    @permission_required("refunds.create")
    @idempotent(required=True)
    @blueprint.arguments(ConfirmRefundRequest)
    @blueprint.response(200, RefundShown)
    def post(self, body: dict[str, Any], refund_id: UUID) -> Response:
        """The money was given back on the provider's dashboard, under this reference."""
        command = ConfirmRefund(refund_id=refund_id, actor_id=viewer().user_id, **body)
        confirm_refund(command, uow=use().new_uow(), clock=use().clock, new_id=use().new_id)
        return answer(RefundShown, _shown(refund_id))


@blueprint.route("/admin/refunds/<uuid:refund_id>/resubmit")
class ResubmittedRefund(MethodView):
    @permission_required("refunds.create")
    @idempotent(required=True)
    @blueprint.arguments(RetryRequest)
    @blueprint.response(200, RefundShown)
    def post(self, body: dict[str, Any], refund_id: UUID) -> Response:
        """Try a part again that failed, under a reference of its own."""
        command = RetryPart(refund_id=refund_id, actor_id=viewer().user_id, **body)
        resubmit_refund(command, uow=use().new_uow(), gateways=use().gateways, clock=use().clock, new_id=use().new_id)
        return answer(RefundShown, _shown(refund_id))


@blueprint.route("/admin/refunds/<uuid:refund_id>/to-wallet")
class RefundToWallet(MethodView):
    @permission_required("refunds.create")
    @idempotent(required=True)
    @blueprint.arguments(RetryRequest)
    @blueprint.response(200, RefundShown)
    def post(self, body: dict[str, Any], refund_id: UUID) -> Response:
        """Put a part that failed, or waits for an operator, into the customer's wallet instead."""
        command = RetryPart(refund_id=refund_id, actor_id=viewer().user_id, **body)
        refund_to_wallet_instead(command, uow=use().new_uow(), clock=use().clock, new_id=use().new_id)
        return answer(RefundShown, _shown(refund_id))


@blueprint.route("/admin/refunds/<uuid:refund_id>/give-up")
class AbandonedRefund(MethodView):
    @permission_required("refunds.create")
    @idempotent(required=True)
    @blueprint.arguments(RetryRequest)
    @blueprint.response(200, RefundShown)
    def post(self, body: dict[str, Any], refund_id: UUID) -> Response:
        """A part did not happen, as a person saw at the provider: one that waits for an operator, or in doubt for long.

        It may be tried again, or go to the wallet; a reading that tells of it all the same is followed.
        """
        command = RetryPart(refund_id=refund_id, actor_id=viewer().user_id, **body)
        give_up_refund(command, uow=use().new_uow(), clock=use().clock, new_id=use().new_id)
        return answer(RefundShown, _shown(refund_id))


@blueprint.route("/admin/disputes")
class Disputes(MethodView):
    @permission_required("refunds.read")
    @blueprint.arguments(DisputeSearch, location="query")
    @blueprint.response(200, page_of(DisputeShown))
    def get(self, query: dict[str, Any]) -> Response:
        """Charges that customers' banks question or questioned, newest first."""
        rows = use().queries.billing.disputes(
            status=query["status"], limit=query["limit"], after=after_cursor(query["cursor"])
        )
        return answer_page(DisputeShown, *split_page(rows, query["limit"], by_time("opened_at")))


def _amount(text: str | None, payment_id: UUID) -> Money | None:
    """An amount in the payment's own currency."""
    if text is None:
        return None
    row = use().queries.billing.payment(payment_id, owner=None)
    if row is None:
        raise PaymentNotFound()
    try:
        return Money.parse(text, row["currency"])
    except InvalidValue as error:
        fault = error.faults[0]
        raise InvalidValue(fault.detail, pointer="/amount", code=fault.code) from error


def _plan_row(plan: RefundPlan) -> Row:
    unit = plan.amount.currency.code
    return {
        "amount_minor": plan.amount.minor,
        "left_afterwards_minor": plan.left_afterwards.minor,
        "currency": unit,
        "destination": plan.destination,
        "parts": [planned_part_row(part) for part in plan.parts],
        "points_taken": plan.points_taken,
        "cashback_taken_minor": plan.cashback_taken.minor,
        "vendor_share_taken_minor": plan.partners.vendor.minor,
        "commission_taken_minor": plan.partners.agent.minor,
        "payment_status_after": plan.payment_status_after,
        "token": token_of(plan, digests=use().digests, at=use().clock.now()),
    }


def planned_part_row(part: PlannedPart) -> Row:
    """A part of a plan as its shape reads it."""
    amount = part.share.amount
    return {
        "type": part.share.tender.kind,
        "method": part.share.tender.method,
        "way": part.way,
        "amount_minor": amount.minor,
        "currency": amount.currency.code,
        "points": part.points,
    }


def _shown(refund_id: UUID) -> Row:
    row = use().queries.billing.refund(refund_id, owner=scope_of("refunds.read"))
    if row is None:
        raise RefundNotFound()
    return row
