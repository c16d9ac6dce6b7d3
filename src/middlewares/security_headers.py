"""Headers that keep browsers from guessing, framing and remembering; CORS for the origins that are allowed."""

from __future__ import annotations

from collections.abc import Sequence

from flask import Flask, Request, Response

from middlewares.at_hand import add_ours, asked

_ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
}
_NOTHING_LOADS = "default-src 'none'; frame-ancestors 'none'"
_ALLOWED_METHODS = "GET, POST, PATCH, PUT, DELETE"
_ALLOWED_HEADERS = (
    "Authorization, Content-Type, Accept-Language, Idempotency-Key, If-Match, If-None-Match, X-Request-Id"
)
_EXPOSED_HEADERS = (
    "X-Request-Id, Location, Retry-After, ETag, Idempotent-Replayed, Content-Language, Deprecation, Sunset, Link, "
    "X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset"
)


def register_security_headers(app: Flask, *, origins: Sequence[str], https: bool) -> None:
    """Add headers to every answer; a page that set its own policy keeps it."""
    # `null` is what a sandboxed frame or a local file sends: nobody's origin, and everybody's.
    allowed = frozenset(origins) - {"null"}
    everywhere = {**_ALWAYS, "Content-Security-Policy": _NOTHING_LOADS}
    if https:
        everywhere["Strict-Transport-Security"] = "max-age=31536000; includeSubDomains"
    always = list(everywhere.items())
    of_api = [*always, ("Cache-Control", "no-store")]
    known = frozenset(name.lower() for name, _ in of_api)

    def protect(response: Response) -> Response:
        # Not `setdefault`: it goes through all headers for each of them.
        request, headers = asked(), response.headers
        present = {name.lower() for name, _ in headers}
        wanted = of_api if request.path.startswith("/api/") else always
        if not known.isdisjoint(present):
            wanted = [named for named in wanted if named[0].lower() not in present]
        add_ours(headers, wanted)
        if allowed:
            _allow_origin(request, response)
        return response

    def _allow_origin(request: Request, response: Response) -> None:
        response.headers.add("Vary", "Origin")
        origin = request.headers.get("Origin", "")
        if origin not in allowed:
            return
        response.headers["Access-Control-Allow-Origin"] = origin
        response.headers["Access-Control-Expose-Headers"] = _EXPOSED_HEADERS
        if _is_preflight(request):
            response.headers["Access-Control-Allow-Methods"] = _ALLOWED_METHODS
            response.headers["Access-Control-Allow-Headers"] = _ALLOWED_HEADERS
            response.headers["Access-Control-Max-Age"] = "600"

    def answer_preflight() -> Response | None:
        request = asked()
        return Response(status=204) if _is_preflight(request) and request.headers.get("Origin") in allowed else None

    app.before_request(answer_preflight)
    app.after_request(protect)


def _is_preflight(request: Request) -> bool:
    """A browser asks whether it may send another request (Fetch standard, CORS-preflight)."""
    return request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers
