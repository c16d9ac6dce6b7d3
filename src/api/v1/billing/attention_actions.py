"""What staff do about payments that need a person; each answers the row as it stands afterwards."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from flask import Response
from marshmallow import fields, validate

from api.answers import answer
from api.blueprint import Blueprint
from api.context import own_key, use, viewer
from api.fields import Schema, Text
from api.v1.billing.attention import AttentionStoryShown, story_of
from api.views import MethodView
from application.billing import attention, suspense
from application.billing.attention_ports import AttentionKind
from application.billing.deciding import DecideSuspense
from application.billing.refunds import RefundSuspense, refund_suspense
from application.billing.suspense_ports import SuspenseRefund
from domain.billing.payments import PaymentType
from domain.operations.kinds import amount_in
from domain.operations.settings import WRITE_OFF_LIMIT
from middlewares.auth_middleware import permission_required
from middlewares.idempotency import idempotent

blueprint = Blueprint(
    "attention_actions",
    __name__,
    url_prefix="/admin/payments/attention",
    description="Payments that need a person",
)

_PAYABLES: Final = {"BOOKING": PaymentType.BOOKING, "MEMBERSHIP": PaymentType.MEMBERSHIP_PURCHASE}
_MOST_TOGETHER: Final = 20


class AttentionReasonRequest(Schema):
    """Why; it stays with what is done."""

    reason = Text(least=3, most=500, required=True)


class AnotherPayableRequest(Schema):
    type = fields.String(required=True, validate=validate.OneOf(list(_PAYABLES)))
    id = fields.UUID(required=True)


class ApplySuspenseRequest(AttentionReasonRequest):
    """`together_with` names more items of the same payment, `payable` another thing of the same customer's."""

    together_with = fields.List(fields.UUID(), load_default=(), validate=validate.Length(max=_MOST_TOGETHER))
    payable = fields.Nested(AnotherPayableRequest, load_default=None, allow_none=True)


class AssignWebhookRequest(AttentionReasonRequest):
    payment_id = fields.UUID(required=True)


@blueprint.route("/suspense/<uuid:receipt_id>/wallet")
class IntoWallet(MethodView):
    @permission_required("payments.resolve")
    @idempotent(required=True)
    @blueprint.arguments(AttentionReasonRequest)
    @blueprint.response(200, AttentionStoryShown)
    def post(self, body: dict[str, Any], receipt_id: UUID) -> Response:
        """Put money in suspense into the customer's wallet."""
        command = _decision(receipt_id, body)
        suspense.put_into_wallet(command, uow=use().new_uow(), clock=use().clock, new_id=use().new_id)
        return _shown(AttentionKind.SUSPENSE, receipt_id)


@blueprint.route("/suspense/<uuid:receipt_id>/apply")
class Applied(MethodView):
    @permission_required("payments.resolve")
    @idempotent(required=True)
    @blueprint.arguments(ApplySuspenseRequest)
    @blueprint.response(200, AttentionStoryShown)
    def post(self, body: dict[str, Any], receipt_id: UUID) -> Response:
        """Pay what the money was meant for, or another thing of the customer's that takes just this much."""
        payable = body["payable"]
        command = suspense.ApplySuspense(
            decision=_decision(receipt_id, body),
            together_with=frozenset(body["together_with"]),
            payable=(_PAYABLES[payable["type"]], payable["id"]) if payable is not None else None,
        )
        suspense.apply_suspense(command, uow=use().new_uow(), clock=use().clock, new_id=use().new_id)
        return _shown(AttentionKind.SUSPENSE, receipt_id)


@blueprint.route("/suspense/<uuid:receipt_id>/refund")
class RefundedToPayer(MethodView):
    @permission_required("refunds.create")
    @idempotent(required=True)
    @blueprint.arguments(AttentionReasonRequest)
    @blueprint.response(200, AttentionStoryShown)
    def post(self, body: dict[str, Any], receipt_id: UUID) -> Response:
        """Send money in suspense back to whoever paid it, through the provider or by an operator."""
        uow = use().new_uow()

        def give_back(refund: SuspenseRefund) -> UUID:
            command = RefundSuspense(
                receipt_id=refund.receipt_id,
                amount=refund.amount,
                reason=refund.reason,
                actor_id=refund.actor_id,
                idempotency_key=refund.idempotency_key,
            )
            return refund_suspense(command, uow=uow, gateways=use().gateways, clock=use().clock, new_id=use().new_id)

        suspense.refund_to_payer(
            _decision(receipt_id, body),
            idempotency_key=own_key(),
            uow=uow,
            clock=use().clock,
            new_id=use().new_id,
            give_back=give_back,
        )
        return _shown(AttentionKind.SUSPENSE, receipt_id)


