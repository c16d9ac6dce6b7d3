"""Bookings: forward only, their seats decided once, and paid by exactly what is due (Q3, M7)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from uuid import uuid4

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from domain.sales.agreed import BookingSource, BookingType, Parties, RewardTerms, source_of
from domain.sales.booking_errors import BalanceDue, NothingToPay, OverrideReasonNeeded, TooEarly, TripStarted
from domain.sales.booking_events import (
    BookingCancelled,
    BookingCompleted,
    BookingConfirmed,
    BookingExpired,
    BookingMissed,
    BookingPriced,
    BookingRefunded,
    BookingRequested,
    BookingStarted,
    RequestLapsed,
)
from domain.sales.booking_states import ITEM_STATUS, NEXT, BookingPaymentStatus, BookingStatus, StatusChange
from domain.sales.bookings import LAPSES_AFTER, Booking
from domain.sales.cancellation import ALWAYS, EVERYTHING, CancellationTerms, RefundTier, Settlement
from domain.sales.holds import Hold, HoldStatus
from domain.sales.requests import TripWish
from domain.sales.travelers import TravelersFixed
from domain.shared.errors import IllegalTransition
from domain.shared.money import Money
from domain.shared.percentage import Percentage
from tests.builders import NOON, TODAY, a_booking, a_departure, a_price, an_item, egp, hold_of

STAFF = uuid4()
NOTHING = egp("0.00")


def confirm(booking: Booking) -> None:
    booking.receive(booking.amount_due, in_points=egp("0.00"), by=None, at=NOON)


def expire(booking: Booking) -> None:
    booking.expire(at=NOON)


def start(booking: Booking) -> None:
    booking.start(today=booking.start_date, override_reason=None, by=STAFF, at=NOON)


def complete(booking: Booking) -> None:
    booking.complete(today=booking.end_date, override_reason=None, by=STAFF, at=NOON)


def offer(booking: Booking) -> None:
    booking.make_offer(
        a_price(egp("900.00")),
        [an_item(egp("900.00"))],
        rewards=booking.rewards,
        cancellation_terms=booking.cancellation_terms,
        hold_expires_at=NOON + timedelta(days=2),
        by=STAFF,
        at=NOON,
    )


def cancel(booking: Booking) -> None:
    """At half of what is left."""
    left = booking.paid_amount - booking.refunded_amount
    kept = Percentage.parse("50").of(left)
    settlement = Settlement(
        to_original=left - kept,
        to_wallet=NOTHING,
        to_voucher_credit=NOTHING,
        in_points=NOTHING,
        kept=kept,
        to_agent=NOTHING,
    )
    booking.cancel(settlement, by=STAFF, reason="plans changed", at=NOON)


def miss(booking: Booking) -> None:
    booking.miss(today=booking.start_date, reason="the driver waited an hour", by=STAFF, at=NOON)


VERBS: dict[Callable[[Booking], None], tuple[BookingStatus, type]] = {
    offer: (BookingStatus.PENDING_PAYMENT, BookingPriced),
    confirm: (BookingStatus.CONFIRMED, BookingConfirmed),
    cancel: (BookingStatus.CANCELLED, BookingCancelled),
    miss: (BookingStatus.IN_PROGRESS, BookingMissed),
    expire: (BookingStatus.CANCELLED, BookingExpired),
    start: (BookingStatus.IN_PROGRESS, BookingStarted),
    complete: (BookingStatus.COMPLETED, BookingCompleted),
}


def may(state: BookingStatus, verb: Callable[[Booking], None]) -> bool:
    """Whether the table of the machine has the step; time runs out only while money is waited for.

    A no-show is recorded of a trip that is under way, too.
    """
    if verb is expire:
        return state is BookingStatus.PENDING_PAYMENT
    if verb is miss and state is BookingStatus.IN_PROGRESS:
        return True
    return VERBS[verb][0] in NEXT[state]


EVERY_STEP = [pytest.param(state, verb, id=f"{verb.__name__}-{state}") for state in BookingStatus for verb in VERBS]


@pytest.mark.parametrize(("state", "verb"), EVERY_STEP)
def test_every_verb_in_every_state(state: BookingStatus, verb: Callable[[Booking], None]) -> None:
    booking = a_booking(status=state)
    hold_before, (target, event) = hold_of(booking).status, VERBS[verb]

    if may(state, verb):
        verb(booking)
        assert booking.status is target
        assert [(change.from_status, change.to_status) for change in booking.pull_changes()] == [(state, target)]
        assert [type(happened) for happened in booking.pull_events()] == [event]
        return
    with pytest.raises(IllegalTransition) as refused:
        verb(booking)
    assert refused.value.facts["current"] == state
    assert (booking.status, hold_of(booking).status) == (state, hold_before)
    assert not booking.pull_changes()
    assert not booking.pull_events()


@pytest.mark.parametrize("state", BookingStatus)
def test_what_has_a_price_does_not_lapse(state: BookingStatus) -> None:
    booking = a_booking(status=state)
    over = booking.trip.starts_at + LAPSES_AFTER
    with pytest.raises(IllegalTransition):
        booking.lapse(at=over - timedelta(seconds=1))

    if state is BookingStatus.DRAFT:
        booking.lapse(at=over)
        assert [type(happened) for happened in booking.pull_events()] == [RequestLapsed]
        return
    with pytest.raises(IllegalTransition):
        booking.lapse(at=over)
    assert booking.status is state


def a_request() -> Booking:
    """A draft of a hotel, three days ahead."""
    trip = TripWish(booking_type=BookingType.HOTEL, start_date=TODAY + timedelta(days=3), travelers_count=2)
    customer = uuid4()
    booking = Booking.request(
        booking_id=uuid4(),
        booking_number="BK-2026-900000",
        parties=Parties.of(creator=customer, customer=customer, agent=None, creator_is_staff=False),
        trip=trip.trip(at=NOON),
        unpriced=a_price(Money.zero("USD")),
        rewards=RewardTerms(tier_code="GUEST", points_multiplier=100, cashback_rate=Percentage(0)),
        cancellation_terms=ALWAYS,
        customer_info={},
        special_requests="",
        at=NOON,
    )
    booking.pull_changes()
    return booking


def test_a_request_waits_for_its_price_and_then_for_its_money() -> None:
    booking = a_request()
    assert [type(happened) for happened in booking.pull_events()] == [BookingRequested]
    assert (booking.status, booking.hold, booking.amount_due) == (BookingStatus.DRAFT, None, Money.zero("USD"))
    assert not booking.takes_money(at=NOON)

    offer(booking)

    assert (booking.status, booking.amount_due) == (BookingStatus.PENDING_PAYMENT, egp("900.00"))
    assert hold_of(booking).seats == 0
    confirm(booking)
    assert booking.status is BookingStatus.CONFIRMED
    with pytest.raises(IllegalTransition):
        offer(booking)


def test_an_offer_is_made_anew_while_nothing_is_paid() -> None:
    booking = a_request()
    offer(booking)
    offer(booking)

    assert [(step.from_status, step.to_status, step.change_reason) for step in booking.pull_changes()] == [
        ("DRAFT", "PENDING_PAYMENT", "priced"),
        ("PENDING_PAYMENT", "PENDING_PAYMENT", "priced again"),
    ]
    expire(booking)
    with pytest.raises(IllegalTransition):
        offer(booking)


def test_a_request_is_changed_until_it_is_priced() -> None:
    booking = a_request()

    def change() -> None:
        booking.change_request(
            trip=booking.trip, customer_info={"phone": "+20"}, special_requests="sea", by=STAFF, at=NOON
        )

    change()
    assert (booking.special_requests, booking.customer_info) == ("sea", {"phone": "+20"})
    offer(booking)
    with pytest.raises(IllegalTransition):
        change()


def test_staff_confirm_what_has_its_deposit_and_nothing_else() -> None:
    booking = a_booking(price=egp("1000.00"), deposit=Percentage.parse("30"))
    with pytest.raises(BalanceDue) as refused:
        booking.confirm(by=STAFF, at=NOON)
    assert refused.value.facts["due"] == "EGP 300.00"

    # As an amendment that made the trip cheaper leaves it.
    booking.paid_amount = egp("300.00")
    booking.confirm(by=STAFF, at=NOON)

    assert (booking.status, booking.payment_status) == (BookingStatus.CONFIRMED, BookingPaymentStatus.PARTIALLY_PAID)
    assert hold_of(booking).status is HoldStatus.CAPTURED
    with pytest.raises(IllegalTransition):
        booking.confirm(by=STAFF, at=NOON)


@pytest.mark.parametrize("state", sorted(set(BookingStatus) - {BookingStatus.PENDING_PAYMENT}))
def test_only_what_waits_for_money_is_confirmed_by_staff(state: BookingStatus) -> None:
    with pytest.raises(IllegalTransition):
        a_booking(status=state).confirm(by=STAFF, at=NOON)


def test_a_no_show_is_recorded_once_from_the_first_day_on_and_keeps_the_money() -> None:
    booking = a_booking(status=BookingStatus.CONFIRMED, starts_on=TODAY)
    with pytest.raises(TooEarly):
        booking.miss(today=TODAY - timedelta(days=1), reason="early", by=STAFF, at=NOON)
    paid = booking.paid_amount

    miss(booking)

    assert (booking.status, booking.no_show_at, booking.paid_amount) == (BookingStatus.IN_PROGRESS, NOON, paid)
    with pytest.raises(IllegalTransition):
        miss(booking)
    complete(booking)
    assert booking.status is BookingStatus.COMPLETED


@pytest.mark.parametrize("state", BookingStatus)
def test_travellers_are_written_down_until_the_trip_begins(state: BookingStatus) -> None:
    booking = a_booking(status=state, starts_on=TODAY + timedelta(days=1))
    is_open = state in (BookingStatus.DRAFT, BookingStatus.PENDING_PAYMENT, BookingStatus.CONFIRMED)
    if is_open:
        booking.rename_travelers(by=STAFF, at=booking.trip.starts_at - timedelta(seconds=1))
        [step] = booking.pull_changes()
        assert (step.from_status, step.to_status) == (state, state)
    for at in (booking.trip.starts_at,) if is_open else (NOON,):
        with pytest.raises(TravelersFixed):
            booking.rename_travelers(by=STAFF, at=at)


def test_the_machine_only_goes_forward() -> None:
    def beyond(state: BookingStatus, seen: frozenset[BookingStatus] = frozenset()) -> set[BookingStatus]:
        assert state not in seen, "a cycle"
        return NEXT[state].union(*(beyond(after, seen | {state}) for after in NEXT[state]))

    assert beyond(BookingStatus.DRAFT) == set(BookingStatus) - {BookingStatus.DRAFT}
    assert NEXT[BookingStatus.REFUNDED] == set()


def pay(booking: Booking, amount: str, *, in_points: str = "0.00") -> None:
    booking.receive(egp(amount), in_points=egp(in_points), by=None, at=NOON)


def test_a_hold_ends_with_the_trip_s_start_and_what_is_unpaid_then_takes_no_money() -> None:
    booking = a_booking(hold_expires_at=NOON + timedelta(days=7))
    begins, due = booking.trip.starts_at, booking.amount_due
    assert booking.hold_expires_at == begins
    assert booking.accepts(due, at=begins - timedelta(seconds=1))

    assert not booking.accepts(due, at=begins)
    assert booking.began_unpaid(at=begins)
    with pytest.raises(NothingToPay):
        booking.ensure_payable(at=begins)
    with pytest.raises(IllegalTransition):
        booking.receive(due, in_points=egp("0.00"), by=None, at=begins)


def test_what_is_due_of_a_booking_that_is_confirmed_is_paid_after_the_trip_began() -> None:
    booking = a_booking(deposit=Percentage(3_000))
    booking.receive(egp("300.00"), in_points=egp("0.00"), by=None, at=NOON)
    later = booking.trip.starts_at + timedelta(hours=1)
    booking.receive(egp("700.00"), in_points=egp("0.00"), by=None, at=later)

    assert booking.payment_status is BookingPaymentStatus.PAID


def test_a_paid_booking_is_confirmed_and_its_seats_are_captured() -> None:
    booking = a_booking(price=egp("2280.00"))

    pay(booking, "2280.00", in_points="80.00")

    assert booking.payment_status is BookingPaymentStatus.PAID
    assert (booking.paid_amount, booking.points_paid_amount) == (egp("2280.00"), egp("80.00"))
    assert booking.amount_due == NOTHING
    assert hold_of(booking).status is HoldStatus.CAPTURED
    assert booking.hold_expires_at is None


@pytest.mark.parametrize("amount", ["999.99", "1000.01", "0.00"])
def test_without_a_deposit_a_booking_is_confirmed_by_exactly_what_is_due(amount: str) -> None:
    booking = a_booking(price=egp("1000.00"))

    assert not booking.accepts(egp(amount), at=NOON)
    with pytest.raises(ValueError, match="no more than is due"):
        pay(booking, amount)

    assert booking.status is BookingStatus.PENDING_PAYMENT


def test_a_deposit_confirms_and_the_rest_is_paid_in_any_parts() -> None:
    booking = a_booking(price=egp("1000.00"), deposit=Percentage.parse("30"))
    assert (booking.deposit_amount, booking.smallest_payment) == (egp("300.00"), egp("300.00"))
    assert not booking.accepts(egp("299.99"), at=NOON)

    pay(booking, "300.00")
    assert (booking.status, booking.payment_status) == (BookingStatus.CONFIRMED, BookingPaymentStatus.PARTIALLY_PAID)
    assert (booking.amount_due, booking.smallest_payment) == (egp("700.00"), egp("0.01"))

    pay(booking, "0.01")
    pay(booking, "699.99")
    assert (booking.payment_status, booking.amount_due) == (BookingPaymentStatus.PAID, NOTHING)
    assert not booking.accepts(egp("0.01"), at=NOON)
    assert len(booking.pull_changes()) == 1


def test_a_trip_is_not_over_before_it_is_paid() -> None:
    booking = a_booking(price=egp("1000.00"), deposit=Percentage.parse("30"))
    pay(booking, "300.00")
    start(booking)

    with pytest.raises(BalanceDue):
        complete(booking)

    pay(booking, "700.00")
    complete(booking)
    assert booking.status is BookingStatus.COMPLETED


def test_a_booking_follows_what_goes_back_of_it() -> None:
    booking = a_booking(price=egp("1000.00"))
    pay(booking, "1000.00")

    booking.give_back(egp("1.00"), at=NOON)
    assert booking.payment_status is BookingPaymentStatus.PARTIALLY_REFUNDED
    booking.give_back(egp("999.00"), at=NOON)
    assert booking.payment_status is BookingPaymentStatus.REFUNDED
    with pytest.raises(ValueError, match="no more goes back"):
        booking.give_back(egp("0.01"), at=NOON)
    booking.take_back(egp("1000.00"), at=NOON)
    assert (booking.payment_status, booking.refunded_amount) == (BookingPaymentStatus.PAID, NOTHING)


@pytest.mark.parametrize("state", [BookingStatus.COMPLETED, BookingStatus.CANCELLED])
def test_what_is_over_ends_as_refunded_with_the_last_of_its_money(state: BookingStatus) -> None:
    booking = a_booking(status=state, price=egp("100.00"))
    booking.paid_amount = egp("100.00")

    booking.give_back(egp("99.99"), at=NOON)
    assert booking.status is state
    booking.give_back(egp("0.01"), at=NOON)
    assert booking.status is BookingStatus.REFUNDED
    assert [type(event) for event in booking.pull_events()] == [BookingRefunded]

    booking.take_back(egp("0.01"), at=NOON)
    assert (booking.status, booking.payment_status) == (
        BookingStatus.REFUNDED, BookingPaymentStatus.PARTIALLY_REFUNDED,
    )  # fmt: skip
    booking.give_back(egp("0.01"), at=NOON)
    assert booking.payment_status is BookingPaymentStatus.REFUNDED
    assert len(booking.pull_changes()) == 1


@pytest.mark.parametrize("state", [BookingStatus.CONFIRMED, BookingStatus.IN_PROGRESS])
def test_what_is_sold_has_lost_its_money_with_the_last_of_it_and_is_cancelled_with_what_it_took(
    state: BookingStatus,
) -> None:
    booking = a_booking(status=state, price=egp("100.00"))
    booking.give_back(egp("99.99"), at=NOON)
    assert not booking.has_lost_its_money

    booking.give_back(egp("0.01"), at=NOON)
    assert (booking.status, booking.has_lost_its_money) == (state, True)
    booking.cancel(Settlement.of_unpaid("EGP"), by=None, reason="all of it went back", at=NOON)

    assert (booking.status, booking.has_lost_its_money) == (BookingStatus.REFUNDED, False)
    assert [change.to_status for change in booking.pull_changes()] == ["CANCELLED", "REFUNDED"]
    told, _ = booking.pull_events()
    assert isinstance(told, BookingCancelled)
    assert (told.refunded_before_minor, told.kept_minor) == (10_000, 0)
    booking.take_back(egp("100.00"), at=NOON)
    assert booking.status is BookingStatus.REFUNDED


@pytest.mark.parametrize("state", BookingStatus)
def test_only_what_is_sold_has_lost_its_money(state: BookingStatus) -> None:
    booking = a_booking(status=state)
    booking.refunded_amount = booking.paid_amount = booking.final_amount

    assert booking.has_lost_its_money == (state in (BookingStatus.CONFIRMED, BookingStatus.IN_PROGRESS))
    assert booking.ends_without_money == (
        state in (BookingStatus.PENDING_PAYMENT, BookingStatus.CONFIRMED, BookingStatus.IN_PROGRESS)
    )


def test_what_was_overpaid_is_no_money_of_its_trip() -> None:
    booking = a_booking(status=BookingStatus.CONFIRMED, price=egp("100.00"))
    booking.overpaid_amount = egp("60.00")
    booking.give_back(egp("60.00"), at=NOON)
    assert not booking.has_lost_its_money
    booking.give_back(egp("40.00"), at=NOON)
    assert booking.has_lost_its_money

    free = a_booking(status=BookingStatus.CONFIRMED, price=egp("100.00"))
    free.overpaid_amount = egp("100.00")
    free.give_back(egp("100.00"), at=NOON)
    assert not free.has_lost_its_money


def test_what_a_cancellation_keeps_goes_back_last() -> None:
    booking = a_booking(status=BookingStatus.CONFIRMED, price=egp("100.00"))
    cancel(booking)
    assert booking.kept_amount == egp("50.00")

    assert [booking.earned_of(egp(part)) for part in ("50.00", "50.01", "100.00")] == [
        NOTHING, egp("0.01"), egp("50.00"),
    ]  # fmt: skip
    booking.give_back(egp("60.00"), at=NOON)
    assert (booking.kept_amount, booking.refunded_amount) == (egp("40.00"), egp("60.00"))
    booking.take_back(egp("60.00"), at=NOON)
    assert booking.kept_amount == egp("40.00")


QUARTER = Percentage.parse("25")
A_DAY = CancellationTerms(tiers=(RefundTier(hours_before=24, refund=QUARTER),))


@pytest.mark.parametrize("state", BookingStatus)
def test_which_terms_a_cancellation_follows(state: BookingStatus) -> None:
    booking = a_booking(status=state, terms=A_DAY)
    starts_at = booking.trip.starts_at
    in_time, late, after = starts_at - timedelta(days=2), starts_at, starts_at + timedelta(microseconds=1)

    if state in (BookingStatus.DRAFT, BookingStatus.PENDING_PAYMENT):
        shares = [booking.refund_terms(decided=decided, at=after).refund for decided in (None, QUARTER)]
        assert shares == [EVERYTHING] * 2
    elif state is BookingStatus.CONFIRMED:
        assert booking.refund_terms(decided=None, at=in_time).refund == QUARTER
        assert booking.refund_terms(decided=None, at=late).refund == Percentage(0)
        assert booking.refund_terms(decided=EVERYTHING, at=after).refund == EVERYTHING
        with pytest.raises(TripStarted):
            booking.refund_terms(decided=None, at=after)
    elif state is BookingStatus.IN_PROGRESS:
        assert booking.refund_terms(decided=QUARTER, at=in_time).refund == QUARTER
        with pytest.raises(TripStarted):
            booking.refund_terms(decided=None, at=in_time)
    else:
        for decided in (None, EVERYTHING):
            with pytest.raises(IllegalTransition):
                booking.refund_terms(decided=decided, at=in_time)


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
    hold_of(booking).status = hold

    expected = state is BookingStatus.PENDING_PAYMENT and hold is HoldStatus.ACTIVE
    assert booking.is_awaiting_deposit == expected
    assert booking.accepts(booking.amount_due, at=NOON) == (expected and booking.amount_due.is_positive)
    if not expected:
        with pytest.raises(NothingToPay):
            booking.ensure_payable(at=NOON)


def test_paying_ends_with_the_shown_deadline_but_money_on_its_way_is_still_taken() -> None:
    booking = a_booking(hold_expires_at=NOON)

    booking.ensure_payable(at=NOON - timedelta(microseconds=1))
    with pytest.raises(NothingToPay):
        booking.ensure_payable(at=NOON)
    assert booking.accepts(booking.amount_due, at=NOON)


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

    @initialize(price=st.integers(1, 10**9), percent=st.integers(1, 100))
    def place(self, price: int, percent: int) -> None:
        self.booking = a_booking(price=egp(f"{price}"), deposit=Percentage.parse(f"{percent}"))
        self.path = [self.booking.status]

    @rule(part=st.integers(1, 10**11))
    def pay_a_part(self, part: int) -> None:
        amount, before = Money.of(part, "EGP"), self.booking.paid_amount
        if not self.booking.accepts(amount, at=NOON):
            return
        self.booking.receive(amount, in_points=NOTHING, by=None, at=NOON)
        assert self.booking.paid_amount == before + amount
        self._follow(self.booking.pull_changes())

    @rule(part=st.integers(1, 10**11))
    def refund_a_part(self, part: int) -> None:
        booking, amount = self.booking, Money.of(part, "EGP")
        if amount > booking.paid_amount - booking.refunded_amount:
            return
        before = booking.kept_amount - booking.earned_of(amount)
        booking.give_back(amount, at=NOON)
        assert booking.status is BookingStatus.COMPLETED or booking.kept_amount == before
        self._follow(booking.pull_changes())

    @rule(verb=st.sampled_from(list(VERBS)))
    def do(self, verb: Callable[[Booking], None]) -> None:
        try:
            verb(self.booking)
            if verb in (cancel, expire):
                self.gone = HoldStatus.RELEASED if verb is cancel else HoldStatus.EXPIRED
        except (IllegalTransition, BalanceDue):
            assert self.booking.status is self.path[-1]
            assert not self.booking.pull_changes()
            return
        self._follow(self.booking.pull_changes())

    def _follow(self, changes: list[StatusChange]) -> None:
        for change in changes:
            assert change.from_status == self.path[-1]
            if change.to_status != change.from_status:
                self.path.append(BookingStatus(change.to_status))
        assert self.path[-1] is self.booking.status
        assert [change.to_status for change in changes[1:]] in ([], [BookingStatus.REFUNDED])

    @invariant()
    def seats_and_money_agree_with_the_status(self) -> None:
        if not hasattr(self, "booking"):
            return
        booking = self.booking
        is_paid = BookingStatus.CONFIRMED in self.path
        assert (booking.paid_amount.is_positive and booking.paid_amount >= booking.deposit_amount) == is_paid
        is_cancelled = BookingStatus.CANCELLED in self.path
        is_over = is_cancelled or booking.status is BookingStatus.REFUNDED
        assert booking.paid_amount + booking.amount_due == booking.final_amount or not is_paid or is_over
        assert booking.seats_kept == (0 if is_cancelled else booking.trip.seats)
        assert NOTHING <= booking.kept_amount <= booking.paid_amount - booking.refunded_amount
        all_back = is_paid and booking.refunded_amount == booking.paid_amount
        assert (booking.status is BookingStatus.REFUNDED) == (
            all_back and not {BookingStatus.CANCELLED, BookingStatus.COMPLETED}.isdisjoint(self.path)
        )
        assert BookingStatus.COMPLETED not in self.path or booking.amount_due.is_zero
        assert hold_of(booking).status is (
            HoldStatus.CAPTURED
            if is_paid
            else self.gone
            if booking.status is BookingStatus.CANCELLED
            else HoldStatus.ACTIVE
        )
        assert booking.no_show_at is None or is_paid
        assert len(set(self.path)) == len(self.path)


TestABookingsLife = ABookingsLife.TestCase
TestABookingsLife.settings = settings(max_examples=40, stateful_step_count=8, deadline=None)


def test_what_is_booked_stands_where_its_booking_does() -> None:
    assert {status.value: ITEM_STATUS[status].value for status in BookingStatus} == {
        "DRAFT": "PENDING",
        "PENDING_PAYMENT": "PENDING",
        "CONFIRMED": "CONFIRMED",
        "IN_PROGRESS": "CONFIRMED",
        "COMPLETED": "COMPLETED",
        "CANCELLED": "CANCELLED",
        "REFUNDED": "CANCELLED",
    }
