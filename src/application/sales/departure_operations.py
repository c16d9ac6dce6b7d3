"""Ordering mass operations, and trying again what failed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from application.ports import UnitOfWork
from application.sales.waiting import close_line
from domain.catalogue.departures import Departure, DepartureClosed, DepartureStatus
from domain.sales.departure_operations import DepartureOperation, OperationInProgress, OperationKind
from domain.sales.waiting import WaitingStatus
from domain.shared.clock import Clock, local_date
from domain.shared.errors import InvalidValue
from domain.shared.identifiers import NewId


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderOperation:
    """Staff cancel a departure, or move it to another; `reasons` are Arabic and English, as customers read them."""

    actor_id: UUID
    kind: OperationKind
    departure_id: UUID
    target_departure_id: UUID | None
    reasons: tuple[str, str]


def order_operation(command: OrderOperation, *, uow: UnitOfWork, clock: Clock, new_id: NewId) -> UUID:
    """Sell nothing more, and have every booking cancelled or moved.

    The line of a departure that is cancelled ends at once; that of one that is moved stays. Raises DepartureNotFound,
    DepartureClosed for one that is cancelled or over, or for a target that is not on sale, OperationInProgress, SoldOut
    where the target has too few seats, or InvalidValue for a target of another item.
    """
    with uow:
        departure, target = _locked(command, uow)
        now = clock.now()
        before = departure.status
        _refuse_over(departure, at=now)
        _refuse_two_at_once(departure, uow)
        if departure.status is DepartureStatus.OPEN:
            departure.close(at=now)
        operation = DepartureOperation.order(
            operation_id=new_id(),
            kind=command.kind,
            departure_id=departure.id,
            target_departure_id=command.target_departure_id,
            reasons=command.reasons,
            by=command.actor_id,
            at=now,
        )
        seats = uow.departure_operations.add(operation)
        if target is None:
            close_line(departure, uow.waiting_list.line(departure.id), WaitingStatus.CANCELLED, at=now)
        else:
            target.ensure_on_sale(at=now)
            target.ensure_room(seats, leaving=departure)
        _audit(command, operation, before, departure, uow=uow, at=now)
        uow.commit()
    return operation.id


def _locked(command: OrderOperation, uow: UnitOfWork) -> tuple[Departure, Departure | None]:
    """Both at once. Raises InvalidValue for a target that the bookings cannot be of."""
    if command.target_departure_id is None:
        return uow.departures.get(command.departure_id), None
    if command.target_departure_id == command.departure_id:
        raise InvalidValue("a move leads elsewhere", pointer="/target_departure_id", code="same_departure")
    departure, target = uow.departures.get_all([command.departure_id, command.target_departure_id])
    if (departure.package_id, departure.activity_id) != (target.package_id, target.activity_id):
        raise InvalidValue("it is of another item", pointer="/target_departure_id", code="other_item")
    return departure, target


def _refuse_over(departure: Departure, *, at: datetime) -> None:
    if departure.status is DepartureStatus.CANCELLED or departure.starts_on < local_date(at, departure.time_zone):
        raise DepartureClosed(departure_id=departure.id)


def _refuse_two_at_once(departure: Departure, uow: UnitOfWork) -> None:
    running = uow.departure_operations.open_of(departure.id)
    if running is not None:
        raise OperationInProgress(operation_id=str(running))


@dataclass(frozen=True, slots=True, kw_only=True)
class TryAgain:
    """Staff want what failed to be tried once more."""

    actor_id: UUID
    operation_id: UUID


def try_again(command: TryAgain, *, uow: UnitOfWork, clock: Clock) -> None:
    """Raises OperationNotFound, OperationInProgress for another of the departure, IllegalTransition without faults."""
    with uow:
        departure = uow.departures.get(uow.departure_operations.read(command.operation_id).departure_id)
        operation = uow.departure_operations.get(command.operation_id)
        before, now = operation.status, clock.now()
        operation.try_again(at=now)
        _refuse_two_at_once(departure, uow)
        uow.departure_operations.try_failed_again(operation.id)
        uow.audit.add(
            actor=command.actor_id,
            action="departures.retry",
            resource_type="DEPARTURE_OPERATION",
            resource_id=operation.id,
            changes={"before": {"status": before}, "after": {"status": operation.status}},
            at=now,
        )
        uow.commit()


def _audit(
    command: OrderOperation,
    operation: DepartureOperation,
    before: str,
    departure: Departure,
    *,
    uow: UnitOfWork,
    at: datetime,
) -> None:
    target = command.target_departure_id
    uow.audit.add(
        actor=command.actor_id,
        action=f"departures.{command.kind.lower()}",
        resource_type="DEPARTURE",
        resource_id=departure.id,
        changes={
            "before": {"status": before},
            "after": {"status": departure.status},
            "operation_id": str(operation.id),
            "target_departure_id": str(target) if target is not None else None,
            "reason": operation.reason,
        },
        at=at,
    )
