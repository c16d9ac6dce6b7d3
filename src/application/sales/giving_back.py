"""What a booking took and gives back when it ends unpaid, is cancelled or loses its money: seats, promotions, points.

Locks are taken in one order everywhere: booking, departure with its pools, payments, their holds, ledger accounts,
promotions.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from application.ledger.reversals import Reverse, reverse_within
from application.ports import UnitOfWork
from domain.ledger import accounts
from domain.ledger.accounts import POINTS_UNIT, AccountRef
from domain.sales.agreed import Trip
from domain.sales.amendments import Amendment, AmendmentStatus, seats_to_free
from domain.sales.bookings import Booking
from domain.sales.cancellation import Settlement
from domain.sales.travelers import Traveler
from domain.shared.identifiers import NewId
from domain.shared.money import Currency, Money

MONEY_WENT_BACK: Final = "all of its money went back"
"""Why the system ends a booking that has nothing left of what was paid for it."""

_POINTS = Currency(POINTS_UNIT, 0)


def redemption_key(booking_id: UUID) -> str:
    """What the journal that redeemed a booking's points is found by."""
    return f"points:redeemed:booking:{booking_id}"


def accounts_moved(booking: Booking) -> frozenset[AccountRef]:
    """Whatever of the customer's refunds, points that come back and points that are taken may move."""
    return accounts.customers_own(booking.user_id, booking.final_amount.currency.code)


def lock_departures(booking: Booking, *others: UUID, uow: UnitOfWork) -> None:
    """Lock all departures that a booking has seats of, and others, at once: in the order of their ids."""
    own = [booking.hold.departure_id] if booking.hold is not None and booking.hold.departure_id is not None else []
    waiting = booking.amendment.departures if booking.amendment is not None else ()
    wanted = list(dict.fromkeys([*own, *waiting, *others]))
    if wanted:
        uow.departures.get_all(wanted)


def free_seats(booking: Booking, *, uow: UnitOfWork, at: datetime) -> None:
    """Put the seats that are the booking's own on sale again; called before its status changes."""
    if booking.hold is not None and booking.hold.departure_id is not None and booking.seats_kept:
        uow.departures.get(booking.hold.departure_id).give_back(booking.seats_kept, at=at)


def drop_amendment(
    booking: Booking, status: AmendmentStatus, *, by: UUID | None, uow: UnitOfWork, at: datetime
) -> None:
    """Let go of an amendment that waits: its seats are on sale again, and the old trip stands."""
    amendment = booking.drop_amendment(status, by=by, at=at)
    if amendment.trip.departure_id is not None and amendment.seats_held:
        uow.departures.get(amendment.trip.departure_id).give_back(amendment.seats_held, at=at)
    uow.bookings.keep_amendment(amendment)


def leave_trip(before: Trip, after: Trip, *, uow: UnitOfWork, at: datetime) -> None:
    """Put on sale again what a booking does not need any more where it leaves; both departures are locked."""
    seats = seats_to_free(before, after)
    if before.departure_id is not None and seats:
        uow.departures.get(before.departure_id).give_back(seats, at=at)


def carry_out(
    amendment: Amendment,
    booking: Booking,
    travelers: Sequence[Traveler] | None,
    *,
    uow: UnitOfWork,
    at: datetime,
    new_id: NewId,
) -> None:
    """Do around the booking what its becoming another trip means to people and points; its seats are those of the new
    trip already.
    """
    if travelers is not None:
        uow.bookings.replace_travelers(booking.id, travelers)
    key = f"amended:{amendment.id}"
    restore_points(booking, amendment.points_restored, key=key, uow=uow, at=at, new_id=new_id)
    uow.bookings.keep_amendment(amendment)


def restore_points(booking: Booking, points: int, *, key: str, uow: UnitOfWork, at: datetime, new_id: NewId) -> None:
    """Give so many of the points that it was paid with back to the lots they came from; the key is one each time."""
    if points == 0:
        return
    redeemed = uow.points.posted(redemption_key(booking.id))
    if redeemed is None:
        raise ValueError("a booking with points has the journal that redeemed them")
    command = Reverse(journal_id=redeemed, idempotency_key=key, part=Money(points, _POINTS))
    reverse_within(command, uow=uow, at=at, new_id=new_id)


def end_without_money(booking: Booking, *, uow: UnitOfWork, at: datetime, new_id: NewId) -> None:
    """Cancel a booking that has lost its money, with all that it took but promotions, whose locks come last.

    Its departures are locked; the caller cancels payments that wait.
    """
    if booking.amendment is not None:
        drop_amendment(booking, AmendmentStatus.WITHDRAWN, by=None, uow=uow, at=at)
    free_seats(booking, uow=uow, at=at)
    points = booking.price.points
    restore_points(booking, points, key="cancelled", uow=uow, at=at, new_id=new_id)
    nothing_left = Settlement.of_unpaid(booking.final_amount.currency.code, points_restored=points)
    booking.cancel(nothing_left, by=None, reason=MONEY_WENT_BACK, at=at)
