"""Payments by HTTP: what opens a checkout, what settles, and what is kept in suspense."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.shop import Json, Shop, SignUp, for_booking, problem
from tests.conftest import Person

pytestmark = pytest.mark.database

DEPOSIT = {"method": "CREDIT_CARD", "provider": "SANDBOX", "amount": {"amount": "5000.00", "currency": "EGP"}}


@pytest.fixture
def customer(sign_up: SignUp) -> Person:
    return sign_up()


@pytest.fixture
def booking(shop: Shop, customer: Person) -> Json:
    return shop.book(customer, shop.offer())


def journals(shop: Shop) -> list[tuple[str, str]]:
    rows = shop.database.rows("SELECT journal_type, reference_type FROM ledger_journals ORDER BY id")
    return [(row["journal_type"], row["reference_type"]) for row in rows]


def shown(shop: Shop, payment: Json, person: Person) -> Json:
    return shop.done(shop.get(f"/api/v1/payments/{payment['id']}", person))


def attention(shop: Shop) -> list[tuple[str, str, str]]:
    rows = shop.done(shop.get("/api/v1/admin/payments/attention", shop.admin))["items"]
    return [(row["reason"], row["amount"]["amount"], row["expected"]["amount"]) for row in rows]


def test_a_payment_opens_a_checkout(shop: Shop, customer: Person, booking: Json) -> None:
    answer = shop.post("/api/v1/payments", customer, for_booking(booking["id"]))
    payment = shop.done(answer, 201)
    assert answer.headers["Location"] == f"/api/v1/payments/{payment['id']}"
    assert payment["payment_number"].startswith("PAY-")
    assert (payment["status"], payment["provider"], payment["method"]) == ("PENDING", "SANDBOX", "CREDIT_CARD")
    assert payment["amount"] == {"amount": "2000.00", "currency": "EGP"}
    assert payment["provider_reference"]
    assert set(payment["checkout"]) == {"url", "reference_number", "qr_code", "expires_at"}
    assert payment["checkout"]["url"].startswith("http")
    assert shown(shop, payment, customer) == payment
    assert shop.done(shop.get("/api/v1/payments", customer))["items"] == [payment]


@pytest.mark.parametrize(("method", "extra"), [("FAWRY", "reference_number"), ("MEEZA", "qr_code")])
def test_cash_and_wallet_apps_get_their_codes(
    shop: Shop, customer: Person, booking: Json, method: str, extra: str
) -> None:
    assert shop.pay(customer, booking, method=method)["checkout"][extra]


def test_an_open_checkout_of_the_same_purchase_is_used_again(shop: Shop, customer: Person, booking: Json) -> None:
    assert shop.pay(customer, booking)["id"] == shop.pay(customer, booking)["id"]
    assert shop.pay(customer, booking, method="FAWRY")["id"] != shop.pay(customer, booking)["id"]


def test_paid_settles_once_and_confirms(shop: Shop, customer: Person, booking: Json) -> None:
    payment = shop.pay(customer, booking)
    shop.take_payment(payment)
    paid = shown(shop, payment, customer)
    assert (paid["status"], paid["attempt_status"]) == ("PAID", "PAID")
    assert paid["paid_at"].endswith("Z")
    confirmed = shop.done(shop.get(f"/api/v1/bookings/{booking['id']}", customer))
    assert (confirmed["status"], confirmed["payment_status"]) == ("CONFIRMED", "PAID")
    assert confirmed["amount_due"]["amount"] == "0.00"
    assert sorted(journals(shop)) == [("EARNED", "BOOKING"), ("PAYMENT", "BOOKING")]
    problem(shop.post("/api/v1/payments", customer, for_booking(booking["id"])), 409, "nothing_to_pay")


def test_declined_leaves_the_booking_payable(shop: Shop, customer: Person, booking: Json) -> None:
    payment = shop.pay(customer, booking)
    shop.take_payment(payment, "declined")
    assert shown(shop, payment, customer)["attempt_status"] == "FAILED"
    assert journals(shop) == []
    again = shop.pay(customer, booking)
    shop.take_payment(again)
    assert shown(shop, again, customer)["status"] == "PAID"


@pytest.mark.parametrize(
    ("outcome", "found", "status"),
    [
        ("short", ("SUSPENSE_SHORT", "1000.00", "2000.00"), "PENDING"),
        ("twice", ("SUSPENSE_TWICE", "2000.00", "2000.00"), "PAID"),
    ],
)
def test_money_that_does_not_fit_is_kept_and_listed(
    shop: Shop, customer: Person, booking: Json, outcome: str, found: tuple[str, str, str], status: str
) -> None:
    payment = shop.pay(customer, booking)
    shop.take_payment(payment, outcome)
    assert shown(shop, payment, customer)["status"] == status
    assert attention(shop) == [found]
    assert ("SUSPENSE", "PAYMENT") in journals(shop)


def test_a_second_payment_of_a_paid_booking_is_kept_in_suspense(shop: Shop, customer: Person, booking: Json) -> None:
    card, code = shop.pay(customer, booking), shop.pay(customer, booking, method="FAWRY")
    shop.take_payment(card)
    shop.take_payment(code)
    assert [row[0] for row in attention(shop)] == ["SUSPENSE_LATE"]
    assert sorted(journals(shop)) == [("EARNED", "BOOKING"), ("PAYMENT", "BOOKING"), ("SUSPENSE", "PAYMENT")]


def test_a_deposit_fills_the_wallet_and_the_wallet_pays(shop: Shop, customer: Person, booking: Json) -> None:
    deposit = shop.done(shop.post("/api/v1/wallet/deposits", customer, DEPOSIT), 201)
    assert (deposit["payment_type"], deposit["status"]) == ("WALLET_DEPOSIT", "PENDING")
    shop.take_payment(deposit)
    assert wallet(shop, customer) == "5000.00"
    body: dict[str, Any] = {"payable": {"type": "BOOKING", "id": booking["id"]}, "method": "WALLET"}
    paid = shop.done(shop.post("/api/v1/payments", customer, body, key="once"), 201)
    assert (paid["status"], paid["provider"], paid["checkout"]) == ("PAID", None, None)
    assert wallet(shop, customer) == "3000.00"
    assert shop.done(shop.get(f"/api/v1/bookings/{booking['id']}", customer))["status"] == "CONFIRMED"
    assert shop.done(shop.post("/api/v1/payments", customer, body, key="once"), 201) == paid
    assert wallet(shop, customer) == "3000.00"


def test_a_deposit_can_be_asked_for_as_a_payment(shop: Shop, customer: Person) -> None:
    body = {**DEPOSIT, "payable": {"type": "WALLET_DEPOSIT"}}
    payment = shop.done(shop.post("/api/v1/payments", customer, body), 201)
    shop.take_payment(payment)
    assert wallet(shop, customer) == "5000.00"


def test_a_membership_is_active_once_it_is_paid(shop: Shop, customer: Person) -> None:
    subscription = shop.done(shop.post("/api/v1/memberships/subscriptions", customer, {"plan_code": "gold"}), 201)
    assert (subscription["status"], subscription["amount_due"]) == (
        "PENDING_PAYMENT",
        {"amount": "1999.00", "currency": "EGP"},
    )
    body = {
        "payable": {"type": "MEMBERSHIP", "id": subscription["id"]},
        "method": "CREDIT_CARD",
        "provider": "SANDBOX",
    }
    shop.take_payment(shop.done(shop.post("/api/v1/payments", customer, body), 201))
    active = shop.done(shop.get(f"/api/v1/memberships/subscriptions/{subscription['id']}", customer))
    assert (active["status"], active["amount_due"]["amount"]) == ("ACTIVE", "0.00")
    assert shop.done(shop.get("/api/v1/users/me", customer))["membership"]["tier_code"] == "GOLD"
    again = shop.post("/api/v1/memberships/subscriptions", customer, {"plan_code": "SILVER"})
    problem(again, 409, "already_subscribed")


def test_an_invoice_is_issued_without_gaps_and_drawn_in_three_ways(shop: Shop, customer: Person) -> None:
    offer = shop.offer()
    for _ in range(2):
        shop.take_payment(shop.pay(customer, shop.book(customer, offer, 1)))
    page = shop.done(shop.get("/api/v1/invoices", customer))["items"]
    assert [invoice["invoice_number"][-6:] for invoice in page] == ["000002", "000001"]
    assert page[0]["total_amount"] == {"amount": "1000.00", "currency": "EGP"}
    path = f"/api/v1/invoices/{page[0]['id']}/pdf"
    waiting = shop.get(f"{path}?lang=ar", customer)
    assert (waiting.status_code, int(waiting.headers["Retry-After"]) > 0) == (202, True)
    shop.deliver_events(draw=True)
    for language in ("ar", "en", "both"):
        drawn = shop.get(f"{path}?lang={language}", customer)
        assert (drawn.status_code, drawn.content_type) == (200, "application/pdf")
        assert drawn.data.startswith(b"%PDF-")
        assert page[0]["invoice_number"] in drawn.headers["Content-Disposition"]


def wallet(shop: Shop, person: Person) -> str:
    balance: str = shop.done(shop.get("/api/v1/wallet", person))["balance"]["amount"]
    return balance
