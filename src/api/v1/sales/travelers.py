"""Who travels."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response

from api.answers import answer_page
from api.blueprint import Blueprint
from api.context import may, use, viewer
from api.etags import expected_version, tagged, with_tag
from api.specification import page_of
from api.v1.sales.schemas import TravelerShown, TravelersRequest
from api.v1.sales.viewing import is_their_own, shown, travelers_in
from api.views import MethodView
from application.sales.travelers import ReadTravelers, WriteTravelers, read_travelers, write_travelers
from domain.operations.settings import DOCUMENT_VALIDITY_DAYS
from domain.shared.errors import NotAllowed
from middlewares.auth_middleware import token_required
from middlewares.idempotency import idempotent

blueprint = Blueprint("travelers", __name__, url_prefix="/bookings", description="Who travels")


@blueprint.route("/<uuid:booking_id>/travelers")
class Travelers(MethodView):
    @token_required(scope="bookings.own")
    @tagged
    @blueprint.response(200, page_of(TravelerShown))
    def get(self, booking_id: UUID) -> Response:
        """Who travels, in their order; the ETag is the booking's.

        Document numbers show their last three characters. Staff with `bookings.documents` see them whole, and that
        they did stays in the audit log.
        """
        shown(booking_id)
        return _answer(booking_id, whole=viewer().is_staff and may("bookings.documents"))

    @token_required(scope="bookings.own")
    @idempotent()
    @tagged
    @blueprint.arguments(TravelersRequest)
    @blueprint.response(200, page_of(TravelerShown))
    def put(self, body: dict[str, Any], booking_id: UUID) -> Response:
        """Write the whole list anew, until the trip begins: customers, their agent, and staff who amend bookings.

        Document numbers are sent whole; they are answered masked.
        """
        if not is_their_own(shown(booking_id)) and not may("bookings.update"):
            raise NotAllowed()
        command = WriteTravelers(
            booking_id=booking_id,
            actor_id=viewer().user_id,
            travelers=travelers_in(body),
            document_valid_days=use().system_settings.value(DOCUMENT_VALIDITY_DAYS),
            expected_version=expected_version(),
        )
        write_travelers(command, uow=use().new_uow(), clock=use().clock)
        return _answer(booking_id, whole=False)


def _answer(booking_id: UUID, *, whole: bool) -> Response:
    command = ReadTravelers(booking_id=booking_id, actor_id=viewer().user_id, whole=whole)
    travelers = read_travelers(command, uow=use().new_uow(), clock=use().clock)
    # Named one by one: a traveller is no dataclass of the API.
    rows = [
        {
            "first_name": each.first_name,
            "last_name": each.last_name,
            "birth_date": each.birth_date,
            "document_number": each.document_number,
            "document_expires_on": each.document_expires_on,
        }
        for each in travelers
    ]
    response = with_tag(answer_page(TravelerShown, rows, None), shown(booking_id)["version"])
    response.headers["Cache-Control"] = "no-store"
    return response
