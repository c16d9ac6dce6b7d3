"""ETags of what can be edited: `"<version>.<digest>"`.

The version moves with every change of the row and decides `If-Match`; the digest is of the answer itself, which
also holds what other rows say and depends on the reader's language, and decides `If-None-Match` (RFC 9110 §8.8.3).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from typing import Any, Final

from flask import Response, request

from domain.shared.errors import InvalidValue, PreconditionFailed

View = Callable[..., Any]
TAGGED: Final = "__answers_etag__"
_TAG = re.compile(r'"(\d{1,9})(?:\.[0-9a-f]{1,64})?"')


def tagged(view: View) -> View:
    """Say of a view that its answer has an ETag, and that it heeds `If-None-Match` (GET) or `If-Match` (others)."""
    setattr(view, TAGGED, True)
    return view


def expected_version() -> int | None:
    """The version that `If-Match` names; None where any will do.

    Raises PreconditionFailed for a tag that this API never gave, InvalidValue for several tags.
    """
    sent = request.headers.get("If-Match", "").strip()
    if sent in ("", "*"):
        return None
    if "," in sent:
        raise InvalidValue("one tag, as the ETag of the last answer said", pointer="/If-Match", code="invalid_tag")
    match = _TAG.fullmatch(sent)
    if match is None:
        # A weak tag, too: what is changed has to be the same in every byte (RFC 9110 §13.1.1).
        raise PreconditionFailed()
    return int(match.group(1))


def with_tag(response: Response, version: int) -> Response:
    """The answer with its ETag; 304 without a body where a reader has just this one already."""
    digest = hashlib.blake2b(response.get_data(), digest_size=8).hexdigest()
    tag = f"{version}.{digest}"
    if request.method == "GET" and request.if_none_match.contains_weak(tag):
        response = Response(status=304)
        del response.headers["Content-Type"]
    response.set_etag(tag)
    return response
