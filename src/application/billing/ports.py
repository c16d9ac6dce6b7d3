"""What billing needs from outside: payment gateways, and the maker of invoice documents."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import ClassVar, Protocol
from uuid import UUID

from application.ledger.books_ports import StatementDocument
from domain.shared.errors import NotAllowed, NotFound, RuleBroken, Unavailable
from domain.shared.money import Money


class ProviderRefused(RuleBroken):
    """The provider understood and said no: nothing was charged, and asking again the same way is useless."""

    code = "provider_refused"


class ProviderUnreachable(Unavailable):
    """No connection was made, or the breaker is open: certain that the provider saw nothing."""

    code = "provider_unavailable"


class OutcomeUnknown(Unavailable):
    """Timeout, 5xx or nonsense after the request left: it may have had its effect; never retried blindly."""

    code = "provider_outcome_unknown"


class BadSignature(NotAllowed):
    """A webhook without a valid signature; nothing in it is believed."""

    code = "bad_signature"


class UnreadableWebhook(RuleBroken):
    """A webhook body that is neither of the provider's content types, or misses what identifies it."""

    code = "unreadable_webhook"


class UnknownGateway(NotFound):
    """No enabled gateway has this name."""

    code = "unknown_provider"


@dataclass(frozen=True, slots=True)
class Payer:
    """Who pays, as the provider's page shows it; `phone` as the customer wrote it, or empty."""

    first_name: str
    last_name: str
    email: str
    phone: str


@dataclass(frozen=True, slots=True)
class CheckoutRequest:
    """Everything a provider needs to open a page for one attempt; stable across retries of that attempt."""

    attempt_id: UUID
    merchant_reference: str
    """Ours, derived from the attempt: what a provider echoes and refuses to use twice."""
    amount: Money
    description: str
    method: str
    payer: Payer
    success_url: str
    cancel_url: str
    webhook_url: str
    locale: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Checkout:
    """An open checkout. References are text whatever the provider's type: ids outgrow 32 bits."""

    provider_reference: str
    provider_key: str
    """The provider's second half of the identity (Fawaterk's invoice key), empty where it has none."""
    url: str | None
    reference_number: str | None
    qr_code: str | None
    expires_at: datetime | None


class ReadingStatus(StrEnum):
    """What the provider says of an attempt now."""

    OPEN = "OPEN"
    """Not paid, may still be."""
    PAID = "PAID"
    FAILED = "FAILED"
    """Final at the provider: cannot be paid any more."""
    NOT_FOUND = "NOT_FOUND"


@dataclass(frozen=True, slots=True)
class Reading:
    """The authenticated answer to "what became of it?"; the only thing that settles a payment."""

    status: ReadingStatus
    provider_reference: str
    provider_key: str
    paid: tuple[Money, ...]
    """Each successful charge, in the currency it was charged in; two where the customer paid twice."""
    live: bool
    """Real money (True) or the provider's test mode."""
    merchant_reference: str = ""
    """Ours, as the provider kept it; proves whose a reference is that only a webhook told. Empty if untold."""


@dataclass(frozen=True, slots=True)
class WebhookNotice:
    """A verified webhook, reduced to what is believed: that something happened to this reference."""

    event_key: str
    """Stable for redeliveries of the same event; unique per provider."""
    event_type: str
    provider_reference: str
    """Empty where the provider names only `merchant_reference` or a cash code."""
    merchant_reference: str
    reference_number: str
    provider_key: str = ""
    """The second half of the provider's identity, where the notice names it."""


class PaymentGateway(Protocol):
    """A way to take money. Called outside every transaction and lock; raises only this module's errors.

    `create_checkout` is called once per attempt, after the attempt is stored; it is never repeated
    after OutcomeUnknown. `read` asks the provider with our credentials and changes nothing. A webhook
    is proof of nothing but its sender: `parse_webhook` checks the signature over the bytes received
    and says which attempt to read.
    """

    name: ClassVar[str]
    """Upper case, as in the API and in rows: FAWATERK, STRIPE, MANUAL, SANDBOX."""
    methods: ClassVar[frozenset[str]]
    """The payment methods that it can open a checkout for."""

    def create_checkout(self, request: CheckoutRequest) -> Checkout: ...

    def read(self, provider_reference: str, provider_key: str) -> Reading: ...

    def parse_webhook(self, body: bytes, headers: Mapping[str, str]) -> WebhookNotice: ...


class Gateways(Protocol):
    """The gateways that this installation has enabled, found by name."""

    def get(self, name: str) -> PaymentGateway:
        """The gateway of that name, any case. Raises UnknownGateway."""
        ...

    def names(self) -> tuple[str, ...]: ...


@dataclass(frozen=True, slots=True)
class InvoiceLine:
    """One printed row; quantity × unit price = total."""

    description_ar: str
    description_en: str
    quantity: int
    unit_price: Money
    total: Money


@dataclass(frozen=True, slots=True)
class InvoiceDocument:
    """What an invoice shows, complete in itself: nothing else is read while it is drawn."""

    invoice_number: str
    invoice_type: str
    status: str
    issue_date: date
    paid_date: date | None
    customer_name: str
    customer_email: str
    booking_number: str
    payment_number: str
    payment_method: str
    lines: tuple[InvoiceLine, ...]
    subtotal: Money
    discount: Money
    tax_rate: str
    tax: Money
    total: Money


class DocumentRenderer(Protocol):
    """Draws documents as PDF; reads no network and no file but its own fonts and templates."""

    def invoice(self, document: InvoiceDocument, language: str) -> bytes:
        """The invoice in `ar` (right to left), `en`, or `both` (one language after the other)."""
        ...

    def statement(self, document: StatementDocument, language: str) -> bytes:
        """The statement of account, in the same languages."""
        ...


class ObjectStorage(Protocol):
    """Keeps files by key; keys are made here, never by users."""

    def put(self, key: str, content: bytes, content_type: str) -> None:
        """Store under a key, replacing what was there; afterwards `get` answers these bytes or nothing."""
        ...

    def get(self, key: str) -> bytes | None: ...

    def delete(self, key: str) -> None:
        """Forget what lies under a key; afterwards `get` answers None. One that is not there is no fault."""
        ...
