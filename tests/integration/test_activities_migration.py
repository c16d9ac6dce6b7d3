"""The migration that has vendors' activities reviewed, on a database that the release before goes on writing."""

from __future__ import annotations

import psycopg
import pytest

from infrastructure.database import migrations
from infrastructure.database.roles import DatabaseAddresses, connect
from tests.integration.test_packages_migration import OLD_PACKAGE, SOMEBODY, empty  # noqa: F401

BEFORE, THIS = "20261129_16", "20261129_19"
OLD_ACTIVITY = """
INSERT INTO activities (id, slug, name_ar, name_en, description_ar, description_en, category, difficulty_level,
                        price_minor, currency, tax_rate, tax_inclusive, duration_hours, location, min_participants,
                        max_participants, is_featured, display_order, status, vendor_id, created_by_user_id, created_at,
                        updated_at)
SELECT gen_random_uuid(), %s, 'غوص', 'Dive', 'وصف', 'Described', 'SPORTS', 'EASY', 900, 'EGP', 14, true, 3, 'Dahab', 1,
       10, false, 0, 'ACTIVE', id, id, now(), now()
FROM users
"""
OLD_PICTURE = """
INSERT INTO package_images (id, package_id, storage_key, content_type, size_bytes, digest, width, height, caption_ar,
                            caption_en, display_order, is_featured, state, created_at, changed_at)
SELECT gen_random_uuid(), id, %s, 'image/jpeg', 1, sha256(%s), 1, 1, '', '', 0, false, 'STORED', now(), now()
FROM packages
"""


def test_what_was_there_stays_and_the_release_before_writes_on(empty: DatabaseAddresses) -> None:  # noqa: F811
    migrations.upgrade(empty, BEFORE)
    with connect(empty.owner) as connection:
        connection.execute(SOMEBODY)
        connection.execute(OLD_PACKAGE, ["trip", "EGP"])
        connection.execute(OLD_ACTIVITY, ["one"])
        connection.execute(OLD_PICTURE, ["a", b"a"])
    migrations.upgrade(empty, THIS)
    with connect(empty.owner) as connection:
        connection.execute(OLD_ACTIVITY, ["two"])
        connection.execute(OLD_PICTURE, ["b", b"b"])
        shown = connection.execute("SELECT slug, status, approval FROM activities ORDER BY slug").fetchall()
        assert shown == [("one", "ACTIVE", "NOT_NEEDED"), ("two", "ACTIVE", "NOT_NEEDED")]
        assert connection.execute("SELECT count(*) FROM package_images WHERE activity_id IS NULL").fetchone() == (2,)


@pytest.mark.parametrize(
    "change",
    [
        "approval = 'REJECTED', approval_reason = 'no', approval_decided_at = now()",
        "approval = 'APPROVED', approval_decided_at = now(), approval_decided_by_user_id = vendor_id",
        "approval = 'APPROVED'",
        "approval = 'PENDING', vendor_id = NULL",
    ],
)
def test_no_approval_that_cannot_be(empty: DatabaseAddresses, change: str) -> None:  # noqa: F811
    migrations.upgrade(empty, THIS)
    with connect(empty.owner) as connection:
        connection.execute(SOMEBODY)
        connection.execute(OLD_ACTIVITY, ["one"])
        with pytest.raises(psycopg.errors.CheckViolation):
            connection.execute(f"UPDATE activities SET {change}")  # type: ignore[arg-type]


def test_it_and_those_behind_it_can_be_taken_back(empty: DatabaseAddresses) -> None:  # noqa: F811
    last = "20261129_19d"
    migrations.upgrade(empty, last)
    with connect(empty.owner) as connection:
        connection.execute(SOMEBODY)
        connection.execute(OLD_ACTIVITY, ["one"])
        connection.execute(OLD_PACKAGE, ["trip", "EGP"])
        connection.execute(OLD_PICTURE, ["a", b"a"])
        connection.execute(
            "UPDATE package_images SET package_id = NULL, activity_id = (SELECT id FROM activities LIMIT 1)"
        )
    migrations.downgrade(empty, BEFORE)
    with connect(empty.owner) as connection:
        connection.execute(OLD_PICTURE, ["b", b"b"])
    migrations.upgrade(empty, last)
    with connect(empty.owner) as connection:
        assert connection.execute("SELECT approval FROM activities").fetchall() == [("NOT_NEEDED",)]
        assert connection.execute("SELECT storage_key FROM package_images").fetchall() == [("b",)]
