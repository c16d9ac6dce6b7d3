"""Reviews: what vendors want to sell, and what staff say of it."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from flask import Response

from api.answers import answer_page
from api.blueprint import Blueprint
from api.context import use
from api.etags import expected_version, tagged
from api.pagination import PageQuery, after_cursor, by_time, split_page
from api.specification import page_of
from api.v1.catalogue.activity_schemas import ActivityShown
from api.v1.catalogue.item_schemas import RejectRequest
from api.v1.catalogue.listing import author
from api.v1.catalogue.rights import RIGHTS
from api.v1.catalogue.rows import item_row
from api.v1.catalogue.schemas import PackageSummary
from api.v1.catalogue.seen import ALONE, answer_item, queries_of
from api.views import MethodView
from application.catalogue.publication import MoveItem, RejectItem, approve_item, reject_item
from application.catalogue.queries import Sight
from domain.catalogue.items import Item, ItemKind
from middlewares.auth_middleware import permission_required
from middlewares.idempotency import idempotent

_IN_LISTS: Final = {ItemKind.PACKAGE: PackageSummary, ItemKind.ACTIVITY: ActivityShown}
_LISTED_AT: Final = {ItemKind.PACKAGE: "/catalogue/reviews", ItemKind.ACTIVITY: "/catalogue/activity-reviews"}


def reviews_of(kind: ItemKind) -> Blueprint:
    """The routes of one kind's reviews."""
    blueprint = Blueprint(
        f"{kind.lower()}_reviews",
        __name__,
        url_prefix="/admin",
        description=f"{kind.section} to review",
    )

    @blueprint.route(_LISTED_AT[kind])
    class Reviews(MethodView):
        @permission_required(RIGHTS[kind].approve)
        @blueprint.arguments(PageQuery, location="query")
        @blueprint.response(200, page_of(_IN_LISTS[kind]))
        def get(self, query: dict[str, Any]) -> Response:
            """Vendors' that wait for a decision, the longest-waiting first; ACTIVE ones are on sale meanwhile."""
            rows = queries_of(kind).reviews(
                at=use().clock.now(), limit=query["limit"], after=after_cursor(query["cursor"])
            )
            page, cursor = split_page(rows, query["limit"], by_time("review_requested_at"))
            shown = [item_row(kind, row, Sight(everything=True)) for row in page]
            return answer_page(_IN_LISTS[kind], shown, cursor)

    @blueprint.route(f"/{kind.section}/<uuid:{kind.lower()}_id>/approve")
    class Approve(MethodView):
        @permission_required(RIGHTS[kind].approve)
        @idempotent()
        @tagged
        @blueprint.response(200, ALONE[kind])
        def post(self, **named: UUID) -> Response:
            """Agree: it goes on sale, or stays there. `If-Match` approves what was seen, and nothing newer."""
            command = MoveItem(author=author(), item=_one(kind, named), expected_version=expected_version())
            approve_item(command, uow=use().new_uow(), clock=use().clock)
            return answer_item(command.item)

    @blueprint.route(f"/{kind.section}/<uuid:{kind.lower()}_id>/reject")
    class Reject(MethodView):
        @permission_required(RIGHTS[kind].approve)
        @idempotent()
        @tagged
        @blueprint.arguments(RejectRequest)
        @blueprint.response(200, ALONE[kind])
        def post(self, body: dict[str, Any], **named: UUID) -> Response:
            """Do not agree: it is not put on sale, or taken off; its vendor reads why, and may ask again."""
            command = RejectItem(
                author=author(), item=_one(kind, named), expected_version=expected_version(), reason=body["reason"]
            )
            reject_item(command, uow=use().new_uow(), clock=use().clock)
            return answer_item(command.item)

    return blueprint


def _one(kind: ItemKind, named: dict[str, UUID]) -> Item:
    (item_id,) = named.values()
    return Item(kind, item_id)
