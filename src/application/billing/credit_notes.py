"""Credit notes: for all that goes back of what was invoiced, by refund or by dispute, in a gapless series."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final
from uuid import UUID

from application.billing.invoices import issue_invoice
from application.ports import NewUnitOfWork, UnitOfWork
from domain.billing.disputes import Dispute
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


def issue_credit_notes(payment_id: UUID, *, new_uow: NewUnitOfWork, clock: Clock, new_id: NewId) -> None:
    """Issue what credit notes a payment lacks, after the invoice that they take back: of each refund, whichever of its
    parts are done, and of each lost dispute.

    None for a deposit, or for money in suspense: nothing was sold. Together they are never more than has gone back, nor
    than the invoice. A note stays when its refund comes back: the same money is still owed, and when it is given back
    in another way the note has been issued.
    """
    with new_uow() as uow:
        payment = uow.payments.get(payment_id)
        if payment.payment_type is PaymentType.WALLET_DEPOSIT or payment.refund_amount.is_zero:
            return
    issue_invoice(payment_id, uow=new_uow(), clock=clock, new_id=new_id)
    with new_uow() as uow:
        booking = uow.bookings.get(payment.booking_id) if payment.booking_id is not None else None
        # Under the payment's lock: notes of one invoice are issued one after another, each seeing those before.
        issuing = _Issuing(uow.payments.get(payment_id), booking, uow, clock, new_id)
        for cause in list(issuing.causes()):
            issuing.issue(cause)
        uow.commit()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Cause:
    """A refund or a dispute, and how much of what was sold went back by it."""

    id: UUID
    amount: Money
    words: tuple[str, str]
    refund_id: UUID | None = None
    dispute_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class _Issuing:
    """A payment and its booking, both locked."""

    payment: Payment
    booking: Booking | None
    uow: UnitOfWork
    clock: Clock
    new_id: NewId

    def causes(self) -> Iterator[_Cause]:
        """What has gone back and has no note yet, by refund and by dispute, oldest first.

        What came back after its note was issued is credited: the next that goes back has so much less of its own.
        """
        noted = self.uow.invoices.credited_by(self.payment.id)
        gone = [self._of_refund(refund) for refund in self.uow.refunds.of_payment(self.payment.id)]
        gone += [self._of_dispute(dispute) for dispute in self.uow.disputes.of_payment(self.payment.id)]
        zero = Money(0, self.payment.amount.currency)
        # Money of another currency lies in suspense: it paid for nothing.
        gone = [cause for cause in gone if cause.amount.currency == zero.currency]
        lacking = [cause.amount - Money(noted.get(cause.id, 0), zero.currency) for cause in gone]
        spare = total((max(-lack, zero) for lack in lacking), zero.currency.code)
        for cause, lack in zip(gone, lacking, strict=True):
            covered = min(max(lack, zero), spare)
            spare -= covered
            if (lack - covered).is_positive:
                yield replace(cause, amount=lack - covered)

    @staticmethod
    def _of_refund(refund: Refund) -> _Cause:
        done = [part for part in refund.parts if part.status is RefundStatus.SUCCEEDED and part.tender_id is not None]
        amount = total((part.amount for part in done), refund.amount.currency.code)
        words = (f"رد مبلغ {refund.refund_number}", f"Refund {refund.refund_number}")
        return _Cause(id=refund.id, amount=amount, words=words, refund_id=refund.id)

    @staticmethod
    def _of_dispute(dispute: Dispute) -> _Cause:
        name = dispute.provider_dispute_reference
        words = (f"نزاع {name}", f"Dispute {name}")
        return _Cause(id=dispute.id, amount=dispute.taken, words=words, dispute_id=dispute.id)

    def issue(self, cause: _Cause) -> None:
        now, payment = self.clock.now(), self.payment
        today = business_date(now)
        before = self.uow.invoices.credited_of(payment.id)
        amount = min(cause.amount, before.total - before.credited)
        if not amount.is_positive:
            return
        number = self.uow.invoices.next_number(SERIES, today.year)
        tax = _tax(before, amount, self.booking, self.uow)
        note = Invoice(
            id=self.new_id(),
            invoice_number=document_number(SERIES, today.year, number),
            user_id=payment.user_id,
            booking_id=payment.booking_id,
            payment_id=payment.id,
            refund_id=cause.refund_id,
            dispute_id=cause.dispute_id,
            invoice_type=InvoiceType.CREDIT_NOTE,
            status=InvoiceStatus.ISSUED,
            items=(_row(cause, payment, before.invoice_number, amount - tax),),
            subtotal=amount - tax,
            discount_amount=Money(0, amount.currency),
            tax_rate=before.tax_rate,
            tax_amount=tax,
            total_amount=amount,
            issue_date=today,
            paid_date=None,
            issued_at=now,
        )
        self.uow.invoices.add(note)
        self.uow.publish(InvoiceIssued(at=now, invoice_id=note.id, user_id=note.user_id))


def _tax(before: Credited, amount: Money, booking: Booking | None, uow: UnitOfWork) -> Money:
    """The invoice's own share; of a booking that was amended, what its documents say too much by now."""
    if booking is None or not booking.amended_times:
        return tax_of_share(before.tax, before.total, reached=before.credited + amount) - before.credited_tax
    so_far, price = uow.invoices.documented(booking.id, amount.currency.code), booking.price
    moved = tax_moving(price.tax_amount, price.final_amount, so_far=so_far, by=-amount)
    return min(-moved, before.tax - before.credited_tax)


def _row(cause: _Cause, payment: Payment, invoice_number: str, net: Money) -> InvoiceItem:
    is_booking = payment.booking_id is not None
    return InvoiceItem(
        item_type=InvoiceItemType.BOOKING_FEE if is_booking else InvoiceItemType.MEMBERSHIP_FEE,
        description_ar=f"{cause.words[0]} من الفاتورة {invoice_number}",
        description_en=f"{cause.words[1]} of invoice {invoice_number}",
        quantity=1,
        unit_price=net,
        total_price=net,
    )
