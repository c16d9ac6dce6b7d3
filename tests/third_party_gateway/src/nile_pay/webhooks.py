"""Nile Pay's webhooks: `Nile-Signature: t=<unix seconds>,v1=<hex HMAC-SHA256 over "t.body">`."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Final

from application.billing.ports import BadSignature, UnreadableWebhook, WebhookNotice
from nile_pay.documents import PROVIDER

HEADER: Final = "Nile-Signature"
TOLERANCE_SECONDS: Final = 300

_SIGNATURE: Final = re.compile(r"t=(\d{1,12}),v1=([0-9a-f]{64})")


def notice(body: bytes, headers: Mapping[str, str], *, secret: str, at: datetime) -> WebhookNotice:
    """Check the signature over the bytes received, then say which attempt to read."""
    _verify(body, headers, secret, at)
    event = _event(body)
    return WebhookNotice(
        event_key=_word(event, "id"),
        event_type=_word(event, "type"),
        provider_reference=_word(event, "checkout"),
        merchant_reference=_word(event, "reference"),
        reference_number="",
        is_about_refund=_word(event, "type").startswith("refund."),
    )


def signature(body: bytes, *, secret: str, seconds: str) -> str:
    return hmac.new(secret.encode(), seconds.encode() + b"." + body, hashlib.sha256).hexdigest()


def _verify(body: bytes, headers: Mapping[str, str], secret: str, at: datetime) -> None:
    given = next((value for name, value in headers.items() if name.lower() == HEADER.lower()), "")
    found = _SIGNATURE.fullmatch(given)
    if found is None:
        raise BadSignature(provider=PROVIDER, reason="missing" if not given else "unreadable")
    seconds, offered = found.groups()
    if not hmac.compare_digest(offered, signature(body, secret=secret, seconds=seconds)):
        raise BadSignature(provider=PROVIDER, reason="wrong")
    if abs(at.timestamp() - int(seconds)) > TOLERANCE_SECONDS:
        raise BadSignature(provider=PROVIDER, reason="too old or too new")


def _event(body: bytes) -> Mapping[str, object]:
    try:
        event = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise UnreadableWebhook(provider=PROVIDER, reason="no JSON") from error
    if not isinstance(event, dict):
        raise UnreadableWebhook(provider=PROVIDER, reason="no object")
    return event


def _word(event: Mapping[str, object], name: str) -> str:
    value = event.get(name)
    if not isinstance(value, str) or not value.isprintable() or not 1 <= len(value) <= 200:
        raise UnreadableWebhook(provider=PROVIDER, reason=f"{name} is missing or no plain text")
    return value
