"""The migration that made bookings searchable: those of the release before are found, and those that it still makes."""

from __future__ import annotations

import runpy
from pathlib import Path

from infrastructure.bootstrap import Running
from infrastructure.database import migrations
from infrastructure.database.roles import DatabaseAddresses, connect
from tests.integration.shop import Shop

FILE = Path(__file__).resolve().parents[2] / "migrations" / "versions" / "20261129_14_views.py"
FOUND = "SELECT count(*) FROM booking_words w JOIN bookings b ON b.id = w.booking_id AND strpos(w.words, %s) > 0"


def the_release_before() -> str:
    return str(runpy.run_path(str(FILE))["down_revision"])


def test_bookings_of_the_release_before_are_found_afterwards(running: Running, addresses: DatabaseAddresses) -> None:
    shop = Shop.opened(running)
    departure = shop.a_departure()
    old = shop.book(shop.a_customer(), departure)
    running.database.dispose()

    migrations.downgrade(addresses, the_release_before())
    migrations.upgrade(addresses)

    new = shop.book(shop.a_customer(), departure)
    with connect(addresses.owner) as connection:
        assert connection.execute("SELECT count(*) FROM pg_index WHERE NOT indisvalid").fetchone() == (0,)
        for booking in (old, new):
            assert connection.execute(FOUND, [f" {booking.booking_number.lower()} "]).fetchone() == (1,)
        connection.execute('UPDATE bookings SET customer_info = \'{"first_name": "أُسامة"}\' WHERE id = %s', [old.id])
        assert connection.execute(FOUND, [" اسامه "]).fetchone() == (1,)
