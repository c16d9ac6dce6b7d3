"""Shapes of packages."""

from __future__ import annotations

from typing import Any

from marshmallow import fields, validate

from api.fields import Localized, MoneyField, Percent, PercentRequest, Schema, Text
from api.v1.sales.cancellation_schemas import PolicyOfItem
from domain.catalogue.faults import DESCRIPTION_LENGTH, LAST_PLACE, MOST_TRAVELERS, NAME_LENGTH
from domain.catalogue.package_details import (
    LINE_LENGTH,
    LONGEST_DAYS,
    META_DESCRIPTION_LENGTH,
    META_TITLE_LENGTH,
    MOST_DESTINATIONS,
    MOST_LINES,
    MOST_STEPS,
    PackageCategory,
)
from domain.catalogue.publication import Approval


class StepShown(Schema):
    day = fields.Integer()
    title = Localized()
    title_ar = fields.String()
    title_en = fields.String()
    description = Localized()
    description_ar = fields.String()
    description_en = fields.String()


class ImageShown(Schema):
    id = fields.UUID()
    url = fields.String()
    thumbnail_url = fields.String()
    width = fields.Integer()
    height = fields.Integer()
    caption = Localized()
    caption_ar = fields.String()
    caption_en = fields.String()
    display_order = fields.Integer()
    is_featured = fields.Boolean()


class EarnedShown(Schema):
    amount = fields.String()
    currency = fields.String()


def revenue() -> fields.List[Any]:
    """What an item earned."""
    return fields.List(
        fields.Nested(EarnedShown),
        metadata={"description": "Paid and not given back, by currency; for staff and its vendor, empty for others."},
    )


class ReviewedShown(Schema):
    """`approval` and what belongs to it are for staff and its vendor, null for others."""

    approval = fields.String(allow_none=True, validate=validate.OneOf(list(Approval)))
    approval_reason = fields.String(allow_none=True)
    approval_decided_at = fields.DateTime(allow_none=True)
    review_requested_at = fields.DateTime(allow_none=True)
    cancellation_policy_id = fields.UUID(allow_none=True)
    cancellation = fields.Nested(PolicyOfItem, allow_none=True)


class PackageSummary(ReviewedShown):
    """A package in a list."""

    id = fields.UUID()
    slug = fields.String()
    name = Localized()
    name_ar = fields.String()
    name_en = fields.String()
    description = Localized()
    description_ar = fields.String()
    description_en = fields.String()
    category = fields.String()
    base_price = MoneyField()
    discounted_price = MoneyField(
        allow_none=True, metadata={"description": "What it is sold at where it is set, beside a struck-through base."}
    )
    tax_rate = Percent()
    tax_inclusive = fields.Boolean()
    duration_days = fields.Integer()
    duration_nights = fields.Integer()
    min_travelers = fields.Integer()
    max_travelers = fields.Integer()
    destinations = fields.List(fields.String())
    inclusions_ar = fields.List(fields.String())
    inclusions_en = fields.List(fields.String())
    exclusions_ar = fields.List(fields.String())
    exclusions_en = fields.List(fields.String())
    itinerary = fields.List(fields.Nested(StepShown))
    is_customizable = fields.Boolean()
    is_featured = fields.Boolean()
    display_order = fields.Integer()
    featured_image = fields.String(allow_none=True, metadata={"description": "The address of its picture."})
    status = fields.String()
    availability_start = fields.Date(allow_none=True)
    availability_end = fields.Date(allow_none=True)
    time_zone = fields.String()
    views_count = fields.Integer()
    total_bookings = fields.Integer()
    rating_count = fields.Integer()
    average_rating = fields.String(allow_none=True, metadata={"examples": ["4.50"]})
    next_departure = fields.Date(allow_none=True)
    created_at = fields.DateTime()
    updated_at = fields.DateTime()


class PackageShown(PackageSummary):
    """A package alone."""

    meta_title = Localized()
    meta_title_ar = fields.String()
    meta_title_en = fields.String()
    meta_description = Localized()
    meta_description_ar = fields.String()
    meta_description_en = fields.String()
    images = fields.List(fields.Nested(ImageShown))
    total_revenue = revenue()


class StepRequest(Schema):
    day = fields.Integer(required=True, strict=True, validate=validate.Range(1, LONGEST_DAYS))
    title_ar = Text(most=NAME_LENGTH, load_default="")
    title_en = Text(most=NAME_LENGTH, load_default="")
    description_ar = Text(most=2000, multiline=True, load_default="")
    description_en = Text(most=2000, multiline=True, load_default="")


def whole(least: int, most: int, **options: Any) -> fields.Integer:
    """A whole number between two others."""
    return fields.Integer(strict=True, validate=validate.Range(least, most), **options)


def _lines(most: int, longest: int = LINE_LENGTH) -> fields.List[str]:
    return fields.List(Text(most=longest, least=1), validate=validate.Length(max=most))


class PackageChanges(Schema):
    """What is left out stays as it is."""

    slug = Text(most=80, least=1)
    name_ar = Text(most=NAME_LENGTH)
    name_en = Text(most=NAME_LENGTH)
    description_ar = Text(most=DESCRIPTION_LENGTH, multiline=True)
    description_en = Text(most=DESCRIPTION_LENGTH, multiline=True)
    category = fields.Enum(PackageCategory, by_value=True)
    base_price = MoneyField()
    discounted_price = MoneyField(allow_none=True)
    tax_rate = PercentRequest(metadata={"type": "string", "examples": ["14.00"]})
    tax_inclusive = fields.Boolean()
    duration_days = whole(1, LONGEST_DAYS)
    duration_nights = whole(0, LONGEST_DAYS)
    min_travelers = whole(1, MOST_TRAVELERS)
    max_travelers = whole(1, MOST_TRAVELERS)
    destinations = _lines(MOST_DESTINATIONS, 100)
    inclusions_ar = _lines(MOST_LINES)
    inclusions_en = _lines(MOST_LINES)
    exclusions_ar = _lines(MOST_LINES)
    exclusions_en = _lines(MOST_LINES)
    itinerary = fields.List(fields.Nested(StepRequest), validate=validate.Length(max=MOST_STEPS))
    is_customizable = fields.Boolean()
    is_featured = fields.Boolean()
    display_order = whole(0, LAST_PLACE)
    availability_start = fields.Date(allow_none=True)
    availability_end = fields.Date(allow_none=True)
    time_zone = Text(most=64, least=1, metadata={"examples": ["Africa/Cairo"]})
    cancellation_policy_id = fields.UUID(allow_none=True)
    meta_title_ar = Text(most=META_TITLE_LENGTH)
    meta_title_en = Text(most=META_TITLE_LENGTH)
    meta_description_ar = Text(most=META_DESCRIPTION_LENGTH)
    meta_description_en = Text(most=META_DESCRIPTION_LENGTH)


class PackageRequest(PackageChanges):
    """A package begins with what its price is made of; names, descriptions and destinations before it is published."""

    category = fields.Enum(PackageCategory, by_value=True, required=True)
    base_price = MoneyField(required=True)
    duration_days = whole(1, LONGEST_DAYS, required=True)
    duration_nights = whole(0, LONGEST_DAYS, required=True)
    min_travelers = whole(1, MOST_TRAVELERS, required=True)
    max_travelers = whole(1, MOST_TRAVELERS, required=True)
