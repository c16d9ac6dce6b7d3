"""Stripe by HTTP, from a booking to its money: events in any order and number end in the same place."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
import requests
from pytest import Subtests
from werkzeug.test import TestResponse

from config.settings import Settings, StripeSettings
from fake_providers.stripe import StripeServer
from fake_providers.stripe.sending import encode, sign
from fake_providers.stripe.server import TEST_KEY, WEBHOOK_SECRET
from infrastructure.bootstrap import Running, bootstrap
from infrastructure.database.transaction import Database
from tests.api.shop import Json, Shop, SignUp, problem
from tests.conftest import MovableClock, Person

pytestmark = pytest.mark.database

URL = "/api/v1/payments/webhooks/stripe"


@pytest.fixture
def stripe(tmp_path: Path) -> Iterator[StripeServer]:
    with StripeServer(tmp_path / "books.sqlite") as server:
        yield server


@pytest.fixture
def running(settings: Settings, database: Database, clock: MovableClock, stripe: StripeServer) -> Iterator[Running]:
    """The system with Stripe beside the sandbox."""
    both = dataclasses.replace(
        settings,
        payment_gateways=("sandbox", "stripe"),
        stripe=StripeSettings(stripe.address, TEST_KEY, (WEBHOOK_SECRET,)),
    )
    started = bootstrap(both, database=database, clock=clock)
    yield started
    started.close()


@pytest.fixture
def customer(sign_up: SignUp) -> Person:
    return sign_up()


class TestStripe:
    @pytest.fixture(autouse=True)
    def _with(self, shop: Shop, customer: Person, stripe: StripeServer) -> None:
        self.shop, self.customer, self.stripe = shop, customer, stripe

    def open(self) -> Json:
        return self.shop.pay(self.customer, self.shop.book(self.customer, self.shop.offer()), provider="STRIPE")

    def press(self, payment: Json, outcome: str) -> None:
        """The customer presses a button on Stripe's page."""
        url = payment["checkout"]["url"]
        answer = requests.post(url, data={"outcome": outcome}, allow_redirects=False, timeout=5)
        assert answer.status_code == 303

    def events(self) -> list[Any]:
        """All that happened, oldest first."""
        return list(reversed(self.stripe.books.all("event")))

    def send(self, event: Any, secret: str = WEBHOOK_SECRET) -> TestResponse:
        body = encode(event)
        at = int(self.shop.running.dependencies.clock.now().timestamp())
        headers = {"Stripe-Signature": sign(body, [secret], at=at)}
        return self.shop.client.post(URL, data=body, content_type="application/json", headers=headers)

    def status(self, payment: Json) -> str:
        path = f"/api/v1/payments/{payment['id']}"
        found: str = self.shop.done(self.shop.get(path, self.customer))["status"]
        return found

    def credited(self) -> int:
        row = self.shop.database.row("SELECT count(*) AS number FROM ledger_journals WHERE journal_type = 'PAYMENT'")
        return int(row["number"]) if row else 0

    def logs(self) -> list[str]:
        rows = self.shop.database.rows("SELECT event_type FROM payment_webhook_logs ORDER BY id")
        return [row["event_type"] for row in rows]

    def test_a_booking_is_paid_on_the_hosted_page(self) -> None:
        payment = self.open()
        assert payment["provider_reference"].startswith("cs_test_")
        self.press(payment, "pay")
        answers = [self.send(event).json for event in self.events()]
        accepted = {"status": "accepted"}
        assert answers == [accepted] * 4
        assert self.logs() == ["payment_intent.succeeded", "checkout.session.completed"]
        self.shop.deliver_events()
        assert (self.status(payment), self.credited()) == ("PAID", 1)

    def test_a_declined_card_may_be_followed_by_a_good_one(self) -> None:
        payment = self.open()
        self.press(payment, "decline")
        for event in self.events():
            self.send(event)
        self.shop.deliver_events()
        assert (self.status(payment), self.credited()) == ("PENDING", 0)
        self.press(payment, "pay")
        for event in self.events():
            self.send(event)
        self.shop.deliver_events()
        assert (self.status(payment), self.credited()) == ("PAID", 1)

    def test_money_that_comes_later_is_paid_later(self) -> None:
        payment = self.open()
        self.press(payment, "pay_later")
        for event in self.events():
            self.send(event)
        self.shop.deliver_events()
        assert (self.status(payment), self.credited()) == ("PENDING", 0), "completed is not paid"
        self.stripe.act("settle_delayed", {"session_id": payment["provider_reference"]})
        for event in self.events():
            self.send(event)
        self.shop.deliver_events()
        assert (self.status(payment), self.credited()) == ("PAID", 1)

    def test_every_order_and_number_of_events_credits_once(self, subtests: Subtests) -> None:
        for number, order in enumerate(permutations(range(3))):
            with subtests.test(order=order):
                payment = self.open()
                known = len(self.events())
                self.press(payment, "decline")
                self.press(payment, "pay")
                told = ("payment_intent.payment_failed", "payment_intent.succeeded", "checkout.session.completed")
                new = [event for event in self.events()[known:] if event["type"] in told]
                assert len(new) == 3
                for place in (*order, *order):
                    assert self.send(new[place]).status_code == 200
                    self.shop.deliver_events()
                assert (self.status(payment), self.credited()) == ("PAID", number + 1)

    def test_what_nobody_signed_is_401_and_not_kept(self) -> None:
        payment = self.open()
        self.press(payment, "pay")
        before = self.shop.state()
        for event in self.events():
            problem(self.send(event, secret="whsec_" + "0" * 32), 401, "bad_signature")
        problem(self.shop.client.post(URL, data=encode(self.events()[-1])), 401, "bad_signature")
        assert self.shop.state() == before

    def test_an_event_of_no_concern_leaves_nothing_behind(self) -> None:
        payment = self.open()
        self.press(payment, "pay")
        before = self.shop.state()
        event = {**self.events()[-1], "type": "customer.created"}
        assert self.shop.done(self.send(event)) == {"status": "accepted"}
        assert self.shop.state() == before
