"""The points that a booking earns: for its money, and the bonus that its trip promises, given and taken back.

Amendments change both: the keys of what was earned before count the trips that a booking has been.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from application.ledger.points import ClawBackPoints, EarnPoints, claw_back_points, earn_points
from application.ports import UnitOfWork
from domain.ledger import accounts
from domain.ledger.accounts import POINTS_UNIT, AccountRef
from domain.ledger.points import Earning, kept_of, still_to_take
from domain.sales.booking_states import BookingStatus
from domain.sales.bookings import Booking
from domain.shared.identifiers import NewId
from domain.shared.money import Money

REFERENCE: Final = "BOOKING"
"""What journals of bookings refer to."""


def booking_points_keys(booking: Booking) -> tuple[str, ...]:
    """What the points that a booking earned are found by, the newest first: once for each trip that it has been."""
    first = f"points:booking:{booking.id}"
    later = (f"{first}:amended:{times}" for times in range(booking.amended_times, 0, -1))
    return (*later, first)


def bonus_points_keys(booking: Booking) -> tuple[str, ...]:
    """What the bonus points that offers gave a booking are found by, in the same order."""
    return tuple(f"{key}:bonus" for key in booking_points_keys(booking))


def earn_booking_points(booking: Booking, *, uow: UnitOfWork, at: datetime, new_id: NewId) -> None:
    """Give the points that a booking's money earns, now that all of it is paid, less what it earned before it was
    amended; with them the bonus that its trip promises.
    """
    newest, *before = booking_points_keys(booking)
    money = booking.paid_amount - booking.points_paid_amount
    terms = uow.points.terms.converted(booking.price.exchange)
    points = terms.earned_by(money, booking.rewards.points_multiplier)
    known = sum(earning.points for earning in _earnings(before, uow))
    earned = EarnPoints(
        user_id=booking.user_id,
        key=newest,
        reference_type=REFERENCE,
        reference_id=booking.id,
        description_ar=f"نقاط مكتسبة من الحجز {booking.booking_number}",
        description_en=f"Points earned from booking {booking.booking_number}",
        points=max(points - known, 0),
    )
    earn_points(earned, uow=uow, at=at, new_id=new_id)
    keep_bonus_promise(booking, uow=uow, at=at, new_id=new_id)


def earn_if_free(booking: Booking, *, uow: UnitOfWork, at: datetime, new_id: NewId) -> None:
    """Give the bonus that a booking promises which costs nothing: no payment of it ever will."""
    if free_bonus_accounts(booking):
        keep_bonus_promise(booking, uow=uow, at=at, new_id=new_id)


def free_bonus_accounts(booking: Booking) -> frozenset[AccountRef]:
    """What `earn_if_free` moves: all of it is locked at once, whatever else is moved with it."""
    if booking.status is not BookingStatus.CONFIRMED or not booking.is_free or not booking.rewards.bonus_points:
        return frozenset()
    return frozenset({accounts.points(booking.user_id), accounts.debt(booking.user_id, POINTS_UNIT)})


def keep_bonus_promise(booking: Booking, *, uow: UnitOfWork, at: datetime, new_id: NewId) -> None:
    """Have the customer of a booking that is paid hold what its trip promises in bonus points, as it is by now: what is
    missing is given, what an earlier trip of it gave beyond that is taken back. Once for each trip.
    """
    if not _may_have_bonus(booking):
        return
    keys, refunded = bonus_points_keys(booking), booking.refunded_of_trip(booking.refunded_amount)
    standing = sum(earning.points - earning.taken_back for earning in _earnings(keys, uow))
    due = kept_of(booking.rewards.bonus_points, paid=booking.paid_for_trip, refunded=refunded)
    if due < standing:
        take_bonus_back(
            booking, refunded, key=f"points:amended:{booking.id}:{booking.amended_times}", uow=uow, at=at, new_id=new_id
        )
        return
    earned = EarnPoints(
        user_id=booking.user_id,
        key=keys[0],
        reference_type=REFERENCE,
        reference_id=booking.id,
        description_ar=f"نقاط إضافية من الحجز {booking.booking_number}",
        description_en=f"Bonus points of booking {booking.booking_number}",
        points=due - standing,
    )
    earn_points(earned, uow=uow, at=at, new_id=new_id)


def take_points_back(
    booking: Booking, refunded: Money, *, key: str, uow: UnitOfWork, at: datetime, new_id: NewId
) -> None:
    """Take back what the money earned, and of the bonus, once so much of it, in all, has gone back."""
    taken = ClawBackPoints(
        user_id=booking.user_id,
        key=key,
        reference_type=REFERENCE,
        reference_id=booking.id,
        description_ar=f"استرجاع نقاط بعد رد مبلغ الحجز {booking.booking_number}",
        description_en=f"Points taken back, refund of booking {booking.booking_number}",
        earned_keys=booking_points_keys(booking),
        paid=booking.paid_amount,
        refunded=refunded,
    )
    claw_back_points(taken, uow=uow, at=at, new_id=new_id)
    take_bonus_back(booking, booking.refunded_of_trip(refunded), key=key, uow=uow, at=at, new_id=new_id)


def take_bonus_back(
    booking: Booking,
    refunded: Money,
    *,
    key: str,
    promised: int | None = None,
    uow: UnitOfWork,
    at: datetime,
    new_id: NewId,
) -> None:
    """Take back bonus points once so much of the trip as it is has gone back; `promised` of them stay if nothing has,
    where that is not what the trip promises.
    """
    if not _may_have_bonus(booking):
        return
    taken = ClawBackPoints(
        user_id=booking.user_id,
        key=f"{key}:bonus",
        reference_type=REFERENCE,
        reference_id=booking.id,
        description_ar=f"استرجاع نقاط إضافية من الحجز {booking.booking_number}",
        description_en=f"Bonus points taken back, booking {booking.booking_number}",
        earned_keys=bonus_points_keys(booking),
        paid=booking.paid_for_trip,
        refunded=refunded,
        promised=booking.rewards.bonus_points if promised is None else promised,
    )
    claw_back_points(taken, uow=uow, at=at, new_id=new_id)


def bonus_at_stake(booking: Booking, *, promised: int, paid: Money, refunded: Money, uow: UnitOfWork) -> int:
    """How many of a booking's bonus points are taken back where it promises so many, and so much of what was paid for
    its trip has gone back.
    """
    earnings = _earnings(bonus_points_keys(booking), uow) if _may_have_bonus(booking) else []
    return still_to_take(earnings, paid=paid, refunded=refunded, promised=promised) if earnings else 0


def points_at_stake(booking: Booking, refunded: Money, *, uow: UnitOfWork) -> int:
    """How many of the points that a booking's money earned are taken back once so much of it, in all, has gone back."""
    earnings = _earnings(booking_points_keys(booking), uow)
    return still_to_take(earnings, paid=booking.paid_amount, refunded=refunded) if earnings else 0


def _may_have_bonus(booking: Booking) -> bool:
    """Without a read: it promises a bonus, or was another trip that perhaps did."""
    return booking.rewards.bonus_points > 0 or booking.amended_times > 0


def _earnings(keys: Iterable[str], uow: UnitOfWork) -> list[Earning]:
    return [earning for key in keys if (earning := uow.points.earning(key)) is not None]
