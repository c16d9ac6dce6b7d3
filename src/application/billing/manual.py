"""Money that staff confirm. The gateway reads it like any provider's, and the one settlement books it.

Locks are taken in one order: the payment, then its receipts.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from application.billing.ports import Gateways
from application.billing.readback import read_payment_back
from application.ports import NewUnitOfWork, UnitOfWork
from domain.billing import manual
from domain.billing.manual import AlreadyConfirmed, ManualReceipt, NotConfirmedByHand
from domain.billing.payments import Payment
from domain.shared.clock import Clock
from domain.shared.identifiers import NewId
from domain.shared.money import Money


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmPayment:
    """Staff saw money come in: `amount` where it is not what was asked.

    Above the one of `limits` that is in its currency a second person has to agree; where none is, always.
    `is_additional` says that it came on top of what was confirmed before.
    """

    payment_id: UUID
    reference: str
    received_on: date
    amount: Money | None
    limits: tuple[Money, ...]
    is_additional: bool
    actor_id: UUID
    idempotency_key: str


def confirm_payment(
    command: ConfirmPayment, *, new_uow: NewUnitOfWork, gateways: Gateways, clock: Clock, new_id: NewId, live: bool
) -> UUID:
    """Write a receipt down, and settle the payment where one person is enough; the receipt's id.

    The same key answers the same receipt, and finishes what an earlier run left. Raises PaymentNotFound, OwnRequest,
    NotConfirmedByHand, AlreadyConfirmed, ReceiptReferenceUsed.
    """
    receipt = _write_down(command, uow=new_uow(), clock=clock, new_id=new_id)
    if receipt.status is manual.ManualReceiptStatus.APPROVED:
        read_payment_back(command.payment_id, new_uow=new_uow, gateways=gateways, clock=clock, new_id=new_id, live=live)
    return receipt.id


def _write_down(command: ConfirmPayment, *, uow: UnitOfWork, clock: Clock, new_id: NewId) -> ManualReceipt:
    now = clock.now()
    with uow:
        payment = uow.payments.get(command.payment_id)
        known = uow.manual_receipts.by_key(command.idempotency_key)
        if known is not None:
            return known
        checkout = _checkout_of(payment, uow)
        if uow.manual_receipts.has_standing(payment.id) and not command.is_additional:
            raise AlreadyConfirmed()
        amount = command.amount or checkout.amount
        receipt = ManualReceipt.propose(
            receipt_id=new_id(),
            checkout_id=checkout.id,
            payment_id=payment.id,
            payer_id=payment.user_id,
            reference=command.reference,
            received_on=command.received_on,
            amount=amount,
            limit=next((limit for limit in command.limits if limit.currency == amount.currency), None),
            by=command.actor_id,
            idempotency_key=command.idempotency_key,
            at=now,
        )
        if not receipt.needs_approval:
            receipt.accept(position=uow.manual_receipts.next_position(checkout.id), at=now)
        uow.manual_receipts.add(receipt)
        _audit(uow, receipt, before=None, actor=command.actor_id, clock=clock)
        uow.commit()
    return receipt


def _checkout_of(payment: Payment, uow: UnitOfWork) -> manual.ManualCheckout:
    checkout = None
    if payment.provider == manual.PROVIDER:
        checkout = uow.manual_receipts.checkout_of([attempt.merchant_reference for attempt in payment.attempts])
    if checkout is None:
        raise NotConfirmedByHand()
    return checkout


@dataclass(frozen=True, slots=True, kw_only=True)
class DecideReceipt:
    """What the second person says."""

    receipt_id: UUID
    actor_id: UUID


def approve_receipt(
    command: DecideReceipt, *, new_uow: NewUnitOfWork, gateways: Gateways, clock: Clock, new_id: NewId, live: bool
) -> None:
    """Agree, and settle the payment; who agreed before and was not answered may ask again.

    Raises OwnRequest or IllegalTransition.
    """
    with new_uow() as uow:
        receipt = _locked(command.receipt_id, uow)
        before = receipt.status
        if not receipt.was_approved_by(command.actor_id):
            position = uow.manual_receipts.next_position(receipt.checkout_id)
            receipt.approve(position=position, by=command.actor_id, at=clock.now())
            uow.manual_receipts.save(receipt)
            _audit(uow, receipt, before=before, actor=command.actor_id, clock=clock)
            uow.commit()
    read_payment_back(receipt.payment_id, new_uow=new_uow, gateways=gateways, clock=clock, new_id=new_id, live=live)


def reject_receipt(command: DecideReceipt, *, uow: UnitOfWork, clock: Clock) -> None:
    """Do not agree; nothing is booked. Raises OwnRequest or IllegalTransition."""
    with uow:
        receipt = _locked(command.receipt_id, uow)
        before = receipt.status
        receipt.reject(by=command.actor_id, at=clock.now())
        uow.manual_receipts.save(receipt)
        _audit(uow, receipt, before=before, actor=command.actor_id, clock=clock)
        uow.commit()


def settle_confirmed(
    receipt_id: UUID, *, new_uow: NewUnitOfWork, gateways: Gateways, clock: Clock, new_id: NewId, live: bool
) -> None:
    """Read a receipt's payment back, whatever became of the request that confirmed it."""
    with new_uow() as uow:
        payment_id = uow.manual_receipts.payment_of(receipt_id)
    read_payment_back(payment_id, new_uow=new_uow, gateways=gateways, clock=clock, new_id=new_id, live=live)


def _locked(receipt_id: UUID, uow: UnitOfWork) -> ManualReceipt:
    uow.payments.get(uow.manual_receipts.payment_of(receipt_id))
    return uow.manual_receipts.get(receipt_id)


def _audit(uow: UnitOfWork, receipt: ManualReceipt, *, before: str | None, actor: UUID, clock: Clock) -> None:
    uow.audit.add(
        actor=actor,
        action="payments.confirm",
        resource_type="PAYMENT",
        resource_id=receipt.payment_id,
        changes={
            "before": {"status": before},
            "after": {"status": receipt.status},
            "receipt_id": receipt.id,
            "reference": receipt.reference,
            "received_on": receipt.received_on.isoformat(),
            "amount": str(receipt.amount),
        },
        at=clock.now(),
    )
