"""Holds before any database: each ends once, in whole or in part (M7)."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.ledger import accounts
from domain.ledger.holds import NEXT, BalanceHold, HoldStatus
from domain.shared.errors import IllegalTransition
from infrastructure.clock import new_id
from tests.builders import NOON

LATER = NOON + timedelta(hours=1)
VERBS = {
    HoldStatus.CAPTURED: lambda hold: hold.capture(hold.amount_minor, journal_id=new_id(), at=LATER),
    HoldStatus.RELEASED: lambda hold: hold.release(at=LATER),
    HoldStatus.EXPIRED: lambda hold: hold.expire(at=LATER),
}


def a_hold(amount: int = 100, status: HoldStatus = HoldStatus.ACTIVE) -> BalanceHold:
    hold = BalanceHold(
        id=new_id(),
        account=accounts.wallet(new_id(), "EGP"),
        amount_minor=amount,
        reference_type="TEST",
        reference_id=new_id(),
        created_at=NOON,
        expires_at=None,
    )
    if status is not HoldStatus.ACTIVE:
        VERBS[status](hold)
    return hold


@pytest.mark.parametrize("end", VERBS)
def test_an_active_hold_ends_in_every_way(end: HoldStatus) -> None:
    hold = a_hold()

    VERBS[end](hold)

    assert (hold.status, hold.resolved_at) == (end, LATER)


@pytest.mark.parametrize("ended", VERBS)
@pytest.mark.parametrize("verb", VERBS)
def test_a_hold_that_is_over_never_ends_again(ended: HoldStatus, verb: HoldStatus) -> None:
    hold = a_hold(status=ended)
    before = vars(hold).copy()

    with pytest.raises(IllegalTransition):
        VERBS[verb](hold)

    assert vars(hold) == before


def test_every_end_is_final() -> None:
    assert {status for status, following in NEXT.items() if following} == {HoldStatus.ACTIVE}
    assert set(NEXT) == set(HoldStatus)


@given(st.integers(1, 10**6), st.integers(-5, 10**6 + 5))
def test_a_capture_takes_something_and_no_more_than_was_set_aside(amount: int, taken: int) -> None:
    hold = a_hold(amount)

    if 0 < taken <= amount:
        hold.capture(taken, journal_id=new_id(), at=LATER)
        assert (hold.captured_minor, hold.status) == (taken, HoldStatus.CAPTURED)
        return
    with pytest.raises(ValueError, match="a capture takes something"):
        hold.capture(taken, journal_id=new_id(), at=LATER)
    assert (hold.captured_minor, hold.status) == (0, HoldStatus.ACTIVE)


@pytest.mark.parametrize("amount", [0, -1])
def test_a_hold_of_nothing_is_no_hold(amount: int) -> None:
    with pytest.raises(ValueError, match="more than nothing"):
        a_hold(amount)
