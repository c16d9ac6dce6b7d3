"""The sandbox: a gateway to books of our own, for demonstrations and tests; it takes no money.

It keeps a provider's manners: it refuses to be called inside a transaction, answers from its books alone,
and tells of payments by signed webhooks over HTTP that the merchant's own route receives.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import ClassVar, Final
from urllib.parse import urlsplit
from uuid import UUID

import orjson

from application.billing.ports import (
    BadSignature,
    Capabilities,
    Checkout,
    CheckoutRequest,
    DisputeReading,
    DisputeState,
    OutcomeUnknown,
    ProviderIdentity,
    ProviderRefused,
    Reading,
    ReadingStatus,
    RefundAnswer,
    RefundReading,
    RefundRequest,
    RefundState,
    TransferReading,
    TransferRequest,
    TransferState,
    UnreadableWebhook,
    WebhookNotice,
)
from application.billing.sandbox import SandboxNotice, SandboxProvider, WebhookNotDelivered
from application.trying_again import TryAgain
from config.settings import WEAK_BELOW_BYTES, Settings, SettingsError
from domain.billing.sandbox import CheckoutNotFound, NoticeType, SandboxCheckout
from domain.billing.sandbox_refunds import SandboxDispute, SandboxRefund, SandboxTransfer
from domain.ledger.reconciliation import ProviderStatement
from domain.shared.clock import Clock
from domain.shared.errors import Conflict, Unavailable
from domain.shared.money import total
from infrastructure.clock import new_id
from infrastructure.database.platform.sandbox import SqlSandboxBooks
from infrastructure.database.platform.sandbox_refunds import SqlSandboxRefunds
from infrastructure.database.transaction import Database
from infrastructure.payment.exchange import Cut, Exchange, NothingSent
from infrastructure.payment.registry import GatewayContext

SIGNATURE_HEADER: Final = "X-Sandbox-Signature"
TOLERANCE: Final = timedelta(minutes=5)
"""How far a webhook's time may be from ours, in both directions (guarantee P8)."""
LARGEST_BODY: Final = 256 * 1024
CONNECT_SECONDS: Final = 2.0
TOTAL_SECONDS: Final = 10.0

_SIGNATURE: Final = re.compile(r"t=(\d{1,12}),v1=([0-9a-f]{64})")


def create_gateway(context: GatewayContext) -> SandboxGateway:
    """The sandbox's gateway. Raises SettingsError in production, and without a secret to sign with."""
    _refuse_unusable(context.settings)
    return SandboxGateway(
        SqlSandboxBooks(context.database, context.settings.sandbox_secret),
        SqlSandboxRefunds(context.database),
        database=context.database,
        settings=context.settings,
        clock=context.clock,
    )


def create_provider(context: GatewayContext) -> SandboxProvider:
    """What the sandbox's page and its webhooks need. Raises SettingsError as `create_gateway` does."""
    _refuse_unusable(context.settings)
    secret = context.settings.sandbox_secret
    return SandboxProvider(
        books=SqlSandboxBooks(context.database, secret),
        webhooks=HttpSandboxWebhooks(secret, clock=context.clock),
    )


def _refuse_unusable(settings: Settings) -> None:
    if settings.is_production:
        raise SettingsError("PAYMENT_GATEWAYS: sandbox takes no money and is refused in production")
    if len(settings.sandbox_secret.encode()) < WEAK_BELOW_BYTES:
        raise SettingsError(f"SANDBOX_SECRET is missing or shorter than {WEAK_BELOW_BYTES} bytes")


