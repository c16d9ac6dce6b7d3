"""Waiting lists: joining and leaving them, and offering seats that came back to whoever is first in line.

Locks: the departure with its pools, then entries. Offers are counted in the departure's taken seats, so nobody else can
buy them; an offer that is accepted becomes a booking's hold in the transaction that places the booking.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from application.catalogue.authors import item_of
from application.ports import NewUnitOfWork, UnitOfWork
from domain.catalogue.departures import Departure, DepartureNotFound, DepartureStatus
from domain.catalogue.items import Item
from domain.catalogue.publication import ItemStatus
from domain.operations.audit import changed
from domain.sales.booking_errors import CustomerNotFound
from domain.sales.waiting import AlreadyWaiting, SeatsAvailable, WaitingEntry, WaitingEntryNotFound, WaitingStatus
from domain.shared.clock import Clock
from domain.shared.errors import Conflict, InvalidValue
from domain.shared.identifiers import NewId


@dataclass(frozen=True, slots=True, kw_only=True)
class JoinWaitingList:
    """A customer wants seats of a departure that has too few; staff or an agent may ask for them."""

    actor_id: UUID
    user_id: UUID
    departure_id: UUID
    seats: int


def join_waiting_list(command: JoinWaitingList, *, uow: UnitOfWork, clock: Clock, new_id: NewId) -> UUID:
    """Become the last in line.

    Raises CustomerNotFound, DepartureNotFound, DepartureClosed, SeatsAvailable where nobody has to
    wait, AlreadyWaiting, or InvalidValue for more seats than there will ever be.
    """
    with uow:
        if uow.vouchers.unknown_users([command.user_id]):
            raise CustomerNotFound()
        departure = uow.departures.get(command.departure_id)
        if not _is_on_sale(departure, uow):
            raise DepartureNotFound()
        # Read under the lock: who comes later stands further back.
        now = clock.now()
        departure.ensure_on_sale(at=now)
        _refuse_needless(departure, command.seats)
        held = uow.waiting_list.open_of(departure.id, command.user_id)
        if held is not None:
            # An agent learns that the customer waits, not of a place that somebody else asked for.
            known = str(held.id) if held.is_of(command.actor_id) else None
            raise AlreadyWaiting(waiting_list_entry_id=known)
        entry = WaitingEntry.join(
            entry_id=new_id(),
            departure_id=departure.id,
            user_id=command.user_id,
            joined_by=command.actor_id,
            seats=command.seats,
            at=now,
        )
        uow.waiting_list.add(entry)
        _audit(entry, "bookings.create", by=command.actor_id, before={}, uow=uow, at=now)
        uow.commit()
    return entry.id


def _audit(
    entry: WaitingEntry, action: str, *, by: UUID, before: Mapping[str, object], uow: UnitOfWork, at: datetime
) -> None:
    """What staff and agents do for customers is in the audit log."""
    if by == entry.user_id:
        return
    uow.audit.add(
        actor=by,
        action=action,
        resource_type="WAITING_LIST_ENTRY",
        resource_id=entry.id,
        changes=changed(before, _shown(entry)),
        at=at,
    )


def _shown(entry: WaitingEntry) -> dict[str, object]:
    return {
        "user_id": str(entry.user_id),
        "departure_id": str(entry.departure_id),
        "seats": entry.seats,
        "status": entry.status.value,
    }


def _is_on_sale(departure: Departure, uow: UnitOfWork) -> bool:
    """Whether its package or activity is on sale."""
    return item_of(Item.of(departure.package_id, departure.activity_id), uow).status is ItemStatus.ACTIVE


def _refuse_needless(departure: Departure, seats: int) -> None:
    if departure.seats_left >= seats:
        raise SeatsAvailable(seats_left=departure.seats_left)
    most = min([departure.capacity, *(pool.capacity for pool in departure.pools)])
    if seats > most:
        raise InvalidValue(f"it has {most} seats in all", pointer="/seats", code="out_of_range")


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaveWaitingList:
    """A customer, or whoever asked for them, does not want to wait any more, or not the seats that are offered."""

    actor_id: UUID
    entry_id: UUID
    offer_for: timedelta


def leave_waiting_list(command: LeaveWaitingList, *, uow: UnitOfWork, clock: Clock) -> None:
    """Give up a place in line; seats that were kept go to the next at once.

    Raises WaitingEntryNotFound, also for somebody else's, or IllegalTransition for one that is over.
    """
    with uow:
        departure = uow.departures.get(uow.waiting_list.departure_of(command.entry_id, owner=command.actor_id))
        now = clock.now()
        entry = uow.waiting_list.get(command.entry_id)
        kept, before = entry.seats_kept, _shown(entry)
        entry.leave(at=now)
        _audit(entry, "bookings.update", by=command.actor_id, before=before, uow=uow, at=now)
        if kept:
            departure.give_back(kept, at=now)
            _offer(departure, uow.waiting_list.line(departure.id), offer_for=command.offer_for, uow=uow, at=now)
        uow.commit()


def serve_waiting_lists(*, new_uow: NewUnitOfWork, clock: Clock, offer_for: timedelta, limit: int = 500) -> int:
    """End offers that are over, and make those that events missed; how many departures were looked at.

    Each departure in a transaction of its own; one that is busy is left to the next run.
    """
    now = clock.now()
    with new_uow() as uow:
        due = uow.waiting_list.to_serve(now=now, limit=limit)
    return sum(_serve_or_leave(one, new_uow=new_uow, clock=clock, offer_for=offer_for) for one in due)


def _serve_or_leave(departure_id: UUID, *, new_uow: NewUnitOfWork, clock: Clock, offer_for: timedelta) -> bool:
    try:
        serve_waiting_list(departure_id, uow=new_uow(), clock=clock, offer_for=offer_for)
    except Conflict:
        return False
    return True


def serve_waiting_list(departure_id: UUID, *, uow: UnitOfWork, clock: Clock, offer_for: timedelta) -> None:
    """Bring one line up to date: end offers that are over, offer what is left, or close a line of no use.

    Any number of times, by any number of workers at once: it does what is left to do.
    """
    with uow:
        # Most seats that come back are of departures for which nobody waits: those are not locked.
        if not uow.waiting_list.has_line(departure_id):
            return
        departure = uow.departures.get(departure_id)
        now = clock.now()
        line = uow.waiting_list.line(departure_id)
        if departure.status is DepartureStatus.CANCELLED or now >= departure.sold_until:
            is_cancelled = departure.status is DepartureStatus.CANCELLED
            close_line(departure, line, WaitingStatus.CANCELLED if is_cancelled else WaitingStatus.EXPIRED, at=now)
        else:
            _lapse(departure, line, at=now)
            _offer(departure, line, offer_for=offer_for, uow=uow, at=now)
        uow.commit()


def close_line(departure: Departure, line: Sequence[WaitingEntry], status: WaitingStatus, *, at: datetime) -> None:
    """There is nothing to wait for any more: seats that were kept come back, and everybody is told."""
    _give_back(departure, sum(entry.seats_kept for entry in line), at=at)
    for entry in line:
        entry.close(status, at=at)


def _lapse(departure: Departure, line: Sequence[WaitingEntry], *, at: datetime) -> None:
    lapsed = [entry for entry in line if entry.has_lapsed(at=at)]
    _give_back(departure, sum(entry.seats_kept for entry in lapsed), at=at)
    for entry in lapsed:
        entry.lapse(at=at)


def _give_back(departure: Departure, seats: int, *, at: datetime) -> None:
    if seats:
        departure.give_back(seats, at=at)


def _offer(
    departure: Departure, line: Sequence[WaitingEntry], *, offer_for: timedelta, uow: UnitOfWork, at: datetime
) -> None:
    """Offer what is left, first come first; whoever it is too little for keeps their place."""
    if departure.status is not DepartureStatus.OPEN or not _is_on_sale(departure, uow):
        return
    until = min(at + offer_for, departure.sold_until)
    for entry in _fitting(departure, line):
        departure.take_seats(entry.seats, at=at)
        entry.offer(until=until, at=at)


def _fitting(departure: Departure, line: Sequence[WaitingEntry]) -> Iterator[WaitingEntry]:
    """Looked at one by one: each offer leaves fewer seats for the next."""
    return (entry for entry in line if entry.status is WaitingStatus.WAITING and entry.seats <= departure.seats_left)


def take_offered_seats(
    entry_id: UUID,
    departure: Departure,
    *,
    user_id: UUID,
    owner: UUID | None,
    booking_id: UUID,
    seats: int,
    uow: UnitOfWork,
    at: datetime,
) -> None:
    """Let a booking of so many seats have those that were kept for a place in line, and more or fewer as it needs.

    The place is the customer's (`user_id`), and in sight of who books: their own or one that they asked for, any for
    staff (`owner` None). The caller holds the departure's lock.
    Raises WaitingEntryNotFound, NoSeatOffer, DepartureClosed, SoldOut.
    """
    if uow.waiting_list.departure_of(entry_id, owner=owner) != departure.id:
        raise WaitingEntryNotFound()
    entry = uow.waiting_list.get(entry_id)
    if entry.user_id != user_id:
        raise WaitingEntryNotFound()
    entry.accept(booking_id, at=at)
    departure.take_kept(seats, kept=entry.seats, at=at)
