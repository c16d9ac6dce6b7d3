"""Patterns: the days on which something departs."""

from __future__ import annotations

from datetime import date, time, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.catalogue.patterns import DeparturePattern, PatternStatus
from domain.shared.errors import IllegalTransition, InvalidValue
from infrastructure.clock import new_id
from tests.builders import NOON

MONDAY = date(2027, 1, 4)


def a_pattern(**details: Any) -> DeparturePattern:
    decided: dict[str, Any] = {
        "weekdays": [5, 1],
        "first_on": MONDAY,
        "last_on": None,
        "exceptions": [],
        "start_time": time(9),
        "capacity": 10,
        "series_ids": [],
        **details,
    }
    return DeparturePattern.begin(pattern_id=new_id(), package_id=new_id(), created_by=new_id(), at=NOON, **decided)


def test_it_departs_on_its_weekdays_without_the_exceptions() -> None:
    pattern = a_pattern(exceptions=[date(2027, 1, 8)], last_on=date(2027, 1, 15))

    days = list(pattern.dates(after=date(2026, 1, 1), through=date(2028, 1, 1)))
    assert days == [MONDAY, date(2027, 1, 11), date(2027, 1, 15)]
    assert list(pattern.dates(after=MONDAY, through=date(2027, 1, 11))) == [date(2027, 1, 11)]


@given(
    weekdays=st.sets(st.integers(1, 7), min_size=1),
    first=st.integers(0, 30),
    lasts=st.none() | st.integers(0, 60),
    exceptions=st.sets(st.integers(0, 90)),
    after=st.integers(-10, 90),
    through=st.integers(-10, 90),
)
def test_its_days_are_all_those_that_fit_and_no_others(
    weekdays: set[int], first: int, lasts: int | None, exceptions: set[int], after: int, through: int
) -> None:
    def day(number: int) -> date:
        return MONDAY + timedelta(days=number)

    last_on = None if lasts is None else day(first + lasts)
    pattern = a_pattern(
        weekdays=list(weekdays), first_on=day(first), last_on=last_on, exceptions=[day(n) for n in exceptions]
    )
    expected = [
        day(n)
        for n in range(-10, 91)
        if after < n <= through
        and n >= first
        and (last_on is None or day(n) <= last_on)
        and n not in exceptions
        and day(n).isoweekday() in weekdays
    ]
    assert list(pattern.dates(after=day(after), through=day(through))) == expected


@pytest.mark.parametrize(
    ("details", "pointer"),
    [
        ({"weekdays": []}, "/weekdays"),
        ({"weekdays": [0]}, "/weekdays"),
        ({"weekdays": [8]}, "/weekdays"),
        ({"last_on": MONDAY - timedelta(days=1)}, "/last_on"),
        ({"capacity": 0}, "/capacity"),
        ({"exceptions": [MONDAY + timedelta(days=n) for n in range(401)]}, "/exceptions"),
        ({"series_ids": [new_id() for _ in range(11)]}, "/series_ids"),
    ],
)
def test_patterns_that_make_no_sense_are_refused(details: dict[str, Any], pointer: str) -> None:
    with pytest.raises(InvalidValue) as refused:
        a_pattern(**details)
    assert refused.value.faults[0].pointer == pointer


def test_one_that_was_stopped_stays_stopped() -> None:
    pattern = a_pattern()
    pattern.stop()

    assert pattern.status is PatternStatus.STOPPED
    with pytest.raises(IllegalTransition):
        pattern.stop()
    with pytest.raises(IllegalTransition):
        pattern.change(capacity=5)


def test_a_day_that_is_said_twice_is_one() -> None:
    pattern = a_pattern(weekdays=[5, 1, 5], exceptions=[MONDAY, MONDAY])

    assert (pattern.weekdays, pattern.exceptions) == ([1, 5], [MONDAY])
