"""Shapes of quotes and bookings."""

from marshmallow import fields, validate

from api.fields import Localized, MoneyField, Schema, Text
from api.pagination import ChangesQuery, sort_field
from domain.sales.agreed import BookingType
from domain.sales.bookings import BookingStatus
from domain.shared.money import EXPONENTS

MOST_TRAVELERS = 200
MOST_POINTS = 100_000_000


class TravelerRequest(Schema):
    first_name = Text(most=100, least=1, required=True)
    last_name = Text(most=100, least=1, required=True)
    birth_date = fields.Date(load_default=None, allow_none=True)
    document_number = Text(most=40, least=3, identifier=True, load_default=None, allow_none=True)
    document_expires_on = fields.Date(load_default=None, allow_none=True)


class BookingRequest(Schema):
    """What is wanted: a package or an activity on one of its departures."""

    booking_type = fields.Enum(BookingType, by_value=True, load_default=BookingType.PACKAGE)
    package_id = fields.UUID(load_default=None, allow_none=True)
    activity_id = fields.UUID(load_default=None, allow_none=True)
    departure_id = fields.UUID(load_default=None, allow_none=True)
    travelers_count = fields.Integer(required=True, strict=True, validate=validate.Range(1, MOST_TRAVELERS))
    travelers = fields.List(
        fields.Nested(TravelerRequest), load_default=list, validate=validate.Length(max=MOST_TRAVELERS)
    )
    voucher_code = Text(most=40, least=1, load_default=None, allow_none=True)
    points_to_redeem = fields.Integer(load_default=0, strict=True, validate=validate.Range(0, MOST_POINTS))
    currency = fields.String(load_default=None, allow_none=True, validate=validate.OneOf(sorted(EXPONENTS)))
    quote_token = Text(most=500, least=1, load_default=None, allow_none=True)
    special_requests = Text(most=2000, multiline=True, load_default="")
    user_id = fields.UUID(load_default=None)


class LineShown(Schema):
    kind = fields.String()
    description = Localized()
    quantity = fields.Integer()
    amount = MoneyField()


class ItemShown(Schema):
    id = fields.UUID()
    item_name = Localized()
    item_name_ar = fields.String()
    item_name_en = fields.String()
    quantity = fields.Integer()
    booking_type = fields.String()
    unit_price = MoneyField()
    price = MoneyField()
    discount = MoneyField()
    tax = MoneyField()
    fee = MoneyField()
    total_price = MoneyField()
    details = fields.Dict()
    notes = fields.String()


class NotAppliedShown(Schema):
    """Why an offer or the voucher gives nothing: `reason` is stable, `figures` are what it speaks of."""

    kind = fields.String()
    reason = fields.String()
    source_id = fields.UUID(allow_none=True)
    code = fields.String(allow_none=True)
    title = Localized()
    detail = Localized()
    figures = fields.Dict(keys=fields.String(), values=fields.String())


class QuoteShown(Schema):
    """`quote_token`, sent with a booking until `good_until`, places it at this price or not at all."""

    lines = fields.List(fields.Nested(LineShown))
    base_amount = MoneyField()
    discount_amount = MoneyField()
    voucher_discount = MoneyField()
    tax_amount = MoneyField()
    fee_amount = MoneyField()
    total = MoneyField()
    final_amount = MoneyField()
    points_redeemed = fields.Integer()
    not_applied = fields.List(fields.Nested(NotAppliedShown))
    seats_left = fields.Integer(allow_none=True)
    tier_code = fields.String()
    expected_points = fields.Integer()
    expected_cashback = MoneyField()
    quote_token = fields.String()
    good_until = fields.DateTime()


class BookingSummary(Schema):
    id = fields.UUID()
    booking_number = fields.String()
    user_id = fields.UUID()
    agent_id = fields.UUID(allow_none=True)
    booking_source = fields.String()
    booking_type = fields.String()
    package_id = fields.UUID(allow_none=True)
    activity_id = fields.UUID(allow_none=True)
    departure_id = fields.UUID(allow_none=True)
    booking_details = fields.Dict()
    status = fields.String()
    payment_status = fields.String()
    lines = fields.List(fields.Nested(LineShown), attribute="price_lines")
    base_amount = MoneyField()
    discount_amount = MoneyField()
    voucher_discount = MoneyField()
    tax_amount = MoneyField()
    fee_amount = MoneyField()
    final_amount = MoneyField()
    points_redeemed = fields.Integer()
    amount_due = MoneyField()
    hold_expires_at = fields.DateTime(allow_none=True)
    special_requests = fields.String()
    start_date = fields.Date()
    end_date = fields.Date()
    travelers_count = fields.Integer()
    cancellation_reason = fields.String(allow_none=True)
    cancelled_at = fields.DateTime(allow_none=True)
    created_at = fields.DateTime()
    updated_at = fields.DateTime()


class BookingShown(BookingSummary):
    """`replaces_booking_id` is the expired booking whose trip this is, because its money came late."""

    items = fields.List(fields.Nested(ItemShown))
    replaces_booking_id = fields.UUID(allow_none=True)
    replaced_by_booking_id = fields.UUID(allow_none=True)


class BookingSearch(ChangesQuery):
    status = fields.String(load_default=None, validate=validate.OneOf([status.value for status in BookingStatus]))
    departure_id = fields.UUID(load_default=None)
    sort = sort_field("-created_at", "created_at", "start_date", "-start_date")


class StatusChangeShown(Schema):
    from_status = fields.String(allow_none=True)
    to_status = fields.String()
    changed_by_user_id = fields.UUID(allow_none=True)
    change_reason = fields.String()
    changed_at = fields.DateTime()


class AdvanceRequest(Schema):
    override_reason = Text(most=500, load_default=None, allow_none=True)
