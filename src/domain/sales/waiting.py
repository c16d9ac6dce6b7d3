"""Waiting lists: who wants seats of a departure that has too few, in the order in which they came.

Seats that come back are offered to the first in line whose party fits, and are taken for them until the offer ends.
A larger party that does not fit is passed over and keeps its place: it is asked first when more seats come back.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from domain.shared.aggregate import Aggregate
from domain.shared.errors import Conflict, IllegalTransition, NotFound
from domain.shared.events import DomainEvent


class WaitingEntryNotFound(NotFound):
    """There is no such place in a line, or it is not the viewer's."""

    code = "waiting_entry_not_found"


class SeatsAvailable(Conflict):
    """Nobody has to wait: `seats_left` are on sale."""

    code = "seats_available"


class AlreadyWaiting(Conflict):
    """The customer has a place in this line; `waiting_list_entry_id` is it."""

    code = "already_waiting"


class NoSeatOffer(Conflict):
    """No seats are kept for this entry: not yet, or its offer has been taken or is over (`status`)."""

    code = "no_seat_offer"


class WaitingStatus(StrEnum):
    """The life of a place in line."""

    WAITING = "WAITING"
    OFFERED = "OFFERED"
    """Seats are taken for it until its offer ends."""
    ACCEPTED = "ACCEPTED"
    EXPIRED = "EXPIRED"
    """Its offer was not taken in time, or the departure was over before there were seats."""
    CANCELLED = "CANCELLED"
    """Its customer left, or the departure does not take place."""


NEXT = {
    WaitingStatus.WAITING: {WaitingStatus.OFFERED, WaitingStatus.EXPIRED, WaitingStatus.CANCELLED},
    WaitingStatus.OFFERED: {WaitingStatus.ACCEPTED, WaitingStatus.EXPIRED, WaitingStatus.CANCELLED},
    WaitingStatus.ACCEPTED: set[WaitingStatus](),
    WaitingStatus.EXPIRED: set[WaitingStatus](),
    WaitingStatus.CANCELLED: set[WaitingStatus](),
}
OPEN = (WaitingStatus.WAITING, WaitingStatus.OFFERED)


@dataclass(frozen=True, slots=True, kw_only=True)
class SeatsOffered(DomainEvent):
    """Seats are kept for somebody who waited, until the offer ends."""

    name: ClassVar[str] = "sales.seats_offered"
    entry_id: UUID
    user_id: UUID
    departure_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class SeatOfferLapsed(DomainEvent):
    """An offer was not taken in time."""

    name: ClassVar[str] = "sales.seat_offer_lapsed"
    entry_id: UUID
    user_id: UUID
    departure_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingEnded(DomainEvent):
    """There is nothing to wait for any more: the departure does not take place, or is no longer sold."""

    name: ClassVar[str] = "sales.waiting_ended"
    entry_id: UUID
    user_id: UUID
    departure_id: UUID


@dataclass(eq=False, kw_only=True)
class WaitingEntry(Aggregate):
    """One customer's place in the line of one departure; whoever changes it holds the departure's lock.

    While it is OFFERED its `seats` are counted among the departure's taken ones.
    """

    id: UUID
    departure_id: UUID
    user_id: UUID
    joined_by_user_id: UUID
    """The customer, or staff or an agent who asked for them."""
    seats: int
    status: WaitingStatus
    created_at: datetime
    offered_at: datetime | None = None
    offer_expires_at: datetime | None = None
    """Until when the offer holds, or held."""
    booking_id: UUID | None = None
    ended_at: datetime | None = None

    @classmethod
    def join(
        cls, *, entry_id: UUID, departure_id: UUID, user_id: UUID, joined_by: UUID, seats: int, at: datetime
    ) -> WaitingEntry:
        """The last in line."""
        return cls(
            id=entry_id,
            departure_id=departure_id,
            user_id=user_id,
            joined_by_user_id=joined_by,
            seats=seats,
            status=WaitingStatus.WAITING,
            created_at=at,
        )

    def is_of(self, actor: UUID) -> bool:
        """Whether it is the customer's who asks, or of whoever asked for them."""
        return actor in (self.user_id, self.joined_by_user_id)

    @property
    def seats_kept(self) -> int:
        """Seats of the departure that are taken for it now."""
        return self.seats if self.status is WaitingStatus.OFFERED else 0

    def offer(self, *, until: datetime, at: datetime) -> None:
        """Seats are kept until then; the caller has taken them."""
        self._move_to(WaitingStatus.OFFERED)
        self.offered_at, self.offer_expires_at = at, until
        self.record(SeatsOffered(at=at, entry_id=self.id, user_id=self.user_id, departure_id=self.departure_id))

    def is_offered(self, *, at: datetime) -> bool:
        """Whether seats are kept for it and may still be booked."""
        return self.status is WaitingStatus.OFFERED and not self.has_lapsed(at=at)

    def has_lapsed(self, *, at: datetime) -> bool:
        """Whether its offer was not taken in time, and is to be ended."""
        is_over = self.offer_expires_at is not None and at >= self.offer_expires_at
        return self.status is WaitingStatus.OFFERED and is_over

    def accept(self, booking_id: UUID, *, at: datetime) -> None:
        """Its seats are the booking's. Raises NoSeatOffer."""
        if not self.is_offered(at=at):
            raise NoSeatOffer(status=self.status)
        self._end(WaitingStatus.ACCEPTED, at)
        self.booking_id = booking_id

    def lapse(self, *, at: datetime) -> None:
        """The offer's time is over; the caller gives its seats back, or to the next in line."""
        if self.status is not WaitingStatus.OFFERED:
            raise IllegalTransition(current=self.status, wanted=WaitingStatus.EXPIRED)
        self._end(WaitingStatus.EXPIRED, at)
        self.record(SeatOfferLapsed(at=at, entry_id=self.id, user_id=self.user_id, departure_id=self.departure_id))

    def leave(self, *, at: datetime) -> None:
        """The customer does not want to wait, or not to book; the caller gives back what was kept."""
        self._end(WaitingStatus.CANCELLED, at)

    def close(self, status: WaitingStatus, *, at: datetime) -> None:
        """There is nothing to wait for: the departure is CANCELLED, or its time to be sold is over (EXPIRED)."""
        self._end(status, at)
        self.record(WaitingEnded(at=at, entry_id=self.id, user_id=self.user_id, departure_id=self.departure_id))

    def _end(self, status: WaitingStatus, at: datetime) -> None:
        self._move_to(status)
        self.ended_at = at

    def _move_to(self, status: WaitingStatus) -> None:
        if status not in NEXT[self.status]:
            raise IllegalTransition(current=self.status, wanted=status)
        self.status = status
