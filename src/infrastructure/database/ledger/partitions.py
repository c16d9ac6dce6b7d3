"""The ledger's partitions: one for each year of journals' ids, made before anything lies in them."""

from __future__ import annotations

from typing import Final

from infrastructure.database.transaction import Database

YEARS_AHEAD: Final = 2

_WAIT_BRIEFLY: Final = "SELECT set_config('lock_timeout', %s, true)"
_MAKE: Final = "SELECT ledger_make_partition(%s) AS made"
# By ids, not by the partition's name: the other partitions are pruned, and the parent is what the application may read.
_BEYOND: Final = """
SELECT EXISTS (SELECT 1 FROM ledger_entries WHERE journal_id >= first_id_of_year(
    (SELECT max(right(relname, 4)::integer) + 1 FROM pg_class
     WHERE relispartition AND relname ~ '^ledger_entries_[0-9]{4}$'))) AS found
"""


def make_partitions(database: Database, *, year: int, lock_milliseconds: int = 500) -> list[int]:
    """Make the partitions of this year and the next two where they are missing; the years that were made.

    Each stands behind whoever uses the ledger, and everybody else behind it, for `lock_milliseconds` at most.
    Raises Busy when that was too short; the next run tries again.
    """
    return [one for one in range(year, year + YEARS_AHEAD + 1) if _make(database, one, lock_milliseconds)]


def _make(database: Database, year: int, lock_milliseconds: int) -> bool:
    with database.transaction() as transaction:
        transaction.execute(_WAIT_BRIEFLY, (str(lock_milliseconds),))
        row = transaction.row(_MAKE, (year,))
        transaction.commit()
    return row is not None and bool(row["made"])


def is_beyond_partitions(database: Database) -> bool:
    """Whether an entry lies beyond all years that have a partition, where it keeps its own from being made."""
    row = database.row(_BEYOND)
    return row is not None and bool(row["found"])
