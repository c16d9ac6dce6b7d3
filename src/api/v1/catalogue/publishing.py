"""Putting packages and activities on sale, and taking them off."""

from __future__ import annotations

from flask import Response

from api.blueprint import Blueprint
from api.context import may, use
from api.etags import expected_version, tagged
from api.v1.catalogue.listing import author, vendors_are_reviewed
from api.v1.catalogue.rights import RIGHTS
from api.v1.catalogue.seen import ALONE, answer_item, item_named
from api.views import MethodView
from application.catalogue.publication import MoveItem, PublishItem, deactivate_item, publish_item
from domain.catalogue.items import ItemKind
from middlewares.auth_middleware import permission_required
from middlewares.idempotency import idempotent


def publishing_of(kind: ItemKind) -> Blueprint:
    """The routes that put one kind on sale, and take it off."""
    blueprint = Blueprint(
        f"{kind.lower()}_publishing", __name__, url_prefix=f"/{kind.section}", description=f"{kind.section} on sale"
    )

    @blueprint.route("/<string:id_or_slug>/publish")
    class Publish(MethodView):
        @permission_required(RIGHTS[kind].update)
        @idempotent()
        @tagged
        @blueprint.response(200, ALONE[kind])
        def post(self, id_or_slug: str) -> Response:
            """Put it on sale, or on sale again, once all that customers must see is there in both languages.

            A vendor asks for it: `approval` is PENDING until staff decide. Staff need the permission to publish the
            kind besides, and the one to approve it for a vendor's, which that approves.
            """
            command = PublishItem(
                author=author(),
                item=item_named(kind, id_or_slug),
                expected_version=expected_version(),
                may_publish=may(RIGHTS[kind].publish),
                may_approve=may(RIGHTS[kind].approve),
                vendors_are_reviewed=vendors_are_reviewed(),
            )
            publish_item(command, uow=use().new_uow(), clock=use().clock)
            return answer_item(command.item)

    @blueprint.route("/<string:id_or_slug>/deactivate")
    class Deactivate(MethodView):
        @permission_required(RIGHTS[kind].update)
        @idempotent()
        @tagged
        @blueprint.response(200, ALONE[kind])
        def post(self, id_or_slug: str) -> Response:
            """Take it off sale for a while; bookings that were made go on, and publishing brings it back."""
            command = moving(kind, id_or_slug)
            deactivate_item(command, uow=use().new_uow(), clock=use().clock)
            return answer_item(command.item)

    return blueprint


def moving(kind: ItemKind, id_or_slug: str) -> MoveItem:
    """What the request says about taking an item off sale."""
    return MoveItem(author=author(), item=item_named(kind, id_or_slug), expected_version=expected_version())
