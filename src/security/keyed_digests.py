"""Digests with a key: of codes and numbers so short that a plain hash could be undone by trying them all."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF


class HmacDigests:
    """Implements `application.identity.ports.KeyedDigests` (HMAC-SHA-256); the first secret makes, all compare."""

    def __init__(self, secrets: Sequence[str]) -> None:
        self._keys = [_key(secret) for secret in secrets]

    def of(self, text: str) -> bytes:
        return _digest(self._keys[0], text)

    def matches(self, text: str, kept: bytes) -> bool:
        return any(hmac.compare_digest(_digest(key, text), kept) for key in self._keys)


def _digest(key: bytes, text: str) -> bytes:
    return hmac.digest(key, text.encode("utf-8", "surrogatepass"), hashlib.sha256)


def _key(secret: str) -> bytes:
    # Another purpose, another key: field encryption derives its own from the same secrets (RFC 5869 §3.2).
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=b"altayar digests").derive(secret.encode())
