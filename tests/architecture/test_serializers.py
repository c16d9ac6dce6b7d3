"""Answers are made without marshmallow, and say exactly what marshmallow would."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import orjson
import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from marshmallow import fields

from api.answers import _OPTIONS, serializer
from api.fields import Localized, MoneyField, Percent, Schema, Share
from domain.shared.money import EXPONENTS
from tests.architecture.code import every_subclass

# Requests are only read, pages and problems are put together elsewhere.
NOT_ANSWERS = ("Request", "Changes", "Query", "Search", "Page", "Problem", "Schema")
SCHEMAS = sorted(
    (schema for schema in every_subclass(Schema) if not schema.__name__.endswith(NOT_ANSWERS)),
    key=lambda schema: (schema.__module__, schema.__name__),
)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
# Connections speak UTC, so rows do.
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
INSTANTS = st.timedeltas(timedelta(), timedelta(days=36_500)).map(lambda passed: LONG_AGO + passed)
PLAIN: list[tuple[type[fields.Field[Any]], st.SearchStrategy[Any]]] = [
    (fields.UUID, st.uuids()),
    (fields.DateTime, INSTANTS),
    (fields.Date, st.dates(date(2000, 1, 1), date(2100, 1, 1))),
    (fields.Boolean, st.booleans()),
    (fields.Integer, st.integers(-(2**53), 2**53)),
    (fields.String, TEXTS),
    (fields.Raw, st.booleans() | st.integers(-(2**53), 2**53) | TEXTS),
]


def rows(schema: type[Schema]) -> st.SearchStrategy[dict[str, Any]]:
    """Rows as queries answer them, for whatever this schema shows."""
    columns: dict[str, st.SearchStrategy[Any]] = {}
    for name, field in schema().dump_fields.items():
        columns |= columns_of(field.attribute or name, field)
    return st.fixed_dictionaries(columns)


def columns_of(column: str, field: fields.Field[Any]) -> dict[str, st.SearchStrategy[Any]]:
    if isinstance(field, MoneyField):
        minor = st.integers(-(10**12), 10**12)
        unit = st.sampled_from(sorted(EXPONENTS))
        return {f"{column}_minor": st.none() | minor if field.allow_none else minor, field.unit: unit}
    if isinstance(field, Localized):
        return {f"{column}_ar": TEXTS, f"{column}_en": TEXTS}
    if isinstance(field, Percent):
        return {column: st.none() | st.integers(0, 10_000).map(lambda n: Decimal(n).scaleb(-2))}
    if isinstance(field, Share):
        return {column: st.integers(0, 10_000)}
    values = values_of(field)
    return {column: st.none() | values if field.allow_none else values}


def values_of(field: fields.Field[Any]) -> st.SearchStrategy[Any]:
    if isinstance(field, fields.List):
        return st.lists(values_of(field.inner), max_size=3)
    if isinstance(field, fields.Nested):
        return rows(field.nested)
    if isinstance(field, fields.Dict):
        return st.dictionaries(TEXTS, TEXTS, max_size=3)
    return next(strategy for kind, strategy in PLAIN if isinstance(field, kind))


def as_marshmallow_would(schema: type[Schema], row: dict[str, Any]) -> Any:
    """Its dump as JSON; instants to the second in UTC, as the API shows them."""
    return in_utc(schema(), json.loads(json.dumps(schema().dump(row))))


def in_utc(schema: Any, shown: dict[str, Any]) -> dict[str, Any]:
    for name, field in schema.dump_fields.items():
        value = shown.get(name)
        if value is None:
            continue
        if isinstance(field, fields.DateTime):
            at = datetime.fromisoformat(value).astimezone(UTC)
            shown[name] = at.strftime("%Y-%m-%dT%H:%M:%SZ")
        elif isinstance(field, fields.Nested):
            in_utc(field.schema, value)
        elif isinstance(field, fields.List) and isinstance(field.inner, fields.Nested):
            for inner in value:
                in_utc(field.inner.schema, inner)
    return shown


@pytest.mark.parametrize("language", ["ar", "en"])
@pytest.mark.parametrize("schema", SCHEMAS, ids=lambda schema: f"{schema.__module__}.{schema.__name__}")
def test_answers_say_what_their_schema_says(bare_app: Flask, schema: type[Schema], language: str) -> None:
    @given(rows(schema))
    @settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))
    def same(row: dict[str, Any]) -> None:
        with bare_app.test_request_context(headers={"Accept-Language": language}):
            shown = orjson.loads(orjson.dumps(serializer(schema, language)(row), option=_OPTIONS))
            assert shown == as_marshmallow_would(schema, row)

    same()


def test_there_are_answers_to_check() -> None:
    names = {schema.__name__ for schema in SCHEMAS}

    assert {"BookingShown", "PaymentShown", "InvoiceShown", "UserShown", "EntryShown"} <= names
    assert len(SCHEMAS) > 20


def test_fields_stand_in_the_order_of_the_schema() -> None:
    for schema in SCHEMAS:
        assert list(schema().dump_fields) == [name for name in schema._declared_fields if name in schema().dump_fields]
