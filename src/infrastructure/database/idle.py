"""SQLAlchemy's pool, with a queue of idle connections that takes no lock of Python's.

Under gevent its own queue's locks are functions of Python, a dozen for each connection that comes and goes.
"""

from __future__ import annotations

import queue
from typing import Any

from sqlalchemy.pool import QueuePool
from sqlalchemy.util import queue as expected


class _Idle(expected.QueueCommon[Any]):
    """What the pool asks of a queue, by the interpreter's or gevent's own; the pool itself puts no more than fit."""

    def __init__(self, maxsize: int = 0, use_lifo: bool = False) -> None:
        self.maxsize, self.use_lifo = maxsize, False
        # Looked up now: gevent puts its own in its place.
        self._waiting: queue.SimpleQueue[Any] = queue.SimpleQueue()

    def qsize(self) -> int:
        return self._waiting.qsize()

    def put(self, item: Any, block: bool = True, timeout: float | None = None) -> None:
        self._waiting.put(item)

    def get(self, block: bool = True, timeout: float | None = None) -> Any:
        try:
            return self._waiting.get(block, timeout)
        except queue.Empty:
            raise expected.Empty() from None


class IdlePool(QueuePool):
    """Connections that wait to be asked for; whoever finds none waits for one."""

    _queue_class = _Idle
