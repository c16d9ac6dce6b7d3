"""The ledger with everybody at once: who comes first has it, nobody waits for ever, and busy is called busy (M5)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier
from typing import Any
from uuid import UUID

import pytest

from application.ports import UnitOfWork
from application.trying_again import TryAgain
from domain.ledger import accounts
from domain.ledger.accounts import AccountKind, AccountRef
from domain.ledger.journal import Entry, InsufficientBalance, ReversalRefused, transfer
from domain.ledger.lots import consume
from domain.shared.errors import Busy, Conflict
from infrastructure.clock import new_id
from infrastructure.database.roles import DatabaseAddresses
from infrastructure.database.transaction import Database
from tests.builders import NOON, a_journal, a_lot
from tests.integration.books import Ledger, assert_books_are_right
from tests.integration.meeting import one_behind_the_other
from tests.integration.shop import a_stored_user, all_at_once

REDEEMED = accounts.platform(AccountKind.POINTS_REDEEMED, accounts.POINTS_UNIT)
ISSUED = accounts.platform(AccountKind.POINTS_ISSUED, accounts.POINTS_UNIT)


@pytest.fixture(scope="module")
def database(module_addresses: DatabaseAddresses) -> Iterator[Database]:
    opened = Database(module_addresses.app, pool_size=20)
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


def test_a_persons_account_is_held_until_the_transaction_ends(
    ledger: Ledger, module_addresses: DatabaseAddresses
) -> None:
    wallet = ledger.a_wallet(10)

    def spend() -> None:
        ledger.move(wallet, ledger.prepaid, 5)

    assert one_behind_the_other(spend, spend, database=ledger.database, addresses=module_addresses) is None
    assert ledger.balance(wallet) == 0


def test_who_looks_before_they_decide_sees_what_the_one_before_them_did(
    ledger: Ledger, module_addresses: DatabaseAddresses
) -> None:
    wallet = ledger.a_wallet(10)
    meeting: dict[str, Any] = {"database": ledger.database, "addresses": module_addresses}

    def look() -> int:
        with ledger.new_uow() as uow:
            return uow.ledger.lock([wallet])[wallet].available_minor

    def hold() -> UUID:
        return ledger.hold(wallet, 4)

    assert one_behind_the_other(hold, look, **meeting) == 6
    assert isinstance(one_behind_the_other(look, hold, **meeting), UUID)
    refused = one_behind_the_other(lambda: ledger.move(wallet, ledger.prepaid, 2), hold, **meeting)
    assert isinstance(refused, InsufficientBalance)


def _has_answered(uow: Any) -> None:
    """Wait for the server: statements that nobody asks an answer of are only sent with the next one."""
    uow.bookings.due_for_expiry(before=NOON, limit=1)


def _with_points(ledger: Ledger, *lots: int) -> AccountRef:
    """Somebody's points, earned in these lots."""
    account = accounts.points(a_stored_user(ledger.new_uow))
    assert account.owner is not None
    with ledger.new_uow() as uow:
        for points in lots:
            earned = a_journal(*transfer(ISSUED, account, points))
            uow.ledger.post([earned])
            uow.ledger.add_lot(a_lot(user_id=account.owner, journal_id=earned.id, points=points))
        uow.commit()
    return account


def _redeem(ledger: Ledger, account: AccountRef, points: int) -> None:
    """Pay with points: the account is locked, then the lots are chosen, soonest-expiring first."""
    assert account.owner is not None
    with ledger.new_uow() as uow:
        if uow.ledger.lock([account])[account].available_minor < points:
            raise InsufficientBalance()
        _take(uow, account, points)
        uow.commit()


def _take(uow: UnitOfWork, account: AccountRef, points: int) -> None:
    assert account.owner is not None
    spent = a_journal(*transfer(account, REDEEMED, points))
    uow.ledger.post([spent])
    lots = uow.points.open_lots(account.owner, ending_after=None)
    uow.points.record({spent.id: consume(lots, points)})


def _left_in_lots(ledger: Ledger, account: AccountRef) -> list[int]:
    rows = ledger.database.rows("SELECT remaining FROM points_lots WHERE user_id = %s ORDER BY id", (account.owner,))
    return [row["remaining"] for row in rows]


