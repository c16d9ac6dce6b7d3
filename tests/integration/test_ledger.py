"""The ledger in PostgreSQL: posted once, chained, never below zero, and never changed (M3, M4, M5)."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from application.ports import NewUnitOfWork
from domain.ledger import accounts
from domain.ledger.accounts import AccountKind, AccountRef
from domain.ledger.journal import Entry, InsufficientBalance, Journal, JournalKeyReused, transfer
from infrastructure.clock import new_id
from infrastructure.database.ledger.queries import SqlLedgerQueries
from infrastructure.database.ledger.repositories import fingerprint
from infrastructure.database.roles import DatabaseAddresses, connect
from infrastructure.database.transaction import Database
from tests.builders import NOON, a_journal, a_lot
from tests.integration.shop import PROMISES, a_stored_user, all_at_once, units_of_work

ELSEWHERE = accounts.clearing("ELSEWHERE", "EGP")
PLACES = st.integers(0, 3)
LEDGER_WORDS = ("journals", "chain", "zero", "debts", "holds are covered", "lots")
LEDGER_PROMISES = [query for name, query in PROMISES.items() if any(word in name for word in LEDGER_WORDS)]


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


@pytest.fixture(scope="module")
def database(module_addresses: DatabaseAddresses) -> Iterator[Database]:
    opened = Database(module_addresses.app)
    yield opened
    opened.dispose()


@pytest.fixture
def ledger(database: Database) -> Ledger:
    return Ledger(database)


@pytest.fixture(autouse=True)
def the_books_are_right_afterwards(module_addresses: DatabaseAddresses) -> Iterator[None]:
    """Whatever a test does, it leaves balanced journals, unbroken chains, nobody below zero, right hashes."""
    yield
    with connect(module_addresses.owner) as connection:
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
    for journal_id, line, account_id, sequence, amount, unit, after, at, stored, said in rows:
        micros = (at - NOON) // timedelta(microseconds=1) + int(NOON.timestamp()) * 1_000_000
        text = f"{journal_id}|{line}|{account_id}|{sequence or 0}|{amount}|{unit}|{after or 0}|{micros}"
        previous = last.get(account_id, b"") if sequence is not None else b""
        assert hashlib.sha256(previous + said + text.encode()).digest() == stored
        last[account_id] = stored


def test_user_accounts_are_chained_without_a_gap(ledger: Ledger) -> None:
    wallet = ledger.a_wallet()

    for amount in (500, 300):
        ledger.move(ledger.clearing, wallet, amount)
    ledger.move(wallet, ledger.prepaid, 700)

    assert ledger.chain(wallet) == [(1, 0, 500, 500), (2, 500, 300, 800), (3, 800, -700, 100)]
    assert ledger.balance(wallet) == 100


def test_platform_accounts_are_summed_and_have_no_chain(ledger: Ledger) -> None:
    ledger.move(ledger.clearing, ledger.prepaid, 500)
    ledger.move(ledger.clearing, ledger.prepaid, 250)

    assert ledger.chain(ledger.prepaid) == [(None, None, 500, None), (None, None, 250, None)]
    assert (ledger.total(ledger.prepaid), ledger.total(ledger.clearing)) == (750, -750)


def test_the_fingerprint_is_stored_with_the_journal(ledger: Ledger) -> None:
    journal = a_journal(*transfer(ledger.clearing, ledger.prepaid, 1))

    ledger.post(journal)

    row = ledger.database.row("SELECT fingerprint FROM ledger_journals WHERE id = %s", (journal.id,))
    assert row is not None
    assert bytes(row["fingerprint"]) == fingerprint(journal)


def test_a_journal_posted_again_changes_nothing(ledger: Ledger) -> None:
    wallet = ledger.a_wallet()
    journal = a_journal(*transfer(ledger.clearing, wallet, 500), key=ledger.key)

    ledger.post(journal)
    ledger.post(journal)
    ledger.post(replace(journal, id=new_id(), occurred_at=NOON + timedelta(hours=1)))
    ledger.post(journal, journal)

    assert ledger.chain(wallet) == [(1, 0, 500, 500)]
    assert ledger.journals() == 1


def test_a_journal_twice_in_one_batch_is_posted_once(ledger: Ledger) -> None:
    wallet = ledger.a_wallet()
    journal = a_journal(*transfer(ledger.clearing, wallet, 500), key=ledger.key)

    ledger.post(journal, replace(journal, id=new_id()))

    assert ledger.balance(wallet) == 500


def test_what_is_new_in_a_batch_is_posted_beside_what_is_known(ledger: Ledger) -> None:
    wallet = ledger.a_wallet()
    known = a_journal(*transfer(ledger.clearing, wallet, 500), key=ledger.key)
    ledger.post(known)

    ledger.post(known, a_journal(*transfer(ledger.clearing, wallet, 70)))

    assert ledger.chain(wallet) == [(1, 0, 500, 500), (2, 500, 70, 570)]


@pytest.mark.parametrize(
    "change",
    [
        lambda j: replace(j, entries=transfer(j.entries[0].account, j.entries[1].account, 501)),
        lambda j: replace(j, entries=transfer(ELSEWHERE, j.entries[1].account, 500)),
        lambda j: replace(j, reference_id=new_id()),
        lambda j: replace(j, description_en="Another"),
    ],
    ids=["amount", "account", "reference", "description"],
)
def test_a_key_that_says_something_else_is_refused(ledger: Ledger, change: Callable[[Journal], Journal]) -> None:
    wallet = ledger.a_wallet()
    journal = a_journal(*transfer(ledger.clearing, wallet, 500), key=ledger.key)
    ledger.post(journal)

    with pytest.raises(JournalKeyReused):
        ledger.post(change(replace(journal, id=new_id())))

    assert ledger.balance(wallet) == 500


def test_a_reused_key_takes_its_whole_batch_with_it(ledger: Ledger) -> None:
    wallet = ledger.a_wallet()
    ledger.move(ledger.clearing, wallet, 500, key=ledger.key)

    with pytest.raises(JournalKeyReused):
        ledger.post(
            a_journal(*transfer(ledger.clearing, wallet, 1)),
            a_journal(*transfer(ledger.clearing, wallet, 2), key=ledger.key),
        )

    assert ledger.balance(wallet) == 500


def test_more_than_there_is_cannot_be_spent_and_nothing_is_posted(ledger: Ledger) -> None:
    wallet, other = ledger.a_wallet(100), ledger.a_wallet()

    with pytest.raises(InsufficientBalance):
        ledger.post(a_journal(*transfer(ledger.clearing, other, 5)), a_journal(*transfer(wallet, ledger.prepaid, 101)))

    assert (ledger.balance(wallet), ledger.balance(other), ledger.total(ledger.prepaid)) == (100, 0, 0)
    assert ledger.journals() == 1


def test_an_account_may_not_dip_below_zero_even_within_a_batch(ledger: Ledger) -> None:
    wallet = ledger.a_wallet(100)

    with pytest.raises(InsufficientBalance):
        ledger.post(
            a_journal(*transfer(wallet, ledger.prepaid, 150)), a_journal(*transfer(ledger.clearing, wallet, 100))
        )
    ledger.post(a_journal(*transfer(ledger.clearing, wallet, 100)), a_journal(*transfer(wallet, ledger.prepaid, 150)))

    assert ledger.balance(wallet) == 50


def test_cashback_is_never_owed_to_us(ledger: Ledger) -> None:
    account = accounts.cashback(a_stored_user(ledger.new_uow), "EGP")
    cost = accounts.platform(AccountKind.CASHBACK_COST, account.currency)
    ledger.move(cost, account, 10)

    with pytest.raises(InsufficientBalance):
        ledger.move(account, cost, 11)

    assert ledger.balance(account) == 10


def test_points_are_never_owed_to_us(ledger: Ledger) -> None:
    owner = a_stored_user(ledger.new_uow)
    issued = accounts.platform(AccountKind.POINTS_ISSUED, accounts.POINTS_UNIT)
    earned = a_journal(*transfer(issued, accounts.points(owner), 10))
    with ledger.new_uow() as uow:
        uow.ledger.post([earned])
        uow.ledger.add_lot(a_lot(user_id=owner, journal_id=earned.id, points=10))
        uow.commit()

    with pytest.raises(InsufficientBalance):
        ledger.move(accounts.points(owner), issued, 11)

    assert ledger.balance(accounts.points(owner)) == 10


def test_an_account_may_stand_several_times_in_a_journal_and_in_a_batch(ledger: Ledger) -> None:
    wallet, other = ledger.a_wallet(1000), ledger.a_wallet()

    ledger.post(
        a_journal(*transfer(wallet, other, 300), *transfer(wallet, ledger.prepaid, 200), *transfer(other, wallet, 50)),
        a_journal(*transfer(wallet, other, 10)),
        a_journal(*transfer(other, wallet, 5)),
    )

    assert ledger.chain(wallet)[1:] == [
        (2, 1000, -300, 700),
        (3, 700, -200, 500),
        (4, 500, 50, 550),
        (5, 550, -10, 540),
        (6, 540, 5, 545),
    ]
    assert ledger.chain(other) == [(1, 0, 300, 300), (2, 300, -50, 250), (3, 250, 10, 260), (4, 260, -5, 255)]


def test_posts_of_one_unit_of_work_see_each_other(ledger: Ledger) -> None:
    wallet = ledger.a_wallet()

    with ledger.new_uow() as uow:
        uow.ledger.post([a_journal(*transfer(ledger.clearing, wallet, 100))])
        uow.ledger.post([a_journal(*transfer(wallet, ledger.prepaid, 60))])
        uow.commit()

    assert ledger.chain(wallet) == [(1, 0, 100, 100), (2, 100, -60, 40)]


def test_of_20_payments_at_once_out_of_a_balance_for_one_exactly_one_is_made(ledger: Ledger) -> None:
    wallet = ledger.a_wallet(100)

    results = all_at_once([lambda: ledger.move(wallet, ledger.prepaid, 100)] * 20)

    assert [type(result) for result in results].count(InsufficientBalance) == 19
    assert results.count(None) == 1
    assert (ledger.balance(wallet), ledger.total(ledger.prepaid)) == (0, 100)


def test_the_same_journal_20_times_at_once_is_posted_once(ledger: Ledger) -> None:
    wallet = ledger.a_wallet()
    journal = a_journal(*transfer(ledger.clearing, wallet, 100), key=ledger.key)

    results = all_at_once([lambda: ledger.post(replace(journal, id=new_id()))] * 20)

    assert results == [None] * 20
    assert ledger.chain(wallet) == [(1, 0, 100, 100)]


def test_the_first_movements_of_a_person_may_come_at_once(ledger: Ledger) -> None:
    wallet = ledger.a_wallet()

    results = all_at_once([lambda: ledger.move(ledger.clearing, wallet, 7)] * 10)

    assert results == [None] * 10
    assert ledger.balance(wallet) == 70


def test_transfers_in_opposite_directions_do_not_lock_each_other_out(ledger: Ledger) -> None:
    one, other = ledger.a_wallet(10_000), ledger.a_wallet(10_000)

    def there_and_back(times: int = 10) -> None:
        for _ in range(times):
            ledger.move(one, other, 3)
            ledger.post(a_journal(*transfer(other, one, 1)), a_journal(*transfer(one, other, 1)))

    def back_and_there(times: int = 10) -> None:
        for _ in range(times):
            ledger.move(other, one, 3)
            ledger.post(a_journal(*transfer(one, other, 1)), a_journal(*transfer(other, one, 1)))

    results = all_at_once([there_and_back, back_and_there] * 4)

    assert results == [None] * 8
    assert (ledger.balance(one), ledger.balance(other)) == (10_000, 10_000)
    assert len(ledger.chain(one)) == 1 + 8 * 10 * 3


def test_transactions_that_meet_on_platform_accounts_do_not_wait_for_each_other(ledger: Ledger) -> None:
    ledger.move(ledger.clearing, ledger.prepaid, 1)
    wallet, other = ledger.a_wallet(10), ledger.a_wallet(10)

    with ledger.new_uow() as open_one:
        open_one.ledger.post([a_journal(*transfer(wallet, ledger.prepaid, 5))])
        _has_answered(open_one)
        with ThreadPoolExecutor(1) as threads:
            threads.submit(ledger.move, other, ledger.prepaid, 5).result(timeout=2)
        open_one.commit()

    assert ledger.total(ledger.prepaid) == 11


def test_a_persons_account_is_held_until_the_transaction_ends(ledger: Ledger) -> None:
    wallet, seen = ledger.a_wallet(10), threading.Event()

    def spend() -> None:
        ledger.move(wallet, ledger.prepaid, 5)
        seen.set()

    with ThreadPoolExecutor(1) as threads:
        with ledger.new_uow() as open_one:
            open_one.ledger.post([a_journal(*transfer(wallet, ledger.prepaid, 5))])
            _has_answered(open_one)
            later = threads.submit(spend)
            assert not seen.wait(0.3)
            open_one.commit()
        later.result(timeout=2)

    assert ledger.balance(wallet) == 0


def _has_answered(uow: Any) -> None:
    """Wait for the server: statements that nobody asks an answer of are only sent with the next one."""
    uow.bookings.due_for_expiry(before=NOON, limit=1)


ADD_ENTRY = """
INSERT INTO ledger_entries (journal_id, line, account_id, sequence, amount_minor, currency, balance_before_minor,
                            balance_after_minor, hash, occurred_at)
