"""The manual gateway: cash, bank transfers and whatever else staff confirm, over books of our own.

It keeps a provider's manners: it is not called inside a transaction, and answers from confirmed receipts alone.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from datetime import date
from typing import ClassVar
from uuid import UUID

from application.billing.ports import (
    BadSignature,
    Capabilities,
    Checkout,
    CheckoutRequest,
    OutcomeUnknown,
    ProviderIdentity,
    ProviderRefused,
    Reading,
    ReadingStatus,
    RefundAnswer,
    RefundRequest,
    TransferReading,
    TransferRequest,
    WebhookNotice,
)
from domain.billing import manual
from domain.billing.manual import ManualCheckout
from domain.ledger.reconciliation import ProviderStatement
from domain.shared.clock import Clock
from domain.shared.errors import Conflict, Unavailable
from infrastructure.clock import new_id
from infrastructure.database.billing.manual import SqlManualBooks
from infrastructure.payment.registry import GatewayContext


def create_gateway(context: GatewayContext) -> ManualGateway:
    """The manual gateway; it needs no settings, and is allowed in production."""
    return ManualGateway(SqlManualBooks(context.database), clock=context.clock, live=context.settings.is_production)


class ManualGateway:
    """The PaymentGateway over receipts; the same merchant reference answers the same number."""

    name: ClassVar[str] = manual.PROVIDER
    methods: ClassVar[frozenset[str]] = manual.METHODS

    def __init__(self, books: SqlManualBooks, *, clock: Clock, live: bool) -> None:
        self._books = books
        self._clock = clock
        self._live = live

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(refunds=False, tells_refunds=False, repeats_creation=True)

    def offered(self) -> frozenset[str]:
        return self.methods

    def create_checkout(self, request: CheckoutRequest) -> Checkout:
        """A number that the customer quotes at the desk or with the transfer; there is no page."""
        if request.method not in self.methods:
            raise ProviderRefused(provider=self.name, reason=f"{request.method} is not served")
        with self._as_a_provider():
            opened = self._books.open(
                new_id(),
                request.merchant_reference,
                request.amount,
                until=request.expires_at,
                at=self._clock.now(),
            )
        if opened.amount != request.amount:
            raise ProviderRefused(provider=self.name, reason="the merchant reference was used for another amount")
        return Checkout(
            provider_reference=str(opened.id),
            provider_key="",
            url=None,
            reference_number=opened.reference_number,
            qr_code=None,
            expires_at=opened.expires_at,
        )

    def read(self, identity: ProviderIdentity) -> Reading:
        """What was confirmed by now."""
        try:
            checkout_id = UUID(identity.reference)
        except ValueError:
            return self._not_found(identity)
        with self._as_a_provider():
            checkout = self._books.get(checkout_id)
            return self._not_found(identity) if checkout is None else self._reading(checkout, identity)

    def _reading(self, checkout: ManualCheckout, identity: ProviderIdentity) -> Reading:
        paid = self._books.charges(checkout.id)
        return Reading(
            status=ReadingStatus.PAID if paid else self._status_of_unpaid(checkout),
            provider_reference=str(checkout.id),
            provider_key=identity.key,
            paid=paid,
            live=self._live,
            merchant_reference=checkout.merchant_reference,
        )

    def _status_of_unpaid(self, checkout: ManualCheckout) -> ReadingStatus:
        """Over when its time is, unless money of it waits for a second person; what comes later is still read."""
        is_over = self._clock.now() >= checkout.expires_at and not self._books.waits(checkout.id)
        return ReadingStatus.FAILED if is_over else ReadingStatus.OPEN

    def _not_found(self, identity: ProviderIdentity) -> Reading:
        return Reading(ReadingStatus.NOT_FOUND, identity.reference, identity.key, (), self._live)

    def parse_webhook(self, body: bytes, headers: Mapping[str, str]) -> WebhookNotice:
        """Nobody sends any."""
        raise BadSignature(provider=self.name, reason="nobody signs for it")

    def refund(self, request: RefundRequest) -> RefundAnswer:
        raise ProviderRefused(provider=self.name, reason="money is given back by hand")

    def transfer(self, request: TransferRequest) -> TransferReading:
        raise ProviderRefused(provider=self.name, reason="nothing is paid out")

    def read_transfer(self, merchant_reference: str, provider_transfer_reference: str) -> TransferReading | None:
        raise ProviderRefused(provider=self.name, reason="nothing is paid out")

    def statement(self, day: date) -> ProviderStatement:
        raise ProviderRefused(provider=self.name, reason="the bank states it")

    @contextlib.contextmanager
    def _as_a_provider(self) -> Iterator[None]:
        """As any provider: never called inside a transaction (guarantee P1), and its trouble is not ours."""
        if self._books.in_transaction:
            raise RuntimeError("a payment provider is called outside every transaction")
        try:
            yield
        except (Unavailable, Conflict) as trouble:
            raise OutcomeUnknown(provider=self.name, reason=str(trouble)) from trouble
