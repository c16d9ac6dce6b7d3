"""Tokens of what somebody was shown: whoever sends one back agrees to exactly that, and to nothing else.

They hold a fingerprint and an end, under a keyed digest: nothing is stored.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import orjson

from application.identity.ports import KeyedDigests


def token_of(fingerprint: str, *, purpose: str, until: datetime, digests: KeyedDigests) -> str:
    """A token for what has this fingerprint, good for one purpose until its time is over."""
    body = _text(orjson.dumps({"of": fingerprint, "for": purpose, "until": int(until.timestamp())}))
    return f"{body}.{_text(digests.of(body))}"


def fingerprint_in(token: str, *, purpose: str, at: datetime, digests: KeyedDigests) -> str | None:
    """What a token was made for; None for one that is over, of another purpose, or not ours."""
    body, _, seal = token.partition(".")
    try:
        if not digests.matches(body, _bytes(seal)):
            return None
        said: Mapping[str, Any] = orjson.loads(_bytes(body))
    except (binascii.Error, UnicodeEncodeError, orjson.JSONDecodeError):
        return None
    if said["for"] != purpose or said["until"] < at.timestamp():
        return None
    return str(said["of"])


def _text(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode("ascii").rstrip("=")


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
