"""Shapes of packages, and of what searching for items has in common."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from marshmallow import ValidationError, fields, validate, validates_schema

from api.fields import Localized, MoneyField, Percent, PercentRequest, Schema, Text
from api.pagination import ChangesQuery, sort_field
from api.v1.sales.cancellation_schemas import PolicyOfItem
from application.catalogue.queries import SORTS
from domain.catalogue.faults import DESCRIPTION_LENGTH, LAST_PLACE, MOST_TRAVELERS, NAME_LENGTH
from domain.catalogue.packages import (
    LINE_LENGTH,
    LONGEST_DAYS,
    MOST_DESTINATIONS,
    MOST_LINES,
    MOST_STEPS,
    PackageCategory,
)

CATEGORIES = [category.value for category in PackageCategory]
_PRICE = re.compile(r"([0-9]{1,12})(?:\.([0-9]{1,3}))?")


class Price(fields.Field[int]):
    """A decimal number such as "1499.00" in whatever currency an item has; thousandths of it inside."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **rest: Any) -> int:
        match = _PRICE.fullmatch(value) if isinstance(value, str) else None
        if match is None:
            raise ValidationError('A price is a decimal number such as "1499.00".')
        return int(match.group(1)) * 1000 + int((match.group(2) or "").ljust(3, "0"))


def price_of(name: str, **options: Any) -> Price:
    """A price of a search, as the specification tells it."""
    metadata = {
        "type": "string",
        "pattern": r"^\d{1,12}(\.\d{1,3})?$",
        "examples": ["1499.00"],
        "description": f"The {name} price for one person, compared with the number of each item's price "
        "in the item's own currency (EGP for most); no exchange rate is applied.",
    }
    return Price(load_default=None, metadata=metadata, **options)


class ItemQuery(ChangesQuery):
    """Which of the catalogue's items, and in which order."""

    q = Text(
        most=200,
        load_default="",
        metadata={"description": "Words in Arabic or English; every one of them has to occur, in any order."},
    )
    min_price = price_of("lowest")
    max_price = price_of("highest")
    starts_from = fields.Date(
        data_key="from",
        load_default=None,
        metadata={"description": "Has an open departure with seats left that starts on this day or later."},
    )
    starts_to = fields.Date(
        data_key="to",
        load_default=None,
        metadata={"description": "Has an open departure with seats left that starts on this day or earlier."},
    )
    featured = fields.Boolean(load_default=None)
    sort = sort_field(*SORTS, default="featured")

    @validates_schema
    def refuse_empty_ranges(self, query: Mapping[str, Any], **_: Any) -> None:
        """A range that nothing can lie in is a mistake, not a search."""
        for first, last, name in (("starts_from", "starts_to", "to"), ("min_price", "max_price", "max_price")):
            low, high = query.get(first), query.get(last)
            if low is not None and high is not None and high < low:
                raise ValidationError("The range ends before it begins.", field_name=name)


class PackageQuery(ItemQuery):
    """Which packages, and in which order."""

    category = fields.String(load_default=None, validate=validate.OneOf(CATEGORIES))
    destination = Text(most=100, load_default="", metadata={"description": "One of a package's destinations."})


class StepShown(Schema):
    day = fields.Integer()
    title = Localized()
    title_ar = fields.String()
    title_en = fields.String()
    description = Localized()
    description_ar = fields.String()
    description_en = fields.String()


class PackageShown(Schema):
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
    is_featured = fields.Boolean()
    display_order = fields.Integer()
    status = fields.String()
    availability_start = fields.Date(allow_none=True)
    availability_end = fields.Date(allow_none=True)
    time_zone = fields.String()
    next_departure = fields.Date(allow_none=True)
    cancellation_policy_id = fields.UUID(allow_none=True)
    cancellation = fields.Nested(PolicyOfItem, allow_none=True)
    created_at = fields.DateTime()
    updated_at = fields.DateTime()


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
    is_featured = fields.Boolean()
    display_order = whole(0, LAST_PLACE)
    availability_start = fields.Date(allow_none=True)
    availability_end = fields.Date(allow_none=True)
    time_zone = Text(most=64, least=1, metadata={"examples": ["Africa/Cairo"]})
    cancellation_policy_id = fields.UUID(allow_none=True)


class PackageRequest(PackageChanges):
    """A package begins with what its price is made of; names, descriptions and destinations before it is published."""

    category = fields.Enum(PackageCategory, by_value=True, required=True)
    base_price = MoneyField(required=True)
    duration_days = whole(1, LONGEST_DAYS, required=True)
    duration_nights = whole(0, LONGEST_DAYS, required=True)
    min_travelers = whole(1, MOST_TRAVELERS, required=True)
    max_travelers = whole(1, MOST_TRAVELERS, required=True)
