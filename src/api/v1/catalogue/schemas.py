"""Shapes of packages and departures."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from marshmallow import ValidationError, fields, validate, validates_schema

from api.fields import Localized, MoneyField, Percent, Schema, Text
from api.pagination import MOST, ChangesQuery, PageQuery
from domain.catalogue.packages import (
    DESCRIPTION_LENGTH,
    LAST_PLACE,
    LINE_LENGTH,
    LONGEST_DAYS,
    MOST_DESTINATIONS,
    MOST_LINES,
    MOST_STEPS,
    MOST_TRAVELERS,
    NAME_LENGTH,
    PackageCategory,
)
from domain.shared.errors import InvalidValue
from domain.shared.money import EXPONENTS
from domain.shared.percentage import Percentage

CATEGORIES = [category.value for category in PackageCategory]
_PRICE = re.compile(r"([0-9]{1,12})(?:\.([0-9]{1,3}))?")


class Price(fields.Field[int]):
    """A decimal number such as "1499.00" in whatever currency a package has; thousandths of it inside."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **rest: Any) -> int:
        match = _PRICE.fullmatch(value) if isinstance(value, str) else None
        if match is None:
            raise ValidationError('A price is a decimal number such as "1499.00".')
        return int(match.group(1)) * 1000 + int((match.group(2) or "").ljust(3, "0"))


class PercentRequest(fields.Field[Percentage]):
    """A percentage as a decimal string, "14.00"."""

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **rest: Any) -> Percentage:
        if not isinstance(value, str):
            raise ValidationError('A percentage is a string such as "14.00".')
        try:
            return Percentage.parse(value)
        except InvalidValue as error:
            raise ValidationError(error.faults[0].detail) from error


def price_of(name: str, **options: Any) -> Price:
    """A price of a search, as the specification tells it."""
    metadata = {
        "type": "string",
        "pattern": r"^\d{1,12}(\.\d{1,3})?$",
        "examples": ["1499.00"],
        "description": f"The {name} price for one traveller, compared with the number of each package's price "
        "in the package's own currency (EGP for most); no exchange rate is applied.",
    }
    return Price(load_default=None, metadata=metadata, **options)


SORTS = ("relevance", "featured", "price", "-price", "newest", "name", "duration", "-duration", "departure")
_RANGES = (
    ("starts_from", "starts_to", "to"),
    ("min_price", "max_price", "max_price"),
    ("duration_min", "duration_max", "duration_max"),
)


def _days(bound: str) -> fields.Integer:
    metadata = {"description": f"The trip takes at {bound} so many days."}
    return fields.Integer(load_default=None, validate=validate.Range(1, LONGEST_DAYS), metadata=metadata)


class PackageFilterQuery(Schema):
    """Which packages."""

    q = Text(
        most=200,
        load_default="",
        metadata={
            "description": "Words in Arabic or English; every one of them has to occur, in any order and spelling. "
            "Words that nothing holds are corrected where something is near, and the answer says so."
        },
    )
    category = fields.String(load_default=None, validate=validate.OneOf(CATEGORIES))
    destination = Text(most=100, load_default="", metadata={"description": "One of a package's destinations."})
    currency = fields.String(
        load_default=None,
        validate=validate.OneOf(sorted(EXPONENTS)),
        metadata={"description": "The currency that its price is in."},
    )
    min_price = price_of("lowest")
    max_price = price_of("highest")
    duration_min = _days("least")
    duration_max = _days("most")
    travelers = fields.Integer(
        load_default=None,
        validate=validate.Range(1, MOST_TRAVELERS),
        metadata={"description": "Takes a party of this size; with `from` or `to`, has as many seats left then."},
    )
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

    @validates_schema
    def refuse_empty_ranges(self, query: Mapping[str, Any], **_: Any) -> None:
        """A range that nothing can lie in is a mistake, not a search."""
        for first, last, name in _RANGES:
            low, high = query.get(first), query.get(last)
            if low is not None and high is not None and high < low:
                raise ValidationError("The range ends before it begins.", field_name=name)


