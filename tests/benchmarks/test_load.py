"""What the load generator counts: servers that keep connections, that close them, that answer something else."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.benchmarks.load import Answers, Load, UnexpectedAnswer, ask_once, generator

REQUEST = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"


class Server(ThreadingHTTPServer):
    daemon_threads = True
    hangs_up = False
    status = 200

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.connections = 0
        self.answered = 0
        self.counting = threading.Lock()

    def handle_error(self, request: object, client_address: object) -> None:
        """A caller that leaves before the end of an answer is none."""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def setup(self) -> None:
        with self.server.counting:
            self.server.connections += 1
        super().setup()

    def do_GET(self) -> None:
        with self.server.counting:
            self.server.answered += 1
        self.send_response(self.server.status)
        self.send_header("Content-Length", "5")
        if self.server.hangs_up:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(b"hello")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name that it has there
        """Nobody reads it."""


@contextmanager
def a_server(*, hangs_up: bool = False, status: int = 200) -> Iterator[Server]:
    with Server() as server:
        server.hangs_up, server.status = hangs_up, status
        answering = threading.Thread(target=server.serve_forever, daemon=True)
        answering.start()
        yield server
        server.shutdown()
        answering.join()


def load(server: Server) -> Answers:
    with generator() as it:
        return it.run(Load(server.server_port, [REQUEST], 200, connections=3, seconds=0.2))


def test_connections_that_the_server_keeps_are_used_again() -> None:
    with a_server() as server:
        answers = load(server)
        assert len(answers.seconds) == server.answered > 3
        assert server.connections == 3


def test_whoever_is_hung_up_on_comes_again() -> None:
    with a_server(hangs_up=True) as server:
        answers = load(server)
        assert len(answers.seconds) == server.answered == server.connections > 3


def test_a_rate_counts_the_time_until_the_last_answer() -> None:
    assert Answers([0.5, 0.5, 1.0], took=1.5).rate == 2


def test_another_answer_than_the_expected_one_is_not_counted() -> None:
    with a_server(status=500) as server, pytest.raises(UnexpectedAnswer, match="not 200"):
        load(server)


def test_a_single_question_gets_the_body() -> None:
    with a_server() as server:
        assert ask_once(server.server_port, REQUEST, 200) == b"hello"
