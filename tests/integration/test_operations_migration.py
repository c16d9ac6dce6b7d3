"""The migration of the audit log, on a database with rows of the release before, and a second process in the way."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from uuid import uuid4

import pytest

from infrastructure.database import migrations
from infrastructure.database.roles import DatabaseAddresses, addresses_from, connect

BEFORE = "20261123_01"
THIS = "20261125_04"
OLD_ROW = """
INSERT INTO audit_logs (id, action, module, resource_type, changes, created_at)
VALUES (gen_random_uuid(), 'packages.update', 'packages', 'PACKAGE', '{}', now())
"""


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

    failures: list[BaseException] = []

    def upgrade() -> None:
        try:
            migrations.upgrade(empty, THIS)
        except BaseException as error:  # noqa: BLE001 - told below
            failures.append(error)

    processes = [threading.Thread(target=upgrade) for _ in range(2)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)

    assert failures == []
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
