"""A payment gateway in memory whose provider does as the test says."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import ClassVar

from application.billing.ports import (
    BadSignature,
    Capabilities,
    Checkout,
    CheckoutRequest,
    DisputeReading,
    PaymentGateway,
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
    UnknownGateway,
    UnreadableWebhook,
    WebhookNotice,
)
from domain.ledger.reconciliation import ProviderStatement
from domain.shared.money import Money

SIGNATURE = {"X-Signature": "good"}


@dataclass
class Book:
    """What the provider knows of one checkout."""

    request: CheckoutRequest
    charges: list[Money] = field(default_factory=list)
    is_over: bool = False
    refunds: dict[str, RefundReading] = field(default_factory=dict)
    disputes: dict[str, DisputeReading] = field(default_factory=dict)


class ScriptedGateway:
    """Implements `PaymentGateway`; keeps books by reference, and a count of what it was asked."""

    name: ClassVar[str] = "SCRIPTED"
    methods: ClassVar[frozenset[str]] = frozenset({"CREDIT_CARD", "FAWRY"})

    def __init__(self) -> None:
        self.books: dict[str, Book] = {}
        self.created = 0
        self.answers: list[Exception] = []
        """Raised by the next checkouts, one each; those after them succeed."""
        self.loses_answers = False
        """Whether a checkout that raises is in the books all the same."""
        self.live = False
        self.capabilities = Capabilities(refunds=True, tells_refunds=True, repeats_creation=False)
        self.ends_after: timedelta | None = None
        """When checkouts end by its own word, counted from when they were asked for; None is as asked."""
        self.requests: list[CheckoutRequest] = []
        """Every checkout that was asked for, repeats included."""
        self.read_answers: list[Exception] = []
        """Raised by the next readings, one each."""
        self.reads = 0
        self.statements: dict[date, ProviderStatement | Exception] = {}
        """What it states of days, or raises; it refuses to speak of any other."""
        self.asked_refunds: list[str] = []
        """The merchant reference of every refund that was asked for, repeats included."""
        self.refund_answers: list[Exception] = []
        """Raised by the next refunds, one each."""
        self.refund_state = RefundState.SUCCEEDED
        """Whether it can be asked to refund; else a person does it on its dashboard."""
        self._lock = threading.Lock()

    def create_checkout(self, request: CheckoutRequest) -> Checkout:
        with self._lock:
            self.created += 1
            self.requests.append(request)
            failure = self.answers.pop(0) if self.answers else None
            if failure is None or self.loses_answers:
                self.books.setdefault(self.reference_of(request), Book(request))
        if failure is not None:
            raise failure
        return Checkout(
            provider_reference=self.reference_of(request),
            provider_key="",
            url=f"https://scripted.example/{request.attempt_id}",
            reference_number=None,
            qr_code=None,
            expires_at=request.expires_at if self.ends_after is None else request.created_at + self.ends_after,
        )

    @staticmethod
    def reference_of(request: CheckoutRequest) -> str:
        return f"sc_{request.attempt_id.hex}"

    def offered(self) -> frozenset[str]:
        return self.methods

    def refund(self, request: RefundRequest) -> RefundAnswer:
        """Once per merchant reference; SUCCEEDED at once unless the test says otherwise."""
        with self._lock:
            self.asked_refunds.append(request.merchant_reference)
            failure = self.refund_answers.pop(0) if self.refund_answers else None
            if failure is not None and not self.loses_answers:
                raise failure
            book = self.books[request.identity.reference]
            made = book.refunds.setdefault(
                request.merchant_reference,
                RefundReading(
                    provider_refund_reference=f"re_{request.merchant_reference}",
                    merchant_reference=request.merchant_reference,
                    amount=request.amount,
                    state=self.refund_state,
                ),
            )
        if failure is not None:
            raise failure
        return RefundAnswer(made.provider_refund_reference, made.state)

    def transfer(self, request: TransferRequest) -> TransferReading:
        raise ProviderRefused(provider=self.name, reason="nothing is paid out")

    def read_transfer(self, merchant_reference: str, provider_transfer_reference: str) -> TransferReading | None:
        raise ProviderRefused(provider=self.name, reason="nothing is paid out")

    def statement(self, day: date) -> ProviderStatement:
        stated = self.statements.get(day, ProviderRefused(provider=self.name, reason="it states nothing"))
        if isinstance(stated, Exception):
            raise stated
        return stated

    def read(self, identity: ProviderIdentity) -> Reading:
        provider_reference = identity.reference
        with self._lock:
            self.reads += 1
            trouble = self.read_answers.pop(0) if self.read_answers else None
        if trouble is not None:
            raise trouble
        book = self.books.get(provider_reference)
        if book is None:
            return Reading(ReadingStatus.NOT_FOUND, provider_reference, "", (), self.live)
        with self._lock:
            charges = tuple(book.charges)
            refunds, disputes = tuple(book.refunds.values()), tuple(book.disputes.values())
        status = ReadingStatus.FAILED if book.is_over else ReadingStatus.OPEN
        return Reading(
            status=ReadingStatus.PAID if charges else status,
            provider_reference=provider_reference,
            provider_key="",
            paid=charges,
            live=self.live,
            merchant_reference=book.request.merchant_reference,
            refunds=refunds,
            disputes=disputes,
        )

    def parse_webhook(self, body: bytes, headers: Mapping[str, str]) -> WebhookNotice:
        if headers.get("X-Signature") != SIGNATURE["X-Signature"]:
            raise BadSignature()
        try:
            said = json.loads(body)
            return WebhookNotice(
                event_key=said["event"],
                event_type=said["type"],
                provider_reference=said["reference"],
                merchant_reference=said.get("merchant_reference", ""),
                reference_number="",
                is_about_refund=said["type"] == "refund",
            )
        except (ValueError, KeyError, TypeError) as error:
            raise UnreadableWebhook() from error


class ScriptedGateways:
    """Implements `Gateways` with these."""

    def __init__(self, *gateways: ScriptedGateway) -> None:
        self._gateways = {gateway.name: gateway for gateway in gateways}

    def get(self, name: str) -> PaymentGateway:
        if name.upper() not in self._gateways:
            raise UnknownGateway()
        return self._gateways[name.upper()]

    def names(self) -> tuple[str, ...]:
        return tuple(self._gateways)
