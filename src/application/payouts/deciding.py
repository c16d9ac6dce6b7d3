"""What staff do with one payout: take it back, or say what became of it where no machine knows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from application.payouts.batches import complete_if_over
from application.payouts.effects import Ending, audit_decision
from application.ports import NewUnitOfWork
from domain.partners.partners import PayoutMethod
from domain.payouts.payouts import BY_STAFF, Payout, PayoutStatus
from domain.shared.clock import Clock
from domain.shared.errors import IllegalTransition, refuse_stale
from domain.shared.identifiers import NewId


@dataclass(frozen=True, slots=True, kw_only=True)
class DecidePayout:
    """What somebody says of a payout; `expected` is the version they saw, None where any will do."""

    payout_id: UUID
    actor_id: UUID
    bank_reference: str = ""
    reason: str = ""
    expected: int | None = None


def cancel_payout(command: DecidePayout, *, new_uow: NewUnitOfWork, clock: Clock, new_id: NewId) -> None:
    """Take back what was not sent, or what a person knows was never carried out: its amount is owed again.

    Raises PayoutNotFound, OwnRequest, PreconditionFailed, or IllegalTransition: in a draft, the batch is cancelled.
    """
    _decide(command, lambda payout, ending: ending.cancel(payout, reason=command.reason), new_uow, clock, new_id)


def confirm_payout(command: DecidePayout, *, new_uow: NewUnitOfWork, clock: Clock, new_id: NewId) -> None:
    """Say that it arrived, with the bank's or the provider's reference. Raises as `cancel_payout` does."""

    def pay(payout: Payout, ending: Ending) -> None:
        _refuse_unsent(payout, PayoutStatus.PAID)
        ending.pay(payout, bank_reference=command.bank_reference or None)

    _decide(command, pay, new_uow, clock, new_id)


def fail_payout(command: DecidePayout, *, new_uow: NewUnitOfWork, clock: Clock, new_id: NewId) -> None:
    """Say that it was refused: its amount is owed again. Raises as `cancel_payout` does."""

    def fail(payout: Payout, ending: Ending) -> None:
        _refuse_unsent(payout, PayoutStatus.FAILED)
        ending.fail(payout, failure_code=BY_STAFF, reason=command.reason)

    _decide(command, fail, new_uow, clock, new_id)


def return_payout(command: DecidePayout, *, new_uow: NewUnitOfWork, clock: Clock, new_id: NewId) -> None:
    """Say that the bank sent back what was paid: its amount is owed again. Raises as `cancel_payout` does."""
    _decide(command, lambda payout, ending: ending.send_back(payout, reason=command.reason), new_uow, clock, new_id)


def _refuse_unsent(payout: Payout, wanted: PayoutStatus) -> None:
    """A payout that was never sent has no outcome, and what a provider is being asked is for it to say."""
    is_being_asked = payout.status is PayoutStatus.SENT and payout.method != PayoutMethod.BANK_TRANSFER
    if payout.status is PayoutStatus.PENDING or is_being_asked:
        raise IllegalTransition(current=payout.status, wanted=wanted)


def _decide(
    command: DecidePayout,
    change: Callable[[Payout, Ending], None],
    new_uow: NewUnitOfWork,
    clock: Clock,
    new_id: NewId,
) -> None:
    with new_uow() as uow:
        payout = uow.payouts.get(command.payout_id)
        refuse_stale(command.expected, current=payout.version)
        before, now = payout.status, clock.now()
        payout.decided(by=command.actor_id)
        if payout.journal_id is None:
            raise IllegalTransition(current="DRAFT", wanted=PayoutStatus.CANCELLED)
        change(payout, Ending(uow, now, new_id))
        audit_decision(uow, payout, before=before, actor=command.actor_id, at=now)
        uow.commit()
    complete_if_over(payout.batch_id, uow=new_uow(), clock=clock)
