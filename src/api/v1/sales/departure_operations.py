"""Mass operations on departures: preview, order, progress, faults, and another try."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response
from marshmallow import fields, validate

from api.answers import answer, answer_page
from api.blueprint import Blueprint
from api.context import use, viewer
from api.fields import MoneyField, Schema, Text
from api.pagination import InvalidCursor, PageQuery, after_cursor, by_time, read_cursor, split_page
from api.specification import page_of
from api.views import MethodView
from application.queries import Row
from application.sales.departure_operations import OrderOperation, TryAgain, order_operation, try_again
from domain.catalogue.departures import DepartureNotFound
from domain.sales.departure_operations import ItemStatus, OperationKind, OperationNotFound
from middlewares.auth_middleware import permission_required
from middlewares.idempotency import idempotent

blueprint = Blueprint("departure_operations", __name__, url_prefix="/admin", description="Mass operations")
_OPERATION = "/departure-operations/<uuid:operation_id>"


class CancelDepartureRequest(Schema):
    """Why, as customers read it."""

    reason_ar = Text(most=500, least=1, required=True)
    reason_en = Text(most=500, least=1, required=True)


class MoveDepartureRequest(CancelDepartureRequest):
    target_departure_id = fields.UUID(required=True)


class HeldShown(Schema):
    amount = MoneyField()


class OperationPreviewShown(Schema):
    """What an operation would be about; `paid` is what customers have paid and not been given back, by currency."""

    departure_id = fields.UUID()
    status = fields.String()
    bookings = fields.Integer()
    seats = fields.Integer()
    confirmed = fields.Integer()
    unpaid = fields.Integer()
    paid = fields.List(fields.Nested(HeldShown))
    waiting = fields.Integer()
    target_seats_left = fields.Integer(allow_none=True)


class PreviewQuery(Schema):
    target_departure_id = fields.UUID(load_default=None)


class OperationShown(Schema):
    """How far it is: `done`, `skipped` (nothing was left to do) and `failed` of `total` bookings."""

    id = fields.UUID()
    kind = fields.String()
    departure_id = fields.UUID()
    target_departure_id = fields.UUID(allow_none=True)
    reason_ar = fields.String()
    reason_en = fields.String()
    status = fields.String()
    total = fields.Integer()
    done = fields.Integer()
    skipped = fields.Integer()
    failed = fields.Integer()
    created_by_user_id = fields.UUID()
    created_at = fields.DateTime()
    finished_at = fields.DateTime(allow_none=True)


class OperationSearch(PageQuery):
    departure_id = fields.UUID(load_default=None)


class OperationItemSearch(PageQuery):
    status = fields.String(load_default=None, validate=validate.OneOf([status.value for status in ItemStatus]))


class OperationItemShown(Schema):
    """What became of one booking; `error` is the problem code of what refused it."""

    booking_id = fields.UUID()
    booking_number = fields.String()
    user_id = fields.UUID()
    status = fields.String()
    error = fields.String(allow_none=True)
    done_at = fields.DateTime(allow_none=True)


@blueprint.route("/departures/<uuid:departure_id>/operation-preview")
class Preview(MethodView):
    @permission_required("departures.manage")
    @blueprint.arguments(PreviewQuery, location="query")
    @blueprint.response(200, OperationPreviewShown)
    def get(self, query: dict[str, Any], departure_id: UUID) -> Response:
        """How many bookings, seats and how much money cancelling or moving a departure is about."""
        target_id = query["target_departure_id"]
        target = _preview(target_id)["seats_left"] if target_id is not None else None
        return answer(OperationPreviewShown, {**_preview(departure_id), "target_seats_left": target})


@blueprint.route("/departures/<uuid:departure_id>/cancel")
class CancelDeparture(MethodView):
    @permission_required("departures.cancel")
    @idempotent(required=True)
    @blueprint.arguments(CancelDepartureRequest)
    @blueprint.response(202, OperationShown)
    def post(self, body: dict[str, Any], departure_id: UUID) -> Response:
        """Cancel a departure with all its bookings: everything that was paid comes back, whatever the terms say."""
        return _ordered(OperationKind.CANCEL, departure_id, body)


@blueprint.route("/departures/<uuid:departure_id>/move")
class MoveDeparture(MethodView):
    @permission_required("departures.manage")
    @idempotent(required=True)
    @blueprint.arguments(MoveDepartureRequest)
    @blueprint.response(202, OperationShown)
    def post(self, body: dict[str, Any], departure_id: UUID) -> Response:
        """Move all bookings of a departure to another of the same package or activity, at the prices agreed."""
        return _ordered(OperationKind.MOVE, departure_id, body)


@blueprint.route("/departure-operations")
class Operations(MethodView):
    @permission_required("departures.manage")
    @blueprint.arguments(OperationSearch, location="query")
    @blueprint.response(200, page_of(OperationShown))
    def get(self, query: dict[str, Any]) -> Response:
        """Mass operations with their progress, newest first."""
        rows = use().queries.departure_operations.operations(
            departure_id=query["departure_id"], limit=query["limit"], after=after_cursor(query["cursor"])
        )
        return answer_page(OperationShown, *split_page(rows, query["limit"], by_time("created_at")))


@blueprint.route(_OPERATION)
class OneOperation(MethodView):
    @permission_required("departures.manage")
    @blueprint.response(200, OperationShown)
    def get(self, operation_id: UUID) -> Response:
        """How far a mass operation is."""
        return answer(OperationShown, _shown(operation_id))


@blueprint.route(f"{_OPERATION}/items")
class Items(MethodView):
    @permission_required("departures.manage")
    @blueprint.arguments(OperationItemSearch, location="query")
    @blueprint.response(200, page_of(OperationItemShown))
    def get(self, query: dict[str, Any], operation_id: UUID) -> Response:
        """What became of each booking; `status=FAILED` are the faults."""
        _shown(operation_id)
        rows = use().queries.departure_operations.items(
            operation_id, status=query["status"], limit=query["limit"], after=_last_booking(query["cursor"])
        )
        page = split_page(rows, query["limit"], lambda row: (str(row["booking_id"]),))
        return answer_page(OperationItemShown, *page)


@blueprint.route(f"{_OPERATION}/retry")
class Retry(MethodView):
    @permission_required("departures.manage")
    @idempotent(required=True)
    @blueprint.response(202, OperationShown)
    def post(self, operation_id: UUID) -> Response:
        """Try every booking that failed once more."""
        command = TryAgain(actor_id=viewer().user_id, operation_id=operation_id)
        try_again(command, uow=use().new_uow(), clock=use().clock)
        return answer(OperationShown, _shown(operation_id), 202)


def _ordered(kind: OperationKind, departure_id: UUID, body: dict[str, Any]) -> Response:
    command = OrderOperation(
        actor_id=viewer().user_id,
        kind=kind,
        departure_id=departure_id,
        target_departure_id=body.get("target_departure_id"),
        reasons=(body["reason_ar"], body["reason_en"]),
    )
    operation_id = order_operation(command, uow=use().new_uow(), clock=use().clock, new_id=use().new_id)
    location = f"/api/v1/admin/departure-operations/{operation_id}"
    return answer(OperationShown, _shown(operation_id), 202, location=location)


def _preview(departure_id: UUID) -> Row:
    row = use().queries.departure_operations.preview(departure_id)
    if row is None:
        raise DepartureNotFound()
    return row


def _shown(operation_id: UUID) -> Row:
    row = use().queries.departure_operations.operation(operation_id)
    if row is None:
        raise OperationNotFound()
    return row


def _last_booking(cursor: str | None) -> UUID | None:
    values = read_cursor(cursor)
    if values is None:
        return None
    try:
        (booking_id,) = values
        return UUID(booking_id)
    except (ValueError, TypeError, AttributeError) as error:
        raise InvalidCursor() from error
