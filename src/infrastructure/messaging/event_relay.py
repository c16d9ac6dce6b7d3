"""The relay: hands events from the outbox to the queues, and again whatever was not processed in time.

Any number may run. A row is marked as handed over by the transaction that surrounds the enqueueing, so a
crash repeats a job and never loses one; a duplicate finds nothing to do (`deliveries.py`).
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, Protocol
from uuid import UUID

import psycopg
import structlog
from redis import Redis, RedisError

from application.subscriptions import RETIRED, SUBSCRIPTIONS, Handler
from application.trying_again import TryAgain
from domain.shared.clock import Clock
from domain.shared.errors import Busy
from infrastructure.database.refusals import DatabaseUnavailable
from infrastructure.database.transaction import Database, Row, Statements
from infrastructure.messaging.deliveries import MAX_ATTEMPTS
from infrastructure.messaging.jobs import LEASES, Delivery, JsonQueue, enqueue, event_of

BATCH: Final = 500
IDLE_SECONDS: Final = 0.1
REDRIVE_SECONDS: Final = 5.0
LONGEST_PAUSE_SECONDS: Final = 5.0

Subscriptions = Mapping[str, Sequence[Handler]]

log = structlog.get_logger(__name__)

# The limit is part of the text: with a parameter the planner supposes a tenth of the table, and sorts it.
_PUBLISH = """
WITH claimed AS (
    SELECT id, name FROM outbox_events WHERE published_at IS NULL AND dead_at IS NULL
    ORDER BY id LIMIT {batch:d} FOR UPDATE SKIP LOCKED),
published AS (
    UPDATE outbox_events e SET published_at = %(now)s FROM claimed c WHERE e.id = c.id),
opened AS (
    INSERT INTO processed_events (event_id, handler, enqueued_at, due_at)
    SELECT c.id, s.handler, %(now)s, %(now)s + s.lease
    FROM claimed c
    JOIN unnest(%(events)s::text[], %(handlers)s::text[], %(leases)s::interval[]) AS s (event, handler, lease)
      ON s.event = c.name
    ON CONFLICT DO NOTHING
    RETURNING event_id, handler)
SELECT c.id, o.handler FROM claimed c LEFT JOIN opened o ON o.event_id = c.id ORDER BY c.id
"""

# Only handlers of this release: during a rollout the others belong to relays that know them.
_OVERDUE = """
SELECT event_id, handler, attempts, enqueued_at FROM processed_events
WHERE processed_at IS NULL AND dead_at IS NULL AND due_at <= %(now)s AND handler = ANY (%(handlers)s)
ORDER BY due_at LIMIT {batch:d} FOR UPDATE SKIP LOCKED
"""

_LEND_AGAIN = """
UPDATE processed_events p SET due_at = %(now)s + s.lease, enqueued_at = coalesce(s.enqueued_at, p.enqueued_at)
FROM unnest(%(events)s::uuid[], %(names)s::text[], %(leases)s::interval[], %(enqueued)s::timestamptz[])
     AS s (event_id, handler, lease, enqueued_at)
