"""Items of money in suspense as refunds and disputes move them: whoever looks at the queue sees what is still there."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from application.ports import UnitOfWork
from domain.billing.disputes import Dispute
from domain.billing.refunds import RefundPart
from domain.billing.suspense import Decision, Resolution, SuspenseItem, SuspenseStatus
from domain.shared.money import Money


def goes_back(part: RefundPart, *, by: UUID | None, uow: UnitOfWork, at: datetime) -> None:
    """The part's money is on its way; staff decide nothing else about it. Raises IllegalTransition if they have.

    What the bank took in a dispute stays its own: the provider may tell of a refund of the same money (`by` is None),
    which the dispute's level follows.
    """
    item = _item_of(part, uow)
    if item is None or (by is None and item.resolution is Resolution.DISPUTED):
        return
    item.refund(Decision(by=by, reason="", at=at), refund_id=part.refund_id)
    uow.suspense.save(item)


def went_back(part: RefundPart, journal_id: UUID, *, uow: UnitOfWork, at: datetime) -> None:
    """The money is with its payer."""
    item = _item_of(part, uow)
    if item is not None and item.refund_id == part.refund_id:
        item.refunded(journal_id=journal_id, at=at)
        uow.suspense.save(item)


def waits_again(part: RefundPart, *, uow: UnitOfWork) -> None:
    """It could not go back, or came back: a person decides anew."""
    item = _item_of(part, uow)
    if item is not None and item.refund_id == part.refund_id:
        item.reopen()
        uow.suspense.save(item)


def _item_of(part: RefundPart, uow: UnitOfWork) -> SuspenseItem | None:
    return uow.suspense.get(part.receipt_id) if part.receipt_id is not None else None


def taken_by_bank(dispute: Dispute, amount: Money, journal_id: UUID, *, uow: UnitOfWork, at: datetime) -> None:
    """A bank took so much of an attempt's money in suspense: items that are whole in it wait for nobody.

    They stay so when the bank has less of it later, because then a refund has more.
    """
    left = amount
    for item in uow.suspense.of_attempt(dispute.attempt_id):
        fits = item.amount.currency == left.currency and item.amount <= left
        if fits and item.status is SuspenseStatus.OPEN:
            item.resolve(Resolution.DISPUTED, Decision(by=None, reason=dispute.reason, at=at), journal_id=journal_id)
            uow.suspense.save(item)
            left -= item.amount
