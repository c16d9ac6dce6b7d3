"""Answers: rows to JSON without a detour, by a serializer that each schema yields once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Any, cast

import orjson
from flask import Response
from marshmallow import fields

from api.fields import Localized, MoneyField, Percent, Schema, Share, shown_money
from domain.shared.money import format_minor
from middlewares.language import reading_language

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

Row = Mapping[str, Any]
Shown = dict[str, Any]
_OPTIONS = orjson.OPT_UTC_Z | orjson.OPT_OMIT_MICROSECONDS


def answer(schema: type[Schema], row: Row, status: int = 200, *, location: str = "") -> Response:
    """One resource."""
    headers = {"Location": location} if location else {}
    return json_answer(serializer(schema, reading_language())(row), status, headers)


def answer_page(schema: type[Schema], rows: Sequence[Row], next_cursor: str | None, **beside: Any) -> Response:
    """A page of resources, and plain values beside them."""
    show = serializer(schema, reading_language())
    return json_answer({"items": [show(row) for row in rows], "next_cursor": next_cursor, **beside})


class _Plain(Response):
    """An answer that is sent as it is: addresses of ours need no quoting, its length is known, and its body is here."""

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        is_plain = self.status_code in (200, 201) and self.is_sequence and not self._on_close
        if not is_plain or environ["REQUEST_METHOD"] == "HEAD":
            return super().__call__(environ, start_response)
        start_response(self.status, self.headers.to_wsgi_list())
        return cast(list[bytes], self.response)


def json_answer(document: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A document of plain values, dates and ids as JSON."""
    response = _Plain(orjson.dumps(document, option=_OPTIONS), status=status, content_type="application/json")
    for name, value in (headers or {}).items():
        response.headers.add(name, value)
    return response


Show = Callable[[Row], Shown]


@lru_cache(maxsize=512)
def serializer(schema: type[Schema], language: str) -> Show:
    """What shows a row as this schema does, in a language; a test holds both to the same answers.

    It is one expression, `lambda row: {"id": row["id"], …}`, made of the schema's own fields: nothing is looked up
    or called for a column that is shown as it stands.
    """
    known: dict[str, Any] = {"amount": _amount, "percent": _percent, "share": _share}
    shown = [f"{name!r}: {_expression(name, field, language, known)}" for name, field in schema().dump_fields.items()]
    show: Show = eval(f"lambda row: {{{', '.join(shown)}}}", known)  # noqa: S307 - names of our own schemas
    return show


def _expression(name: str, field: fields.Field[Any], language: str, known: dict[str, Any]) -> str:
    """How a field is taken from `row`; what shows nested rows becomes `known` by a name of its own."""
    column = field.attribute or name
    value = f"row[{column!r}]"
    if isinstance(field, MoneyField):
        return f"amount(row[{f'{column}_minor'!r}], row[{field.unit!r}])"
    if isinstance(field, Localized):
        return f"row[{f'{column}_{language}'!r}]"
    if isinstance(field, Percent):
        return f"percent({value})"
    if isinstance(field, Share):
        return f"share({value})"
    inner = field.inner if isinstance(field, fields.List) else field
    if not isinstance(inner, fields.Nested):
        return value
    known[f"show_{name}"] = serializer(_schema_of(inner), language)
    if inner is field:
        return f"None if {value} is None else show_{name}({value})"
    return f"[show_{name}(inner) for inner in {value} or ()]"


@lru_cache(maxsize=10_000)
def _amount(minor: int | None, code: str | None) -> orjson.Fragment | None:
    """An amount as JSON. Prices come again and again, and so do the zeros beside them."""
    shown = shown_money(minor, code)
    return None if shown is None else orjson.Fragment(orjson.dumps(shown))


def _percent(value: Decimal | None) -> str | None:
    return None if value is None else f"{value:.2f}"


@lru_cache(maxsize=512)
def _share(hundredths: int) -> str:
    return format_minor(hundredths, 2)


def _schema_of(field: fields.Nested) -> type[Schema]:
    nested = field.nested
    if not (isinstance(nested, type) and issubclass(nested, Schema)):
        raise TypeError("nested schemas are named by their class")
    return nested
