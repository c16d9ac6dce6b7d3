"""Credit notes: one for every refund of what was invoiced, in a gapless series of their own."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from application.billing.invoices import issue_invoice
from application.ports import NewUnitOfWork, UnitOfWork
from domain.billing.invoices import (
    Credited,
    Invoice,
    InvoiceIssued,
    InvoiceItem,
    InvoiceItemType,
    InvoiceStatus,
    InvoiceType,
    tax_moving,
    tax_of_share,
)
from domain.billing.payments import Payment, PaymentType
from domain.billing.refunds import Refund, RefundStatus
from domain.sales.bookings import Booking
from domain.shared.clock import Clock, business_date
from domain.shared.identifiers import NewId, document_number
from domain.shared.money import Money, total

SERIES: Final = "CN"


def issue_credit_note(refund_id: UUID, *, new_uow: NewUnitOfWork, clock: Clock, new_id: NewId) -> None:
    """Issue the credit note of a refund that has succeeded, once, after the invoice that it takes back.

    None for a deposit, or for money in suspense: nothing was sold. A note stays when its refund comes back: the same
    money is still owed, and when it is given back in another way the note has been issued.
    """
    with new_uow() as uow:
        payment_id = uow.refunds.payment_of(refund_id)
        payment = uow.payments.get(payment_id)
        refund = uow.refunds.get(refund_id)
        amount = _given_back(refund)
        if payment.payment_type is PaymentType.WALLET_DEPOSIT or amount.is_zero:
            return
        if refund.status is not RefundStatus.SUCCEEDED or uow.invoices.exists_for_refund(refund_id):
            return
    issue_invoice(payment_id, uow=new_uow(), clock=clock, new_id=new_id)
    with new_uow() as uow:
        _issue(refund, payment, amount, uow=uow, clock=clock, new_id=new_id)
        uow.commit()


def _given_back(refund: Refund) -> Money:
    """What of the refund was paid for something."""
    parts = (part.amount for part in refund.living_parts if part.tender_id is not None)
    return total(parts, refund.amount.currency.code)


def _issue(refund: Refund, payment: Payment, amount: Money, *, uow: UnitOfWork, clock: Clock, new_id: NewId) -> None:
    now = clock.now()
    today = business_date(now)
    booking = uow.bookings.get(payment.booking_id) if payment.booking_id is not None else None
    # Under the payment's lock: notes of one invoice are issued one after another, each seeing those before.
    uow.payments.get(payment.id)
    before = uow.invoices.credited_of(payment.id)
    amount = min(amount, before.total - before.credited)
    if not amount.is_positive:
        # The note of a refund that came back has credited all of it.
        return
    number = uow.invoices.next_number(SERIES, today.year)
    tax = _tax(before, amount, booking, uow)
    note = Invoice(
        id=new_id(),
        invoice_number=document_number(SERIES, today.year, number),
        user_id=payment.user_id,
        booking_id=payment.booking_id,
        payment_id=payment.id,
        refund_id=refund.id,
        invoice_type=InvoiceType.CREDIT_NOTE,
        status=InvoiceStatus.ISSUED,
        items=(_row(refund, payment, before.invoice_number, amount - tax),),
        subtotal=amount - tax,
        discount_amount=Money(0, amount.currency),
        tax_rate=before.tax_rate,
        tax_amount=tax,
        total_amount=amount,
        issue_date=today,
        paid_date=None,
        issued_at=now,
    )
    uow.invoices.add(note)
    uow.publish(InvoiceIssued(at=now, invoice_id=note.id, user_id=note.user_id))


def _tax(before: Credited, amount: Money, booking: Booking | None, uow: UnitOfWork) -> Money:
    """The invoice's own share; of a booking that was amended, what its documents say too much by now."""
    if booking is None or not booking.amended_times:
        return tax_of_share(before.tax, before.total, reached=before.credited + amount) - before.credited_tax
    so_far, price = uow.invoices.documented(booking.id, amount.currency.code), booking.price
    moved = tax_moving(price.tax_amount, price.final_amount, so_far=so_far, by=-amount)
    return min(-moved, before.tax - before.credited_tax)


def _row(refund: Refund, payment: Payment, invoice_number: str, net: Money) -> InvoiceItem:
    is_booking = payment.booking_id is not None
    return InvoiceItem(
        item_type=InvoiceItemType.BOOKING_FEE if is_booking else InvoiceItemType.MEMBERSHIP_FEE,
        description_ar=f"رد مبلغ {refund.refund_number} من الفاتورة {invoice_number}",
        description_en=f"Refund {refund.refund_number} of invoice {invoice_number}",
        quantity=1,
        unit_price=net,
        total_price=net,
    )
