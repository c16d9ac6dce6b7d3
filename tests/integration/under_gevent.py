"""What happens in a process that gevent has patched: `python -m tests.integration.under_gevent DATABASE_URL FOLDER`.

Prints what was seen, by scenario, as JSON. A process of its own, because patching cannot be taken back.
"""

from __future__ import annotations

# Before anything that it changes is imported.
from gevent import monkey

monkey.patch_all()

import json  # noqa: E402
import sys  # noqa: E402
import time  # noqa: E402
from collections.abc import Callable, Iterator  # noqa: E402
from contextlib import contextmanager  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import Any  # noqa: E402

import gevent  # noqa: E402
from sqlalchemy.engine import make_url  # noqa: E402

from domain.shared.errors import DomainError  # noqa: E402
from infrastructure.database.transaction import Database  # noqa: E402
from infrastructure.hashing import HashThreads, Slots  # noqa: E402

Seen = dict[str, Any]
_sleep_without_gevent = monkey.get_original("time", "sleep")
_TERMINATE = """
SELECT pg_terminate_backend(pid) AS told FROM pg_stat_activity
WHERE query LIKE 'SELECT pg_sleep%%' AND pid <> pg_backend_pid() AND state = 'active' AND usename = current_user
  AND datname = current_database()
"""


def slow_query(url: str) -> Seen:
    """One greenlet waits for the server; others read and write meanwhile."""
    database, order = Database(make_url(url)), []

    def slow() -> None:
        database.rows("SELECT pg_sleep(1)")
        order.append("slow")

    def quick() -> None:
        for _ in range(3):
            database.rows("SELECT 1")
        with database.transaction() as begun:
            begun.row("SELECT 1")
            begun.commit()
        order.append("quick")

    waiting = gevent.spawn(slow)
    gevent.sleep(0.1)
    gevent.joinall([gevent.spawn(quick), waiting], raise_error=True)
    return {"order": order}


def lost_backend(url: str) -> Seen:
    """The server ends the connection that a greenlet waits on; then everything works again."""
    database = Database(make_url(url))
    found = []

    def read() -> None:
        database.rows("SELECT pg_sleep(20)")

    def write() -> None:
        with database.transaction() as begun:
            begun.row("SELECT pg_sleep(20)")

    for wait in (read, write):
        waiting = gevent.spawn(_outcome, wait)
        gevent.sleep(0.5)
        told = len(database.rows(_TERMINATE))
        found.append({"told": told, "outcome": waiting.get(timeout=5), "then": database.rows("SELECT 1 AS one")})
    return {"found": found}


def ended_greenlet(url: str) -> Seen:
    """Somebody stops waiting for an answer: it is not taken for that of the next question."""
    database = Database(make_url(url), pool_size=1)
    for transaction in (False, True):
        with gevent.Timeout(0.3, False):
            if transaction:
                with database.transaction() as begun:
                    begun.row("SELECT pg_sleep(1), 'stale' AS answer")
            else:
                database.rows("SELECT pg_sleep(1), 'stale' AS answer")
    with database.transaction() as begun:
        written = begun.row("SELECT 'fresh' AS answer")
    return {"read": database.rows("SELECT 'fresh' AS answer"), "written": [written]}


def long_pipeline(url: str) -> Seen:
    """Five thousand statements whose answers nobody waits for leave the others their turns."""
    database = Database(make_url(url))
    with _ticks() as ticks, database.transaction() as begun:
        before = len(ticks)
        for number in range(5000):
            begun.execute("SELECT %s::int", (number,))
        return {"turns": len(ticks) - before}


def hashing(folder: str) -> Seen:
    """Two processes' worth of threads share the cores; the loop goes on meanwhile."""
    slots = Slots(Path(folder), 2)
    at_work: list[int] = []
    most: list[int] = []

    def work() -> bytes:
        at_work.append(1)
        most.append(len(at_work))
        _sleep_without_gevent(0.1)
        at_work.pop()
        return b"hash"

    one, other = HashThreads(slots), HashThreads(slots)
    with _ticks() as ticks:
        asked = [gevent.spawn(threads, work) for threads in (one, other) for _ in range(6)]
        gevent.joinall(asked, raise_error=True)
    return {"most_at_once": max(most), "answers": len(most), "turns": len(ticks)}


def overload(folder: str) -> Seen:
    """More ask than can be served in time: those are sent away at once, the rest is served, and then all again."""
    threads = HashThreads(Slots(Path(folder), 1))

    def work() -> bytes:
        _sleep_without_gevent(0.02)
        return b"hash"

    asked = [gevent.spawn(_outcome, lambda: threads(work)) for _ in range(60)]
    gevent.sleep(0)
    sent_away = sum(one.ready() for one in asked)
    gevent.joinall(asked)
    outcomes = [one.value for one in asked]
    return {
        "sent_away_at_once": sent_away,
        "refusals": sorted({outcome for outcome in outcomes if outcome != "done"}),
        "served": outcomes.count("done"),
        "after": _outcome(lambda: threads(work)),
    }


def _outcome(act: Callable[[], object]) -> str:
    try:
        act()
    except DomainError as error:
        return error.code
    return "done"


@contextmanager
def _ticks() -> Iterator[list[float]]:
    """Grows whenever another greenlet has its turn."""
    ticks: list[float] = []

    def tick() -> None:
        while True:
            ticks.append(time.monotonic())
            gevent.sleep(0)

    ticking = gevent.spawn(tick)
    try:
        yield ticks
    finally:
        ticking.kill()


if __name__ == "__main__":
    url, folder = sys.argv[1:]
    of_database, of_hashing = (slow_query, lost_backend, ended_greenlet, long_pipeline), (hashing, overload)
    found = {scenario.__name__: scenario(url) for scenario in of_database}
    found |= {scenario.__name__: scenario(folder) for scenario in of_hashing}
    sys.stdout.write(json.dumps(found))
