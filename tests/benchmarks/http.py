"""Targets 7 and 8: the processor time of a request to the real web server, beside that of Flask's `/json`.

Both run under gunicorn as src/gunicorn_conf.py configures it, with one worker process each. Counted is the
user and system time of the worker, not of PostgreSQL.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any
from uuid import UUID

from tests.benchmarks.data import Shop, open_shop
from tests.benchmarks.harness import Comparison, Figure, Findings, Target, take_turns
from tests.benchmarks.load import Answers, Generator, Load, generator
from tests.benchmarks.servers import System
from tests.benchmarks.web import WebServer, our_environment, request, tokens, web_server

CONNECTIONS = 8

LIST = Target(7, "list of 20 bookings, CPU / Flask /json CPU", gate=3.5, stretch=2.5, at_most=True)
CREATE = Target(8, "create booking, CPU / Flask /json CPU", gate=6, stretch=4, at_most=True)

_WARM_UP_SECONDS = 1.0


def measure(system: System, *, seconds: int, rounds: int) -> Findings:
    """`/json`, the list and the creation by turns, each at 8 connections."""
    shop = open_shop(system, name="http")
    signed_in = tokens(system, shop)
    with (
        web_server("wsgi:app", our_environment(system), system.home / "web.log") as ours,
        web_server("tests.benchmarks.floors.json_app:app", {}, system.home / "floor.log") as floor,
        generator() as load,
    ):
        routes = (
            Route(floor, load, [request("GET", "/json")], 200),
            Route(ours, load, [request("GET", "/api/v1/bookings", token) for token in signed_in], 200),
            Route(ours, load, bookings_to_create(shop, signed_in), 201),
        )
        for route in routes:
            route.warm_up(_WARM_UP_SECONDS)
        json, listed, created = take_turns(rounds, *(_costing(route, seconds) for route in routes))
    return Findings(
        comparisons=[
            Comparison(LIST, "µs CPU", ours=listed, floor=json),
            Comparison(CREATE, "µs CPU", ours=created, floor=json),
        ],
        figures=[
            *latencies("Flask /json", routes[0].answered),
            *latencies("list", routes[1].answered),
            *latencies("create", routes[2].answered),
        ],
    )


@dataclass(slots=True)
class Route:
    """One kind of request to one server, and the answers so far."""

    server: WebServer
    load: Generator
    requests: Sequence[bytes]
    status: int
    answered: list[Answers] = field(default_factory=list)
    micros: list[float] = field(default_factory=list)
    """Of the workers' processor time per request, one for each of `answered`."""
    total: int = 0
    """Answers since the server started, the forgotten ones included."""

    def warm_up(self, seconds: float) -> None:
        """Ask, and forget what came."""
        self.rate(seconds)
        self.answered.clear()
        self.micros.clear()

    def rate(self, seconds: float) -> float:
        """Answers a second."""
        before = self.server.cpu_seconds()
        answers = self.load.run(Load(self.server.port, self.requests, self.status, CONNECTIONS, seconds))
        self.answered.append(answers)
        self.micros.append((self.server.cpu_seconds() - before) / len(answers.seconds) * 1e6)
        self.total += len(answers.seconds)
        return answers.rate

    def cost(self, seconds: float) -> float:
        """Microseconds of the workers' processor time per request."""
        self.rate(seconds)
        return self.micros[-1]


def _costing(route: Route, seconds: int) -> Any:
    return lambda: route.cost(seconds)


def latencies(what: str, answered: Sequence[Answers]) -> list[Figure]:
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


def bookings_to_create(shop: Shop, signed_in: Sequence[str]) -> list[bytes]:
    """One for each departure, by customers in turn: no two at once want the same row."""
    return [
        request("POST", "/api/v1/bookings", signed_in[number % len(signed_in)], _booking(package, departure))
        for number, (package, departure) in enumerate(shop.departures)
    ]


def _booking(package: UUID, departure: UUID) -> dict[str, Any]:
    return {
        "package_id": package,
        "departure_id": departure,
        "travelers_count": 2,
        "travelers": [{"first_name": "Mona", "last_name": "Adel"}, {"first_name": "Karim", "last_name": "Adel"}],
    }
