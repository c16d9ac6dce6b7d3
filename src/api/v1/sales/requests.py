"""Requests of trips that are in no catalogue, and their prices."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any, cast
from uuid import UUID

from flask import Response

from api.blueprint import Blueprint
from api.context import may, use, viewer
from api.etags import expected_version, tagged
from api.v1.sales.schemas import BookingShown, TripOfferRequest
from api.v1.sales.viewing import agent_for, answer_booking, is_their_own, shown, travelers_in
from api.views import MethodView
from application.queries import Row
from application.sales.hand_prices import OfferedItem
from application.sales.offers import Offer, PriceBooking, price_booking
from application.sales.pricing import plan_terms, pricing_settings
from application.sales.quotes import Quoted
from application.sales.request_quotes import QuoteRequest, quote_request
from application.sales.requests import (
    ChangeRequest,
    RequestBooking,
    RequestChanges,
    change_request,
    request_booking,
)
from domain.operations.settings import DEFAULT_CURRENCY, DOCUMENT_VALIDITY_DAYS, OFFER_HOURS
from domain.sales.bookings import Booking
from domain.sales.requests import TripWish
from domain.shared.clock import BUSINESS_ZONE
from domain.shared.errors import FieldFault, InvalidValue, NotAllowed
from domain.shared.percentage import Percentage
from middlewares.auth_middleware import permission_required
from middlewares.idempotency import idempotent

blueprint = Blueprint("booking_offers", __name__, url_prefix="/bookings", description="Prices of requested trips")


@blueprint.route("/<uuid:booking_id>/price")
class Price(MethodView):
    @permission_required("bookings.price")
    @idempotent()
    @tagged
    @blueprint.arguments(TripOfferRequest)
    @blueprint.response(200, BookingShown)
    def post(self, body: dict[str, Any], booking_id: UUID) -> Response:
        """Price what was asked for, or price it anew while nothing is paid; agents for their own customers.

        Payments that wait for the price before are cancelled. Nobody prices for themselves.
        """
        shown(booking_id)
        command = PriceBooking(
            booking_id=booking_id,
            actor_id=viewer().user_id,
            actor_is_staff=viewer().is_staff,
            offer=_offer(body),
            expected_version=expected_version(),
        )
        price_booking(command, uow=use().new_uow(), clock=use().clock, new_id=use().new_id)
        return answer_booking(booking_id)


def refuse_prices_of_customers(body: dict[str, Any]) -> None:
    """Prices come from those who may price. Raises NotAllowed."""
    if body["items"] is not None and not may("bookings.price"):
        raise NotAllowed(faults=(FieldFault("/items", "staff_priced", "staff and agents price this"),))


_OF_THE_CATALOGUE = (
    "package_id", "activity_id", "departure_id", "points_to_redeem", "waiting_list_entry_id",
)  # fmt: skip
_OF_A_PRICE = ("voucher_code", "cancellation_policy_id", "quote_token")


def ask_for(body: dict[str, Any], customer: UUID) -> Booking:
    """Keep what was asked for; with `items` it is priced at once."""
    settings, wish = use().system_settings, _wish(body)
    return request_booking(
        RequestBooking(
            actor_id=viewer().user_id,
            actor_is_staff=viewer().is_staff,
            user_id=customer,
            agent_id=agent_for(customer),
            wish=wish,
            currency=body["currency"] or settings.value(DEFAULT_CURRENCY),
            travelers=travelers_in(body),
            document_valid_days=settings.value(DOCUMENT_VALIDITY_DAYS),
            customer_info=body["customer_info"],
            special_requests=body["special_requests"],
            offer=_offer(body) if body["items"] is not None else None,
            price_token=body["quote_token"],
        ),
        uow=use().new_uow(),
        clock=use().clock,
        new_id=use().new_id,
        digests=use().digests,
    )


def price_for(body: dict[str, Any], customer: UUID) -> Quoted:
    """What the `items` would cost a customer, for those who may price."""
    return quote_request(
        QuoteRequest(actor_id=viewer().user_id, user_id=customer, wish=_wish(body), offer=_offer(body)),
        queries=use().queries.sales,
        promotions=use().queries.pricing,
        clock=use().clock,
        new_id=use().new_id,
    )


def _wish(body: dict[str, Any]) -> TripWish:
    """What is asked for, and nothing that is not of it."""
    for name in _OF_THE_CATALOGUE:
        if body[name]:
            raise InvalidValue("not of this type", pointer=f"/{name}", code="unknown_field")
    for name in _OF_A_PRICE:
        if body[name] is not None and body["items"] is None:
            raise InvalidValue("beside a price", pointer=f"/{name}", code="unknown_field")
    if body["start_date"] is None:
        raise InvalidValue("needed for this type", pointer="/start_date", code="required")
    return TripWish(
        booking_type=body["booking_type"],
        start_date=body["start_date"],
        end_date=body["end_date"],
        time_zone=body["time_zone"] or BUSINESS_ZONE.key,
        travelers_count=body["travelers_count"],
        details=body["booking_details"] or {},
    )


def ask_otherwise(body: dict[str, Any], booking: Row) -> None:
    """Change a request. Raises NotAllowed for staff: it is the customer's own."""
    if not is_their_own(booking):
        raise NotAllowed()
    changes = {_NAMES.get(name, name): value for name, value in body.items()}
    if "travelers" in changes:
        changes["travelers"] = travelers_in(changes)
    command = ChangeRequest(
        booking_id=booking["id"],
        actor_id=viewer().user_id,
        changes=cast(RequestChanges, changes),
        document_valid_days=use().system_settings.value(DOCUMENT_VALIDITY_DAYS),
        expected_version=expected_version(),
    )
    change_request(command, uow=use().new_uow(), clock=use().clock)


_NAMES = {"booking_details": "details"}


def _offer(body: dict[str, Any]) -> Offer:
    settings = use().system_settings
    hours = body.get("hold_hours")
    if hours is not None and body["valid_until"] is not None:
        raise InvalidValue("either hold_hours or valid_until", pointer="/valid_until", code="one_of_two")
    terms, percent = plan_terms(settings), body.get("deposit_percent")
    return Offer(
        items=[OfferedItem(**item) for item in body["items"]],
        plan_terms=replace(terms, deposit=Percentage(percent * 100)) if percent is not None else terms,
        valid_until=body.get("valid_until"),
        ordinarily_valid=timedelta(hours=hours if hours is not None else settings.value(OFFER_HOURS)),
        settings=pricing_settings(settings),
        voucher_code=body["voucher_code"],
        cancellation_policy_id=body["cancellation_policy_id"],
    )
