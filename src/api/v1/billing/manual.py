"""Money that people confirm: receipts by staff, with a second pair of eyes above a limit, and payers' slips."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response, request
from marshmallow import fields, validate

from api.answers import answer, answer_page
from api.blueprint import Blueprint
from api.context import scope_of, use, viewer
from api.fields import MoneyField, Schema, Text
from api.pagination import PageQuery, after_cursor, by_time, split_page
from api.specification import page_of
from api.uploads import picture_bodies, sent_picture
from api.v1.billing.payments import PaymentShown
from api.views import MethodView
from application.billing import manual
from application.billing.slips import NoQrCode, SendSlip, SlipNotFound, send_slip
from application.queries import Row
from domain.billing.manual import ManualReceiptNotFound, ManualReceiptStatus
from domain.billing.payments import PaymentNotFound
from domain.operations.settings import MANUAL_CONFIRMATION_LIMIT
from domain.shared.money import Money
from middlewares.auth_middleware import permission_required, token_required
from middlewares.idempotency import idempotent, not_idempotent

blueprint = Blueprint("manual_payments", __name__, description="Payments that people confirm")


class ConfirmPaymentRequest(Schema):
    """What the bank or the cash desk says."""

    reference = Text(
        required=True,
        least=3,
        most=80,
        identifier=True,
        metadata={"description": "The bank's or the cash desk's own; money comes once under each."},
    )
    received_on = fields.Date(required=True)
    amount = MoneyField(
        load_default=None, allow_none=True, metadata={"description": "What came, where it is not what was asked."}
    )
    additional = fields.Boolean(
        load_default=False,
        truthy={True},
        falsy={False},
        metadata={"description": "Whether it came on top of what was confirmed before; it goes to suspense."},
    )


class ManualReceiptShown(Schema):
    id = fields.UUID()
    payment_id = fields.UUID()
    payment_number = fields.String()
    payment_status = fields.String()
    user_id = fields.UUID()
    reference = fields.String()
    received_on = fields.Date()
    amount = MoneyField()
    status = fields.String(validate=validate.OneOf(list(ManualReceiptStatus)))
    needs_approval = fields.Boolean()
    made_by_user_id = fields.UUID()
    decided_by_user_id = fields.UUID(allow_none=True)
    created_at = fields.DateTime()
    decided_at = fields.DateTime(allow_none=True)


class ConfirmedShown(PaymentShown):
    """The payment, and the receipt that was written for it."""

    receipt = fields.Nested(ManualReceiptShown)


class ReceiptSearch(PageQuery):
    """Which receipts."""

    status = fields.String(load_default=None, validate=validate.OneOf(list(ManualReceiptStatus)))


class SlipShown(Schema):
    payment_id = fields.UUID()
    content_type = fields.String()
    uploaded_at = fields.DateTime()


@blueprint.route("/payments/<uuid:payment_id>/confirm")
class ConfirmedPayment(MethodView):
    @permission_required("payments.confirm")
    @idempotent(required=True, calls_provider=True)
    @blueprint.arguments(ConfirmPaymentRequest)
    @blueprint.response(200, ConfirmedShown)
    @blueprint.alt_response(202, schema=ConfirmedShown, description="It is above the limit: a second person decides")
    def post(self, body: dict[str, Any], payment_id: UUID) -> Response:
        """Say that the money of a payment in cash or by transfer came; it settles as any provider's would."""
        limits = use().system_settings.value(MANUAL_CONFIRMATION_LIMIT)
        receipt_id = manual.confirm_payment(
            manual.ConfirmPayment(
                payment_id=payment_id,
                reference=body["reference"],
                received_on=body["received_on"],
                amount=body["amount"],
                limits=tuple(Money.parse(limit["amount"], limit["currency"]) for limit in limits),
                is_additional=body["additional"],
                actor_id=viewer().user_id,
                # A key is its caller's for one payment: the same at another one means something else.
                idempotency_key=f"{viewer().user_id}:{payment_id}:{request.headers['Idempotency-Key']}",
            ),
            new_uow=use().new_uow,
            gateways=use().gateways,
            clock=use().clock,
            new_id=use().new_id,
            live=use().live,
        )
        receipt = _receipt(receipt_id)
        waits = receipt["status"] == ManualReceiptStatus.PENDING
        return answer(ConfirmedShown, {**_payment(payment_id), "receipt": receipt}, 202 if waits else 200)


@blueprint.route("/admin/manual-receipts")
class ManualReceipts(MethodView):
    @permission_required("payments.read")
    @blueprint.arguments(ReceiptSearch, location="query")
    @blueprint.response(200, page_of(ManualReceiptShown))
    def get(self, query: dict[str, Any]) -> Response:
        """What staff confirmed, newest first; `status=PENDING` is what waits for a second person."""
        rows = use().queries.manual.receipts(
            status=query["status"], limit=query["limit"], after=after_cursor(query["cursor"])
        )
        return answer_page(ManualReceiptShown, *split_page(rows, query["limit"], by_time("created_at")))