WHERE p.event_id = s.event_id AND p.handler = s.handler
"""

_BURY = """
UPDATE processed_events p SET dead_at = %(now)s, reason = 'WorkerDied'
FROM unnest(%(events)s::uuid[], %(names)s::text[]) AS s (event_id, handler)
WHERE p.event_id = s.event_id AND p.handler = s.handler
"""

_ENQUEUED_AT = "SELECT max(enqueued_at) AS enqueued_at FROM processed_events WHERE event_id = %s"


class Stopping(Protocol):
    """Whether this process was asked to stop."""

    @property
    def requested(self) -> bool: ...

    def wait(self, seconds: float) -> None:
        """Sleep, and wake early when a stop is requested."""
        ...


class EventRelay:
    """Moves events to the queues until it is told to stop. `redis` gives up in less than 10 s."""

    def __init__(
        self,
        database: Database,
        redis: Redis,
        clock: Clock,
        *,
        subscriptions: Subscriptions = SUBSCRIPTIONS,
        retired: Sequence[Handler] = RETIRED,
        batch: int = BATCH,
        leases: Mapping[str, timedelta] = LEASES,
    ) -> None:
        self._database = database
        self._redis = redis
        self._clock = clock
        self._leases = leases
        self._batch = batch
        self._routes = [(event, handler) for event, handlers in subscriptions.items() for handler in handlers]
        known = (*(handler for _, handler in self._routes), *retired)
        self._queue_of = {handler.name: handler.queue for handler in known}
        self._queues = {name: JsonQueue(name, redis) for name in leases}

    def relay_once(self) -> int:
        """Hand over one batch of new events; how many there were. Nothing is handed over if Redis refuses."""
        with self._database.transaction() as transaction:
            rows = transaction.rows(_PUBLISH.format(batch=self._batch), self._publication())
            if not rows:
                return 0
            self._enqueue(Delivery(row["id"], row["handler"]) for row in rows if row["handler"] is not None)
            transaction.commit()
        return len({row["id"] for row in rows})

    def redrive_once(self) -> int:
        """Enqueue again one batch of what was not processed in time; how much was overdue."""
        now = self._clock.now()
        with self._database.transaction() as transaction:
            values = {"now": now, "handlers": list(self._queue_of)}
            overdue = transaction.rows(_OVERDUE.format(batch=self._batch), values)
            if not overdue:
                return 0
            again = self._lend_again([row for row in overdue if row["attempts"] < MAX_ATTEMPTS], transaction, now)
            _bury([row for row in overdue if row["attempts"] >= MAX_ATTEMPTS], transaction, now)
            self._enqueue(again)
            transaction.commit()
        if again:
            log.info("deliveries_redriven", count=len(again))
        return len(overdue)

    def run(self, stop: Stopping) -> None:
        """Relay and redrive until a stop is requested; a batch that was begun is finished."""
        trouble = _Trouble()
        redrive_at = time.monotonic()
        while not stop.requested:
            try:
                full = self.relay_once() >= self._batch
                if time.monotonic() >= redrive_at:
                    full |= self.redrive_once() >= self._batch
                    redrive_at = time.monotonic() + (0 if full else REDRIVE_SECONDS)
                trouble.over()
            except (RedisError, DatabaseUnavailable, TryAgain, Busy, psycopg.Error) as error:
                stop.wait(trouble.pause(error))
                continue
            if not full:
                stop.wait(IDLE_SECONDS)

    def _publication(self) -> dict[str, Any]:
        return {
            "now": self._clock.now(),
            "events": [event for event, _ in self._routes],
            "handlers": [handler.name for _, handler in self._routes],
            "leases": [self._leases[handler.queue] for _, handler in self._routes],
        }

    def _lend_again(self, rows: Sequence[Row], transaction: Statements, now: datetime) -> list[Delivery]:
        """Give overdue deliveries another lease; those that have to be enqueued for it."""
        fronts = {queue: self._front_of(self._queues[queue]) for queue in {self._queue_of[r["handler"]] for r in rows}}
        waiting = [_waits_behind(fronts[self._queue_of[row["handler"]]], row) for row in rows]
        transaction.execute(
            _LEND_AGAIN,
            {
                "now": now,
                "events": [row["event_id"] for row in rows],
                "names": [row["handler"] for row in rows],
                "leases": [self._leases[self._queue_of[row["handler"]]] for row in rows],
                "enqueued": [None if waits else now for waits in waiting],
            },
        )
        return [
            Delivery(row["event_id"], row["handler"], row["attempts"])
            for row, waits in zip(rows, waiting, strict=True)
            if not waits
        ]

    def _front_of(self, queue: JsonQueue) -> datetime | None:
        """When the job at the front of a queue was enqueued; None when nothing waits there."""
        job_ids: list[bytes] = self._redis.lrange(queue.key, 0, 9)  # type: ignore[assignment]
        event_id = next(filter(None, (event_of(job_id.decode()) for job_id in job_ids)), None)
        if event_id is None:
            return None
        found = self._database.row(_ENQUEUED_AT, [event_id])
        return found["enqueued_at"] if found else None

    def _enqueue(self, deliveries: Iterable[Delivery]) -> None:
        by_queue: dict[str, list[Delivery]] = {}
        for delivery in deliveries:
            by_queue.setdefault(self._queue_of[delivery.handler], []).append(delivery)
        for queue, waiting in by_queue.items():
            enqueue(self._queues[queue], waiting)


class _Trouble:
    """Says once that something is out of reach, and once that it is back; pauses grow in between."""

    def __init__(self) -> None:
        self._failures = 0

    def pause(self, error: Exception) -> float:
        """Seconds to wait: full jitter, longer with every failure."""
        if not self._failures:
            log.warning("relay_waits", reason=type(error).__name__)
        self._failures += 1
        return random.uniform(0.0, min(LONGEST_PAUSE_SECONDS, 0.1 * 2 ** min(self._failures, 6)))  # noqa: S311 - no secret

    def over(self) -> None:
        if self._failures:
            log.info("relay_works_again", failures=self._failures)
        self._failures = 0


def _waits_behind(front: datetime | None, row: Row) -> bool:
    """Whether an overdue delivery still waits its turn in a long queue, and must not be put there twice.

    Queues are first in, first out: what was enqueued after the job that is at the front is in there yet,
    and what was enqueued before it has left.
    """
    return front is not None and bool(row["enqueued_at"] > front)


def _bury(rows: Sequence[Row], transaction: Statements, now: datetime) -> None:
    """What was begun so often and never ended kills its workers; it is left to a person."""
    if not rows:
        return
    events: list[UUID] = [row["event_id"] for row in rows]
    transaction.execute(_BURY, {"now": now, "events": events, "names": [row["handler"] for row in rows]})
    for row in rows:
        log.error("delivery_dead", event_id=str(row["event_id"]), handler=row["handler"], reason="WorkerDied")
