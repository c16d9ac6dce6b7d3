"""Some hundred payouts; workers, their horses, the relay, the scheduler and the database are killed at random moments
and a Redis is flushed: each payout arrives once.

A failure prints its seed; ALTAYAR_STORM_SEED runs it again. PAYROLL_STORM_ITEMS and PAYROLL_STORM_KILLS make it larger:
5,000 payouts and 20 kills take some twenty minutes where two cores are shared.
"""

from __future__ import annotations

import os
import random
import shutil
import tempfile
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest

from application.payouts.bank_files import pain_001, read_bank_file
from application.payouts.bank_messages import read_pain_002
from application.payouts.bank_results import ImportResults, LineOutcome, import_results
from config.settings import Settings
from domain.ledger import accounts
from domain.ledger.accounts import AccountKind
from fake_providers.stripe import StripeServer
from infrastructure.bootstrap import Running, bootstrap
from infrastructure.database.roles import DatabaseAddresses, addresses_from
from infrastructure.database.transaction import Database
from tests.conftest import in_memory, make_template
from tests.fakes.bank import FakeBank
from tests.faults.household import House, Household, MortalPostgres, SharedClock
from tests.faults.storm import Storm
from tests.faults.watching import Watch
from tests.integration.payroll import (
    DEBTOR,
    Payee,
    Payroll,
    broken_payroll_promises,
    funded_stripe,
    paying_by,
    transfers,
)

