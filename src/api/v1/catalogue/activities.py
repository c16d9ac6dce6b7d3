"""Activities: finding them, and for staff and vendors making them."""

from __future__ import annotations

from typing import Any

from flask import Response

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
from api.v1.catalogue.listing import author, departures_page, plan, vendors_are_reviewed
from api.v1.catalogue.price_schemas import PricedActivityShown
from api.v1.catalogue.publishing import moving
from api.v1.catalogue.rows import item_row
from api.v1.catalogue.searching import answer_facets, answer_found, asked, paged
from api.v1.catalogue.seen import answer_item, item_named, shown_item, sight_of
from api.views import MethodView
from application.catalogue.activity_queries import ActivitySearch
from application.catalogue.items import ChangeItem, CreateItem, change_item, create_item
from application.catalogue.publication import archive_item
from application.catalogue.queries import ON_SALE
from domain.catalogue.activities import ActivityCategory, Difficulty
from domain.catalogue.items import ItemKind
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
        sight = sight_of(ItemKind.ACTIVITY)
        search = ActivitySearch(**asked(query), **paged(query, sight), **_of_activities(query))
        found = use().queries.activities.search(search, sight=sight)
        return answer_found(ActivityShown, search, found, lambda row: item_row(ItemKind.ACTIVITY, row, sight))

    @permission_required("activities.create")
    @idempotent()
    @blueprint.arguments(ActivityRequest)
    @blueprint.response(201, PricedActivityShown)
    def post(self, body: dict[str, Any]) -> Response:
        """Begin an activity; customers see it when it is published."""
        slug = body.pop("slug", None)
        activity_id = create_item(
            CreateItem(author=author(), kind=ItemKind.ACTIVITY, slug=slug, details=body),
            uow=use().new_uow(),
            clock=use().clock,
            new_id=use().new_id,
        )
        location = f"/api/v1/activities/{activity_id}"
        return answer(PricedActivityShown, shown_item(ItemKind.ACTIVITY, activity_id), 201, location=location)


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
        found = use().queries.activities.facets(search, sight=sight_of(ItemKind.ACTIVITY))
        return answer_facets(ActivityFacetsShown, found)


@blueprint.route("/<string:id_or_slug>")
class OneActivity(MethodView):
    @optional_token(scope="catalogue.read")
    @tagged
    @blueprint.response(200, PricedActivityShown)
    def get(self, id_or_slug: str) -> Response:
        """One activity, by its id or its slug; that a customer looked is counted."""
        row = shown_item(ItemKind.ACTIVITY, id_or_slug)
        if sight_of(ItemKind.ACTIVITY) == ON_SALE:
            use().views.count(ItemKind.ACTIVITY, row["id"])
        return with_tag(answer(PricedActivityShown, row), row["version"])

    @permission_required("activities.update")
    @idempotent()
    @tagged
    @blueprint.arguments(ActivityChanges)
    @blueprint.response(200, PricedActivityShown)
    def patch(self, body: dict[str, Any], id_or_slug: str) -> Response:
        """Change what is given; bookings keep the price that they were made at.

        What a vendor changes of an activity that was approved stays on sale, and is listed for review again.
        """
        item = item_named(ItemKind.ACTIVITY, id_or_slug)
        slug = body.pop("slug", None)
        change_item(
            ChangeItem(
                author=author(),
                item=item,
                slug=slug,
                details=body,
                vendors_are_reviewed=vendors_are_reviewed(),
                expected_version=expected_version(),
            ),
            uow=use().new_uow(),
            clock=use().clock,
        )
        return answer_item(item)


@blueprint.route("/<string:id_or_slug>/archive")
class Archive(MethodView):
    @permission_required("activities.delete")
    @idempotent()
    @tagged
    @blueprint.response(200, PricedActivityShown)
    def post(self, id_or_slug: str) -> Response:
        """Take it off sale for good; what is sold stays sold."""
        command = moving(ItemKind.ACTIVITY, id_or_slug)
        archive_item(command, uow=use().new_uow(), clock=use().clock)
        return answer_item(command.item)


@blueprint.route("/<string:id_or_slug>/departures")
class Departures(MethodView):
    @optional_token(scope="catalogue.read")
    @blueprint.arguments(DepartureQuery, location="query")
    @blueprint.response(200, page_of(DepartureShown))
    def get(self, query: dict[str, Any], id_or_slug: str) -> Response:
        """An activity's departures from the place's tomorrow on, soonest first, with the seats that are left."""
        item = item_named(ItemKind.ACTIVITY, id_or_slug)
        return departures_page(item, query, sight=sight_of(ItemKind.ACTIVITY))

    @permission_required("activities.update")
    @idempotent()
    @blueprint.arguments(DepartureRequest)
    @blueprint.response(201, DepartureShown)
    def post(self, body: dict[str, Any], id_or_slug: str) -> Response:
        """Sell seats for a date and an hour; without `ends_on` the activity's hours say when it is over."""
        return plan(item_named(ItemKind.ACTIVITY, id_or_slug), body)


def _of_activities(query: dict[str, Any]) -> dict[str, Any]:
    category, difficulty = query["category"], query["difficulty"]
    return {
        "category": ActivityCategory(category) if category is not None else None,
        "difficulty": Difficulty(difficulty) if difficulty is not None else None,
    }
