"""`altayar keys rotate`: every encrypted column under the newest key, in short transactions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import Column

from infrastructure.database.personal_data import ENCRYPTED
from infrastructure.database.transaction import Database, Row
from security.field_encryption import KeyMissing

BATCH = 200
Renew = Callable[[bytes], bytes | None]
Progress = Callable[[int], None]


class UnreadableField(Exception):
    """A field that no key opens; the message names its row."""


def count_encrypted(database: Database, columns: Sequence[Column[bytes]] = ENCRYPTED) -> int:
    """How many fields there are to look at."""
    return sum(_count(database, column) for column in columns)


def _count(database: Database, column: Column[bytes]) -> int:
    row = database.row(f"SELECT count(*) AS fields FROM {column.table.name} WHERE {column.name} IS NOT NULL")
    return int(row["fields"]) if row is not None else 0


def rotate_keys(
    database: Database, renew: Renew, progress: Progress, columns: Sequence[Column[bytes]] = ENCRYPTED
) -> int:
    """Encrypt anew what is not under the newest key; how many fields were.

    `renew` answers None for what is. Rows are locked a batch at a time, so several may run, and what was
    renewed before a stop is not renewed again. Raises UnreadableField; everything before it is kept.
    """
    return sum(_rotate_column(database, renew, progress, column) for column in columns)


def _rotate_column(database: Database, renew: Renew, progress: Progress, column: Column[bytes]) -> int:
    renewed, last = 0, None
    while True:
        with database.transaction() as transaction:
            rows = transaction.rows(_batch(column, last), list(last) if last else [])
            for row in rows:
                sealed = _renewed(renew, row, column)
                if sealed is not None:
                    transaction.execute(_update(column), [sealed, *_key_of(row, column)])
                    renewed += 1
            transaction.commit()
        progress(len(rows))
        if len(rows) < BATCH:
            return renewed
        last = _key_of(rows[-1], column)


def _renewed(renew: Renew, row: Row, column: Column[bytes]) -> bytes | None:
    try:
        return renew(bytes(row[column.name]))
    except KeyMissing as error:
        place = ", ".join(f"{name} {row[name]}" for name in _key(column))
        raise UnreadableField(f"{column.table.name}.{column.name} of {place}: {error}") from error


def _key(column: Column[bytes]) -> list[str]:
    return [part.name for part in column.table.primary_key]


def _key_of(row: Row, column: Column[bytes]) -> tuple[Any, ...]:
    return tuple(row[name] for name in _key(column))


def _batch(column: Column[bytes], last: tuple[Any, ...] | None) -> str:
    key = ", ".join(_key(column))
    behind = f"AND ({key}) > ({', '.join(['%s'] * len(last))})" if last else ""
    return (
        f"SELECT {key}, {column.name} FROM {column.table.name} WHERE {column.name} IS NOT NULL {behind}"
        f" ORDER BY {key} LIMIT {BATCH} FOR UPDATE"
    )


def _update(column: Column[bytes]) -> str:
    conditions = " AND ".join(f"{name} = %s" for name in _key(column))
    return f"UPDATE {column.table.name} SET {column.name} = %s WHERE {conditions}"
