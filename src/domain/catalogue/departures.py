"""Departures: dated sessions of a package or an activity, with seats that cannot be sold twice."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time
from enum import StrEnum
from uuid import UUID
from zoneinfo import ZoneInfo

from domain.shared.aggregate import Aggregate
from domain.shared.clock import BUSINESS_ZONE, MIDNIGHT, starts_at
from domain.shared.errors import Conflict, InvalidValue, NotFound


class DepartureNotFound(NotFound):
    """There is no such departure of something that is on sale."""

    code = "departure_not_found"


class DepartureClosed(Conflict):
    """The departure is not on sale: closed, cancelled or already begun."""

    code = "departure_closed"


class SoldOut(Conflict):
    """Fewer seats are left than asked for; `seats_left` says how many."""

    code = "sold_out"


class DepartureStatus(StrEnum):
    """Whether seats are sold."""

    OPEN = "OPEN"
    CLOSED = "CLOSED"
    CANCELLED = "CANCELLED"


@dataclass(eq=False, kw_only=True)
class Departure(Aggregate):
    """One date of a package or an activity; `seats_taken` counts seats held and sold, under this row's lock.

    `start_time` is what the clocks of its place show, in `time_zone`, which it keeps from the day it was planned.
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
        if ends_on < starts_on:
            raise InvalidValue("a departure ends on or after the day it starts", pointer="/ends_on")
        if not 1 <= capacity <= 10_000:
            raise InvalidValue("a departure has 1 to 10000 seats", pointer="/capacity", code="out_of_range")
        return cls(
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

    @property
    def begins_at(self) -> datetime:
        """The instant at which it begins."""
        return starts_at(self.starts_on, self.start_time, ZoneInfo(self.time_zone))

    @property
    def seats_left(self) -> int:
        return self.capacity - self.seats_taken

    def take_seats(self, seats: int, *, today: date) -> None:
        """Keep seats for a booking. Raises DepartureClosed or SoldOut; the caller holds the row's lock."""
        if self.status is not DepartureStatus.OPEN or self.starts_on <= today:
            raise DepartureClosed(departure_id=self.id)
        if seats > self.seats_left:
            raise SoldOut(seats_left=self.seats_left)
        self.seats_taken += seats

    def give_back(self, seats: int) -> None:
        """Seats that an expired or cancelled booking held are on sale again."""
        if seats > self.seats_taken:
            raise ValueError("more seats given back than were taken")
        self.seats_taken -= seats
