"""Connections whose pipelines send once for each question, and which wait beside gevent's loop.

psycopg sends each statement of a pipeline by itself, and the server's process is woken for each; its waiting under
gevent passes the loop at every step, also to hear that a socket can be written to.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any, Final, TypeVar

import psycopg
from gevent import monkey, sleep
from gevent.socket import wait_read, wait_readwrite, wait_write
from psycopg.abc import PQGen
from psycopg.errors import error_from_result
from psycopg.generators import execute, send
from psycopg.pq import ExecStatus
from sqlalchemy import Engine, event

Result = TypeVar("Result")

COMMAND_OK: Final = ExecStatus.COMMAND_OK
READ, WRITE = 1, 2
"""psycopg's `Wait` and `Ready`, as plain numbers."""

MOST_HELD: Final = 100
"""Statements of a pipeline that wait for the next question; beyond, the server begins with them."""

UNBROKEN: Final = 200
"""Steps without a wait after which others get their turn: a long pipeline must not keep the loop to itself."""

# The operating system's: gevent's passes the loop before it answers.
_select: Any = monkey.get_original("select", ["poll", "POLLIN", "POLLOUT"])
_poll, _IN, _OUT = _select
_ASKED = {READ: _IN, WRITE: _OUT, READ | WRITE: _IN | _OUT}
_WAIT = {READ: wait_read, WRITE: wait_write, READ | WRITE: wait_readwrite}


class HeldPipeline(psycopg.Pipeline):
    """A pipeline whose statements stay in libpq's buffer until an answer is wanted, many wait, or it ends."""

    def _communicate_gen(self) -> PQGen[None]:
        if len(self.result_queue) >= MOST_HELD or self.pgconn.pipeline_sync in self.command_queue:
            yield from super()._communicate_gen()
        # Whoever fetches an answer sends by itself what is still to be sent.
        while self.command_queue:
            self.command_queue.popleft()()

    def _exit_gen(self) -> PQGen[None]:
        """All that is held and the end of it in one message; psycopg sends statements, end and flush one by one."""
        self.result_queue.append(None)
        self.pgconn.pipeline_sync()
        yield from send(self.pgconn)
        yield from self._fetch_gen(flush=False)


class HoldingConnection(psycopg.Connection[Any]):
    """psycopg's connection with such pipelines, and a short way for what needs no cursor."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._prepared_alone: dict[bytes, bytes] = {}

    def run_alone(self, command: bytes, values: Sequence[bytes]) -> None:
        """Run a statement that is its own transaction and whose answer nobody reads, as a cursor in autocommit would.

        It is prepared once, and its values are texts: of a cursor's work nothing is left to do but to send and to ask.
        """
        name = self._prepared_alone.get(command)
        if name is None:
            name = f"alone_{len(self._prepared_alone)}".encode()
            self.pgconn.send_prepare(name, command)
            self._asked()
            self._prepared_alone[command] = name
        self.pgconn.send_query_prepared(name, values)
        self._asked()

    def _deallocate(self, name: bytes | None) -> PQGen[None]:
        """After a rollback psycopg lets go of all that was prepared, this too."""
        if name is None:
            self._prepared_alone.clear()
        yield from super()._deallocate(name)

    def _asked(self) -> None:
        [result] = self.wait(execute(self.pgconn))
        if result.status != COMMAND_OK:
            raise error_from_result(result, encoding="utf-8")

    def pipeline(self) -> AbstractContextManager[psycopg.Pipeline]:  # type: ignore[override]
        if self._pipeline is None:
            self._pipeline = HeldPipeline(self)
        return super().pipeline()


class CooperativeConnection(HoldingConnection):
    """The same for processes that gevent has patched."""

    _unbroken = 0

    def wait(self, gen: PQGen[Result], interval: float = 0.1, timeout: float | None = None) -> Result:
        """Run an operation to its end; other greenlets run while the server makes this one wait."""
        if timeout is not None:
            return super().wait(gen, interval, timeout)
        socket = self.pgconn.socket
        try:
            wanted = next(gen)
            while True:
                ready = _ready(socket, wanted)
                if not ready or self._unbroken >= UNBROKEN:
                    ready = self._pause(socket, wanted, ready)
                self._unbroken += 1
                wanted = gen.send(ready)
        except StopIteration as finished:
            result: Result = finished.value
            return result

    def _pause(self, socket: int, wanted: int, ready: int) -> int:
        """Let the others run: until the socket is ready or, where it is, once."""
        try:
            if ready:
                sleep(0)
            else:
                _WAIT[wanted](socket)
        except BaseException:
            # Somebody ended this greenlet: what is still to come on this connection would answer the next question.
            self.pgconn.finish()
            raise
        self._unbroken = 0
        return READ if wanted == READ else _ready(socket, wanted)


def _ready(socket: int, wanted: int) -> int:
    """What of `wanted` the socket can do now. A lost connection can be read: that tells of the loss."""
    asked = _poll()
    asked.register(socket, _ASKED[wanted])
    events = [happened for _, happened in asked.poll(0)]
    if not events:
        return 0
    [happened] = events
    return (WRITE if happened & _OUT else 0) | (READ if happened & ~_OUT else 0)


def connect_by_these(engine: Engine) -> None:
    """Open this engine's connections as such; where gevent does not run, psycopg's own waiting is the fastest."""
    kind = CooperativeConnection if monkey.is_module_patched("select") else HoldingConnection

    def connect(
        _dialect: object, _record: object, positional: list[Any], named: dict[str, Any]
    ) -> psycopg.Connection[Any]:
        return kind.connect(*positional, **named)

    event.listen(engine, "do_connect", connect)
