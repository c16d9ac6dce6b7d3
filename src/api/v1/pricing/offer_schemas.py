"""Shapes of offers."""

from __future__ import annotations

from typing import Any, Final

from marshmallow import fields, post_load, validate

from api.fields import Instant, MoneyField, Schema
from api.pagination import PageQuery
from api.v1.pricing.schemas import DealChanges, DealShown, StatisticsShown
from domain.pricing.offers import (
    HIGHEST_PRIORITY,
    LONGEST_IMAGE,
    MOST_POINTS,
    MOST_TARGETS,
    MOST_TIERS,
    OfferStatus,
    OfferType,
)

_LISTS: Final = ("target_item_ids", "membership_tiers")


class OfferShown(DealShown):
    offer_type = fields.String(validate=validate.OneOf(list(OfferType)))
    featured_image = fields.String()
    target_item_ids = fields.List(fields.UUID())
    membership_tiers = fields.List(fields.String())
    bonus_points = fields.Integer()
    points_per_unit = fields.Boolean()
    usage_limit_total = fields.Integer(allow_none=True)
    usage_limit_per_user = fields.Integer(allow_none=True)
    uses_left = fields.Integer(allow_none=True, metadata={"description": "Of everybody; null where there is no limit."})
    start_date = fields.DateTime()
    end_date = fields.DateTime(allow_none=True)
    is_featured = fields.Boolean()
    priority = fields.Integer()
    is_stackable = fields.Boolean()
    status = fields.String(validate=validate.OneOf(list(OfferStatus)))
    created_at = fields.DateTime()
    updated_at = fields.DateTime()


class OfferChanges(DealChanges):
    """What is left out stays as it is."""

    offer_type = fields.Enum(OfferType, by_value=True)
    featured_image = fields.URL(schemes={"https"}, validate=validate.Length(max=LONGEST_IMAGE))
    target_item_ids = fields.List(fields.UUID(), validate=validate.Length(max=MOST_TARGETS))
    membership_tiers = fields.List(
        fields.String(validate=validate.Regexp(r"[A-Z][A-Z0-9_]{1,29}\Z"), metadata={"examples": ["GOLD"]}),
        validate=validate.Length(max=MOST_TIERS),
    )
    bonus_points = fields.Integer(strict=True, validate=validate.Range(0, MOST_POINTS))
    points_per_unit = fields.Boolean()
    start_date = Instant(attribute="valid_from")
    end_date = Instant(attribute="valid_until", allow_none=True)
    is_featured = fields.Boolean()
    priority = fields.Integer(strict=True, validate=validate.Range(-HIGHEST_PRIORITY, HIGHEST_PRIORITY))
    is_stackable = fields.Boolean()

    @post_load
    def as_details(self, values: dict[str, Any], **_: Any) -> dict[str, Any]:
        return {name: tuple(value) if name in _LISTS else value for name, value in values.items()}


class OfferRequest(OfferChanges):
    """An offer begins with its type, a title, and what that type gives; it runs once it is activated."""

    offer_type = fields.Enum(OfferType, by_value=True, required=True)


class OffersQuery(PageQuery):
    """Which offers."""

    featured = fields.Boolean(load_default=None)
    status = fields.String(
        load_default=None,
        validate=validate.OneOf(list(OfferStatus)),
        metadata={"description": "For staff; everybody else sees those that run."},
    )


class OfferGiftsShown(Schema):
    """What bookings that have it now were given, in one currency."""

    discount = MoneyField()
    bonus_points = fields.Integer()


class OfferStatisticsShown(StatisticsShown):
    given = fields.List(fields.Nested(OfferGiftsShown))
