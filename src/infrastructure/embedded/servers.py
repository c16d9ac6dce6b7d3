"""The two servers that the system stands on: those that the settings name, or embedded ones."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace

import psycopg
import redis

from config.settings import Settings
from infrastructure.embedded.errors import ServerRefused
from infrastructure.embedded.postgres import EmbeddedPostgres
from infrastructure.embedded.redis import EmbeddedRedis
from infrastructure.embedded.server import EmbeddedServer

OLDEST_POSTGRES = 15
OLDEST_REDIS = (6, 2)


@dataclass(frozen=True, slots=True)
class Servers:
    """Settings whose two addresses are set, and the embedded servers that were started for them."""

    settings: Settings
    embedded: tuple[EmbeddedServer, ...]


@contextmanager
def started_servers(settings: Settings) -> Iterator[Servers]:
    """Start embedded servers for the addresses that are empty; they are stopped at the end.

    Raises EmbeddedServerError, and AlreadyRunning where another process runs those of this home folder.
    """
    postgres = None if settings.database_url else EmbeddedPostgres(settings.home)
    valkey = None if settings.redis_url else EmbeddedRedis(settings.home)
    with ExitStack() as stack:
        complete = replace(
            settings,
            database_url=stack.enter_context(postgres) if postgres else settings.database_url,
            redis_url=stack.enter_context(valkey) if valkey else settings.redis_url,
        )
        check_servers(complete)
        yield Servers(complete, tuple(server for server in (postgres, valkey) if server))


@contextmanager
def reachable_servers(settings: Settings) -> Iterator[Settings]:
    """The same for a single command: where `altayar up` runs in another terminal, its servers are used."""
    with started_servers(with_running_servers(settings)) as servers:
        yield servers.settings


def with_running_servers(settings: Settings) -> Settings:
    """The settings, with the addresses of embedded servers that run already where they are empty."""
    return replace(
        settings,
        database_url=settings.database_url or EmbeddedPostgres(settings.home).running_url() or "",
        redis_url=settings.redis_url or EmbeddedRedis(settings.home).running_url() or "",
    )


def check_servers(settings: Settings) -> None:
    """Raises ServerRefused where a server does not answer or is too old."""
    _check_postgres(settings.database_url)
    _check_redis(settings.redis_url)


def _check_postgres(url: str) -> None:
    # libpq knows no driver's name in the scheme.
    address = "postgresql://" + url.partition("://")[2]
    try:
        with psycopg.connect(address, connect_timeout=10) as connection:
            version = connection.info.server_version // 10_000
    except psycopg.OperationalError as error:
        raise ServerRefused(f"DATABASE_URL: {str(error).strip().splitlines()[-1]}") from error
    if version < OLDEST_POSTGRES:
        raise ServerRefused(
            f"DATABASE_URL: PostgreSQL {version} is too old; {OLDEST_POSTGRES} is the oldest that works"
        )


def _check_redis(url: str) -> None:
    try:
        with redis.Redis.from_url(url, socket_connect_timeout=10) as connection:
            version = str(connection.info("server")["redis_version"])
    except redis.RedisError as error:
        raise ServerRefused(f"REDIS_URL: {error}") from error
    if tuple(int(part) for part in version.split(".")[:2]) < OLDEST_REDIS:
        raise ServerRefused(f"REDIS_URL: version {version} is too old; 6.2 is the oldest that works")
