"""The real system as users and operators meet it: processes, ports, mail; only the database is looked into."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default as mail_policy
from functools import partial
from pathlib import Path
from typing import Any, TypeVar, cast
from uuid import uuid4

import psutil
import requests

from domain.shared.clock import BUSINESS_ZONE
from fake_providers.fawaterk import FawaterkServer
from infrastructure.database.roles import DatabaseAddresses, addresses_from, connect
from tests.conftest import OWNER
from tests.contract.smtp_server import Inbox, smtp_server
from tests.machine import free_port, told

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_SECONDS = 120.0
"""Far above what anything takes: the machine may be busy with other tests."""

Json = dict[str, Any]
Found = TypeVar("Found")


@contextlib.contextmanager
def a_database() -> Iterator[DatabaseAddresses]:
    """An empty database on the run's server; dropped with its roles."""
    server = addresses_from(os.environ[OWNER])
    name = f"altayar_e2e_{uuid4().hex[:10]}"
    with connect(server.owner) as connection:
        connection.execute(f'CREATE DATABASE "{name}"'.encode())
    made = addresses_from(server.owner.set(database=name).render_as_string(hide_password=False))
    try:
        yield made
    finally:
        with connect(server.owner.set(database="postgres")) as connection:
            connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'.encode())
            for url in (made.app, made.readonly):
                connection.execute(f'DROP ROLE IF EXISTS "{url.username}"'.encode())


class System:
    """`altayar up` on a port of its own, with a real mail server and the fake Fawaterk beside it."""

    def __init__(
        self,
        addresses: DatabaseAddresses,
        redis_url: str,
        home: Path,
        inbox: Inbox,
        fawaterk: FawaterkServer,
        port: int,
        **environment: str,
    ) -> None:
        self.addresses, self.inbox, self.fawaterk = addresses, inbox, fawaterk
        self.address = f"http://127.0.0.1:{port}"
        self._log = home / "up.log"
        self._environment = {
            **os.environ,
            "PYTHONPATH": str(ROOT / "src"),
            "ENVIRONMENT": "test",
            "ALTAYAR_HOME": str(home / "altayar"),
            "DATABASE_URL": addresses.owner.render_as_string(hide_password=False),
            "REDIS_URL": redis_url,
            "PORT": str(port),
            "BACKEND_URL": self.address,
            "SMTP_URL": f"smtp://127.0.0.1:{inbox.port}",
            "PAYMENT_GATEWAYS": "sandbox,fawaterk",
            "FAWATERK_BASE_URL": fawaterk.base_url,
            "FAWATERK_API_KEY": fawaterk.api_key,
            "RATE_LIMIT_SCALE": "1000",
            "BCRYPT_COST": "4",
            **environment,
        }
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start everything and wait until it says that it is ready."""
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "cli", "up"],
                cwd=ROOT,
                env=self._environment,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.wait_for(lambda: "Ctrl-C stops everything." in self.log(), "a start", 180)

    def stop(self) -> int:
        """Stop it as Ctrl-C does; its exit status."""
        if self._process is None:
            return 0
        self._process.send_signal(signal.SIGINT)
        try:
            return self._process.wait(PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait()

    def log(self) -> str:
        return self._log.read_text("utf-8", "replace") if self._log.exists() else ""

    # ── looking ────────────────────────────────────────────────────────────────────────────────────────

    def wait_for(self, look: Callable[[], Found], what: str, seconds: float = PATIENCE_SECONDS) -> Found:
        """What `look` finds, as soon as it finds something."""
        deadline = time.monotonic() + seconds
        while not (found := look()):
            if time.monotonic() > deadline or (self._process is not None and self._process.poll() is not None):
                raise AssertionError(f"{what} never came\n" + "\n".join(self.log().splitlines()[-40:]))
            time.sleep(0.1)
        return found

    def rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """What a query finds, as the owner sees it."""
        with connect(self.addresses.owner) as connection:
            return connection.execute(query.encode(), values).fetchall()

    def mails_to(self, email: str) -> list[EmailMessage]:
        """The mails that the mail server took for somebody, oldest first."""
        taken = [envelope for envelope in list(self.inbox.accepted) if email in envelope.rcpt_tos]
        return [message_from_bytes(cast(bytes, envelope.content), policy=mail_policy) for envelope in taken]

    # ── harming ────────────────────────────────────────────────────────────────────────────────────────

    def processes_of(self, *words: str) -> list[psutil.Process]:
        """The processes of ours whose command holds these words, and those that they started."""
        if self._process is None:
            return []
        programs = psutil.Process(self._process.pid).children()
        found = [one for one in programs if set(words) <= set(told(one.cmdline, []))]
        return [member for one in found for member in (one, *told(partial(one.children, recursive=True), []))]

    def kill(self, *words: str) -> None:
        """SIGKILL a program of the system, whole, and wait until the supervisor has started it again."""
        dead = self.wait_for(lambda: self.processes_of(*words), f"the program {words}")
        for process in dead:
            # Some go with whoever started them.
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        self.wait_for(lambda: {one.pid for one in self.processes_of(*words)} - {one.pid for one in dead}, "a new life")


@contextlib.contextmanager
def running_system(addresses: DatabaseAddresses, redis_url: str, home: Path, **environment: str) -> Iterator[System]:
    """Everything, started as a person would start it; `environment` is added to what its programs are given."""
    with smtp_server() as inbox, FawaterkServer(home / "fawaterk.sqlite") as fawaterk:
        running = System(addresses, redis_url, home, inbox, fawaterk, free_port(), **environment)
        try:
            running.start()
            yield running
        finally:
            status = running.stop()
    assert status == 0, running.log()


def a_session() -> requests.Session:
    """Requests go straight to loopback, whatever proxy the environment names."""
    session = requests.Session()
    session.trust_env = False
    return session


@dataclass
class Person:
    """Somebody with an account, as the API knows them; each request is one of a client with patience."""

    system: System
    email: str
    token: str
    user_id: str = ""

    def ask(self, method: str, path: str, body: Any = None, *, key: str = "", **headers: str) -> requests.Response:
        """One request, sent once. Header names are written with `_`."""
        sent = {"Authorization": f"Bearer {self.token}", **{n.replace("_", "-"): v for n, v in headers.items()}}
        if method != "GET":
            sent["Idempotency-Key"] = key or uuid4().hex
        with a_session() as session:
            return session.request(
                method, f"{self.system.address}{path}", json=body, headers=sent, timeout=30, allow_redirects=False
            )

    def get(self, path: str, **headers: str) -> Json:
        return done(self.ask("GET", f"/api/v1{path}", **headers))

    def post(self, path: str, body: Any, status: int = 201, *, key: str = "") -> Json:
        return done(self.ask("POST", f"/api/v1{path}", body, key=key), status)

    def insist(self, path: str, body: Any, status: int = 201) -> Json:
        """A POST that is sent again, under the same key, until it is answered for good."""
        key = uuid4().hex

        def answered() -> requests.Response | None:
            try:
                answer = self.ask("POST", f"/api/v1{path}", body, key=key)
            except requests.RequestException:
                return None
            again = answer.status_code >= 500 or answer.json().get("code") in ("request_in_progress", "busy")
            return None if again else answer

        return done(self.system.wait_for(answered, f"an answer to POST {path}"), status)

    # ── what customers do ──────────────────────────────────────────────────────────────────────────────

    def book(self, offer: Json, travelers: int = 2) -> Json:
        return self.post("/bookings", {**offer, "travelers_count": travelers})

    def open_payment(self, booking: Json, provider: str = "SANDBOX") -> Json:
        payable = {"type": "BOOKING", "id": booking["id"]}
        return self.post("/payments", {"payable": payable, "method": "CREDIT_CARD", "provider": provider})

    def choose(self, payment: Json, outcome: str = "paid") -> None:
        """Fill in the provider's page, with or without a browser."""
        with a_session() as session:
            answer = session.post(
                payment["checkout"]["url"], data={"outcome": outcome}, timeout=30, allow_redirects=False
            )
        assert answer.status_code == 303, answer.text

    def wait_for_status(self, path: str, status: str) -> Json:
        """The resource, once it is in this state."""

        def look() -> Json | None:
            try:
                shown = self.ask("GET", f"/api/v1{path}")
            except requests.RequestException:
                return None
            return shown.json() if shown.status_code == 200 and shown.json()["status"] == status else None

        return cast(Json, self.system.wait_for(look, f"{status} of {path}"))

    def wait_for_items(self, path: str, number: int = 1) -> list[Json]:
        """The items of a list, once there are so many."""

        def look() -> list[Json]:
            items = self.get(path)["items"]
            return items if len(items) >= number else []

        return self.system.wait_for(look, f"{number} items of {path}")

    def pdf(self, invoice: Json, language: str) -> bytes:
        """The drawn invoice, once it is drawn."""

        def look() -> bytes:
            answer = self.ask("GET", f"/api/v1/invoices/{invoice['id']}/pdf?lang={language}")
            assert answer.status_code in (200, 202), answer.text
            return answer.content if answer.status_code == 200 else b""

        return self.system.wait_for(look, "a drawn invoice")


