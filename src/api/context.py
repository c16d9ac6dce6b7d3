"""What a view works with: the dependencies of the app, and who is asking."""

from __future__ import annotations

from datetime import timedelta
from typing import TypedDict, cast
from uuid import UUID

from application.identity.ports import Viewer
from domain.operations.settings import ERASURE_GRACE_DAYS
from middlewares.at_hand import asked, dependencies, noted
from middlewares.auth_middleware import allowed

use = dependencies
"""The ports that this app was made with."""


def viewer() -> Viewer:
    """Who is asking; only inside views that ask for a token."""
    return cast(Viewer, noted().viewer)


def may(permission: str) -> bool:
    """Whether the viewer has a permission. Raises SecondFactorNeeded where it moves money and they have proved none."""
    return allowed(viewer(), permission)


def reader_may(permission: str) -> bool:
    """The same where a token is optional; nobody in particular has no permission."""
    reader: Viewer | None = noted().viewer
    return reader is not None and allowed(reader, permission)


def scope_of(permission: str) -> UUID | None:
    """Whose rows the viewer may see: everybody's (None) with the permission, else their own."""
    return None if may(permission) else viewer().user_id


class OwnBookings(TypedDict):
    """Whose bookings the viewer may see; an agent's are also those that they made for customers."""

    owner: UUID | None
    agent: UUID | None


def own_bookings() -> OwnBookings:
    """Everybody's (None) with the permission to read them, else the viewer's own."""
    return {"owner": scope_of("bookings.read"), "agent": viewer().agent_id}


def own_key() -> str:
    """The request's idempotency key as use cases keep it: its sender's, for this method and address alone."""
    request = asked()
    return f"{viewer().user_id} {request.method} {request.path} {request.headers['Idempotency-Key']}"


def network_address() -> str:
    """Where the request came from; of our own proxies only as many are believed as TRUSTED_PROXIES says."""
    return asked().remote_addr or ""


def erasure_grace() -> timedelta:
    """How long a person may take back the wish to be erased."""
    return timedelta(days=use().system_settings.value(ERASURE_GRACE_DAYS))


class Device(TypedDict):
    """What a session remembers of whoever signs in."""

    user_agent: str
    address: str


def device() -> Device:
    """The device that the request came from."""
    return {"user_agent": asked().headers.get("User-Agent", ""), "address": network_address()}
