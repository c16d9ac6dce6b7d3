"""The web server that the product runs on, started for a benchmark, and the requests that it is asked."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import psutil

from infrastructure.bootstrap import bootstrap
from infrastructure.embedded.processes import die_with_parent, stop_process
from tests.benchmarks.data import Shop
from tests.benchmarks.load import FRESH_KEY, UnexpectedAnswer
from tests.benchmarks.servers import ROOT, System
from tests.machine import free_port

CALLERS = 200
"""How many customers ask, by turns."""

_SECONDS_TO_START = 60.0


@dataclass(slots=True)
class WebServer:
    """A running gunicorn and its worker processes."""

    port: int
    workers: Sequence[psutil.Process]

    def cpu_seconds(self) -> float:
        """User and system time of the workers so far."""
        return sum(float(times.user + times.system) for times in (worker.cpu_times() for worker in self.workers))


def tokens(system: System, shop: Shop) -> list[str]:
    """An access token for each of the callers."""
    running = bootstrap(system.settings)
    use = running.dependencies
    issued = [
        use.tokens.issue(user_id=user, session_id=session, roles=["CUSTOMER"], at=use.clock.now())
        for user, session in shop.customers[:CALLERS]
    ]
    running.close()
    return issued


def request(
    method: str,
    path: str,
    token: str = "",
    body: Mapping[str, Any] | None = None,
    *,
    scheme: str = "Bearer",
    key: str = "Idempotency-Key",
) -> bytes:
    """One request, as it goes over the wire; `scheme` and `key` are what the server calls a token and a key."""
    document = b"" if body is None else orjson.dumps(body)
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", "Accept: application/json"]
    if token:
        lines.append(f"Authorization: {scheme} {token}")
    if body is not None:
        lines += ["Content-Type: application/json", f"Content-Length: {len(document)}"]
        lines.append(f"{key}: {FRESH_KEY.decode()}")
    return "\r\n".join([*lines, "", ""]).encode() + document


def our_environment(system: System) -> dict[str, str]:
    """What our web server is told: this system, and no limits on who comes how often."""
    settings = system.settings
    return {
        "DATABASE_URL": settings.database_url,
        "REDIS_URL": settings.redis_url,
        "ALTAYAR_HOME": str(settings.home),
        "LOG_FORMAT": settings.log_format,
        "RATE_LIMIT_SCALE": "1000000",
        "PROMETHEUS_MULTIPROC_DIR": str(settings.home / "metrics"),
    }


@contextmanager
def web_server(application: str, environment: Mapping[str, str], log: Path, *, workers: int = 1) -> Iterator[WebServer]:
    """The server that the product runs on, with so many worker processes, ended with the block."""
    port = free_port()
    given = {
        **environment,
        "PORT": str(port),
        "WEB_CONCURRENCY": str(workers),
        "PYTHONPATH": str(ROOT / "src"),
    }
    command = [sys.executable, "-m", "gunicorn", "--config", "python:gunicorn_conf", application]
    with gunicorn(command, given, log, port=port, workers=workers, health="/health/live") as server:
        yield server


@contextmanager
def gunicorn(
    command: Sequence[str | Path], environment: Mapping[str, str], log: Path, *, port: int, workers: int, health: str
) -> Iterator[WebServer]:
    """Any gunicorn that listens on the port and answers at the path `health`, ended with the block."""
    with log.open("wb") as said:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env={**os.environ, **environment},
            stdout=said,
            stderr=said,
            start_new_session=True,
            preexec_fn=die_with_parent(signal.SIGTERM),
        )
        try:
            _wait_until_it_listens(process, port, health, log)
            yield WebServer(port, _workers_of(process, workers))
        finally:
            stop_process(process, [(signal.SIGTERM, 15.0)])


def _wait_until_it_listens(process: subprocess.Popen[bytes], port: int, health: str, log: Path) -> None:
    question = f"GET {health} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode()
    deadline = time.monotonic() + _SECONDS_TO_START
    while time.monotonic() < deadline and process.poll() is None:
        # The master listens before its worker has loaded the application: an answer is what counts.
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=_SECONDS_TO_START) as asking:
                asking.sendall(question)
                if asking.recv(1):
                    return
        except OSError:
            time.sleep(0.05)
    raise UnexpectedAnswer(f"the web server did not start: {log.read_text('utf-8', 'replace')[-2000:]}")


def _workers_of(process: subprocess.Popen[bytes], many: int) -> Sequence[psutil.Process]:
    workers = psutil.Process(process.pid).children()
    if len(workers) != many:
        raise UnexpectedAnswer(f"{len(workers)} worker processes where {many} were asked for")
    return workers
