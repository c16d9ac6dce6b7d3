"""Whether a web server takes requests while releases change."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import redis

from infrastructure.database.migrations import earlier_revisions, newest_revision
from infrastructure.database.roles import DatabaseAddresses, connect
from infrastructure.database.transaction import Database
from infrastructure.readiness import ReadinessCheck
from tests.conftest import REDIS

pytestmark = pytest.mark.database


@pytest.mark.parametrize(
    ("revision", "word"),
    [
        (newest_revision(), "ok"),
        ("20991231_01", "ok"),  # the next release has migrated, and this one still serves
        (max(earlier_revisions()), "migrations are behind"),
        ("20261123_01", "migrations are behind"),
    ],
)
def test_a_release_serves_on_its_own_schema_and_on_the_next(
    database: Database, addresses: DatabaseAddresses, revision: str, word: str
) -> None:
    with connect(addresses.owner) as session:
        session.execute("UPDATE alembic_version SET version_num = %s", [revision])
    with redis.Redis.from_url(os.environ[REDIS]) as connection:
        readiness = ReadinessCheck(database, connection)()
    assert readiness.checks["database"] == word
    assert readiness.is_ready == (word == "ok")


def test_without_its_database_it_is_not_ready(addresses: DatabaseAddresses) -> None:
    nowhere = Database(addresses.app.set(database="there_is_none"))
    with redis.Redis.from_url(os.environ[REDIS]) as connection:
        readiness = ReadinessCheck(nowhere, connection)()
    nowhere.dispose()
    assert (readiness.is_ready, readiness.checks) == (False, {"database": "unreachable", "redis": "ok"})


def test_without_redis_it_is_ready_and_says_what_is_missing(database: Database, tmp_path: Path) -> None:
    with redis.Redis(unix_socket_path=str(tmp_path / "nobody")) as connection:
        readiness = ReadinessCheck(database, connection)()
    assert (readiness.is_ready, readiness.checks) == (True, {"database": "ok", "redis": "unreachable"})
