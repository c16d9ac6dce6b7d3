"""Taking a posted journal back, in whole or in parts: money, points, and the lots they came from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from application.ledger.reversible import Reversible
from application.ports import UnitOfWork
from domain.ledger import accounts
from domain.ledger.accounts import POINTS_UNIT, AccountKind, AccountRef
from domain.ledger.debts import debt_of
from domain.ledger.journal import Entry, Journal, JournalKeyReused, JournalType
from domain.ledger.lots import LotEntry, consume_from, give_back
from domain.ledger.points import PointsClawedBack, PointsRestored
from domain.ledger.reversals import (
    JournalReversed,
    PostedJournal,
    refuse_above,
    refuse_by_hand,
    reversing,
    with_debts,
)
from domain.shared.clock import Clock
from domain.shared.identifiers import NewId
from domain.shared.money import Money


@dataclass(frozen=True, slots=True, kw_only=True)
class Reverse:
    """`part` is of the journal's value in one of its units; None takes back all that is left.

    The key is one among the reversals of this journal. `allows_debt`: what an owner has spent becomes their debt.
    """

    journal_id: UUID
    idempotency_key: str
    part: Money | None = None
    allows_debt: bool = False


def reverse(command: Reverse, *, uow: UnitOfWork, clock: Clock, new_id: NewId) -> UUID:
    """Post the reversal and answer its id; the same key again answers the same id.

    `uow` is a unit of work of its own, never the one that the caller has open: inside of that, it joins.
    Raises JournalNotFound, ReversalRefused, InsufficientBalance, or JournalKeyReused for another part.
    """
    with uow:
        reversal_id = _reverse(command, uow.reversals.get(command.journal_id), uow=uow, at=clock.now(), new_id=new_id)
        uow.commit()
    return reversal_id


def reverse_within(command: Reverse, *, uow: UnitOfWork, at: datetime, new_id: NewId) -> PostedJournal:
    """Reverse inside the transaction that the caller has open; the reversal as it stands in the books.

    Raises what `reverse` raises. What the caller wants to lock before accounts is locked before.
    """
    reversal_id = _reverse(command, uow.reversals.get(command.journal_id), uow=uow, at=at, new_id=new_id)
    return uow.reversals.get(reversal_id).journal


@dataclass(frozen=True, slots=True, kw_only=True)
class ReverseByHand:
    """What staff reverse, and why; the reason goes into the audit log.

    `limits`: what one person moves alone of people's money or points, in minor units by unit.
    """

    reversal: Reverse
    reason: str
    actor_id: UUID
    limits: Mapping[str, int]


def reverse_by_hand(command: ReverseByHand, *, uow: UnitOfWork, clock: Clock, new_id: NewId) -> UUID:
    """Reverse what nothing else accounts for.

    Raises NotReversedByHand, OwnRequest, ReversalAboveLimit, and what `reverse` raises.
    """
    now = clock.now()
    with uow:
        found = uow.reversals.get(command.reversal.journal_id)
        journal = found.journal
        refuse_by_hand(journal, by=command.actor_id)
        reversal_id = _reverse(command.reversal, found, uow=uow, at=now, new_id=new_id)
        # As the books say by now: parts that were taken back before count.
        refuse_above(uow.reversals.get(journal.id).journal, command.limits)
        part = command.reversal.part
        uow.audit.add(
            actor=command.actor_id,
            action="ledger.reverse",
            resource_type="JOURNAL",
            resource_id=journal.id,
            changes={
                "before": {},
                "after": {"reversal_id": str(reversal_id), "part": str(part) if part is not None else None},
                "reason": command.reason,
            },
            at=now,
        )
        uow.commit()
    return reversal_id


def _reverse(command: Reverse, found: Reversible, *, uow: UnitOfWork, at: datetime, new_id: NewId) -> UUID:
    key = f"reversal:{command.journal_id}:{command.idempotency_key}"
    before = uow.reversals.made_by(key)
    if before is not None:
        _refuse_another(command, before)
        return before.id
    entries = _entries(command, found.journal, uow)
    journal = _journal(found.journal, entries, reversal_id=new_id(), key=key, at=at)
    uow.ledger.post([journal])
    uow.points.record({journal.id: list(_lot_entries(found, entries, uow=uow, at=at))})
    uow.publish(
        JournalReversed(
            journal_id=found.journal.id,
            reversal_id=journal.id,
            journal_type=found.journal.journal_type,
            reference_type=journal.reference_type,
            reference_id=journal.reference_id,
            at=at,
        )
    )
    for event in _told_of_points(journal):
        uow.publish(event)
    return journal.id


def _refuse_another(command: Reverse, before: PostedJournal) -> None:
    """A key that took back another part is no retry."""
    part = command.part
    if part is None:
        return
    unit = part.currency.code
    if part.minor != sum(m for account, m in before.moved.items() if account.currency == unit and m > 0):
        raise JournalKeyReused()


def _entries(command: Reverse, journal: PostedJournal, uow: UnitOfWork) -> tuple[Entry, ...]:
    """What the reversal moves, decided while every owner's account in it is locked."""
    entries = reversing(journal, command.part)
    standing = uow.ledger.lock(_owned(entries))
    available = {account: stands.available_minor for account, stands in standing.items()}
    return with_debts(entries, available, allows_debt=command.allows_debt)


def _owned(entries: Iterable[Entry]) -> set[AccountRef]:
    owned = {entry.account for entry in entries if entry.account.owner is not None}
    return owned | {debt_of(account) for account in owned}


def _journal(
    posted: PostedJournal, entries: tuple[Entry, ...], *, reversal_id: UUID, key: str, at: datetime
) -> Journal:
    return Journal(
        id=reversal_id,
        journal_type=JournalType.REVERSAL,
        idempotency_key=key,
        reference_type=posted.reference_type,
        reference_id=posted.reference_id,
        description_ar=f"عكس: {posted.description_ar}",
        description_en=f"Reversal: {posted.description_en}",
        occurred_at=at,
        entries=entries,
        reverses=posted.id,
    )


def _lot_entries(found: Reversible, entries: Iterable[Entry], *, uow: UnitOfWork, at: datetime) -> Iterator[LotEntry]:
    """The same lots get back what was taken from them; what is taken back leaves the lot that it came with first."""
    for entry in entries:
        owner = entry.account.owner
        if entry.account.kind is not AccountKind.POINTS or owner is None:
            continue
        if entry.amount_minor > 0:
            outstanding = found.outstanding.get(owner, ())
            yield from give_back(outstanding, entry.amount_minor, at=at, grace=uow.points.terms.grace)
        else:
            lots = uow.points.open_lots(owner, ending_after=None)
            yield from consume_from(lots, -entry.amount_minor, first=found.journal.id)


def _told_of_points(journal: Journal) -> Iterator[PointsRestored | PointsClawedBack]:
    """What became of each owner's points: they went back to their lots, or were taken, and owed where spent."""
    moved = {entry.account: entry.amount_minor for entry in journal.entries}
    said: dict[str, Any] = {
        "at": journal.occurred_at,
        "journal_id": journal.id,
        "reference_type": journal.reference_type,
        "reference_id": journal.reference_id,
    }
    for owner in dict.fromkeys(account.owner for account in moved if account.currency == POINTS_UNIT):
        if owner is None:
            continue
        points, debt = moved.get(accounts.points(owner), 0), moved.get(accounts.debt(owner, POINTS_UNIT), 0)
        if points > 0:
            yield PointsRestored(user_id=owner, points=points, **said)
        elif points + debt < 0:
            yield PointsClawedBack(user_id=owner, points=-points - debt, owed=-debt, **said)
