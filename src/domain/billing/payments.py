"""Payments: what is owed, each attempt to take it, and every receipt of money that came of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import ClassVar, Final
from uuid import UUID

from domain.billing.tenders import Tender, TenderKind
from domain.shared.aggregate import Aggregate
from domain.shared.errors import IllegalTransition, NotFound
from domain.shared.events import DomainEvent
from domain.shared.money import Money, total

FIRST_READING_AFTER: Final = timedelta(minutes=1)
"""The reconciler leaves younger attempts to the webhook that is probably on its way."""
EXPIRED_AFTER: Final = timedelta(days=7)
"""How long past its end an unpaid checkout is still asked about: cash codes outlive theirs by about four days."""
NOT_FOUND_IS_FINAL_AFTER: Final = timedelta(minutes=30)
"""From this age on a checkout that the provider does not know was never opened (traps 6); before, it may be late."""


class PaymentNotFound(NotFound):
    """There is no such payment, or it is not the viewer's."""

    code = "payment_not_found"


class PaymentType(StrEnum):
    """What a payment pays (guide, Payment.payment_type)."""

    BOOKING = "BOOKING"
    MEMBERSHIP_PURCHASE = "MEMBERSHIP_PURCHASE"
    MEMBERSHIP_RENEWAL = "MEMBERSHIP_RENEWAL"
    WALLET_DEPOSIT = "WALLET_DEPOSIT"
    MANUAL = "MANUAL"
    ORDER = "ORDER"


class PaymentMethod(StrEnum):
    """How the customer pays (guide, Payment.payment_method)."""

    CREDIT_CARD = "CREDIT_CARD"
    DEBIT_CARD = "DEBIT_CARD"
    WALLET = "WALLET"
    BANK_TRANSFER = "BANK_TRANSFER"
    CASH = "CASH"
    FAWRY = "FAWRY"
    MEEZA = "MEEZA"
    VODAFONE_CASH = "VODAFONE_CASH"
    AMAN = "AMAN"
    """Cash at Aman's counters, by a code."""
    MASARY = "MASARY"
    """Cash at Masary's counters, by a code."""
    MIXED = "MIXED"
    AGENT_CREDIT = "AGENT_CREDIT"
    """By the agent who made the booking, from its deposit account."""
    OTHER = "OTHER"


class PaymentStatus(StrEnum):
    """The state of what is owed; a failed attempt leaves it PENDING, another may follow."""

    PENDING = "PENDING"
    PAID = "PAID"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"
    """No longer wanted: its booking expired, or another payment settled it."""
    REFUNDED = "REFUNDED"
    PARTIALLY_REFUNDED = "PARTIALLY_REFUNDED"


NEXT = {
    PaymentStatus.PENDING: {PaymentStatus.PAID, PaymentStatus.FAILED, PaymentStatus.CANCELLED},
    PaymentStatus.PAID: {PaymentStatus.PARTIALLY_REFUNDED, PaymentStatus.REFUNDED},
    # Back again where a refund that was done came back from the customer's bank.
    PaymentStatus.PARTIALLY_REFUNDED: {PaymentStatus.REFUNDED, PaymentStatus.PAID},
    PaymentStatus.REFUNDED: {PaymentStatus.PARTIALLY_REFUNDED, PaymentStatus.PAID},
    PaymentStatus.FAILED: set(),
    PaymentStatus.CANCELLED: set(),
}


class AttemptStatus(StrEnum):
    """The state of one try at a provider."""

    CREATED = "CREATED"
    """Stored, the provider not asked yet, or its answer not stored yet."""
    OPEN = "OPEN"
    """The provider shows its page."""
    UNKNOWN = "UNKNOWN"
    """The provider may or may not have acted; chased, never repeated."""
    PAID = "PAID"
    FAILED = "FAILED"
    EXPIRED = "EXPIRED"


AWAITED: Final = (AttemptStatus.CREATED, AttemptStatus.OPEN, AttemptStatus.UNKNOWN)
"""While an attempt may still be paid as it was meant to be."""

