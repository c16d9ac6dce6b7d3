"""Payments and invoices as use cases find, lock and keep them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from domain.billing.invoices import Credited, Documented, Invoice
from domain.billing.payments import Payment, PaymentType, Receipt
from domain.shared.money import Money


@dataclass(frozen=True, slots=True)
class PaymentTarget:
    """What a payment pays; this never changes."""

    payment_type: PaymentType
    payable_id: UUID | None


class Payments(Protocol):
    """Payments with their attempts, and the receipts of money."""

    def add(self, payment: Payment) -> None: ...

    def get(self, payment_id: UUID) -> Payment:
        """The payment, locked. Raises PaymentNotFound."""
        ...

    def target_of(self, payment_id: UUID) -> PaymentTarget:
        """What it pays, unlocked: that has to be locked first. Raises PaymentNotFound."""
        ...

    def by_key(self, idempotency_key: str) -> Payment | None: ...

    def pending_of(self, payable_id: UUID) -> Sequence[Payment]:
        """The payments of a booking or a subscription that are still PENDING, locked."""
        ...

    def of_booking(self, booking_id: UUID) -> Sequence[Payment]:
        """All payments of a booking, however they stand, locked in the order of their ids."""
        ...

    def abandoned(self, *, ended_before: datetime, after: UUID | None, limit: int) -> Sequence[UUID]:
        """PENDING payments as `Payment.is_abandoned` knows them, by id behind one of them; not locked."""
        ...

    def paid_before(self, payment: Payment) -> Money:
        """What was settled of the same booking or subscription before a payment that is settled."""
        ...

    def pays_another_year(self, payment: Payment) -> bool:
        """Whether another payment of the same subscription is settled, and not refunded whole."""
        ...

    def add_receipt(self, receipt: Receipt) -> None: ...

    def next_serial(self) -> int: ...


class Invoices(Protocol):
    """Issued invoices."""

    def next_number(self, series: str, year: int) -> int:
        """The next number of a series, gapless: its counter stays locked until the unit of work ends."""
        ...

    def exists_for(self, payment_id: UUID) -> bool:
        """Whether the payment has its invoice."""
        ...

    def credited_by(self, payment_id: UUID) -> Mapping[UUID, int]:
        """What the credit notes of a payment come to, in minor units, by the refund or dispute that they name."""
        ...

    def credited_of(self, payment_id: UUID) -> Credited:
        """The payment's invoice, and what credit notes have taken of it. Raises InvoiceNotFound."""
        ...

    def documented(self, booking_id: UUID, currency: str) -> Documented:
        """What a booking's invoices and credit notes say together; whoever asks holds the booking's lock."""
        ...

    def add(self, invoice: Invoice) -> None: ...
