"""What verification finds, and how it reads: rows streamed in one snapshot, in constant memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import psycopg

BATCH: Final = 5_000
"""Rows that are held at once."""

MICROSECONDS: Final = "replace(extract(epoch FROM {})::text, '.', '')"
"""SQL for the digits of an instant in microseconds since 1970, as hashes say it; seconds come with six decimals."""

Row = tuple[Any, ...]
Progress = Callable[[int], None]
"""Is told how many rows more were looked at."""


@dataclass(frozen=True, slots=True)
class Fault:
    """The first row that is not as it was written: which one, by its ids, and what of it."""

    row: str
    reason: str

    def __str__(self) -> str:
        return f"{self.row}: {self.reason}"


def stream(
    connection: psycopg.Connection[Any], name: str, sql: str, progress: Progress = lambda _: None
) -> Iterator[Row]:
    """A query's rows through a cursor of the server's, which finds the next ones while these are looked at."""
    with connection.cursor(name, binary=True) as cursor, ThreadPoolExecutor(1) as ahead:
        cursor.execute(sql)
        coming = ahead.submit(cursor.fetchmany, BATCH)
        while rows := coming.result():
            coming = ahead.submit(cursor.fetchmany, BATCH)
            yield from rows
            progress(len(rows))


def microseconds(at: datetime) -> int:
    """An instant as whole microseconds since 1970."""
    past = at - datetime(1970, 1, 1, tzinfo=UTC)
    return (past.days * 86_400 + past.seconds) * 1_000_000 + past.microseconds
