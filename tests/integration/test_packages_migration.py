"""The migration of packages, on a database with packages of the release before, which goes on writing."""

from __future__ import annotations

import os
from collections.abc import Iterator
from uuid import uuid4

import pytest

from infrastructure.database import migrations
from infrastructure.database.roles import DatabaseAddresses, addresses_from, connect

BEFORE, THIS = "20261128_06", "20261129_02"
SOMEBODY = """
INSERT INTO users (id, email, password_hash, first_name, last_name, locale, status, roles, created_at)
VALUES (gen_random_uuid(), 'vendor@example.com', '', 'A', 'B', 'en', 'ACTIVE', '{VENDOR}', now())
"""
OLD_PACKAGE = """
INSERT INTO packages (id, slug, name_ar, name_en, description_ar, description_en, category, base_price_minor, currency,
                      tax_rate, tax_inclusive, duration_days, duration_nights, min_travelers, max_travelers,
                      destinations, inclusions_ar, inclusions_en, exclusions_ar, exclusions_en, itinerary, is_featured,
                      display_order, status, vendor_id, created_by_user_id, created_at, updated_at)
SELECT gen_random_uuid(), %s, 'رحلة', 'Trip', 'وصف', 'Described', 'FAMILY', 1500, %s, 14, true, 3, 2, 1, 10, '{Luxor}',
       '{}', '{}', '{}', '{}', '[]', false, 0, 'ACTIVE', id, id, now(), now()
FROM users
"""
SHOWN = "SELECT slug, price_thousandths, approval, time_zone, version FROM packages ORDER BY slug"


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


def test_packages_that_were_there_are_sold_as_before(empty: DatabaseAddresses) -> None:
    migrations.upgrade(empty, BEFORE)
    with connect(empty.owner) as connection:
        connection.execute(SOMEBODY)
        connection.execute(OLD_PACKAGE, ["one", "EGP"])
        connection.execute(OLD_PACKAGE, ["two", "KWD"])
    migrations.upgrade(empty, THIS)
    with connect(empty.owner) as connection:
        # The release before still writes.
        connection.execute(OLD_PACKAGE, ["zzz", "JPY"])
        expected = [
            ("one", 15_000, "NOT_NEEDED", "Africa/Cairo", 1),
            ("two", 1_500, "NOT_NEEDED", "Africa/Cairo", 1),
            ("zzz", 1_500_000, "NOT_NEEDED", "Africa/Cairo", 1),
        ]
        assert connection.execute(SHOWN).fetchall() == expected
        connection.execute("UPDATE packages SET discounted_price_minor = 1000 WHERE slug = 'two'")
        found = connection.execute("SELECT price_thousandths FROM packages WHERE slug = 'two'").fetchone()
        assert found == (1_000,)
        assert connection.execute("SELECT count(*) FROM pg_index WHERE NOT indisvalid").fetchone() == (0,)

    migrations.downgrade(empty, BEFORE)
    with connect(empty.owner) as connection:
        prices = connection.execute("SELECT price_thousandths FROM packages ORDER BY slug").fetchall()
        assert prices == [(15_000,), (1_500,), (1_500_000,)]
    migrations.upgrade(empty, THIS)
