"""pretix as its administrators' guide sets it up, beside our own system: one PostgreSQL, one Valkey, its gunicorn.

Caches, sessions and the queue of its tasks are in Redis, DEBUG is off. No worker takes tasks from its queue, as none
takes ours. Of the guide's gunicorn, only `--max-requests` is left out: workers that start anew in the middle of a
round would make pretix slower.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from configparser import RawConfigParser
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from infrastructure.database.roles import connect
from tests.benchmarks.load import UnexpectedAnswer
from tests.benchmarks.peers.programs import Peers, peers
from tests.benchmarks.servers import ROOT, System, libpq_environment
from tests.benchmarks.web import WebServer, gunicorn, request
from tests.machine import free_port

SOLD, LISTED = "sold", "listed"
"""The event that orders are created in, and the one whose orders are listed."""

_INTERPRETER = ROOT / ".altayar" / "peers-pretix" / "bin" / "python"
_PROGRAM = Path(__file__).with_name("program.py")
_ORGANIZER = "altayar"
_DATABASE = "pretix"
_ITEMS = 40
"""Products with a quota of their own: neighbouring requests want different rows, as ours do."""


@dataclass(frozen=True, slots=True)
class Installation:
    """A migrated pretix with two events on sale."""

    home: Path
    environment: Mapping[str, str]
    program: Peers
    token: str
    items: Mapping[str, Sequence[int]]
    """The keys of the products of each event."""

    def web_server(self, *, workers: int) -> AbstractContextManager[WebServer]:
        """Its web server with so many worker processes, ended with the block."""
        port = free_port()
        command = [
            *(_INTERPRETER, "-m", "gunicorn", "pretix.wsgi", "--name", "pretix", "--log-level", "info"),
            *("--workers", str(workers), "--bind", f"127.0.0.1:{port}", "--no-control-socket"),
        ]
        log = self.home / "web.log"
        return gunicorn(command, self.environment, log, port=port, workers=workers, health="/healthcheck/")

    def orders_to_create(self, event: str) -> list[bytes]:
        """One for each product, with a key of its own each time it is sent."""
        return [self._request("POST", _path(event), _order(item)) for item in self.items[event]]

    def list_request(self, event: str, page_size: int) -> bytes:
        return self._request("GET", f"{_path(event)}?page_size={page_size}")

    def _request(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> bytes:
        return request(method, path, self.token, body, scheme="Token", key="X-Idempotency-Key")

    def check_books(self, event: str, created: int) -> None:
        """Raises UnexpectedAnswer unless it holds so many orders, each priced, unpaid and with its one position."""
        (books,) = self.program.ask("books", event=event)
        if books != {"orders": created, "pending": created, "positions": created, "as_priced": True}:
            raise UnexpectedAnswer(f"pretix answered {created} times that an order was created, but has {books}")


@contextmanager
def installation(system: System) -> Iterator[Installation]:
    """Make its database and its folder, migrate it and put its events on sale."""
    home = system.home / "pretix"
    home.mkdir()
    environment = {"PRETIX_CONFIG_FILE": str(_configuration(system, home))}
    with peers(_PROGRAM, environment, home / "program.log", interpreter=_INTERPRETER) as program:
        (shop,) = program.ask("prepare", organizer=_ORGANIZER, events=[SOLD, LISTED], items=_ITEMS)
        yield Installation(home, environment, program, shop["token"], shop["items"])


def _configuration(system: System, home: Path) -> Path:
    """Its file of settings, which names a database that is made here."""
    with connect(system.addresses.owner) as connection:
        connection.execute(f'CREATE DATABASE "{_DATABASE}"')
    libpq = libpq_environment(system.addresses.owner.set(database=_DATABASE))
    socket = urlsplit(system.settings.redis_url).path
    settings = RawConfigParser()
    settings.read_dict(
        {
            "pretix": {"instance_name": "Altayar", "url": "http://127.0.0.1", "datadir": str(home)},
            "database": {
                "backend": "postgresql",
                "name": libpq["PGDATABASE"],
                "user": libpq["PGUSER"],
                "password": libpq["PGPASSWORD"],
                "host": libpq["PGHOST"],
                "port": libpq["PGPORT"],
            },
            # Databases that our own queue, cache and limits do not use.
            "redis": {"location": f"unix://{socket}?db=8", "sessions": "true"},
            "celery": {
                "backend": f"redis+socket://{socket}?virtual_host=9",
                "broker": f"redis+socket://{socket}?virtual_host=10",
            },
        }
    )
    path = home / "pretix.cfg"
    with path.open("w", encoding="utf-8") as file:
        settings.write(file)
    return path


def _path(event: str) -> str:
    return f"/api/v1/organizers/{_ORGANIZER}/events/{event}/orders/"


def _order(item: int) -> dict[str, Any]:
    """Priced by pretix, unpaid, held for the usual days; no mail is asked for."""
    return {
        "email": "mona@example.com",
        "locale": "en",
        "sales_channel": "web",
        "positions": [{"item": item, "attendee_name_parts": {"given_name": "Mona", "family_name": "Adel"}}],
    }
