"""Money that came after its booking had expired: it takes the seats again, as a new booking, or waits for a choice.

Locks are taken in one order: the expired booking, its replacement, the departure with its pools, the payment, its item
in suspense, ledger accounts all at once, promotions.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from application.billing.deciding import DecideSuspense, Deciding
from application.billing.payables import BookingPayable
from application.ledger.locks import lock_owned
from application.ports import NewUnitOfWork, UnitOfWork
from application.sales.bookings import redeem_booked_points
from application.sales.expiry import expire
from domain.billing.late_money import Hindrance, LateMoney
from domain.billing.payments import PaymentType, SuspenseReason
from domain.billing.suspense import SuspenseDoesNotFit, SuspenseStatus
from domain.catalogue.departures import DepartureClosed, SoldOut
from domain.ledger import accounts
from domain.ledger.journal import InsufficientBalance
from domain.pricing.offers import OfferExhausted
from domain.pricing.vouchers import VoucherExhausted
from domain.sales.booking_errors import NothingToPay
from domain.sales.bookings import Booking
from domain.shared.clock import Clock, business_date
from domain.shared.errors import DomainError
from domain.shared.identifiers import NewId, document_number

ACTION: Final = "payments.rebook_late"

_BECAUSE: Final[dict[type[DomainError], Hindrance]] = {
    SoldOut: Hindrance.SOLD_OUT,
    DepartureClosed: Hindrance.CLOSED,
    VoucherExhausted: Hindrance.PROMOTION_GONE,
    OfferExhausted: Hindrance.PROMOTION_GONE,
    InsufficientBalance: Hindrance.BALANCE_GONE,
    SuspenseDoesNotFit: Hindrance.WRONG_AMOUNT,
    NothingToPay: Hindrance.PAID_ALREADY,
}
_REFUSALS: Final = tuple(_BECAUSE)


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeLateMoney:
    """Money went into suspense; where it cannot take the seats again, its owner has so long to choose."""

    receipt_id: UUID
    choose_within: timedelta


def take_late_money(command: TakeLateMoney, *, new_uow: NewUnitOfWork, clock: Clock, new_id: NewId) -> None:
    """Book the expired trip again with the money that came for it, else let its owner choose.

    Once for each receipt, however often it is run and wherever it dies; of other money in suspense it does nothing.
    """
    try:
        hindrance = _book_again(command.receipt_id, uow=new_uow(), clock=clock, new_id=new_id)
    except _REFUSALS as refusal:
        hindrance = _BECAUSE[type(refusal)]
    if hindrance is not None:
        _offer_choice(command, hindrance, uow=new_uow(), clock=clock, new_id=new_id)


def _book_again(receipt_id: UUID, *, uow: UnitOfWork, clock: Clock, new_id: NewId) -> Hindrance | None:
    """Do all of it in one transaction, or nothing; what is in the way, None where nothing is left to do."""
    now = clock.now()
    with uow:
        expired = _expired_booking(receipt_id, uow=uow, clock=clock, new_id=new_id)
        if expired is None:
            return None
        replacement_id = uow.bookings.replacement_of(expired.id)
        if replacement_id is not None:
            hindrance = _pay_replacement(receipt_id, replacement_id, uow=uow, clock=clock, new_id=new_id)
        else:
            hindrance = _replace(receipt_id, expired, uow=uow, clock=clock, new_id=new_id, at=now)
        if hindrance is None:
            uow.commit()
    return hindrance


def _expired_booking(receipt_id: UUID, *, uow: UnitOfWork, clock: Clock, new_id: NewId) -> Booking | None:
    """The booking that the money came for, locked, if it expired and its owner has no choice about it yet.

    One whose trip began before it was paid expires here: the sweep may come later.
    """
    target = uow.payments.target_of(uow.suspense.payment_of(receipt_id))
    if target.payment_type is not PaymentType.BOOKING or target.payable_id is None:
        return None
    booking = uow.bookings.get(target.payable_id)
    if booking.began_unpaid(at=clock.now()):
        expire(booking, uow=uow, clock=clock, new_id=new_id)
    return booking if booking.has_expired and not uow.late_money.is_offered(receipt_id) else None


def _pay_replacement(
    receipt_id: UUID, replacement_id: UUID, *, uow: UnitOfWork, clock: Clock, new_id: NewId
) -> Hindrance | None:
    """More late money of the same booking: the rest of its price, perhaps."""
    payable = BookingPayable(replacement_id, uow=uow, at=clock.now())
    deciding = _deciding(receipt_id, uow=uow, clock=clock, new_id=new_id)
    if not _waits(deciding):
        return None
    if not payable.accepts(deciding.payment.amount):
        return Hindrance.PAID_ALREADY
    if not _is_as_asked(deciding):
        return Hindrance.WRONG_AMOUNT
    deciding.pay_as_agreed(payable, replacement_id)
    return None


def _replace(
    receipt_id: UUID, expired: Booking, *, uow: UnitOfWork, clock: Clock, new_id: NewId, at: datetime
) -> Hindrance | None:
    """Take the seats again, and all that its price counts on, and pay it."""
    departure_id = expired.trip.departure_id
    departure = uow.departures.get(departure_id) if departure_id is not None else None
    deciding = _deciding(receipt_id, uow=uow, clock=clock, new_id=new_id)
    if not _waits(deciding):
        return None
    if not _is_as_asked(deciding):
        return Hindrance.WRONG_AMOUNT
    if at >= expired.trip.starts_at:
        return Hindrance.BEGUN
    if uow.late_money.has_rebooked(expired.id):
        return Hindrance.BOOKED_AGAIN
    if departure is not None:
        if departure.starts_on != expired.start_date:
            return Hindrance.CLOSED
        if uow.bookings.is_booked_again(expired):
            return Hindrance.BOOKED_AGAIN
        departure.take_seats(expired.trip.seats, at=at)
    booking = expired.placed_again(
        booking_id=new_id(),
        booking_number=document_number("BK", business_date(at).year, uow.bookings.next_serial()),
        new_id=new_id,
        at=at,
    )
    uow.bookings.add_replacement(booking)
    _pay(booking, deciding, uow=uow, at=at, new_id=new_id)
    if expired.cancelled_at is None:
        raise ValueError("a booking that expired has the hour of its end")
    uow.promotions.redeem_again(booking.id, replaced_id=expired.id, released_at=expired.cancelled_at, at=at)
    return None


def _pay(booking: Booking, deciding: Deciding, *, uow: UnitOfWork, at: datetime, new_id: NewId) -> None:
    """The price's points first, so that none are spent on it that it earns itself."""
    payable = BookingPayable(booking.id, uow=uow, at=at)
    unit = booking.final_amount.currency.code
    lock_owned(accounts.customers_own(booking.user_id, unit), uow=uow)
    redeem_booked_points(booking, uow=uow, at=at, new_id=new_id)
    deciding.pay_as_agreed(payable, booking.id)


