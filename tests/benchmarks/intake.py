"""Target 13: a verified, stored, published webhook beside an endpoint that does nothing but one INSERT.

Both run under gunicorn as src/gunicorn_conf.py configures it, with one worker process each, on one PostgreSQL. What
counts is requests per second of the worker's processor time; rates on the wall say as much of PostgreSQL's disk.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from itertools import count
from statistics import median
from uuid import uuid4

import orjson

from infrastructure.database.roles import connect
from infrastructure.payment.sandbox import SIGNATURE_HEADER, sign
from tests.benchmarks.harness import Comparison, Figure, Findings, Target, take_turns
from tests.benchmarks.http import CONNECTIONS, Route
from tests.benchmarks.load import generator
from tests.benchmarks.servers import System
from tests.benchmarks.web import our_environment, web_server

INTAKE = Target(13, "webhook intake / an endpoint with one INSERT, requests per second of CPU", gate=0.5, stretch=0.8)
DUPLICATES = "the same webhook again, requests per second of CPU / one INSERT"

_WARM_UP_SECONDS = 1.0
_MOST_A_SECOND = 4_000
"""More than one worker answers: each webhook is new."""

_FLOOR = "CREATE TABLE floor_events (id uuid PRIMARY KEY, body bytea NOT NULL, received_at timestamptz NOT NULL)"


def measure(system: System, *, seconds: int, rounds: int) -> Findings:
    """New webhooks, the same webhook over and over, and the floor by turns, each at 8 connections."""
    address = system.addresses.app
    with connect(system.addresses.owner) as connection:
        connection.execute(_FLOOR)
        connection.execute(f'GRANT INSERT ON floor_events TO "{address.username}"')
    floor_environment = {
        "FLOOR_DATABASE_URL": address.render_as_string(hide_password=False),
        "PYTHONPATH": "src",
    }
    with (
        web_server("wsgi:app", our_environment(system), system.home / "intake.log") as ours,
        web_server("tests.benchmarks.floors.insert_app:app", floor_environment, system.home / "insert.log") as floor,
        generator() as load,
    ):
        webhooks = _Webhooks(system.settings.sandbox_secret)
        new = Route(ours, load, [], 200)
        again = Route(ours, load, [], 200)
        insert = Route(floor, load, [webhooks.request("/events")], 200)

        def of_new(lasting: float) -> float:
            new.requests = webhooks.different(int(lasting * _MOST_A_SECOND))
            return new.cost(lasting)

        def of_one(lasting: float) -> float:
            again.requests = webhooks.different(1)
            return again.cost(lasting)

        measures: list[Callable[[float], float]] = [of_new, of_one, insert.cost]
        for one in measures:
            one(_WARM_UP_SECONDS)
        for route in (new, again, insert):
            route.answered.clear()
        told, repeated, kept = take_turns(rounds, *(_lasting(one, seconds) for one in measures))
    rates = [[1e6 / cost for cost in costs] for costs in (told, repeated, kept)]
    return Findings(
        comparisons=[Comparison(INTAKE, "req / CPU s", ours=rates[0], floor=rates[2])],
        figures=[
            Figure(DUPLICATES, median(ours / of for ours, of in zip(rates[1], rates[2], strict=True)), "ratio"),
            *(
                Figure(f"{what}, p{percent} at {CONNECTIONS} connections", _percentile(route, percent), "ms")
                for what, route in (("intake", new), ("one INSERT", insert))
                for percent in (50, 99)
            ),
            *(
                Figure(f"{what}, on the wall", _rate(route, seconds), "req / s")
                for what, route in (("intake", new), ("one INSERT", insert))
            ),
        ],
    )


class _Webhooks:
    """Signed webhooks of the sandbox, as they go over the wire."""

    def __init__(self, secret: str) -> None:
        self._secret = secret
        self._numbers = count(1)

    def different(self, many: int) -> list[bytes]:
        return [self.request("/api/v1/payments/webhooks/sandbox_json") for _ in range(many)]

    def request(self, path: str) -> bytes:
        body = orjson.dumps(
            {
                "id": f"evt_{uuid4().hex}",
                "type": "checkout.paid",
                "checkout_id": str(uuid4()),
                "merchant_reference": f"pa_{next(self._numbers):032x}",
            }
        )
        signature = sign(body, secret=self._secret, at=datetime.now(UTC))
        lines = [
            f"POST {path} HTTP/1.1",
            "Host: 127.0.0.1",
            "User-Agent: sandbox",
            "Accept: */*",
            "Content-Type: application/json",
            f"Content-Length: {len(body)}",
            f"{SIGNATURE_HEADER}: {signature}",
        ]
        return "\r\n".join([*lines, "", ""]).encode() + body


def _lasting(one: Callable[[float], float], seconds: int) -> Callable[[], float]:
    return lambda: one(seconds)


def _percentile(route: Route, percent: float) -> float:
    return median(answers.percentile(percent) for answers in route.answered)


def _rate(route: Route, seconds: int) -> float:
    return median(len(answers.seconds) / seconds for answers in route.answered)
