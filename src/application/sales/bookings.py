"""Placing, expiring, starting and completing bookings."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from uuid import UUID

from application.billing.revenue import revenue
from application.billing.tenders import cancel_payments
from application.ledger.cashback import ClawBackCashback, PromiseCashback, claw_back_cashback, promise_cashback
from application.ports import NewUnitOfWork, UnitOfWork
from application.sales.ports import Sale
from domain.ledger.cashback import eligible_from
from domain.operations.settings import GRACE_MINUTES
from domain.pricing.quotes import Quote, quote_package
from domain.sales.bookings import BookedPrice, Booking, Traveler, source_of
from domain.shared.clock import Clock, business_date, start_of_business_day
from domain.shared.errors import Conflict
from domain.shared.identifiers import NewId, document_number
from domain.shared.percentage import Percentage

GRACE = timedelta(minutes=GRACE_MINUTES.default)
"""Seats are given back this long after the shown deadline where nothing else is set: money may be on its way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceBooking:
    """A customer, or staff or an agent for one, wants seats on a departure."""

    actor_id: UUID
    actor_is_staff: bool
    user_id: UUID
    agent_id: UUID | None
    package_id: UUID
    departure_id: UUID
    travelers_count: int
    travelers: tuple[Traveler, ...]
    special_requests: str
    hold_for: timedelta
    deposit: Percentage
    """How much of the price confirms the booking."""


def place_booking(command: PlaceBooking, *, uow: UnitOfWork, clock: Clock, new_id: NewId) -> Booking:
    """Hold the seats at today's price until the hold runs out.

    Raises DepartureNotFound, DepartureClosed, SoldOut, or InvalidValue for a party that does not fit.
    """
    now = clock.now()
    with uow:
        sale = uow.bookings.open_sale(
            package_id=command.package_id,
            departure_id=command.departure_id,
            buyer_id=command.user_id,
            today=business_date(now),
        )
        quote = quote_package(sale.item, command.travelers_count)
        sale.departure.take_seats(command.travelers_count, today=business_date(now))
        booking = Booking.place(
            booking_id=new_id(),
            item_id=new_id(),
            booking_number=document_number("BK", business_date(now).year, sale.serial),
            user_id=command.user_id,
            agent_id=command.agent_id,
            created_by_user_id=command.actor_id,
            booking_source=source_of(
                creator=command.actor_id,
                customer=command.user_id,
                agent=command.agent_id,
                creator_is_staff=command.actor_is_staff,
            ),
            package_id=command.package_id,
            departure_id=command.departure_id,
            item_name_ar=sale.item.name_ar,
            item_name_en=sale.item.name_en,
            unit_price=sale.item.unit_price,
            price=booked_price(quote),
            deposit=command.deposit,
            rewards=sale.rewards,
            customer_info=_customer_info(sale),
            special_requests=command.special_requests,
            start_date=sale.departure.starts_on,
            end_date=sale.departure.ends_on,
            travelers_count=command.travelers_count,
            hold_expires_at=now + command.hold_for,
            at=now,
        )
        uow.bookings.add(booking, command.travelers)
        uow.commit()
    return booking


def booked_price(quote: Quote) -> BookedPrice:
    """A quote as a booking freezes it; each line in minor units with its reason."""
    return BookedPrice(
        lines=tuple(
            {
                "kind": line.kind.value,
                "description_ar": line.description_ar,
                "description_en": line.description_en,
                "quantity": line.quantity,
                "amount_minor": line.amount.minor,
                "currency": line.amount.currency.code,
            }
            for line in quote.lines
        ),
        base_amount=quote.base_amount,
        discount_amount=quote.discount_amount,
        voucher_discount=quote.voucher_discount,
        tax_amount=quote.tax_amount,
        tax_rate=quote.tax_rate,
        final_amount=quote.total,
    )


def _customer_info(sale: Sale) -> dict[str, str]:
    return {name: value for name, value in asdict(sale.buyer).items() if name != "user_id"}


def expire_bookings(*, new_uow: NewUnitOfWork, clock: Clock, grace: timedelta = GRACE, limit: int = 500) -> int:
    """Give back the seats of bookings whose time to pay, and the grace after it, is over.

    Each in a transaction of its own: one that is being paid at this moment holds up no other.
    """
    now = clock.now()
    with new_uow() as uow:
        due = uow.bookings.due_for_expiry(before=now - grace, limit=limit)
    return sum(_expire_or_leave(booking_id, new_uow=new_uow, clock=clock, grace=grace) for booking_id in due)


