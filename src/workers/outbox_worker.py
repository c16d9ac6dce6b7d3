"""Delivers events: the one job function that the relay enqueues.

A job only says which delivery it is about. Whether there is something to do, how often it was tried and
what came of it stands in PostgreSQL, so jobs may be lost, doubled, late or early.
"""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeVar
from uuid import UUID

import psycopg
import structlog

from application.dependencies import Dependencies
from application.origin import Origin, acting
from application.subscriptions import HANDLERS, Handler
from application.trying_again import TryAgain
from domain.shared.errors import Busy, DomainError
from infrastructure.database.refusals import DatabaseUnavailable
from infrastructure.database.transaction import Database
from infrastructure.messaging.deliveries import Deliveries
from infrastructure.messaging.jobs import LEASES, Delivery
from workers.process import this_process

RETRIES: Final = 3

log = structlog.get_logger(__name__)

Answer = TypeVar("Answer")


def deliver(event_id: str, handler_name: str, attempt: int = 0) -> None:
    """Run one handler on one event, once; a failure is noted and tried again later, never raised."""
    handler = HANDLERS.get(handler_name)
    if handler is None:
        # A rollout is under way: workers of the other release know it, and a relay will ask them.
        log.error("handler_unknown", event_id=event_id, handler=handler_name)
        return
    running = this_process()
    post = Post(running.database, running.dependencies, Deliveries(running.database, running.dependencies.clock))
    with acting(Origin(request_id=event_id, user_agent=f"altayar worker {handler_name}", via="worker")):
        post.deliver(handler, Delivery(UUID(event_id), handler_name, attempt))


@dataclass(frozen=True, slots=True)
class Post:
    """Brings deliveries to their handlers, with what those need."""

    database: Database
    dependencies: Dependencies
    deliveries: Deliveries

    def deliver(self, handler: Handler, delivery: Delivery) -> None:
        """Run the handler if the delivery is still to be done; note what came of it."""
        run = self._in_one_transaction if handler.transactional else self._between_transactions
        try:
            run(handler, delivery)
        except Exception as error:  # noqa: BLE001 - whatever a handler raises, its delivery is tried again or buried
            self._note_failure(delivery, error)

    def _in_one_transaction(self, handler: Handler, delivery: Delivery) -> None:
        _retried(lambda: self._handle_and_record(handler, delivery))

    def _handle_and_record(self, handler: Handler, delivery: Delivery) -> None:
        """What the handler writes and the record that it ran are committed together, or not at all."""
        with self.database.transaction() as transaction:
            event = self.deliveries.take(delivery)
            if event is None:
                return
            handler.handle(event, self.dependencies)
            transaction.commit()

    def _between_transactions(self, handler: Handler, delivery: Delivery) -> None:
        """For handlers that speak to the outside: nothing is locked meanwhile, a lease keeps others away."""
        event = _retried(lambda: self.deliveries.begin(delivery, LEASES[handler.queue]))
        if event is None:
            return
        _retried(lambda: handler.handle(event, self.dependencies), on=(TryAgain,))
        _retried(lambda: self.deliveries.finish(delivery))

    def _note_failure(self, delivery: Delivery, error: Exception) -> None:
        facts = {
            "event_id": str(delivery.event_id),
            "handler": delivery.handler,
            "attempt": delivery.attempt,
            "reason": reason_of(error),
            "where": _where(error),
        }
        try:
            dead = _retried(lambda: self.deliveries.fail(delivery, reason_of(error)))
        except (DatabaseUnavailable, TryAgain, Busy, psycopg.Error) as also:
            # Its lease ends by itself, then a relay enqueues it again.
            log.error("delivery_failed_unrecorded", **facts, because=reason_of(also))
            return
        if dead:
            log.error("delivery_dead", **facts)
        else:
            log.warning("delivery_failed", **facts)


def reason_of(error: BaseException) -> str:
    """An error's class and code; its text may hold what people wrote."""
    code = error.code if isinstance(error, DomainError) else getattr(error, "sqlstate", None)
    return f"{type(error).__name__} ({code})" if code else type(error).__name__


def _where(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    return f"{frames[-1].filename}:{frames[-1].lineno}" if frames else ""


def _retried(work: Callable[[], Answer], on: tuple[type[Exception], ...] = (TryAgain, DatabaseUnavailable)) -> Answer:
    """Run idempotent work again where the database only asks for that, or was restarted."""
    for tried in range(RETRIES):
        try:
            return work()
        except on as error:
            if isinstance(error, DatabaseUnavailable):
                time.sleep(0.2 * 3**tried)
    return work()
