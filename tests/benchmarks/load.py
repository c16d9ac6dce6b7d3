"""A load generator in a process of its own: a few connections, each asking again when answered.

They stay open where the server keeps them open. It speaks just enough HTTP/1.1 for answers with a Content-Length,
because a real client would take more of the machine than the server that is measured.
"""

from __future__ import annotations

import multiprocessing
import selectors
import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import cycle
from multiprocessing.connection import Connection
from uuid import uuid4

FRESH_KEY = b"{a-fresh-idempotency-key-of-32ch}"
"""Where it stands in a request, every sending puts a new key."""

_SECONDS_TO_ANSWER = 30.0


@dataclass(frozen=True, slots=True)
class Load:
    """What to ask, of which port of this machine, over how many connections, for how long (seconds)."""

    port: int
    requests: Sequence[bytes]
    status: int
    """What every answer has to say."""
    connections: int
    seconds: float


@dataclass(slots=True)
class Answers:
    """How many came, and how long each took (seconds)."""

    seconds: list[float] = field(default_factory=list)
    took: float = 0.0
    """From the first request to the last answer (seconds)."""

    @property
    def rate(self) -> float:
        """Answers a second."""
        return len(self.seconds) / self.took

    def percentile(self, percent: float) -> float:
        """In milliseconds, by nearest rank."""
        ordered = sorted(self.seconds)
        return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))] * 1000


class UnexpectedAnswer(Exception):
    """The server did not say what it has to; measuring that would mean nothing."""


@dataclass(frozen=True, slots=True)
class Generator:
    """The other process."""

    conversation: Connection

    def run(self, load: Load) -> Answers:
        """Blocks until the load is over. Raises UnexpectedAnswer."""
        self.conversation.send(load)
        found: Answers | UnexpectedAnswer = self.conversation.recv()
        if isinstance(found, UnexpectedAnswer):
            raise found
        return found


def ask_once(port: int, request: bytes, status: int) -> bytes:
    """One request outside any load; the body of its answer. Raises UnexpectedAnswer."""
    caller = _Caller(port, status)
    caller.ask(request)
    while not caller.is_answered():
        pass
    caller.connection.close()
    return caller.received.partition(b"\r\n\r\n")[2]


@contextmanager
def generator() -> Iterator[Generator]:
    """A generator, ended with the block."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_generate_when_told, args=(there,), daemon=True)
    process.start()
    there.close()
    try:
        yield Generator(here)
    finally:
        here.close()
        process.join()


def _generate_when_told(conversation: Connection) -> None:
    try:
        while True:
            load: Load = conversation.recv()
            try:
                conversation.send(_generate(load))
            except (UnexpectedAnswer, OSError) as error:
                conversation.send(UnexpectedAnswer(str(error)))
    except EOFError:
        return


def _generate(load: Load) -> Answers:
    answers, requests = Answers(), cycle(load.requests)
    began = time.perf_counter()
    until = began + load.seconds
    with selectors.DefaultSelector() as waiting:
        callers = [_Caller(load.port, load.status) for _ in range(load.connections)]
        for caller in callers:
            waiting.register(caller.connection, selectors.EVENT_READ, caller)
            caller.ask(next(requests))
        asking = len(callers)
        while asking:
            ready = waiting.select(_SECONDS_TO_ANSWER)
            if not ready:
                raise UnexpectedAnswer(f"no answer within {_SECONDS_TO_ANSWER:g} s")
            for key, _ in ready:
                caller = key.data
                if not caller.is_answered():
                    continue
                answers.seconds.append(time.perf_counter() - caller.asked_at)
                if time.perf_counter() < until:
                    if caller.has_to_come_again:
                        waiting.unregister(caller.connection)
                        caller.come_again()
                        waiting.register(caller.connection, selectors.EVENT_READ, caller)
                    caller.ask(next(requests))
                else:
                    asking -= 1
                    waiting.unregister(caller.connection)
                    caller.connection.close()
    answers.took = time.perf_counter() - began
    return answers


class _Caller:
    """One connection and the request that is under way on it."""

    def __init__(self, port: int, status: int) -> None:
        self.port = port
        self.status = status
        self.asked_at = 0.0
        self.received = b""
        self.has_to_come_again = False
        """The server said that it hangs up after this answer."""
        self.connection = self._connect()

    def _connect(self) -> socket.socket:
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=_SECONDS_TO_ANSWER)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection

    def come_again(self) -> None:
        """Over a new connection; the time that connecting takes is not counted."""
        self.connection.close()
        self.connection = self._connect()

    def ask(self, request: bytes) -> None:
        self.received = b""
        self.asked_at = time.perf_counter()
        self.connection.sendall(request.replace(FRESH_KEY, uuid4().hex.encode()))

    def is_answered(self) -> bool:
        """Read what is there; whether that completes the answer."""
        came = self.connection.recv(262_144)
        if not came:
            raise UnexpectedAnswer(f"the server hung up: {self.received[:300]!r}")
        self.received += came
        head, gap, body = self.received.partition(b"\r\n\r\n")
        if not gap or len(body) < _content_length(head):
            return False
        if not head.startswith(b"HTTP/1.1 %d " % self.status):
            raise UnexpectedAnswer(f"not {self.status}: {self.received[:600]!r}")
        self.has_to_come_again = b"\r\nconnection: close" in head.lower()
        return True


def _content_length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    raise UnexpectedAnswer(f"an answer without its length: {head[:300]!r}")
