"""Bookings: forward only, their seats decided once, and paid by exactly what is due (Q3, M7)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from uuid import uuid4

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from domain.sales.bookings import (
    NEXT,
    Booking,
    BookingCompleted,
    BookingConfirmed,
    BookingExpired,
    BookingPaymentStatus,
    BookingSource,
    BookingStarted,
    BookingStatus,
    Hold,
    HoldStatus,
    NothingToPay,
    OverrideReasonNeeded,
    source_of,
)
from domain.shared.errors import IllegalTransition
from tests.builders import NOON, TODAY, a_booking, a_departure, egp

STAFF = uuid4()


def confirm(booking: Booking) -> None:
    booking.confirm_paid(booking.amount_due, by=None, at=NOON)


def expire(booking: Booking) -> None:
    booking.expire(at=NOON)


def start(booking: Booking) -> None:
    booking.start(today=booking.start_date, override_reason=None, by=STAFF, at=NOON)


def complete(booking: Booking) -> None:
    booking.complete(today=booking.end_date, override_reason=None, by=STAFF, at=NOON)


VERBS: dict[Callable[[Booking], None], tuple[BookingStatus, type]] = {
    confirm: (BookingStatus.CONFIRMED, BookingConfirmed),
    expire: (BookingStatus.CANCELLED, BookingExpired),
    start: (BookingStatus.IN_PROGRESS, BookingStarted),
    complete: (BookingStatus.COMPLETED, BookingCompleted),
}


def may(state: BookingStatus, verb: Callable[[Booking], None]) -> bool:
    """Whether the table of the machine has the step; time runs out only while money is waited for."""
    if verb is expire:
        return state is BookingStatus.PENDING_PAYMENT
    return VERBS[verb][0] in NEXT[state]


EVERY_STEP = [pytest.param(state, verb, id=f"{verb.__name__}-{state}") for state in BookingStatus for verb in VERBS]


@pytest.mark.parametrize(("state", "verb"), EVERY_STEP)
def test_every_verb_in_every_state(state: BookingStatus, verb: Callable[[Booking], None]) -> None:
    booking = a_booking(status=state)
    hold_before, (target, event) = booking.hold.status, VERBS[verb]

    if may(state, verb):
        verb(booking)
        assert booking.status is target
        assert [(change.from_status, change.to_status) for change in booking.pull_changes()] == [(state, target)]
        assert [type(happened) for happened in booking.pull_events()] == [event]
        return
    with pytest.raises(IllegalTransition) as refused:
        verb(booking)
    assert refused.value.facts["current"] == state
    assert (booking.status, booking.hold.status) == (state, hold_before)
    assert not booking.pull_changes()
    assert not booking.pull_events()


def test_the_machine_only_goes_forward() -> None:
    def beyond(state: BookingStatus, seen: frozenset[BookingStatus] = frozenset()) -> set[BookingStatus]:
        assert state not in seen, "a cycle"
        return NEXT[state].union(*(beyond(after, seen | {state}) for after in NEXT[state]))

    assert beyond(BookingStatus.DRAFT) == set(BookingStatus) - {BookingStatus.DRAFT}
    assert NEXT[BookingStatus.REFUNDED] == set()


def test_a_paid_booking_is_confirmed_and_its_seats_are_captured() -> None:
    booking = a_booking(price=egp("2280.00"))

    booking.confirm_paid(egp("2280.00"), by=None, at=NOON)

    assert booking.payment_status is BookingPaymentStatus.PAID
    assert booking.paid_amount == egp("2280.00")
    assert booking.amount_due == egp("0.00")
    assert booking.hold.status is HoldStatus.CAPTURED
    assert booking.hold_expires_at is None


@pytest.mark.parametrize("amount", ["999.99", "1000.01", "0.00"])
def test_a_booking_is_confirmed_by_exactly_what_is_due(amount: str) -> None:
    booking = a_booking(price=egp("1000.00"))

    with pytest.raises(ValueError, match="exactly what is due"):
        booking.confirm_paid(egp(amount), by=None, at=NOON)

    assert booking.status is BookingStatus.PENDING_PAYMENT


def test_a_cancelled_booking_owes_nothing() -> None:
    assert a_booking(status=BookingStatus.CANCELLED).amount_due == egp("0.00")


@pytest.mark.parametrize("first", ["capture", "expire"])
@pytest.mark.parametrize("second", ["capture", "expire"])
def test_a_hold_leaves_active_once(first: str, second: str) -> None:
    hold = Hold(departure_id=a_departure().id, seats=2, status=HoldStatus.ACTIVE, expires_at=NOON)

    getattr(hold, first)()
    decided = hold.status

    with pytest.raises(IllegalTransition):
        getattr(hold, second)()
    assert hold.status is decided is not HoldStatus.ACTIVE


@pytest.mark.parametrize("state", BookingStatus)
@pytest.mark.parametrize("hold", HoldStatus)
def test_money_confirms_only_what_waits_for_it_with_its_seats(state: BookingStatus, hold: HoldStatus) -> None:
    booking = a_booking(status=state)
    booking.hold.status = hold

    expected = state is BookingStatus.PENDING_PAYMENT and hold is HoldStatus.ACTIVE
    assert booking.accepts_money == expected
    if not expected:
        with pytest.raises(NothingToPay):
            booking.ensure_payable(at=NOON)


def test_paying_ends_with_the_shown_deadline_but_money_on_its_way_is_still_taken() -> None:
    booking = a_booking(hold_expires_at=NOON)

    booking.ensure_payable(at=NOON - timedelta(microseconds=1))
    with pytest.raises(NothingToPay):
        booking.ensure_payable(at=NOON)
    assert booking.accepts_money


@pytest.mark.parametrize("reason", [None, "", "   "])
def test_a_trip_begins_and_ends_ahead_of_its_dates_only_with_a_reason(reason: str | None) -> None:
    early = TODAY - timedelta(days=1)
    confirmed = a_booking(status=BookingStatus.CONFIRMED, starts_on=TODAY)
    travelling = a_booking(status=BookingStatus.IN_PROGRESS, ends_on=TODAY)

    with pytest.raises(OverrideReasonNeeded):
        confirmed.start(today=early, override_reason=reason, by=STAFF, at=NOON)
    with pytest.raises(OverrideReasonNeeded):
        travelling.complete(today=early, override_reason=reason, by=STAFF, at=NOON)

    assert confirmed.status is BookingStatus.CONFIRMED
    assert travelling.status is BookingStatus.IN_PROGRESS


def test_the_reason_and_the_actor_stand_in_the_history() -> None:
    booking = a_booking(status=BookingStatus.CONFIRMED, starts_on=TODAY)

    booking.start(today=TODAY - timedelta(days=1), override_reason="an earlier ship", by=STAFF, at=NOON)

    [change] = booking.pull_changes()
    assert (change.change_reason, change.changed_by_user_id, change.changed_at) == ("an earlier ship", STAFF, NOON)


def test_on_the_day_itself_no_reason_is_needed() -> None:
    booking = a_booking(status=BookingStatus.CONFIRMED)

    start(booking)
    complete(booking)

    assert booking.status is BookingStatus.COMPLETED


def test_through_whom_a_booking_came() -> None:
    customer, agent, clerk = uuid4(), uuid4(), uuid4()

    def source(creator: object, agent_id: object, *, staff: bool) -> BookingSource:
        return source_of(creator=creator, customer=customer, agent=agent_id, creator_is_staff=staff)  # type: ignore[arg-type]

    assert source(customer, None, staff=False) is BookingSource.SELF
    assert source(customer, None, staff=True) is BookingSource.SELF
    assert source(agent, agent, staff=False) is BookingSource.AGENT
    assert source(clerk, None, staff=True) is BookingSource.ADMIN


class ABookingsLife(RuleBasedStateMachine):
    """Verbs in any order and number: whatever is refused, what happened stays consistent."""

    @initialize(price=st.integers(1, 10**9))
    def place(self, price: int) -> None:
        self.booking = a_booking(price=egp(f"{price}"))
        self.path = [self.booking.status]

    @rule(verb=st.sampled_from(list(VERBS)))
    def do(self, verb: Callable[[Booking], None]) -> None:
        try:
            verb(self.booking)
        except IllegalTransition:
            assert self.booking.status is self.path[-1]
            assert not self.booking.pull_changes()
            return
        [change] = self.booking.pull_changes()
        assert change.from_status == self.path[-1]
        self.path.append(self.booking.status)

    @invariant()
    def seats_and_money_agree_with_the_status(self) -> None:
        if not hasattr(self, "booking"):
            return
        booking = self.booking
        is_paid = BookingStatus.CONFIRMED in self.path
        assert (booking.paid_amount == booking.final_amount) == is_paid
        assert booking.hold.status is (
            HoldStatus.CAPTURED
            if is_paid
            else HoldStatus.EXPIRED
            if booking.status is BookingStatus.CANCELLED
            else HoldStatus.ACTIVE
        )
        assert len(set(self.path)) == len(self.path)


TestABookingsLife = ABookingsLife.TestCase
TestABookingsLife.settings = settings(max_examples=40, stateful_step_count=8, deadline=None)
