"""Planning departures, changing them, closing, reopening and cancelling them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import TypedDict
from uuid import UUID

from application.catalogue.authors import Author, audit_item, own_item, read_item, shown
from application.ports import UnitOfWork
from domain.catalogue.activities import ActivityNotFound
from domain.catalogue.departures import Departure, DepartureNotFound, refuse_start
from domain.catalogue.items import Item
from domain.catalogue.packages import PackageNotFound
from domain.catalogue.publication import CatalogueItem
from domain.operations.audit import changed
from domain.sales.departure_operations import OperationInProgress
from domain.shared.clock import MIDNIGHT, Clock, local_date
from domain.shared.errors import refuse_stale
from domain.shared.identifiers import NewId


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanDeparture:
    """`ends_on` follows from how long the item lasts where it is None; `start_time` is what clocks there show."""

    author: Author
    item: Item
    starts_on: date
    ends_on: date | None
    capacity: int
    start_time: time = MIDNIGHT


def plan_departure(command: PlanDeparture, *, uow: UnitOfWork, clock: Clock, new_id: NewId) -> Departure:
    """Sell seats for a date.

    Raises PackageNotFound or ActivityNotFound, or InvalidValue for dates or seats that cannot be.
    """
    now = clock.now()
    with uow:
        # Locked, so that its availability and its hours are not changed meanwhile.
        item = own_item(command.item, command.author, uow)
        refuse_start(command.starts_on, today=local_date(now, item.time_zone))
        departure = Departure.plan(
            departure_id=new_id(),
            package_id=command.item.package_id,
            activity_id=command.item.activity_id,
            starts_on=command.starts_on,
            ends_on=command.ends_on or item.last_day(command.starts_on, command.start_time),
            start_time=command.start_time,
            time_zone=item.time_zone,
            capacity=command.capacity,
            at=now,
        )
        item.refuse_unavailable(departure.starts_on, departure.ends_on)
        uow.departures.add(departure)
        planned = {"departure_id": str(departure.id), **shown(_edited(departure))}
        audit_item(uow, command.author, "update", item, changed({}, {"departure": planned}), clock)
        uow.commit()
    return departure


class Edited(TypedDict, total=False):
    """What may be given a departure anew; without `ends_on`, how long the item lasts says when it is over."""

    starts_on: date
    ends_on: date | None
    start_time: time
    capacity: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeDeparture:
    """`details` holds only what changes; `expected_version` is the one that the author saw, None for any."""

    author: Author
    departure_id: UUID
    details: Edited
    expected_version: int | None = None


def change_departure(command: ChangeDeparture, *, uow: UnitOfWork, clock: Clock) -> None:
    """Another capacity; while nothing is sold, another date or hour, too.

    Raises DepartureNotFound, PreconditionFailed, CapacityBelowSold, DepartureHasBookings, DepartureClosed for a
    cancelled one, or InvalidValue.
    """
    now, details = clock.now(), command.details
    with uow:
        departure, item = _own(command.departure_id, command.author, uow)
        refuse_stale(command.expected_version, current=departure.version)
        before = shown(_edited(departure))
        if "capacity" in details:
            departure.change_capacity(details["capacity"], at=now)
        if details.keys() - {"capacity"}:
            _reschedule(departure, item, details, at=now)
        _audit(uow, command.author, departure, before, clock)
        uow.commit()


def _reschedule(departure: Departure, item: CatalogueItem, details: Edited, *, at: datetime) -> None:
    starts_on = details.get("starts_on", departure.starts_on)
    start_time = details.get("start_time", departure.start_time)
    refuse_start(starts_on, today=local_date(at, departure.time_zone))
    ends_on = details.get("ends_on") or item.last_day(starts_on, start_time)
    item.refuse_unavailable(starts_on, ends_on)
    departure.reschedule(starts_on=starts_on, ends_on=ends_on, start_time=start_time)


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveDeparture:
    """A departure is closed, opened again or cancelled."""

    author: Author
    departure_id: UUID
    expected_version: int | None = None


def close_departure(command: MoveDeparture, *, uow: UnitOfWork, clock: Clock) -> None:
    """Sell nothing more. Raises DepartureNotFound, PreconditionFailed, or IllegalTransition."""
    _move(command, lambda departure: departure.close(at=clock.now()), uow=uow, clock=clock)


def reopen_departure(command: MoveDeparture, *, uow: UnitOfWork, clock: Clock) -> None:
    """Sell again.

    Raises DepartureNotFound, PreconditionFailed, IllegalTransition, DepartureClosed once begun, or OperationInProgress
    while its bookings are being cancelled or moved.
    """
    now = clock.now()

    def reopen(departure: Departure) -> None:
        running = uow.departure_operations.open_of(departure.id)
        if running is not None:
            raise OperationInProgress(operation_id=str(running))
        departure.reopen(at=now)

    _move(command, reopen, uow=uow, clock=clock)


def cancel_departure(command: MoveDeparture, *, uow: UnitOfWork, clock: Clock) -> None:
    """It will not take place.

    Raises DepartureNotFound, PreconditionFailed, IllegalTransition, or DepartureHasBookings.
    """
    _move(command, lambda departure: departure.cancel(at=clock.now()), uow=uow, clock=clock)


def _move(command: MoveDeparture, verb: Callable[[Departure], None], *, uow: UnitOfWork, clock: Clock) -> None:
    with uow:
        departure, _ = _own(command.departure_id, command.author, uow)
        refuse_stale(command.expected_version, current=departure.version)
        before = shown(_edited(departure))
        verb(departure)
        _audit(uow, command.author, departure, before, clock)
        uow.commit()


def _own(departure_id: UUID, author: Author, uow: UnitOfWork) -> tuple[Departure, CatalogueItem]:
    departure = uow.departures.get(departure_id)
    try:
        return departure, read_item(Item.of(departure.package_id, departure.activity_id), author, uow)
    except (PackageNotFound, ActivityNotFound):
        raise DepartureNotFound() from None


def _edited(departure: Departure) -> dict[str, object]:
    return {
        "starts_on": departure.starts_on,
        "ends_on": departure.ends_on,
        "start_time": departure.start_time,
        "capacity": departure.capacity,
        "status": departure.status.value,
    }


def _audit(uow: UnitOfWork, author: Author, departure: Departure, before: dict[str, object], clock: Clock) -> None:
    changes = changed(before, shown(_edited(departure)))
    if not changes["after"]:
        return
    uow.audit.add(
        actor=author.user_id,
        action="departures.update",
        resource_type="DEPARTURE",
        resource_id=departure.id,
        changes=changes,
        at=clock.now(),
    )
