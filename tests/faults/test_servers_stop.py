"""PostgreSQL is stopped at once while webhooks come; Redis is stopped, flushed and full (A1, A3, J1, J3, P9)."""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
import redis
from flask.testing import FlaskClient

from app import create_app
from application.billing.handlers import look_into_webhook
from config.settings import FawaterkSettings, Settings
from domain.billing.payments import WebhookReceived
from fake_providers.fawaterk import FawaterkServer
from infrastructure.bootstrap import Running, bootstrap
from infrastructure.database.refusals import DatabaseUnavailable
from infrastructure.database.transaction import Database, Row
from infrastructure.embedded.postgres import EmbeddedPostgres
from infrastructure.embedded.redis import EmbeddedRedis
from infrastructure.messaging.event_relay import EventRelay
from tests.conftest import MovableClock, _settings
from tests.e2e.invariants import STATES, broken, missing, unlike_books
from tests.faults.own_servers import own_postgres, stop_at_once, work_off
from tests.faults.seeds import seeded
from tests.faults.till import WEBHOOKS, Till
from tests.faults.waiting import until
from tests.faults.whole import whole
from tests.integration.test_backlog import DEPOSIT, Backlog

pytestmark = [pytest.mark.database, pytest.mark.slow]

PAYMENTS = 30
STOPS = 3
REDRIVEN_WITHIN = timedelta(seconds=60)


