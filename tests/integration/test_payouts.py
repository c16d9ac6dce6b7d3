"""Payouts on their way: to wallets, through Stripe, through banks; back, in doubt, and never twice (J3, J7, P1–P4)."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from application.payouts.deciding import DecidePayout, cancel_payout, confirm_payout, fail_payout, return_payout
from application.payouts.sending import CLAIMED_FOR, ask_after, claim_payout, drive_payouts, send_payout
from config.settings import Settings
from domain.ledger import accounts
from domain.ledger.accounts import AccountKind
from domain.payouts.payouts import PayoutFailed, PayoutPaid, PayoutSent, PayoutStatus
from domain.shared.errors import IllegalTransition, OwnRequest, PreconditionFailed
from fake_providers.stripe import StripeServer
from infrastructure.bootstrap import Running, bootstrap
from infrastructure.database.roles import DatabaseAddresses
from infrastructure.database.transaction import Database
from tests.conftest import MovableClock
from tests.integration.payroll import Payee, Payroll, broken_payroll_promises, funded_stripe, paying_by, transfers
from tests.integration.shop import all_at_once

IN_TRANSIT = accounts.platform(AccountKind.PAYOUTS_IN_TRANSIT, "USD")
AT_STRIPE = accounts.clearing("STRIPE", "USD")
AT_BANK = accounts.clearing("BANK", "USD")
CREATE = "transfers/create"


@pytest.fixture
def stripe(tmp_path: Path) -> Iterator[StripeServer]:
    with funded_stripe(tmp_path) as server:
        yield server


@pytest.fixture
def settings(settings: Settings, stripe: StripeServer) -> Settings:
    return paying_by(stripe, settings)


@pytest.fixture
def running(settings: Settings, database: Database, clock: MovableClock) -> Iterator[Running]:
    started = bootstrap(settings, database=database, clock=clock)
    yield started
    started.close()


@pytest.fixture
def payroll(running: Running) -> Payroll:
    return Payroll.of(running)


@pytest.fixture(autouse=True)
def every_promise_holds_afterwards(addresses: DatabaseAddresses) -> Iterator[None]:
    yield
    assert broken_payroll_promises(addresses) == []


def later(payroll: Payroll, clock: MovableClock) -> None:
    """An hour passes, in which the driver comes again and again."""
    for minutes in (2, 12, 20, 30):
        clock.offset += timedelta(minutes=minutes)
        payroll.drive()


def decision(payroll: Payroll, payee: Payee, **changes: object) -> DecidePayout:
    values: dict[str, object] = {"payout_id": payroll.payout_of(payee)["id"], "actor_id": payroll.clerk,
                                 "reason": "a test", "bank_reference": "BR-1"}  # fmt: skip
    return DecidePayout(**{**values, **changes})  # type: ignore[arg-type]


# Wallets


def test_a_wallet_is_paid_in_one_transaction_and_the_batch_ends(payroll: Payroll) -> None:
    vendor = payroll.a_payee(8_000)
    batch_id = payroll.approved()
    payroll.send()
    payroll.send()
    assert (payroll.wallet_of(vendor), payroll.summed(IN_TRANSIT)) == (8_000, 0)
    assert payroll.batch(batch_id)["status"] == "COMPLETED"
    assert len(payroll.events(PayoutPaid.name)) == 1


def test_three_workers_at_once_pay_each_wallet_once(payroll: Payroll) -> None:
    payees = [payroll.a_payee(6_000 + number) for number in range(6)]
    batch_id = payroll.approved()
    assert all_at_once([payroll.send] * 3) == [None] * 3
    payroll.drive()
    assert [payroll.wallet_of(payee) for payee in payees] == [6_000 + number for number in range(6)]
    assert payroll.batch(batch_id)["status"] == "COMPLETED"


# Stripe


def test_what_was_asked_of_stripe_is_looked_after_before_what_waits_to_be_sent(
    payroll: Payroll, clock: MovableClock
) -> None:
    """However long the queue is, and however long it has been due."""
    asked = payroll.a_payee(8_000, method="STRIPE", stripe_account="acct_1A")
    waiting = [payroll.a_payee(6_000) for _ in range(3)]
    payroll.approved()
    clock.offset += timedelta(minutes=5)
    claim_payout(payroll.payout_of(asked)["id"], payroll.sending, claimable=PayoutStatus.PENDING)
    clock.offset += CLAIMED_FOR
    driven = drive_payouts(payroll.sending, limit=1)
    assert driven.due == 1
    assert payroll.payout_of(asked)["status"] == "UNKNOWN"
    assert [payroll.payout_of(payee)["status"] for payee in waiting] == ["PENDING"] * 3


def test_a_run_of_the_driver_ends_in_time_and_the_next_one_goes_on(payroll: Payroll, clock: MovableClock) -> None:
    payees = [payroll.a_payee(6_000) for _ in range(3)]
    payroll.approved()
    clock.offset += timedelta(minutes=5)
    slow = dataclasses.replace(payroll.sending, clock=_Jumping(clock))
    assert drive_payouts(slow).due < len(payees)
    payroll.drive()
    assert [payroll.wallet_of(payee) for payee in payees] == [6_000] * 3


class _Jumping:
    """A clock by which every look at it takes a quarter of a minute."""

    def __init__(self, clock: MovableClock) -> None:
        self._clock = clock

    def now(self) -> datetime:
        self._clock.offset += timedelta(seconds=15)
        return self._clock.now()  # type: ignore[no-any-return]


def test_a_transfer_is_sent_once_with_one_key(payroll: Payroll, stripe: StripeServer) -> None:
    vendor = payroll.a_payee(8_000, method="STRIPE", stripe_account="acct_1A")
    payroll.approved()
    payroll.send()
    payroll.send()
    payroll.drive()
    assert transfers(stripe) == [("acct_1A", 8_000)]
    row = payroll.payout_of(vendor)
    (transfer,) = stripe.books.all("transfer")
    assert (row["status"], row["provider_reference"], row["attempts"]) == ("PAID", transfer["id"], 1)
    assert payroll.summed(AT_STRIPE) == 8_000
    assert (len(payroll.events(PayoutSent.name)), len(payroll.events(PayoutPaid.name))) == (1, 1)


def test_what_a_bank_sends_back_is_owed_again_and_goes_with_the_next_batch(
    payroll: Payroll, clock: MovableClock
) -> None:
    vendor = payroll.a_payee(8_000, method="BANK_TRANSFER")
    batch_id = payroll.approved()
    how = {"new_uow": payroll.use.new_uow, "clock": clock, "new_id": payroll.use.new_id}
    with pytest.raises(IllegalTransition):
        return_payout(decision(payroll, vendor), **how)  # type: ignore[arg-type]
    confirm_payout(decision(payroll, vendor, bank_reference="BR-1"), **how)  # type: ignore[arg-type]
    assert (payroll.owed(vendor), payroll.summed(AT_BANK)) == (0, 8_000)
    with pytest.raises(OwnRequest):
        return_payout(decision(payroll, vendor, actor_id=vendor.user_id), **how)  # type: ignore[arg-type]

    returns = [lambda: return_payout(decision(payroll, vendor), **how)] * 3  # type: ignore[arg-type]
    assert sorted(type(answer).__name__ for answer in all_at_once(returns)) == [
        "IllegalTransition", "IllegalTransition", "NoneType",
    ]  # fmt: skip

    row = payroll.payout_of(vendor)
    assert (row["status"], row["failure_code"], row["bank_reference"]) == ("RETURNED", "bank_returned", "BR-1")
    assert (payroll.owed(vendor), payroll.summed(AT_BANK), payroll.summed(IN_TRANSIT)) == (8_000, 0, 0)
    assert payroll.batch(batch_id)["status"] == "COMPLETED"
    assert payroll.payout_of(vendor, payroll.make().batch_id)["amount_minor"] == 8_000


def test_what_went_to_a_wallet_is_sent_back_by_no_bank(payroll: Payroll, clock: MovableClock) -> None:
    vendor = payroll.a_payee(8_000)
    payroll.approved()
    payroll.send()
    with pytest.raises(IllegalTransition):
        return_payout(decision(payroll, vendor), new_uow=payroll.use.new_uow, clock=clock, new_id=payroll.use.new_id)
    assert (payroll.payout_of(vendor)["status"], payroll.wallet_of(vendor)) == ("PAID", 8_000)


@pytest.mark.parametrize("method", ["WALLET", "STRIPE"])
def test_who_is_suspended_before_the_sending_is_not_paid(payroll: Payroll, stripe: StripeServer, method: str) -> None:
    vendor = payroll.a_payee(8_000, method=method)
    batch_id = payroll.approved()
    payroll.set_status(vendor, "SUSPENDED")
    payroll.send()
    payroll.send()
    row = payroll.payout_of(vendor)
    assert (row["status"], row["failure_code"], payroll.owed(vendor)) == ("CANCELLED", "not_active", 8_000)
    assert (transfers(stripe), payroll.wallet_of(vendor)) == ([], 0)
    assert payroll.batch(batch_id)["status"] == "COMPLETED"


def test_what_nobody_knows_is_not_sent_again_to_who_was_suspended(
    payroll: Payroll, stripe: StripeServer, clock: MovableClock
) -> None:
    vendor = payroll.a_payee(8_000, method="STRIPE")
    payroll.approved()
    stripe.script(CREATE, "cut_before")
    payroll.send()
    payroll.set_status(vendor, "SUSPENDED")
    clock.offset += timedelta(minutes=15)
    ask_after(payroll.payout_of(vendor)["id"], payroll.sending)
    assert (payroll.payout_of(vendor)["status"], transfers(stripe)) == ("UNKNOWN", [])
    payroll.set_status(vendor, "ACTIVE")
    ask_after(payroll.payout_of(vendor)["id"], payroll.sending)
    assert (payroll.payout_of(vendor)["status"], transfers(stripe)) == ("PAID", [("acct_1Vendor", 8_000)])


def test_three_workers_at_once_send_each_transfer_once(payroll: Payroll, stripe: StripeServer) -> None:
    for number in range(5):
        payroll.a_payee(6_000 + number, method="STRIPE", stripe_account=f"acct_{number}")
    payroll.approved()
    assert all_at_once([payroll.send] * 3) == [None] * 3
    payroll.drive()
    assert transfers(stripe) == [(f"acct_{number}", 6_000 + number) for number in range(5)]
    assert set(payroll.statuses()) == {"PAID"}


def test_a_refused_transfer_is_owed_again_and_goes_with_the_next_batch(payroll: Payroll, stripe: StripeServer) -> None:
    vendor = payroll.a_payee(8_000, method="STRIPE", stripe_account="bank_1")
    batch_id = payroll.approved()
    payroll.send()
    row = payroll.payout_of(vendor)
    assert (row["status"], row["failure_code"], transfers(stripe)) == ("FAILED", "provider_refused", [])
    assert (payroll.owed(vendor), payroll.summed(IN_TRANSIT)) == (8_000, 0)
    assert payroll.events(PayoutFailed.name) == [row["id"]]
    assert payroll.batch(batch_id)["status"] == "COMPLETED"
    again = payroll.make()
    assert (again.filled.entries, payroll.payout_of(vendor, again.batch_id)["amount_minor"]) == (1, 8_000)


@pytest.mark.parametrize("fault", ["cut_before", "cut_after", "error_500", "error_500_after", "half_json", "html"])
def test_an_answer_that_says_nothing_is_read_back_and_money_moves_once(
    payroll: Payroll, stripe: StripeServer, clock: MovableClock, fault: str
) -> None:
    vendor = payroll.a_payee(8_000, method="STRIPE", stripe_account="acct_1A")
    batch_id = payroll.approved()
    stripe.script(CREATE, fault)
    payroll.send()
    assert payroll.payout_of(vendor)["status"] == "UNKNOWN"
    payroll.send()
    assert payroll.payout_of(vendor)["status"] == "UNKNOWN"
    later(payroll, clock)
    assert transfers(stripe) == [("acct_1A", 8_000)]
    assert payroll.payout_of(vendor)["status"] == "PAID"
    assert payroll.batch(batch_id)["status"] == "COMPLETED"


def test_what_nobody_knows_is_not_sent_again_before_it_was_read_long_after(
    payroll: Payroll, stripe: StripeServer, clock: MovableClock
) -> None:
    vendor = payroll.a_payee(8_000, method="STRIPE", stripe_account="acct_1A")
    payroll.approved()
    stripe.script(CREATE, "cut_before")
    payroll.send()
    asked = stripe.calls(CREATE)
    clock.offset += timedelta(minutes=2)
    payroll.drive()
    ask_after(payroll.payout_of(vendor)["id"], payroll.sending)
    assert (stripe.calls(CREATE), payroll.payout_of(vendor)["status"]) == (asked, "UNKNOWN")


def test_what_the_provider_forgets_is_a_persons(payroll: Payroll, stripe: StripeServer, clock: MovableClock) -> None:
    vendor = payroll.a_payee(8_000, method="STRIPE", stripe_account="acct_1A")
    payroll.approved()
    stripe.script(CREATE, "cut_before")
    payroll.send()
    clock.offset += timedelta(hours=21)
    payroll.drive()
    row = payroll.payout_of(vendor)
    assert (row["status"], row["next_try_at"], transfers(stripe)) == ("UNKNOWN", None, [])
    cancel_payout(decision(payroll, vendor), new_uow=payroll.use.new_uow, clock=clock, new_id=payroll.use.new_id)
    assert (payroll.payout_of(vendor)["status"], payroll.owed(vendor)) == ("CANCELLED", 8_000)


def test_a_worker_that_died_with_the_intent_is_followed_within_two_minutes(
    payroll: Payroll, stripe: StripeServer, clock: MovableClock
) -> None:
    vendor = payroll.a_payee(8_000, method="STRIPE", stripe_account="acct_1A")
    payroll.approved()
    payout_id = payroll.payout_of(vendor)["id"]
    assert claim_payout(payout_id, payroll.sending, claimable=PayoutStatus.PENDING) is not None
    send_payout(payout_id, payroll.sending)
    payroll.drive()
    assert (payroll.payout_of(vendor)["status"], transfers(stripe)) == ("SENT", [])
    assert timedelta(seconds=15) + CLAIMED_FOR <= timedelta(seconds=120)
    clock.offset += CLAIMED_FOR + timedelta(seconds=1)
    payroll.drive()
    assert payroll.payout_of(vendor)["status"] == "UNKNOWN"
    later(payroll, clock)
    assert (payroll.payout_of(vendor)["status"], transfers(stripe)) == ("PAID", [("acct_1A", 8_000)])


def test_where_stripe_is_not_enabled_payouts_wait(running: Running, settings: Settings, addresses: DatabaseAddresses,
                                                  clock: MovableClock) -> None:  # fmt: skip
    elsewhere = bootstrap(
        dataclasses.replace(settings, payment_gateways=("sandbox",)), database=Database(addresses.app), clock=clock
    )
    payroll = Payroll.of(elsewhere)
    vendor = payroll.a_payee(8_000, method="STRIPE", stripe_account="acct_1A")
    payroll.approved()
    clock.offset += timedelta(minutes=2)
    assert payroll.drive().unanswered == 1
    assert payroll.payout_of(vendor)["status"] == "PENDING"
    elsewhere.close()
    payroll.in_process(running).drive()
    clock.offset += timedelta(minutes=10)
    payroll.in_process(running).drive()
    assert payroll.in_process(running).payout_of(vendor)["status"] == "PAID"


def test_without_any_event_the_driver_sends_everything(
    payroll: Payroll, stripe: StripeServer, clock: MovableClock
) -> None:
    """Redis was flushed, and every job is lost: the table knows (J3)."""
    wallet, card = payroll.a_payee(8_000), payroll.a_payee(6_000, method="STRIPE", stripe_account="acct_1A")
    batch_id = payroll.approved()
    assert payroll.drive().due == 0
    clock.offset += timedelta(seconds=61)
    assert payroll.drive().due == 2
    assert (payroll.wallet_of(wallet), payroll.payout_of(card)["status"]) == (8_000, "PAID")
    assert payroll.batch(batch_id)["status"] == "COMPLETED"


# What staff decide


def test_what_was_not_sent_can_be_taken_back_and_the_next_batch_pays_it(payroll: Payroll) -> None:
    vendor = payroll.a_payee([6_000, 2_000])
    batch_id = payroll.make().batch_id
    payroll.approve(batch_id)
    use = payroll.use
    cancel_payout(decision(payroll, vendor), new_uow=use.new_uow, clock=use.clock, new_id=use.new_id)
    assert (payroll.payout_of(vendor)["status"], payroll.owed(vendor)) == ("CANCELLED", 8_000)
    payroll.process(batch_id)
    payroll.send()
    assert payroll.batch(batch_id)["status"] == "COMPLETED"
    again = payroll.approved()
    payroll.send()
    assert (payroll.payout_of(vendor, again)["status"], payroll.wallet_of(vendor)) == ("PAID", 8_000)


def test_a_cancel_and_a_send_at_once_end_in_one_of_the_two(payroll: Payroll) -> None:
    vendor = payroll.a_payee(8_000)
    payroll.approved()
    use, command = payroll.use, decision(payroll, vendor)
    answers = all_at_once(
        [
            lambda: cancel_payout(command, new_uow=use.new_uow, clock=use.clock, new_id=use.new_id),
            payroll.send,
        ]
    )
    assert all(answer is None or isinstance(answer, IllegalTransition) for answer in answers)
    ended = (payroll.payout_of(vendor)["status"], payroll.wallet_of(vendor), payroll.owed(vendor))
    assert ended in (("CANCELLED", 0, 8_000), ("PAID", 8_000, 0))


@pytest.mark.parametrize("verb", [cancel_payout, confirm_payout, fail_payout])
def test_nobody_decides_about_their_own_money_or_what_others_changed(payroll: Payroll, verb) -> None:  # type: ignore[no-untyped-def]
    vendor = payroll.a_payee(8_000, method="BANK_TRANSFER")
    payroll.approved()
    use = payroll.use
    with pytest.raises(OwnRequest):
        verb(
            decision(payroll, vendor, actor_id=vendor.user_id), new_uow=use.new_uow, clock=use.clock, new_id=use.new_id
        )
    with pytest.raises(PreconditionFailed):
        verb(decision(payroll, vendor, expected=99), new_uow=use.new_uow, clock=use.clock, new_id=use.new_id)


def test_a_transfer_that_is_being_asked_for_is_nobodys_to_decide(payroll: Payroll) -> None:
    vendor = payroll.a_payee(8_000, method="STRIPE", stripe_account="acct_1A")
    payroll.approved()
    claim_payout(payroll.payout_of(vendor)["id"], payroll.sending, claimable=PayoutStatus.PENDING)
    use = payroll.use
    for verb in (cancel_payout, confirm_payout, fail_payout):
        with pytest.raises(IllegalTransition):
            verb(decision(payroll, vendor), new_uow=use.new_uow, clock=use.clock, new_id=use.new_id)


def test_banks_transfers_are_confirmed_or_failed_once(payroll: Payroll) -> None:
    paid, failed = payroll.a_payee(8_000, method="BANK_TRANSFER"), payroll.a_payee(6_000, method="BANK_TRANSFER")
    batch_id = payroll.approved()
    use = payroll.use
    assert payroll.statuses(batch_id) == ["SENT", "SENT"]
    confirm_payout(decision(payroll, paid), new_uow=use.new_uow, clock=use.clock, new_id=use.new_id)
    fail_payout(decision(payroll, failed), new_uow=use.new_uow, clock=use.clock, new_id=use.new_id)
    with pytest.raises(IllegalTransition):
        fail_payout(decision(payroll, paid), new_uow=use.new_uow, clock=use.clock, new_id=use.new_id)
    assert (payroll.summed(AT_BANK), payroll.owed(failed), payroll.summed(IN_TRANSIT)) == (8_000, 6_000, 0)
    assert payroll.batch(batch_id)["status"] == "COMPLETED"