VALUES (%(journal)s, 1, %(account)s, %(sequence)s, %(amount)s, %(unit)s, %(before)s, %(after)s, '\\x00', now()),
       (%(journal)s, 2, %(platform)s, NULL, %(other)s, %(unit)s, NULL, NULL, '\\x00', now())
"""
ADD_JOURNAL = """
INSERT INTO ledger_journals (id, journal_type, idempotency_key, reference_type, reference_id, description_ar,
                             description_en, fingerprint, occurred_at)
VALUES (%s, 'ADJUSTMENT', %s, 'TEST', %s, '', '', '\\x00', now())
"""


@pytest.fixture
def owner(module_addresses: DatabaseAddresses) -> Iterator[psycopg.Connection[Any]]:
    """A session of the database's owner, past all of the application's own checks."""
    with connect(module_addresses.owner) as connection:
        yield connection


def _by_hand(owner: psycopg.Connection[Any], ledger: Ledger, wallet: AccountRef, **changes: object) -> None:
    """Write one whole journal into the tables: a credit of 50 to a wallet of 100, unless the changes say otherwise."""
    values = {
        "journal": new_id(), "account": wallet.id, "sequence": 2, "amount": 50, "unit": "EGP", "before": 100,
        "after": 150, "platform": ledger.clearing.id, "other": -50, **changes,
    }  # fmt: skip
    with owner.transaction():
        if "journal" not in changes:
            owner.execute(ADD_JOURNAL, (values["journal"], str(values["journal"]), new_id()))
        owner.execute(ADD_ENTRY, values)


@pytest.mark.parametrize("table", ["ledger_accounts", "ledger_journals", "ledger_entries"])
@pytest.mark.parametrize(
    "statement",
    ["UPDATE {} SET {} = {}", "DELETE FROM {}", "TRUNCATE {} CASCADE"],
    ids=["update", "delete", "truncate"],
)
def test_even_the_owner_changes_no_row_of_the_ledger(
    ledger: Ledger, owner: psycopg.Connection[Any], table: str, statement: str
) -> None:
    ledger.a_wallet(100)
    column = {"ledger_accounts": "currency", "ledger_journals": "description_en", "ledger_entries": "currency"}[table]

    with pytest.raises(psycopg.Error) as refused:
        owner.execute(statement.format(table, column, column))

    assert refused.value.sqlstate == "AL005"


def test_what_the_owner_writes_by_hand_stands_if_it_is_right(ledger: Ledger, owner: psycopg.Connection[Any]) -> None:
    """The refusals below are refusals of what is wrong in them, not of every insert."""
    wallet = ledger.a_wallet(100)

    with owner.transaction(force_rollback=True):
        _by_hand(owner, ledger, wallet)
        row = owner.execute(
            "SELECT balance_after_minor FROM ledger_entries WHERE account_id = %s AND sequence = 2", (wallet.id,)
        ).fetchone()

    assert row == (150,)


@pytest.mark.parametrize(
    ("changes", "sqlstate"),
    [
        ({"other": -49}, "AL003"),
        ({"sequence": 3}, "AL004"),
        ({"sequence": 1}, "23505"),
        ({"sequence": 0}, "AL004"),
        ({"sequence": None, "before": None, "after": None}, "AL004"),
        ({"before": 90, "after": 140}, "AL004"),
        ({"after": 151}, "23514"),
        ({"amount": -150, "after": -50, "other": 150}, "AL001"),
        ({"amount": 0, "after": 100, "other": 0}, "23514"),
        ({"account": UUID(int=404)}, "AL004"),
        ({"platform": UUID(int=404)}, "AL004"),
        ({"journal": UUID(int=404)}, "AL004"),
        ({"unit": "USD"}, "AL004"),
    ],
    ids=["unbalanced", "skipped sequence", "sequence taken", "sequence nought", "no sequence", "wrong balance before",
         "wrong sum", "below zero", "nothing moved", "unknown account", "unknown platform account", "unknown journal",
         "another currency"],
)  # fmt: skip
def test_what_is_wrong_is_refused_whoever_writes_it(
    ledger: Ledger, owner: psycopg.Connection[Any], changes: dict[str, object], sqlstate: str
) -> None:
    wallet = ledger.a_wallet(100)

    with pytest.raises(psycopg.Error) as refused:
        _by_hand(owner, ledger, wallet, **changes)

    assert refused.value.sqlstate == sqlstate
    assert ledger.chain(wallet) == [(1, 0, 100, 100)]


@pytest.mark.parametrize("first_line", [1, 3])
def test_a_posted_journal_takes_no_more_entries(
    ledger: Ledger, owner: psycopg.Connection[Any], first_line: int
) -> None:
    wallet, other = ledger.a_wallet(), ledger.a_wallet()
    journal = a_journal(*transfer(ledger.clearing, wallet, 100))
    ledger.post(journal)

    with pytest.raises(psycopg.Error) as refused:
        owner.execute(
            """INSERT INTO ledger_entries (journal_id, line, account_id, sequence, amount_minor, currency,
                                           balance_before_minor, balance_after_minor, hash, occurred_at)
               VALUES (%(journal)s, %(line)s, %(account)s, 1, 9, 'EGP', 0, 9, '\\x00', now()),
                      (%(journal)s, %(line)s + 1, %(clearing)s, NULL, -9, 'EGP', NULL, NULL, '\\x00', now())""",
            {"journal": journal.id, "line": first_line, "account": other.id, "clearing": ledger.clearing.id},
        )

    assert refused.value.sqlstate == {1: "23505", 3: "AL003"}[first_line]


def test_entries_one_by_one_are_refused_even_if_they_balance_at_the_end(
    ledger: Ledger, owner: psycopg.Connection[Any]
) -> None:
    wallet, journal = ledger.a_wallet(100), new_id()

    with pytest.raises(psycopg.Error) as refused, owner.transaction():
        owner.execute(ADD_JOURNAL, (journal, str(journal), new_id()))
        owner.execute(
            """INSERT INTO ledger_entries (journal_id, line, account_id, sequence, amount_minor, currency,
                                           balance_before_minor, balance_after_minor, hash, occurred_at)
               VALUES (%s, 1, %s, 2, 50, 'EGP', 100, 150, '\\x00', now())""",
            (journal, wallet.id),
        )

    assert refused.value.sqlstate == "AL003"


def test_a_model_of_the_books_agrees_whatever_is_posted(database: Database) -> None:
    """Posts, replays, overdrafts and reused keys in any order, beside a pure model."""

    class Books(RuleBasedStateMachine):
        @initialize()
        def open(self) -> None:
            self.ledger = Ledger(database)
            self.wallets = [self.ledger.a_wallet() for _ in range(3)]
            self.model = dict.fromkeys(self.wallets, 0)
            self.entries = dict.fromkeys(self.wallets, 0)
            self.posted: list[Journal] = []

        @rule(
            moves=st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(1, 60)), min_size=1, max_size=4)
        )
        def post(self, moves: list[tuple[int, int, int]]) -> None:
            """Each move as a journal of a batch; number 3 is the outside world. All of them, or none."""
            batch, after = [], dict(self.model)
            for source, target, amount in moves:
                ends = [self.wallets[place] if place < 3 else self.ledger.clearing for place in (source, target)]
                batch.append(a_journal(*transfer(ends[0], ends[1], amount)))
            expected = self._apply(batch, after)
            try:
                self.ledger.post(*batch)
            except InsufficientBalance:
                assert not expected
                return
            assert expected
            self.model = after
            self.posted += batch
            for entry in (entry for journal in batch for entry in journal.entries):
                if entry.account in self.entries:
                    self.entries[entry.account] += 1

        def _apply(self, batch: list[Journal], balances: dict[AccountRef, int]) -> bool:
            for entry in (entry for journal in batch for entry in journal.entries):
                if entry.account in balances:
                    balances[entry.account] += entry.amount_minor
                    if balances[entry.account] < 0:
                        return False
            return True

        @rule(choice=st.integers(0, 50))
        def replay(self, choice: int) -> None:
            if self.posted:
                self.ledger.post(replace(self.posted[choice % len(self.posted)], id=new_id()))

        @rule(choice=st.integers(0, 50))
        def reuse_a_key(self, choice: int) -> None:
            if self.posted:
                known = self.posted[choice % len(self.posted)]
                with pytest.raises(JournalKeyReused):
                    self.ledger.post(replace(known, id=new_id(), description_en="Another"))

        @rule(place=st.integers(0, 2))
        def overdraw(self, place: int) -> None:
            wallet = self.wallets[place]
            with pytest.raises(InsufficientBalance):
                self.ledger.move(wallet, self.ledger.prepaid, self.model[wallet] + 1)

        @invariant()
        def the_books_are_the_models(self) -> None:
            if hasattr(self, "model"):
                assert {wallet: self.ledger.balance(wallet) for wallet in self.wallets} == self.model
                assert {wallet: len(self.ledger.chain(wallet)) for wallet in self.wallets} == self.entries

    run_state_machine_as_test(
        Books,
        settings=settings(
            max_examples=25, stateful_step_count=12, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )


def test_a_transfer_to_oneself_is_two_entries_and_no_change(ledger: Ledger) -> None:
    wallet = ledger.a_wallet(100)

    ledger.post(a_journal(Entry(wallet, -100), Entry(wallet, 100)))

    assert ledger.chain(wallet)[1:] == [(2, 100, -100, 0), (3, 0, 100, 100)]
