"""What a trip that is sold will earn if it is completed as it stands: of its price, less what went back of it.

The domain shares what is paid to the minor unit when the trip is over (`domain.payouts.earnings.split`). Of a trip that
nothing went back of this is the same; of another it may be off by a minor unit for each item.
"""

from __future__ import annotations

from typing import Final

PART: Final = """
CROSS JOIN LATERAL (SELECT round(
    i.total_price_minor
    * greatest(b.final_amount_minor - greatest(b.refunded_amount_minor - b.overpaid_amount_minor, 0), 0)::numeric
    / nullif(b.final_amount_minor, 0)) AS part) p
"""
"""Beside `booking_items i` and `bookings b`: what of the price falls to the item."""

_VENDORS: Final = "coalesce(round(p.part * i.vendor_rate / 100), 0)"
EXPECTED: Final = {
    "VENDOR": _VENDORS,
    "AGENT": f"coalesce(least(round(p.part * i.agent_rate / 100), p.part - {_VENDORS}), 0)",
}
"""What of the part falls to whom."""
