"""Quotes and fresh bookings as the rows that their schemas read."""

from __future__ import annotations

from typing import Any

from application.queries import Row
from application.sales.pricing import line_row
from application.sales.quotes import Quoted
from domain.pricing.baskets import NotApplied
from domain.sales.bookings import Booking
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
        "not_applied": [_not_applied(reason) for reason in quote.not_applied],
        "seats_left": quoted.seats_left,
        "tier_code": quoted.tier_code,
        "expected_points": quoted.expected_points,
        "expected_cashback_minor": quoted.expected_cashback.minor,
        "quote_token": token,
        "good_until": quoted.good_until,
    }


def _not_applied(reason: NotApplied) -> dict[str, Any]:
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


def booking_row(booking: Booking) -> Row:
    trip, price = booking.trip, booking.price
    unit = price.final_amount.currency.code
    return {
        **vars(booking),
        "booking_type": trip.booking_type,
        "package_id": trip.package_id,
        "activity_id": trip.activity_id,
        "departure_id": trip.departure_id,
        "booking_details": trip.details,
        "start_date": trip.start_date,
        "end_date": trip.end_date,
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
        "currency": unit,
        "hold_expires_at": booking.hold_expires_at,
        "replaced_by_booking_id": None,
        "items": [
            {
                **vars(item),
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
