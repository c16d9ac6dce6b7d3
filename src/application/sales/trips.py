"""Starting and completing trips."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import UUID

from application.billing.revenue import revenue
from application.ledger.cashback import ClawBackCashback, PromiseCashback, claw_back_cashback, promise_cashback
from application.ports import UnitOfWork
from domain.ledger.cashback import eligible_from
from domain.operations.audit import changed
from domain.sales.bookings import Booking
from domain.shared.clock import Clock, local_date, start_of_day
from domain.shared.identifiers import NewId


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
        before = _audited(booking)
        booking.start(
            today=_today_there(booking, now), override_reason=command.override_reason, by=command.actor_id, at=now
        )
        _audit(
            uow, "bookings.start", command.actor_id, before, booking, at=now, override_reason=command.override_reason
        )
        uow.commit()


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmBooking:
    """Staff confirm a booking whose deposit is in."""

    booking_id: UUID
    actor_id: UUID


def confirm_booking(command: ConfirmBooking, *, uow: UnitOfWork, clock: Clock) -> None:
    """What settling has not confirmed. Raises BalanceDue, or IllegalTransition where nothing waits to be confirmed."""
    now = clock.now()
    with uow:
        booking = uow.bookings.get(command.booking_id)
        before = _audited(booking)
        booking.confirm(by=command.actor_id, at=now)
        _audit(uow, "bookings.confirm", command.actor_id, before, booking, at=now)
        uow.commit()


@dataclass(frozen=True, slots=True, kw_only=True)
class MissBooking:
    """Staff record that the customer did not come, and how they know."""

    booking_id: UUID
    actor_id: UUID
    reason: str


def miss_booking(command: MissBooking, *, uow: UnitOfWork, clock: Clock) -> None:
    """The trip goes on without its customer; what was paid stays. Raises TooEarly or IllegalTransition."""
    now = clock.now()
    with uow:
        booking = uow.bookings.get(command.booking_id)
        before = _audited(booking)
        booking.miss(today=_today_there(booking, now), reason=command.reason, by=command.actor_id, at=now)
        _audit(uow, "bookings.no_show", command.actor_id, before, booking, at=now, reason=command.reason)
        uow.commit()


def _today_there(booking: Booking, at: datetime) -> date:
    """The calendar day where the trip begins."""
    return local_date(at, booking.trip.time_zone)


@dataclass(frozen=True, slots=True, kw_only=True)
class CompleteBooking(AdvanceBooking):
    """Staff say that a trip is over; its cashback waits this long at least."""

    cashback_eligible_after: timedelta


def complete_booking(command: CompleteBooking, *, uow: UnitOfWork, clock: Clock, new_id: NewId) -> None:
    """The trip is over: what was prepaid is earned, and the customer's cashback is promised."""
    now = clock.now()
    with uow:
        booking = uow.bookings.get(command.booking_id)
        before = _audited(booking)
        booking.complete(
            today=_today_there(booking, now), override_reason=command.override_reason, by=command.actor_id, at=now
        )
        earned = booking.paid_amount - booking.refunded_amount
        if earned.is_positive:
            key = f"revenue:booking:{booking.id}"
            uow.ledger.post([revenue(booking, earned, key=key, journal_id=new_id(), at=now)])
        promise_cashback(_promise(command, booking, completed_at=now), uow=uow, new_id=new_id)
        refunded = booking.refunded_of_trip(booking.refunded_amount)
        if refunded.is_positive:
            # Of what was refunded before the trip was over, nothing stays promised.
            refunds = ClawBackCashback(booking_id=booking.id, refunded=refunded, of=booking.paid_for_trip)
            claw_back_cashback(refunds, uow=uow, clock=clock, new_id=new_id)
        reason = command.override_reason
        _audit(uow, "bookings.complete", command.actor_id, before, booking, at=now, override_reason=reason)
        uow.commit()


def _promise(command: CompleteBooking, booking: Booking, *, completed_at: datetime) -> PromiseCashback:
    # A trip that was completed ahead of its dates stays refundable until its last day is over.
    over_at = start_of_day(booking.end_date + timedelta(days=1), booking.trip.time_zone)
    return PromiseCashback(
        user_id=booking.user_id,
        booking_id=booking.id,
        booking_number=booking.booking_number,
        paid=booking.paid_for_trip,
        rate=booking.rewards.cashback_rate,
        bonus=booking.rewards.bonus_cashback,
        completed_at=completed_at,
        eligible_at=eligible_from(completed_at, after=command.cashback_eligible_after, refundable_until=over_at),
    )


def _audited(booking: Booking) -> dict[str, object]:
    return {"status": booking.status.value, "no_show": booking.no_show_at is not None}


def _audit(
    uow: UnitOfWork,
    action: str,
    actor: UUID,
    before: Mapping[str, object],
    booking: Booking,
    *,
    at: datetime,
    **said: str | None,
) -> None:
    uow.audit.add(
        actor=actor,
        action=action,
        resource_type="BOOKING",
        resource_id=booking.id,
        changes={**changed(before, _audited(booking)), **said},
        at=at,
    )
