"""Batches from the draft to the last payout: made, looked at, approved by another, sent, thrown away.

Locks are taken in one order: the batch, its payouts, their profiles, the payable accounts sorted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID

from application.operations.ports import SystemSettings
from application.payouts.effects import Ending
from application.payouts.ports import Filled, Selection, ToPost
from application.ports import NewUnitOfWork, UnitOfWork
from domain.ledger import accounts
from domain.ledger.accounts import AccountKind
from domain.ledger.journal import Journal, JournalType, transfer
from domain.operations.settings import PAYOUT_DEBTOR_BIC, PAYOUT_DEBTOR_IBAN, PAYOUT_DEBTOR_NAME
from domain.payouts.batches import Batch, BatchEmpty, BatchPayees, BatchPeriod, BatchStatus, Debtor
from domain.payouts.payouts import DRAFT_DROPPED, NOT_ACTIVE, NOT_BORNE, QUESTIONED, REFERENCE
from domain.shared.clock import Clock, business_date
from domain.shared.errors import refuse_stale
from domain.shared.identifiers import NewId, document_number

BATCH: Final = "PAYOUT_BATCH"
AT_ONCE: Final = 500
"""How many journals are posted by one statement."""
DRIVEN_AFTER: Final = timedelta(minutes=1)
"""How long a payout's own job is given before the driver looks for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MakeBatch:
    """Somebody, or with `actor_id` None the schedule, makes a batch; `cut_off` is now where it is None.

    `period_start` is the day that the schedule makes it for.
    """

    period: BatchPeriod
    payees: BatchPayees
    actor_id: UUID | None
    minima: Mapping[str, int]
    cut_off: datetime | None = None
    period_start: date | None = None


@dataclass(frozen=True, slots=True)
class BatchFilled:
    """The batch, and how much it took."""

    batch_id: UUID
    batch_number: str
    filled: Filled


def debtor_of(settings: SystemSettings) -> Debtor:
    """Who pays, as the settings say now."""
    return Debtor(
        settings.value(PAYOUT_DEBTOR_NAME), settings.value(PAYOUT_DEBTOR_IBAN), settings.value(PAYOUT_DEBTOR_BIC)
    )


def selection_of(command: MakeBatch, *, at: datetime) -> Selection:
    """What a batch takes that is made now."""
    return Selection(payees=command.payees, cut_off=command.cut_off or at, minima=command.minima, at=at)


def make_batch(command: MakeBatch, *, uow: UnitOfWork, clock: Clock, new_id: NewId) -> BatchFilled | None:
    """Take every free entry into a draft; None where the schedule made that period's before. Raises InvalidValue.

    The schedule's batch is remembered when nobody is to be paid, too: as one that was thrown away at once.
    """
    with uow:
        uow.payout_batches.wait_for_turn()
        now = clock.now()
        batch = _begun(command, uow, now, new_id)
        if not uow.payout_batches.add(batch):
            return None
        filled = uow.payout_batches.fill(batch, selection_of(command, at=now))
        if command.actor_id is None and not filled.payouts:
            batch.cancel(at=now)
            uow.payout_batches.save(batch)
        made = {"payouts": filled.payouts, "entries": filled.entries, "left_out": filled.left_out}
        _audit(uow, batch, "payouts.create", before=None, actor=command.actor_id, at=now, facts=made)
        uow.commit()
    return BatchFilled(batch.id, batch.batch_number, filled)


