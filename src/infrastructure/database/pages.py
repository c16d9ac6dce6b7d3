"""Keyset pages: newest first, with the id as tiebreak."""

from __future__ import annotations

from application.queries import After
from infrastructure.database.transaction import Row


def page_after(after: After | None, key: str, row_id: str) -> str:
    """The condition that a page begins behind a row; true for the first page."""
    return f"({key}, {row_id}) < (%(after_key)s, %(after_id)s)" if after is not None else "true"


def page_values(after: After | None, limit: int) -> Row:
    """The values that `page_after` and a `LIMIT %(limit)s` need; one row more than asked for tells of a next page."""
    values: Row = {"limit": limit + 1}
    return values if after is None else {**values, "after_key": after.key, "after_id": after.id}
