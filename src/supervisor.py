"""Runs the system's processes in one terminal: their output under their names, revived when they die.

Everything happens in the main thread: the processes are bound to its life, so that even a SIGKILL of the
supervisor ends them. Each leads a session of its own: Ctrl-C reaches the supervisor alone, which then stops
them stage by stage, with the work in hand finished first.
"""

from __future__ import annotations

import ctypes
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import TextIO

from infrastructure.embedded.errors import EmbeddedServerError
from infrastructure.embedded.processes import die_with_parent
from infrastructure.embedded.server import EmbeddedServer

SHORT_LIFE_SECONDS = 30.0
"""A process that lived longer than this is revived at once, however often it died before."""

LONGEST_PAUSE_SECONDS = 10.0
FAILURES_BEFORE_READY = 3
"""A process that dies this often before the system was ever ready will not do better by itself."""

LONGEST_WAIT_SECONDS = 10.0
"""Later stages start, and the announcement is made, no later than this after what they wait for began."""

_PR_SET_CHILD_SUBREAPER = 36
"""prctl(2): what a dead child leaves behind becomes ours, so that it can be ended too."""

_COLOURS = ("36", "32", "33", "35", "34", "31")


def stop_signals() -> list[signal.Signals]:
    """What asks us to stop; a closed terminal does, unless it was told not to (nohup)."""
    closing = [] if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN else [signal.SIGHUP]
    return [signal.SIGINT, signal.SIGTERM, *closing]


