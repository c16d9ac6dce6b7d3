"""The migrations that made activities, pools and patterns: departures of the release before go on being sold."""

from __future__ import annotations

import importlib.util
from datetime import time
from pathlib import Path

from infrastructure.bootstrap import Running
from infrastructure.database import migrations
from infrastructure.database.roles import DatabaseAddresses, connect
from tests.builders import a_departure
from tests.integration.shop import Shop

FILE = Path(__file__).resolve().parents[2] / "migrations" / "versions" / "20261129_04_departures.py"
AS_BEFORE = """
INSERT INTO departures (id, package_id, starts_on, ends_on, capacity, seats_taken, status, created_at)
SELECT %s, package_id, starts_on, ends_on, 5, 0, 'OPEN', created_at FROM departures WHERE id = %s
"""


def the_release_before() -> str:
    spec = importlib.util.spec_from_file_location("departures_migration", FILE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return str(module.down_revision)


def test_departures_of_the_release_before_are_sold_afterwards(running: Running, addresses: DatabaseAddresses) -> None:
    shop = Shop.opened(running)
    sold = shop.a_departure()
    shop.book(shop.a_customer(), sold, travelers=2)
    old, older = (a_departure(package_id=sold.package_id) for _ in range(2))
    running.database.dispose()

    migrations.downgrade(addresses, the_release_before())
    with connect(addresses.owner) as connection:
        connection.execute(AS_BEFORE, (older.id, sold.id))
    migrations.upgrade(addresses)

    with connect(addresses.owner) as connection:
        assert connection.execute("SELECT count(*) FROM pg_index WHERE NOT indisvalid").fetchone() == (0,)
        # The release before, still running on the new schema.
        connection.execute(AS_BEFORE, (old.id, sold.id))
        known = connection.execute(
            "SELECT DISTINCT start_time, time_zone, has_pools, version FROM departures"
        ).fetchall()
        assert known == [(time(0), "Africa/Cairo", False, 1)]
    for departure in (sold, older, old):
        shop.book(shop.a_customer(), departure)
