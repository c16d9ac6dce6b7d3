"""Shapes of vouchers and offers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from marshmallow import ValidationError, fields, post_load, validate

from api.fields import MONEY_SPEC, Instant, Localized, MoneyField, Schema, Text, shown_money
from api.pagination import PageQuery
from domain.pricing.deals import DESCRIPTION_LENGTH, MOST_USES, TITLE_LENGTH, AppliesTo
from domain.pricing.schedules import Schedule
from domain.pricing.vouchers import VoucherStatus, VoucherType
from domain.shared.errors import InvalidValue
from domain.shared.money import Money
from domain.shared.percentage import Percentage

Row = Mapping[str, Any]
MOST_AT_ONCE: Final = 500
"""Users in one assignment."""
LONGEST_TYPED_CODE: Final = 100
LARGEST_FILE: Final = 900_000
"""Characters of an import."""
_VALUE_SPEC: Final = {
    "oneOf": [{"type": "string", "examples": ["10.00"]}, MONEY_SPEC, {"type": "null"}],
    "description": "A percentage as a decimal string, or an amount, as the type wants; null where nothing comes off.",
}
_A_FILE: Final = "code,voucher_type,discount_value\r\nSUMMER-1,DISCOUNT_PERCENTAGE,10.00\r\n"


class DiscountValue(fields.Raw):
    """`"10.00"` (percent) or `{"amount": "100.00", "currency": "EGP"}`."""

    def __init__(self, **options: Any) -> None:
        super().__init__(metadata=dict(_VALUE_SPEC), allow_none=True, **options)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **rest: Any) -> Percentage | Money:
        if isinstance(value, Mapping):
            amount: Money = MoneyField().deserialize(value, attr, data)
            return amount
        if not isinstance(value, str):
            raise ValidationError('A percentage is a string such as "10.00", an amount has its currency.')
        try:
            return Percentage.parse(value)
        except InvalidValue as error:
            raise ValidationError(error.faults[0].detail) from error


def shown_deal(row: Row) -> dict[str, Any]:
    """A row with its value as the API shows it."""
    percentage = row["discount_percentage"]
    amount = shown_money(row["discount_value_minor"], row["currency"])
    return {**row, "discount_value": f"{percentage:.2f}" if percentage is not None else amount}


def shown_voucher(row: Row) -> dict[str, Any]:
    """A voucher's row as VoucherShown and UsableVoucherShown take it."""
    hours = {name: row[name] and row[name].isoformat("minutes") for name in ("hours_from", "hours_until")}
    return {**shown_deal(row), "schedule": {**row, **hours}}


class ScheduleShown(Schema):
    weekdays = fields.List(fields.Integer())
    hours_from = fields.String(allow_none=True)
    hours_until = fields.String(allow_none=True)
    travel_from = fields.Date(allow_none=True)
    travel_until = fields.Date(allow_none=True)


class ScheduleRequest(Schema):
    """When it can be used: days of the week (1 is Monday) and hours in Cairo, and when the trip starts."""

    weekdays = fields.List(
        fields.Integer(strict=True, validate=validate.Range(1, 7)), load_default=list, validate=validate.Length(max=7)
    )
    hours_from = fields.Time("%H:%M", load_default=None, allow_none=True, metadata={"examples": ["18:00"]})
    hours_until = fields.Time("%H:%M", load_default=None, allow_none=True, metadata={"examples": ["23:00"]})
    travel_from = fields.Date(load_default=None, allow_none=True)
    travel_until = fields.Date(load_default=None, allow_none=True)

    @post_load
    def as_schedule(self, values: dict[str, Any], **_: Any) -> Schedule:
        return Schedule(**{**values, "weekdays": tuple(sorted(set(values["weekdays"])))})


class DealShown(Schema):
    """What everybody may see of a voucher or an offer."""

    id = fields.UUID()
    title = Localized()
    title_ar = fields.String()
    title_en = fields.String()
    description = Localized()
    description_ar = fields.String()
    description_en = fields.String()
    discount_value = DiscountValue()
    gift = Localized()
    gift_ar = fields.String()
    gift_en = fields.String()
    applicable_to = fields.String(validate=validate.OneOf(list(AppliesTo)))
    min_purchase_amount = MoneyField(allow_none=True)
    max_discount = MoneyField(allow_none=True)


class UsableVoucherShown(DealShown):
    """A voucher in a customer's hands."""

    code = fields.String()
    voucher_type = fields.String(validate=validate.OneOf(list(VoucherType)))
    valid_from = fields.DateTime()
    valid_until = fields.DateTime(allow_none=True)
    schedule = fields.Nested(ScheduleShown)
    combines_with_offers = fields.Boolean()
    is_assigned = fields.Boolean()
    uses_left = fields.Integer(
        allow_none=True, metadata={"description": "Yours; null where nobody counts for each user."}
    )


