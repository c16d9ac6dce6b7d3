"""Activities: what may be a draft, what may be on sale, and when a departure of one is over."""

from __future__ import annotations

from datetime import date, time, timedelta
from typing import Any

import pytest

from domain.catalogue.activities import Activity, UnsoundActivity
from domain.catalogue.faults import NotPublishable
from domain.catalogue.publication import ItemStatus
from domain.shared.errors import InvalidValue
from infrastructure.clock import new_id
from tests.builders import NOON, an_activity, egp

LATER = NOON + timedelta(hours=1)


@pytest.mark.parametrize(
    ("details", "pointer"),
    [
        ({"price": egp("0.00")}, "/price"),
        ({"duration_hours": 0}, "/duration_hours"),
        ({"duration_hours": 73}, "/duration_hours"),
        ({"min_participants": 0}, "/min_participants"),
        ({"min_participants": 21}, "/max_participants"),
        ({"max_participants": 201}, "/max_participants"),
        ({"location": "x" * 101}, "/location"),
        ({"name_ar": "", "name_en": ""}, "/name_en"),
        ({"description_en": "x" * 10_001}, "/description_en"),
        ({"time_zone": "Egypt/Nowhere"}, "/time_zone"),
        ({"time_zone": "../etc/passwd"}, "/time_zone"),
        ({"time_zone": "localtime"}, "/time_zone"),
        ({"time_zone": "Factory"}, "/time_zone"),
        ({"time_zone": "EET"}, "/time_zone"),
        ({"availability_start": date(2027, 2, 1), "availability_end": date(2027, 1, 31)}, "/availability_end"),
    ],
)
def test_what_cannot_be_an_activity_is_refused_by_name(details: dict[str, Any], pointer: str) -> None:
    activity = an_activity()
    before = activity.details()
    with pytest.raises(UnsoundActivity) as refused:
        activity.change(at=LATER, **details)
    assert [fault.pointer for fault in refused.value.faults] == [pointer]
    assert activity.details() == before
    with pytest.raises(UnsoundActivity):
        Activity.create(
            item_id=new_id(), slug="x", vendor_id=None, created_by=new_id(), at=NOON, **{**before, **details}
        )


def test_all_that_customers_would_miss_is_named() -> None:
    activity = an_activity(status=ItemStatus.DRAFT, name_ar="", description_ar="", location="")

    with pytest.raises(NotPublishable) as refused:
        activity.publish(at=LATER)
    assert {fault.pointer for fault in refused.value.faults} == {"/name_ar", "/description_ar", "/location"}


@pytest.mark.parametrize(
    ("hours", "begins", "zone", "over_on"),
    [
        (3, time(9), "Africa/Cairo", date(2027, 1, 10)),
        (4, time(20), "Africa/Cairo", date(2027, 1, 10)),
        (5, time(20), "Africa/Cairo", date(2027, 1, 11)),
        (24, time(0), "Asia/Dubai", date(2027, 1, 10)),
        (72, time(12), "Asia/Dubai", date(2027, 1, 13)),
    ],
)
def test_it_is_over_on_the_day_that_its_hours_end_on(hours: int, begins: time, zone: str, over_on: date) -> None:
    assert an_activity(duration_hours=hours, time_zone=zone).last_day(date(2027, 1, 10), begins) == over_on


def test_a_night_that_the_clocks_lengthen_ends_an_hour_earlier_on_the_wall() -> None:
    # From 20:00 on 28 October 2027 in Cairo, five hours end at midnight: the hour from 23:00 comes twice.
    assert an_activity(duration_hours=5).last_day(date(2027, 10, 28), time(20)) == date(2027, 10, 28)
    assert an_activity(duration_hours=6).last_day(date(2027, 10, 28), time(20)) == date(2027, 10, 29)


def test_dates_outside_its_season_are_refused() -> None:
    activity = an_activity(availability_start=date(2027, 1, 1), availability_end=date(2027, 1, 31))
    activity.refuse_unavailable(date(2027, 1, 1), date(2027, 1, 31))
    with pytest.raises(InvalidValue):
        activity.refuse_unavailable(date(2026, 12, 31), date(2027, 1, 1))
    with pytest.raises(InvalidValue):
        activity.refuse_unavailable(date(2027, 1, 31), date(2027, 2, 1))