def _expire_or_leave(booking_id: UUID, *, new_uow: NewUnitOfWork, clock: Clock, grace: timedelta) -> bool:
    """Expire one booking; one that somebody holds for longer than a lock is waited for is left to the next run."""
    try:
        return _expire_booking(booking_id, uow=new_uow(), clock=clock, grace=grace)
    except Conflict:
        return False


def _expire_booking(booking_id: UUID, *, uow: UnitOfWork, clock: Clock, grace: timedelta) -> bool:
    now = clock.now()
    with uow:
        booking = uow.bookings.get(booking_id)
        # Looked at again under its lock: the payment may have come in since.
        if not booking.is_awaiting_deposit or booking.hold.expires_at > now - grace:
            return False
        cancel_payments(uow.payments.pending_of(booking_id), uow=uow, clock=clock)
        uow.departures.get(booking.hold.departure_id).give_back(booking.hold.seats, at=now)
        booking.expire(at=now)
        uow.commit()
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class AdvanceBooking:
    """Staff say that a trip begins or is over; a reason is needed ahead of its dates."""

    booking_id: UUID
    actor_id: UUID
    override_reason: str | None


def start_booking(command: AdvanceBooking, *, uow: UnitOfWork, clock: Clock) -> None:
    """The trip begins. Raises IllegalTransition or OverrideReasonNeeded."""
    now = clock.now()
    with uow:
        booking = uow.bookings.get(command.booking_id)
        before = booking.status
        booking.start(today=business_date(now), override_reason=command.override_reason, by=command.actor_id, at=now)
        _audit(uow, command, "bookings.start", before, booking, clock)
        uow.commit()


@dataclass(frozen=True, slots=True, kw_only=True)
class CompleteBooking(AdvanceBooking):
    """Staff say that a trip is over; its cashback waits this long at least."""

    cashback_eligible_after: timedelta


def complete_booking(command: CompleteBooking, *, uow: UnitOfWork, clock: Clock, new_id: NewId) -> None:
    """The trip is over: what was prepaid is earned, and the customer's cashback is promised."""
    now = clock.now()
    with uow:
        booking = uow.bookings.get(command.booking_id)
        before = booking.status
        booking.complete(today=business_date(now), override_reason=command.override_reason, by=command.actor_id, at=now)
        earned = booking.paid_amount - booking.refunded_amount
        if earned.is_positive:
            key = f"revenue:booking:{booking.id}"
            uow.ledger.post([revenue(booking, earned, key=key, journal_id=new_id(), at=now)])
        promise_cashback(_promise(command, booking, completed_at=now), uow=uow, new_id=new_id)
        if booking.refunded_amount.is_positive:
            # Of what was refunded before the trip was over, nothing stays promised.
            refunds = ClawBackCashback(booking_id=booking.id, refunded=booking.refunded_amount, of=booking.paid_amount)
            claw_back_cashback(refunds, uow=uow, clock=clock, new_id=new_id)
        _audit(uow, command, "bookings.complete", before, booking, clock)
        uow.commit()


def _promise(command: CompleteBooking, booking: Booking, *, completed_at: datetime) -> PromiseCashback:
    # A trip that was completed ahead of its dates stays refundable until the day on which it would have begun.
    refundable_until = start_of_business_day(booking.start_date)
    return PromiseCashback(
        user_id=booking.user_id,
        booking_id=booking.id,
        booking_number=booking.booking_number,
        paid=booking.paid_amount,
        rate=booking.cashback_rate,
        completed_at=completed_at,
        eligible_at=eligible_from(
            completed_at, after=command.cashback_eligible_after, refundable_until=refundable_until
        ),
    )


def _audit(uow: UnitOfWork, command: AdvanceBooking, action: str, before: str, booking: Booking, clock: Clock) -> None:
    uow.audit.add(
        actor=command.actor_id,
        action=action,
        resource_type="BOOKING",
        resource_id=booking.id,
        changes={
            "before": {"status": before},
            "after": {"status": booking.status},
            "override_reason": command.override_reason,
        },
        at=clock.now(),
    )