ATTEMPT_NEXT = {
    AttemptStatus.CREATED: {
        AttemptStatus.OPEN,
        AttemptStatus.UNKNOWN,
        AttemptStatus.FAILED,
        AttemptStatus.PAID,
    },
    AttemptStatus.OPEN: {AttemptStatus.PAID, AttemptStatus.FAILED, AttemptStatus.EXPIRED},
    AttemptStatus.UNKNOWN: {
        AttemptStatus.OPEN,
        AttemptStatus.PAID,
        AttemptStatus.FAILED,
        AttemptStatus.EXPIRED,
    },
    # A failed or expired checkout may still be paid: a cash code outlives its date (Fawaterk contract §5.5).
    AttemptStatus.FAILED: {AttemptStatus.PAID},
    AttemptStatus.EXPIRED: {AttemptStatus.PAID},
    AttemptStatus.PAID: set(),
}


class Disposition(StrEnum):
    """Where received money went."""

    SETTLED = "SETTLED"
    SUSPENSE = "SUSPENSE"


class SuspenseReason(StrEnum):
    """Why received money confirms nothing until a person decides."""

    SHORT = "SHORT"
    OVER = "OVER"
    CURRENCY = "CURRENCY"
    TWICE = "TWICE"
    LATE = "LATE"
    MODE = "MODE"
    """Test money at a live installation, or the reverse."""
    INCOMPLETE = "INCOMPLETE"
    """The part that was to come from the customer's own balances is not there any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentSettled(DomainEvent):
    name: ClassVar[str] = "billing.payment_settled"
    payment_id: UUID
    user_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class MoneySuspended(DomainEvent):
    name: ClassVar[str] = "billing.money_suspended"
    payment_id: UUID
    receipt_id: UUID
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookReceived(DomainEvent):
    name: ClassVar[str] = "billing.webhook_received"
    webhook_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """Money that came in through an attempt, and what it was booked as; `position` counts per attempt."""

    id: UUID
    attempt_id: UUID
    position: int
    amount: Money
    disposition: Disposition
    reason: SuspenseReason | None
    journal_id: UUID
    received_at: datetime


@dataclass(eq=False, kw_only=True)
class PaymentAttempt:
    """One try at a provider; its id makes the merchant reference, so that retries are recognised."""

    id: UUID
    payment_id: UUID
    provider: str
    status: AttemptStatus
    merchant_reference: str
    provider_reference: str | None = None
    provider_key: str = ""
    charge_reference: str | None = None
    """The provider's name for the charge itself: all that its notices of refunds and disputes name."""
    checkout_url: str | None = None
    reference_number: str | None = None
    qr_code: str | None = None
    locale: str
    """The language of the provider's page: what is asked again has to be asked the same."""
    expires_at: datetime | None = None
    error_code: str | None = None
    receipts_count: int
    read_again_at: datetime | None = None
    """When the reconciler asks about it next; written by its claims alone."""
    reads: int = 0
    created_at: datetime
    updated_at: datetime

    def opened(
        self,
        *,
        provider_reference: str,
        provider_key: str,
        checkout_url: str | None,
        reference_number: str | None,
        qr_code: str | None,
        expires_at: datetime | None,
        at: datetime,
    ) -> None:
        """The provider's page is open."""
        self._move_to(AttemptStatus.OPEN, at=at)
        self.provider_reference = provider_reference
        self.provider_key = provider_key
        self.checkout_url = checkout_url
        self.reference_number = reference_number
        self.qr_code = qr_code
        self.expires_at = expires_at

    def unknown(self, *, error_code: str, at: datetime) -> None:
        """The provider did not answer intelligibly."""
        self._move_to(AttemptStatus.UNKNOWN, at=at)
        self.error_code = error_code

    def failed(self, *, error_code: str, at: datetime) -> None:
        """The provider says that nothing was, and nothing will be, charged."""
        self._move_to(AttemptStatus.FAILED, at=at)
        self.error_code = error_code

    def learn(self, *, provider_reference: str, provider_key: str, charge_reference: str) -> None:
        """Keep what the provider calls the checkout and the charge, where it was not known."""
        if self.provider_reference is None and provider_reference:
            self.provider_reference, self.provider_key = provider_reference, provider_key
        if self.charge_reference is None and charge_reference:
            self.charge_reference = charge_reference

    def received(self, *, at: datetime) -> None:
        """One more charge came in; whether it settles anything is the payment's business."""
        if self.status is not AttemptStatus.PAID:
            self._move_to(AttemptStatus.PAID, at=at)
        self.receipts_count += 1

    def give_up(self, *, at: datetime) -> None:
        """The provider says that this checkout is over and unpaid."""
        if self.status in (AttemptStatus.OPEN, AttemptStatus.UNKNOWN):
            self._move_to(AttemptStatus.FAILED, at=at)

    def still_open(self, *, at: datetime) -> None:
        """The provider says that it is not paid and may still be; long past its end it is not asked about any more."""
        if self.status not in (AttemptStatus.OPEN, AttemptStatus.UNKNOWN):
            return
        if self.expires_at is not None and at >= self.expires_at + EXPIRED_AFTER:
            self._move_to(AttemptStatus.EXPIRED, at=at)
            return
        if self.status is AttemptStatus.UNKNOWN:
            self._move_to(AttemptStatus.OPEN, at=at)
        self.updated_at = at

    def missing(self, *, at: datetime) -> None:
        """The provider knows no such checkout; too soon after it was asked for that may only mean that it is late."""
        if self.status in (AttemptStatus.OPEN, AttemptStatus.UNKNOWN) and self.is_certainly_known_at(at):
            self.failed(error_code="not_found_at_provider", at=at)

    def is_certainly_known_at(self, at: datetime) -> bool:
        """Whether a provider that was asked to open it would say so by now."""
        return at >= self.created_at + NOT_FOUND_IS_FINAL_AFTER

    def abandon(self, *, at: datetime) -> None:
        """A person saw at the provider that nothing was paid; money that comes all the same goes its usual way.

        Raises IllegalTransition unless its outcome is unknown.
        """
        if self.status not in (AttemptStatus.CREATED, AttemptStatus.UNKNOWN):
            raise IllegalTransition(current=self.status, wanted=AttemptStatus.FAILED)
        self.failed(error_code="given_up", at=at)

    def is_open_at(self, at: datetime) -> bool:
        """Whether a customer can still be sent to this checkout."""
        return self.status is AttemptStatus.OPEN and (self.expires_at is None or at < self.expires_at)

    def is_abandoned(self, *, ended_before: datetime) -> bool:
        """Whether its time was over before an instant and it is not in doubt; what its provider ended, has ended."""
        if self.status not in (AttemptStatus.OPEN, AttemptStatus.FAILED, AttemptStatus.EXPIRED):
            return False
        return max(self.expires_at or self.created_at, self.created_at) < ended_before

    def _move_to(self, status: AttemptStatus, *, at: datetime) -> None:
        if status not in ATTEMPT_NEXT[self.status]:
            raise IllegalTransition(current=self.status, wanted=status)
        self.status = status
        self.updated_at = at


