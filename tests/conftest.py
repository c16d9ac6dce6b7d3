"""The test frame: real servers once per run, a database as its migrations and seed leave it for each test that asks.

`ALTAYAR_TEST_DATABASE_URL` (an owner that may create databases and roles) and `ALTAYAR_TEST_REDIS_URL` run
the suite on given servers; without them embedded ones are started and thrown away. `ALTAYAR_TEST_TEMPLATE` is a
database of that server which `make_template` made before: it is cloned as it is, and stays.
"""

from __future__ import annotations

import gc
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import hypothesis
import psycopg
import pytest
import redis
from flask import Flask
from flask.testing import FlaskClient
from xdist.scheduler import LoadScopeScheduling

from application.dependencies import Dependencies
from application.identity.accounts import RegisterUser
from application.identity.signing_in import open_session
from config.settings import Settings, load_settings
from domain.identity.users import User
from domain.shared.email import Email
from infrastructure.bootstrap import Running, bootstrap
from infrastructure.clock import SystemClock
from infrastructure.database import migrations
from infrastructure.database.roles import DatabaseAddresses, addresses_from, connect, ensure_roles
from infrastructure.database.transaction import Database
from infrastructure.embedded.redis import EmbeddedRedis
from tests.databases import LentDatabase, ThrowAwayPostgres

OWNER, REDIS, TEMPLATE = "ALTAYAR_TEST_DATABASE_URL", "ALTAYAR_TEST_REDIS_URL", "ALTAYAR_TEST_TEMPLATE"
JANITOR = "ALTAYAR_TEST_JANITOR_URL"
_SECRETS = {
    "JWT_SIGNING_KEYS": "1:" + "j" * 40,
    "FIELD_ENCRYPTION_KEYS": "f" * 40,
    "SANDBOX_SECRET": "s" * 40,
}
"""Given, or each test's settings would make theirs as files."""
NEED_NO_SERVER = ("tests/domain", "tests/launcher", "tests/mutants", "tests/security")
ONE_SYSTEM, ONE_BROWSER = "tests/e2e/", "tests/browser/"
ROOM = 4 * 1024**3
"""Bytes that the servers' data may come to."""

_started: list[Any] = []
_home: list[Path] = []
_made: list[str] = []
"""Templates on a server that stays."""
_free: list[LentDatabase] = []
_left: list[str] = []
"""The databases of tests that are over."""


def pytest_configure(config: pytest.Config) -> None:
    """Start the servers and make the template, once, before any worker process exists."""
    # Examples are judged by what they show: a busy machine would fail them.
    hypothesis.settings.register_profile("tests", deadline=None)
    hypothesis.settings.load_profile("tests")
    # What is imported and collected stays: looking for garbage in it is two fifths of what the tests would do.
    gc.disable()
    if hasattr(config, "workerinput") or (config.args and all(map(_needs_no_server, config.args))):
        return
    home = make_home()
    _home.append(home)
    is_given = OWNER in os.environ
    if not is_given:
        postgres = ThrowAwayPostgres(home)
        os.environ[OWNER], os.environ[JANITOR] = postgres.start(), postgres.janitor_url
        _started.append(postgres)
    if REDIS not in os.environ:
        valkey = EmbeddedRedis(home)
        os.environ[REDIS] = valkey.start()
        _started.append(valkey)
    if TEMPLATE not in os.environ:
        os.environ[TEMPLATE] = make_template(os.environ[OWNER])
        if is_given:
            _made.append(os.environ[TEMPLATE])


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest begin first, so that no core has nothing to do at the end; all else stays in its random order."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)


def pytest_collection_finish() -> None:
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 10, 10)
    gc.enable()


def pytest_unconfigure(config: pytest.Config) -> None:
    if hasattr(config, "workerinput"):
        return
    for template in _made:
        _drop_template(addresses_from(template))
    for server in reversed(_started):
        server.stop()
        server.discard()
    for home in _home:
        shutil.rmtree(home, ignore_errors=True)


def make_home() -> Path:
    """A new folder for the servers' data."""
    home = Path(tempfile.mkdtemp(prefix="altayar-tests-", dir=in_memory()))
    # Reachable for the account that root's servers run as: else their data lies elsewhere, on disk.
    home.chmod(0o755)
    return home


def in_memory() -> Path | None:
    """Where the servers' data is quickest: every test makes a database of a thousand files, and removes it."""
    memory = Path("/dev/shm")  # noqa: S108 - a folder of its own is made there
    is_roomy = memory.is_dir() and shutil.disk_usage(memory).free > ROOM
    return memory if is_roomy else None


