"""The scheduler: rq-scheduler wakes periodic jobs; PostgreSQL says whether there is something to do.

It may wake too often, twice or late without harm. What it keeps in Redis is put back whenever it is
missing, because rq-scheduler loses a job that it was moving when it died.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final

import structlog
from redis import Redis, RedisError
from rq_scheduler import Scheduler

from infrastructure.messaging.event_relay import Stopping
from infrastructure.messaging.jobs import RUN_SCHEDULED, TIMEOUT_SECONDS, JsonJob, JsonQueue
from workers.jobs import JOBS, ScheduledJob

INTERVAL_SECONDS: Final = 5

_FAILED_JOB_SECONDS: Final = 3600

log = structlog.get_logger(__name__)


class ClockNotUtc(Exception):
    """The process runs in a zone of its own; rq-scheduler reads and writes local times."""


class JobScheduler:
    """Wakes every scheduled job in its rhythm; any number may run. Raises ClockNotUtc."""

    def __init__(self, redis: Redis, jobs: Iterable[ScheduledJob] = tuple(JOBS.values())) -> None:
        if time.timezone or time.daylight:
            raise ClockNotUtc("start the scheduler with TZ=UTC")
        self._jobs = tuple(jobs)
        # Jobs and queues carry the JSON serializer themselves: rq-scheduler knows of none.
        self._scheduler = Scheduler(
            connection=redis, interval=INTERVAL_SECONDS, job_class=JsonJob, queue_class=JsonQueue
        )

    def register(self) -> None:
        """Write down every job as this release has it, to be woken at once; what it has no more is forgotten."""
        for job in self._jobs:
            self._register(job)
        known = {_job_id(job) for job in self._jobs}
        for record in self._scheduler.get_jobs():
            if record.func_name == RUN_SCHEDULED and record.id not in known:
                self._scheduler.cancel(record)

    def wake_due(self) -> None:
        """Put the jobs whose time has come at the front of their queues, unless another scheduler does it."""
        if not self._scheduler.acquire_lock():
            return
        try:
            for job in self._jobs:
                if _job_id(job) not in self._scheduler:
                    self._register(job)
            self._scheduler.enqueue_jobs()
        finally:
            self._scheduler.remove_lock()

    def run(self, stop: Stopping) -> None:
        """Register, then wake until a stop is requested; waits for Redis when it is gone."""
        registered, reachable = False, True
        while not stop.requested:
            try:
                if not registered:
                    self.register()
                    registered = True
                self.wake_due()
                reachable = True
            except RedisError as error:
                if reachable:
                    log.warning("scheduler_waits", reason=type(error).__name__)
                reachable = False
            stop.wait(INTERVAL_SECONDS)

    def _register(self, job: ScheduledJob) -> None:
        self._scheduler.schedule(
            datetime.now(UTC),
            RUN_SCHEDULED,
            args=[job.name],
            id=_job_id(job),
            description=job.name,
            interval=int(job.every.total_seconds()),
            queue_name=job.queue,
            timeout=TIMEOUT_SECONDS[job.queue],
            # The same record is used for every run: it has to outlive each of them.
            result_ttl=-1,
            at_front=True,
        )


def _job_id(job: ScheduledJob) -> str:
    return f"scheduled-{job.name.replace('.', '-')}"
