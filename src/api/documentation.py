"""`/openapi.json` and `/docs`: the API's own description, and Swagger UI from local files."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import flask_swagger_ui
from flask import Blueprint, Response, abort, redirect, send_from_directory
from werkzeug.wrappers import Response as AnyResponse

from api.answers import json_answer
from middlewares.auth_middleware import public
from middlewares.messages import MESSAGES

ASSETS = Path(flask_swagger_ui.__file__).parent / "dist"
_SHOWN = frozenset({"swagger-ui.css", "swagger-ui-bundle.js", "swagger-ui-standalone-preset.js", "favicon-32x32.png"})
_PAGE = """<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <title>AltayarVIP API</title>
  <link rel="stylesheet" href="/docs/swagger-ui.css">
  <link rel="icon" href="/docs/favicon-32x32.png">
</head>
<body>
  <div id="api"></div>
  <script src="/docs/swagger-ui-bundle.js"></script>
  <script src="/docs/start.js"></script>
</body>
</html>
"""
_START = "SwaggerUIBundle({url: '/openapi.json', dom_id: '#api', deepLinking: true, persistAuthorization: true});\n"
# Swagger UI sets styles from its script and draws icons from data addresses; nothing comes from elsewhere.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; font-src 'self'; frame-ancestors 'none'; base-uri 'none'"
)


def documentation(describe: Callable[[], dict[str, object]]) -> Blueprint:
    """A blueprint that shows the OpenAPI document, which is made at the first asking and kept."""
    blueprint = Blueprint("documentation", __name__)
    kept: list[dict[str, object]] = []
    making = threading.Lock()

    def specification() -> dict[str, object]:
        with making:
            if not kept:
                kept.append(describe())
        return kept[0]

    @blueprint.get("/openapi.json")
    @public
    def openapi() -> Response:
        return json_answer(specification())

    @blueprint.get("/docs")
    @public
    def docs() -> Response:
        return Response(_PAGE, content_type="text/html; charset=utf-8", headers={"Content-Security-Policy": _POLICY})

    @blueprint.get("/docs/start.js")
    @public
    def start() -> Response:
        return Response(_START, content_type="text/javascript; charset=utf-8")

    @blueprint.get("/docs/problems")
    @public
    def problems() -> Response:
        """Every problem code with its sentences, in both languages."""
        return json_answer(
            {
                code: {"en": {"title": en[0], "detail": en[1]}, "ar": {"title": ar[0], "detail": ar[1]}}
                for code, (en, ar) in sorted(MESSAGES.items())
            }
        )

    @blueprint.get("/docs/<name>")
    @public
    def asset(name: str) -> Response:
        if name not in _SHOWN:
            abort(404)
        return send_from_directory(ASSETS, name, max_age=86_400)

    @blueprint.get("/")
    @public
    def root() -> AnyResponse:
        return redirect("/docs")

    return blueprint
