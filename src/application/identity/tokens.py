"""Random tokens that are shown once and kept as hashes."""

from __future__ import annotations

import hashlib
import secrets


def fresh_token() -> str:
    """256 random bits, safe in an address."""
    return secrets.token_urlsafe(32)


def fresh_mailed_token() -> str:
    """192 random bits: short enough to be typed from a mail."""
    return secrets.token_urlsafe(24)


def digest(token: str) -> bytes:
    """SHA-256 of a random token: what is kept of it."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