def _deciding(receipt_id: UUID, *, uow: UnitOfWork, clock: Clock, new_id: NewId) -> Deciding:
    command = DecideSuspense(receipt_id=receipt_id, actor_id=None, reason="late payment", action=ACTION)
    return Deciding.locked(command, uow=uow, clock=clock, new_id=new_id)


def _waits(deciding: Deciding) -> bool:
    """Whether nobody has decided yet, and it is money that no bank questions: staff see to the rest."""
    item = deciding.items[0]
    if item.status is not SuspenseStatus.OPEN or item.is_test_money:
        return False
    return not deciding.uow.disputes.is_open(deciding.payment.id)


def _is_as_asked(deciding: Deciding) -> bool:
    """Whether nothing but its time was wrong."""
    item = deciding.items[0]
    return item.reason is SuspenseReason.LATE and item.amount == deciding.payment.asked_of_provider


def _offer_choice(
    command: TakeLateMoney, hindrance: Hindrance, *, uow: UnitOfWork, clock: Clock, new_id: NewId
) -> None:
    """Unless somebody was quicker: another run of this, or staff."""
    now = clock.now()
    with uow:
        booking = _expired_booking(command.receipt_id, uow=uow, clock=clock, new_id=new_id)
        if booking is None:
            return
        uow.payments.get(uow.suspense.payment_of(command.receipt_id))
        item = uow.suspense.get(command.receipt_id)
        if item.status is not SuspenseStatus.OPEN:
            return
        late = LateMoney.offer(
            receipt_id=item.receipt_id,
            booking_id=booking.id,
            user_id=booking.user_id,
            amount=item.amount,
            hindrance=hindrance,
            choose_until=now + command.choose_within,
            at=now,
        )
        uow.late_money.add(late)
        uow.commit()
