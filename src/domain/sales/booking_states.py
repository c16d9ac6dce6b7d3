"""Where a booking and its payment may stand, and from where to where a booking may go."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID


class BookingStatus(StrEnum):
    """The life of a booking."""

    DRAFT = "DRAFT"
    """Asked for, not priced yet."""
    PENDING_PAYMENT = "PENDING_PAYMENT"
    """Priced; seats are held until the hold expires."""
    CONFIRMED = "CONFIRMED"
    """The money is in."""
    IN_PROGRESS = "IN_PROGRESS"
    COMPLETED = "COMPLETED"
    CANCELLED = "CANCELLED"
    REFUNDED = "REFUNDED"


class BookingItemStatus(StrEnum):
    """Where one thing of a booking stands, in the guide's words (§8): it has no life apart from its booking."""

    PENDING = "PENDING"
    CONFIRMED = "CONFIRMED"
    COMPLETED = "COMPLETED"
    CANCELLED = "CANCELLED"


ITEM_STATUS: Final = {
    BookingStatus.DRAFT: BookingItemStatus.PENDING,
    BookingStatus.PENDING_PAYMENT: BookingItemStatus.PENDING,
    BookingStatus.CONFIRMED: BookingItemStatus.CONFIRMED,
    BookingStatus.IN_PROGRESS: BookingItemStatus.CONFIRMED,
    BookingStatus.COMPLETED: BookingItemStatus.COMPLETED,
    BookingStatus.CANCELLED: BookingItemStatus.CANCELLED,
    BookingStatus.REFUNDED: BookingItemStatus.CANCELLED,
}
"""Of all that is in a booking, by where that stands."""


class BookingPaymentStatus(StrEnum):
    """How much of the booking is paid, apart from where the trip stands."""

    UNPAID = "UNPAID"
    PARTIALLY_PAID = "PARTIALLY_PAID"
    PAID = "PAID"
    PARTIALLY_REFUNDED = "PARTIALLY_REFUNDED"
    REFUNDED = "REFUNDED"


NEXT = {
    BookingStatus.DRAFT: {BookingStatus.PENDING_PAYMENT, BookingStatus.CANCELLED},
    BookingStatus.PENDING_PAYMENT: {BookingStatus.CONFIRMED, BookingStatus.CANCELLED},
    BookingStatus.CONFIRMED: {BookingStatus.IN_PROGRESS, BookingStatus.CANCELLED},
    BookingStatus.IN_PROGRESS: {BookingStatus.COMPLETED, BookingStatus.CANCELLED},
    BookingStatus.COMPLETED: {BookingStatus.REFUNDED},
    BookingStatus.CANCELLED: {BookingStatus.REFUNDED},
    BookingStatus.REFUNDED: set(),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusChange:
    """One step of the machine: who, when and why; None as actor is the system itself."""

    from_status: str | None
    to_status: str
    changed_by_user_id: UUID | None
    change_reason: str
    changed_at: datetime