@blueprint.route("/admin/manual-receipts/<uuid:receipt_id>")
class OneManualReceipt(MethodView):
    @permission_required("payments.read")
    @blueprint.response(200, ManualReceiptShown)
    def get(self, receipt_id: UUID) -> Response:
        """One receipt."""
        return answer(ManualReceiptShown, _receipt(receipt_id))


@blueprint.route("/admin/manual-receipts/<uuid:receipt_id>/approve")
class ApproveManualReceipt(MethodView):
    @permission_required("payments.confirm")
    @idempotent(required=True, calls_provider=True)
    @blueprint.response(200, ManualReceiptShown)
    def post(self, receipt_id: UUID) -> Response:
        """Agree with what somebody else confirmed: its payment settles."""
        manual.approve_receipt(
            manual.DecideReceipt(receipt_id=receipt_id, actor_id=viewer().user_id),
            new_uow=use().new_uow,
            gateways=use().gateways,
            clock=use().clock,
            new_id=use().new_id,
            live=use().live,
        )
        return answer(ManualReceiptShown, _receipt(receipt_id))


@blueprint.route("/admin/manual-receipts/<uuid:receipt_id>/reject")
class RejectManualReceipt(MethodView):
    @permission_required("payments.confirm")
    @idempotent(required=True)
    @blueprint.response(200, ManualReceiptShown)
    def post(self, receipt_id: UUID) -> Response:
        """Do not agree: nothing is booked, and the reference may be used again."""
        command = manual.DecideReceipt(receipt_id=receipt_id, actor_id=viewer().user_id)
        manual.reject_receipt(command, uow=use().new_uow(), clock=use().clock)
        return answer(ManualReceiptShown, _receipt(receipt_id))


@blueprint.route("/payments/<uuid:payment_id>/slip")
class PaymentSlip(MethodView):
    @token_required
    @not_idempotent("a slip takes the place of the one before: sent again, it ends the same")
    @blueprint.doc(**picture_bodies("slip"))
    @blueprint.response(201, SlipShown)
    def post(self, payment_id: UUID) -> Response:
        """Send a picture of one's bank transfer; the next one replaces it."""
        send_slip(
            SendSlip(payment_id=payment_id, user_id=viewer().user_id, content=sent_picture("slip")),
            desk=use().slip_desk,
            new_uow=use().new_uow,
            clock=use().clock,
            new_id=use().new_id,
        )
        shown = {**_slip(payment_id), "payment_id": payment_id}
        return answer(SlipShown, shown, 201, location=f"/api/v1/payments/{payment_id}/slip")

    @token_required
    @blueprint.response(200, {"type": "string", "format": "binary"}, content_type="image/jpeg")
    def get(self, payment_id: UUID) -> Response:
        """The payer's picture, for themselves and for staff."""
        slip = _slip(payment_id)
        content = use().slip_desk.storage.get(slip["storage_key"])
        if content is None:
            raise SlipNotFound()
        headers = {
            "Cache-Control": "private, no-store",
            "Content-Disposition": 'inline; filename="slip.jpg"',
        }
        return Response(content, content_type=slip["content_type"], headers=headers)


@blueprint.route("/payments/<uuid:payment_id>/qr.png")
class PaymentQrCode(MethodView):
    @token_required(scope="payments.own")
    @blueprint.response(200, {"type": "string", "format": "binary"}, content_type="image/png")
    def get(self, payment_id: UUID) -> Response:
        """The checkout's QR code drawn; 404 where the way to pay has none."""
        text = _payment(payment_id, owner=scope_of("payments.read"))["qr_code"]
        if not text:
            raise NoQrCode()
        drawn = use().qr_codes.png(text)
        return Response(drawn, content_type="image/png", headers={"Cache-Control": "private, no-store"})


def _payment(payment_id: UUID, *, owner: UUID | None = None) -> Row:
    row = use().queries.billing.payment(payment_id, owner=owner)
    if row is None:
        raise PaymentNotFound()
    return {**row, "checkout": row if row["provider_reference"] is not None else None}


def _receipt(receipt_id: UUID) -> Row:
    row = use().queries.manual.receipt(receipt_id)
    if row is None:
        raise ManualReceiptNotFound()
    return row


def _slip(payment_id: UUID) -> Row:
    slip = use().queries.manual.slip(payment_id, owner=scope_of("payments.read"))
    if slip is None:
        raise SlipNotFound()
    return slip
