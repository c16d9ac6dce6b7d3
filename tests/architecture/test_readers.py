"""Requests that plainly fit are read by a way of our own, and read exactly as marshmallow would."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from marshmallow import Schema as MarshmallowSchema
from marshmallow import ValidationError, fields
from werkzeug.exceptions import HTTPException

from api.blueprint import Blueprint, _reading
from api.fields import MoneyField, PercentRequest, Schema
from domain.shared.errors import InvalidValue
from tests.architecture.code import every_subclass

REQUESTS = ("Request", "Changes", "Body", "Query")
SCHEMAS = sorted(
    (schema for schema in every_subclass(Schema) if schema.__name__.endswith(REQUESTS)),
    key=lambda schema: (schema.__module__, schema.__name__),
)
WORDS = st.sampled_from(["", " Mona ", "EGP", "14.00", "mona@example.com", "+201001234567", "Africa/Cairo", "4\x00"])
FITTING: list[tuple[type[fields.Field[Any]], st.SearchStrategy[Any]]] = [
    (MoneyField, st.fixed_dictionaries({"amount": st.sampled_from(["0.00", "12.5", "x"]), "currency": st.just("EGP")})),
    (PercentRequest, st.sampled_from(["14.00", "101"])),
    (fields.UUID, st.uuids().map(str)),
    (fields.AwareDateTime, st.just("2030-01-01T10:00:00Z")),
    (fields.Date, st.just("2030-01-01")),
    (fields.Boolean, st.booleans()),
    (fields.Integer, st.integers(-1, 300)),
    (fields.Dict, st.dictionaries(WORDS, WORDS, max_size=2)),
]
QUERIES = [schema for schema in SCHEMAS if schema.__name__.endswith("Query")]
SAID = (
    st.uuids().map(str)
    | st.integers(-1, 300).map(str)
    | WORDS
    | st.sampled_from(["true", "2030-01-01", "2031-01-01T10:00:00Z", "-created_at", "PENDING,CONFIRMED", "10.00"])
)
JUNK = st.none() | st.booleans() | st.integers() | WORDS | st.lists(WORDS, max_size=2)


def bodies(schema: MarshmallowSchema) -> st.SearchStrategy[dict[str, Any]]:
    """Some of the fields, mostly with what fits them; now and then one that nobody knows."""
    known = {field.data_key or name: values_of(field) | JUNK for name, field in schema.load_fields.items()}
    return st.fixed_dictionaries({}, optional={**known, "unheard_of": JUNK})


def values_of(field: fields.Field[Any]) -> st.SearchStrategy[Any]:
    if isinstance(field, fields.List):
        return st.lists(values_of(field.inner), max_size=2)
    if isinstance(field, fields.Nested):
        return bodies(field.schema)
    if isinstance(field, fields.Enum):
        return st.sampled_from([member.value for member in field.enum])
    return next((strategy for kind, strategy in FITTING if isinstance(field, kind)), WORDS)


def read(schema: MarshmallowSchema, body: dict[str, Any]) -> tuple[str, Any]:
    try:
        made = schema.load(body)
    except ValidationError as error:
        return "refused", error.normalized_messages()
    except InvalidValue as error:
        return "refused", error.faults
    return "read", list(made.items()) if isinstance(made, dict) else made


@pytest.mark.parametrize("schema", SCHEMAS, ids=lambda schema: f"{schema.__module__}.{schema.__name__}")
def test_requests_are_read_as_marshmallow_reads_them(bare_app: Flask, schema: type[Schema]) -> None:
    @given(bodies(schema()))
    @settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
    def same(body: dict[str, Any]) -> None:
        with bare_app.test_request_context(), pytest.MonkeyPatch.context() as patched:
            ours = read(schema(), body)
            patched.setattr(Schema, "load", MarshmallowSchema.load)
            assert ours == read(schema(), body)

    same()


@pytest.mark.parametrize("schema", QUERIES, ids=lambda schema: f"{schema.__module__}.{schema.__name__}")
def test_addresses_are_read_as_webargs_reads_them(bare_app: Flask, schema: type[Schema]) -> None:
    names = [field.data_key or name for name, field in schema().load_fields.items()]

    @given(st.lists(st.tuples(st.sampled_from([*names, "unheard_of"]), SAID), max_size=5))
    @settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
    def same(said: list[tuple[str, str]]) -> None:
        with bare_app.test_request_context(query_string=urlencode(said)):
            ours = _read_address(_reading(Blueprint.ARGUMENTS_PARSER, schema(), "query"))
            assert ours == _read_address(lambda: _webargs(schema()))

    same()


def _webargs(schema: Schema) -> Any:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Schema, "load", MarshmallowSchema.load)
        return Blueprint.ARGUMENTS_PARSER.parse(schema, location="query")


def _read_address(read: Callable[[], Any]) -> tuple[str, Any]:
    try:
        made = read()
    except HTTPException as refused:
        return "refused", refused.data["messages"]  # type: ignore[attr-defined]
    return "read", list(made.items()) if isinstance(made, dict) else made


def test_there_are_requests_to_check() -> None:
    assert {"BookingRequest", "RequestChangesBody", "TravelerRequest", "BookingQuery", "PackageQuery"} <= {
        schema.__name__ for schema in SCHEMAS
    }
