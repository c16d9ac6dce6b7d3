"""The blueprint of JSON views: bodies that are not JSON, or that no text column could keep, are refused as such."""

from __future__ import annotations

import json
from typing import Any, ClassVar

import flask_smorest
import orjson
from flask import Request
from webargs.core import is_json, missing
from webargs.flaskparser import FlaskParser
from werkzeug.exceptions import RequestEntityTooLarge


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


def _document(raw: bytes) -> Any:
    """`NaN` and `Infinity` are read, so that the field that they stand in is named (guarantee M2)."""
    document = json.loads(raw.decode())
    if b"\\ud" in raw.lower():
        # An escaped half of a surrogate pair: orjson refuses it, json lets it through to the database.
        orjson.loads(raw)
    return document


class Blueprint(flask_smorest.Blueprint):
    """flask-smorest's, with this module's reading of bodies."""

    ARGUMENTS_PARSER: ClassVar[FlaskParser] = _Bodies()

    def arguments(self, schema: Any, **options: Any) -> Any:
        """One schema for all requests of a route: making it costs more than reading most of them."""
        return super().arguments(schema() if isinstance(schema, type) else schema, **options)
