"""Comparing providers' statements with what we received, and deciding about what differs."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from application.ports import UnitOfWork
from domain.ledger.journal import Journal, JournalType
from domain.ledger.reconciliation import BreakStatus, ClearingBreak, ProviderStatement, Reconciliation
from domain.operations.audit import changed
from domain.shared.clock import Clock
from domain.shared.identifiers import NewId


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordStatement:
    """What a provider states of some days, from wherever; `actor_id` is None where a machine fetched it."""

    statement: ProviderStatement
    actor_id: UUID | None


def record_statement(command: RecordStatement, *, uow: UnitOfWork, clock: Clock, new_id: NewId) -> Reconciliation:
    """Keep a provider's statement in place of earlier ones of the same days, and compare it with the books.

    The same statement again changes nothing but who compared it last.
    """
    statement, now = command.statement, clock.now()
    days = sorted(day for _, day in statement.days)
    begun = Reconciliation(
        id=new_id(),
        provider=statement.provider,
        since=days[0],
        until=days[-1] + timedelta(days=1),
        lines=len(statement.lines),
        matched=0,
        breaks=0,
        imported_by=command.actor_id,
        imported_at=now,
    )
    with uow:
        replaced = uow.clearing.put(begun, statement, new_id)
        compared = uow.clearing.compare(statement, also=replaced)
        uow.clearing.note(statement.provider, compared, at=now, new_id=new_id)
        differing = sum(one.break_kind is not None for one in compared)
        matched = sum(one.is_told_of for one in compared) - differing
        done = replace(begun, matched=matched, breaks=differing)
        uow.clearing.finish(done)
        uow.audit.add(
            actor=command.actor_id,
            action="ledger.reconcile",
            resource_type="RECONCILIATION",
            resource_id=done.id,
            changes=changed({}, _told(done)),
            at=now,
        )
        uow.commit()
    return done


def _told(done: Reconciliation) -> dict[str, object]:
    return {
        "provider": done.provider,
        "since": done.since.isoformat(),
        "until": done.until.isoformat(),
        "lines": done.lines,
        "matched": done.matched,
        "breaks": done.breaks,
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class DecideBreak:
    """Explain a break, or write off what the provider does not have."""

    break_id: UUID
    status: BreakStatus
    reason: str
    actor_id: UUID


def decide_break(command: DecideBreak, *, uow: UnitOfWork, clock: Clock, new_id: NewId) -> None:
    """Decide about an open break. Raises BreakNotFound, IllegalTransition or NothingToWriteOff."""
    now = clock.now()
    with uow:
        found = uow.clearing.get_break(command.break_id)
        before = _state(found)
        if command.status is BreakStatus.WRITTEN_OFF:
            _write_off(found, command, uow=uow, at=now, journal_id=new_id())
        else:
            found.explain(reason=command.reason, by=command.actor_id, at=now)
        uow.clearing.decide(found)
        uow.audit.add(
            actor=command.actor_id,
            action="ledger.reconcile",
            resource_type="CLEARING_BREAK",
            resource_id=found.id,
            changes=changed(before, _state(found)),
            at=now,
        )
        uow.commit()


def _write_off(found: ClearingBreak, command: DecideBreak, *, uow: UnitOfWork, at: datetime, journal_id: UUID) -> None:
    key = f"clearing-write-off:{found.id}:{found.written_off_minor}"
    entries = found.write_off(reason=command.reason, by=command.actor_id, at=at, journal_id=journal_id)
    journal = Journal(
        id=journal_id,
        journal_type=JournalType.WRITE_OFF,
        idempotency_key=key,
        reference_type="CLEARING_BREAK",
        reference_id=found.id,
        description_ar=f"شطب فرق لدى {found.provider}، المرجع {found.provider_reference}",
        description_en=f"Difference at {found.provider} written off, reference {found.provider_reference}",
        occurred_at=at,
        entries=entries,
    )
    uow.ledger.post([journal])


def _state(found: ClearingBreak) -> dict[str, object]:
    return {"status": found.status, "reason": found.reason, "written_off_minor": found.written_off_minor}
