"""One idempotency key on several routes that move money: each keeps its own effect."""

from __future__ import annotations

import pytest

from tests.api.payment_deeds import _suspended
from tests.api.shop import Json, Shop, SignUp, for_booking
from tests.conftest import Person

pytestmark = pytest.mark.database
TEN = {"amount": "10.00", "currency": "EGP"}
WHY = {"reason": "a test"}
KEY = "the-same-key"


@pytest.fixture
def customer(sign_up: SignUp) -> Person:
    return sign_up()


def paid(shop: Shop, customer: Person, outcome: str = "paid") -> Json:
    payment = shop.pay(customer, shop.book(customer, shop.offer()))
    shop.take_payment(payment, outcome)
    return payment


def test_each_suspended_charge_has_a_refund_of_its_own(shop: Shop, sign_up: SignUp) -> None:
    items = [_suspended(shop, paid(shop, sign_up(), "twice")) for _ in range(2)]

    for path in items:
        shop.done(shop.post(f"/api/v1{path}/refund", shop.admin, WHY, key=KEY))
        shop.done(shop.post(f"/api/v1{path}/refund", shop.admin, WHY, key=KEY))
        shop.deliver_events()

    rows = shop.database.rows(
        """SELECT s.status, s.resolution, p.receipt_id = s.receipt_id AS is_own, p.status AS part
           FROM suspense_items s JOIN refund_parts p ON p.refund_id = s.refund_id"""
    )
    assert [tuple(row.values()) for row in rows] == [("RESOLVED", "REFUNDED", True, "SUCCEEDED")] * 2


def test_a_payment_and_a_deposit_by_one_key_are_two(shop: Shop, customer: Person) -> None:
    payment = shop.done(
        shop.post("/api/v1/payments", customer, for_booking(shop.book(customer, shop.offer())["id"]), key=KEY), 201
    )
    asked = {"amount": TEN, "method": "CREDIT_CARD", "provider": "SANDBOX"}
    deposit = shop.done(shop.post("/api/v1/wallet/deposits", customer, asked, key=KEY), 201)
    as_payment = {"payable": {"type": "WALLET_DEPOSIT"}, **asked}
    by_another_route = shop.done(shop.post("/api/v1/payments", customer, as_payment, key="another"), 201)

    again = shop.done(shop.post("/api/v1/wallet/deposits", customer, asked, key="another"), 201)

    assert len({each["id"] for each in (payment, deposit, by_another_route, again)}) == 4


def test_one_key_refunds_two_payments(shop: Shop, customer: Person) -> None:
    refunds = [
        shop.done(
            shop.post(f"/api/v1/payments/{payment['id']}/refunds", shop.admin, {**WHY, "amount": TEN}, key=KEY), 202
        )
        for payment in (paid(shop, customer), paid(shop, customer))
    ]
    assert len({refund["payment_id"] for refund in refunds}) == 2
