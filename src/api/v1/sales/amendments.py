"""Amending bookings: what another trip would cost, asking for it, and what became of it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, cast
from uuid import UUID

from flask import Response

from api.answers import answer, answer_page
from api.blueprint import Blueprint
from api.context import may, own_bookings, use, viewer
from api.specification import page_of
from api.v1.sales.amendment_schemas import (
    AmendmentPlanShown,
    AmendmentPreviewRequest,
    AmendmentRequest,
    AmendmentShown,
    plan_row,
)
from api.v1.sales.viewing import is_their_own, shown
from api.views import MethodView
from application.queries import Row
from application.sales.amending import (
    AmendBooking,
    PreviewAmendment,
    WithdrawAmendment,
    amend_booking,
    preview_amendment,
    withdraw_amendment,
)
from application.sales.amendment_plans import OtherTrip, WantedChange, agreed_plan, token_of
from application.sales.hand_prices import OfferedItem
from domain.operations.settings import DOCUMENT_VALIDITY_DAYS, HOLD_MINUTES, OFFER_HOURS
from domain.sales.booking_errors import BookingNotFound
from domain.sales.travelers import Traveler
from domain.shared.errors import NotAllowed
from middlewares.auth_middleware import token_required
from middlewares.idempotency import idempotent, not_idempotent

blueprint = Blueprint("amendments", __name__, url_prefix="/bookings", description="Amending bookings")


@blueprint.route("/<uuid:booking_id>/amendments/preview")
class Preview(MethodView):
    @token_required(scope="bookings.own")
    @not_idempotent("a preview stores nothing")
    @blueprint.arguments(AmendmentPreviewRequest)
    @blueprint.response(200, AmendmentPlanShown)
    def post(self, body: dict[str, Any], booking_id: UUID) -> Response:
        """What another date or party would cost now, and what would go back; nothing happens.

        What people priced is priced anew by whoever may price, with its `items`; never for themselves.
        """
        command = PreviewAmendment(**_asked(body, booking_id))
        plan = preview_amendment(
            command, uow=use().new_uow(), gateways=use().gateways, clock=use().clock, new_id=use().new_id
        )
        token = token_of(plan, digests=use().digests, at=use().clock.now())
        return answer(AmendmentPlanShown, plan_row(plan, token=token))


@blueprint.route("/<uuid:booking_id>/amendments")
class Amendments(MethodView):
    @token_required(scope="bookings.own")
    @blueprint.response(200, page_of(AmendmentShown))
    def get(self, booking_id: UUID) -> Response:
        """The booking's amendments, the newest 100, newest first."""
        return answer_page(AmendmentShown, _amendments(booking_id), None)

    @token_required(scope="bookings.own")
    @idempotent(required=True)
    @blueprint.arguments(AmendmentRequest)
    @blueprint.response(201, AmendmentShown)
    def post(self, body: dict[str, Any], booking_id: UUID) -> Response:
        """Change the trip at once where it costs no more; else hold its seats until `amount_due` is paid.

        Until then the old trip stands. What is paid for the booking meanwhile pays the amendment first.
        """
        token = body["preview_token"]
        command = AmendBooking(
            **_asked(body, booking_id),
            actor_id=viewer().user_id,
            agreed=agreed_plan(token, digests=use().digests, at=use().clock.now()) if token is not None else None,
        )
        amendment_id = amend_booking(
            command, uow=use().new_uow(), gateways=use().gateways, clock=use().clock, new_id=use().new_id
        )
        made = next(row for row in _amendments(booking_id) if row["id"] == amendment_id)
        return answer(AmendmentShown, made, 201, location=f"/api/v1/bookings/{booking_id}/amendments")


@blueprint.route("/<uuid:booking_id>/amendments/<uuid:amendment_id>/withdraw")
class Withdraw(MethodView):
    @token_required(scope="bookings.own")
    @idempotent()
    @blueprint.response(200, AmendmentShown)
    def post(self, booking_id: UUID, amendment_id: UUID) -> Response:
        """Let go of an amendment that waits for its payment: the old trip stands."""
        command = WithdrawAmendment(
            booking_id=booking_id, amendment_id=amendment_id, actor_id=viewer().user_id, owner=_owner(booking_id)
        )
        withdraw_amendment(command, uow=use().new_uow(), clock=use().clock)
        return answer(AmendmentShown, next(row for row in _amendments(booking_id) if row["id"] == amendment_id))


def _asked(body: dict[str, Any], booking_id: UUID) -> dict[str, Any]:
    settings, named, items = use().system_settings, body["travelers"], body["items"]
    other_trip = {_OF_THE_TRIP[name]: value for name, value in body.items() if name in _OF_THE_TRIP}
    wanted = WantedChange(
        departure_id=body["departure_id"],
        travelers_count=body["travelers_count"],
        travelers=tuple(Traveler(**each) for each in named) if named is not None else None,
        other_trip=cast(OtherTrip, other_trip),
        items=[OfferedItem(**item) for item in items] if items is not None else None,
    )
    return {
        "booking_id": booking_id,
        "owner": _owner(booking_id),
        "wanted": wanted,
        "hold_for": timedelta(minutes=settings.value(HOLD_MINUTES)),
        "document_valid_days": settings.value(DOCUMENT_VALIDITY_DAYS),
        "priced_by": viewer().user_id if may("bookings.price") else None,
        "offered_for": timedelta(hours=settings.value(OFFER_HOURS)),
    }


_OF_THE_TRIP = {
    "start_date": "start_date", "end_date": "end_date", "time_zone": "time_zone", "booking_details": "details",
}  # fmt: skip


def _owner(booking_id: UUID) -> UUID | None:
    """Whose bookings the viewer may amend: everybody's (None) with the permission, else their own.

    Raises NotAllowed, BookingNotFound.
    """
    booking = shown(booking_id)
    if may("bookings.update"):
        return None
    if not is_their_own(booking):
        raise NotAllowed()
    return viewer().user_id


def _amendments(booking_id: UUID) -> list[Row]:
    rows = use().queries.sales.amendments(booking_id, **own_bookings())
    if rows is None:
        raise BookingNotFound()
    return list(rows)
