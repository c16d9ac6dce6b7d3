"""Two works that meet on a lock, in the order that a test decides: nothing is left to who is quicker."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from infrastructure.database.roles import DatabaseAddresses, connect
from infrastructure.database.transaction import Database

Answer = TypeVar("Answer")

# Asked by the role that waits: others do not see what a session is at.
_WAITING = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


def one_behind_the_other(
    first: Callable[[], object], second: Callable[[], Answer], *, database: Database, addresses: DatabaseAddresses
) -> Answer | BaseException:
    """Do the first, and commit it when the second waits for it; what the second then answered or raised."""
    with ThreadPoolExecutor(1) as thread, connect(addresses.app) as watcher:
        with database.transaction() as transaction:
            first()
            # Statements that nobody asks an answer of are only sent with the next one that has one.
            transaction.rows("SELECT 1 AS sent")
            behind = thread.submit(second)
            while watcher.execute(_WAITING).fetchone() is None:
                assert not behind.done(), "the second waited for nothing"
            transaction.commit()
        return behind.exception() or behind.result()
