"""The accountant's books: trial balances that balance, totals of days that are what entries say."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from application.ledger.books_queries import AccountSearch, JournalSearch, TotalsFault
from application.ports import NewUnitOfWork
from domain.ledger import accounts
from domain.ledger.accounts import AccountKind, AccountRef
from domain.ledger.journal import Entry, Journal, JournalType, transfer
from domain.ledger.periods import Period
from domain.ledger.trial_balance import AccountTotals
from infrastructure.bootstrap import Running
from infrastructure.clock import new_id
from infrastructure.database.ledger.books import SqlBooksQueries
from infrastructure.database.ledger.totals import SqlLedgerTotals
from infrastructure.database.roles import DatabaseAddresses, connect
from infrastructure.database.transaction import Database
from tests.builders import NOON, TODAY, a_journal
from tests.integration.shop import a_stored_user, units_of_work
from workers.jobs import JOBS

pytestmark = pytest.mark.database

EVER = Period(date(2020, 1, 1), date(2030, 1, 1))
CLEARING = accounts.clearing("ELSEWHERE", "EGP")
PREPAID = accounts.platform(AccountKind.CUSTOMER_PREPAYMENTS, "EGP")


class Books:
    """Postings, and what the books say of them."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.new_uow: NewUnitOfWork = units_of_work(database)
        self.totals = SqlLedgerTotals(database, settles_after=timedelta())
        self.queries = SqlBooksQueries(database)

    def post(self, *entries: Entry, at: datetime = NOON, **details: Any) -> Journal:
        journal = a_journal(*entries, occurred_at=at, **details)
        with self.new_uow() as uow:
            uow.ledger.post([journal])
            uow.commit()
        return journal

    def line(self, account: AccountRef, period: Period = EVER) -> AccountTotals:
        [found] = [
            line
            for line in self.totals.trial_balance(period).lines
            if (line.kind, line.provider, line.unit) == (account.kind, account.provider, account.currency)
        ]
        return found


@pytest.fixture
def books(database: Database) -> Books:
    return Books(database)


@pytest.fixture(scope="module")
def shared(module_addresses: DatabaseAddresses) -> Iterator[Books]:
    opened = Database(module_addresses.app)
    yield Books(opened)
    opened.dispose()


def test_a_period_has_what_was_there_what_moved_and_what_is_there(books: Books) -> None:
    for days, amount in ((-40, 100), (0, 30), (1, 7)):
        books.post(*transfer(CLEARING, PREPAID, amount), at=NOON + timedelta(days=days))
    books.post(*transfer(PREPAID, CLEARING, 5))

    line = books.line(PREPAID, Period(TODAY, TODAY + timedelta(days=1)))

    assert (line.opening, line.debits, line.credits, line.closing) == (100, 5, 30, 125)
    assert books.totals.trial_balance(EVER).is_balanced


def test_a_day_begins_at_midnight_in_cairo(books: Books) -> None:
    for at, amount in (
        (datetime(2026, 11, 22, 21, 59, 59, tzinfo=UTC), 1),
        (datetime(2026, 11, 22, 22, tzinfo=UTC), 10),
    ):
        books.post(*transfer(CLEARING, PREPAID, amount), at=at)

    line = books.line(PREPAID, Period(TODAY, TODAY + timedelta(days=1)))

    assert (line.opening, line.credits) == (1, 10)


def test_the_folded_past_and_what_was_posted_since_are_one(books: Books) -> None:
    books.post(*transfer(CLEARING, PREPAID, 100))
    before = books.totals.trial_balance(EVER)
    books.totals.fold()
    assert books.totals.trial_balance(EVER) == before

    books.post(*transfer(CLEARING, PREPAID, 7))
    assert books.line(PREPAID).credits == 107
    # Posted late, for a day that was folded before.
    books.post(*transfer(CLEARING, PREPAID, 5), at=NOON - timedelta(days=90))
    assert books.line(PREPAID, Period(TODAY, TODAY + timedelta(days=1))).opening == 5
    books.totals.fold()

    assert books.line(PREPAID, Period(TODAY, TODAY + timedelta(days=1))).opening == 5
    assert books.line(PREPAID).credits == 112
    assert books.totals.faults() == []


