"""Changes of every sort to the rows that a query speaks of: one that finds nothing whatever happens says nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import psycopg

_TABLE = re.compile(r"\b(?:FROM|JOIN)\s+([a-z_]+)\b(?!\s*\()")
_COLUMNS = """
SELECT column_name, udt_name FROM information_schema.columns
WHERE table_schema = 'public' AND table_name = %s ORDER BY ordinal_position
"""
_WORDS = re.compile(r"'([A-Z_]+)'")
_BY_TYPE = {
    **dict.fromkeys(("int2", "int4", "int8", "numeric"), ("{0} + 1", "{0} - 1", "{0} * 3", "0", "NULL")),
    **dict.fromkeys(
        ("timestamptz", "date"), ("{0} - interval '400 days'", "{0} + interval '400 days'", "NULL", "now()")
    ),
    "uuid": ("NULL", "gen_random_uuid()"),
    "bool": ("NOT {0}",),
}


def finds(connection: psycopg.Connection[Any], query: str) -> str | None:
    """The first change after which the query finds a row; None where none of them does."""
    for change in _changes(connection, query):
        with connection.transaction(force_rollback=True):
            try:
                connection.execute(change.encode())
                if connection.execute(query.encode()).fetchone() is not None:
                    return change
            except psycopg.Error:
                continue
    return None


def _changes(connection: psycopg.Connection[Any], query: str) -> Iterator[str]:
    texts = [f"'{word}'" for word in (*sorted(set(_WORDS.findall(query))), "ANOTHER")]
    for table in dict.fromkeys(_TABLE.findall(query)):
        columns = connection.execute(_COLUMNS.encode(), (table,)).fetchall()
        if not columns:
            continue
        yield f"DELETE FROM {table}"
        yield f"DELETE FROM {table} WHERE ctid = (SELECT min(ctid) FROM {table})"
        yield f"INSERT INTO {table} SELECT * FROM {table}"
        yield (
            f"INSERT INTO {table} SELECT (jsonb_populate_record({table},"
            f" jsonb_build_object('id', gen_random_uuid()))).* FROM {table}"
        )
        for column, kind in columns:
            for change in texts if kind == "text" else _BY_TYPE.get(kind, ()):
                yield f"UPDATE {table} SET {column} = {change.format(column)}"
