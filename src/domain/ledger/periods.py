"""Periods of the books: whole business days in Cairo, the last one excluded."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from domain.shared.clock import BUSINESS_ZONE
from domain.shared.errors import InvalidValue

FIRST_DAY: Final = date(2000, 1, 1)
LAST_DAY: Final = date(2200, 1, 1)


@dataclass(frozen=True, slots=True)
class Period:
    """Business days from `since` until the day before `until`. Raises InvalidValue where there is none in between."""

    since: date
    until: date

    def __post_init__(self) -> None:
        for day, pointer in ((self.since, "/from"), (self.until, "/to")):
            if not FIRST_DAY <= day <= LAST_DAY:
                raise InvalidValue("no day of these books", pointer=pointer, code="out_of_range")
        if self.until <= self.since:
            raise InvalidValue("the period ends before it begins", pointer="/to", code="empty_period")

    @property
    def begins_at(self) -> datetime:
        """The first instant of it."""
        return _midnight(self.since)

    @property
    def ends_at(self) -> datetime:
        """The first instant after it."""
        return _midnight(self.until)

    @property
    def last_day(self) -> date:
        return self.until - timedelta(days=1)


def last_month(today: date) -> Period:
    """The calendar month before the one that `today` is in."""
    this_month = today.replace(day=1)
    return Period((this_month - timedelta(days=1)).replace(day=1), this_month)


def this_month(today: date) -> Period:
    """The month that `today` is in, up to and with `today`."""
    return Period(today.replace(day=1), today + timedelta(days=1))


def asked_period(since: date | None, until: date | None, *, otherwise: Period) -> Period:
    """The period that somebody named both ends of, or `otherwise` for none. Raises InvalidValue for one end alone."""
    if since is None and until is None:
        return otherwise
    if since is None or until is None:
        pointer = "/from" if since is None else "/to"
        raise InvalidValue("a period has both ends, or none is named", pointer=pointer, code="required")
    return Period(since, until)


def _midnight(day: date) -> datetime:
    """The first instant of a day in Cairo, whatever its clocks do that night."""
    return datetime.combine(day, time(), BUSINESS_ZONE).astimezone(UTC)
