"""Manifests as they are shown."""

from __future__ import annotations

from marshmallow import fields, validate

from api.fields import Localized, Schema
from api.v1.sales.schemas import TravelerShown
from application.sales.manifests import LANGUAGES


class ManifestFileQuery(Schema):
    """`bom` marks the file as UTF-8 for spreadsheets that would take it for something else."""

    bom = fields.Boolean(load_default=False)


class PrintedManifestQuery(Schema):
    """In which language, the reader's otherwise."""

    lang = fields.String(load_default=None, validate=validate.OneOf(LANGUAGES))


class PartyShown(Schema):
    """`unnamed` travellers have no name yet."""

    booking_id = fields.UUID()
    booking_number = fields.String()
    status = fields.String()
    no_show = fields.Boolean()
    first_name = fields.String()
    last_name = fields.String()
    email = fields.String()
    phone = fields.String()
    special_requests = fields.String()
    travelers_count = fields.Integer()
    unnamed = fields.Integer()
    travelers = fields.List(fields.Nested(TravelerShown))


class ManifestTotalsShown(Schema):
    parties = fields.Integer()
    travelers = fields.Integer()
    unnamed = fields.Integer()
    capacity = fields.Integer()


class ManifestShown(Schema):
    """People of bookings that are confirmed, under way or over."""

    departure_id = fields.UUID()
    name_ar = fields.String()
    name_en = fields.String()
    name = Localized()
    status = fields.String()
    starts_on = fields.Date()
    ends_on = fields.Date()
    start_time = fields.String()
    time_zone = fields.String()
    parties = fields.List(fields.Nested(PartyShown))
    totals = fields.Nested(ManifestTotalsShown)
