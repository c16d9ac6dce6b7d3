"""Working off mass operations: each booking in a transaction of its own, once, whoever works and whoever dies.

A worker takes an item with its lock, does what is to be done, and says so in that same transaction: a worker that dies
leaves the item as it was, and another takes it. Any number of workers share one operation.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final
from uuid import UUID

from application.billing.ports import Gateways
from application.ports import NewUnitOfWork, UnitOfWork
from application.sales.amending import cancel_unwanted
from application.sales.cancelling import CancelBooking, Decided, cancel_within
from application.sales.giving_back import drop_amendment, lock_departures
from domain.catalogue.departures import Departure, DepartureStatus
from domain.sales.agreed import Trip
from domain.sales.amendments import Amendment, AmendmentCalledOff, AmendmentStatus
from domain.sales.booking_errors import TripStarted
from domain.sales.booking_states import BookingStatus
from domain.sales.bookings import Booking
from domain.sales.cancellation import EVERYTHING
from domain.sales.departure_operations import DepartureOperation, ItemStatus, OperationKind, OperationStatus
from domain.shared.clock import Clock
from domain.shared.errors import Busy, DomainError, Unavailable
from domain.shared.identifiers import NewId

BATCH: Final = 200
BUDGET: Final = timedelta(seconds=45)
"""How long one run works; the next goes on."""
UNEXPECTED: Final = "internal_error"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hands:
    """What the work is done with; `free_for` is how long a moved customer may cancel for nothing."""

    new_uow: NewUnitOfWork
    gateways: Gateways
    clock: Clock
    new_id: NewId
    free_for: timedelta


def work_off_operations(*, hands: Hands, budget: timedelta = BUDGET) -> int:
    """Work on every operation that is not over, oldest first, until the time is over; how many there are."""
    until = hands.clock.now() + budget
    with hands.new_uow() as uow:
        operations = uow.departure_operations.open()
    for operation_id in operations:
        work_off(operation_id, hands=hands, budget=max(until - hands.clock.now(), timedelta()))
    return len(operations)


def work_off(operation_id: UUID, *, hands: Hands, budget: timedelta = BUDGET) -> None:
    """Try every booking that is still to be tried, once, until the time is over; say so when none is left.

    What cannot be done is a fault of its item. Raises an ExceptionGroup of what was no refusal of the business, after
    everything else is done.
    """
    operation = _begin(operation_id, hands)
    if not operation.is_open:
        return
    until, unexpected = hands.clock.now() + budget, list[Exception]()
    for booking_id in _pending(operation, hands):
        if hands.clock.now() >= until:
            break
        _try(operation, booking_id, hands, unexpected)
    _finish(operation, hands)
    if unexpected:
        raise ExceptionGroup("bookings of a mass operation broke", unexpected)


def _begin(operation_id: UUID, hands: Hands) -> DepartureOperation:
    with hands.new_uow() as uow:
        operation = uow.departure_operations.get(operation_id)
        if operation.is_open:
            operation.begin()
            uow.commit()
    return operation


def _pending(operation: DepartureOperation, hands: Hands) -> Iterator[UUID]:
    last = UUID(int=0)
    while True:
        with hands.new_uow() as uow:
            batch = uow.departure_operations.pending(operation.id, after=last, limit=BATCH)
        if not batch:
            return
        yield from batch
        last = batch[-1]


def _try(operation: DepartureOperation, booking_id: UUID, hands: Hands, unexpected: list[Exception]) -> None:
    try:
        _work_off_item(operation, booking_id, hands)
    except (Busy, Unavailable):
        return  # Still to be tried: by the next run.
    except DomainError as refused:
        _fail(operation, booking_id, refused.code, hands)
    except Exception as error:  # noqa: BLE001 - one booking must not keep the others waiting; raised at the end
        _fail(operation, booking_id, UNEXPECTED, hands)
        unexpected.append(error)


def _work_off_item(operation: DepartureOperation, booking_id: UUID, hands: Hands) -> None:
    with hands.new_uow() as uow:
        if not uow.departure_operations.claim(operation.id, booking_id):
            return
        booking = uow.bookings.get(booking_id)
        status = ItemStatus.SKIPPED
        if _is_concerned(booking, operation):
            status = ItemStatus.DONE
            _DEEDS[operation.kind](operation, booking, uow, hands)
        elif booking.amendment is not None and booking.amendment.trip.departure_id == operation.departure_id:
            status = ItemStatus.DONE
            _call_off(booking.amendment, operation, booking, uow, hands)
        uow.departure_operations.settle(operation.id, booking_id, status, at=hands.clock.now())
        uow.commit()


def _is_concerned(booking: Booking, operation: DepartureOperation) -> bool:
    """Whether it still has seats of the departure, and a trip before it."""
    is_here = booking.hold is not None and booking.hold.departure_id == operation.departure_id
    return is_here and booking.seats_kept > 0 and booking.status is not BookingStatus.COMPLETED


def _fail(operation: DepartureOperation, booking_id: UUID, code: str, hands: Hands) -> None:
    with hands.new_uow() as uow:
        if uow.departure_operations.claim(operation.id, booking_id):
            at = hands.clock.now()
            uow.departure_operations.settle(operation.id, booking_id, ItemStatus.FAILED, error=code, at=at)
            uow.commit()


def _cancel(operation: DepartureOperation, booking: Booking, uow: UnitOfWork, hands: Hands) -> None:
    """The company cancels it: whatever the terms say, everything comes back. Raises TripStarted for one under way."""
    if booking.status is BookingStatus.IN_PROGRESS:
        raise TripStarted(status=booking.status)
    staff = operation.created_by_user_id
    command = CancelBooking(
        booking_id=booking.id,
        # Nobody decides about their own money; that everything comes back is no decision about one booking.
        actor_id=staff if staff != booking.user_id else None,
        owner=None,
        reason=operation.reason,
        decided=Decided(share=EVERYTHING, reason=operation.reason),
    )
    cancel_within(command, uow=uow, gateways=hands.gateways, clock=hands.clock, new_id=hands.new_id)


def _move(operation: DepartureOperation, booking: Booking, uow: UnitOfWork, hands: Hands) -> None:
    """Its seats are of the target, whose dates are its dates; all else stays as it was agreed."""
    if operation.target_departure_id is None:
        raise ValueError("a move leads somewhere")
    now = hands.clock.now()
    lock_departures(booking, operation.departure_id, operation.target_departure_id, uow=uow)
    if booking.amendment is not None:
        _drop_amendment(operation, booking, uow, hands)
    source, target = uow.departures.get_all([operation.departure_id, operation.target_departure_id])
    source.give_back(booking.seats_kept, at=now)
    target.take_seats(booking.seats_kept, at=now)
    booking.move(
        _trip_on(target, booking.trip),
        operation_id=operation.id,
        free_until=now + hands.free_for if hands.free_for else None,
        by=operation.created_by_user_id,
        reason=operation.reason,
        at=now,
    )


def _call_off(
    amendment: Amendment, operation: DepartureOperation, booking: Booking, uow: UnitOfWork, hands: Hands
) -> None:
    """Nobody is brought here any more: the old trip stands, and its customer is told."""
    lock_departures(booking, uow=uow)
    _drop_amendment(operation, booking, uow, hands)
    uow.publish(
        AmendmentCalledOff(
            at=hands.clock.now(), booking_id=booking.id, user_id=booking.user_id, amendment_id=amendment.id
        )
    )


def _drop_amendment(operation: DepartureOperation, booking: Booking, uow: UnitOfWork, hands: Hands) -> None:
    """Money that still comes for it goes to suspense."""
    now = hands.clock.now()
    drop_amendment(booking, AmendmentStatus.WITHDRAWN, by=operation.created_by_user_id, uow=uow, at=now)
    cancel_unwanted(booking, uow=uow, clock=hands.clock)


def _trip_on(departure: Departure, trip: Trip) -> Trip:
    return replace(
        trip,
        departure_id=departure.id,
        start_date=departure.starts_on,
        end_date=departure.ends_on,
        starts_at=departure.begins_at,
        time_zone=departure.time_zone,
    )


_DEEDS: Final = {OperationKind.CANCEL: _cancel, OperationKind.MOVE: _move}


def _finish(operation: DepartureOperation, hands: Hands) -> None:
    """Say that it is over, if it is; a departure that has lost all its bookings to it does not take place."""
    with hands.new_uow() as uow:
        departure = uow.departures.get(operation.departure_id)
        operation = uow.departure_operations.get(operation.id)
        if operation.status is not OperationStatus.RUNNING:
            return
        now = hands.clock.now()
        operation.finish(uow.departure_operations.counts(operation.id), at=now)
        if _is_emptied(departure, operation):
            departure.cancel(at=now)
        uow.commit()


def _is_emptied(departure: Departure, operation: DepartureOperation) -> bool:
    is_done = operation.kind is OperationKind.CANCEL and operation.status is OperationStatus.COMPLETED
    return is_done and not departure.seats_taken and departure.status is not DepartureStatus.CANCELLED