class SandboxGateway:
    """The PaymentGateway over the sandbox's books; the same merchant reference answers the same checkout."""

    name: ClassVar[str] = "SANDBOX"
    methods: ClassVar[frozenset[str]] = frozenset(
        {"CREDIT_CARD", "DEBIT_CARD", "FAWRY", "MEEZA", "VODAFONE_CASH", "OTHER"}
    )

    def __init__(
        self,
        books: SqlSandboxBooks,
        refunds: SqlSandboxRefunds,
        *,
        database: Database,
        settings: Settings,
        clock: Clock,
    ) -> None:
        self._books = books
        self._refunds = refunds
        self._database = database
        self._pages = f"{settings.backend_url}/sandbox/checkout"
        self._secret = settings.sandbox_secret
        self._clock = clock

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(refunds=True, tells_refunds=True, repeats_creation=True, pays_out=True, states=True)

    def offered(self) -> frozenset[str]:
        return self.methods

    def refund(self, request: RefundRequest) -> RefundAnswer:
        """Once for each merchant reference, never above what was charged; the amount says how it ends."""
        try:
            checkout_id, now = UUID(request.identity.reference), self._clock.now()
            with self._as_a_provider():
                made = self._refunds.refund(checkout_id, request.merchant_reference, request.amount, at=now)
        except (ValueError, CheckoutNotFound) as unknown:
            raise ProviderRefused(provider=self.name, reason="there is no such charge") from unknown
        if made is None:
            raise ProviderRefused(provider=self.name, reason="it is more than is left of the charge")
        if (made.checkout_id, made.amount) != (checkout_id, request.amount):
            raise ProviderRefused(provider=self.name, reason="the merchant reference was used for another refund")
        reading = _refund_reading(made, at=now)
        return RefundAnswer(reading.provider_refund_reference, reading.state, reading.reason)

    def transfer(self, request: TransferRequest) -> TransferReading:
        """Done at once, and once for each merchant reference."""
        if not request.amount.is_positive:
            raise ProviderRefused(provider=self.name, reason="nothing is no transfer")
        with self._as_a_provider():
            made = self._refunds.transfer(
                request.merchant_reference, request.destination, request.amount, at=self._clock.now()
            )
        if (made.destination, made.amount) != (request.destination, request.amount):
            raise ProviderRefused(provider=self.name, reason="the merchant reference was used for another transfer")
        return _transfer_reading(made)

    def read_transfer(self, merchant_reference: str, provider_transfer_reference: str) -> TransferReading | None:
        with self._as_a_provider():
            made = self._refunds.find_transfer(merchant_reference)
        return _transfer_reading(made) if made is not None else None

    def statement(self, day: date) -> ProviderStatement:
        """Charges under their checkout's reference, refunds and transfers under their own."""
        with self._as_a_provider():
            lines = self._refunds.booked_on(day, now=self._clock.now())
        return ProviderStatement(provider=self.name, lines=lines, balances={})

    def create_checkout(self, request: CheckoutRequest) -> Checkout:
        """Open a page, with a cash code for FAWRY and the page's address as QR text for MEEZA."""
        if request.method not in self.methods:
            raise ProviderRefused(provider=self.name, reason=f"{request.method} is not served")
        if not (_is_web_address(request.success_url) and _is_web_address(request.cancel_url)):
            raise ProviderRefused(provider=self.name, reason="customers are sent back to http or https only")
        with self._as_a_provider():
            opened = self._books.open(_new_checkout(request, at=self._clock.now()))
        if opened.amount != request.amount:
            raise ProviderRefused(provider=self.name, reason="the merchant reference was used for another amount")
        url = f"{self._pages}/{self._books.token_of(opened.id)}"
        return Checkout(
            provider_reference=str(opened.id),
            provider_key="",
            url=url,
            reference_number=_cash_code(opened.id) if request.method == "FAWRY" else None,
            qr_code=url if request.method == "MEEZA" else None,
            expires_at=opened.expires_at,
        )

    def read(self, identity: ProviderIdentity) -> Reading:
        """What became of a checkout by now; money that is still to come late has not come."""
        now = self._clock.now()
        try:
            with self._as_a_provider():
                checkout = self._books.get(self._checkout_of(identity))
                refunds = self._refunds.refunds_of(checkout.id)
                dispute = self._refunds.dispute_of(checkout.id)
        except (ValueError, CheckoutNotFound):
            return _not_found(identity)
        return _reading_of(checkout, refunds, dispute, identity.key, at=now)

    def _checkout_of(self, identity: ProviderIdentity) -> UUID:
        """By its reference, else by the charge's. Raises ValueError, CheckoutNotFound."""
        if identity.reference or not identity.charge:
            return UUID(identity.reference)
        return self._refunds.checkout_of_charge(UUID(identity.charge))

    def parse_webhook(self, body: bytes, headers: Mapping[str, str]) -> WebhookNotice:
        """Verify a webhook of the sandbox, and say which checkout it speaks of."""
        if len(body) > LARGEST_BODY:
            raise UnreadableWebhook(provider=self.name, reason="too large")
        verify(body, _header(headers), secret=self._secret, at=self._clock.now())
        return _notice(body)

    @contextlib.contextmanager
    def _as_a_provider(self) -> Iterator[None]:
        """As any provider: never called inside a transaction (guarantee P1), and its trouble is not ours."""
        if self._database.in_transaction:
            raise RuntimeError("a payment provider is called outside every transaction")
        try:
            yield
        except (Unavailable, Conflict, TryAgain) as trouble:
            raise OutcomeUnknown(provider=self.name, reason=str(trouble)) from trouble


