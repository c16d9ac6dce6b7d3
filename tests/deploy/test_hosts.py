"""Two hosts that answer and three that work share one PostgreSQL and one Redis over a network, and lose a host."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests

from infrastructure.database.ledger.verification import verify_ledger
from infrastructure.database.migrations import upgrade
from infrastructure.database.roles import DatabaseAddresses, addresses_from, connect, ensure_roles
from infrastructure.embedded.postgres import EmbeddedPostgres
from infrastructure.embedded.redis import EmbeddedRedis
from infrastructure.seed import seed
from tests.conftest import _settings
from tests.databases import THROW_AWAY
from tests.deploy.conftest import ROOT
from tests.deploy.hosts import NETWORK, SERVERS, Host, hosts, may_make_hosts
from tests.deploy.proxy import running_process, wait_until
from tests.e2e.system import a_session

CUSTOMERS = 24
SECONDS_TO_DELIVER = 90.0
"""A delivery whose worker died is taken up when its lease has run out."""


@dataclass(slots=True)
class Network:
    """The running hosts."""

    addresses: DatabaseAddresses
    api: list[str]
    workers: list[tuple[Path, subprocess.Popen[bytes]]]
    """Each with its host's home folder, where it leaves the mail that it sends."""

    def ask(self, api: int, method: str, path: str, body: Any = None, **headers: str) -> requests.Response:
        """One request to one of the two. Header names are written with `_`."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        with a_session() as session:
            return session.request(method, f"{self.api[api]}{path}", json=body, headers=sent, timeout=60)

    def mails(self) -> list[int]:
        """How many mails each working host has sent."""
        return [len(list((home / "mail").rglob("*.eml"))) for home, _ in self.workers]

    def open_work(self) -> list[tuple[Any, ...]]:
        """Events that were not handed on, and deliveries that are not done."""
        with connect(self.addresses.owner) as session:
            return session.execute(
                "SELECT id, NULL FROM outbox_events WHERE published_at IS NULL UNION ALL"
                " SELECT event_id, handler FROM processed_events WHERE processed_at IS NULL"
            ).fetchall()


@contextlib.contextmanager
def _servers(folder: Path) -> Iterator[tuple[DatabaseAddresses, str]]:
    """PostgreSQL and Valkey, found over the network as well; an empty, migrated database."""
    allowed = folder / "pg_hba.conf"
    allowed.write_text(f"local all all scram-sha-256\nhost all all {NETWORK}.0/24 scram-sha-256\n", "ascii")
    postgres = EmbeddedPostgres(
        folder, settings={**THROW_AWAY, "listen_addresses": SERVERS, "port": "5432", "hba_file": str(allowed)}
    )
    valkey = EmbeddedRedis(folder, settings={"port": "6379", "bind": SERVERS, "protected-mode": "no"})
    with contextlib.ExitStack() as stack:
        for server in (postgres, valkey):
            stack.callback(server.discard)
        local = ensure_roles(postgres.start())
        valkey.start()
        upgrade(local)
        seed(_settings(local.owner.render_as_string(hide_password=False), "redis://unused", folder), local, demo=False)
        away = local.owner.set(host=SERVERS, query={})
        yield addresses_from(away.render_as_string(hide_password=False)), f"redis://{SERVERS}:6379/0"


@pytest.fixture
def folder() -> Iterator[Path]:
    """One that the account of root's servers may pass."""
    made = Path(tempfile.mkdtemp(prefix="altayar-hosts-"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made)


@pytest.fixture
def network(folder: Path) -> Iterator[Network]:
    with (
        hosts("api1", "api2", "work1", "work2", "work3") as made,
        _servers(folder) as (addresses, redis_url),
        contextlib.ExitStack() as stack,
    ):
        environment = {
            **os.environ,
            "PYTHONPATH": str(ROOT / "src"),
            "ENVIRONMENT": "test",
            "DATABASE_URL": addresses.owner.render_as_string(hide_password=False),
            "REDIS_URL": redis_url,
            "JWT_SIGNING_KEYS": "1:" + "j" * 40,
            "FIELD_ENCRYPTION_KEYS": "f" * 40,
            "SANDBOX_SECRET": "s" * 40,
            "WEB_CONCURRENCY": "1",
            "BCRYPT_COST": "4",
            "RATE_LIMIT_SCALE": "1000",
            "TZ": "UTC",
        }

        def start(host: Host, *words: str) -> tuple[Path, subprocess.Popen[bytes]]:
            home = folder / host.namespace
            home.mkdir(exist_ok=True)
            log = home / f"{words[1]}-{words[-1]}.log"
            command = host.command(sys.executable, "-m", *words)
            process = running_process(command, environment | {"ALTAYAR_HOME": str(home)}, log)
            return home, stack.enter_context(process)

        api = [made["api1"], made["api2"]]
        for host in api:
            start(host, "gunicorn", "--config", "python:gunicorn_conf", "--bind", f"{host.address}:8000", "wsgi:app")
        for host in api:
            wait_until(lambda host=host: _is_ready(host), folder / host.namespace / "--config-wsgi:app.log")
        workers = [start(made[name], "cli", "worker", "quick") for name in ("work1", "work2", "work3")]
        for name in ("work1", "work2"):
            start(made[name], "cli", "relay")
            start(made[name], "cli", "scheduler")
        yield Network(addresses, [f"http://{host.address}:8000" for host in api], workers)


def _is_ready(host: Host) -> bool:
    with a_session() as session:
        return session.get(f"http://{host.address}:8000/health/ready", timeout=5).ok


@pytest.mark.slow
@pytest.mark.e2e
@pytest.mark.timeout(400)
@pytest.mark.skipif(not may_make_hosts(), reason="network namespaces may not be made here")
def test_what_one_host_is_told_every_host_knows_and_a_host_that_dies_loses_nothing(network: Network) -> None:
    def register(number: int, api: int) -> requests.Response:
        body = {
            "email": f"customer{number}@example.com",
            "password": "correct horse 42",
            "first_name": "Mona",
            "last_name": "Adel",
        }
        return network.ask(api, "POST", "/api/v1/auth/register", body, Idempotency_Key=f"customer-{number}-{'k' * 20}")

    with ThreadPoolExecutor(8) as pool:
        # Each is asked of both hosts at once, under one key: a client that lost the first answer.
        asked = [(number, pool.submit(register, number, api)) for number in range(CUSTOMERS) for api in (0, 1)]
        victim = network.workers[2][1]
        victim.send_signal(signal.SIGKILL)
        answers = [(number, answer.result()) for number, answer in asked]

    for number in range(CUSTOMERS):
        # On a busy machine even the first of the two may be told to come again; a client does.
        told = [answer for asked_of, answer in answers if asked_of == number]
        if all(answer.status_code == 409 for answer in told):
            assert "busy" in [answer.json()["code"] for answer in told], [answer.text for answer in told]
            answers.append((number, register(number, 0)))
            continue
        statuses = sorted(answer.status_code for asked_of, answer in answers if asked_of == number)
        assert statuses in ([201, 201], [201, 409]), "one account, told twice or once while the other was under way"
    with connect(network.addresses.owner) as session:
        assert session.execute("SELECT count(*) FROM users WHERE email LIKE 'customer%'").fetchall() == [(CUSTOMERS,)]

    token = next(answer.json()["access_token"] for _, answer in answers if answer.status_code == 201)
    known = [network.ask(api, "GET", "/api/v1/users/me", Authorization=f"Bearer {token}").json() for api in (0, 1)]
    assert known[0]["id"] == known[1]["id"]

    _wait(lambda: sum(network.mails()) >= CUSTOMERS and not network.open_work(), network)
    assert all(count > 0 for count in network.mails()[:2]), "both that live share the work"
    assert CUSTOMERS <= sum(network.mails()) <= CUSTOMERS + 1, "what the dead one had in hand may be sent again"
    verified = verify_ledger(network.addresses.owner)
    assert verified.fault is None


def _wait(holds: Callable[[], bool], network: Network) -> None:
    deadline = time.monotonic() + SECONDS_TO_DELIVER
    while not holds():
        assert time.monotonic() < deadline, (network.mails(), network.open_work())
        time.sleep(0.5)
