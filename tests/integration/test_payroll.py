"""Batches on PostgreSQL: what they take, who is left out, who approves, and that nobody is paid twice (J7, M5, M8)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from domain.ledger import accounts
from domain.ledger.accounts import AccountKind
from domain.payouts.batches import BatchEmpty, BatchPayees, OwnBatch
from domain.payouts.payouts import PayoutFailed
from domain.shared.errors import IllegalTransition, InvalidValue
from infrastructure.bootstrap import Running
from infrastructure.database.roles import DatabaseAddresses
from tests.conftest import MovableClock
from tests.integration.meeting import one_behind_the_other
from tests.integration.payroll import Payroll, broken_payroll_promises, moved
from tests.integration.shop import all_at_once

IN_TRANSIT = accounts.platform(AccountKind.PAYOUTS_IN_TRANSIT, "USD")


@pytest.fixture
def payroll(running: Running) -> Payroll:
    return Payroll.of(running)


@pytest.fixture(autouse=True)
def every_promise_holds_afterwards(addresses: DatabaseAddresses) -> Iterator[None]:
    yield
    assert broken_payroll_promises(addresses) == []


# What a batch takes


def test_a_batch_takes_every_free_entry_whatever_its_cause(payroll: Payroll) -> None:
    vendor = payroll.a_payee([8_000, 3_000, -1_000])
    agent = payroll.a_payee(9_000, payee_type="AGENT")
    made = payroll.make()
    assert (made.filled.payouts, made.filled.entries, made.filled.left_out) == (2, 4, 0)
    assert payroll.payout_of(vendor)["amount_minor"] == 10_000
    assert payroll.payout_of(agent)["payee_type"] == "AGENT"
    assert payroll.owed(vendor) == 10_000


def test_a_batch_of_vendors_leaves_agents_alone(payroll: Payroll) -> None:
    payroll.a_payee(8_000)
    agent = payroll.a_payee(9_000, payee_type="AGENT")
    made = payroll.make(BatchPayees.VENDOR)
    assert made.filled.payouts == 1
    assert agent.user_id not in payroll.left_out(made.batch_id)


def test_one_person_is_paid_by_trade_and_currency(payroll: Payroll) -> None:
    vendor = payroll.a_payee(8_000)
    payroll.earn(type(vendor)(vendor.user_id, "VENDOR", vendor.profile_id, "EGP"), 700)
    made = payroll.make()
    assert [(row["currency"], row["amount_minor"]) for row in payroll.payouts(made.batch_id)] == [
        ("EGP", 700),
        ("USD", 8_000),
    ]


def test_what_is_released_after_the_cut_off_waits(payroll: Payroll, clock: MovableClock) -> None:
    vendor = payroll.a_payee(8_000)
    payroll.earn(vendor, 5_000, released_in=timedelta(days=3))
    made = payroll.make()
    assert payroll.payout_of(vendor)["amount_minor"] == 8_000
    assert payroll.left_out(made.batch_id) == {}
    with moved(clock, timedelta(days=4)):
        assert payroll.make().filled.entries == 1


def test_a_cut_off_in_the_past_takes_what_was_released_by_then(payroll: Payroll, clock: MovableClock) -> None:
    vendor = payroll.a_payee(8_000)
    with moved(clock, timedelta(hours=1)) as later:
        payroll.earn(vendor, 2_000)
        payroll.make(cut_off=later - timedelta(minutes=30))
    assert payroll.payout_of(vendor)["amount_minor"] == 8_000


def test_a_cut_off_that_is_still_to_come_is_refused(payroll: Payroll) -> None:
    with pytest.raises(InvalidValue) as refused:
        payroll.make(cut_off=payroll.use.clock.now() + timedelta(minutes=1))
    assert refused.value.faults[0].pointer == "/cut_off"


# Who is left out


def test_below_the_minimum_is_carried_to_the_next(payroll: Payroll) -> None:
    vendor = payroll.a_payee(4_999)
    made = payroll.make()
    assert payroll.left_out(made.batch_id) == {vendor.user_id: "BELOW_MINIMUM"}
    payroll.earn(vendor, 1)
    assert payroll.make().filled.entries == 2


def test_currencies_that_have_no_minimum_are_paid_whatever_there_is(payroll: Payroll) -> None:
    payroll.a_payee(1, currency="EGP")
    assert payroll.make().filled.payouts == 1


def test_a_debt_is_carried_and_paid_off_by_what_is_earned(payroll: Payroll) -> None:
    vendor = payroll.a_payee([6_000])
    batch_id = payroll.approved()
    payroll.send()
    payroll.earn(vendor, -2_000)
    assert payroll.left_out(payroll.make().batch_id) == {vendor.user_id: "NOTHING_OWED"}
    payroll.earn(vendor, 9_000)
    made = payroll.make()
    assert payroll.payout_of(vendor, made.batch_id)["amount_minor"] == 7_000
    assert payroll.batch(batch_id)["status"] == "COMPLETED"


@pytest.mark.parametrize("status", ["PENDING_APPROVAL", "SUSPENDED"])
def test_partners_that_are_not_active_wait(payroll: Payroll, status: str) -> None:
    vendor = payroll.a_payee(8_000, status=status)
    assert payroll.left_out(payroll.make().batch_id) == {vendor.user_id: "NOT_ACTIVE"}
    payroll.set_status(vendor, "ACTIVE")
    assert payroll.make().filled.payouts == 1


def test_without_a_bank_account_there_is_no_transfer(payroll: Payroll) -> None:
    vendor = payroll.a_payee(8_000, method="BANK_TRANSFER", with_account=False)
    assert payroll.left_out(payroll.make().batch_id) == {vendor.user_id: "NO_DESTINATION"}


def test_a_changed_bank_account_cools_off_first(payroll: Payroll, clock: MovableClock) -> None:
    vendor = payroll.a_payee(8_000, method="BANK_TRANSFER")
    payroll.add_account(vendor, account_number="EG800002000156789012345180002", usable_in=timedelta(hours=72))
    assert payroll.left_out(payroll.make().batch_id) == {vendor.user_id: "COOLING_OFF"}
    with moved(clock, timedelta(hours=73)):
        assert payroll.make().filled.payouts == 1
    assert payroll.payout_of(vendor)["destination_masked"].endswith("0002")


def test_a_payee_whose_entries_and_books_differ_is_left_out_until_they_agree(payroll: Payroll) -> None:
    vendor = payroll.a_payee(8_000)
    journal_id = payroll.post(vendor, 500)
    made = payroll.make()
    assert payroll.left_out(made.batch_id) == {vendor.user_id: "OUT_OF_BALANCE"}
    assert made.filled.out_of_balance == 1
    payroll.enter(vendor, journal_id, 500)
    assert payroll.payout_of(vendor, payroll.make().batch_id)["amount_minor"] == 8_500


# Approval


def test_whoever_made_a_batch_does_not_approve_it(payroll: Payroll) -> None:
    payroll.a_payee(8_000)
    made = payroll.make()
    with pytest.raises(OwnBatch):
        payroll.approve(made.batch_id, by=payroll.clerk)
    assert payroll.batch(made.batch_id)["status"] == "DRAFT"


def test_approval_takes_the_money_out_of_the_payable_account(payroll: Payroll) -> None:
    vendor = payroll.a_payee([8_000, 2_000])
    made = payroll.make()
    payroll.approve(made.batch_id)
    assert (payroll.owed(vendor), payroll.summed(IN_TRANSIT)) == (0, 10_000)
    with pytest.raises(IllegalTransition):
        payroll.approve(made.batch_id)
    with pytest.raises(IllegalTransition):
        payroll.cancel(made.batch_id)


def test_a_refund_between_draft_and_approval_cancels_one_payout_alone(payroll: Payroll) -> None:
    refunded, other = payroll.a_payee([6_000, 4_000]), payroll.a_payee(7_000)
    made = payroll.make()
    payroll.earn(refunded, -500)
    payroll.approve(made.batch_id)
    dropped = payroll.payout_of(refunded)
    assert (dropped["status"], dropped["failure_code"], dropped["journal_id"]) == ("CANCELLED", "balance_fell", None)
    assert (payroll.payout_of(other)["status"], payroll.owed(other)) == ("PENDING", 0)
    again = payroll.make()
    assert payroll.payout_of(refunded, again.batch_id)["amount_minor"] == 9_500


def test_who_was_suspended_since_the_draft_is_not_paid(payroll: Payroll) -> None:
    suspended, other = payroll.a_payee([6_000, 4_000]), payroll.a_payee(7_000)
    made = payroll.make()
    payroll.set_status(suspended, "SUSPENDED")
    payroll.approve(made.batch_id)
    dropped = payroll.payout_of(suspended)
    assert (dropped["status"], dropped["failure_code"], dropped["journal_id"]) == ("CANCELLED", "not_active", None)
    assert (payroll.owed(suspended), payroll.owed(other)) == (10_000, 0)
    payroll.set_status(suspended, "ACTIVE")
    assert payroll.payout_of(suspended, payroll.make().batch_id)["amount_minor"] == 10_000


def test_a_batch_of_suspended_payees_pays_nobody(payroll: Payroll) -> None:
    vendor = payroll.a_payee(8_000, method="BANK_TRANSFER")
    made = payroll.make()
    payroll.set_status(vendor, "SUSPENDED")
    payroll.approve(made.batch_id)
    payroll.process(made.batch_id)
    assert (payroll.batch(made.batch_id)["status"], payroll.statuses()) == ("COMPLETED", ["CANCELLED"])
    assert (payroll.owed(vendor), payroll.summed(IN_TRANSIT)) == (8_000, 0)


@pytest.mark.parametrize("method", ["WALLET", "BANK_TRANSFER"])
def test_who_was_suspended_since_the_approval_is_owed_again(payroll: Payroll, method: str) -> None:
    suspended, other = payroll.a_payee(8_000, method=method), payroll.a_payee(7_000, method=method)
    made = payroll.make()
    payroll.approve(made.batch_id)
    payroll.set_status(suspended, "SUSPENDED")
    payroll.process(made.batch_id)
    dropped = payroll.payout_of(suspended)
    assert (dropped["status"], dropped["failure_code"], dropped["sent_at"]) == ("CANCELLED", "not_active", None)
    assert (payroll.owed(suspended), payroll.owed(other), payroll.summed(IN_TRANSIT)) == (8_000, 0, 7_000)
    assert payroll.events(PayoutFailed.name) == [dropped["id"]]
    payroll.set_status(suspended, "ACTIVE")
    assert payroll.payout_of(suspended, payroll.make().batch_id)["amount_minor"] == 8_000


def test_an_approval_that_waits_for_a_suspension_does_not_pay(payroll: Payroll, addresses: DatabaseAddresses) -> None:
    vendor = payroll.a_payee(8_000)
    made = payroll.make()
    answer = one_behind_the_other(
        lambda: payroll.set_status(vendor, "SUSPENDED"),
        lambda: payroll.approve(made.batch_id),
        database=payroll.database,
        addresses=addresses,
    )
    assert answer is None
    assert (payroll.payout_of(vendor)["status"], payroll.owed(vendor)) == ("CANCELLED", 8_000)


def test_what_is_not_released_does_not_bear_a_payout(payroll: Payroll) -> None:
    vendor = payroll.a_payee(6_000)
    payroll.earn(vendor, 9_000, released_in=timedelta(days=9))
    made = payroll.make()
    payroll.earn(vendor, -500)
    payroll.approve(made.batch_id)
    assert payroll.payout_of(vendor)["status"] == "CANCELLED"


def test_a_batch_without_payouts_is_not_approved(payroll: Payroll) -> None:
    payroll.a_payee(10)
    with pytest.raises(BatchEmpty):
        payroll.approve(payroll.make().batch_id)


def test_a_cancelled_draft_frees_its_entries(payroll: Payroll) -> None:
    vendor = payroll.a_payee([6_000, 4_000])
    made = payroll.make()
    assert payroll.make().filled.payouts == 0
    payroll.cancel(made.batch_id)
    assert payroll.statuses(made.batch_id) == ["CANCELLED"]
    assert payroll.payout_of(vendor, payroll.make().batch_id)["amount_minor"] == 10_000


# At once


def test_two_builders_at_once_take_each_entry_once(payroll: Payroll) -> None:
    for _ in range(5):
        payroll.a_payee([8_000, 1_000])
    made: list[Any] = all_at_once([payroll.make] * 3)
    assert sorted(one.filled.entries for one in made) == [0, 0, 10]


def test_two_approvals_at_once_move_the_money_once(payroll: Payroll) -> None:
    vendor = payroll.a_payee(8_000)
    made = payroll.make()
    answers = all_at_once([lambda: payroll.approve(made.batch_id)] * 2)
    assert sorted(type(answer).__name__ for answer in answers) == ["IllegalTransition", "NoneType"]
    assert (payroll.owed(vendor), payroll.summed(IN_TRANSIT)) == (0, 8_000)


@pytest.mark.parametrize("round_", range(5))
def test_an_approval_and_a_refund_at_once_pay_what_is_borne(payroll: Payroll, round_: int) -> None:
    vendor, other = payroll.a_payee(8_000), payroll.a_payee(6_000)
    made = payroll.make()
    answers = all_at_once([lambda: payroll.approve(made.batch_id), lambda: payroll.earn(vendor, -3_000)])
    assert not [answer for answer in answers if isinstance(answer, BaseException)]
    assert (payroll.payout_of(vendor)["status"], payroll.owed(vendor)) in (("PENDING", -3_000), ("CANCELLED", 5_000))
    assert payroll.payout_of(other)["status"] == "PENDING"
