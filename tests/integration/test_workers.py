"""Workers: at-least-once delivery becomes once, whatever fails, repeats or dies."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import psutil
import pytest
from redis import Redis
from rq import SimpleWorker
from rq.serializers import JSONSerializer
from structlog.testing import capture_logs

from application.operations.dead_letters import ReplayDeadLetters, replay_dead_letters
from application.subscriptions import DOCUMENTS, QUICK, Handler
from application.trying_again import TryAgain
from config.settings import Settings
from domain.identity.users import EmailTaken
from infrastructure.clock import SystemClock
from infrastructure.database.transaction import Database
from infrastructure.messaging.deliveries import MAX_ATTEMPTS, Deliveries
from infrastructure.messaging.event_relay import EventRelay
from infrastructure.messaging.jobs import LEASES, Delivery, JsonJob, JsonQueue, enqueue
from tests.databases import LentDatabase
from tests.integration import works
from tests.integration.outbox import (
    SetClock,
    cut_connections,
    delivery_row,
    effects,
    happen,
    make_effects,
    open_deliveries,
    owner,
)
from tests.integration.shop import units_of_work
from workers.outbox_worker import Post

pytestmark = pytest.mark.database

LEASE = LEASES[QUICK]
Start = Callable[..., multiprocessing.process.BaseProcess]


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
def redis(redis_url: str) -> Iterator[Redis]:
    with Redis.from_url(redis_url) as client:
        yield client


@pytest.fixture
def deliveries(database: Database, clock: SetClock) -> Deliveries:
    return Deliveries(database, clock, jitter=lambda _least, most: most)


@pytest.fixture
def post(database: Database, owner_url: str, deliveries: Deliveries) -> Post:
    make_effects(owner_url)
    return Post(database, None, deliveries)  # type: ignore[arg-type]


def _relay(database: Database, redis: Redis, clock: Any, *handlers: Handler) -> EventRelay:
    return EventRelay(database, redis, clock, subscriptions={"test.happened": handlers})


def _write(database: Database, value: str) -> None:
    with database.transaction() as transaction:
        transaction.execute("INSERT INTO effects (value) VALUES (%s)", [value])
        transaction.commit()


def replay(database: Database, event_id: UUID | None = None) -> int:
    """Replay what is dead, as the command at the terminal does."""
    command = ReplayDeadLetters(actor_id=None, event_id=event_id)
    return replay_dead_letters(command, uow=units_of_work(database)(), clock=SystemClock())


class TestOneDelivery:
    """In this process, with a clock that stands still."""

    @pytest.fixture(autouse=True)
    def _with(self, database: Database, redis: Redis, clock: SetClock, post: Post, deliveries: Deliveries) -> None:
        self.database, self.redis, self.clock, self.post, self.deliveries = database, redis, clock, post, deliveries

    def published(self, handler: Handler, payload: Mapping[str, Any] | None = None) -> Delivery:
        (event_id,) = happen(self.database, "test.happened", payload)
        _relay(self.database, self.redis, self.clock, handler).relay_once()
        return Delivery(event_id, handler.name)

    def row(self, delivery: Delivery) -> dict[str, Any]:
        return delivery_row(self.database, delivery.event_id, delivery.handler)

    def test_the_handler_gets_the_payload_and_is_recorded(self) -> None:
        handler = Handler("test.write", lambda event, _use: _write(self.database, event["value"]))
        delivery = self.published(handler, {"value": "seen"})
        self.post.deliver(handler, delivery)
        assert effects(self.database) == ["seen"]
        assert self.row(delivery)["processed_at"] == self.clock.at
        assert self.row(delivery)["attempts"] == 1

    def test_what_a_failed_handler_wrote_is_gone_and_nothing_says_it_ran(self) -> None:
        def write_and_fail(_event: Any, _use: Any) -> None:
            _write(self.database, "half")
            raise ValueError("customer@example.com")

        handler = Handler("test.fail", write_and_fail)
        delivery = self.published(handler)
        with capture_logs() as logs:
            self.post.deliver(handler, delivery)

        assert effects(self.database) == []
        row = self.row(delivery)
        assert (row["processed_at"], row["dead_at"], row["attempts"]) == (None, None, 1)
        assert row["due_at"] == self.clock.at + timedelta(seconds=2)
        assert row["reason"] == "ValueError"
        assert [line["event"] for line in logs] == ["delivery_failed"]
        assert "customer@example.com" not in str(logs)

    def test_the_reason_of_a_refusal_is_its_code(self) -> None:
        def refuse(_event: Any, _use: Any) -> None:
            raise EmailTaken(email="customer@example.com")

        handler = Handler("test.refuse", refuse)
        delivery = self.published(handler)
        self.post.deliver(handler, delivery)
        assert self.row(delivery)["reason"] == f"EmailTaken ({EmailTaken.code})"

    def test_a_duplicate_of_a_failed_attempt_does_not_jump_its_pause(self) -> None:
        runs: list[int] = []

        def fail(_event: Any, _use: Any) -> None:
            runs.append(1)
            raise ValueError

        for transactional in (True, False):
            runs.clear()
            handler = Handler(f"test.fail_{transactional}", fail, transactional=transactional)
            delivery = self.published(handler)
            for _ in range(3):
                self.post.deliver(handler, delivery)
            assert len(runs) == 1

    def test_pauses_grow_to_ten_minutes(self) -> None:
        delivery = self.published(Handler("test.fail", lambda _event, _use: None))
        pauses = []
        for attempt in range(MAX_ATTEMPTS):
            self.deliveries.fail(Delivery(delivery.event_id, delivery.handler, attempt), "Broken")
            pauses.append((self.row(delivery)["due_at"] - self.clock.at).total_seconds())
        assert pauses == [2, 4, 8, 16, 32, 64, 128, 256, 512, 600]

    def test_poison_is_buried_after_ten_attempts_and_can_be_replayed(self) -> None:
        broken = [True]

        def poison(_event: Any, _use: Any) -> None:
            if broken:
                raise ValueError
            _write(self.database, "cured")

        handler = Handler("test.poison", poison)
        delivery = self.published(handler)
        relay = _relay(self.database, self.redis, self.clock, handler)
        for attempt in range(MAX_ATTEMPTS):
            assert self.row(delivery)["dead_at"] is None
            self.post.deliver(handler, Delivery(delivery.event_id, delivery.handler, attempt))
            self.clock.go_on(timedelta(minutes=10))
        assert self.row(delivery)["dead_at"] is not None
        assert self.row(delivery)["reason"] == "ValueError"
        assert relay.redrive_once() == 0

        broken.clear()
        self.redis.flushdb()
        assert replay(self.database, delivery.event_id) == 1
        assert relay.redrive_once() == 1
        (job,) = JsonQueue(QUICK, self.redis).jobs
        self.post.deliver(handler, Delivery(UUID(job.args[0]), job.args[1], job.args[2]))
        assert effects(self.database) == ["cured"]
        assert replay(self.database) == 0

    def test_what_is_behind_poison_keeps_moving(self) -> None:
        def write_or_fail(event: Mapping[str, Any], _use: Any) -> None:
            if event["value"] == "poison":
                raise ValueError
            _write(self.database, event["value"])

        handler = Handler("test.mixed", write_or_fail)
        delivered = [self.published(handler, {"value": value}) for value in ("poison", "a", "poison", "b")]
        for delivery in delivered:
            self.post.deliver(handler, delivery)
        assert effects(self.database) == ["a", "b"]
        assert open_deliveries(self.database) == 2

    def test_a_unit_that_met_a_deadlock_is_run_again_at_once(self) -> None:
        refusals = [TryAgain(), TryAgain(), TryAgain()]

        def meet_deadlocks(_event: Any, _use: Any) -> None:
            _write(self.database, "tried")
            if refusals:
                raise refusals.pop()

        for transactional, written in ((True, 1), (False, 4)):
            refusals[:] = [TryAgain(), TryAgain(), TryAgain()]
            handler = Handler(f"test.deadlock_{transactional}", meet_deadlocks, transactional=transactional)
            delivery = self.published(handler)
            before = len(effects(self.database))
            self.post.deliver(handler, delivery)
            assert self.row(delivery)["processed_at"] is not None
            assert len(effects(self.database)) - before == written

    @pytest.mark.usefixtures("unconnected")
    def test_a_handler_whose_connection_is_cut_is_run_again(self) -> None:
        runs: list[int] = []

        def lose_connection(_event: Any, _use: Any) -> None:
            runs.append(1)
            if len(runs) == 1:
                cut_connections(self.database)
            _write(self.database, "done")

        handler = Handler("test.cut", lose_connection)
        delivery = self.published(handler)
        self.post.deliver(handler, delivery)
        assert effects(self.database) == ["done"]
        assert self.row(delivery)["processed_at"] is not None

    def test_nobody_else_begins_what_speaks_to_the_outside_within_its_lease(self) -> None:
        meanwhile: list[object] = []

        def mail(_event: Any, _use: Any) -> None:
            meanwhile.append(self.deliveries.begin(delivery, LEASE))  # the same job once more
            self.clock.go_on(LEASE - timedelta(seconds=1))
            meanwhile.append(relay.redrive_once())

        handler = Handler("test.mail", mail, transactional=False)
        relay = _relay(self.database, self.redis, self.clock, handler)
        delivery = self.published(handler)
        self.clock.go_on(LEASE - timedelta(seconds=1))  # it waited in the queue: the lease begins with the work
        self.post.deliver(handler, delivery)
        assert meanwhile == [None, 0]
        assert self.row(delivery)["processed_at"] == self.clock.at

    def test_a_lease_that_ended_is_taken_over_and_its_first_holder_cannot_spoil_that(self) -> None:
        handler = Handler("test.mail", lambda _event, _use: None, transactional=False)
        first = self.published(handler)
        assert self.deliveries.begin(first, LEASE) is not None
        self.clock.go_on(LEASE)
        assert _relay(self.database, self.redis, self.clock, handler).redrive_once() == 1
        second = Delivery(first.event_id, first.handler, 1)
        assert self.deliveries.begin(second, LEASE) is not None
        self.deliveries.fail(first, "TooLate")
        assert self.row(first)["reason"] is None
        assert self.row(first)["attempts"] == 2
        self.deliveries.finish(second)
        assert self.row(first)["processed_at"] is not None

    def test_what_its_first_holder_finished_late_is_not_begun_again(self) -> None:
        handler = Handler("test.mail", lambda _event, _use: None, transactional=False)
        first = self.published(handler)
        self.deliveries.begin(first, LEASE)
        self.clock.go_on(LEASE)
        assert _relay(self.database, self.redis, self.clock, handler).redrive_once() == 1
        self.deliveries.finish(first)
        assert self.deliveries.begin(Delivery(first.event_id, first.handler, 1), LEASE) is None

    def test_two_workers_at_once_run_a_transactional_handler_once(self) -> None:
        inside, go_on = threading.Event(), threading.Event()

        def wait_inside(_event: Any, _use: Any) -> None:
            inside.set()
            go_on.wait(10)
            _write(self.database, "done")

        handler = Handler("test.wait", wait_inside)
        delivery = self.published(handler)
        first = threading.Thread(target=self.post.deliver, args=[handler, delivery])
        first.start()
        inside.wait(10)
        with capture_logs() as logs:
            self.post.deliver(handler, delivery)  # comes back at once: somebody is at it
        assert effects(self.database) == []
        go_on.set()
        first.join()
        assert logs == []
        assert effects(self.database) == ["done"]


class TestJobsOnTheQueue:
    """What stands in Redis is not trusted."""

    @pytest.fixture
    def worker(self, redis: Redis) -> SimpleWorker:
        return SimpleWorker(
            [QUICK], connection=redis, job_class=JsonJob, queue_class=JsonQueue, serializer=JSONSerializer
        )

    def test_a_function_that_is_not_on_the_list_is_neither_imported_nor_run(
        self, redis: Redis, worker: SimpleWorker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        proof = tmp_path / "imported"
        (tmp_path / "uninvited.py").write_text(f"open({str(proof)!r}, 'w').close()")
        monkeypatch.syspath_prepend(tmp_path)
        queue = JsonQueue(QUICK, redis)
        foreign = [queue.enqueue("uninvited.run"), queue.enqueue("os.getpid")]
        redis.hset(foreign[1].key, "failure_callback_name", "uninvited.run")
        worker.work(burst=True)
        assert not proof.exists()
        for job in foreign:
            failure = job.latest_result()
            assert failure is not None and failure.exc_string is not None
            assert "JobRefused" in failure.exc_string

    def test_pickles_are_never_loaded(self, redis: Redis, worker: SimpleWorker, tmp_path: Path) -> None:
        queue = JsonQueue(QUICK, redis)
        job = queue.enqueue("workers.outbox_worker.deliver")
        proof = tmp_path / "loaded"
        redis.hset(
            job.key, mapping={"data": pickle.dumps(_TouchWhenLoaded(proof)), "success_callback_name": "os.abort"}
        )
        worker.work(burst=True)
        assert not proof.exists()
        assert queue.failed_job_registry.get_job_ids() == [job.id]


class _TouchWhenLoaded:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return (os.mknod, (str(self.path),))


class TestWorkerProcesses:
    """Real processes on real queues."""

    @pytest.fixture(autouse=True)
    def _with(self, database: Database, redis: Redis, owner_url: str) -> None:
        from infrastructure.clock import SystemClock

        make_effects(owner_url)
        self.database, self.redis, self.owner_url = database, redis, owner_url
        self.clock = SystemClock()
        self.leases = {QUICK: timedelta(milliseconds=300), DOCUMENTS: timedelta(milliseconds=300)}

    @pytest.fixture
    def start(self, settings: Settings, database: Database) -> Iterator[Start]:
        """Start a worker for a queue; what still runs at the end is killed."""
        started: list[multiprocessing.process.BaseProcess] = []

        def start(queue: str, *more: float) -> multiprocessing.process.BaseProcess:
            # Forked, not spawned: what takes seconds is importing.
            process = multiprocessing.get_context("fork").Process(
                target=works.main, args=(queue, settings, database.url, *more)
            )
            process.start()
            started.append(process)
            return process

        yield start
        for process in started:
            process.kill()
            process.join()
            process.close()

    def relay(self, *names: str) -> EventRelay:
        handlers = tuple(works.HANDLERS[name] for name in names)
        return EventRelay(
            self.database, self.redis, self.clock, subscriptions={"test.happened": handlers}, leases=self.leases
        )

    def until(self, holds: Callable[[], object], seconds: float = 20.0) -> None:
        deadline = time.monotonic() + seconds
        while not holds():
            assert time.monotonic() < deadline, "it did not happen in time"
            time.sleep(0.02)

    def in_the_middle(self, key: int) -> bool:
        """Whether a handler is at its slow part."""
        with owner(self.owner_url) as connection:
            found = connection.execute(
                "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND objid = %s AND database ="
                " (SELECT oid FROM pg_database WHERE datname = current_database())",
                [key],
            )
            return found.fetchone() is not None

    def test_three_workers_and_twenty_copies_of_a_job_make_one_effect(self, start: Start) -> None:
        self.leases = dict(LEASES)
        events = [happen(self.database, "test.happened", {"value": f"{n}"})[0] for n in range(5)]
        self.relay("test.write", "test.write_outside").relay_once()
        queue = JsonQueue(QUICK, self.redis)
        copies = [Delivery(event, name) for event in events for name in ("test.write", "test.write_outside")]
        for number in range(19):
            renamed = [_Copy(each.event_id, each.handler, 0, number) for each in copies]
            enqueue(queue, renamed)
        assert queue.count == 10 * 20
        workers = [start(QUICK) for _ in range(3)]
        self.until(lambda: queue.count == 0 and open_deliveries(self.database) == 0)
        for worker in workers:
            worker.terminate()
        for worker in workers:
            worker.join(10)
        assert [worker.exitcode for worker in workers] == [0, 0, 0]
        assert effects(self.database) == sorted(f"{n}" for n in range(5) for _ in range(2))

    @pytest.mark.parametrize(
        ("name", "queue", "ran"),
        [
            ("test.write_slowly", QUICK, 1),
            ("test.write_in_fork", DOCUMENTS, 1),
            ("test.write_in_fork_outside", DOCUMENTS, 2),
        ],
    )
    def test_what_a_killed_worker_was_at_is_completed_once_by_another(
        self, start: Start, name: str, queue: str, ran: int
    ) -> None:
        happen(self.database, "test.happened", {"value": "done", "key": 7, "seconds": 1})
        relay = self.relay(name)
        relay.relay_once()
        first = start(queue)
        self.until(lambda: self.in_the_middle(7))
        for process in (psutil.Process(first.pid), *psutil.Process(first.pid).children(recursive=True)):
            process.kill()
        first.join()
        start(queue)
        if ran == 2:  # it was begun, so its lease is the worker's own
            with self.database.transaction() as transaction:
                transaction.execute("UPDATE processed_events SET due_at = now()")
                transaction.commit()
        self.until(
            lambda: (relay.redrive_once() and open_deliveries(self.database) == 0) or not open_deliveries(self.database)
        )
        # The effects of a transactional handler went with its worker; the other's had been committed.
        assert effects(self.database) == ["done"] * ran

    def test_a_worker_that_is_told_to_stop_finishes_what_it_is_at(self, start: Start) -> None:
        self.leases = dict(LEASES)
        for key in (8, 9):
            happen(self.database, "test.happened", {"value": f"{key}", "key": key, "seconds": 1.0})
        self.relay("test.write_slowly").relay_once()
        worker = start(QUICK)
        self.until(lambda: self.in_the_middle(8))
        worker.terminate()
        worker.join(10)
        assert worker.exitcode == 0
        assert effects(self.database) == ["8"]
        assert open_deliveries(self.database) == 1

    @pytest.mark.parametrize(
        ("name", "queue"), [("test.write_slowly", QUICK), ("test.write_in_fork", DOCUMENTS)], ids=["quick", "documents"]
    )
    def test_a_job_that_outlasts_the_drain_is_cut_short_and_done_by_another_worker(
        self, start: Start, name: str, queue: str
    ) -> None:
        happen(self.database, "test.happened", {"value": "done", "key": 10, "seconds": 4})
        relay = self.relay(name)
        relay.relay_once()
        worker = start(queue, 1.0)
        self.until(lambda: self.in_the_middle(10))
        asked = time.monotonic()
        worker.terminate()
        worker.join(10)
        assert worker.exitcode is not None
        assert time.monotonic() - asked < 3.5
        assert effects(self.database) == []
        start(queue)
        self.until(lambda: (relay.redrive_once(), effects(self.database) == ["done"])[1])

    def test_every_fork_has_connections_of_its_own(self, start: Start) -> None:
        self.leases = dict(LEASES)
        happen(self.database, "test.happened", {"value": "done", "key": 0, "seconds": 0}, times=3)
        self.relay("test.write_in_fork").relay_once()
        start(DOCUMENTS)
        self.until(lambda: open_deliveries(self.database) == 0)
        assert len({row["backend"] for row in self.database.rows("SELECT backend FROM effects")}) == 3

    def test_a_worker_outlives_a_flushed_queue_and_cut_connections(self, start: Start, lent: LentDatabase) -> None:
        relay = self.relay("test.write")
        worker = start(QUICK)
        for value in ("before", "after"):
            happen(self.database, "test.happened", {"value": value})
            relay.relay_once()
            self.until(lambda: (relay.redrive_once(), open_deliveries(self.database) == 0)[1])
            self.redis.flushdb()
            cut_connections(self.database)
            lent.database.end()
        assert effects(self.database) == ["after", "before"]
        assert worker.is_alive()


class _Copy(Delivery):
    """The same delivery under another job's id."""

    def __init__(self, event_id: UUID, handler: str, attempt: int, number: int) -> None:
        super().__init__(event_id, handler, attempt)
        object.__setattr__(self, "number", number)

    @property
    def job_id(self) -> str:
        return f"{super().job_id}-copy-{self.number}"
