"""Gunicorn's configuration (`gunicorn --config python:gunicorn_conf wsgi:app`), in development and production.

`PORT` and `WEB_CONCURRENCY` (worker processes) come from the environment; everything else can be changed on
the command line. gevent workers keep slow clients from blocking others.
"""

from __future__ import annotations

import gc
import os
import shutil
import tempfile
from pathlib import Path
from typing import Protocol

bind = f"127.0.0.1:{os.environ.get('PORT') or '8000'}"
workers = int(os.environ.get("WEB_CONCURRENCY") or "2")
worker_class = "gevent"
worker_connections = 500
backlog = 1024

timeout = 60
graceful_timeout = 8
keepalive = 5
# Above the app's own limit, so that the app answers what is too long, as a problem document.
limit_request_line = 8190
limit_request_fields = 100
limit_request_field_size = 8190
# Its default place is one file for all that run as the same user: a second checkout would take it over.
control_socket_disable = True

accesslog = None
errorlog = "-"
loglevel = os.environ.get("GUNICORN_LOG_LEVEL", "warning")

_GIVEN = "PROMETHEUS_MULTIPROC_DIR"
"""Where the workers share their metrics; prometheus_client reads it when it is imported, after this."""

_made_here = _GIVEN not in os.environ
_metrics = Path(os.environ.setdefault(_GIVEN, "") or tempfile.mkdtemp(prefix="altayar-metrics-"))
os.environ[_GIVEN] = str(_metrics)


_ALLOCATIONS_BEFORE_COLLECTING = 10_000
"""Some tens of requests; Python's own 700 is less than the rows of a single page."""


class _Worker(Protocol):
    pid: int


def on_starting(_server: object) -> None:
    """Make the folder of the metrics; counters of an earlier run would be added to this one's."""
    _metrics.mkdir(parents=True, exist_ok=True)
    for left in _metrics.glob("*.db"):
        left.unlink()


def post_fork(_server: object, _worker: _Worker) -> None:
    """A worker loads the application now: a quarter of that would be looking for garbage that is not there."""
    gc.disable()


def post_worker_init(_worker: _Worker) -> None:
    """What the application is made of stays: collecting garbage need not look at it again and again."""
    gc.collect()
    gc.freeze()
    gc.enable()
    gc.set_threshold(_ALLOCATIONS_BEFORE_COLLECTING, 10, 10)


def child_exit(_server: object, worker: _Worker) -> None:
    """A worker's gauges end with it; its counters stay in the sums."""
    # Imported late: before the workers are forked it would load ssl ahead of gevent's patches.
    from prometheus_client import multiprocess

    multiprocess.mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]


def on_exit(_server: object) -> None:
    if _made_here:
        shutil.rmtree(_metrics, ignore_errors=True)
