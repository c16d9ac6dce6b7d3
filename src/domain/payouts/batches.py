"""Batches: the payouts of one run of payroll, made by one person or the schedule and approved by another."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from domain.shared.aggregate import Aggregate
from domain.shared.errors import Conflict, IllegalTransition, InvalidValue, NotAllowed, NotFound
from domain.shared.events import DomainEvent


class BatchNotFound(NotFound):
    """There is no such batch."""

    code = "payout_batch_not_found"


class OwnBatch(NotAllowed):
    """Whoever made a batch has another approve it (guarantee J7)."""

    code = "own_payout_batch"


class BatchEmpty(Conflict):
    """A batch without payouts moves no money."""

    code = "payout_batch_empty"


class BatchPeriod(StrEnum):
    """How often payroll runs."""

    WEEKLY = "WEEKLY"
    MONTHLY = "MONTHLY"


class BatchPayees(StrEnum):
    """Whom a batch pays."""

    VENDOR = "VENDOR"
    AGENT = "AGENT"
    ALL = "ALL"


class BatchOrigin(StrEnum):
    """Who made it."""

    SCHEDULE = "SCHEDULE"
    STAFF = "STAFF"


class BatchStatus(StrEnum):
    """Where a batch stands."""

    DRAFT = "DRAFT"
    """Its payouts can be read; no money has moved."""
    APPROVED = "APPROVED"
    """Frozen; its money has left the payable accounts."""
    PROCESSING = "PROCESSING"
    """Its payouts are being sent."""
    COMPLETED = "COMPLETED"
    """Each payout is PAID, FAILED or CANCELLED."""
    CANCELLED = "CANCELLED"
    """Thrown away as a draft; the next batch takes its entries."""


_S = BatchStatus
NEXT = {
    _S.DRAFT: {_S.APPROVED, _S.CANCELLED},
    _S.APPROVED: {_S.PROCESSING},
    _S.PROCESSING: {_S.COMPLETED},
    _S.COMPLETED: set[BatchStatus](),
    _S.CANCELLED: set[BatchStatus](),
}


class LeftOut(StrEnum):
    """Why a payee is not in a batch; what it has waits for the next."""

    OUT_OF_BALANCE = "OUT_OF_BALANCE"
    """Entries and the books differ: an error of ours, which a person has to look at."""
    NOTHING_OWED = "NOTHING_OWED"
    """The sum is zero or below: the debt is carried on."""
    BELOW_MINIMUM = "BELOW_MINIMUM"
    NOT_ACTIVE = "NOT_ACTIVE"
    """Suspended or not approved, or there is no profile at all."""
    NO_DESTINATION = "NO_DESTINATION"
    """No bank account, or no account at Stripe."""
    COOLING_OFF = "COOLING_OFF"
    """The bank account was changed a short while ago."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchMade(DomainEvent):
    name: ClassVar[str] = "payouts.batch_made"
    batch_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchApproved(DomainEvent):
    name: ClassVar[str] = "payouts.batch_approved"
    batch_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchCompleted(DomainEvent):
    name: ClassVar[str] = "payouts.batch_completed"
    batch_id: UUID


@dataclass(frozen=True, slots=True)
class Debtor:
    """Who pays, as a bank file names it; empty where the settings name nobody."""

    name: str
    iban: str
    bic: str

    @property
    def is_named(self) -> bool:
        return bool(self.name and self.iban)


@dataclass(eq=False, kw_only=True)
class Batch(Aggregate):
    """One run of payroll. `created_by` is None for the schedule; `period_start` is the day that it was made for."""

    id: UUID
    batch_number: str
    period: BatchPeriod
    payee_type: BatchPayees
    origin: BatchOrigin
    period_start: date
    cut_off: datetime
    status: BatchStatus
    created_by: UUID | None
    created_at: datetime
    version: int = 1
    approved_by: UUID | None = None
    debtor: Debtor | None = None
    approved_at: datetime | None = None
    processing_at: datetime | None = None
    completed_at: datetime | None = None
    cancelled_at: datetime | None = None

    @classmethod
    def make(
        cls,
        *,
        batch_id: UUID,
        number: str,
        period: BatchPeriod,
        payee_type: BatchPayees,
        period_start: date,
        cut_off: datetime,
        by: UUID | None,
        at: datetime,
    ) -> Batch:
        """Begin a draft; by nobody, it is the schedule's. Raises InvalidValue for a cut-off that is still to come."""
        if cut_off > at:
            raise InvalidValue("a cut-off that is over", pointer="/cut_off", code="in_the_future")
        made = cls(
            id=batch_id,
            batch_number=number,
            period=period,
            payee_type=payee_type,
            origin=BatchOrigin.SCHEDULE if by is None else BatchOrigin.STAFF,
            period_start=period_start,
            cut_off=cut_off,
            status=BatchStatus.DRAFT,
            created_by=by,
            created_at=at,
        )
        made.record(BatchMade(at=at, batch_id=batch_id))
        return made

    def refuse_approval(self, *, by: UUID) -> None:
        """Hold an approval to what it needs, before any money moves. Raises OwnBatch or IllegalTransition."""
        if by == self.created_by:
            raise OwnBatch()
        self._refuse(BatchStatus.APPROVED)

    def approve(self, *, by: UUID, debtor: Debtor, at: datetime) -> None:
        """Freeze it; its money has left. Raises OwnBatch or IllegalTransition."""
        self.refuse_approval(by=by)
        self.status = BatchStatus.APPROVED
        self.approved_by, self.debtor, self.approved_at = by, debtor, at
        self.record(BatchApproved(at=at, batch_id=self.id))

    def process(self, *, at: datetime) -> None:
        """Begin to send its payouts. Raises IllegalTransition."""
        self._move_to(BatchStatus.PROCESSING)
        self.processing_at = at

    def complete(self, *, at: datetime) -> None:
        """Every payout is over. Raises IllegalTransition."""
        self._move_to(BatchStatus.COMPLETED)
        self.completed_at = at
        self.record(BatchCompleted(at=at, batch_id=self.id))

    def cancel(self, *, at: datetime) -> None:
        """Throw the draft away. Raises IllegalTransition once it is approved."""
        self._move_to(BatchStatus.CANCELLED)
        self.cancelled_at = at

    def _move_to(self, status: BatchStatus) -> None:
        self._refuse(status)
        self.status = status

    def _refuse(self, status: BatchStatus) -> None:
        if status not in NEXT[self.status]:
            raise IllegalTransition(current=self.status, wanted=status)
