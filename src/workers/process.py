"""What one worker process has: its share of the system, and the wish that it stops.

Jobs are called by name, with ids; they find the system here.
"""

from __future__ import annotations

import signal
import time
from types import FrameType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    # For its name alone: only main.py chooses implementations.
    from infrastructure.bootstrap import Running

_NAP_SECONDS = 0.1

_held: list[Running] = []


def hold(running: Running) -> None:
    """Make this the system that jobs of this process run in."""
    _held[:] = [running]


def this_process() -> Running:
    """The system that this process runs jobs in. Raises LookupError outside of a worker."""
    if not _held:
        raise LookupError("jobs run in workers: altayar worker")
    return _held[0]


class Stop:
    """Set by SIGTERM and SIGINT; a plain flag, because a lock could be held by the code that is interrupted."""

    def __init__(self) -> None:
        self.requested = False

    def listen(self) -> None:
        """Take over both signals; needs the main thread."""
        signal.signal(signal.SIGTERM, self._note)
        signal.signal(signal.SIGINT, self._note)

    def wait(self, seconds: float) -> None:
        """Sleep this long, or until a stop is requested."""
        until = time.monotonic() + seconds
        while not self.requested and (left := until - time.monotonic()) > 0:
            time.sleep(min(left, _NAP_SECONDS))

    def _note(self, _number: int, _frame: FrameType | None) -> None:
        self.requested = True
