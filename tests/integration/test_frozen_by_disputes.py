"""While a bank decides about a charge, its money leaves by no way at all (product.md §8)."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

import pytest

from application.billing.deciding import DecideSuspense
from application.billing.ports import DisputeState, ProviderRefused
from application.billing.suspense import ApplySuspense, apply_suspense, put_into_wallet
from domain.billing.payments import PaymentMethod, PaymentType
from domain.billing.refunds import PaymentDisputed
from domain.ledger import accounts
from domain.ledger.journal import InsufficientBalance
from tests.builders import egp
from tests.integration.refunding import Counter
from tests.integration.shop import Shop

pytestmark = pytest.mark.usefixtures("refund_promises")

CLEARING = accounts.clearing("SCRIPTED", "EGP")


@pytest.fixture
def deposit(shop: Shop, customer: UUID) -> UUID:
    """EGP 500.00 by card in the customer's wallet."""
    payment_id = shop.pay(customer, None, kind=PaymentType.WALLET_DEPOSIT, amount=egp("500.00"))
    shop.charge(payment_id, egp("500.00"))
    shop.look(payment_id)
    return payment_id


def tell(shop: Shop, counter: Counter, payment_id: UUID, state: DisputeState, amount: str) -> None:
    counter.dispute(payment_id, egp(amount), state)
    for _ in range(2):
        shop.look(payment_id)


def held(shop: Shop) -> list[tuple[int, str]]:
    sql = "SELECT amount_minor, status FROM balance_holds WHERE reference_type = 'DISPUTE' ORDER BY id"
    return [(row["amount_minor"], row["status"]) for row in shop.database.rows(sql)]


def spend(shop: Shop, customer: UUID, amount: str) -> None:
    booking = shop.book(customer, shop.a_departure(price=egp(amount)))
    shop.pay(customer, booking.id, method=PaymentMethod.WALLET)


def test_a_disputed_deposit_is_not_spent_and_lost_it_leaves_no_debt(
    shop: Shop, counter: Counter, customer: UUID, deposit: UUID
) -> None:
    tell(shop, counter, deposit, DisputeState.OPEN, "500.00")
    assert held(shop) == [(50_000, "ACTIVE")]
    with pytest.raises(InsufficientBalance):
        spend(shop, customer, "0.01")

    tell(shop, counter, deposit, DisputeState.LOST, "500.00")

    assert held(shop) == [(50_000, "RELEASED")]
    wallet, debt = accounts.wallet(customer, "EGP"), accounts.debt(customer, "EGP")
    assert counter.balances(wallet, debt, CLEARING) == [0, 0, 0]


def test_won_the_deposit_is_there_again(shop: Shop, counter: Counter, customer: UUID, deposit: UUID) -> None:
    tell(shop, counter, deposit, DisputeState.OPEN, "500.00")
    tell(shop, counter, deposit, DisputeState.WON, "500.00")
    tell(shop, counter, deposit, DisputeState.OPEN, "500.00")
    assert held(shop) == [(50_000, "RELEASED")]
    spend(shop, customer, "500.00")


@pytest.mark.parametrize(("spent", "kept"), [("400.00", [(10_000, "ACTIVE")]), ("500.00", [])])
def test_no_more_is_kept_than_is_there(
    shop: Shop, counter: Counter, customer: UUID, deposit: UUID, spent: str, kept: list[tuple[int, str]]
) -> None:
    spend(shop, customer, spent)
    tell(shop, counter, deposit, DisputeState.OPEN, "500.00")
    assert held(shop) == kept


def test_what_is_told_of_when_it_is_decided_keeps_nothing(shop: Shop, counter: Counter, deposit: UUID) -> None:
    tell(shop, counter, deposit, DisputeState.WON, "500.00")
    assert held(shop) == []


@pytest.mark.parametrize("way", ["wallet", "apply", "apply elsewhere"])
def test_money_in_suspense_stays_there_until_the_bank_has_decided(
    shop: Shop, counter: Counter, customer: UUID, way: str
) -> None:
    payment_id = shop.pay(customer, shop.book(customer).id)
    shop.charge(payment_id, egp("1030.00"))
    shop.look(payment_id)
    receipt = shop.row("SELECT receipt_id FROM suspense_items")["receipt_id"]
    decision = DecideSuspense(receipt_id=receipt, actor_id=shop.a_customer(), reason="they called us")
    elsewhere = (PaymentType.BOOKING, shop.book(customer, shop.a_departure(price=egp("1030.00"))).id)
    use = shop.use
    ways: dict[str, Callable[[], object]] = {
        "wallet": lambda: put_into_wallet(decision, uow=use.new_uow(), clock=use.clock, new_id=use.new_id),
        "apply": lambda: apply_suspense(
            ApplySuspense(decision=decision), uow=use.new_uow(), clock=use.clock, new_id=use.new_id
        ),
        "apply elsewhere": lambda: apply_suspense(
            ApplySuspense(decision=decision, payable=elsewhere), uow=use.new_uow(), clock=use.clock, new_id=use.new_id
        ),
    }
    tell(shop, counter, payment_id, DisputeState.OPEN, "1030.00")
    with pytest.raises(PaymentDisputed):
        ways[way]()
    assert shop.row("SELECT status FROM suspense_items")["status"] == "OPEN"

    tell(shop, counter, payment_id, DisputeState.WON, "1030.00")
    ways[way]()
    assert shop.row("SELECT status FROM suspense_items")["status"] == "RESOLVED"


def test_a_refund_that_failed_goes_to_no_wallet_meanwhile(shop: Shop, counter: Counter, customer: UUID) -> None:
    booking = shop.book(customer)
    payment_id = shop.pay(customer, booking.id)
    shop.charge(payment_id, booking.final_amount)
    shop.look(payment_id)
    shop.gateway.refund_answers = [ProviderRefused(provider="SCRIPTED", reason="no")]
    refund_id = counter.refund(payment_id)
    tell(shop, counter, payment_id, DisputeState.OPEN, "1000.00")

    with pytest.raises(PaymentDisputed):
        counter.to_wallet(refund_id)

    assert counter.balances(accounts.wallet(customer, "EGP")) == [0]
    tell(shop, counter, payment_id, DisputeState.WON, "1000.00")
    counter.to_wallet(refund_id)
    assert counter.balances(accounts.wallet(customer, "EGP")) == [100_000]
