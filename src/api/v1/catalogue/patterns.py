"""Patterns: departures that are planned ahead, week after week."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, cast
from uuid import UUID

from flask import Response

from api.answers import answer, answer_page
from api.blueprint import Blueprint
from api.context import use, viewer
from api.etags import expected_version, tagged, with_tag
from api.pagination import after_cursor, by_time, split_page
from api.specification import page_of
from api.v1.catalogue.departure_schemas import (
    PatternChanges,
    PatternQuery,
    PatternRequest,
    PatternShown,
    TravelDatesShown,
)
from api.v1.catalogue.listing import author
from api.views import MethodView
from application.catalogue.patterns import (
    BeginPattern,
    ChangePattern,
    PreviewPattern,
    StopPattern,
    begin_pattern,
    change_pattern,
    preview_pattern,
    stop_pattern,
)
from application.queries import Row
from domain.catalogue.items import Item
from domain.catalogue.patterns import PatternDetails, PatternNotFound
from domain.operations.settings import DEPARTURE_HORIZON_DAYS
from middlewares.auth_middleware import permission_required
from middlewares.idempotency import idempotent, not_idempotent

blueprint = Blueprint(
    "departure_patterns", __name__, url_prefix="/departure-patterns", description="Departures planned ahead"
)


@blueprint.route("")
class Patterns(MethodView):
    @permission_required("departures.update")
    @blueprint.arguments(PatternQuery, location="query")
    @blueprint.response(200, page_of(PatternShown))
    def get(self, query: dict[str, Any]) -> Response:
        """Patterns of one's own items, newest first; everybody's for staff."""
        rows = use().queries.departures.patterns(
            owner=_owner(),
            package_id=query["package_id"],
            activity_id=query["activity_id"],
            limit=query["limit"],
            after=after_cursor(query["cursor"]),
        )
        page, cursor = split_page(rows, query["limit"], by_time("created_at"))
        return answer_page(PatternShown, [_row(row) for row in page], cursor)

    @permission_required("departures.update")
    @idempotent()
    @blueprint.arguments(PatternRequest)
    @blueprint.response(201, PatternShown)
    def post(self, body: dict[str, Any]) -> Response:
        """Plan departures on these weekdays: those in sight at once, further ones day by day."""
        item, details = _taken_apart(body)
        pattern_id = begin_pattern(
            BeginPattern(author=author(), item=item, details=details, horizon=_horizon()),
            uow=use().new_uow(),
            clock=use().clock,
            new_id=use().new_id,
        )
        location = f"/api/v1/departure-patterns/{pattern_id}"
        return answer(PatternShown, _row(_shown(pattern_id)), 201, location=location)


@blueprint.route("/preview")
class Preview(MethodView):
    @permission_required("departures.update")
    @not_idempotent("a preview stores nothing")
    @blueprint.arguments(PatternRequest)
    @blueprint.response(200, page_of(TravelDatesShown))
    def post(self, body: dict[str, Any]) -> Response:
        """The dates that a pattern would plan at once, soonest first; 400 at most."""
        item, details = _taken_apart(body)
        sessions = preview_pattern(
            PreviewPattern(author=author(), item=item, details=details, horizon=_horizon()),
            uow=use().new_uow(),
            clock=use().clock,
            new_id=use().new_id,
        )
        rows = [{"starts_on": session.starts_on, "ends_on": session.ends_on} for session in sessions]
        return answer_page(TravelDatesShown, rows, None)


@blueprint.route("/<uuid:pattern_id>")
class OnePattern(MethodView):
    @permission_required("departures.update")
    @tagged
    @blueprint.response(200, PatternShown)
    def get(self, pattern_id: UUID) -> Response:
        """One pattern."""
        return _answer(pattern_id)

    @permission_required("departures.update")
    @idempotent()
    @tagged
    @blueprint.arguments(PatternChanges)
    @blueprint.response(200, PatternShown)
    def patch(self, body: dict[str, Any], pattern_id: UUID) -> Response:
        """Change what is planned and not booked; departures with bookings stay as they are."""
        command = ChangePattern(
            author=author(),
            pattern_id=pattern_id,
            details=cast(PatternDetails, body),
            horizon=_horizon(),
            expected_version=expected_version(),
        )
        change_pattern(command, uow=use().new_uow(), clock=use().clock)
        return _answer(pattern_id)


@blueprint.route("/<uuid:pattern_id>/stop")
class Stop(MethodView):
    @permission_required("departures.update")
    @idempotent()
    @tagged
    @blueprint.response(200, PatternShown)
    def post(self, pattern_id: UUID) -> Response:
        """Plan nothing more, and cancel what nobody has booked; what is sold takes place."""
        command = StopPattern(author=author(), pattern_id=pattern_id, expected_version=expected_version())
        stop_pattern(command, uow=use().new_uow(), clock=use().clock)
        return _answer(pattern_id)


def _taken_apart(body: dict[str, Any]) -> tuple[Item, PatternDetails]:
    item = Item.of(body.pop("package_id"), body.pop("activity_id"))
    return item, cast(PatternDetails, body)


def _horizon() -> timedelta:
    return timedelta(days=use().system_settings.value(DEPARTURE_HORIZON_DAYS))


def _owner() -> UUID | None:
    return None if viewer().is_staff else viewer().user_id


def _shown(pattern_id: UUID) -> Row:
    row = use().queries.departures.pattern(pattern_id, owner=_owner())
    if row is None:
        raise PatternNotFound()
    return row


def _answer(pattern_id: UUID) -> Response:
    row = _shown(pattern_id)
    return with_tag(answer(PatternShown, _row(row)), row["version"])


def _row(row: Row) -> Row:
    return {**row, "start_time": row["start_time"].strftime("%H:%M")}
