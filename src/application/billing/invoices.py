"""Issuing invoices for settled payments, and drawing them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from application.billing.payables import lock_payable
from application.billing.ports import DocumentRenderer, InvoiceDocument, InvoiceLine, ObjectStorage
from application.ports import UnitOfWork
from domain.billing.invoices import (
    Invoice,
    InvoiceIssued,
    InvoiceItem,
    InvoiceItemType,
    InvoiceStatus,
    InvoiceType,
    tax_moving,
)
from domain.billing.payments import Payment, PaymentType
from domain.sales.agreed import BookingItem
from domain.sales.bookings import Booking
from domain.shared.clock import Clock, business_date
from domain.shared.identifiers import NewId, document_number
from domain.shared.money import Money
from domain.shared.percentage import Percentage

LANGUAGES = ("ar", "en", "both")


def issue_invoice(payment_id: UUID, *, uow: UnitOfWork, clock: Clock, new_id: NewId) -> None:
    """Issue the invoice of a settled payment, once; its number is taken in this transaction.

    A wallet deposit is the customer's own money: nothing was sold, so there is no invoice.
    """
    with uow:
        # In the one order, what is paid before its payment: whoever cancels or amends a booking holds it already.
        target = uow.payments.target_of(payment_id)
        lock_payable(target.payment_type, target.payable_id, uow=uow, at=clock.now())
        payment = uow.payments.get(payment_id)
        if payment.payment_type is PaymentType.WALLET_DEPOSIT or uow.invoices.exists_for(payment_id):
            return
        now = clock.now()
        today = business_date(now)
        items, tax_rate, tax, discount = _rows_of(payment, uow=uow)
        # The counter's row stays locked to the end: last, so that nobody waits longer than needed.
        number = uow.invoices.next_number("INV", today.year)
        invoice = Invoice(
            id=new_id(),
            invoice_number=document_number("INV", today.year, number),
            user_id=payment.user_id,
            booking_id=payment.booking_id,
            payment_id=payment_id,
            invoice_type=InvoiceType.STANDARD,
            status=InvoiceStatus.PAID,
            items=items,
            subtotal=payment.amount - tax + discount,
            discount_amount=discount,
            tax_rate=tax_rate,
            tax_amount=tax,
            total_amount=payment.amount,
            issue_date=today,
            paid_date=business_date(payment.paid_at or now),
            issued_at=now,
        )
        uow.invoices.add(invoice)
        uow.publish(InvoiceIssued(at=now, invoice_id=invoice.id, user_id=invoice.user_id))
        uow.commit()


def _rows_of(payment: Payment, *, uow: UnitOfWork) -> tuple[tuple[InvoiceItem, ...], Percentage, Money, Money]:
    """The rows, tax rate, tax and discount of what was paid."""
    if payment.booking_id is not None:
        return _booking_rows(uow.bookings.get(payment.booking_id), payment, uow=uow)
    nothing = Money(0, payment.amount.currency)
    row = InvoiceItem(
        item_type=InvoiceItemType.MEMBERSHIP_FEE,
        description_ar="رسوم العضوية السنوية",
        description_en="Annual membership fee",
        quantity=1,
        unit_price=payment.amount,
        total_price=payment.amount,
    )
    return (row,), Percentage(0), nothing, nothing


def _booking_rows(
    booking: Booking, payment: Payment, *, uow: UnitOfWork
) -> tuple[tuple[InvoiceItem, ...], Percentage, Money, Money]:
    price = booking.price
    discount = price.discount_amount + price.voucher_discount
    if payment.amount == price.final_amount and not booking.amended_times:
        rows = [_item_row(item, booking) for item in booking.items]
        fee_rows = [_fee_row(price.fee_amount)] if price.fee_amount.is_positive else []
        return (*rows, *fee_rows), price.tax_rate, price.tax_amount, discount
    before = uow.payments.paid_before(payment)
    tax, discount = (
        _share(of, payment.amount, before=before, whole=price.final_amount) for of in (price.tax_amount, discount)
    )
    if booking.amended_times:
        so_far = uow.invoices.documented(booking.id, tax.currency.code)
        tax = tax_moving(price.tax_amount, price.final_amount, so_far=so_far, by=payment.amount)
    return (_part_row(booking, payment.amount - tax + discount),), price.tax_rate, tax, discount


def _share(of: Money, part: Money, *, before: Money, whole: Money) -> Money:
    """What a part of the price has of an amount: the shares of all parts, one after another, sum to it exactly.

    Nothing of a price that an amendment has lowered to nothing since.
    """
    if whole.is_zero:
        return whole
    until, since = (of.minor * paid.minor // whole.minor for paid in (before + part, before))
    return Money(until - since, of.currency)


def _part_row(booking: Booking, net: Money) -> InvoiceItem:
    """A part of the trip's price before tax: a deposit, or what was paid after it."""
    item = booking.items[0]
    return InvoiceItem(
        item_type=InvoiceItemType.BOOKING_FEE,
        description_ar=f"{item.item_name_ar} - جزء من سعر الحجز {booking.booking_number}",
        description_en=f"{item.item_name_en} - part of the price of {booking.booking_number}",
        quantity=1,
        unit_price=net,
        total_price=net,
    )


