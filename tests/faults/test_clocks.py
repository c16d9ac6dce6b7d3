"""Clocks that are wrong, and days that are odd: an installation whose clock is elsewhere than its provider's.

The clock is the one that everything in a process asks (`domain.shared.clock.Clock`); PostgreSQL, Redis and the
providers go on in their own time, as they would beside a machine whose clock was set wrongly.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from infrastructure.clock import SystemClock
from tests.conftest import MovableClock, Person
from tests.faults.till import DEPOSITS, Till
from tests.faults.whole import whole

pytestmark = pytest.mark.database

ELEVEN_MINUTES, ONE_DAY = timedelta(minutes=11), timedelta(days=1)
JUMPS = {"11 minutes": ELEVEN_MINUTES, "a day": ONE_DAY}
ODD_MOMENTS = {
    "the end of a month": datetime(2027, 4, 30, 21, 59, 30, tzinfo=UTC),
    "the end of a leap day": datetime(2028, 2, 29, 21, 59, 30, tzinfo=UTC),
    "the end of a year": datetime(2026, 12, 31, 21, 59, 30, tzinfo=UTC),
    "the night in Cairo that has no midnight": datetime(2027, 4, 29, 21, 59, 30, tzinfo=UTC),
    "the hour in Cairo that comes twice": datetime(2027, 10, 28, 20, 59, 30, tzinfo=UTC),
}


@pytest.fixture(
    params=[
        pytest.param((sign, name), id=f"{sign:+d} {name}", marks=[whole] if name == "a day" else [])
        for name in JUMPS
        for sign in (1, -1)
    ]
)
def jump(request: pytest.FixtureRequest) -> timedelta:
    sign, name = request.param
    return sign * JUMPS[name]


def deposit_told_of(till: Till, between: Callable[[], None]) -> None:
    """A deposit that is asked for, paid and told of; in between something happens to the clock."""
    assert till.ask().status_code == 201
    (invoice,) = till.invoices()
    between()
    till.fawaterk.pay(invoice)
    assert till.tell(invoice) == "accepted"
    till.look_into_webhooks()


def test_a_clock_that_is_wrong_all_the_time_costs_no_money(
    till: Till, clock: MovableClock, sign_up: Callable[..., Person], jump: timedelta
) -> None:
    clock.offset = jump
    till.customer = sign_up()
    deposit_told_of(till, lambda: None)
    till.reconcile()
    till.assert_books_agree()
    assert till.in_wallet() == 75_000


def test_a_clock_that_jumps_in_the_middle_costs_no_money(till: Till, clock: MovableClock, jump: timedelta) -> None:
    def leap() -> None:
        clock.offset += jump

    deposit_told_of(till, leap)
    for _ in range(3):
        till.reconcile()
    till.assert_books_agree()
    assert till.in_wallet() == 75_000


def test_a_clock_that_jumps_forth_and_back_leaves_keys_and_sessions_working(
    till: Till, clock: MovableClock, sign_up: Callable[..., Person], jump: timedelta
) -> None:
    """Whoever signed in before may have to do so again; there is no fault of ours, and nothing happens twice."""
    body, headers = till.asking("one-key-for-all")
    first = till.client.post(DEPOSITS, data=body, headers=headers)
    clock.offset += jump
    during = till.client.post(DEPOSITS, data=body, headers=headers)
    clock.offset -= jump
    after = till.client.post(DEPOSITS, data=body, headers=headers)
    assert during.status_code in (201, 401), during.text
    assert (first.status_code, after.status_code, after.json) == (201, 201, first.json)
    assert len(till.invoices()) == 1


@pytest.mark.parametrize("moment", ODD_MOMENTS)
def test_a_deposit_across_an_odd_moment_is_booked_once(
    till: Till, clock: MovableClock, sign_up: Callable[..., Person], moment: str
) -> None:
    clock.offset = ODD_MOMENTS[moment] - SystemClock().now()
    till.customer = sign_up()

    def a_minute_later() -> None:
        clock.offset += timedelta(minutes=1)

    deposit_told_of(till, a_minute_later)
    till.reconcile()
    till.assert_books_agree()
    assert till.in_wallet() == 75_000
