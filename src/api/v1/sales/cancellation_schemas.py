"""Shapes of cancellation policies, of the terms that bookings keep, and of what cancelling would do."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from marshmallow import fields, validate

from api.fields import Localized, MoneyField, PercentRequest, Schema, Share, Text
from api.v1.billing.refunds import PlannedPartShown
from domain.sales.cancellation import LONGEST_HOURS, MOST_TIERS, RefundTier
from domain.sales.policies import NAME_LENGTH

_SUPPLIER = {
    "description": "Until so many hours before the start, on the clocks of the place, the company hands the place back "
    "to its supplier for nothing; customers get everything back no later. To staff alone."
}
_HOURS = {"description": "Until so many hours before the start, on the clocks of the place."}
PERCENT = {"type": "string", "pattern": r"^\d{1,3}(\.\d{1,2})?$", "examples": ["50.00"]}


class TierShown(Schema):
    hours_before = fields.Integer(metadata=_HOURS)
    refund_percent = Share(attribute="refund")


class EndingTierShown(TierShown):
    until = fields.DateTime(metadata={"description": "The last instant at which this tier holds."})


class PolicyOfItem(Schema):
    """The terms that an item is sold under: its own, or the company's; the first tier that still holds counts."""

    policy_id = fields.UUID()
    name = Localized()
    tiers = fields.List(fields.Nested(TierShown))


class TermsOfBooking(Schema):
    """What was agreed when it was booked; after the last tier nothing comes back."""

    policy_id = fields.UUID(allow_none=True)
    time_zone = fields.String()
    tiers = fields.List(fields.Nested(EndingTierShown))


class TierRequest(Schema):
    hours_before = fields.Integer(
        required=True, strict=True, validate=validate.Range(0, LONGEST_HOURS), metadata=_HOURS
    )
    refund_percent = PercentRequest(required=True, metadata=PERCENT)


class PolicyChanges(Schema):
    """What is left out stays as it is."""

    name_ar = Text(most=NAME_LENGTH, least=1)
    name_en = Text(most=NAME_LENGTH, least=1)
    tiers = fields.List(fields.Nested(TierRequest), validate=validate.Length(max=MOST_TIERS))
    supplier_hours_before = fields.Integer(
        strict=True, allow_none=True, validate=validate.Range(0, LONGEST_HOURS), metadata=_SUPPLIER
    )
    is_default = fields.Boolean()
    is_active = fields.Boolean()


class PolicyRequest(PolicyChanges):
    """Names in both languages, and the tiers, longest before the start first."""

    name_ar = Text(most=NAME_LENGTH, least=1, required=True)
    name_en = Text(most=NAME_LENGTH, least=1, required=True)
    tiers = fields.List(fields.Nested(TierRequest), required=True, validate=validate.Length(max=MOST_TIERS))


def tiers_in(body: Mapping[str, Any]) -> dict[str, Any]:
    """A body whose tiers are the domain's."""
    if "tiers" not in body:
        return dict(body)
    tiers = tuple(
        RefundTier(hours_before=tier["hours_before"], refund=tier["refund_percent"]) for tier in body["tiers"]
    )
    return {**body, "tiers": tiers}


class PolicyShown(Schema):
    id = fields.UUID()
    name = Localized()
    name_ar = fields.String()
    name_en = fields.String()
    tiers = fields.List(fields.Nested(TierShown))
    supplier_hours_before = fields.Integer(allow_none=True, metadata=_SUPPLIER)
    is_default = fields.Boolean()
    is_active = fields.Boolean()
    version = fields.Integer()
    created_at = fields.DateTime()
    updated_at = fields.DateTime()


class CancellationQuery(Schema):
    """`refund_percent` is what staff would give back instead of what the terms say."""

    refund_percent = PercentRequest(load_default=None, metadata=PERCENT)


class OverrideRequest(Schema):
    """What staff give back instead of what the terms say, and why."""

    refund_percent = PercentRequest(required=True, metadata=PERCENT)
    reason = Text(required=True, least=3, most=500)


class CancelBookingRequest(Schema):
    """`preview_token` commits exactly what the preview showed; without it the plan of this moment is taken."""

    reason = Text(required=True, least=3, most=500)
    preview_token = fields.String(load_default=None, allow_none=True, validate=validate.Length(1, 500))
    refund_override = fields.Nested(OverrideRequest, load_default=None, allow_none=True)


class PaymentRefundShown(Schema):
    """What goes back of one payment, to each tender, and how: OWN at once, PROVIDER and OPERATOR later."""

    payment_id = fields.UUID()
    amount = MoneyField()
    parts = fields.List(fields.Nested(PlannedPartShown))


class AppliedTierShown(Schema):
    """The tier that applies, and until when; both None where no tier says it."""

    refund_percent = Share(attribute="refund")
    hours_before = fields.Integer(allow_none=True)
    until = fields.DateTime(allow_none=True)


class CancellationShown(Schema):
    """What cancelling would do; the token commits exactly this, for 15 minutes."""

    applies = fields.Nested(AppliedTierShown)
    paid = MoneyField()
    refunded_before = MoneyField()
    refund = MoneyField()
    kept_fee = MoneyField()
    refunds = fields.List(fields.Nested(PaymentRefundShown))
    payments_cancelled = fields.List(fields.UUID())
    seats_returned = fields.Integer()
    points_restored = fields.Integer()
    points_taken = fields.Integer()
    cashback_taken = MoneyField()
    vendor_share_taken = MoneyField(
        allow_none=True, metadata={"description": "What its vendor would have earned; to staff alone."}
    )
    commission_taken = MoneyField(
        allow_none=True, metadata={"description": "What its agent would have earned; to staff and that agent."}
    )
    promotions = fields.String()
    status_after = fields.String()
    token = fields.String()