def _item_row(item: BookingItem, booking: Booking) -> InvoiceItem:
    """One thing before discount, tax and fee: by the piece where that is exact, else as one amount."""
    net = item.total_price - item.tax - item.fee + item.discount
    pieces = item.quantity if net.minor % item.quantity == 0 else 1
    of_catalogue = booking.trip.departure_id is not None and net.is_positive
    ar, en = (f" ({item.quantity} مسافر)", f" ({item.quantity} travellers)") if of_catalogue else ("", "")
    return InvoiceItem(
        item_type=InvoiceItemType.BOOKING_FEE,
        description_ar=f"{item.item_name_ar}{ar} - {booking.booking_number}",
        description_en=f"{item.item_name_en}{en} - {booking.booking_number}",
        quantity=pieces,
        unit_price=Money(net.minor // pieces, net.currency),
        total_price=net,
    )


def _fee_row(fee: Money) -> InvoiceItem:
    return InvoiceItem(
        item_type=InvoiceItemType.SERVICE_CHARGE,
        description_ar="رسوم الخدمة",
        description_en="Service fee",
        quantity=1,
        unit_price=fee,
        total_price=fee,
    )


class InvoiceDocuments(Protocol):
    """The figures of issued invoices, and where their PDFs lie."""

    def to_draw(self, invoice_id: UUID) -> Mapping[str, Any] | None:
        """Everything that the document shows, rows under `items`."""
        ...

    def storage_key(self, invoice_id: UUID, language: str) -> str | None:
        """Where the PDF lies once it is drawn."""
        ...

    def undrawn_of(self, user_id: UUID) -> Sequence[UUID]:
        """A person's invoices that have no PDF."""
        ...

    def remember(
        self,
        invoice_id: UUID,
        *,
        language: str,
        storage_key: str,
        size: int,
        sha256: bytes,
        at: datetime,
        drawn_for: str,
    ) -> bool:
        """Record a drawn PDF; one that is recorded stays. False, and nothing is recorded, when the person
        was erased since it was `drawn_for` their address."""
        ...


def draw_invoice(
    invoice_id: UUID,
    *,
    documents: InvoiceDocuments,
    renderer: DocumentRenderer,
    storage: ObjectStorage,
    clock: Clock,
) -> None:
    """Draw an invoice in every language that is not drawn yet, and store the PDFs."""
    figures = documents.to_draw(invoice_id)
    if figures is None:
        return
    document = document_from(figures)
    for language in LANGUAGES:
        if documents.storage_key(invoice_id, language) is not None:
            continue
        pdf = renderer.invoice(document, language)
        key = f"invoices/{figures['issue_date']:%Y}/{invoice_id}-{language}.pdf"
        storage.put(key, pdf, "application/pdf")
        remembered = documents.remember(
            invoice_id,
            language=language,
            storage_key=key,
            size=len(pdf),
            sha256=hashlib.sha256(pdf).digest(),
            at=clock.now(),
            drawn_for=figures["customer_email"],
        )
        if not remembered:
            # Drawn for somebody who was erased meanwhile: it names them, so it goes, and another is drawn.
            storage.delete(key)
            draw_invoice(invoice_id, documents=documents, renderer=renderer, storage=storage, clock=clock)
            return


def document_from(figures: Mapping[str, Any]) -> InvoiceDocument:
    """The document that the stored figures make."""
    unit = figures["currency"]

    def amount(name: str, row: Mapping[str, Any] = figures) -> Money:
        return Money.of(row[f"{name}_minor"], unit)

    return InvoiceDocument(
        invoice_number=figures["invoice_number"],
        invoice_type=figures["invoice_type"],
        status=figures["status"],
        issue_date=figures["issue_date"],
        paid_date=figures["paid_date"],
        customer_name=figures["customer_name"],
        customer_email=figures["customer_email"],
        booking_number=figures["booking_number"] or "",
        payment_number=figures["payment_number"],
        payment_method=figures["payment_method"],
        lines=tuple(
            InvoiceLine(
                description_ar=row["description_ar"],
                description_en=row["description_en"],
                quantity=row["quantity"],
                unit_price=amount("unit_price", row),
                total=amount("total_price", row),
            )
            for row in figures["items"]
        ),
        subtotal=amount("subtotal"),
        discount=amount("discount_amount"),
        tax_rate=f"{figures['tax_rate']:.2f}",
        tax=amount("tax_amount"),
        total=amount("total_amount"),
    )
