"""Stripe's webhooks: verified over the bytes that came, and reduced to a hint about one payment."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

import stripe

from application.billing.ports import BadSignature, IrrelevantWebhook, UnreadableWebhook, WebhookNotice
from infrastructure.payment.stripe.wire import PROVIDER, Document, read_id, read_reference

SIGNATURE_HEADER: Final = "Stripe-Signature"
TOLERANCE_SECONDS: Final = 300
"""In both directions (guarantee P8); the library itself looks only backwards."""
LARGEST_BODY: Final = 256 * 1024

SESSION_EVENTS: Final = (
    "checkout.session.completed",
    "checkout.session.async_payment_succeeded",
    "checkout.session.async_payment_failed",
    "checkout.session.expired",
)
INTENT_EVENTS: Final = (
    "payment_intent.succeeded",
    "payment_intent.payment_failed",
    "payment_intent.canceled",
    "payment_intent.processing",
    "payment_intent.requires_action",
)
REFUND_EVENTS: Final = ("refund.created", "refund.updated", "refund.failed", "charge.refund.updated")
CHARGE_EVENTS: Final = ("charge.refunded",)
DISPUTE_EVENTS: Final = (
    "charge.dispute.created",
    "charge.dispute.updated",
    "charge.dispute.closed",
    "charge.dispute.funds_withdrawn",
    "charge.dispute.funds_reinstated",
)
EVENTS: Final = SESSION_EVENTS + INTENT_EVENTS + REFUND_EVENTS + CHARGE_EVENTS + DISPUTE_EVENTS
"""What an endpoint subscribes to (contract §3); everything else is answered and has no effect."""


def read_notice(body: bytes, headers: Mapping[str, str], *, secrets: tuple[str, ...], at: datetime) -> WebhookNotice:
    """The notice in a webhook.

    Raises BadSignature, UnreadableWebhook, or IrrelevantWebhook for a verified event that concerns no payment of
    this account. A test event is a notice too: the reading says which money it was (guarantee P5).
    """
    if len(body) > LARGEST_BODY:
        raise UnreadableWebhook(provider=PROVIDER, reason="too large")
    verify(body, _header(headers), secrets=secrets, at=at)
    event = _document(body)
    kind = event.get("type")
    if kind not in EVENTS or event.get("account"):
        # With `account` it is a connected account's own business.
        raise IrrelevantWebhook(kind)
    return _READERS[kind.rpartition(".")[0]](event, _object(event))


def verify(body: bytes, header: str, *, secrets: tuple[str, ...], at: datetime) -> None:
    """Raises BadSignature unless one of the secrets signed these bytes, at most five minutes from `at`."""
    if not header:
        raise BadSignature(provider=PROVIDER, reason="missing")
    if not any(_is_signed(body, header, secret) for secret in secrets):
        raise BadSignature(provider=PROVIDER, reason="wrong")
    if abs(at.timestamp() - _signed_at(header)) > TOLERANCE_SECONDS:
        raise BadSignature(provider=PROVIDER, reason="too old or too new")


def _signed_at(header: str) -> int:
    """The seconds that the signature is over: read exactly as the library reads them, or another time would count."""
    parts = [part.split("=", 2) for part in header.split(",")]
    return int(next(part[1] for part in parts if part[0] == "t"))


def _is_signed(body: bytes, header: str, secret: str) -> bool:
    """Whether the library finds the secret's signature, in constant time; its age is looked at afterwards.

    A forger chooses the bytes: those that are no UTF-8, and signatures that are no ASCII, end as ValueError
    and TypeError.
    """
    try:
        return bool(stripe.WebhookSignature.verify_header(body, header, secret, tolerance=None))
    except (stripe.SignatureVerificationError, ValueError, TypeError):
        return False


def _of_session(event: Document, session: Document) -> WebhookNotice:
    return _notice(
        event,
        provider_reference=_required(session, "id"),
        merchant_reference=read_reference(session),
        charge_reference=read_id(session.get("payment_intent")),
    )


def _of_intent(event: Document, intent: Document) -> WebhookNotice:
    return _notice(event, merchant_reference=read_reference(intent), charge_reference=_required(intent, "id"))


def _of_refund(event: Document, refund: Document) -> WebhookNotice:
    """Its metadata names the refund, not the attempt, so no merchant reference is told."""
    return _notice(event, charge_reference=_intent_of(refund, "charge"), is_about_refund=True)


def _of_charge(event: Document, charge: Document) -> WebhookNotice:
    return _notice(event, charge_reference=_intent_of(charge, "id"), is_about_refund=True)


def _of_dispute(event: Document, dispute: Document) -> WebhookNotice:
    return _notice(event, charge_reference=_intent_of(dispute, "charge"))


_READERS: Final[Mapping[str, Callable[[Document, Document], WebhookNotice]]] = {
    "checkout.session": _of_session,
    "payment_intent": _of_intent,
    "refund": _of_refund,
    "charge.refund": _of_refund,
    "charge": _of_charge,
    "charge.dispute": _of_dispute,
}


def _notice(
    event: Document,
    *,
    provider_reference: str = "",
    merchant_reference: str = "",
    charge_reference: str,
    is_about_refund: bool = False,
) -> WebhookNotice:
    return WebhookNotice(
        event_key=_required(event, "id"),
        event_type=event["type"],
        provider_reference=provider_reference,
        merchant_reference=merchant_reference,
        reference_number="",
        charge_reference=charge_reference,
        is_about_refund=is_about_refund,
    )


def _intent_of(document: Document, otherwise: str) -> str:
    """The PaymentIntent of a charge; one that has none was not ours, and its own id says so to whoever looks."""
    return read_id(document.get("payment_intent")) or _required(document, otherwise)


def _required(document: Document, member: str) -> str:
    found = read_id(document.get(member))
    if not found:
        raise UnreadableWebhook(provider=PROVIDER, reason=f"{member} is missing")
    return found


def _object(event: Document) -> Document:
    inner = event.get("data")
    found = inner.get("object") if isinstance(inner, dict) else None
    if not isinstance(found, dict):
        raise UnreadableWebhook(provider=PROVIDER, reason="it speaks of nothing")
    return found


def _document(body: bytes) -> dict[str, Any]:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError) as trouble:
        raise UnreadableWebhook(provider=PROVIDER, reason="no JSON") from trouble
    if not isinstance(document, dict) or not isinstance(document.get("type"), str):
        raise UnreadableWebhook(provider=PROVIDER, reason="no event")
    return document


def _header(headers: Mapping[str, str]) -> str:
    return next((value for name, value in headers.items() if name.lower() == SIGNATURE_HEADER.lower()), "")
