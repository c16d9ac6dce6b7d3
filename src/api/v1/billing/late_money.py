"""Money that came after its booking had expired: the customer's choice."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, TypedDict
from uuid import UUID

from flask import Response
from marshmallow import ValidationError, fields, validate, validates_schema

from api.answers import answer, answer_page
from api.blueprint import Blueprint
from api.context import use, viewer
from api.fields import MoneyField, Schema, Text
from api.specification import page_of
from api.v1.sales.rows import quote_row
from api.v1.sales.schemas import QuoteShown
from api.v1.sales.viewing import shown
from api.views import MethodView
from application.billing.late_choices import ChooseForLateMoney, choose_for_late_money
from application.sales.late_departures import ChooseDeparture, LateDeparture, choose_departure, preview_late_departure
from application.sales.pricing import PricingSettings, plan_terms, pricing_settings
from application.sales.quotes import price_token
from domain.billing.late_money import Hindrance, LateChoice
from domain.operations.settings import DOCUMENT_VALIDITY_DAYS, HOLD_MINUTES
from domain.sales.instalments import PlanTerms
from middlewares.auth_middleware import token_required
from middlewares.idempotency import idempotent

blueprint = Blueprint("late_money", __name__, description="Money that came too late for its booking")


class LateChoiceRequest(Schema):
    """WALLET puts it into the wallet, REFUND sends it back to where it came from.

    DEPARTURE books another departure with it, at the price that the preview showed its `quote_token` with.
    """

    choice = fields.Enum(LateChoice, by_value=True, required=True)
    departure_id = fields.UUID(load_default=None, allow_none=True, metadata={"examples": [None]})
    quote_token = Text(most=500, least=1, load_default=None, allow_none=True, metadata={"examples": [None]})

    @validates_schema
    def refuse_half_a_choice(self, body: Mapping[str, Any], **_: Any) -> None:
        """A departure is named where one is chosen, and its price with it."""
        is_departure = body.get("choice") is LateChoice.DEPARTURE
        for name in ("departure_id", "quote_token"):
            if (body.get(name) is not None) != is_departure:
                raise ValidationError("needed for DEPARTURE" if is_departure else "of DEPARTURE alone", name)


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
    rebooked_id = fields.UUID(allow_none=True, metadata={"description": "The booking that it was used for."})


class LateDepartureShown(QuoteShown):
    """The departure's price, and what the late money would pay of it."""

    money = MoneyField(metadata={"description": "All late money that waits."})
    pays = MoneyField(
        metadata={
            "description": "What of it the booking would be paid with: nothing where it would not confirm the booking."
        }
    )
    to_wallet = MoneyField()
    amount_due = MoneyField(metadata={"description": "What would still be due; the wallet may pay a part of it."})


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
        if body["choice"] is LateChoice.DEPARTURE:
            _take(booking_id, body)
        else:
            command = ChooseForLateMoney(booking_id=booking_id, user_id=viewer().user_id, choice=body["choice"])
            choose_for_late_money(
                command, new_uow=use().new_uow, gateways=use().gateways, clock=use().clock, new_id=use().new_id
            )
        return _shown(booking_id)


@blueprint.route("/bookings/<uuid:booking_id>/late-payment/departures/<uuid:departure_id>")
class LateDeparturePrice(MethodView):
    @token_required(scope="bookings.own")
    @blueprint.response(200, LateDepartureShown)
    def get(self, booking_id: UUID, departure_id: UUID) -> Response:
        """What another departure of the same package or activity costs the same travellers; nothing is held."""
        preview = preview_late_departure(
            LateDeparture(**_of(booking_id, departure_id)),
            uow=use().new_uow(),
            queries=use().queries.sales,
            promotions=use().queries.pricing,
            clock=use().clock,
        )
        row = quote_row(preview.quoted, token=price_token(preview.quoted, digests=use().digests))
        sums = {name: getattr(preview, name) for name in ("money", "pays", "to_wallet", "amount_due")}
        return answer(LateDepartureShown, {**row, **{f"{name}_minor": each.minor for name, each in sums.items()}})


class _OfDeparture(TypedDict):
    booking_id: UUID
    user_id: UUID
    departure_id: UUID
    hold_for: timedelta
    plan_terms: PlanTerms
    settings: PricingSettings


def _of(booking_id: UUID, departure_id: UUID) -> _OfDeparture:
    values = use().system_settings
    return {
        "booking_id": booking_id,
        "user_id": viewer().user_id,
        "departure_id": departure_id,
        "hold_for": timedelta(minutes=values.value(HOLD_MINUTES)),
        "plan_terms": plan_terms(values),
        "settings": pricing_settings(values),
    }


def _take(booking_id: UUID, body: dict[str, Any]) -> None:
    command = ChooseDeparture(
        **_of(booking_id, body["departure_id"]),
        price_token=body["quote_token"],
        document_valid_days=use().system_settings.value(DOCUMENT_VALIDITY_DAYS),
    )
    choose_departure(command, uow=use().new_uow(), clock=use().clock, new_id=use().new_id, digests=use().digests)


def _shown(booking_id: UUID) -> Response:
    shown(booking_id)
    return answer_page(LateMoneyShown, use().queries.late_money.of_booking(booking_id), None)
