"""What is shipped, started for a run: both servers, nginx, gunicorn, relay, workers and scheduler.

The data stays in `.altayar/load` from run to run, because filling it takes minutes; `--fresh` begins anew.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from uuid import UUID

import psutil
import requests

from config.settings import Settings, load_settings
from infrastructure.database import migrations
from infrastructure.database.roles import DatabaseAddresses, connect, ensure_roles
from infrastructure.embedded.postgres import EmbeddedPostgres
from infrastructure.embedded.redis import EmbeddedRedis
from infrastructure.seed import seed
from programs import programs
from tests.benchmarks.data import Shop
from tests.benchmarks.servers import ROOT, System
from tests.deploy.proxy import Proxy, running_process, running_proxy, wait_until
from tests.load.seeding import Report, Size, seed_company
from tests.machine import free_port

Prepare = Callable[[EmbeddedPostgres], object]
"""What is done to PostgreSQL's data before it starts."""

FOLDER: Final = ROOT / ".altayar/load"
_SEEDED: Final = "SELECT to_regclass('load_seeded') IS NOT NULL"
"""The table is made when everything is there: a run that was interrupted leaves none."""


@dataclass(frozen=True, slots=True)
class Site:
    """A running installation, as an operator sees it."""

    system: System
    shop: Shop
    proxy: Proxy
    processes: Mapping[str, psutil.Process]
    """The first process of each program, by name."""
    logs: Path

    @property
    def addresses(self) -> DatabaseAddresses:
        return self.system.addresses


@contextmanager
def running_site(
    size: Size, report: Report, *, fresh: bool, settings: Mapping[str, str], prepare: Prepare
) -> Iterator[Site]:
    """Everything that `deploy/` starts on one host, behind its proxy; `settings` are for PostgreSQL."""
    home = FOLDER / "home"
    with ExitStack() as stack:
        database, valkey = EmbeddedPostgres(home, settings=settings), EmbeddedRedis(home)
        if fresh:
            database.discard()
        # Its jobs are of rows that another run left.
        valkey.discard()
        home.mkdir(parents=True, exist_ok=True)
        prepare(database)
        urls = {"DATABASE_URL": stack.enter_context(database), "REDIS_URL": stack.enter_context(valkey)}
        app_port = free_port()
        environment = _environment(home, urls, app_port)
        of_ours = load_settings(environment, root=home)
        system = System(home, of_ours, _prepared(of_ours))
        shop = _filled(system, size, report)
        logs = _empty(FOLDER / "logs")
        report("web server, relay, workers, scheduler, nginx")
        processes = {
            "postgres": _by_id(database.process_id),
            "valkey": _by_id(valkey.process_id),
            **_started(of_ours, environment, logs, stack),
        }
        _wait_for_web(app_port, logs)
        proxy = stack.enter_context(running_proxy(logs, app_port))
        processes["nginx"] = _nginx()
        yield Site(system, shop, proxy, processes, logs)


def _environment(home: Path, urls: Mapping[str, str], app_port: int) -> dict[str, str]:
    """As `deploy/` has it, but for the sandbox, which takes no money and which production refuses."""
    return {
        **urls,
        "ENVIRONMENT": "test",
        "ALTAYAR_HOME": str(home),
        "PORT": str(app_port),
        # Its webhooks come straight to the web server: it trusts no certificate of our making.
        "BACKEND_URL": f"http://127.0.0.1:{app_port}",
        "PAYMENT_GATEWAYS": "sandbox",
        "TRUSTED_PROXIES": "1",
        "WEB_CONCURRENCY": str(os.cpu_count() or 2),
        "LOG_FORMAT": "json",
    }


def _prepared(settings: Settings) -> DatabaseAddresses:
    addresses = ensure_roles(settings.database_url)
    migrations.upgrade(addresses)
    seed(settings, addresses, demo=False)
    return addresses


def _filled(system: System, size: Size, report: Report) -> Shop:
    with connect(system.addresses.owner) as owner:
        row = owner.execute(_SEEDED).fetchone()
    if row is None or not row[0]:
        seed_company(system, size, report)
        with connect(system.addresses.owner) as owner:
            owner.execute("CREATE TABLE load_seeded ()")
    with connect(system.addresses.owner) as owner:
        # Renewed for each run: a session ends after a day.
        owner.execute("UPDATE sessions SET expires_at = now() + interval '1 day' WHERE user_agent = 'benchmark'")
        people = owner.execute("SELECT user_id, id FROM sessions WHERE user_agent = 'benchmark' ORDER BY id").fetchall()
        trips = owner.execute(
            """SELECT d.package_id, d.id FROM departures d JOIN packages p ON p.id = d.package_id
               WHERE p.slug LIKE 'load-trip-%%' AND d.starts_on > current_date + 20 ORDER BY d.id""",
            (),
        ).fetchall()
    return Shop([(UUID(str(a)), UUID(str(b))) for a, b in people], [(UUID(str(a)), UUID(str(b))) for a, b in trips])


def _started(
    settings: Settings, environment: Mapping[str, str], logs: Path, stack: ExitStack
) -> dict[str, psutil.Process]:
    started = {}
    for program in programs(settings, ROOT):
        process = stack.enter_context(
            running_process(list(program.command), {**program.environment, **environment}, logs / f"{program.name}.log")
        )
        started[program.name] = psutil.Process(process.pid)
    return started


def _wait_for_web(port: int, logs: Path) -> None:
    def is_ready() -> bool:
        with requests.Session() as session:
            session.trust_env = False
            return session.get(f"http://127.0.0.1:{port}/health/ready", timeout=5).status_code == 200

    wait_until(is_ready, logs / "web.log")


def _nginx() -> psutil.Process:
    """The master that this process has just started."""
    return next(one for one in psutil.Process().children() if "nginx" in one.name())


def _by_id(pid: int | None) -> psutil.Process:
    return psutil.Process(pid)


def _empty(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder
