"""Processes of the real system, armed to die at a crash point, as by SIGKILL."""

from __future__ import annotations

import dataclasses
import multiprocessing
import os
import signal
import socket
from collections.abc import Callable, Iterable, Mapping
from multiprocessing.process import BaseProcess
from typing import TYPE_CHECKING

import pytest
import requests
from sqlalchemy.engine import URL
from werkzeug.serving import make_server

from app import create_app
from config.settings import Settings
from infrastructure.bootstrap import Running, bootstrap
from infrastructure.database.transaction import Database
from tests.e2e.system import a_session

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

SECONDS_TO_DIE = 30.0


class Mortals:
    """Starts them, and sees them die."""

    def __init__(self, settings: Settings, app_url: URL) -> None:
        self._settings = settings
        self._app_url = app_url
        self._started: list[BaseProcess] = []

    def dies_answering(self, point: str, path: str, *, data: bytes, headers: Mapping[str, str]) -> None:
        """A web server gets one request and dies of it at the point: whoever asked hears nothing."""
        with socket.create_server(("127.0.0.1", 0)) as listening:
            process = self._start(_serve, point, listening)
            with a_session() as session:
                try:
                    url = f"http://127.0.0.1:{listening.getsockname()[1]}{path}"
                    answer = session.post(url, data=data, headers=dict(headers), timeout=SECONDS_TO_DIE)
                except requests.ConnectionError:
                    answer = None
        assert answer is None, f"it answered {answer.status_code} and never came to {point}: {answer.text}"
        self._see_die(process, point)

    def dies_with_its_answer(self, path: str, *, data: bytes, headers: Mapping[str, str]) -> None:
        """A web server does everything that a request asks for, commits it, and dies before a byte of its answer."""
        with socket.create_server(("127.0.0.1", 0)) as listening:
            process = self._start(_serve_and_die, "", listening)
            with a_session() as session, pytest.raises(requests.ConnectionError):
                url = f"http://127.0.0.1:{listening.getsockname()[1]}{path}"
                session.post(url, data=data, headers=dict(headers), timeout=SECONDS_TO_DIE)
        self._see_die(process, "its answer")

    def dies_doing(self, point: str, work: Callable[[Running], object]) -> None:
        """A process does some work of a worker's and dies of it at the point."""
        self._see_die(self._start(_do, point, work), point)

    def close(self) -> None:
        for process in self._started:
            process.kill()
            process.join()

    def _start(self, target: Callable[..., None], point: str, *args: object) -> BaseProcess:
        settings = dataclasses.replace(self._settings, crash_point=point)
        # Forked, not spawned: what takes seconds is importing.
        process = multiprocessing.get_context("fork").Process(target=target, args=(settings, self._app_url, *args))
        process.start()
        self._started.append(process)
        return process

    def _see_die(self, process: BaseProcess, point: str) -> None:
        process.join(SECONDS_TO_DIE)
        assert process.exitcode == -signal.SIGKILL, f"it ended with {process.exitcode} and never came to {point}"


def _serve(settings: Settings, app_url: URL, listening: socket.socket) -> None:
    running = bootstrap(settings, database=Database(app_url))
    make_server("127.0.0.1", 0, create_app(running=running), threaded=True, fd=listening.fileno()).serve_forever()


def _serve_and_die(settings: Settings, app_url: URL, listening: socket.socket) -> None:
    app = create_app(running=bootstrap(settings, database=Database(app_url)))

    def answering(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        answer = list(app(environ, start_response))
        os.kill(os.getpid(), signal.SIGKILL)
        return answer

    make_server("127.0.0.1", 0, answering, threaded=True, fd=listening.fileno()).serve_forever()


def _do(settings: Settings, app_url: URL, work: Callable[[Running], object]) -> None:
    work(bootstrap(settings, database=Database(app_url)))