def test_totals_that_were_tampered_with_are_named_and_made_anew(books: Books, addresses: DatabaseAddresses) -> None:
    books.post(*transfer(CLEARING, PREPAID, 100))
    books.totals.fold()
    with connect(addresses.owner) as connection:
        connection.execute(
            "UPDATE ledger_daily_totals SET credits_minor = credits_minor + 1 WHERE kind = 'CUSTOMER_PREPAYMENTS'"
        )
    assert books.totals.faults() == [TotalsFault(kind="CUSTOMER_PREPAYMENTS", provider="", currency="EGP", day=TODAY)]
    assert not books.totals.trial_balance(EVER).is_balanced

    books.totals.rebuild()

    assert books.totals.faults() == []
    assert books.totals.trial_balance(EVER).is_balanced


def test_what_is_posted_while_totals_are_folded_is_counted_once(books: Books) -> None:
    """A transaction that began before the fold and commits after it is not passed over."""
    books.post(*transfer(CLEARING, PREPAID, 100))
    with books.new_uow() as uow:
        uow.ledger.post([a_journal(*transfer(CLEARING, PREPAID, 11))])
        uow.ledger.lock([])
        folding = threading.Thread(target=books.totals.fold)
        folding.start()
        folding.join()
        uow.commit()

    assert books.line(PREPAID).credits == 111
    books.totals.fold()
    assert books.line(PREPAID).credits == 111
    assert books.totals.faults() == []


def test_what_was_posted_a_moment_ago_is_not_folded_yet(books: Books) -> None:
    books.post(*transfer(CLEARING, PREPAID, 100))

    SqlLedgerTotals(books.database).fold()

    assert books.database.rows("SELECT 1 FROM ledger_daily_totals") == []
    assert books.line(PREPAID).credits == 100


