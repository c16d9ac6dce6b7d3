"""When a trip is, as calendars have it."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from domain.shared.clock import starts_at
from domain.shared.spans import span_of

CAIRO = ZoneInfo("Africa/Cairo")
DAYS = st.dates(date(2024, 1, 1), date(2030, 12, 31))


def test_what_has_no_hour_is_all_of_its_days() -> None:
    day = date(2026, 12, 20)
    begins_at = starts_at(day, time(), CAIRO)
    assert span_of(day, day, begins_at=begins_at, zone=CAIRO, hours=3) == (day, date(2026, 12, 21))


def test_an_activity_lasts_its_hours() -> None:
    day = date(2026, 12, 20)
    begins, ends = span_of(day, day, begins_at=starts_at(day, time(9, 30), CAIRO), zone=CAIRO, hours=3)
    assert (begins, ends) == (datetime(2026, 12, 20, 7, 30, tzinfo=UTC), datetime(2026, 12, 20, 10, 30, tzinfo=UTC))


def test_a_trip_lasts_until_its_last_day_is_over_there_also_when_clocks_change() -> None:
    # Cairo leaves summer time on the last Thursday of October.
    first, last = date(2026, 10, 28), date(2026, 10, 30)
    begins, ends = span_of(first, last, begins_at=starts_at(first, time(8), CAIRO), zone=CAIRO, hours=None)
    assert (begins, ends) == (datetime(2026, 10, 28, 5, tzinfo=UTC), datetime(2026, 10, 30, 22, tzinfo=UTC))


@given(first=DAYS, days=st.integers(0, 30), minute=st.integers(0, 1439), hours=st.none() | st.integers(1, 200))
def test_nothing_ends_before_it_begins(first: date, days: int, minute: int, hours: int | None) -> None:
    at = starts_at(first, time(minute // 60, minute % 60), CAIRO)
    begins, ends = span_of(first, first + timedelta(days=days), begins_at=at, zone=CAIRO, hours=hours)
    assert type(begins) is type(ends)
    assert begins < ends  # type: ignore[operator]
