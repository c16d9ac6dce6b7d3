"""Where what is being done comes from: who asked, from which address, under which request id.

It follows the thread of work by itself, so that use cases do not hand addresses around; each request, job
and command sets its own and takes it away again. Threads and greenlets have one each.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar, Token
from dataclasses import dataclass
from typing import Final
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Origin:
    """`via` is "web", "worker", "cli" or "process"; `request_id` of a job is the event or run that it serves."""

    actor_id: UUID | None = None
    address: str | None = None
    user_agent: str | None = None
    request_id: str = ""
    via: str = "process"


NOWHERE: Final = Origin()
_origin: ContextVar[Origin] = ContextVar("origin", default=NOWHERE)


def current_origin() -> Origin:
    """The origin of what runs here; `NOWHERE` outside of requests, jobs and commands."""
    return _origin.get()


def begin_with(origin: Origin) -> Token[Origin]:
    """Set the origin of what follows; `end_with` the token takes it away again."""
    return _origin.set(origin)


def end_with(token: Token[Origin]) -> None:
    """Back to what was before `begin_with`, whatever was noted since."""
    _origin.reset(token)


def note_actor(actor_id: UUID) -> None:
    """Who the request turned out to be from."""
    before = _origin.get()
    # Not `replace`: this is every request's, and that looks at the fields anew each time.
    _origin.set(Origin(actor_id, before.address, before.user_agent, before.request_id, before.via))


@contextmanager
def acting(origin: Origin) -> Iterator[None]:
    """Everything inside has this origin."""
    token = begin_with(origin)
    try:
        yield
    finally:
        end_with(token)
