"""Holds on what is in a wallet, or on points: set aside now, taken or given back later, once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from domain.ledger.accounts import AccountRef
from domain.shared.errors import IllegalTransition, NotFound
from domain.shared.events import DomainEvent


class HoldNotFound(NotFound):
    """There is no such hold."""

    code = "hold_not_found"


class HoldStatus(StrEnum):
    """A hold ends once; every end is final."""

    ACTIVE = "ACTIVE"
    """Counts against what is available."""
    CAPTURED = "CAPTURED"
    """Taken, in whole or in part; what was not taken is available again."""
    RELEASED = "RELEASED"
    EXPIRED = "EXPIRED"


NEXT = {
    HoldStatus.ACTIVE: {HoldStatus.CAPTURED, HoldStatus.RELEASED, HoldStatus.EXPIRED},
    HoldStatus.CAPTURED: set[HoldStatus](),
    HoldStatus.RELEASED: set[HoldStatus](),
    HoldStatus.EXPIRED: set[HoldStatus](),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class BalanceHeld(DomainEvent):
    name: ClassVar[str] = "ledger.balance_held"
    hold_id: UUID
    reference_type: str
    reference_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldCaptured(DomainEvent):
    name: ClassVar[str] = "ledger.hold_captured"
    hold_id: UUID
    journal_id: UUID
    reference_type: str
    reference_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldReleased(DomainEvent):
    name: ClassVar[str] = "ledger.hold_released"
    hold_id: UUID
    reference_type: str
    reference_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldExpired(DomainEvent):
    name: ClassVar[str] = "ledger.hold_expired"
    hold_id: UUID
    reference_type: str
    reference_id: UUID


@dataclass(eq=False, kw_only=True)
class BalanceHold:
    """An amount of one account, in minor units, that only its own capture may take.

    Available is the balance less all ACTIVE holds; the database counts them under the account's lock.
    """

    id: UUID
    account: AccountRef
    amount_minor: int
    captured_minor: int = 0
    status: HoldStatus = HoldStatus.ACTIVE
    reference_type: str
    reference_id: UUID
    journal_id: UUID | None = None
    """The journal that the capture posts."""
    created_at: datetime
    expires_at: datetime | None
    resolved_at: datetime | None = None

    def __post_init__(self) -> None:
        if self.amount_minor <= 0:
            raise ValueError("a hold sets more than nothing aside")

    def capture(self, amount_minor: int, *, journal_id: UUID, at: datetime) -> None:
        """Take all of it or a part; the rest is free. Raises IllegalTransition after any end."""
        if not 0 < amount_minor <= self.amount_minor:
            raise ValueError("a capture takes something, and no more than was set aside")
        self._move_to(HoldStatus.CAPTURED, at=at)
        self.captured_minor = amount_minor
        self.journal_id = journal_id

    def release(self, *, at: datetime) -> None:
        """Give it back. Raises IllegalTransition after any end."""
        self._move_to(HoldStatus.RELEASED, at=at)

    def expire(self, *, at: datetime) -> None:
        """Give it back because its time is over. Raises IllegalTransition after any end."""
        self._move_to(HoldStatus.EXPIRED, at=at)

    def _move_to(self, status: HoldStatus, *, at: datetime) -> None:
        if status not in NEXT[self.status]:
            raise IllegalTransition(current=self.status, wanted=status)
        self.status = status
        self.resolved_at = at
