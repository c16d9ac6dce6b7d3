"""The customer's journey by plain HTTP, through every process of the real system."""

from __future__ import annotations

import io
from typing import Any

import pytest
import requests
from pypdf import PdfReader

from tests.e2e.conftest import Offer
from tests.e2e.system import Json, Person, System, a_session, done, in_days, log_in, sign_up, verification_token

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(400)]

PAID = ["BOOKING_CONFIRMED", "PAYMENT_SUCCESS", "POINTS_EARNED"]
MEMBER = ["PAYMENT_SUCCESS", "MEMBERSHIP_UPGRADE"]


def test_from_registration_to_cashback_by_the_sandbox(system: System, admin: Person) -> None:
    customer = _verified_customer(system)
    _become_gold(customer)
    package = _found_in_both_languages(customer, admin)
    departure = customer.get(f"/packages/{package['slug']}/departures")["items"][0]
    wanted = {"package_id": package["id"], "departure_id": departure["id"], "travelers_count": 2}
    quote = customer.post("/quotes", wanted, 200)
    assert (quote["tier_code"], quote["total"]["amount"]) == ("GOLD", "3000.00")

    booking = customer.post("/bookings", wanted)
    assert (booking["status"], booking["final_amount"]) == ("PENDING_PAYMENT", quote["total"])
    payment = customer.open_payment(booking)
    customer.choose(payment)
    customer.wait_for_status(f"/payments/{payment['id']}", "PAID")
    confirmed = customer.wait_for_status(f"/bookings/{booking['id']}", "CONFIRMED")
    assert (confirmed["payment_status"], confirmed["amount_due"]["amount"]) == ("PAID", "0.00")
    assert customer.get("/points")["balance"] == quote["expected_points"] > 0

    _assert_invoiced(customer, booking, payment, "3,000.00")
    _assert_told(customer, "en", [*MEMBER, *PAID], mails=5)

    for step, status in (("start", "IN_PROGRESS"), ("complete", "COMPLETED")):
        early = admin.ask("POST", f"/api/v1/bookings/{booking['id']}/{step}", {})
        assert (early.status_code, early.json()["code"]) == (422, "override_reason_required")
        advanced = admin.post(f"/bookings/{booking['id']}/{step}", {"override_reason": "charter left early"}, 200)
        assert advanced["status"] == status
    (cashback,) = customer.get("/cashback")["items"]
    assert (cashback["status"], cashback["cashback_amount"]) == ("PENDING", quote["expected_cashback"])
    assert cashback["cashback_amount"]["amount"] == "150.00"
    _assert_told(customer, "en", [*MEMBER, *PAID, "SYSTEM"], mails=6)


def _verified_customer(system: System) -> Person:
    registered = sign_up(system, first_name="ليلى")
    mail = system.wait_for(lambda: system.mails_to(registered.email), "the mail that proves the address")[0]
    token = verification_token(mail)
    with a_session() as session:
        verified = done(session.post(f"{system.address}/api/v1/auth/verify-email", json={"token": token}, timeout=30))
    assert verified["email_verified"] is True
    customer = log_in(system, registered.email, "correct horse 42")
    assert customer.get("/users/me")["email_verified"] is True
    return customer


def _become_gold(customer: Person) -> None:
    subscription = customer.post("/memberships/subscriptions", {"plan_code": "GOLD"})
    assert (subscription["status"], subscription["amount_due"]["amount"]) == ("PENDING_PAYMENT", "1999.00")
    payable = {"type": "MEMBERSHIP", "id": subscription["id"]}
    payment = customer.post("/payments", {"payable": payable, "method": "CREDIT_CARD", "provider": "SANDBOX"})
    customer.choose(payment)
    customer.wait_for_status(f"/memberships/subscriptions/{subscription['id']}", "ACTIVE")
    assert customer.get("/users/me")["membership"]["tier_code"] == "GOLD"


def _found_in_both_languages(customer: Person, admin: Person) -> Json:
    """A package that staff put on sale and that words in either language find."""
    package = admin.post(
        "/packages",
        {
            "name_ar": "إجازة في واحة سيوة",
            "name_en": "A week in the Siwa oasis",
            "description_ar": "عيون كليوباترا وبحيرات الملح",
            "description_en": "Cleopatra's spring and the salt lakes",
            "category": "ADVENTURE",
            "base_price": {"amount": "1500.00", "currency": "EGP"},
            "duration_days": 7,
            "duration_nights": 6,
            "min_travelers": 1,
            "max_travelers": 8,
            "destinations": ["Siwa"],
        },
    )
    admin.post(f"/packages/{package['id']}/departures", {"starts_on": in_days(60), "capacity": 8})
    hidden = customer.get("/packages?q=siwa oasis")["items"]
    assert package["id"] not in [row["id"] for row in hidden]
    admin.post(f"/packages/{package['id']}/publish", {}, 200)
    for words, language, name in (
        ("اجازه واحه", "ar", "إجازة في واحة سيوة"),
        ("SIWA week", "en", "A week in the Siwa oasis"),
    ):
        found = customer.get(f"/packages?q={words}", Accept_Language=language)["items"]
        assert (package["id"], name) in [(row["id"], row["name"]) for row in found]
    return package


