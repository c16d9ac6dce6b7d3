"""What staff say of a booking that neither money nor dates have said."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response

from api.blueprint import Blueprint
from api.context import use, viewer
from api.etags import tagged
from api.v1.sales.schemas import BookingShown, NoShowRequest
from api.v1.sales.viewing import answer_booking
from api.views import MethodView
from application.sales.trips import ConfirmBooking, MissBooking, confirm_booking, miss_booking
from middlewares.auth_middleware import permission_required
from middlewares.idempotency import idempotent

blueprint = Blueprint("booking_verbs", __name__, url_prefix="/bookings", description="Staff's verbs of bookings")


@blueprint.route("/<uuid:booking_id>/confirm")
class Confirm(MethodView):
    @permission_required("bookings.confirm")
    @idempotent()
    @tagged
    @blueprint.response(200, BookingShown)
    def post(self, booking_id: UUID) -> Response:
        """Confirm a priced booking whose deposit is in, where settling has not done so; never without its money."""
        command = ConfirmBooking(booking_id=booking_id, actor_id=viewer().user_id)
        confirm_booking(command, uow=use().new_uow(), clock=use().clock)
        return answer_booking(booking_id)


@blueprint.route("/<uuid:booking_id>/no-show")
class NoShow(MethodView):
    @permission_required("bookings.no_show")
    @idempotent()
    @tagged
    @blueprint.arguments(NoShowRequest)
    @blueprint.response(200, BookingShown)
    def post(self, body: dict[str, Any], booking_id: UUID) -> Response:
        """The customer did not come, from the trip's first day on; the money stays."""
        command = MissBooking(booking_id=booking_id, actor_id=viewer().user_id, reason=body["reason"])
        miss_booking(command, uow=use().new_uow(), clock=use().clock)
        return answer_booking(booking_id)
