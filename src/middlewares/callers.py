"""Who calls, as far as counting and remembering needs it: never an address or a token, only keyed digests of them."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from domain.shared.network import subscriber_of
from middlewares.at_hand import asked, dependencies

REMEMBERED = 4096
"""Digests of addresses and tokens that a process remembers: who calls once calls again."""


def caller_address() -> str:
    """A digest of the address that the request came from."""
    return _of_address(dependencies().digests.of, asked().remote_addr or "")


def caller() -> str:
    """A digest of the bearer token where there is one, else of the address."""
    token = asked().environ.get("HTTP_AUTHORIZATION", "")
    return _of_token(dependencies().digests.of, token) if token else caller_address()


def keyed_digest(text: str) -> bytes:
    """A digest that nobody can compute without the installation's key."""
    return dependencies().digests.of(text)


@lru_cache(maxsize=REMEMBERED)
def _of_address(digest: Callable[[str], bytes], address: str) -> str:
    return f"a{digest(subscriber_of(address))[:12].hex()}"


@lru_cache(maxsize=REMEMBERED)
def _of_token(digest: Callable[[str], bytes], token: str) -> str:
    return f"t{digest(token)[:12].hex()}"