def _begun(command: MakeBatch, uow: UnitOfWork, now: datetime, new_id: NewId) -> Batch:
    day = business_date(now)
    return Batch.make(
        batch_id=new_id(),
        number=document_number("PB", day.year, uow.payout_batches.next_serial()),
        period=command.period,
        payee_type=command.payees,
        period_start=command.period_start or day,
        cut_off=command.cut_off or now,
        by=command.actor_id,
        at=now,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class DecideBatch:
    """What staff do with a batch; `expected` is the version they saw, None where any will do."""

    batch_id: UUID
    actor_id: UUID | None
    expected: int | None = None


def approve_batch(command: DecideBatch, *, debtor: Debtor, uow: UnitOfWork, clock: Clock, new_id: NewId) -> None:
    """Take every payout's money out of its payable account, and freeze the batch.

    A payout that its account no longer bears, because a refund came since, is cancelled and its entries are free; so
    is one of which a bank questions a part since, and one whose payee is not active any more.
    Raises OwnBatch, BatchEmpty, IllegalTransition or PreconditionFailed.
    """
    actor = _person(command)
    with uow:
        batch = _seen(command, uow)
        batch.refuse_approval(by=actor)
        now = clock.now()
        inactive = uow.payout_batches.drop_inactive(batch.id, failure_code=NOT_ACTIVE, at=now)
        uow.payout_batches.lock_accounts(batch.id)
        dropped = uow.payout_batches.drop_unborne(batch.id, failure_code=NOT_BORNE, at=now)
        questioned = uow.payout_batches.drop_questioned(batch.id, failure_code=QUESTIONED, at=now)
        if not _post(batch, uow, now, new_id) and not inactive + dropped + questioned:
            raise BatchEmpty()
        batch.approve(by=actor, debtor=debtor, at=now)
        uow.payout_batches.save(batch)
        facts = {"not_active": inactive, "not_borne": dropped, "questioned": questioned}
        _audit(uow, batch, "payouts.approve", before=BatchStatus.DRAFT, actor=actor, at=now, facts=facts)
        uow.commit()


def _person(command: DecideBatch) -> UUID:
    if command.actor_id is None:
        raise ValueError("only a person approves")
    return command.actor_id


def _seen(command: DecideBatch, uow: UnitOfWork) -> Batch:
    batch = uow.payout_batches.get(command.batch_id)
    refuse_stale(command.expected, current=batch.version)
    return batch


def _post(batch: Batch, uow: UnitOfWork, at: datetime, new_id: NewId) -> int:
    """Post one journal for each payout, some hundreds at a time; how many there were."""
    posted, last = 0, None
    while waiting := uow.payout_batches.to_post(batch.id, after=last, limit=AT_ONCE):
        journals = {one.payout_id: _out(one, at, new_id) for one in waiting}
        uow.ledger.post(list(journals.values()))
        uow.payout_batches.posted({payout_id: journal.id for payout_id, journal in journals.items()})
        posted, last = posted + len(waiting), waiting[-1].payout_id
    return posted


def _out(payout: ToPost, at: datetime, new_id: NewId) -> Journal:
    in_transit = accounts.platform(AccountKind.PAYOUTS_IN_TRANSIT, payout.account.currency)
    return Journal(
        id=new_id(),
        journal_type=JournalType.PAYOUT,
        idempotency_key=f"payout:{payout.payout_id}:approved",
        reference_type=REFERENCE,
        reference_id=payout.payout_id,
        description_ar=f"صرف المستحقات {payout.payout_number}",
        description_en=f"Payout {payout.payout_number}",
        occurred_at=at,
        entries=transfer(payout.account, in_transit, payout.amount_minor),
    )


def cancel_batch(command: DecideBatch, *, uow: UnitOfWork, clock: Clock) -> None:
    """Throw a draft away; its entries are free. Raises IllegalTransition or PreconditionFailed."""
    with uow:
        batch, now = _seen(command, uow), clock.now()
        before = batch.status
        batch.cancel(at=now)
        uow.payout_batches.cancel_payouts(batch.id, failure_code=DRAFT_DROPPED, at=now)
        uow.payout_batches.save(batch)
        _audit(uow, batch, "payouts.create", before=before, actor=command.actor_id, at=now)
        uow.commit()


def process_batch(command: DecideBatch, *, uow: UnitOfWork, clock: Clock, new_id: NewId) -> None:
    """Begin to send an approved batch: its bank file is complete, and each other payout is a job of its own.

    What payees who are not active any more would have got is owed to them again.
    Raises IllegalTransition or PreconditionFailed.
    """
    with uow:
        batch, now = _seen(command, uow), clock.now()
        before = batch.status
        batch.process(at=now)
        uow.payout_batches.save(batch)
        inactive = uow.payouts.inactive(batch.id)
        for payout in inactive:
            Ending(uow, now, new_id).drop(payout, failure_code=NOT_ACTIVE)
        uow.payout_batches.dispatch(batch.id, at=now, driven_at=now + DRIVEN_AFTER)
        facts = {"not_active": len(inactive)}
        _audit(uow, batch, "payouts.process", before=before, actor=command.actor_id, at=now, facts=facts)
        if uow.payout_batches.is_over(batch.id):
            batch.complete(at=now)
            uow.payout_batches.save(batch)
        uow.commit()


def complete_if_over(batch_id: UUID, *, uow: UnitOfWork, clock: Clock) -> None:
    """End a batch whose payouts have all ended. Whoever ends the last one asks; the driver asks again."""
    with uow:
        if not uow.payout_batches.is_over(batch_id):
            return
        batch = uow.payout_batches.get(batch_id)
        if batch.status is BatchStatus.PROCESSING:
            batch.complete(at=clock.now())
            uow.payout_batches.save(batch)
            uow.commit()


def process_waiting(*, new_uow: NewUnitOfWork, clock: Clock, new_id: NewId) -> Sequence[UUID]:
    """Begin to send every approved batch, by nobody's hand; which they were."""
    with new_uow() as uow:
        waiting = uow.payout_batches.waiting()
    for batch_id in waiting:
        process_batch(DecideBatch(batch_id=batch_id, actor_id=None), uow=new_uow(), clock=clock, new_id=new_id)
    return waiting


def _audit(
    uow: UnitOfWork,
    batch: Batch,
    action: str,
    *,
    before: str | None,
    actor: UUID | None,
    at: datetime,
    facts: Mapping[str, object] | None = None,
) -> None:
    uow.audit.add(
        actor=actor,
        action=action,
        resource_type=BATCH,
        resource_id=batch.id,
        changes={"before": {"status": before}, "after": {"status": batch.status}, **(facts or {})},
        at=at,
    )
