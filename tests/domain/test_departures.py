"""Departures: seats are sold up to the capacity, never beyond, and given back once (M8)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.catalogue.departures import Departure, DepartureClosed, DepartureStatus, SoldOut
from domain.shared.errors import InvalidValue
from infrastructure.clock import new_id
from tests.builders import NOON, TODAY, a_departure


@given(capacity=st.integers(1, 30), wishes=st.lists(st.integers(-10, 10).filter(bool), max_size=30))
def test_seats_taken_are_never_more_than_there_are_nor_fewer_than_none(capacity: int, wishes: list[int]) -> None:
    departure, taken = a_departure(capacity=capacity), 0

    for seats in wishes:
        if seats > 0 and taken + seats <= capacity:
            departure.take_seats(seats, today=TODAY)
            taken += seats
        elif seats > 0:
            with pytest.raises(SoldOut) as refused:
                departure.take_seats(seats, today=TODAY)
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
        departure.take_seats(1, today=TODAY)
        return
    with pytest.raises(DepartureClosed):
        departure.take_seats(1, today=TODAY)
    assert departure.seats_taken == 0


@pytest.mark.parametrize(("days_ahead", "is_sold"), [(-1, False), (0, False), (1, True)])
def test_seats_are_sold_until_the_day_before(days_ahead: int, is_sold: bool) -> None:
    departure = a_departure(starts_on=TODAY + timedelta(days=days_ahead))

    if is_sold:
        departure.take_seats(1, today=TODAY)
        return
    with pytest.raises(DepartureClosed):
        departure.take_seats(1, today=TODAY)


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
