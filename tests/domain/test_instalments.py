"""Payment plans: their parts are the price to the minor unit, in time before the trip, and paid oldest first."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.sales.agreed import Trip
from domain.sales.booking_states import BookingStatus
from domain.sales.bookings import Booking
from domain.sales.instalments import (
    LEAST_DAYS_BEFORE,
    Instalment,
    InstalmentStatus,
    PaymentPlan,
    PlanNotOffered,
    PlanTerms,
    PlanWanted,
    asked_now,
    last_day_of_grace,
    next_due,
    plan_of,
    rescheduled,
    schedule,
    standings,
)
from domain.shared.clock import business_date, start_of_business_day
from domain.shared.errors import InvalidValue
from domain.shared.money import Money, total
from domain.shared.percentage import Percentage
from tests.builders import NOON, TODAY, a_booking, egp
from tests.domain.test_amendments import an_amendment

PAID, DUE, OVERDUE, UPCOMING, CANCELLED = InstalmentStatus
FULL, DEPOSIT, INSTALMENTS = PaymentPlan
HELD_UNTIL = date(2026, 3, 1)


def terms(*, percent: int = 30, days_before: int = 14, most: int = 12) -> PlanTerms:
    return PlanTerms(deposit=Percentage(percent * 100), due_days_before=days_before, most_parts=most)


def planned(
    price: str = "1000.00", plan: PaymentPlan | None = None, parts: int | None = None, *,
    starts_on: date = date(2026, 9, 14), offered: PlanTerms | None = None,
) -> tuple[Instalment, ...]:  # fmt: skip
    wanted = PlanWanted(plan, parts)
    return schedule(egp(price), wanted, offered or terms(), held_until=HELD_UNTIL, starts_on=starts_on)


def told(instalments: tuple[Instalment, ...]) -> list[tuple[str, str]]:
    return [(each.due_on.isoformat(), each.amount.decimal()) for each in instalments]


def test_a_deposit_is_followed_by_the_rest_some_days_before_the_trip() -> None:
    assert told(planned(plan=DEPOSIT)) == [("2026-03-01", "300.00"), ("2026-08-31", "700.00")]


def test_monthly_parts_are_counted_back_from_the_last_and_keep_to_the_ends_of_months() -> None:
    assert told(planned(plan=INSTALMENTS, parts=3)) == [
        ("2026-03-01", "300.00"), ("2026-06-30", "233.34"), ("2026-07-31", "233.33"), ("2026-08-31", "233.33"),
    ]  # fmt: skip


def test_a_month_back_from_the_end_of_march_is_the_end_of_february() -> None:
    parts = schedule(
        egp("100.00"), PlanWanted(INSTALMENTS, 3), terms(), held_until=date(2027, 12, 1), starts_on=date(2028, 4, 14)
    )

    assert [part.due_on for part in parts[1:]] == [date(2028, 1, 31), date(2028, 2, 29), date(2028, 3, 31)]


def test_paid_at_once_there_is_no_schedule() -> None:
    assert planned(plan=FULL) == ()
    assert planned(offered=terms(percent=100)) == ()


def test_whoever_says_nothing_gets_the_companys_deposit_where_the_trip_is_far_enough() -> None:
    assert plan_of(planned()) is DEPOSIT
    assert planned(starts_on=HELD_UNTIL + timedelta(days=15)) != ()
    assert planned(starts_on=HELD_UNTIL + timedelta(days=14)) == ()


@pytest.mark.parametrize(
    ("plan", "parts", "starts_in", "offered"),
    [
        (DEPOSIT, None, 14, terms()),
        (DEPOSIT, None, 1, terms()),
        (DEPOSIT, None, 100, terms(percent=100)),
        (INSTALMENTS, 2, 100, terms(percent=100)),
        (INSTALMENTS, 4, 300, terms(most=3)),
        (INSTALMENTS, 2, 300, terms(most=1)),
        (INSTALMENTS, 1, 300, terms()),
        (INSTALMENTS, None, 300, terms()),
        (INSTALMENTS, 3, 14 + 59, terms()),
    ],
)
def test_a_plan_that_is_asked_for_and_cannot_be_is_refused(
    plan: PaymentPlan, parts: int | None, starts_in: int, offered: PlanTerms
) -> None:
    with pytest.raises(PlanNotOffered):
        planned(plan=plan, parts=parts, starts_on=HELD_UNTIL + timedelta(days=starts_in), offered=offered)


@pytest.mark.parametrize("price", ["0.00", "0.01", "0.02", "0.03"])
def test_a_price_too_small_to_be_split_is_paid_at_once(price: str) -> None:
    assert planned(price) == () or all(part.amount.is_positive for part in planned(price))
    with pytest.raises(PlanNotOffered):
        planned(price, INSTALMENTS, 4)


def test_the_price_is_paid_before_the_trip() -> None:
    with pytest.raises(InvalidValue):
        terms(days_before=1)


CURRENCIES = st.sampled_from(["JPY", "EGP", "KWD"])


@st.composite
def plans(draw: st.DrawFn) -> tuple[Money, tuple[Instalment, ...], date]:
    """A price in a currency of no, two or three decimals, its schedule, and the first day of the trip."""
    price = Money.of(draw(st.integers(1, 10**10)), draw(CURRENCIES))
    offered = terms(percent=draw(st.integers(1, 99)), days_before=draw(st.integers(2, 60)))
    parts = draw(st.integers(1, 12))
    wanted = PlanWanted(DEPOSIT) if parts == 1 else PlanWanted(INSTALMENTS, parts)
    starts_on = HELD_UNTIL + timedelta(days=draw(st.integers(0, 700)))
    try:
        return price, schedule(price, wanted, offered, held_until=HELD_UNTIL, starts_on=starts_on), starts_on
    except PlanNotOffered:
        return price, (), starts_on


@given(plans())
def test_parts_are_the_price_and_their_days_follow_each_other_until_before_the_trip(
    made: tuple[Money, tuple[Instalment, ...], date],
) -> None:
    price, parts, starts_on = made
    if not parts:
        return
    days = [part.due_on for part in parts]
    rest = [part.amount.minor for part in parts[1:]]

    assert total((part.amount for part in parts), price.currency.code) == price
    assert max(rest) - min(rest) <= 1
    assert rest == sorted(rest, reverse=True)
    assert days == sorted(set(days))
    assert days[0] == HELD_UNTIL
    # Over in Cairo before the trip's first day begins anywhere, which is fourteen hours before UTC's at most.
    assert start_of_business_day(days[-1] + timedelta(days=1)) <= start_of_business_day(starts_on - timedelta(days=1))


@given(plans(), st.lists(st.integers(1, 10**10), max_size=6), st.integers(0, 800))
def test_any_payments_cover_instalments_in_their_order(
    made: tuple[Money, tuple[Instalment, ...], date], payments: list[int], day: int
) -> None:
    price, parts, _ = made
    today, paid = HELD_UNTIL + timedelta(days=day), Money(0, price.currency)
    for minor in payments:
        paid += min(Money(minor, price.currency), price - paid)
        found = standings(parts, paid, today=today)
        kinds = [each.status for each in found]

        assert not parts or total((each.paid for each in found), price.currency.code) == paid
        # Whole ones, one in part at most, then nothing.
        begun = [each.paid.is_positive for each in found]
        assert begun == sorted(begun, reverse=True)
        assert sum(each.paid.is_positive and each.left.is_positive for each in found) <= 1
        assert kinds == sorted(kinds, key=[PAID, OVERDUE, DUE, UPCOMING].index)
        assert all((each.status is PAID) == each.left.is_zero for each in found)
        if parts:
            asked, following = asked_now(parts, paid, today=today), next_due(found)
            assert (following is None) == (paid == price) == asked.is_zero
            assert following is None or following.left <= asked <= price - paid


@pytest.mark.parametrize(
    ("paid", "today", "statuses", "asked"),
    [
        ("0.00", "2026-02-27", [DUE, UPCOMING, UPCOMING], "300.00"),
        ("300.00", "2026-03-02", [PAID, UPCOMING, UPCOMING], "350.00"),
        ("300.00", "2026-07-31", [PAID, DUE, UPCOMING], "350.00"),
        ("300.00", "2026-08-01", [PAID, OVERDUE, UPCOMING], "350.00"),
        ("400.00", "2026-08-01", [PAID, OVERDUE, UPCOMING], "250.00"),
        ("300.00", "2026-08-31", [PAID, OVERDUE, DUE], "700.00"),
        ("650.00", "2026-08-01", [PAID, PAID, UPCOMING], "350.00"),
        ("1000.00", "2026-09-30", [PAID, PAID, PAID], "0.00"),
    ],
)
def test_what_is_asked_is_what_is_due_or_else_the_next(
    paid: str, today: str, statuses: list[InstalmentStatus], asked: str
) -> None:
    parts, day = planned(plan=INSTALMENTS, parts=2), date.fromisoformat(today)

    assert [each.status for each in standings(parts, egp(paid), today=day)] == statuses
    assert asked_now(parts, egp(paid), today=day) == egp(asked)


def test_what_was_not_paid_when_a_booking_ended_is_owed_no_more() -> None:
    found = standings(planned(plan=DEPOSIT), egp("300.00"), today=date(2026, 12, 1), is_over=True)

    assert [each.status for each in found] == [PAID, CANCELLED]
    assert next_due(found) is None


@pytest.mark.parametrize(
    ("due", "told_on", "starts", "grace", "last"),
    [
        ("2026-03-01", "2026-03-02", "2026-04-30", 3, "2026-03-04"),
        ("2026-03-01", "2026-03-02", "2026-04-30", 0, "2026-03-02"),
        # Told five days late: as many days as everybody.
        ("2026-03-01", "2026-03-07", "2026-04-30", 3, "2026-03-09"),
        # The trip is near: not beyond two days before it.
        ("2026-03-01", "2026-03-02", "2026-03-04", 3, "2026-03-02"),
        ("2026-03-01", "2026-03-02", "2026-03-03", 3, "2026-03-02"),
    ],
)
def test_grace_counts_from_the_notice_and_ends_before_the_trip(
    due: str, told_on: str, starts: str, grace: int, last: str
) -> None:
    day = last_day_of_grace(
        due_on=date.fromisoformat(due),
        told_on=date.fromisoformat(told_on),
        grace_days=grace,
        starts_on=date.fromisoformat(starts),
    )

    assert day == date.fromisoformat(last)


@pytest.mark.parametrize("day", [date(2026, 4, 24), date(2026, 10, 29), date(2026, 6, 1)])
def test_a_day_is_over_at_midnight_in_cairo_whatever_its_clocks_do(day: date) -> None:
    """On the first of these clocks go forward at midnight, on the second back."""
    [part] = planned(plan=DEPOSIT, starts_on=day + timedelta(days=14))[1:]
    assert part.due_on == day
    ends_at = start_of_business_day(day + timedelta(days=1))

    def status(at_second: timedelta) -> InstalmentStatus:
        today = business_date(ends_at + at_second)
        return standings((part,), egp("0.00"), today=today)[0].status

    assert (status(timedelta(seconds=-1)), status(timedelta())) == (DUE, OVERDUE)


def test_the_first_instalment_confirms_a_booking_and_its_parts_are_asked_in_turn() -> None:
    booking = a_booking(price=egp("1000.00"), instalments=planned(plan=INSTALMENTS, parts=2))
    assert booking.deposit_amount == booking.smallest_payment == booking.asked_now(today=HELD_UNTIL) == egp("300.00")
    assert booking.amount_due == egp("1000.00")

    booking.receive(egp("300.00"), in_points=egp("0.00"), by=None, at=NOON)

    assert booking.status is BookingStatus.CONFIRMED
    assert booking.smallest_payment == egp("0.01")
    assert booking.asked_now(today=HELD_UNTIL) == egp("350.00")
    owed = booking.oldest_owed(today=HELD_UNTIL)
    assert owed is not None
    assert owed.instalment.position == 2


def test_a_booking_takes_no_schedule_that_is_not_its_price() -> None:
    with pytest.raises(ValueError, match="all of the price"):
        a_booking(price=egp("1000.01"), instalments=planned(plan=DEPOSIT))


def test_without_a_plan_all_of_it_is_asked() -> None:
    booking = a_booking(price=egp("1000.00"))

    assert (booking.asked_now(today=TODAY), booking.standings(today=TODAY)) == (egp("1000.00"), ())


@given(
    parts=st.lists(st.integers(1, 10**6), min_size=2, max_size=5),
    price=st.integers(1, 10**7),
    sooner=st.integers(-40, 120),
    age=st.integers(0, 100),
    code=st.sampled_from(["EGP", "KWD", "JPY"]),
)
def test_a_plan_made_anew_is_the_new_price_on_days_that_are_left_before_the_new_start(
    parts: list[int], price: int, sooner: int, age: int, code: str
) -> None:
    before = [
        Instalment(position=place, due_on=TODAY + timedelta(days=20 * place), amount=Money.of(minor, code))
        for place, minor in enumerate(parts, start=1)
    ]
    today = TODAY + timedelta(days=age)
    starts_on = max(before[-1].due_on + timedelta(days=14 - sooner), today + timedelta(days=1))

    found = rescheduled(before, Money.of(price, code), starts_on=starts_on, today=today)

    assert (not found) == (price <= parts[0])
    if not found:
        return
    last = max(starts_on - timedelta(days=LEAST_DAYS_BEFORE), today)
    assert found[0] == replace(before[0], due_on=min(before[0].due_on, last))
    assert sum(each.amount.minor for each in found) == price
    assert all(each.amount.is_positive for each in found)
    days = [each.due_on for each in found]
    assert days == sorted(days)
    assert days[-1] <= last
    # Nobody is late by the change alone.
    assert {day for day in days[1:] if day < today} <= {each.due_on for each in before}
    assert [each.position for each in found] == list(range(1, len(found) + 1))


@given(
    parts=st.integers(2, 6), near=st.integers(1, 60), price=st.integers(1, 400_000),
    age=st.integers(0, 200), paid=st.integers(0, 3), moves=st.booleans(),
)  # fmt: skip
def test_what_is_not_paid_stays_scheduled_whatever_a_trip_becomes(
    parts: int, near: int, price: int, age: int, paid: int, moves: bool
) -> None:
    starts_on = TODAY + timedelta(days=300)
    plan = schedule(
        egp("2000.00"), PlanWanted(INSTALMENTS, parts), terms(percent=20), held_until=TODAY, starts_on=starts_on
    )
    booking = a_booking(price=egp("2000.00"), instalments=plan, starts_on=starts_on, ends_on=starts_on)
    for each in plan[: paid + 1]:
        booking.receive(each.amount, in_points=egp("0.00"), by=None, at=NOON)
    at = NOON + timedelta(days=age)
    day = business_date(at) + timedelta(days=near)
    trip = replace(booking.trip, departure_id=uuid4(), start_date=day, starts_at=start_of_business_day(day))
    if moves:
        booking.move(trip, operation_id=uuid4(), free_until=None, by=None, reason="moved", at=at)
    else:
        become(booking, trip, Money.of(price, "EGP"), at=at)

    due = booking.amount_due
    total_due = sum(each.left.minor for each in booking.standings(today=day))
    assert total_due == due.minor
    assert (booking.oldest_owed(today=day) is None) == due.is_zero
    assert due.is_zero or booking.instalments[-1].due_on >= business_date(at)


def become(booking: Booking, trip: Trip, price: Money, *, at: datetime) -> None:
    """Be amended, with the difference paid where it is one."""
    amendment = replace(an_amendment(booking, price), trip=trip, expires_at=at + timedelta(minutes=15))
    if not amendment.difference.is_positive:
        booking.amend(amendment, by=uuid4(), at=at)
        return
    booking.await_amendment(amendment, by=uuid4(), at=at)
    booking.receive(amendment.difference, in_points=egp("0.00"), by=None, at=at)


def test_a_plan_made_anew_for_the_same_trip_is_the_same() -> None:
    before = [
        Instalment(position=place, due_on=TODAY + timedelta(days=20 * place), amount=egp("100.00"))
        for place in (1, 2, 3)
    ]

    found = rescheduled(before, egp("300.00"), starts_on=TODAY + timedelta(days=90), today=TODAY)

    assert list(found) == before
