"""Statements of the busiest paths stay within what psycopg remembers: beyond, it reads them anew for every request."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from psycopg import _queries

from infrastructure.bootstrap import Running
from tests.integration.shop import Shop


@pytest.fixture
def shop(running: Running) -> Shop:
    return Shop.opened(running)


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[str, Any]]]:
    """Every statement from here on, with its values, as a cursor is given them."""
    statements: list[tuple[str, Any]] = []
    execute = psycopg.Cursor.execute

    def noting(cursor: Any, query: Any, values: Any = None, **options: Any) -> Any:
        if isinstance(query, str):  # SQLAlchemy's and psycopg's own, of a new connection, are not
            statements.append((query, values))
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
    queries = [query for query, _ in sent]
    # The sale, the booking with all that belongs to it, the departure, the event.
    assert len(queries[queries.index("BEGIN") + 1 : queries.index("COMMIT")]) == 4
