"""Statements that a connection has prepared are sent by a way of our own, and answer what psycopg's cursors would."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn
from uuid import UUID

import psycopg
import pytest
from sqlalchemy import make_url

from infrastructure.database.connections import MOST_HELD
from infrastructure.database.refusals import DatabaseUnavailable
from infrastructure.database.roles import DatabaseAddresses
from infrastructure.database.transaction import Database
from infrastructure.embedded.postgres import EmbeddedPostgres
from tests.faults.own_servers import stop_at_once

SHOWN = """
SELECT %(id)s::uuid AS id, %(at)s::timestamptz AS at, %(amount)s::numeric AS amount, %(words)s::text[] AS words,
       '{"one": 1}'::jsonb AS document, 100 %% 7 AS rest
"""
VALUES: dict[str, Any] = {
    "id": UUID(int=7),
    "at": datetime(2030, 1, 1, tzinfo=UTC),
    "amount": Decimal("1.50"),
    "words": ["a", "b"],
}


@pytest.fixture
def single(addresses: DatabaseAddresses) -> Iterator[Database]:
    """One connection of each kind: what it has prepared is there the next time."""
    database = Database(addresses.app, pool_size=1)
    yield database
    database.dispose()


@pytest.fixture
def by_cursor(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    statements: list[str] = []
    execute = psycopg.Cursor.execute

    def noting(cursor: Any, query: Any, *values: Any, **options: Any) -> Any:
        statements.append(str(query))
        return execute(cursor, query, *values, **options)

    monkeypatch.setattr(psycopg.Cursor, "execute", noting)
    return statements


def test_what_is_asked_again_is_answered_the_same_without_a_cursor(single: Database, by_cursor: list[str]) -> None:
    first = single.rows(SHOWN, VALUES)
    by_cursor.clear()

    assert single.rows(SHOWN, VALUES) == first == [{**VALUES, "document": {"one": 1}, "rest": 2}]
    assert by_cursor == []


def test_values_of_other_kinds_are_another_statement(single: Database) -> None:
    answers = [single.rows("SELECT %s::text AS said", (value,)) for value in ("a", None, 5, "b", None, 5)]

    assert [row["said"] for (row,) in answers] == ["a", None, "5", "b", None, "5"]


def test_a_refusal_is_told_and_the_connection_goes_on(single: Database) -> None:
    for divisor in (1, 1):
        single.rows("SELECT 1 / %s AS one", (divisor,))

    with pytest.raises(psycopg.errors.DivisionByZero):
        single.rows("SELECT 1 / %s AS one", (0,))
    with pytest.raises(psycopg.errors.DivisionByZero), single.transaction() as transaction:
        for divisor in (1, 0):
            transaction.execute("SELECT 1 / %s AS one", (divisor,))
        transaction.rows("SELECT 1 / %s AS one", (1,))

    assert single.rows("SELECT 1 / %s AS one", (1,)) == [{"one": 1}]
    with single.transaction() as transaction:
        assert transaction.rows("SELECT 1 / %s AS one", (1,)) == [{"one": 1}]


def test_more_than_a_pipeline_holds_keeps_its_order(single: Database) -> None:
    with single.transaction() as transaction:
        transaction.execute("CREATE TEMPORARY TABLE told (place integer) ON COMMIT DROP")
        for place in range(3 * MOST_HELD):
            transaction.execute("INSERT INTO told VALUES (%s::integer)", (place,))
        rows = transaction.rows("SELECT place FROM told ORDER BY ctid")

    assert [row["place"] for row in rows] == list(range(3 * MOST_HELD))


def test_what_answers_no_rows_is_not_asked_for_any(single: Database) -> None:
    for _ in range(2):
        with pytest.raises(psycopg.ProgrammingError), single.transaction() as transaction:
            transaction.execute("CREATE TEMPORARY TABLE told (place integer) ON COMMIT DROP")
            transaction.rows("DELETE FROM told WHERE place = %s", (1,))


def test_a_server_that_goes_away_is_told_of_and_the_next_connection_answers(single: Database) -> None:
    ending = "SELECT pg_terminate_backend(CASE WHEN %s THEN pg_backend_pid() ELSE 0 END)"
    for _ in range(2):
        single.rows(ending, (False,))

    with pytest.raises(DatabaseUnavailable):
        single.rows(ending, (True,))

    assert single.rows(ending, (False,)) == [{"pg_terminate_backend": False}]


@pytest.mark.parametrize("half", [socket.SHUT_RDWR, socket.SHUT_WR, socket.SHUT_RD])
def test_a_connection_that_breaks_before_a_question_is_told_of_once(single: Database, half: int) -> None:
    for _ in range(2):
        single.rows("SELECT %s::text AS said", ("quick",))
    with single.reads.loan() as lent, socket.socket(fileno=os.dup(lent.driver.pgconn.socket)) as line:
        line.shutdown(half)

    with pytest.raises(DatabaseUnavailable):
        single.rows("SELECT %s::text AS said", ("broken",))

    assert single.rows("SELECT %s::text AS said", ("next",)) == [{"said": "next"}]


def test_a_server_that_was_stopped_at_once_is_told_of_however_libpq_says_it(tmp_path: Path) -> None:
    """Its last word is still to be read where nothing can be sent any more: libpq then thinks itself connected."""
    server = EmbeddedPostgres(tmp_path, settings={"fsync": "off"})
    with server as url:
        database = Database(make_url(url), pool_size=1)
        for _ in range(2):
            database.rows("SELECT %s::text AS said", ("quick",))
        stop_at_once(server)

        for _ in range(2):
            with pytest.raises(DatabaseUnavailable):
                database.rows("SELECT %s::text AS said", ("broken",))
        database.dispose()


def test_a_signal_is_heard_behind_the_answer(single: Database) -> None:
    """A job whose time runs out while it waits: what comes back meanwhile is nobody else's answer."""
    waiting = "SELECT %s::text AS said, pg_sleep(%s)"
    for _ in range(2):
        single.rows(waiting, ("quick", 0.0))

    class OutOfTime(Exception):
        pass

    def out_of_time(_number: int, _frame: FrameType | None) -> NoReturn:
        raise OutOfTime

    before = signal.signal(signal.SIGALRM, out_of_time)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.05)
        with pytest.raises(OutOfTime):
            single.rows(waiting, ("slow", 0.3))
    finally:
        signal.signal(signal.SIGALRM, before)

    assert single.rows(waiting, ("next", 0.0)) == [{"said": "next", "pg_sleep": ""}]
