"""The OpenAPI document: problem documents for failures, pages, and what the code itself declares."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from http import HTTPStatus
from typing import Any

from flask import Flask
from flask_smorest import Api, Blueprint
from marshmallow import fields

from api.fields import MONEY_SPEC, Schema, money_properties
from middlewares.auth_middleware import KEY_HEADER, POLICY, SCOPE
from security.permissions import CATALOGUE


class FieldProblem(Schema):
    """One field that was refused."""

    pointer = fields.String()
    code = fields.String()
    detail = fields.String()


class Problem(Schema):
    """A failure (RFC 9457)."""

    type = fields.String()
    title = fields.String()
    status = fields.Integer()
    detail = fields.String()
    instance = fields.String()
    code = fields.String()
    request_id = fields.String()
    current_status = fields.String(metadata={"description": "Where `code` is `illegal_transition`."})
    current_rate = fields.Dict(metadata={"description": "Where `code` is `rate_moved`: the rate that holds now."})
    sold_out = fields.String(
        metadata={"description": "Where `code` is `sold_out`: the id of the departure or the pool that is."}
    )
    seats_left = fields.Integer(metadata={"description": "Where `code` is `sold_out` or `seats_available`."})
    seats_taken = fields.Integer(
        metadata={"description": "Where `code` is `departure_has_bookings` or `capacity_below_sold`."}
    )
    new_total = fields.Dict(metadata={**MONEY_SPEC, "description": "Where `code` is `price_moved`: what it costs now."})
    operation_id = fields.String(
        metadata={"description": "Where `code` is `operation_in_progress`: the mass operation that is under way."}
    )
    waiting_list_entry_id = fields.String(
        metadata={"description": "Where `code` is `already_waiting`: the place that one has."}
    )
    errors = fields.List(fields.Nested(FieldProblem))


class Specification(Api):
    """flask-smorest's, with problem documents as the shape of every failure."""

    ERROR_SCHEMA = Problem
    PROBLEM_TYPE = "application/problem+json"

    def __init__(self, app: Flask) -> None:
        self._waiting: list[Blueprint] = []
        super().__init__(app)

    def register_blueprint(self, blp: Blueprint, *, parameters: list[Any] | None = None, **options: Any) -> None:
        """The routes alone: working out what documents them takes longer than all else that a process starts with."""
        self._app.extensions["flask-smorest"]["blp_name_to_api"][blp.name] = self
        self._app.register_blueprint(blp, **options)
        self._waiting.append(blp)

    def document(self) -> None:
        """Describe the routes of every blueprint that was registered; once."""
        if self._waiting:
            self._declare_problems()
        while self._waiting:
            blp = self._waiting.pop(0)
            blp.register_views_in_doc(self, self._app, self.spec, name=blp.name, parameters=None)
            self.spec.tag({"name": blp.name, "description": blp.description})

    def _register_error_handlers(self) -> None:
        """None here: middlewares/error_handler.py answers every exception."""

    def _register_responses(self) -> None:
        """Not at start either, but when the document is asked for: `_declare_problems`."""

    def _declare_problems(self) -> None:
        for status in HTTPStatus:
            shape: dict[str, Any] = {"description": status.phrase}
            if status >= HTTPStatus.BAD_REQUEST:
                shape |= {"content": {self.PROBLEM_TYPE: {"schema": self.ERROR_SCHEMA}}}
            self.spec.components.response(status.name, shape, lazy=True)
        default = {"description": "A problem", "content": {self.PROBLEM_TYPE: {"schema": self.ERROR_SCHEMA}}}
        self.spec.components.response("DEFAULT_ERROR", default, lazy=True)


@lru_cache(maxsize=256)
def page_of(schema: type[Schema]) -> type[Schema]:
    """The schema of a page: `items` and `next_cursor`."""
    name = f"{schema.__name__.removesuffix('Shown')}Page"
    page: type[Schema] = type(
        name,
        (Schema,),
        {"items": fields.List(fields.Nested(schema)), "next_cursor": fields.String(allow_none=True)},
    )
    return page


def create_specification(app: Flask) -> Specification:
    """The API object that blueprints are registered on; it knows money, and how to sign in."""
    specification = Specification(app)
    specification.ma_plugin.converter.add_attribute_function(money_properties)
    bearer = {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
    specification.spec.components.security_scheme("bearer", bearer)
    api_key = {"type": "apiKey", "in": "header", "name": KEY_HEADER}
    specification.spec.components.security_scheme("apiKey", api_key)
    return specification


def declare_security(specification: Specification, app: Flask) -> None:
    """Say of each operation who may call it, from the policy that its view declares."""
    for path, operations in specification.spec._paths.items():
        for method, operation in operations.items():
            view = _view(app, path, method)
            policy = getattr(view, POLICY, None)
            if policy in (None, "public"):
                continue
            scope: str | None = getattr(view, SCOPE, None)
            operation["security"] = [{"bearer": []}, *([{"apiKey": []}] if scope is not None else [])]
            if policy == "optional":
                operation["security"].append({})
            if policy in CATALOGUE:
                operation["x-permission"] = policy
            if scope is not None:
                operation["x-scope"] = scope
            sentences = " ".join(_sentences(operation, policy, scope))
            if sentences:
                operation["description"] = sentences


def _sentences(operation: dict[str, Any], policy: str, scope: str | None) -> Iterator[str]:
    if operation.get("description"):
        yield operation["description"]
    if policy in CATALOGUE:
        yield f"Needs the permission `{policy}`."
    if policy == "admin":
        yield "Needs the role of an administrator."
    if scope is not None:
        yield f"API keys need the scope `{scope}`."


def _view(app: Flask, path: str, method: str) -> object:
    """What answers a method of a documented path."""
    template = _PARAMETER.sub("{}", path)
    for rule in app.url_map.iter_rules():
        if _PARAMETER.sub("{}", _CONVERTER.sub("{x}", rule.rule)) == template:
            view_class = getattr(app.view_functions[rule.endpoint], "view_class", None)
            view = getattr(view_class, method, None)
            if getattr(view, POLICY, None) is not None:
                return view
    return None


_PARAMETER = re.compile(r"\{[^}]*\}")
_CONVERTER = re.compile(r"<[^>]*>")
