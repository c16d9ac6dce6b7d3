"""Which bookings are listed, exported and counted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from marshmallow import ValidationError, fields, post_load, validate, validates_schema
from webargs.fields import DelimitedList

from api.fields import Schema, Text
from api.pagination import ChangesQuery, sort_field
from application.sales.ports import BookingSearch
from domain.sales.agreed import BookingSource, BookingType
from domain.sales.booking_states import BookingPaymentStatus, BookingStatus
from domain.shared.errors import InvalidValue
from domain.shared.money import EXPONENTS, Money

_AMOUNTS: Final = ("min_amount", "max_amount")
_PAGE: Final = ("limit", "cursor", "sort", "updated_after", "bom")


def _several(names: Any) -> DelimitedList:
    """One or several of these, with commas between them."""
    one = fields.String(validate=validate.OneOf([name.value for name in names]))
    return DelimitedList(one, load_default=(), validate=validate.Length(1, len(names)))


class BookingFilterQuery(Schema):
    """What bookings have to fit; `created_to` is not included, other ends of ranges are."""

    status = _several(BookingStatus)
    payment_status = _several(BookingPaymentStatus)
    booking_type = _several(BookingType)
    booking_source = _several(BookingSource)
    package_id = fields.UUID(load_default=None)
    activity_id = fields.UUID(load_default=None)
    departure_id = fields.UUID(load_default=None)
    user_id = fields.UUID(load_default=None)
    agent_id = fields.UUID(load_default=None)
    q = Text(
        most=100,
        least=2,
        load_default="",
        metadata={
            "description": "Words that the booking's number, or a name, e-mail address or telephone number of its "
            "customer begins with; Arabic letters that are written in several ways are one.",
            "examples": ["أحمد 0100"],
        },
    )
    created_from = fields.AwareDateTime(format="iso", load_default=None)
    created_to = fields.AwareDateTime(format="iso", load_default=None)
    starts_from = fields.Date(load_default=None)
    starts_to = fields.Date(load_default=None)
    currency = fields.String(load_default=None, validate=validate.OneOf(sorted(EXPONENTS)))
    min_amount = fields.String(load_default=None, metadata={"description": "Of the price; needs `currency`."})
    max_amount = fields.String(load_default=None, metadata={"description": "Of the price; needs `currency`."})
    has_balance_due = fields.Boolean(load_default=None)
    archived = fields.Boolean(
        load_default=False,
        metadata={"description": "With bookings that were over long ago; a walk of changes has them anyway."},
    )

    @validates_schema
    def refuse_empty_ranges(self, query: Mapping[str, Any], **_: Any) -> None:
        """A range that nothing can lie in is a mistake, not a search."""
        begins, ends = query.get("created_from"), query.get("created_to")
        if begins is not None and ends is not None and ends <= begins:
            raise ValidationError("The range ends before it begins.", field_name="created_to")
        first, last = query.get("starts_from"), query.get("starts_to")
        if first is not None and last is not None and last < first:
            raise ValidationError("The range ends before it begins.", field_name="starts_to")

    @post_load
    def read_amounts(self, query: dict[str, Any], **_: Any) -> dict[str, Any]:
        """Amounts in minor units of the currency that was named."""
        read = {name: _minor(query, name) for name in _AMOUNTS if query[name] is not None}
        if len(read) == len(_AMOUNTS) and read["max_amount"] < read["min_amount"]:
            raise ValidationError("The range ends before it begins.", field_name="max_amount")
        return {**query, **read}


def _minor(query: Mapping[str, Any], name: str) -> int:
    if query["currency"] is None:
        raise ValidationError("Amounts are looked for in one currency.", field_name="currency")
    try:
        amount = Money.parse(query[name], query["currency"])
    except InvalidValue as error:
        raise ValidationError(error.faults[0].detail, field_name=name) from error
    if amount.minor < 0:
        raise ValidationError("Prices are never below zero.", field_name=name)
    return amount.minor


class BookingQuery(BookingFilterQuery, ChangesQuery):
    """Which page of which bookings."""

    sort = sort_field("-created_at", "created_at", "start_date", "-start_date", "booking_number", "-booking_number")


class BookingExportQuery(BookingFilterQuery):
    """Which bookings; `bom` marks the file as UTF-8 for spreadsheets that would take it for something else."""

    bom = fields.Boolean(load_default=False)


def search_of(query: Mapping[str, Any]) -> BookingSearch:
    """What a query looks for."""
    return BookingSearch(**{name: value for name, value in query.items() if name not in _PAGE})


class StatusCountShown(Schema):
    """How many; with `is_more` at least so many."""

    status = fields.String()
    count = fields.Integer()
    is_more = fields.Boolean()


class BookingCountsShown(Schema):
    by_status = fields.List(fields.Nested(StatusCountShown))
