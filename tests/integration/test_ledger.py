"""The ledger in PostgreSQL: posted once, chained, and never below zero (M3, M5)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta

import orjson
import pytest

from domain.ledger import accounts
from domain.ledger.accounts import AccountKind
from domain.ledger.journal import Entry, InsufficientBalance, Journal, JournalKeyReused, transfer
from infrastructure.clock import new_id
from infrastructure.database.ledger.repositories import fingerprint
from infrastructure.database.roles import DatabaseAddresses, connect
from infrastructure.database.transaction import Database
from tests.builders import NOON, a_journal, a_lot
from tests.integration.books import Ledger, assert_books_are_right
from tests.integration.by_hand import document
from tests.integration.shop import a_stored_user

ELSEWHERE = accounts.clearing("ELSEWHERE", "EGP")


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
    """Whatever a test does, it leaves the books right."""
    yield
    assert_books_are_right(module_addresses)


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


def test_a_transfer_to_oneself_is_two_entries_and_no_change(ledger: Ledger) -> None:
    wallet = ledger.a_wallet(100)

    ledger.post(a_journal(Entry(wallet, -100), Entry(wallet, 100)))

    assert ledger.chain(wallet)[1:] == [(2, 100, -100, 0), (3, 0, 100, 100)]


def test_the_release_before_posts_by_its_own_form(ledger: Ledger, module_addresses: DatabaseAddresses) -> None:
    source, target = ledger.a_wallet(100), ledger.a_wallet()
    journals = [document(a_journal(*transfer(source, target, 60))), document(a_journal(*transfer(target, source, 10)))]

    with connect(module_addresses.app) as session:
        for posted in (journals, journals[:1]):
            session.execute("SELECT ledger_post(%s::jsonb)", (orjson.dumps(posted).decode(),))

    assert (ledger.balance(source), ledger.balance(target)) == (50, 50)
    assert [line[2] for line in ledger.chain(target)] == [60, -10]
