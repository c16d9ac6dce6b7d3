"""Shapes of age bands, seasons, and prices by the day."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

from marshmallow import ValidationError, fields, validate, validates_schema

from api.fields import Localized, MoneyField, PercentRequest, Schema, Text
from api.v1.catalogue.activity_schemas import ActivityShown
from api.v1.catalogue.schemas import ImageShown, PackageShown, revenue
from domain.pricing.age_bands import BAND_NAME_LENGTH, MOST_BANDS, OLDEST
from domain.pricing.seasons import HIGHEST_PRIORITY, MOST_SEASONS, SEASON_NAME_LENGTH, Adjustment

MOST_DAYS: Final = 400
_PERCENTAGE: Final[dict[str, Any]] = {"type": "string", "examples": ["50.00"]}
_CHILDREN: Final = {
    "code": "CHILD", "name_ar": "طفل", "name_en": "Child", "min_age": 0, "max_age": 11, "percentage": "50.00"
}  # fmt: skip
_ADULTS: Final = {"code": "ADULT", "name_ar": "بالغ", "name_en": "Adult", "min_age": 12, "percentage": "100.00"}
_SUMMER: Final = {
    "name_ar": "صيف", "name_en": "Summer", "first_on": "2027-07-01", "last_on": "2027-08-31",
    "adjustment": "PERCENTAGE_UP", "percentage": "12.50",
}  # fmt: skip


class BandShown(Schema):
    code = fields.String()
    name = Localized()
    name_ar = fields.String()
    name_en = fields.String()
    min_age = fields.Integer()
    max_age = fields.Integer(allow_none=True)
    percentage = fields.String(allow_none=True)
    price = MoneyField(allow_none=True)
    takes_a_seat = fields.Boolean()


class SeasonShown(Schema):
    name = Localized()
    name_ar = fields.String()
    name_en = fields.String()
    first_on = fields.Date()
    last_on = fields.Date()
    weekdays = fields.List(fields.Integer())
    adjustment = fields.String()
    percentage = fields.String(allow_none=True)
    price = MoneyField(allow_none=True)
    priority = fields.Integer()


class PricedPackageShown(PackageShown):
    """A package alone, with what its price depends on."""

    age_bands = fields.List(fields.Nested(BandShown))
    seasons = fields.List(fields.Nested(SeasonShown))


class PricedActivityShown(ActivityShown):
    """An activity alone, with what its price depends on."""

    images = fields.List(fields.Nested(ImageShown))
    total_revenue = revenue()
    age_bands = fields.List(fields.Nested(BandShown))
    seasons = fields.List(fields.Nested(SeasonShown))


class DayPriceShown(Schema):
    """What one adult pays for a trip that starts on a day; without season names where none holds."""

    date = fields.Date()
    price = MoneyField()
    list_price = MoneyField()
    season = Localized()
    season_ar = fields.String()
    season_en = fields.String()


class DaysQuery(Schema):
    """Which days, both inclusive."""

    first_on = fields.Date(data_key="from", required=True)
    last_on = fields.Date(data_key="to", required=True)

    @validates_schema
    def refuse_unbounded(self, query: Mapping[str, Any], **_: Any) -> None:
        """A calendar has a first and a last day, and not too many between them."""
        first, last = query.get("first_on"), query.get("last_on")
        if first is None or last is None:
            return
        if last < first:
            raise ValidationError("The range ends before it begins.", field_name="to")
        if last - first >= timedelta(days=MOST_DAYS):
            raise ValidationError(f"At most {MOST_DAYS} days.", field_name="to")


class BandRequest(Schema):
    """A share of an adult's price, or an amount of its own."""

    code = fields.String(
        required=True, validate=validate.Regexp(r"[A-Z][A-Z0-9_]{0,19}\Z"), metadata={"examples": ["CHILD"]}
    )
    name_ar = Text(most=BAND_NAME_LENGTH, least=1, required=True)
    name_en = Text(most=BAND_NAME_LENGTH, least=1, required=True)
    min_age = fields.Integer(required=True, strict=True, validate=validate.Range(0, OLDEST))
    max_age = fields.Integer(load_default=None, allow_none=True, strict=True, validate=validate.Range(0, OLDEST))
    percentage = PercentRequest(load_default=None, allow_none=True, metadata=_PERCENTAGE)
    price = MoneyField(load_default=None, allow_none=True)
    takes_a_seat = fields.Boolean(load_default=True)

    @validates_schema
    def refuse_two_prices(self, band: Mapping[str, Any], **_: Any) -> None:
        """A band's price is one thing."""
        if (band.get("percentage") is None) == (band.get("price") is None):
            raise ValidationError("Either a percentage or a price.", field_name="percentage")


class AgeBandsRequest(Schema):
    """All the bands there will be; none: everybody pays the same."""

    age_bands = fields.List(
        fields.Nested(BandRequest),
        required=True,
        validate=validate.Length(max=MOST_BANDS),
        metadata={"examples": [[_CHILDREN, _ADULTS]]},
    )


class SeasonRequest(Schema):
    """Days, and what changes on them."""

    name_ar = Text(most=SEASON_NAME_LENGTH, least=1, required=True)
    name_en = Text(most=SEASON_NAME_LENGTH, least=1, required=True)
    first_on = fields.Date(required=True)
    last_on = fields.Date(required=True)
    weekdays = fields.List(
        fields.Integer(strict=True, validate=validate.Range(1, 7)),
        load_default=list,
        validate=validate.Length(max=7),
        metadata={"description": "ISO 8601: Monday is 1. None of them: all seven."},
    )
    adjustment = fields.Enum(Adjustment, by_value=True, required=True)
    percentage = PercentRequest(load_default=None, allow_none=True, metadata=_PERCENTAGE)
    price = MoneyField(load_default=None, allow_none=True)
    priority = fields.Integer(load_default=0, strict=True, validate=validate.Range(0, HIGHEST_PRIORITY))

    @validates_schema
    def refuse_other_amounts(self, season: Mapping[str, Any], **_: Any) -> None:
        """A percentage for what goes up or down by one, a price where that is fixed."""
        is_fixed = season.get("adjustment") is Adjustment.FIXED_PRICE
        wanted, other = ("price", "percentage") if is_fixed else ("percentage", "price")
        if season.get(wanted) is None or season.get(other) is not None:
            raise ValidationError(f"This adjustment has a {wanted}, alone.", field_name=wanted)


class SeasonsRequest(Schema):
    """All the seasons there will be."""

    seasons = fields.List(
        fields.Nested(SeasonRequest),
        required=True,
        validate=validate.Length(max=MOST_SEASONS),
        metadata={"examples": [[_SUMMER]]},
    )
