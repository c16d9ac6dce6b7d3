"""Crowds, forgers and sudden death: whatever happens, everything that was promised happens once."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import TypeVar

import pytest
import requests

from fake_providers.fawaterk import encode
from tests.e2e.conftest import Offer
from tests.e2e.system import Json, Person, System, a_session, sign_up

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(400)]

Answer = TypeVar("Answer")


def all_at_once(acts: Sequence[Callable[[], Answer]]) -> list[Answer]:
    with ThreadPoolExecutor(len(acts)) as pool:
        return [future.result() for future in [pool.submit(act) for act in acts]]


def credits_of(system: System, booking: Json) -> int:
    """How many journals credited a booking."""
    query = "SELECT count(*) FROM ledger_journals WHERE journal_type = 'PAYMENT' AND reference_id = %s"
    return int(system.rows(query, booking["id"])[0][0])


def test_thirty_buyers_at_once_for_the_last_five_seats(system: System, admin: Person, offer: Offer) -> None:
    seats = offer(seats=5)
    buyers = all_at_once([lambda: sign_up(system) for _ in range(30)])
    body = {**seats, "travelers_count": 1}
    answers = all_at_once([partial(buyer.ask, "POST", "/api/v1/bookings", body) for buyer in buyers])
    counted = Counter((answer.status_code, answer.json().get("code")) for answer in answers)
    assert counted == {(201, None): 5, (409, "sold_out"): 25}

    told = list(zip(buyers, answers, strict=True))
    winners = [(buyer, answer.json()) for buyer, answer in told if answer.status_code == 201]
    payments = all_at_once([partial(buyer.open_payment, booking) for buyer, booking in winners])
    for (buyer, _), payment in zip(winners, payments, strict=True):
        buyer.choose(payment)
    for buyer, booking in winners:
        buyer.wait_for_status(f"/bookings/{booking['id']}", "CONFIRMED")
    assert [credits_of(system, booking) for _, booking in winners] == [1] * 5
    (left,) = admin.get(f"/packages/{seats['package_id']}/departures")["items"]
    assert (left["capacity"], left["seats_left"]) == (5, 0)
    late = sign_up(system).ask("POST", "/api/v1/bookings", body)
    assert (late.status_code, late.json()["code"]) == (409, "sold_out")
    # Nobody's money was taken for nothing: those who got no seat were never asked for any.
    losers = [buyer.user_id for buyer, answer in told if answer.status_code == 409]
    assert system.rows("SELECT 1 FROM payments WHERE user_id = ANY(%s::uuid[])", losers) == []


def test_the_same_paid_webhook_fifty_times_at_once_is_one_credit(
    system: System, customer: Person, offer: Offer, quiet_provider: None
) -> None:
    booking = customer.book(offer())
    payment = customer.open_payment(booking, "FAWATERK")
    system.fawaterk.pay(payment["provider_reference"])
    notice, media = encode(system.fawaterk.webhook("paid", payment["provider_reference"]), form=False)
    answers = all_at_once([lambda: post_webhook(system, notice, media)] * 50)
    assert {answer.status_code for answer in answers} == {200}
    assert Counter(answer.json()["status"] for answer in answers)["duplicate"] >= 40
    customer.wait_for_status(f"/bookings/{booking['id']}", "CONFIRMED")
    assert credits_of(system, booking) == 1
    assert post_webhook(system, notice, media).json() == {"status": "duplicate"}
    assert customer.wait_for_items(f"/invoices?booking_id={booking['id']}")[1:] == []


def test_a_paid_notice_forged_from_a_genuine_failed_one_credits_nothing(
    system: System, customer: Person, offer: Offer, quiet_provider: None
) -> None:
    booking = customer.book(offer())
    payment = customer.open_payment(booking, "FAWATERK")
    invoice_id = payment["provider_reference"]
    system.fawaterk.fail(invoice_id)
    reads = system.fawaterk.calls("getInvoiceData")
    tamper = {"invoice_status": "paid", "paidAmount": 2000, "paidCurrency": "EGP", "errorMessage": None}
    forged, media = encode(system.fawaterk.webhook("failed", invoice_id, tamper=tamper), form=False)
    # The hash is genuine: it says nothing about what happened.
    assert post_webhook(system, forged, media).status_code == 200
    system.wait_for(lambda: system.fawaterk.calls("getInvoiceData") > reads, "a question to the provider")
    _wait_until_looked_into(system, invoice_id)
    assert customer.get(f"/payments/{payment['id']}")["status"] == "PENDING"
    assert customer.get(f"/bookings/{booking['id']}")["status"] == "PENDING_PAYMENT"
    assert credits_of(system, booking) == 0
    wrong, media = encode(system.fawaterk.webhook("paid", invoice_id, tamper={"hashKey": "0" * 64}), form=False)
    assert post_webhook(system, wrong, media).status_code == 401
    # The forgery does not stand in the way of the real thing.
    system.fawaterk.pay(invoice_id)
    genuine, media = encode(system.fawaterk.webhook("paid", invoice_id), form=False)
    assert post_webhook(system, genuine, media).json() == {"status": "accepted"}
    customer.wait_for_status(f"/bookings/{booking['id']}", "CONFIRMED")
    assert credits_of(system, booking) == 1


@pytest.fixture
def quiet_provider(system: System) -> object:
    """A provider that sends no webhook by itself."""
    system.fawaterk.automatic_webhooks = False
    yield
    system.fawaterk.automatic_webhooks = True


def post_webhook(system: System, content: bytes, media: str) -> requests.Response:
    url = f"{system.address}/api/v1/payments/webhooks/fawaterk_json"
    with a_session() as session:
        return session.post(url, data=content, headers={"Content-Type": media}, timeout=30)


def _wait_until_looked_into(system: System, invoice_id: str) -> None:
    query = "SELECT 1 FROM payment_webhook_logs WHERE provider_reference = %s AND status = 'RECEIVED'"
    system.wait_for(lambda: not system.rows(query, invoice_id), "the end of every look")


@pytest.mark.slow
def test_web_relay_and_worker_die_in_the_middle_and_every_journey_ends_once(system: System, offer: Offer) -> None:
    """SIGKILL; the supervisor starts each again, customers repeat what was not answered, under the same keys."""
    wanted = {**offer(seats=50), "travelers_count": 1}
    patient, *others = all_at_once([lambda: sign_up(system) for _ in range(9)])
    bookings = [_pay_while_the_worker_dies(system, patient, wanted)]
    with ThreadPoolExecutor(len(others)) as pool:
        under_way: list[Future[Json]] = [pool.submit(_travel, customer, wanted) for customer in others]
        for program in ("gunicorn", "relay", "gunicorn"):
            time.sleep(0.05)
            system.kill(program)
        bookings += [future.result() for future in under_way]
    for customer, booking in zip([patient, *others], bookings, strict=True):
        _assert_done_once(system, customer, booking)


def _pay_while_the_worker_dies(system: System, customer: Person, wanted: Json) -> Json:
    """A booking whose provider is being asked about its payment by a worker that is killed meanwhile."""
    booking = customer.post("/bookings", wanted)
    payment = customer.open_payment(booking, "FAWATERK")
    reads = system.fawaterk.calls("getInvoiceData")
    system.fawaterk.script("getInvoiceData", "timeout_before")
    customer.choose(payment)
    system.wait_for(lambda: system.fawaterk.calls("getInvoiceData") > reads, "a question to the provider")
    system.kill("worker", "quick")
    return booking


def _travel(customer: Person, wanted: Json) -> Json:
    """Book, open a payment and pay, each until it is answered."""
    booking = customer.insist("/bookings", wanted)
    payable = {"type": "BOOKING", "id": booking["id"]}
    body = {"payable": payable, "method": "CREDIT_CARD", "provider": "SANDBOX"}
    payment = customer.insist("/payments", body)
    customer.system.wait_for(lambda: _has_chosen(customer, payment), "an answer of the provider's page")
    return booking


def _has_chosen(customer: Person, payment: Json) -> bool:
    try:
        customer.choose(payment)
    except requests.RequestException:
        return False
    return True


def _assert_done_once(system: System, customer: Person, booking: Json) -> None:
    """One booking, one payment, one credit, one invoice that is drawn, one confirmation."""
    customer.wait_for_status(f"/bookings/{booking['id']}", "CONFIRMED")
    assert [row["id"] for row in customer.get("/bookings")["items"]] == [booking["id"]]
    assert [row["status"] for row in customer.get("/payments")["items"]] == ["PAID"]
    assert credits_of(system, booking) == 1
    (invoice,) = customer.wait_for_items("/invoices")
    assert customer.pdf(invoice, "both").startswith(b"%PDF-")
    notes = customer.wait_for_items("/notifications", 3)
    assert sorted(note["notification_type"] for note in notes) == [
        "BOOKING_CONFIRMED",
        "PAYMENT_SUCCESS",
        "POINTS_EARNED",
    ]
    # A mail may be handed over twice when its sender dies; its Message-ID says that it is the same mail.
    system.wait_for(lambda: len(_message_ids(system, customer)) >= 3, "three mails")
    assert len(_message_ids(system, customer)) == 3


def _message_ids(system: System, customer: Person) -> set[str]:
    return {str(mail["Message-ID"]) for mail in system.mails_to(customer.email)}
