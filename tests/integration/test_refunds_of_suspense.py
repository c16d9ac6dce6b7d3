"""Refunds of payments that money in suspense paid: they go back by the charges that the money came by."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest

from application.billing.attention_ports import AttentionSearch
from application.billing.deciding import DecideSuspense
from application.billing.ports import ProviderRefused
from application.billing.suspense import ApplySuspense, apply_suspense
from domain.billing.refunds import Destination, RefundKeyReused
from domain.ledger import accounts
from domain.ledger.accounts import AccountKind
from domain.shared.money import Money
from tests.builders import egp
from tests.integration.refunding import Counter
from tests.integration.shop import Shop, all_at_once

pytestmark = pytest.mark.usefixtures("refund_promises")

CLEARING = accounts.clearing("SCRIPTED", "EGP")
SUSPENSE = accounts.platform(AccountKind.SUSPENSE, "EGP")
PREPAID = accounts.platform(AccountKind.CUSTOMER_PREPAYMENTS, "EGP")
PRICE = 100_000


def paid_from_suspense(shop: Shop, customer: UUID, *charges: Money) -> UUID:
    """A payment of a booking of EGP 1,000.00 that these charges, none of them right, paid together."""
    payment_id = shop.pay(customer, shop.book(customer).id)
    shop.charge(payment_id, *charges)
    shop.look(payment_id)
    rows = shop.database.rows(
        "SELECT s.receipt_id FROM suspense_items s JOIN payment_receipts r ON r.id = s.receipt_id ORDER BY r.position"
    )
    first, *others = [row["receipt_id"] for row in rows]
    command = ApplySuspense(
        decision=DecideSuspense(receipt_id=first, actor_id=shop.a_customer(), reason="they called us"),
        together_with=frozenset(others),
    )
    apply_suspense(command, uow=shop.use.new_uow(), clock=shop.use.clock, new_id=shop.use.new_id)
    assert shop.status_of(payment_id) == "PAID"
    return payment_id


def amounts(counter: Counter, refund_id: UUID) -> list[int]:
    return [part["amount_minor"] for part in counter.parts(refund_id)]


def test_it_goes_back_by_the_charge_that_was_too_large(shop: Shop, counter: Counter, customer: UUID) -> None:
    payment_id = paid_from_suspense(shop, customer, egp("1030.00"))
    [planned] = counter.preview(payment_id).parts
    assert planned.attempt_id == shop.attempt_of(payment_id).attempt_id

    refund_id = counter.refund(payment_id)

    assert (counter.status(refund_id), amounts(counter, refund_id)) == ("SUCCEEDED", [PRICE])
    assert shop.status_of(payment_id) == "REFUNDED"
    assert counter.balances(CLEARING, PREPAID, SUSPENSE, accounts.wallet(customer, "EGP")) == [-3_000, 0, 0, 3_000]


def test_no_part_is_larger_than_the_charge_that_it_is_of(shop: Shop, counter: Counter, customer: UUID) -> None:
    payment_id = paid_from_suspense(shop, customer, egp("600.00"), egp("450.00"))

    first = counter.refund(payment_id, egp("500.00"))
    rest = counter.refund(payment_id)

    assert amounts(counter, first) == [50_000]
    assert amounts(counter, rest) == [10_000, 40_000]
    assert [counter.status(refund_id) for refund_id in (first, rest)] == ["SUCCEEDED", "SUCCEEDED"]
    assert counter.balances(CLEARING, PREPAID) == [-5_000, 0]


def test_what_went_to_the_wallet_is_still_a_charge_that_goes_back(shop: Shop, counter: Counter, customer: UUID) -> None:
    payment_id = paid_from_suspense(shop, customer, egp("600.00"), egp("400.00"))
    counter.refund(payment_id, egp("700.00"), destination=Destination.WALLET)

    refund_id = counter.refund(payment_id)

    assert (counter.status(refund_id), amounts(counter, refund_id)) == ("SUCCEEDED", [30_000])


def test_8_refunds_at_once_never_exceed_a_charge(shop: Shop, counter: Counter, customer: UUID) -> None:
    payment_id = paid_from_suspense(shop, customer, egp("600.00"), egp("400.00"))

    all_at_once([lambda: counter.refund(payment_id, egp("125.00"))] * 8)

    assert counter.tenders(payment_id) == {"GATEWAY": (0, PRICE)}
    assert counter.balances(CLEARING, PREPAID) == [0, 0]


def test_what_no_charge_is_known_of_is_an_operators_and_stays_so(shop: Shop, counter: Counter, customer: UUID) -> None:
    payment_id = paid_from_suspense(shop, customer, egp("1000.01"))
    shop.database.rows("UPDATE suspense_items SET resolution = 'WALLET' RETURNING 1")

    refund_id = counter.refund(payment_id)

    [part] = counter.parts(refund_id)
    assert (part["way"], part["status"], part["attempt_id"]) == ("OPERATOR", "AWAITING_OPERATOR", None)
    assert shop.attention() == ["REFUND_AWAITING_OPERATOR"]
    assert shop.gateway.asked_refunds == []


def test_a_refund_that_is_not_sent_for_long_is_seen(shop: Shop, counter: Counter, customer: UUID) -> None:
    counter.ask(paid_from_suspense(shop, customer, egp("1000.01")))
    assert shop.attention() == []

    later = AttentionSearch(at=shop.use.clock.now() + timedelta(minutes=31), reason="REFUND_REQUESTED")
    [row] = shop.use.queries.attention.waiting(later, limit=10, after=None)
    assert (row["status"], row["amount_minor"]) == ("REQUESTED", PRICE)


def test_a_key_names_one_charge_and_one_amount_of_it(shop: Shop, counter: Counter, customer: UUID) -> None:
    payment_id = shop.pay(customer, shop.book(customer).id)
    shop.charge(payment_id, egp("300.00"), egp("400.00"))
    shop.look(payment_id)
    first, second = [row["id"] for row in shop.database.rows("SELECT id FROM payment_receipts ORDER BY position")]
    known = counter.refund_suspense(first, egp("300.00"), key="once")

    for receipt, amount in ((second, "400.00"), (second, "300.00"), (first, "299.00")):
        with pytest.raises(RefundKeyReused):
            counter.refund_suspense(receipt, egp(amount), key="once")
    assert counter.refund_suspense(first, egp("300.00"), key="once") == known

    shop.gateway.refund_answers = [ProviderRefused(provider="SCRIPTED", reason="no")]
    counter.submit(known)
    # It came to nothing, and is not what a decision may wait for.
    with pytest.raises(RefundKeyReused):
        counter.refund_suspense(first, egp("300.00"), key="once")
