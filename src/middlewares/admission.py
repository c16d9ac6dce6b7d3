"""No more requests at once than a process answers in time; what is more is told so at once (503 and Retry-After).

A web process has one core's time and twenty connections to the database. A thousand requests at once share them so
thinly that none is answered before its client gives up; refusing most of them costs little, and the others are quick.

Requests go in lanes that cannot fill each other. Looking is refused before changing is: whoever is about to pay has
come further than who looks around. Whatever waits for somebody else (providers, the hash of a password) has a lane
of its own, and so have webhooks. `/health` and `/metrics` are always answered. A request whose body is still on its
way takes no place: slow clients fill no lane.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Protocol, TypeVar

from flask import Flask, Request

from domain.shared.errors import Unavailable
from middlewares.at_hand import WEBHOOKS, application, asked, noted
from middlewares.brief_lock import BriefLock
from middlewares.idempotency import WAITS

_ALWAYS_ANSWERED: Final = ("/health/", "/metrics")
_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_LONGEST_PAUSE_SECONDS: Final = 4
"""Clients are told from one second up to this, by chance: they would all come back at once otherwise."""

Read = TypeVar("Read", bytes, list[bytes])


class Overloaded(Unavailable):
    """As many requests are being worked on as can be answered in time."""

    code = "overloaded"


class Lane(StrEnum):
    """What is counted together."""

    WORK = "WORK"
    WAITING = "WAITING"
    """Views that wait for a provider or for a hash."""
    WEBHOOKS = "WEBHOOKS"


@dataclass(frozen=True, slots=True)
class Bounds:
    """How many at once, of each kind, in one process."""

    changes: int
    """In the lane of work, reads included."""
    reads: int
    """From so many on in that lane, reads are refused."""
    waiting: int
    webhooks: int

    @classmethod
    def of(cls, most: int) -> Bounds:
        """Parts of one number; at least one of each."""
        return cls(most, max(1, most * 3 // 4), max(1, most // 2), max(1, most // 4))


def register_admission(app: Flask, *, most: int) -> None:
    """Let requests in while there is room, ahead of everything that costs something."""
    admission = Admission(Bounds.of(most))
    app.before_request(admission.let_in)
    app.teardown_request(admission.let_out)


class Admission:
    """The requests of one process that are being worked on."""

    def __init__(self, bounds: Bounds) -> None:
        self._bounds = bounds
        self._inside = dict.fromkeys(Lane, 0)
        # Servers with threads run this, too.
        self._lock = BriefLock()
        self._waits: dict[tuple[str, str], bool] = {}

    def let_in(self) -> None:
        """Take a place. Raises Overloaded."""
        request = asked()
        if request.path.startswith(_ALWAYS_ANSWERED):
            return
        lane, bound = self._lane_of(request)
        if not self._enter(lane, bound):
            raise Overloaded(retry_after=random.randint(1, _LONGEST_PAUSE_SECONDS))  # noqa: S311 - no secret
        noted().admitted_to = lane
        if request.content_length or "HTTP_TRANSFER_ENCODING" in request.environ:
            body = request.environ["wsgi.input"]
            request.environ["wsgi.input"] = _Arriving(body, lambda more: self._count(lane, more))

    def let_out(self, _error: BaseException | None) -> None:
        """Give the place to somebody else."""
        lane = noted().pop("admitted_to", None)
        if lane is not None:
            self._count(lane, -1)

    def _lane_of(self, request: Request) -> tuple[Lane, int]:
        if request.path.startswith(WEBHOOKS):
            return Lane.WEBHOOKS, self._bounds.webhooks
        if self._is_waiting(request):
            return Lane.WAITING, self._bounds.waiting
        return Lane.WORK, self._bounds.reads if request.method in _SAFE else self._bounds.changes

    def _is_waiting(self, request: Request) -> bool:
        """What the view says of itself, looked up once for each route and method."""
        if request.endpoint is None or request.method in _SAFE:
            return False
        route = (request.endpoint, request.method)
        if route not in self._waits:
            self._waits[route] = _declared(*route)
        return self._waits[route]

    def _enter(self, lane: Lane, bound: int) -> bool:
        with self._lock:
            if self._inside[lane] >= bound:
                return False
            self._inside[lane] += 1
            return True

    def _count(self, lane: Lane, more: int) -> None:
        with self._lock:
            self._inside[lane] += more


def _declared(endpoint: str, method: str) -> bool:
    view = application().view_functions[endpoint]
    view_class = getattr(view, "view_class", None)
    own = getattr(view_class, method.lower(), None) if view_class else view
    return endpoint.startswith("auth.") or hasattr(own, WAITS)


class _Body(Protocol):
    """What WSGI asks of `wsgi.input` (PEP 3333)."""

    def read(self, size: int = -1, /) -> bytes: ...
    def readline(self, size: int = -1, /) -> bytes: ...
    def readlines(self, hint: int = -1, /) -> list[bytes]: ...


class _Arriving:
    """A request's body; while somebody waits for more of it, the request's place is free.

    Coming back is not refused: the body is here, and whoever sent it would send it again.
    """

    def __init__(self, body: _Body, count: Callable[[int], None]) -> None:
        self._body, self._count = body, count

    def read(self, size: int = -1) -> bytes:
        return self._outside(self._body.read, size)

    def readline(self, size: int = -1) -> bytes:
        return self._outside(self._body.readline, size)

    def readlines(self, hint: int = -1) -> list[bytes]:
        return self._outside(self._body.readlines, hint)

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.readline, b"")

    def _outside(self, read: Callable[[int], Read], size: int) -> Read:
        self._count(-1)
        try:
            return read(size)
        finally:
            self._count(1)
