"""What billing needs from outside: payment gateways, and the maker of invoice documents."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import ClassVar, Protocol
from uuid import UUID

from application.ledger.books_ports import StatementDocument
from application.payouts.statement_ports import PayoutStatementDocument
from application.sales.manifest_ports import ManifestDocument
from domain.ledger.reconciliation import ProviderStatement
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


class IrrelevantWebhook(Exception):
    """A verified webhook of a kind that concerns no payment: it is answered, and has no effect."""


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
    created_at: datetime
    """When the attempt was stored: what a provider's shortest and longest lifetimes are counted from."""


@dataclass(frozen=True, slots=True)
class ProviderIdentity:
    """How a provider knows one attempt; what is not known yet is empty.

    References are text whatever the provider's type: ids outgrow 32 bits.
    """

    reference: str
    """Its invoice, intent or checkout session: what the create call answered."""
    key: str = ""
    """The second half of the reference (Fawaterk's invoice key), empty where the provider has none."""
    charge: str = ""
    """Its name for the charge itself, once there is one: Stripe's PaymentIntent, Fawaterk's transaction."""


@dataclass(frozen=True, slots=True)
class Checkout:
    """An open checkout."""

    provider_reference: str
    provider_key: str
    url: str | None
    reference_number: str | None
    qr_code: str | None
    expires_at: datetime | None

    @property
    def identity(self) -> ProviderIdentity:
        return ProviderIdentity(self.provider_reference, self.provider_key)


class ReadingStatus(StrEnum):
    """What the provider says of an attempt now."""

    OPEN = "OPEN"
    """Not paid, may still be."""
    PAID = "PAID"
    FAILED = "FAILED"
    """Final at the provider: cannot be paid any more."""
    NOT_FOUND = "NOT_FOUND"


class RefundState(StrEnum):
    """What the provider says of a refund now."""

    PENDING = "PENDING"
    """Asked for, approved later: by people at Fawaterk, by a bank at Stripe."""
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    """Refused, or sent back after it had succeeded: the money is the merchant's again."""


@dataclass(frozen=True, slots=True)
class RefundReading:
    """One refund of an attempt's charge as the provider knows it, whoever asked for it."""

    provider_refund_reference: str
    merchant_reference: str
    """Ours (`RefundRequest.merchant_reference`); empty for a refund that was made on the provider's dashboard."""
    amount: Money
    """In the currency of the charge, above zero."""
    state: RefundState
    reason: str = ""
    """The provider's own word for why it failed."""


class DisputeState(StrEnum):
    """What the provider says of a dispute now."""

    OPEN = "OPEN"
    WON = "WON"
    LOST = "LOST"


@dataclass(frozen=True, slots=True)
class DisputeReading:
    """A customer's bank questions a charge."""

    provider_dispute_reference: str
    amount: Money
    state: DisputeState
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Reading:
    """The authenticated answer to "what became of it?"; the only thing that settles, refunds or disputes a payment.

    It is the whole truth of the moment, never a difference: whoever reads twice learns the same twice.
    """

    status: ReadingStatus
    provider_reference: str
    provider_key: str
    paid: tuple[Money, ...]
    """Each successful charge, in the currency it was charged in; two where the customer paid twice.

    A charge stays in the list, and in its place, when it is refunded or disputed.
    """
    live: bool
    """Real money (True) or the provider's test mode."""
    merchant_reference: str = ""
    """Ours, as the provider kept it; proves whose a reference is that only a webhook told. Empty if untold."""
    charge_reference: str = ""
    """`ProviderIdentity.charge`, once there is one."""
    refunds: tuple[RefundReading, ...] = ()
    """All refunds of these charges; always empty where `Capabilities.tells_refunds` is False."""
    disputes: tuple[DisputeReading, ...] = ()

    @property
    def tells_of_money_back(self) -> bool:
        """Whether it names refunds or disputes; else nothing can have gone back by it."""
        return bool(self.refunds or self.disputes)


@dataclass(frozen=True, slots=True)
class WebhookNotice:
    """A verified webhook, reduced to what is believed: that something happened to this reference."""

    event_key: str
    """Stable for redeliveries of the same event; unique per provider."""
    event_type: str
    provider_reference: str
    """Empty where the provider names only `merchant_reference`, `charge_reference` or a cash code."""
    merchant_reference: str
    reference_number: str
    provider_key: str = ""
    """The second half of the provider's identity, where the notice names it."""
    charge_reference: str = ""
    """`ProviderIdentity.charge`: all that notices of refunds and disputes name."""
    is_about_refund: bool = False
    """Whether it tells of a refund; where readings do not tell refunds, a person has to look (guarantee P6)."""


