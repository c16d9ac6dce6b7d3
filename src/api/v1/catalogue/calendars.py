"""Departures in people's calendars: secret addresses that can be revoked, and what is read there."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from flask import Response
from marshmallow import fields, validate

from api.answers import answer, answer_page
from api.blueprint import Blueprint
from api.context import use, viewer
from api.fields import Schema
from api.icalendar import CONTENT_TYPE, Event, EventStatus, calendar_file
from api.pagination import PageQuery, after_cursor, by_time, split_page
from api.specification import page_of
from api.views import MethodView
from application.catalogue.calendars import ReadCalendar, make_calendar_feed, read_calendar, revoke_calendar_feed
from application.queries import Row
from domain.catalogue.departures import DepartureStatus
from domain.shared.clock import starts_at
from domain.shared.spans import span_of
from middlewares.auth_middleware import permission_required, public, token_required
from middlewares.idempotency import idempotent
from middlewares.rate_limit import limited

blueprint = Blueprint("calendars", __name__, url_prefix="/calendar", description="Departures in people's calendars")

_NAMES: Final = {"ar": "رحلات AltayarVIP", "en": "AltayarVIP departures"}
_SOLD: Final = {
    "ar": "المقاعد المحجوزة {taken} من {capacity}، والمتاح {left}",
    "en": "{taken} of {capacity} seats are taken, {left} are left",
}


class CalendarFeedShown(Schema):
    id = fields.UUID()
    created_at = fields.DateTime()


class NewCalendarFeedShown(Schema):
    """`url` opens the calendar for whoever knows it, and is shown this once."""

    id = fields.UUID()
    url = fields.String()


class CalendarQuery(Schema):
    """Which departures, and in which language: its owner's otherwise."""

    package_id = fields.UUID(load_default=None)
    activity_id = fields.UUID(load_default=None)
    lang = fields.String(load_default=None, validate=validate.OneOf(("ar", "en")))


@blueprint.route("/feeds")
class Feeds(MethodView):
    @token_required
    @blueprint.arguments(PageQuery, location="query")
    @blueprint.response(200, page_of(CalendarFeedShown))
    def get(self, query: dict[str, Any]) -> Response:
        """One's own feeds that work, newest first; never their addresses."""
        limit, after = query["limit"], after_cursor(query["cursor"])
        rows = use().queries.calendars.feeds(viewer().user_id, limit=limit, after=after)
        return answer_page(CalendarFeedShown, *split_page(rows, limit, by_time("created_at")))

    @permission_required("departures.calendar")
    @idempotent(sealed=True)
    @blueprint.response(201, NewCalendarFeedShown)
    def post(self) -> Response:
        """Make a secret address of departures for one's calendar: all of them for staff, a vendor's own for vendors.

        `?package_id=`, `?activity_id=` and `?lang=` behind it narrow it. What its owner may no longer see is not shown.
        """
        made = make_calendar_feed(viewer().user_id, uow=use().new_uow(), clock=use().clock, new_id=use().new_id)
        url = f"{use().public_url}/api/v1/calendar/departures/{made.token}.ics"
        response = answer(NewCalendarFeedShown, {"id": made.id, "url": url}, 201)
        response.headers["Cache-Control"] = "no-store"
        return response


@blueprint.route("/feeds/<uuid:feed_id>")
class OneFeed(MethodView):
    @token_required
    @idempotent()
    @blueprint.response(204)
    def delete(self, feed_id: UUID) -> Response:
        """Revoke one of one's own feeds, at once and for ever."""
        revoke_calendar_feed(feed_id, owner_id=viewer().user_id, uow=use().new_uow(), clock=use().clock)
        return Response(status=204)


@blueprint.route("/departures/<string:token>.ics")
class DepartureCalendar(MethodView):
    @public
    @limited(per_minute=60)
    @blueprint.arguments(CalendarQuery, location="query")
    @blueprint.response(200, {"type": "string"}, content_type="text/calendar")
    def get(self, query: dict[str, Any], token: str) -> Response:
        """Departures from a month ago to a year ahead as iCalendar; the address is the secret."""
        command = ReadCalendar(token=token, package_id=query["package_id"], activity_id=query["activity_id"])
        holder, departures = read_calendar(command, queries=use().queries.calendars, clock=use().clock)
        language = query["lang"] or holder["locale"]
        lines = calendar_file(
            _NAMES[language], (_event(row, language) for row in departures), made_at=use().clock.now()
        )
        return Response("".join(lines), content_type=CONTENT_TYPE, headers={"Cache-Control": "no-store"})


def _event(row: Row, language: str) -> Event:
    zone = ZoneInfo(row["time_zone"])
    begins, ends = span_of(
        row["starts_on"],
        row["ends_on"],
        begins_at=starts_at(row["starts_on"], row["start_time"], zone),
        zone=zone,
        hours=row["duration_hours"],
    )
    is_cancelled = row["status"] == DepartureStatus.CANCELLED
    return Event(
        uid=f"departure-{row['id']}@altayarvip",
        revision=row["version"],
        begins=begins,
        ends=ends,
        summary=row[f"name_{language}"],
        description=_SOLD[language].format(
            taken=row["seats_taken"], capacity=row["capacity"], left=0 if is_cancelled else max(0, row["seats_left"])
        ),
        status=EventStatus.CANCELLED if is_cancelled else EventStatus.CONFIRMED,
    )
