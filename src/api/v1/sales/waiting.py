"""Waiting lists: joining the line of a departure, one's own places in line, and leaving."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from flask import Response
from marshmallow import fields, validate

from api.answers import answer, answer_page
from api.blueprint import Blueprint
from api.context import may, scope_of, use, viewer
from api.fields import Schema
from api.pagination import PageQuery, after_cursor, by_time, split_page
from api.specification import page_of
from api.v1.sales.schemas import MOST_TRAVELERS
from api.v1.sales.viewing import customer_in
from api.views import MethodView
from application.queries import Row
from application.sales.waiting import JoinWaitingList, LeaveWaitingList, join_waiting_list, leave_waiting_list
from domain.operations.settings import WAITING_OFFER_HOURS
from domain.sales.waiting import WaitingEntryNotFound, WaitingStatus
from middlewares.auth_middleware import token_required
from middlewares.idempotency import idempotent

blueprint = Blueprint("waiting_list", __name__, description="Waiting lists of departures")


class WaitingRequest(Schema):
    """How many seats are wanted; all of them are offered at once, or none."""

    seats = fields.Integer(required=True, strict=True, validate=validate.Range(1, MOST_TRAVELERS))
    user_id = fields.UUID(load_default=None, metadata={"description": "Whom staff and agents ask for."})


class WaitingSearch(PageQuery):
    departure_id = fields.UUID(load_default=None)
    status = fields.String(load_default=None, validate=validate.OneOf([status.value for status in WaitingStatus]))


class WaitingShown(Schema):
    """`place` counts from 1 among those who wait; `offer_expires_at` is until when offered seats may be booked."""

    id = fields.UUID()
    departure_id = fields.UUID()
    user_id = fields.UUID()
    joined_by_user_id = fields.UUID(metadata={"description": "The customer, or who asked for them."})
    seats = fields.Integer()
    status = fields.String()
    place = fields.Integer(allow_none=True)
    offer_expires_at = fields.DateTime(allow_none=True)
    booking_id = fields.UUID(allow_none=True)
    created_at = fields.DateTime()
    ended_at = fields.DateTime(allow_none=True)


@blueprint.route("/departures/<uuid:departure_id>/waiting-list")
class LineOfDeparture(MethodView):
    @token_required(scope="bookings.own")
    @idempotent()
    @blueprint.arguments(WaitingRequest)
    @blueprint.response(201, WaitingShown)
    def post(self, body: dict[str, Any], departure_id: UUID) -> Response:
        """Wait for seats of a departure that has too few left; book with `waiting_list_entry_id` once offered some.

        Staff and agents may ask for a customer (`user_id`), who is told of the offer; either may book with it then.
        """
        command = JoinWaitingList(
            actor_id=viewer().user_id, user_id=customer_in(body), departure_id=departure_id, seats=body["seats"]
        )
        entry_id = join_waiting_list(command, uow=use().new_uow(), clock=use().clock, new_id=use().new_id)
        return answer(WaitingShown, _own(entry_id), 201, location=f"/api/v1/waiting-list-entries/{entry_id}")


@blueprint.route("/waiting-list-entries")
class Entries(MethodView):
    @token_required(scope="bookings.own")
    @blueprint.arguments(WaitingSearch, location="query")
    @blueprint.response(200, page_of(WaitingShown))
    def get(self, query: dict[str, Any]) -> Response:
        """One's own places in line and those that one asked for, newest first; everybody's for staff."""
        rows = use().queries.waiting.entries(
            owner=scope_of("bookings.read"),
            asker=_asker(),
            departure_id=query["departure_id"],
            status=query["status"],
            limit=query["limit"],
            after=after_cursor(query["cursor"]),
        )
        return answer_page(WaitingShown, *split_page(rows, query["limit"], by_time("created_at")))


@blueprint.route("/waiting-list-entries/<uuid:entry_id>")
class OneEntry(MethodView):
    @token_required(scope="bookings.own")
    @blueprint.response(200, WaitingShown)
    def get(self, entry_id: UUID) -> Response:
        """One place in line, and whether seats are offered."""
        row = use().queries.waiting.entry(entry_id, owner=scope_of("bookings.read"), asker=_asker())
        if row is None:
            raise WaitingEntryNotFound()
        return answer(WaitingShown, row)

    @token_required(scope="bookings.own")
    @idempotent()
    @blueprint.response(204)
    def delete(self, entry_id: UUID) -> Response:
        """Leave the line, or decline an offer."""
        _own(entry_id)
        command = LeaveWaitingList(actor_id=viewer().user_id, entry_id=entry_id, offer_for=offer_for())
        leave_waiting_list(command, uow=use().new_uow(), clock=use().clock)
        return Response(status=204)


def offer_for() -> timedelta:
    """How long seats are kept for whoever is offered them."""
    return timedelta(hours=use().system_settings.value(WAITING_OFFER_HOURS))


def _asker() -> UUID | None:
    """The viewer, while they may ask for others: the places they asked for are in their hands."""
    return viewer().user_id if may("bookings.create") else None


def _own(entry_id: UUID) -> Row:
    row = use().queries.waiting.entry(entry_id, owner=viewer().user_id, asker=_asker())
    if row is None:
        raise WaitingEntryNotFound()
    return row
