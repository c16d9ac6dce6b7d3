"""Every failure as a problem document (RFC 9457) with a stable code, in the reader's language."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import orjson
import structlog
from flask import Flask, Response, g, request
from werkzeug.exceptions import HTTPException

from domain.shared.errors import (
    Conflict,
    DomainError,
    FieldFault,
    NotAllowed,
    NotFound,
    RuleBroken,
    Unavailable,
)
from middlewares.language import reading_language
from middlewares.messages import FIELD_MESSAGES, sentences

STATUS_OF_FAMILY: tuple[tuple[type[DomainError], int], ...] = (
    (NotFound, 404),
    (Conflict, 409),
    (RuleBroken, 422),
    (NotAllowed, 403),
    (Unavailable, 503),
)
# Where HTTP has a more exact word than the family.
STATUS_OF_CODE = {
    "unauthorized": 401,
    "invalid_token": 401,
    "invalid_api_key": 401,
    "session_ended": 401,
    "wrong_credentials": 401,
    "second_factor_required": 401,
    "second_factor_invalid": 401,
    "bad_signature": 401,
    "unreadable_webhook": 400,
    "idempotency_key_missing": 400,
    "idempotency_key_reused": 422,
    "precondition_failed": 412,
    "provider_refused": 502,
    "rate_limited": 429,
    "too_many_attempts": 429,
    "export_limit_reached": 429,
    "statement_limit_reached": 429,
}
CODE_OF_STATUS = {
    400: "malformed_request",
    401: "unauthorized",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    413: "payload_too_large",
    414: "address_too_long",
    415: "unsupported_media_type",
    422: "validation_failed",
    429: "rate_limited",
    503: "unavailable",
}
RETRY_AFTER_SECONDS = {"busy": 1, "request_in_progress": 1}
_log = structlog.get_logger("api")


def register_error_handlers(app: Flask) -> None:
    """Answer every exception of the app as a problem document; none shows a trace, SQL or a secret."""
    app.register_error_handler(DomainError, domain_problem)
    app.register_error_handler(HTTPException, http_problem)
    app.register_error_handler(Exception, unexpected_problem)


def domain_problem(error: DomainError) -> Response:
    if not isinstance(error, Unavailable):
        # Read by middlewares/audit.py once the request is over.
        g.refusal = error.code
    status = STATUS_OF_CODE.get(error.code) or next(s for family, s in STATUS_OF_FAMILY if isinstance(error, family))
    headers = {}
    if status == 503 or error.code in RETRY_AFTER_SECONDS:
        headers["Retry-After"] = str(RETRY_AFTER_SECONDS.get(error.code, 5))
    if "retry_after" in error.facts:
        headers["Retry-After"] = str(error.facts["retry_after"])
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return problem(status, error.code, facts=error.facts, faults=error.faults, headers=headers)


def http_problem(error: HTTPException) -> Response:
    status = error.code or 500
    if status < 400:
        return error.get_response()  # type: ignore[return-value]
    data: Mapping[str, Any] = getattr(error, "data", None) or {}
    faults = tuple(_faults(data.get("messages", {})))
    headers = {name: value for name, value in error.get_headers() if name in ("Allow", "Retry-After")}
    code = CODE_OF_STATUS.get(status, "internal_error" if status >= 500 else "malformed_request")
    return problem(status, code, facts={"limit": _size_limit()}, faults=faults, headers=headers)


def unexpected_problem(error: Exception) -> Response:
    # The rule, not the path: a path may carry a token.
    rule = request.url_rule.rule if request.url_rule else "none"
    _log.error("request failed", route=rule, method=request.method, exc_info=error)
    return problem(500, "internal_error")


TOLD: Final = frozenset({
    "current_rate", "new_total", "operation_id", "seats_left", "seats_taken", "sold_out", "waiting_list_entry_id",
})  # fmt: skip
"""Facts that clients work with; they stand in the document beside the sentence that says them, and are described
with it (`api.specification.Problem`)."""


def problem(
    status: int,
    code: str,
    *,
    facts: Mapping[str, object] | None = None,
    faults: tuple[FieldFault, ...] = (),
    headers: Mapping[str, str] | None = None,
) -> Response:
    """A problem document; `faults` become `errors` with JSON pointers."""
    language = reading_language()
    title, detail = sentences(code, language, facts or {})
    document: dict[str, object] = {
        "type": f"/docs/problems#{code}",
        "title": title,
        "status": status,
        "detail": detail,
        "instance": request.path,
        "code": code,
        "request_id": g.get("request_id", ""),
    }
    if "current" in (facts or {}):
        document["current_status"] = str((facts or {})["current"])
    document |= {name: fact for name, fact in (facts or {}).items() if name in TOLD}
    if faults:
        document["errors"] = [_shown(fault, language) for fault in faults]
    answer = Response(orjson.dumps(document), status=status, content_type="application/problem+json")
    answer.headers["Content-Language"] = language
    answer.headers.update(headers or {})
    return answer


def _shown(fault: FieldFault, language: str) -> dict[str, str]:
    known = FIELD_MESSAGES.get(fault.code)
    detail = known[1 if language == "ar" else 0] if known else fault.detail
    return {"pointer": fault.pointer, "code": fault.code, "detail": detail}


def _faults(messages: Any, pointer: str = "") -> Iterator[FieldFault]:
    """marshmallow's nested messages as faults; the location (json, query) is not part of the pointer."""
    if isinstance(messages, Mapping):
        for name, inner in messages.items():
            at_top = pointer == "" and name in ("json", "query", "path", "headers", "form")
            step = "" if at_top or name == "_schema" else f"/{_escaped(str(name))}"
            yield from _faults(inner, pointer + step)
        return
    for message in messages if isinstance(messages, list) else [messages]:
        code, detail = message if isinstance(message, tuple) else (_CODES.get(str(message), "invalid"), str(message))
        yield FieldFault(pointer=pointer, code=code, detail=detail)


_CODES = {
    "Unknown field.": "unknown_field",
    "Missing data for required field.": "required",
    "Field may not be null.": "null",
}


def _escaped(name: str) -> str:
    """One step of a JSON pointer (RFC 6901 §3)."""
    return name.replace("~", "~0").replace("/", "~1")


def _size_limit() -> int:
    """The limit of this request: webhooks and pages have stricter ones than the app."""
    return int(request.max_content_length or 0)
