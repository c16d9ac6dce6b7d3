"""Shapes of searches in the catalogue: filters, orders, corrections, facets."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from marshmallow import ValidationError, fields, validate, validates_schema

from api.fields import Schema, Text
from api.pagination import ChangesQuery
from api.v1.catalogue.schemas import PackageSummary
from domain.catalogue.faults import MOST_TRAVELERS
from domain.catalogue.package_details import LONGEST_DAYS, PackageCategory
from domain.catalogue.ratings import MOST_STARS
from domain.shared.money import EXPONENTS

_PRICE = re.compile(r"([0-9]{1,12})(?:\.([0-9]{1,3}))?")
_RANGES: Final = (
    ("starts_from", "starts_to", "to"),
    ("min_price", "max_price", "max_price"),
    ("duration_min", "duration_max", "duration_max"),
)


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


class ItemFilterQuery(Schema):
    """Which of the catalogue's items."""

    q = Text(
        most=200,
        load_default="",
        metadata={
            "description": "Words in Arabic or English; every one of them has to occur, in any order and spelling. "
            "Words that nothing holds are corrected where something is near, and the answer says so."
        },
    )
    currency = fields.String(
        load_default=None,
        validate=validate.OneOf(sorted(EXPONENTS)),
        metadata={"description": "The currency that its price is in."},
    )
    min_price = price_of("lowest")
    max_price = price_of("highest")
    min_rating = fields.Integer(
        load_default=None,
        validate=validate.Range(1, MOST_STARS),
        metadata={"description": "Customers gave it as many stars on average, or more."},
    )
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


_SORTS: Final = (
    "relevance", "featured", "price", "-price", "newest", "name", "duration", "-duration", "departure", "popular",
    "rating",
)  # fmt: skip


class OrderQuery(ChangesQuery):
    """In which order, and which page."""

    sort = fields.String(
        load_default=None,
        validate=validate.OneOf(_SORTS),
        metadata={
            "description": "Where it is left out: `relevance` with `q`, else `featured`. `name` is the one in the "
            "language that is read; `departure`, the soonest first, shows only what can be booked; `popular` "
            "is what was booked most, then looked at most; `rating` the best average, then by more customers. "
            "Not together with `updated_after`."
        },
    )


def duration_of(bound: str, unit: str, most: int) -> fields.Integer:
    """A bound of how long something takes."""
    metadata = {"description": f"It takes at {bound} so many {unit}."}
    return fields.Integer(load_default=None, validate=validate.Range(1, most), metadata=metadata)


class PackageFilterQuery(ItemFilterQuery):
    """Which packages."""

    category = fields.String(
        load_default=None, validate=validate.OneOf([category.value for category in PackageCategory])
    )
    destination = Text(most=100, load_default="", metadata={"description": "One of a package's destinations."})
    duration_min = duration_of("least", "days", LONGEST_DAYS)
    duration_max = duration_of("most", "days", LONGEST_DAYS)


class PackageQuery(PackageFilterQuery, OrderQuery):
    """Which packages, and in which order."""


class CorrectionShown(Schema):
    """A word of `q` that nothing holds, as it was typed, and the words that were searched for in its place."""

    typed = fields.String()
    searched = fields.List(fields.String())


class FoundPage(Schema):
    """A page of what a search found, and what of the search was corrected."""

    next_cursor = fields.String(allow_none=True)
    corrected = fields.List(fields.Nested(CorrectionShown))


class PackagesFoundPage(FoundPage):
    items = fields.List(fields.Nested(PackageSummary))


class FacetShown(Schema):
    """Filters to send instead of those that the facet has now, and how many are left then."""

    filters = fields.Dict(keys=fields.String())
    count = fields.Integer()


class FacetsShown(Schema):
    """How what a search finds spreads; each facet is counted under all filters but its own."""

    total = fields.Integer()
    is_exact = fields.Boolean()
    category = fields.List(fields.Nested(FacetShown))
    currency = fields.List(fields.Nested(FacetShown))
    price = fields.List(fields.Nested(FacetShown))
    duration = fields.List(fields.Nested(FacetShown))
    rating = fields.List(fields.Nested(FacetShown))
    corrected = fields.List(fields.Nested(CorrectionShown))


class PackageFacetsShown(FacetsShown):
    destination = fields.List(fields.Nested(FacetShown))
