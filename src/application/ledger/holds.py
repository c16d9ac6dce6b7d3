"""Setting an amount aside, and ending that once: for checkouts and withdrawals, inside their own unit of work.

Locks are taken in one order: what the hold is for, then the hold, then ledger accounts.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from application.ports import UnitOfWork
from domain.ledger.accounts import AccountRef
from domain.ledger.holds import BalanceHeld, BalanceHold, HoldCaptured, HoldExpired, HoldReleased
from domain.ledger.journal import Journal
from domain.shared.clock import Clock
from domain.shared.identifiers import NewId

BATCH: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class SetAside:
    """An amount of an owned account, in minor units or points, for what the reference names.

    Without `expires_at` it stays set aside until somebody ends it.
    """

    account: AccountRef
    amount_minor: int
    reference_type: str
    reference_id: UUID
    expires_at: datetime | None


def hold(command: SetAside, *, uow: UnitOfWork, clock: Clock, new_id: NewId) -> UUID:
    """Set the amount aside; the hold's id. Raises InsufficientBalance, here or at commit."""
    made = BalanceHold(
        id=new_id(),
        account=command.account,
        amount_minor=command.amount_minor,
        reference_type=command.reference_type,
        reference_id=command.reference_id,
        created_at=clock.now(),
        expires_at=command.expires_at,
    )
    uow.ledger.add_hold(made)
    uow.publish(
        BalanceHeld(
            at=made.created_at, hold_id=made.id, reference_type=made.reference_type, reference_id=made.reference_id
        )
    )
    return made.id


def capture(hold_id: UUID, journal: Journal, *, uow: UnitOfWork, clock: Clock) -> None:
    """Post a journal that takes what was set aside, or a part of it; what it does not take is free again.

    How much is taken is what the journal's own legs debit the held account with. Raises IllegalTransition
    after any end of the hold, ValueError for a journal that takes nothing or more than was set aside.
    """
    held, now = uow.ledger.get_hold(hold_id), clock.now()
    taken = -sum(entry.amount_minor for entry in journal.entries if entry.account == held.account)
    held.capture(taken, journal_id=journal.id, at=now)
    uow.ledger.resolve_hold(held)
    uow.ledger.post([journal])
    uow.publish(
        HoldCaptured(
            at=now,
            hold_id=held.id,
            journal_id=journal.id,
            reference_type=held.reference_type,
            reference_id=held.reference_id,
        )
    )


def release(hold_id: UUID, *, uow: UnitOfWork, clock: Clock) -> None:
    """Give back what was set aside. Raises IllegalTransition after any end of the hold."""
    held, now = uow.ledger.get_hold(hold_id), clock.now()
    held.release(at=now)
    uow.ledger.resolve_hold(held)
    uow.publish(
        HoldReleased(at=now, hold_id=held.id, reference_type=held.reference_type, reference_id=held.reference_id)
    )


def expire_holds(*, uow: UnitOfWork, clock: Clock) -> int:
    """Give back what was set aside for longer than it should have been; how many of at most a batch.

    Several may run at once: none waits for another, or ends what another is ending.
    """
    now = clock.now()
    with uow:
        due = uow.ledger.due_holds(before=now, limit=BATCH)
        for held in due:
            held.expire(at=now)
            uow.ledger.resolve_hold(held)
            uow.publish(
                HoldExpired(at=now, hold_id=held.id, reference_type=held.reference_type, reference_id=held.reference_id)
            )
        uow.commit()
    return len(due)
