"""Keyset pages: in a list's order, with the id as tiebreak."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from application.queries import After
from infrastructure.database.transaction import Database, Row

_SETTLED = """
SELECT least(now(), min(xact_start)) AS settled FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
"""


@dataclass(frozen=True, slots=True)
class Order:
    """One way to sort: by a column of a kind, and by id where that is equal."""

    column: str
    row_id: str
    kind: str = "timestamptz"
    descending: bool = False

    @property
    def by(self) -> str:
        way = " DESC" if self.descending else ""
        return f"{self.column}{way}, {self.row_id}{way}"

    @property
    def behind(self) -> str:
        """The condition that a row comes after the last one of the page before."""
        beyond = "<" if self.descending else ">"
        return f"({self.column}, {self.row_id}) {beyond} (%(after_key)s::{self.kind}, %(after_id)s::uuid)"


def order_sql(order: Order, after: After | None, updated_after: datetime | None) -> str:
    """What follows the other conditions of a WHERE: where the page begins, what is settled, order and limit."""
    behind = f" AND {order.behind}" if after is not None else ""
    changed = f" AND {order.column} > %(updated_after)s AND {order.column} < %(settled)s" if updated_after else ""
    return f"{behind}{changed} ORDER BY {order.by} LIMIT %(limit)s"


def order_values(database: Database, after: After | None, updated_after: datetime | None, limit: int) -> Row:
    """The values that `order_sql` names."""
    values = page_values(after, limit)
    if updated_after is None:
        return values
    return {**values, "updated_after": updated_after, "settled": settled_before(database)}


def settled_before(database: Database) -> datetime:
    """Nothing that changed before this instant can still be committed by the application.

    Rows carry the database's clock at their writing, which is never before their transaction began; so this
    is the beginning of the oldest transaction that is open. It has to be asked for in a statement of its own,
    before the rows: what commits between the two is then seen, and not passed over.
    """
    row = database.row(_SETTLED)
    if row is None:
        raise LookupError("an aggregate answers one row")
    settled: datetime = row["settled"]
    return settled


def page_after(after: After | None, key: str, row_id: str) -> str:
    """The condition that a page begins behind a row; true for the first page."""
    return f"({key}, {row_id}) < (%(after_key)s, %(after_id)s)" if after is not None else "true"


def page_values(after: After | None, limit: int) -> Row:
    """The values that `page_after` and a `LIMIT %(limit)s` need; one row more than asked for tells of a next page."""
    values: Row = {"limit": limit + 1}
    return values if after is None else {**values, "after_key": after.key, "after_id": after.id}
