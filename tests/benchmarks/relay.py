"""Target 14: the relay beside the least that one can be — 500 rows claimed, enqueued in one go, marked, committed.

Both empty an outbox of their own, of the same shape and size, one batch after the other, on the same PostgreSQL and the
same Valkey. Ours also opens a delivery for each handler, which is what makes at-least-once once.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from statistics import median

import psycopg
from redis import Redis
from rq import Queue
from rq.serializers import JSONSerializer
from sqlalchemy.engine import URL

from infrastructure.clock import SystemClock
from infrastructure.database.roles import connect
from infrastructure.database.transaction import Database
from infrastructure.messaging.event_relay import BATCH, EventRelay
from infrastructure.messaging.jobs import DELIVER
from tests.benchmarks.harness import Comparison, Figure, Findings, Target, take_turns
from tests.benchmarks.servers import System, another_database, libpq_environment

RELAY = Target(14, "relay / SKIP LOCKED 500 with enqueue_many, events", gate=0.70, stretch=0.9)
EVENTS = 4_000
"""In each outbox, each round."""

EVENT = "billing.webhook_received"
"""With one handler, as most have."""

_FLOOR_TABLE = """
CREATE TABLE floor_outbox (LIKE outbox_events INCLUDING ALL);
GRANT SELECT, INSERT, UPDATE ON floor_outbox TO "{app}"
"""
_FILL = """
INSERT INTO {table} (id, name, version, payload, occurred_at)
SELECT uuidv7(), %s, 1, jsonb_build_object('webhook_id', uuidv7()), now() FROM generate_series(1, %s)
"""
_CLAIM = f"""
SELECT id, name FROM floor_outbox WHERE published_at IS NULL AND dead_at IS NULL
ORDER BY id LIMIT {BATCH} FOR UPDATE SKIP LOCKED
"""
_MARK = "UPDATE floor_outbox SET published_at = now() WHERE id = ANY (%s)"


def measure(system: System, *, seconds: int, rounds: int) -> Findings:
    """Both outboxes are filled, then emptied by turns; `seconds` does not matter: the number of events is fixed."""
    with another_database(system, "relay") as apart, contextlib.ExitStack() as opened:
        app, owner = apart.addresses.app, opened.enter_context(connect(apart.addresses.owner))
        owner.execute(_FLOOR_TABLE.format(app=app.username))
        redis = opened.enter_context(Redis.from_url(apart.settings.redis_url))
        database = Database(app)
        opened.callback(database.dispose)
        floor = _Floor(opened.enter_context(_bare(app)), Queue("floor", redis, serializer=JSONSerializer))
        relay = EventRelay(database, redis, SystemClock())
        emptying = (
            _Emptying(owner, redis, "outbox_events", relay.relay_once),
            _Emptying(owner, redis, "floor_outbox", floor.relay_once),
        )
        for one in emptying:
            one.rate()
            one.processor.clear()
        ours, least = take_turns(rounds, *(one.rate for one in emptying))
    return Findings(
        comparisons=[Comparison(RELAY, "events / s", ours=ours, floor=least)],
        figures=[
            Figure(f"{what}, CPU of its own", median(one.processor) / EVENTS * 1e6, "µs / event")
            for what, one in zip(("relay", "floor"), emptying, strict=True)
        ],
    )


def _bare(url: URL) -> psycopg.Connection[tuple[object, ...]]:
    told = libpq_environment(url)
    return psycopg.connect(
        host=told["PGHOST"],
        port=told["PGPORT"],
        user=told["PGUSER"],
        password=told["PGPASSWORD"],
        dbname=told["PGDATABASE"],
    )


class _Floor:
    """No deliveries, no leases, no subscriptions: a job for each row."""

    def __init__(self, connection: psycopg.Connection[tuple[object, ...]], queue: Queue) -> None:
        self._connection = connection
        self._queue = queue

    def relay_once(self) -> int:
        with self._connection.transaction():
            rows = self._connection.execute(_CLAIM, prepare=True).fetchall()
            if rows:
                self._queue.enqueue_many(
                    [Queue.prepare_data(DELIVER, args=(str(row[0]), row[1]), job_id=str(row[0])) for row in rows]
                )
                self._connection.execute(_MARK, ([row[0] for row in rows],), prepare=True)
        return len(rows)


class _Emptying:
    """Fills one outbox and takes the time that emptying it takes."""

    def __init__(
        self, owner: psycopg.Connection[tuple[object, ...]], redis: Redis, table: str, relay_once: Callable[[], int]
    ) -> None:
        self._owner = owner
        self._redis = redis
        self._fill = _FILL.format(table=table)
        self._relay_once = relay_once
        self.processor: list[float] = []
        """Seconds of this process's time, by round."""

    def rate(self) -> float:
        """Events a second."""
        self._redis.flushdb()
        self._owner.execute(self._fill, (EVENT, EVENTS))
        began, processor = time.perf_counter(), time.process_time()
        moved = 0
        while once := self._relay_once():
            moved += once
        self.processor.append(time.process_time() - processor)
        assert moved == EVENTS
        return moved / (time.perf_counter() - began)
