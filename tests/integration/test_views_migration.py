"""The migration that made bookings searchable: those of the release before are found, and those that it still makes."""

from __future__ import annotations

from infrastructure.bootstrap import Running
from infrastructure.database import migrations
from infrastructure.database.roles import DatabaseAddresses, connect
from tests.integration.shop import Shop

RELEASE_BEFORE = "20261129_09"
FOUND = "SELECT count(*) FROM booking_words w JOIN bookings b ON b.id = w.booking_id AND strpos(w.words, %s) > 0"


def test_bookings_of_the_release_before_are_found_afterwards(running: Running, addresses: DatabaseAddresses) -> None:
    shop = Shop.opened(running)
    departure = shop.a_departure()
    old = shop.book(shop.a_customer(), departure)
    running.database.dispose()

    migrations.downgrade(addresses, RELEASE_BEFORE)
    migrations.upgrade(addresses)

    new = shop.book(shop.a_customer(), departure)
    with connect(addresses.owner) as connection:
        assert connection.execute("SELECT count(*) FROM pg_index WHERE NOT indisvalid").fetchone() == (0,)
        for booking in (old, new):
            assert connection.execute(FOUND, [f" {booking.booking_number.lower()} "]).fetchone() == (1,)
        connection.execute('UPDATE bookings SET customer_info = \'{"first_name": "أُسامة"}\' WHERE id = %s', [old.id])
        assert connection.execute(FOUND, [" اسامه "]).fetchone() == (1,)
