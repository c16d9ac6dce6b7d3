"""The relay: every event reaches every handler's queue, whatever is killed, lost or slow."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from redis import Redis, RedisError
from redis.client import Pipeline
from structlog.testing import capture_logs

from application.subscriptions import DOCUMENTS, QUICK, Handler
from infrastructure.database.refusals import DatabaseUnavailable
from infrastructure.database.transaction import Database
from infrastructure.messaging.deliveries import MAX_ATTEMPTS, Deliveries
from infrastructure.messaging.event_relay import EventRelay
from infrastructure.messaging.jobs import LEASES, Delivery, JsonJob, JsonQueue, impatient_redis
from tests.integration.outbox import (
    SetClock,
    count,
    cut_connections,
    delivery_row,
    effects,
    happen,
    make_effects,
    open_deliveries,
    owner,
    published,
)
from workers.outbox_worker import Post
from workers.process import Stop

pytestmark = pytest.mark.database

LEASE = LEASES[QUICK]


def _nothing(_event: Any, _use: Any) -> None:
    return


SUBSCRIPTIONS = {
    "test.happened": (Handler("test.quick", _nothing), Handler("test.drawn", _nothing, queue=DOCUMENTS)),
    "test.counted": (Handler("test.count", _nothing),),
}


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
def redis(redis_url: str) -> Iterator[Redis]:
    with Redis.from_url(redis_url) as client:
        yield client


@pytest.fixture
def relay(database: Database, redis: Redis, clock: SetClock) -> EventRelay:
    return EventRelay(database, redis, clock, subscriptions=SUBSCRIPTIONS)


class AfterEnqueueing(Redis):
    """A Redis client at a crash point: `then` happens when the jobs are in and nothing is committed."""

    then: Callable[[], None]

    def pipeline(self, *args: Any, **options: Any) -> Pipeline:
        pipeline = super().pipeline(*args, **options)
        execute = pipeline.execute

        def execute_then(*args: Any, **options: Any) -> Any:
            answer = execute(*args, **options)
            self.then()
            return answer

        pipeline.execute = execute_then  # type: ignore[method-assign]
        return pipeline


def test_an_event_becomes_one_job_for_each_of_its_handlers(
    database: Database, redis: Redis, relay: EventRelay, clock: SetClock
) -> None:
    (event_id,) = happen(database, "test.happened")

    assert relay.relay_once() == 1

    (quick,) = JsonQueue(QUICK, redis).jobs
    (drawn,) = JsonQueue(DOCUMENTS, redis).jobs
    assert quick.args == [str(event_id), "test.quick", 0]
    assert drawn.args == [str(event_id), "test.drawn", 0]
    assert delivery_row(database, event_id, "test.quick")["due_at"] == clock.at + LEASE
    assert delivery_row(database, event_id, "test.drawn")["due_at"] == clock.at + LEASES[DOCUMENTS]
    assert relay.relay_once() == 0


def test_payloads_in_redis_are_json(database: Database, redis: Redis, relay: EventRelay) -> None:
    happen(database, "test.counted")
    relay.relay_once()
    (job,) = JsonQueue(QUICK, redis).jobs
    assert isinstance(job, JsonJob)
    assert job.data.startswith(b'["workers.outbox_worker.deliver", null, [')


def test_an_event_that_nobody_awaits_is_only_marked(database: Database, redis: Redis, relay: EventRelay) -> None:
    happen(database, "test.nobody_listens")
    assert relay.relay_once() == 1
    assert published(database) == 1
    assert open_deliveries(database) == 0
    assert JsonQueue(QUICK, redis).count == 0


def test_many_relays_share_the_work_and_repeat_none_of_it(
    database: Database, redis_url: str, redis: Redis, clock: SetClock
) -> None:
    happen(database, "test.counted", times=2000)

    def drain() -> None:
        with Redis.from_url(redis_url) as own:
            relay = EventRelay(database, own, clock, subscriptions=SUBSCRIPTIONS, batch=100)
            while relay.relay_once():
                continue

    relays = [threading.Thread(target=drain) for _ in range(4)]
    for thread in relays:
        thread.start()
    for thread in relays:
        thread.join()

    assert published(database) == 2000
    job_ids = JsonQueue(QUICK, redis).job_ids
    assert len(job_ids) == len(set(job_ids)) == 2000


@pytest.mark.usefixtures("unconnected")
def test_a_crash_after_enqueueing_repeats_the_job_and_does_the_work_once(
    database: Database, owner_url: str, redis_url: str, relay: EventRelay, clock: SetClock
) -> None:
    make_effects(owner_url)
    (event_id,) = happen(database, "test.counted")

    with AfterEnqueueing.from_url(redis_url) as crashing:
        crashing.then = lambda: cut_connections(database)
        with pytest.raises(DatabaseUnavailable):
            EventRelay(database, crashing, clock, subscriptions=SUBSCRIPTIONS).relay_once()

    handler = _writing(database)
    _deliver(database, clock, handler, event_id)
    assert effects(database) == []  # the job of a publication that was rolled back
    assert relay.relay_once() == 1
    _deliver(database, clock, handler, event_id)
    _deliver(database, clock, handler, event_id)
    assert effects(database) == ["done"]


def test_a_worker_that_is_quicker_than_the_relays_commit_waits_for_it(
    database: Database, owner_url: str, redis_url: str, clock: SetClock
) -> None:
    make_effects(owner_url)
    (event_id,) = happen(database, "test.counted")
    handler = _writing(database)
    worker = threading.Thread(target=lambda: _deliver(database, clock, handler, event_id))

    def begin_early() -> None:
        worker.start()
        _until_somebody_waits_for_a_lock(owner_url)

    with AfterEnqueueing.from_url(redis_url) as slow:
        slow.then = begin_early
        EventRelay(database, slow, clock, subscriptions=SUBSCRIPTIONS).relay_once()
    worker.join()
    assert effects(database) == ["done"]


def test_nothing_is_handed_over_while_redis_is_gone(
    database: Database, relay: EventRelay, clock: SetClock, tmp_path: Path
) -> None:
    happen(database, "test.counted", times=3)
    with impatient_redis(f"unix://{tmp_path}/nobody.sock") as gone, pytest.raises(RedisError):
        EventRelay(database, gone, clock, subscriptions=SUBSCRIPTIONS).relay_once()
    assert published(database) == 0
    assert relay.relay_once() == 3


def test_a_relay_without_redis_says_so_once_and_goes_on_when_it_is_back(
    database: Database, redis: Redis, redis_url: str, clock: SetClock
) -> None:
    happen(database, "test.counted", times=3)
    stop = Stop()
    outage = Outage(redis_url, refusals=4, then=stop)
    with capture_logs() as logs:
        EventRelay(database, outage.client, clock, subscriptions=SUBSCRIPTIONS).run(stop)
    assert [line["event"] for line in logs] == ["relay_waits", "relay_works_again"]
    assert published(database) == 3
    assert JsonQueue(QUICK, redis).count == 3


def test_what_a_flushed_redis_forgot_is_enqueued_again_when_it_is_due(
    database: Database, redis: Redis, relay: EventRelay, clock: SetClock
) -> None:
    happen(database, "test.counted", times=5)
    relay.relay_once()
    redis.flushdb()
    clock.go_on(LEASE - timedelta(seconds=1))
    assert relay.redrive_once() == 0
    clock.go_on(timedelta(seconds=1))
    assert relay.redrive_once() == 5
    assert JsonQueue(QUICK, redis).count == 5
    assert relay.redrive_once() == 0  # a new lease


def test_a_delivery_that_was_retried_is_enqueued_with_its_attempt(
    database: Database, redis: Redis, relay: EventRelay, clock: SetClock
) -> None:
    (event_id,) = happen(database, "test.counted")
    relay.relay_once()
    redis.flushdb()
    Deliveries(database, clock, jitter=lambda _least, most: most).fail(Delivery(event_id, "test.count"), "Broken")
    clock.go_on(timedelta(seconds=2))
    relay.redrive_once()
    (job,) = JsonQueue(QUICK, redis).jobs
    assert job.args == [str(event_id), "test.count", 1]


def test_a_long_queue_is_not_made_longer_by_what_still_waits_in_it(
    database: Database, redis: Redis, relay: EventRelay, clock: SetClock
) -> None:
    happen(database, "test.counted", times=3)
    relay.relay_once()
    clock.go_on(timedelta(seconds=1))
    happen(database, "test.counted", times=7)
    relay.relay_once()
    queue = JsonQueue(QUICK, redis)
    lost = [queue.pop_job_id() for _ in range(2)]  # by a worker that died; the third of their batch is at the front
    clock.go_on(LEASE)

    assert relay.redrive_once() == 10

    assert queue.count == 8 + 3
    assert set(queue.job_ids) >= set(lost)


def test_what_kills_every_worker_that_begins_it_is_buried(
    database: Database, redis: Redis, relay: EventRelay, clock: SetClock
) -> None:
    (event_id,) = happen(database, "test.counted")
    relay.relay_once()
    for attempt in range(MAX_ATTEMPTS):
        assert Deliveries(database, clock).begin(Delivery(event_id, "test.count", attempt), LEASE) is not None
        clock.go_on(LEASE)
    redis.flushdb()

    with capture_logs() as logs:
        relay.redrive_once()

    row = delivery_row(database, event_id, "test.count")
    assert (row["dead_at"], row["reason"]) == (clock.at, "WorkerDied")
    assert JsonQueue(QUICK, redis).count == 0
    assert [line["event"] for line in logs] == ["delivery_dead"]


def test_deliveries_of_another_release_are_left_to_its_relays(
    database: Database, redis: Redis, relay: EventRelay, clock: SetClock
) -> None:
    (event_id,) = happen(database, "test.counted")
    relay.relay_once()
    newer = {"test.counted": (Handler("test.of_next_release", _nothing),)}
    with database.transaction() as transaction:
        transaction.execute("UPDATE processed_events SET handler = 'test.of_next_release'")
        transaction.commit()
    clock.go_on(LEASE)
    assert relay.redrive_once() == 0
    assert EventRelay(database, redis, clock, subscriptions=newer).redrive_once() == 1
    assert delivery_row(database, event_id, "test.of_next_release")["dead_at"] is None


def test_a_stopped_relay_has_finished_its_batch(database: Database, redis_url: str, clock: SetClock) -> None:
    happen(database, "test.counted", times=250)
    stop = Stop()
    with AfterEnqueueing.from_url(redis_url) as stopping:
        stopping.then = lambda: setattr(stop, "requested", True)
        EventRelay(database, stopping, clock, subscriptions=SUBSCRIPTIONS, batch=100).run(stop)
    assert published(database) == open_deliveries(database) == 100


@pytest.mark.usefixtures("unconnected")
def test_the_relay_comes_back_by_itself_when_its_connections_are_cut(
    database: Database, owner_url: str, redis: Redis, clock: SetClock
) -> None:
    stop = Stop()
    running = threading.Thread(
        target=EventRelay(database, redis, clock, subscriptions=SUBSCRIPTIONS).run, args=[stop], daemon=True
    )
    running.start()
    happen(database, "test.counted")
    cut_connections(database)
    with owner(owner_url) as connection:
        connection.execute(
            "INSERT INTO outbox_events (id, name, version, payload, occurred_at)"
            " VALUES (gen_random_uuid(), 'test.counted', 1, '{}', now())"
        )
        while connection.execute("SELECT count(*) FROM outbox_events WHERE published_at IS NULL").fetchone() != (0,):
            stop.wait(0.01)
    stop.requested = True
    running.join(5)
    assert count(database, "SELECT count(*) FROM processed_events") == 2


class Outage:
    """A Redis client that refuses so many pipelines, then works once and asks for a stop."""

    def __init__(self, redis_url: str, *, refusals: int, then: Stop) -> None:
        self._left = refusals
        self.client = AfterEnqueueing.from_url(redis_url)
        real = self.client.pipeline

        def pipeline(*args: Any, **more: Any) -> Pipeline:
            if self._left:
                self._left -= 1
                raise RedisError("gone")
            return real(*args, **more)

        self.client.pipeline = pipeline  # type: ignore[method-assign]
        self.client.then = lambda: setattr(then, "requested", True)


def _writing(database: Database) -> Handler:
    def write(_event: Any, _use: Any) -> None:
        with database.transaction() as transaction:
            transaction.execute("INSERT INTO effects (value) VALUES ('done')")
            transaction.commit()

    return Handler("test.count", write)


def _deliver(database: Database, clock: SetClock, handler: Handler, event_id: Any) -> None:
    post = Post(database, None, Deliveries(database, clock))  # type: ignore[arg-type]
    post.deliver(handler, Delivery(event_id, handler.name))


def _until_somebody_waits_for_a_lock(owner_url: str) -> None:
    waiting = (
        "SELECT count(*) FROM pg_locks JOIN pg_stat_activity USING (pid)"
        " WHERE NOT granted AND datname = current_database()"
    )
    with owner(owner_url) as connection:
        deadline = time.monotonic() + 2
        while connection.execute(waiting).fetchone() == (0,):
            assert time.monotonic() < deadline, "nobody waits"
            time.sleep(0.005)
