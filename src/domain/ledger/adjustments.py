"""Adjustments: what staff give or take by hand, of money, credit or points; above a limit two people have to agree."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import ClassVar, Final
from uuid import UUID

from domain.ledger import accounts
from domain.ledger.accounts import PAYEE_KINDS, POINTS_UNIT, AccountKind, AccountRef
from domain.ledger.journal import Journal, JournalType, transfer
from domain.shared.aggregate import Aggregate
from domain.shared.errors import IllegalTransition, InvalidValue, NotFound, OwnRequest
from domain.shared.events import DomainEvent
from domain.shared.money import Money

REFERENCE: Final = "ADJUSTMENT"
"""How journals name an adjustment that they post."""

IN_MONEY: Final = (AccountKind.WALLET, AccountKind.VOUCHER_CREDIT)
"""The accounts in money that customers have; beside them points are adjusted, and what is owed to payees."""

ALONE_WITHIN: Final = timedelta(hours=24)
"""What one person gave an account, or took from it, in this time counts towards what they may do alone."""

_ADJUSTED: Final = (*IN_MONEY, *PAYEE_KINDS, AccountKind.POINTS)
_BESIDE: Final = {AccountKind.POINTS: AccountKind.POINTS_ISSUED}
"""What adjustments come out of, where that is not ADJUSTMENTS."""


class AdjustmentNotFound(NotFound):
    """There is no such adjustment."""

    code = "adjustment_not_found"


class AdjustmentStatus(StrEnum):
    """Where an adjustment stands."""

    PENDING = "PENDING"
    """A second person has to look at it; nothing has moved."""
    APPROVED = "APPROVED"
    """Posted."""
    REJECTED = "REJECTED"


NEXT = {
    AdjustmentStatus.PENDING: {AdjustmentStatus.APPROVED, AdjustmentStatus.REJECTED},
    AdjustmentStatus.APPROVED: set[AdjustmentStatus](),
    AdjustmentStatus.REJECTED: set[AdjustmentStatus](),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class AdjustmentProposed(DomainEvent):
    name: ClassVar[str] = "ledger.adjustment_proposed"
    adjustment_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class AdjustmentRejected(DomainEvent):
    name: ClassVar[str] = "ledger.adjustment_rejected"
    adjustment_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class WalletAdjusted(DomainEvent):
    """Of points and voucher credit, too: `unit` is a currency or PTS."""

    name: ClassVar[str] = "ledger.wallet_adjusted"
    adjustment_id: UUID
    journal_id: UUID
    unit: str


@dataclass(eq=False, kw_only=True)
class Adjustment(Aggregate):
    """An amount above zero to give, or below zero to take, in minor units of a currency or in points."""

    id: UUID
    adjustment_number: str
    user_id: UUID
    account_kind: AccountKind
    unit: str
    amount_minor: int
    reason: str
    status: AdjustmentStatus
    needs_approval: bool
    made_by: UUID
    created_at: datetime
    decided_by: UUID | None = None
    """The second person; None where one is enough."""
    decided_at: datetime | None = None
    journal_id: UUID | None = None

    @property
    def shown_amount(self) -> str:
        """The amount as people read it."""
        if self.unit == POINTS_UNIT:
            return f"{self.amount_minor} points"
        return str(Money.of(self.amount_minor, self.unit))

    @classmethod
    def propose(
        cls,
        *,
        adjustment_id: UUID,
        number: str,
        user_id: UUID,
        account_kind: AccountKind,
        unit: str,
        amount_minor: int,
        limit_minor: int,
        reason: str,
        by: UUID,
        at: datetime,
        done_alone_minor: int = 0,
    ) -> Adjustment:
        """An adjustment that has not moved anything yet; above `limit_minor`, given or taken, it needs a second person.

        `done_alone_minor` is what its maker gave, or took, on the same account without one ALONE_WITHIN before: a sum
        above the limit does not become less by parts.
        Raises OwnRequest for one's own wallet.
        """
        if amount_minor == 0:
            raise InvalidValue("an adjustment has an amount", pointer="/amount", code="out_of_range")
        if (account_kind is AccountKind.POINTS) != (unit == POINTS_UNIT) or account_kind not in _ADJUSTED:
            raise ValueError(f"nothing in {unit} is adjusted on {account_kind}")
        if by == user_id:
            raise OwnRequest()
        return cls(
            id=adjustment_id,
            adjustment_number=number,
            user_id=user_id,
            account_kind=account_kind,
            unit=unit,
            amount_minor=amount_minor,
            reason=reason,
            status=AdjustmentStatus.PENDING,
            needs_approval=abs(amount_minor) + done_alone_minor > limit_minor,
            made_by=by,
            created_at=at,
        )

    def wait(self) -> None:
        """Leave it to somebody else to decide."""
        self.record(AdjustmentProposed(at=self.created_at, adjustment_id=self.id))

    def accept(self, *, at: datetime) -> None:
        """It is small enough for one person."""
        if self.needs_approval:
            raise ValueError("a second person has to approve it")
        self._move_to(AdjustmentStatus.APPROVED, at=at)

    def approve(self, *, by: UUID, at: datetime) -> None:
        """The second person agrees. Raises OwnRequest or IllegalTransition."""
        self._refuse_own(by)
        self._move_to(AdjustmentStatus.APPROVED, at=at)
        self.decided_by = by

    def reject(self, *, by: UUID, at: datetime) -> None:
        """The second person does not. Raises OwnRequest or IllegalTransition."""
        self._refuse_own(by)
        self._move_to(AdjustmentStatus.REJECTED, at=at)
        self.decided_by = by
        self.record(AdjustmentRejected(at=at, adjustment_id=self.id))

    def journal(self, *, journal_id: UUID, at: datetime) -> Journal:
        """What moves the amount between its owner and what adjustments come out of."""
        theirs = AccountRef(self.account_kind, self.unit, self.user_id)
        ours = accounts.platform(_BESIDE.get(self.account_kind, AccountKind.ADJUSTMENTS), self.unit)
        source, target = (ours, theirs) if self.amount_minor > 0 else (theirs, ours)
        return Journal(
            id=journal_id,
            journal_type=JournalType.ADJUSTMENT,
            idempotency_key=f"adjustment:{self.id}",
            reference_type=REFERENCE,
            reference_id=self.id,
            description_ar=f"تسوية {self.adjustment_number}",
            description_en=f"Adjustment {self.adjustment_number}",
            occurred_at=at,
            entries=transfer(source, target, abs(self.amount_minor)),
        )

    def posted(self, journal_id: UUID) -> None:
        """Remember what moved it; after it was accepted or approved."""
        if self.status is not AdjustmentStatus.APPROVED or self.decided_at is None:
            raise ValueError("nothing moves before it is approved")
        self.journal_id = journal_id
        self.record(WalletAdjusted(at=self.decided_at, adjustment_id=self.id, journal_id=journal_id, unit=self.unit))

    def _refuse_own(self, by: UUID) -> None:
        if by in (self.made_by, self.user_id):
            raise OwnRequest()

    def _move_to(self, status: AdjustmentStatus, *, at: datetime) -> None:
        if status not in NEXT[self.status]:
            raise IllegalTransition(current=self.status, wanted=status)
        self.status = status
        self.decided_at = at