@dataclass(frozen=True, slots=True)
class Program:
    """One process of the system."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    stage: int
    """Stages are stopped in this order, one at a time; the first is started ahead of the others."""
    seconds_to_stop: float = 10.0


class Terminal:
    """Lines under the names of those who wrote them; coloured where a person looks on."""

    def __init__(self, stream: TextIO, names: Sequence[str]) -> None:
        self._stream: TextIO | None = stream
        self._width = max(map(len, names), default=0)
        colour = stream.isatty() and not os.environ.get("NO_COLOR")
        self._colours = {name: _COLOURS[i % len(_COLOURS)] for i, name in enumerate(names)} if colour else {}

    def line(self, name: str, text: str) -> None:
        label = f"{name:<{self._width}} |"
        if name in self._colours:
            label = f"\x1b[{self._colours[name]}m{label}\x1b[0m"
        self.write(f"{label} {text}")

    def write(self, text: str) -> None:
        if self._stream is None:
            return
        try:
            print(text, file=self._stream, flush=True)
        except OSError:
            # The terminal is gone or nobody reads on; the processes still have to be stopped in order.
            self._stream = None


@dataclass
class _Running:
    """A program's present process, and how its earlier ones fared."""

    program: Program
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    start_at: float = 0.0
    deaths: int = 0
    has_spoken: bool = False
    partial: bytes = field(default=b"", repr=False)

    def has_died(self) -> bool:
        """Whether its process ended; it is not reaped yet, so its group's number is still its own."""
        if self.process is None or self.process.returncode is not None:
            return False
        return os.waitid(os.P_PID, self.process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None

    def is_up(self) -> bool:
        return self.process is not None and self.process.returncode is None


class Supervisor:
    """Keeps programs and embedded servers running until it is told to stop.

    It owns its whole process: any other child of the process is taken for an orphan and ended.
    """

    def __init__(
        self, programs: Sequence[Program], servers: Sequence[EmbeddedServer], *, folder: Path, terminal: Terminal
    ) -> None:
        self._running = [_Running(program) for program in programs]
        self._servers = servers
        self._folder = folder
        self._terminal = terminal
        self._selector = selectors.DefaultSelector()
        self._stop_requests = 0
        self._ready_at: float | None = None
        self._announced = False

    def run(self, is_ready: Callable[[], bool], announce: Callable[[], None]) -> int:
        """Run until a stop signal; `announce` is called once, when `is_ready` holds and all have started.

        Returns the exit status: 0 after a stop that was asked for, 1 when the system never came up.
        """
        _adopt_orphans()
        self._put_off_later_stages()
        with self._signals_noted():
            try:
                while not self._stop_requests:
                    self._revive()
                    self._watch_servers()
                    self._pump(0.2)
                    if any(run.deaths >= FAILURES_BEFORE_READY for run in self._running) and self._ready_at is None:
                        self._say("it does not start; the reason is above")
                        return 1
                    if self._is_due(is_ready):
                        announce()
            finally:
                self._stop_all()
        return 0

    def _put_off_later_stages(self) -> None:
        """Let the first stage have the machine to itself until it is ready, so that it is ready soon."""
        first = min(run.program.stage for run in self._running)
        for run in self._running:
            if run.program.stage != first:
                run.start_at = time.monotonic() + LONGEST_WAIT_SECONDS

    def _is_due(self, is_ready: Callable[[], bool]) -> bool:
        """Whether to announce now: ready, and after what the programs say at their start."""
        if self._announced:
            return False
        if self._ready_at is None:
            if not is_ready():
                return False
            self._ready_at = time.monotonic()
            for run in self._running:
                run.start_at = min(run.start_at, self._ready_at)
        waited = time.monotonic() - self._ready_at
        first = min(run.program.stage for run in self._running)
        everyone_spoke = all(run.has_spoken or run.program.stage == first for run in self._running)
        self._announced = everyone_spoke or waited > LONGEST_WAIT_SECONDS
        return self._announced

    def _say(self, text: str) -> None:
        self._terminal.line("altayar", text)

    # ── starting and reviving ──────────────────────────────────────────────────────────────────────────

    def _revive(self) -> None:
        for run in self._running:
            if run.has_died():
                self._bury(run)
            if not run.is_up() and time.monotonic() >= run.start_at:
                self._start(run)

    def _start(self, run: _Running) -> None:
        run.process = subprocess.Popen(
            run.program.command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=self._folder,
            env=dict(run.program.environment),
            start_new_session=True,
            preexec_fn=die_with_parent(signal.SIGTERM),
        )
        run.started_at = time.monotonic()
        if run.process.stdout is not None:
            os.set_blocking(run.process.stdout.fileno(), False)
            self._selector.register(run.process.stdout, selectors.EVENT_READ, run)

    def _bury(self, run: _Running) -> None:
        """Note a death that nobody asked for, end what the process left behind, and plan the next life."""
        status = self._clear(run)
        lived = time.monotonic() - run.started_at
        run.deaths = 1 if lived > SHORT_LIFE_SECONDS else run.deaths + 1
        pause = min(LONGEST_PAUSE_SECONDS, 0.25 * 2**run.deaths)
        run.start_at = time.monotonic() + pause
        self._say(f"{run.program.name} ended ({_in_words(status)}); it starts again in {pause:g} s")

    def _clear(self, run: _Running) -> int:
        """Reap a process that ended, with its group and its orphans; returns its exit status."""
        process = run.process
        if process is None:
            return 0
        _signal_group(process.pid, signal.SIGKILL)
        status = process.wait()
        self._end_orphans()
        while self._read(run):
            continue
        return status

    def _watch_servers(self) -> None:
        """Start an embedded server again that died; its address stays the same."""
        for server in self._servers:
            if server.is_alive():
                continue
            self._say(f"{server.name} ended; it starts again")
            server.stop()
            try:
                server.start()
            except EmbeddedServerError as error:
                self._say(str(error))

    # ── output ─────────────────────────────────────────────────────────────────────────────────────────

    def _pump(self, seconds: float) -> None:
        """Pass on what the processes wrote, waiting this long at most for something to happen."""
        for key, _ in self._selector.select(seconds):
            if isinstance(key.data, _Running):
                self._read(key.data)
            else:
                os.read(key.fd, 512)

    def _read(self, run: _Running) -> bool:
        """Pass on one piece of what the process wrote; False when there is no more for now, or ever."""
        if run.process is None or run.process.stdout is None or run.process.stdout.closed:
            return False
        try:
            piece = os.read(run.process.stdout.fileno(), 65_536)
        except BlockingIOError:
            return False
        *lines, run.partial = (run.partial + piece).split(b"\n")
        if not piece:
            lines, run.partial = [run.partial] if run.partial else [], b""
            self._selector.unregister(run.process.stdout)
            run.process.stdout.close()
        for line in lines:
            self._print(run, line)
        return bool(piece)

    def _print(self, run: _Running, line: bytes) -> None:
        run.has_spoken = True
        self._terminal.line(run.program.name, line.decode("utf-8", "replace").rstrip())

    # ── stopping ───────────────────────────────────────────────────────────────────────────────────────

    def _stop_all(self) -> None:
        """Stage by stage: ask, wait, insist. A second Ctrl-C insists at once."""
        for stage in sorted({run.program.stage for run in self._running}):
            runs = [run for run in self._running if run.program.stage == stage and run.is_up()]
            if runs:
                self._say(f"stopping {', '.join(run.program.name for run in runs)}")
            for run in runs:
                _signal_process(run, signal.SIGTERM)
            self._wait_for(runs)
            for run in runs:
                self._clear(run)
        self._end_orphans()

    def _wait_for(self, runs: Sequence[_Running]) -> None:
        deadline = time.monotonic() + max((run.program.seconds_to_stop for run in runs), default=0.0)
        while any(run.is_up() and not run.has_died() for run in runs):
            if time.monotonic() > deadline or self._stop_requests > 1:
                return
            self._pump(0.05)

    def _end_orphans(self) -> None:
        """End processes that came to us because the one that started them died."""
        ours = {run.process.pid for run in self._running if run.process is not None}
        ours |= {pid for server in self._servers if (pid := server.process_id) is not None}
        for pid in set(_children()) - ours:
            _kill_and_reap(pid)

    @contextmanager
    def _signals_noted(self) -> Iterator[None]:
        """Stop signals are counted and wake the loop; the handlers from before come back at the end."""
        reading, writing = os.pipe()
        os.set_blocking(reading, False)
        os.set_blocking(writing, False)
        self._selector.register(reading, selectors.EVENT_READ, None)
        before = {number: signal.signal(number, self._note_stop) for number in stop_signals()}
        previous = signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
        try:
            yield
        finally:
            signal.set_wakeup_fd(previous)
            for number, handler in before.items():
                signal.signal(number, handler)
            self._selector.close()
            os.close(reading)
            os.close(writing)

    def _note_stop(self, _number: int, _frame: FrameType | None) -> None:
        self._stop_requests += 1


def _signal_process(run: _Running, number: signal.Signals) -> None:
    if run.process is not None and not run.has_died():
        run.process.send_signal(number)


def _signal_group(leader: int, number: signal.Signals) -> None:
    try:
        os.killpg(leader, number)
    except ProcessLookupError:
        return


def _kill_and_reap(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    except (ProcessLookupError, ChildProcessError):
        return


def _adopt_orphans() -> None:
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _children() -> list[int]:
    """Ids of the processes whose parent we are (proc(5): the second field after the name's `)`)."""
    us = str(os.getpid())
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            after_name = (entry / "stat").read_text("utf-8", "replace").rpartition(")")[2].split()
        except OSError:
            continue
        if after_name[1] == us:
            found.append(int(entry.name))
    return found


def _in_words(status: int) -> str:
    return f"exit status {status}" if status >= 0 else signal.Signals(-status).name
