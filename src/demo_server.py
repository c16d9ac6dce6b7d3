"""A system of its own for `altayar demo`: started for one story, and gone without a trace afterwards."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from demo_providers import ProviderNotStarted, Providers, fake_providers
from infrastructure.embedded.postgres import EmbeddedPostgres
from infrastructure.embedded.processes import die_with_parent
from infrastructure.embedded.redis import EmbeddedRedis

START_SECONDS: Final = 180.0
"""Far above what it takes: the machine may be busy."""


class DemoFailed(Exception):
    """A step did not go as it should; the message says which, and what came instead."""


@dataclass(frozen=True, slots=True)
class Server:
    """Where the demo's requests go; `mail` is the folder of its mails, where we may read it.

    `providers` are the fakes behind it, where the system is the demo's own.
    """

    address: str
    mail: Path | None = None
    providers: Providers | None = None


@contextmanager
def own_server(root: Path) -> Iterator[Server]:
    """`altayar up` with embedded servers, on a free port. Raises DemoFailed; it and its data are gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="altayar-demo-") as folder:
        # The embedded servers of root run as another account, which has to get through here.
        Path(folder).chmod(0o755)
        home, log, port = Path(folder) / "home", Path(folder) / "up.log", _free_port()
        address = f"http://127.0.0.1:{port}"
        try:
            with fake_providers(Path(folder), root, backend=address) as providers:
                environment = {**_environment(root, home, port), **providers.settings}
                with _discarded(home), _system(root, environment, log):
                    yield Server(address, home / "mail", providers)
        except ProviderNotStarted as error:
            raise DemoFailed(f"a provider did not start:\n{error}") from error


@contextmanager
def _system(root: Path, environment: dict[str, str], log: Path) -> Iterator[None]:
    """`altayar up` with these settings, until it is left."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "cli", "up"],
            cwd=root,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=die_with_parent(signal.SIGTERM),
        )
    try:
        _wait_until_announced(process, log)
        yield
    finally:
        _stop(process)


@contextmanager
def _discarded(home: Path) -> Iterator[None]:
    """The embedded servers' data lie in folders of their own, which go, too."""
    try:
        yield
    finally:
        for embedded in (EmbeddedPostgres(home), EmbeddedRedis(home)):
            embedded.discard()


def _environment(root: Path, home: Path, port: int) -> dict[str, str]:
    """Nothing of the installation that the demo is called in: neither its servers nor its providers."""
    path = os.pathsep.join(filter(None, [str(root / "src"), os.environ.get("PYTHONPATH")]))
    own = dict.fromkeys(("DATABASE_URL", "REDIS_URL", "BACKEND_URL", "SMTP_URL", "STORAGE_URL"), "")
    return {
        **os.environ,
        **own,
        "PYTHONPATH": path,
        "ENVIRONMENT": "development",
        "ALTAYAR_HOME": str(home),
        "PORT": str(port),
        "WEB_CONCURRENCY": "1",
    }


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_until_announced(process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while "Ctrl-C stops everything." not in (said := log.read_text("utf-8", "replace")):
        if process.poll() is not None or time.monotonic() > deadline:
            raise DemoFailed("the server did not start:\n" + "\n".join(said.splitlines()[-15:]))
        time.sleep(0.2)


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGINT)
    try:
        process.wait(60)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
