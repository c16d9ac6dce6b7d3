"""What every request reads and hardly anybody changes, held by each process for at most a moment."""

from __future__ import annotations

import contextvars
import threading
import time
from collections.abc import Callable
from typing import Final, Generic, TypeVar

import structlog

from domain.shared.errors import Busy
from infrastructure.database.refusals import DatabaseUnavailable
from infrastructure.database.transaction import Database

T = TypeVar("T")
_log = structlog.get_logger(__name__)


class Snapshot(Generic[T]):
    """A loaded value, taken anew when its revision has changed; that is looked at once in `seconds` at most.

    One caller at a time loads; meanwhile, and while the database cannot be asked, the others go on with the
    value before. Whoever wrote calls `forget` after the commit, and the next reader here waits for the new one.
    Raises what the database raises where there is no value yet.
    """

    def __init__(
        self,
        load: Callable[[], T],
        revision: Callable[[], int],
        seconds: float = 1.0,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._load = load
        self._revision = revision
        self._seconds = seconds
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._held: tuple[int, T] | None = None
        self._looked_at = 0.0
        # How often `forget` was called, and how often when the last look began.
        self._forgotten = 0
        self._seen = 0

    @property
    def value(self) -> T:
        held = self._held
        if held is None or self._seen != self._forgotten:
            with self._lock:
                # Whoever held the lock before may have looked already.
                if self._held is None or self._seen != self._forgotten:
                    self._look()
        elif self._monotonic() - self._looked_at >= self._seconds and self._lock.acquire(blocking=False):
            try:
                self._look()
            finally:
                self._lock.release()
        held = self._held
        if held is None:
            raise DatabaseUnavailable()
        return held[1]

    def forget(self) -> None:
        """Something was written here: the next reader looks, whatever the time."""
        self._forgotten += 1

    def _look(self) -> None:
        """Take note of the time first: what is written while this loads is looked for again."""
        began, forgotten = self._monotonic(), self._forgotten
        try:
            # Outside of the caller's transaction: what that has not committed is nobody else's to see.
            self._held = contextvars.Context().run(self._current)
        except (DatabaseUnavailable, Busy) as error:
            if self._held is None:
                raise
            _log.warning("snapshot_kept", reason=type(error).__name__)
        self._looked_at, self._seen = began, forgotten

    def _current(self) -> tuple[int, T]:
        # The revision before the value: a change in between shows as an older revision, and is loaded again.
        revision = self._revision()
        if self._held is not None and self._held[0] == revision:
            return self._held
        return revision, self._load()


_REVISION: Final = "SELECT revision FROM revisions WHERE name = %s"


def revision_of(database: Database, name: str) -> Callable[[], int]:
    """Reads a row of `revisions`, which triggers count up with every change of what it is named for."""

    def revision() -> int:
        row = database.row(_REVISION, (name,))
        return int(row["revision"]) if row is not None else 0

    return revision
