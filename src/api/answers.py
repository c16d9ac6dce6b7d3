"""Answers: rows to JSON without a detour, by a serializer that each schema yields once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from operator import itemgetter
from typing import Any

import orjson
from flask import Response
from marshmallow import fields

from api.fields import Localized, MoneyField, Percent, Schema, shown_money
from middlewares.language import reading_language

Row = Mapping[str, Any]
Shown = dict[str, Any]
_OPTIONS = orjson.OPT_UTC_Z | orjson.OPT_OMIT_MICROSECONDS


def answer(schema: type[Schema], row: Row, status: int = 200, *, location: str = "") -> Response:
    """One resource."""
    headers = {"Location": location} if location else {}
    return json_answer(serializer(schema, reading_language())(row), status, headers)


def answer_page(schema: type[Schema], rows: Sequence[Row], next_cursor: str | None) -> Response:
    """A page of resources."""
    show = serializer(schema, reading_language())
    return json_answer({"items": [show(row) for row in rows], "next_cursor": next_cursor})


def json_answer(document: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A document of plain values, dates and ids as JSON."""
    response = Response(orjson.dumps(document, option=_OPTIONS), status=status, content_type="application/json")
    if headers:
        response.headers.update(headers)
    return response


Get = Callable[[Row], Any]
Show = Callable[[Row], Shown]


@lru_cache(maxsize=512)
def serializer(schema: type[Schema], language: str) -> Show:
    """What shows a row as this schema does, in a language; a test holds both to the same answers.

    Columns are taken all together, in the order of the schema; what is not shown as it stands there is replaced.
    """
    shown_fields = schema().dump_fields
    names = tuple(shown_fields)
    take = _taking([_column(name, field, language) for name, field in shown_fields.items()])
    amounts = [(name, field.unit) for name, field in shown_fields.items() if isinstance(field, MoneyField)]
    changed = [
        (name, get) for name, field in shown_fields.items() if (get := _getter(name, field, language)) is not None
    ]

    def show(row: Row) -> Shown:
        shown = dict(zip(names, take(row), strict=True))
        for name, unit in amounts:
            shown[name] = _amount(shown[name], row[unit])
        for name, get in changed:
            shown[name] = get(row)
        return shown

    return show


@lru_cache(maxsize=10_000)
def _amount(minor: int | None, code: str | None) -> orjson.Fragment | None:
    """An amount as JSON. Prices come again and again, and so do the zeros beside them."""
    shown = shown_money(minor, code)
    return None if shown is None else orjson.Fragment(orjson.dumps(shown))


def _taking(columns: Sequence[str]) -> Callable[[Row], tuple[Any, ...]]:
    """What takes these columns of a row; `itemgetter` of a single one does not answer a tuple."""
    if len(columns) > 1:
        return itemgetter(*columns)
    return lambda row: tuple(row[column] for column in columns)


def _column(name: str, field: fields.Field[Any], language: str) -> str:
    """The column that a field is shown from, or one of them."""
    column = field.attribute or name
    if isinstance(field, MoneyField):
        return f"{column}_minor"
    return f"{column}_{language}" if isinstance(field, Localized) else column


def _getter(name: str, field: fields.Field[Any], language: str) -> Get | None:
    """How a field is shown; None for amounts, and where a column is shown as it stands."""
    column = field.attribute or name
    if isinstance(field, Percent):
        return lambda row: None if row[column] is None else f"{row[column]:.2f}"
    if isinstance(field, fields.List) and isinstance(field.inner, fields.Nested):
        show = serializer(_schema_of(field.inner), language)
        return lambda row: [show(inner) for inner in row[column] or ()]
    if isinstance(field, fields.Nested):
        show_one = serializer(_schema_of(field), language)
        return lambda row: None if row[column] is None else show_one(row[column])
    return None


def _schema_of(field: fields.Nested) -> type[Schema]:
    nested = field.nested
    if not (isinstance(nested, type) and issubclass(nested, Schema)):
        raise TypeError("nested schemas are named by their class")
    return nested
