"""Shapes of quotes and bookings."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from marshmallow import ValidationError, fields, validate

from api.fields import Instant, Localized, MoneyField, PercentRequest, Schema, Text
from api.v1.sales.cancellation_schemas import TermsOfBooking
from domain.pricing.hand_priced import MOST_ITEMS, MOST_OF_ONE, UNTAXED
from domain.sales.agreed import BookingType
from domain.sales.booking_states import BookingItemStatus
from domain.sales.instalments import PaymentPlan
from domain.shared.email import Email
from domain.shared.errors import InvalidValue
from domain.shared.money import EXPONENTS
from domain.shared.phone import Phone

MOST_TRAVELERS = 200
MOST_POINTS = 100_000_000

_PLAN = {
    "description": "All at once; a deposit and the rest; or a deposit and `instalments` monthly parts. Left out, it is"
    " the company's deposit where the trip is far enough for it, else all at once."
}
_POLICY = {"description": "Whose terms this price freezes; left out, the company's default. Beside `items` alone."}
_DATES = {"description": "Of a trip that is asked for; of the catalogue's, the departure's own or left out."}
_PARTS = {"description": "Into how many parts the rest is split, of INSTALMENTS alone."}


class TravelerRequest(Schema):
    first_name = Text(most=100, least=1, required=True)
    last_name = Text(most=100, least=1, required=True)
    birth_date = fields.Date(load_default=None, allow_none=True)
    document_number = Text(most=40, least=3, identifier=True, load_default=None, allow_none=True)
    document_expires_on = fields.Date(load_default=None, allow_none=True)


class _Spelled(Text):
    """Text that a value of the domain reads, and gives its one spelling."""

    def __init__(self, spell: Callable[[str], object], **options: Any) -> None:
        super().__init__(identifier=True, **options)
        self._spell = spell

    def _deserialize(self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **rest: Any) -> str:
        text = super()._deserialize(value, attr, data, **rest)
        try:
            return str(self._spell(text))
        except InvalidValue as error:
            fault = error.faults[0]
            raise ValidationError([(fault.code, fault.detail)]) from error


class CustomerInfoRequest(Schema):
    """What this trip's customer goes by instead of their profile; what is left out is the profile's."""

    first_name = Text(most=100, least=1)
    last_name = Text(most=100, least=1)
    email = _Spelled(Email, most=254, least=3, metadata={"examples": ["mona@example.com"]})
    phone = _Spelled(Phone, most=20, least=3, metadata={"examples": ["+201001234567"]})


class OfferedItemRequest(Schema):
    """One thing at its price; of the booking's own type unless it says otherwise."""

    booking_type = fields.Enum(BookingType, by_value=True, load_default=None, allow_none=True)
    name_ar = Text(most=200, least=1, required=True)
    name_en = Text(most=200, least=1, required=True)
    quantity = fields.Integer(required=True, strict=True, validate=validate.Range(1, MOST_OF_ONE))
    unit_price = MoneyField(required=True)
    tax_rate = PercentRequest(load_default=UNTAXED, metadata={"type": "string", "examples": ["14.00"]})
    tax_inclusive = fields.Boolean(load_default=True)
    details = fields.Dict(load_default=dict)
    notes = Text(most=500, multiline=True, load_default="")


def offered_items(**options: Any) -> fields.List[Any]:
    """A price that is made by hand."""
    return fields.List(fields.Nested(OfferedItemRequest), validate=validate.Length(1, MOST_ITEMS), **options)


class BookingRequest(Schema):
    """What is wanted: a package or an activity on one of its departures, or a trip of another type for its dates.

    `items` are prices: staff and agents alone give them.
    """

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
    payment_plan = fields.Enum(PaymentPlan, by_value=True, load_default=None, allow_none=True, metadata=_PLAN)
    instalments = fields.Integer(
        load_default=None, allow_none=True, strict=True, validate=validate.Range(2, 12), metadata=_PARTS
    )
    special_requests = Text(most=2000, multiline=True, load_default="")
    waiting_list_entry_id = fields.UUID(load_default=None, allow_none=True)
    user_id = fields.UUID(load_default=None)
    start_date = fields.Date(load_default=None, allow_none=True, metadata=_DATES)
    end_date = fields.Date(load_default=None, allow_none=True, metadata=_DATES)
    time_zone = Text(most=64, least=1, load_default=None, allow_none=True, metadata={"examples": ["Africa/Cairo"]})
    booking_details = fields.Dict(load_default=None, allow_none=True)
    customer_info = fields.Nested(CustomerInfoRequest, load_default=dict)
    items = offered_items(load_default=None, allow_none=True)
    cancellation_policy_id = fields.UUID(load_default=None, allow_none=True, metadata=_POLICY)


