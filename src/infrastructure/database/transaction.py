"""One database, its two bounded pools, and the transaction that a unit of work runs in.

Statements are psycopg's: on the paths that are hot a statement built by SQLAlchemy costs four times as
much as the database's own work. Until the ORM is first asked for, they are pipelined: what does not need
an answer waits for the next one that does, so a use case makes as few round trips as it has questions.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from contextlib import AbstractContextManager
from contextvars import ContextVar
from types import TracebackType
from typing import Any, Protocol

import orjson
import psycopg
from psycopg.adapt import Loader
from psycopg.types.json import set_json_dumps
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session
from sqlalchemy.pool import PoolProxiedConnection

from infrastructure.database.connections import HoldingConnection, connect_by_these
from infrastructure.database.idle import IdlePool
from infrastructure.database.prepared import Parameters as Parameters
from infrastructure.database.prepared import PreparedStatements
from infrastructure.database.prepared import Row as Row
from infrastructure.database.refusals import DatabaseUnavailable, meaning_of

STATEMENT_SECONDS = 5
LOCK_SECONDS = 3
IDLE_IN_TRANSACTION_SECONDS = 10
CHECKOUT_SECONDS = 5
OF_READS = {"max_parallel_workers_per_gather": 0, "random_page_cost": 1.1}
"""How a request's single reads are planned: they take milliseconds, in which no helper process has even started,
and what they read is in memory or on a disk without arms, so looking a row up costs hardly more than passing by it."""


_IDLE = psycopg.pq.TransactionStatus.IDLE


class Statements(Protocol):
    """What repositories speak to: the statements of one transaction."""

    def rows(self, sql: str, parameters: Parameters = (), *, replan: bool = False) -> list[Row]:
        """All rows; `replan` where the best plan differs so much by value that none may be kept."""
        ...

    def row(self, sql: str, parameters: Parameters = ()) -> Row | None: ...

    def execute(self, sql: str, parameters: Parameters = ()) -> None:
        """Send a statement whose answer nobody needs; its refusal surfaces at the next answer or commit."""
        ...

    def later(self, sql: str, parameters: Parameters = ()) -> Later:
        """Send a statement whose answer is wanted after the commit; alone in its transaction it is one round trip."""
        ...

    @property
    def session(self) -> Session:
        """The ORM on this transaction's connection; from here on statements are no longer pipelined."""
        ...

    def flush(self) -> None:
        """Write what the ORM holds back."""
        ...

    def commit(self) -> None:
        """Make it real, or leave that to the outer transaction."""
        ...

    def joined(self) -> Statements:
        """This transaction as an inner unit of work sees it: its commit is left to the outer one."""
        ...


class Later:
    """The first row that a statement answered; known at the latest when its transaction is committed."""

    def __init__(self) -> None:
        self._found: list[Row | None] = []

    def row(self) -> Row | None:
        """Raises LookupError while the statement is not sent."""
        if not self._found:
            raise LookupError("asked before the commit")
        return self._found[0]

    def tell(self, row: Row | None) -> None:
        """What the statement answered."""
        self._found[:] = [row]