@pytest.fixture
def folder() -> Iterator[Path]:
    """One that the account of root's servers may pass."""
    made = Path(tempfile.mkdtemp(prefix="altayar-faults-"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made, ignore_errors=True)


# PostgreSQL


@whole
@pytest.mark.timeout(300)
def test_postgres_that_is_stopped_at_once_while_webhooks_come_loses_none_that_was_acknowledged(
    folder: Path, fawaterk: FawaterkServer, redis_url: str, record_property: Callable[[str, object], None]
) -> None:
    """The provider sends each webhook again until it is answered 2xx; the process is never restarted."""
    with own_postgres(folder) as (server, addresses):
        url = addresses.owner.render_as_string(hide_password=False)
        account = FawaterkSettings(fawaterk.base_url, fawaterk.api_key, fawaterk.api_key)
        settings = _settings(url, redis_url, folder)
        settings = dataclasses.replace(settings, payment_gateways=("fawaterk",), fawaterk=account)
        running = bootstrap(settings, database=Database(addresses.app))
        backlog = Backlog(running, fawaterk, payments=PAYMENTS)
        backlog.open()
        refused = _told_while_it_stops(running, server, backlog)
        assert refused > 0, "it was never away"
        for event in until(lambda: _told(running)):
            look_into_webhook(event["payload"], running.dependencies)
        references = [invoice["invoice_id"] for invoice in fawaterk.books.all()]
        assert missing(addresses, [("WEBHOOK", reference) for reference in references]) == []
        assert unlike_books(fawaterk, addresses) == {}
        [row] = running.database.rows("SELECT sum(amount_minor) AS minor FROM payment_receipts")
        assert row["minor"] == PAYMENTS * DEPOSIT.minor
        record_property("invariants", len(STATES) + 1)
        assert broken(addresses, STATES) == []
        running.close()


def _told(running: Running) -> list[Row]:
    """What was published about webhooks; nothing yet, where this finds out that a connection is lost."""
    with contextlib.suppress(DatabaseUnavailable):
        return running.database.rows("SELECT payload FROM outbox_events WHERE name = %s", (WebhookReceived.name,))
    return []


class Telling:
    """Four connections that bring webhooks all the while, each again and again, acknowledged or not."""

    def __init__(self, running: Running, bodies: list[bytes]) -> None:
        self._app, self._bodies = create_app(running=running), bodies
        self._is_over = threading.Event()
        self._pool = ThreadPoolExecutor(4)
        self.acknowledged, self.refused = set[bytes](), 0
        self._telling = [self._pool.submit(self._tell, number) for number in range(4)]

    def _tell(self, number: int) -> None:
        client = self._app.test_client()
        for body in itertools.cycle(self._bodies[number::4]):
            if self._is_over.is_set():
                return
            answer = client.post(WEBHOOKS, data=body, content_type="application/json")
            if answer.status_code == 200:
                self.acknowledged.add(body)
                continue
            assert (answer.status_code, answer.content_type) == (503, "application/problem+json"), answer.text
            self.refused += 1

    def until(self, holds: Callable[[], bool]) -> None:
        """Go on until something holds; what went wrong on the way is raised."""
        until(lambda: holds() or any(one.done() for one in self._telling))
        if not holds():
            self.end()

    def end(self) -> None:
        self._is_over.set()
        self._pool.shutdown()
        for one in self._telling:
            one.result()


def _told_while_it_stops(running: Running, server: EmbeddedPostgres, backlog: Backlog) -> int:
    """How often a webhook was sent away."""
    chance, telling = seeded(), Telling(running, backlog.bodies)
    try:
        for _ in range(STOPS):
            time.sleep(chance.uniform(0, 0.3))  # at any moment of their way
            stop_at_once(server)
            refused, told = telling.refused, len(telling.acknowledged)
            telling.until(lambda refused=refused: telling.refused > refused + 3)  # type: ignore[misc]
            server.start()
            heard = len(backlog.bodies) if told == len(backlog.bodies) else told + 1
            telling.until(lambda heard=heard: len(telling.acknowledged) >= heard)  # type: ignore[misc]
        telling.until(lambda: len(telling.acknowledged) == len(backlog.bodies))
    finally:
        telling.end()
    return telling.refused


# Redis


@pytest.fixture
def own_redis(folder: Path) -> Iterator[EmbeddedRedis]:
    server = EmbeddedRedis(folder)
    server.start()
    yield server
    server.discard()


@pytest.fixture
def settings(settings: Settings, own_redis: EmbeddedRedis) -> Settings:
    return dataclasses.replace(settings, redis_url=own_redis.start())


def _stopped(server: EmbeddedRedis, settings: Settings) -> Callable[[], None]:
    server.stop()
    return lambda: (server.start(), None)[1]


def _flushed(server: EmbeddedRedis, settings: Settings) -> Callable[[], None]:
    with redis.Redis.from_url(settings.redis_url) as connection:
        connection.flushall()
    return lambda: None


def _full(server: EmbeddedRedis, settings: Settings) -> Callable[[], None]:
    def limit(size: int) -> None:
        with redis.Redis.from_url(settings.redis_url) as connection:
            connection.config_set("maxmemory-policy", "noeviction")
            connection.config_set("maxmemory", size)

    limit(1)
    return lambda: limit(0)


@pytest.mark.parametrize("harm", [_stopped, _flushed, _full], ids=["stopped", "flushed", "full"])
def test_redis_that_is_gone_forgets_or_is_full_loses_no_obligation(
    till: Till,
    client: FlaskClient,
    own_redis: EmbeddedRedis,
    settings: Settings,
    clock: MovableClock,
    harm: Callable[[EmbeddedRedis, Settings], Callable[[], None]],
) -> None:
    assert till.ask().status_code == 201
    (invoice,) = till.invoices()
    till.fawaterk.pay(invoice)
    assert till.tell(invoice) == "accepted"
    _relayed(till, clock, settings)  # its job waits in Redis, and nobody has begun it

    mend = harm(own_redis, settings)
    assert client.get("/api/v1/packages").status_code == 200, "reads survive"
    assert client.get("/health/ready").status_code == 200
    assert till.ask().status_code == 201, "and so does business"
    second = next(one for one in till.invoices() if one != invoice)
    till.fawaterk.pay(second)
    assert till.tell(second) == "accepted", "and so does the intake of webhooks"
    with pytest.raises(redis.RedisError) if harm is not _flushed else contextlib.nullcontext():
        _relayed(till, clock, settings)
    mend()

    clock.offset += REDRIVEN_WITHIN
    for _ in range(3):
        work_off(till.running, clock, settings.redis_url)
    states = till.running.database.rows("SELECT status FROM payment_webhook_logs")
    assert [row["status"] for row in states] == ["PROCESSED"] * 2
    till.assert_books_agree()
    assert till.in_wallet() == 150_000
    assert broken(till.addresses) == [], "nothing is left to be done either"


def _relayed(till: Till, clock: MovableClock, settings: Settings) -> None:
    with redis.Redis.from_url(settings.redis_url) as connection:
        EventRelay(till.running.database, connection, clock).relay_once()
