"""Ending payments that nobody waits for: by their customer, and by a job after a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from application.billing.payables import lock_payable
from application.billing.tenders import cancel_payments
from application.ports import NewUnitOfWork, UnitOfWork
from domain.billing.payments import Payment, PaymentNotFound, PaymentStatus
from domain.shared.clock import Clock
from domain.shared.errors import Conflict, IllegalTransition

ABANDONED_AFTER: Final = timedelta(days=7)
"""How long after the end of its last checkout a payment still waits: codes for cash are paid past their date."""

BATCH: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelPayment:
    """A customer does not want to pay this way any more."""

    payment_id: UUID
    user_id: UUID


def cancel_open_payment(command: CancelPayment, *, uow: UnitOfWork, clock: Clock) -> None:
    """Cancel a payment that waits, and free what it had set aside; money that still comes goes to suspense.

    Raises PaymentNotFound for somebody else's, IllegalTransition once it is paid or over.
    """
    with uow:
        payment = _locked(command.payment_id, uow, at=clock.now())
        if payment.user_id != command.user_id:
            raise PaymentNotFound()
        if payment.status is not PaymentStatus.PENDING:
            raise IllegalTransition(current=payment.status, wanted=PaymentStatus.CANCELLED)
        cancel_payments([payment], uow=uow, clock=clock)
        uow.commit()


def cancel_abandoned_payments(
    *, new_uow: NewUnitOfWork, clock: Clock, after: UUID | None = None, limit: int = BATCH
) -> Sequence[UUID]:
    """Cancel the payments of a batch whose checkouts all ended long ago and brought nothing; the batch, by id.

    Each in a transaction of its own. One whose outcome nobody knows is left to a person, and so is one that money
    came for. Money that comes after all goes to suspense as LATE.
    """
    ended_before = clock.now() - ABANDONED_AFTER
    with new_uow() as uow:
        found = uow.payments.abandoned(ended_before=ended_before, after=after, limit=limit)
    for payment_id in found:
        _cancel_or_leave(payment_id, ended_before=ended_before, uow=new_uow(), clock=clock)
    return found


def _cancel_or_leave(payment_id: UUID, *, ended_before: datetime, uow: UnitOfWork, clock: Clock) -> None:
    """One that somebody holds for longer than a lock is waited for is left to the next run."""
    try:
        with uow:
            payment = _locked(payment_id, uow, at=clock.now())
            # Looked at again under its lock: it may have been paid, or tried again, since.
            if payment.is_abandoned(ended_before=ended_before):
                cancel_payments([payment], uow=uow, clock=clock)
            uow.commit()
    except Conflict:
        return


def _locked(payment_id: UUID, uow: UnitOfWork, *, at: datetime) -> Payment:
    """The payment, after what it pays."""
    target = uow.payments.target_of(payment_id)
    lock_payable(target.payment_type, target.payable_id, uow=uow, at=at)
    return uow.payments.get(payment_id)
