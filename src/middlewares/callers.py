"""Who calls, as far as counting and remembering needs it: never an address or a token, only keyed digests of them."""

from __future__ import annotations

from flask import current_app, request

from application.dependencies import Dependencies
from domain.shared.network import subscriber_of


def caller_address() -> str:
    """A digest of the address that the request came from."""
    return f"a{keyed_digest(subscriber_of(request.remote_addr or ''))[:12].hex()}"


def caller() -> str:
    """A digest of the bearer token where there is one, else of the address."""
    token = request.headers.get("Authorization", "")
    return f"t{keyed_digest(token)[:12].hex()}" if token else caller_address()


def keyed_digest(text: str) -> bytes:
    """A digest that nobody can compute without the installation's key."""
    use: Dependencies = current_app.extensions["altayar"]
    return use.digests.of(text)
