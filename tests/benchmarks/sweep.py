"""Target 17: bookings that nobody paid in time, ended, beside one plain UPDATE of the same rows.

Ours locks bookings, departures and pools, ends bookings and holds, gives seats back, writes history and an event for
each. The floor changes a booking's and a hold's row each, in one transaction, in tables of the same shape that nothing
refers to and no trigger guards: no way of ending a booking is cheaper. For orientation, the same is done to holds alone
and to bookings alone (docs/decisions/0023-a-sweep-is-measured-by-its-rows.md).
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Sequence
from statistics import median
from typing import Any, Final

import psycopg

from application.sales.expiry import expire_bookings
from infrastructure.bootstrap import Running, bootstrap
from infrastructure.database.roles import connect
from tests.benchmarks.cost import processor_seconds
from tests.benchmarks.data import open_shop
from tests.benchmarks.harness import Comparison, Figure, Findings, Target, take_turns
from tests.benchmarks.servers import System, another_database

Owner = psycopg.Connection[tuple[Any, ...]]

SWEEP = Target(17, "sweep of expired holds / one plain UPDATE of the same bookings and holds", gate=0.3, stretch=0.6)
CUSTOMERS: Final = 2_500
BOOKINGS_EACH: Final = 40
HOLDS: Final = CUSTOMERS * BOOKINGS_EACH
DEPARTURES: Final = 1_000

_FLOORS: Final = (
    "CREATE TABLE floor_holds (LIKE holds INCLUDING ALL)",
    "INSERT INTO floor_holds SELECT * FROM holds",
    "CREATE TABLE floor_bookings (LIKE bookings INCLUDING ALL)",
    "INSERT INTO floor_bookings SELECT * FROM bookings",
)
_UPDATE_HOLDS: Final = "UPDATE floor_holds SET status = 'EXPIRED' WHERE status = 'ACTIVE' AND expires_at <= now()"
_UPDATE_BOOKINGS: Final = """
UPDATE floor_bookings SET status = 'CANCELLED', cancelled_at = now(), updated_at = now()
WHERE status = 'PENDING_PAYMENT'
"""
# As they were before: unpaid, out of time, with their seats taken. Nothing takes back a line of a history.
_RESET: Final = (
    "UPDATE bookings SET status = 'PENDING_PAYMENT', cancellation_reason = NULL, cancelled_at = NULL",
    "UPDATE holds SET status = 'ACTIVE', expires_at = now() - interval '1 day'",
    """UPDATE departures d SET seats_taken = h.seats
       FROM (SELECT departure_id, sum(seats) AS seats FROM holds GROUP BY 1) h WHERE h.departure_id = d.id""",
    "DELETE FROM outbox_events",
)
_RESET_FLOORS: Final = (
    "UPDATE floor_holds SET status = 'ACTIVE', expires_at = now() - interval '1 day'",
    "UPDATE floor_bookings SET status = 'PENDING_PAYMENT', cancelled_at = NULL",
)
_FLOORS_NAMED: Final = (
    "plain UPDATE of both",
    "plain UPDATE of bookings alone",
    "plain UPDATE of holds alone, out of reach",
)


def measure(system: System, *, seconds: int, rounds: int) -> Findings:
    """Both end the same holds by turns; `seconds` does not matter: the number of holds is fixed."""
    with another_database(system, "sweep") as apart, contextlib.ExitStack() as opened:
        open_shop(apart, name="sweep", customers=CUSTOMERS, bookings_each=BOOKINGS_EACH, packages=DEPARTURES // 40)
        owner = opened.enter_context(connect(apart.addresses.owner))
        for statement in _FLOORS:
            owner.execute(statement)
        running = bootstrap(apart.settings, pool_size=1)
        opened.callback(running.close)
        ours = _Ending(owner, _RESET, lambda: _sweep(running))
        both = _Ending(owner, _RESET_FLOORS, lambda: _update(owner, _UPDATE_BOOKINGS, _UPDATE_HOLDS))
        bookings = _Ending(owner, _RESET_FLOORS, lambda: _update(owner, _UPDATE_BOOKINGS))
        holds = _Ending(owner, _RESET_FLOORS, lambda: _update(owner, _UPDATE_HOLDS))
        swept, *floors = take_turns(rounds, ours.rate, both.rate, bookings.rate, holds.rate)
    named = dict(zip(_FLOORS_NAMED, floors, strict=True))
    return Findings(
        comparisons=[Comparison(SWEEP, "holds / s", ours=swept, floor=floors[0])],
        figures=[
            *(Figure(f"sweep / {what}", _ratio(swept, floor), "ratio") for what, floor in named.items()),
            *(
                Figure(f"{what}, CPU with PostgreSQL's", median(one.processor) / HOLDS * 1e6, "µs / hold")
                for what, one in zip(("sweep", *_FLOORS_NAMED), (ours, both, bookings, holds), strict=True)
            ),
        ],
    )


def _ratio(swept: Sequence[float], floor: Sequence[float]) -> float:
    return median(sweep / plain for sweep, plain in zip(swept, floor, strict=True))


def _update(owner: Owner, *statements: str) -> int:
    """Each of the statements once, in one transaction; how many rows the last one changed."""
    with owner.transaction():
        return [owner.execute(statement).rowcount for statement in statements][-1]


def _sweep(running: Running) -> int:
    use = running.dependencies
    swept = 0
    while once := expire_bookings(new_uow=use.new_uow, clock=use.clock, new_id=use.new_id):
        swept += once
    return swept


class _Ending:
    """Makes all holds run out, then takes the time that ending them takes."""

    def __init__(self, owner: Owner, reset: Sequence[str], end_all: Callable[[], int]) -> None:
        self._owner = owner
        self._reset = reset
        self._end_all = end_all
        self.processor: list[float] = []
        """Seconds of this process and its servers, by round."""

    def rate(self) -> float:
        """Holds a second; both begin with tables and statistics as they are after a night."""
        for statement in (*self._reset, "VACUUM ANALYZE"):
            self._owner.execute(statement)
        began, processor = time.perf_counter(), processor_seconds()
        ended = self._end_all()
        self.processor.append(processor_seconds() - processor)
        assert ended == HOLDS
        return ended / (time.perf_counter() - began)
