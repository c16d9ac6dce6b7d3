"""A small ledger of every sort of row, for the tests of its verification, its seals and its partitions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any
from uuid import UUID

import psycopg

from application.ports import NewUnitOfWork
from domain.ledger import accounts
from domain.ledger.accounts import AccountKind, AccountRef
from domain.ledger.holds import BalanceHold
from domain.ledger.journal import Journal, JournalType, transfer
from infrastructure.clock import new_id
from infrastructure.database.ledger.verification import verify_ledger, verify_snapshot
from infrastructure.database.roles import DatabaseAddresses, connect
from infrastructure.database.transaction import Database
from tests.builders import NOON, a_journal, a_lot
from tests.integration.shop import a_stored_user, units_of_work

CLEARING = accounts.clearing("SANDBOX", "EGP")
PREPAID = accounts.platform(AccountKind.CUSTOMER_PREPAYMENTS, "EGP")
REVENUE = accounts.platform(AccountKind.BOOKING_REVENUE, "EGP")
ISSUED = accounts.platform(AccountKind.POINTS_ISSUED, "PTS")
REDEEMED = accounts.platform(AccountKind.POINTS_REDEEMED, "PTS")

TABLES = (
    "ledger_account_kinds", "ledger_accounts", "ledger_journals", "ledger_entries", "ledger_heads", "ledger_seals",
    "balance_holds", "points_lots", "points_lot_entries",
)  # fmt: skip


def id_at(at: datetime) -> UUID:
    """A journal's id as it is made at an instant (UUIDv7)."""
    return UUID(int=int(at.timestamp() * 1000) << 80 | new_id().int & (1 << 80) - 1)


@dataclass(frozen=True)
class Audited:
    """The ledger of one database, as its application writes it and as its owner can."""

    database: Database
    addresses: DatabaseAddresses

    @cached_property
    def new_uow(self) -> NewUnitOfWork:
        return units_of_work(self.database)

    def a_wallet(self) -> AccountRef:
        return accounts.wallet(a_stored_user(self.new_uow), "EGP")

    def post(self, *journals: Journal) -> None:
        with self.new_uow() as uow:
            uow.ledger.post(journals)
            uow.commit()

    def move(self, source: AccountRef, target: AccountRef, amount: int, **changes: Any) -> Journal:
        journal = a_journal(*transfer(source, target, amount), **changes)
        self.post(journal)
        return journal

    def as_owner(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        with connect(self.addresses.owner) as connection:
            cursor = connection.execute(statement, values)  # type: ignore[arg-type]
            return cursor.fetchall() if cursor.description else []

    def behind_the_guards(self, statement: str, *values: object) -> None:
        """What only an owner can do who switches the triggers off."""
        with connect(self.addresses.owner) as connection, connection.transaction():
            _unguard(connection)
            connection.execute(statement, values)  # type: ignore[arg-type]
            _unguard(connection, "ENABLE")

    def fault_after(self, statement: str, *values: object) -> str:
        """What verification says after such a change, which is then taken back."""
        with connect(self.addresses.owner) as connection, connection.transaction(force_rollback=True):
            _unguard(connection)
            connection.execute(statement, values)  # type: ignore[arg-type]
            return str(verify_snapshot(connection).fault or "")

    def days_ago(self, *journals: Journal, days: int = 2) -> None:
        """Have journals been posted on a day that is over."""
        self.behind_the_guards(
            "UPDATE ledger_journals SET posted_at = posted_at - make_interval(days => %s) WHERE id = ANY (%s)",
            days,
            [journal.id for journal in journals],
        )

    def fault(self) -> str:
        """What verification says; nothing for an honest ledger."""
        found = verify_ledger(self.addresses.owner).fault
        return "" if found is None else str(found)


def _unguard(connection: psycopg.Connection[Any], verb: str = "DISABLE") -> None:
    for table in TABLES:
        connection.execute(f"ALTER TABLE {table} {verb} TRIGGER USER")


@dataclass(frozen=True)
class Story:
    """What happened: a wallet moved, one hold was captured and one not, points were spent, a debt was made."""

    wallet: AccountRef
    points: AccountRef
    deposits: tuple[Journal, Journal, Journal]
    captured: BalanceHold
    held: BalanceHold
    lot_id: UUID
    clawback: Journal
    completed: Journal
    """Between two accounts of the platform."""
    reversal: Journal


def a_story(books: Audited) -> Story:
    """Tell it: all but the reversal of the third deposit happened two days ago."""
    owner, _another = a_stored_user(books.new_uow), a_stored_user(books.new_uow)
    wallet, points, debt = accounts.wallet(owner, "EGP"), accounts.points(owner), accounts.debt(owner, "EGP")
    deposits = tuple(books.move(CLEARING, wallet, amount) for amount in (1000, 1001, 1002))
    captured, held = (_hold(books, wallet, amount) for amount in (300, 400))
    payment = _capture(books, captured)
    completed = books.move(PREPAID, REVENUE, 300, journal_type=JournalType.REVENUE)
    earned, spent, lot_id = _points(books, points)
    clawback = books.move(debt, CLEARING, 50, journal_type=JournalType.CLAWBACK)
    books.days_ago(*deposits, payment, completed, earned, spent, clawback)
    reversal = books.move(
        wallet,
        CLEARING,
        1002,
        journal_type=JournalType.REVERSAL,
        reverses=deposits[2].id,
        occurred_at=datetime.now(UTC),
    )
    return Story(wallet, points, deposits, captured, held, lot_id, clawback, completed, reversal)  # type: ignore[arg-type]


def _hold(books: Audited, wallet: AccountRef, amount: int) -> BalanceHold:
    hold = BalanceHold(
        id=new_id(), account=wallet, amount_minor=amount, reference_type="TEST", reference_id=new_id(),
        created_at=NOON, expires_at=NOON + timedelta(days=1),
    )  # fmt: skip
    with books.new_uow() as uow:
        uow.ledger.add_hold(hold)
        uow.commit()
    return hold


def _capture(books: Audited, hold: BalanceHold) -> Journal:
    payment = a_journal(*transfer(hold.account, PREPAID, hold.amount_minor), journal_type=JournalType.PAYMENT)
    hold.capture(hold.amount_minor, journal_id=payment.id, at=NOON)
    with books.new_uow() as uow:
        uow.ledger.post([payment])
        uow.ledger.resolve_hold(hold)
        uow.commit()
    return payment


def _points(books: Audited, points: AccountRef) -> tuple[Journal, Journal, UUID]:
    """A hundred are earned, and thirty spent."""
    earned = a_journal(*transfer(ISSUED, points, 100), journal_type=JournalType.EARNED)
    lot = a_lot(user_id=points.owner or new_id(), journal_id=earned.id)
    with books.new_uow() as uow:
        uow.ledger.post([earned])
        uow.ledger.add_lot(lot)
        uow.commit()
    spent = a_journal(*transfer(points, REDEEMED, 30), journal_type=JournalType.REDEEMED)
    with books.database.transaction() as transaction, books.new_uow() as uow:
        uow.ledger.post([spent])
        transaction.execute(
            "INSERT INTO points_lot_entries (journal_id, lot_id, points) VALUES (%s, %s, -30)", (spent.id, lot.id)
        )
        uow.commit()
        transaction.commit()
    return earned, spent, lot.id
