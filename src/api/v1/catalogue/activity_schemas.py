"""Shapes of activities."""

from __future__ import annotations

from marshmallow import fields, validate

from api.fields import Localized, MoneyField, Percent, PercentRequest, Schema, Text
from api.v1.catalogue.schemas import ReviewedShown, whole
from api.v1.catalogue.search_schemas import FacetShown, FacetsShown, FoundPage, ItemFilterQuery, OrderQuery, duration_of
from domain.catalogue.activities import LOCATION_LENGTH, LONGEST_HOURS, ActivityCategory, Difficulty
from domain.catalogue.faults import DESCRIPTION_LENGTH, LAST_PLACE, MOST_TRAVELERS, NAME_LENGTH


class ActivityFilterQuery(ItemFilterQuery):
    """Which activities."""

    category = fields.String(
        load_default=None, validate=validate.OneOf([category.value for category in ActivityCategory])
    )
    difficulty = fields.String(load_default=None, validate=validate.OneOf([level.value for level in Difficulty]))
    destination = Text(most=LOCATION_LENGTH, load_default="", metadata={"description": "The activity's location."})
    duration_min = duration_of("least", "hours", LONGEST_HOURS)
    duration_max = duration_of("most", "hours", LONGEST_HOURS)


class ActivityQuery(ActivityFilterQuery, OrderQuery):
    """Which activities, and in which order."""


class ActivityShown(ReviewedShown):
    """An activity in a list."""

    id = fields.UUID()
    slug = fields.String()
    name = Localized()
    name_ar = fields.String()
    name_en = fields.String()
    description = Localized()
    description_ar = fields.String()
    description_en = fields.String()
    category = fields.String()
    difficulty_level = fields.String()
    price = MoneyField()
    tax_rate = Percent()
    tax_inclusive = fields.Boolean()
    duration_hours = fields.Integer()
    location = fields.String()
    min_participants = fields.Integer()
    max_participants = fields.Integer()
    featured_image = fields.String(allow_none=True, metadata={"description": "The address of its picture."})
    is_featured = fields.Boolean()
    display_order = fields.Integer()
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


class ActivitiesFoundPage(FoundPage):
    items = fields.List(fields.Nested(ActivityShown))


class ActivityFacetsShown(FacetsShown):
    difficulty = fields.List(fields.Nested(FacetShown))
    location = fields.List(fields.Nested(FacetShown))


class ActivityChanges(Schema):
    """What is left out stays as it is."""

    slug = Text(most=80, least=1)
    name_ar = Text(most=NAME_LENGTH)
    name_en = Text(most=NAME_LENGTH)
    description_ar = Text(most=DESCRIPTION_LENGTH, multiline=True)
    description_en = Text(most=DESCRIPTION_LENGTH, multiline=True)
    category = fields.Enum(ActivityCategory, by_value=True)
    difficulty_level = fields.Enum(Difficulty, by_value=True)
    price = MoneyField()
    tax_rate = PercentRequest(metadata={"type": "string", "examples": ["14.00"]})
    tax_inclusive = fields.Boolean()
    duration_hours = whole(1, LONGEST_HOURS)
    location = Text(most=LOCATION_LENGTH)
    min_participants = whole(1, MOST_TRAVELERS)
    max_participants = whole(1, MOST_TRAVELERS)
    is_featured = fields.Boolean()
    display_order = whole(0, LAST_PLACE)
    availability_start = fields.Date(allow_none=True)
    availability_end = fields.Date(allow_none=True)
    time_zone = Text(most=64, least=1, metadata={"examples": ["Africa/Cairo"]})
    cancellation_policy_id = fields.UUID(allow_none=True)


class ActivityRequest(ActivityChanges):
    """It begins with what its price is made of; names, descriptions and location before it is published."""

    category = fields.Enum(ActivityCategory, by_value=True, required=True)
    price = MoneyField(required=True)
    duration_hours = whole(1, LONGEST_HOURS, required=True)
    min_participants = whole(1, MOST_TRAVELERS, required=True)
    max_participants = whole(1, MOST_TRAVELERS, required=True)
