"""A TCP proxy between us and a provider that does to connections what networks do."""

from __future__ import annotations

import contextlib
import socket
import threading
from dataclasses import dataclass
from enum import StrEnum
from types import TracebackType
from typing import Self

_CHUNK = 64 * 1024
_POLL_SECONDS = 0.05


class Mode(StrEnum):
    """What happens to each new connection."""

    PASS = "PASS"
    REFUSE = "REFUSE"
    """Nobody listens."""
    BLACK_HOLE = "BLACK_HOLE"
    """What is sent is taken, and goes nowhere; no answer ever comes."""
    EAT_REPLY = "EAT_REPLY"
    """What is sent arrives and has its effect; the answer is swallowed and the connection closed."""
    SLOW = "SLOW"
    """The answer comes whole, after `seconds`."""
    CUT = "CUT"
    """The answer breaks off after `reply_bytes`."""


@dataclass(frozen=True, slots=True)
class _Fate:
    """What becomes of a connection, as it was decided when it was made."""

    mode: Mode
    seconds: float = 0.0
    reply_bytes: int = 20
    only: bytes = b""


class FaultProxy:
    """Listens on a port of the loopback and stands for an upstream one, until the block ends.

    `accepted` counts connections that were made to it: whoever asks nobody is not counted.
    """

    def __init__(self, upstream: int, *, mode: Mode = Mode.PASS) -> None:
        self._upstream = upstream
        self._fate = _Fate(mode)
        self._closing = threading.Event()
        self._serving: list[threading.Thread] = []
        self._listener: socket.socket | None = None
        self.accepted = 0
        with socket.socket() as asked:
            asked.bind(("127.0.0.1", 0))
            self.port: int = asked.getsockname()[1]

    def __enter__(self) -> Self:
        self.become(self._fate.mode)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._closing.set()
        self._stop_listening()
        for thread in self._serving:
            thread.join()

    def become(self, mode: Mode, *, seconds: float = 0.0, reply_bytes: int = 20, only: bytes = b"") -> None:
        """Treat connections from now on like this; those that stand are left to their fate.

        `only`: those whose first bytes begin so, such as `POST /v1/refunds`; the others pass. Not for REFUSE.
        """
        self._fate = _Fate(mode, seconds, reply_bytes, only)
        if mode is Mode.REFUSE:
            self._stop_listening()
        elif self._listener is None:
            self._listen()

    def _listen(self) -> None:
        listener = socket.create_server(("127.0.0.1", self.port))
        listener.settimeout(_POLL_SECONDS)
        self._listener = listener
        self._start(self._accept, listener)

    def _stop_listening(self) -> None:
        listener, self._listener = self._listener, None
        if listener is not None:
            # A thread that waits in accept keeps the socket alive though it is closed: this ends it at once.
            listener.shutdown(socket.SHUT_RDWR)
            listener.close()

    def _accept(self, listener: socket.socket) -> None:
        while self._listener is listener:
            try:
                connection, _ = listener.accept()
            except TimeoutError:
                continue
            except OSError:
                return
            self.accepted += 1
            connection.settimeout(_POLL_SECONDS)
            self._start(self._serve, connection, self._fate)

    def _start(self, work: object, *args: object) -> None:
        thread = threading.Thread(target=work, args=args, daemon=True)  # type: ignore[arg-type]
        self._serving.append(thread)
        thread.start()

    def _serve(self, client: socket.socket, fate: _Fate) -> None:
        with client:
            if not self._begins(client, fate.only):
                fate = _Fate(Mode.PASS)
            if fate.mode is Mode.BLACK_HOLE:
                self._swallow(client)
                return
            try:
                server = socket.create_connection(("127.0.0.1", self._upstream))
            except OSError:
                return
            with server:
                server.settimeout(_POLL_SECONDS)
                sending = threading.Thread(target=self._copy, args=(client, server), daemon=True)
                sending.start()
                with contextlib.suppress(OSError):
                    self._answer(server, client, fate)
                client.close()
                sending.join()

    def _begins(self, client: socket.socket, words: bytes) -> bool:
        """Whether the first bytes of a connection, which are left in it, are these."""
        while words and not self._closing.is_set():
            try:
                return client.recv(len(words), socket.MSG_PEEK | socket.MSG_WAITALL) == words
            except TimeoutError:
                continue
            except OSError:
                return False
        return not words

    def _answer(self, server: socket.socket, client: socket.socket, fate: _Fate) -> None:
        if fate.mode is Mode.SLOW:
            first = self._receive(server)
            self._closing.wait(fate.seconds)
            client.sendall(first)
            self._copy(server, client)
        elif fate.mode is Mode.EAT_REPLY:
            self._receive(server)
            _reset(client)
        elif fate.mode is Mode.CUT:
            client.sendall(self._receive(server)[: fate.reply_bytes])
        else:
            self._copy(server, client)

    def _copy(self, source: socket.socket, target: socket.socket) -> None:
        """Pass on what comes until one side has ended."""
        with contextlib.suppress(OSError):
            while chunk := self._receive(source):
                target.sendall(chunk)
            target.shutdown(socket.SHUT_WR)

    def _swallow(self, client: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while self._receive(client):
                continue

    def _receive(self, source: socket.socket) -> bytes:
        """What comes next; empty at the end, or when the proxy closes."""
        while not self._closing.is_set():
            try:
                return source.recv(_CHUNK)
            except TimeoutError:
                continue
        return b""


def _reset(connection: socket.socket) -> None:
    """End a connection as a crashed peer does: with RST, not with a tidy FIN."""
    linger = b"\x01\x00\x00\x00\x00\x00\x00\x00"
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    connection.close()
