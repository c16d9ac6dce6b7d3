"""Pools of seats that departures share, and series of one for each day."""

from __future__ import annotations

from typing import Any, cast
from uuid import UUID

from flask import Response

from api.answers import answer, answer_page
from api.blueprint import Blueprint
from api.context import use, viewer
from api.etags import expected_version, tagged, with_tag
from api.pagination import PageQuery, after_cursor, by_time, split_page
from api.specification import page_of
from api.v1.catalogue.departure_schemas import PoolChanges, PoolQuery, PoolRequest, PoolSeriesShown, PoolShown
from api.views import MethodView
from application.catalogue.pools import (
    ChangePool,
    ChangeSeries,
    CreatePool,
    change_pool,
    change_series,
    create_pool,
    create_series,
)
from application.catalogue.pools import PoolChanges as Changes
from application.queries import Row
from domain.catalogue.pools import PoolNotFound, PoolSeriesNotFound
from middlewares.auth_middleware import permission_required
from middlewares.idempotency import idempotent

blueprint = Blueprint("pools", __name__, url_prefix="/admin", description="Seats that departures share")


@blueprint.route("/pools")
class Pools(MethodView):
    @permission_required("pools.manage")
    @blueprint.arguments(PoolQuery, location="query")
    @blueprint.response(200, page_of(PoolShown))
    def get(self, query: dict[str, Any]) -> Response:
        """Every pool with the seats that are left, newest first; or those of a day."""
        rows = use().queries.departures.pools(
            on_date=query["on_date"], limit=query["limit"], after=after_cursor(query["cursor"])
        )
        return answer_page(PoolShown, *split_page(rows, query["limit"], by_time("created_at")))

    @permission_required("pools.manage")
    @idempotent()
    @blueprint.arguments(PoolRequest)
    @blueprint.response(201, PoolShown)
    def post(self, body: dict[str, Any]) -> Response:
        """Make a pool: a bus, the group of a guide. Attach departures to it with `PUT /departures/{id}/pools/{id}`."""
        command = CreatePool(actor_id=viewer().user_id, **body)
        pool_id = create_pool(command, uow=use().new_uow(), clock=use().clock, new_id=use().new_id)
        return answer(PoolShown, _pool(pool_id), 201, location=f"/api/v1/admin/pools/{pool_id}")


@blueprint.route("/pools/<uuid:pool_id>")
class OnePool(MethodView):
    @permission_required("pools.manage")
    @tagged
    @blueprint.response(200, PoolShown)
    def get(self, pool_id: UUID) -> Response:
        """One pool."""
        row = _pool(pool_id)
        return with_tag(answer(PoolShown, row), row["version"])

    @permission_required("pools.manage")
    @idempotent()
    @tagged
    @blueprint.arguments(PoolChanges)
    @blueprint.response(200, PoolShown)
    def patch(self, body: dict[str, Any], pool_id: UUID) -> Response:
        """Another name, or another number of seats, never below those that are taken."""
        command = ChangePool(
            actor_id=viewer().user_id,
            pool_id=pool_id,
            details=cast(Changes, body),
            expected_version=expected_version(),
        )
        change_pool(command, uow=use().new_uow(), clock=use().clock)
        row = _pool(pool_id)
        return with_tag(answer(PoolShown, row), row["version"])


@blueprint.route("/pool-series")
class AllSeries(MethodView):
    @permission_required("pools.manage")
    @blueprint.arguments(PageQuery, location="query")
    @blueprint.response(200, page_of(PoolSeriesShown))
    def get(self, query: dict[str, Any]) -> Response:
        """Every series, newest first."""
        rows = use().queries.departures.all_series(limit=query["limit"], after=after_cursor(query["cursor"]))
        return answer_page(PoolSeriesShown, *split_page(rows, query["limit"], by_time("created_at")))

    @permission_required("pools.manage")
    @idempotent()
    @blueprint.arguments(PoolRequest)
    @blueprint.response(201, PoolSeriesShown)
    def post(self, body: dict[str, Any]) -> Response:
        """Make a series: from it, patterns make a pool for each day on which one of them departs."""
        command = CreatePool(actor_id=viewer().user_id, **body)
        series_id = create_series(command, uow=use().new_uow(), clock=use().clock, new_id=use().new_id)
        return answer(PoolSeriesShown, _series(series_id), 201, location=f"/api/v1/admin/pool-series/{series_id}")


@blueprint.route("/pool-series/<uuid:series_id>")
class OneSeries(MethodView):
    @permission_required("pools.manage")
    @tagged
    @blueprint.response(200, PoolSeriesShown)
    def get(self, series_id: UUID) -> Response:
        """One series."""
        row = _series(series_id)
        return with_tag(answer(PoolSeriesShown, row), row["version"])

    @permission_required("pools.manage")
    @idempotent()
    @tagged
    @blueprint.arguments(PoolChanges)
    @blueprint.response(200, PoolSeriesShown)
    def patch(self, body: dict[str, Any], series_id: UUID) -> Response:
        """How the pools are that are made from here on; those that are there are changed one by one."""
        command = ChangeSeries(
            actor_id=viewer().user_id,
            series_id=series_id,
            details=cast(Changes, body),
            expected_version=expected_version(),
        )
        change_series(command, uow=use().new_uow(), clock=use().clock)
        row = _series(series_id)
        return with_tag(answer(PoolSeriesShown, row), row["version"])


def _pool(pool_id: UUID) -> Row:
    row = use().queries.departures.pool(pool_id)
    if row is None:
        raise PoolNotFound()
    return row


def _series(series_id: UUID) -> Row:
    row = use().queries.departures.series(series_id)
    if row is None:
        raise PoolSeriesNotFound()
    return row
