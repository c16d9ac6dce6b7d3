"""Cashback: promised when a paid trip is completed, approved, and credited once it can no longer be refunded.

PENDING → APPROVED → CREDITED, and CANCELLED from the first two (product.md §3). What was promised never changes:
what refunds take back is counted beside it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from domain.shared.aggregate import Aggregate
from domain.shared.errors import Conflict, IllegalTransition, NotFound, OwnRequest
from domain.shared.events import DomainEvent
from domain.shared.money import Money
from domain.shared.percentage import Percentage


class CashbackNotFound(NotFound):
    """There is no such record, or it is not the viewer's."""

    code = "cashback_not_found"


class CashbackNotEligible(Conflict):
    """It can still be refunded, or its days of waiting are not over."""

    code = "cashback_not_eligible"


class CashbackStatus(StrEnum):
    """The life of a cashback record; the last two are final."""

    PENDING = "PENDING"
    """Promised; nobody has looked at it."""
    APPROVED = "APPROVED"
    """Credited as soon as it is eligible."""
    CREDITED = "CREDITED"
    CANCELLED = "CANCELLED"
    """Staff took the promise back, its trip was refunded in whole, or its owner was erased."""


REFUNDED = "refunded"
"""The reason of a record that refunds cancelled."""

ERASED = "owner erased"
"""The reason of a record that lapsed with its owner."""

NEXT = {
    CashbackStatus.PENDING: {CashbackStatus.APPROVED, CashbackStatus.CANCELLED},
    CashbackStatus.APPROVED: {CashbackStatus.CREDITED, CashbackStatus.CANCELLED},
    CashbackStatus.CREDITED: set[CashbackStatus](),
    CashbackStatus.CANCELLED: set[CashbackStatus](),
}


