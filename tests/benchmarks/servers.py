"""What is measured runs on servers of its own: embedded, as the product starts them, in a folder that goes away."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.engine import URL

from config.settings import Settings, load_settings
from infrastructure.database import migrations
from infrastructure.database.roles import DatabaseAddresses, connect, ensure_roles
from infrastructure.embedded.postgres import EmbeddedPostgres
from infrastructure.embedded.redis import EmbeddedRedis
from infrastructure.embedded.server import EmbeddedServer
from infrastructure.seed import seed

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class System:
    """A migrated, seeded system that nobody else uses."""

    home: Path
    settings: Settings
    addresses: DatabaseAddresses


@contextmanager
def fresh_system() -> Iterator[System]:
    """Start PostgreSQL (flushing as in production) and Valkey, and make the tables; all of it ends with the block."""
    home = Path(tempfile.mkdtemp(prefix="altayar-benchmarks-"))
    try:
        with ExitStack() as stack:
            owner_url = _start(EmbeddedPostgres(home), stack)
            redis_url = _start(EmbeddedRedis(home), stack)
            yield _migrated(home, owner_url, redis_url)
    finally:
        shutil.rmtree(home, ignore_errors=True)


@contextmanager
def another_database(system: System, name: str) -> Iterator[System]:
    """The same servers with a database that holds nothing yet, migrated and seeded; it is dropped with the block."""
    with connect(system.addresses.owner) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
        try:
            url = system.addresses.owner.set(database=name).render_as_string(hide_password=False)
            yield _migrated(system.home, url, system.settings.redis_url)
        finally:
            connection.execute(f'DROP DATABASE "{name}"')


def libpq_environment(url: URL) -> dict[str, str]:
    """An address as the environment variables that every client of PostgreSQL reads."""
    return {
        "PGHOST": str(url.query.get("host", url.host)),
        "PGPORT": str(url.query.get("port", url.port or 5432)),
        "PGUSER": url.username or "",
        "PGPASSWORD": url.password or "",
        "PGDATABASE": url.database or "",
    }


def _migrated(home: Path, owner_url: str, redis_url: str) -> System:
    settings = load_settings(_environment(home, owner_url, redis_url), root=home)
    addresses = ensure_roles(owner_url)
    migrations.upgrade(addresses)
    seed(settings, addresses, demo=False)
    return System(home, settings, addresses)


def _start(server: EmbeddedServer, stack: ExitStack) -> str:
    stack.callback(server.discard)
    return server.start()


def _environment(home: Path, owner_url: str, redis_url: str) -> dict[str, str]:
    return {"ALTAYAR_HOME": str(home), "DATABASE_URL": owner_url, "REDIS_URL": redis_url, "LOG_FORMAT": "json"}
