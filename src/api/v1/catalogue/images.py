"""Pictures of packages and activities: seen by whoever sees the item, sent and arranged by staff and its vendor."""

from __future__ import annotations

from typing import Any, Final, TypedDict
from uuid import UUID

from flask import Response, request

from api.answers import answer
from api.blueprint import Blueprint
from api.context import use
from api.uploads import picture_bodies, sent_picture
from api.v1.catalogue.item_schemas import ImageChanges, ImagesShown, OrderRequest
from api.v1.catalogue.listing import author, vendors_are_reviewed
from api.v1.catalogue.rights import RIGHTS
from api.v1.catalogue.rows import image_address
from api.v1.catalogue.schemas import ImageShown
from api.v1.catalogue.seen import item_named, queries_of, shown_item, sight_of
from api.views import MethodView
from application.catalogue.authors import Author
from application.catalogue.images import (
    ArrangeImages,
    DeleteImage,
    DescribeImage,
    SendImage,
    arrange_images,
    delete_image,
    describe_image,
    send_image,
)
from domain.catalogue.images import ImageNotFound, thumbnail_key
from domain.catalogue.items import Item, ItemKind
from domain.catalogue.publication import ItemStatus
from middlewares.auth_middleware import optional_token, permission_required
from middlewares.idempotency import idempotent, not_idempotent

FOR_EVER: Final = "public, max-age=31536000, immutable"
"""What lies under an address never changes."""
NOT_KEPT: Final = "private, no-store"
"""Of what is not on sale."""

_FILE: Final = {"type": "string", "format": "binary"}


def pictures_of(kind: ItemKind) -> Blueprint:
    """The routes of one kind's pictures."""
    blueprint = Blueprint(
        f"{kind.lower()}_images", __name__, url_prefix=f"/{kind.section}", description=f"Pictures of {kind.section}"
    )

    @blueprint.route("/<string:id_or_slug>/images")
    class Images(MethodView):
        @permission_required(RIGHTS[kind].update)
        @not_idempotent("the same picture sent twice is one")
        @blueprint.doc(**picture_bodies("image"))
        @blueprint.response(201, ImageShown)
        def post(self, id_or_slug: str) -> Response:
            """Send a picture; it stands behind the others, and the first one stands for it."""
            image = send_image(
                SendImage(**_of(kind, id_or_slug), content=sent_picture("image")),
                desk=use().image_desk,
                new_uow=use().new_uow,
                clock=use().clock,
                new_id=use().new_id,
            )
            location = image_address(image.item, image.id)
            return answer(ImageShown, _shown_image(image.item, image.id), 201, location=location)

    @blueprint.route("/<string:id_or_slug>/images/order")
    class ImageOrder(MethodView):
        @permission_required(RIGHTS[kind].update)
        @idempotent()
        @blueprint.arguments(OrderRequest)
        @blueprint.response(200, ImagesShown)
        def put(self, body: dict[str, Any], id_or_slug: str) -> Response:
            """Say in which order the pictures are shown: every one of them, once."""
            command = ArrangeImages(**_of(kind, id_or_slug), image_ids=tuple(body["image_ids"]))
            arrange_images(command, uow=use().new_uow(), clock=use().clock)
            return answer(ImagesShown, {"items": shown_item(kind, command.item.id)["images"]})

    @blueprint.route("/<string:id_or_slug>/images/<uuid:image_id>")
    class OneImage(MethodView):
        @optional_token(scope="catalogue.read")
        @blueprint.response(200, _FILE, content_type="image/jpeg")
        def get(self, id_or_slug: str, image_id: UUID) -> Response:
            """The picture itself."""
            found = _found(kind, id_or_slug, image_id)
            return _file(found, found["storage_key"], found["digest"].hex())

        @permission_required(RIGHTS[kind].update)
        @idempotent()
        @blueprint.arguments(ImageChanges)
        @blueprint.response(200, ImageShown)
        def patch(self, body: dict[str, Any], id_or_slug: str, image_id: UUID) -> Response:
            """Say what is seen on it, in both languages, and whether it stands for the whole."""
            command = DescribeImage(**_of(kind, id_or_slug), image_id=image_id, **body)
            describe_image(command, uow=use().new_uow(), clock=use().clock)
            return answer(ImageShown, _shown_image(command.item, image_id))

        @permission_required(RIGHTS[kind].update)
        @not_idempotent("what is deleted stays deleted; files are deleted between transactions")
        @blueprint.response(204)
        def delete(self, id_or_slug: str, image_id: UUID) -> Response:
            """Take it away; the next one stands for it where it did."""
            command = DeleteImage(**_of(kind, id_or_slug), image_id=image_id)
            delete_image(command, desk=use().image_desk, new_uow=use().new_uow, clock=use().clock)
            return Response(status=204)

    @blueprint.route("/<string:id_or_slug>/images/<uuid:image_id>/thumbnail")
    class Thumbnail(MethodView):
        @optional_token(scope="catalogue.read")
        @blueprint.response(200, _FILE, content_type="image/jpeg")
        def get(self, id_or_slug: str, image_id: UUID) -> Response:
            """A small twin of the picture: 480 pixels on its longer side."""
            found = _found(kind, id_or_slug, image_id)
            return _file(found, thumbnail_key(found["storage_key"]), f"{found['digest'].hex()}-small")

    return blueprint


class _OfItem(TypedDict):
    author: Author
    item: Item
    vendors_are_reviewed: bool


def _of(kind: ItemKind, id_or_slug: str) -> _OfItem:
    return {
        "author": author(),
        "item": item_named(kind, id_or_slug),
        "vendors_are_reviewed": vendors_are_reviewed(),
    }


def _shown_image(item: Item, image_id: UUID) -> dict[str, Any]:
    images = shown_item(item.kind, item.id)["images"]
    shown: dict[str, Any] | None = next((image for image in images if image["id"] == str(image_id)), None)
    if shown is None:
        raise ImageNotFound()
    return shown


def _found(kind: ItemKind, id_or_slug: str, image_id: UUID) -> dict[str, Any]:
    found = queries_of(kind).image(id_or_slug, image_id, sight=sight_of(kind))
    if found is None:
        raise ImageNotFound()
    return {**found, "digest": bytes(found["digest"])}


def _file(found: dict[str, Any], key: str, tag: str) -> Response:
    """The bytes under a key, or 304 for who has them: looked up before they are read."""
    kept = FOR_EVER if found["status"] == ItemStatus.ACTIVE else NOT_KEPT
    if request.if_none_match.contains_weak(tag):
        response = Response(status=304)
        del response.headers["Content-Type"]
    else:
        content = use().storage.get(key)
        if content is None:
            raise ImageNotFound()
        response = Response(content, content_type=found["content_type"])
        response.headers["Content-Disposition"] = 'inline; filename="image.jpg"'
    response.headers["Cache-Control"] = kept
    response.set_etag(tag)
    return response