def _new_checkout(request: CheckoutRequest, *, at: datetime) -> SandboxCheckout:
    return SandboxCheckout(
        id=new_id(),
        merchant_reference=request.merchant_reference,
        amount=request.amount,
        description=request.description,
        locale=request.locale,
        success_url=request.success_url,
        cancel_url=request.cancel_url,
        webhook_url=request.webhook_url,
        expires_at=request.expires_at,
        created_at=at,
    )


def _is_web_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname)


def _cash_code(checkout_id: UUID) -> str:
    """Ten digits, the same at every asking; who pays is known by the page, not by this code."""
    return f"{checkout_id.int % 10**10:010d}"


def _reading_of(
    checkout: SandboxCheckout,
    refunds: Sequence[SandboxRefund],
    dispute: SandboxDispute | None,
    provider_key: str,
    *,
    at: datetime,
) -> Reading:
    charges = [charge for charge in checkout.charges if charge.charged_at <= at]
    return Reading(
        status=_status_of(checkout, at=at),
        provider_reference=str(checkout.id),
        provider_key=provider_key,
        paid=checkout.charged_until(at),
        live=False,
        merchant_reference=checkout.merchant_reference,
        charge_reference=str(charges[0].id) if charges else "",
        refunds=tuple(_refund_reading(refund, at=at) for refund in refunds),
        disputes=_disputes(checkout, dispute, at=at),
    )


def _status_of(checkout: SandboxCheckout, *, at: datetime) -> ReadingStatus:
    if checkout.charged_until(at):
        return ReadingStatus.PAID
    return ReadingStatus.FAILED if checkout.is_over(at) else ReadingStatus.OPEN


def _not_found(identity: ProviderIdentity) -> Reading:
    return Reading(ReadingStatus.NOT_FOUND, identity.reference, identity.key, (), live=False)


def _refund_reading(refund: SandboxRefund, *, at: datetime) -> RefundReading:
    state = RefundState(refund.state_at(at).value)
    return RefundReading(
        provider_refund_reference=str(refund.id),
        merchant_reference=refund.merchant_reference,
        amount=refund.amount,
        state=state,
        reason="the amount asked for it" if state is RefundState.FAILED else "",
    )


def _disputes(checkout: SandboxCheckout, dispute: SandboxDispute | None, *, at: datetime) -> tuple[DisputeReading, ...]:
    """Everything that was charged is questioned, in one dispute."""
    if dispute is None:
        return ()
    questioned = total(checkout.charged_until(at), checkout.amount.currency.code)
    return (DisputeReading(f"dp_{checkout.id.hex}", questioned, DisputeState(dispute.state.value)),)


