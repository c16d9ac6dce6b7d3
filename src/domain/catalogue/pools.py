"""Pools: seats that several departures share, such as those of a bus or the group of a guide."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import ClassVar, Final
from uuid import UUID

from domain.shared.aggregate import Aggregate
from domain.shared.errors import Conflict, InvalidValue, NotFound
from domain.shared.events import DomainEvent

MOST_SEATS: Final = 10_000


class PoolNotFound(NotFound):
    """There is no such pool."""

    code = "pool_not_found"


class PoolSeriesNotFound(NotFound):
    """There is no such series of pools."""

    code = "pool_series_not_found"


class CapacityBelowSold(Conflict):
    """More seats are taken than would be left; `seats_taken` says how many."""

    code = "capacity_below_sold"


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolSeatsFreed(DomainEvent):
    """Seats came back to a pool, or were added: each of its departures may have more of them."""

    name: ClassVar[str] = "catalogue.pool_seats_freed"
    pool_id: UUID
    seats: int


def refuse_capacity(capacity: int, *, taken: int = 0) -> None:
    """Raises InvalidValue for a number of seats that nothing has, CapacityBelowSold for fewer than are taken."""
    if not 1 <= capacity <= MOST_SEATS:
        raise InvalidValue(f"1 to {MOST_SEATS} seats", pointer="/capacity", code="out_of_range")
    if capacity < taken:
        raise CapacityBelowSold(seats_taken=taken)


@dataclass(eq=False, kw_only=True)
class Pool(Aggregate):
    """Seats that every departure attached to it draws from; who changes them holds this row's lock.

    One of a series is for the departures of one day, `on_date`.
    """

    id: UUID
    name_ar: str
    name_en: str
    capacity: int
    seats_taken: int = 0
    series_id: UUID | None = None
    on_date: date | None = None
    created_at: datetime
    version: int = 1

    @classmethod
    def create(cls, *, pool_id: UUID, name_ar: str, name_en: str, capacity: int, at: datetime) -> Pool:
        """A pool that no departure draws from yet. Raises InvalidValue."""
        refuse_capacity(capacity)
        return cls(id=pool_id, name_ar=name_ar, name_en=name_en, capacity=capacity, created_at=at)

    @property
    def seats_left(self) -> int:
        return self.capacity - self.seats_taken

    def change_capacity(self, capacity: int, *, at: datetime) -> None:
        """Raises InvalidValue, or CapacityBelowSold."""
        refuse_capacity(capacity, taken=self.seats_taken)
        added, self.capacity = capacity - self.capacity, capacity
        if added > 0:
            self.record(PoolSeatsFreed(at=at, pool_id=self.id, seats=added))

    def take(self, seats: int) -> None:
        """Keep seats for a departure that has made sure of them."""
        if seats > self.seats_left:
            raise ValueError("more seats taken than a pool has")
        self.seats_taken += seats

    def give_back(self, seats: int, *, at: datetime) -> None:
        """Seats of a departure are there for all of the pool's departures again."""
        if seats > self.seats_taken:
            raise ValueError("more seats given back than were taken")
        self.seats_taken -= seats
        self.record(PoolSeatsFreed(at=at, pool_id=self.id, seats=seats))


@dataclass(eq=False, kw_only=True)
class PoolSeries(Aggregate):
    """What the pool of each day is made from, when a pattern first plans a departure for that day."""

    id: UUID
    name_ar: str
    name_en: str
    capacity: int
    created_at: datetime
    version: int = 1

    @classmethod
    def create(cls, *, series_id: UUID, name_ar: str, name_en: str, capacity: int, at: datetime) -> PoolSeries:
        """Raises InvalidValue."""
        refuse_capacity(capacity)
        return cls(id=series_id, name_ar=name_ar, name_en=name_en, capacity=capacity, created_at=at)
