"""What a customer earns: points when the booking is paid, cashback when the trip is over, and the message of each."""

from __future__ import annotations

import re
from email.parser import BytesParser
from email.policy import default
from pathlib import Path

import pytest

from tests.api.shop import Json, Shop, SignUp
from tests.conftest import Person

pytestmark = pytest.mark.database


def become(shop: Shop, person: Person, plan: str) -> None:
    subscription = shop.done(shop.post("/api/v1/memberships/subscriptions", person, {"plan_code": plan}), 201)
    body = {
        "payable": {"type": "MEMBERSHIP", "id": subscription["id"]},
        "method": "CREDIT_CARD",
        "provider": "SANDBOX",
    }
    shop.take_payment(shop.done(shop.post("/api/v1/payments", person, body), 201))


def travel(shop: Shop, person: Person) -> Json:
    """A paid booking of EGP 2,000.00 that staff started and completed."""
    booking = shop.book(person, shop.offer())
    shop.take_payment(shop.pay(person, booking))
    for step in ("start", "complete"):
        shop.done(shop.post(f"/api/v1/bookings/{booking['id']}/{step}", shop.admin, {"override_reason": "test"}))
    shop.deliver_events()
    return booking


def test_a_new_customer_has_nothing(shop: Shop, sign_up: SignUp) -> None:
    customer = sign_up()
    nothing = {"amount": "0.00", "currency": "EGP"}
    assert shop.done(shop.get("/api/v1/points", customer)) == {
        "balance": 0,
        "available": 0,
        "expiring_soon": 0,
        "debt": 0,
        "value": nothing,
    }
    assert shop.done(shop.get("/api/v1/wallet", customer)) == {
        "balance": nothing,
        "available": nothing,
        "held": nothing,
    }
    kwd = shop.done(shop.get("/api/v1/wallet?currency=KWD", customer))["balance"]
    assert kwd == {"amount": "0.000", "currency": "KWD"}


def test_a_member_earns_points_at_once_and_cashback_after_the_trip(shop: Shop, sign_up: SignUp) -> None:
    customer = sign_up()
    become(shop, customer, "GOLD")
    offer = shop.offer()
    quote = shop.done(shop.post("/api/v1/quotes", customer, offer.booking()))
    assert quote["tier_code"] == "GOLD"
    assert quote["expected_cashback"] == {"amount": "100.00", "currency": "EGP"}
    booking = shop.book(customer, offer)
    shop.take_payment(shop.pay(customer, booking))
    assert shop.done(shop.get("/api/v1/cashback", customer))["items"] == []
    points = shop.done(shop.get("/api/v1/points", customer))
    assert points["balance"] == quote["expected_points"]
    (entry,) = shop.done(shop.get("/api/v1/points/entries", customer))["items"]
    assert (entry["sequence"], entry["amount"], entry["balance_before"], entry["balance_after"]) == (
        1,
        points["balance"],
        0,
        points["balance"],
    )
    assert (entry["transaction_type"], entry["reference_id"]) == ("EARNED", booking["id"])
    (lot,) = shop.done(shop.get("/api/v1/points/lots", customer))["items"]
    assert lot["points"] == points["balance"]
    for step in ("start", "complete"):
        shop.done(shop.post(f"/api/v1/bookings/{booking['id']}/{step}", shop.admin, {"override_reason": "test"}))
    (cashback,) = shop.done(shop.get("/api/v1/cashback", customer))["items"]
    assert (cashback["status"], cashback["cashback_rate"]) == ("PENDING", "5.00")
    assert cashback["cashback_amount"] == {"amount": "100.00", "currency": "EGP"}
    assert cashback["booking_number"] == booking["booking_number"]
    assert shop.done(shop.get("/api/v1/wallet", customer))["balance"]["amount"] == "0.00"


def test_a_guest_earns_no_cashback(shop: Shop, sign_up: SignUp) -> None:
    customer = sign_up()
    travel(shop, customer)
    assert shop.done(shop.get("/api/v1/cashback", customer))["items"] == []


def test_the_rate_is_that_of_the_day_of_the_booking(shop: Shop, sign_up: SignUp) -> None:
    customer = sign_up()
    booking = shop.book(customer, shop.offer())
    become(shop, customer, "DIAMOND")
    shop.take_payment(shop.pay(customer, booking))
    for step in ("start", "complete"):
        shop.done(shop.post(f"/api/v1/bookings/{booking['id']}/{step}", shop.admin, {"override_reason": "test"}))
    assert shop.done(shop.get("/api/v1/cashback", customer))["items"] == []


def test_the_wallet_tells_every_movement_with_its_balances(shop: Shop, sign_up: SignUp) -> None:
    customer = sign_up()
    body = {"method": "CREDIT_CARD", "provider": "SANDBOX", "amount": {"amount": "3000.00", "currency": "EGP"}}
    shop.take_payment(shop.done(shop.post("/api/v1/wallet/deposits", customer, body), 201))
    booking = shop.book(customer, shop.offer())
    paid = {"payable": {"type": "BOOKING", "id": booking["id"]}, "method": "WALLET"}
    shop.done(shop.post("/api/v1/payments", customer, paid), 201)
    entries = shop.done(shop.get("/api/v1/wallet/entries", customer, Accept_Language="ar"))["items"]
    assert [
        (row["sequence"], row["transaction_type"], row["amount"]["amount"], row["balance_after"]["amount"])
        for row in entries
    ] == [(2, "PAYMENT", "-2000.00", "1000.00"), (1, "DEPOSIT", "3000.00", "3000.00")]
    assert all(row["description"] == row["description_ar"] for row in entries)
    first = shop.done(shop.get("/api/v1/wallet/entries?limit=1", customer))
    second = shop.done(shop.get(f"/api/v1/wallet/entries?limit=1&cursor={first['next_cursor']}", customer))
    assert [page["items"][0]["sequence"] for page in (first, second)] == [2, 1]
    assert second["next_cursor"] is None


def test_every_step_is_told_in_the_app_and_by_mail(shop: Shop, sign_up: SignUp) -> None:
    customer = sign_up(locale="ar")
    become(shop, customer, "GOLD")
    travel(shop, customer)
    notes = shop.done(shop.get("/api/v1/notifications", customer, Accept_Language="ar"))["items"]
    kinds = [note["notification_type"] for note in notes]
    assert sorted(kinds) == [
        "BOOKING_CONFIRMED",
        "MEMBERSHIP_UPGRADE",
        "PAYMENT_SUCCESS",
        "PAYMENT_SUCCESS",
        "POINTS_EARNED",
        "SYSTEM",
    ]
    assert all(note["title"] == note["title_ar"] != note["title_en"] for note in notes)
    mails = [BytesParser(policy=default).parsebytes(mail.read_bytes()) for mail in _mails(shop)]
    subjects = [mail["Subject"] for mail in mails if customer.email in mail["To"]]
    assert len(subjects) == len(set(subjects)) == 6
    assert all(re.search("[؀-ۿ]", subject) for subject in subjects)


def _mails(shop: Shop) -> list[Path]:
    return list(shop.running.settings.home.rglob("*.eml"))
