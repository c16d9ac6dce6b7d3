"""Where customers come back to after a provider's page, and where they go on to from there.

Providers are given our own return page alone, under a token that nobody can guess. It takes nobody further by itself
but to addresses that this installation names (docs/manual-payments.md says why).
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from urllib.parse import urlsplit
from uuid import UUID

from application.identity.ports import KeyedDigests
from domain.billing.payments import AttemptStatus, PaymentStatus

LONGEST_ADDRESS: Final = 1000


@dataclass(frozen=True, slots=True)
class ReturnPage:
    """Makes and reads the addresses of the return page; `public_url` has no slash at its end."""

    public_url: str
    digests: KeyedDigests

    def address(self, payment_id: UUID, *, outcome: str) -> str:
        """Where a provider sends the customer; `outcome` is its word, which proves nothing."""
        return f"{self.public_url}/payments/return?t={self.token(payment_id)}&outcome={outcome}"

    def token(self, payment_id: UUID) -> str:
        """The payment's id with a keyed digest of it: who knows the id alone does not know the page."""
        told = payment_id.bytes + self.digests.of(_about(payment_id))
        return base64.urlsafe_b64encode(told).rstrip(b"=").decode()

    def payment_of(self, token: str) -> UUID | None:
        """The payment that a token is for; None for one that was not given out."""
        try:
            told = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
            payment_id = UUID(bytes=told[:16])
        except (ValueError, binascii.Error):
            return None
        return payment_id if self.digests.matches(_about(payment_id), told[16:]) else None


def _about(payment_id: UUID) -> str:
    return f"return page of {payment_id}"


@dataclass(frozen=True, slots=True)
class AppAddresses:
    """Our own apps and sites: exact hosts (https, with the port where it is not 443) and custom schemes."""

    hosts: frozenset[str] = frozenset()
    schemes: frozenset[str] = frozenset()

    @classmethod
    def of(cls, named: tuple[str, ...]) -> AppAddresses:
        """As the settings name them: `app.example.com`, `app.example.com:8443`, `myapp://`."""
        return cls(
            hosts=frozenset(name.lower() for name in named if not name.endswith("://")),
            schemes=frozenset(name.removesuffix("://") for name in named if name.endswith("://")),
        )

    def may_be_asked_for(self, address: str) -> bool:
        """Whether a payer may name it: any http or https address, or one of our apps'."""
        # urlsplit drops line breaks in silence; a header or a text column takes no control character at all.
        if len(address) > LONGEST_ADDRESS or not address.isprintable() or " " in address or "\\" in address:
            return False
        try:
            parts = urlsplit(address)
            is_web = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        except ValueError:
            return False
        return is_web or parts.scheme in self.schemes

    def are_ours(self, address: str) -> bool:
        """Whether customers are taken there without being asked."""
        if not self.may_be_asked_for(address):
            return False
        parts = urlsplit(address)
        if parts.scheme in self.schemes:
            return True
        # Without a name before the host: `https://ours@theirs/` is theirs, and looks like ours.
        return parts.scheme == "https" and parts.netloc.lower().removesuffix(":443") in self.hosts


def host_of(address: str) -> str:
    """What people are told of where an address leads: its host, or the app's scheme.

    A host of other letters is told as the network knows it (`xn--…`): one that looks like ours is not shown like it.
    """
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https"):
        return f"{parts.scheme}://"
    host = parts.hostname or ""
    try:
        return host.encode("idna").decode("ascii")
    except UnicodeError:
        return ascii(host)[1:-1]


class ReturnState(StrEnum):
    """What a customer who comes back is told."""

    PAID = "paid"
    WAITING = "waiting"
    REVIEW = "review"
    """Money came that settles nothing; a person looks at it."""
    LEFT = "left"
    """Not paid when they left the provider's page; may still be."""
    FAILED = "failed"
    CANCELLED = "cancelled"


def state_of(status: str, attempt_status: str | None, *, came_by: str) -> ReturnState:
    """What our own rows say of a payment; how the customer came back (`came_by`) only colours an open one."""
    if status in (PaymentStatus.PAID, PaymentStatus.PARTIALLY_REFUNDED, PaymentStatus.REFUNDED):
        return ReturnState.PAID
    if attempt_status == AttemptStatus.PAID:
        return ReturnState.REVIEW
    if status == PaymentStatus.CANCELLED:
        return ReturnState.CANCELLED
    if status == PaymentStatus.FAILED or attempt_status in (AttemptStatus.FAILED, AttemptStatus.EXPIRED):
        return ReturnState.FAILED
    return ReturnState.LEFT if came_by == "cancel" else ReturnState.WAITING
