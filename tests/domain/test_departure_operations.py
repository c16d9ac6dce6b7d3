"""Mass operations: their states, and what a move does to a booking and asks of its target."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.catalogue.departures import Departure, SoldOut
from domain.catalogue.pools import Pool
from domain.sales.booking_events import BookingMoved
from domain.sales.booking_states import BookingStatus
from domain.sales.cancellation import EVERYTHING, NEVER, NOTHING
from domain.sales.departure_operations import (
    NEXT,
    DepartureOperation,
    ItemStatus,
    OperationFinished,
    OperationKind,
    OperationOrdered,
    OperationStatus,
)
from domain.shared.errors import IllegalTransition
from infrastructure.clock import new_id
from tests.builders import NOON, a_booking, a_departure

Verb = Callable[[DepartureOperation], object]
VERBS: list[tuple[Verb, OperationStatus, set[OperationStatus]]] = [
    (lambda one: one.begin(), OperationStatus.RUNNING, {OperationStatus.PENDING, OperationStatus.RUNNING,
                                                        OperationStatus.COMPLETED_WITH_FAULTS}),
    (lambda one: one.try_again(at=NOON), OperationStatus.RUNNING, {OperationStatus.COMPLETED_WITH_FAULTS}),
    (lambda one: one.finish({ItemStatus.DONE: 2}, at=NOON), OperationStatus.COMPLETED, {OperationStatus.RUNNING}),
    (lambda one: one.finish({ItemStatus.FAILED: 1}, at=NOON), OperationStatus.COMPLETED_WITH_FAULTS,
     {OperationStatus.RUNNING}),
]  # fmt: skip


def an_operation(status: OperationStatus = OperationStatus.PENDING) -> DepartureOperation:
    operation = DepartureOperation.order(
        operation_id=new_id(),
        kind=OperationKind.CANCEL,
        departure_id=new_id(),
        target_departure_id=None,
        reasons=("السفينة في الحوض", "The ship is in the dock"),
        by=new_id(),
        at=NOON,
    )
    operation.status = status
    return operation


@pytest.mark.parametrize("status", OperationStatus)
@pytest.mark.parametrize(("verb", "wanted", "allowed"), VERBS)
def test_every_verb_moves_an_operation_from_the_states_that_it_is_for(
    status: OperationStatus, verb: Verb, wanted: OperationStatus, allowed: set[OperationStatus]
) -> None:
    operation = an_operation(status)
    if status in allowed:
        verb(operation)
        assert wanted in (*NEXT[status], status)
        assert operation.status is wanted
        assert operation.is_open == (operation.finished_at is None)
    else:
        with pytest.raises(IllegalTransition):
            verb(operation)
        assert operation.status is status


def test_it_is_over_when_nothing_is_left_to_try_and_says_what_failed() -> None:
    operation = an_operation(OperationStatus.RUNNING)
    operation.finish({ItemStatus.PENDING: 1, ItemStatus.FAILED: 3}, at=NOON)
    assert operation.is_open
    operation.finish({ItemStatus.DONE: 1, ItemStatus.FAILED: 3}, at=NOON)
    operation.try_again(at=NOON)
    ordered, finished, again = operation.pull_events()
    assert isinstance(ordered, OperationOrdered)
    assert isinstance(finished, OperationFinished)
    assert finished.faults == 3
    assert isinstance(again, OperationOrdered)
    assert operation.finished_at is None


@pytest.mark.parametrize("kind", OperationKind)
def test_a_move_leads_somewhere_and_nothing_else_does(kind: OperationKind) -> None:
    target = None if kind is OperationKind.MOVE else new_id()
    with pytest.raises(ValueError, match="leads somewhere"):
        DepartureOperation.order(operation_id=new_id(), kind=kind, departure_id=new_id(), target_departure_id=target,
                                 reasons=("", ""), by=new_id(), at=NOON)  # fmt: skip


@pytest.mark.parametrize("status", BookingStatus)
def test_a_booking_with_a_trip_before_it_is_moved_and_nothing_else_of_it_changes(status: BookingStatus) -> None:
    booking = a_booking(status=status)
    before, price = booking.trip, booking.price
    booking.pull_events()
    booking.pull_changes()
    trip = replace(before, departure_id=new_id(), start_date=before.start_date + timedelta(days=3))

    def move() -> None:
        booking.move(trip, operation_id=new_id(), free_until=NOON, by=None, reason="the ship", at=NOON)

    if status in (BookingStatus.PENDING_PAYMENT, BookingStatus.CONFIRMED):
        move()
        assert (booking.status, booking.price, booking.trip) == (status, price, trip)
        assert booking.hold is not None
        assert booking.hold.departure_id == trip.departure_id
        (step,) = booking.pull_changes()
        assert (step.from_status, step.to_status, step.change_reason) == (status, status, "the ship")
        assert [type(event) for event in booking.pull_events()] == [BookingMoved]
    else:
        with pytest.raises(IllegalTransition):
            move()
        assert booking.trip == before


def test_a_moved_customer_has_everything_back_until_the_instant_that_was_said() -> None:
    booking = a_booking(status=BookingStatus.CONFIRMED)
    booking.cancellation_terms = NEVER
    booking.trip = replace(booking.trip, starts_at=NOON + timedelta(days=30))
    booking.free_cancellation_until = NOON
    assert booking.refund_terms(decided=None, at=NOON).refund == EVERYTHING
    assert booking.refund_terms(decided=None, at=NOON + timedelta(seconds=1)).refund == NOTHING


def a_pool(capacity: int, taken: int) -> Pool:
    pool = Pool.create(pool_id=new_id(), name_ar="حافلة", name_en="Bus", capacity=capacity, at=NOON)
    pool.seats_taken = taken
    return pool


@given(moved=st.integers(1, 8), free=st.integers(0, 8), own=st.integers(0, 8), shared=st.integers(0, 8))
def test_a_target_has_room_exactly_where_the_move_fits(moved: int, free: int, own: int, shared: int) -> None:
    """`free` seats of the target, of a pool of its `own`, and of a bus that it shares with where they leave."""
    bus, guide = a_pool(20, 20 - shared), a_pool(20, 20 - own)
    source, target = a_departure(capacity=20, taken=moved), a_departure(capacity=20, taken=20 - free)
    source.pools, target.pools = [bus], [bus, guide]

    try:
        target.ensure_room(moved, leaving=source)
        has_room = True
    except SoldOut:
        has_room = False

    assert has_room == _fits(moved, source, target)


def _fits(seats: int, source: Departure, target: Departure) -> bool:
    try:
        source.give_back(seats, at=NOON)
        target.take_seats(seats, at=NOON)
    except SoldOut:
        return False
    return True
