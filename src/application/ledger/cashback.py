"""Cashback: promised by a completed trip, approved or cancelled by staff, clawed back with a refund."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from application.ports import UnitOfWork
from domain.ledger.cashback import CashbackRecord, CashbackStatus
from domain.ledger.cashback_entries import promising, taking_back_promise, taking_from_wallet, wallet_of
from domain.ledger.debts import debt_of
from domain.ledger.journal import Entry, Journal, JournalType
from domain.shared.clock import Clock
from domain.shared.identifiers import NewId
from domain.shared.money import Money
from domain.shared.percentage import Percentage


@dataclass(frozen=True, slots=True, kw_only=True)
class PromiseCashback:
    """A booking was paid and is completed; `rate` was frozen when it was sold, `bonus` a voucher promised beside."""

    user_id: UUID
    booking_id: UUID
    booking_number: str
    paid: Money
    rate: Percentage
    completed_at: datetime
    eligible_at: datetime
    bonus: Money | None = None


def promise_cashback(command: PromiseCashback, *, uow: UnitOfWork, new_id: NewId) -> None:
    """Promise what rate and bonus give, if anything, inside the unit of work that completes the booking."""
    amount = command.rate.of(command.paid)
    if command.bonus is not None:
        amount += command.bonus
    if not amount.is_positive:
        return
    journal_id = new_id()
    record = CashbackRecord.promise(
        cashback_id=new_id(),
        user_id=command.user_id,
        booking_id=command.booking_id,
        booking_number=command.booking_number,
        paid=command.paid,
        rate=command.rate,
        amount=amount,
        eligible_at=command.eligible_at,
        journal_id=journal_id,
        at=command.completed_at,
    )
    uow.ledger.post(
        [
            Journal(
                id=journal_id,
                journal_type=JournalType.CASHBACK,
                idempotency_key=f"cashback:booking:{record.booking_id}",
                reference_type="BOOKING",
                reference_id=record.booking_id,
                description_ar=f"استرداد نقدي موعود للحجز {record.booking_number}",
                description_en=f"Cashback promised for booking {record.booking_number}",
                occurred_at=command.completed_at,
                entries=promising(record),
            )
        ]
    )
    uow.cashback.add(record)


@dataclass(frozen=True, slots=True, kw_only=True)
class ApproveCashback:
    """Staff have looked at a promise and found it right."""

    cashback_id: UUID
    actor_id: UUID


def approve_cashback(command: ApproveCashback, *, uow: UnitOfWork, clock: Clock) -> None:
    """Let it be credited as soon as it is eligible. Raises CashbackNotFound, OwnRequest, IllegalTransition."""
    now = clock.now()
    with uow:
        record = uow.cashback.get(command.cashback_id)
        before = record.status
        record.approve(by=command.actor_id, at=now)
        uow.cashback.save([record])
        audit_cashback(record, "cashback.approve", before, uow=uow, actor=command.actor_id, at=now)
        uow.commit()


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelCashback:
    """Staff take a promise back; its owner reads the reason."""

    cashback_id: UUID
    actor_id: UUID
    reason: str


def cancel_cashback(command: CancelCashback, *, uow: UnitOfWork, clock: Clock, new_id: NewId) -> None:
    """Reverse what refunds have left of the promise. Raises CashbackNotFound, or IllegalTransition after its end."""
    now = clock.now()
    with uow:
        record = uow.cashback.get(command.cashback_id)
        before = record.status
        record.cancel(reason=command.reason, at=now)
        uow.ledger.post([cancellation(record, journal_id=new_id(), at=now)])
        uow.cashback.save([record])
        audit_cashback(record, "cashback.cancel", before, uow=uow, actor=command.actor_id, at=now)
        uow.commit()


@dataclass(frozen=True, slots=True, kw_only=True)
class ClawBackCashback:
    """Money of a completed booking goes back: `refunded` so far, with this refund, `of` what was paid for it."""

    booking_id: UUID
    refunded: Money
    of: Money


def claw_back_cashback(command: ClawBackCashback, *, uow: UnitOfWork, clock: Clock, new_id: NewId) -> Money:
    """Take back cashback in proportion, inside the refund's unit of work; answers what was taken.

    Before it is credited the promise shrinks; afterwards the wallet pays, and what is not there becomes debt (M9).
    Called again with the same refunds it takes nothing. Called before the refund posts anything: the record's lock
    comes before the ledger's.
    """
    record = uow.cashback.of_booking(command.booking_id)
    part = Money(0, command.of.currency) if record is None else record.to_claw_back(command.refunded, of=command.of)
    if record is None or part.is_zero:
        return part
    now, before = clock.now(), record.status
    spent = Money(0, part.currency)
    if record.status is CashbackStatus.CREDITED:
        journal, spent = _from_wallet(record, part, uow=uow, journal_id=new_id(), at=now)
    else:
        journal = _from_promise(record, part, journal_id=new_id(), at=now)
    record.claw_back(part, debt=spent, at=now)
    uow.ledger.post([journal])
    uow.cashback.save([record])
    audit_cashback(record, "cashback.claw_back", before, uow=uow, actor=None, at=now)
    return part


def _from_wallet(
    record: CashbackRecord, part: Money, *, uow: UnitOfWork, journal_id: UUID, at: datetime
) -> tuple[Journal, Money]:
    """The journal, and how much of the part was spent and becomes debt."""
    wallet = wallet_of(record)
    available = uow.ledger.lock([wallet, debt_of(wallet)])[wallet].available_minor
    spent = Money(max(part.minor - available, 0), part.currency)
    journal = journal_about(
        record,
        JournalType.CLAWBACK,
        key=_clawback_key(record, part),
        descriptions=("استرجاع استرداد نقدي بعد رد مبلغ الحجز", "Cashback taken back, refund of booking"),
        entries=taking_from_wallet(record, part, available_minor=available),
        journal_id=journal_id,
        at=at,
    )
    return journal, spent


def _from_promise(record: CashbackRecord, part: Money, *, journal_id: UUID, at: datetime) -> Journal:
    return journal_about(
        record,
        JournalType.REVERSAL,
        key=_clawback_key(record, part),
        descriptions=("تخفيض استرداد نقدي بعد رد مبلغ الحجز", "Cashback reduced, refund of booking"),
        entries=taking_back_promise(record, part),
        journal_id=journal_id,
        at=at,
    )


def _clawback_key(record: CashbackRecord, part: Money) -> str:
    """One for each step: all that was taken, with this part, is reached once."""
    return f"cashback:clawback:{record.id}:{(record.clawed_back + part).minor}"


def cancellation(record: CashbackRecord, *, journal_id: UUID, at: datetime) -> Journal:
    """The journal that takes back what remains of a promise."""
    return journal_about(
        record,
        JournalType.REVERSAL,
        key=f"cashback:cancel:{record.id}",
        descriptions=("إلغاء استرداد نقدي للحجز", "Cashback cancelled, booking"),
        entries=taking_back_promise(record, record.remaining),
        journal_id=journal_id,
        at=at,
    )


def journal_about(
    record: CashbackRecord,
    journal_type: JournalType,
    *,
    key: str,
    descriptions: tuple[str, str],
    entries: tuple[Entry, ...],
    journal_id: UUID,
    at: datetime,
) -> Journal:
    """A journal after the promise; `descriptions` are (Arabic, English), the booking's number follows them."""
    return Journal(
        id=journal_id,
        journal_type=journal_type,
        idempotency_key=key,
        reference_type="CASHBACK",
        reference_id=record.id,
        description_ar=f"{descriptions[0]} {record.booking_number}",
        description_en=f"{descriptions[1]} {record.booking_number}",
        occurred_at=at,
        entries=entries,
        reverses=record.promise_journal_id if journal_type is JournalType.REVERSAL else None,
    )


def audit_cashback(
    record: CashbackRecord,
    action: str,
    before: CashbackStatus,
    *,
    uow: UnitOfWork,
    actor: UUID | None,
    at: datetime,
) -> None:
    """Keep who moved a record from one state to another; None is the system."""
    uow.audit.add(
        actor=actor,
        action=action,
        resource_type="CASHBACK",
        resource_id=record.id,
        changes={
            "before": {"status": before},
            "after": {"status": record.status, "clawed_back_minor": record.clawed_back.minor},
            "reason": record.cancel_reason,
        },
        at=at,
    )
