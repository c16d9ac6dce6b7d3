"""Rate limits on every route of the API; `RATE_LIMIT_SCALE` multiplies all of them.

Routes that guess at secrets are limited by address, strictly; all others by caller, reads apart from changes.
Providers' webhooks have limits of their own (size, and one row for each event), `/health` and `/metrics` are
asked by whoever runs the service: neither is counted.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Final

from flask import Flask, Request, Response

from middlewares.at_hand import WEBHOOKS, add_ours, application, asked, noted
from middlewares.callers import caller, caller_address
from middlewares.error_handler import problem
from middlewares.quotas import LeasedQuota, SharedCounter, SlidingQuota, Verdict

AUTH_PER_MINUTE: Final = 30
READS_PER_MINUTE: Final = 600
CHANGES_PER_MINUTE: Final = 120
REFUSED_TOKENS_PER_MINUTE: Final = 120
"""Answers 401 for each address: whoever invents tokens would otherwise have a quota for each of them."""

_SAFE = frozenset({"GET", "HEAD"})
_LIMIT = "__strict_limit__"

View = Callable[..., Any]


def limited(*, per_minute: int) -> Callable[[View], View]:
    """Limit a view by address instead of the general limits; every route of the auth blueprint has 30 without it."""

    def mark(view: View) -> View:
        setattr(view, _LIMIT, per_minute)
        return view

    return mark


def register_rate_limits(app: Flask, *, redis_url: str, scale: float) -> None:
    """Count every request of the API before anything else is done for it."""
    limits = _Limits(redis_url, scale)
    app.before_request(limits.check)
    app.after_request(limits.tell)


class _Limits:
    """The limits of one process."""

    def __init__(self, redis_url: str, scale: float) -> None:
        shared = SharedCounter(redis_url)
        self._sliding, self._leased = SlidingQuota(shared), LeasedQuota(shared)
        self._scale = scale
        self._strict: dict[tuple[str, str], int | None] = {}

    def check(self) -> Response | None:
        """Refuse what is too much."""
        request = asked()
        if not _is_counted(request):
            return None
        verdict = self._count(request)
        noted().rate_limit = verdict
        if verdict.allowed:
            return None
        return problem(429, "rate_limited", headers={"Retry-After": str(_seconds_until(verdict.resets_at))})

    def tell(self, response: Response) -> Response:
        """Say on every counted answer what is left; count tokens that were refused."""
        verdict: Verdict | None = noted().get("rate_limit")
        if verdict is None:
            return response
        left = (
            ("X-RateLimit-Limit", str(verdict.limit)),
            ("X-RateLimit-Remaining", str(verdict.remaining)),
            ("X-RateLimit-Reset", str(verdict.resets_at)),
        )
        add_ours(response.headers, left)
        if response.status_code == 401 and _brings_token(asked()):
            self._leased.take("refused", caller_address(), self._scaled(REFUSED_TOKENS_PER_MINUTE))
        return response

    def _count(self, request: Request) -> Verdict:
        strict = self._strict_limit(request)
        if strict is not None:
            return self._sliding.take(str(request.endpoint), caller_address(), self._scaled(strict))
        if _brings_token(request) and self._leased.is_spent("refused", caller_address()):
            return self._leased.take("refused", caller_address(), self._scaled(REFUSED_TOKENS_PER_MINUTE))
        if request.method in _SAFE:
            return self._leased.take("reads", caller(), self._scaled(READS_PER_MINUTE))
        return self._leased.take("changes", caller(), self._scaled(CHANGES_PER_MINUTE))

    def _strict_limit(self, request: Request) -> int | None:
        """The view's own limit, looked up once for each route and method."""
        if request.endpoint is None:
            return None
        route = (request.endpoint, request.method)
        if route not in self._strict:
            self._strict[route] = _declared(*route)
        return self._strict[route]

    def _scaled(self, limit: int) -> int:
        return max(1, int(limit * self._scale))


def _brings_token(request: Request) -> bool:
    return "HTTP_AUTHORIZATION" in request.environ


def _is_counted(request: Request) -> bool:
    path = request.path
    return path.startswith("/api/") and request.method != "OPTIONS" and not path.startswith(WEBHOOKS)


def _declared(endpoint: str, method: str) -> int | None:
    view = application().view_functions[endpoint]
    view_class = getattr(view, "view_class", None)
    own: int | None = getattr(getattr(view_class, method.lower(), None) if view_class else view, _LIMIT, None)
    return own if own is not None else AUTH_PER_MINUTE if endpoint.startswith("auth.") else None


def _seconds_until(unix_time: int) -> int:
    return max(1, unix_time - int(time.time()))
