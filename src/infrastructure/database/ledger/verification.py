"""`altayar ledger verify`: recomputes every balance and hash from the rows, in constant memory."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
from psycopg.rows import dict_row
from sqlalchemy.engine import URL

from infrastructure.database.roles import connect

BATCH = 5_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ENTRIES = """
SELECT e.*, j.fingerprint, a.allows_debt FROM ledger_entries e
JOIN ledger_journals j ON j.id = e.journal_id JOIN ledger_accounts a ON a.id = e.account_id
ORDER BY e.account_id, e.sequence NULLS FIRST, e.journal_id, e.line
"""
_UNBALANCED = """
SELECT journal_id, currency, sum(amount_minor) AS off FROM ledger_entries
GROUP BY journal_id, currency HAVING sum(amount_minor) <> 0 LIMIT 1
"""
_EMPTY = """
SELECT j.id FROM ledger_journals j
WHERE NOT EXISTS (SELECT 1 FROM ledger_entries e WHERE e.journal_id = j.id) LIMIT 1
"""
Progress = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Fault:
    """The first row that is not as it was written."""

    account_id: UUID | None
    journal_id: UUID
    sequence: int | None
    reason: str


@dataclass(frozen=True, slots=True)
class Verified:
    """How many entries were looked at, and what is wrong with the first that is."""

    entries: int
    fault: Fault | None


def count_entries(owner: URL) -> int:
    """How many entries there are to look at."""
    with connect(owner) as connection:
        row = connection.execute("SELECT count(*) FROM ledger_entries").fetchone()
    return int(str(row[0])) if row else 0


def verify_ledger(owner: URL, progress: Progress = lambda _: None) -> Verified:
    """Recompute the whole ledger in one snapshot; `progress` is told how many entries more were looked at."""
    with connect(owner) as connection, connection.transaction():
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        checked = 0
        previous: dict[str, Any] | None = None
        for row in _stream(connection):
            reason = _wrong_with(row, previous)
            if reason is not None:
                return Verified(checked, Fault(row["account_id"], row["journal_id"], row["sequence"], reason))
            previous = row
            checked += 1
            if checked % BATCH == 0:
                progress(BATCH)
        progress(checked % BATCH)
        return Verified(checked, _wrong_journal(connection))


def _stream(connection: psycopg.Connection[Any]) -> Iterator[dict[str, Any]]:
    with connection.cursor("verification", row_factory=dict_row) as cursor:
        cursor.itersize = BATCH
        cursor.execute(_ENTRIES)
        yield from cursor


def _wrong_with(row: dict[str, Any], previous: dict[str, Any] | None) -> str | None:
    """What is wrong with an entry, given the one before it in the same order."""
    before = previous if previous is not None and previous["account_id"] == row["account_id"] else None
    chained = before if before is not None and before["sequence"] is not None else None
    if row["sequence"] is not None:
        if row["sequence"] != (chained["sequence"] if chained else 0) + 1:
            return "its sequence does not follow"
        if row["balance_before_minor"] != (chained["balance_after_minor"] if chained else 0):
            return "its balance does not follow"
        if row["balance_after_minor"] < 0 and not row["allows_debt"]:
            return "its balance is below zero"
    previous_hash = bytes(chained["hash"]) if chained is not None and row["sequence"] is not None else b""
    return None if bytes(row["hash"]) == entry_hash(row, previous_hash) else "its hash does not fit its content"


def entry_hash(row: dict[str, Any], previous_hash: bytes) -> bytes:
    """The hash that the database function `ledger_entry_hash` gives this row."""
    content = "|".join(
        str(part)
        for part in (
            row["journal_id"],
            row["line"],
            row["account_id"],
            row["sequence"] or 0,
            row["amount_minor"],
            row["currency"],
            row["balance_after_minor"] or 0,
            (row["occurred_at"] - _EPOCH) // timedelta(microseconds=1),
        )
    )
    return hashlib.sha256(previous_hash + bytes(row["fingerprint"]) + content.encode()).digest()


def _wrong_journal(connection: psycopg.Connection[Any]) -> Fault | None:
    with connection.cursor(row_factory=dict_row) as cursor:
        unbalanced = cursor.execute(_UNBALANCED).fetchone()
        if unbalanced is not None:
            off = f"it is off by {unbalanced['off']} {unbalanced['currency']}"
            return Fault(None, unbalanced["journal_id"], None, off)
        empty = cursor.execute(_EMPTY).fetchone()
        return Fault(None, empty["id"], None, "it has no entries") if empty is not None else None
