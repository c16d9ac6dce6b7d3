"""Many refunds at once, by HTTP and over the real gateway: never more than was taken, one request for each."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs
from uuid import UUID

import pytest

from application.billing.handlers import submit_requested_refund
from application.billing.readback import read_payment_back
from config.settings import Settings, StripeSettings
from fake_providers.stripe import StripeServer
from fake_providers.stripe.server import TEST_KEY, WEBHOOK_SECRET
from infrastructure.bootstrap import Running, bootstrap
from infrastructure.database.roles import DatabaseAddresses
from infrastructure.database.transaction import Database
from tests.api.shop import Json, Shop, SignUp
from tests.conftest import MovableClock
from tests.integration.refunding import broken_refund_promises
from tests.integration.shop import all_at_once

pytestmark = pytest.mark.database

CHARGED = 200_000
"""Minor units: a booking for two at EGP 1,000.00."""


@pytest.fixture
def stripe(tmp_path: Path) -> Iterator[StripeServer]:
    with StripeServer(tmp_path / "books.sqlite") as server:
        yield server


@pytest.fixture
def running(settings: Settings, database: Database, clock: MovableClock, stripe: StripeServer) -> Iterator[Running]:
    account = StripeSettings(stripe.address, TEST_KEY, (WEBHOOK_SECRET,))
    with_stripe = dataclasses.replace(settings, payment_gateways=("stripe",), stripe=account)
    started = bootstrap(with_stripe, database=database, clock=clock)
    yield started
    started.close()


@pytest.fixture
def payment(shop: Shop, sign_up: SignUp, stripe: StripeServer) -> Json:
    customer = sign_up()
    opened = shop.pay(customer, shop.book(customer, shop.offer()), provider="STRIPE")
    stripe.act("pay", {"session_id": opened["provider_reference"]})
    use = shop.running.dependencies
    read_payment_back(
        UUID(opened["id"]),
        new_uow=use.new_uow,
        gateways=use.gateways,
        clock=use.clock,
        new_id=use.new_id,
        live=use.live,
    )
    return opened


def ask_at_once(shop: Shop, payment: Json, keys: list[str], amount: str) -> list[Any]:
    """Each request in a thread of its own, as by another connection."""
    body = {"amount": {"amount": amount, "currency": "EGP"}, "reason": "a storm"}
    path, headers = f"/api/v1/payments/{payment['id']}/refunds", shop.admin.headers

    def asking(key: str) -> Any:
        client = shop.client.application.test_client()
        return client.post(path, json=body, headers={**headers, "Idempotency-Key": key})

    return all_at_once([lambda key=key: asking(key) for key in keys])  # type: ignore[misc]


def submit_all_twice_at_once(shop: Shop) -> None:
    """Every event is delivered to two workers at the same time."""
    rows = shop.database.rows("SELECT payload FROM outbox_events WHERE name = 'billing.refund_requested'")
    works = [lambda event=row["payload"]: submit_requested_refund(event, shop.running.dependencies) for row in rows * 2]
    assert [fault for fault in all_at_once(works) if fault is not None] == []  # type: ignore[arg-type]


def asked_of(stripe: StripeServer) -> Counter[str]:
    """How often the provider was asked for a refund, by our reference of it."""
    bodies = [parse_qs(raw) for operation, raw in stripe.bodies if operation == "refunds/create"]
    return Counter(body["metadata[merchant_reference]"][0] for body in bodies)


def test_16_refunds_at_once_never_exceed_the_capture_and_each_is_asked_for_once(
    shop: Shop, payment: Json, stripe: StripeServer, addresses: DatabaseAddresses
) -> None:
    answers = ask_at_once(shop, payment, [f"storm-{number}" for number in range(16)], "150.00")
    assert Counter(answer.status_code for answer in answers) == {202: 13, 422: 3}
    assert {answer.json["code"] for answer in answers if answer.status_code == 422} == {"refund_above_capture"}
    submit_all_twice_at_once(shop)

    parts = shop.database.rows("SELECT merchant_reference, status FROM refund_parts")
    assert {row["status"] for row in parts} == {"SUCCEEDED"}
    assert asked_of(stripe) == Counter(row["merchant_reference"] for row in parts)
    assert [refund["amount"] for refund in stripe.books.all("refund")] == [15_000] * 13
    assert sum(entry["amount"] for entry in stripe.books.all("balance_transaction")) == CHARGED - 13 * 15_000
    assert broken_refund_promises(addresses) == []


def test_one_key_16_times_at_once_is_one_refund(
    shop: Shop, payment: Json, stripe: StripeServer, addresses: DatabaseAddresses
) -> None:
    answers = ask_at_once(shop, payment, ["the-same"] * 16, "150.00")
    accepted = [answer.json["id"] for answer in answers if answer.status_code == 202]
    assert {answer.status_code for answer in answers} <= {202, 409}
    assert len(set(accepted)) == 1
    assert {answer.json["code"] for answer in answers if answer.status_code == 409} <= {"request_in_progress"}
    submit_all_twice_at_once(shop)
    assert [refund["amount"] for refund in stripe.books.all("refund")] == [15_000]
    assert list(asked_of(stripe).values()) == [1]
    assert broken_refund_promises(addresses) == []
