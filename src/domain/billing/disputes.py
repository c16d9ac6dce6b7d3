"""Disputes: a customer's bank questions a charge, and takes the money back where it decides so."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar, Final
from uuid import UUID

from domain.shared.aggregate import Aggregate
from domain.shared.events import DomainEvent
from domain.shared.money import Money


class DisputeStatus(StrEnum):
    """What the provider has said of a dispute so far; the last two are final, and the first final word stays."""

    OPEN = "OPEN"
    """Frozen: nothing of the payment is refunded, and vendors wait for their share."""
    WON = "WON"
    LOST = "LOST"


NEXT: Final = {
    DisputeStatus.OPEN: {DisputeStatus.WON, DisputeStatus.LOST},
    DisputeStatus.WON: set[DisputeStatus](),
    DisputeStatus.LOST: set[DisputeStatus](),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class DisputeOpened(DomainEvent):
    """What was earned from the payment is not paid out to anybody until the bank has decided."""

    name: ClassVar[str] = "billing.dispute_opened"
    dispute_id: UUID
    payment_id: UUID
    user_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class DisputeWon(DomainEvent):
    name: ClassVar[str] = "billing.dispute_won"
    dispute_id: UUID
    payment_id: UUID
    user_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class DisputeLost(DomainEvent):
    name: ClassVar[str] = "billing.dispute_lost"
    dispute_id: UUID
    payment_id: UUID
    user_id: UUID


_TELLS: Final = {
    DisputeStatus.OPEN: DisputeOpened,
    DisputeStatus.WON: DisputeWon,
    DisputeStatus.LOST: DisputeLost,
}


@dataclass(eq=False, kw_only=True)
class Dispute(Aggregate):
    """One dispute. `taken` is what is booked as gone by it from the tender, `taken_from_suspense` from money in
    suspense, `taken_from_wallet` from the customer's wallet or as their debt; all follow what refunds leave of the
    charge, so that none comes out of another's money.
    """

    id: UUID
    payment_id: UUID
    user_id: UUID
    attempt_id: UUID
    provider: str
    provider_dispute_reference: str
    amount: Money
    status: DisputeStatus
    reason: str
    taken: Money
    taken_from_suspense: Money
    taken_from_wallet: Money
    postings: int
    """How often money moved for it: what the keys of its journals count."""
    opened_at: datetime
    updated_at: datetime
    decided_at: datetime | None = None
    hold_id: UUID | None = None
    """What it sets aside of a disputed deposit while it is open."""

    @property
    def taken_in_all(self) -> Money:
        return self.taken + self.taken_from_suspense + self.taken_from_wallet

    @classmethod
    def told_of(
        cls,
        *,
        dispute_id: UUID,
        payment_id: UUID,
        user_id: UUID,
        attempt_id: UUID,
        provider: str,
        reference: str,
        amount: Money,
        reason: str,
        at: datetime,
    ) -> Dispute:
        """A reading told of one that was not known; OPEN until `hear` says more."""
        dispute = cls(
            id=dispute_id,
            payment_id=payment_id,
            user_id=user_id,
            attempt_id=attempt_id,
            provider=provider,
            provider_dispute_reference=reference,
            amount=amount,
            status=DisputeStatus.OPEN,
            reason=reason,
            taken=Money(0, amount.currency),
            taken_from_suspense=Money(0, amount.currency),
            taken_from_wallet=Money(0, amount.currency),
            postings=0,
            opened_at=at,
            updated_at=at,
        )
        dispute._tell(at)
        return dispute

    def hear(self, status: DisputeStatus, *, at: datetime) -> None:
        """The provider says how it stands; an older word changes nothing."""
        if status not in NEXT[self.status]:
            return
        self.status, self.updated_at, self.decided_at = status, at, at
        self._tell(at)

    def next_posting(self) -> str:
        """The key of the next journal of this dispute."""
        self.postings += 1
        return f"dispute:{self.id}:{self.postings}"

    def _tell(self, at: datetime) -> None:
        happened = _TELLS[self.status]
        self.record(happened(at=at, dispute_id=self.id, payment_id=self.payment_id, user_id=self.user_id))
