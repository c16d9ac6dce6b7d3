"""`Idempotency-Key`: the same key and request get the same answer, and one effect."""

from __future__ import annotations

import functools
import hashlib
import re
from collections.abc import Callable
from typing import Any

from flask import Response, current_app, g, make_response, request

from application.dependencies import Dependencies
from application.ports import Answer
from domain.shared.errors import InvalidValue, RuleBroken

View = Callable[..., Any]
_KEY = re.compile(r"[\x21-\x7e]{1,255}")


class IdempotencyKeyMissing(RuleBroken):
    """A request that moves money came without a key."""

    code = "idempotency_key_missing"


def idempotent(*, required: bool = False, calls_provider: bool = False) -> Callable[[View], View]:
    """Honour the key; `required` refuses a request without one.

    The view runs inside the transaction that remembers its answer, unless it `calls_provider`: then the
    claim comes first, and the use case finds by the key what an earlier run left.
    """

    def decorate(view: View) -> View:
        @functools.wraps(view)
        def wrapper(*args: Any, **kwargs: Any) -> Response:
            key = request.headers.get("Idempotency-Key")
            if key is None:
                if required:
                    raise IdempotencyKeyMissing()
                return make_response(view(*args, **kwargs))
            if not _KEY.fullmatch(key):
                raise InvalidValue("1 to 255 visible ASCII characters", pointer="/Idempotency-Key", code="invalid_key")
            use: Dependencies = current_app.extensions["altayar"]
            remember = use.idempotency.staged if calls_provider else use.idempotency.once
            answer = remember(_scope(), key, _fingerprint(), lambda: _answer(make_response(view(*args, **kwargs))))
            return _response(answer)

        return wrapper

    return decorate


def _scope() -> str:
    """Who asks what of which resource: nobody's key meets another's."""
    return f"{g.viewer.user_id} {request.method} {request.path}"


def _fingerprint() -> bytes:
    return hashlib.sha256(request.query_string + b"\n" + request.get_data(cache=True)).digest()


def _answer(response: Response) -> Answer:
    return Answer(
        status_code=response.status_code,
        content_type=response.content_type or "",
        location=response.headers.get("Location", ""),
        body=response.get_data(),
    )


def _response(answer: Answer) -> Response:
    response = Response(answer.body, status=answer.status_code, content_type=answer.content_type)
    if answer.location:
        response.headers["Location"] = answer.location
    return response