class RequestChangesBody(Schema):
    """What is left out stays as it is; `travelers` replaces the whole list."""

    start_date = fields.Date()
    end_date = fields.Date(allow_none=True)
    time_zone = Text(most=64, least=1, metadata={"examples": ["Africa/Cairo"]})
    travelers_count = fields.Integer(strict=True, validate=validate.Range(1, MOST_TRAVELERS))
    travelers = fields.List(fields.Nested(TravelerRequest), validate=validate.Length(max=MOST_TRAVELERS))
    booking_details = fields.Dict()
    special_requests = Text(most=2000, multiline=True)
    customer_info = fields.Nested(CustomerInfoRequest)


class TripOfferRequest(Schema):
    """A price for what was asked for, and until when it can be paid: an instant, or so many hours from now."""

    items = offered_items(required=True)
    voucher_code = Text(
        most=40,
        least=1,
        load_default=None,
        allow_none=True,
        metadata={"description": "The customer's, or everybody's. An offer made anew without one gives it back."},
    )
    hold_hours = fields.Integer(load_default=None, strict=True, validate=validate.Range(1, 720))
    valid_until = Instant(load_default=None, metadata={"examples": ["2030-11-25T08:00:00Z"]})
    deposit_percent = fields.Integer(load_default=None, strict=True, validate=validate.Range(1, 100))
    cancellation_policy_id = fields.UUID(load_default=None, allow_none=True, metadata=_POLICY)


class TravelersRequest(Schema):
    """Everybody who travels and is known by name: the whole list."""

    travelers = fields.List(fields.Nested(TravelerRequest), required=True, validate=validate.Length(max=MOST_TRAVELERS))


class TravelerShown(Schema):
    """`document_number` shows its last three characters, unless the reader may see documents."""

    first_name = fields.String()
    last_name = fields.String()
    birth_date = fields.Date(allow_none=True)
    document_number = fields.String(allow_none=True)
    document_expires_on = fields.Date(allow_none=True)


class BookingTypeShown(Schema):
    type_code = fields.String()
    type_name = Localized()
    type_name_ar = fields.String()
    type_name_en = fields.String()
    icon_name = fields.String()
    color_hex = fields.String()
    display_order = fields.Integer()


class LineShown(Schema):
    kind = fields.String()
    description = Localized()
    quantity = fields.Integer()
    amount = MoneyField()


class ItemShown(Schema):
    """`status` follows the booking's own: no item lives apart from it."""

    id = fields.UUID()
    status = fields.String(validate=validate.OneOf(list(BookingItemStatus)))
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
    """Why an offer or the voucher gives nothing, or points give less: `reason` is stable.

    `kind` is OFFER, VOUCHER or POINTS, `figures` are what the reason speaks of.
    """

    kind = fields.String()
    reason = fields.String()
    source_id = fields.UUID(allow_none=True)
    code = fields.String(allow_none=True)
    title = Localized()
    detail = Localized()
    figures = fields.Dict(keys=fields.String(), values=fields.String())


class PlannedInstalment(Schema):
    position = fields.Integer()
    due_on = fields.Date(metadata={"description": "Paid in time until the end of this day in Cairo."})
    amount = MoneyField()


class InstalmentShown(PlannedInstalment):
    """Payments pay the oldest first; what is left of it is in `left`."""

    left = MoneyField()
    status = fields.String()


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
    payment_plan = fields.String()
    instalments = fields.List(fields.Nested(PlannedInstalment))
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
    time_zone = fields.String()
    travelers_count = fields.Integer()
    no_show = fields.Boolean()
    no_show_at = fields.DateTime(allow_none=True)
    archived_at = fields.DateTime(allow_none=True)
    cancellation_reason = fields.String(allow_none=True)
    cancelled_at = fields.DateTime(allow_none=True)
    created_at = fields.DateTime()
    updated_at = fields.DateTime()


class BookingShown(BookingSummary):
    """`kept_amount` is the fee of a cancellation, `cancellation` the terms that were agreed, `next_due` the oldest
    instalment that is not paid, `replaces_booking_id` the expired booking whose trip this is: its money came late."""

    lines = fields.List(fields.Nested(LineShown), attribute="price_lines")
    refunded_amount = MoneyField()
    kept_amount = MoneyField()
    cancellation = fields.Nested(TermsOfBooking)
    supplier_deadline = fields.DateTime(
        allow_none=True,
        metadata={
            "description": "Until then its place can be handed back to the supplier for nothing; to staff alone."
        },
    )
    customer_info = fields.Dict(keys=fields.String(), values=fields.String())
    items = fields.List(fields.Nested(ItemShown))
    payment_plan = fields.String()
    instalments = fields.List(fields.Nested(InstalmentShown))
    next_due = fields.Nested(InstalmentShown, allow_none=True)
    replaces_booking_id = fields.UUID(allow_none=True)
    replaced_by_booking_id = fields.UUID(allow_none=True)


class StatusChangeShown(Schema):
    from_status = fields.String(allow_none=True)
    to_status = fields.String()
    changed_by_user_id = fields.UUID(allow_none=True)
    change_reason = fields.String()
    changed_at = fields.DateTime()


class NoShowRequest(Schema):
    reason = Text(most=500, least=3, required=True)


class AdvanceRequest(Schema):
    override_reason = Text(most=500, load_default=None, allow_none=True)
