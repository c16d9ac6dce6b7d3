"""Three workers on one batch; a work-horse that dies in the middle of a payout, alone or with its worker (J4, J7)."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from datetime import timedelta
from multiprocessing.process import BaseProcess
from multiprocessing.synchronize import Barrier
from pathlib import Path

import psutil
import pytest
from redis import Redis
from sqlalchemy.engine import URL

from config.settings import Settings
from fake_providers.stripe import StripeServer
from infrastructure.bootstrap import Running, bootstrap
from infrastructure.database.roles import DatabaseAddresses
from infrastructure.database.transaction import Database
from infrastructure.messaging.event_relay import EventRelay
from tests.conftest import MovableClock
from tests.e2e.invariants import unlike_transfers
from tests.faults import payout_worker
from tests.faults.own_servers import work_off
from tests.faults.waiting import until
from tests.faults.whole import whole
from tests.integration.payroll import Payroll, funded_stripe, paying_by, transfers

pytestmark = pytest.mark.database

WORKERS, PAYEES = 3, 9


@pytest.fixture
def stripe(tmp_path: Path) -> Iterator[StripeServer]:
    with funded_stripe(tmp_path) as server:
        yield server


@pytest.fixture
def settings(settings: Settings, stripe: StripeServer) -> Settings:
    return paying_by(stripe, settings)


@pytest.fixture
def payroll(running: Running) -> Payroll:
    return Payroll.of(running)


@pytest.fixture
def started() -> Iterator[list[BaseProcess]]:
    """Processes, ended with the test."""
    processes: list[BaseProcess] = []
    yield processes
    for process in processes:
        for one in _family(process):
            one.kill()
        process.join()


def _family(process: BaseProcess) -> list[psutil.Process]:
    try:
        whole = psutil.Process(process.pid)
        return [*whole.children(recursive=True), whole]
    except psutil.NoSuchProcess:
        return []


def _send_all(settings: Settings, app_url: URL, payroll: Payroll, gate: Barrier) -> None:
    running = bootstrap(settings, database=Database(app_url))
    mine = payroll.in_process(running)
    gate.wait()
    mine.send()
    mine.drive()


def test_three_workers_on_one_batch_send_each_payout_once(
    payroll: Payroll,
    settings: Settings,
    addresses: DatabaseAddresses,
    stripe: StripeServer,
    started: list[BaseProcess],
) -> None:
    payroll.payees([(5_000 + number,) for number in range(PAYEES)], method="STRIPE")
    batch_id = payroll.approved()
    forking = multiprocessing.get_context("fork")
    gate = forking.Barrier(WORKERS)
    for _ in range(WORKERS):
        process = forking.Process(target=_send_all, args=(settings, addresses.app, payroll, gate))
        process.start()
        started.append(process)
    for process in started:
        process.join(60)
    assert [process.exitcode for process in started] == [0] * WORKERS
    payroll.drive()
    assert [amount for _, amount in transfers(stripe)] == [5_000 + number for number in range(PAYEES)]
    assert unlike_transfers(stripe, addresses) == {}
    assert payroll.batch(batch_id)["status"] == "COMPLETED"


@whole
@pytest.mark.slow
@pytest.mark.parametrize("with_its_worker", [False, True], ids=["the horse", "worker and horse"])
@pytest.mark.parametrize("fault", ["timeout_before", "timeout_after"])
def test_a_work_horse_that_dies_in_the_middle_of_a_payout_sends_it_once(
    payroll: Payroll,
    running: Running,
    settings: Settings,
    addresses: DatabaseAddresses,
    stripe: StripeServer,
    clock: MovableClock,
    started: list[BaseProcess],
    fault: str,
    with_its_worker: bool,
) -> None:
    """It is killed while the provider is being asked, which has the transfer already, or never hears of it."""
    payroll.a_payee(8_000, method="STRIPE", stripe_account="acct_1A")
    batch_id = payroll.approved()
    stripe.script("transfers/create", fault)
    process = multiprocessing.get_context("fork").Process(
        target=payout_worker.main, args=(settings, addresses.app, clock)
    )
    process.start()
    started.append(process)
    with Redis.from_url(settings.redis_url) as connection:
        EventRelay(running.database, connection, clock).relay_once()
    until(lambda: stripe.calls("transfers/create") > 0 and payroll.statuses(batch_id) == ["SENT"])
    _kill(process, with_its_worker=with_its_worker)
    assert payroll.statuses(batch_id) == ["SENT"]
    for one in _family(process):
        one.kill()
    process.join()

    _later(payroll, running, clock, settings)
    assert transfers(stripe) == [("acct_1A", 8_000)]
    assert unlike_transfers(stripe, addresses) == {}
    assert payroll.batch(batch_id)["status"] == "COMPLETED"


def _kill(process: BaseProcess, *, with_its_worker: bool) -> None:
    horses = psutil.Process(process.pid).children(recursive=True)
    assert len(horses) >= 1, "the job runs in a fork"
    if with_its_worker:
        process.kill()
    for horse in horses:
        horse.kill()


def _later(payroll: Payroll, running: Running, clock: MovableClock, settings: Settings) -> None:
    """An hour passes, in which leases end, jobs come back and the driver comes."""
    for minutes in (2, 12, 20, 30):
        clock.offset += timedelta(minutes=minutes)
        work_off(running, clock, settings.redis_url)
        payroll.drive()