class WaitsFor(StrEnum):
    """What stands between a record and the wallet."""

    APPROVAL = "APPROVAL"
    ELIGIBILITY = "ELIGIBILITY"
    DISPUTE = "DISPUTE"
    """A bank questions what was paid for the booking, and has not decided."""
    NONE = "NONE"
    """The next run credits it, or it has come to its end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CashbackPromised(DomainEvent):
    name: ClassVar[str] = "ledger.cashback_promised"
    cashback_id: UUID
    user_id: UUID
    booking_id: UUID
    amount_minor: int
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CashbackApproved(DomainEvent):
    """`approved_by_user_id` is None where the setting approves."""

    name: ClassVar[str] = "ledger.cashback_approved"
    cashback_id: UUID
    user_id: UUID
    booking_id: UUID
    approved_by_user_id: UUID | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CashbackCredited(DomainEvent):
    """`repaid_minor` of the amount paid off a debt, the rest reached the wallet."""

    name: ClassVar[str] = "ledger.cashback_credited"
    cashback_id: UUID
    user_id: UUID
    booking_id: UUID
    amount_minor: int
    repaid_minor: int
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CashbackCancelled(DomainEvent):
    """`amount_minor` was still promised; nothing where refunds had taken all of it."""

    name: ClassVar[str] = "ledger.cashback_cancelled"
    cashback_id: UUID
    user_id: UUID
    booking_id: UUID
    amount_minor: int
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CashbackClawedBack(DomainEvent):
    """`debt_minor` of the amount was spent already, and became debt; `left_minor` of the cashback remains."""

    name: ClassVar[str] = "ledger.cashback_clawed_back"
    cashback_id: UUID
    user_id: UUID
    booking_id: UUID
    amount_minor: int
    debt_minor: int
    left_minor: int
    currency: str


@dataclass(eq=False, kw_only=True)
class CashbackRecord(Aggregate):
    """What one completed booking gives back, at the rate frozen when it was sold."""

    id: UUID
    user_id: UUID
    booking_id: UUID
    booking_number: str
    booking_amount: Money
    """What was paid for the booking."""
    cashback_rate: Percentage
    cashback_amount: Money
    clawed_back: Money
    """How much of the cashback refunds have taken back so far."""
    status: CashbackStatus
    eligible_at: datetime
    created_at: datetime
    promise_journal_id: UUID
    approved_at: datetime | None = None
    approved_by_user_id: UUID | None = None
    credited_at: datetime | None = None
    credit_journal_id: UUID | None = None
    cancelled_at: datetime | None = None
    cancel_reason: str | None = None

    @classmethod
    def promise(
        cls,
        *,
        cashback_id: UUID,
        user_id: UUID,
        booking_id: UUID,
        booking_number: str,
        paid: Money,
        rate: Percentage,
        amount: Money,
        eligible_at: datetime,
        journal_id: UUID,
        at: datetime,
    ) -> CashbackRecord:
        """`amount` is the rate's share of what was paid, and what a voucher promised beside it; PENDING."""
        if not amount.is_positive:
            raise ValueError("a promise of nothing")
        record = cls(
            id=cashback_id,
            user_id=user_id,
            booking_id=booking_id,
            booking_number=booking_number,
            booking_amount=paid,
            cashback_rate=rate,
            cashback_amount=amount,
            clawed_back=Money(0, amount.currency),
            status=CashbackStatus.PENDING,
            eligible_at=eligible_at,
            created_at=at,
            promise_journal_id=journal_id,
        )
        record._tell(CashbackPromised, at, amount_minor=amount.minor, currency=record.unit)
        return record

    @property
    def unit(self) -> str:
        return self.cashback_amount.currency.code

    @property
    def remaining(self) -> Money:
        """What refunds have left of it: still promised, or credited."""
        return self.cashback_amount - self.clawed_back

    def approve(self, *, by: UUID | None, at: datetime) -> None:
        """It may be credited once it is eligible; `by` is None where the setting approves.

        Raises OwnRequest for one's own, or IllegalTransition.
        """
        if by == self.user_id:
            raise OwnRequest()
        self._move_to(CashbackStatus.APPROVED)
        self.approved_at, self.approved_by_user_id = at, by
        self._tell(CashbackApproved, at, approved_by_user_id=by)

    def credit(self, *, journal_id: UUID, repaid: Money, at: datetime) -> None:
        """What remains is its owner's; `repaid` of it pays what they owed.

        Raises CashbackNotEligible or IllegalTransition.
        """
        self._ensure(CashbackStatus.CREDITED)
        if at < self.eligible_at:
            raise CashbackNotEligible(eligible_at=self.eligible_at)
        self._move_to(CashbackStatus.CREDITED)
        self.credited_at, self.credit_journal_id = at, journal_id
        self._tell(
            CashbackCredited,
            at,
            amount_minor=self.remaining.minor,
            repaid_minor=repaid.minor,
            currency=self.unit,
        )

    def cancel(self, *, reason: str, at: datetime) -> None:
        """The promise is taken back; the caller reverses what remains of it. Raises IllegalTransition."""
        self._move_to(CashbackStatus.CANCELLED)
        self.cancelled_at, self.cancel_reason = at, reason
        self._tell(CashbackCancelled, at, amount_minor=self.remaining.minor, currency=self.unit)

    def to_claw_back(self, refunded: Money, *, of: Money) -> Money:
        """What is to be taken now that `refunded` of the price is given back, with all refunds before.

        In proportion, by largest remainder over the whole: after any sequence of refunds the parts taken sum to the
        same, and to all of the cashback once all of the price is refunded (M6, M9).
        """
        if refunded < Money(0, of.currency) or of < refunded:
            raise ValueError("refunds are a part of what was paid")
        if self.status is CashbackStatus.CANCELLED or of.is_zero:
            return Money(0, self.cashback_amount.currency)
        gone, _ = self.cashback_amount.allocate([refunded.minor, (of - refunded).minor])
        return max(gone - self.clawed_back, Money(0, gone.currency))

    def claw_back(self, part: Money, *, debt: Money, at: datetime) -> None:
        """A refund takes a part of it, `debt` of which was spent already; a promise with nothing left is CANCELLED.

        Raises IllegalTransition when it is CANCELLED.
        """
        if self.status is CashbackStatus.CANCELLED:
            raise IllegalTransition(current=self.status, wanted=CashbackStatus.CANCELLED)
        if not part.is_positive or self.remaining < part:
            raise ValueError("a clawback takes something, and no more than remains")
        self.clawed_back += part
        self._tell(
            CashbackClawedBack,
            at,
            amount_minor=part.minor,
            debt_minor=debt.minor,
            left_minor=self.remaining.minor,
            currency=self.unit,
        )
        if self.status is not CashbackStatus.CREDITED and self.remaining.is_zero:
            self.cancel(reason=REFUNDED, at=at)

    def _move_to(self, status: CashbackStatus) -> None:
        self._ensure(status)
        self.status = status

    def _ensure(self, status: CashbackStatus) -> None:
        if status not in NEXT[self.status]:
            raise IllegalTransition(current=self.status, wanted=status)

    def _tell(self, happened: Callable[..., DomainEvent], at: datetime, **facts: object) -> None:
        ids = {"cashback_id": self.id, "user_id": self.user_id, "booking_id": self.booking_id}
        self.record(happened(at=at, **ids, **facts))


def eligible_from(completed_at: datetime, *, after: timedelta, refundable_until: datetime) -> datetime:
    """When cashback may be credited: days after completion, and never while it can be refunded (product.md §0)."""
    return max(completed_at + after, refundable_until)


def creditable(*, approves_itself: bool) -> frozenset[CashbackStatus]:
    """The states from which an eligible record is credited; `approves_itself` is the setting's word."""
    waiting = {CashbackStatus.APPROVED, CashbackStatus.PENDING} if approves_itself else {CashbackStatus.APPROVED}
    return frozenset(waiting)


def waits_for(
    status: CashbackStatus, eligible_at: datetime, *, at: datetime, approves_itself: bool, is_disputed: bool = False
) -> WaitsFor:
    """Why a record in this state is not credited yet."""
    if not NEXT[status]:
        return WaitsFor.NONE
    if status not in creditable(approves_itself=approves_itself):
        return WaitsFor.APPROVAL
    if is_disputed:
        return WaitsFor.DISPUTE
    return WaitsFor.NONE if eligible_at <= at else WaitsFor.ELIGIBILITY