class _Scheduling(LoadScopeScheduling):
    """Every test goes to whichever worker is free; those of one real system, or of one browser, stay together."""

    def _split_scope(self, nodeid: str) -> str:
        return next((folder for folder in (ONE_SYSTEM, ONE_BROWSER) if nodeid.startswith(folder)), nodeid)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling:
    # `--dist loadgroup` of pytest-xdist 3.8 groups nothing under pytest 9.2: node ids cannot be changed any more.
    return _Scheduling(config, log)


def _needs_no_server(argument: str) -> bool:
    return argument.split("::")[0].rstrip("/").startswith(NEED_NO_SERVER)


def make_template(owner_url: str) -> str:
    """The address of a new database, migrated and seeded, that tests clone."""
    from infrastructure.seed import seed

    name = f"altayar_test_{uuid4().hex[:10]}"
    server = addresses_from(owner_url)
    with connect(server.owner) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    template_url = server.owner.set(database=name).render_as_string(hide_password=False)
    addresses = ensure_roles(template_url)
    migrations.upgrade(addresses)
    seed(_settings(template_url, "redis://unused", Path(tempfile.gettempdir())), addresses, demo=False)
    return template_url


def _drop_template(template: DatabaseAddresses) -> None:
    with connect(template.owner.set(database="postgres")) as connection:
        connection.execute(f'DROP DATABASE IF EXISTS "{template.owner.database}" WITH (FORCE)')
        for url in (template.app, template.readonly):
            connection.execute(f'DROP ROLE IF EXISTS "{url.username}"')


def _settings(database_url: str, redis_url: str, home: Path, **environ: str) -> Settings:
    return load_settings(
        {
            "ENVIRONMENT": "test",
            "ALTAYAR_HOME": str(home),
            "DATABASE_URL": database_url,
            "REDIS_URL": redis_url,
            "BCRYPT_COST": "4",
            **_SECRETS,
            "RATE_LIMIT_SCALE": "1000",
            "REQUESTS_AT_ONCE": "1000",
            **environ,
        },
        root=home,
    )


@pytest.fixture(scope="session")
def template_owner() -> Iterator[psycopg.Connection[Any]]:
    """The owner's session that makes and drops this worker's databases."""
    with connect(addresses_from(os.environ[TEMPLATE]).owner.set(database="postgres")) as connection:
        yield connection
        while _free:
            _discard(_free.pop(), connection)
        drop_left(connection)


@pytest.fixture
def lent(template_owner: psycopg.Connection[Any]) -> Iterator[LentDatabase]:
    """A database as the template is, for this test alone."""
    one = _free.pop() if _free else LentDatabase(_clone(template_owner), os.environ.get(JANITOR))
    yield one
    if one.put_back():
        _free.append(one)
    else:
        _discard(one, template_owner)


@pytest.fixture
def addresses(lent: LentDatabase) -> DatabaseAddresses:
    """This test's database as its three roles see it."""
    return lent.addresses


@pytest.fixture(scope="module")
def module_addresses(template_owner: psycopg.Connection[Any]) -> Iterator[DatabaseAddresses]:
    """A clone that a module's tests share: for those that leave nothing behind, or do not mind what is there."""
    clone = _clone(template_owner)
    yield clone
    drop_left(template_owner)
    _left.append(str(clone.owner.database))


def _clone(template_owner: psycopg.Connection[Any]) -> DatabaseAddresses:
    template = addresses_from(os.environ[TEMPLATE])
    clone = template.of_database(f"{template.owner.database}_{uuid4().hex[:10]}")
    template_owner.execute(
        f'CREATE DATABASE "{clone.owner.database}" TEMPLATE "{template.owner.database}"'
        f" STRATEGY {_strategy(template_owner)}"
    )
    return clone


def _discard(one: LentDatabase, template_owner: psycopg.Connection[Any]) -> None:
    one.end()
    drop_left(template_owner)
    _left.append(str(one.addresses.owner.database))


def drop_left(template_owner: psycopg.Connection[Any]) -> None:
    """Drop what an earlier test left: a database whose sessions are just ending keeps whoever drops it for 0.1 s.

    Without FORCE: the owner may not end the application's sessions; where a test left one open, this fails in 5 s.
    """
    while _left:
        template_owner.execute(f'DROP DATABASE "{_left.pop()}"')


def _strategy(connection: psycopg.Connection[Any]) -> str:
    """Files are copied quickest, after a checkpoint, which is cheap where nothing is flushed to a disk."""
    [(flushes,)] = connection.execute("SELECT current_setting('fsync')").fetchall()
    return "WAL_LOG" if flushes == "on" else "FILE_COPY"


@pytest.fixture
def owner_url(addresses: DatabaseAddresses) -> str:
    """The owner's address of this test's database."""
    return addresses.owner.render_as_string(hide_password=False)


