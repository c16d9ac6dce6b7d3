"""Activities: finding them, and for staff and vendors making them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from flask import Response
from flask.views import MethodView

from api.answers import answer
from api.blueprint import Blueprint
from api.context import use
from api.etags import expected_version, tagged, with_tag
from api.specification import page_of
from api.v1.catalogue.activity_schemas import (
    ActivitiesFoundPage,
    ActivityChanges,
    ActivityFacetsShown,
    ActivityFilterQuery,
    ActivityQuery,
    ActivityRequest,
    ActivityShown,
)
from api.v1.catalogue.departure_schemas import DepartureQuery, DepartureRequest, DepartureShown
from api.v1.catalogue.listing import author, departures_page, plan
from api.v1.catalogue.price_schemas import PricedActivityShown
from api.v1.catalogue.rows import activity_row
from api.v1.catalogue.searching import answer_facets, answer_found, asked, paged
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
from middlewares.auth_middleware import optional_token, permission_required
from middlewares.idempotency import idempotent

blueprint = Blueprint("activities", __name__, url_prefix="/activities", description="Activities and their departures")


@blueprint.route("")
class Activities(MethodView):
    @optional_token(scope="catalogue.read")
    @blueprint.arguments(ActivityQuery, location="query")
    @blueprint.response(200, ActivitiesFoundPage)
    def get(self, query: dict[str, Any]) -> Response:
        """Find activities that are on sale; staff see all of them, vendors their own besides.

        `corrected` names the words of `q` that nothing holds, and what was searched for in their place.
        `updated_after` is for staff and vendors: to customers, one that is taken off sale is just not there.
        """
        sight = sight_of_activities()
        search = ActivitySearch(**asked(query), **paged(query, sight), **_of_activities(query))
        found = use().queries.activities.search(search, sight=sight)
        return answer_found(ActivityShown, search, found, activity_row)

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


@blueprint.route("/facets")
class ActivityFacets(MethodView):
    @optional_token(scope="catalogue.read")
    @blueprint.arguments(ActivityFilterQuery, location="query")
    @blueprint.response(200, ActivityFacetsShown)
    def get(self, query: dict[str, Any]) -> Response:
        """What a search can be narrowed to, and how many activities are left then; it takes the filters of the list.

        Each facet is counted under all filters but its own. At most 2,000 activities are, the first in the order
        `featured`; where there are more, `is_exact` is false and `total` says 2,000.
        """
        search = ActivitySearch(**asked(query), **_of_activities(query))
        return answer_facets(ActivityFacetsShown, use().queries.activities.facets(search, sight=sight_of_activities()))


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


def _of_activities(query: dict[str, Any]) -> dict[str, Any]:
    category, difficulty = query["category"], query["difficulty"]
    return {
        "category": ActivityCategory(category) if category is not None else None,
        "difficulty": Difficulty(difficulty) if difficulty is not None else None,
    }
