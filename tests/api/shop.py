"""A small business to test the API with: packages that staff put on sale, and customers who book and pay by HTTP."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import orjson
from flask.testing import FlaskClient
from psycopg import sql
from werkzeug.test import TestResponse

from application.subscriptions import QUICK, SUBSCRIPTIONS, Handler
from domain.billing.sandbox import SandboxOutcomeChosen
from domain.ledger import accounts
from domain.ledger.journal import transfer
from domain.shared.clock import business_date
from domain.shared.money import Money
from infrastructure.bootstrap import Running
from infrastructure.database.roles import DatabaseAddresses, connect
from infrastructure.payment.sandbox import SIGNATURE_HEADER, sign
from tests.builders import a_journal
from tests.conftest import Person

SignUp = Callable[..., Person]
Json = dict[str, Any]
_BUT_REFUSALS = {"audit_logs": sql.SQL("(SELECT * FROM audit_logs WHERE status <> 'FAILED')")}
PROBLEM = {"type", "title", "status", "detail", "instance", "code", "request_id"}


@dataclass(frozen=True)
class Offer:
    """Seats that can be booked."""

    package_id: str
    departure_id: str

    def booking(self, count: int = 2, **others: Any) -> Json:
        """The body of a quote or a booking."""
        return {
            "package_id": self.package_id,
            "departure_id": self.departure_id,
            "travelers_count": count,
            **others,
        }


class Shop:
    """What everybody does here, as requests that have to succeed."""

    def __init__(self, client: FlaskClient, running: Running, addresses: DatabaseAddresses, sign_up: SignUp) -> None:
        self.client = client
        self.running = running
        self.database = running.database
        self.addresses = addresses
        self._sign_up = sign_up
        self._admin: Person | None = None
        self._undelivered: list[tuple[Json, Handler]] = []
        self._known: set[UUID] = set()
        """Events that were read."""

    @property
    def admin(self) -> Person:
        if self._admin is None:
            self._admin = self._sign_up("ADMIN")
        return self._admin

    def package(self, **details: Any) -> Json:
        """A package on sale; two travellers for EGP 1,000.00 each, tax included, unless said otherwise."""
        body = {
            "name_ar": "رحلة نيلية",
            "name_en": "Nile cruise",
            "description_ar": "أربعة أيام بين الأقصر وأسوان",
            "description_en": "Four days between Luxor and Aswan",
            "category": "FAMILY",
            "base_price": {"amount": "1000.00", "currency": "EGP"},
            "duration_days": 4,
            "duration_nights": 3,
            "min_travelers": 1,
            "max_travelers": 50,
            "destinations": ["Luxor"],
            **details,
        }
        package = self.done(self.client.post("/api/v1/packages", json=body, headers=self.admin.headers), 201)
        return self.done(
            self.client.post(f"/api/v1/packages/{package['id']}/publish", json={}, headers=self.admin.headers)
        )

    def offer(self, seats: int = 10, *, starts_in_days: int = 30, **details: Any) -> Offer:
        """A departure of a new package."""
        package = self.package(**details)
        body = {
            "starts_on": (business_date(datetime.now(UTC)) + timedelta(days=starts_in_days)).isoformat(),
            "capacity": seats,
        }
        path = f"/api/v1/packages/{package['id']}/departures"
        departure = self.done(self.client.post(path, json=body, headers=self.admin.headers), 201)
        return Offer(package["id"], departure["id"])

    def close(self, offer: Offer) -> None:
        """Take a departure off sale."""
        path = f"/api/v1/departures/{offer.departure_id}/close"
        self.done(self.client.post(path, headers=self.admin.headers))

    def book(self, person: Person, offer: Offer, travelers: int = 2) -> Json:
        return self.done(self.post("/api/v1/bookings", person, offer.booking(travelers)), 201)

    def pay(self, person: Person, booking: Json, **asked: Any) -> Json:
        """A payment of a booking with an open checkout at the sandbox."""
        return self.done(self.post("/api/v1/payments", person, for_booking(booking["id"], **asked)), 201)

    def take_payment(self, payment: Json, outcome: str = "paid") -> None:
        """The customer chooses at the sandbox's page, and its webhooks are looked into."""
        path = "/" + payment["checkout"]["url"].split("/", 3)[3]
        assert self.client.post(path, data={"outcome": outcome}).status_code == 303
        self.deliver_events()

    def post(
        self, path: str, person: Person | None = None, body: Any = None, *, key: str = "", **headers: str
    ) -> TestResponse:
        """A POST with an idempotency key of its own; header names are written with `_`."""
        sent = {"Idempotency-Key": key or uuid4().hex, **(person.headers if person else {}), **named(headers)}
        return self.client.post(path, json=body, headers=sent)

    def get(self, path: str, person: Person | None = None, **headers: str) -> TestResponse:
        return self.client.get(path, headers={**(person.headers if person else {}), **named(headers)})

    def again(self, person: Person) -> Person:
        """The same person, signed in anew: access tokens are short-lived."""
        body = {"email": person.email, "password": "correct horse 42"}
        token = self.done(self.client.post("/api/v1/auth/login", json=body))["access_token"]
        return Person(person.user_id, person.email, {"Authorization": f"Bearer {token}"})

    def deliver_events(self, *, draw: bool = False) -> None:
        """Do what relay and workers would do, here and now, until nothing is left; drawing takes its time."""
        while True:
            self._look_for_events()
            due = [one for one in self._undelivered if draw or one[1].queue == QUICK]
            if not due:
                return
            for event, handler in due:
                self._undelivered.remove((event, handler))
                if event["name"] == SandboxOutcomeChosen.name:
                    assert self.webhook(event["payload"]).status_code == 200
                else:
                    handler.handle({**event["payload"], "event_id": str(event["id"])}, self.running.dependencies)

    def _look_for_events(self) -> None:
        """What a test did long ago is not read again with each of its steps."""
        new = {row["id"] for row in self.database.rows("SELECT id FROM outbox_events")} - self._known
        self._known |= new
        events = self.database.rows(
            "SELECT id, name, payload FROM outbox_events WHERE id = ANY(%s) ORDER BY id", (list(new),)
        )
        self._undelivered += [(event, handler) for event in events for handler in SUBSCRIPTIONS.get(event["name"], ())]

    def webhook(self, notice: Mapping[str, str], *, signed_at: datetime | None = None, **changes: Any) -> TestResponse:
        """What the sandbox posts for an outcome; `changes` are made after it is signed."""
        checkout = self.running.dependencies.sandbox
        assert checkout is not None
        found = checkout.books.get(UUID(notice["checkout_id"]))
        document = {
            "id": f"evt_{UUID(notice['notice_id']).hex}",
            "type": notice["notice_type"],
            "checkout_id": str(found.id),
            "merchant_reference": found.merchant_reference,
        }
        at = signed_at or self.running.dependencies.clock.now()
        signature = sign(orjson.dumps(document), secret=self.running.settings.sandbox_secret, at=at)
        return self.client.post(
            "/api/v1/payments/webhooks/sandbox_json",
            data=orjson.dumps({**document, **changes}),
            content_type="application/json",
            headers={SIGNATURE_HEADER: signature},
        )

    def state(self) -> Mapping[str, str]:
        """A fingerprint of every table: equal states, nothing changed; that it was refused may be on record."""
        with connect(self.addresses.owner) as connection:
            names = connection.execute(
                "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1"
            ).fetchall()
            counted = sql.SQL(" UNION ALL ").join(
                sql.SQL("SELECT {name}, md5(coalesce(string_agg(t::text, '|' ORDER BY t::text), '')) FROM {rows} t")
                .format(name=sql.Literal(name), rows=_BUT_REFUSALS.get(name, sql.Identifier(name)))
                for (name,) in names
            )  # fmt: skip
            return dict(connection.execute(counted).fetchall())

    @staticmethod
    def done(answer: TestResponse, status: int = 200) -> Json:
        assert answer.status_code == status, (answer.status_code, answer.text)
        assert isinstance(answer.json, dict)
        return answer.json


