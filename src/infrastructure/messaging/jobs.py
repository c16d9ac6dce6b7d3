"""Jobs as this system uses RQ: JSON payloads, functions from a list, times that end.

Redis is a way to wake workers and never the truth: a job that is lost is enqueued again from PostgreSQL.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from rq import Queue
from rq.job import Job
from rq.serializers import JSONSerializer
from rq.utils import import_attribute

from application.subscriptions import DOCUMENTS, QUICK

DELIVER: Final = "workers.outbox_worker.deliver"
RUN_SCHEDULED: Final = "workers.schedule.run_scheduled"
JOB_FUNCTIONS: Final = frozenset({DELIVER, RUN_SCHEDULED})

LEASES: Final = {QUICK: timedelta(seconds=30), DOCUMENTS: timedelta(seconds=100)}
"""How long a delivery is left alone by queue, from when it was enqueued and again from when it began."""

TIMEOUT_SECONDS: Final = {QUICK: 25, DOCUMENTS: 90}
"""When a job is interrupted; before its lease ends, so that nobody begins beside one that overruns."""

_DONE_JOB_SECONDS: Final = 30
"""How long RQ keeps the record of a job that ran; deleting it at once costs it seven round trips more."""

_FAILED_JOB_SECONDS: Final = 3600
_ANSWER_SECONDS: Final = 4


class JobRefused(Exception):
    """A job that names something which is not one of this system's job functions; nothing was imported."""


class JsonJob(Job):
    """A job whose payload is JSON, whoever makes or fetches it, and whose function is on the list."""

    def __init__(self, id: str | None = None, connection: Redis | None = None, serializer: object = None) -> None:  # noqa: A002 - rq's signature
        super().__init__(id, connection, serializer=JSONSerializer)

    @property
    def func(self) -> Callable[..., Any]:
        """The function to run. Raises JobRefused."""
        if self.func_name not in JOB_FUNCTIONS or self.instance is not None:
            raise JobRefused(f"{self.func_name!r} is no job of this system")
        return import_attribute(self.func_name)

    def restore(self, raw_data: Any) -> None:
        super().restore(raw_data)
        # Callbacks are imported by name, webhooks are posted to addresses: jobs here have neither.
        self._success_callback_name = self._failure_callback_name = self._stopped_callback_name = None
        self.webhooks = []


class JsonQueue(Queue):
    """A queue of JSON jobs, whoever opens it."""

    job_class = JsonJob

    def __init__(self, name: str = "default", connection: Redis | None = None, **options: Any) -> None:
        super().__init__(name, connection, **{**options, "serializer": JSONSerializer, "job_class": JsonJob})


@dataclass(frozen=True, slots=True)
class Delivery:
    """One event on its way to one handler.

    `attempt` counts from 0 what was begun before; a job speaks of one attempt, so that a second job for it
    finds nothing to do, while a try that went wrong is followed by another.
    """

    event_id: UUID
    handler: str
    attempt: int = 0

    @property
    def job_id(self) -> str:
        """The same for the same attempt, in the characters that RQ allows; starts with the event's id."""
        return f"{self.event_id}-{self.handler.replace('.', '-')}-{self.attempt}"


def event_of(job_id: str) -> UUID | None:
    """The event that a job delivers; None for other jobs."""
    try:
        return UUID(job_id[:36])
    except ValueError:
        return None


def enqueue(queue: JsonQueue, deliveries: Sequence[Delivery]) -> None:
    """Put one job per delivery into a queue, all in one go. Raises redis.RedisError."""
    queue.enqueue_many(
        Queue.prepare_data(
            DELIVER,
            args=(str(delivery.event_id), delivery.handler, delivery.attempt),
            job_id=delivery.job_id,
            description=delivery.handler,
            timeout=TIMEOUT_SECONDS[queue.name],
            result_ttl=_DONE_JOB_SECONDS,
            failure_ttl=_FAILED_JOB_SECONDS,
        )
        for delivery in deliveries
    )


def impatient_redis(url: str) -> Redis:
    """A client that gives up soon, for code that holds a transaction while it speaks to Redis."""
    options: dict[str, Any] = {"socket_timeout": _ANSWER_SECONDS, "retry": Retry(NoBackoff(), 1)}
    return Redis.from_url(url, **options)
