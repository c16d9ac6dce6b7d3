"""From settings to a running system: servers, database, processes; what `make run` and `altayar up` do."""

from __future__ import annotations

import errno
import signal
import socket
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from config.settings import Settings
from infrastructure.database.migrations import upgrade
from infrastructure.database.roles import DatabaseAddresses, RolesRefused, ensure_roles
from infrastructure.embedded.errors import ServerRefused
from infrastructure.embedded.servers import Servers, started_servers
from infrastructure.seed import seed
from infrastructure.seed_demo import DEMO_ACCOUNTS, DEMO_PASSWORD
from programs import programs
from supervisor import Supervisor, Terminal, stop_signals


class PortTaken(Exception):
    """The web server cannot listen where the settings say; the message names PORT."""


@dataclass(frozen=True, slots=True)
class Launch:
    """One start of the whole system from the project's folder `root`."""

    settings: Settings
    root: Path
    with_seed: bool = True

    @property
    def with_demo(self) -> bool:
        return self.with_seed and not self.settings.is_production


def up(launch: Launch) -> int:
    """Start everything, and run until Ctrl-C or SIGTERM. Returns the exit status."""
    refuse_taken_port(launch.settings.port)
    terminal = Terminal(sys.stdout, ["altayar", "web", "relay", "worker", "documents", "scheduler"])
    status = 0
    with suppress(KeyboardInterrupt), _stop_signals_interrupt(), started_servers(launch.settings) as servers:
        terminal.line("altayar", "servers are up; preparing the database")
        prepare_database(servers.settings, with_seed=launch.with_seed, with_demo=launch.with_demo)
        terminal.line("altayar", "starting web, relay, workers and scheduler")
        status = _supervise(launch, servers, terminal)
    terminal.line("altayar", "stopped")
    return status


def refuse_taken_port(port: int) -> None:
    """Raises PortTaken where gunicorn could not listen either."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As gunicorn does: connections of a server that just ended do not count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
            probe.listen(1)
        except OSError as error:
            why = "is taken by another program" if error.errno == errno.EADDRINUSE else "cannot be used"
            raise PortTaken(f"PORT {port} {why}; choose another one, as in: make run PORT={port + 1}") from error


def prepare_database(settings: Settings, *, with_seed: bool, with_demo: bool) -> DatabaseAddresses:
    """Roles, migrations, seed; all of it may run again and again. Raises ServerRefused."""
    try:
        addresses = ensure_roles(settings.database_url)
    except RolesRefused as error:
        raise ServerRefused(f"DATABASE_URL: {error}") from error
    upgrade(addresses)
    if with_seed:
        seed(settings, addresses, demo=with_demo)
    return addresses


def _supervise(launch: Launch, servers: Servers, terminal: Terminal) -> int:
    settings = servers.settings
    supervisor = Supervisor(programs(settings, launch.root), servers.embedded, folder=launch.root, terminal=terminal)
    return supervisor.run(
        is_ready=lambda: _answers_ready(settings.port),
        announce=lambda: terminal.write("\n".join(_announcement(launch, servers))),
    )


def _answers_ready(port: int) -> bool:
    # Without the proxy that the environment may name: it cannot know what runs on this machine.
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with direct.open(f"http://127.0.0.1:{port}/health/ready", timeout=1) as answer:
            return bool(answer.status == 200)
    except (OSError, urllib.error.URLError):
        return False


def _announcement(launch: Launch, servers: Servers) -> list[str]:
    address = f"http://127.0.0.1:{launch.settings.port}"
    lines = [
        "",
        "AltayarVIP is ready.",
        f"  Address    {address}",
        f"  API docs   {address}/docs",
        f"  Data       {launch.settings.home}",
        *(
            f"             {server.folder.path} ({server.name})"
            for server in servers.embedded
            if not server.folder.path.is_relative_to(launch.settings.home.resolve())
        ),
    ]
    if not launch.settings.smtp_url:
        lines.append(f"  Mail       {launch.settings.home / 'mail'} (SMTP_URL is empty)")
    if (launch.settings.home / "secrets").is_dir():
        lines.append(f"  Secrets    {launch.settings.home / 'secrets'} (made for this installation)")
    if launch.with_demo:
        first, *others = (email for email, *_ in DEMO_ACCOUNTS)
        lines += [f"  Accounts   {first}", *(f"             {email}" for email in others)]
        lines += [f"  Password   {DEMO_PASSWORD} (for each of them)"]
    return [*lines, "", "Ctrl-C stops everything.", ""]


@contextmanager
def _stop_signals_interrupt() -> Iterator[None]:
    """Until the supervisor takes over, SIGTERM and a closed terminal end us as Ctrl-C does: in order."""
    before = {number: signal.signal(number, _interrupt) for number in stop_signals()}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt
