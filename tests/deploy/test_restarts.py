"""What operators do while customers come: servers restarted in turn, the database migrated; and a body of 50 MB."""

from __future__ import annotations

import contextlib
import itertools
import random
import signal
import socket
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from uuid import uuid4

import psutil
import pytest
import requests

from domain.shared.errors import Busy
from infrastructure.database import migrations
from infrastructure.database.ledger import repositories
from infrastructure.database.roles import DatabaseAddresses, connect
from infrastructure.database.transaction import Database
from programs import web_command
from tests.deploy.proxy import running_process, wait_until
from tests.e2e.invariants import STATES, broken, missing
from tests.e2e.system import a_session
from tests.faults.whole import whole
from tests.integration.books import Ledger
from tests.machine import free_port

pytestmark = [pytest.mark.database, pytest.mark.slow, pytest.mark.timeout(600), whole]

CUSTOMERS = 6
MEBIBYTE = 1024 * 1024
HUGE = 50 * MEBIBYTE
DRAIN_SECONDS = 30
PATIENCE_SECONDS = 120.0
READ = ("payments", "payment_tenders", "booking_items", "bookings", "partner_profiles", "ledger_accounts")
BEFORE = "20261129_22"
"""The release whose schema the load is put on while it is migrated."""
POSTED_BEFORE = "SELECT ledger_post(%s::jsonb, %s::jsonb)"
"""How the releases of then post: all journals as documents."""


