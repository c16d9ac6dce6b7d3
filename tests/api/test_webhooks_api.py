"""Webhooks by HTTP: believed when they are signed, stored once, and never the proof of money."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from pytest import Subtests

from app import create_app
from config.settings import FawaterkSettings, Settings
from fake_providers.fawaterk import FawaterkServer, encode
from infrastructure.bootstrap import Running, bootstrap
from infrastructure.database.refusals import DatabaseUnavailable
from infrastructure.database.roles import connect
from infrastructure.database.transaction import Database, Transaction
from infrastructure.payment.sandbox import SIGNATURE_HEADER, sign
from tests.api.shop import Json, Shop, SignUp, problem
from tests.conftest import MovableClock, Person

pytestmark = pytest.mark.database

SANDBOX = "/api/v1/payments/webhooks/sandbox_json"
FAWATERK = "/api/v1/payments/webhooks/fawaterk_json"
FAWATERK_URLS = (
    "/api/v1/payments/webhooks/fawaterk",
    "/api/v1/payments/webhooks/fawaterk_json",
    "/api/payments/webhook/fawaterk",
    "/api/payments/webhook/fawaterk_json",
)


@pytest.fixture
def fawaterk(tmp_path: Path) -> Iterator[FawaterkServer]:
    with FawaterkServer(tmp_path / "books.sqlite", automatic_webhooks=False) as server:
        yield server


@pytest.fixture
def running(settings: Settings, database: Database, clock: MovableClock, fawaterk: FawaterkServer) -> Iterator[Running]:
    """The system with both gateways."""
    both = dataclasses.replace(
        settings,
        payment_gateways=("sandbox", "fawaterk"),
        fawaterk=FawaterkSettings(fawaterk.base_url, fawaterk.api_key, fawaterk.api_key),
    )
    started = bootstrap(both, database=database, clock=clock)
    yield started
    started.close()


@pytest.fixture
def customer(sign_up: SignUp) -> Person:
    # Fawaterk takes Egyptian mobile numbers alone.
    return sign_up(phone="01000000000")


@pytest.fixture
def payment(shop: Shop, customer: Person) -> Json:
    return shop.pay(customer, shop.book(customer, shop.offer()), provider="FAWATERK")


def logs(shop: Shop) -> list[tuple[str, str]]:
    rows = shop.database.rows("SELECT provider, status FROM payment_webhook_logs ORDER BY id")
    return [(row["provider"], row["status"]) for row in rows]


def credited(shop: Shop) -> int:
    row = shop.database.row("SELECT count(*) AS number FROM ledger_journals WHERE journal_type = 'PAYMENT'")
    return int(row["number"]) if row else 0


def status(shop: Shop, payment: Json, person: Person) -> str:
    found: str = shop.done(shop.get(f"/api/v1/payments/{payment['id']}", person))["status"]
    return found


class TestFawaterk:
    @pytest.fixture(autouse=True)
    def _with(self, shop: Shop, customer: Person, payment: Json, fawaterk: FawaterkServer) -> None:
        self.shop, self.customer, self.payment, self.fawaterk = shop, customer, payment, fawaterk
        self.invoice_id = payment["provider_reference"]

    def send(self, kind: str, url: str = FAWATERK, *, form: bool = False, **tamper: object) -> Any:
        body = self.fawaterk.webhook(kind, self.invoice_id, tamper=tamper)
        content, content_type = encode(body, form=form)
        return self.shop.client.post(url, data=content, content_type=content_type)

    @pytest.mark.parametrize("form", [False, True])
    def test_a_paid_notice_settles_on_every_address(self, form: bool, subtests: Subtests) -> None:
        self.fawaterk.pay(self.invoice_id)
        for number, url in enumerate(FAWATERK_URLS):
            with subtests.test(url=url):
                answer = self.send("paid", url, form=form)
                expected = "accepted" if number == 0 else "duplicate"
                assert (answer.status_code, answer.json) == (200, {"status": expected})
                self.shop.deliver_events()
                assert status(self.shop, self.payment, self.customer) == "PAID"
        assert credited(self.shop) == 1
        assert logs(self.shop) == [("FAWATERK", "PROCESSED")]

    def test_a_forged_paid_made_from_a_genuine_failed_credits_nothing(self) -> None:
        self.fawaterk.fail(self.invoice_id)
        forged = self.send("failed", invoice_status="paid", paidAmount=2000, paidCurrency="EGP")
        assert forged.status_code == 200
        self.shop.deliver_events()
        assert (status(self.shop, self.payment, self.customer), credited(self.shop)) == ("PENDING", 0)
        self.fawaterk.pay(self.invoice_id)
        assert self.send("paid").json == {"status": "accepted"}
        self.shop.deliver_events()
        assert (status(self.shop, self.payment, self.customer), credited(self.shop)) == ("PAID", 1)

    def test_wrong_hashes_are_401_and_not_kept(self, subtests: Subtests) -> None:
        self.fawaterk.pay(self.invoice_id)
        before = self.shop.state()
        changes: list[dict[str, object]] = [
            {"hashKey": None}, {"hashKey": ""}, {"hashKey": "0" * 64}, {"hashKey": "é"}, {"hashKey": 5},
            {"invoice_id": 1}, {"invoice_key": "other"}, {"payment_method": "Fawry"},
        ]  # fmt: skip
        for change in changes:
            for form in (False, True):
                with subtests.test(change=change, form=form):
                    problem(self.send("paid", form=form, **change), 401, "bad_signature")
        assert self.shop.state() == before

    def test_what_cannot_be_read_is_400_and_not_kept(self, subtests: Subtests) -> None:
        before = self.shop.state()
        bodies = [
            b"", b"{", b"[]", b"null", b"{}", b"[" * 100_000, b'{"a":' * 50_000, b"\xff\xfe", b"=&=&=",
            b'{"invoice_id": NaN}', b'{"invoice_id": 1, "invoice_id": 2}', b'{"hashKey": "x"}',
        ]  # fmt: skip
        for body in bodies:
            for media in ("application/json", "application/x-www-form-urlencoded", "text/plain", ""):
                with subtests.test(body=body[:20], media=media):
                    answer = self.shop.client.post(FAWATERK, data=body, content_type=media)
                    problem(answer, 400, "unreadable_webhook")
        assert self.shop.state() == before

    def test_a_genuine_notice_of_an_unknown_invoice_is_kept_and_listed(self) -> None:
        other = self.fawaterk.create(orjson.loads(self.fawaterk.orders[-1]), None)
        self.fawaterk.pay(other["invoice_id"])
        self.fawaterk.books.change(other["invoice_id"], lambda it: it.update(pay_load=None))
        self.invoice_id = other["invoice_id"]
        assert self.send("paid").json == {"status": "accepted"}
        # A younger one may be quicker than our own records.
        self.shop.database.rows("UPDATE payment_webhook_logs SET received_at = now() - interval '15 min' RETURNING 1")
        self.shop.deliver_events()
        rows = self.shop.done(self.shop.get("/api/v1/admin/payments/attention", self.shop.admin))["items"]
        assert [(row["reason"], row["provider_reference"]) for row in rows] == [
            ("UNKNOWN_REFERENCE", other["invoice_id"])
        ]
        assert credited(self.shop) == 0

    def test_every_order_of_notices_ends_the_same(self) -> None:
        self.fawaterk.fail(self.invoice_id)
        self.fawaterk.pay(self.invoice_id)
        for kind in ("paid", "failed", "pending", "paid"):
            assert self.send(kind).status_code == 200
            self.shop.deliver_events()
            assert (status(self.shop, self.payment, self.customer), credited(self.shop)) == ("PAID", 1)


class TestSandbox:
    @pytest.fixture(autouse=True)
    def _with(self, shop: Shop, customer: Person) -> None:
        self.shop, self.customer = shop, customer
        self.payment = shop.pay(customer, shop.book(customer, shop.offer()))
        path = "/" + self.payment["checkout"]["url"].split("/", 3)[3]
        assert shop.client.post(path, data={"outcome": "paid"}).status_code == 303
        row = shop.database.row("SELECT payload FROM outbox_events WHERE name = 'billing.sandbox_outcome_chosen'")
        assert row is not None
        self.notice = row["payload"]

    def test_the_same_notice_many_times_credits_once(self) -> None:
        answers = [self.shop.webhook(self.notice).json for _ in range(10)]
        assert answers == [{"status": "accepted"}] + [{"status": "duplicate"}] * 9
        self.shop.deliver_events()
        assert (status(self.shop, self.payment, self.customer), credited(self.shop)) == ("PAID", 1)

    def test_it_is_stored_and_told_in_one_transaction(self) -> None:
        self.shop.webhook(self.notice)
        (row,) = self.shop.database.rows(
            """SELECT w.id, w.xmin = o.xmin AS at_once, w.received_at = o.occurred_at AS same_time, o.version, o.payload
               FROM payment_webhook_logs w, outbox_events o WHERE o.name = 'billing.webhook_received'"""
        )
        assert (row["at_once"], row["same_time"], row["version"]) == (True, True, 1)
        assert row["payload"] == {"webhook_id": str(row["id"])}

    def test_what_is_looked_into_again_is_told_again_under_its_old_row(self) -> None:
        self.shop.webhook(self.notice)
        with connect(self.shop.addresses.owner) as connection:
            connection.execute("UPDATE payment_webhook_logs SET status = 'PROCESSED'")
        answers = [self.shop.webhook(self.notice).json for _ in range(3)]
        assert answers == [{"status": "accepted"}] + [{"status": "duplicate"}] * 2
        told = self.shop.database.rows(
            "SELECT payload ->> 'webhook_id' AS id FROM outbox_events WHERE name = 'billing.webhook_received'"
        )
        (stored,) = self.shop.database.rows("SELECT id::text, status FROM payment_webhook_logs")
        assert [row["id"] for row in told] == [stored["id"]] * 2
        assert stored["status"] == "RECEIVED"

    def test_changed_old_and_unsigned_notices_are_401(self, clock: MovableClock) -> None:
        before = self.shop.state()
        problem(self.shop.webhook(self.notice, type="checkout.declined"), 401, "bad_signature")
        for age in (timedelta(minutes=6), -timedelta(minutes=6)):
            answer = self.shop.webhook(self.notice, signed_at=clock.now() - age)
            problem(answer, 401, "bad_signature")
        for signature in ("", "x", "t=1,v1=" + "0" * 64, "t=é,v1=x", "t=" + "9" * 13 + ",v1=" + "0" * 64):
            answer = self.shop.client.post(SANDBOX, data=b"{}", headers={SIGNATURE_HEADER: signature})
            problem(answer, 401, "bad_signature")
        problem(self.shop.client.post(SANDBOX, data=b"{}"), 401, "bad_signature")
        assert self.shop.state() == before

    def test_signed_nonsense_is_400(self, clock: MovableClock, subtests: Subtests) -> None:
        before = self.shop.state()
        secret = self.shop.running.settings.sandbox_secret
        for body in (b"", b"{", b"[]", b"[" * 100_000, b"{}", b'{"id": 1}', b'{"id": "\\u0000"}'):
            with subtests.test(body=body[:20]):
                headers = {SIGNATURE_HEADER: sign(body, secret=secret, at=clock.now())}
                problem(self.shop.client.post(SANDBOX, data=body, headers=headers), 400, "unreadable_webhook")
        assert self.shop.state() == before


def test_bodies_above_256_kib_are_413_and_say_so(shop: Shop, subtests: Subtests) -> None:
    before = shop.state()
    for url in (SANDBOX, *FAWATERK_URLS):
        with subtests.test(url=url):
            refused = problem(shop.client.post(url, data=b"x" * (256 * 1024 + 1)), 413, "payload_too_large")
            assert "262144" in refused["detail"]
    assert shop.state() == before


def test_a_provider_that_is_not_there_is_404(shop: Shop) -> None:
    before = shop.state()
    for provider in ("nope", "stripe", "manual", "%00", "sandbox_json_json"):
        answer = shop.client.post(f"/api/v1/payments/webhooks/{provider}", data=b"{}")
        problem(answer, 404, "unknown_provider")
    assert shop.state() == before


def test_a_notice_that_cannot_be_stored_is_not_acknowledged(
    running: Running, settings: Settings, shop: Shop, customer: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Guarantee P9: a failed commit answers 5xx, so that the provider sends it again."""
    payment = shop.pay(customer, shop.book(customer, shop.offer()))
    path = "/" + payment["checkout"]["url"].split("/", 3)[3]
    shop.client.post(path, data={"outcome": "paid"})
    row = shop.database.row("SELECT payload FROM outbox_events WHERE name = 'billing.sandbox_outcome_chosen'")
    assert row is not None

    def refuse(self: Transaction) -> None:
        raise DatabaseUnavailable()

    with monkeypatch.context() as patched:
        patched.setattr(Transaction, "commit", refuse)
        problem(shop.webhook(row["payload"]), 503, "database_unavailable")
    assert logs(shop) == []
    assert shop.webhook(row["payload"]).json == {"status": "accepted"}


def test_an_app_without_a_gateway_knows_none(running: Running) -> None:
    settings = dataclasses.replace(running.settings, payment_gateways=(), fawaterk=None)
    bare = create_app(running=bootstrap(settings)).test_client()
    problem(bare.post(SANDBOX, data=b"{}"), 404, "unknown_provider")
