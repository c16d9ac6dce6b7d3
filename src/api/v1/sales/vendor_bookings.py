"""Bookings of one's own packages and activities, for vendors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Response
from marshmallow import ValidationError, fields, validate, validates_schema
from webargs.fields import DelimitedList

from api.answers import answer_page
from api.blueprint import Blueprint
from api.context import use, viewer
from api.fields import Localized, MoneyField, Schema
from api.pagination import PageQuery, after_in, by_order, sort_field, split_page
from api.specification import page_of
from api.views import MethodView
from application.queries import NEWEST
from application.sales.ports import BookingSearch
from domain.sales.booking_states import BookingItemStatus, BookingStatus
from middlewares.auth_middleware import token_required

blueprint = Blueprint("vendor_bookings", __name__, description="Vendors' bookings")

_PAGE = ("limit", "cursor", "sort")


class VendorsBookingQuery(PageQuery):
    """Which page of which bookings; both days are included."""

    status = DelimitedList(
        fields.String(validate=validate.OneOf([status.value for status in BookingStatus])),
        load_default=(),
        validate=validate.Length(1, len(BookingStatus)),
    )
    package_id = fields.UUID(load_default=None)
    activity_id = fields.UUID(load_default=None)
    departure_id = fields.UUID(load_default=None)
    starts_from = fields.Date(load_default=None)
    starts_to = fields.Date(load_default=None)
    archived = fields.Boolean(load_default=False)
    sort = sort_field("-created_at", "created_at", "start_date", "-start_date")

    @validates_schema
    def refuse_empty_ranges(self, query: Mapping[str, Any], **_: Any) -> None:
        """A range that nothing can lie in is a mistake, not a search."""
        first, last = query.get("starts_from"), query.get("starts_to")
        if first is not None and last is not None and last < first:
            raise ValidationError("The range ends before it begins.", field_name="starts_to")


class VendorsItemShown(Schema):
    id = fields.UUID()
    status = fields.String(validate=validate.OneOf(list(BookingItemStatus)))
    item_name = Localized()
    item_name_ar = fields.String()
    item_name_en = fields.String()
    quantity = fields.Integer()


class VendorsBookingShown(Schema):
    """A booking as the vendor of its items sees it: who is coming by first name, and how many."""

    id = fields.UUID()
    booking_number = fields.String()
    status = fields.String()
    booking_type = fields.String()
    package_id = fields.UUID(allow_none=True)
    activity_id = fields.UUID(allow_none=True)
    departure_id = fields.UUID(allow_none=True)
    start_date = fields.Date()
    end_date = fields.Date()
    time_zone = fields.String()
    travelers_count = fields.Integer()
    customer_first_name = fields.String(allow_none=True)
    no_show = fields.Boolean()
    items = fields.List(fields.Nested(VendorsItemShown))
    your_share = MoneyField(metadata={"description": "What it will earn, and once it is completed, what it earned."})
    created_at = fields.DateTime()
    updated_at = fields.DateTime()


@blueprint.route("/vendors/me/bookings")
class VendorsBookings(MethodView):
    @token_required
    @blueprint.arguments(VendorsBookingQuery, location="query")
    @blueprint.response(200, page_of(VendorsBookingShown))
    def get(self, query: dict[str, Any]) -> Response:
        """Bookings of what one sells here as a vendor, newest first; nothing of anybody else's."""
        order = query["sort"] or NEWEST
        rows = use().queries.vendors.bookings(
            viewer().user_id,
            search=BookingSearch(**{name: value for name, value in query.items() if name not in _PAGE}),
            limit=query["limit"],
            after=after_in(query["cursor"], order),
            order=order,
        )
        return answer_page(VendorsBookingShown, *split_page(rows, query["limit"], by_order(order)))
