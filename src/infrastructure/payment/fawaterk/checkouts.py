"""What a customer pays with: the page, the code or the wallet request in the answer of a create call."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final
from urllib.parse import urlsplit

from application.billing.ports import Checkout, CheckoutRequest
from infrastructure.payment.fawaterk import wire
from infrastructure.payment.fawaterk.readings import unknown

REFERENCES: Final = (
    "fawryCode",
    "fawry_code",
    "amanCode",
    "aman_code",
    "masaryCode",
    "masary_code",
    "meezaReference",
    "referenceNumber",
)
"""Where the code that is paid at a counter, or the wallet's reference, was seen (contract §3.3, §4)."""

Members = Mapping[str, object]


def hosted(
    opened: Members,
    request: CheckoutRequest,
    *,
    reference: str,
    key: str,
    base_url: str,
    until: datetime | None = None,
) -> Checkout:
    """A checkout on Fawaterk's page, open no longer than `until`. Raises OutcomeUnknown where the answer names none."""
    url = page(opened.get("url"), base_url)
    if url is None:
        raise unknown("the answer has no page to send the customer to")
    return Checkout(
        provider_reference=reference,
        provider_key=key,
        url=url,
        reference_number=None,
        qr_code=None,
        expires_at=min(request.expires_at, until or request.expires_at),
    )


def direct(means: Members, request: CheckoutRequest, *, reference: str, key: str, base_url: str) -> Checkout:
    """A checkout by code or wallet. Raises OutcomeUnknown where the answer has nothing to pay with.

    `qr_code` is EMV text: whoever shows it draws it.
    """
    told_qr = means.get("meezaQrCode")
    checkout = Checkout(
        provider_reference=reference,
        provider_key=key,
        url=page(means.get("redirectTo"), base_url),
        reference_number=wire.read_identifier(wire.first_told(means, *REFERENCES)) or None,
        qr_code=told_qr if isinstance(told_qr, str) and told_qr else None,
        expires_at=_end(means) or request.expires_at,
    )
    if not (checkout.url or checkout.reference_number or checkout.qr_code):
        raise unknown("the answer has nothing to pay with")
    return checkout


def page(url: object, base_url: str) -> str | None:
    """An address that a customer can be sent to: https, or http where Fawaterk itself is on loopback."""
    schemes = ("https://", f"{urlsplit(base_url).scheme}://")
    return url if isinstance(url, str) and url.startswith(schemes) else None


def identity(opened: Members, member: str) -> str:
    """Raises OutcomeUnknown where the answer does not name what it created."""
    identifier = wire.read_identifier(opened.get(member))
    if not identifier:
        raise unknown(f"the answer has no {member}")
    return identifier


def _end(means: Members) -> datetime | None:
    return wire.read_time(means.get("expireDate")) or wire.read_time(means.get("expirationTime"))
