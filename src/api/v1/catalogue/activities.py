"""Activities: finding them, and for staff and vendors making them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from flask import Response
from flask.views import MethodView

from api.answers import answer, answer_page
from api.blueprint import Blueprint
from api.context import use
from api.etags import expected_version, tagged, with_tag
from api.pagination import order_of, split_page
from api.specification import page_of
from api.v1.catalogue.activity_schemas import ActivityChanges, ActivityQuery, ActivityRequest, ActivityShown
from api.v1.catalogue.departure_schemas import DepartureQuery, DepartureRequest, DepartureShown
from api.v1.catalogue.listing import author, behind, departures_page, plan, today
from api.v1.catalogue.price_schemas import PricedActivityShown
from api.v1.catalogue.rows import activity_row
from api.v1.catalogue.seen import activity_id_of, answer_activity, shown_activity, sight_of_activities
from application.catalogue.activities import (
    ChangeActivity,
    CreateActivity,
    MoveActivity,
    archive_activity,
    change_activity,
    create_activity,
    deactivate_activity,
    publish_activity,
)
from application.catalogue.activity_queries import ActivitySearch
from application.catalogue.queries import ON_SALE
from domain.catalogue.activities import ActivityCategory, ActivityDetails, Difficulty
from domain.catalogue.items import Item, ItemKind
from domain.shared.errors import NotAllowed
from middlewares.auth_middleware import optional_token, permission_required
from middlewares.idempotency import idempotent

blueprint = Blueprint("activities", __name__, url_prefix="/activities", description="Activities and their departures")


@blueprint.route("")
class Activities(MethodView):
    @optional_token(scope="catalogue.read")
    @blueprint.arguments(ActivityQuery, location="query")
    @blueprint.response(200, page_of(ActivityShown))
    def get(self, query: dict[str, Any]) -> Response:
        """Find activities that are on sale; staff see all of them, vendors their own besides.

        `updated_after` is for staff and vendors: to customers, one that is taken off sale is just not there.
        """
        search, sight = _search(query), sight_of_activities()
        if search.updated_after is not None and sight == ON_SALE:
            raise NotAllowed()
        rows = use().queries.activities.search(search, sight=sight)
        page, cursor = split_page(rows, query["limit"], lambda row: (search.sort, row["sort_key"], row["id"]))
        return answer_page(ActivityShown, [activity_row(row) for row in page], cursor)

    @permission_required("activities.create")
    @idempotent()
    @blueprint.arguments(ActivityRequest)
    @blueprint.response(201, PricedActivityShown)
    def post(self, body: dict[str, Any]) -> Response:
        """Begin an activity; customers see it when it is published."""
        slug = body.pop("slug", None)
        activity_id = create_activity(
            CreateActivity(author=author(), slug=slug, details=cast(ActivityDetails, body)),
            uow=use().new_uow(),
            clock=use().clock,
            new_id=use().new_id,
        )
        location = f"/api/v1/activities/{activity_id}"
        return answer(PricedActivityShown, shown_activity(str(activity_id)), 201, location=location)


@blueprint.route("/<string:id_or_slug>")
class OneActivity(MethodView):
    @optional_token(scope="catalogue.read")
    @tagged
    @blueprint.response(200, PricedActivityShown)
    def get(self, id_or_slug: str) -> Response:
        """One activity, by its id or its slug; that a customer looked is counted."""
        row = shown_activity(id_or_slug)
        if sight_of_activities() == ON_SALE:
            use().views.count(ItemKind.ACTIVITY, row["id"])
        return with_tag(answer(PricedActivityShown, row), row["version"])

    @permission_required("activities.update")
    @idempotent()
    @tagged
    @blueprint.arguments(ActivityChanges)
    @blueprint.response(200, PricedActivityShown)
    def patch(self, body: dict[str, Any], id_or_slug: str) -> Response:
        """Change what is given; bookings keep the price that they were made at."""
        activity_id = activity_id_of(id_or_slug)
        slug = body.pop("slug", None)
        change_activity(
            ChangeActivity(
                author=author(),
                activity_id=activity_id,
                slug=slug,
                details=cast(ActivityDetails, body),
                expected_version=expected_version(),
            ),
            uow=use().new_uow(),
            clock=use().clock,
        )
        return answer_activity(activity_id)


@blueprint.route("/<string:id_or_slug>/publish")
class Publish(MethodView):
    @permission_required("activities.publish")
    @idempotent()
    @tagged
    @blueprint.response(200, PricedActivityShown)
    def post(self, id_or_slug: str) -> Response:
        """Put it on sale, once everything that customers must see is there in both languages."""
        return _moved(id_or_slug, publish_activity)


@blueprint.route("/<string:id_or_slug>/deactivate")
class Deactivate(MethodView):
    @permission_required("activities.publish")
    @idempotent()
    @tagged
    @blueprint.response(200, PricedActivityShown)
    def post(self, id_or_slug: str) -> Response:
        """Take it off sale for a while; what is sold stays sold."""
        return _moved(id_or_slug, deactivate_activity)


@blueprint.route("/<string:id_or_slug>/archive")
class Archive(MethodView):
    @permission_required("activities.publish")
    @idempotent()
    @tagged
    @blueprint.response(200, PricedActivityShown)
    def post(self, id_or_slug: str) -> Response:
        """Take it off sale for good; what is sold stays sold."""
        return _moved(id_or_slug, archive_activity)


@blueprint.route("/<string:id_or_slug>/departures")
class Departures(MethodView):
    @optional_token(scope="catalogue.read")
    @blueprint.arguments(DepartureQuery, location="query")
    @blueprint.response(200, page_of(DepartureShown))
    def get(self, query: dict[str, Any], id_or_slug: str) -> Response:
        """An activity's departures from tomorrow on, soonest first, with the seats that are left."""
        item = Item(ItemKind.ACTIVITY, activity_id_of(id_or_slug))
        return departures_page(item, query, sight=sight_of_activities())

    @permission_required("activities.update")
    @idempotent()
    @blueprint.arguments(DepartureRequest)
    @blueprint.response(201, DepartureShown)
    def post(self, body: dict[str, Any], id_or_slug: str) -> Response:
        """Sell seats for a date and an hour; without `ends_on` the activity's hours say when it is over."""
        return plan(Item(ItemKind.ACTIVITY, activity_id_of(id_or_slug)), body)


def _moved(id_or_slug: str, move: Callable[..., None]) -> Response:
    activity_id = activity_id_of(id_or_slug)
    command = MoveActivity(author=author(), activity_id=activity_id, expected_version=expected_version())
    move(command, uow=use().new_uow(), clock=use().clock)
    return answer_activity(activity_id)


def _search(query: dict[str, Any]) -> ActivitySearch:
    sort, category, difficulty = order_of(query, "featured"), query["category"], query["difficulty"]
    return ActivitySearch(
        today=today(),
        q=query["q"],
        category=ActivityCategory(category) if category is not None else None,
        difficulty=Difficulty(difficulty) if difficulty is not None else None,
        destination=query["destination"],
        min_price=query["min_price"],
        max_price=query["max_price"],
        starts_from=query["starts_from"],
        starts_to=query["starts_to"],
        featured=query["featured"],
        sort=sort,
        updated_after=query["updated_after"],
        limit=query["limit"],
        after=behind(query["cursor"], sort),
    )
