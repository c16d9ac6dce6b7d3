"""Payments in parts at once, and killed in between: one order of locks, all of it or nothing (M5, M7)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from itertools import count
from typing import Any
from uuid import UUID

import pytest

from application.billing.invoices import issue_invoice
from domain.billing.payments import PaymentMethod
from domain.ledger import accounts
from domain.ledger.journal import InsufficientBalance
from infrastructure.clock import new_id
from infrastructure.database.roles import DatabaseAddresses, connect
from tests.integration.refunding import Counter
from tests.integration.shop import Shop, all_at_once, broken_promises
from tests.integration.tenders import (
    PRICE,
    RICH,
    SPLITS,
    Killed,
    a_rich_customer,
    asked,
    available,
    balances,
    cancel,
    egp,
    end_holds,
    from_credit,
    from_points,
    from_wallet,
    give_points,
    killed_at,
    owned,
    parts_of,
    pay_card,
)

WAITING = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


@pytest.fixture
def customer(shop: Shop) -> UUID:
    return a_rich_customer(shop, **RICH)


@pytest.fixture(autouse=True)
def every_promise_holds_afterwards(addresses: DatabaseAddresses) -> Iterator[None]:
    yield
    assert broken_promises(addresses) == []


class TestAtOnce:
    def test_of_20_payments_from_a_balance_of_100_one_succeeds(self, shop: Shop) -> None:
        customer = a_rich_customer(shop, wallet=100)
        cheap = [shop.book(customer, shop.a_departure(price=egp(100))).id for _ in range(10)]
        dear = [shop.book(customer, shop.a_departure(price=egp(150))).id for _ in range(10)]
        works: list[Callable[[], UUID]] = [
            partial(shop.pay, customer, booking_id, method=PaymentMethod.WALLET) for booking_id in cheap
        ]
        works += [partial(shop.pay, customer, booking_id, parts=(from_wallet(100),)) for booking_id in dear]

        results = all_at_once(works)

        refused = [type(result) for result in results if isinstance(result, BaseException)]
        assert refused == [InsufficientBalance] * 19
        assert available(shop, customer)[0] == 0

    def test_the_same_reading_20_times_at_once_takes_every_part_once(self, shop: Shop, customer: UUID) -> None:
        payment_id = shop.pay(customer, shop.book(customer).id, parts=SPLITS["everything"])
        shop.charge(payment_id, asked(shop, payment_id))

        assert all_at_once([lambda: shop.look(payment_id)] * 20) == [None] * 20

        assert balances(shop, customer) == (40_000, 0, 30_000 + 80)
        assert shop.receipts(payment_id) == [(20_000, "EGP", "SETTLED", None)]

    def test_payments_of_one_customer_in_the_same_accounts_settle_at_once(self, shop: Shop) -> None:
        """While others are opened and cancelled, and holds end: nobody waits for somebody who waits for them."""
        parts = (from_wallet(1_000), from_credit(1_000), from_points(1_000))
        for _ in range(4):
            customer = a_rich_customer(shop, **RICH)
            bookings = [shop.book(customer) for _ in range(6)]
            payments = [shop.pay(customer, booking.id, parts=parts) for booking in bookings[:4]]
            twins = [shop.pay(customer, booking.id, parts=parts[::2]) for booking in bookings[:4]]
            for payment_id in payments:
                shop.charge(payment_id, asked(shop, payment_id))

            results = all_at_once(
                [
                    *(partial(shop.look, payment_id) for payment_id in payments[:3]),
                    partial(cancel, shop, payments[3], customer),
                    *(partial(shop.pay, customer, booking.id, parts=parts) for booking in bookings[4:]),
                    partial(end_holds, shop),
                ]
            )

            assert [result for result in results if isinstance(result, BaseException)] == []
            assert [shop.status_of(payment_id) for payment_id in payments[:3]] == ["PAID"] * 3
            assert [shop.status_of(payment_id) for payment_id in twins] == ["CANCELLED"] * 3 + ["PENDING"]

    def test_whoever_sets_parts_aside_locks_their_accounts_in_the_order_of_everybody_else(
        self, shop: Shop, addresses: DatabaseAddresses
    ) -> None:
        customer = next(
            customer for customer in iter(lambda: a_rich_customer(shop, **RICH), None)
            if owned(customer)[0].id > owned(customer)[1].id
        )  # fmt: skip
        booking = shop.book(customer)
        wallet, credit, _ = owned(customer)

        with (
            connect(addresses.app) as other, connect(addresses.app) as watcher, ThreadPoolExecutor(1) as thread,
        ):  # fmt: skip
            other.execute("BEGIN")
            other.execute("SELECT ledger_lock(ARRAY[%s])", (credit.id,))
            opening = thread.submit(shop.pay, customer, booking.id, parts=(from_wallet(10), from_credit(10)))
            while watcher.execute(WAITING).fetchone() is None:
                assert not opening.done()
            other.execute("SET LOCAL lock_timeout = '500ms'")
            other.execute("SELECT ledger_lock(ARRAY[%s])", (wallet.id,))
            other.execute("COMMIT")

        assert opening.result()

    def test_whoever_sets_parts_aside_locks_the_payer_before_any_account(
        self, shop: Shop, customer: UUID, addresses: DatabaseAddresses
    ) -> None:
        booking = shop.book(customer)

        with (
            connect(addresses.app) as other, connect(addresses.app) as watcher, ThreadPoolExecutor(1) as thread,
        ):  # fmt: skip
            # As a withdrawal does: whose it is, then the wallet.
            other.execute("BEGIN")
            other.execute("SELECT 1 FROM users WHERE id = %s FOR NO KEY UPDATE", (customer,))
            opening = thread.submit(shop.pay, customer, booking.id, parts=(from_wallet(10),))
            while watcher.execute(WAITING).fetchone() is None:
                assert not opening.done()
            other.execute("SET LOCAL lock_timeout = '500ms'")
            other.execute("SELECT ledger_lock(ARRAY[%s])", (accounts.wallet(customer, "EGP").id,))
            other.execute("COMMIT")

        assert opening.result()

    def test_an_account_that_is_opened_while_somebody_waits_is_locked_in_its_place(
        self, shop: Shop, addresses: DatabaseAddresses
    ) -> None:
        """The first points come while a payment of the same customer's waits; the next one finds them."""
        customer = next(
            customer for customer in iter(lambda: a_rich_customer(shop, wallet=500_000), None)
            if accounts.points(customer).id < accounts.wallet(customer, "EGP").id
        )  # fmt: skip
        booking, points, wallet = shop.book(customer), accounts.points(customer), accounts.wallet(customer, "EGP")

        with (
            connect(addresses.app) as first, connect(addresses.app) as other, connect(addresses.app) as watcher,
            ThreadPoolExecutor(1) as thread,
        ):  # fmt: skip
            first.execute("BEGIN")
            first.execute("SELECT 1 FROM users WHERE id = %s FOR NO KEY UPDATE", (customer,))
            first.execute("SELECT ledger_lock(ARRAY[%s])", (wallet.id,))
            paying = thread.submit(shop.pay, customer, booking.id, method=PaymentMethod.WALLET)
            while watcher.execute(WAITING).fetchone() is None:
                assert not paying.done()
            give_points(shop, customer, 10)
            other.execute("BEGIN")
            other.execute("SELECT ledger_lock(ARRAY[%s])", (points.id,))
            first.execute("COMMIT")
            while watcher.execute(f"{WAITING} AND query LIKE '%%ledger%%'").fetchone() is None:
                assert not paying.done()
            other.execute("SET LOCAL lock_timeout = '500ms'")
            other.execute("SELECT ledger_lock(ARRAY[%s])", (wallet.id,))
            other.execute("COMMIT")

        assert shop.status_of(paying.result()) == "PAID"

    def test_whoever_settles_locks_what_is_held_for_others_before_any_account(
        self, shop: Shop, customer: UUID, addresses: DatabaseAddresses
    ) -> None:
        booking = shop.book(customer)
        other_id = shop.pay(customer, booking.id, parts=(from_wallet(10),))
        payment_id = shop.pay(customer, booking.id, parts=(from_wallet(20),))
        shop.charge(payment_id, asked(shop, payment_id))
        held = shop.row("SELECT hold_id FROM payment_tenders WHERE payment_id = %s AND kind = 'WALLET'", other_id)

        with (
            connect(addresses.app) as other, connect(addresses.app) as watcher, ThreadPoolExecutor(1) as thread,
        ):  # fmt: skip
            # As the job that ends holds does: a hold, then its account.
            other.execute("BEGIN")
            other.execute("SELECT 1 FROM balance_holds WHERE id = %s FOR NO KEY UPDATE", (held["hold_id"],))
            settling = thread.submit(shop.look, payment_id)
            while watcher.execute(WAITING).fetchone() is None:
                assert not settling.done()
            other.execute("SET LOCAL lock_timeout = '500ms'")
            other.execute("SELECT ledger_lock(ARRAY[%s])", (accounts.wallet(customer, "EGP").id,))
            other.execute("COMMIT")

        assert settling.result() is None
        assert [shop.status_of(each) for each in (payment_id, other_id)] == ["PAID", "CANCELLED"]

    def test_a_refund_locks_all_accounts_at_once(self, shop: Shop, addresses: DatabaseAddresses) -> None:
        """As every payment does: points are not locked before a wallet that comes before them."""
        customer = next(
            customer for customer in iter(lambda: a_rich_customer(shop, **RICH), None)
            if accounts.wallet(customer, "EGP").id < accounts.points(customer).id
        )  # fmt: skip
        parts = (from_wallet(1_000), from_points(1_000))
        payment_id = shop.pay(customer, shop.book(customer).id, parts=parts)
        shop.charge(payment_id, asked(shop, payment_id))
        shop.look(payment_id)
        wallet, points = accounts.wallet(customer, "EGP"), accounts.points(customer)

        with (
            connect(addresses.app) as other, connect(addresses.app) as watcher, ThreadPoolExecutor(1) as thread,
        ):  # fmt: skip
            other.execute("BEGIN")
            other.execute("SELECT ledger_lock(ARRAY[%s])", (wallet.id,))
            refunding = thread.submit(Counter(shop).ask, payment_id)
            while watcher.execute(WAITING).fetchone() is None:
                assert not refunding.done()
            other.execute("SET LOCAL lock_timeout = '500ms'")
            other.execute("SELECT ledger_lock(ARRAY[%s])", (points.id,))
            other.execute("COMMIT")

        assert refunding.result()

    def test_an_invoice_waits_for_its_booking_before_it_locks_the_payment(
        self, shop: Shop, customer: UUID, addresses: DatabaseAddresses
    ) -> None:
        booking = shop.book(customer)
        payment_id, use = shop.pay(customer, booking.id), shop.use
        with (
            connect(addresses.app) as other, connect(addresses.app) as watcher, ThreadPoolExecutor(1) as pool,
        ):  # fmt: skip
            other.execute("BEGIN")
            other.execute("SELECT 1 FROM bookings WHERE id = %s FOR UPDATE", (booking.id,))
            issuing = pool.submit(issue_invoice, payment_id, uow=use.new_uow(), clock=use.clock, new_id=use.new_id)
            while watcher.execute(WAITING).fetchone() is None:
                assert not issuing.done()
            other.execute("SELECT 1 FROM payments WHERE id = %s FOR UPDATE NOWAIT", (payment_id,))
            other.execute("COMMIT")

        assert issuing.result() is None
        assert shop.row("SELECT count(*) AS count FROM invoices WHERE payment_id = %s", payment_id)["count"] == 1


