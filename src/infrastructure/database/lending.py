"""Connections lent one after another: those that came home lie at hand, before SQLAlchemy's pool is asked.

The pool bounds how many there are, and waits where all are lent. Its way out and home is long, though, and a process
that has just waited for PostgreSQL finds little of it in the processor's caches: a third of what a posting cost here.
"""

from __future__ import annotations

import threading
from types import TracebackType
from typing import Any

import psycopg
from psycopg.rows import dict_row
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.pool import PoolProxiedConnection

from infrastructure.database.connections import HoldingConnection
from infrastructure.database.refusals import DatabaseUnavailable, meaning_of


class Lent:
    """A connection of the pool, with its driver's connection and the cursor that it keeps.

    A new cursor costs as much as a small statement.
    """

    __slots__ = ("cursor", "driver", "proxied")

    def __init__(self, proxied: PoolProxiedConnection) -> None:
        self.proxied = proxied
        self.driver: HoldingConnection = proxied.driver_connection  # type: ignore[assignment]
        kept: psycopg.Cursor[dict[str, Any]] | None = proxied.info.get("cursor")
        if kept is None:
            kept = proxied.info["cursor"] = self.driver.cursor(row_factory=dict_row)
        self.cursor = kept


class Lender:
    """Lends the connections of one engine."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._at_hand: list[Lent] = []
        self._asking = 0
        self._count = threading.Lock()

    @property
    def lent(self) -> int:
        """How many are in use now."""
        return self.engine.pool.checkedout() - len(self._at_hand)  # type: ignore[attr-defined,no-any-return]

    def lend(self) -> Lent:
        """A connection that nobody else has. Raises DatabaseUnavailable when none comes free in time."""
        try:
            return self._at_hand.pop()
        except IndexError:
            return self._ask()

    def _ask(self) -> Lent:
        with self._count:
            self._asking += 1
        try:
            # One may have come home before it could see that somebody asks.
            return self._at_hand.pop() if self._at_hand else Lent(self.engine.raw_connection())
        except IndexError:
            return Lent(self.engine.raw_connection())
        except (PoolTimeout, DBAPIError, psycopg.Error) as error:
            raise DatabaseUnavailable() from error
        finally:
            with self._count:
                self._asking -= 1

    def take_back(self, lent: Lent) -> None:
        """One that broke is thrown away, and its neighbours are looked at again."""
        # None: the ORM saw it break first, and has thrown it away.
        if lent.proxied.driver_connection is None or lent.driver.closed:
            self._throw_away(lent)
            return
        self._at_hand.append(lent)
        if self._asking:
            self._hand_over()

    def _hand_over(self) -> None:
        """Whoever asks waits at the pool."""
        for _ in range(len(self._at_hand)):
            try:
                self._at_hand.pop().proxied.close()
            except IndexError:
                return

    def _throw_away(self, lent: Lent) -> None:
        if lent.proxied.driver_connection is not None:
            lent.proxied.invalidate()
        self.dispose()

    def dispose(self) -> None:
        """Close every connection that is not in use."""
        self._hand_over()
        self.engine.dispose()

    def forget(self) -> None:
        """In a forked child: let go of the parent's connections without ending them there."""
        self._at_hand.clear()
        self.engine.dispose(close=False)


class Borrowed:
    """A connection for a block; what the server refused in it is raised as what it means.

    A class, as `Begun` is: what `contextlib` makes of a generator costs a unit of work more than its own code.
    """

    __slots__ = ("_lender", "_lent")

    def __init__(self, lender: Lender) -> None:
        self._lender = lender

    def __enter__(self) -> Lent:
        self._lent = self._lender.lend()
        return self._lent

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._lender.take_back(self._lent)
        if error is None:
            return
        cause = error.orig if isinstance(error, DBAPIError) else error
        if isinstance(cause, psycopg.Error):
            raise meaning_of(cause) from error