class Database:
    """The application's connections: one pool for transactions, one in autocommit for single reads."""

    def __init__(self, url: URL, *, pool_size: int = 10, statement_seconds: int = STATEMENT_SECONDS) -> None:
        options = {
            "statement_timeout": statement_seconds * 1000,
            "lock_timeout": LOCK_SECONDS * 1000,
            "idle_in_transaction_session_timeout": IDLE_IN_TRANSACTION_SECONDS * 1000,
            "timezone": "UTC",
            "application_name": "altayar",
        }
        shared: dict[str, Any] = {
            "poolclass": IdlePool,
            "pool_size": pool_size,
            "max_overflow": 0,
            "pool_timeout": CHECKOUT_SECONDS,
            # Transactions begin by a statement of their own, which travels with the first of theirs.
            "isolation_level": "AUTOCOMMIT",
            # A transaction has been rolled back when its connection comes home (`Transaction.close`).
            "pool_reset_on_return": None,
        }
        self.url = url
        self.engine: Engine = create_engine(url, **shared, connect_args=_connecting(options))
        self._reads: Engine = create_engine(url, **shared, connect_args=_connecting(options | OF_READS))
        for engine in (self.engine, self._reads):
            connect_by_these(engine)
            event.listen(engine, "connect", _speak_json)
        self._current: ContextVar[Statements | None] = ContextVar("transaction", default=None)

    def rows(self, sql: str, parameters: Parameters = (), *, replan: bool = False) -> list[Row]:
        """All rows of one read, as dicts; inside a transaction, as that transaction sees them.

        `replan` where the best plan differs so much by value that none may be kept.
        """
        current = self._current.get()
        if current is not None:
            return current.rows(sql, parameters, replan=replan)
        with _Borrowed(self._reads) as lent:
            return _prepared(lent).rows(sql, parameters, prepare=not replan)

    def row(self, sql: str, parameters: Parameters = ()) -> Row | None:
        """The first row of one read, or None."""
        found = self.rows(sql, parameters)
        return found[0] if found else None

    def transaction(self) -> AbstractContextManager[Statements]:
        """A transaction that is rolled back unless it is committed.

        Inside another of the same thread of work it joins that one: then only the outer commit is real.
        Raises what `refusals.py` makes of the server's errors.
        """
        outer = self._current.get()
        return _Begun(self.engine, self._current) if outer is None else contextlib.nullcontext(outer.joined())

    @property
    def in_transaction(self) -> bool:
        return self._current.get() is not None

    def dispose(self) -> None:
        """Close every pooled connection that is not in use."""
        self.engine.dispose()
        self._reads.dispose()

    def forget(self) -> None:
        """In a forked child: let go of the parent's connections without ending them there."""
        self.engine.dispose(close=False)
        self._reads.dispose(close=False)


class Transaction:
    """The statements of one unit of work, pipelined until the ORM is used, rolled back unless committed.

    One whose only statement needs no answer is sent as that statement alone: it is its own transaction.
    """

    def __init__(self, engine: Engine, lent: PoolProxiedConnection) -> None:
        self._engine = engine
        self._lent = lent
        self._connection = _driver(lent)
        self._prepared = _prepared(lent)
        self._session: Session | None = None
        self._first: tuple[str, Parameters, Later | None] | None = None
        self._has_begun = False

    def joined(self) -> Statements:
        return JoinedTransaction(self)

    def rows(self, sql: str, parameters: Parameters = (), *, replan: bool = False) -> list[Row]:
        self._begin()
        return self._prepared.rows(sql, parameters, prepare=not replan)

    def row(self, sql: str, parameters: Parameters = ()) -> Row | None:
        found = self.rows(sql, parameters)
        return found[0] if found else None

    def execute(self, sql: str, parameters: Parameters = ()) -> None:
        self._send(sql, parameters, None)

    def later(self, sql: str, parameters: Parameters = ()) -> Later:
        answer = Later()
        self._send(sql, parameters, answer)
        return answer

    def _send(self, sql: str, parameters: Parameters, answer: Later | None) -> None:
        if self._first is None and not self._has_begun:
            self._first = sql, parameters, answer
            return
        self._begin()
        self._run(sql, parameters, answer)

    def _run(self, sql: str, parameters: Parameters, answer: Later | None) -> None:
        if answer is None:
            self._prepared.execute(sql, parameters)
            return
        found = self._prepared.rows(sql, parameters)
        answer.tell(found[0] if found else None)

    def _begin(self) -> None:
        """Ask for the transaction and for what waited; the answers come with that of the first question."""
        if self._has_begun:
            return
        self._has_begun = True
        self._connection.hold()
        self._prepared.command("BEGIN")
        if self._first is not None:
            self._run(*self._first)

    @property
    def session(self) -> Session:
        if self._session is None:
            self._begin()
            self._connection.let_go()
            wrapped = Connection(self._engine, connection=self._lent)
            self._session = Session(bind=wrapped, expire_on_commit=False, autoflush=False)
        return self._session

    def flush(self) -> None:
        if self._session is not None:
            self._session.flush()

    def commit(self) -> None:
        """Make it real. Raises the refusal of any statement sent before; then nothing of it is."""
        self.flush()
        if not self._has_begun:
            self._commit_alone()
            return
        committed = self._prepared.command("COMMIT")
        self._connection.let_go()
        # PostgreSQL answers COMMIT of a failed transaction with a quiet ROLLBACK.
        if committed.status != "COMMIT":
            raise psycopg.InternalError("the transaction had failed and was rolled back")

    def _commit_alone(self) -> None:
        if self._first is not None:
            first, self._first = self._first, None
            self._run(*first)

    def close(self) -> None:
        """Let go: whatever was not committed is rolled back."""
        # An uncommitted pipeline may hold refusals that nobody asked for; they end with the rollback.
        with contextlib.suppress(psycopg.Error):
            self._connection.let_go()
        if self._session is not None:
            self._session.close()
        if self._has_begun and not self._connection.closed and self._connection.pgconn.transaction_status != _IDLE:
            self._connection.rollback()


