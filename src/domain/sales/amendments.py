"""Amendments: another date, another party or other travellers for a booking that is confirmed.

One that costs more is kept beside the booking, with the seats that it needs, until its difference is paid: till then
the old trip stands as it is. Any other is carried out at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar, Final
from uuid import UUID

from domain.sales.agreed import BookedPrice, BookingItem, RewardTerms, Trip
from domain.sales.holds import extended, following
from domain.sales.travelers import Traveler
from domain.shared.errors import Conflict, IllegalTransition, NotFound
from domain.shared.events import DomainEvent
from domain.shared.money import Money
from domain.shared.percentage import Percentage


class AmendmentNotFound(NotFound):
    """There is no such amendment, or its booking is not the viewer's."""

    code = "amendment_not_found"


class AmendmentWaits(Conflict):
    """Another amendment waits for its money until `expires_at`: pay it, or withdraw it first."""

    code = "amendment_waits"


class AmendmentNotOffered(Conflict):
    """This booking is changed by people; `reason` says why."""

    code = "amendment_not_offered"


class AmendmentStatus(StrEnum):
    """An amendment leaves PENDING exactly once."""

    PENDING = "PENDING"
    """Its seats are held, and its difference is not paid yet."""
    APPLIED = "APPLIED"
    LAPSED = "LAPSED"
    """Not paid in time."""
    WITHDRAWN = "WITHDRAWN"
    """Not wanted any more, or its booking was cancelled."""


NEXT: Final = {
    AmendmentStatus.PENDING: {AmendmentStatus.APPLIED, AmendmentStatus.LAPSED, AmendmentStatus.WITHDRAWN},
    AmendmentStatus.APPLIED: set[AmendmentStatus](),
    AmendmentStatus.LAPSED: set[AmendmentStatus](),
    AmendmentStatus.WITHDRAWN: set[AmendmentStatus](),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class BookingAmended(DomainEvent):
    """A booking is of another trip or party now; what it was before and is since."""

    name: ClassVar[str] = "sales.booking_amended"
    booking_id: UUID
    user_id: UUID
    amendment_id: UUID
    currency: str
    starts_on_before: str
    starts_on: str
    travelers_before: int
    travelers: int
    price_before_minor: int
    price_minor: int
    fee_minor: int
    refund_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AmendmentAwaitsPayment(DomainEvent):
    """Somebody wants a dearer trip; its seats are held until it is paid or `expires_at` is over."""

    name: ClassVar[str] = "sales.amendment_awaits_payment"
    booking_id: UUID
    user_id: UUID
    amendment_id: UUID
    currency: str
    due_minor: int
    expires_at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AmendmentLapsed(DomainEvent):
    """It was not paid in time: the old trip stands."""

    name: ClassVar[str] = "sales.amendment_lapsed"
    booking_id: UUID
    user_id: UUID
    amendment_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class AmendmentCalledOff(DomainEvent):
    """The departure that it leads to is cancelled or moved by the company: the old trip stands."""

    name: ClassVar[str] = "sales.amendment_called_off"
    booking_id: UUID
    user_id: UUID
    amendment_id: UUID


@dataclass(eq=False, kw_only=True)
class Amendment:
    """What a booking becomes: trip, price and items, with the fee in them; `before_*` is what it was.

    `rewards` are the plan's of the sale, with what offers and the voucher promise for the new trip.
    `seats_held` are those of the new departure that were taken when it was asked for. `refund` is what goes back of
    what was paid, `points_restored` what goes back of the points that reduced the price. `travelers` is None where
    they stay as they are, and once it was decided.
    """

    id: UUID
    booking_id: UUID
    status: AmendmentStatus
    before_trip: Trip
    before_amount: Money
    trip: Trip
    price: BookedPrice
    items: tuple[BookingItem, ...]
    rewards: RewardTerms
    fee: Money
    refund: Money
    points_restored: int
    seats_held: int
    travelers: tuple[Traveler, ...] | None
    requested_by: UUID
    requested_at: datetime
    expires_at: datetime | None
    """Until when a PENDING one can be paid."""
    agreed_until: datetime | None = None
    """When that would have ended without codes; None while none has changed that."""
    resolved_at: datetime | None = None

    @property
    def difference(self) -> Money:
        """What the booking costs more, below zero for less."""
        return self.price.final_amount - self.before_amount

    @property
    def departures(self) -> tuple[UUID, ...]:
        """Both, once each."""
        ids = (self.before_trip.departure_id, self.trip.departure_id)
        return tuple(dict.fromkeys(each for each in ids if each is not None))

    def extend(self, until: datetime) -> None:
        """A payment code lives longer: so does what it pays. What waits longer already stays."""
        if self.expires_at is not None:
            self.expires_at, self.agreed_until = extended(self.expires_at, self.agreed_until, until)

    def follow(self, until: datetime | None) -> None:
        """Codes end at another time than was asked for, None where none is left; never before what was agreed."""
        if self.expires_at is not None:
            self.expires_at, self.agreed_until = following(self.expires_at, self.agreed_until, until)

    def resolve(self, status: AmendmentStatus, *, at: datetime) -> None:
        """Decided, once."""
        if status not in NEXT[self.status]:
            raise IllegalTransition(current=self.status, wanted=status)
        self.status, self.resolved_at, self.travelers = status, at, None

    def applied_event(self, user_id: UUID, at: datetime) -> BookingAmended:
        """What is told of it once it is carried out."""
        return BookingAmended(
            at=at,
            booking_id=self.booking_id,
            user_id=user_id,
            amendment_id=self.id,
            currency=self.fee.currency.code,
            starts_on_before=self.before_trip.start_date.isoformat(),
            starts_on=self.trip.start_date.isoformat(),
            travelers_before=self.before_trip.travelers_count,
            travelers=self.trip.travelers_count,
            price_before_minor=self.before_amount.minor,
            price_minor=self.price.final_amount.minor,
            fee_minor=self.fee.minor,
            refund_minor=self.refund.minor,
        )


def seats_to_take(before: Trip, after: Trip) -> int:
    """Seats of the new departure that the booking does not have yet."""
    if before.departure_id != after.departure_id:
        return after.seats_held
    return max(after.seats_held - before.seats_held, 0)


def seats_to_free(before: Trip, after: Trip) -> int:
    """Seats of the old departure that the booking does not need any more."""
    if before.departure_id != after.departure_id:
        return before.seats_held
    return max(before.seats_held - after.seats_held, 0)


def value_of(price: BookedPrice) -> Money:
    """What a trip itself costs: without fees, and whether it is paid with money or was reduced by points."""
    return price.final_amount - price.fee_amount + price.points_worth


def fee_on(given_up: Money, *, share: Percentage) -> Money:
    """What the cancellation terms keep of the part of a trip that is given up, by their own percentage (trap 41)."""
    return given_up - share.of(given_up)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptPoints:
    """Points that reduced the price, and what they pay of the new one: worth what they were worth then."""

    points: int
    worth: Money


def points_kept(price: BookedPrice, left: Money) -> KeptPoints:
    """As many of a booking's points as what is left of the new price takes, in whole points."""
    worth = min(price.points_worth, left)
    if not worth.is_positive:
        return KeptPoints(points=0, worth=Money(0, left.currency))
    return KeptPoints(points=-(-price.points * worth.minor // price.points_worth.minor), worth=worth)