class TestKilledInBetween:
    def seen(self, shop: Shop, customer: UUID) -> Any:
        """All that a payment can change."""
        tables = ("payments", "payment_tenders", "payment_attempts", "payment_receipts", "balance_holds", "bookings",
                  "outbox_events", "ledger_journals")  # fmt: skip
        rows = [shop.database.rows(f"SELECT * FROM {table} ORDER BY 1") for table in tables]
        return rows, balances(shop, customer), available(shop, customer)

    def test_whoever_settles_leaves_all_of_it_or_nothing(
        self, shop: Shop, customer: UUID, addresses: DatabaseAddresses
    ) -> None:
        booking = shop.book(customer)
        payment_id = shop.pay(customer, booking.id, parts=SPLITS["everything"])
        twin = shop.pay(customer, booking.id, parts=SPLITS["wallet and card"])
        shop.charge(payment_id, asked(shop, payment_id))
        before = self.seen(shop, customer)

        for step in count(1):
            with killed_at(step) as called:
                try:
                    shop.look(payment_id)
                except Killed:
                    pass
                else:
                    break
            assert self.seen(shop, customer) == before, called[-1]

        assert {"SqlLedger.post", "SqlPoints.record", "SqlPayments.add_receipt", "SqlUnitOfWork.commit"} <= set(called)
        assert broken_promises(addresses) == []
        assert [shop.status_of(each) for each in (payment_id, twin)] == ["PAID", "CANCELLED"]
        assert balances(shop, customer) == (40_000, 0, 30_000 + 80)

    def test_whoever_pays_from_own_balances_leaves_all_of_it_or_nothing(self, shop: Shop) -> None:
        customer = a_rich_customer(shop, wallet=PRICE, points=20_000)
        booking, key = shop.book(customer), new_id().hex
        before = self.seen(shop, customer)
        pay = partial(
            shop.pay, customer, booking.id, method=PaymentMethod.WALLET, parts=(from_points(20_000),), key=key
        )

        for step in count(1):
            with killed_at(step) as called:
                try:
                    payment_id = pay()
                except Killed:
                    pass
                else:
                    break
            assert self.seen(shop, customer) == before, called[-1]

        assert {"SqlLedger.post", "SqlPoints.record", "SqlPayments.add", "SqlUnitOfWork.commit"} <= set(called)
        assert pay() == payment_id
        assert balances(shop, customer) == (20_000, 0, 80)

    def test_whoever_opens_a_checkout_finishes_it_with_the_same_key(self, shop: Shop) -> None:
        shop.gateway.capabilities = replace(shop.gateway.capabilities, repeats_creation=True)
        for step in count(1):
            customer = a_rich_customer(shop, **RICH)
            booking, key = shop.book(customer), new_id().hex
            pay = partial(shop.pay, customer, booking.id, parts=SPLITS["everything"], key=key)
            with killed_at(step) as called:
                try:
                    pay()
                except Killed:
                    pass
                else:
                    break

            payment_id = pay()

            assert [hold for *_, hold in parts_of(shop, payment_id)] == ["ACTIVE"] * 3 + [None], called[-1]
            assert available(shop, customer) == (40_000, 0, 30_000), called[-1]
            paid = shop.row("SELECT count(*) AS n FROM payments WHERE booking_id = %s", booking.id)
            assert paid["n"] == 1
            pay_card(shop, payment_id)
            assert shop.status_of(payment_id) == "PAID"

        assert "SqlLedger.add_hold" in called