def test_of_20_payments_at_once_with_points_for_one_exactly_one_is_made(ledger: Ledger) -> None:
    account = _with_points(ledger, 60, 40)

    results = all_at_once([lambda: _redeem(ledger, account, 100)] * 20)

    assert [type(result) for result in results].count(InsufficientBalance) == 19
    assert results.count(None) == 1
    assert (ledger.balance(account), _left_in_lots(ledger, account)) == (0, [0, 0])


def test_points_are_not_spent_twice_even_by_those_who_do_not_look_first(ledger: Ledger) -> None:
    account = _with_points(ledger, 100)

    def blindly() -> None:
        with ledger.new_uow() as uow:
            _take(uow, account, 100)
            uow.commit()

    results = all_at_once([blindly] * 20)

    assert [type(result) for result in results].count(InsufficientBalance) == 19
    assert (ledger.balance(account), _left_in_lots(ledger, account)) == (0, [0])


def test_of_20_holds_at_once_on_a_balance_for_one_exactly_one_is_set(ledger: Ledger) -> None:
    wallet = ledger.a_wallet(100)

    results = all_at_once([lambda: ledger.hold(wallet, 100)] * 20)

    assert [type(result) for result in results].count(InsufficientBalance) == 19
    assert ledger.balance(wallet) == 100


def test_a_hold_and_a_payment_at_once_do_not_both_have_it(ledger: Ledger) -> None:
    wallet = ledger.a_wallet(100)

    results = all_at_once([lambda: ledger.hold(wallet, 100), lambda: ledger.move(wallet, ledger.prepaid, 100)] * 5)

    assert [type(result) for result in results].count(InsufficientBalance) == 9


def test_a_hold_that_ends_in_20_ways_at_once_ends_once(ledger: Ledger) -> None:
    wallet = ledger.a_wallet(100)
    hold_id = ledger.hold(wallet, 60)

    def capture() -> None:
        with ledger.new_uow() as uow:
            hold = uow.ledger.get_hold(hold_id)
            journal = a_journal(*transfer(wallet, ledger.prepaid, 50))
            hold.capture(50, journal_id=journal.id, at=NOON)
            uow.ledger.resolve_hold(hold)
            uow.ledger.post([journal])
            uow.commit()

    def release() -> None:
        with ledger.new_uow() as uow:
            hold = uow.ledger.get_hold(hold_id)
            hold.release(at=NOON)
            uow.ledger.resolve_hold(hold)
            uow.commit()

    results = all_at_once([capture, release] * 10)

    assert results.count(None) == 1
    assert all(result is None or isinstance(result, Conflict) for result in results)
    assert ledger.balance(wallet) in (50, 100)


def test_reversals_of_one_journal_at_once_take_back_no_more_than_it_moved(ledger: Ledger) -> None:
    wallet = ledger.a_wallet(1000)
    payment = a_journal(*transfer(wallet, ledger.prepaid, 100))
    ledger.post(payment)

    results = all_at_once([lambda: ledger.reverse(payment.id, 30)] * 10)

    refused = [result for result in results if isinstance(result, ReversalRefused)]
    assert len(refused) == 7
    assert ledger.balance(wallet) == 990


def test_the_same_reversal_20_times_at_once_is_one(ledger: Ledger) -> None:
    wallet = ledger.a_wallet(1000)
    payment = a_journal(*transfer(wallet, ledger.prepaid, 100))
    ledger.post(payment)

    results = all_at_once([lambda: ledger.reverse(payment.id, 30, key="once")] * 20)

    assert len(set(results)) == 1
    assert ledger.balance(wallet) == 930


def test_400_transfers_in_opposite_orders_never_meet_a_deadlock(ledger: Ledger) -> None:
    one, other = ledger.a_wallet(10_000), ledger.a_wallet(10_000)

    def there(times: int = 50) -> None:
        for _ in range(times):
            ledger.post(a_journal(Entry(one, -3), Entry(other, 3)))

    def back(times: int = 50) -> None:
        for _ in range(times):
            ledger.post(a_journal(Entry(other, -3), Entry(one, 3)))

    results = all_at_once([there, back] * 4)

    assert results == [None] * 8
    assert (ledger.balance(one), ledger.balance(other)) == (10_000, 10_000)
    assert len(ledger.chain(one)) == len(ledger.chain(other)) == 401


