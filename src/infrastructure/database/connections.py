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
from psycopg import pq
from psycopg.abc import PQGen
from psycopg.generators import execute, send
from psycopg.pq.abc import PGresult
from sqlalchemy import Engine, event

Result = TypeVar("Result")

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
_FAILED, _SQLSTATE = pq.ExecStatus.FATAL_ERROR, pq.DiagnosticField.SQLSTATE
_WAIT = {READ: wait_read, WRITE: wait_write, READ | WRITE: wait_readwrite}


class HeldPipeline(psycopg.Pipeline):
    """A pipeline whose statements stay in libpq's buffer until an answer is wanted, many wait, or it ends."""

    def _communicate_gen(self) -> PQGen[None]:
        if len(self.result_queue) >= MOST_HELD or self.pgconn.pipeline_sync in self.command_queue:
            yield from super()._communicate_gen()
        # Whoever fetches an answer sends by itself what is still to be sent.
        while self.command_queue:
            self.command_queue.popleft()()

    def _process_results(self, queued: Any, results: list[PGresult]) -> None:
        """Let whoever waits have their answer: psycopg's cursors, or one of ours."""
        if queued is None or type(queued) is tuple:
            super()._process_results(queued, results)
        else:
            queued.take(results)

    def _exit_gen(self) -> PQGen[None]:
        """All that is held and the end of it in one message; psycopg sends statements, end and flush one by one."""
        self.result_queue.append(None)
        self.pgconn.pipeline_sync()
        yield from send(self.pgconn)
        yield from self._fetch_gen(flush=False)


class HoldingConnection(psycopg.Connection[Any]):
    """psycopg's connection with such pipelines, begun and ended without the generators that `pipeline()` is made of."""

    _pipeline: HeldPipeline | None

    @property
    def held(self) -> HeldPipeline | None:
        """The pipeline that statements go into now."""
        return self._pipeline

    def hold(self) -> None:
        """Begin a pipeline."""
        self._check_connection_ok()
        self.pgconn.enter_pipeline_mode()
        self._pipeline = HeldPipeline(self)
        self._pipeline.level = 1

    def fetch(self) -> None:
        """Send what is held, and take all answers. Raises the first refusal among them."""
        if self._pipeline is not None:
            self.wait(self._pipeline._fetch_gen(flush=True))

    def let_go(self) -> None:
        """Send what is held and the pipeline's end. Raises the first refusal that nobody has been told of."""
        pipeline = self._pipeline
        if pipeline is None:
            return
        try:
            self.wait(pipeline._exit_gen())
        finally:
            self._pipeline = None
            pipeline._exit(None)

    def answer(self, prepared: bytes, values: Sequence[Any], formats: Sequence[int]) -> PGresult:
        """A prepared statement's answer outside of a pipeline, be it a refusal. Raises OperationalError without one.

        libpq waits by itself, so a signal is heard behind the answer: no later than the statement may take.
        """
        result = self.pgconn.exec_prepared(prepared, values, formats)
        if result.status == _FAILED and result.error_field(_SQLSTATE) is None:
            # libpq's own word, not the server's: there is none any more, whatever the connection thinks of itself.
            self.close()
            raise psycopg.OperationalError(result.get_error_message())
        return result

    def pipeline(self) -> AbstractContextManager[psycopg.Pipeline]:  # type: ignore[override]
        if self._pipeline is None:
            self._pipeline = HeldPipeline(self)
        return super().pipeline()


class CooperativeConnection(HoldingConnection):
    """The same for processes that gevent has patched."""

    _unbroken = 0

    def answer(self, prepared: bytes, values: Sequence[Any], formats: Sequence[int]) -> PGresult:
        self.pgconn.send_query_prepared(prepared, values, formats)
        answers: list[PGresult] = self.wait(execute(self.pgconn))
        return answers[0]

    def wait(self, gen: PQGen[Result], interval: float = 0.1, timeout: float | None = None) -> Result:
        """Run an operation to its end; other greenlets run while the server makes this one wait."""
        if timeout is not None:
            return super().wait(gen, interval, timeout)
        socket = self.pgconn.socket
        try:
            wanted = next(gen)
            # Behind a question there is nothing to read yet.
            ready = self._pause(socket, wanted, 0) if wanted == READ else _ready(socket, wanted)
            while True:
                if not ready or self._unbroken >= UNBROKEN:
                    ready = self._pause(socket, wanted, ready)
                self._unbroken += 1
                wanted = gen.send(ready)
                ready = _ready(socket, wanted)
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
