"""Time as a dependency."""

from datetime import UTC, date, datetime, time
from functools import cache
from typing import Final, Protocol
from zoneinfo import ZoneInfo, available_timezones

BUSINESS_ZONE = ZoneInfo("Africa/Cairo")
"""The zone of opening hours, payroll and document dates."""

MIDNIGHT: Final = time()

REACH: Final = range(2000, 3000)
"""Years that every calendar and zone knows: what is further can be written down, and not be read again."""


class Clock(Protocol):
    """Tells the time as an aware UTC instant."""

    def now(self) -> datetime: ...


def business_date(at: datetime) -> date:
    """The calendar day in Cairo at an instant."""
    return at.astimezone(BUSINESS_ZONE).date()


def local_date(at: datetime, time_zone: str) -> date:
    """The calendar day at a place at an instant."""
    return at.astimezone(ZoneInfo(time_zone)).date()


def start_of_business_day(day: date) -> datetime:
    """The first instant of a calendar day in Cairo; where its clocks skip midnight, when they do."""
    return datetime.combine(day, time.min, tzinfo=BUSINESS_ZONE).astimezone(UTC)


_AREAS: Final = frozenset(
    {"Africa", "America", "Antarctica", "Arctic", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific"}
)
"""Under which the IANA names places (tz database, theory, "Names of timezones")."""


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def is_zone(name: str) -> bool:
    """Whether this names a zone of the IANA's database, as it is installed here."""
    return name in _zones()


def is_place(name: str) -> bool:
    """Whether it is the zone of a place: `localtime` is wherever a machine is, `Factory` nowhere, `EET` no country."""
    return name.partition("/")[0] in _AREAS and is_zone(name)


def starts_at(starts_on: date, start_time: time, zone: ZoneInfo) -> datetime:
    """The UTC instant at which the wall clocks of a place show this time on this day.

    Where clocks are put back and show it twice, the first of the two; where they are put forward and never show
    it, the instant that the clocks of the hour before would have shown it: 00:30 of a night that skips from 00:00
    to 01:00 is 01:30 (PEP 495, fold 0).
    """
    return datetime.combine(starts_on, start_time.replace(fold=0), tzinfo=zone).astimezone(UTC)


def start_of_day(day: date, time_zone: str) -> datetime:
    """The first instant of a calendar day at a place."""
    return starts_at(day, MIDNIGHT, ZoneInfo(time_zone))
