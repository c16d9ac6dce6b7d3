"""Targets 7 and 8: the processor time of a request to the real web server, beside that of Flask's `/json`.

Both run under gunicorn as src/gunicorn_conf.py configures it, with one worker process each. Counted is the
user and system time of the worker, not of PostgreSQL.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any
from uuid import UUID

import orjson
import psutil

from infrastructure.bootstrap import bootstrap
from infrastructure.embedded.processes import die_with_parent, stop_process
from tests.benchmarks.data import Shop, open_shop
from tests.benchmarks.harness import Comparison, Figure, Findings, Target, take_turns
from tests.benchmarks.load import FRESH_KEY, Answers, Generator, Load, UnexpectedAnswer, generator
from tests.benchmarks.servers import ROOT, System

CONNECTIONS = 8
CALLERS = 200
"""How many customers ask, by turns."""

LIST = Target(7, "list of 20 bookings, CPU / Flask /json CPU", gate=3.5, stretch=2.5, at_most=True)
CREATE = Target(8, "create booking, CPU / Flask /json CPU", gate=6, stretch=4, at_most=True)

_SECONDS_TO_START = 60.0
_WARM_UP_SECONDS = 1.0


def measure(system: System, *, seconds: int, rounds: int) -> Findings:
    """`/json`, the list and the creation by turns, each at 8 connections."""
    shop = open_shop(system)
    tokens = _tokens(system, shop)
    with (
        _web_server("wsgi:app", _our_environment(system), system.home / "web.log") as ours,
        _web_server("tests.benchmarks.floors.json_app:app", {}, system.home / "floor.log") as floor,
        generator() as load,
    ):
        routes = (
            Route(floor, load, [_request("GET", "/json")], 200),
            Route(ours, load, [_request("GET", "/api/v1/bookings", token) for token in tokens], 200),
            Route(ours, load, _bookings_to_create(shop, tokens), 201),
        )
        for route in routes:
            route.cost(_WARM_UP_SECONDS)
            route.answered.clear()
        json, listed, created = take_turns(rounds, *(_costing(route, seconds) for route in routes))
    return Findings(
        comparisons=[
            Comparison(LIST, "µs CPU", ours=listed, floor=json),
            Comparison(CREATE, "µs CPU", ours=created, floor=json),
        ],
        figures=[
            *_latencies("Flask /json", routes[0].answered),
            *_latencies("list", routes[1].answered),
            *_latencies("create", routes[2].answered),
        ],
    )


@dataclass(slots=True)
class WebServer:
    """A running gunicorn and its one worker process."""

    port: int
    worker: psutil.Process

    def cpu_seconds(self) -> float:
        """User and system time of the worker so far."""
        times = self.worker.cpu_times()
        return float(times.user + times.system)


@dataclass(slots=True)
class Route:
    """One kind of request to one server, and the answers so far."""

    server: WebServer
    load: Generator
    requests: Sequence[bytes]
    status: int
    answered: list[Answers] = field(default_factory=list)

    def cost(self, seconds: float) -> float:
        """Microseconds of the worker's processor time per request."""
        before = self.server.cpu_seconds()
        answers = self.load.run(Load(self.server.port, self.requests, self.status, CONNECTIONS, seconds))
        self.answered.append(answers)
        return (self.server.cpu_seconds() - before) / len(answers.seconds) * 1e6


def _costing(route: Route, seconds: int) -> Any:
    return lambda: route.cost(seconds)


def _latencies(what: str, answered: Sequence[Answers]) -> list[Figure]:
    """Medians over the rounds."""
    return [
        Figure(
            f"{what}, p{percent} at {CONNECTIONS} connections",
            median(answers.percentile(percent) for answers in answered),
            "ms",
        )
        for percent in (50, 99)
    ]


# What is asked ----------------------------------------------------------------------------------------


def _tokens(system: System, shop: Shop) -> list[str]:
    running = bootstrap(system.settings)
    use = running.dependencies
    issued = [
        use.tokens.issue(user_id=user, session_id=session, roles=["CUSTOMER"], at=use.clock.now())
        for user, session in shop.customers[:CALLERS]
    ]
    running.close()
    return issued


def _bookings_to_create(shop: Shop, tokens: Sequence[str]) -> list[bytes]:
    """One for each departure, by customers in turn: no two at once want the same row."""
    return [
        _request("POST", "/api/v1/bookings", tokens[number % len(tokens)], _booking(package, departure))
        for number, (package, departure) in enumerate(shop.departures)
    ]


def _booking(package: UUID, departure: UUID) -> dict[str, Any]:
    return {
        "package_id": package,
        "departure_id": departure,
        "travelers_count": 2,
        "travelers": [{"first_name": "Mona", "last_name": "Adel"}, {"first_name": "Karim", "last_name": "Adel"}],
    }


def _request(method: str, path: str, token: str = "", body: Mapping[str, Any] | None = None) -> bytes:
    document = b"" if body is None else orjson.dumps(body)
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", "Accept: application/json"]
    if token:
        lines.append(f"Authorization: Bearer {token}")
    if body is not None:
        lines += ["Content-Type: application/json", f"Content-Length: {len(document)}"]
        lines.append(f"Idempotency-Key: {FRESH_KEY.decode()}")
    return "\r\n".join([*lines, "", ""]).encode() + document


# Servers ----------------------------------------------------------------------------------------------


def _our_environment(system: System) -> dict[str, str]:
    settings = system.settings
    return {
        "DATABASE_URL": settings.database_url,
        "REDIS_URL": settings.redis_url,
        "ALTAYAR_HOME": str(settings.home),
        "LOG_FORMAT": settings.log_format,
        "PROMETHEUS_MULTIPROC_DIR": str(settings.home / "metrics"),
    }


@contextmanager
def _web_server(application: str, environment: Mapping[str, str], log: Path) -> Iterator[WebServer]:
    """One worker of the server that the product runs on, ended with the block."""
    port = _free_port()
    with log.open("wb") as said:
        process = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", "--config", "python:gunicorn_conf", application],
            cwd=ROOT,
            env={
                **os.environ,
                **environment,
                "PORT": str(port),
                "WEB_CONCURRENCY": "1",
                "PYTHONPATH": str(ROOT / "src"),
            },
            stdout=said,
            stderr=said,
            start_new_session=True,
            preexec_fn=die_with_parent(signal.SIGTERM),
        )
        try:
            _wait_until_it_listens(process, port, log)
            yield WebServer(port, _worker_of(process))
        finally:
            stop_process(process, [(signal.SIGTERM, 15.0)])


def _free_port() -> int:
    with socket.socket() as asked:
        asked.bind(("127.0.0.1", 0))
        port: int = asked.getsockname()[1]
        return port


def _wait_until_it_listens(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + _SECONDS_TO_START
    while time.monotonic() < deadline and process.poll() is None:
        # The master listens before its worker has loaded the application: an answer is what counts.
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=_SECONDS_TO_START) as asking:
                asking.sendall(b"GET /health/live HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
                if asking.recv(1):
                    return
        except OSError:
            time.sleep(0.05)
    raise UnexpectedAnswer(f"the web server did not start: {log.read_text('utf-8', 'replace')[-2000:]}")


def _worker_of(process: subprocess.Popen[bytes]) -> psutil.Process:
    workers = psutil.Process(process.pid).children()
    if len(workers) != 1:
        raise UnexpectedAnswer(f"{len(workers)} worker processes where one was asked for")
    return workers[0]
