"""`altayar up` as a person sees it: ready, alive after deaths, gone after Ctrl-C, its data kept."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from infrastructure.embedded.postgres import EmbeddedPostgres
from tests.launcher.processes import Start, wait_until_gone
from tests.machine import free_port, told

START_SECONDS = 60.0
"""Far above what it takes: the machine may be busy with other tests."""


class System:
    """The whole system, started from outside."""

    def __init__(self, process: subprocess.Popen[str], port: int) -> None:
        self.process = process
        self.port = port
        self.lines: list[str] = []

    def read_until(self, text: str) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line.rstrip())
            if text in line:
                return
        raise AssertionError(f"{text!r} never came: {self.lines}")

    def answers(self, path: str) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=5) as answer:
                return bool(answer.status == 200)
        except (OSError, urllib.error.URLError):
            return False

    def announced_accounts(self) -> list[str]:
        found = re.findall(r"[a-z]+@altayar\.test", "\n".join(self.lines))
        assert len(found) == 5
        return found

    def lets_in(self, email: str) -> bool:
        """Whether the account that was announced can log in with the password that was announced."""
        (password,) = re.findall(r"^  Password +(\S+)", "\n".join(self.lines), re.MULTILINE)
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/api/v1/auth/login",
            json.dumps({"email": email, "password": password}).encode(),
            {"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 - always our own loopback address
            return bool(json.load(answer)["access_token"])

    def processes(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)

    def named(self, name: str) -> list[psutil.Process]:
        """The processes of that name."""
        return [one for one in self.processes() if told(one.name, "") == name]

    def processes_of(self, *words: str) -> list[psutil.Process]:
        """The program whose command holds these words; none while it is started again."""
        return [one for one in psutil.Process(self.process.pid).children() if set(words) <= set(told(one.cmdline, []))]

    def process_of(self, *words: str) -> psutil.Process:
        (found,) = self.processes_of(*words)
        return found

    def lives_again(self, dead: psutil.Process, *words: str) -> bool:
        return any(one.pid != dead.pid for one in self.processes_of(*words))

    def stop(self, number: signal.Signals = signal.SIGINT) -> int:
        assert self.process.stdout is not None
        self.process.send_signal(number)
        self.lines.extend(line.rstrip() for line in self.process.stdout)
        return self.process.wait(30)


Up = Callable[[], System]


@pytest.fixture
def up(start_python: Start, home: Path) -> Iterator[Up]:
    """Start the system and wait until it says that it is ready."""

    def start() -> System:
        port = free_port()
        process = start_python("-m", "cli", "up", ALTAYAR_HOME=str(home), PORT=str(port), BCRYPT_COST="4")
        system = System(process, port)
        system.read_until("Ctrl-C stops everything.")
        return system

    yield start


def wait_for(condition: Callable[[], bool], seconds: float = START_SECONDS) -> bool:
    deadline = time.monotonic() + seconds
    while not (held := condition()) and time.monotonic() < deadline:
        time.sleep(0.1)
    return held


def test_a_taken_port_is_named_with_the_way_out(start_python: Start, home: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        process = start_python("-m", "cli", "up", ALTAYAR_HOME=str(home), PORT=str(port))
        said, _ = process.communicate(timeout=30)
    assert process.returncode == 1
    assert (
        said == f"Error: PORT {port} is taken by another program; choose another one, as in: make run PORT={port + 1}\n"
    )
    assert not (home / "postgres").exists()


@pytest.mark.e2e
@pytest.mark.slow
@pytest.mark.timeout(300)
def test_it_runs_everything_survives_deaths_and_leaves_nothing_but_its_data(
    up: Up, start_python: Start, home: Path
) -> None:
    system = up()
    assert system.answers("/health/ready")
    assert system.answers("/docs")
    assert all(system.lets_in(email) for email in system.announced_accounts())

    said, _ = start_python("-m", "cli", "db", "current", ALTAYAR_HOME=str(home)).communicate(timeout=120)
    at, newest = said.strip().removeprefix("at ").split(", newest ")
    assert at == newest, "a command in another terminal uses the running servers"

    worker, scheduler = system.process_of("worker", "quick"), system.process_of("scheduler")
    [postgres, *_] = system.named("postgres")
    for process in (system.process_of("gunicorn"), system.process_of("relay"), worker, scheduler, postgres):
        process.kill()
    for name in ("web", "relay", "worker", "scheduler"):
        system.read_until(f"{name} ended (SIGKILL)")
    assert wait_for(lambda: system.answers("/health/ready"))
    assert wait_for(lambda: system.lives_again(worker, "worker", "quick"))
    assert wait_for(lambda: system.lives_again(scheduler, "scheduler"))

    processes = system.processes()
    assert system.named("postgres")
    assert system.named("valkey-server")
    assert system.stop(signal.SIGINT) == 0
    assert wait_until_gone(processes, 0) == []
    with EmbeddedPostgres(home) as url:
        assert url
