"""Crediting cashback whose time has come: a periodic job, shared by any number of workers."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from application.ledger.cashback import audit_cashback, cancellation, journal_about
from application.ports import NewUnitOfWork, UnitOfWork
from domain.ledger.accounts import AccountRef
from domain.ledger.cashback import ERASED, CashbackRecord, CashbackStatus, creditable
from domain.ledger.cashback_entries import crediting, owed_on, wallet_of
from domain.ledger.debts import debt_of
from domain.ledger.journal import Journal, JournalType
from domain.shared.clock import Clock
from domain.shared.errors import Conflict, RuleBroken
from domain.shared.identifiers import NewId
from domain.shared.money import Money

BATCH = 50
"""Records in one transaction: few enough that nobody waits long for a wallet that it has locked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CreditDueCashback:
    """`approves_itself` is whether what is still PENDING is approved by its time alone."""

    approves_itself: bool
    limit: int = 1_000


@dataclass(frozen=True, slots=True)
class CreditRun:
    """How many records came to an end, and which were left to the next run, with the refusal's code."""

    credited: int = 0
    lapsed: int = 0
    left: dict[UUID, str] = field(default_factory=dict)

    def __add__(self, other: CreditRun) -> CreditRun:
        return CreditRun(self.credited + other.credited, self.lapsed + other.lapsed, {**self.left, **other.left})


def credit_due_cashback(
    command: CreditDueCashback, *, new_uow: NewUnitOfWork, clock: Clock, new_id: NewId
) -> CreditRun:
    """Credit what is eligible, up to `limit`, in short transactions; killed anywhere, the next run goes on."""
    statuses = creditable(approves_itself=command.approves_itself)
    with new_uow() as uow:
        due = uow.cashback.due(statuses, at=clock.now(), limit=command.limit)
    batches = [due[start : start + BATCH] for start in range(0, len(due), BATCH)]
    runs = (_batch_or_each(batch, statuses, new_uow=new_uow, clock=clock, new_id=new_id) for batch in batches)
    return sum(runs, start=CreditRun())


def _batch_or_each(
    ids: Sequence[UUID],
    statuses: Collection[CashbackStatus],
    *,
    new_uow: NewUnitOfWork,
    clock: Clock,
    new_id: NewId,
) -> CreditRun:
    """Credit a batch; where that is refused, each record alone, so that one of them holds up no other."""
    try:
        return _credit_batch(ids, statuses, uow=new_uow(), clock=clock, new_id=new_id)
    except (Conflict, RuleBroken) as refusal:
        if len(ids) == 1:
            return CreditRun(left={ids[0]: refusal.code})
    runs = (_batch_or_each([one], statuses, new_uow=new_uow, clock=clock, new_id=new_id) for one in ids)
    return sum(runs, start=CreditRun())


def _credit_batch(
    ids: Sequence[UUID], statuses: Collection[CashbackStatus], *, uow: UnitOfWork, clock: Clock, new_id: NewId
) -> CreditRun:
    now = clock.now()
    with uow:
        due = uow.cashback.lock_due(ids, statuses, at=now)
        credited = [one.record for one in due if not one.owner_is_erased]
        lapsed = [one.record for one in due if one.owner_is_erased]
        _approve_pending(credited, uow=uow, at=now)
        standing = uow.ledger.lock(account for one in due for account in _accounts(one.record))
        owed = {account: -stands.balance_minor for account, stands in standing.items()}
        journals = [_credit(record, owed, uow=uow, journal_id=new_id(), at=now) for record in credited]
        journals += [_lapse(record, uow=uow, journal_id=new_id(), at=now) for record in lapsed]
        uow.ledger.post(journals)
        uow.cashback.save([one.record for one in due])
        uow.commit()
    return CreditRun(len(credited), len(lapsed))


def _approve_pending(records: Sequence[CashbackRecord], *, uow: UnitOfWork, at: datetime) -> None:
    pending = [record for record in records if record.status is CashbackStatus.PENDING]
    for record in pending:
        record.approve(by=None, at=at)
        audit_cashback(record, "cashback.approve", CashbackStatus.PENDING, uow=uow, actor=None, at=at)
    uow.cashback.save(pending)


def _accounts(record: CashbackRecord) -> tuple[AccountRef, ...]:
    return owed_on(record), wallet_of(record), debt_of(wallet_of(record))


def _credit(
    record: CashbackRecord, owed: dict[AccountRef, int], *, uow: UnitOfWork, journal_id: UUID, at: datetime
) -> Journal:
    """The journal of one record; `owed` is what each debt still comes to after the records before it."""
    debt = debt_of(wallet_of(record))
    journal = journal_about(
        record,
        JournalType.CASHBACK,
        key=f"cashback:credit:{record.id}",
        descriptions=("إضافة استرداد نقدي عن الحجز", "Cashback of booking"),
        entries=crediting(record, owed_minor=owed[debt]),
        journal_id=journal_id,
        at=at,
    )
    repaid = Money(min(owed[debt], record.remaining.minor), record.remaining.currency)
    owed[debt] -= repaid.minor
    record.credit(journal_id=journal_id, repaid=repaid, at=at)
    audit_cashback(record, "cashback.credit", CashbackStatus.APPROVED, uow=uow, actor=None, at=at)
    return journal


def _lapse(record: CashbackRecord, *, uow: UnitOfWork, journal_id: UUID, at: datetime) -> Journal:
    """What was promised to somebody who was erased since is nobody's (docs/privacy.md)."""
    before = record.status
    record.cancel(reason=ERASED, at=at)
    audit_cashback(record, "cashback.cancel", before, uow=uow, actor=None, at=at)
    return cancellation(record, journal_id=journal_id, at=at)