def sign_up(system: System, **fields: Any) -> Person:
    """A new customer; with a telephone number that Fawaterk takes."""
    body = {
        "email": f"{uuid4().hex[:12]}@example.com",
        "password": "correct horse 42",
        "first_name": "Mona",
        "last_name": "Adel",
        "phone": "01000000000",
        **fields,
    }
    with a_session() as session:
        signed_in = done(session.post(f"{system.address}/api/v1/auth/register", json=body, timeout=30), 201)
    return Person(system, body["email"], signed_in["access_token"], signed_in["user"]["id"])


def log_in(system: System, email: str, password: str) -> Person:
    with a_session() as session:
        body = {"email": email, "password": password}
        signed_in = done(session.post(f"{system.address}/api/v1/auth/login", json=body, timeout=30))
    return Person(system, email, signed_in["access_token"], signed_in["user"]["id"])


def done(answer: requests.Response, status: int = 200) -> Json:
    assert answer.status_code == status, (answer.status_code, answer.text)
    return cast(Json, answer.json())


def in_days(number: int) -> str:
    """A day to come, as the API writes it."""
    return (datetime.now(BUSINESS_ZONE).date() + timedelta(days=number)).isoformat()


def verification_token(mail: EmailMessage) -> str:
    """The token in the link that a verification mail carries."""
    body = mail.get_body(("plain",))
    assert body is not None
    found = re.search(r"/verify-email\?token=([\w-]+)", body.get_content())
    assert found is not None, body.get_content()
    return found.group(1)
