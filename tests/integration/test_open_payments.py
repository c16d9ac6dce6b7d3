"""Payments that are open: asked for again, and left by everybody (Q1, P2)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from uuid import UUID

import pytest

from application.billing.cancelling import ABANDONED_AFTER, cancel_abandoned_payments
from application.billing.payments import PaymentKeyReused
from application.billing.ports import OutcomeUnknown
from application.billing.splits import WantedPart
from domain.billing.payments import PaymentType
from infrastructure.clock import new_id
from infrastructure.database.roles import DatabaseAddresses
from tests.conftest import MovableClock
from tests.integration.shop import Shop, all_at_once, broken_promises
from tests.integration.tenders import (
    a_rich_customer,
    available,
    cancel,
    egp,
    from_credit,
    from_points,
    from_wallet,
)

PRICE = 100_000
RICH = {"wallet": 50_000, "credit": 50_000, "points": 50_000}


@pytest.fixture
def customer(shop: Shop) -> UUID:
    return a_rich_customer(shop, **RICH)


@pytest.fixture(autouse=True)
def every_promise_holds_afterwards(addresses: DatabaseAddresses) -> Iterator[None]:
    yield
    assert broken_promises(addresses) == []


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
