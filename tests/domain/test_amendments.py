"""Amendments: what a booking may become, what is due then, and what goes back."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.billing.invoices import Documented, tax_moving
from domain.sales.amendments import (
    NEXT,
    Amendment,
    AmendmentAwaitsPayment,
    AmendmentLapsed,
    AmendmentNotOffered,
    AmendmentStatus,
    AmendmentWaits,
    BookingAmended,
    fee_on,
    points_kept,
    seats_to_free,
    seats_to_take,
)
from domain.sales.booking_errors import TripStarted
from domain.sales.booking_states import BookingPaymentStatus, BookingStatus
from domain.sales.bookings import Booking
from domain.shared.errors import IllegalTransition, OwnRequest
from domain.shared.money import Money
from domain.shared.percentage import Percentage
from tests.builders import NOON, a_booking, a_price, a_trip, an_item, egp, hold_of

STATES = st.sampled_from(["EGP", "KWD", "JPY"])
BY = uuid4()


def an_amendment(booking: Booking, price: Money, *, fee: Money | None = None, seats: int = 2) -> Amendment:
    """To a price, on another departure."""
    return Amendment(
        id=uuid4(),
        booking_id=booking.id,
        status=AmendmentStatus.PENDING,
        before_trip=booking.trip,
        before_amount=booking.final_amount,
        trip=replace(booking.trip, departure_id=uuid4(), seats=seats, travelers_count=seats),
        price=a_price(price),
        items=(an_item(price),),
        rewards=booking.rewards,
        fee=fee or Money(0, price.currency),
        refund=booking.overpaid_at(price),
        points_restored=0,
        seats_held=seats,
        travelers=None,
        requested_by=BY,
        requested_at=NOON,
        expires_at=NOON + timedelta(minutes=15),
    )


def a_trip_ahead(**details: object) -> Booking:
    """Confirmed and paid, three days before it begins."""
    booking = a_booking(status=BookingStatus.CONFIRMED, **details)  # type: ignore[arg-type]
    booking.trip = replace(booking.trip, starts_at=NOON + timedelta(days=3), departure_id=uuid4())
    return booking


def test_what_costs_less_is_done_at_once_and_what_was_paid_beyond_it_is_owed() -> None:
    booking = a_trip_ahead()
    amendment = an_amendment(booking, egp("600.00"))
    booking.amend(amendment, by=BY, at=NOON)

    assert (booking.final_amount, booking.overpaid_amount, booking.amount_due) == (
        egp("600.00"), egp("400.00"), egp("0.00"),
    )  # fmt: skip
    assert (booking.trip, hold_of(booking).departure_id) == (amendment.trip, amendment.trip.departure_id)
    assert (booking.payment_status, amendment.status) == (BookingPaymentStatus.PAID, AmendmentStatus.APPLIED)
    [event] = booking.pull_events()
    assert isinstance(event, BookingAmended)
    assert (event.price_before_minor, event.price_minor) == (100_000, 60_000)
    assert [change.change_reason for change in booking.pull_changes()] == ["amended"]


def test_what_costs_more_waits_and_only_all_of_it_carries_it_out() -> None:
    booking = a_trip_ahead()
    old = booking.trip
    booking.await_amendment(an_amendment(booking, egp("1300.00")), by=BY, at=NOON)

    assert [type(event) for event in booking.pull_events()] == [AmendmentAwaitsPayment]
    assert (booking.trip, booking.final_amount, booking.amount_due) == (old, egp("1000.00"), egp("300.00"))
    assert booking.payment_status is BookingPaymentStatus.PAID
    assert not booking.accepts(egp("299.99"), at=NOON)
    assert not booking.accepts(egp("300.01"), at=NOON)
    booking.receive(egp("300.00"), in_points=egp("0.00"), by=None, at=NOON)
    assert (booking.final_amount, booking.paid_amount, booking.amendment) == (egp("1300.00"), egp("1300.00"), None)


def test_an_amendment_that_lapses_leaves_the_booking_as_it_was() -> None:
    booking = a_trip_ahead()
    old = (booking.trip, booking.price, booking.amount_due)
    amendment = an_amendment(booking, egp("1300.00"))
    booking.await_amendment(amendment, by=BY, at=NOON)
    booking.pull_events()
    booking.drop_amendment(AmendmentStatus.LAPSED, by=None, at=NOON)

    assert (booking.trip, booking.price, booking.amount_due) == old
    assert [type(event) for event in booking.pull_events()] == [AmendmentLapsed]
    with pytest.raises(IllegalTransition):
        booking.drop_amendment(AmendmentStatus.LAPSED, by=None, at=NOON)


def test_once_the_trip_is_under_way_money_does_not_carry_out_what_waits() -> None:
    booking = a_trip_ahead()
    booking.await_amendment(an_amendment(booking, egp("1300.00")), by=BY, at=NOON)
    booking.status = BookingStatus.IN_PROGRESS

    assert (booking.amount_due, booking.takes_money(at=NOON)) == (egp("0.00"), False)
    assert not booking.accepts(egp("300.00"), at=NOON)


@pytest.mark.parametrize("status", [status for status in BookingStatus if status is not BookingStatus.CONFIRMED])
def test_only_a_confirmed_booking_is_amended(status: BookingStatus) -> None:
    booking = a_booking(status=status)
    with pytest.raises(IllegalTransition):
        booking.ensure_amendable(at=NOON)


def test_nothing_is_amended_after_its_start_or_twice_at_once() -> None:
    booking = a_trip_ahead()
    with pytest.raises(TripStarted):
        booking.ensure_amendable(at=booking.trip.starts_at)
    booking.await_amendment(an_amendment(booking, egp("1300.00")), by=BY, at=NOON)
    for verb in (booking.ensure_amendable, lambda at: booking.rename_travelers(by=BY, at=at)):
        with pytest.raises(AmendmentWaits):
            verb(at=NOON)


def test_what_people_priced_is_priced_by_people_and_by_nobody_for_themselves() -> None:
    booking = a_trip_ahead()
    booking.ensure_priced_by(BY)
    with pytest.raises(AmendmentNotOffered):
        booking.ensure_priced_by(None)
    with pytest.raises(OwnRequest):
        booking.ensure_priced_by(booking.user_id)


def test_without_a_departure_no_seats_change_hands_and_another_start_is_another_trip() -> None:
    booking = a_trip_ahead()
    booking.trip = replace(booking.trip, departure_id=None)
    larger = replace(booking.trip, seats=5)
    later = replace(booking.trip, starts_at=booking.trip.starts_at + timedelta(hours=1))
    assert (seats_to_take(booking.trip, larger), seats_to_free(larger, booking.trip)) == (0, 0)
    assert booking.given_up_for(larger, a_price(egp("1500.00"))) == egp("0.00")
    assert booking.given_up_for(later, a_price(egp("1500.00"))) == egp("1000.00")
    booking.amend(replace(an_amendment(booking, egp("900.00")), trip=larger), by=BY, at=NOON)
    assert (hold_of(booking).seats, hold_of(booking).departure_id) == (0, None)


@pytest.mark.parametrize("status", AmendmentStatus)
@pytest.mark.parametrize("to", AmendmentStatus)
def test_an_amendment_is_decided_once(status: AmendmentStatus, to: AmendmentStatus) -> None:
    amendment = an_amendment(a_trip_ahead(), egp("1300.00"))
    amendment.status = status
    if to in NEXT[status]:
        amendment.resolve(to, at=NOON)
        assert (amendment.status, amendment.resolved_at) == (to, NOON)
    else:
        with pytest.raises(IllegalTransition):
            amendment.resolve(to, at=NOON)


@pytest.mark.parametrize(
    ("same", "before", "after", "taken", "freed"),
    [(True, 2, 3, 1, 0), (True, 3, 2, 0, 1), (True, 2, 2, 0, 0), (False, 2, 3, 3, 2), (False, 3, 1, 1, 3)],
)
def test_seats_that_are_taken_and_freed(same: bool, before: int, after: int, taken: int, freed: int) -> None:
    old = replace(a_trip(), seats=before)
    new = replace(old, seats=after, departure_id=old.departure_id if same else uuid4())

    assert (seats_to_take(old, new), seats_to_free(old, new)) == (taken, freed)


def test_another_date_gives_up_the_whole_trip_and_a_smaller_party_what_it_is_smaller_by() -> None:
    booking = a_trip_ahead()
    same, other = booking.trip, replace(booking.trip, departure_id=uuid4())
    assert booking.given_up_for(other, a_price(egp("1500.00"))) == egp("1000.00")
    assert booking.given_up_for(same, a_price(egp("700.00"))) == egp("300.00")
    assert booking.given_up_for(same, a_price(egp("1500.00"))) == egp("0.00")
    # Cancelling would have kept a share of what is paid, and no fee twice.
    booking.paid_amount, booking.amendment_fees = egp("400.00"), egp("100.00")
    assert booking.given_up_for(other, a_price(egp("1500.00"))) == egp("300.00")


@given(given_up=st.integers(0, 10**12), share=st.integers(0, 10_000), unit=STATES)
def test_a_fee_and_the_rest_are_the_whole(given_up: int, share: int, unit: str) -> None:
    money = Money.of(given_up, unit)
    fee = fee_on(money, share=Percentage(share))

    assert fee + Percentage(share).of(money) == money
    assert Money(0, money.currency) <= fee <= money


@given(points=st.integers(1, 10**6), worth=st.integers(1, 10**7), left=st.integers(0, 10**7))
def test_points_pay_what_they_were_worth_and_never_more_than_is_left(points: int, worth: int, left: int) -> None:
    price = replace(a_price(egp("1.00")), points=points, points_worth=Money.of(worth, "EGP"))
    kept = points_kept(price, Money.of(left, "EGP"))

    assert kept.worth.minor == min(worth, left)
    assert (kept.points == 0) == (kept.worth.minor == 0)
    assert 0 <= kept.points <= points
    assert kept.points * worth >= points * kept.worth.minor


DEEDS = st.lists(
    st.tuples(st.sampled_from(["amend", "pay", "pay_a_part", "refund", "goodwill", "lapse"]), st.integers(0, 5_000)),
    max_size=20,
)


@given(deeds=DEEDS, price=st.integers(1, 3_000), deposit=st.integers(1, 100))
def test_whatever_happens_what_was_paid_less_what_went_back_is_the_price(
    deeds: list[tuple[str, int]], price: int, deposit: int
) -> None:
    """The database's checks after each step; and once all is paid and owed refunds are done, the price to the unit."""
    booking = a_booking(price=Money.of(price, "EGP"), deposit=Percentage(deposit * 100))
    booking.trip = replace(booking.trip, starts_at=NOON + timedelta(days=3), departure_id=uuid4())
    booking.receive(booking.smallest_payment, in_points=Money.zero("EGP"), by=None, at=NOON)
    goodwill = 0
    for deed, figure in deeds:
        goodwill += do(booking, deed, Money.of(figure, "EGP"), goodwill)
        beyond = booking.final_amount + booking.overpaid_amount
        assert Money.zero("EGP") <= booking.paid_amount <= beyond
        assert Money.zero("EGP") <= booking.overpaid_amount <= booking.paid_amount
        assert booking.refunded_amount <= booking.paid_amount
        assert booking.paid_amount >= booking.deposit_amount
        assert not booking.amount_due.minor < 0
    if booking.amendment is not None:
        booking.drop_amendment(AmendmentStatus.WITHDRAWN, by=BY, at=NOON)
    if booking.amount_due.is_positive:
        booking.receive(booking.amount_due, in_points=Money.zero("EGP"), by=None, at=NOON)
    refund_owed(booking, goodwill)
    kept = booking.paid_amount - booking.refunded_amount
    assert kept <= booking.final_amount
    assert goodwill or kept == booking.final_amount


