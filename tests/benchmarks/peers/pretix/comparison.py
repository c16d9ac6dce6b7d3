"""Targets 9 to 11: creating and listing bookings beside creating and listing pretix's orders, over HTTP.

Both run under gunicorn with two worker processes, on one PostgreSQL and one Valkey. Every answer is checked, and so
are the books of both when all is done.
"""

from __future__ import annotations

from functools import partial
from statistics import median

import orjson

from infrastructure.database.roles import connect
from tests.benchmarks.data import open_shop
from tests.benchmarks.harness import Comparison, Figure, Findings, Target, take_turns
from tests.benchmarks.http import Route, bookings_to_create, latencies
from tests.benchmarks.load import UnexpectedAnswer, ask_once, generator
from tests.benchmarks.peers.pretix.installation import LISTED, SOLD, Installation, installation
from tests.benchmarks.servers import System
from tests.benchmarks.web import our_environment, request, tokens, web_server

CREATE = Target(9, "create booking / pretix create order, requests", gate=12, stretch=25)
LIST = Target(10, "list of 20 bookings / pretix list of 20 orders, requests", gate=25, stretch=50)
TAIL = Target(11, "create booking / pretix create order, p99", gate=0.15, stretch=0.05, at_most=True)

WORKERS = 2
PAGE = 20
"""Our default; pretix's is 50, so it is asked for 20."""

_WARM_UP_SECONDS = 3.0
"""pretix's workers load much only when it is first asked for."""

# A booking without its hold, its event or its kept answer would not be what is promised.
_BOOKS = """
SELECT (SELECT count(*) FROM bookings WHERE status = 'PENDING_PAYMENT'),
       (SELECT count(*) FROM holds WHERE status = 'ACTIVE'),
       (SELECT count(*) FROM outbox_events WHERE name = 'sales.booking_placed'),
       (SELECT count(*) FROM idempotency_keys WHERE status_code = 201)
"""


def measure(system: System, *, seconds: int, rounds: int) -> Findings:
    """Our creation, theirs, our list, theirs by turns, each at 8 connections."""
    shop = open_shop(system, name="pretix")
    signed_in = tokens(system, shop)
    with (
        installation(system) as pretix,
        web_server("wsgi:app", our_environment(system), system.home / "web.log", workers=WORKERS) as our_server,
        pretix.web_server(workers=WORKERS) as their_server,
        generator() as load,
    ):
        _create_the_listed(pretix, their_server.port)
        created = Route(our_server, load, bookings_to_create(shop, signed_in), 201)
        ordered = Route(their_server, load, pretix.orders_to_create(SOLD), 201)
        bookings = Route(our_server, load, [request("GET", "/api/v1/bookings", token) for token in signed_in], 200)
        orders = Route(their_server, load, [pretix.list_request(LISTED, PAGE)], 200)
        _check_page(bookings, "items")
        _check_page(orders, "results")
        before = _our_books(system)
        routes = created, ordered, bookings, orders
        for route in routes:
            route.warm_up(_WARM_UP_SECONDS)
        rates = take_turns(rounds, *(partial(route.rate, seconds) for route in routes))
        _check_our_books(system, before, created.total)
        pretix.check_books(SOLD, ordered.total)
    return Findings(
        comparisons=[
            Comparison(CREATE, "requests / s", ours=rates[0], floor=rates[1]),
            Comparison(LIST, "requests / s", ours=rates[2], floor=rates[3]),
            Comparison(TAIL, "ms", ours=_tails(created), floor=_tails(ordered)),
        ],
        figures=[
            Figure("CPU of a creation, pretix / ours", median(ordered.micros) / median(created.micros), "ratio"),
            Figure("CPU of a list, pretix / ours", median(orders.micros) / median(bookings.micros), "ratio"),
            *latencies("create booking", created.answered),
            *latencies("pretix create order", ordered.answered),
            *latencies("list of bookings", bookings.answered),
            *latencies("pretix list of orders", orders.answered),
        ],
    )


def _tails(route: Route) -> list[float]:
    return [answers.percentile(99) for answers in route.answered]


def _create_the_listed(pretix: Installation, port: int) -> None:
    for order in pretix.orders_to_create(LISTED)[:PAGE]:
        ask_once(port, order, 201)
    pretix.check_books(LISTED, PAGE)


def _check_page(route: Route, rows: str) -> None:
    """Raises UnexpectedAnswer unless a page holds as many rows as are compared."""
    page = orjson.loads(ask_once(route.server.port, route.requests[0], route.status))
    if len(page[rows]) != PAGE:
        raise UnexpectedAnswer(f"{len(page[rows])} rows where {PAGE} are compared")


def _our_books(system: System) -> list[int]:
    with connect(system.addresses.owner) as connection:
        return [int(count) for count in connection.execute(_BOOKS).fetchone() or ()]


def _check_our_books(system: System, before: list[int], created: int) -> None:
    """Raises UnexpectedAnswer unless each creation that was answered left everything that belongs to it."""
    made = [now - then for then, now in zip(before, _our_books(system), strict=True)]
    if made != [created] * len(made):
        raise UnexpectedAnswer(f"{created} bookings were answered, but bookings, holds, events and keys are {made}")
