"""Mass operations: a departure that does not take place, or takes place on another date, booking by booking.

An operation is an order to do one thing to every booking that a departure had when it was given. Each booking is an
item of its own, done once; what cannot be done is a fault that staff see, and try again or settle by hand.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from domain.shared.aggregate import Aggregate
from domain.shared.errors import Conflict, IllegalTransition, NotFound
from domain.shared.events import DomainEvent


class OperationNotFound(NotFound):
    """There is no such mass operation."""

    code = "operation_not_found"


class OperationInProgress(Conflict):
    """A mass operation of this departure is not over; `operation_id` is it."""

    code = "operation_in_progress"


class OperationKind(StrEnum):
    """What is done to each booking."""

    CANCEL = "CANCEL"
    """The company cancels it, and everything that was paid comes back."""
    MOVE = "MOVE"
    """Its seats are of another departure, at the price that was agreed."""


class OperationStatus(StrEnum):
    """The life of an operation."""

    PENDING = "PENDING"
    """Ordered: nothing more is sold, and no booking has been touched yet."""
    RUNNING = "RUNNING"
    COMPLETED = "COMPLETED"
    """Nothing is left to do, and nothing failed."""
    COMPLETED_WITH_FAULTS = "COMPLETED_WITH_FAULTS"
    """Every booking was tried, and some failed."""


NEXT = {
    OperationStatus.PENDING: {OperationStatus.RUNNING},
    OperationStatus.RUNNING: {OperationStatus.COMPLETED, OperationStatus.COMPLETED_WITH_FAULTS},
    OperationStatus.COMPLETED: set[OperationStatus](),
    OperationStatus.COMPLETED_WITH_FAULTS: {OperationStatus.RUNNING},
}


class ItemStatus(StrEnum):
    """What became of one booking."""

    PENDING = "PENDING"
    DONE = "DONE"
    SKIPPED = "SKIPPED"
    """There was nothing left to do: its customer cancelled it, it expired, or it went elsewhere."""
    FAILED = "FAILED"


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationOrdered(DomainEvent):
    """There is work to do: an operation was given, or its faults are tried again."""

    name: ClassVar[str] = "sales.departure_operation_ordered"
    operation_id: UUID
    departure_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationFinished(DomainEvent):
    """Every booking was tried."""

    name: ClassVar[str] = "sales.departure_operation_finished"
    operation_id: UUID
    departure_id: UUID
    faults: int


@dataclass(eq=False, kw_only=True)
class DepartureOperation(Aggregate):
    """One order, and how far it is."""

    id: UUID
    kind: OperationKind
    departure_id: UUID
    target_departure_id: UUID | None
    """Where a MOVE leads."""
    reason_ar: str
    reason_en: str
    """Why, as customers read it."""
    status: OperationStatus
    created_by_user_id: UUID
    created_at: datetime
    finished_at: datetime | None = None

    @classmethod
    def order(
        cls,
        *,
        operation_id: UUID,
        kind: OperationKind,
        departure_id: UUID,
        target_departure_id: UUID | None,
        reasons: tuple[str, str],
        by: UUID,
        at: datetime,
    ) -> DepartureOperation:
        """Do this to every booking of a departure; `reasons` are Arabic and English."""
        if (kind is OperationKind.MOVE) != (target_departure_id is not None):
            raise ValueError("a move leads somewhere, and nothing else does")
        operation = cls(
            id=operation_id,
            kind=kind,
            departure_id=departure_id,
            target_departure_id=target_departure_id,
            reason_ar=reasons[0],
            reason_en=reasons[1],
            status=OperationStatus.PENDING,
            created_by_user_id=by,
            created_at=at,
        )
        operation._record_order(at)
        return operation

    @property
    def is_open(self) -> bool:
        """Whether bookings are still to be tried."""
        return self.status in (OperationStatus.PENDING, OperationStatus.RUNNING)

    @property
    def reason(self) -> str:
        """Why, in both languages."""
        return f"{self.reason_en} / {self.reason_ar}"

    def begin(self) -> None:
        """Work on it has begun; work that was interrupted goes on."""
        if self.status is not OperationStatus.RUNNING:
            self._move_to(OperationStatus.RUNNING)

    def try_again(self, *, at: datetime) -> None:
        """Try what failed once more. Raises IllegalTransition where nothing did."""
        if self.status is not OperationStatus.COMPLETED_WITH_FAULTS:
            raise IllegalTransition(current=self.status, wanted=OperationStatus.RUNNING)
        self._move_to(OperationStatus.RUNNING)
        self.finished_at = None
        self._record_order(at)

    def finish(self, counts: Mapping[ItemStatus, int], *, at: datetime) -> None:
        """Over, if nothing is left to try."""
        if counts.get(ItemStatus.PENDING, 0):
            return
        faults = counts.get(ItemStatus.FAILED, 0)
        self._move_to(OperationStatus.COMPLETED_WITH_FAULTS if faults else OperationStatus.COMPLETED)
        self.finished_at = at
        finished = OperationFinished(at=at, operation_id=self.id, departure_id=self.departure_id, faults=faults)
        self.record(finished)

    def _record_order(self, at: datetime) -> None:
        self.record(OperationOrdered(at=at, operation_id=self.id, departure_id=self.departure_id))

    def _move_to(self, status: OperationStatus) -> None:
        if status not in NEXT[self.status]:
            raise IllegalTransition(current=self.status, wanted=status)
        self.status = status
