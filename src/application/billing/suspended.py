"""Items of money in suspense as refunds and disputes move them: whoever looks at the queue sees what is still there."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from application.ports import UnitOfWork
from domain.billing.disputes import Dispute
from domain.billing.refunds import RefundPart
from domain.billing.suspense import Decision, Resolution, SuspenseStatus
from domain.shared.money import Money


def goes_back(part: RefundPart, *, by: UUID | None, uow: UnitOfWork, at: datetime) -> None:
    """The part's money is on its way; staff decide nothing else about it. Raises IllegalTransition if they have."""
    if part.receipt_id is None:
        return
    item = uow.suspense.get(part.receipt_id)
    item.refund(Decision(by=by, reason="", at=at), refund_id=part.refund_id)
    uow.suspense.save(item)


def went_back(part: RefundPart, journal_id: UUID, *, uow: UnitOfWork, at: datetime) -> None:
    if part.receipt_id is None:
        return
    item = uow.suspense.get(part.receipt_id)
    item.refunded(journal_id=journal_id, at=at)
    uow.suspense.save(item)


def waits_again(part: RefundPart, *, uow: UnitOfWork) -> None:
    """It could not go back, or came back: a person decides anew."""
    if part.receipt_id is None:
        return
    item = uow.suspense.get(part.receipt_id)
    item.reopen()
    uow.suspense.save(item)


def follow_dispute(dispute: Dispute, amount: Money, journal_id: UUID, *, uow: UnitOfWork, at: datetime) -> None:
    """A bank took so much of an attempt's money in suspense; below zero, it gave so much back."""
    left = amount if amount.is_positive else -amount
    for item in uow.suspense.of_attempt(dispute.attempt_id):
        if item.amount.currency != left.currency or item.amount > left:
            continue
        if amount.is_positive and item.status is SuspenseStatus.OPEN:
            item.resolve(Resolution.DISPUTED, Decision(by=None, reason=dispute.reason, at=at), journal_id=journal_id)
        elif not amount.is_positive and item.resolution is Resolution.DISPUTED:
            item.reopen()
        else:
            continue
        left -= item.amount
        uow.suspense.save(item)
