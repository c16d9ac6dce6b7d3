"""Adjustments before any database: four eyes above the limit, every state with every verb (Q3)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.ledger.accounts import AccountKind
from domain.ledger.adjustments import (
    NEXT,
    Adjustment,
    AdjustmentProposed,
    AdjustmentRejected,
    AdjustmentStatus,
    WalletAdjusted,
)
from domain.shared.errors import IllegalTransition, InvalidValue, OwnRequest
from infrastructure.clock import new_id
from tests.builders import NOON

LATER = NOON + timedelta(hours=1)
CUSTOMER, MAKER, CHECKER = new_id(), new_id(), new_id()
S = AdjustmentStatus
VERBS: dict[AdjustmentStatus, Callable[[Adjustment], None]] = {
    S.APPROVED: lambda adjustment: adjustment.approve(by=CHECKER, at=LATER),
    S.REJECTED: lambda adjustment: adjustment.reject(by=CHECKER, at=LATER),
}


def an_adjustment(
    amount: int = 500,
    *,
    limit: int = 100,
    unit: str = "EGP",
    account: AccountKind = AccountKind.WALLET,
    by: UUID = MAKER,
    status: AdjustmentStatus = S.PENDING,
) -> Adjustment:
    adjustment = Adjustment.propose(
        adjustment_id=new_id(),
        number="ADJ-2026-000001",
        user_id=CUSTOMER,
        account_kind=account,
        unit=unit,
        amount_minor=amount,
        limit_minor=limit,
        reason="a test",
        by=by,
        at=NOON,
    )
    if status is not S.PENDING:
        VERBS[status](adjustment)
    return adjustment


@pytest.mark.parametrize("status", S)
@pytest.mark.parametrize("verb", VERBS)
def test_every_state_takes_its_steps_and_no_other(status: AdjustmentStatus, verb: AdjustmentStatus) -> None:
    adjustment = an_adjustment(status=status)

    if verb in NEXT[status]:
        VERBS[verb](adjustment)
        assert (adjustment.status, adjustment.decided_by, adjustment.decided_at) == (verb, CHECKER, LATER)
        return
    with pytest.raises(IllegalTransition):
        VERBS[verb](adjustment)
    assert adjustment.status is status


@given(st.integers(-1000, 1000).filter(bool), st.integers(0, 1000))
def test_what_is_given_or_taken_above_the_limit_needs_a_second_person(amount: int, limit: int) -> None:
    adjustment = an_adjustment(amount, limit=limit)

    assert adjustment.needs_approval == (amount > limit or -amount > limit)
    if adjustment.needs_approval:
        with pytest.raises(ValueError, match="second person"):
            adjustment.accept(at=NOON)


@pytest.mark.parametrize("nobody", [MAKER, CUSTOMER])
@pytest.mark.parametrize("verb", ["approve", "reject"])
def test_neither_the_maker_nor_the_customer_decides(nobody: UUID, verb: str) -> None:
    adjustment = an_adjustment()

    with pytest.raises(OwnRequest):
        getattr(adjustment, verb)(by=nobody, at=LATER)

    assert (adjustment.status, adjustment.decided_by) == (S.PENDING, None)


def test_nobody_adjusts_what_is_their_own() -> None:
    with pytest.raises(OwnRequest):
        an_adjustment(by=CUSTOMER)


def test_an_adjustment_of_nothing_is_none() -> None:
    with pytest.raises(InvalidValue):
        an_adjustment(0)


@pytest.mark.parametrize(
    ("unit", "theirs", "ours"),
    [
        ("EGP", AccountKind.WALLET, AccountKind.ADJUSTMENTS),
        ("EGP", AccountKind.VOUCHER_CREDIT, AccountKind.ADJUSTMENTS),
        ("PTS", AccountKind.POINTS, AccountKind.POINTS_ISSUED),
    ],
)
@pytest.mark.parametrize("amount", [70, -70])
def test_its_journal_moves_the_amount_between_owner_and_company(
    unit: str, theirs: AccountKind, ours: AccountKind, amount: int
) -> None:
    journal = an_adjustment(amount, unit=unit, account=theirs).journal(journal_id=new_id(), at=NOON)

    assert {entry.account.kind: entry.amount_minor for entry in journal.entries} == {theirs: amount, ours: -amount}


@pytest.mark.parametrize(
    ("unit", "account"),
    [
        ("EGP", AccountKind.POINTS),
        ("PTS", AccountKind.WALLET),
        ("PTS", AccountKind.VOUCHER_CREDIT),
        ("EGP", AccountKind.CASHBACK),
    ],
)
def test_no_other_account_is_adjusted_by_hand(unit: str, account: AccountKind) -> None:
    with pytest.raises(ValueError, match="nothing in"):
        an_adjustment(unit=unit, account=account)


def test_nothing_is_posted_before_it_is_approved() -> None:
    adjustment = an_adjustment()

    with pytest.raises(ValueError, match="before it is approved"):
        adjustment.posted(new_id())

    assert adjustment.journal_id is None


def test_each_step_is_an_event() -> None:
    waiting, refused = an_adjustment(), an_adjustment(status=S.REJECTED)
    waiting.wait()
    waiting.approve(by=CHECKER, at=LATER)
    waiting.posted(new_id())

    assert [type(event) for event in waiting.pull_events()] == [AdjustmentProposed, WalletAdjusted]
    assert [type(event) for event in refused.pull_events()] == [AdjustmentRejected]
