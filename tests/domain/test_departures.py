"""Departures: seats are sold up to the capacity, never beyond, and given back once (M8)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.catalogue.departures import (
    NEXT,
    Departure,
    DepartureCancelled,
    DepartureClosed,
    DepartureHasBookings,
    DeparturePlanned,
    DepartureReopened,
    DepartureSalesClosed,
    DepartureStatus,
    PoolAttached,
    PoolNotAttached,
    SeatsFreed,
    SoldOut,
)
from domain.catalogue.pools import CapacityBelowSold, Pool, PoolSeatsFreed
from domain.shared.clock import starts_at
from domain.shared.errors import IllegalTransition, InvalidValue
from infrastructure.clock import new_id
from tests.builders import NOON, TODAY, a_departure


@given(capacity=st.integers(1, 30), wishes=st.lists(st.integers(-10, 10).filter(bool), max_size=30))
def test_seats_taken_are_never_more_than_there_are_nor_fewer_than_none(capacity: int, wishes: list[int]) -> None:
    departure, taken = a_departure(capacity=capacity), 0

    for seats in wishes:
        if seats > 0 and taken + seats <= capacity:
            departure.take_seats(seats, at=NOON)
            taken += seats
        elif seats > 0:
            with pytest.raises(SoldOut) as refused:
                departure.take_seats(seats, at=NOON)
            assert refused.value.facts["seats_left"] == capacity - taken
        elif -seats <= taken:
            departure.give_back(-seats, at=NOON)
            taken += seats
        else:
            with pytest.raises(ValueError, match="more seats"):
                departure.give_back(-seats, at=NOON)
        assert (departure.seats_taken, departure.seats_left) == (taken, capacity - taken)


@pytest.mark.parametrize("status", DepartureStatus)
def test_seats_are_sold_only_while_the_departure_is_open(status: DepartureStatus) -> None:
    departure = a_departure(status=status)

    if status is DepartureStatus.OPEN:
        departure.take_seats(1, at=NOON)
        return
    with pytest.raises(DepartureClosed):
        departure.take_seats(1, at=NOON)
    assert departure.seats_taken == 0


@pytest.mark.parametrize(("days_ahead", "is_sold"), [(-1, False), (0, False), (1, True)])
def test_seats_are_sold_until_the_day_before(days_ahead: int, is_sold: bool) -> None:
    departure = a_departure(starts_on=TODAY + timedelta(days=days_ahead))

    if is_sold:
        departure.take_seats(1, at=NOON)
        return
    with pytest.raises(DepartureClosed):
        departure.take_seats(1, at=NOON)


@pytest.mark.parametrize(
    ("zone", "day", "ends"),
    [
        ("Africa/Cairo", "2026-11-24", "2026-11-23T22:00Z"),
        ("Asia/Tokyo", "2026-11-24", "2026-11-23T15:00Z"),
        ("America/New_York", "2026-11-24", "2026-11-24T05:00Z"),
        # Cairo's clocks skip the midnight with which this day would begin, and show 23:00 of the day before twice.
        ("Africa/Cairo", "2026-04-24", "2026-04-23T22:00Z"),
        ("Africa/Cairo", "2026-10-30", "2026-10-29T22:00Z"),
    ],
)
def test_seats_are_sold_until_the_first_day_begins_where_it_begins(zone: str, day: str, ends: str) -> None:
    departure, last = a_departure(starts_on=date.fromisoformat(day)), datetime.fromisoformat(ends)
    departure.time_zone = zone

    departure.take_seats(1, at=last - timedelta(seconds=1))
    with pytest.raises(DepartureClosed):
        departure.take_seats(1, at=last)
    assert departure.sold_until == last <= departure.begins_at


@pytest.mark.parametrize(
    ("capacity", "lasts_days", "pointer"),
    [(0, 3, "/capacity"), (-1, 3, "/capacity"), (10_001, 3, "/capacity"), (10, -1, "/ends_on")],
)
def test_departures_that_make_no_sense_are_refused(capacity: int, lasts_days: int, pointer: str) -> None:
    with pytest.raises(InvalidValue) as refused:
        Departure.plan(
            departure_id=new_id(),
            package_id=new_id(),
            starts_on=TODAY,
            ends_on=TODAY + timedelta(days=lasts_days),
            capacity=capacity,
            at=NOON,
        )

    assert refused.value.faults[0].pointer == pointer


def test_a_departure_of_one_day_is_one() -> None:
    departure = Departure.plan(
        departure_id=new_id(), package_id=new_id(), starts_on=TODAY, ends_on=TODAY, capacity=1, at=NOON
    )

    assert departure.seats_left == 1


def a_pool(capacity: int = 10, taken: int = 0) -> Pool:
    pool = Pool.create(pool_id=new_id(), name_ar="حافلة", name_en="Bus", capacity=capacity, at=NOON)
    pool.seats_taken = taken
    return pool


class TestStatuses:
    VERBS: ClassVar[dict[DepartureStatus, Callable[[Departure], None]]] = {
        DepartureStatus.CLOSED: lambda departure: departure.close(at=NOON),
        DepartureStatus.OPEN: lambda departure: departure.reopen(at=NOON),
        DepartureStatus.CANCELLED: lambda departure: departure.cancel(at=NOON),
    }
    EVENTS: ClassVar[dict[DepartureStatus, Any]] = {
        DepartureStatus.CLOSED: DepartureSalesClosed,
        DepartureStatus.OPEN: DepartureReopened,
        DepartureStatus.CANCELLED: DepartureCancelled,
    }

    @pytest.mark.parametrize("status", DepartureStatus)
    @pytest.mark.parametrize("wanted", DepartureStatus)
    def test_every_step_is_that_of_the_table(self, status: DepartureStatus, wanted: DepartureStatus) -> None:
        departure = a_departure(status=status)
        departure.pull_events()

        if wanted in NEXT[status]:
            self.VERBS[wanted](departure)
            assert departure.status is wanted
            assert departure.pull_events() == [self.EVENTS[wanted](at=NOON, departure_id=departure.id)]
            return
        with pytest.raises(IllegalTransition):
            self.VERBS[wanted](departure)
        assert (departure.status, departure.pull_events()) == (status, [])

    def test_a_new_departure_says_that_it_is_planned(self) -> None:
        departure = a_departure()

        assert departure.pull_events() == [DeparturePlanned(at=NOON, departure_id=departure.id)]

    def test_what_is_sold_is_neither_cancelled_nor_moved(self) -> None:
        departure = a_departure(taken=1)
        before = departure.starts_on

        with pytest.raises(DepartureHasBookings):
            departure.cancel(at=NOON)
        with pytest.raises(DepartureHasBookings):
            departure.reschedule(starts_on=TODAY, ends_on=TODAY, start_time=time(9))
        assert (departure.status, departure.starts_on) == (DepartureStatus.OPEN, before)

    def test_what_is_sold_may_be_closed(self) -> None:
        departure = a_departure(taken=1)
        departure.close(at=NOON)

        assert departure.status is DepartureStatus.CLOSED

    def test_what_has_begun_is_not_opened_again(self) -> None:
        departure = a_departure(status=DepartureStatus.CLOSED, starts_on=TODAY)

        with pytest.raises(DepartureClosed):
            departure.reopen(at=NOON)

    def test_what_is_not_sold_is_moved(self) -> None:
        departure = a_departure()
        departure.reschedule(starts_on=TODAY, ends_on=TODAY + timedelta(days=1), start_time=time(9, 30))

        assert (departure.starts_on, departure.start_time) == (TODAY, time(9, 30))

    def test_what_is_moved_leaves_the_pools_of_its_day(self) -> None:
        departure, bus, daily = a_departure(), a_pool(), a_pool()
        daily.series_id, daily.on_date = new_id(), departure.starts_on
        departure.attach(bus)
        departure.attach(daily)
        departure.reschedule(starts_on=departure.starts_on, ends_on=departure.ends_on, start_time=time(9))
        assert departure.pools == [bus, daily]
        departure.reschedule(starts_on=TODAY, ends_on=TODAY, start_time=time(9))
        assert departure.pools == [bus]

    @pytest.mark.parametrize("change", [
        lambda departure: departure.change_capacity(5, at=NOON),
        lambda departure: departure.reschedule(starts_on=TODAY, ends_on=TODAY, start_time=time(9)),
        lambda departure: departure.attach(a_pool()),
    ])  # fmt: skip
    def test_what_is_cancelled_is_not_changed(self, change: Any) -> None:
        with pytest.raises(DepartureClosed):
            change(a_departure(status=DepartureStatus.CANCELLED))


class TestCapacity:
    @pytest.mark.parametrize(("capacity", "taken"), [(3, 4), (1, 2)])
    def test_there_are_never_fewer_seats_than_are_taken(self, capacity: int, taken: int) -> None:
        departure = a_departure(capacity=10, taken=taken)

        with pytest.raises(CapacityBelowSold) as refused:
            departure.change_capacity(capacity, at=NOON)
        assert (refused.value.facts["seats_taken"], departure.capacity) == (taken, 10)

    def test_seats_that_are_added_are_told_of(self) -> None:
        departure = a_departure(capacity=10, taken=4)
        departure.pull_events()
        departure.change_capacity(4, at=NOON)
        departure.change_capacity(7, at=NOON)

        assert departure.seats_left == 3
        assert departure.pull_events() == [SeatsFreed(at=NOON, departure_id=departure.id, seats=3)]

    @pytest.mark.parametrize("capacity", [0, 10_001])
    def test_a_number_of_seats_that_nothing_has_is_refused(self, capacity: int) -> None:
        with pytest.raises(InvalidValue):
            a_departure().change_capacity(capacity, at=NOON)
        with pytest.raises(InvalidValue):
            a_pool().change_capacity(capacity, at=NOON)


class TestPools:
    @given(
        own=st.integers(1, 12),
        pools=st.lists(st.tuples(st.integers(1, 12), st.integers(0, 12)), max_size=3),
        wishes=st.lists(st.integers(-5, 5).filter(bool), max_size=15),
    )
    def test_all_of_them_give_or_none_does(self, own: int, pools: list[tuple[int, int]], wishes: list[int]) -> None:
        shared = [a_pool(capacity, min(taken, capacity)) for capacity, taken in pools]
        before = [pool.seats_taken for pool in shared]
        departure = a_departure(capacity=own)
        for pool in shared:
            departure.attach(pool)

        for seats in wishes:
            left, taken = departure.seats_left, departure.seats_taken
            if seats > left:
                with pytest.raises(SoldOut) as refused:
                    departure.take_seats(seats, at=NOON)
                assert refused.value.facts["seats_left"] == left
            elif seats > 0:
                departure.take_seats(seats, at=NOON)
                taken += seats
            elif -seats <= taken:
                departure.give_back(-seats, at=NOON)
                taken += seats
            assert departure.seats_taken == taken <= own
            assert [pool.seats_taken for pool in shared] == [one + taken for one in before]
            assert all(0 <= pool.seats_taken <= pool.capacity for pool in shared)

    def test_the_refusal_names_what_is_sold_out(self) -> None:
        departure, bus, guide = a_departure(capacity=10, taken=2), a_pool(20, 12), a_pool(9, 1)
        departure.attach(bus)
        departure.attach(guide)

        with pytest.raises(SoldOut) as refused:
            departure.take_seats(7, at=NOON)
        assert refused.value.facts == {"sold_out": str(bus.id), "seats_left": 6}
        bus.change_capacity(30, at=NOON)
        guide.change_capacity(30, at=NOON)
        with pytest.raises(SoldOut) as refused:
            departure.take_seats(9, at=NOON)
        assert refused.value.facts == {"sold_out": str(departure.id), "seats_left": 8}

    def test_seats_that_come_back_are_told_of_everywhere(self) -> None:
        departure, pool = a_departure(), a_pool()
        departure.attach(pool)
        departure.take_seats(3, at=NOON)
        departure.pull_events()
        departure.give_back(2, at=NOON)

        assert departure.pull_events() == [SeatsFreed(at=NOON, departure_id=departure.id, seats=2)]
        assert pool.pull_events() == [PoolSeatsFreed(at=NOON, pool_id=pool.id, seats=2)]

    def test_attaching_takes_what_is_sold_and_detaching_gives_it_back(self) -> None:
        departure, pool = a_departure(taken=4), a_pool(capacity=5)
        departure.attach(pool)
        assert pool.seats_left == 1
        with pytest.raises(PoolAttached):
            departure.attach(pool)
        departure.detach(pool.id, at=NOON)
        assert (pool.seats_left, departure.pools) == (5, [])
        with pytest.raises(PoolNotAttached):
            departure.detach(pool.id, at=NOON)

    def test_a_pool_that_what_is_sold_does_not_fit_into_is_not_attached(self) -> None:
        departure, pool = a_departure(taken=4), a_pool(capacity=3)

        with pytest.raises(SoldOut):
            departure.attach(pool)
        assert (pool.seats_taken, departure.pools) == (0, [])


CAIRO = ZoneInfo("Africa/Cairo")


class TestBeginnings:
    # Egypt's clocks go from 00:00 to 01:00 on the last Friday of April, and from 00:00 back to 23:00 on the last
    # Thursday of October.
    @pytest.mark.parametrize(
        ("day", "hour", "instant"),
        [
            (date(2027, 1, 10), time(9, 30), datetime(2027, 1, 10, 7, 30, tzinfo=UTC)),
            (date(2027, 7, 10), time(9, 30), datetime(2027, 7, 10, 6, 30, tzinfo=UTC)),
            (date(2027, 4, 30), time(0, 0), datetime(2027, 4, 29, 22, 0, tzinfo=UTC)),
            (date(2027, 4, 30), time(0, 30), datetime(2027, 4, 29, 22, 30, tzinfo=UTC)),
            (date(2027, 4, 30), time(1, 0), datetime(2027, 4, 29, 22, 0, tzinfo=UTC)),
            (date(2027, 10, 28), time(22, 30), datetime(2027, 10, 28, 19, 30, tzinfo=UTC)),
            (date(2027, 10, 28), time(23, 30), datetime(2027, 10, 28, 20, 30, tzinfo=UTC)),
            (date(2027, 10, 28), time(23, 30, fold=1), datetime(2027, 10, 28, 20, 30, tzinfo=UTC)),
            (date(2027, 10, 29), time(0, 0), datetime(2027, 10, 28, 22, 0, tzinfo=UTC)),
        ],
    )
    def test_an_hour_on_the_wall_is_one_instant(self, day: date, hour: time, instant: datetime) -> None:
        assert starts_at(day, hour, CAIRO) == instant

    def test_an_hour_that_the_clocks_skip_is_told_as_the_one_after(self) -> None:
        begins_at = starts_at(date(2027, 4, 30), time(0, 30), CAIRO)

        assert begins_at.astimezone(CAIRO).time() == time(1, 30)

    def test_a_departure_begins_when_the_clocks_of_its_place_say_so(self) -> None:
        departure = Departure.plan(
            departure_id=new_id(),
            activity_id=new_id(),
            starts_on=date(2027, 1, 10),
            ends_on=date(2027, 1, 10),
            start_time=time(9),
            time_zone="Asia/Dubai",
            capacity=1,
            at=NOON,
        )

        assert departure.begins_at == datetime(2027, 1, 10, 5, tzinfo=UTC)

    @pytest.mark.parametrize("items", [{}, {"package_id": new_id(), "activity_id": new_id()}])
    def test_it_is_of_one_item(self, items: dict[str, Any]) -> None:
        with pytest.raises(ValueError, match="a package or"):
            Departure.plan(departure_id=new_id(), starts_on=TODAY, ends_on=TODAY, capacity=1, at=NOON, **items)
