"""A company on servers of its own, which a test may stop, fill and break: its webhooks, its workers, its disks."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Iterator
from pathlib import Path

from redis import Redis
from rq import SimpleWorker
from rq.serializers import JSONSerializer

from application.subscriptions import DOCUMENTS, QUICK
from infrastructure.bootstrap import Running
from infrastructure.database.migrations import upgrade
from infrastructure.database.roles import DatabaseAddresses, ensure_roles
from infrastructure.embedded import postgres as embedded
from infrastructure.embedded.postgres import EmbeddedPostgres
from infrastructure.messaging.event_relay import EventRelay
from infrastructure.messaging.jobs import JsonJob, JsonQueue
from infrastructure.seed import seed
from tests.conftest import MovableClock, _settings
from workers.process import hold

KEPT = {"fsync": "off", "max_connections": "60", "scram_iterations": "1", "autovacuum": "off"}
"""A server that is killed loses nothing that it confirmed; only the machine may not be."""


@contextlib.contextmanager
def own_postgres(folder: Path) -> Iterator[tuple[EmbeddedPostgres, DatabaseAddresses]]:
    """A server for a block, with a migrated and seeded database."""
    server = EmbeddedPostgres(folder, settings=KEPT)
    try:
        addresses = ensure_roles(server.start())
        upgrade(addresses)
        url = addresses.owner.render_as_string(hide_password=False)
        seed(_settings(url, "redis://unused", folder), addresses, demo=False)
        yield server, addresses
    finally:
        server.discard()


def stop_at_once(server: EmbeddedPostgres) -> None:
    """`pg_ctl stop -m immediate`: no checkpoint, no goodbye; what was confirmed is recovered at the next start."""
    folder = server.folder
    program = embedded._programs(folder) / "pg_ctl"
    command = [program, "stop", "-m", "immediate", "-D", embedded._data(folder)]
    subprocess.run(command, check=True, cwd="/", stdout=subprocess.DEVNULL, **folder.account.for_popen())
    server.stop()


def work_off(running: Running, clock: MovableClock, redis_url: str) -> None:
    """What relay and workers do about everything that waits, once; what Redis forgot comes back when it is due."""
    hold(running)
    with Redis.from_url(redis_url) as connection:
        relay = EventRelay(running.database, connection, clock)
        while relay.relay_once():
            continue
        relay.redrive_once()
        queues = [JsonQueue(name, connection) for name in (QUICK, DOCUMENTS)]
        worker = SimpleWorker(queues, connection=connection, job_class=JsonJob, serializer=JSONSerializer)
        worker.work(burst=True)  # type: ignore[no-untyped-call]
