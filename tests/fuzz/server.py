"""The web server that the product runs on, on a port of its own, with limits that are never reached."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import requests

from config.settings import Settings
from infrastructure.embedded.processes import die_with_parent, stop_process
from tests.benchmarks.servers import ROOT

SECONDS_TO_START = 90.0


@contextmanager
def web_server(settings: Settings) -> Iterator[str]:
    """Two worker processes, ended with the block; the server's address."""
    with socket.socket() as asked:
        asked.bind(("127.0.0.1", 0))
        port = int(asked.getsockname()[1])
    address, log = f"http://127.0.0.1:{port}", settings.home / "web.log"
    environment = {
        "ENVIRONMENT": "test",
        "DATABASE_URL": settings.database_url,
        "REDIS_URL": settings.redis_url,
        "ALTAYAR_HOME": str(settings.home),
        "PROMETHEUS_MULTIPROC_DIR": str(settings.home / "metrics"),
        "PORT": str(port),
        "WEB_CONCURRENCY": "2",
        "BCRYPT_COST": "4",
        "RATE_LIMIT_SCALE": "1000000",
        "PAYMENT_GATEWAYS": "sandbox",
        "PYTHONPATH": str(ROOT / "src"),
    }
    with log.open("wb") as said:
        process = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", "--config", "python:gunicorn_conf", "wsgi:app"],
            cwd=ROOT,
            env={**os.environ, **environment},
            stdout=said,
            stderr=said,
            start_new_session=True,
            preexec_fn=die_with_parent(signal.SIGTERM),
        )
        try:
            _wait(process, address)
            yield address
        finally:
            stop_process(process, [(signal.SIGTERM, 15.0)])
            faults = [line for line in log.read_text("utf-8", "replace").splitlines() if "Traceback" in line]
            sys.stdout.write(f"the server's log has {len(faults)} traces of faults\n")


def _wait(process: subprocess.Popen[bytes], address: str) -> None:
    deadline = time.monotonic() + SECONDS_TO_START
    with requests.Session() as session:
        session.trust_env = False
        while time.monotonic() < deadline and process.poll() is None:
            try:
                if session.get(f"{address}/health/ready", timeout=30).ok:
                    return
            except requests.RequestException:
                time.sleep(0.1)
    raise RuntimeError(f"the web server did not start on {address}")
