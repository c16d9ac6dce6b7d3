"""What the OpenAPI document says of operations, and what decorators must not leave out (Q1, Q4)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from typing import Any

import jsonschema_rs
import pytest
from flask import Flask, Response
from marshmallow import Schema

from api.etags import TAGGED
from api.fields import Schema as ApiSchema
from api.operations import completed
from middlewares.auth_middleware import public, token_required
from middlewares.deprecation import deprecated
from middlewares.idempotency import HONOURED, NOT_HONOURED, PolicyInside, idempotent
from tests.architecture.code import every_subclass
from tests.architecture.test_routes import documented, operations

DRAFT = "https://json-schema.org/draft/2020-12/schema"
UNSAFE = {"POST", "PUT", "PATCH", "DELETE"}
MOVES_MONEY = {
    ("post", "/api/v1/bookings"),
    ("post", "/api/v1/payments"),
    ("post", "/api/v1/wallet/deposits"),
    ("post", "/api/v1/admin/ledger/journals/{journal_id}/reversal"),
    ("post", "/api/v1/admin/cashback/{cashback_id}/approve"),
    ("post", "/api/v1/admin/cashback/{cashback_id}/cancel"),
}


def shapes(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    yield from document["components"]["schemas"].items()


def as_schema(document: dict[str, Any], name: str) -> dict[str, Any]:
    return {"$schema": DRAFT, "$ref": f"#/components/schemas/{name}", "components": document["components"]}


def test_every_unsafe_route_honours_the_idempotency_key_or_says_why_not(bare_app: Flask) -> None:
    silent = [
        f"{method} {rule.rule}"
        for method, rule, view in operations(bare_app)
        if rule.rule.startswith("/api/") and method in UNSAFE
        if hasattr(view, HONOURED) == (len(getattr(view, NOT_HONOURED, "").split()) > 3)
    ]

    assert silent == []


def test_what_moves_money_needs_a_key(document: dict[str, Any]) -> None:
    needing = {
        (method, path)
        for path, method, operation in documented(document)
        if {"$ref": "#/components/parameters/IdempotencyKeyRequired"} in operation["parameters"]
    }

    assert needing >= MOVES_MONEY


def test_idempotency_stands_inside_of_who_may_call() -> None:
    @token_required
    def guarded() -> Response:
        return Response()

    with pytest.raises(PolicyInside):
        idempotent()(guarded)


def test_operations_have_names_of_their_own(document: dict[str, Any]) -> None:
    names = [operation["operationId"] for _, _, operation in documented(document)]

    assert len(names) == len(set(names))
    assert all(re.fullmatch(r"[a-z][a-z0-9_]+", name) for name in names)
    assert {"get_bookings", "post_payments", "get_packages_id_or_slug"} <= set(names)


def test_every_shape_has_an_example_that_fits_it(document: dict[str, Any]) -> None:
    wrong = [
        f"{name}: {error.message}"
        for name, schema in shapes(document)
        for example in schema["examples"]
        for error in jsonschema_rs.validator_for(as_schema(document, name), validate_formats=True).iter_errors(example)
    ]

    assert wrong == []
    assert all(schema["examples"] for _, schema in shapes(document))


def test_examples_of_requests_are_taken(bare_app: Flask, document: dict[str, Any]) -> None:
    known: dict[str, type[Schema]] = {schema.__name__: schema for schema in every_subclass(ApiSchema)}
    tried = 0
    for _, _, operation in documented(document):
        for kind, media in operation.get("requestBody", {}).get("content", {}).items():
            if kind != "application/json":
                continue
            name = media["schema"]["$ref"].rsplit("/", 1)[1]
            (example,) = document["components"]["schemas"][name]["examples"]
            with bare_app.test_request_context():
                assert known[name]().validate(example) == {}, (name, example)
            tried += 1
    assert tried > 10


def test_refusals_are_named(document: dict[str, Any]) -> None:
    paths = document["paths"]

    assert set(paths["/api/v1/packages/{id_or_slug}"]["patch"]["responses"]) >= {
        "200", "400", "401", "403", "404", "409", "412", "415", "422", "429", "default",
    }  # fmt: skip
    assert "401" not in paths["/api/v1/memberships/plans"]["get"]["responses"]
    assert "304" in paths["/api/v1/users/me"]["get"]["responses"]


def test_what_has_a_tag_says_so(bare_app: Flask, document: dict[str, Any]) -> None:
    tagged = {
        (method.lower(), re.sub(r"<(?:[^:<>]+:)?([^<>]+)>", r"{\1}", rule.rule))
        for method, rule, view in operations(bare_app)
        if hasattr(view, TAGGED)
    }

    assert ("patch", "/api/v1/users/me") in tagged
    for path, method, operation in documented(document):
        wanted = "IfNoneMatch" if method == "get" else "IfMatch"
        has = {"$ref": f"#/components/parameters/{wanted}"} in operation["parameters"]
        assert has == ((method, path) in tagged), f"{method} {path}"


def test_the_document_says_where_it_is_and_how_versions_go(document: dict[str, Any]) -> None:
    assert document["servers"] == [{"url": "http://127.0.0.1:8000", "description": "This installation"}]
    assert "at least six months" in document["info"]["description"]
    assert all(tag["description"] for tag in document["tags"])


def test_patterns_are_those_of_json_schema(document: dict[str, Any]) -> None:
    assert r"\Z" not in str(document["components"]["schemas"])


def test_a_route_that_will_go_says_so() -> None:
    app = Flask(__name__)

    @app.get("/old")
    @public
    @deprecated(since=date(2026, 11, 1), sunset=date(2027, 5, 1), successor="/api/v1/new")
    def old() -> str:
        return "still here"

    answer = app.test_client().get("/old")
    described = completed(
        {
            "info": {},
            "components": {"schemas": {}, "responses": {}},
            "paths": {"/old": {"get": {"responses": {"200": {"description": "OK"}}}}},
        },
        app,
        address="http://127.0.0.1",
    )

    assert answer.headers["Deprecation"] == "@1793491200"
    assert answer.headers["Sunset"] == "Sat, 01 May 2027 00:00:00 GMT"
    assert answer.headers["Link"] == '</api/v1/new>; rel="successor-version"'
    operation = described["paths"]["/old"]["get"]
    assert operation["deprecated"] is True
    assert {"Deprecation", "Sunset", "Link"} <= set(operation["responses"]["200"]["headers"])
