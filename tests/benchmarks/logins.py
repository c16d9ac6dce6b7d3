"""Target 19: how many sign in per core beside bare bcrypt, and what everybody else notices of a storm of them.

The web server runs as many worker processes as there are cores, as the product does; the floor hashes on as many
threads. Everything shares the cores: PostgreSQL and the clients too.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from statistics import median

import bcrypt

from tests.benchmarks.data import let_sign_in, open_shop
from tests.benchmarks.harness import Comparison, Figure, Findings, Target, take_turns
from tests.benchmarks.load import Answers, Generator, Load, generator
from tests.benchmarks.servers import System
from tests.benchmarks.web import WebServer, our_environment, request, tokens, web_server

CORES = len(os.sched_getaffinity(0))
CONNECTIONS = 4 * CORES
"""Of those who sign in: enough that somebody always waits, and nobody is sent away."""

PASSWORD = "correct horse 42"
LOGINS = Target(19, "logins / bare bcrypt on as many threads", gate=0.9, stretch=0.97)
OTHERS = Target(19, "p99 of the list in a storm of logins / without", gate=2, stretch=1.3, at_most=True)


def measure(system: System, *, seconds: int, rounds: int) -> Findings:
    """Logins and bare hashes by turns; then the list with and without others who sign in."""
    shop = open_shop(system, name="logins")
    let_sign_in(system, shop, PASSWORD)
    listing = [request("GET", "/api/v1/bookings", token) for token in tokens(system, shop)]
    environment = {**our_environment(system), "BCRYPT_COST": str(system.settings.bcrypt_cost)}
    with (
        web_server("wsgi:app", environment, system.home / "logins.log", workers=CORES) as ours,
        generator() as those_who_sign_in,
        generator() as the_others,
    ):
        logins = Logins(ours, those_who_sign_in, _logins(len(shop.customers)))
        lists = Lists(ours, the_others, listing)
        floor = Floor(system.settings.bcrypt_cost)
        lists.p99(seconds)
        logins.rate(1)
        rates = take_turns(rounds, lambda: logins.rate(seconds), lambda: floor.rate(seconds))
        storms = take_turns(rounds, lambda: _in_a_storm(lists, logins, seconds), lambda: lists.p99(seconds))
    return Findings(
        comparisons=[
            Comparison(LOGINS, "a second", ours=rates[0], floor=rates[1]),
            Comparison(OTHERS, "ms", ours=storms[0], floor=storms[1]),
        ],
        figures=[
            Figure(f"login, p99 at {CONNECTIONS} connections", median(logins.p99s), "ms"),
            Figure("logins beside the list", median(logins.beside), "a second"),
        ],
    )


@dataclass(slots=True)
class Logins:
    """Customers who sign in, by turns."""

    server: WebServer
    load: Generator
    requests: Sequence[bytes]
    p99s: list[float] = field(default_factory=list)
    beside: list[float] = field(default_factory=list)
    """Rates while others asked for something else."""

    def rate(self, seconds: float) -> float:
        """Logins a second, from the first request to the last answer."""
        began = time.perf_counter()
        answers = self.load.run(Load(self.server.port, self.requests, 200, CONNECTIONS, seconds))
        self.p99s.append(answers.percentile(99))
        return len(answers.seconds) / (time.perf_counter() - began)


@dataclass(slots=True)
class Lists:
    """Customers who look at their bookings, two at a time."""

    server: WebServer
    load: Generator
    requests: Sequence[bytes]

    def p99(self, seconds: float) -> float:
        """Milliseconds."""
        answers: Answers = self.load.run(Load(self.server.port, self.requests, 200, 2, seconds))
        return answers.percentile(99)


@dataclass(slots=True)
class Floor:
    """bcrypt and nothing else, on a thread for each core."""

    cost: int

    def rate(self, seconds: float) -> float:
        """Passwords checked a second."""
        known = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(self.cost))
        began = time.perf_counter()
        with ThreadPoolExecutor(CORES) as threads:
            checked = sum(threads.map(lambda _: _check_until(began + seconds, known), range(CORES)))
        return checked / (time.perf_counter() - began)


def _check_until(end: float, known: bytes) -> int:
    checked = 0
    while time.perf_counter() < end:
        bcrypt.checkpw(PASSWORD.encode(), known)
        checked += 1
    return checked


def _in_a_storm(lists: Lists, logins: Logins, seconds: int) -> float:
    with _storm(logins, seconds + 2):
        # The queue is full before anybody else asks.
        time.sleep(1)
        return lists.p99(seconds)


@contextmanager
def _storm(logins: Logins, seconds: int) -> Iterator[None]:
    """Sign in for so long; joined with the block, and what went wrong there is raised here."""
    with ThreadPoolExecutor(1) as beside:
        rate = beside.submit(logins.rate, seconds)
        yield
        logins.beside.append(rate.result())


def _logins(customers: int) -> list[bytes]:
    return [
        request("POST", "/api/v1/auth/login", body={"email": f"logins{number}@example.com", "password": PASSWORD})
        for number in range(1, customers + 1)
    ]
