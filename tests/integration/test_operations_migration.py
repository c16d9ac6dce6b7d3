"""The migration of the audit log, on a database with rows of the release before, and a second process in the way."""

from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Iterator
from uuid import uuid4

import pytest

from infrastructure.database import migrations
from infrastructure.database.roles import DatabaseAddresses, addresses_from, connect

FORKS = multiprocessing.get_context("fork")
BEFORE = "20261123_01"
THIS = "20261125_04"
OLD_ROW = """
INSERT INTO audit_logs (id, action, module, resource_type, changes, created_at)
VALUES (gen_random_uuid(), 'packages.update', 'packages', 'PACKAGE', '{}', now())
"""

WAITING = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"


@pytest.fixture
def empty(addresses: DatabaseAddresses) -> Iterator[DatabaseAddresses]:
    """A database that was never migrated; its roles are those of the template."""
    name = f"altayar_test_{uuid4().hex[:10]}"
    admin = addresses_from(os.environ["ALTAYAR_TEST_DATABASE_URL"]).owner
    with connect(admin) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    yield addresses.of_database(name)
    with connect(admin) as connection:
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def test_old_rows_stay_and_two_at_once_take_turns(empty: DatabaseAddresses) -> None:
    migrations.upgrade(empty, BEFORE)
    with connect(empty.owner) as connection:
        connection.execute(OLD_ROW)

    with connect(empty.owner) as connection:
        # Both wait while somebody else has their turn: the second must not hold up the indexes of the first.
        connection.execute("SELECT pg_advisory_lock(7310554201)")
        processes = [FORKS.Process(target=migrations.upgrade, args=(empty, THIS)) for _ in range(2)]
        for process in processes:
            process.start()
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and connection.execute(WAITING).fetchone() != (2,):
            time.sleep(0.1)
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0, 0]

    assert migrations.current_revision(empty.owner) == THIS
    with connect(empty.owner) as connection:
        # The release before still writes.
        connection.execute(OLD_ROW)
        assert (
            connection.execute("SELECT status, ip_address, error_message FROM audit_logs").fetchall()
            == [("SUCCESS", None, None)] * 2
        )
        assert connection.execute("SELECT count(*) FROM pg_index WHERE NOT indisvalid").fetchone() == (0,)

    migrations.downgrade(empty, BEFORE)
    migrations.upgrade(empty, THIS)
    with connect(empty.owner) as connection:
        assert connection.execute("SELECT count(*) FROM audit_logs").fetchone() == (2,)
