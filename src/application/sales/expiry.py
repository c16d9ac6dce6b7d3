"""Bookings that nobody paid in time give back what they took."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from application.billing.tenders import cancel_payments
from application.ports import NewUnitOfWork, UnitOfWork
from application.sales.giving_back import free_seats, restore_points
from domain.operations.settings import GRACE_MINUTES
from domain.sales.bookings import Booking
from domain.shared.clock import Clock
from domain.shared.errors import Conflict
from domain.shared.identifiers import NewId

GRACE = timedelta(minutes=GRACE_MINUTES.default)
"""Seats are given back this long after the shown deadline where nothing else is set: money may be on its way."""

AT_ONCE: Final = 1_000
"""Bookings that give back seats in one transaction: buyers of their departures wait for it."""


def expire_bookings(
    *, new_uow: NewUnitOfWork, clock: Clock, new_id: NewId, grace: timedelta = GRACE, limit: int = 500
) -> int:
    """Give back the seats of bookings whose time to pay, and the grace after it, is over; how many it were.

    Those that took nothing but seats go `AT_ONCE` in a transaction; when no more of them are due, the others go, each
    in a transaction of its own: one that is being paid at this moment holds up no other.
    """
    now = clock.now()
    together = _expire_together(uow=new_uow(), now=now, new_id=new_id, grace=grace)
    if together == AT_ONCE:
        return together
    with new_uow() as uow:
        due = uow.bookings.due_for_expiry(before=now - grace, limit=limit)
    return together + sum(
        _expire_or_leave(booking_id, new_uow=new_uow, clock=clock, new_id=new_id, grace=grace) for booking_id in due
    )


def _expire_together(*, uow: UnitOfWork, now: datetime, new_id: NewId, grace: timedelta) -> int:
    """Where one departure is held too long for all of them, they are left to go one by one."""
    try:
        with uow:
            expired = uow.bookings.expire_together(before=now - grace, at=now, limit=AT_ONCE, new_id=new_id)
            uow.commit()
    except Conflict:
        return 0
    return expired


def _expire_or_leave(
    booking_id: UUID, *, new_uow: NewUnitOfWork, clock: Clock, new_id: NewId, grace: timedelta
) -> bool:
    """Expire one booking; one that somebody holds for longer than a lock is waited for is left to the next run."""
    try:
        return _expire_booking(booking_id, uow=new_uow(), clock=clock, new_id=new_id, grace=grace)
    except Conflict:
        return False


def _expire_booking(booking_id: UUID, *, uow: UnitOfWork, clock: Clock, new_id: NewId, grace: timedelta) -> bool:
    now = clock.now()
    with uow:
        booking = uow.bookings.get(booking_id)
        deadline = booking.hold_expires_at
        # Looked at again under its lock: the payment may have come in since.
        if not booking.is_awaiting_deposit or deadline is None or deadline > now - grace:
            return False
        expire(booking, uow=uow, clock=clock, new_id=new_id)
        uow.commit()
    return True


def expire(booking: Booking, *, uow: UnitOfWork, clock: Clock, new_id: NewId) -> None:
    """End a booking that is locked and unpaid, with all that it took. Raises IllegalTransition for any other."""
    now = clock.now()
    free_seats(booking, uow=uow, at=now)
    cancel_payments(uow.payments.pending_of(booking.id), uow=uow, clock=clock)
    restore_points(booking, booking.price.points, key="expired", uow=uow, at=now, new_id=new_id)
    uow.promotions.release(booking.id, at=now)
    booking.expire(at=now)
