"""Ratings: by who made the trip, for everybody to read, moderated by staff."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response

from api.answers import answer, answer_page
from api.blueprint import Blueprint
from api.context import scope_of, use, viewer
from api.pagination import PageQuery, after_cursor, by_time, split_page
from api.specification import page_of
from api.v1.catalogue.item_schemas import (
    HideRequest,
    ModeratedRatingShown,
    OwnRatingShown,
    RatingRequest,
    RatingSearch,
    RatingShown,
)
from api.v1.catalogue.seen import item_named
from api.views import MethodView
from application.catalogue.rating_queries import Row
from application.catalogue.ratings import (
    HideRating,
    ModerateRating,
    RateTrip,
    change_rating,
    hide_rating,
    rate_trip,
    show_rating,
)
from domain.catalogue.items import Item, ItemKind
from domain.catalogue.ratings import RatingNotFound, RatingWords
from middlewares.auth_middleware import optional_token, permission_required, token_required
from middlewares.idempotency import idempotent

blueprint = Blueprint("ratings", __name__, description="Ratings of trips")


@blueprint.route("/bookings/<uuid:booking_id>/rating")
class TripRating(MethodView):
    @token_required
    @blueprint.response(200, OwnRatingShown)
    def get(self, booking_id: UUID) -> Response:
        """What the customer said of the trip; for them, and for staff who moderate."""
        return answer(OwnRatingShown, _of_booking(booking_id, owner=scope_of("ratings.moderate")))

    @token_required
    @idempotent()
    @blueprint.arguments(RatingRequest)
    @blueprint.response(201, OwnRatingShown)
    def post(self, body: dict[str, Any], booking_id: UUID) -> Response:
        """Rate a trip of one's own, once, when it is completed."""
        rate_trip(_said(body, booking_id), uow=use().new_uow(), clock=use().clock, new_id=use().new_id)
        row = _of_booking(booking_id, owner=viewer().user_id)
        return answer(OwnRatingShown, row, 201, location=f"/api/v1/bookings/{booking_id}/rating")

    @token_required
    @idempotent()
    @blueprint.arguments(RatingRequest)
    @blueprint.response(200, OwnRatingShown)
    def put(self, body: dict[str, Any], booking_id: UUID) -> Response:
        """Say something else instead, within 30 days."""
        change_rating(_said(body, booking_id), uow=use().new_uow(), clock=use().clock)
        return answer(OwnRatingShown, _of_booking(booking_id, owner=viewer().user_id))


@blueprint.route("/packages/<string:id_or_slug>/ratings")
class PackageRatings(MethodView):
    @optional_token(scope="catalogue.read")
    @blueprint.arguments(PageQuery, location="query")
    @blueprint.response(200, page_of(RatingShown))
    def get(self, query: dict[str, Any], id_or_slug: str) -> Response:
        """What customers said of a package, newest first."""
        return _said_of(item_named(ItemKind.PACKAGE, id_or_slug), query)


@blueprint.route("/activities/<string:id_or_slug>/ratings")
class ActivityRatings(MethodView):
    @optional_token(scope="catalogue.read")
    @blueprint.arguments(PageQuery, location="query")
    @blueprint.response(200, page_of(RatingShown))
    def get(self, query: dict[str, Any], id_or_slug: str) -> Response:
        """What customers said of an activity, newest first."""
        return _said_of(item_named(ItemKind.ACTIVITY, id_or_slug), query)


@blueprint.route("/admin/ratings")
class Ratings(MethodView):
    @permission_required("ratings.moderate")
    @blueprint.arguments(RatingSearch, location="query")
    @blueprint.response(200, page_of(ModeratedRatingShown))
    def get(self, query: dict[str, Any]) -> Response:
        """Everybody's ratings, newest first, hidden ones too."""
        rows = use().queries.ratings.all(
            status=query["status"],
            item=_named(query),
            limit=query["limit"],
            after=after_cursor(query["cursor"]),
        )
        return answer_page(ModeratedRatingShown, *split_page(rows, query["limit"], by_time("created_at")))


@blueprint.route("/admin/ratings/<uuid:rating_id>/hide")
class HiddenRating(MethodView):
    @permission_required("ratings.moderate")
    @idempotent()
    @blueprint.arguments(HideRequest)
    @blueprint.response(200, ModeratedRatingShown)
    def post(self, body: dict[str, Any], rating_id: UUID) -> Response:
        """Take a rating from everybody's sight, and its stars out of the average."""
        command = HideRating(rating_id=rating_id, actor_id=viewer().user_id, reason=body["reason"])
        hide_rating(command, uow=use().new_uow(), clock=use().clock)
        return answer(ModeratedRatingShown, _one(rating_id))


@blueprint.route("/admin/ratings/<uuid:rating_id>/show")
class ShownRating(MethodView):
    @permission_required("ratings.moderate")
    @idempotent()
    @blueprint.response(200, ModeratedRatingShown)
    def post(self, rating_id: UUID) -> Response:
        """Let everybody read it again."""
        command = ModerateRating(rating_id=rating_id, actor_id=viewer().user_id)
        show_rating(command, uow=use().new_uow(), clock=use().clock)
        return answer(ModeratedRatingShown, _one(rating_id))


def _said_of(item: Item, query: dict[str, Any]) -> Response:
    rows = use().queries.ratings.of_item(item, limit=query["limit"], after=after_cursor(query["cursor"]))
    return answer_page(RatingShown, *split_page(rows, query["limit"], by_time("created_at")))


def _named(query: dict[str, Any]) -> Item | None:
    named = query["package_id"], query["activity_id"]
    return Item.of(*named) if any(named) else None


def _said(body: dict[str, Any], booking_id: UUID) -> RateTrip:
    return RateTrip(booking_id=booking_id, user_id=viewer().user_id, words=RatingWords(**body))


def _of_booking(booking_id: UUID, *, owner: UUID | None) -> Row:
    row = use().queries.ratings.of_booking(booking_id, owner=owner)
    if row is None:
        raise RatingNotFound()
    return row


def _one(rating_id: UUID) -> Row:
    row = use().queries.ratings.one(rating_id)
    if row is None:
        raise RatingNotFound()
    return row
