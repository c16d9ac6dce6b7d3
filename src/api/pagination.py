"""Keyset pages: `?limit=&cursor=`, newest first."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from marshmallow import fields, validate

from api.fields import Schema
from application.queries import After
from domain.shared.errors import InvalidValue

DEFAULT, MOST = 20, 100
Row = Mapping[str, Any]


class PageQuery(Schema):
    """Which page of a list."""

    limit = fields.Integer(load_default=DEFAULT, validate=validate.Range(1, MOST))
    cursor = fields.String(load_default=None, validate=validate.Length(max=400))


class InvalidCursor(InvalidValue):
    """The cursor is not one that a page of this list gave."""

    code = "invalid_cursor"

    def __init__(self) -> None:
        super().__init__("take next_cursor of the page before", pointer="/cursor", code="invalid_cursor")


def read_cursor(cursor: str | None) -> list[Any] | None:
    """The values that a cursor carries. Raises InvalidCursor."""
    if cursor is None:
        return None
    try:
        values = orjson.loads(base64.urlsafe_b64decode(cursor.encode("ascii")))
    except (ValueError, binascii.Error) as error:
        raise InvalidCursor() from error
    if not isinstance(values, list):
        raise InvalidCursor()
    return values


def after_cursor(cursor: str | None) -> After | None:
    """Where a list by time goes on. Raises InvalidCursor."""
    values = read_cursor(cursor)
    if values is None:
        return None
    try:
        key, row_id = values
        at = datetime.fromisoformat(key)
        if at.tzinfo is None:
            raise InvalidCursor()
        return After(key=at, id=UUID(row_id))
    except (ValueError, TypeError, AttributeError) as error:
        raise InvalidCursor() from error


def make_cursor(values: Sequence[Any]) -> str:
    """An opaque cursor that `read_cursor` understands."""
    return base64.urlsafe_b64encode(orjson.dumps(list(values))).decode()


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
