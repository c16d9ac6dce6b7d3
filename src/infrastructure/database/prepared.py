"""Statements that a connection has run before, sent and read without what psycopg's cursors do anew each time.

A cursor reads a statement, chooses a dumper for each value, a loader for each column and makes a maker of rows,
whether or not it did so a moment ago: 30 µs, where libpq takes 2 for a prepared statement. What is not prepared yet
goes psycopg's way, which prepares it; both share psycopg's list of what is prepared, and its pipeline.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from operator import itemgetter
from typing import Any, Final, NamedTuple, NoReturn

import psycopg
from psycopg import abc, errors, pq
from psycopg._enums import PyFormat
from psycopg._preparing import PrepareManager
from psycopg._queries import _query2pg_nocache
from psycopg.adapt import Transformer
from psycopg.generators import execute
from psycopg.rows import dict_row

from infrastructure.database.connections import MOST_HELD, HoldingConnection

Row = dict[str, Any]
Parameters = Mapping[str, Any] | Sequence[Any]

MOST_SHAPES: Final = 2 * PrepareManager.prepared_max
"""Of answers that a connection remembers; a statement that is prepared again has a new one."""

_TUPLES, _DONE = pq.ExecStatus.TUPLES_OK, pq.ExecStatus.COMMAND_OK
_ANSWERED = (_TUPLES, _DONE)
_FAILED, _ABORTED = pq.ExecStatus.FATAL_ERROR, pq.ExecStatus.PIPELINE_ABORTED


class _Text(NamedTuple):
    """A statement as the server reads it, and what puts its values in order."""

    query: bytes
    formats: list[PyFormat]
    in_order: Callable[[Any], Sequence[Any]]


@lru_cache(maxsize=2048)
def _read(sql: str) -> _Text:
    query, formats, names, _ = _query2pg_nocache(sql.encode(), "utf-8")
    if not formats:
        return _Text(query, formats, lambda _parameters: ())
    if names is None:
        return _Text(query, formats, lambda parameters: parameters)
    # Of one name it would be the value itself.
    in_order = itemgetter(*names) if len(names) > 1 else lambda parameters: (parameters[names[0]],)
    return _Text(query, formats, in_order)


class _Shape:
    """The columns of a prepared statement's answer, and what reads them: known with the first answer."""

    __slots__ = ("names", "transformer")

    def __init__(self, transformer: abc.Transformer) -> None:
        self.transformer = transformer
        self.names: list[str] | None = None

    def rows(self, result: pq.abc.PGresult) -> list[Row]:
        names = self.names
        self.transformer.set_pgresult(result, set_loaders=names is None)
        if names is None:
            names = self.names = [(result.fname(place) or b"").decode() for place in range(result.nfields)]
        rows = self.transformer.load_rows(0, result.ntuples, lambda values: dict(zip(names, values, strict=True)))
        # The shape stays, what was answered goes.
        self.transformer.set_pgresult(None, set_loaders=False)
        return rows


class Answer:
    """Waits in a pipeline where psycopg's cursors wait, and takes what the server says."""

    __slots__ = ("_shape", "result")

    def __init__(self, shape: _Shape | None = None) -> None:
        self._shape = shape
        self.result: pq.abc.PGresult | None = None

    def take(self, results: Sequence[pq.abc.PGresult]) -> None:
        """What the server answered. Raises its refusal."""
        for result in results:
            if result.status not in _ANSWERED:
                _refuse(result)
        self.result = results[0]

    @property
    def status(self) -> str:
        """What the server says that it did: `COMMIT`, `INSERT 0 1`."""
        said = self.result.command_status if self.result is not None else None
        return said.decode() if said is not None else ""

    def rows(self) -> list[Row]:
        """All rows of an answer that is there. Raises ProgrammingError for a statement that answers none."""
        if self.result is None or self._shape is None or self.result.status != _TUPLES:
            raise psycopg.ProgrammingError("the statement answered no rows")
        return self._shape.rows(self.result)


def _refuse(result: pq.abc.PGresult) -> NoReturn:
    if result.status == _FAILED:
        raise errors.error_from_result(result, encoding="utf-8")
    if result.status == _ABORTED:
        raise psycopg.errors.PipelineAborted("pipeline aborted")
    raise psycopg.InternalError(f"no answer to a statement: {pq.ExecStatus(result.status).name}")


class PreparedStatements:
    """The statements of one connection, in its pipeline while it has one."""

    def __init__(self, connection: HoldingConnection) -> None:
        self._connection = connection
        self._cursor: psycopg.Cursor[Row] = connection.cursor(row_factory=dict_row)
        self._transformer: abc.Transformer = Transformer(connection)
        self._shapes: dict[bytes, _Shape] = {}

    def rows(self, sql: str, parameters: Parameters = (), *, prepare: bool = True) -> list[Row]:
        """All rows. `prepare` is False where the best plan differs so much by value that none may be kept."""
        answer = self._send(sql, parameters) if prepare else None
        if answer is None:
            return self._cursor.execute(sql, parameters, prepare=prepare).fetchall()
        if answer.result is None:
            self._connection.fetch()
        return answer.rows()

    def execute(self, sql: str, parameters: Parameters = ()) -> None:
        """Send a statement; inside a pipeline its refusal surfaces with a later answer."""
        if self._send(sql, parameters) is None:
            self._cursor.execute(sql, parameters, prepare=True)

    def command(self, sql: str) -> Answer:
        """Say BEGIN or COMMIT; the answer is there when the pipeline has ended."""
        connection, answer = self._connection, Answer()
        pipeline = connection.held
        connection.pgconn.send_query_params(sql.encode(), None)
        if pipeline is not None:
            pipeline.result_queue.append(answer)  # type: ignore[arg-type]
        else:
            answer.take(connection.wait(execute(connection.pgconn)))
        return answer

    def _send(self, sql: str, parameters: Parameters) -> Answer | None:
        """Send what is prepared; None where it is not."""
        connection, transformer = self._connection, self._transformer
        pipeline = connection.held
        if pipeline is not None and len(pipeline.result_queue) >= MOST_HELD:
            return None
        query, as_text, in_order = _read(sql)
        values = transformer.dump_sequence(in_order(parameters), as_text)
        prepared = connection._prepared._names
        key = (query, transformer.types or ())
        name = prepared.get(key)
        if name is None:
            return None
        prepared.move_to_end(key)
        answer, formats = Answer(self._shapes.get(name) or self._shape(name)), transformer.formats
        if pipeline is None:
            answer.take([connection.answer(name, values, formats or ())])
        else:
            connection.pgconn.send_query_prepared(name, values, formats)
            pipeline.result_queue.append(answer)  # type: ignore[arg-type]
        return answer

    def _shape(self, name: bytes) -> _Shape:
        """Of a statement that was not answered yet."""
        if len(self._shapes) >= MOST_SHAPES:
            self._shapes.clear()
        shape = self._shapes[name] = _Shape(Transformer(self._connection))
        return shape
