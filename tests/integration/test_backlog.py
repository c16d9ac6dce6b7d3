"""A backlog of verified webhooks, many of them double: drained, and every payment settled exactly once.

`BACKLOG=10000 pytest tests/integration/test_backlog.py` makes it as long as a day's silence would, and says how long
each part took. The provider is the fake Fawaterk over real HTTP; workers are processes, and one of them is killed on
the way: what it was at comes back when its lease of 30 s ends.
"""

from __future__ import annotations

import dataclasses
import multiprocessing
import os
import random
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson
import pytest
from flask.testing import FlaskClient
from redis import Redis

from app import create_app
from application.billing.payments import OpenPayment, open_payment
from application.subscriptions import SUBSCRIPTIONS
from config.settings import FawaterkSettings, Settings
from domain.billing.payments import PaymentMethod, PaymentType, WebhookReceived
from fake_providers.fawaterk import FawaterkServer
from fake_providers.fawaterk.books import FIRST_ID
from infrastructure.bootstrap import Running, bootstrap
from infrastructure.clock import SystemClock, new_id
from infrastructure.database.roles import DatabaseAddresses
from infrastructure.database.transaction import Database
from infrastructure.messaging.event_relay import EventRelay
from tests.builders import egp
from tests.integration import backlog_worker
from tests.integration.outbox import open_deliveries
from tests.integration.shop import a_stored_user, all_at_once, broken_promises

pytestmark = [pytest.mark.database, pytest.mark.slow]

PAYMENTS = int(os.environ.get("BACKLOG", "200"))
OPENED = 20
"""Of them by the use case; the others are copies of these."""
WORKERS = 2
DEPOSIT = egp("750.00")
URL = "/api/v1/payments/webhooks/fawaterk_json"
PATIENCE_SECONDS = 60 + PAYMENTS / 5


_COPY = """
INSERT INTO {table} SELECT (jsonb_populate_record(original, copy.changes)).*
FROM unnest(%s::uuid[], %s::text[]::jsonb[]) AS copy (payment_id, changes)
JOIN {table} original ON original.{by} = copy.payment_id
"""
_COPY_PAYMENTS = _COPY.format(table="payments", by="id")
_COPY_ATTEMPTS = _COPY.format(table="payment_attempts", by="payment_id")


@pytest.fixture
def fawaterk(tmp_path: Path) -> Iterator[FawaterkServer]:
    with FawaterkServer(tmp_path / "books.sqlite", automatic_webhooks=False) as server:
        yield server


@pytest.fixture
def settings(settings: Settings, fawaterk: FawaterkServer) -> Settings:
    account = FawaterkSettings(fawaterk.base_url, fawaterk.api_key, fawaterk.api_key)
    return dataclasses.replace(settings, payment_gateways=("fawaterk",), fawaterk=account)


@pytest.fixture
def running(settings: Settings, database: Database) -> Iterator[Running]:
    started = bootstrap(settings, database=database)
    yield started
    started.close()


@pytest.fixture
def start_worker(settings: Settings, addresses: DatabaseAddresses) -> Iterator[Callable[[], BaseProcess]]:
    started: list[BaseProcess] = []

    def start() -> BaseProcess:
        # Forked, not spawned: what takes seconds is importing.
        process = multiprocessing.get_context("fork").Process(
            target=backlog_worker.main, args=(settings, addresses.app)
        )
        process.start()
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.join()


@pytest.mark.timeout(120 + 2 * PATIENCE_SECONDS)
def test_a_backlog_with_duplicates_is_drained_and_each_payment_settled_once(
    running: Running,
    fawaterk: FawaterkServer,
    addresses: DatabaseAddresses,
    start_worker: Callable[[], BaseProcess],
    capsys: pytest.CaptureFixture[str],
) -> None:
    backlog = Backlog(running, fawaterk)
    with redis_of(running) as redis:
        for part, work in (
            ("open", backlog.open),
            ("receive", backlog.receive),
            ("drain a half", lambda: backlog.drain_half(redis, start_worker)),
            ("drain", lambda: backlog.drain(redis, start_worker)),
        ):
            began = time.monotonic()
            work()
            with capsys.disabled():
                if "BACKLOG" in os.environ:
                    sys.stdout.write(f"\n{part}: {time.monotonic() - began:.1f} s")
    assert backlog.received == PAYMENTS * 2

    webhooks = running.database.rows("SELECT status, count(*) AS many FROM payment_webhook_logs GROUP BY status")
    assert {row["status"]: row["many"] for row in webhooks} == {"PROCESSED": PAYMENTS}
    settled = running.database.rows(
        """SELECT p.status, count(DISTINCT p.id) AS payments, count(r.id) AS receipts, sum(r.amount_minor) AS minor
           FROM payments p JOIN payment_attempts a ON a.payment_id = p.id JOIN payment_receipts r ON r.attempt_id = a.id
           GROUP BY p.status"""
    )
    assert settled == [
        {"status": "PAID", "payments": PAYMENTS, "receipts": PAYMENTS, "minor": PAYMENTS * DEPOSIT.minor}
    ]
    assert broken_promises(addresses) == []


def test_the_same_webhook_fifty_times_at_once_is_accepted_once(running: Running, fawaterk: FawaterkServer) -> None:
    backlog = Backlog(running, fawaterk, payments=1)
    backlog.open()
    (body,) = backlog.bodies
    clients = [create_app(running=running).test_client() for _ in range(10)]
    answers = [
        answer
        for _ in range(5)
        for answer in all_at_once([lambda client=client: _post(client, body) for client in clients])  # type: ignore[misc]
    ]
    assert sorted(map(str, answers)) == ["accepted"] + ["duplicate"] * 49
    assert [row["many"] for row in running.database.rows("SELECT count(*) AS many FROM payment_webhook_logs")] == [1]
    told = running.database.rows("SELECT 1 FROM outbox_events WHERE name = %s", (WebhookReceived.name,))
    assert len(told) == 1


