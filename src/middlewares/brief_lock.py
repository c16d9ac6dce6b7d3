"""A lock for moments in which nobody waits for anything."""

from typing import Any, Final

from gevent import monkey

BriefLock: Final[Any] = monkey.get_original("threading", "Lock")
"""The interpreter's own, which works between threads. Under gevent `threading.Lock` is a function of Python, which this
spares whoever holds it over a few lines: greenlets change places only where one waits.
"""
