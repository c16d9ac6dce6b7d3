"""Target 17: bookings that nobody paid in time, ended, beside one plain UPDATE of as many holds.

Ours locks bookings, departures and pools, ends bookings and holds, gives seats back, writes history and an event for
each; the floor changes a status in a table of the same shape that nothing refers to. For orientation, the same is done
to a table of the shape of `bookings`: no way of ending a booking is cheaper.
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

SWEEP = Target(17, "sweep of expired holds / one plain UPDATE, holds", gate=0.3, stretch=0.6)
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
_RESET_HOLDS: Final = ("UPDATE floor_holds SET status = 'ACTIVE', expires_at = now() - interval '1 day'",)
_RESET_BOOKINGS: Final = ("UPDATE floor_bookings SET status = 'PENDING_PAYMENT', cancelled_at = NULL",)


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
        holds = _Ending(owner, _RESET_HOLDS, lambda: owner.execute(_UPDATE_HOLDS).rowcount)
        bookings = _Ending(owner, _RESET_BOOKINGS, lambda: owner.execute(_UPDATE_BOOKINGS).rowcount)
        swept, updated, ended = take_turns(rounds, ours.rate, holds.rate, bookings.rate)
    ratios = [sweep / plain for sweep, plain in zip(swept, ended, strict=True)]
    return Findings(
        comparisons=[Comparison(SWEEP, "holds / s", ours=swept, floor=updated)],
        figures=[
            Figure("sweep / one plain UPDATE of as many bookings", median(ratios), "ratio"),
            *(
                Figure(f"{what}, CPU with PostgreSQL's", median(one.processor) / HOLDS * 1e6, "µs / hold")
                for what, one in (("sweep", ours), ("UPDATE of holds", holds), ("UPDATE of bookings", bookings))
            ),
        ],
    )


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
