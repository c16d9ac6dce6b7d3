"""What verification finds, and how it reads: rows streamed in one snapshot, in constant memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import psycopg

BATCH: Final = 5_000
"""Rows that are held at once."""

MICROSECONDS: Final = "(extract(epoch FROM {}) * 1000000)::bigint"
"""SQL for an instant as whole microseconds since 1970, which is how hashes say it."""

Row = tuple[Any, ...]
Progress = Callable[[int], None]
"""Is told how many rows more were looked at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """The first row that is not as it was written, in words and with the ids that it has."""

    row: str
    reason: str
    account_id: str | None = None
    sequence: int | None = None
    journal_id: str | None = None

    def __str__(self) -> str:
        return f"{self.row}: {self.reason}"


def stream(
    connection: psycopg.Connection[Any], name: str, sql: str, progress: Progress = lambda _: None
) -> Iterator[Row]:
    """A query's rows through a cursor of the server's."""
    with connection.cursor(name, binary=True) as cursor:
        cursor.execute(sql)
        while rows := cursor.fetchmany(BATCH):
            yield from rows
            progress(len(rows))


def microseconds(at: datetime) -> int:
    """An instant as whole microseconds since 1970."""
    past = at - datetime(1970, 1, 1, tzinfo=UTC)
    return (past.days * 86_400 + past.seconds) * 1_000_000 + past.microseconds
