"""The processes behind `altayar worker`, `altayar relay` and `altayar scheduler`.

Each drains within 30 s of SIGTERM or SIGINT, and outlives restarts of PostgreSQL and Redis.
"""

from __future__ import annotations

import gc
import os
import random
import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from types import FrameType
from typing import ClassVar, Final

import structlog
from redis import Redis, RedisError
from redis.client import Pipeline
from rq import Queue, SimpleWorker, Worker
from rq.exceptions import StopRequested
from rq.job import Job
from rq.serializers import JSONSerializer
from rq.utils import now
from rq.worker.base import BaseWorker

from application.subscriptions import QUEUES, QUICK
from config.settings import SettingsError, load_settings
from infrastructure.bootstrap import Running, bootstrap
from infrastructure.logging import configure_logging
from infrastructure.messaging.event_relay import EventRelay
from infrastructure.messaging.jobs import JsonJob, JsonQueue, impatient_redis
from workers.process import Stop, hold, this_process
from workers.scheduler import JobScheduler

DRAIN_SECONDS: Final = 26.0
"""How long a job may go on after a stop was requested; less than the 30 s that a drain may take."""

_HEARTBEAT: Final = timedelta(seconds=5)
_WORKER_SECONDS: Final = 60
"""RQ's time to live of a worker; also bounds how long a silent connection to Redis is waited on."""

log = structlog.get_logger(__name__)


class _Draining(BaseWorker):
    """RQ's worker, made to end in time and to come back soon."""

    stop: ClassVar[Stop]
    max_connection_wait_time = 5.0
    _asks_again_at: datetime = datetime.min.replace(tzinfo=UTC)

    def request_stop(self, signum: int, frame: FrameType | None) -> None:
        self.stop.requested = True
        super().request_stop(signum, frame)  # type: ignore[no-untyped-call]

    def check_for_suspension(self, burst: bool) -> None:
        """RQ asks before each job; who suspends waits a few seconds instead."""
        # Asked to stop before RQ listened to signals.
        if self.stop.requested:
            raise StopRequested
        if now() < self._asks_again_at:
            return
        super().check_for_suspension(burst)
        self._asks_again_at = now() + _HEARTBEAT

    def set_state(self, state: str, pipeline: Pipeline | None = None) -> None:
        """RQ says after each job that it is idle, and again before the next."""
        if state != self.get_state():
            super().set_state(state, pipeline)

    def heartbeat(self, timeout: int | None = None, pipeline: Pipeline | None = None) -> None:
        """Three round trips, which RQ makes several times a job; one in a few seconds says as much."""
        if pipeline is None and self.last_heartbeat and now() - self.last_heartbeat < _HEARTBEAT:
            return
        super().heartbeat(timeout, pipeline)

    def handle_warm_shutdown_request(self) -> None:
        """Insist when the job in hand takes too long; its delivery is enqueued again when its lease ends."""
        insist = threading.Timer(DRAIN_SECONDS, os.kill, (os.getpid(), signal.SIGTERM))
        insist.daemon = True
        insist.start()


class QuickWorker(_Draining, SimpleWorker):
    """Runs short jobs in its own process: nothing is forked, connections are kept."""


class ForkingWorker(_Draining, Worker):
    """Runs each job in a fork, so that what leaks, hangs or crashes takes only itself along."""

    def main_work_horse(self, job: Job, queue: Queue) -> None:
        this_process().database.forget()
        super().main_work_horse(job, queue)


def run_worker(queues: Sequence[str]) -> None:
    """Work on these queues (all, when none is named) until asked to stop. Raises SettingsError."""
    names = tuple(queues) or QUEUES
    unknown = sorted(set(names) - set(QUEUES))
    if unknown:
        raise SettingsError(f"there is no queue {unknown[0]!r}; there are {', '.join(QUEUES)}")
    with _process() as (running, stop):
        quick = set(names) == {QUICK}
        if not quick:
            # Two seconds of work, most of it fonts and types of C libraries, that every fork inherits.
            running.dependencies.renderer.prepare()
        # What is loaded stays: a fork that looked for garbage in it would copy all of its pages.
        gc.freeze()
        work(QuickWorker if quick else ForkingWorker, names, running, stop)


def run_relay() -> None:
    """Relay events until asked to stop."""
    with _process() as (running, stop), closing(impatient_redis(running.settings.redis_url)) as redis:
        EventRelay(running.database, redis, running.dependencies.clock).run(stop)


def run_scheduler() -> None:
    """Wake periodic work until asked to stop. Raises ClockNotUtc."""
    with _process() as (running, stop):
        JobScheduler(running.redis).run(stop)


def work(kind: type[_Draining], names: Sequence[str], running: Running, stop: Stop) -> None:
    """Work until asked to stop; start over when RQ's worker gave up because Redis was gone."""
    _Draining.stop = stop
    hold(running)
    while not stop.requested:
        try:
            _new_worker(kind, names, running.redis).work(logging_level="WARNING")
        except RedisError as error:
            log.warning("worker_waits", reason=type(error).__name__)
        except StopRequested:
            break
        finally:
            stop.listen()
        stop.wait(random.uniform(0.5, 2.0))  # noqa: S311 - no secret


def _new_worker(kind: type[_Draining], names: Sequence[str], redis: Redis) -> _Draining:
    return kind(
        list(names),
        connection=redis,
        job_class=JsonJob,
        queue_class=JsonQueue,
        serializer=JSONSerializer,
        worker_ttl=_WORKER_SECONDS,
        log_job_description=False,
    )


@contextmanager
def _process() -> Iterator[tuple[Running, Stop]]:
    """Settings, logs, the system and the wish to stop, from a process's start to its end."""
    settings = load_settings()
    configure_logging(settings)
    stop = Stop()
    stop.listen()
    running = bootstrap(settings)
    log.info("process_started", pid=os.getpid())
    try:
        yield running, stop
    finally:
        running.close()
        log.info("process_stopped", pid=os.getpid())