ITEMS = int(os.environ.get("PAYROLL_STORM_ITEMS") or 150)
KILLS = int(os.environ.get("PAYROLL_STORM_KILLS") or 10)
OF_EACH = max(1, ITEMS // 3)
STUCK_AFTER = timedelta(minutes=3)
pytestmark = [pytest.mark.database, pytest.mark.slow, pytest.mark.timeout(max(400, ITEMS))]

FAULTS = ("cut_before", "cut_after", "error_500", "error_500_after")
MOVES = (0, 0, 1, 2, 11)
"""Minutes by which the clock moves after a kill."""


@pytest.fixture
def postgres() -> Iterator[MortalPostgres]:
    """A server of this test's own, for it dies."""
    home = Path(tempfile.mkdtemp(prefix="altayar-storm-", dir=in_memory()))
    home.chmod(0o755)
    server = MortalPostgres(home)
    yield server
    server.close()
    shutil.rmtree(home, ignore_errors=True)


@pytest.fixture
def addresses(postgres: MortalPostgres) -> DatabaseAddresses:
    return addresses_from(make_template(postgres.owner_url))


@pytest.fixture
def clock() -> SharedClock:
    return SharedClock()


@pytest.fixture
def stripe(tmp_path: Path) -> Iterator[StripeServer]:
    with funded_stripe(tmp_path) as server:
        yield server


@pytest.fixture
def settings(settings: Settings, stripe: StripeServer) -> Settings:
    return paying_by(stripe, settings)


@pytest.fixture
def running(settings: Settings, addresses: DatabaseAddresses, clock: SharedClock) -> Iterator[Running]:
    started = bootstrap(settings, database=Database(addresses.app), clock=clock)
    yield started
    started.close()


@pytest.fixture
def household(
    settings: Settings, postgres: MortalPostgres, addresses: DatabaseAddresses, clock: SharedClock
) -> Iterator[Household]:
    kept = Household(House(settings, postgres, addresses.app, clock))
    yield kept
    kept.close()


@pytest.fixture
def chance() -> random.Random:
    seed = int(os.environ.get("ALTAYAR_STORM_SEED") or random.randrange(2**32))
    print(f"ALTAYAR_STORM_SEED={seed}")  # noqa: T201 - shown with a failure
    return random.Random(seed)


@pytest.fixture
def storm(
    running: Running,
    household: Household,
    postgres: MortalPostgres,
    addresses: DatabaseAddresses,
    clock: SharedClock,
    chance: random.Random,
) -> Storm:
    return Storm(running, household, postgres, Watch(addresses.app, clock), clock, chance)


def test_every_payout_arrives_once_whoever_is_killed(
    running: Running, addresses: DatabaseAddresses, stripe: StripeServer, storm: Storm
) -> None:
    payroll, bank, chance = Payroll.of(running), FakeBank(), storm.chance
    wallets = payroll.payees([(5_000, chance.randrange(1, 5_000)) for _ in range(OF_EACH)])
    cards = payroll.payees([(chance.randrange(5_000, 9_000),) for _ in range(OF_EACH)], method="STRIPE")
    transferred = payroll.payees([(5_000 + number,) for number in range(OF_EACH)], method="BANK_TRANSFER")
    everybody = [*wallets, *cards, *transferred]
    earned = {payee.user_id: payroll.owed(payee) for payee in everybody}
    batch_id, began = payroll.approved(), time.monotonic()

    for _ in storm.strikes(KILLS, 2 * OF_EACH):
        for _ in range(chance.randrange(4)):
            stripe.script("transfers/create", chance.choice(FAULTS))
        if chance.random() < 0.3:
            _bank_day(payroll, bank, batch_id)
        storm.clock.offset += timedelta(minutes=chance.choice(MOVES))

    _tell(storm, time.monotonic() - began)
    _assert_the_scheduler_works_again(storm)
    storm.household.close()
    # The storm did something: workers sent what is not the bank's.
    assert storm.watch.over > OF_EACH / 2
    assert storm.watch.longest_due < STUCK_AFTER.total_seconds()
    _assert_nothing_is_stuck(payroll, storm.clock)
    for _ in range(12):
        storm.clock.offset += timedelta(minutes=11)
        payroll.drive()
    _bank_day(payroll, bank, batch_id)
    _bank_day(payroll, bank, batch_id)

    assert payroll.batch(batch_id)["status"] == "COMPLETED"
    assert transfers(stripe) == sorted((f"acct_{number}", earned[payee.user_id]) for number, payee in enumerate(cards))
    assert [payroll.wallet_of(payee) for payee in wallets] == [earned[payee.user_id] for payee in wallets]
    _assert_the_banks_books_are_ours(payroll, bank, transferred, batch_id, earned)
    assert payroll.summed(accounts.platform(AccountKind.PAYOUTS_IN_TRANSIT, "USD")) == 0
    assert broken_payroll_promises(addresses) == []


def _assert_the_scheduler_works_again(storm: Storm) -> None:
    """Somebody began it anew after its last death, and it woke the driver."""
    died_at = storm.scheduler_died_at
    assert died_at is None or storm.wait_for(lambda: storm.watch.was_driven_since(died_at))


def _tell(storm: Storm, seconds: float) -> None:
    watch = storm.watch
    print(  # noqa: T201 - shown with a failure, and with -s
        f"{storm.struck.total()} strikes in {seconds:.0f} s: {dict(storm.struck)}; {watch.over} of {2 * OF_EACH} were"
        f" sent meanwhile; the oldest due was due for {watch.longest_due:.0f} s,"
        f" unsent for {watch.longest_unsent:.0f} s"
    )


def _assert_nothing_is_stuck(payroll: Payroll, clock: SharedClock) -> None:
    """The driver comes every quarter of a minute: nothing is due for long, whoever died with it."""
    for _ in range(20):
        clock.offset += timedelta(seconds=15)
        payroll.drive()
    stuck = payroll.database.rows(
        """SELECT id, status, attempts, next_try_at FROM payouts WHERE method <> 'BANK_TRANSFER'
           AND status IN ('PENDING', 'SENT', 'UNKNOWN') AND (next_try_at IS NULL OR next_try_at < %s)""",
        (clock.now() - STUCK_AFTER,),
    )
    assert stuck == []


def _assert_the_banks_books_are_ours(
    payroll: Payroll, bank: FakeBank, payees: list[Payee], batch_id: UUID, earned: dict[UUID, int]
) -> None:
    rows = {row["payee_id"]: row for row in payroll.payouts(batch_id)}
    for payee in payees:
        row = rows[payee.user_id]
        key = f"po-{row['id'].hex}"
        was_paid = key in bank.paid
        assert (key in bank.refused) is not was_paid
        assert row["status"] == ("PAID" if was_paid else "FAILED")
        assert payroll.owed(payee) == (0 if was_paid else earned[payee.user_id])
    ours = payroll.summed(accounts.clearing("BANK", "USD"))
    assert ours == int(sum(bank.paid.values()) * 100)


def _bank_day(payroll: Payroll, bank: FakeBank, batch_id: UUID) -> None:
    """Staff bring the batch's file to the bank, and its report back; every line of it can be read."""
    use = payroll.use
    file = read_bank_file(
        batch_id, shape="pain.001", actor=payroll.clerk, debtor=DEBTOR, uow=use.new_uow(), clock=use.clock
    )
    lines = read_pain_002(bank.takes(pain_001(file)), batch_number=file.batch.batch_number)
    command = ImportResults(batch_id, payroll.clerk, lines)
    answers = import_results(command, new_uow=use.new_uow, clock=use.clock, new_id=use.new_id)
    assert {one.outcome for one in answers} <= {LineOutcome.APPLIED, LineOutcome.ALREADY}
