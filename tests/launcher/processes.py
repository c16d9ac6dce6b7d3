"""What the launcher's tests share: the project's folder, and looks at processes from outside."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psutil

from infrastructure.embedded.postgres import EmbeddedPostgres
from infrastructure.embedded.redis import EmbeddedRedis

ROOT = Path(__file__).resolve().parents[2]

Start = Callable[..., "subprocess.Popen[str]"]


def discard_servers(home: Path) -> None:
    for server in (EmbeddedPostgres(home), EmbeddedRedis(home)):
        server.discard()


def wait_until_gone(processes: list[psutil.Process], seconds: float = 10.0) -> list[psutil.Process]:
    """Those that still run after this long; one that ended and nobody reaped is gone too."""
    _, alive = psutil.wait_procs([one for one in processes if _runs(one)], timeout=seconds)
    return [one for one in alive if _runs(one)]


def _runs(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def demo(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command to its end; `environment` is added to this process's."""
    return subprocess.run(
        [sys.executable, "-m", "cli", "demo", *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src"), "COLUMNS": "120", "NO_COLOR": "1", **environment},
        capture_output=True,
        text=True,
        timeout=360,
        check=False,
    )