@pytest.fixture(scope="session")
def own_redis_url(worker_id: str) -> str:
    """This worker's own database of the Redis-compatible server."""
    number = int(worker_id.removeprefix("gw")) + 1 if worker_id.startswith("gw") else 0
    base = os.environ[REDIS].split("?")[0].rstrip("/")
    return f"{base}?db={number}" if base.startswith("unix:") else f"{base.rsplit(':', 1)[0]}:{_port(base)}/{number}"


@pytest.fixture(scope="session")
def own_redis_session(own_redis_url: str) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(own_redis_url) as session:
        yield session


@pytest.fixture
def redis_url(own_redis_url: str, own_redis_session: redis.Redis) -> Iterator[str]:
    """The same, empty."""
    own_redis_session.flushdb()
    yield own_redis_url
    own_redis_session.flushdb()


def _port(base: str) -> str:
    return base.rsplit(":", 1)[1].split("/")[0]


@pytest.fixture
def settings(owner_url: str, redis_url: str, tmp_path: Path) -> Settings:
    return _settings(owner_url, redis_url, tmp_path)


@pytest.fixture
def database(lent: LentDatabase) -> Database:
    """This test's database as the application's own role sees it; its connections are there already."""
    return lent.database


@pytest.fixture
def unconnected(lent: LentDatabase) -> None:
    """Nobody is connected to this test's database yet: for those that end everybody's connections."""
    lent.database.end()


class MovableClock:
    """The machine's clock, moved by as much as a test says."""

    def __init__(self) -> None:
        from datetime import timedelta

        self.offset = timedelta()

    def now(self) -> Any:
        return SystemClock().now() + self.offset


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock()


@pytest.fixture
def running(settings: Settings, database: Database, clock: MovableClock) -> Iterator[Running]:
    """The system as a process holds it, on this test's database."""
    started = bootstrap(settings, database=database, clock=clock)
    yield started
    started.close()


@pytest.fixture(scope="session")
def apps() -> dict[tuple[Any, ...], Flask]:
    """This worker's apps, by what they take from settings: making one is most of what a small test would do."""
    return {}


@pytest.fixture
def app(running: Running, apps: dict[tuple[Any, ...], Flask]) -> Flask:
    """An app on this test's database, which other tests had on theirs: nobody adds to it (`own_app`)."""
    from app import create_app

    said = running.settings
    at_the_door = (said.requests_at_once, said.rate_limit_scale, said.redis_url)
    kind = (*at_the_door, said.backend_url, said.cors_origins, said.trusted_proxies)
    if kind not in apps:
        apps[kind] = create_app(running=running)
        # From its first request on Flask takes neither routes nor hooks.
        apps[kind].test_client().get("/health")
    apps[kind].extensions["altayar"] = running.dependencies
    return apps[kind]


@pytest.fixture
def own_app(running: Running) -> Flask:
    """An app that a test may add to."""
    from app import create_app

    return create_app(running=running)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@dataclass(frozen=True)
class Person:
    """Somebody who is signed in."""

    user_id: UUID
    email: str
    headers: dict[str, str]


@pytest.fixture
def sign_up(client: FlaskClient, running: Running) -> Callable[..., Person]:
    """Registers somebody over HTTP; whoever has other roles than CUSTOMER is entered as staff are, and signed in."""

    def register(*roles: str, **fields: Any) -> Person:
        email = fields.pop("email", f"{uuid4().hex[:12]}@example.com")
        body = {"email": email, "password": "correct horse 42", "first_name": "Mona", "last_name": "Adel", **fields}
        if roles:
            return _entered(running.dependencies, roles, RegisterUser(**_NOT_SAID | body))
        answer = client.post("/api/v1/auth/register", json=body)
        assert answer.status_code == 201, answer.json
        token = answer.json["access_token"]
        return Person(UUID(answer.json["user"]["id"]), email, {"Authorization": f"Bearer {token}"})

    return register


_NOT_SAID: dict[str, Any] = {"phone": None, "locale": "en", "user_agent": "tests", "address": "127.0.0.1"}


def _entered(use: Dependencies, roles: tuple[str, ...], said: RegisterUser) -> Person:
    with use.new_uow() as uow:
        user = User.register(
            user_id=use.new_id(),
            email=Email(said.email),
            password_hash=use.passwords.hash(said.password),
            first_name=said.first_name,
            last_name=said.last_name,
            phone=said.phone,
            locale=said.locale,
            at=use.clock.now(),
        )
        user.roles = list(roles)
        uow.users.add(user)
        uow.flush()
        signed_in = open_session(
            user, said.user_agent, said.address, uow=uow, tokens=use.tokens, clock=use.clock, new_id=use.new_id
        )
        uow.commit()
    return Person(user.id, said.email, {"Authorization": f"Bearer {signed_in.access_token}"})
