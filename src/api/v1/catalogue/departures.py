"""Departures one by one, and the pools that they draw from."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast
from uuid import UUID

from flask import Response

from api.answers import answer, answer_page
from api.blueprint import Blueprint
from api.context import use, viewer
from api.etags import expected_version, tagged, with_tag
from api.specification import page_of
from api.v1.catalogue.departure_schemas import DepartureChanges, DepartureShown, PoolShown
from api.v1.catalogue.listing import author, departure_row, sight_with
from api.views import MethodView
from application.catalogue.departures import (
    ChangeDeparture,
    Edited,
    MoveDeparture,
    cancel_departure,
    change_departure,
    close_departure,
    reopen_departure,
)
from application.catalogue.pools import AttachPool, attach_pool, detach_pool
from application.catalogue.queries import Row
from domain.catalogue.departures import DepartureNotFound
from middlewares.auth_middleware import optional_token, permission_required
from middlewares.idempotency import idempotent

blueprint = Blueprint("departures", __name__, url_prefix="/departures", description="Departures and their seats")


@blueprint.route("/<uuid:departure_id>")
class OneDeparture(MethodView):
    @optional_token(scope="catalogue.read")
    @tagged
    @blueprint.response(200, DepartureShown)
    def get(self, departure_id: UUID) -> Response:
        """One departure of a package or an activity, with the seats that are left."""
        return _answer(departure_id)

    @permission_required("departures.update")
    @idempotent()
    @tagged
    @blueprint.arguments(DepartureChanges)
    @blueprint.response(200, DepartureShown)
    def patch(self, body: dict[str, Any], departure_id: UUID) -> Response:
        """Change how many seats it has, never below those that are taken; dates and hour only while none is."""
        command = ChangeDeparture(
            author=author(),
            departure_id=departure_id,
            details=cast(Edited, body),
            expected_version=expected_version(),
        )
        change_departure(command, uow=use().new_uow(), clock=use().clock)
        return _answer(departure_id)


@blueprint.route("/<uuid:departure_id>/close")
class Close(MethodView):
    @permission_required("departures.update")
    @idempotent()
    @tagged
    @blueprint.response(200, DepartureShown)
    def post(self, departure_id: UUID) -> Response:
        """Sell nothing more; what is sold takes place."""
        return _moved(departure_id, close_departure)


@blueprint.route("/<uuid:departure_id>/reopen")
class Reopen(MethodView):
    @permission_required("departures.update")
    @idempotent()
    @tagged
    @blueprint.response(200, DepartureShown)
    def post(self, departure_id: UUID) -> Response:
        """Sell again what was closed, until it begins."""
        return _moved(departure_id, reopen_departure)


@blueprint.route("/<uuid:departure_id>/cancel")
class Cancel(MethodView):
    @permission_required("departures.update")
    @idempotent()
    @tagged
    @blueprint.response(200, DepartureShown)
    def post(self, departure_id: UUID) -> Response:
        """It will not take place; only while nobody has booked it."""
        return _moved(departure_id, cancel_departure)


@blueprint.route("/<uuid:departure_id>/pools")
class PoolsOfDeparture(MethodView):
    @permission_required("pools.manage")
    @blueprint.response(200, page_of(PoolShown))
    def get(self, departure_id: UUID) -> Response:
        """The pools that its seats come out of, by name."""
        _shown(departure_id)
        return answer_page(PoolShown, use().queries.departures.pools_of(departure_id), None)


@blueprint.route("/<uuid:departure_id>/pools/<uuid:pool_id>")
class PoolOfDeparture(MethodView):
    @permission_required("pools.manage")
    @idempotent()
    @blueprint.response(204)
    def put(self, departure_id: UUID, pool_id: UUID) -> Response:
        """Draw its seats, those that are sold already too, from a pool."""
        command = AttachPool(actor_id=viewer().user_id, departure_id=departure_id, pool_id=pool_id)
        attach_pool(command, uow=use().new_uow(), clock=use().clock)
        return Response(status=204)

    @permission_required("pools.manage")
    @idempotent()
    @blueprint.response(204)
    def delete(self, departure_id: UUID, pool_id: UUID) -> Response:
        """Draw from a pool no longer."""
        command = AttachPool(actor_id=viewer().user_id, departure_id=departure_id, pool_id=pool_id)
        detach_pool(command, uow=use().new_uow(), clock=use().clock)
        return Response(status=204)


def _moved(departure_id: UUID, move: Callable[..., None]) -> Response:
    command = MoveDeparture(author=author(), departure_id=departure_id, expected_version=expected_version())
    move(command, uow=use().new_uow(), clock=use().clock)
    return _answer(departure_id)


def _shown(departure_id: UUID) -> Row:
    row = use().queries.departures.departure(departure_id, sight=sight_with("departures.update"))
    if row is None:
        raise DepartureNotFound()
    return row


def _answer(departure_id: UUID) -> Response:
    row = _shown(departure_id)
    return with_tag(answer(DepartureShown, departure_row(row)), row["version"])
