"""Money in suspense: one item for each receipt that confirmed nothing, until a person decides what becomes of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar, Final
from uuid import UUID

from domain.billing.payments import Receipt, SuspenseReason
from domain.shared.aggregate import Aggregate
from domain.shared.errors import IllegalTransition, NotFound, RuleBroken
from domain.shared.events import DomainEvent
from domain.shared.money import Money

REFERENCE: Final = "SUSPENSE"
"""How the audit log names an item."""


class SuspenseNotFound(NotFound):
    """No money in suspense came by this receipt."""

    code = "suspense_not_found"


class SuspenseDoesNotFit(RuleBroken):
    """The money is not what may be paid of the thing that it is to pay, or is no real money."""

    code = "suspense_does_not_fit"


class WriteOffTooLarge(RuleBroken):
    """Only test money, and what rounding leaves, is written off; the rest is somebody's."""

    code = "write_off_too_large"


class SuspenseStatus(StrEnum):
    """Where the money stands."""

    OPEN = "OPEN"
    """A person has to decide."""
    REFUNDING = "REFUNDING"
    """On its way back to the payer; open again if that fails."""
    RESOLVED = "RESOLVED"


class Resolution(StrEnum):
    """What became of it."""

    WALLET = "WALLET"
    """Put into the customer's wallet."""
    APPLIED = "APPLIED"
    """Paid something of the customer's."""
    REFUNDED = "REFUNDED"
    """Went back to where it came from."""
    WRITTEN_OFF = "WRITTEN_OFF"
    DISPUTED = "DISPUTED"
    """The customer's bank took it back."""


NEXT: Final = {
    SuspenseStatus.OPEN: {SuspenseStatus.REFUNDING, SuspenseStatus.RESOLVED},
    SuspenseStatus.REFUNDING: {SuspenseStatus.OPEN, SuspenseStatus.RESOLVED},
    # Only where the customer's bank sends back what had gone back.
    SuspenseStatus.RESOLVED: {SuspenseStatus.OPEN},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SuspenseResolved(DomainEvent):
    """A person decided; `resolution` is what became of the money."""

    name: ClassVar[str] = "billing.suspense_resolved"
    receipt_id: UUID
    payment_id: UUID
    resolution: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SuspenseCredited(DomainEvent):
    """So much of what had come for a payment is in the customer's wallet now."""

    name: ClassVar[str] = "billing.suspense_credited"
    payment_id: UUID
    amount_minor: int
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """Who decided, when, and in words why; nobody of ours where the provider did."""

    by: UUID | None
    reason: str
    at: datetime


@dataclass(eq=False, kw_only=True)
class SuspenseItem(Aggregate):
    """The money of one receipt, all of it; it leaves suspense whole, and once."""

    receipt_id: UUID
    payment_id: UUID
    provider: str
    amount: Money
    reason: SuspenseReason
    status: SuspenseStatus = SuspenseStatus.OPEN
    resolution: Resolution | None = None
    opened_at: datetime
    decided_by: UUID | None = None
    decision_reason: str = ""
    decided_at: datetime | None = None
    journal_id: UUID | None = None
    """What moved it out of suspense; several items that paid one thing together share it."""
    refund_id: UUID | None = None

    @classmethod
    def of(cls, receipt: Receipt, reason: SuspenseReason, *, payment_id: UUID, provider: str) -> SuspenseItem:
        """The item of a receipt that was booked to suspense."""
        return cls(
            receipt_id=receipt.id,
            payment_id=payment_id,
            provider=provider,
            amount=receipt.amount,
            reason=reason,
            opened_at=receipt.received_at,
        )

    @property
    def journal_key(self) -> str:
        """The key of the journal that takes it out of suspense: no second one can be posted."""
        return f"suspense:{self.receipt_id}"

    @property
    def is_test_money(self) -> bool:
        """Money of the other mode is not what this installation takes: it pays nothing here."""
        return self.reason is SuspenseReason.MODE

    def resolve(self, resolution: Resolution, decision: Decision, *, journal_id: UUID) -> None:
        """It left suspense by this journal. Raises IllegalTransition unless it is open."""
        self.ensure_open()
        self._decide(SuspenseStatus.RESOLVED, decision)
        self._end(resolution, journal_id=journal_id, at=decision.at)

    def refund(self, decision: Decision, *, refund_id: UUID) -> None:
        """It is on its way back to the payer. Raises IllegalTransition unless it is open."""
        self._decide(SuspenseStatus.REFUNDING, decision)
        self.refund_id = refund_id

    def refunded(self, *, journal_id: UUID, at: datetime) -> None:
        """The refund is done, by this journal. Raises IllegalTransition unless one was on its way."""
        if self.status is not SuspenseStatus.REFUNDING:
            raise IllegalTransition(current=self.status, wanted=SuspenseStatus.RESOLVED)
        self.status = SuspenseStatus.RESOLVED
        self._end(Resolution.REFUNDED, journal_id=journal_id, at=at)

    def reopen(self) -> None:
        """A refund came to nothing, or came back: a person decides anew.

        Raises IllegalTransition for money that is elsewhere, or open.
        """
        if self.resolution not in (None, Resolution.REFUNDED):
            raise IllegalTransition(current=self.status, wanted=SuspenseStatus.OPEN)
        self._move_to(SuspenseStatus.OPEN)
        self.refund_id = self.decided_by = self.decided_at = self.resolution = self.journal_id = None
        self.decision_reason = ""

    def ensure_open(self, wanted: SuspenseStatus = SuspenseStatus.RESOLVED) -> None:
        """Raises IllegalTransition unless nobody has decided yet."""
        if self.status is not SuspenseStatus.OPEN:
            raise IllegalTransition(current=self.status, wanted=wanted)

    def ensure_written_off(self, limit: Money | None) -> None:
        """Raises WriteOffTooLarge for real money above the limit; without a limit that is all of it."""
        if not self.is_test_money and (limit is None or self.amount > limit):
            raise WriteOffTooLarge(limit=str(limit or Money(0, self.amount.currency)))

    def _decide(self, status: SuspenseStatus, decision: Decision) -> None:
        self._move_to(status)
        self.decided_by, self.decision_reason, self.decided_at = decision.by, decision.reason, decision.at

    def _end(self, resolution: Resolution, *, journal_id: UUID, at: datetime) -> None:
        self.resolution, self.journal_id = resolution, journal_id
        self.record(
            SuspenseResolved(at=at, receipt_id=self.receipt_id, payment_id=self.payment_id, resolution=resolution.value)
        )

    def _move_to(self, status: SuspenseStatus) -> None:
        if status not in NEXT[self.status]:
            raise IllegalTransition(current=self.status, wanted=status)
        self.status = status
