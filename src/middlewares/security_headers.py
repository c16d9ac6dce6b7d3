"""Headers that keep browsers from guessing, framing and remembering; CORS for the origins that are allowed."""

from __future__ import annotations

from collections.abc import Sequence

from flask import Flask, Response, request

_ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
}
_NOTHING_LOADS = "default-src 'none'; frame-ancestors 'none'"
_ALLOWED_HEADERS = "Authorization, Content-Type, Accept-Language, Idempotency-Key, If-Match, X-Request-Id"


def register_security_headers(app: Flask, *, origins: Sequence[str], https: bool) -> None:
    """Add headers to every answer; a page that set its own policy keeps it."""
    allowed = frozenset(origins)
    always = {**_ALWAYS, "Content-Security-Policy": _NOTHING_LOADS}
    if https:
        always["Strict-Transport-Security"] = "max-age=31536000; includeSubDomains"
    of_api = {**always, "Cache-Control": "no-store"}

    def protect(response: Response) -> Response:
        # Not `setdefault`: it goes through all headers for each of them.
        present = {name.lower() for name, _ in response.headers}
        for name, value in (of_api if request.path.startswith("/api/") else always).items():
            if name.lower() not in present:
                response.headers.add(name, value)
        if allowed:
            _allow_origin(response)
        return response

    def _allow_origin(response: Response) -> None:
        response.headers.add("Vary", "Origin")
        origin = request.headers.get("Origin", "")
        if origin not in allowed:
            return
        response.headers["Access-Control-Allow-Origin"] = origin
        response.headers["Access-Control-Expose-Headers"] = "X-Request-Id, Location, Retry-After"
        if request.method == "OPTIONS":
            response.headers["Access-Control-Allow-Methods"] = "GET, POST, PATCH, PUT, DELETE"
            response.headers["Access-Control-Allow-Headers"] = _ALLOWED_HEADERS
            response.headers["Access-Control-Max-Age"] = "600"

    app.after_request(protect)
