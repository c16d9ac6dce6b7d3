"""The migrations that made search tolerant: items of the release before are folded, and their words known."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import pytest

from infrastructure.database import migrations
from infrastructure.database.roles import DatabaseAddresses, connect
from tests.integration.catalogue import Catalogue

pytestmark = pytest.mark.database

VERSIONS = Path(__file__).resolve().parents[2] / "migrations" / "versions"


def migration(name: str) -> Any:
    spec = importlib.util.spec_from_file_location("search_migration", VERSIONS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_packages_of_the_release_before_are_found_in_every_spelling(
    catalogue: Catalogue, addresses: DatabaseAddresses
) -> None:
    catalogue.add("safari", name_en="Safari", name_ar="پاريس", destinations=["Siwa", "سيوة"])
    catalogue.add("other", name_en="Other", destinations=[])
    catalogue.database.dispose()
    migrations.downgrade(addresses, migration("20261129_03_search").down_revision)
    with connect(addresses.owner) as connection:
        # Written by the release before, whose folding knew fewer letters.
        connection.execute("UPDATE packages SET name_ar = name_ar")
        is_old = "SELECT search_text LIKE '%پ%' FROM packages WHERE slug = 'safari'"
        assert connection.execute(is_old).fetchone() == (True,)

    migrations.upgrade(addresses)

    assert (
        catalogue.found(q="باريس") == catalogue.found(q="safary") == catalogue.found(destination="SIWA") == ["safari"]
    )
    with connect(addresses.owner) as connection:
        assert connection.execute("SELECT count(*) FROM pg_index WHERE NOT indisvalid").fetchone() == (0,)


def test_activities_of_the_release_before_are_found_and_have_counts(
    catalogue: Catalogue, addresses: DatabaseAddresses
) -> None:
    catalogue.add_activity("safari", name_en="Safari", name_ar="پاريس", location="سيوة")
    catalogue.add("package")
    catalogue.database.dispose()
    with connect(addresses.owner) as connection:
        connection.execute("TRUNCATE search_words, item_statistics")
    migrations.downgrade(addresses, migration("20261129_17_activity_search").down_revision)

    migrations.upgrade(addresses)

    assert (
        catalogue.activities_found(q="safary", sort="relevance")
        == catalogue.activities_found(destination="سيوه", sort="popular")
        == ["safari"]
    )
    assert catalogue.found(sort="rating") == ["package"]
    with connect(addresses.owner) as connection:
        assert connection.execute("SELECT count(*) FROM pg_index WHERE NOT indisvalid").fetchone() == (0,)
