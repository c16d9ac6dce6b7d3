"""Home folders for embedded servers, with a space in their path, and processes to try them from outside."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.launcher.processes import ROOT, Start, discard_servers


@pytest.fixture
def home() -> Iterator[Path]:
    """A folder that every account may pass, as an ordinary project folder; emptied whatever happened."""
    folder = Path(tempfile.mkdtemp(prefix="altayar home "))
    folder.chmod(0o755)
    yield folder / "data of one checkout"
    discard_servers(folder / "data of one checkout")
    shutil.rmtree(folder)


@pytest.fixture
def start_python() -> Iterator[Start]:
    """Start `python <arguments>` with the project on its path; what still runs at the end is killed."""
    started: list[subprocess.Popen[str]] = []

    def start(*arguments: str, **environment: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, *arguments],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT / "src"), "PYTHONUNBUFFERED": "1", **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()