def _transfer_reading(transfer: SandboxTransfer) -> TransferReading:
    return TransferReading(
        provider_transfer_reference=str(transfer.id),
        merchant_reference=transfer.merchant_reference,
        amount=transfer.amount,
        state=TransferState.SUCCEEDED,
    )


def sign(body: bytes, *, secret: str, at: datetime) -> str:
    """The header's value: `t=<unix seconds>,v1=<hex HMAC-SHA256 over "t.body">`."""
    seconds = str(int(at.timestamp()))
    return f"t={seconds},v1={_digest(seconds, body, secret)}"


def verify(body: bytes, signature: str, *, secret: str, at: datetime) -> None:
    """Raises BadSignature unless it was made over these bytes, with this secret, within the tolerance."""
    found = _SIGNATURE.fullmatch(signature)
    if found is None:
        raise BadSignature(provider=SandboxGateway.name, reason="missing" if not signature else "unreadable")
    seconds, offered = found.groups()
    if not hmac.compare_digest(offered.encode(), _digest(seconds, body, secret).encode()):
        raise BadSignature(provider=SandboxGateway.name, reason="wrong")
    if abs(at.timestamp() - int(seconds)) > TOLERANCE.total_seconds():
        raise BadSignature(provider=SandboxGateway.name, reason="too old or too new")


def _digest(seconds: str, body: bytes, secret: str) -> str:
    return hmac.new(secret.encode(), seconds.encode() + b"." + body, hashlib.sha256).hexdigest()


def _header(headers: Mapping[str, str]) -> str:
    return next((value for name, value in headers.items() if name.lower() == SIGNATURE_HEADER.lower()), "")


def _notice(body: bytes) -> WebhookNotice:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError) as trouble:
        raise UnreadableWebhook(provider=SandboxGateway.name, reason="no JSON") from trouble
    members = document if isinstance(document, dict) else {}
    return WebhookNotice(
        event_key=_text(members, "id"),
        event_type=_text(members, "type"),
        provider_reference=_text(members, "checkout_id"),
        merchant_reference=_text(members, "merchant_reference"),
        reference_number="",
        is_about_refund=members.get("type") == NoticeType.REFUND,
    )


def _text(members: Mapping[str, object], name: str) -> str:
    """A short printable text. Raises UnreadableWebhook: what is stored and looked up holds no control characters."""
    value = members.get(name)
    if not isinstance(value, str) or not value.isprintable() or not 1 <= len(value) <= 200:
        raise UnreadableWebhook(provider=SandboxGateway.name, reason=f"{name} is missing or no plain text")
    return value


class HttpSandboxWebhooks:
    """Posts the sandbox's webhooks, signed at the moment of sending; follows no redirect."""

    def __init__(
        self,
        secret: str,
        *,
        clock: Clock,
        connect_seconds: float = CONNECT_SECONDS,
        total_seconds: float = TOTAL_SECONDS,
    ) -> None:
        self._secret = secret
        self._clock = clock
        self._connect_seconds = connect_seconds
        self._total_seconds = total_seconds

    def send(self, notice: SandboxNotice, *, to: str) -> None:
        """Raises WebhookNotDelivered unless 2xx comes back in time."""
        body = orjson.dumps(
            {
                "id": f"evt_{notice.id.hex}",
                "type": notice.type,
                "checkout_id": str(notice.checkout_id),
                "merchant_reference": notice.merchant_reference,
            }
        )
        headers = {
            "Content-Type": "application/json",
            SIGNATURE_HEADER: sign(body, secret=self._secret, at=self._clock.now()),
        }
        try:
            status, _ = Exchange("POST", to, headers, body).run(self._connect_seconds, self._total_seconds)
        except (NothingSent, Cut) as trouble:
            raise WebhookNotDelivered(reason=str(trouble)) from trouble
        if not 200 <= status < 300:
            raise WebhookNotDelivered(reason=f"status {status}")