class PackageQuery(PackageFilterQuery, ChangesQuery):
    """Which packages, and in which order."""

    sort = fields.String(
        load_default=None,
        validate=validate.OneOf(SORTS),
        metadata={
            "description": "Where it is left out: `relevance` with `q`, else `featured`. `name` is the one in the "
            "language that is read; `departure`, the soonest first, shows only what can be booked. "
            "Not together with `updated_after`."
        },
    )


class DepartureQuery(PageQuery):
    """Which page of a package's departures."""

    limit = fields.Integer(load_default=MOST, validate=validate.Range(1, MOST))


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
    next_departure = fields.Date(allow_none=True)
    created_at = fields.DateTime()
    updated_at = fields.DateTime()


class CorrectionShown(Schema):
    """A word of `q` that nothing holds, as it was typed, and the words that were searched for in its place."""

    typed = fields.String()
    searched = fields.List(fields.String())


class PackagesFoundPage(Schema):
    """A page of packages, and what of the search was corrected."""

    items = fields.List(fields.Nested(PackageShown))
    next_cursor = fields.String(allow_none=True)
    corrected = fields.List(fields.Nested(CorrectionShown))


class FacetShown(Schema):
    """Filters to send instead of those that the facet has now, and how many packages are left then."""

    filters = fields.Dict(keys=fields.String())
    count = fields.Integer()


class PackageFacetsShown(Schema):
    """How the packages of a search spread; each facet is counted under all filters but its own."""

    total = fields.Integer()
    is_exact = fields.Boolean()
    category = fields.List(fields.Nested(FacetShown))
    currency = fields.List(fields.Nested(FacetShown))
    destination = fields.List(fields.Nested(FacetShown))
    price = fields.List(fields.Nested(FacetShown))
    duration = fields.List(fields.Nested(FacetShown))
    corrected = fields.List(fields.Nested(CorrectionShown))


class DepartureShown(Schema):
    id = fields.UUID()
    package_id = fields.UUID()
    starts_on = fields.Date()
    ends_on = fields.Date()
    capacity = fields.Integer()
    seats_left = fields.Integer()
    status = fields.String()


class StepRequest(Schema):
    day = fields.Integer(required=True, strict=True, validate=validate.Range(1, LONGEST_DAYS))
    title_ar = Text(most=NAME_LENGTH, load_default="")
    title_en = Text(most=NAME_LENGTH, load_default="")
    description_ar = Text(most=2000, multiline=True, load_default="")
    description_en = Text(most=2000, multiline=True, load_default="")


def _whole(least: int, most: int, **options: Any) -> fields.Integer:
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
    duration_days = _whole(1, LONGEST_DAYS)
    duration_nights = _whole(0, LONGEST_DAYS)
    min_travelers = _whole(1, MOST_TRAVELERS)
    max_travelers = _whole(1, MOST_TRAVELERS)
    destinations = _lines(MOST_DESTINATIONS, 100)
    inclusions_ar = _lines(MOST_LINES)
    inclusions_en = _lines(MOST_LINES)
    exclusions_ar = _lines(MOST_LINES)
    exclusions_en = _lines(MOST_LINES)
    itinerary = fields.List(fields.Nested(StepRequest), validate=validate.Length(max=MOST_STEPS))
    is_featured = fields.Boolean()
    display_order = _whole(0, LAST_PLACE)
    availability_start = fields.Date(allow_none=True)
    availability_end = fields.Date(allow_none=True)


class PackageRequest(PackageChanges):
    """A package begins with what its price is made of; names, descriptions and destinations before it is published."""

    category = fields.Enum(PackageCategory, by_value=True, required=True)
    base_price = MoneyField(required=True)
    duration_days = _whole(1, LONGEST_DAYS, required=True)
    duration_nights = _whole(0, LONGEST_DAYS, required=True)
    min_travelers = _whole(1, MOST_TRAVELERS, required=True)
    max_travelers = _whole(1, MOST_TRAVELERS, required=True)


class DepartureRequest(Schema):
    starts_on = fields.Date(required=True)
    ends_on = fields.Date(load_default=None, allow_none=True)
    capacity = _whole(1, 10_000, required=True)