def _assert_invoiced(customer: Person, booking: Json, payment: Json, total: str) -> None:
    """One invoice of the payment, drawn in Arabic, English and both, with its number and total in it."""
    (invoice,) = customer.wait_for_items(f"/invoices?booking_id={booking['id']}")
    assert (invoice["payment_id"], invoice["total_amount"]) == (payment["id"], booking["final_amount"])
    for language in ("ar", "en", "both"):
        pages = PdfReader(io.BytesIO(customer.pdf(invoice, language))).pages
        text = "".join(page.extract_text() for page in pages)
        assert invoice["invoice_number"] in text, (language, text)
        assert total in text, (language, text)


def _assert_told(customer: Person, language: str, kinds: list[str], *, mails: int) -> None:
    """In the app exactly so often, and by mail."""
    notes = customer.wait_for_items("/notifications", len(kinds))
    assert sorted(note["notification_type"] for note in notes) == sorted(kinds)
    assert all(note["title"] == note[f"title_{language}"] for note in notes)
    system = customer.system
    system.wait_for(lambda: len(system.mails_to(customer.email)) >= mails, f"{mails} mails")
    assert len({mail["Message-ID"] for mail in system.mails_to(customer.email)}) == mails


@pytest.mark.parametrize("form", [False, True], ids=["json", "form"])
def test_by_fawaterk_with_either_kind_of_webhook(system: System, offer: Offer, form: bool) -> None:
    customer = sign_up(system)
    booking = customer.book(offer())
    payment = customer.open_payment(booking, "FAWATERK")
    assert payment["checkout"]["url"].startswith(system.fawaterk.address)
    if form:
        _pay_and_tell_by_form(system, payment["provider_reference"])
    else:
        customer.choose(payment)
    customer.wait_for_status(f"/payments/{payment['id']}", "PAID")
    customer.wait_for_status(f"/bookings/{booking['id']}", "CONFIRMED")
    _assert_invoiced(customer, booking, payment, "2,000.00")
    _assert_told(customer, "en", PAID, mails=3)


def _pay_and_tell_by_form(system: System, invoice_id: str) -> None:
    system.fawaterk.automatic_webhooks = False
    try:
        system.fawaterk.pay(invoice_id)
    finally:
        system.fawaterk.automatic_webhooks = True
    url = f"{system.address}/api/v1/payments/webhooks/fawaterk"
    assert system.fawaterk.send_webhook("paid", invoice_id, url, form=True) == [200]


def test_by_wallet_after_a_deposit(customer: Person, offer: Offer) -> None:
    amount = {"amount": "2500.00", "currency": "EGP"}
    deposit = customer.post("/wallet/deposits", {"amount": amount, "method": "CREDIT_CARD", "provider": "SANDBOX"})
    customer.choose(deposit)
    customer.wait_for_status(f"/payments/{deposit['id']}", "PAID")
    assert customer.get("/wallet")["available"] == amount
    booking = customer.book(offer())
    body: dict[str, Any] = {"payable": {"type": "BOOKING", "id": booking["id"]}, "method": "WALLET"}
    paid = customer.post("/payments", body)
    assert (paid["status"], paid["checkout"]) == ("PAID", None)
    assert customer.get(f"/bookings/{booking['id']}")["status"] == "CONFIRMED"
    entries = customer.get("/wallet/entries")["items"]
    assert [(row["transaction_type"], row["amount"]["amount"], row["balance_after"]["amount"]) for row in entries] == [
        ("PAYMENT", "-2000.00", "500.00"),
        ("DEPOSIT", "2500.00", "2500.00"),
    ]
    (invoice,) = customer.wait_for_items("/invoices")
    assert invoice["payment_id"] == paid["id"]
    customer.wait_for_items("/notifications", 3)


def test_the_processes_speak_for_themselves(system: System) -> None:
    """A body without a length, slow paths of operators, and metrics of every web process."""
    with a_session() as session:
        assert session.get(f"{system.address}/health/live", timeout=30).json() == {"status": "alive"}
        ready: requests.Response = session.get(f"{system.address}/health/ready", timeout=30)
        assert ready.json()["status"] == "ready"
        assert "altayar_request_seconds" in session.get(f"{system.address}/metrics", timeout=30).text
        assert session.get(f"{system.address}/docs", timeout=30).status_code == 200
        login = f"{system.address}/api/v1/auth/login"
        chunked = session.post(login, data=iter([b'{"email": ', b'"x"}']), timeout=30)
        assert chunked.status_code in (415, 422), chunked.text
        endless = (b"x" * 65_536 for _ in range(40))
        try:
            refused = session.post(login, data=endless, headers={"Content-Type": "application/json"}, timeout=30)
        except requests.ConnectionError:
            # The server may stop listening before all of it is sent.
            return
        assert (refused.status_code, refused.json()["code"]) == (413, "payload_too_large")
