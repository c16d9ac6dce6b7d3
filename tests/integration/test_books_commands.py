"""`altayar ledger`: the books at the terminal."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from click.testing import CliRunner, Result

from cli import main
from domain.ledger import accounts
from domain.ledger.accounts import AccountRef
from domain.ledger.journal import transfer
from infrastructure.clock import SystemClock, new_id
from infrastructure.database.roles import DatabaseAddresses, addresses_from, connect
from infrastructure.database.transaction import Database
from tests.builders import a_journal
from tests.integration.shop import a_stored_user, units_of_work

pytestmark = pytest.mark.database
CLEARING = accounts.clearing("SANDBOX", "EGP")


@pytest.fixture
def altayar(monkeypatch: pytest.MonkeyPatch, addresses: DatabaseAddresses, owner_url: str, redis_url: str) -> CliRunner:
    """The command on this test's database, as the role that its clones share."""
    monkeypatch.setenv("ENVIRONMENT", "test")
    monkeypatch.setenv("DATABASE_URL", owner_url)
    monkeypatch.setenv("REDIS_URL", redis_url)
    monkeypatch.setenv("COLUMNS", "160")
    derived = addresses_from(owner_url).app
    monkeypatch.setattr(
        "infrastructure.bootstrap.addresses_from",
        lambda url: addresses if addresses_from(url).app == derived else addresses_from(url),
    )
    return CliRunner()


@pytest.fixture
def wallet(database: Database) -> AccountRef:
    """A wallet into which EGP 12.50 came today."""
    new_uow = units_of_work(database)
    made = accounts.wallet(a_stored_user(new_uow), "EGP")
    with new_uow() as uow:
        uow.ledger.post([a_journal(*transfer(CLEARING, made, 1_250), occurred_at=SystemClock().now())])
        uow.commit()
    return made


def run(altayar: CliRunner, *arguments: Any) -> Result:
    return altayar.invoke(main, ["ledger", *map(str, arguments)])


def test_the_trial_balance_says_that_the_books_balance(altayar: CliRunner, wallet: AccountRef) -> None:
    said = run(altayar, "trial-balance")

    assert said.exit_code == 0, said.output
    assert "EGP balances" in said.output
    assert [line.split()[-2] for line in said.output.splitlines() if "Wallet" in line] == ["12.50"]
    assert run(altayar, "trial-balance", "--from", "2026-01-01").exit_code == 1


def test_totals_that_are_wrong_are_named_until_they_are_made_anew(
    altayar: CliRunner, wallet: AccountRef, addresses: DatabaseAddresses
) -> None:
    assert run(altayar, "daily-totals", "--rebuild").output == "every day's totals are what its entries say\n"
    with connect(addresses.owner) as connection:
        # What was posted a moment ago is not in the totals yet: nothing came of it, and something did.
        connection.execute("INSERT INTO ledger_daily_totals VALUES ('WALLET', '', 'EGP', '2026-01-01', 7, 0, 1)")

    wrong = run(altayar, "daily-totals")

    assert wrong.exit_code == 1
    assert "WALLET" in wrong.output
    assert run(altayar, "trial-balance").exit_code == 1
    assert run(altayar, "daily-totals", "--rebuild").exit_code == 0


def test_a_statement_is_found_by_account_or_by_person_and_unit(altayar: CliRunner, wallet: AccountRef) -> None:
    today = SystemClock().now().date().isoformat()[:8]
    period = ("--from", f"{today}01", "--to", "2199-01-01")

    by_account = run(altayar, "statement", wallet.id, *period)
    by_person = run(altayar, "statement", wallet.owner, "EGP", *period)

    assert by_account.output == by_person.output
    assert [line.split()[1:3] for line in by_account.output.splitlines()[2:]] == [
        ["12.50", "12.50"],
        ["12.50", "closing"],
    ]
    unknown = run(altayar, "statement", UUID(int=7))
    assert (unknown.exit_code, "nothing has ever moved" in unknown.output) == (1, True)


def test_a_providers_statement_is_read_from_a_file(altayar: CliRunner, tmp_path: Path, database: Database) -> None:
    file = tmp_path / "statement.csv"
    file.write_text(
        f"\ufeffbooked_on,provider_reference,kind,amount,currency\r\n2026-11-23,{new_id()},PAYMENT,1.00,EGP\r\n"
    )

    said = run(altayar, "reconcile", "--provider", "sandbox", "--file", file)

    assert said.output == "1 lines, 0 references match, 1 do not\n"
    [row] = database.rows("SELECT user_id, user_agent FROM audit_logs WHERE action = 'ledger.reconcile'")
    assert row == {"user_id": None, "user_agent": "altayar cli"}
    assert "is none of" in run(altayar, "reconcile", "--provider", "nobody", "--file", file).output
    file.write_text("nonsense")
    assert "first line names" in run(altayar, "reconcile", "--provider", "sandbox", "--file", file).output
