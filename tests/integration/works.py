"""What worker processes of these tests run: handlers whose effects are rows, in place of the application's."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from sqlalchemy.engine import URL

import workers.main
from application.dependencies import Dependencies
from application.subscriptions import DOCUMENTS, QUICK, Handler
from config.settings import Settings
from infrastructure.bootstrap import bootstrap
from infrastructure.database.transaction import Database
from workers import outbox_worker
from workers.main import DRAIN_SECONDS, ForkingWorker, QuickWorker, work
from workers.process import Stop, this_process


def write(event: Mapping[str, Any], _use: Dependencies) -> None:
    """Write down that it ran, in the handler's transaction or in one of its own."""
    with this_process().database.transaction() as transaction:
        transaction.execute("INSERT INTO effects (value) VALUES (%s)", [event["value"]])
        transaction.commit()


def write_slowly(event: Mapping[str, Any], use: Dependencies) -> None:
    """Write, then take the time that the event asks for before it counts."""
    write(event, use)
    with this_process().database.transaction() as transaction:
        # Seen by the test while the handler is in the middle of its work.
        transaction.row("SELECT pg_advisory_xact_lock_shared(%s)", [event["key"]])
        if event["key"]:
            time.sleep(event["seconds"])
        transaction.commit()


HANDLERS = {
    handler.name: handler
    for handler in (
        Handler("test.write", write),
        Handler("test.write_slowly", write_slowly),
        Handler("test.write_outside", write, transactional=False),
        Handler("test.write_in_fork", write_slowly, queue=DOCUMENTS),
        Handler("test.write_in_fork_outside", write_slowly, queue=DOCUMENTS, transactional=False),
    )
}


def main(queue: str, settings: Settings, app_url: URL, drain_seconds: float = DRAIN_SECONDS) -> None:
    """A worker on one queue, until it is told to stop; its job in hand may go on for so long then."""
    workers.main.DRAIN_SECONDS = drain_seconds  # type: ignore[misc]
    outbox_worker.HANDLERS = HANDLERS  # type: ignore[misc]
    stop = Stop()
    stop.listen()
    running = bootstrap(settings, database=Database(app_url))
    work(QuickWorker if queue == QUICK else ForkingWorker, [queue], running, stop)
    running.close()
