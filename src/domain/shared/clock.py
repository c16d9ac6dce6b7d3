"""Time as a dependency."""

from datetime import UTC, date, datetime, time
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


def start_of_business_day(day: date) -> datetime:
    """The first instant of a calendar day in Cairo; where its clocks skip midnight, when they do."""
    return datetime.combine(day, time.min, tzinfo=BUSINESS_ZONE).astimezone(UTC)
