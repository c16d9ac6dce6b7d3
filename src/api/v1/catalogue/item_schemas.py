"""Shapes of pictures, ratings and reviews."""

from __future__ import annotations

from typing import Any

from marshmallow import ValidationError, fields, validate, validates_schema

from api.fields import Schema, Text
from api.pagination import PageQuery
from api.v1.catalogue.schemas import ImageShown
from domain.catalogue.images import CAPTION_LENGTH, MOST_IMAGES
from domain.catalogue.ratings import COMMENT_LENGTH, MOST_STARS, TITLE_LENGTH, RatingStatus


class ImagesShown(Schema):
    """Every picture of a package, in its order."""

    items = fields.List(fields.Nested(ImageShown))


class ImageChanges(Schema):
    """What is left out stays as it is."""

    caption_ar = Text(most=CAPTION_LENGTH, load_default=None)
    caption_en = Text(most=CAPTION_LENGTH, load_default=None)
    is_featured = fields.Boolean(load_default=None, truthy={True}, falsy={False})


class OrderRequest(Schema):
    image_ids = fields.List(fields.UUID(), required=True, validate=validate.Length(max=MOST_IMAGES))


class RejectRequest(Schema):
    reason = Text(
        required=True,
        least=3,
        most=500,
        multiline=True,
        metadata={"description": "For the vendor to read, in whichever language."},
    )


class RatingRequest(Schema):
    stars = fields.Integer(required=True, strict=True, validate=validate.Range(1, MOST_STARS))
    title = Text(most=TITLE_LENGTH, load_default="")
    comment = Text(most=COMMENT_LENGTH, multiline=True, load_default="")


class RatingShown(Schema):
    """A rating as everybody reads it."""

    id = fields.UUID()
    stars = fields.Integer()
    title = fields.String()
    comment = fields.String()
    author = fields.String(allow_none=True, metadata={"description": "A first name and an initial."})
    created_at = fields.DateTime()
    updated_at = fields.DateTime()


class OwnRatingShown(RatingShown):
    """A rating as its writer and staff read it."""

    booking_id = fields.UUID()
    package_id = fields.UUID(allow_none=True)
    activity_id = fields.UUID(allow_none=True)
    status = fields.String(validate=validate.OneOf(list(RatingStatus)))
    hidden_reason = fields.String(allow_none=True)


class ModeratedRatingShown(OwnRatingShown):
    """A rating as staff read it."""

    user_id = fields.UUID()
    moderated_at = fields.DateTime(allow_none=True)


class RatingSearch(PageQuery):
    """Which ratings: of one item, where one is named."""

    status = fields.String(load_default=None, validate=validate.OneOf(list(RatingStatus)))
    package_id = fields.UUID(load_default=None)
    activity_id = fields.UUID(load_default=None)

    @validates_schema
    def _of_one_item(self, query: dict[str, Any], **_: Any) -> None:
        if query["package_id"] is not None and query["activity_id"] is not None:
            raise ValidationError("of a package or of an activity", "activity_id")


class HideRequest(Schema):
    reason = Text(required=True, least=3, most=500)
