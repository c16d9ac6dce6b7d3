"""Withdrawals before any database: every state with every verb, and who may decide (Q3)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from domain.ledger.withdrawals import (
    NEXT,
    Withdrawal,
    WithdrawalApproved,
    WithdrawalRequested,
    WithdrawalStatus,
    WithdrawalTooSmall,
    masked,
    refuse_below,
)
from domain.shared.errors import IllegalTransition, InvalidValue, OwnRequest
from domain.shared.money import CurrencyMismatch, Money
from infrastructure.clock import new_id
from tests.builders import NOON, egp

LATER = NOON + timedelta(hours=1)
OWNER, STAFF = new_id(), new_id()
S = WithdrawalStatus
VERBS: dict[WithdrawalStatus, Callable[[Withdrawal], None]] = {
    S.APPROVED: lambda w: w.approve(journal_id=new_id(), by=STAFF, at=LATER),
    S.REJECTED: lambda w: w.reject(reason="no", by=STAFF, at=LATER),
    S.CANCELLED: lambda w: w.cancel(at=LATER),
    S.PAID: lambda w: w.pay(bank_reference="FT1", by=STAFF, at=LATER),
    S.RETURNED: lambda w: w.send_back(reason="closed", journal_id=new_id(), by=STAFF, at=LATER),
}
WAYS: dict[WithdrawalStatus, tuple[WithdrawalStatus, ...]] = {
    S.REQUESTED: (), S.APPROVED: (S.APPROVED,), S.REJECTED: (S.REJECTED,), S.CANCELLED: (S.CANCELLED,),
    S.PAID: (S.APPROVED, S.PAID), S.RETURNED: (S.APPROVED, S.RETURNED),
}  # fmt: skip


def a_withdrawal(status: WithdrawalStatus = S.REQUESTED) -> Withdrawal:
    """A withdrawal in a state that its own verbs lead to."""
    made = Withdrawal.request(
        withdrawal_id=new_id(),
        number="WD-2026-000001",
        user_id=OWNER,
        amount=egp("250.00"),
        destination="EG380019000500000000263180002",
        hold_id=new_id(),
        at=NOON,
    )
    for step in WAYS[status]:
        VERBS[step](made)
    return made


@pytest.mark.parametrize("status", S)
@pytest.mark.parametrize("verb", VERBS)
def test_every_state_takes_its_steps_and_no_other(status: WithdrawalStatus, verb: WithdrawalStatus) -> None:
    withdrawal = a_withdrawal(status)
    before = {name: value for name, value in vars(withdrawal).items() if not name.startswith("_")}

    if verb in NEXT[status]:
        VERBS[verb](withdrawal)
        assert withdrawal.status is verb
        return
    with pytest.raises(IllegalTransition) as refused:
        VERBS[verb](withdrawal)
    assert refused.value.facts["current"] == status
    assert {name: value for name, value in vars(withdrawal).items() if not name.startswith("_")} == before


def test_the_table_knows_every_state() -> None:
    assert set(NEXT) == set(S) == set(WAYS)


@pytest.mark.parametrize(
    ("status", "verb"),
    [
        (S.REQUESTED, lambda w: w.approve(journal_id=new_id(), by=OWNER, at=LATER)),
        (S.REQUESTED, lambda w: w.reject(reason="no", by=OWNER, at=LATER)),
        (S.APPROVED, lambda w: w.pay(bank_reference="FT1", by=OWNER, at=LATER)),
        (S.APPROVED, lambda w: w.send_back(reason="closed", journal_id=new_id(), by=OWNER, at=LATER)),
    ],
)
def test_nobody_decides_about_their_own(status: WithdrawalStatus, verb: Callable[[Withdrawal], None]) -> None:
    withdrawal = a_withdrawal(status)

    with pytest.raises(OwnRequest):
        verb(withdrawal)

    assert withdrawal.status is status


def test_it_says_who_decided_and_who_closed_it() -> None:
    withdrawal, clerk = a_withdrawal(S.APPROVED), new_id()

    withdrawal.pay(bank_reference="FT1", by=clerk, at=LATER)

    assert (withdrawal.decided_by, withdrawal.closed_by, withdrawal.closed_at) == (STAFF, clerk, LATER)
    assert withdrawal.bank_reference == "FT1"


def test_each_step_is_an_event() -> None:
    events = a_withdrawal(S.APPROVED).pull_events()

    assert [type(event) for event in events] == [WithdrawalRequested, WithdrawalApproved]


def test_the_least_amount_is_allowed() -> None:
    refuse_below(egp("100.00"), egp("100.00"))
    refuse_below(None, egp("0.01"))
    with pytest.raises(WithdrawalTooSmall):
        refuse_below(egp("100.00"), egp("99.99"))


@pytest.mark.parametrize("amount", ["0.00", "-1.00"])
def test_nothing_is_not_withdrawn(amount: str) -> None:
    with pytest.raises(InvalidValue):
        refuse_below(None, egp(amount))


def test_least_amounts_are_compared_within_a_currency() -> None:
    with pytest.raises(CurrencyMismatch):
        refuse_below(egp("100.00"), Money.parse("200.00", "USD"))


def test_a_destination_is_shown_by_its_end_and_never_printed() -> None:
    assert masked("EG380019000500000000263180002") == "•••• 0002"
    assert "EG38" not in repr(a_withdrawal())
