"""Deaths at every step of payroll, as by SIGKILL: each payout leaves once (J3, J4, J7, P1–P3)."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest

from config.settings import Settings
from domain.shared.errors import IllegalTransition
from fake_providers.stripe import StripeServer
from infrastructure.bootstrap import Running, bootstrap
from infrastructure.database.roles import DatabaseAddresses
from infrastructure.database.transaction import Database
from tests.conftest import MovableClock
from tests.faults.processes import Mortals
from tests.integration.payroll import Payee, Payroll, broken_payroll_promises, funded_stripe, paying_by, transfers

pytestmark = pytest.mark.database

SENT_ONCE = [("acct_1A", 8_000)]

DEATHS = {
    "claim_payout.before_commit": ("PENDING", 0),
    "claim_payout.after_commit": ("SENT", 0),
    "transfer.before_call": ("SENT", 0),
    "transfer.after_answer": ("SENT", 1),
    "record.before_commit": ("SENT", 1),
    "record.after_commit": ("PAID", 1),
    "complete_if_over.before_commit": ("PAID", 1),
    "complete_if_over.after_commit": ("PAID", 1),
}
"""Where a Stripe payout dies: how it stands then, and how many transfers the provider has."""


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


@pytest.fixture
def payee(payroll: Payroll) -> Payee:
    return payroll.a_payee([5_000, 3_000], method="STRIPE", stripe_account="acct_1A")


@pytest.fixture(autouse=True)
def every_promise_holds_afterwards(addresses: DatabaseAddresses) -> Iterator[None]:
    yield
    assert broken_payroll_promises(addresses) == []


def later(payroll: Payroll, clock: MovableClock) -> None:
    """An hour passes: jobs are delivered again, and the driver comes again and again."""
    for minutes in (2, 12, 20, 30):
        clock.offset += timedelta(minutes=minutes)
        payroll.send()
        payroll.drive()


def assert_paid_once(payroll: Payroll, payee: Payee, batch_id: UUID, stripe: StripeServer) -> None:
    assert transfers(stripe) == SENT_ONCE
    assert payroll.payout_of(payee, batch_id)["status"] == "PAID"
    assert (payroll.batch(batch_id)["status"], payroll.owed(payee)) == ("COMPLETED", 0)


@pytest.mark.parametrize("point", DEATHS)
def test_a_death_while_a_transfer_is_sent_sends_it_once(
    payroll: Payroll, payee: Payee, stripe: StripeServer, mortals: Mortals, clock: MovableClock, point: str
) -> None:
    batch_id = payroll.approved()
    mortals.dies_doing(point, lambda running: payroll.in_process(running).send())
    assert (payroll.payout_of(payee)["status"], len(transfers(stripe))) == DEATHS[point]
    payroll.send()
    assert len(transfers(stripe)) == (1 if DEATHS[point][0] == "PENDING" else DEATHS[point][1])
    later(payroll, clock)
    assert_paid_once(payroll, payee, batch_id, stripe)


@pytest.mark.parametrize("lost", ["cut_before", "cut_after"])
@pytest.mark.parametrize("point", ["read_transfer.before_call", "read_transfer.after_answer", "record.before_commit"])
def test_a_death_of_the_driver_that_reads_back_sends_it_once(
    payroll: Payroll, payee: Payee, stripe: StripeServer, mortals: Mortals, clock: MovableClock, point: str, lost: str
) -> None:
    batch_id = payroll.approved()
    stripe.script("transfers/create", lost)
    payroll.send()
    assert payroll.payout_of(payee)["status"] == "UNKNOWN"
    clock.offset += timedelta(minutes=11)
    mortals.dies_doing(point, _at(clock, lambda running: payroll.in_process(running).drive()))
    later(payroll, clock)
    assert_paid_once(payroll, payee, batch_id, stripe)


def _at(clock: MovableClock, work: Callable[[Running], object]) -> Callable[[Running], None]:
    """Work in a process whose clock shows this test's time."""

    def doing(running: Running) -> None:
        moved = dataclasses.replace(running, dependencies=dataclasses.replace(running.dependencies, clock=clock))
        work(moved)

    return doing


@pytest.mark.parametrize(("point", "status", "in_wallet"), [
    ("send_payout.before_commit", "PENDING", 0), ("send_payout.after_commit", "PAID", 6_000),
])  # fmt: skip
def test_a_death_while_a_wallet_is_paid_pays_it_once(
    payroll: Payroll, mortals: Mortals, clock: MovableClock, point: str, status: str, in_wallet: int
) -> None:
    vendor = payroll.a_payee(6_000)
    batch_id = payroll.approved()
    mortals.dies_doing(point, lambda running: payroll.in_process(running).send())
    assert (payroll.payout_of(vendor)["status"], payroll.wallet_of(vendor)) == (status, in_wallet)
    later(payroll, clock)
    assert (payroll.wallet_of(vendor), payroll.batch(batch_id)["status"]) == (6_000, "COMPLETED")


@pytest.mark.parametrize("point", [f"{step}.{when}_commit" for step in ("make_batch", "approve_batch", "process_batch")
                                   for when in ("before", "after")])  # fmt: skip
def test_a_death_while_a_batch_is_made_approved_or_processed_loses_and_doubles_nothing(
    payroll: Payroll, payee: Payee, stripe: StripeServer, mortals: Mortals, clock: MovableClock, point: str
) -> None:
    other = payroll.a_payee(7_000, method="BANK_TRANSFER")
    mortals.dies_doing(point, lambda running: payroll.in_process(running).approved())
    rows = payroll.database.rows("SELECT id, status FROM payout_batches")
    batch_id, status = (rows[0]["id"], rows[0]["status"]) if rows else (payroll.make().batch_id, "DRAFT")
    for stands, step in (("DRAFT", payroll.approve), ("APPROVED", payroll.process)):
        if status == stands:
            step(batch_id)
            status = payroll.batch(batch_id)["status"]
        else:
            with pytest.raises(IllegalTransition):
                step(batch_id)
    later(payroll, clock)
    assert transfers(stripe) == SENT_ONCE
    assert sorted(payroll.statuses(batch_id)) == ["PAID", "SENT"]
    assert (payroll.owed(payee), payroll.owed(other), len(payroll.payouts())) == (0, 0, 2)
