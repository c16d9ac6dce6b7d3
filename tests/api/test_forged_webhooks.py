"""Webhooks that say more than is true, through the whole system: what is signed is no proof, what is not is refused."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from pytest import Subtests
from werkzeug.test import TestResponse

from app import create_app
from config.settings import FawaterkSettings, Settings, StripeSettings
from fake_providers.fawaterk import FawaterkServer
from fake_providers.stripe import StripeServer
from fake_providers.stripe.sending import encode, sign
from fake_providers.stripe.server import TEST_KEY, WEBHOOK_SECRET
from infrastructure.bootstrap import Running, bootstrap
from infrastructure.database.roles import DatabaseAddresses
from infrastructure.database.transaction import Database
from tests.api.shop import Json, Shop, SignUp, problem
from tests.conftest import MovableClock, Person
from tests.integration.shop import broken_promises

pytestmark = pytest.mark.database

STRIPE = "/api/v1/payments/webhooks/stripe"
FAWATERK = "/api/v1/payments/webhooks/fawaterk_json"
LIVE_KEY = TEST_KEY.replace("_test_", "_live_")


@pytest.fixture
def stripe(tmp_path: Path) -> Iterator[StripeServer]:
    with StripeServer(tmp_path / "stripe.sqlite") as server:
        yield server


@pytest.fixture
def fawaterk(tmp_path: Path) -> Iterator[FawaterkServer]:
    with FawaterkServer(tmp_path / "fawaterk.sqlite", automatic_webhooks=False) as server:
        yield server


@pytest.fixture
def running(
    settings: Settings,
    database: Database,
    clock: MovableClock,
    stripe: StripeServer,
    fawaterk: FawaterkServer,
) -> Iterator[Running]:
    both = dataclasses.replace(
        settings,
        payment_gateways=("stripe", "fawaterk"),
        stripe=StripeSettings(stripe.address, TEST_KEY, (WEBHOOK_SECRET,)),
        fawaterk=FawaterkSettings(fawaterk.base_url, fawaterk.api_key, fawaterk.api_key),
    )
    started = bootstrap(both, database=database, clock=clock)
    yield started
    started.close()


@pytest.fixture(autouse=True)
def every_promise_holds_afterwards(addresses: DatabaseAddresses) -> Iterator[None]:
    yield
    assert broken_promises(addresses) == []


@pytest.fixture
def customer(sign_up: SignUp) -> Person:
    return sign_up(phone="01000000000")


@dataclasses.dataclass
class Forger:
    """Somebody who has genuine webhooks, and posts what they make of them."""

    shop: Shop
    customer: Person
    stripe: StripeServer
    fawaterk: FawaterkServer

    def open(self, provider: str) -> Json:
        booking = self.shop.book(self.customer, self.shop.offer())
        return self.shop.pay(self.customer, booking, provider=provider)

    def paid_at_stripe(self) -> tuple[Json, Any]:
        """A payment, and the event that tells of its money."""
        payment = self.open("STRIPE")
        self.stripe.act("pay", {"session_id": payment["provider_reference"]})
        return payment, self.stripe.books.all("event")[0]

    def to_stripe(self, body: bytes, *, seconds: int = 0, signature: str = "") -> TestResponse:
        """Signed so many seconds from now, or with a signature that was seen."""
        at = int(self.shop.running.dependencies.clock.now().timestamp()) + seconds
        headers = {"Stripe-Signature": signature or sign(body, [WEBHOOK_SECRET], at=at)}
        return self.shop.client.post(STRIPE, data=body, content_type="application/json", headers=headers)

    def to_fawaterk(self, body: Json) -> TestResponse:
        answer = self.shop.client.post(FAWATERK, data=orjson.dumps(body), content_type="application/json")
        self.shop.deliver_events()
        return answer

    def receipts(self, payment: Json) -> list[tuple[int, str, str | None]]:
        rows = self.shop.database.rows(
            """SELECT r.amount_minor, r.disposition, r.reason FROM payment_receipts r
               JOIN payment_attempts a ON a.id = r.attempt_id WHERE a.payment_id = %s ORDER BY r.position""",
            (payment["id"],),
        )
        return [(row["amount_minor"], row["disposition"], row["reason"]) for row in rows]

    def status(self, payment: Json) -> str:
        found: str = self.shop.done(self.shop.get(f"/api/v1/payments/{payment['id']}", self.customer))["status"]
        return found


@pytest.fixture
def forger(shop: Shop, customer: Person, stripe: StripeServer, fawaterk: FawaterkServer) -> Forger:
    return Forger(shop, customer, stripe, fawaterk)


# Stripe


def test_stale_and_future_events_are_refused_and_not_kept(forger: Forger, subtests: Subtests) -> None:
    payment, event = forger.paid_at_stripe()
    body, before = encode(event), forger.shop.state()
    for seconds in (-86_400, -310, 310, 86_400):
        with subtests.test(seconds=seconds):
            problem(forger.to_stripe(body, seconds=seconds), 401, "bad_signature")
    assert forger.shop.state() == before
    for seconds in (-290, 290):
        assert forger.to_stripe(body, seconds=seconds).status_code == 200
    forger.shop.deliver_events()
    assert (forger.status(payment), forger.receipts(payment)) == ("PAID", [(200_000, "SETTLED", None)])


def test_an_old_event_is_not_made_new_by_another_time_in_its_header(forger: Forger, clock: MovableClock) -> None:
    _, event = forger.paid_at_stripe()
    body, before = encode(event), forger.shop.state()
    now = int(clock.now().timestamp())
    old = sign(body, [WEBHOOK_SECRET], at=now - 3_600)
    hash_of_old = old.partition(",")[2]
    headers = (f"t={now},{hash_of_old}", f"{old},t={now}", f"t={now},{old}", f"t={now - 3_600},t={now},{hash_of_old}")
    for header in headers:
        problem(forger.to_stripe(body, signature=header), 401, "bad_signature")
    assert forger.shop.state() == before


def test_the_same_document_in_other_bytes_is_refused(forger: Forger, clock: MovableClock, subtests: Subtests) -> None:
    payment, event = forger.paid_at_stripe()
    body, before = encode(event), forger.shop.state()
    signature = sign(body, [WEBHOOK_SECRET], at=int(clock.now().timestamp()))
    document = json.loads(body)
    dearer = json.loads(body)
    dearer["data"]["object"]["amount_total"] = 1
    others = [
        json.dumps(document).encode(), json.dumps(document, indent=2, sort_keys=True).encode(), body + b"\n",
        b" " + body, body.replace(b"\n", b"\r\n"), encode(dearer), body.replace(b"evt_", b"evt_x"),
    ]  # fmt: skip
    for other in others:
        with subtests.test(other=other[:30]):
            problem(forger.to_stripe(other, signature=signature), 401, "bad_signature")
    assert forger.shop.state() == before
    assert forger.status(payment) == "PENDING"


def test_an_altered_amount_in_a_signed_event_is_not_what_is_booked(forger: Forger) -> None:
    """Even with the secret: the money is what the provider itself says."""
    payment, event = forger.paid_at_stripe()
    event["data"]["object"]["amount_total"] = 1
    event["data"]["object"]["amount_received"] = 1
    assert forger.to_stripe(encode(event)).status_code == 200
    forger.shop.deliver_events()
    assert forger.receipts(payment) == [(200_000, "SETTLED", None)]


def test_a_signed_paid_event_of_an_unpaid_page_settles_nothing(forger: Forger) -> None:
    paid, event = forger.paid_at_stripe()
    unpaid = forger.open("STRIPE")
    about = event["data"]["object"]
    event["id"] = "evt_forged"
    about |= {"id": unpaid["provider_reference"], "client_reference_id": "", "metadata": {}}
    assert forger.to_stripe(encode(event)).status_code == 200
    forger.shop.deliver_events()
    assert (forger.status(unpaid), forger.receipts(unpaid)) == ("PENDING", [])
    assert forger.receipts(paid) == []


# Money of the other kind


@pytest.fixture
def in_live_mode(running: Running, addresses: DatabaseAddresses, sign_up: SignUp) -> Shop:
    """The same system where it takes real money."""
    live = dataclasses.replace(running, dependencies=dataclasses.replace(running.dependencies, live=True))
    return Shop(create_app(running=live).test_client(), live, addresses, sign_up)


def test_test_money_in_live_mode_is_in_suspense(in_live_mode: Shop, forger: Forger) -> None:
    forger.shop = in_live_mode
    payment, event = forger.paid_at_stripe()
    assert forger.to_stripe(encode(event)).status_code == 200
    forger.shop.deliver_events()
    assert (forger.status(payment), forger.receipts(payment)) == ("PENDING", [(200_000, "SUSPENSE", "MODE")])
    other = forger.open("FAWATERK")
    forger.fawaterk.pay(other["provider_reference"])
    forger.to_fawaterk(dict(forger.fawaterk.webhook("paid", other["provider_reference"])))
    assert (forger.status(other), forger.receipts(other)) == ("PENDING", [(200_000, "SUSPENSE", "MODE")])
    assert [row["reason"] for row in attention(forger.shop)] == ["SUSPENSE_MODE"] * 2


def test_real_money_in_a_test_system_is_in_suspense(
    settings: Settings, addresses: DatabaseAddresses, tmp_path: Path, forger: Forger
) -> None:
    with StripeServer(tmp_path / "live.sqlite", api_key=LIVE_KEY) as live:
        account = StripeSettings(live.address, LIVE_KEY, (WEBHOOK_SECRET,))
        mixed = dataclasses.replace(settings, payment_gateways=("stripe",), stripe=account)
        started = bootstrap(mixed, database=Database(addresses.app))
        forger.shop.client = create_app(running=started).test_client()
        forger.shop.running, forger.stripe = started, live
        payment, event = forger.paid_at_stripe()
        assert event["livemode"] is True
        assert forger.to_stripe(encode(event)).status_code == 200
        forger.shop.deliver_events()
        assert (forger.status(payment), forger.receipts(payment)) == ("PENDING", [(200_000, "SUSPENSE", "MODE")])
        started.close()


def attention(shop: Shop) -> list[Json]:
    rows: list[Json] = shop.done(shop.get("/api/v1/admin/payments/attention", shop.admin))["items"]
    return rows


# Fawaterk, whose hash covers neither the status, nor the amount, nor our reference


def test_an_amount_that_a_notice_makes_up_is_not_what_is_booked(forger: Forger, subtests: Subtests) -> None:
    for paid, said, disposition in (("1.00", 2000, "SHORT"), ("2000.00", 1, None), ("2000.01", 2000, "OVER")):
        with subtests.test(paid=paid, said=said):
            payment = forger.open("FAWATERK")
            forger.fawaterk.pay(payment["provider_reference"], amount=paid)
            forged = forger.fawaterk.webhook("paid", payment["provider_reference"], tamper={"paidAmount": said})
            assert forger.to_fawaterk(forged).status_code == 200
            booked = "SUSPENSE" if disposition else "SETTLED"
            assert forger.receipts(payment) == [(int(paid.replace(".", "")), booked, disposition)]
            assert forger.status(payment) == ("PENDING" if disposition else "PAID")


def test_the_hash_of_a_failure_is_no_payment_of_this_or_of_another(forger: Forger) -> None:
    failed, other = forger.open("FAWATERK"), forger.open("FAWATERK")
    forger.fawaterk.fail(failed["provider_reference"])
    genuine = forger.fawaterk.webhook("failed", failed["provider_reference"])
    reused = {**forger.fawaterk.webhook("paid", failed["provider_reference"]), "hashKey": genuine["hashKey"]}
    assert forger.to_fawaterk(reused).status_code == 200
    of_other = {**forger.fawaterk.webhook("paid", other["provider_reference"]), "hashKey": genuine["hashKey"]}
    problem(forger.to_fawaterk(of_other), 401, "bad_signature")
    assert [forger.status(payment) for payment in (failed, other)] == ["PENDING", "PENDING"]
    assert [forger.receipts(payment) for payment in (failed, other)] == [[], []]


def test_a_reference_of_ours_that_a_notice_makes_up_pays_nothing_with_another_invoice(forger: Forger) -> None:
    """Our reference is in no signature: an invoice that was paid may be shown as one whose answer we lost."""
    forger.fawaterk.script("createInvoiceLink", "error_500_after")
    lost = forger.open("FAWATERK")
    attempt = forger.shop.database.row("SELECT status, merchant_reference FROM payment_attempts")
    assert attempt is not None
    assert attempt["status"] == "UNKNOWN"
    (theirs,) = forger.fawaterk.books.all()
    cheap = forger.fawaterk.create(orjson.loads(forger.fawaterk.orders[-1]), None)
    forger.fawaterk.books.change(cheap["invoice_id"], lambda it: it.update(pay_load=None))
    forger.fawaterk.pay(cheap["invoice_id"])
    pay_load = json.dumps({"attempt": attempt["merchant_reference"]})
    forged = forger.fawaterk.webhook("paid", cheap["invoice_id"], tamper={"pay_load": pay_load})
    assert forger.to_fawaterk(forged).status_code == 200
    assert (forger.status(lost), forger.receipts(lost)) == ("PENDING", [])
    # And it kept nobody from being believed who tells the truth.
    forger.fawaterk.pay(theirs["invoice_id"])
    forger.to_fawaterk(dict(forger.fawaterk.webhook("paid", theirs["invoice_id"])))
    assert (forger.status(lost), forger.receipts(lost)) == ("PAID", [(200_000, "SETTLED", None)])
