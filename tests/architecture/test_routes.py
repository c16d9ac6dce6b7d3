"""Routes: each says who may call it, and the OpenAPI document says what the code does (S1)."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import jsonschema_rs
import pytest
from flask import Flask, url_for
from pytest import Subtests
from schemathesis.specs.openapi.definitions import OPENAPI_31_VALIDATOR
from werkzeug.routing import Rule

from application.identity.ports import Viewer
from domain.identity.roles import Surface
from middlewares import auth_middleware
from middlewares.auth_middleware import POLICY, SCOPE, SecondFactorNeeded, allowed
from security.permissions import CATALOGUE, OWN_SCOPES, ROLES
from tests.architecture.code import SRC

CALLED_BY_PROVIDERS = "payment_webhooks"
NAMED_POLICIES = {"public", "optional", "token", "admin"}
_CONVERTER = re.compile(r"<(?:[^:<>]+:)?([^<>]+)>")
# Everything that somebody without a token may do: a new line here is a decision.
OPEN_TO_ALL = {
    ("GET", "/"), ("GET", "/docs"), ("GET", "/docs/<name>"), ("GET", "/docs/problems"), ("GET", "/docs/start.js"),
    ("GET", "/openapi.json"), ("GET", "/health/live"), ("GET", "/health/ready"), ("GET", "/metrics"),
    ("POST", "/api/v1/auth/register"), ("POST", "/api/v1/auth/login"), ("POST", "/api/v1/auth/refresh"),
    ("POST", "/api/v1/auth/logout"), ("POST", "/api/v1/auth/verify-email"),
    ("POST", "/api/v1/auth/forgot-password"), ("POST", "/api/v1/auth/reset-password"),
    ("GET", "/reset-password"), ("POST", "/reset-password"),
    ("GET", "/api/v1/memberships/plans"), ("GET", "/api/v1/settings"),
    ("POST", "/api/v1/auth/invitations/accept"), ("GET", "/invitations/accept"), ("POST", "/invitations/accept"),
    ("GET", "/api/v1/bookings/types"), ("GET", "/api/v1/calendar/departures/<string:token>.ics"),
    ("GET", "/api/v1/packages"), ("GET", "/api/v1/packages/facets"), ("GET", "/api/v1/packages/<string:id_or_slug>"),
    ("GET", "/api/v1/packages/<string:id_or_slug>/departures"),
    ("GET", "/api/v1/packages/<string:id_or_slug>/prices"), ("GET", "/api/v1/activities/<string:id_or_slug>/prices"),
    ("GET", "/api/v1/offers"), ("GET", "/api/v1/offers/<uuid:offer_id>"),
    ("GET", "/api/v1/activities"), ("GET", "/api/v1/activities/facets"),
    ("GET", "/api/v1/activities/<string:id_or_slug>"),
    ("GET", "/api/v1/activities/<string:id_or_slug>/departures"),
    ("GET", "/api/v1/departures/<uuid:departure_id>"),
    ("GET", "/api/v1/packages/<string:id_or_slug>/ratings"), ("GET", "/api/v1/activities/<string:id_or_slug>/ratings"),
    ("GET", "/api/v1/packages/<string:id_or_slug>/images/<uuid:image_id>"),
    ("GET", "/api/v1/packages/<string:id_or_slug>/images/<uuid:image_id>/thumbnail"),
    ("GET", "/api/v1/activities/<string:id_or_slug>/images/<uuid:image_id>"),
    ("GET", "/api/v1/activities/<string:id_or_slug>/images/<uuid:image_id>/thumbnail"),
    ("POST", "/api/v1/payments/webhooks/<provider>"), ("POST", "/api/payments/webhook/<provider>"),
    ("GET", "/.well-known/apple-app-site-association"), ("GET", "/.well-known/assetlinks.json"),
    ("GET", "/payments/return"), ("GET", "/verify-email"), ("POST", "/verify-email"),
    ("GET", "/sandbox/checkout/<token>"), ("POST", "/sandbox/checkout/<token>"),
    ("POST", "/sandbox/checkout/<token>/dispute"),
}  # fmt: skip


def operations(app: Flask) -> Iterator[tuple[str, Rule, Callable[..., Any]]]:
    """Every method of every route, with what answers it."""
    for rule in app.url_map.iter_rules():
        view = app.view_functions[rule.endpoint]
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            view_class = getattr(view, "view_class", None)
            yield method, rule, getattr(view_class, method.lower()) if view_class is not None else view


def test_every_route_declares_who_may_call_it(bare_app: Flask) -> None:
    undeclared = [
        f"{method} {rule.rule}"
        for method, rule, view in operations(bare_app)
        if getattr(view, POLICY, None) not in NAMED_POLICIES | set(CATALOGUE)
    ]

    assert undeclared == []


def test_an_address_is_built_from_a_route_when_it_is_asked_for(bare_app: Flask) -> None:
    with bare_app.test_request_context():
        assert url_for("documentation.docs") == "/docs"
        assert [url_for("documentation.asset", name="a b", page=2) for _ in range(2)] == ["/docs/a%20b?page=2"] * 2


def test_only_these_routes_are_open_to_all(bare_app: Flask) -> None:
    is_open = {
        (method, rule.rule)
        for method, rule, view in operations(bare_app)
        if getattr(view, POLICY, None) in ("public", "optional")
    }

    assert is_open == OPEN_TO_ALL


def test_the_catalogue_says_which_permissions_guard_something() -> None:
    code = "\n".join(path.read_text() for path in SRC.rglob("*.py") if path.name != "permissions.py")

    asked_for = {permission for permission in CATALOGUE if f'"{permission}"' in code}
    assert {code for code, permission in CATALOGUE.items() if permission.is_built} == asked_for


def test_the_catalogue_is_whole(subtests: Subtests) -> None:
    for code, permission in CATALOGUE.items():
        with subtests.test(code):
            assert re.fullmatch(r"[a-z_]+\.[a-z_]+", code)
            assert permission.description_en.isascii()
            assert re.search(r"[\u0600-\u06ff]", permission.description_ar)
            assert {"SUPER_ADMIN", "ADMIN"} <= set(permission.holders) <= set(ROLES)
            if permission.moves_money:
                assert set(permission.holders) == {"SUPER_ADMIN", "ADMIN", "FINANCE"}


def test_no_view_asks_for_a_permission_without_its_second_factor() -> None:
    asked_alone = [
        f"{path.relative_to(SRC)}:{node.lineno}"
        for path in sorted((SRC / "api").rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text()))
        if _asks_the_viewer_alone(node)
    ]

    assert asked_alone == [], "ask with `may`, `reader_may` or `scope_of` (api/context.py)"


def _asks_the_viewer_alone(node: ast.AST) -> bool:
    """`viewer().may("…")`, or `"…" in viewer().permissions`: neither knows what moves money."""
    if isinstance(node, ast.Call):
        return isinstance(node.func, ast.Attribute) and node.func.attr == "may"
    looked_into = node.comparators if isinstance(node, ast.Compare) else []
    return any(isinstance(each, ast.Attribute) and each.attr == "permissions" for each in looked_into)


def test_what_moves_money_asks_for_a_second_factor_however_it_is_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(auth_middleware, "dependencies", lambda: SimpleNamespace(system_settings=_EVERYTHING_ON))
    everything, nobody = frozenset(CATALOGUE), UUID(int=0)
    for code, permission in CATALOGUE.items():
        staff = Viewer(nobody, nobody, frozenset({"ADMIN"}), everything, surface=Surface.STAFF)
        if permission.needs_factor:
            with pytest.raises(SecondFactorNeeded):
                allowed(staff, code)
        else:
            assert allowed(staff, code)
        assert allowed(replace(staff, second_factor=True), code)
        assert not allowed(replace(staff, permissions=frozenset()), code)


_EVERYTHING_ON = SimpleNamespace(value=lambda _: True)


def test_every_scope_of_a_route_is_known(bare_app: Flask) -> None:
    scopes = {getattr(view, SCOPE) for _, _, view in operations(bare_app)} - {None}

    assert OWN_SCOPES.keys() <= scopes
    assert scopes <= OWN_SCOPES.keys() | {code for code, one in CATALOGUE.items() if one.is_for_keys}


def test_the_document_and_the_routes_are_the_same(bare_app: Flask, document: dict[str, Any]) -> None:
    routed = {
        (method, _CONVERTER.sub(r"{\1}", rule.rule))
        for method, rule, _ in operations(bare_app)
        if rule.rule.startswith("/api/") and rule.endpoint.split(".")[0] != CALLED_BY_PROVIDERS
    }

    assert {(method.upper(), path) for path, method, _ in documented(document)} == routed


def documented(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if method != "parameters":
                yield path, method, operation


def test_the_document_is_openapi_3_1(document: dict[str, Any]) -> None:
    assert document["openapi"] == "3.1.0"
    assert [str(error) for error in OPENAPI_31_VALIDATOR.iter_errors(document)] == []


def test_every_schema_in_it_is_a_json_schema(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]

    assert len(schemas) > 20
    for schema in schemas.values():
        assert jsonschema_rs.meta.is_valid({"$schema": "https://json-schema.org/draft/2020-12/schema", **schema})


def test_every_reference_in_it_leads_somewhere(document: dict[str, Any]) -> None:
    def references(node: Any) -> Iterator[str]:
        if isinstance(node, dict):
            if isinstance(node.get("$ref"), str):
                yield node["$ref"]
            for inner in node.values():
                yield from references(inner)
        elif isinstance(node, list):
            for inner in node:
                yield from references(inner)

    found = set(references(document))
    assert found
    for reference in found:
        node: Any = document
        for step in reference.removeprefix("#/").split("/"):
            assert step in node, reference
            node = node[step]


def test_every_operation_says_what_success_looks_like(document: dict[str, Any]) -> None:
    for path, method, operation in documented(document):
        successes = {code: shape for code, shape in operation["responses"].items() if code.startswith("2")}
        assert successes, f"{method} {path}"
        for code, shape in successes.items():
            assert code == "204" or shape.get("content"), f"{method} {path} {code} has no body"


def test_every_operation_says_what_failure_looks_like(document: dict[str, Any]) -> None:
    problem = document["components"]["responses"]["DEFAULT_ERROR"]["content"]

    assert list(problem) == ["application/problem+json"]
    for path, method, operation in documented(document):
        assert "default" in operation["responses"], f"{method} {path}"


def test_every_operation_says_what_it_needs(bare_app: Flask, document: dict[str, Any]) -> None:
    views = {(method.lower(), _CONVERTER.sub(r"{\1}", rule.rule)): view for method, rule, view in operations(bare_app)}

    assert document["components"]["securitySchemes"].keys() == {"bearer", "apiKey"}
    for path, method, operation in documented(document):
        policy, scope = getattr(views[method, path], POLICY), getattr(views[method, path], SCOPE)
        wanted: list[dict[str, list[str]]] = [{"bearer": []}] if policy != "public" else []
        wanted += [{"apiKey": []}] if scope is not None else []
        wanted += [{}] if policy == "optional" else []
        assert operation.get("security", []) == wanted, f"{method} {path}"
        assert operation.get("x-permission") == (policy if policy in CATALOGUE else None), f"{method} {path}"
        if policy in CATALOGUE:
            assert f"`{policy}`" in operation["description"]


def test_every_operation_has_a_sentence(document: dict[str, Any]) -> None:
    assert [f"{m} {p}" for p, m, o in documented(document) if not (o.get("summary") or o.get("description"))] == []