@blueprint.route("/suspense/<uuid:receipt_id>/write-off")
class WrittenOff(MethodView):
    @permission_required("payments.resolve")
    @idempotent(required=True)
    @blueprint.arguments(AttentionReasonRequest)
    @blueprint.response(200, AttentionStoryShown)
    def post(self, body: dict[str, Any], receipt_id: UUID) -> Response:
        """Write off test money, or what rounding left; `payment.write_off_limit` says how little that is."""
        unit = story_of(AttentionKind.SUSPENSE, receipt_id)["currency"]
        limit = amount_in(use().system_settings.value(WRITE_OFF_LIMIT), unit)
        command = suspense.WriteOff(decision=_decision(receipt_id, body), limit=limit)
        suspense.write_off(command, uow=use().new_uow(), clock=use().clock, new_id=use().new_id)
        return _shown(AttentionKind.SUSPENSE, receipt_id)


@blueprint.route("/attempts/<uuid:attempt_id>/check")
class CheckedAttempt(MethodView):
    @permission_required("payments.resolve")
    @idempotent(required=True, calls_provider=True)
    @blueprint.arguments(AttentionReasonRequest)
    @blueprint.response(200, AttentionStoryShown)
    def post(self, body: dict[str, Any], attempt_id: UUID) -> Response:
        """Ask the provider about an attempt now, and settle what it answers."""
        attention.check_attempt(
            _act(attempt_id, body),
            new_uow=use().new_uow,
            gateways=use().gateways,
            clock=use().clock,
            new_id=use().new_id,
            live=use().live,
        )
        return _shown(AttentionKind.ATTEMPT, attempt_id)


@blueprint.route("/attempts/<uuid:attempt_id>/give-up")
class AbandonedAttempt(MethodView):
    @permission_required("payments.resolve")
    @idempotent(required=True)
    @blueprint.arguments(AttentionReasonRequest)
    @blueprint.response(200, AttentionStoryShown)
    def post(self, body: dict[str, Any], attempt_id: UUID) -> Response:
        """Nothing was paid, as a person saw at the provider; money that comes all the same is booked as ever."""
        attention.give_up_attempt(_act(attempt_id, body), uow=use().new_uow(), clock=use().clock)
        return _shown(AttentionKind.ATTEMPT, attempt_id)


@blueprint.route("/webhooks/<uuid:webhook_id>/retry")
class RetriedWebhook(MethodView):
    @permission_required("payments.resolve")
    @idempotent(required=True)
    @blueprint.arguments(AttentionReasonRequest)
    @blueprint.response(200, AttentionStoryShown)
    def post(self, body: dict[str, Any], webhook_id: UUID) -> Response:
        """Have a webhook looked into once more, as if it had just come."""
        attention.retry_webhook(_act(webhook_id, body), uow=use().new_uow(), clock=use().clock)
        return _shown(AttentionKind.WEBHOOK, webhook_id)


@blueprint.route("/webhooks/<uuid:webhook_id>/dismiss")
class DismissedWebhook(MethodView):
    @permission_required("payments.resolve")
    @idempotent(required=True)
    @blueprint.arguments(AttentionReasonRequest)
    @blueprint.response(200, AttentionStoryShown)
    def post(self, body: dict[str, Any], webhook_id: UUID) -> Response:
        """Nothing is to be done about a webhook: neither a person nor a machine looks at it any more."""
        attention.dismiss_webhook(_act(webhook_id, body), uow=use().new_uow(), clock=use().clock)
        return _shown(AttentionKind.WEBHOOK, webhook_id)


@blueprint.route("/webhooks/<uuid:webhook_id>/assign")
class AssignedWebhook(MethodView):
    @permission_required("payments.resolve")
    @idempotent(required=True, calls_provider=True)
    @blueprint.arguments(AssignWebhookRequest)
    @blueprint.response(200, AttentionStoryShown)
    def post(self, body: dict[str, Any], webhook_id: UUID) -> Response:
        """Say which payment a webhook is about: it is settled if the provider itself says so, else 409."""
        command = attention.AssignWebhook(act=_act(webhook_id, body), payment_id=body["payment_id"], live=use().live)
        attention.assign_webhook(
            command, new_uow=use().new_uow, gateways=use().gateways, clock=use().clock, new_id=use().new_id
        )
        return _shown(AttentionKind.WEBHOOK, webhook_id)


@blueprint.route("/payments/<uuid:payment_id>/invoice")
class InvoicedPayment(MethodView):
    @permission_required("payments.resolve")
    @idempotent(required=True)
    @blueprint.arguments(AttentionReasonRequest)
    @blueprint.response(200, AttentionStoryShown)
    def post(self, body: dict[str, Any], payment_id: UUID) -> Response:
        """Issue the invoice that a paid payment still lacks."""
        attention.invoice_payment(_act(payment_id, body), new_uow=use().new_uow, clock=use().clock, new_id=use().new_id)
        return _shown(AttentionKind.PAYMENT, payment_id)


def _decision(receipt_id: UUID, body: dict[str, Any]) -> DecideSuspense:
    return DecideSuspense(receipt_id=receipt_id, actor_id=viewer().user_id, reason=body["reason"])


def _act(row_id: UUID, body: dict[str, Any]) -> attention.ActOn:
    return attention.ActOn(id=row_id, actor_id=viewer().user_id, reason=body["reason"])


def _shown(kind: AttentionKind, row_id: UUID) -> Response:
    return answer(AttentionStoryShown, story_of(kind, row_id))
