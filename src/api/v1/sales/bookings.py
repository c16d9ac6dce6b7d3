"""Quotes and bookings."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from flask import Response

from api.answers import answer, answer_page
from api.blueprint import Blueprint
from api.context import own_bookings, use, viewer
from api.etags import tagged
from api.pagination import after_in, by_order, order_of, split_page
from api.specification import page_of
from api.v1.sales.requests import ask_for, ask_otherwise, price_for, refuse_prices_of_customers
from api.v1.sales.rows import booking_row, quote_row
from api.v1.sales.schemas import (
    AdvanceRequest,
    BookingRequest,
    BookingShown,
    BookingSummary,
    BookingTypeShown,
    QuoteShown,
    RequestChangesBody,
    StatusChangeShown,
)
from api.v1.sales.search_schemas import BookingQuery, search_of
from api.v1.sales.viewing import agent_for, answer_booking, as_seen, customer_in, shown, travelers_in
from api.views import MethodView
from application.sales.bookings import PlaceBooking, place_booking
from application.sales.pricing import Chosen, plan_terms, pricing_settings
from application.sales.quotes import AskForQuote, Quoted, price_token, quote_booking
from application.sales.trips import AdvanceBooking, CompleteBooking, complete_booking, start_booking
from domain.catalogue.items import Item, ItemKind
from domain.operations.settings import (
    CASHBACK_ELIGIBLE_AFTER_DAYS,
    DOCUMENT_VALIDITY_DAYS,
    HOLD_MINUTES,
)
from domain.pricing.price_lists import Party
from domain.sales.agreed import BookingType
from domain.sales.booking_errors import BookingNotFound
from domain.sales.bookings import Booking
from domain.sales.instalments import PaymentPlan, PlanWanted
from domain.sales.requests import ON_REQUEST
from domain.shared.clock import business_date
from domain.shared.errors import InvalidValue
from middlewares.auth_middleware import permission_required, public, token_required
from middlewares.idempotency import idempotent, not_idempotent

blueprint = Blueprint("bookings", __name__, description="Quotes and bookings")


@blueprint.route("/quotes")
class Quotes(MethodView):
    @token_required(scope="quotes.own")
    @not_idempotent("a quote stores nothing")
    @blueprint.arguments(BookingRequest)
    @blueprint.response(200, QuoteShown)
    def post(self, body: dict[str, Any]) -> Response:
        """Price a booking without making it; nothing is stored or held. What people price has its `items`."""
        refuse_prices_of_customers(body)
        is_priced = body["booking_type"] in ON_REQUEST and body["items"] is not None
        customer = customer_in(body)
        quoted = price_for(body, customer) if is_priced else _quoted(body, customer)
        return answer(QuoteShown, quote_row(quoted, token=price_token(quoted, digests=use().digests)))


@blueprint.route("/bookings")
class Bookings(MethodView):
    @token_required(scope="bookings.own")
    @blueprint.arguments(BookingQuery, location="query")
    @blueprint.response(200, page_of(BookingSummary))
    def get(self, query: dict[str, Any]) -> Response:
        """One's own bookings, newest first; with their customers' for agents, everybody's for staff."""
        order = order_of(query)
        rows = use().queries.sales.bookings(
            search=search_of(query),
            **own_bookings(),
            limit=query["limit"],
            after=after_in(query["cursor"], order),
            order=order,
            updated_after=query["updated_after"],
        )
        return answer_page(BookingSummary, *split_page(rows, query["limit"], by_order(order)))

    @token_required(scope="bookings.own")
    @idempotent(required=True)
    @blueprint.arguments(BookingRequest)
    @blueprint.response(201, BookingShown)
    def post(self, body: dict[str, Any]) -> Response:
        """Hold seats at today's price until `hold_expires_at`, then pay with `POST /payments`; or ask for a trip.

        What is in no catalogue is a DRAFT until staff or an agent have priced it; they may price it at once (`items`).
        """
        refuse_prices_of_customers(body)
        customer = customer_in(body)
        booking = ask_for(body, customer) if body["booking_type"] in ON_REQUEST else _placed(body, customer)
        row = as_seen(booking_row(booking, today=business_date(use().clock.now())))
        return answer(BookingShown, row, 201, location=f"/api/v1/bookings/{booking.id}")


@blueprint.route("/bookings/types")
class Types(MethodView):
    @public
    @blueprint.response(200, page_of(BookingTypeShown))
    def get(self) -> Response:
        """The types of bookings, in the order in which apps show them."""
        return answer_page(BookingTypeShown, use().queries.sales.booking_types(), None)


@blueprint.route("/bookings/<uuid:booking_id>")
class OneBooking(MethodView):
    @token_required(scope="bookings.own")
    @tagged
    @blueprint.response(200, BookingShown)
    def get(self, booking_id: UUID) -> Response:
        """One booking."""
        return answer_booking(booking_id)

    @token_required(scope="bookings.own")
    @idempotent()
    @tagged
    @blueprint.arguments(RequestChangesBody)
    @blueprint.response(200, BookingShown)
    def patch(self, body: dict[str, Any], booking_id: UUID) -> Response:
        """Ask for something else, as long as nobody has priced it: for its customer, and the agent who asked."""
        ask_otherwise(body, shown(booking_id))
        return answer_booking(booking_id)


@blueprint.route("/bookings/<uuid:booking_id>/history")
class History(MethodView):
    @token_required(scope="bookings.own")
    @blueprint.response(200, page_of(StatusChangeShown))
    def get(self, booking_id: UUID) -> Response:
        """Every step of a booking, oldest first: who, when and why."""
        steps = use().queries.sales.history(booking_id, **own_bookings())
        if steps is None:
            raise BookingNotFound()
        return answer_page(StatusChangeShown, steps, None)


