"""Shapes of departures, pools and patterns."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import time
from typing import Any, Final

from marshmallow import ValidationError, fields, validate, validates_schema

from api.fields import Localized, Schema, Text
from api.pagination import MOST, PageQuery
from domain.catalogue.faults import NAME_LENGTH
from domain.catalogue.patterns import MOST_EXCEPTIONS, MOST_SERIES
from domain.catalogue.pools import MOST_SEATS
from domain.shared.clock import MIDNIGHT

_WALL_TIME = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")
_AS_WRITTEN: Final = {"pattern": r"^([01]\d|2[0-3]):[0-5]\d$", "examples": ["09:30"]}


class WallTime(fields.Field[time]):
    """What the clocks of a place show, to the minute: "09:30"."""

    def __init__(self, **options: Any) -> None:
        super().__init__(metadata={"type": "string", **_AS_WRITTEN}, **options)

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **rest: Any) -> time:
        if not isinstance(value, str) or not _WALL_TIME.fullmatch(value):
            raise ValidationError('A time of day is like "09:30".')
        return time.fromisoformat(value)


def capacity(**options: Any) -> fields.Integer:
    """A number of seats."""
    return fields.Integer(strict=True, validate=validate.Range(1, MOST_SEATS), **options)


class DepartureQuery(PageQuery):
    """Which page of an item's departures."""

    limit = fields.Integer(load_default=MOST, validate=validate.Range(1, MOST))


class DepartureShown(Schema):
    id = fields.UUID()
    package_id = fields.UUID(allow_none=True)
    activity_id = fields.UUID(allow_none=True)
    starts_on = fields.Date()
    start_time = fields.String(metadata=_AS_WRITTEN)
    time_zone = fields.String()
    starts_at = fields.DateTime()
    ends_on = fields.Date()
    capacity = fields.Integer()
    seats_left = fields.Integer()
    status = fields.String()


class DepartureRequest(Schema):
    starts_on = fields.Date(required=True)
    start_time = WallTime(load_default=MIDNIGHT)
    ends_on = fields.Date(load_default=None, allow_none=True)
    capacity = capacity(required=True)


class DepartureChanges(Schema):
    """What is left out stays as it is; with another date or hour, `ends_on` follows from how long the item lasts."""

    starts_on = fields.Date()
    start_time = WallTime()
    ends_on = fields.Date()
    capacity = capacity()


class PoolQuery(PageQuery):
    """Which pools."""

    on_date = fields.Date(load_default=None)


class PoolShown(Schema):
    id = fields.UUID()
    name = Localized()
    name_ar = fields.String()
    name_en = fields.String()
    capacity = fields.Integer()
    seats_left = fields.Integer()
    series_id = fields.UUID(allow_none=True)
    on_date = fields.Date(allow_none=True)
    created_at = fields.DateTime()


class PoolSeriesShown(Schema):
    id = fields.UUID()
    name = Localized()
    name_ar = fields.String()
    name_en = fields.String()
    capacity = fields.Integer()
    created_at = fields.DateTime()


class PoolRequest(Schema):
    name_ar = Text(most=NAME_LENGTH, least=1, required=True)
    name_en = Text(most=NAME_LENGTH, least=1, required=True)
    capacity = capacity(required=True)


class PoolChanges(Schema):
    """What is left out stays as it is."""

    name_ar = Text(most=NAME_LENGTH, least=1)
    name_en = Text(most=NAME_LENGTH, least=1)
    capacity = capacity()


class PatternQuery(PageQuery):
    """Whose patterns: of one item, where one is named."""

    package_id = fields.UUID(load_default=None)
    activity_id = fields.UUID(load_default=None)


class PatternShown(Schema):
    id = fields.UUID()
    package_id = fields.UUID(allow_none=True)
    activity_id = fields.UUID(allow_none=True)
    weekdays = fields.List(fields.Integer())
    first_on = fields.Date()
    last_on = fields.Date(allow_none=True)
    exceptions = fields.List(fields.Date())
    start_time = fields.String(metadata=_AS_WRITTEN)
    capacity = fields.Integer()
    series_ids = fields.List(fields.UUID())
    status = fields.String()
    created_at = fields.DateTime()


class TravelDatesShown(Schema):
    starts_on = fields.Date()
    ends_on = fields.Date()


def _weekdays(**options: Any) -> fields.List[int]:
    return fields.List(
        fields.Integer(strict=True, validate=validate.Range(1, 7)),
        validate=validate.Length(1, 7),
        metadata={"description": "1 is Monday, 7 is Sunday (ISO 8601).", "examples": [[5, 6]]},
        **options,
    )


def _exceptions(**options: Any) -> fields.List[Any]:
    return fields.List(fields.Date(), validate=validate.Length(max=MOST_EXCEPTIONS), **options)


def _series(**options: Any) -> fields.List[Any]:
    return fields.List(fields.UUID(), validate=validate.Length(max=MOST_SERIES), **options)


class PatternChanges(Schema):
    """What is left out stays as it is."""

    weekdays = _weekdays()
    first_on = fields.Date()
    last_on = fields.Date(allow_none=True)
    exceptions = _exceptions()
    start_time = WallTime()
    capacity = capacity()
    series_ids = _series()


class PatternRequest(Schema):
    """Of a package or of an activity. Each departure draws from the day's pool of every one of `series_ids`."""

    package_id = fields.UUID(load_default=None, allow_none=True)
    activity_id = fields.UUID(load_default=None, allow_none=True, metadata={"examples": [None]})
    weekdays = _weekdays(required=True)
    first_on = fields.Date(required=True)
    last_on = fields.Date(load_default=None, allow_none=True)
    exceptions = _exceptions(load_default=list)
    start_time = WallTime(load_default=MIDNIGHT)
    capacity = capacity(required=True)
    series_ids = _series(load_default=list)

    @validates_schema
    def refuse_two_items(self, body: Mapping[str, Any], **_: Any) -> None:
        """A pattern is of one item."""
        if (body.get("package_id") is None) == (body.get("activity_id") is None):
            raise ValidationError("A package or an activity, one of them.", field_name="package_id")