class VoucherShown(DealShown):
    code = fields.String()
    voucher_type = fields.String(validate=validate.OneOf(list(VoucherType)))
    usage_limit_total = fields.Integer(allow_none=True)
    usage_limit_per_user = fields.Integer(allow_none=True)
    usage_count = fields.Integer()
    valid_from = fields.DateTime()
    valid_until = fields.DateTime(allow_none=True)
    schedule = fields.Nested(ScheduleShown)
    is_public = fields.Boolean()
    combines_with_offers = fields.Boolean()
    status = fields.String(validate=validate.OneOf(list(VoucherStatus)))
    import_id = fields.UUID(allow_none=True)
    created_by_user_id = fields.UUID()
    created_at = fields.DateTime()
    updated_at = fields.DateTime()


def _limit() -> fields.Integer:
    return fields.Integer(strict=True, allow_none=True, validate=validate.Range(1, MOST_USES))


class DealChanges(Schema):
    """What is left out stays as it is."""

    title_ar = Text(most=TITLE_LENGTH)
    title_en = Text(most=TITLE_LENGTH)
    description_ar = Text(most=DESCRIPTION_LENGTH, multiline=True)
    description_en = Text(most=DESCRIPTION_LENGTH, multiline=True)
    discount_value = DiscountValue()
    gift_ar = Text(most=TITLE_LENGTH)
    gift_en = Text(most=TITLE_LENGTH)
    applicable_to = fields.Enum(AppliesTo, by_value=True)
    min_purchase_amount = MoneyField(allow_none=True)
    max_discount = MoneyField(allow_none=True)
    usage_limit_total = _limit()
    usage_limit_per_user = _limit()


class VoucherChanges(DealChanges):
    """What is left out stays as it is; what it gives stays once somebody used it."""

    code = Text(most=LONGEST_TYPED_CODE, least=1)
    voucher_type = fields.Enum(VoucherType, by_value=True)
    valid_from = Instant()
    valid_until = Instant(allow_none=True)
    schedule = fields.Nested(ScheduleRequest)
    is_public = fields.Boolean()
    combines_with_offers = fields.Boolean()


class VoucherRequest(VoucherChanges):
    """A voucher begins with its code and type, and with what that type gives. Without dates it runs from now on."""

    code = Text(most=LONGEST_TYPED_CODE, least=1, required=True)
    voucher_type = fields.Enum(VoucherType, by_value=True, required=True)


class VouchersQuery(PageQuery):
    """Which vouchers."""

    status = fields.String(load_default=None, validate=validate.OneOf(list(VoucherStatus)))
    code = Text(most=40, load_default=None, metadata={"description": "How their codes begin."})
    import_id = fields.UUID(load_default=None)


class CodeQuery(Schema):
    """A code as it was typed."""

    code = Text(most=LONGEST_TYPED_CODE, least=1, required=True)


class CheckedVoucherShown(Schema):
    """Whether a code can be used by you now; `reason` says why not, `voucher` what it gives where it is for you."""

    code = fields.String()
    is_usable = fields.Boolean()
    reason = fields.String(allow_none=True)
    detail = fields.String(allow_none=True)
    voucher = fields.Nested(UsableVoucherShown, allow_none=True)


class AssignmentsRequest(Schema):
    user_ids = fields.List(fields.UUID(), required=True, validate=validate.Length(1, MOST_AT_ONCE))


class AssignedShown(Schema):
    """How many had it not before."""

    assigned = fields.Integer()


class AssignmentShown(Schema):
    user_id = fields.UUID(attribute="id")
    assigned_by_user_id = fields.UUID()
    assigned_at = fields.DateTime()
    used = fields.Integer()


class VoucherImportRequest(Schema):
    """Vouchers as CSV with the columns' names in its first line; with a template, codes alone."""

    vouchers = Text(
        least=1,
        most=LARGEST_FILE,
        multiline=True,
        identifier=True,
        required=True,
        metadata={"examples": [_A_FILE]},
    )
    template_voucher_id = fields.UUID(load_default=None, allow_none=True)


class VoucherImportShown(Schema):
    import_id = fields.UUID(attribute="id")
    count = fields.Integer()


class VoucherGiftsShown(Schema):
    """What bookings that have it now were given, in one currency."""

    discount = MoneyField()
    cashback = MoneyField()


class StatisticsShown(Schema):
    """`redemptions` is every booking that ever had it; `in_use` and `given_back` are how they stand."""

    redemptions = fields.Integer()
    in_use = fields.Integer()
    given_back = fields.Integer()
    users = fields.Integer()
    bookings_paid = fields.Integer()
    bookings_cancelled = fields.Integer()


class VoucherStatisticsShown(StatisticsShown):
    given = fields.List(fields.Nested(VoucherGiftsShown))
