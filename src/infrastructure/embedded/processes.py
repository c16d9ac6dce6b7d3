"""Server processes that never outlive who started them, and the end of those that an earlier run left."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

_PR_SET_PDEATHSIG = 1
"""prctl(2): the signal that the kernel sends a process when the thread that started it ends."""


def die_with_parent(with_signal: signal.Signals, *, patient: bool = False) -> Callable[[], None]:
    """A `preexec_fn` that ends the child when its parent dies, even of SIGKILL (Linux only).

    The kernel watches the thread that started the child: start it from one that lives as long as it is
    needed. A change of account would undo it, so `subprocess` changes the account before it calls this.
    Whoever is `patient` pushes nobody from a core when it wakes, and what it starts is patient, too (sched(7)).
    """
    if not sys.platform.startswith("linux"):
        return lambda: None
    libc = ctypes.CDLL(None, use_errno=True)
    parent = os.getpid()

    def bind_to_parent() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, int(with_signal), 0, 0, 0)
        if os.getppid() != parent:
            # The parent died between the fork and the line above: nobody would ever send the signal.
            os._exit(1)
        if patient:
            # Where that is not allowed, it is as the others.
            with contextlib.suppress(OSError):
                os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))

    return bind_to_parent


def stop_process(process: subprocess.Popen[bytes], steps: Sequence[tuple[signal.Signals, float]]) -> None:
    """Ask the process to end: each signal in turn, with the seconds that it is given before the next."""
    for with_signal, seconds in steps:
        if process.poll() is not None:
            return
        process.send_signal(with_signal)
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            continue
    process.kill()
    process.wait()


def processes_working_in(folder: Path) -> list[int]:
    """Ids of the processes whose working directory is this folder, as far as we may look (Linux's /proc)."""
    here = str(folder.resolve())
    return [int(entry.name) for entry in Path("/proc").glob("[0-9]*") if _working_folder(entry) == here]


def end_leftovers(folder: Path, gentle: signal.Signals, seconds: float) -> None:
    """End the servers that an earlier, killed run left behind in this folder: gently first, then for sure.

    Only for a caller that holds the folder's lock; without it they might be somebody's.
    """
    for with_signal, patience in ((gentle, seconds), (signal.SIGKILL, 5.0)):
        left = processes_working_in(folder)
        for pid in left:
            _send(pid, with_signal)
        _wait_until_empty(folder, patience)


def _wait_until_empty(folder: Path, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while processes_working_in(folder) and time.monotonic() < deadline:
        time.sleep(0.02)


def _send(pid: int, with_signal: signal.Signals) -> None:
    try:
        os.kill(pid, with_signal)
    except ProcessLookupError:
        return


def _working_folder(entry: Path) -> str | None:
    try:
        return str((entry / "cwd").readlink())
    except OSError:
        return None
