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
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

from infrastructure.database.connections import connect_by_these
from infrastructure.database.pool import ConnectionPool, PooledConnection
from infrastructure.database.prepared import Parameters as Parameters
from infrastructure.database.prepared import Row as Row

STATEMENT_SECONDS = 5
LOCK_SECONDS = 3
IDLE_IN_TRANSACTION_SECONDS = 10
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
        self.url = url
        self.changes = ConnectionPool(_engine(url, options), pool_size)
        self.reads = ConnectionPool(_engine(url, options | OF_READS), pool_size)
        self.pools = (self.changes, self.reads)
        self._current: ContextVar[Statements | None] = ContextVar("transaction", default=None)

    def rows(self, sql: str, parameters: Parameters = (), *, replan: bool = False) -> list[Row]:
        """All rows of one read, as dicts; inside a transaction, as that transaction sees them.

        `replan` where the best plan differs so much by value that none may be kept.
        """
        current = self._current.get()
        if current is not None:
            return current.rows(sql, parameters, replan=replan)
        with self.reads.loan() as lent:
            return lent.prepared.rows(sql, parameters, prepare=not replan)

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
        return _Begun(self.changes, self._current) if outer is None else contextlib.nullcontext(outer.joined())

    @property
    def in_transaction(self) -> bool:
        return self._current.get() is not None

    def dispose(self) -> None:
        """Close every connection that is not in use."""
        for pool in self.pools:
            pool.dispose()

    def forget(self) -> None:
        """In a forked child: let go of the parent's connections without ending them there."""
        for pool in self.pools:
            pool.forget()


class Transaction:
    """The statements of one unit of work, pipelined until the ORM is used, rolled back unless committed.

    One whose only statement needs no answer is sent as that statement alone: it is its own transaction.
    """

    def __init__(self, engine: Engine, lent: PooledConnection) -> None:
        self._engine = engine
        self._lent = lent
        self._connection = lent.driver
        self._prepared = lent.prepared
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
            wrapped = Connection(self._engine, connection=self._lent.for_orm)
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
        if not self._has_begun:
            return
        # An uncommitted pipeline may hold refusals that nobody asked for; they end with the rollback.
        with contextlib.suppress(psycopg.Error):
            self._connection.let_go()
        if self._session is not None:
            self._session.close()
        if not self._connection.closed and self._connection.pgconn.transaction_status != _IDLE:
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


def _engine(url: URL, options: Mapping[str, object]) -> Engine:
    """What opens connections with these settings of PostgreSQL's."""
    said = " ".join(f"-c {name}={value}" for name, value in options.items())
    engine = create_engine(
        url,
        poolclass=NullPool,
        # Transactions begin by a statement of their own, which travels with the first of theirs.
        isolation_level="AUTOCOMMIT",
        connect_args={"options": said, "connect_timeout": 3},
    )
    connect_by_these(engine)
    event.listen(engine, "connect", _speak_json)
    return engine


def _speak_json(connection: psycopg.Connection[Any], _record: object) -> None:
    for name in ("json", "jsonb"):
        connection.adapters.register_loader(name, _Json)
    set_json_dumps(orjson.dumps, connection)


class _Begun:
    """A transaction for a block, the current one of its thread of work; it ends before its connection goes home."""

    def __init__(self, pool: ConnectionPool, current: ContextVar[Statements | None]) -> None:
        self._pool = pool
        self._current = current
        self._loan = pool.loan()

    def __enter__(self) -> Statements:
        self._transaction = Transaction(self._pool.engine, self._loan.__enter__())
        self._token = self._current.set(self._transaction)
        return self._transaction

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._current.reset(self._token)
        try:
            self._transaction.close()
        except BaseException as failure:
            self._loan.__exit__(type(failure), failure, failure.__traceback__)
            raise
        self._loan.__exit__(kind, error, trace)
