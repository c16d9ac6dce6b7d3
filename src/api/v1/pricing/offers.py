"""Offers: everybody sees those that run, staff make them."""

from __future__ import annotations

from typing import Any, cast
from uuid import UUID

from flask import Response

from api.answers import answer, answer_page
from api.blueprint import Blueprint
from api.context import reader_may, use, viewer
from api.etags import expected_version, tagged, with_tag
from api.pagination import split_page
from api.specification import page_of
from api.v1.pricing.offer_schemas import OfferChanges, OfferRequest, OfferShown, OffersQuery, OfferStatisticsShown
from api.v1.pricing.places import behind, place_in
from api.v1.pricing.schemas import shown_deal
from api.views import MethodView
from application.pricing.offers import (
    ChangeOffer,
    CreateOffer,
    SwitchOffer,
    activate_offer,
    change_offer,
    create_offer,
    disable_offer,
)
from application.pricing.queries import OfferSearch
from domain.pricing.offers import OfferDetails, OfferNotFound
from domain.shared.errors import NotAllowed
from middlewares.auth_middleware import optional_token, permission_required
from middlewares.idempotency import idempotent

blueprint = Blueprint("offers", __name__, url_prefix="/offers", description="Offers")


@blueprint.route("")
class Offers(MethodView):
    @optional_token(scope="catalogue.read")
    @blueprint.arguments(OffersQuery, location="query")
    @blueprint.response(200, page_of(OfferShown))
    def get(self, query: dict[str, Any]) -> Response:
        """Offers that run, the highest priority first; staff see all of them, or those of a `status`."""
        sees_all = reader_may("offers.read")
        if query["status"] is not None and not sees_all:
            raise NotAllowed()
        search = OfferSearch(
            at=None if sees_all else use().clock.now(), status=query["status"], featured=query["featured"]
        )
        after = place_in(query["cursor"], by_priority=True)
        rows = use().queries.pricing.offers(search, limit=query["limit"], after=after)
        page, cursor = split_page(rows, query["limit"], behind("priority"))
        return answer_page(OfferShown, [shown_deal(row) for row in page], cursor)

    @permission_required("offers.manage")
    @idempotent()
    @blueprint.arguments(OfferRequest)
    @blueprint.response(201, OfferShown)
    def post(self, body: dict[str, Any]) -> Response:
        """Begin an offer; nobody gets it before it is activated."""
        offer_id = create_offer(
            CreateOffer(actor_id=viewer().user_id, details=cast(OfferDetails, body)),
            uow=use().new_uow(),
            clock=use().clock,
            new_id=use().new_id,
        )
        return answer(OfferShown, _any(offer_id), 201, location=f"/api/v1/offers/{offer_id}")


@blueprint.route("/<uuid:offer_id>")
class OneOffer(MethodView):
    @optional_token(scope="catalogue.read")
    @tagged
    @blueprint.response(200, OfferShown)
    def get(self, offer_id: UUID) -> Response:
        """One offer that runs; staff see any."""
        row = _any(offer_id) if reader_may("offers.read") else _running(offer_id)
        return with_tag(answer(OfferShown, row), row["version"])

    @permission_required("offers.manage")
    @idempotent()
    @tagged
    @blueprint.arguments(OfferChanges)
    @blueprint.response(200, OfferShown)
    def patch(self, body: dict[str, Any], offer_id: UUID) -> Response:
        """Change what is given; bookings keep the price that they were made at."""
        command = ChangeOffer(
            actor_id=viewer().user_id,
            offer_id=offer_id,
            details=cast(OfferDetails, body),
            expected_version=expected_version(),
        )
        change_offer(command, uow=use().new_uow(), clock=use().clock)
        return _answer(offer_id)


@blueprint.route("/<uuid:offer_id>/activate")
class ActivateOffer(MethodView):
    @permission_required("offers.manage")
    @idempotent()
    @tagged
    @blueprint.response(200, OfferShown)
    def post(self, offer_id: UUID) -> Response:
        """Let it run from its `start_date` on."""
        activate_offer(_switch(offer_id), uow=use().new_uow(), clock=use().clock)
        return _answer(offer_id)


@blueprint.route("/<uuid:offer_id>/disable")
class DisableOffer(MethodView):
    @permission_required("offers.manage")
    @idempotent()
    @tagged
    @blueprint.response(200, OfferShown)
    def post(self, offer_id: UUID) -> Response:
        """Stop it; bookings that have it keep it."""
        disable_offer(_switch(offer_id), uow=use().new_uow(), clock=use().clock)
        return _answer(offer_id)


@blueprint.route("/<uuid:offer_id>/statistics")
class OfferStatistics(MethodView):
    @permission_required("offers.read")
    @blueprint.response(200, OfferStatisticsShown)
    def get(self, offer_id: UUID) -> Response:
        """How often it was used, by how many, what it gave, and what became of the bookings."""
        row = use().queries.pricing.offer_statistics(offer_id)
        if row is None:
            raise OfferNotFound()
        return answer(OfferStatisticsShown, row)


def _switch(offer_id: UUID) -> SwitchOffer:
    return SwitchOffer(actor_id=viewer().user_id, offer_id=offer_id, expected_version=expected_version())


def _any(offer_id: UUID) -> dict[str, Any]:
    row = use().queries.pricing.offer(offer_id, running_at=None)
    if row is None:
        raise OfferNotFound()
    return shown_deal(row)


def _running(offer_id: UUID) -> dict[str, Any]:
    row = use().queries.pricing.offer(offer_id, running_at=use().clock.now())
    if row is None:
        raise OfferNotFound()
    return shown_deal(row)


def _answer(offer_id: UUID) -> Response:
    row = _any(offer_id)
    return with_tag(answer(OfferShown, row), row["version"])
