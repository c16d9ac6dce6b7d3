"""What refunds and disputes need from outside."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from domain.billing.disputes import Dispute
from domain.billing.payments import Disposition
from domain.billing.refunds import Refund
from domain.billing.tenders import Tender
from domain.shared.money import Money


@dataclass(frozen=True, slots=True)
class KnownReceipt:
    """Money that came in, as refunds see it."""

    id: UUID
    payment_id: UUID
    attempt_id: UUID
    amount: Money
    disposition: Disposition


@dataclass(frozen=True, slots=True)
class DuePart:
    """A part of a refund whose time has come: to be sent, or to be asked after."""

    part_id: UUID
    refund_id: UUID
    payment_id: UUID
    attempt_id: UUID
    status: str


class Refunds(Protocol):
    """Refunds with their parts. Locked after what was paid and the payment, before anything of the ledger's."""

    def add(self, refund: Refund) -> None: ...

    def get(self, refund_id: UUID) -> Refund:
        """The refund, locked. Raises RefundNotFound."""
        ...

    def payment_of(self, refund_id: UUID) -> UUID:
        """Whose money it is; this never changes, and has to be locked first. Raises RefundNotFound."""
        ...

    def of_payment(self, payment_id: UUID) -> Sequence[Refund]:
        """All refunds of a payment, oldest first, locked."""
        ...

    def by_key(self, idempotency_key: str) -> Refund | None: ...

    def next_serial(self) -> int: ...

    def due(self, *, at: datetime, limit: int) -> Sequence[DuePart]:
        """Parts that wait for the provider and whose next try is due, longest first; not locked."""
        ...

    def charges_of(self, tender: Tender) -> Sequence[KnownReceipt]:
        """The charges that a tender was captured with, in order: several where items in suspense paid it together."""
        ...

    def receipt(self, receipt_id: UUID) -> KnownReceipt | None: ...

    def kept(self, attempt_id: UUID) -> Sequence[KnownReceipt]:
        """All that came through an attempt, in order, but what was written off."""
        ...

    def suspended(self, attempt_id: UUID) -> Sequence[KnownReceipt]:
        """The money in suspense that came through an attempt, in order."""
        ...


class Disputes(Protocol):
    """Disputes; locked with the refunds of their payment."""

    def add(self, dispute: Dispute) -> None: ...

    def of_payment(self, payment_id: UUID) -> Sequence[Dispute]:
        """All disputes of a payment by the provider's reference, locked."""
        ...

    def is_open(self, payment_id: UUID) -> bool:
        """Whether a bank is deciding about the payment; not locked."""
        ...
