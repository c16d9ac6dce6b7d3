"""A bounded pool of connections, lent and taken back by the interpreter's own queues.

SQLAlchemy opens them, and the ORM works on them; but a loan of its pool is two objects, a weak reference that watches
over them and a dozen calls, and costs more than many a statement.
"""

from __future__ import annotations

import contextlib
import queue
from collections import deque
from types import TracebackType
from typing import Final, cast

import psycopg
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import PoolProxiedConnection

from infrastructure.database.connections import HoldingConnection
from infrastructure.database.prepared import PreparedStatements
from infrastructure.database.refusals import DatabaseUnavailable, meaning_of

CHECKOUT_SECONDS: Final = 5


class PooledConnection:
    """One connection for as long as it lives, with what it remembers of its statements."""

    __slots__ = ("driver", "for_orm", "prepared")

    def __init__(self, engine: Engine) -> None:
        """Open it. Raises what SQLAlchemy and psycopg raise."""
        self.for_orm: PoolProxiedConnection = engine.raw_connection()
        self.driver = cast(HoldingConnection, self.for_orm.driver_connection)
        # From here on SQLAlchemy neither waits for it nor watches over it.
        self.for_orm.detach()
        self.prepared = PreparedStatements(self.driver)

    @property
    def is_sound(self) -> bool:
        """False once it broke: the ORM lets go of its own when it sees that first."""
        return not self.driver.closed and self.for_orm.is_valid


class ConnectionPool:
    """At most `size` connections of an engine, opened when first needed; the last to come home goes out first.

    `engine` must not pool by itself.
    """

    def __init__(self, engine: Engine, size: int) -> None:
        self.engine = engine
        self._size = size
        self._idle: deque[PooledConnection] = deque()
        self._places = _places(size)

    @property
    def lent(self) -> int:
        """Connections that somebody has."""
        return self._size - self._places.qsize()

    @property
    def idle(self) -> int:
        """Connections that are open, and that nobody has."""
        return len(self._idle)

    def loan(self) -> Loan:
        """A connection for a block. Raises DatabaseUnavailable, and what `refusals.py` makes of the block's errors."""
        return Loan(self)

    def dispose(self) -> None:
        """Close those that nobody has now, and those that somebody has when they come home."""
        idle, self._idle = self._idle, deque()
        with contextlib.suppress(IndexError):
            while True:
                idle.pop().driver.close()

    def forget(self) -> None:
        """In a forked child: let go of the parent's connections without ending them there."""
        self._idle, self._places = deque(), _places(self._size)


def _places(size: int) -> queue.SimpleQueue[None]:
    """One for each connection that may be lent; looked up now, as gevent puts its own kind of queue in its place."""
    places: queue.SimpleQueue[None] = queue.SimpleQueue()
    for _ in range(size):
        places.put(None)
    return places


class Loan:
    """A connection of the pool for a block; one that broke is thrown away, and its neighbours with it.

    A class: what `contextlib` makes of a generator costs a unit of work more than its own code.
    """

    __slots__ = ("_idle", "_one", "_places", "_pool")

    def __init__(self, pool: ConnectionPool) -> None:
        self._pool = pool

    def __enter__(self) -> PooledConnection:
        pool = self._pool
        self._places = pool._places
        try:
            self._places.get(timeout=CHECKOUT_SECONDS)
        except queue.Empty as nobody_came_home:
            raise DatabaseUnavailable() from nobody_came_home
        self._idle = pool._idle
        try:
            self._one = self._idle.pop()
        except IndexError:
            self._one = self._opened()
        return self._one

    def _opened(self) -> PooledConnection:
        try:
            return PooledConnection(self._pool.engine)
        except BaseException as error:
            self._places.put(None)
            if isinstance(error, DBAPIError | psycopg.Error):
                raise DatabaseUnavailable() from error
            raise

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._give_back()
        cause = error.orig if isinstance(error, DBAPIError) else error
        if isinstance(cause, psycopg.Error):
            raise meaning_of(cause) from error

    def _give_back(self) -> None:
        one, pool = self._one, self._pool
        is_of_use = self._idle is pool._idle
        try:
            if is_of_use and one.is_sound:
                self._idle.append(one)
                return
            one.driver.close()
            if is_of_use:
                pool.dispose()
        finally:
            self._places.put(None)
