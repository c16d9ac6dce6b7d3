"""Statements of the busiest paths stay within what psycopg remembers: beyond, it reads them anew for every request."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from psycopg import _queries

from infrastructure.database.prepared import PreparedStatements
from tests.integration.shop import Shop


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[str, Any]]]:
    """Every statement from here on, with its values, as a connection is given them."""
    statements: list[tuple[str, Any]] = []

    def noting(name: str) -> None:
        given = getattr(PreparedStatements, name)

        def noted(connection: PreparedStatements, query: str, values: Any = (), **options: Any) -> Any:
            statements.append((query, values))
            return given(connection, query, values, **options)

        monkeypatch.setattr(PreparedStatements, name, noted)

    noting("rows")
    noting("execute")
    yield statements


@pytest.fixture
def anew(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Every statement from here on that a cursor of psycopg has to read."""
    statements: list[str] = []
    execute = psycopg.Cursor.execute

    def noting(cursor: Any, query: Any, values: Any = None, **options: Any) -> Any:
        statements.append(str(query))
        return execute(cursor, query, values, **options)

    monkeypatch.setattr(psycopg.Cursor, "execute", noting)
    yield statements


def test_placing_a_booking_sends_nothing_that_is_read_anew_each_time(shop: Shop, sent: list[tuple[str, Any]]) -> None:
    customer, departure = shop.a_customer(), shop.a_departure()
    sent.clear()

    shop.book(customer, departure, travelers=2)

    assert any("INSERT INTO bookings" in query for query, _ in sent)
    too_much = [
        query
        for query, values in sent
        if len(query.encode()) > _queries.MAX_CACHED_STATEMENT_LENGTH
        or len(values or ()) > _queries.MAX_CACHED_STATEMENT_PARAMS
    ]
    assert too_much == []


def test_placing_a_booking_takes_four_statements(shop: Shop, sent: list[tuple[str, Any]]) -> None:
    customer, departure = shop.a_customer(), shop.a_departure()
    shop.book(customer, departure, travelers=2)
    sent.clear()

    shop.book(customer, departure, travelers=2)

    # The sale, the booking with all that belongs to it, the departure, the event.
    assert [" ".join(query.split()[:2]) for query, _ in sent if "revisions" not in query] == [
        "SELECT nextval('booking_numbers')",
        "WITH booked",
        "UPDATE departures",
        "INSERT INTO",
    ]


def test_a_second_booking_is_sent_without_psycopgs_cursors(shop: Shop, anew: list[str]) -> None:
    customer, departure = shop.a_customer(), shop.a_departure()
    shop.book(customer, departure, travelers=2)
    anew.clear()

    shop.book(customer, departure, travelers=2)

    assert [query for query in anew if "revisions" not in query] == []