def prove_address(shop: Shop, person: Person) -> None:
    """The person's e-mail address is theirs."""
    with shop.running.dependencies.new_uow() as uow:
        uow.users.get(person.user_id).verify_email(at=shop.running.dependencies.clock.now())
        uow.commit()


def fill_wallet(shop: Shop, person: Person, amount: str, code: str = "EGP") -> None:
    """Money in somebody's wallet, without a checkout."""
    source, target = accounts.clearing("ELSEWHERE", code), accounts.wallet(person.user_id, code)
    with shop.running.dependencies.new_uow() as uow:
        uow.ledger.post([a_journal(*transfer(source, target, Money.parse(amount, code)))])
        uow.commit()


def for_booking(booking_id: str, **asked: Any) -> Json:
    """The body of a payment of a booking by card at the sandbox."""
    return {
        "payable": {"type": "BOOKING", "id": booking_id},
        "method": "CREDIT_CARD",
        "provider": "SANDBOX",
        **asked,
    }


def problem(answer: TestResponse, status: int, code: str, *, pointer: str | None = None) -> Json:
    """Assert that an answer is exactly this problem document, whole and well-formed; answers it."""
    assert answer.status_code == status, (answer.status_code, answer.text)
    assert answer.content_type == "application/problem+json"
    document = answer.json
    assert isinstance(document, dict)
    assert set(document) >= PROBLEM
    assert (document["status"], document["code"]) == (status, code), document
    assert document["type"].endswith(f"#{code}")
    assert document["request_id"] == answer.headers["X-Request-Id"]
    assert document["title"]
    assert document["detail"]
    assert all(set(error) == {"pointer", "code", "detail"} and error["detail"] for error in document.get("errors", []))
    if pointer is not None:
        assert pointer in [error["pointer"] for error in document.get("errors", [])], document
    assert not [word for word in ("Traceback", "SELECT ", "psycopg", 'File "') if word in answer.text]
    return document


def named(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}