def test_folding_at_once_from_several_places_counts_once(books: Books) -> None:
    books.post(*transfer(CLEARING, PREPAID, 100))
    threads = [threading.Thread(target=books.totals.fold) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert books.line(PREPAID).credits == 100
    assert books.totals.faults() == []


UNITS = ("EGP", "KWD", "JPY")
KINDS = (AccountKind.CUSTOMER_PREPAYMENTS, AccountKind.BOOKING_REVENUE, AccountKind.DISCOUNTS, AccountKind.SUSPENSE)
MOVES = st.lists(
    st.tuples(
        st.sampled_from(UNITS),
        st.permutations(KINDS),
        st.integers(1, 10**9),
        st.integers(-400, 400),
        st.booleans(),
    ),
    min_size=1,
    max_size=8,
)


@given(moves=MOVES, cut=st.integers(-400, 400))
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
def test_whatever_is_posted_every_unit_sums_to_nothing(shared: Books, moves: list[Any], cut: int) -> None:
    expected: Counter[tuple[str, str]] = Counter()
    period = Period(TODAY + timedelta(days=cut), TODAY + timedelta(days=cut + 30))
    before = {(line.kind, line.unit): line.closing for line in shared.totals.trial_balance(period).lines}
    for unit, kinds, amount, days, folds in moves:
        shared.post(
            *transfer(accounts.platform(kinds[0], unit), accounts.platform(kinds[1], unit), amount),
            at=NOON + timedelta(days=days),
        )
        if days < cut + 30:
            expected[kinds[0], unit] -= amount
            expected[kinds[1], unit] += amount
        if folds:
            shared.totals.fold()

    balance = shared.totals.trial_balance(period)

    assert balance.is_balanced
    moved = {(line.kind, line.unit): line.closing - before.get((line.kind, line.unit), 0) for line in balance.lines}
    assert {name: amount for name, amount in moved.items() if amount} == {
        name: amount for name, amount in expected.items() if amount
    }


def test_platform_accounts_show_what_they_sum_to_before_and_after_folding(books: Books) -> None:
    wallet = accounts.wallet(a_stored_user(books.new_uow), "EGP")
    books.post(*transfer(CLEARING, wallet, 100))
    shown = [books.queries.account(account.id) for account in (CLEARING, wallet)]
    books.totals.fold()
    books.post(*transfer(CLEARING, wallet, 20))

    assert [row and row["balance_minor"] for row in shown] == [-100, 100]
    listed = {row["id"]: row["balance_minor"] for row in books.queries.accounts(AccountSearch(), limit=10, after=None)}
    assert (listed[CLEARING.id], listed[wallet.id]) == (-120, 120)


def test_a_journal_tells_what_it_reverses_and_what_reversed_it(books: Books) -> None:
    wallet = accounts.wallet(a_stored_user(books.new_uow), "EGP")
    paid = books.post(*transfer(CLEARING, wallet, 100))
    back = books.post(*transfer(wallet, CLEARING, 40), journal_type=JournalType.REVERSAL, reverses=paid.id)

    original, reversal = books.queries.journal(paid.id), books.queries.journal(back.id)

    assert original is not None
    assert reversal is not None
    assert original["reversed_by"] == [back.id]
    assert reversal["reverses_journal_id"] == paid.id
    assert [(leg["kind"], leg["amount_minor"], leg["balance_after_minor"]) for leg in reversal["entries"]] == [
        ("WALLET", -40, 60),
        ("PROVIDER_CLEARING", 40, None),
    ]
    assert books.queries.journal(new_id()) is None


def test_platform_entries_are_walked_by_journal_each_once(books: Books) -> None:
    posted = [books.post(*transfer(CLEARING, PREPAID, amount)).id for amount in range(1, 8)]
    seen: list[Any] = []
    before = None
    while True:
        rows = books.queries.platform_entries(PREPAID.id, limit=3, before=before)
        seen += [row["journal_id"] for row in rows[:3]]
        if len(rows) <= 3:
            break
        before = (rows[2]["journal_id"], rows[2]["line"])

    assert seen == posted[::-1]


def test_journals_are_found_by_reference_kind_and_day(books: Books) -> None:
    booking = new_id()
    old = books.post(*transfer(CLEARING, PREPAID, 1), at=NOON - timedelta(days=9), reference_id=booking)
    new = books.post(*transfer(CLEARING, PREPAID, 2), reference_id=booking)

    def found(**asked: Any) -> list[Any]:
        return [row["id"] for row in books.queries.journals(JournalSearch(**asked), limit=10, before=None)]

    assert found(reference_id=booking) == [new.id, old.id]
    assert found(until=NOON) == [old.id]
    assert found(since=NOON, reference_type=new.reference_type) == [new.id]
    assert found(journal_type=JournalType.PAYOUT) == []


def test_the_nightly_check_makes_wrong_totals_right(running: Running, addresses: DatabaseAddresses) -> None:
    with connect(addresses.owner) as connection:
        connection.execute("INSERT INTO ledger_daily_totals VALUES ('WALLET', '', 'EGP', '2026-01-01', 7, 0, 1)")

    JOBS["ledger.check_totals"].run(running)

    assert running.dependencies.ledger_totals.faults() == []


def test_a_long_past_is_folded_month_by_month(books: Books, addresses: DatabaseAddresses) -> None:
    books.post(*transfer(CLEARING, PREPAID, 100))
    with connect(addresses.owner) as connection:
        for days in (400, 200, 199, 1):
            _posted_earlier(connection, days)

    books.totals.fold()

    assert books.totals.faults() == []
    rows = books.database.rows("SELECT sum(credits_minor)::bigint AS sum FROM ledger_daily_totals WHERE kind = %s",
                               (PREPAID.kind,))  # fmt: skip
    assert rows == [{"sum": 104}]


def _posted_earlier(connection: Any, days: int) -> None:
    """A journal of one minor unit, written by hand as of so many days ago."""
    journal, at = new_id(), NOON - timedelta(days=days)
    with connection.transaction():
        connection.execute(
            """INSERT INTO ledger_journals (id, journal_type, idempotency_key, reference_type, reference_id,
                                            description_ar, description_en, fingerprint, occurred_at, posted_at)
               VALUES (%s, 'DEPOSIT', %s, 'TEST', %s, 'اختبار', 'Test', '\\x00', %s, %s)""",
            (journal, str(journal), journal, at, at),
        )
        connection.execute(
            """INSERT INTO ledger_entries (journal_id, line, account_id, amount_minor, currency, hash, occurred_at)
               VALUES (%(journal)s, 1, %(from)s, -1, 'EGP', '\\x00', %(at)s),
                      (%(journal)s, 2, %(to)s, 1, 'EGP', '\\x00', %(at)s)""",
            {"journal": journal, "from": CLEARING.id, "to": PREPAID.id, "at": at},
        )
