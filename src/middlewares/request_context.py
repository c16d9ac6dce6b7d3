"""An id and an origin for every request; the id in its answer and in every log line.

One line is logged for each request that changes something, unless what it changed says as much.
"""

from __future__ import annotations

import os
import re
import time
from functools import cache

import structlog
from flask import Flask, Response
from prometheus_client import Histogram

from application.origin import Origin, begin_with, end_with
from domain.shared.card_numbers import holds_card_number, without_card_numbers
from middlewares.at_hand import asked, noted

_ACCEPTED = re.compile(r"[A-Za-z0-9._-]{8,80}")
_LONGEST_AGENT = 300
_log = structlog.get_logger("requests")

_SECONDS = Histogram(
    "altayar_request_seconds",
    "How long requests take, by route, method and status.",
    ["route", "method", "status"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)


# Looking a series up takes the registry's lock; there are some hundreds, and they stay.
_seconds_of = cache(_SECONDS.labels)


def register_request_context(app: Flask) -> None:
    """Begin and end every request of the app."""
    app.before_request(_begin)
    app.after_request(_end)
    app.teardown_request(_leave)


def told_by_its_row() -> None:
    """The request at hand is kept in a row with all that a line of the log would say: a success needs none."""
    noted().is_told = True


def _begin() -> None:
    request, here = asked(), noted()
    here.began = time.perf_counter()
    here.request_id = request_id = _request_id(request.environ.get("HTTP_X_REQUEST_ID"))
    agent = request.environ.get("HTTP_USER_AGENT")
    here.origin_before = begin_with(
        Origin(
            address=request.remote_addr,
            user_agent=_one_line(agent) if agent is not None else None,
            request_id=request_id,
            via="web",
        )
    )


def _request_id(given: str | None) -> str:
    """The client's own where it is one that can be kept, else a new one."""
    # It is kept in logs and in the audit log: whoever sends a card number as an id is given another one.
    if given is not None and _ACCEPTED.fullmatch(given) and not holds_card_number(given):
        return given
    return os.urandom(16).hex()


def _leave(_error: BaseException | None) -> None:
    """The next request of this thread begins without an origin."""
    begun = noted().pop("origin_before", None)
    if begun is not None:
        end_with(begun)


def _one_line(agent: str) -> str:
    """A client's word about itself, as far as it can be kept: printable, bounded, no card number."""
    printable = "".join(char for char in agent if char.isprintable())
    return without_card_numbers(printable)[:_LONGEST_AGENT]


def _end(response: Response) -> Response:
    request, here = asked(), noted()
    if "began" not in here:
        return response
    seconds = time.perf_counter() - here.began
    response.headers.add("X-Request-Id", here.request_id)
    # The rule, not the path: ids would make a series each.
    matched, method = request.url_rule, request.method
    rule = matched.rule if matched is not None else "none"
    _seconds_of(rule, method, response.status_code).observe(seconds)
    if method not in ("GET", "HEAD", "OPTIONS") and not (response.status_code < 400 and "is_told" in here):
        _log.info("request", route=rule, method=method, status=response.status_code, ms=round(seconds * 1000))
    return response
