"""Target 15: a worker of ours with a handler that does nothing, beside RQ's SimpleWorker with a function that does.

Both are processes of their own that empty a full queue of one Valkey, by turns. Ours claims each delivery in PostgreSQL
and commits that it is done; the floor has no database at all.
"""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any, Final
from uuid import UUID

from redis import Redis
from rq import Queue, SimpleWorker
from rq.serializers import JSONSerializer

from application.subscriptions import QUICK, Handler
from config.settings import Settings
from infrastructure.bootstrap import bootstrap
from infrastructure.database.roles import connect
from infrastructure.messaging.jobs import Delivery, JsonQueue, enqueue
from tests.benchmarks.harness import Comparison, Findings, Target, take_turns
from tests.benchmarks.servers import System, another_database

WORKER = Target(15, "worker with an empty handler / SimpleWorker with an empty function, jobs", gate=0.80, stretch=0.95)
JOBS: Final = 1_000
"""In the queue at the beginning of each turn."""

_NOTHING: Final = "benchmark.nothing"
_FILL = """
WITH made AS (
    INSERT INTO outbox_events (id, name, version, payload, occurred_at, published_at)
    SELECT uuidv7(), 'benchmark.happened', 1, '{}', now(), now() FROM generate_series(1, %(jobs)s) RETURNING id)
INSERT INTO processed_events (event_id, handler, enqueued_at, due_at)
SELECT id, %(handler)s, now(), now() + interval '1 hour' FROM made RETURNING event_id
"""


def nothing(*_: object) -> None:
    """What the floor's jobs do."""


def measure(system: System, *, seconds: int, rounds: int) -> Findings:
    """Both empty queues of the same length by turns; `seconds` does not matter: the number of jobs is fixed."""
    with (
        another_database(system, "workers") as apart,
        _worker(_empty_ours, apart.settings) as ours,
        _worker(_empty_floor, apart.settings) as floor,
        connect(apart.addresses.owner) as owner,
        Redis.from_url(apart.settings.redis_url) as redis,
    ):

        def our_rate() -> float:
            filled = owner.execute(_FILL, {"jobs": JOBS, "handler": _NOTHING}).fetchall()
            enqueue(JsonQueue(QUICK, redis), [Delivery(UUID(str(row[0])), _NOTHING) for row in filled])
            return ours.rate()

        def floor_rate() -> float:
            queue = Queue("floor", redis, serializer=JSONSerializer)
            queue.enqueue_many([Queue.prepare_data(nothing, args=(str(number), _NOTHING, 0)) for number in range(JOBS)])
            return floor.rate()

        our_rate(), floor_rate()
        rates = take_turns(rounds, our_rate, floor_rate)
    return Findings(comparisons=[Comparison(WORKER, "jobs / s", ours=rates[0], floor=rates[1])])


@dataclass(frozen=True, slots=True)
class _Worker:
    """A process that waits for the word to empty its queue."""

    conversation: Connection

    def rate(self) -> float:
        """Jobs a second."""
        self.conversation.send("work")
        left, seconds = self.conversation.recv()
        assert left == 0
        return JOBS / float(seconds)


@contextmanager
def _worker(empty: Callable[[Connection, Settings], None], settings: Settings) -> Iterator[_Worker]:
    # Spawned: a forked child would share the parent's open connections.
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=empty, args=(there, settings), daemon=True)
    process.start()
    there.close()
    try:
        yield _Worker(here)
    finally:
        here.close()
        process.join()


def _empty_ours(conversation: Connection, settings: Settings) -> None:
    from workers import main, outbox_worker
    from workers.process import Stop, hold

    running = bootstrap(settings)
    hold(running)
    main.QuickWorker.stop = Stop()
    outbox_worker.HANDLERS = {**outbox_worker.HANDLERS, _NOTHING: Handler(_NOTHING, _handle)}  # type: ignore[misc]

    def work() -> None:
        main._new_worker(main.QuickWorker, [QUICK], running.redis).work(burst=True, logging_level="WARNING")

    _obey(conversation, work, JsonQueue(QUICK, running.redis))
    running.close()


def _empty_floor(conversation: Connection, settings: Settings) -> None:
    with Redis.from_url(settings.redis_url) as redis:
        queue = Queue("floor", redis, serializer=JSONSerializer)

        def work() -> None:
            worker = SimpleWorker([queue], connection=redis, serializer=JSONSerializer)
            worker.work(burst=True, logging_level="WARNING")

        _obey(conversation, work, queue)


def _obey(conversation: Connection, work: Callable[[], object], queue: Queue) -> None:
    """Work when told, and answer what is left and how long it took, until nobody asks any more."""
    try:
        while conversation.recv():
            began = time.perf_counter()
            work()
            conversation.send((len(queue), time.perf_counter() - began))
    except EOFError:
        return


def _handle(_event: Mapping[str, Any], _use: object) -> None:
    """The empty handler."""
