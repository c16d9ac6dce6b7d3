"""What waits for a bank's word: whatever came of bookings that an open dispute is about."""

from __future__ import annotations


def disputed(booking_id: str) -> str:
    """SQL: whether a bank questions what was paid for the booking. Disputes are few: they are read once."""
    return f"""
({booking_id} = ANY (ARRAY(SELECT y.booking_id FROM disputes d JOIN payments y ON y.id = d.payment_id
                           WHERE d.status = 'OPEN' AND y.booking_id IS NOT NULL))) IS TRUE
"""
