"""Routes that will go: their answers say since when, until when, and what to call instead."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from email.utils import format_datetime
from typing import Any, Final

from flask import Response, make_response

View = Callable[..., Any]
DEPRECATED: Final = "__deprecated__"


@dataclass(frozen=True, slots=True)
class Deprecation:
    """From `since` on a route should not be used, from `sunset` on it may be gone; `successor` is a path."""

    since: date
    sunset: date
    successor: str


def deprecated(*, since: date, sunset: date, successor: str) -> Callable[[View], View]:
    """Mark a view: `Deprecation` (RFC 9745), `Sunset` (RFC 8594) and `Link` on every answer that it gives."""
    notice = Deprecation(since, sunset, successor)
    headers = {
        "Deprecation": f"@{int(_midnight(since).timestamp())}",
        "Sunset": format_datetime(_midnight(sunset), usegmt=True),
        "Link": f'<{successor}>; rel="successor-version"',
    }

    def decorate(view: View) -> View:
        @functools.wraps(view)
        def wrapper(*args: Any, **kwargs: Any) -> Response:
            response = make_response(view(*args, **kwargs))
            response.headers.update(headers)
            return response

        setattr(wrapper, DEPRECATED, notice)
        return wrapper

    return decorate


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