def do(booking: Booking, deed: str, figure: Money, goodwill: int) -> int:
    """One deed where it can be done; what was given back out of goodwill."""
    left = booking.paid_amount - booking.refunded_amount
    if deed == "amend" and booking.amendment is None:
        amendment = an_amendment(booking, figure)
        if amendment.difference.is_positive:
            booking.await_amendment(amendment, by=BY, at=NOON)
        else:
            booking.amend(amendment, by=BY, at=NOON)
    if deed == "pay" and booking.amount_due.is_positive:
        booking.receive(booking.amount_due, in_points=Money.zero("EGP"), by=None, at=NOON)
    if deed == "pay_a_part" and booking.accepts(figure, at=NOON):
        booking.receive(figure, in_points=Money.zero("EGP"), by=None, at=NOON)
    if deed == "refund":
        refund_owed(booking, goodwill)
    if deed == "lapse" and booking.amendment is not None:
        booking.drop_amendment(AmendmentStatus.LAPSED, by=None, at=NOON)
    if deed == "goodwill" and figure.is_positive and figure <= left:
        booking.give_back(figure, at=NOON)
        return figure.minor
    return 0


def refund_owed(booking: Booking, goodwill: int) -> None:
    """Give back what amendments owe and has not gone back, as far as there is so much."""
    owed = booking.overpaid_amount - booking.refunded_amount + Money.of(goodwill, "EGP")
    back = min(owed, booking.paid_amount - booking.refunded_amount)
    if back.is_positive:
        booking.give_back(back, at=NOON)


PRICES = st.integers(1, 10**6).flatmap(lambda whole: st.tuples(st.just(whole), st.integers(0, whole)))


@given(steps=st.lists(st.tuples(PRICES, st.integers(1, 10**6)), min_size=1, max_size=8), last=PRICES)
def test_documents_end_at_the_price_and_its_tax_whatever_was_documented_before(
    steps: list[tuple[tuple[int, int], int]], last: tuple[int, int]
) -> None:
    total = tax = 0
    moves = [(price, target - total) for price, target in steps] + [(last, None)]
    for (whole, of_whole), move in moves:
        by = last[0] - total if move is None else max(move, -total)
        so_far = Documented(total=Money.of(total, "EGP"), tax=Money.of(tax, "EGP"))
        moved = tax_moving(Money.of(of_whole, "EGP"), Money.of(whole, "EGP"), so_far=so_far, by=Money.of(by, "EGP"))
        # Of one sign with its document, and no more than all of it.
        assert 0 <= moved.minor <= by if by >= 0 else by <= moved.minor <= 0
        total, tax = total + by, tax + moved.minor
    assert total == last[0]
    assert 0 <= tax <= total
