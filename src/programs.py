"""The processes of the system: with which command and environment each is started."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from config.settings import Settings
from supervisor import Program

WEB, WORK = 1, 2
"""Stages of stopping: no new requests first, then no new work; the servers go last."""

DRAIN_SECONDS = 16.0
"""How long a job in hand may go on; with the other stages it stays below 30 s. A job cut short runs again."""


def process_environment(settings: Settings, root: Path) -> dict[str, str]:
    """What every process is started with: the servers' addresses, UTC, output unbuffered."""
    path = os.environ.get("PYTHONPATH")
    return {
        **os.environ,
        "DATABASE_URL": settings.database_url,
        "REDIS_URL": settings.redis_url,
        "ALTAYAR_HOME": str(settings.home),
        "PORT": str(settings.port),
        "PYTHONPATH": os.pathsep.join(filter(None, [str(root / "src"), path])),
        "PYTHONUNBUFFERED": "1",
        "TZ": "UTC",
    }


def web_environment(settings: Settings, root: Path) -> dict[str, str]:
    """The same for the web server, whose worker processes add their metrics up in files."""
    return {**process_environment(settings, root), "PROMETHEUS_MULTIPROC_DIR": str(settings.home / "metrics")}


def web_command() -> list[str]:
    return [sys.executable, "-m", "gunicorn", "--config", "python:gunicorn_conf", "wsgi:app"]


def programs(settings: Settings, root: Path) -> list[Program]:
    """The processes of the system; invoices are drawn apart, so that slow drawing never delays the rest."""
    environment = process_environment(settings, root)
    return [
        Program("web", web_command(), web_environment(settings, root), WEB),
        Program("relay", _altayar("relay"), environment, WORK, DRAIN_SECONDS),
        Program("worker", _altayar("worker", "quick"), environment, WORK, DRAIN_SECONDS),
        Program("documents", _altayar("worker", "documents"), environment, WORK, DRAIN_SECONDS),
        Program("scheduler", _altayar("scheduler"), environment, WORK, DRAIN_SECONDS),
    ]


def _altayar(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "cli", *arguments]
