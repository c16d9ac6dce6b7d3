"""`altayar ledger verify`: recomputes the whole ledger from its rows, in one snapshot and in constant memory.

The rows are read twice: along each account's chain, where a hash needs the one before it, and along the journals,
where what a journal says and the seals of days are made again. docs/ledger-audit.md tells what is recomputed, how.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg
from sqlalchemy.engine import URL

from infrastructure.database.ledger.agreements import find_disagreement
from infrastructure.database.ledger.chains import find_broken_chain, find_broken_kind
from infrastructure.database.ledger.faults import Fault, Progress
from infrastructure.database.ledger.journals import find_broken_journal
from infrastructure.database.ledger.seals import SealsAgain
from infrastructure.database.roles import connect


@dataclass(frozen=True, slots=True)
class Verified:
    """How many entries and seals were looked at, and what is wrong with the first row that is."""

    entries: int
    seals: int
    fault: Fault | None


@dataclass(frozen=True, slots=True)
class Rows:
    """How many entries there are, and how many of them have a place in an account's chain."""

    entries: int
    chained: int

    @property
    def looks(self) -> int:
        """How many rows `progress` is told of: those with a place in a chain are looked at twice."""
        return self.entries + self.chained


def count_rows(owner: URL) -> Rows:
    """What there is to look at."""
    with connect(owner) as connection:
        entries, chained = connection.execute("SELECT count(*), count(sequence) FROM ledger_entries").fetchall()[0]
    return Rows(int(str(entries)), int(str(chained)))


def verify_ledger(owner: URL, progress: Progress = lambda _: None, *, expected_root: bytes | None = None) -> Verified:
    """Recompute the ledger as of now; `progress` is told how many rows more were looked at.

    `expected_root` is that of a seal, from a copy that was kept elsewhere: it must still be there.
    """
    with _snapshot(owner) as connection:
        return verify_snapshot(connection, progress, expected_root=expected_root)


def verify_snapshot(
    connection: psycopg.Connection[Any], progress: Progress = lambda _: None, *, expected_root: bytes | None = None
) -> Verified:
    """The same of what one transaction sees; while others write, it has to be REPEATABLE READ."""
    seen = _Counted(progress)
    seals = SealsAgain.of(connection)
    fault = (
        find_broken_kind(connection)
        or find_broken_chain(connection, progress)
        or find_broken_journal(connection, seals, seen)
        or seals.find_broken()
        or find_disagreement(connection)
    )
    if fault is None and expected_root is not None and not seals.has_root(expected_root):
        fault = Fault(f"root {expected_root.hex()}", "no seal has it")
    return Verified(seen.rows, len(seals), fault)


@contextmanager
def _snapshot(owner: URL) -> Iterator[psycopg.Connection[Any]]:
    with connect(owner) as connection, connection.transaction():
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        # Sorts and joins of all rows go through files beyond this; every row is read, so the whole plan counts.
        connection.execute("SET LOCAL work_mem = '64MB'")
        connection.execute("SET LOCAL cursor_tuple_fraction = 1")
        yield connection


class _Counted:
    """Passes progress on, and adds it up."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self.rows = 0

    def __call__(self, more: int) -> None:
        self.rows += more
        self._progress(more)