class JoinedTransaction:
    """An outer transaction lent to an inner unit of work: its commit only flushes."""

    def __init__(self, outer: Transaction) -> None:
        self._outer = outer
        self.rows = outer.rows
        self.row = outer.row
        self.execute = outer.execute
        self.later = outer.later
        self.flush = outer.flush

    @property
    def session(self) -> Session:
        return self._outer.session

    def commit(self) -> None:
        self._outer.flush()

    def joined(self) -> Statements:
        return self


class _Json(Loader):
    """JSON columns, read by orjson straight away."""

    load = staticmethod(orjson.loads)  # type: ignore[assignment]


def _connecting(options: Mapping[str, object]) -> dict[str, Any]:
    return {"options": " ".join(f"-c {name}={value}" for name, value in options.items()), "connect_timeout": 3}


def _speak_json(connection: psycopg.Connection[Any], _record: object) -> None:
    for name in ("json", "jsonb"):
        connection.adapters.register_loader(name, _Json)
    set_json_dumps(orjson.dumps, connection)


def _prepared(lent: PoolProxiedConnection) -> PreparedStatements:
    """What a connection remembers of its statements, as long as it lives."""
    prepared: PreparedStatements | None = lent.info.get("prepared")
    if prepared is None:
        prepared = lent.info["prepared"] = PreparedStatements(_driver(lent))
    return prepared


def _driver(lent: PoolProxiedConnection) -> HoldingConnection:
    connection: HoldingConnection = lent.driver_connection  # type: ignore[assignment]
    return connection


class _Borrowed:
    """A connection of the pool for a block; one that broke is thrown away, and its neighbours are looked at again.

    A class, as `_Begun` is: what `contextlib` makes of a generator costs a unit of work more than its own code.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def __enter__(self) -> PoolProxiedConnection:
        self._pool = self._engine.pool
        try:
            self._lent = self._engine.raw_connection()
        except (PoolTimeout, DBAPIError, psycopg.Error) as error:
            raise DatabaseUnavailable() from error
        return self._lent

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._give_back()
        cause = error.orig if isinstance(error, DBAPIError) else error
        if isinstance(cause, psycopg.Error):
            raise meaning_of(cause) from error

    def _give_back(self) -> None:
        # None: the ORM saw it break first, and has thrown it away.
        driver = self._lent.driver_connection
        is_sound = driver is not None and not driver.closed
        # A pool that was thrown away meanwhile would keep what comes back to it open, beside those of its successor.
        is_of_use = self._engine.pool is self._pool
        if is_sound and is_of_use:
            self._lent.close()
            return
        if driver is not None:
            self._lent.invalidate()
        if is_of_use:
            self._engine.dispose()


class _Begun:
    """A transaction for a block, the current one of its thread of work; it ends before its connection goes home."""

    def __init__(self, engine: Engine, current: ContextVar[Statements | None]) -> None:
        self._engine = engine
        self._current = current
        self._borrowed = _Borrowed(engine)

    def __enter__(self) -> Statements:
        self._transaction = Transaction(self._engine, self._borrowed.__enter__())
        self._token = self._current.set(self._transaction)
        return self._transaction

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._current.reset(self._token)
        try:
            self._transaction.close()
        except BaseException as failure:
            self._borrowed.__exit__(type(failure), failure, failure.__traceback__)
            raise
        self._borrowed.__exit__(kind, error, trace)
