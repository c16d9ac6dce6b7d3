"""Places in line: every state and verb, and offers that end in time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.catalogue.departures import DepartureClosed, DepartureStatus, SeatsFreed, SoldOut
from domain.sales.waiting import (
    NEXT,
    NoSeatOffer,
    SeatOfferLapsed,
    SeatsOffered,
    WaitingEnded,
    WaitingEntry,
    WaitingStatus,
)
from domain.shared.errors import IllegalTransition
from infrastructure.clock import new_id
from tests.builders import NOON, a_departure

UNTIL = NOON + timedelta(hours=12)
WAITING, OFFERED = WaitingStatus.WAITING, WaitingStatus.OFFERED
Verb = Callable[[WaitingEntry], object]
VERBS: list[tuple[Verb, WaitingStatus, set[WaitingStatus]]] = [
    (lambda entry: entry.offer(until=UNTIL, at=NOON), WaitingStatus.OFFERED, {WAITING}),
    (lambda entry: entry.accept(new_id(), at=NOON), WaitingStatus.ACCEPTED, {OFFERED}),
    (lambda entry: entry.lapse(at=UNTIL), WaitingStatus.EXPIRED, {OFFERED}),
    (lambda entry: entry.leave(at=NOON), WaitingStatus.CANCELLED, {WAITING, OFFERED}),
    (lambda entry: entry.close(WaitingStatus.CANCELLED, at=NOON), WaitingStatus.CANCELLED, {WAITING, OFFERED}),
    (lambda entry: entry.close(WaitingStatus.EXPIRED, at=NOON), WaitingStatus.EXPIRED, {WAITING, OFFERED}),
]


def an_entry(status: WaitingStatus = WaitingStatus.WAITING, *, seats: int = 2) -> WaitingEntry:
    whose = new_id()
    entry = WaitingEntry.join(
        entry_id=new_id(), departure_id=new_id(), user_id=whose, joined_by=whose, seats=seats, at=NOON
    )
    entry.status = status
    if status is WaitingStatus.OFFERED:
        entry.offered_at, entry.offer_expires_at = NOON, UNTIL
    return entry


@pytest.mark.parametrize("status", WaitingStatus)
@pytest.mark.parametrize(("verb", "wanted", "allowed"), VERBS)
def test_every_verb_moves_an_entry_from_the_states_that_it_is_for(
    status: WaitingStatus, verb: Verb, wanted: WaitingStatus, allowed: set[WaitingStatus]
) -> None:
    entry = an_entry(status)
    if status in allowed:
        verb(entry)
        assert wanted in NEXT[status]
        assert entry.status is wanted
        assert (entry.ended_at is not None) == (wanted is not OFFERED)
    else:
        with pytest.raises((IllegalTransition, NoSeatOffer)):
            verb(entry)
        assert entry.status is status


def test_an_offer_holds_until_its_instant_and_no_longer() -> None:
    entry = an_entry()
    assert (entry.seats_kept, entry.is_offered(at=NOON)) == (0, False)

    entry.offer(until=UNTIL, at=NOON)

    assert entry.seats_kept == 2
    assert entry.is_offered(at=UNTIL - timedelta(seconds=1))
    assert not entry.is_offered(at=UNTIL)
    assert entry.has_lapsed(at=UNTIL)
    with pytest.raises(NoSeatOffer):
        entry.accept(new_id(), at=UNTIL)
    assert [type(event) for event in entry.pull_events()] == [SeatsOffered]


def test_who_is_told() -> None:
    lapsed, closed, left = an_entry(WaitingStatus.OFFERED), an_entry(), an_entry(WaitingStatus.OFFERED)
    lapsed.lapse(at=UNTIL)
    closed.close(WaitingStatus.CANCELLED, at=NOON)
    left.leave(at=NOON)
    told = [[type(event) for event in entry.pull_events()] for entry in (lapsed, closed, left)]
    assert told == [[SeatOfferLapsed], [WaitingEnded], []]
    assert [entry.seats_kept for entry in (lapsed, closed, left)] == [0, 0, 0]


@given(capacity=st.integers(1, 20), others=st.integers(0, 20), kept=st.integers(1, 20), seats=st.integers(1, 20))
def test_seats_that_are_kept_are_taken_once(capacity: int, others: int, kept: int, seats: int) -> None:
    if others + kept > capacity:
        return
    departure = a_departure(capacity=capacity, taken=others + kept)

    if others + seats > capacity:
        with pytest.raises(SoldOut):
            departure.take_kept(seats, kept=kept, at=NOON)
        assert departure.seats_taken == others + kept
    else:
        departure.take_kept(seats, kept=kept, at=NOON)
        assert departure.seats_taken == others + seats
        freed = [event.seats for event in departure.pull_events() if isinstance(event, SeatsFreed)]
        assert freed == ([kept - seats] if seats < kept else [])


def test_kept_seats_of_a_departure_that_is_closed_are_not_sold() -> None:
    departure = a_departure(taken=4, status=DepartureStatus.CLOSED)
    with pytest.raises(DepartureClosed):
        departure.take_kept(2, kept=2, at=NOON)
    assert departure.seats_taken == 4
