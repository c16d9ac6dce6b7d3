"""Who calls, as far as counting and remembering needs it: never an address or a token, only digests of them."""

from __future__ import annotations

import hashlib
import ipaddress
from functools import lru_cache

from flask import current_app, request

_KEY = "altayar.callers"


def digest_callers_with(secret: str) -> bytes:
    """The key of every digest here: without it an IPv4 address could be found by trying all of them."""
    return hashlib.blake2b(secret.encode(), digest_size=32, person=b"altayar callers").digest()


def caller_address() -> str:
    """A digest of the address that the request came from."""
    return _address_digest(current_app.config[_KEY], request.remote_addr or "")


def caller() -> str:
    """A digest of the bearer token where there is one, else of the address."""
    token = request.headers.get("Authorization", "")
    if not token:
        return caller_address()
    return f"t{hashlib.blake2b(token.encode(), digest_size=12, key=current_app.config[_KEY]).hexdigest()}"


def keyed_digest(content: bytes) -> bytes:
    """A digest that nobody can compute without the installation's key."""
    return hashlib.blake2b(content, digest_size=32, key=current_app.config[_KEY]).digest()


@lru_cache(maxsize=4096)
def _address_digest(key: bytes, address: str) -> str:
    return f"a{hashlib.blake2b(_network(address).encode(), digest_size=12, key=key).hexdigest()}"


def _network(address: str) -> str:
    """An IPv6 caller has a whole /64 to choose addresses from."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if parsed.version == 4:
        return address
    return str(ipaddress.ip_network((parsed, 64), strict=False).network_address)


def remember_key(config: dict[str, object], secret: str) -> None:
    """Keep the key of the digests in an app's configuration."""
    config[_KEY] = digest_callers_with(secret)
