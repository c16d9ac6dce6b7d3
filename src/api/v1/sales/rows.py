"""Quotes and fresh bookings as the rows that their schemas read."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from api.v1.billing.refunds import planned_part_row
from application.queries import Row
from application.sales.cancellation_plans import CancellationPlan
from application.sales.policies import terms_shown
from application.sales.pricing import line_row
from application.sales.quotes import Quoted
from domain.pricing.baskets import NotApplied
from domain.sales.booking_states import ITEM_STATUS
from domain.sales.bookings import Booking
from domain.sales.instalments import Instalment, Standing, next_due, plan_of
from middlewares.messages.pricing import reason_sentence


def quote_row(quoted: Quoted, *, token: str) -> Row:
    quote = quoted.quote
    return {
        "lines": [line_row(line) for line in quote.lines],
        "base_amount_minor": quote.base_amount.minor,
        "discount_amount_minor": quote.discount_amount.minor,
        "voucher_discount_minor": quote.voucher_discount.minor,
        "tax_amount_minor": quote.tax_amount.minor,
        "fee_amount_minor": quote.fee_amount.minor,
        "total_minor": quote.total.minor,
        "final_amount_minor": quote.total.minor,
        "currency": quote.total.currency.code,
        "points_redeemed": quote.points,
        "not_applied": [not_applied_row(reason) for reason in quote.not_applied],
        "seats_left": quoted.seats_left,
        "tier_code": quoted.tier_code,
        "expected_points": quoted.expected_points,
        "expected_cashback_minor": quoted.expected_cashback.minor,
        "payment_plan": plan_of(quoted.instalments),
        "instalments": [_planned(each) for each in quoted.instalments],
        "quote_token": token,
        "good_until": quoted.good_until,
    }


def _planned(instalment: Instalment) -> dict[str, Any]:
    return {
        "position": instalment.position,
        "due_on": instalment.due_on,
        "amount_minor": instalment.amount.minor,
        "currency": instalment.amount.currency.code,
    }


def plan_row(found: Sequence[Standing]) -> dict[str, Any]:
    """A booking's instalments as they stand."""
    following = next_due(found)
    return {
        "payment_plan": plan_of([each.instalment for each in found]),
        "instalments": [_standing(each) for each in found],
        "next_due": _standing(following) if following is not None else None,
    }


def _standing(standing: Standing) -> dict[str, Any]:
    return {**_planned(standing.instalment), "left_minor": standing.left.minor, "status": standing.status}


def not_applied_row(reason: NotApplied) -> dict[str, Any]:
    """Why an offer or a voucher gives nothing, in both languages."""
    return {
        "kind": reason.kind.value,
        "reason": reason.reason,
        "source_id": reason.source_id,
        "code": reason.code,
        "title_ar": reason.title_ar,
        "title_en": reason.title_en,
        "detail_ar": reason_sentence(reason.reason, "ar", reason.figures),
        "detail_en": reason_sentence(reason.reason, "en", reason.figures),
        "figures": dict(reason.figures),
    }


def cancellation_row(plan: CancellationPlan, *, token: str, sees_shares: bool, sees_commission: bool) -> Row:
    unit, settled = plan.paid.currency.code, plan.settlement
    return {
        "applies": {
            "refund": plan.applied.refund.hundredths,
            "hours_before": plan.applied.hours_before,
            "until": plan.applied.until,
        },
        "paid_minor": plan.paid.minor,
        "refunded_before_minor": plan.refunded_before.minor,
        "refund_minor": settled.refund.minor,
        "kept_fee_minor": settled.kept.minor,
        "currency": unit,
        "refunds": [
            {
                "payment_id": refund.payment_id,
                "amount_minor": refund.amount.minor,
                "currency": unit,
                "parts": [planned_part_row(part) for part in refund.parts],
            }
            for refund in plan.refunds
        ],
        "payments_cancelled": list(plan.payments_cancelled),
        "seats_returned": plan.seats_returned,
        "points_restored": settled.points_restored,
        "points_taken": plan.rewards_taken.points,
        "cashback_taken_minor": plan.rewards_taken.cashback.minor,
        "vendor_share_taken_minor": plan.rewards_taken.partners.vendor.minor if sees_shares else None,
        "commission_taken_minor": plan.rewards_taken.partners.agent.minor if sees_commission else None,
        "promotions": plan.promotions,
        "status_after": plan.status_after,
        "token": token,
    }


def booking_row(booking: Booking, *, today: date) -> Row:
    trip, price = booking.trip, booking.price
    unit, item_status = price.final_amount.currency.code, ITEM_STATUS[booking.status]
    return {
        **vars(booking),
        "booking_type": trip.booking_type,
        "package_id": trip.package_id,
        "activity_id": trip.activity_id,
        "departure_id": trip.departure_id,
        "booking_details": trip.details,
        "start_date": trip.start_date,
        "end_date": trip.end_date,
        "time_zone": trip.time_zone,
        "travelers_count": trip.travelers_count,
        "price_lines": price.lines,
        "base_amount_minor": price.base_amount.minor,
        "discount_amount_minor": price.discount_amount.minor,
        "voucher_discount_minor": price.voucher_discount.minor,
        "tax_amount_minor": price.tax_amount.minor,
        "fee_amount_minor": price.fee_amount.minor,
        "final_amount_minor": price.final_amount.minor,
        "amount_due_minor": booking.amount_due.minor,
        "points_redeemed": price.points,
        "no_show": booking.no_show_at is not None,
        "archived_at": None,
        "refunded_amount_minor": booking.refunded_amount.minor,
        "kept_amount_minor": booking.kept_amount.minor,
        "cancellation": terms_shown(booking.cancellation_terms, starts_at=trip.starts_at, time_zone=trip.time_zone),
        "supplier_deadline": booking.cancellation_terms.supplier_deadline(
            starts_at=trip.starts_at, time_zone=trip.time_zone
        ),
        "currency": unit,
        "hold_expires_at": booking.hold_expires_at,
        **plan_row(booking.standings(today=today)),
        "replaced_by_booking_id": None,
        "items": [
            {
                **vars(item),
                "status": item_status,
                "unit_price_minor": item.unit_price.minor,
                "price_minor": item.price.minor,
                "discount_minor": item.discount.minor,
                "tax_minor": item.tax.minor,
                "fee_minor": item.fee.minor,
                "total_price_minor": item.total_price.minor,
                "currency": unit,
            }
            for item in booking.items
        ],
    }
