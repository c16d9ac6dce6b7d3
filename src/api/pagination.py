"""Keyset pages: `?limit=&cursor=`, newest first or in the order that `sort` names.

A cursor belongs to the list and the order that gave it; any other refuses it.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

import orjson
from flask import request
from marshmallow import fields, validate

from api.fields import Schema
from application.queries import CHANGES, NEWEST, After
from domain.shared.errors import InvalidValue

DEFAULT, MOST = 20, 100
Row = Mapping[str, Any]


class PageQuery(Schema):
    """Which page of a list."""

    limit = fields.Integer(load_default=DEFAULT, validate=validate.Range(1, MOST))
    cursor = fields.String(load_default=None, validate=validate.Length(max=400))


class ChangesQuery(PageQuery):
    """Which page of a list that can be walked by its changes."""

    updated_after = fields.AwareDateTime(
        load_default=None,
        metadata={
            "description": "Walk changes instead: what was written after this instant, oldest change first. "
            "Begin with the largest `updated_at` that was seen; rows of that second come again.",
            "examples": ["2026-11-25T08:00:00Z"],
        },
    )


def sort_field(*names: str, default: str = NEWEST) -> fields.String:
    """`sort=`: a field, with `-` before it the other way round."""
    metadata = {"description": f"`{default}` where it is left out; not together with `updated_after`."}
    return fields.String(load_default=None, validate=validate.OneOf(names), metadata=metadata)


def order_of(query: Mapping[str, Any], default: str = NEWEST) -> str:
    """The order that a list is asked for in: its `sort`, or CHANGES for a walk by `updated_after`."""
    sort: str | None = query.get("sort")
    if query["updated_after"] is None:
        return sort or default
    if sort is not None:
        raise InvalidValue("updated_after has an order of its own", pointer="/sort", code="not_with_updated_after")
    return CHANGES


class InvalidCursor(InvalidValue):
    """The cursor is not one that a page of this list gave."""

    code = "invalid_cursor"

    def __init__(self) -> None:
        super().__init__("take next_cursor of the page before", pointer="/cursor", code="invalid_cursor")


def read_cursor(cursor: str | None) -> list[Any] | None:
    """The values that a cursor of this list carries. Raises InvalidCursor."""
    if cursor is None:
        return None
    try:
        values = orjson.loads(base64.b64decode(cursor.encode("ascii"), altchars=b"-_", validate=True))
    except (ValueError, binascii.Error) as error:
        raise InvalidCursor() from error
    if not isinstance(values, list) or not values or values[0] != request.endpoint:
        raise InvalidCursor()
    return values[1:]


def after_cursor(cursor: str | None) -> After | None:
    """Where a list by time goes on. Raises InvalidCursor."""
    return _after(read_cursor(cursor), instant)


def after_in(cursor: str | None, order: str) -> After | None:
    """Where a list in one of several orders goes on. Raises InvalidCursor, for a cursor of another order, too."""
    values = read_cursor(cursor)
    if values is None:
        return None
    if values[0:1] != [order]:
        raise InvalidCursor()
    return _after(values[1:], _KINDS[order.removeprefix("-")])


def _after(values: list[Any] | None, read_key: Callable[[Any], Any]) -> After | None:
    if values is None:
        return None
    try:
        key, row_id = values
        return After(key=read_key(key), id=UUID(row_id))
    except (ValueError, TypeError, AttributeError) as error:
        raise InvalidCursor() from error


def instant(key: Any) -> datetime:
    """An aware instant of a cursor; ValueError or TypeError for anything else."""
    at = datetime.fromisoformat(key)
    if at.tzinfo is None:
        raise ValueError("an instant without its zone")
    return at


def plain_text(key: Any) -> str:
    """A text of a cursor; ValueError for anything else."""
    if not isinstance(key, str) or "\x00" in key:
        raise ValueError("no text of ours")
    return key


_KINDS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "created_at": instant,
    "issued_at": instant,
    CHANGES: instant,
    "start_date": date.fromisoformat,
    "expires_on": date.fromisoformat,
    "booking_number": plain_text,
    "email": plain_text,
}


def make_cursor(values: Sequence[Any]) -> str:
    """An opaque cursor of this list that `read_cursor` understands."""
    return base64.urlsafe_b64encode(orjson.dumps([request.endpoint, *values])).decode()


def split_page(
    rows: Sequence[Row], limit: int, cursor_of: Callable[[Row], Sequence[Any]]
) -> tuple[Sequence[Row], str | None]:
    """The rows of this page, and the cursor of the next where a row more than `limit` was found."""
    if len(rows) <= limit:
        return rows, None
    shown = rows[:limit]
    return shown, make_cursor(cursor_of(shown[-1]))


def by_time(column: str) -> Callable[[Row], Sequence[Any]]:
    """The cursor of a list ordered by an instant, then id."""
    return lambda row: (row[column].isoformat(), str(row["id"]))


def by_order(order: str) -> Callable[[Row], Sequence[Any]]:
    """The cursor of a list in one of several orders, then by id."""
    column = order.removeprefix("-")
    return lambda row: (order, row[column], row["id"])