@blueprint.route("/bookings/<uuid:booking_id>/start")
class Start(MethodView):
    @permission_required("bookings.start")
    @idempotent()
    @blueprint.arguments(AdvanceRequest)
    @blueprint.response(200, BookingShown)
    def post(self, body: dict[str, Any], booking_id: UUID) -> Response:
        """The trip begins; ahead of its first day a reason is needed."""
        command = AdvanceBooking(booking_id=booking_id, actor_id=viewer().user_id, **body)
        start_booking(command, uow=use().new_uow(), clock=use().clock)
        return answer(BookingShown, shown(booking_id))


@blueprint.route("/bookings/<uuid:booking_id>/complete")
class Complete(MethodView):
    @permission_required("bookings.complete")
    @idempotent()
    @blueprint.arguments(AdvanceRequest)
    @blueprint.response(200, BookingShown)
    def post(self, body: dict[str, Any], booking_id: UUID) -> Response:
        """The trip is over: its money is earned, and the customer's cashback is promised."""
        days = use().system_settings.value(CASHBACK_ELIGIBLE_AFTER_DAYS)
        command = CompleteBooking(
            booking_id=booking_id,
            actor_id=viewer().user_id,
            cashback_eligible_after=timedelta(days=days),
            **body,
        )
        complete_booking(command, uow=use().new_uow(), clock=use().clock, new_id=use().new_id)
        return answer(BookingShown, shown(booking_id))


def _quoted(body: dict[str, Any], customer: UUID) -> Quoted:
    return quote_booking(
        AskForQuote(
            user_id=customer,
            item=_item(body),
            departure_id=body["departure_id"],
            starts_on=body["start_date"],
            ends_on=body["end_date"],
            chosen=_chosen(body, customer),
            hold_for=timedelta(minutes=use().system_settings.value(HOLD_MINUTES)),
            plan=_plan(body),
            plan_terms=use().system_settings.made_into(plan_terms),
            settings=use().system_settings.made_into(pricing_settings),
        ),
        queries=use().queries.sales,
        promotions=use().queries.pricing,
        clock=use().clock,
    )


def _placed(body: dict[str, Any], customer: UUID) -> Booking:
    for name in ("time_zone", "booking_details", "items", "cancellation_policy_id"):
        if body[name] is not None:
            raise InvalidValue("not of this type", pointer=f"/{name}", code="unknown_field")
    ports, asking = use(), viewer()
    settings = ports.system_settings
    return place_booking(
        PlaceBooking(
            actor_id=asking.user_id,
            actor_is_staff=asking.is_staff,
            user_id=customer,
            agent_id=agent_for(customer),
            item=_item(body),
            departure_id=_departure(body),
            starts_on=body["start_date"],
            ends_on=body["end_date"],
            chosen=_chosen(body, customer),
            travelers=travelers_in(body),
            document_valid_days=settings.value(DOCUMENT_VALIDITY_DAYS),
            customer_info=body["customer_info"],
            special_requests=body["special_requests"],
            hold_for=timedelta(minutes=settings.value(HOLD_MINUTES)),
            plan=_plan(body),
            plan_terms=settings.made_into(plan_terms),
            settings=settings.made_into(pricing_settings),
            price_token=body["quote_token"],
            waiting_list_entry_id=body["waiting_list_entry_id"],
        ),
        uow=ports.new_uow(),
        clock=ports.clock,
        new_id=ports.new_id,
        digests=ports.digests,
    )


_ITEMS = {BookingType.PACKAGE: "package_id", BookingType.ACTIVITY: "activity_id"}


def _item(body: dict[str, Any]) -> Item:
    """The one item of the catalogue that is wanted, of the kind that the type says."""
    kind: BookingType = body["booking_type"]
    wanted = _ITEMS.get(kind)
    if wanted is None:
        raise InvalidValue("not sold from the catalogue", pointer="/booking_type", code="not_offered")
    for name in _ITEMS.values():
        if (body[name] is None) == (name == wanted):
            detail = "needed for this type" if name == wanted else "not of this type"
            raise InvalidValue(detail, pointer=f"/{name}", code="required" if name == wanted else "unknown_field")
    return Item(ItemKind(kind), body[wanted])


def _departure(body: dict[str, Any]) -> UUID:
    departure_id: UUID | None = body["departure_id"]
    if departure_id is None:
        raise InvalidValue("needed for what is in the catalogue", pointer="/departure_id", code="required")
    return departure_id


def _chosen(body: dict[str, Any], customer: UUID) -> Chosen:
    """Raises InvalidValue for points that neither their owner nor staff would spend."""
    asking = viewer()
    if body["points_to_redeem"] and customer != asking.user_id and not asking.is_staff:
        raise InvalidValue("they are the customer's to spend", pointer="/points_to_redeem", code="customers_points")
    births = (traveler["birth_date"] for traveler in body["travelers"])
    return Chosen(
        party=Party(count=body["travelers_count"], birth_dates=tuple(birth for birth in births if birth is not None)),
        voucher_code=body["voucher_code"],
        points=body["points_to_redeem"],
        currency=body["currency"],
    )


def _plan(body: dict[str, Any]) -> PlanWanted:
    plan, parts = body["payment_plan"], body["instalments"]
    if (parts is not None) != (plan is PaymentPlan.INSTALMENTS):
        detail, code = ("needed for this plan", "required") if parts is None else ("not of this plan", "unknown_field")
        raise InvalidValue(detail, pointer="/instalments", code=code)
    return PlanWanted(plan, parts)
