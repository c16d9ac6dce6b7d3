"""Payments in parts: set aside while a provider takes the rest, taken together, never twice, never half (M3-M8, P5, P6)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from itertools import count
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from application.billing.cancelling import ABANDONED_AFTER, cancel_abandoned_payments
from application.billing.payments import HELD_BEYOND, PaymentKeyReused
from application.billing.ports import OutcomeUnknown, ProviderRefused
from application.billing.splits import WantedPart
from application.ledger.transfers import SetRate, TransferBetweenWallets, set_rate, transfer_between_wallets
from application.ledger.withdrawals import RequestWithdrawal, request_withdrawal
from application.sales.bookings import GRACE
from domain.billing.payments import PaymentMethod, PaymentNotFound
from domain.ledger import accounts
from domain.ledger.journal import InsufficientBalance, transfer
from domain.shared.errors import IllegalTransition, InvalidValue
from domain.shared.money import currency
from infrastructure.bootstrap import Running
from infrastructure.clock import new_id
from infrastructure.database.roles import DatabaseAddresses, connect
from tests.conftest import MovableClock
from tests.integration.shop import HOLD_FOR, Shop, all_at_once, broken_promises
from tests.integration.tenders import (
    CLEARING,
    DISCOUNTS,
    PREPAID,
    SUSPENSE,
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
    sweep,
)

PRICE = 100_000
RICH = {"wallet": 50_000, "credit": 50_000, "points": 50_000}
WAITING = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
SPLITS = {
    "wallet and card": (from_wallet(30_000),),
    "voucher credit and card": (from_credit(40_000),),
    "points and card": (from_points(25_000),),
    "points, wallet and card": (from_points(20_000), from_wallet(30_000)),
    "everything": (from_wallet(10_000), from_points(20_000), from_credit(50_000)),
}


@pytest.fixture
def shop(running: Running) -> Shop:
    return Shop.opened(running)


@pytest.fixture
def customer(shop: Shop) -> UUID:
    return a_rich_customer(shop, **RICH)


@pytest.fixture(autouse=True)
def every_promise_holds_afterwards(addresses: DatabaseAddresses) -> Iterator[None]:
    yield
    assert broken_promises(addresses) == []


def worth(parts: tuple[WantedPart, ...]) -> tuple[int, int, int]:
    """What parts take of wallet, voucher credit and points."""
    taken = {part.kind: part.amount.minor if part.amount is not None else part.points or 0 for part in parts}
    return tuple(taken.get(kind, 0) for kind in ("WALLET", "VOUCHER_CREDIT", "POINTS"))  # type: ignore[call-overload,return-value]


class TestPaying:
    @pytest.mark.parametrize("parts", SPLITS.values(), ids=SPLITS)
    def test_parts_are_set_aside_while_the_card_is_open_and_taken_with_it(
        self, shop: Shop, customer: UUID, parts: tuple[WantedPart, ...]
    ) -> None:
        booking = shop.book(customer)
        wallet, credit, points = worth(parts)
        rest = PRICE - wallet - credit - points
        left = (50_000 - wallet, 50_000 - credit, 50_000 - points)

        payment_id = shop.pay(customer, booking.id, parts=parts)

        assert asked(shop, payment_id) == egp(rest)
        assert (available(shop, customer), balances(shop, customer)) == (left, (50_000, 50_000, 50_000))
        assert {hold for kind, *_, hold in parts_of(shop, payment_id) if kind != "GATEWAY"} == {"ACTIVE"}
        assert shop.row("SELECT payment_method FROM payments WHERE id = %s", payment_id)["payment_method"] == "MIXED"

        pay_card(shop, payment_id)
        shop.look(payment_id)

        taken = parts_of(shop, payment_id)
        assert {status for _, _, status, _ in taken} == {"CAPTURED"}
        assert {hold for kind, *_, hold in taken if kind != "GATEWAY"} == {"CAPTURED"}
        assert sum(minor for _, minor, _, _ in taken) == PRICE
        # Points are earned by money alone.
        earned = (PRICE - points) // 1_000
        assert balances(shop, customer) == (left[0], left[1], left[2] + earned)
        assert available(shop, customer) == balances(shop, customer)
        booked = [shop.balance(account) for account in (PREPAID, SUSPENSE, DISCOUNTS)]
        assert booked == [PRICE, 0, -points]
        assert shop.balance(CLEARING) == -50_000 - rest
        row = shop.booking(booking.id)
        assert (row["status"], row["paid_amount_minor"], row["points_paid_amount_minor"]) == (
            "CONFIRMED", PRICE, points,
        )  # fmt: skip

    def test_wallet_and_points_alone_pay_at_once(self, shop: Shop) -> None:
        customer = a_rich_customer(shop, wallet=80_000, points=30_000)
        booking = shop.book(customer)

        payment_id = shop.pay(customer, booking.id, method=PaymentMethod.WALLET, parts=(from_points(20_000),))

        assert parts_of(shop, payment_id) == [
            ("WALLET", 80_000, "CAPTURED", None), ("POINTS", 20_000, "CAPTURED", None),
        ]  # fmt: skip
        assert balances(shop, customer) == (0, 0, 10_000 + 80)
        assert shop.booking(booking.id)["status"] == "CONFIRMED"

    def test_points_alone_pay_at_once_and_earn_nothing(self, shop: Shop) -> None:
        customer = a_rich_customer(shop, points=PRICE + 5)
        booking = shop.book(customer)
        key = new_id().hex

        payment_id = shop.pay(
            customer, booking.id, method=PaymentMethod.WALLET, parts=(from_points(PRICE + 5),), key=key
        )

        assert parts_of(shop, payment_id) == [("POINTS", PRICE, "CAPTURED", None)]
        assert balances(shop, customer) == (0, 0, 5)
        again = shop.pay(customer, booking.id, method=PaymentMethod.WALLET, parts=(from_points(PRICE + 5),), key=key)
        assert again == payment_id

    def test_points_pay_what_the_other_parts_leave_wherever_they_stand(self, shop: Shop) -> None:
        customer = a_rich_customer(shop, wallet=60_000, points=PRICE)
        booking = shop.book(customer)

        payment_id = shop.pay(
            customer, booking.id, method=PaymentMethod.WALLET, parts=(from_points(PRICE), from_wallet(60_000))
        )

        assert [(kind, minor) for kind, minor, *_ in parts_of(shop, payment_id)] == [
            ("WALLET", 60_000), ("POINTS", 40_000),
        ]  # fmt: skip

    def test_own_balances_that_hold_too_little_pay_nothing(self, shop: Shop, customer: UUID) -> None:
        booking = shop.book(customer)

        with pytest.raises(InsufficientBalance):
            shop.pay(customer, booking.id, method=PaymentMethod.WALLET, parts=(from_points(20_000),))
        with pytest.raises(InsufficientBalance):
            shop.pay(customer, booking.id, parts=(from_wallet(50_001),))

        assert balances(shop, customer) == available(shop, customer) == (50_000, 50_000, 50_000)
        assert shop.database.rows("SELECT 1 FROM payments") == []

    @pytest.mark.parametrize(
        ("parts", "method", "pointer"),
        [
            ((from_wallet(10), from_wallet(20)), PaymentMethod.CREDIT_CARD, "/tenders"),
            ((from_wallet(10),), PaymentMethod.WALLET, "/tenders"),
            ((from_wallet(PRICE + 1),), PaymentMethod.CREDIT_CARD, "/tenders"),
            ((from_wallet(PRICE),), PaymentMethod.CREDIT_CARD, "/method"),
            ((from_wallet(0),), PaymentMethod.CREDIT_CARD, "/tenders/0/amount"),
            ((from_wallet(10), from_points(0)), PaymentMethod.CREDIT_CARD, "/tenders/1/points"),
            ((from_points(10), from_wallet(PRICE)), PaymentMethod.CREDIT_CARD, "/tenders/0/points"),
        ],
    )
    def test_parts_that_do_not_make_the_amount_are_refused(
        self, shop: Shop, customer: UUID, parts: tuple[WantedPart, ...], method: PaymentMethod, pointer: str
    ) -> None:
        booking = shop.book(customer)

        with pytest.raises(InvalidValue) as refused:
            shop.pay(customer, booking.id, parts=parts, method=method)

        assert [fault.pointer for fault in refused.value.faults] == [pointer]


class TestLettingGo:
    PARTS = (from_wallet(30_000), from_points(20_000))

    @pytest.fixture
    def payment_id(self, shop: Shop, customer: UUID) -> UUID:
        return shop.pay(customer, shop.book(customer).id, parts=self.PARTS)

    def freed(self, shop: Shop, customer: UUID, payment_id: UUID, hold: str = "RELEASED") -> None:
        assert {(status, hold) for _, _, status, hold in parts_of(shop, payment_id)} == {
            ("RELEASED", hold), ("RELEASED", None),
        }  # fmt: skip
        assert available(shop, customer) == balances(shop, customer)

    def test_a_cancelled_payment_frees_its_parts_once(self, shop: Shop, customer: UUID, payment_id: UUID) -> None:
        cancel(shop, payment_id, customer)

        self.freed(shop, customer, payment_id)
        with pytest.raises(IllegalTransition):
            cancel(shop, payment_id, customer)

    def test_nobody_cancels_somebody_elses(self, shop: Shop, payment_id: UUID) -> None:
        with pytest.raises(PaymentNotFound):
            cancel(shop, payment_id, shop.a_customer())

        assert shop.status_of(payment_id) == "PENDING"

    def test_money_for_a_cancelled_payment_is_kept_and_takes_no_part(
        self, shop: Shop, customer: UUID, payment_id: UUID
    ) -> None:
        cancel(shop, payment_id, customer)

        pay_card(shop, payment_id)

        assert shop.receipts(payment_id) == [(50_000, "EGP", "SUSPENSE", "LATE")]
        assert balances(shop, customer) == (50_000, 50_000, 50_000)

    def test_a_booking_that_expires_frees_them(
        self, shop: Shop, customer: UUID, payment_id: UUID, clock: MovableClock
    ) -> None:
        clock.offset += HOLD_FOR + GRACE + timedelta(seconds=1)

        assert sweep(shop) == 1

        self.freed(shop, customer, payment_id)

    def test_another_payment_that_settles_frees_them(self, shop: Shop, customer: UUID, payment_id: UUID) -> None:
        booking_id = shop.row("SELECT booking_id FROM payments WHERE id = %s", payment_id)["booking_id"]
        other = shop.pay(customer, booking_id, parts=(from_credit(10_000),))

        pay_card(shop, other)

        assert shop.status_of(payment_id) == "CANCELLED"
        self.freed(shop, customer, payment_id)

    def test_the_job_frees_what_is_set_aside_for_too_long(
        self, shop: Shop, customer: UUID, payment_id: UUID, clock: MovableClock
    ) -> None:
        clock.offset += HOLD_FOR + HELD_BEYOND - timedelta(minutes=1)
        assert end_holds(shop) == 0
        clock.offset += timedelta(minutes=2)

        assert end_holds(shop) == 2

        assert available(shop, customer) == balances(shop, customer)
        assert shop.status_of(payment_id) == "PENDING"

    def test_a_hold_that_ran_out_does_not_matter_while_the_balance_is_there(
        self, shop: Shop, customer: UUID, payment_id: UUID, clock: MovableClock
    ) -> None:
        clock.offset += HOLD_FOR + HELD_BEYOND + timedelta(minutes=1)
        assert end_holds(shop) == 2

        pay_card(shop, payment_id)

        assert shop.status_of(payment_id) == "PAID"
        assert balances(shop, customer) == (20_000, 50_000, 30_000 + 80)

    def test_what_was_spent_meanwhile_leaves_the_card_money_in_suspense(
        self, shop: Shop, customer: UUID, payment_id: UUID, clock: MovableClock
    ) -> None:
        clock.offset += HOLD_FOR + HELD_BEYOND + timedelta(minutes=1)
        end_holds(shop)
        shop.post(*transfer(accounts.wallet(customer, "EGP"), CLEARING, egp(20_001)))

        pay_card(shop, payment_id)

        assert shop.receipts(payment_id) == [(50_000, "EGP", "SUSPENSE", "INCOMPLETE")]
        assert shop.status_of(payment_id) == "PENDING"
        assert balances(shop, customer) == (29_999, 50_000, 50_000)
        assert [shop.balance(account) for account in (PREPAID, SUSPENSE)] == [0, 50_000]
        assert shop.attention() == ["SUSPENSE_INCOMPLETE"]

    def test_points_that_ended_while_they_were_held_still_pay(self, shop: Shop, clock: MovableClock) -> None:
        customer = a_rich_customer(shop)
        give_points(shop, customer, 20_000)
        clock.offset += timedelta(days=365) - timedelta(minutes=1)
        payment_id = shop.pay(customer, shop.book(customer).id, parts=(from_points(20_000),))
        clock.offset += timedelta(minutes=2)

        pay_card(shop, payment_id)

        assert shop.status_of(payment_id) == "PAID"

    def test_a_checkout_that_is_opened_again_sets_its_parts_aside_again(
        self, shop: Shop, customer: UUID, clock: MovableClock
    ) -> None:
        membership, key = shop.subscribe(customer), new_id().hex
        shop.gateway.answers = [ProviderRefused(provider="SCRIPTED", reason="no")]
        with pytest.raises(ProviderRefused):
            self.pay_membership(shop, customer, membership, key)
        clock.offset += timedelta(hours=26)
        assert end_holds(shop) == 1

        payment_id = self.pay_membership(shop, customer, membership, key)

        assert parts_of(shop, payment_id)[0] == ("WALLET", 30_000, "PLANNED", "ACTIVE")
        assert available(shop, customer)[0] == 20_000
        clock.offset += timedelta(hours=24)
        assert end_holds(shop) == 0

    def pay_membership(self, shop: Shop, customer: UUID, membership: UUID, key: str) -> UUID:
        from domain.billing.payments import PaymentType

        return shop.pay(
            customer, membership, kind=PaymentType.MEMBERSHIP_PURCHASE, parts=(from_wallet(30_000),), key=key
        )


class TestMoneyThatDoesNotFit:
    @pytest.mark.parametrize(
        ("charges", "receipts"),
        [
            ([69_999], [("SUSPENSE", "SHORT")]),
            ([70_001], [("SUSPENSE", "OVER")]),
            ([100_000], [("SUSPENSE", "OVER")]),
            ([69_999, 70_000], [("SUSPENSE", "SHORT"), ("SETTLED", None)]),
            ([70_000, 70_000], [("SETTLED", None), ("SUSPENSE", "TWICE")]),
        ],
    )
    def test_the_card_pays_its_part_to_the_minor_unit(
        self, shop: Shop, customer: UUID, charges: list[int], receipts: list[tuple[str, str | None]]
    ) -> None:
        payment_id = shop.pay(customer, shop.book(customer).id, parts=(from_wallet(30_000),))

        shop.charge(payment_id, *map(egp, charges))
        shop.look(payment_id)

        is_settled = ("SETTLED", None) in receipts
        assert [(disposition, reason) for _, _, disposition, reason in shop.receipts(payment_id)] == receipts
        assert shop.status_of(payment_id) == ("PAID" if is_settled else "PENDING")
        assert balances(shop, customer)[0] == (20_000 if is_settled else 50_000)
        assert shop.balance(SUSPENSE) == sum(charges) - 70_000 * is_settled

    def test_a_booking_that_is_gone_keeps_the_card_money_and_takes_no_part(
        self, shop: Shop, customer: UUID, clock: MovableClock
    ) -> None:
        payment_id = shop.pay(customer, shop.book(customer).id, parts=(from_wallet(30_000),))
        clock.offset += HOLD_FOR + GRACE + timedelta(seconds=1)
        assert sweep(shop) == 1

        pay_card(shop, payment_id)

        assert shop.receipts(payment_id) == [(70_000, "EGP", "SUSPENSE", "LATE")]
        assert balances(shop, customer) == available(shop, customer) == (50_000, 50_000, 50_000)


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


class TestAskingAgain:
    PARTS = (from_wallet(30_000), from_points(20_000))

    def test_the_same_key_is_the_same_payment_in_the_same_parts(self, shop: Shop, customer: UUID) -> None:
        booking, key = shop.book(customer), new_id().hex

        first = shop.pay(customer, booking.id, parts=self.PARTS, key=key)

        assert shop.pay(customer, booking.id, parts=self.PARTS, key=key) == first
        assert shop.pay(customer, booking.id, parts=self.PARTS[::-1], key=key) == first
        assert shop.gateway.created == 1
        assert available(shop, customer) == (20_000, 50_000, 30_000)

    @pytest.mark.parametrize(
        "other",
        [
            (),
            (from_wallet(30_000),),
            (from_wallet(30_001), from_points(20_000)),
            (from_wallet(30_000), from_points(20_001)),
            (from_credit(30_000), from_points(20_000)),
            (from_wallet(30_000), from_points(20_000), from_credit(1)),
            (from_wallet(PRICE),),
        ],
    )
    def test_the_same_key_for_other_parts_is_refused(
        self, shop: Shop, customer: UUID, other: tuple[WantedPart, ...]
    ) -> None:
        booking, key = shop.book(customer), new_id().hex
        shop.pay(customer, booking.id, parts=self.PARTS, key=key)

        with pytest.raises(PaymentKeyReused):
            shop.pay(customer, booking.id, parts=other, key=key)

    def test_an_open_checkout_is_used_again_for_the_same_parts_alone(self, shop: Shop, customer: UUID) -> None:
        booking = shop.book(customer)
        first = shop.pay(customer, booking.id, parts=self.PARTS)

        assert shop.pay(customer, booking.id, parts=self.PARTS) == first
        assert available(shop, customer) == (20_000, 50_000, 30_000)
        others = {
            shop.pay(customer, booking.id, parts=(from_wallet(20_000),)),
            shop.pay(customer, booking.id, parts=(from_credit(20_000),)),
            shop.pay(customer, booking.id),
        }
        assert first not in others
        assert len(others) == 3
        assert available(shop, customer) == (0, 30_000, 30_000)

    def test_a_payment_that_was_cancelled_before_the_provider_was_asked_is_not_opened_later(
        self, shop: Shop, customer: UUID
    ) -> None:
        booking, key = shop.book(customer), new_id().hex
        shop.gateway.answers = [RuntimeError("the process is gone")]
        with pytest.raises(RuntimeError):
            shop.pay(customer, booking.id, parts=self.PARTS, key=key)
        payment_id = UUID(str(shop.row("SELECT id FROM payments")["id"]))
        cancel(shop, payment_id, customer)

        assert shop.pay(customer, booking.id, parts=self.PARTS, key=key) == payment_id

        assert shop.gateway.books == {}
        assert available(shop, customer) == (50_000, 50_000, 50_000)

    def test_what_is_asked_again_is_asked_the_same(self, shop: Shop, customer: UUID, clock: MovableClock) -> None:
        """A provider refuses an idempotency key that comes with anything else."""
        from domain.billing.payments import PaymentType

        membership, key = shop.subscribe(customer), new_id().hex
        pay = partial(shop.pay, customer, membership, kind=PaymentType.MEMBERSHIP_PURCHASE, key=key)
        shop.gateway.answers, shop.gateway.loses_answers = [RuntimeError("the process is gone")], True
        with pytest.raises(RuntimeError):
            pay()
        [first] = [book.request for book in shop.gateway.books.values()]
        clock.offset += timedelta(minutes=10)

        pay()

        assert [book.request for book in shop.gateway.books.values()] == [first]


class TestPaymentsThatNobodyWaitsFor:
    def abandon(self, shop: Shop) -> int:
        return len(cancel_abandoned_payments(new_uow=shop.use.new_uow, clock=shop.use.clock))

    def deposit(self, shop: Shop, customer: UUID) -> UUID:
        from domain.billing.payments import PaymentType

        return shop.pay(customer, None, kind=PaymentType.WALLET_DEPOSIT, amount=egp(500))

    def test_long_after_its_last_checkout_a_payment_is_cancelled(
        self, shop: Shop, customer: UUID, clock: MovableClock
    ) -> None:
        payment_id = self.deposit(shop, customer)
        clock.offset += ABANDONED_AFTER + timedelta(hours=23)
        fresh = self.deposit(shop, customer)
        assert self.abandon(shop) == 0
        clock.offset += timedelta(hours=2)

        assert self.abandon(shop) == 1

        assert [shop.status_of(each) for each in (payment_id, fresh)] == ["CANCELLED", "PENDING"]
        assert self.abandon(shop) == 0
        shop.charge(payment_id, egp(500))
        shop.look(payment_id)
        assert shop.receipts(payment_id) == [(500, "EGP", "SUSPENSE", "LATE")]

    def test_what_is_in_doubt_or_brought_money_is_left_to_a_person(
        self, shop: Shop, customer: UUID, clock: MovableClock
    ) -> None:
        short = self.deposit(shop, customer)
        shop.charge(short, egp(499))
        shop.look(short)
        shop.gateway.answers = [OutcomeUnknown(provider="SCRIPTED")]
        unknown = self.deposit(shop, customer)
        clock.offset += 2 * ABANDONED_AFTER

        assert self.abandon(shop) == 0

        assert [shop.status_of(each) for each in (short, unknown)] == ["PENDING", "PENDING"]

    def test_workers_at_once_and_the_money_itself_agree(self, shop: Shop, customer: UUID, clock: MovableClock) -> None:
        payments = [self.deposit(shop, customer) for _ in range(4)]
        for payment_id in payments:
            shop.charge(payment_id, egp(500))
        clock.offset += 2 * ABANDONED_AFTER

        results = all_at_once(
            [*(partial(shop.look, payment_id) for payment_id in payments), *([partial(self.abandon, shop)] * 2)]
        )

        assert [result for result in results if isinstance(result, BaseException)] == []
        told = [(shop.status_of(each), shop.receipts(each)[0][2:]) for each in payments]
        assert set(told) <= {("PAID", ("SETTLED", None)), ("CANCELLED", ("SUSPENSE", "LATE"))}


class TestVoucherCredit:
    def test_it_is_never_paid_out(self, shop: Shop) -> None:
        customer = a_rich_customer(shop, credit=50_000)
        with shop.use.new_uow() as uow:
            uow.users.get(customer).verify_email(at=shop.use.clock.now())
            uow.commit()
        command = RequestWithdrawal(user_id=customer, amount=egp(100), destination="EG38", least=None)

        with pytest.raises(InsufficientBalance):
            request_withdrawal(command, uow=shop.use.new_uow(), clock=shop.use.clock, new_id=new_id)

        assert available(shop, customer) == (0, 50_000, 0)

    def test_it_is_never_changed_into_another_currency(self, shop: Shop) -> None:
        from decimal import Decimal

        customer, staff = a_rich_customer(shop, credit=50_000), shop.a_customer()
        rate = set_rate(
            SetRate(source=currency("EGP"), target=currency("USD"), rate=Decimal("0.02"), valid_from=None,
                    actor_id=staff),
            uow=shop.use.new_uow(), clock=shop.use.clock, new_id=new_id,
        )  # fmt: skip
        command = TransferBetweenWallets(user_id=customer, amount=egp(10_000), target=currency("USD"), rate_id=rate)

        with pytest.raises(InsufficientBalance):
            transfer_between_wallets(command, uow=shop.use.new_uow(), clock=shop.use.clock, new_id=new_id)

        assert balances(shop, customer) == (0, 50_000, 0)


@given(
    splits=st.lists(
        st.tuples(st.integers(0, 60_000), st.integers(0, 60_000), st.integers(0, 60_000)), min_size=1, max_size=3
    )
)
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_parts_sum_to_the_price_and_move_what_a_pure_model_says(
    shop: Shop, splits: list[tuple[int, int, int]]
) -> None:
    """The model: three balances; a payment takes its parts if each is there and together they are below the price."""
    customer = a_rich_customer(shop, **RICH)
    model = [50_000, 50_000, 50_000]
    before = shop.balance(PREPAID)
    paid = 0
    for split in splits:
        booking = shop.book(customer)
        makers = (from_wallet, from_credit, from_points)
        parts = tuple(make(minor) for make, minor in zip(makers, split, strict=True) if minor)
        fits = sum(split) < PRICE
        covered = all(minor <= left for minor, left in zip(split, model, strict=True))
        try:
            payment_id = shop.pay(customer, booking.id, parts=parts)
        except InvalidValue:
            assert not fits
            continue
        except InsufficientBalance:
            assert not covered
            continue
        assert sum(minor for _, minor, *_ in parts_of(shop, payment_id)) == PRICE
        assert covered
        pay_card(shop, payment_id)
        asked_of_points = dict((kind, minor) for kind, minor, *_ in parts_of(shop, payment_id)).get("POINTS", 0)
        model = [left - minor for left, minor in zip(model, (split[0], split[1], asked_of_points), strict=True)]
        model[2] += (PRICE - asked_of_points) // 1_000
        paid += PRICE
        assert list(balances(shop, customer)) == model
    assert shop.balance(PREPAID) - before == paid
