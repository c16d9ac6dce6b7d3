"""Where password hashing runs: beside gevent's loop where there is one, so that other requests keep moving."""

from __future__ import annotations

from gevent import monkey
from gevent.threadpool import ThreadPool

from security.password_handler import Run

AT_ONCE = 2
"""Hashes at a time in one process: a login storm queues here instead of taking every core."""


def hash_runner() -> Run:
    """Runs a hash in a bounded pool of real threads under gevent, and in place elsewhere."""
    if not monkey.is_module_patched("threading"):
        return lambda work: work()
    pool = ThreadPool(AT_ONCE)
    return lambda work: pool.apply(work)
