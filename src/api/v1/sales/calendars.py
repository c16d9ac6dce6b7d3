"""A booked trip in its customer's calendar."""

from __future__ import annotations

from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import Response

from api.blueprint import Blueprint
from api.context import own_bookings, use
from api.icalendar import CONTENT_TYPE, Event, EventStatus, calendar_file
from api.views import MethodView
from application.queries import Row
from domain.sales.booking_errors import BookingNotFound
from domain.sales.booking_states import BookingStatus
from domain.shared.spans import span_of
from middlewares.auth_middleware import token_required
from middlewares.language import reading_language

blueprint = Blueprint("booking_calendars", __name__, url_prefix="/bookings", description="Trips in calendars")

_TOLD: Final = {
    "ar": "رقم الحجز {number}، عدد المسافرين {travelers}",
    "en": "Booking {number}, {travelers} travellers",
}
_STATUSES: Final = {
    BookingStatus.DRAFT: EventStatus.TENTATIVE,
    BookingStatus.PENDING_PAYMENT: EventStatus.TENTATIVE,
    BookingStatus.CANCELLED: EventStatus.CANCELLED,
    BookingStatus.REFUNDED: EventStatus.CANCELLED,
}


@blueprint.route("/<uuid:booking_id>/calendar.ics")
class BookingCalendar(MethodView):
    @token_required(scope="bookings.own")
    @blueprint.response(200, {"type": "string"}, content_type="text/calendar")
    def get(self, booking_id: UUID) -> Response:
        """The trip as iCalendar; one that is not confirmed is tentative."""
        row = use().queries.sales.booking_span(booking_id, **own_bookings())
        if row is None:
            raise BookingNotFound()
        lines = calendar_file("AltayarVIP", [_event(row, reading_language())], made_at=use().clock.now())
        headers = {
            "Content-Disposition": f'attachment; filename="{row["booking_number"]}.ics"',
            "Cache-Control": "no-store",
        }
        return Response("".join(lines), content_type=CONTENT_TYPE, headers=headers)


def _event(row: Row, language: str) -> Event:
    begins, ends = span_of(
        row["start_date"],
        row["end_date"],
        begins_at=row["begins_at"],
        zone=ZoneInfo(row["time_zone"]),
        hours=row["duration_hours"],
    )
    return Event(
        uid=f"booking-{row['id']}@altayarvip",
        revision=row["version"],
        begins=begins,
        ends=ends,
        summary=row[f"items_{language}"] or row[f"type_name_{language}"],
        description=_TOLD[language].format(number=row["booking_number"], travelers=row["travelers_count"]),
        status=_STATUSES.get(BookingStatus(row["status"]), EventStatus.CONFIRMED),
    )
