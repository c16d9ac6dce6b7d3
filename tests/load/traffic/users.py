"""The users of the mix, as the journeys that they go on again and again."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from typing import Any
from uuid import uuid4

import gevent
from known import PAID, SECONDS_BETWEEN, WORLD
from locust import task
from locust.exception import RescheduleTask
from mix import MIX
from visitor import Customer, Visitor


class Browser(Visitor):
    """Looks around without an account."""

    @task
    def look_around(self) -> None:
        self.find("GET packages", "/packages?limit=20")
        word = self.one_of("words")
        self.find("GET packages?q", f"/packages?q={word}")
        self.find("GET packages?filters", "/packages?category=FAMILY&max_price=20000.00&sort=popular")
        if self.chance.random() < 0.3:
            self.find("GET facets", f"/packages/facets?q={word}")
        for _ in range(3):
            slug = self.one_of("slugs")
            self.find("GET package", f"/packages/{slug}")
            self.find("GET departures", f"/packages/{slug}/departures")

    def find(self, name: str, path: str) -> None:
        self.ask("GET", name, f"/api/v1{path}")


class Buyer(Customer):
    """Decides, books, pays at the provider's page, and looks until it is confirmed."""

    @task
    def buy(self) -> None:
        wanted = self.wanted()
        self.get("GET departures", f"/packages/{wanted['package_id']}/departures")
        self.post("POST quotes", "/quotes", wanted, wants=200)
        booking = self.post("POST bookings", "/bookings", wanted)
        self.pay_at_sandbox({"payable": {"type": "BOOKING", "id": booking["id"]}})
        for _ in range(5):
            if self.get("GET booking", f"/bookings/{booking['id']}")["status"] == "CONFIRMED":
                break
        self.get("GET bookings", "/bookings")
        self.get("GET notifications", "/notifications")


class WalletUser(Customer):
    """Looks at balances, entries and trips; now and then puts money in, or pays a trip with it."""

    @task(6)
    def look(self) -> None:
        self.get("GET wallet", "/wallet?currency=EGP")
        self.get("GET wallet entries", "/wallet/entries?limit=50")
        self.get("GET bookings", "/bookings")
        self.get("GET points", "/points")

    @task(1)
    def put_money_in(self) -> None:
        amount = {"amount": "250.00", "currency": "EGP"}
        self.pay_at_sandbox({"payable": {"type": "WALLET_DEPOSIT"}, "amount": amount})
        self.get("GET wallet", "/wallet?currency=EGP")

    @task(1)
    def pay_from_it(self) -> None:
        booking = self.post("POST bookings", "/bookings", self.wanted())
        body = {"payable": {"type": "BOOKING", "id": booking["id"]}, "method": "WALLET"}
        self.post("POST payments (wallet)", "/payments", body)
        self.get("GET booking", f"/bookings/{booking['id']}")


class Staff(Visitor):
    """Works through lists of everybody's rows."""

    @task
    def work(self) -> None:
        self.see("GET bookings (staff)", "/bookings?limit=50")
        self.see("GET bookings?status (staff)", "/bookings?status=CONFIRMED&limit=50")
        self.see("GET payments (staff)", "/payments?limit=50")
        self.see("GET wallet entries (staff)", f"/admin/wallets/{self.one_of('people')}/entries")

    def see(self, name: str, path: str) -> None:
        tokens = WORLD.now()["staff"]
        self.ask("GET", name, f"/api/v1{path}", token=tokens[self.number % len(tokens)])


class WebhookSender(Visitor):
    """The provider, who tells again of what was paid in the last half-hour: each time under a new event's id."""

    @task
    def tell(self) -> None:
        paid = PAID.now()
        if not paid:
            # Of what we know nothing of we are told only by mistake.
            gevent.sleep(self.seconds_between)
            raise RescheduleTask
        checkout, reference = self.chance.choice(paid)
        document = {
            "id": f"evt_{uuid4().hex}",
            "type": "checkout.paid",
            "checkout_id": checkout,
            "merchant_reference": reference,
        }
        body = json.dumps(document).encode()
        headers = {"Content-Type": "application/json", "X-Sandbox-Signature": _signed(body)}
        self.send("POST", "POST webhook", "/api/v1/payments/webhooks/sandbox", data=body, headers=headers)


class SignIn(Visitor):
    """Gives a password: the dearest request there is."""

    # An address may do so 30 times a minute.
    seconds_between = SECONDS_BETWEEN * 2

    @task
    def sign_in(self) -> None:
        body = {"email": self.one_of("emails"), "password": WORLD.now()["password"]}
        self.ask("POST", "POST login", "/api/v1/auth/login", json=body)


def _signed(body: bytes) -> str:
    at = str(int(time.time()))
    digest = hmac.new(WORLD.now()["sandbox_secret"].encode(), at.encode() + b"." + body, hashlib.sha256)
    return f"t={at},v1={digest.hexdigest()}"


_CLASSES: dict[str, Any] = {one.__name__: one for one in (Browser, Buyer, WalletUser, Staff, WebhookSender, SignIn)}
for kind in MIX:
    _CLASSES[kind.user].weight = kind.of_thousand
