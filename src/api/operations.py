"""What the OpenAPI document says of each operation beyond its shapes, read off the views' decorators.

Names, headers, parameters, refusals and examples: added to the finished document, so that no view repeats them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, Final

from flask import Flask

from api.etags import TAGGED
from api.examples import example_of
from middlewares.auth_middleware import POLICY
from middlewares.deprecation import DEPRECATED, Deprecation
from middlewares.idempotency import HONOURED

Json = dict[str, Any]
View = Callable[..., Any]

POLICY_OF_VERSIONS: Final = """
The API of AltayarVIP. Version 1 lives under `/api/v1`. Within it nothing that a client relies on is taken away:
fields, routes, codes and optional parameters may be added, so ignore what you do not know. What is to go is marked
`deprecated`, answers with `Deprecation`, `Sunset` and `Link` headers, and stays for at least six months. A change
that would break clients becomes a new version beside the old one. Conventions: `docs/api.md`; codes:
`/docs/problems`.
""".strip()

_UNSAFE = frozenset({"post", "put", "patch", "delete"})
_OWN: Final = (
    "/api/v1/users/me/",
    "/api/v1/wallet/statement",
    "/api/v1/points/statement",
    "/api/v1/voucher-credit/statement",
    "/api/v1/payouts/statement",
)
"""Things that a person has one of, or none."""
_TOLD_BY_STATE: Final = "/refund-preview"
"""Reads nothing where the state of things does not allow what it previews."""
_TEXT: Json = {"type": "string"}
_WHOLE: Json = {"type": "integer"}

HEADERS: Final[dict[str, Json]] = {
    "X-Request-Id": {"description": "The id of this request in our logs; yours, where you sent one.", "schema": _TEXT},
    "X-RateLimit-Limit": {"description": "Requests that may be sent in this window.", "schema": _WHOLE},
    "X-RateLimit-Remaining": {"description": "How many of them are left, about.", "schema": _WHOLE},
    "X-RateLimit-Reset": {"description": "When the next window begins, in Unix seconds.", "schema": _WHOLE},
    "ETag": {"description": "The version of what is shown; send it back in `If-Match`.", "schema": _TEXT},
    "Idempotent-Replayed": {"description": "`true`: the answer to the first request with this key.", "schema": _TEXT},
    "Retry-After": {"description": "Seconds to wait before the same request again.", "schema": _WHOLE},
    "Deprecation": {"description": "Since when this should not be used (RFC 9745).", "schema": _TEXT},
    "Sunset": {"description": "From when on this may be gone (RFC 8594).", "schema": _TEXT},
    "Link": {"description": "What to call instead, with rel=successor-version.", "schema": _TEXT},
}
_ALWAYS = ("X-Request-Id", "X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset")

PARAMETERS: Final[dict[str, Json]] = {
    "AcceptLanguage": {
        "name": "Accept-Language",
        "in": "header",
        "description": "`ar` or `en`: the language of sentences and of fields such as `name`.",
        "schema": {"type": "string", "enum": ["ar", "en"]},
    },
    "IdempotencyKey": {
        "name": "Idempotency-Key",
        "in": "header",
        "description": "One of your own for each intent: sent again with the same body, it gets the same answer.",
        "schema": {"type": "string", "pattern": "^[!-~]{1,255}$"},
        "example": "7c1a3f0e-booking-of-mona",
    },
    "IfMatch": {
        "name": "If-Match",
        "in": "header",
        "description": "The ETag of what you saw: where it has changed since, 412 and nothing is done.",
        "schema": {"type": "string", "pattern": '^("[0-9]{1,9}([.][0-9a-f]{1,64})?"|[*])$'},
    },
    "IfNoneMatch": {
        "name": "If-None-Match",
        "in": "header",
        "description": "The ETag of what you have: where it is still the same, 304 without a body.",
        "schema": {"type": "string", "pattern": '^"[0-9]{1,9}[.][0-9a-f]{1,64}"$'},
    },
}
PARAMETERS["IdempotencyKeyRequired"] = {**PARAMETERS["IdempotencyKey"], "required": True}

REFUSALS: Final[dict[str, str]] = {
    "400": "It cannot be read, or a key that is required is missing",
    "401": "There is no valid token",
    "403": "The caller may not do this",
    "404": "There is no such thing, or the caller may not know of it",
    "409": "The state of things does not allow it, or the first request with this key is still running",
    "412": "`If-Match` names an older version",
    "415": "The body is not JSON",
    "422": "A value or a rule refuses it; `errors` names the fields",
    "429": "Too many requests; wait as long as `Retry-After` says",
}
_NAME = {"304": "NotModified", **{status: f"Problem{status}" for status in REFUSALS}}


def completed(document: Json, app: Flask, *, address: str) -> Json:
    """The document with everything that decorators say; `address` is where the API is reached."""
    document["info"] |= {"description": POLICY_OF_VERSIONS}
    document["servers"] = [{"url": address, "description": "This installation"}]
    components = document["components"]
    components["headers"] = HEADERS
    components["parameters"] = {**components.get("parameters", {}), **PARAMETERS}
    components["responses"] |= _responses()
    for schema in components["schemas"].values():
        _mend_patterns(schema)
    for name, schema in components["schemas"].items():
        schema["examples"] = [example_of(schema, components["schemas"], name)]
    views = dict(_views(app))
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if method != "parameters":
                _complete(operation, path, method, views[method, _PARAMETER.sub("{}", path)])
    return document


def _complete(operation: Json, path: str, method: str, view: View) -> None:
    operation["operationId"] = _NO_WORD.sub("_", f"{method}{path.removeprefix('/api/v1')}").strip("_")
    notice: Deprecation | None = getattr(view, DEPRECATED, None)
    if notice is not None:
        operation["deprecated"] = True
    operation.setdefault("parameters", []).extend(
        {"$ref": f"#/components/parameters/{name}"} for name in _parameters(method, view)
    )
    responses = operation["responses"]
    for status in _refusals(operation, path, method, view):
        responses[status] = {"$ref": f"#/components/responses/{_NAME[status]}"}
    for status, response in responses.items():
        if status.startswith("2"):
            names = _headers(view, notice)
            response["headers"] = {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def _parameters(method: str, view: View) -> Iterator[str]:
    yield "AcceptLanguage"
    honoured = getattr(view, HONOURED, None)
    if honoured is not None:
        yield "IdempotencyKeyRequired" if honoured == "required" else "IdempotencyKey"
    if hasattr(view, TAGGED):
        yield "IfNoneMatch" if method == "get" else "IfMatch"


def _refusals(operation: Json, path: str, method: str, view: View) -> Iterator[str]:
    policy = getattr(view, POLICY, "public")
    if hasattr(view, TAGGED):
        yield "304" if method == "get" else "412"
    if policy != "public" or path.startswith("/api/v1/auth/"):
        yield "401"
    if policy != "public":
        yield "403"
    if "{" in path or method in _UNSAFE or path.startswith(_OWN):
        yield "404"
    if "requestBody" in operation:
        yield from ("400", "415")
    if hasattr(view, HONOURED):
        yield "400"
    if method in _UNSAFE or path.endswith(_TOLD_BY_STATE):
        yield "409"
    yield from ("422", "429")


def _headers(view: View, notice: Deprecation | None) -> Iterator[str]:
    yield from _ALWAYS
    if hasattr(view, TAGGED):
        yield "ETag"
    if hasattr(view, HONOURED):
        yield "Idempotent-Replayed"
    if notice is not None:
        yield from ("Deprecation", "Sunset", "Link")


def _responses() -> dict[str, Json]:
    content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    request_id = {"X-Request-Id": {"$ref": "#/components/headers/X-Request-Id"}}
    found: dict[str, Json] = {
        _NAME[status]: {"description": words, "content": content, "headers": dict(request_id)}
        for status, words in REFUSALS.items()
    }
    found[_NAME["429"]]["headers"] |= {"Retry-After": {"$ref": "#/components/headers/Retry-After"}}
    found[_NAME["304"]] = {
        "description": "It is still what `If-None-Match` names",
        "headers": {"ETag": {"$ref": "#/components/headers/ETag"}},
    }
    return found


def _mend_patterns(node: Any) -> None:
    """Python's anchors are none in JSON Schema: `\\Z` is a letter there, and a pattern may match anywhere."""
    if isinstance(node, list):
        for inner in node:
            _mend_patterns(inner)
    if not isinstance(node, dict):
        return
    pattern = node.get("pattern")
    if isinstance(pattern, str) and pattern.endswith(r"\Z"):
        node["pattern"] = f"^{pattern.removeprefix('^').removesuffix(chr(92) + 'Z')}$"
    for inner in node.values():
        _mend_patterns(inner)


def _views(app: Flask) -> Iterator[tuple[tuple[str, str], View]]:
    """Every view by its method and its path, with parameters left blank."""
    for rule in app.url_map.iter_rules():
        view = app.view_functions[rule.endpoint]
        view_class = getattr(view, "view_class", None)
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
            found = getattr(view_class, method.lower()) if view_class is not None else view
            yield (method.lower(), _CONVERTER.sub("{}", rule.rule)), found


_NO_WORD = re.compile(r"\W+")
_PARAMETER = re.compile(r"\{[^}]*\}")
_CONVERTER = re.compile(r"<[^>]*>")