class Backlog:
    """Deposits that were paid while nobody here listened, and the webhooks about them."""

    def __init__(self, running: Running, fawaterk: FawaterkServer, *, payments: int = PAYMENTS) -> None:
        self._running = running
        self._fawaterk = fawaterk
        self._payments = payments
        self.bodies: list[bytes] = []
        self.received = 0

    def open(self) -> None:
        """Customers open checkouts and pay; beyond the first ones, payments and invoices are copies of theirs."""
        customers = [a_stored_user(self._running.dependencies.new_uow) for _ in range(min(OPENED, self._payments))]
        for customer in customers:
            self._open_one(customer)
        rows = self._running.database.rows("SELECT payment_id, provider_reference FROM payment_attempts")
        originals = {row["payment_id"]: self._fawaterk.pay(row["provider_reference"]) for row in rows}
        copies = [
            self._copied(*choice) for _, choice in zip(range(self._payments - len(rows)), cycle(originals.items()))
        ]
        self._store(copies)
        invoices = [*originals.values(), *(copy["invoice"] for copy in copies)]
        self.bodies = [orjson.dumps(self._fawaterk.webhook("paid", one["invoice_id"])) for one in invoices]

    def _copied(self, payment_id: UUID, invoice: dict[str, Any]) -> dict[str, Any]:
        """What tells a copy from the payment that it is a copy of; its invoice is in the provider's books."""
        attempt_id = new_id()
        ours = f"pa_{attempt_id.hex}"
        copied = {**invoice, "pay_load": {"attempt": ours}}
        self._fawaterk.books.add(copied, FIRST_ID)
        return {
            "of": payment_id,
            "payment": {"id": (made := new_id()), "payment_number": f"PAY-{made.hex}", "idempotency_key": made.hex},
            "attempt": {
                "id": attempt_id,
                "payment_id": made,
                "merchant_reference": ours,
                "provider_reference": copied["invoice_id"],
            },
            "invoice": copied,
        }

    def _store(self, copies: list[dict[str, Any]]) -> None:
        values = (
            [copy["of"] for copy in copies],
            *([_json(copy[it]) for copy in copies] for it in ("payment", "attempt")),
        )
        with self._running.database.transaction() as statements:
            statements.execute(_COPY_PAYMENTS, (values[0], values[1]))
            statements.execute(_COPY_ATTEMPTS, (values[0], values[2]))
            statements.commit()

    def receive(self) -> None:
        """Every webhook arrives once, every second one again, every tenth five times more, in any order."""
        arriving = [*self.bodies, *self.bodies[::2], *(self.bodies[::10] * 5)]
        random.Random(7).shuffle(arriving)
        app = create_app(running=self._running)

        def several(bodies: list[bytes]) -> list[str]:
            client = app.test_client()
            return [_post(client, body) for body in bodies]

        with ThreadPoolExecutor(4) as threads:
            answers = [one for some in threads.map(several, (arriving[n::4] for n in range(4))) for one in some]
        self.received = len(answers)
        assert answers.count("accepted") == self._payments
        assert answers.count("duplicate") == len(arriving) - self._payments

    def drain_half(self, redis: Redis, start_worker: Callable[[], BaseProcess]) -> None:
        """Relay and workers do their part until a half is done; then one of the workers is killed."""
        relay = self._relay(redis)
        workers = [start_worker() for _ in range(WORKERS)]
        while relay.relay_once():
            continue
        self._until(lambda: self._open() <= self._payments / 2)
        workers[0].kill()

    def drain(self, redis: Redis, start_worker: Callable[[], BaseProcess]) -> None:
        """Another takes its place; webhooks still repeat; nothing is left in the end."""
        relay = self._relay(redis)
        start_worker()
        client = create_app(running=self._running).test_client()
        for body in self.bodies[::20]:
            _post(client, body)
        self._until(lambda: relay.relay_once() + relay.redrive_once() + self._open() == 0)

    def _relay(self, redis: Redis) -> EventRelay:
        webhooks = {WebhookReceived.name: SUBSCRIPTIONS[WebhookReceived.name]}
        return EventRelay(self._running.database, redis, SystemClock(), subscriptions=webhooks)

    def _open(self) -> int:
        return open_deliveries(self._running.database)

    def _until(self, holds: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not holds():
            assert time.monotonic() < deadline, f"{self._open()} of {self._payments} are left"
            time.sleep(0.1)

    def _open_one(self, customer: UUID) -> None:
        use = self._running.dependencies
        command = OpenPayment(
            user_id=customer,
            payment_type=PaymentType.WALLET_DEPOSIT,
            payable_id=None,
            method=PaymentMethod.CREDIT_CARD,
            provider="fawaterk",
            amount=DEPOSIT,
            success_url=None,
            cancel_url=None,
            idempotency_key=new_id().hex,
            locale="en",
            public_url="https://shop.example",
        )
        open_payment(
            command,
            new_uow=use.new_uow,
            gateways=use.gateways,
            returns=use.returns,
            clock=use.clock,
            new_id=use.new_id,
        )


def _json(changes: dict[str, Any]) -> str:
    return orjson.dumps(changes).decode()


def redis_of(running: Running) -> Redis:
    return Redis.from_url(running.settings.redis_url)


def _post(client: FlaskClient, body: bytes) -> str:
    answer = client.post(URL, data=body, content_type="application/json")
    assert answer.status_code == 200, answer.text
    status: str = answer.json["status"]
    return status
