"""Shapes of amendments of bookings."""

from __future__ import annotations

from typing import Any

from marshmallow import fields, validate

from api.fields import MoneyField, Schema, Text
from api.v1.billing.refunds import planned_part_row
from api.v1.sales.cancellation_schemas import AppliedTierShown, PaymentRefundShown
from api.v1.sales.rows import not_applied_row
from api.v1.sales.schemas import MOST_TRAVELERS, LineShown, NotAppliedShown, TravelerRequest, offered_items
from application.queries import Row
from application.sales.amendment_plans import AmendmentPlan
from domain.sales.agreed import RewardTerms, Trip
from domain.shared.money import Money


class AmendmentPreviewRequest(Schema):
    """What is wanted otherwise; what is left out stays. `travelers` is the whole list of who is known by name.

    Of a trip that people price, `items` are all of its new price: staff and agents alone give them, with its days,
    zone and details where those change.
    """

    departure_id = fields.UUID(load_default=None, allow_none=True)
    travelers_count = fields.Integer(
        load_default=None, allow_none=True, strict=True, validate=validate.Range(1, MOST_TRAVELERS)
    )
    travelers = fields.List(
        fields.Nested(TravelerRequest),
        load_default=None,
        allow_none=True,
        validate=validate.Length(max=MOST_TRAVELERS),
    )
    start_date = fields.Date()
    end_date = fields.Date()
    time_zone = Text(most=64, least=1, metadata={"examples": ["Africa/Cairo"]})
    booking_details = fields.Dict()
    items = offered_items(load_default=None, allow_none=True)


class AmendmentRequest(AmendmentPreviewRequest):
    """`preview_token` carries out exactly what the preview showed; without it the plan of this moment is taken."""

    preview_token = fields.String(load_default=None, allow_none=True, validate=validate.Length(1, 500))


class TripShown(Schema):
    departure_id = fields.UUID(allow_none=True)
    start_date = fields.Date()
    end_date = fields.Date()
    travelers_count = fields.Integer()
    final_amount = MoneyField()
    bonus_points = fields.Integer(metadata={"description": "What an offer promises for it once all is paid."})
    bonus_cashback = MoneyField(metadata={"description": "What a voucher promises for it once it is over."})


class AmendmentPlanShown(Schema):
    """What amending would do; the token carries out exactly this, for 15 minutes.

    `amount_due` has to be paid before anything happens, until `expires_at`; `refund` goes back where it costs less.
    `fee` is in the price, and follows from the tier that `applies`. `points_taken` are those that what goes back had
    earned, and those that were promised for the old trip alone.
    """

    before = fields.Nested(TripShown)
    after = fields.Nested(TripShown)
    lines = fields.List(fields.Nested(LineShown))
    difference = MoneyField()
    amount_due = MoneyField()
    applies = fields.Nested(AppliedTierShown)
    fee = MoneyField()
    refund = MoneyField()
    refunds = fields.List(fields.Nested(PaymentRefundShown))
    points_restored = fields.Integer()
    points_taken = fields.Integer()
    cashback_taken = MoneyField()
    not_applied = fields.List(fields.Nested(NotAppliedShown))
    seats_taken = fields.Integer()
    expires_at = fields.DateTime(allow_none=True)
    token = fields.String()


class AmendmentShown(Schema):
    """One amendment; PENDING ones wait for `amount_due` until `expires_at`."""

    id = fields.UUID()
    status = fields.String()
    previous_departure_id = fields.UUID(allow_none=True)
    departure_id = fields.UUID(allow_none=True)
    previous_start_date = fields.Date()
    start_date = fields.Date()
    previous_travelers_count = fields.Integer()
    travelers_count = fields.Integer()
    previous_amount = MoneyField()
    amount = MoneyField()
    difference = MoneyField()
    fee = MoneyField()
    refund = MoneyField()
    amount_due = MoneyField()
    points_restored = fields.Integer()
    requested_by_user_id = fields.UUID()
    requested_at = fields.DateTime()
    expires_at = fields.DateTime(allow_none=True)
    resolved_at = fields.DateTime(allow_none=True)


def plan_row(plan: AmendmentPlan, *, token: str) -> Row:
    unit = plan.fee.currency.code
    due = max(plan.difference, Money(0, plan.fee.currency))
    return {
        "before": _trip_row(plan.before_trip, plan.before_amount, plan.before_rewards),
        "after": _trip_row(plan.trip, plan.price.final_amount, plan.rewards),
        "lines": list(plan.price.lines),
        "difference_minor": plan.difference.minor,
        "amount_due_minor": due.minor,
        "currency": unit,
        "applies": {
            "refund": plan.applied.refund.hundredths,
            "hours_before": plan.applied.hours_before,
            "until": plan.applied.until,
        },
        "fee_minor": plan.fee.minor,
        "refund_minor": plan.refund.minor,
        "refunds": [
            {
                "payment_id": refund.payment_id,
                "amount_minor": refund.amount.minor,
                "currency": unit,
                "parts": [planned_part_row(part) for part in refund.parts],
            }
            for refund in plan.refunds
        ],
        "points_restored": plan.points_restored,
        "points_taken": plan.rewards_taken.points,
        "cashback_taken_minor": plan.rewards_taken.cashback.minor,
        "not_applied": [not_applied_row(refused) for refused in plan.not_applied],
        "seats_taken": plan.seats_taken,
        "expires_at": plan.expires_at,
        "token": token,
    }


def _trip_row(trip: Trip, amount: Money, rewards: RewardTerms) -> dict[str, Any]:
    cashback = rewards.bonus_cashback
    return {
        "departure_id": trip.departure_id,
        "start_date": trip.start_date,
        "end_date": trip.end_date,
        "travelers_count": trip.travelers_count,
        "final_amount_minor": amount.minor,
        "bonus_points": rewards.bonus_points,
        "bonus_cashback_minor": cashback.minor if cashback is not None else 0,
        "currency": amount.currency.code,
    }
