"""Where a page of vouchers or offers begins."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from uuid import UUID

from api.pagination import InvalidCursor, instant, read_cursor
from application.pricing.queries import Place


def place_in(cursor: str | None, *, by_priority: bool = False) -> Place | None:
    """Behind the last row of the page before. Raises InvalidCursor."""
    values = read_cursor(cursor)
    if values is None:
        return None
    try:
        key, row_id = values
        return Place(_priority(key) if by_priority else instant(key), UUID(row_id))
    except (ValueError, TypeError, AttributeError) as error:
        raise InvalidCursor() from error


def behind(column: str) -> Callable[[Mapping[str, Any]], Sequence[Any]]:
    """The cursor of a list ordered by a column, then id."""
    return lambda row: (row[column], row["id"])


def _priority(key: Any) -> int:
    if type(key) is not int or abs(key) >= 2**31:
        raise InvalidCursor()
    return key
