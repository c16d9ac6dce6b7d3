"""When a trip is, as calendars have it."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from domain.shared.clock import MIDNIGHT, starts_at

Span = tuple[datetime, datetime] | tuple[date, date]
"""Two instants, or two dates; the second is not included."""

_DAY = timedelta(days=1)


def span_of(starts_on: date, ends_on: date, *, begins_at: datetime, zone: ZoneInfo, hours: int | None) -> Span:
    """From the hour at which it begins for so many hours, or until its last day is over where it is.

    What begins at midnight there has no hour of its own: it is all of its days, wherever they are read.
    """
    if begins_at == starts_at(starts_on, MIDNIGHT, zone):
        return starts_on, ends_on + _DAY
    if hours is not None:
        return begins_at, begins_at + timedelta(hours=hours)
    return begins_at, starts_at(ends_on + _DAY, MIDNIGHT, zone)
