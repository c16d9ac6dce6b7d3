"""Money that came after its booking had expired: the customer's choice."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response
from flask.views import MethodView
from marshmallow import fields, validate

from api.answers import answer_page
from api.blueprint import Blueprint
from api.context import use, viewer
from api.fields import MoneyField, Schema
from api.specification import page_of
from api.v1.sales.viewing import shown
from application.billing.late_choices import ChooseForLateMoney, choose_for_late_money
from domain.billing.late_money import Hindrance, LateChoice
from middlewares.auth_middleware import token_required
from middlewares.idempotency import idempotent

blueprint = Blueprint("late_money", __name__, description="Money that came too late for its booking")


class LateChoiceRequest(Schema):
    """WALLET puts it into the wallet, REFUND sends it back to where it came from."""

    choice = fields.Enum(LateChoice, by_value=True, required=True)


class LateMoneyShown(Schema):
    """`status` is WAITING for the choice, REFUNDING, WITH_STAFF after a refund that failed, or what became of it."""

    receipt_id = fields.UUID()
    amount = MoneyField()
    hindrance = fields.String(validate=validate.OneOf(list(Hindrance)))
    status = fields.String()
    choice = fields.String(allow_none=True, validate=validate.OneOf(list(LateChoice)))
    offered_at = fields.DateTime()
    choose_until = fields.DateTime()
    chosen_at = fields.DateTime(allow_none=True)


@blueprint.route("/bookings/<uuid:booking_id>/late-payment")
class LatePayment(MethodView):
    @token_required(scope="bookings.own")
    @blueprint.response(200, page_of(LateMoneyShown))
    def get(self, booking_id: UUID) -> Response:
        """Money that came too late for a booking and could not keep its trip; nothing where none did."""
        return _shown(booking_id)

    @token_required
    @idempotent(required=True)
    @blueprint.arguments(LateChoiceRequest)
    @blueprint.response(200, page_of(LateMoneyShown))
    def post(self, body: dict[str, Any], booking_id: UUID) -> Response:
        """Choose what becomes of all of it that waits; until `choose_until`, and once."""
        command = ChooseForLateMoney(booking_id=booking_id, user_id=viewer().user_id, choice=body["choice"])
        choose_for_late_money(
            command, new_uow=use().new_uow, gateways=use().gateways, clock=use().clock, new_id=use().new_id
        )
        return _shown(booking_id)


def _shown(booking_id: UUID) -> Response:
    shown(booking_id)
    return answer_page(LateMoneyShown, use().queries.late_money.of_booking(booking_id), None)
