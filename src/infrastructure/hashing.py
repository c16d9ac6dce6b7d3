"""Where password hashing runs: beside gevent's loop where there is one, so that other requests keep moving."""

from __future__ import annotations

import contextlib
import fcntl
import os
import random
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Final

from gevent import monkey
from gevent.threadpool import ThreadPool

from domain.shared.errors import Unavailable
from security.password_handler import Run

LONGEST_WAIT: Final = 4.0
"""Seconds that a sign-in may stand in the queue; who would wait longer is told so at once."""

NICENESS: Final = 19
"""How far hashing stands back (Linux's nice value): as far as there is.

The list's p99 in a storm of sign-ins was 3.6 times the usual at 5, 2.2 at 10 and 1.6 here, and sign-ins were as many.
The price: while requests keep every core busy by themselves, hardly anybody signs in; they are told `sign_in_busy`."""

_FIRST_GUESS_SECONDS = 0.25
_WEIGHT_OF_NEWEST = 0.125


class SignInBusy(Unavailable):
    """More people sign in at this moment than there are cores to check passwords on."""

    code = "sign_in_busy"


def hash_runner(home: Path) -> Run:
    """Runs a hash in a bounded pool of real threads under gevent, and in place elsewhere.

    `home` is the installation's folder: its processes together hash on no more cores than there are.
    """
    if not monkey.is_module_patched("threading"):
        return lambda work: work()
    return HashThreads(Slots(home / "hashing", _cores()))


class Slots:
    """A lock file for each core. The operating system takes the lock back from a process that dies."""

    def __init__(self, folder: Path, many: int) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._paths = [folder / f"core-{number}.lock" for number in range(many)]

    def __len__(self) -> int:
        return len(self._paths)

    @contextlib.contextmanager
    def one(self) -> Iterator[None]:
        """Holds whichever is free; where none is, the one that was chosen to wait for."""
        with contextlib.ExitStack() as opened:
            files = [opened.enter_context(path.open("ab")) for path in random.sample(self._paths, len(self))]
            if not any(_is_free(file) for file in files):
                fcntl.flock(files[0], fcntl.LOCK_EX)
            yield


def _is_free(file: IO[bytes]) -> bool:
    """Whether the lock could be had; if so it is held now."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


class HashThreads:
    """Implements `security.password_handler.Run`: a few threads, and a queue that is no longer than people wait.

    Everything but the work itself runs in the loop's own thread, so that counting needs no lock.
    """

    def __init__(self, slots: Slots) -> None:
        self._slots = slots
        self._pool = ThreadPool(len(slots))
        self._asked = 0
        self._seconds_each = _FIRST_GUESS_SECONDS

    def __call__(self, work: Callable[[], bytes]) -> bytes:
        """Raises SignInBusy where its turn would come after more than LONGEST_WAIT."""
        if self._seconds_to_wait() > LONGEST_WAIT:
            raise SignInBusy()
        self._asked += 1
        try:
            answer: bytes
            answer, seconds = self._pool.apply(self._timed, (work,))
        finally:
            self._asked -= 1
        self._seconds_each += (seconds - self._seconds_each) * _WEIGHT_OF_NEWEST
        return answer

    def _seconds_to_wait(self) -> float:
        """Until one that comes now would begin."""
        ahead = max(0, self._asked - len(self._slots) + 1)
        return ahead * self._seconds_each / len(self._slots)

    def _timed(self, work: Callable[[], bytes]) -> tuple[bytes, float]:
        """In the thread: the answer, and how many seconds it took, waiting for a core included."""
        _stand_back()
        began = time.perf_counter()
        with self._slots.one():
            answer = work()
        return answer, time.perf_counter() - began


def _stand_back() -> None:
    """Let this thread yield its core to whatever else wants one. Linux counts niceness by thread."""
    if os.uname().sysname == "Linux":
        # Where a sandbox forbids it, hashing competes as before.
        with contextlib.suppress(PermissionError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)


def _cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
