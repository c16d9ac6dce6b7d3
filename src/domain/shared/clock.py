"""Time as a dependency."""

from datetime import date, datetime
from typing import Protocol
from zoneinfo import ZoneInfo

BUSINESS_ZONE = ZoneInfo("Africa/Cairo")
"""The zone of opening hours, payroll and document dates."""


class Clock(Protocol):
    """Tells the time as an aware UTC instant."""

    def now(self) -> datetime: ...


def business_date(at: datetime) -> date:
    """The calendar day in Cairo at an instant."""
    return at.astimezone(BUSINESS_ZONE).date()
