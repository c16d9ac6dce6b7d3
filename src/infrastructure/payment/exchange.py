"""One HTTP request, bounded in time and size, that knows whether it was sent."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from functools import partial
from typing import Any, Final, cast

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, HTTPError

LARGEST_ANSWER: Final = 1024 * 1024


class NothingSent(Exception):
    """Not one byte of the request left this process."""


class Cut(Exception):
    """The request left, wholly or in part, and no whole answer came."""


class Exchange:
    """One request on a thread of its own, so that its caller waits for a bounded time and no longer.

    Timeouts of sockets count per read: a server that sends one byte a second is never late by them, and
    a name lookup has none. The caller's patience is the bound; when it ends before the connection is
    handed over, the request is never sent, and when it ends after, the connection is shut down.
    """

    def __init__(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> None:
        self._method = method
        self._url = url
        self._headers = {
            **headers,
            "Accept-Encoding": "identity",
            "Connection": "close",
            "User-Agent": "altayar",
        }
        self._body = body
        self._guard = threading.Lock()
        self._connected = threading.Event()
        self._done = threading.Event()
        self._socket: socket.socket | None = None
        self._abandoned = False
        self._received: tuple[int, bytes] | None = None
        self._trouble: Exception | None = None

    def run(self, connect_seconds: float, total_seconds: float) -> tuple[int, bytes]:
        """Status and body. Raises NothingSent or Cut, whose text is a word for the log."""
        thread = threading.Thread(
            target=self._work, args=(connect_seconds, total_seconds), name="provider-call", daemon=True
        )
        deadline = time.monotonic() + total_seconds
        thread.start()
        self._connected.wait(connect_seconds)
        if self._socket is not None or self._done.is_set():
            self._done.wait(max(0.0, deadline - time.monotonic()))
        return self._outcome()

    def hand_over(self, connection: socket.socket) -> None:
        """Called when the connection stands and nothing is written yet; raises when it is too late."""
        with self._guard:
            if self._abandoned:
                raise TimeoutError("the caller has gone")
            self._socket = connection
        self._connected.set()

    def _outcome(self) -> tuple[int, bytes]:
        with self._guard:
            if not self._done.is_set():
                self._abandoned = True
            elif self._received is not None:
                return self._received
            sent = self._socket
        if self._abandoned and sent is not None:
            with suppress(OSError):
                sent.shutdown(socket.SHUT_RDWR)
            raise Cut("timeout")
        if self._abandoned:
            raise NothingSent("connect_timeout")
        if not isinstance(self._trouble, requests.RequestException | HTTPError | OSError):
            raise self._trouble or RuntimeError("the exchange ended without an outcome")
        raise (Cut("connection_cut") if sent else NothingSent("not_connected")) from self._trouble

    def _work(self, connect_seconds: float, total_seconds: float) -> None:
        try:
            received = self._send(connect_seconds, total_seconds)
        except Exception as trouble:  # noqa: BLE001 - carried to the caller's thread and raised there
            self._trouble = trouble
        else:
            self._received = received
        finally:
            with self._guard:
                self._done.set()
            self._connected.set()

    def _send(self, connect_seconds: float, total_seconds: float) -> tuple[int, bytes]:
        with requests.Session() as session:
            session.trust_env = False
            session.mount("https://", _Adapter(self))
            session.mount("http://", _Adapter(self))
            with session.request(
                self._method,
                self._url,
                headers=self._headers,
                data=self._body,
                timeout=(connect_seconds, total_seconds),
                allow_redirects=False,
                stream=True,
            ) as response:
                return response.status_code, _bounded(response)


def _bounded(response: requests.Response) -> bytes:
    """The body, read no further than the largest answer allowed."""
    content = bytearray()
    for chunk in response.iter_content(64 * 1024):
        content += chunk
        if len(content) > LARGEST_ANSWER:
            raise requests.ConnectionError("the answer is too large")
    return bytes(content)


class _PlainConnection(HTTPConnection):
    def __init__(self, *args: Any, exchange: Exchange, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._exchange = exchange

    def connect(self) -> None:
        super().connect()
        _hand_over(self, self._exchange)


class _TlsConnection(HTTPSConnection):
    def __init__(self, *args: Any, exchange: Exchange, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._exchange = exchange

    def connect(self) -> None:
        super().connect()
        _hand_over(self, self._exchange)


def _hand_over(connection: HTTPConnection, exchange: Exchange) -> None:
    try:
        exchange.hand_over(connection.sock)
    except TimeoutError as trouble:
        connection.close()
        raise ConnectTimeoutError(connection, str(trouble)) from trouble


class _Adapter(HTTPAdapter):
    """Opens connections that report to their exchange before the first byte is written."""

    def __init__(self, exchange: Exchange) -> None:
        super().__init__(pool_connections=1, pool_maxsize=1, max_retries=0)
        self._exchange = exchange

    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> HTTPConnectionPool:
        pool = cast(HTTPConnectionPool, super().get_connection_with_tls_context(*args, **kwargs))
        kind = _TlsConnection if isinstance(pool, HTTPSConnectionPool) else _PlainConnection
        pool.ConnectionCls = partial(kind, exchange=self._exchange)  # type: ignore[assignment]
        return pool
