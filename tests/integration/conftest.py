"""Fixtures that several modules of these tests share."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import psycopg
import pytest

from infrastructure.bootstrap import Running
from infrastructure.database.roles import DatabaseAddresses, connect
from infrastructure.database.transaction import Database
from tests.integration.catalogue import Catalogue
from tests.integration.loyalty import Loyalty
from tests.integration.refunding import Counter, broken_refund_promises
from tests.integration.shop import PROMISES, Shop

ABOUT_POINTS = ("journal", "chain", "zero", "debt", "hold", "lot")


@pytest.fixture
def shop(running: Running) -> Shop:
    return Shop.opened(running)


@pytest.fixture
def customer(shop: Shop) -> UUID:
    return shop.a_customer()


@pytest.fixture
def counter(shop: Shop) -> Counter:
    return Counter(shop)


@pytest.fixture
def refund_promises(addresses: DatabaseAddresses) -> Iterator[None]:
    """Whatever a test does, what is promised of refunds holds afterwards."""
    yield
    assert broken_refund_promises(addresses) == []


@pytest.fixture
def catalogue(database: Database) -> Catalogue:
    return Catalogue(database)


@pytest.fixture(scope="module")
def points_database(module_addresses: DatabaseAddresses) -> Iterator[Database]:
    opened = Database(module_addresses.app)
    yield opened
    opened.dispose()


@pytest.fixture
def loyalty(points_database: Database, module_addresses: DatabaseAddresses) -> Iterator[Loyalty]:
    """Customers with points. Whatever a test does, the books are right, and every balance is the sum of its lots."""
    yield Loyalty(points_database)
    with connect(module_addresses.owner) as connection:
        for name, query in PROMISES.items():
            if any(word in name for word in ABOUT_POINTS):
                assert connection.execute(query).fetchall() == [], name


@pytest.fixture
def owner_session(module_addresses: DatabaseAddresses) -> Iterator[psycopg.Connection[Any]]:
    """A session of the database's owner, past all of the application's own checks."""
    with connect(module_addresses.owner) as connection:
        yield connection
