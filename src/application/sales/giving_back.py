"""What a booking took and gives back when it ends unpaid or is cancelled: seats, promotions, points.

Locks are taken in one order everywhere: booking, departure with its pools, payments, their holds, ledger accounts,
promotions.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from application.ledger.reversals import Reverse, reverse_within
from application.ports import UnitOfWork
from domain.ledger.accounts import POINTS_UNIT
from domain.sales.bookings import Booking
from domain.shared.identifiers import NewId
from domain.shared.money import Currency, Money

_POINTS = Currency(POINTS_UNIT, 0)


def redemption_key(booking_id: UUID) -> str:
    """What the journal that redeemed a booking's points is found by."""
    return f"points:redeemed:booking:{booking_id}"


def free_seats(booking: Booking, *, uow: UnitOfWork, at: datetime) -> None:
    """Put the seats that are the booking's own on sale again; called before its status changes."""
    if booking.hold is not None and booking.hold.departure_id is not None and booking.seats_kept:
        uow.departures.get(booking.hold.departure_id).give_back(booking.seats_kept, at=at)


def restore_points(booking: Booking, points: int, *, key: str, uow: UnitOfWork, at: datetime, new_id: NewId) -> None:
    """Give so many of the points that it was paid with back to the lots they came from; the key is one each time."""
    if points == 0:
        return
    redeemed = uow.points.posted(redemption_key(booking.id))
    if redeemed is None:
        raise ValueError("a booking with points has the journal that redeemed them")
    command = Reverse(journal_id=redeemed, idempotency_key=key, part=Money(points, _POINTS))
    reverse_within(command, uow=uow, at=at, new_id=new_id)
