"""The posting path on a database, in the words of a test, and what must hold of the books whatever happened."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import psycopg

from application.ledger.reversals import Reverse, reverse
from application.ports import NewUnitOfWork
from domain.ledger import accounts
from domain.ledger.accounts import AccountKind, AccountRef
from domain.ledger.journal import Journal, transfer
from domain.shared.money import Money
from infrastructure.clock import SystemClock, new_id
from infrastructure.database.ledger.queries import SqlLedgerQueries
from infrastructure.database.roles import DatabaseAddresses
from infrastructure.database.transaction import Database
from tests.builders import NOON, a_journal
from tests.databases import as_owner
from tests.integration.shop import PROMISES, a_stored_user, units_of_work
from tests.ledger_world import a_hold

LEDGER_PROMISES = [query for name, query in PROMISES.items() if "journals" in name or "chain" in name or "zero" in name]


class Ledger:
    """The posting path and what it wrote."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.new_uow: NewUnitOfWork = units_of_work(database)
        self.queries = SqlLedgerQueries(database)
        # Platform accounts of this test alone: their totals are what it moved.
        self.clearing = accounts.clearing(new_id().hex, "EGP")
        self.prepaid = AccountRef(AccountKind.CUSTOMER_PREPAYMENTS, "EGP", provider=new_id().hex)
        self.key = new_id().hex
        self._journals_before = self._count()

    def a_wallet(self, balance: int = 0) -> AccountRef:
        """The wallet of somebody new."""
        wallet = accounts.wallet(a_stored_user(self.new_uow), "EGP")
        if balance:
            self.post(a_journal(*transfer(self.clearing, wallet, balance)))
        return wallet

    def post(self, *journals: Journal) -> None:
        with self.new_uow() as uow:
            uow.ledger.post(journals)
            uow.commit()

    def move(self, source: AccountRef, target: AccountRef, amount: int, *, key: str | None = None) -> None:
        self.post(a_journal(*transfer(source, target, amount), key=key))

    def hold(self, account: AccountRef, amount: int) -> UUID:
        """Set something aside; the hold's id."""
        hold = a_hold(account, amount)
        with self.new_uow() as uow:
            uow.ledger.add_hold(hold)
            uow.commit()
        return hold.id

    def reverse(self, journal_id: UUID, part: int | None = None, *, unit: str = "EGP", key: str = "") -> UUID:
        command = Reverse(
            journal_id=journal_id,
            idempotency_key=key or new_id().hex,
            part=Money.of(part, unit) if part is not None else None,
        )
        return reverse(command, uow=self.new_uow(), clock=SystemClock(), new_id=new_id)

    def balance(self, account: AccountRef) -> int:
        return self.queries.balance(account.id)

    def chain(self, account: AccountRef) -> list[tuple[int, int, int, int]]:
        """Each entry of an account, oldest first: sequence, before, amount, after."""
        rows = self.database.rows(
            """SELECT sequence, balance_before_minor, amount_minor, balance_after_minor FROM ledger_entries
               WHERE account_id = %s ORDER BY sequence, journal_id""",
            (account.id,),
        )
        return [tuple(row.values()) for row in rows]  # type: ignore[misc]

    def total(self, account: AccountRef) -> int:
        [row] = self.database.rows(
            "SELECT coalesce(sum(amount_minor), 0)::bigint AS sum FROM ledger_entries WHERE account_id = %s",
            (account.id,),
        )
        return int(row["sum"])

    def journals(self) -> int:
        """How many this test posted."""
        return self._count() - self._journals_before

    def _count(self) -> int:
        [row] = self.database.rows("SELECT count(*) AS count FROM ledger_journals")
        return int(row["count"])


def assert_books_are_right(addresses: DatabaseAddresses) -> None:
    """Balanced journals, unbroken chains, nobody below zero, right hashes."""
    with as_owner(addresses) as connection:
        for query in LEDGER_PROMISES:
            assert connection.execute(query).fetchall() == []
        _check_hashes(connection)


def _check_hashes(connection: psycopg.Connection[Any]) -> None:
    """Recompute every hash from the rows, as an auditor without this code would."""
    rows = connection.execute(
        """SELECT e.journal_id, e.line, e.account_id, e.sequence, e.amount_minor, e.currency,
                  e.balance_after_minor, e.occurred_at, e.hash, j.fingerprint
           FROM ledger_entries e JOIN ledger_journals j ON j.id = e.journal_id
           ORDER BY e.account_id, e.sequence"""
    ).fetchall()
    last: dict[UUID, bytes] = {}
    for row in rows:
        account_id, sequence, stored = row[2], row[3], row[8]
        previous = last.get(account_id, b"") if sequence is not None else b""
        assert hash_of(row, previous) == stored
        last[account_id] = stored


def hash_of(row: Sequence[Any], previous: bytes) -> bytes:
    """The hash that an entry has to have, from its columns and the hash before it on its account."""
    journal_id, line, account_id, sequence, amount, unit, after, at, _, said = row
    micros = (at - NOON) // timedelta(microseconds=1) + int(NOON.timestamp()) * 1_000_000
    text = f"{journal_id}|{line}|{account_id}|{sequence or 0}|{amount}|{unit}|{after or 0}|{micros}"
    return hashlib.sha256(previous + said + text.encode()).digest()