class Web:
    """A web server on a port of its own, that can be stopped and started."""

    def __init__(self, environment: dict[str, str], folder: Path) -> None:
        self.port = free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        self._environment = {**environment, "PORT": str(self.port), "WEB_CONCURRENCY": "1"}
        self._log = folder / f"{self.port}.log"
        self._stack = contextlib.ExitStack()
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.process = self._stack.enter_context(running_process(web_command(), self._environment, self._log))
        wait_until(self._is_ready, self._log)

    def drain(self) -> int:
        """SIGTERM; its exit status, once it has answered all that it was at."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(DRAIN_SECONDS)

    def close(self) -> None:
        self._stack.close()

    def memory(self) -> int:
        """Bytes that it holds, with its worker."""
        assert self.process is not None
        whole = psutil.Process(self.process.pid)
        return sum(one.memory_info().rss for one in (whole, *whole.children(recursive=True)))

    def _is_ready(self) -> bool:
        with a_session() as session, contextlib.suppress(requests.RequestException):
            return session.get(f"{self.address}/health/ready", timeout=5).status_code == 200
        return False


@pytest.fixture
def webs(environment: dict[str, str], tmp_path: Path) -> Iterator[list[Web]]:
    started = [Web(environment, tmp_path) for _ in range(2)]
    yield started
    for web in started:
        web.close()


def test_servers_that_are_restarted_in_turn_under_load_lose_and_double_nothing(
    webs: list[Web], own_addresses: DatabaseAddresses, record_property: Callable[[str, object], None]
) -> None:
    """Customers ask whichever server is there, again under the same key until they are answered."""
    for web in webs:
        web.start()
    is_over, statuses, acknowledged = threading.Event(), Counter[int](), list[tuple[str, str]]()

    def shop_on(number: int) -> None:
        chance = random.Random(number)
        with a_session() as session:
            while not is_over.is_set():
                made = _insist(session, webs, "/api/v1/auth/register", _somebody(), {}, statuses, chance)
                acknowledged.append(("USER", made["user"]["id"]))
                headers = {"Authorization": f"Bearer {made['access_token']}"}
                deposit = {"amount": {"amount": "750.00", "currency": "EGP"}, "method": "CREDIT_CARD"}
                body = {**deposit, "provider": "SANDBOX"}
                paid = _insist(session, webs, "/api/v1/wallet/deposits", body, headers, statuses, chance)
                acknowledged.append(("PAYMENT", paid["id"]))

    with ThreadPoolExecutor(CUSTOMERS) as pool:
        shopping = [pool.submit(shop_on, number) for number in range(CUSTOMERS)]
        try:
            exits = [_restarted(web, acknowledged) for web in webs]
        finally:
            is_over.set()
        for one in shopping:
            one.result()
    assert exits == [0, 0]
    assert set(statuses) <= {201, 409}, f"nobody is told of a fault of ours: {statuses}"
    assert missing(own_addresses, acknowledged) == []
    with connect(own_addresses.owner) as session:
        [users] = session.execute("SELECT count(*) FROM users WHERE email LIKE '%@restarts.example'").fetchall()
        [payments] = session.execute("SELECT count(*) FROM payments").fetchall()
    kinds = Counter(kind for kind, _ in acknowledged)
    assert (users[0], payments[0]) == (kinds["USER"], kinds["PAYMENT"]), "each effect once"
    record_property("invariants", len(STATES) + 1)
    assert broken(own_addresses, STATES) == []


def _restarted(web: Web, acknowledged: list[tuple[str, str]]) -> int:
    """Some business, a restart, some business on both again."""
    _wait_for_more(acknowledged)
    status = web.drain()
    _wait_for_more(acknowledged)
    web.start()
    _wait_for_more(acknowledged)
    return status


def _wait_for_more(acknowledged: list[tuple[str, str]], many: int = 10) -> None:
    wanted, deadline = len(acknowledged) + many, time.monotonic() + PATIENCE_SECONDS
    while len(acknowledged) < wanted:
        assert time.monotonic() < deadline, "nobody is served"
        time.sleep(0.05)


def _somebody() -> dict[str, str]:
    return {
        "email": f"{uuid4().hex}@restarts.example",
        "password": "correct horse 42",
        "first_name": "Mona",
        "last_name": "Adel",
    }


def _insist(
    session: requests.Session,
    webs: list[Web],
    path: str,
    body: dict[str, Any],
    headers: dict[str, str],
    statuses: Counter[int],
    chance: random.Random,
) -> dict[str, Any]:
    """The answer of whichever server gives one."""
    sent = {**headers, "Idempotency-Key": uuid4().hex}
    deadline = time.monotonic() + PATIENCE_SECONDS
    for web in itertools.chain.from_iterable(itertools.repeat(chance.sample(webs, len(webs)))):
        assert time.monotonic() < deadline, f"no answer to {path}: {statuses}"
        try:
            answer = session.post(f"{web.address}{path}", json=body, headers=sent, timeout=30)
        except requests.RequestException:
            time.sleep(0.05)
            continue
        statuses[answer.status_code] += 1
        if answer.status_code == 201:
            return dict(answer.json())
        assert (answer.status_code, answer.json()["code"]) == (409, "request_in_progress"), answer.text
        time.sleep(0.2)
    raise AssertionError("there is no server")


@pytest.mark.parametrize("is_chunked", [False, True], ids=["with its length", "in chunks"])
def test_a_body_of_50_mb_is_413_and_costs_no_memory(webs: list[Web], is_chunked: bool) -> None:
    """Straight at the web server, as if no proxy stood before it."""
    web = webs[0]
    web.start()
    with a_session() as session:
        for _ in range(5):
            session.get(f"{web.address}/api/v1/packages", timeout=30)
    before = web.memory()
    assert _told(web.port, is_chunked) in (b"413", b"")
    assert web.memory() - before < HUGE / 2
    with a_session() as session:
        assert session.get(f"{web.address}/api/v1/packages", timeout=30).status_code == 200


def _told(port: int, is_chunked: bool) -> bytes:
    """The status that a huge body is answered with; nothing where the connection was cut while it was sent."""
    length = "Transfer-Encoding: chunked" if is_chunked else f"Content-Length: {HUGE}"
    head = f"POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n{length}\r\n\r\n"
    piece = b" " * MEBIBYTE
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        with contextlib.suppress(ConnectionError):
            connection.sendall(head.encode())
            for _ in range(HUGE // MEBIBYTE):
                connection.sendall(b"%x\r\n%b\r\n" % (MEBIBYTE, piece) if is_chunked else piece)
            connection.sendall(b"0\r\n\r\n" if is_chunked else b"")
        try:
            return connection.recv(4096)[9:12]
        except ConnectionError:
            return b""


# Migrations


@pytest.fixture
def behind(addresses: DatabaseAddresses) -> DatabaseAddresses:
    """A database as an earlier release left it."""
    migrations.downgrade(addresses, BEFORE)
    return addresses


class Load:
    """Customers whose money moves all the while, as a release moves it that knows nothing of what is migrated."""

    def __init__(self, addresses: DatabaseAddresses) -> None:
        self._database = Database(addresses.app)
        self._ledger = Ledger(self._database)
        self._is_over = threading.Event()
        self.moved, self.busy = 0, 0
        self._threads = ThreadPoolExecutor(4)
        self._working = [self._threads.submit(self._move) for _ in range(4)]

    def _move(self) -> None:
        one, other = self._ledger.a_wallet(1_000_000), self._ledger.a_wallet()
        while not self._is_over.is_set():
            try:
                self._ledger.move(one, other, 1)
                self.moved += 1
            except Busy:
                self.busy += 1

    def more(self, many: int = 20) -> None:
        """Until so much more was moved."""
        wanted, deadline = self.moved + many, time.monotonic() + PATIENCE_SECONDS
        while self.moved < wanted:
            assert time.monotonic() < deadline, "nothing moves"
            for one in self._working:
                if one.done():
                    one.result()
            time.sleep(0.02)

    def end(self) -> None:
        """Stop; what went wrong on the way is raised."""
        self._is_over.set()
        for one in self._working:
            one.result()
        self._threads.shutdown()
        self._database.dispose()


@pytest.fixture
def load(behind: DatabaseAddresses, monkeypatch: pytest.MonkeyPatch) -> Iterator[Load]:
    monkeypatch.setattr(repositories, "_is_transfer", lambda _journal: False)
    monkeypatch.setattr(repositories, "_POST", POSTED_BEFORE)
    made = Load(behind)
    yield made
    made._is_over.set()
    made._threads.shutdown()
    made._database.dispose()


def test_a_database_that_is_migrated_under_load_stops_nobody(
    behind: DatabaseAddresses, load: Load, record_property: Callable[[str, object], None]
) -> None:
    load.more()
    migrations.upgrade(behind)
    load.more()
    load.end()
    assert load.busy == 0, "no migration held a lock for longer than requests wait"
    assert migrations.current_revision(behind.owner) == migrations.newest_revision()
    with connect(behind.owner) as session:
        assert session.execute("SELECT count(*) FROM pg_index WHERE NOT indisvalid").fetchone() == (0,)
    record_property("invariants", len(STATES) + 1)
    assert broken(behind, STATES) == []


def test_a_migration_that_meets_a_long_transaction_gives_way(
    behind: DatabaseAddresses, load: Load, record_property: Callable[[str, object], None]
) -> None:
    """Somebody's report reads for minutes: the migration gives up, whole, and goes through when it is tried again."""
    load.more()
    with connect(behind.app) as reading, reading.transaction():
        for table in (
            "payments",
            "payment_tenders",
            "booking_items",
            "bookings",
            "partner_profiles",
            "ledger_accounts",
        ):
            reading.execute(f"SELECT 1 FROM {table} LIMIT 1".encode())
        with pytest.raises(Exception, match="lock timeout"):
            migrations.upgrade(behind)
        assert migrations.current_revision(behind.owner) != migrations.newest_revision()
        load.more()
    migrations.upgrade(behind)
    load.more()
    load.end()
    assert migrations.current_revision(behind.owner) == migrations.newest_revision()
    record_property("invariants", len(STATES) + 1)
    assert broken(behind, STATES) == []
