"""Seats that are kept as long as payment codes: extended, never shortened below what was agreed, never for ever."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.billing.late_money import Hindrance, LateChoice, LateMoney, NoLateMoney
from domain.sales.booking_events import BookingReplaced
from domain.sales.booking_states import BookingStatus
from domain.sales.bookings import Booking
from domain.sales.cancellation import Settlement
from domain.sales.holds import KEPT_FREE_BEFORE_START, CodeTerms, Hold, HoldStatus
from domain.shared.errors import IllegalTransition
from infrastructure.clock import new_id
from tests.builders import NOON, TODAY, a_booking, egp, hold_of

HOUR = timedelta(hours=1)
TERMS = CodeTerms(life=24 * HOUR, longest=72 * HOUR)
FAR = TODAY + timedelta(days=60)
AGREED = NOON + HOUR


def a_waiting_booking(**details: object) -> Booking:
    return a_booking(starts_on=FAR, ends_on=FAR, hold_expires_at=AGREED, **details)  # type: ignore[arg-type]


def test_a_code_keeps_the_seats_for_its_life_and_codes_together_for_the_longest() -> None:
    booking = a_waiting_booking()
    booking.keep_for_code(TERMS, at=NOON)
    assert booking.hold_expires_at == NOON + 24 * HOUR
    for hours in (20, 40, 60, 71):
        booking.keep_for_code(TERMS, at=NOON + hours * HOUR)
    assert booking.hold_expires_at == NOON + 72 * HOUR


def test_a_code_ends_before_the_trip_begins_and_shortens_nothing() -> None:
    booking = a_waiting_booking()
    soon = booking.trip.starts_at - KEPT_FREE_BEFORE_START - 2 * HOUR
    long_ago = CodeTerms(life=24 * HOUR, longest=timedelta(days=365))
    hold_of(booking).expires_at = soon + HOUR
    booking.keep_for_code(long_ago, at=soon)
    assert booking.hold_expires_at == booking.trip.starts_at - KEPT_FREE_BEFORE_START
    hold_of(booking).expires_at = booking.trip.starts_at
    booking.keep_for_code(long_ago, at=soon)
    assert booking.hold_expires_at == booking.trip.starts_at


@pytest.mark.parametrize("at", [AGREED, AGREED + HOUR])
def test_what_ran_out_is_not_kept_again(at: object) -> None:
    booking = a_waiting_booking()
    booking.keep_for_code(TERMS, at=at)  # type: ignore[arg-type]
    assert booking.hold_expires_at == AGREED


@pytest.mark.parametrize("status", [BookingStatus.CONFIRMED, BookingStatus.CANCELLED])
def test_a_booking_that_waits_for_no_deposit_follows_no_code(status: BookingStatus) -> None:
    booking = a_waiting_booking(status=status)
    booking.keep_for_code(TERMS, at=NOON)
    booking.follow_codes(NOON + 9 * HOUR, TERMS, at=NOON)
    assert hold_of(booking).expires_at == AGREED


@pytest.mark.parametrize("status", [status for status in HoldStatus if status is not HoldStatus.ACTIVE])
def test_a_hold_that_is_decided_is_never_extended(status: HoldStatus) -> None:
    hold = Hold(departure_id=uuid4(), seats=1, status=status, expires_at=NOON)
    for change in (hold.extend, hold.follow):
        with pytest.raises(IllegalTransition):
            change(NOON + HOUR)


@settings(max_examples=60, deadline=None)
@given(
    steps=st.lists(
        st.tuples(st.booleans(), st.integers(0, 100), st.none() | st.integers(0, 200)), min_size=1, max_size=8
    )
)
def test_whatever_codes_do_the_seats_are_kept_at_least_as_agreed_and_no_longer_than_the_longest(
    steps: list[tuple[bool, int, int | None]],
) -> None:
    booking = a_waiting_booking()
    for opens, now, end in steps:
        at = NOON + now * HOUR
        if opens:
            booking.keep_for_code(TERMS, at=at)
        else:
            booking.follow_codes(NOON + end * HOUR if end is not None else None, TERMS, at=at)
        until = hold_of(booking).expires_at
        assert AGREED <= until <= NOON + 72 * HOUR


class TestPlacedAgain:
    def again(self, booking: Booking) -> Booking:
        return booking.placed_again(
            booking_id=new_id(), booking_number="BK-2026-999999", new_id=new_id, at=NOON + 9 * HOUR
        )

    def test_it_is_the_same_trip_at_the_same_price_and_terms_with_a_number_of_its_own(self) -> None:
        expired = a_waiting_booking(status=BookingStatus.CANCELLED)

        booking = self.again(expired)

        assert (booking.trip, booking.price, booking.rewards) == (expired.trip, expired.price, expired.rewards)
        assert booking.deposit_amount == expired.deposit_amount
        assert booking.cancellation_terms == expired.cancellation_terms
        assert (booking.replaces_booking_id, booking.status) == (expired.id, BookingStatus.PENDING_PAYMENT)
        assert [item.total_price for item in booking.items] == [item.total_price for item in expired.items]
        assert not {item.id for item in booking.items} & {item.id for item in expired.items}
        assert BookingReplaced in [type(event) for event in booking.pull_events()]
        booking.ensure_payable(at=NOON + 9 * HOUR)

    @pytest.mark.parametrize("status", [BookingStatus.PENDING_PAYMENT, BookingStatus.CONFIRMED])
    def test_only_what_expired_is_placed_again(self, status: BookingStatus) -> None:
        with pytest.raises(IllegalTransition):
            self.again(a_waiting_booking(status=status))

    def test_what_its_owner_gave_up_is_not(self) -> None:
        booking = a_waiting_booking()
        booking.cancel(Settlement.of_unpaid("EGP"), by=booking.user_id, reason="not wanted", at=NOON)
        with pytest.raises(IllegalTransition):
            self.again(booking)


def test_a_choice_is_made_once() -> None:
    late = LateMoney.offer(
        receipt_id=uuid4(),
        booking_id=uuid4(),
        user_id=uuid4(),
        amount=egp("10.00"),
        hindrance=Hindrance.SOLD_OUT,
        choose_until=NOON + HOUR,
        at=NOON,
    )
    late.choose(LateChoice.WALLET, by=None, at=NOON)
    with pytest.raises(NoLateMoney):
        late.choose(LateChoice.REFUND, by=uuid4(), at=NOON)
    assert (late.choice, late.chosen_by, late.chosen_at) == (LateChoice.WALLET, None, NOON)
