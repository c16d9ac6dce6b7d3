"""What bookings tell of: the events that workers act on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from domain.shared.events import DomainEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class BookingPlaced(DomainEvent):
    name: ClassVar[str] = "sales.booking_placed"
    booking_id: UUID
    user_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class BookingConfirmed(DomainEvent):
    name: ClassVar[str] = "sales.booking_confirmed"
    booking_id: UUID
    user_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class BookingExpired(DomainEvent):
    name: ClassVar[str] = "sales.booking_expired"
    booking_id: UUID
    user_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class BookingReplaced(DomainEvent):
    """Money came after a booking had expired, and took its place again as a booking of its own."""

    name: ClassVar[str] = "sales.booking_replaced"
    booking_id: UUID
    replaced_id: UUID
    user_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class BookingRequested(DomainEvent):
    """A customer asks for a trip that people price."""

    name: ClassVar[str] = "sales.booking_requested"
    booking_id: UUID
    user_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestLapsed(DomainEvent):
    """The day of a trip that was asked for is over, and nobody had priced it."""

    name: ClassVar[str] = "sales.request_lapsed"
    booking_id: UUID
    user_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class BookingPriced(DomainEvent):
    """What was asked for has its price, and waits for its money."""

    name: ClassVar[str] = "sales.booking_priced"
    booking_id: UUID
    user_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class BookingCancelled(DomainEvent):
    """Somebody cancelled it, before it was paid or after; the amounts are those of the plan that was carried out.

    `refunded_before_minor` is what had gone back before: all that was paid, where the booking ended by that.
    """

    name: ClassVar[str] = "sales.booking_cancelled"
    booking_id: UUID
    user_id: UUID
    currency: str
    to_original_minor: int
    to_wallet_minor: int
    to_voucher_credit_minor: int
    in_points_minor: int
    kept_minor: int
    points: int
    points_restored: int
    to_agent_minor: int = 0
    refunded_before_minor: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class BookingRefunded(DomainEvent):
    """All that was paid for a booking that is over has gone back."""

    name: ClassVar[str] = "sales.booking_refunded"
    booking_id: UUID
    user_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class BookingStarted(DomainEvent):
    name: ClassVar[str] = "sales.booking_started"
    booking_id: UUID
    user_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class BookingMissed(DomainEvent):
    """The customer did not come; the money stays."""

    name: ClassVar[str] = "sales.booking_missed"
    booking_id: UUID
    user_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class BookingMoved(DomainEvent):
    """The company moved it to another departure, with all of that departure's bookings."""

    name: ClassVar[str] = "sales.booking_moved"
    booking_id: UUID
    user_id: UUID
    operation_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class BookingCompleted(DomainEvent):
    name: ClassVar[str] = "sales.booking_completed"
    booking_id: UUID
    user_id: UUID
