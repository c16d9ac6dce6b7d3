"""`altayar ledger verify` finds what was changed behind the guards' back, and names it."""

from __future__ import annotations

from uuid import UUID

import pytest

from domain.ledger import accounts
from domain.ledger.accounts import AccountKind
from domain.ledger.journal import Journal, JournalType, transfer
from domain.shared.money import Money
from infrastructure.bootstrap import Running
from infrastructure.clock import new_id
from infrastructure.database.ledger.verification import count_entries, verify_ledger
from infrastructure.database.roles import DatabaseAddresses, connect


@pytest.fixture
def wallet_owner(running: Running, addresses: DatabaseAddresses) -> UUID:
    """Somebody whose wallet moved three times."""
    owner = new_id()
    with connect(addresses.owner) as connection:
        connection.execute(
            "INSERT INTO users (id, email, password_hash, first_name, last_name, locale, status, roles, created_at)"
            " VALUES (%s, 'w@example.com', 'x', 'W', 'O', 'en', 'ACTIVE', '{CUSTOMER}', now())",
            (owner,),
        )
    source = accounts.clearing("SANDBOX", "EGP")
    for position in range(3):
        with running.dependencies.new_uow() as uow:
            uow.ledger.post(
                [
                    Journal(
                        id=new_id(),
                        journal_type=JournalType.DEPOSIT,
                        idempotency_key=f"deposit-{position}",
                        reference_type="TEST",
                        reference_id=owner,
                        description_ar="إيداع",
                        description_en="Deposit",
                        occurred_at=running.dependencies.clock.now(),
                        entries=transfer(source, accounts.wallet(owner, "EGP"), Money.of(1000 + position, "EGP")),
                    )
                ]
            )
            uow.commit()
    return owner


def _behind_the_guards(addresses: DatabaseAddresses, statement: str) -> None:
    with connect(addresses.owner) as connection:
        connection.execute("ALTER TABLE ledger_entries DISABLE TRIGGER ALL")
        connection.execute(statement)
        connection.execute("ALTER TABLE ledger_entries ENABLE TRIGGER ALL")


def test_an_untouched_ledger_is_as_it_was_written(wallet_owner: UUID, addresses: DatabaseAddresses) -> None:
    seen: list[int] = []
    verified = verify_ledger(addresses.owner, seen.append)
    assert verified.fault is None
    assert verified.entries == count_entries(addresses.owner) == sum(seen) == 6


@pytest.mark.parametrize(
    ("statement", "reason"),
    [
        (
            "UPDATE ledger_entries SET amount_minor = amount_minor + 1, balance_after_minor = balance_after_minor + 1"
            " WHERE sequence = 2",
            "its hash does not fit its content",
        ),
        ("DELETE FROM ledger_entries WHERE sequence = 2", "its sequence does not follow"),
        (
            "UPDATE ledger_entries SET occurred_at = occurred_at - interval '1 day' WHERE sequence = 3",
            "its hash does not fit its content",
        ),
    ],
)
def test_a_tampered_row_is_named(wallet_owner: UUID, addresses: DatabaseAddresses, statement: str, reason: str) -> None:
    _behind_the_guards(addresses, statement)
    fault = verify_ledger(addresses.owner).fault
    assert fault is not None
    assert fault.account_id == accounts.wallet(wallet_owner, "EGP").id
    assert fault.reason == reason


def test_a_tampered_platform_row_is_named(wallet_owner: UUID, addresses: DatabaseAddresses) -> None:
    _behind_the_guards(
        addresses,
        "UPDATE ledger_entries SET amount_minor = amount_minor - 5 WHERE sequence IS NULL AND amount_minor = -1001",
    )
    fault = verify_ledger(addresses.owner).fault
    assert fault is not None
    assert fault.account_id == accounts.clearing("SANDBOX", "EGP").id


def test_an_added_platform_row_shows_in_the_journals_sum(wallet_owner: UUID, addresses: DatabaseAddresses) -> None:
    unit = accounts.platform(AccountKind.SUSPENSE, "EGP")
    _behind_the_guards(
        addresses,
        "WITH journal AS (SELECT id FROM ledger_journals LIMIT 1) INSERT INTO ledger_accounts"
        f" SELECT '{unit.id}', 'SUSPENSE', 'EGP', NULL, '', false, true, now() FROM journal",
    )
    _behind_the_guards(
        addresses,
        "INSERT INTO ledger_entries SELECT journal_id, 9::smallint, "
        f"'{unit.id}', NULL, 7, 'EGP', NULL, NULL, '\\x00', occurred_at FROM ledger_entries LIMIT 1",
    )
    assert verify_ledger(addresses.owner).fault is not None
