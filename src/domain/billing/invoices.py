"""Invoices: numbered without gaps, never changed once issued."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from domain.shared.errors import NotFound
from domain.shared.events import DomainEvent
from domain.shared.money import Money, total
from domain.shared.percentage import Percentage


class InvoiceNotFound(NotFound):
    """There is no such invoice, or it is not the viewer's."""

    code = "invoice_not_found"


class InvoiceType(StrEnum):
    """The guide's kinds."""

    STANDARD = "STANDARD"
    PROFORMA = "PROFORMA"
    CREDIT_NOTE = "CREDIT_NOTE"


class InvoiceStatus(StrEnum):
    """The guide's states; an invoice for a settled payment is issued as PAID."""

    DRAFT = "DRAFT"
    ISSUED = "ISSUED"
    PAID = "PAID"
    OVERDUE = "OVERDUE"
    CANCELLED = "CANCELLED"
    REFUNDED = "REFUNDED"


class InvoiceItemType(StrEnum):
    """The guide's kinds of rows."""

    BOOKING_FEE = "BOOKING_FEE"
    SERVICE_CHARGE = "SERVICE_CHARGE"
    DISCOUNT = "DISCOUNT"
    TAX = "TAX"
    MEMBERSHIP_FEE = "MEMBERSHIP_FEE"


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceIssued(DomainEvent):
    name: ClassVar[str] = "billing.invoice_issued"
    invoice_id: UUID
    user_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceItem:
    """One row of an invoice, before tax."""

    item_type: InvoiceItemType
    description_ar: str
    description_en: str
    quantity: int
    unit_price: Money
    total_price: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class Invoice:
    """A document for the tax authority; the sums are checked when it is made."""

    id: UUID
    invoice_number: str
    user_id: UUID
    booking_id: UUID | None
    payment_id: UUID
    invoice_type: InvoiceType
    status: InvoiceStatus
    items: tuple[InvoiceItem, ...]
    subtotal: Money
    discount_amount: Money
    tax_rate: Percentage
    tax_amount: Money
    total_amount: Money
    issue_date: date
    paid_date: date | None
    issued_at: datetime
    refund_id: UUID | None = None
    dispute_id: UUID | None = None
    """What a credit note is about; nothing else has one."""

    def __post_init__(self) -> None:
        subtotal = total((item.total_price for item in self.items), self.total_amount.currency.code)
        if subtotal != self.subtotal or subtotal - self.discount_amount + self.tax_amount != self.total_amount:
            raise ValueError("the rows of an invoice sum to its total")


@dataclass(frozen=True, slots=True)
class Credited:
    """The invoice of a payment, and what credit notes have taken of it so far."""

    invoice_number: str
    total: Money
    tax: Money
    tax_rate: Percentage
    credited: Money
    credited_tax: Money


def tax_of_share(tax: Money, whole: Money, *, reached: Money) -> Money:
    """The tax in as much of a whole as documents have reached in all, by largest remainder.

    Each invoice of a part, or credit note, takes what those before it have left of this, and the last one all of the
    rest (trap 33).
    """
    share, _ = tax.allocate([reached.minor, (whole - reached).minor])
    return share


@dataclass(frozen=True, slots=True, kw_only=True)
class Documented:
    """What the documents of one booking say so far: its invoices less its credit notes."""

    total: Money
    tax: Money


def tax_moving(tax: Money, whole: Money, *, so_far: Documented, by: Money) -> Money:
    """How the documents' tax moves when their total moves by an amount, below zero for a credit note.

    Afterwards they say the tax that the price of today has in what they say was sold: so an amended booking's documents
    end at its own tax, whatever rates and fees there were before. No document's tax is negative, nor more than its
    total.
    """
    reached = so_far.total + by
    due = tax.minor * reached.minor // whole.minor if whole.is_positive else 0
    moved = due - so_far.tax.minor
    return Money(min(max(moved, 0), by.minor) if by.is_positive else max(min(moved, 0), by.minor), tax.currency)
