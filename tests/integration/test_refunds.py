"""Refunds on PostgreSQL: the way the money came, once, and never more than came (M6, M8, M9, P2, P3, P9)."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

import pytest

from domain.ledger import accounts
from domain.ledger.accounts import AccountKind
from infrastructure.bootstrap import Running
from infrastructure.database.roles import DatabaseAddresses
from tests.integration.refunding import Counter, broken_refund_promises
from tests.integration.shop import Shop

CLEARING = accounts.clearing("SCRIPTED", "EGP")
SUSPENSE = accounts.platform(AccountKind.SUSPENSE, "EGP")
PREPAID = accounts.platform(AccountKind.CUSTOMER_PREPAYMENTS, "EGP")
REVENUE = accounts.platform(AccountKind.BOOKING_REVENUE, "EGP")
PRICE = 100_000


@pytest.fixture
def shop(running: Running) -> Shop:
    return Shop.opened(running)


@pytest.fixture
def counter(shop: Shop) -> Counter:
    return Counter(shop)


@pytest.fixture
def customer(shop: Shop) -> UUID:
    return shop.a_customer()


@pytest.fixture(autouse=True)
def every_promise_holds_afterwards(addresses: DatabaseAddresses) -> Iterator[None]:
    yield
    assert broken_refund_promises(addresses) == []


@pytest.fixture
def paid(shop: Shop, customer: UUID) -> UUID:
    """A payment of a booking by card, EGP 1,000.00."""
    booking = shop.book(customer)
    payment_id = shop.pay(customer, booking.id)
    shop.charge(payment_id, booking.final_amount)
    shop.look(payment_id)
    return payment_id


def test_a_refund_goes_back_to_the_card_with_its_points(
    shop: Shop, counter: Counter, customer: UUID, paid: UUID
) -> None:
    refund_id = counter.ask(paid)
    assert (counter.status(refund_id), counter.tenders(paid)) == ("REQUESTED", {"GATEWAY": (PRICE, 0)})
    assert shop.gateway.asked_refunds == []

    counter.submit(refund_id)

    assert counter.status(refund_id) == "SUCCEEDED"
    assert len(shop.gateway.asked_refunds) == 1
    assert (shop.status_of(paid), counter.tenders(paid)) == ("REFUNDED", {"GATEWAY": (0, PRICE)})
    assert counter.balances(CLEARING, PREPAID, accounts.points(customer)) == [0, 0, 0]