@dataclass(frozen=True, slots=True)
class RefundRequest:
    """Give back a part of a charge; stable across retries of the same part of a refund."""

    merchant_reference: str
    """Ours, the idempotency key at the provider (`rf_…`)."""
    identity: ProviderIdentity
    amount: Money
    charged: Money
    """The whole charge that it is a part of."""
    reason: str
    """For the provider's records: no personal data."""


@dataclass(frozen=True, slots=True)
class RefundAnswer:
    """What the provider made of the request: PENDING, SUCCEEDED, or FAILED where it took and at once refused it."""

    provider_refund_reference: str
    state: RefundState
    reason: str = ""


@dataclass(frozen=True, slots=True)
class TransferRequest:
    """Send money on to a payee's account at the provider; stable across retries."""

    merchant_reference: str
    """Ours, the idempotency key at the provider (`tr_…`)."""
    destination: str
    """The payee's account as the provider names it (Stripe: `acct_…`)."""
    amount: Money
    description: str


class TransferState(StrEnum):
    """What the provider says of a transfer now."""

    PENDING = "PENDING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    """Refused or reversed: the money is the merchant's."""


@dataclass(frozen=True, slots=True)
class TransferReading:
    """One transfer as the provider knows it."""

    provider_transfer_reference: str
    merchant_reference: str
    amount: Money
    state: TransferState


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What a gateway can do beyond taking money; asked before it is asked for."""

    refunds: bool
    """Whether `refund` gives money back; else staff do it on the provider's dashboard and confirm it."""
    tells_refunds: bool
    """Whether readings list refunds and disputes."""
    repeats_creation: bool
    """Whether `create_checkout` may be called again with the same request: it answers the same checkout."""
    pays_out: bool = False
    """Whether `transfer` sends money on to payees."""
    states: bool = False
    """Whether `statement` lists what the provider booked."""


class PaymentGateway(Protocol):
    """A way to take money. Called outside every transaction and lock; raises only this module's errors.

    `create_checkout` is called once per attempt, after the attempt is stored; after OutcomeUnknown it is repeated
    only where `capabilities.repeats_creation`. `read` asks the provider with our credentials and changes nothing;
    an identity without a reference is read by its charge, or refused (ProviderRefused) where the provider knows no
    other way than its reference. A webhook is proof of nothing but its sender:
    `parse_webhook` checks the signature over the bytes received and says which attempt to read, or raises
    IrrelevantWebhook where a verified one concerns no payment.

    `refund` and `transfer` carry our reference, and called again with the same one they move no second sum. They
    raise ProviderRefused where nothing moves, ProviderUnreachable where nothing was sent, OutcomeUnknown where
    nobody knows; then `read` and `read_transfer` tell. A gateway that lacks a capability raises ProviderRefused.
    """

    name: ClassVar[str]
    """Upper case, as in the API and in rows: FAWATERK, STRIPE, MANUAL, SANDBOX."""
    methods: ClassVar[frozenset[str]]
    """The payment methods that it can open a checkout for."""

    @property
    def capabilities(self) -> Capabilities: ...

    def offered(self) -> frozenset[str]:
        """Which of `methods` the account at the provider offers now. Raises ProviderUnreachable."""
        ...

    def create_checkout(self, request: CheckoutRequest) -> Checkout: ...

    def read(self, identity: ProviderIdentity) -> Reading: ...

    def parse_webhook(self, body: bytes, headers: Mapping[str, str]) -> WebhookNotice: ...

    def refund(self, request: RefundRequest) -> RefundAnswer: ...

    def transfer(self, request: TransferRequest) -> TransferReading: ...

    def read_transfer(self, merchant_reference: str, provider_transfer_reference: str) -> TransferReading | None:
        """What became of a transfer; None where the provider knows nothing of it."""
        ...

    def statement(self, day: date) -> ProviderStatement:
        """What the provider booked on a day in Cairo: charges under the reference that `Reading` has."""
        ...


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

    def prepare(self) -> None:
        """Load what every drawing needs. A process that forks to draw calls it first, so that no fork has to."""
        ...

    def invoice(self, document: InvoiceDocument, language: str) -> bytes:
        """The invoice in `ar` (right to left), `en`, or `both` (one language after the other)."""
        ...

    def statement(self, document: StatementDocument, language: str) -> bytes:
        """The statement of account, in the same languages."""
        ...

    def payout_statement(self, document: PayoutStatementDocument, language: str) -> bytes:
        """What a payout consists of, in the same languages."""
        ...

    def manifest(self, document: ManifestDocument, language: str) -> bytes:
        """Who travels on a departure, in the same languages."""
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
