"""The blueprint of JSON views: bodies that are not JSON, or that no text column could keep, are refused as such.

flask-smorest documents; what runs for a request is only the reading of its arguments, because views make their
answers themselves.
"""

from __future__ import annotations

import contextlib
import functools
import json
import re
from collections.abc import Callable
from typing import Any, ClassVar

import flask_smorest
import orjson
from flask import Request
from marshmallow import Schema, ValidationError
from webargs.core import is_json, missing
from webargs.flaskparser import FlaskParser
from webargs.multidictproxy import MultiDictProxy
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import RequestEntityTooLarge

from middlewares.at_hand import asked


class _Bodies(FlaskParser):
    """webargs' parser, with every way in which a body can be unreadable answered 400."""

    def _raw_load_json(self, req: Request) -> Any:
        if not is_json(req.mimetype):
            return missing
        raw = req.get_data(cache=True)
        if not raw:
            return missing
        if req.content_length is None and len(raw) == req.max_content_length:
            # A body that did not say its length is cut there without a word.
            raise RequestEntityTooLarge()
        try:
            return _document(raw)
        # RecursionError: nesting without end. ValueError: numbers of thousands of digits, too.
        except (ValueError, RecursionError) as error:
            self._handle_invalid_json_error(error, req)  # type: ignore[arg-type]


_LONG_NUMBER = re.compile(rb"[:,\[\s-]\d{19}")
"""What may be no 64-bit integer inside of a document: orjson would make a float of it."""


def _document(raw: bytes) -> Any:
    """`NaN` and `Infinity` are read, so that the field that they stand in is named (guarantee M2)."""
    if raw[:1] == b"{" and not _LONG_NUMBER.search(raw):
        with contextlib.suppress(orjson.JSONDecodeError):
            return orjson.loads(raw)
    document = json.loads(raw.decode())
    if b"\\ud" in raw.lower():
        # An escaped half of a surrogate pair: orjson refuses it, json lets it through to the database.
        orjson.loads(raw)
    return document


View = Callable[..., Any]


class Blueprint(flask_smorest.Blueprint):
    """flask-smorest's, with this module's reading of bodies."""

    ARGUMENTS_PARSER: ClassVar[FlaskParser] = _Bodies()

    def arguments(self, schema: Any, *, location: str = "json", **documented: Any) -> Callable[[View], View]:
        """Hand the view what was sent, read by one schema for all requests: making it costs more than most reading."""
        one = schema() if isinstance(schema, type) else schema
        document = super().arguments(one, location=location, **documented)
        read = _reading(self.ARGUMENTS_PARSER, one, location)

        def decorate(view: View) -> View:
            @functools.wraps(document(view))
            def wrapper(*args: Any, **kwargs: Any) -> Any:
                return view(*args, read(), **kwargs)

            return wrapper

        return decorate

    def response(self, status_code: int, schema: Any = None, **documented: Any) -> Callable[[View], View]:
        """Document what the view answers."""
        document = super().response(status_code, schema, **documented)

        def decorate(view: View) -> View:
            view._apidoc = document(view)._apidoc  # type: ignore[attr-defined]
            return view

        return decorate


def _plain_body(schema: Schema) -> Any:
    """A body of JSON that fits; None for whatever is unusual, which webargs looks at and refuses."""
    request = asked()
    if request.content_length is None or not request.is_json:
        return None
    try:
        return schema.load(_document(request.get_data(cache=True)))
    except (ValidationError, ValueError, RecursionError):
        return None


def _reading(parser: FlaskParser, schema: Schema, location: str) -> Callable[[], Any]:
    """What reads the arguments of a request."""

    def read() -> Any:
        return parser.parse(schema, location=location)

    if location == "json":
        return lambda: _plain_body(schema) or read()
    if location != "query":
        return read
    return _Query(schema, read).read


class _Query:
    """Reads the address's query as webargs would, which goes through every field that nobody sent."""

    def __init__(self, schema: Schema, read: Callable[[], Any]) -> None:
        self._schema, self._read = schema, read
        names = {field.data_key or name for name, field in schema.load_fields.items()}
        self._repeated = MultiDictProxy(MultiDict(), schema).multiple_keys & names
        self._once = names - self._repeated
        self._unasked = None if schema.validate({}) else schema.load({})

    def read(self) -> Any:
        request = asked()
        if self._unasked is not None and not request.query_string:
            return dict(self._unasked)
        said = request.args
        # What nobody knows is passed over, as webargs does.
        data: dict[str, Any] = {name: said[name] for name in said if name in self._once}
        data |= {name: said.getlist(name) for name in said if name in self._repeated}
        try:
            return self._schema.load(data)
        except ValidationError:
            return self._read()
