"""Departures: dated sessions of a package or an activity, with seats that cannot be sold twice."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import ClassVar, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from domain.catalogue.pools import Pool, refuse_capacity
from domain.shared.aggregate import Aggregate
from domain.shared.clock import BUSINESS_ZONE, MIDNIGHT, start_of_day, starts_at
from domain.shared.errors import Conflict, IllegalTransition, InvalidValue, NotFound
from domain.shared.events import DomainEvent

FARTHEST_DEPARTURE: Final = timedelta(days=3 * 365)
LONGEST_DEPARTURE: Final = timedelta(days=366)


class DepartureNotFound(NotFound):
    """There is no such departure of something that is on sale."""

    code = "departure_not_found"


class DepartureClosed(Conflict):
    """The departure is not on sale: closed, cancelled or already begun."""

    code = "departure_closed"


class SoldOut(Conflict):
    """Fewer seats are left than asked for.

    `sold_out` is the id of what has too few, the departure or one of its pools; `seats_left` is how many it has.
    """

    code = "sold_out"


class DepartureHasBookings(Conflict):
    """Seats are taken: customers are moved or paid back by a mass operation, not by an edit."""

    code = "departure_has_bookings"


class PoolAttached(Conflict):
    """The departure draws from this pool already."""

    code = "pool_attached"


class PoolNotAttached(NotFound):
    """The departure does not draw from this pool."""

    code = "pool_not_attached"


class DepartureStatus(StrEnum):
    """Whether seats are sold."""

    OPEN = "OPEN"
    CLOSED = "CLOSED"
    """Nothing more is sold; what is sold goes ahead."""
    CANCELLED = "CANCELLED"


NEXT: Final = {
    DepartureStatus.OPEN: {DepartureStatus.CLOSED, DepartureStatus.CANCELLED},
    DepartureStatus.CLOSED: {DepartureStatus.OPEN, DepartureStatus.CANCELLED},
    DepartureStatus.CANCELLED: set[DepartureStatus](),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class DeparturePlanned(DomainEvent):
    name: ClassVar[str] = "catalogue.departure_planned"
    departure_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class DepartureSalesClosed(DomainEvent):
    name: ClassVar[str] = "catalogue.departure_closed"
    departure_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class DepartureReopened(DomainEvent):
    name: ClassVar[str] = "catalogue.departure_reopened"
    departure_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class DepartureCancelled(DomainEvent):
    name: ClassVar[str] = "catalogue.departure_cancelled"
    departure_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class SeatsFreed(DomainEvent):
    """Seats of a departure came back, or were added."""

    name: ClassVar[str] = "catalogue.seats_freed"
    departure_id: UUID
    seats: int


@dataclass(eq=False, kw_only=True)
class Departure(Aggregate):
    """One date of a package or an activity; `seats_taken` counts seats held and sold, under this row's lock.

    `start_time` is what the clocks of its place show, in `time_zone`, which it keeps from the day it was planned.
    Its seats come out of its own capacity and, one for one, out of each of its `pools`, which are locked with it.
    """

    id: UUID
    package_id: UUID | None = None
    activity_id: UUID | None = None
    starts_on: date
    ends_on: date
    start_time: time = MIDNIGHT
    time_zone: str = BUSINESS_ZONE.key
    capacity: int
    seats_taken: int
    status: DepartureStatus
    created_at: datetime
    version: int = 1
    pools: list[Pool] = field(default_factory=list)

    @classmethod
    def plan(
        cls,
        *,
        departure_id: UUID,
        package_id: UUID | None = None,
        activity_id: UUID | None = None,
        starts_on: date,
        ends_on: date,
        start_time: time = MIDNIGHT,
        time_zone: str = BUSINESS_ZONE.key,
        capacity: int,
        at: datetime,
    ) -> Departure:
        """A new date on sale. Raises InvalidValue for one that ends before it starts."""
        if (package_id is None) == (activity_id is None):
            raise ValueError("a departure is of a package or of an activity")
        _refuse_dates(starts_on, ends_on)
        refuse_capacity(capacity)
        departure = cls(
            id=departure_id,
            package_id=package_id,
            activity_id=activity_id,
            starts_on=starts_on,
            ends_on=ends_on,
            start_time=start_time,
            time_zone=time_zone,
            capacity=capacity,
            seats_taken=0,
            status=DepartureStatus.OPEN,
            created_at=at,
        )
        departure.record(DeparturePlanned(at=at, departure_id=departure_id))
        return departure

    @property
    def begins_at(self) -> datetime:
        """The instant at which it begins."""
        return starts_at(self.starts_on, self.start_time, ZoneInfo(self.time_zone))

    @property
    def sold_until(self) -> datetime:
        """The instant at which sales are over: its first day begins at its place."""
        return start_of_day(self.starts_on, self.time_zone)

    @property
    def seats_left(self) -> int:
        """How many can be sold: the least of what it has itself and what each of its pools has."""
        return min([self.capacity - self.seats_taken, *(pool.seats_left for pool in self.pools)])

    def ensure_on_sale(self, *, at: datetime) -> None:
        """Raises DepartureClosed unless seats are sold for it."""
        if self.status is not DepartureStatus.OPEN or at >= self.sold_until:
            raise DepartureClosed(departure_id=self.id)

    def take_seats(self, seats: int, *, at: datetime) -> None:
        """Keep seats for a booking, of its own and of every pool, or of none.

        Raises DepartureClosed or SoldOut; the caller holds the locks of the departure's row and its pools'.
        """
        self.ensure_on_sale(at=at)
        self._refuse_beyond(seats)
        self.seats_taken += seats
        for pool in self.pools:
            pool.take(seats)

    def ensure_room(self, seats: int, *, leaving: Departure) -> None:
        """Raises SoldOut unless so many seats that leave another departure fit; pools of both have them already."""
        if seats > self.capacity - self.seats_taken:
            raise SoldOut(sold_out=str(self.id), seats_left=self.capacity - self.seats_taken)
        shared = [pool.id for pool in leaving.pools]
        for pool in self.pools:
            if pool.id not in shared and seats > pool.seats_left:
                raise SoldOut(sold_out=str(pool.id), seats_left=pool.seats_left)

    def take_kept(self, seats: int, *, kept: int, at: datetime) -> None:
        """Sell seats of which so many are taken for the buyer already: take what is missing, give back what is not.

        Raises DepartureClosed or SoldOut.
        """
        self.ensure_on_sale(at=at)
        if seats > kept:
            self.take_seats(seats - kept, at=at)
        elif seats < kept:
            self.give_back(kept - seats, at=at)

    def _refuse_beyond(self, seats: int) -> None:
        if seats <= self.seats_left:
            return
        scarcest = min(self.pools, key=lambda pool: pool.seats_left, default=None)
        if scarcest is None or self.capacity - self.seats_taken <= scarcest.seats_left:
            raise SoldOut(sold_out=str(self.id), seats_left=self.seats_left)
        raise SoldOut(sold_out=str(scarcest.id), seats_left=scarcest.seats_left)

    def give_back(self, seats: int, *, at: datetime) -> None:
        """Seats that an expired or cancelled booking held are on sale again, here and in every pool."""
        if seats > self.seats_taken:
            raise ValueError("more seats given back than were taken")
        self.seats_taken -= seats
        self.record(SeatsFreed(at=at, departure_id=self.id, seats=seats))
        for pool in self.pools:
            pool.give_back(seats, at=at)

    def change_capacity(self, capacity: int, *, at: datetime) -> None:
        """Raises InvalidValue, CapacityBelowSold, or DepartureClosed for a cancelled one."""
        self._refuse_cancelled()
        refuse_capacity(capacity, taken=self.seats_taken)
        added, self.capacity = capacity - self.capacity, capacity
        if added > 0:
            self.record(SeatsFreed(at=at, departure_id=self.id, seats=added))

    def reschedule(self, *, starts_on: date, ends_on: date, start_time: time) -> None:
        """Another date or hour, while nothing is sold; a pattern leaves one on another date alone.

        On another date it draws no more from the pools of the day that it was on.

        Raises DepartureHasBookings, DepartureClosed for a cancelled one, or InvalidValue.
        """
        self._refuse_cancelled()
        self._refuse_sold()
        _refuse_dates(starts_on, ends_on)
        self.starts_on, self.ends_on, self.start_time = starts_on, ends_on, start_time
        self.pools = [pool for pool in self.pools if pool.on_date in (None, starts_on)]

    def close(self, *, at: datetime) -> None:
        """Sell nothing more."""
        self._move_to(DepartureStatus.CLOSED)
        self.record(DepartureSalesClosed(at=at, departure_id=self.id))

    def reopen(self, *, at: datetime) -> None:
        """Sell again. Raises DepartureClosed once sales are over."""
        if at >= self.sold_until:
            raise DepartureClosed(departure_id=self.id)
        self._move_to(DepartureStatus.OPEN)
        self.record(DepartureReopened(at=at, departure_id=self.id))

    def cancel(self, *, at: datetime) -> None:
        """It will not take place. Raises DepartureHasBookings while seats are taken."""
        self._refuse_sold()
        self._move_to(DepartureStatus.CANCELLED)
        self.record(DepartureCancelled(at=at, departure_id=self.id))

    def attach(self, pool: Pool) -> None:
        """Draw from a pool too; the seats that are taken already come out of it.

        Raises PoolAttached, SoldOut where they do not fit, or DepartureClosed for a cancelled one.
        """
        self._refuse_cancelled()
        if pool in self.pools:
            raise PoolAttached()
        if self.seats_taken > pool.seats_left:
            raise SoldOut(sold_out=str(pool.id), seats_left=pool.seats_left)
        pool.take(self.seats_taken)
        self.pools.append(pool)

    def detach(self, pool_id: UUID, *, at: datetime) -> None:
        """Draw from a pool no longer; it has the departure's seats back. Raises PoolNotAttached."""
        pool = next((pool for pool in self.pools if pool.id == pool_id), None)
        if pool is None:
            raise PoolNotAttached()
        if self.seats_taken:
            pool.give_back(self.seats_taken, at=at)
        self.pools.remove(pool)

    def _refuse_sold(self) -> None:
        if self.seats_taken:
            raise DepartureHasBookings(seats_taken=self.seats_taken)

    def _refuse_cancelled(self) -> None:
        if self.status is DepartureStatus.CANCELLED:
            raise DepartureClosed(departure_id=self.id)

    def _move_to(self, status: DepartureStatus) -> None:
        if status not in NEXT[self.status]:
            raise IllegalTransition(current=self.status, wanted=status)
        self.status = status


def _refuse_dates(starts_on: date, ends_on: date) -> None:
    if ends_on < starts_on:
        raise InvalidValue("a departure ends on or after the day it starts", pointer="/ends_on")
    if ends_on - starts_on > LONGEST_DEPARTURE:
        raise InvalidValue("a departure is over within a year", pointer="/ends_on", code="out_of_range")


def refuse_start(starts_on: date, *, today: date) -> None:
    """Raises InvalidValue for a day that has come, or is too far off to plan for."""
    if not today < starts_on <= today + FARTHEST_DEPARTURE:
        detail = "a departure starts after today, and within three years"
        raise InvalidValue(detail, pointer="/starts_on", code="out_of_range")
