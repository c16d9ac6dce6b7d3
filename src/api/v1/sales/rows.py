"""Quotes and fresh bookings as the rows that their schemas read."""

from __future__ import annotations

from application.queries import Row
from application.sales.bookings import booked_price
from application.sales.quotes import Quoted
from domain.sales.bookings import Booking


def quote_row(quoted: Quoted) -> Row:
    quote = quoted.quote
    unit = quote.total.currency.code
    return {
        "lines": booked_price(quote).lines,
        "base_amount_minor": quote.base_amount.minor,
        "discount_amount_minor": quote.discount_amount.minor,
        "voucher_discount_minor": quote.voucher_discount.minor,
        "tax_amount_minor": quote.tax_amount.minor,
        "total_minor": quote.total.minor,
        "final_amount_minor": quote.total.minor,
        "currency": unit,
        "seats_left": quoted.seats_left,
        "tier_code": quoted.tier_code,
        "expected_points": quoted.expected_points,
        "expected_cashback_minor": quoted.expected_cashback.minor,
    }


def booking_row(booking: Booking) -> Row:
    unit = booking.final_amount.currency.code
    return {
        **vars(booking),
        "base_amount_minor": booking.base_amount.minor,
        "discount_amount_minor": booking.discount_amount.minor,
        "voucher_discount_minor": booking.voucher_discount.minor,
        "tax_amount_minor": booking.tax_amount.minor,
        "final_amount_minor": booking.final_amount.minor,
        "amount_due_minor": booking.amount_due.minor,
        "currency": unit,
        "hold_expires_at": booking.hold_expires_at,
        "items": [
            {
                **vars(item),
                "unit_price_minor": item.unit_price.minor,
                "total_price_minor": item.total_price.minor,
                "currency": unit,
            }
            for item in booking.items
        ],
    }
