"""The supervisor from outside: output under names, revival, and an end that leaves nothing behind."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from tests.launcher.processes import Start, wait_until_gone

WAITS = "import signal; print('up'); signal.pause()"
IGNORES_SIGTERM = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up'); time.sleep(60)"
LEAVES_AN_ORPHAN = """
import os, time
if os.fork() == 0:
    os.setsid()
    time.sleep(60)
print('up')
time.sleep(60)
"""

Supervise = Callable[..., "Supervised"]


class Supervised:
    """A supervisor in a process of its own."""

    def __init__(self, process: subprocess.Popen[str], marker: Path) -> None:
        self.process = process
        self._marker = marker
        self.lines: list[str] = []

    def read_until(self, text: str) -> str:
        """The first line that holds the text; the test's own time limit ends a wait in vain."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line.rstrip())
            if text in line:
                return line.rstrip()
        raise AssertionError(f"{text!r} never came: {self.lines}")

    def make_ready(self) -> None:
        self._marker.touch()
        self.read_until("READY")

    def programs(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)

    def end(self) -> int:
        assert self.process.stdout is not None
        self.lines.extend(line.rstrip() for line in self.process.stdout)
        return self.process.wait(20)


@pytest.fixture
def supervise(start_python: Start, tmp_path: Path) -> Iterator[Supervise]:
    def start(*programs: tuple[str, int, str]) -> Supervised:
        marker = tmp_path / "ready"
        return Supervised(start_python("-m", "tests.launcher.supervises", json.dumps(programs), str(marker)), marker)

    yield start


def test_every_line_stands_under_the_name_of_its_program(supervise: Supervise) -> None:
    running = supervise(("web", 1, "print('one'); print('two'); " + WAITS), ("documents", 2, WAITS))
    assert running.read_until("two") == "web       | two"
    running.make_ready()
    running.process.send_signal(signal.SIGINT)
    assert running.end() == 0
    assert "documents | up" in running.lines


def test_a_program_that_was_killed_is_started_again_and_that_is_said(supervise: Supervise) -> None:
    running = supervise(("web", 1, WAITS))
    running.read_until("up")
    running.make_ready()
    (program,) = running.programs()
    program.kill()
    assert "web ended (SIGKILL)" in running.read_until("ended")
    running.read_until("up")
    assert [again.pid for again in running.programs()] != [program.pid]
    running.process.send_signal(signal.SIGTERM)
    assert running.end() == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_stop_signal_ends_everything_stage_by_stage(supervise: Supervise, number: signal.Signals) -> None:
    running = supervise(("worker", 2, WAITS), ("web", 1, WAITS), ("relay", 2, WAITS))
    running.make_ready()
    programs = running.programs()
    running.process.send_signal(number)
    assert running.end() == 0
    assert [line.split("stopping ")[1] for line in running.lines if "stopping" in line] == ["web", "worker, relay"]
    assert wait_until_gone(programs, 0) == []


def test_a_program_that_does_not_listen_is_killed_in_the_end(supervise: Supervise) -> None:
    running = supervise(("stubborn", 1, IGNORES_SIGTERM))
    running.read_until("up")
    programs = running.programs()
    running.process.terminate()
    assert running.end() == 0
    assert wait_until_gone(programs, 0) == []


def test_a_second_ctrl_c_does_not_wait(supervise: Supervise) -> None:
    running = supervise(("stubborn", 1, IGNORES_SIGTERM), ("another", 2, IGNORES_SIGTERM))
    running.make_ready()
    running.process.send_signal(signal.SIGINT)
    running.read_until("stopping stubborn")
    asked_at = time.monotonic()
    running.process.send_signal(signal.SIGINT)
    assert running.end() == 0
    assert time.monotonic() - asked_at < 3, "two stages of two seconds each were waited for"


def test_what_a_killed_program_left_behind_ends_too(supervise: Supervise) -> None:
    running = supervise(("worker", 1, LEAVES_AN_ORPHAN))
    running.read_until("up")
    running.make_ready()
    leader, orphan = sorted(running.programs(), key=lambda one: one.pid)
    leader.kill()
    running.read_until("ended")
    assert wait_until_gone([orphan]) == []
    running.process.terminate()
    assert running.end() == 0


def test_nothing_outlives_a_supervisor_that_was_killed(supervise: Supervise) -> None:
    running = supervise(("web", 1, WAITS), ("worker", 2, WAITS))
    running.make_ready()
    programs = running.programs()
    running.process.kill()
    assert wait_until_gone(programs) == []


def test_a_system_that_never_comes_up_is_given_up(supervise: Supervise) -> None:
    running = supervise(("web", 1, "raise SystemExit('no such setting')"), ("worker", 2, WAITS))
    assert running.end() == 1
    assert sum("no such setting" in line for line in running.lines) == 3
    assert any("it does not start" in line for line in running.lines)


def test_output_nobody_reads_any_more_does_not_keep_it_from_stopping(supervise: Supervise) -> None:
    running = supervise(("web", 1, "import time\nwhile True: print('line'); time.sleep(0.01)"))
    running.read_until("line")
    programs = running.programs()
    assert running.process.stdout is not None
    running.process.stdout.close()
    running.process.terminate()
    assert running.process.wait(20) == 0
    assert wait_until_gone(programs, 0) == []


def test_the_first_stage_is_up_before_the_others_and_the_announcement_comes_last(supervise: Supervise) -> None:
    running = supervise(("worker", 2, "import time; time.sleep(0.5); " + WAITS), ("web", 1, WAITS))
    running.read_until("up")
    running.make_ready()
    assert running.lines == ["web     | up", "worker  | up", "READY"]
    running.process.terminate()
    assert running.end() == 0