def test_batches_and_single_postings_on_the_same_accounts_add_up(ledger: Ledger) -> None:
    wallets = [ledger.a_wallet(1000) for _ in range(6)]

    def batch(turn: int) -> None:
        ordered = wallets if turn % 2 else wallets[::-1]
        for _ in range(5):
            ledger.post(*(a_journal(*transfer(ledger.clearing, wallet, 2)) for wallet in ordered))

    def singly(turn: int) -> None:
        for _ in range(5):
            for wallet in wallets[turn:] + wallets[:turn]:
                ledger.move(wallet, ledger.prepaid, 1)

    results = all_at_once([_bound(work, turn) for turn in range(4) for work in (batch, singly)])

    assert results == [None] * 8
    assert [ledger.balance(wallet) for wallet in wallets] == [1000 + 4 * 5 * 2 - 4 * 5] * 6


def _bound(work: Callable[[int], None], turn: int) -> Callable[[], None]:
    return lambda: work(turn)


class TestBusy:
    """What PostgreSQL could not decide is told as busy, never as a balance that is too low."""

    def test_a_real_deadlock_is_busy_for_one_and_nothing_for_the_other(self, ledger: Ledger) -> None:
        one, other = ledger.a_wallet(100), ledger.a_wallet(100)
        # Known before: whoever first moves an account waits for the other that does.
        ledger.move(ledger.clearing, ledger.prepaid, 1)
        both_hold_one = Barrier(2, timeout=5)

        def crossing(first: AccountRef, second: AccountRef) -> None:
            with ledger.new_uow() as uow:
                uow.ledger.post([a_journal(*transfer(first, ledger.prepaid, 90))])
                _has_answered(uow)
                both_hold_one.wait()
                uow.ledger.post([a_journal(*transfer(second, ledger.prepaid, 5))])
                uow.commit()

        results = all_at_once([lambda: crossing(one, other), lambda: crossing(other, one)])

        assert sorted(type(result).__name__ for result in results) == ["NoneType", "TryAgain"]
        assert sorted([ledger.balance(one), ledger.balance(other)]) == [10, 95]

    def test_a_serialization_failure_is_busy_even_where_the_balance_would_be_too_low(self, ledger: Ledger) -> None:
        wallet = ledger.a_wallet(100)

        with pytest.raises(TryAgain), ledger.database.transaction() as session:
            session.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            session.row("SELECT 1 FROM ledger_heads LIMIT 1")
            with ThreadPoolExecutor(1) as threads:
                threads.submit(ledger.move, wallet, ledger.prepaid, 100).result(timeout=2)
            session.row("SELECT * FROM ledger_lock(%s)", ([wallet.id],))

        assert ledger.balance(wallet) == 0

    def test_a_lock_that_is_held_too_long_is_busy(self, ledger: Ledger, impatient: Ledger) -> None:
        wallet = ledger.a_wallet(100)

        with ledger.new_uow() as open_one:
            open_one.ledger.post([a_journal(*transfer(wallet, ledger.prepaid, 100))])
            _has_answered(open_one)
            with pytest.raises(Busy) as refused:
                impatient.move(wallet, ledger.prepaid, 100)

        assert type(refused.value) is Busy
        assert ledger.balance(wallet) == 100

    def test_busy_is_a_conflict_and_says_nothing_of_balances(self) -> None:
        for told in (Busy(), TryAgain()):
            assert isinstance(told, Conflict)
            assert not isinstance(told, InsufficientBalance)
            assert told.code == "busy"


@pytest.fixture
def impatient(module_addresses: DatabaseAddresses, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ledger]:
    """The same books through connections that hardly wait for a lock."""
    monkeypatch.setattr("infrastructure.database.transaction.LOCK_SECONDS", 0.1)
    opened = Database(module_addresses.app)
    yield Ledger(opened)
    opened.dispose()