@dataclass(eq=False, kw_only=True)
class Payment(Aggregate):
    """One amount owed by one customer for one thing."""

    id: UUID
    payment_number: str
    user_id: UUID
    payment_type: PaymentType
    booking_id: UUID | None
    subscription_id: UUID | None
    amount: Money
    payment_method: PaymentMethod
    provider: str | None
    status: PaymentStatus
    idempotency_key: str
    success_url: str | None
    cancel_url: str | None
    refund_amount: Money
    paid_at: datetime | None
    created_at: datetime
    updated_at: datetime
    attempts: list[PaymentAttempt] = field(default_factory=list)
    tenders: list[Tender] = field(default_factory=list)

    @property
    def asked_of_provider(self) -> Money:
        """What a provider is to take: all that does not come from the customer's own balances."""
        return total((t.amount for t in self.tenders if t.kind is TenderKind.GATEWAY), self.amount.currency.code)

    @property
    def own_tenders(self) -> list[Tender]:
        """The parts from balances that are kept here: the customer's own, or the agent's credit."""
        return [tender for tender in self.tenders if tender.is_own]

    @property
    def agent_id(self) -> UUID | None:
        """The agent who pays, or paid, from its credit."""
        return next((tender.owner_id for tender in self.tenders if tender.owner_id is not None), None)

    @property
    def payer_id(self) -> UUID:
        """Whose money it is: the agent's who pays from its credit, else the customer's."""
        return self.agent_id or self.user_id

    @property
    def gateway_tender(self) -> Tender | None:
        return next((tender for tender in self.tenders if tender.kind is TenderKind.GATEWAY), None)

    def tender(self, tender_id: UUID) -> Tender:
        return next(tender for tender in self.tenders if tender.id == tender_id)

    def new_attempt(self, *, attempt_id: UUID, expires_at: datetime, locale: str, at: datetime) -> PaymentAttempt:
        """The intent to ask the provider, stored before it is asked. Raises IllegalTransition when settled."""
        if self.status is not PaymentStatus.PENDING or self.provider is None:
            raise IllegalTransition(current=self.status, wanted=AttemptStatus.CREATED)
        attempt = PaymentAttempt(
            id=attempt_id,
            payment_id=self.id,
            provider=self.provider,
            status=AttemptStatus.CREATED,
            merchant_reference=f"pa_{attempt_id.hex}",
            locale=locale,
            expires_at=expires_at,
            receipts_count=0,
            read_again_at=at + FIRST_READING_AFTER,
            created_at=at,
            updated_at=at,
        )
        self.attempts.append(attempt)
        return attempt

    @property
    def newest_attempt(self) -> PaymentAttempt | None:
        return self.attempts[-1] if self.attempts else None

    def attempt(self, attempt_id: UUID) -> PaymentAttempt:
        return next(attempt for attempt in self.attempts if attempt.id == attempt_id)

    def settle(self, *, at: datetime) -> None:
        """The money is in and booked, once: PAID is reached again only by a refund that came back."""
        if self.status is not PaymentStatus.PENDING:
            raise IllegalTransition(current=self.status, wanted=PaymentStatus.PAID)
        self._move_to(PaymentStatus.PAID, at=at)
        self.paid_at = at
        self.record(PaymentSettled(at=at, payment_id=self.id, user_id=self.user_id))

    def cancel(self, *, at: datetime) -> None:
        """Not wanted any more; money that still comes goes to suspense. Whoever calls ends the holds of its parts."""
        self._move_to(PaymentStatus.CANCELLED, at=at)
        for tender in self.tenders:
            tender.release(at=at)

    def is_abandoned(self, *, ended_before: datetime) -> bool:
        """Whether it waits for checkouts that all ended before an instant, without money or doubt."""
        return (
            self.status is PaymentStatus.PENDING
            and bool(self.attempts)
            and all(attempt.is_abandoned(ended_before=ended_before) for attempt in self.attempts)
        )

    def doubt(
        self, charge: Money, *, payable_accepts: bool, own_parts_there: bool, live_as_expected: bool
    ) -> SuspenseReason | None:
        """Why this charge may not settle the payment, or None when it may (guarantees P5, P6)."""
        asked = self.asked_of_provider
        if not live_as_expected:
            return SuspenseReason.MODE
        if self.paid_at is not None:
            return SuspenseReason.TWICE
        if charge.currency != asked.currency:
            return SuspenseReason.CURRENCY
        if charge != asked:
            return SuspenseReason.SHORT if charge < asked else SuspenseReason.OVER
        if self.status is not PaymentStatus.PENDING or not payable_accepts:
            return SuspenseReason.LATE
        return None if own_parts_there else SuspenseReason.INCOMPLETE

    def give_back(self, amount: Money, *, at: datetime) -> None:
        """So much more of it has gone back to the customer."""
        self.refund_amount += amount
        self._follow_refunds(at)

    def take_back(self, amount: Money, *, at: datetime) -> None:
        """A refund that was done came back."""
        self.refund_amount -= amount
        self._follow_refunds(at)

    def _follow_refunds(self, at: datetime) -> None:
        if self.refund_amount.is_zero:
            wanted = PaymentStatus.PAID
        else:
            whole = self.refund_amount == self.amount
            wanted = PaymentStatus.REFUNDED if whole else PaymentStatus.PARTIALLY_REFUNDED
        if wanted is not self.status:
            self._move_to(wanted, at=at)
        self.updated_at = at

    def suspend(self, receipt: Receipt, reason: SuspenseReason) -> None:
        """Remember that money came which confirms nothing."""
        self.record(MoneySuspended(at=receipt.received_at, payment_id=self.id, receipt_id=receipt.id, reason=reason))

    def _move_to(self, status: PaymentStatus, *, at: datetime) -> None:
        if status not in NEXT[self.status]:
            raise IllegalTransition(current=self.status, wanted=status)
        self.status = status
        self.updated_at = at
