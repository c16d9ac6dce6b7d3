"""Cancelling bookings: shown first, then done by exactly that plan, in one transaction and without a provider.

Locks, in the one order: booking, departure, its payments, their holds, ledger accounts all at once, promotions. What
providers have to do is stored as refunds, and submitted after the commit.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from application.billing.payables import BookingPayable
from application.billing.ports import Gateways
from application.billing.refund_effects import GoingBack
from application.billing.refunds import RequestRefund, refund_within
from application.billing.revenue import revenue
from application.billing.tenders import agents_own, cancel_payments
from application.ports import UnitOfWork
from application.sales.booking_points import take_bonus_back
from application.sales.cancellation_plans import CancellationPlan, Promotions, plan_cancellation
from application.sales.giving_back import (
    accounts_moved,
    drop_amendment,
    free_seats,
    lock_departures,
    restore_points,
)
from domain.billing.payments import Payment, PaymentStatus
from domain.billing.refunds import Destination
from domain.sales.amendments import AmendmentStatus
from domain.sales.booking_errors import BookingNotFound
from domain.sales.bookings import Booking
from domain.sales.cancellation import CancellationPreviewStale
from domain.shared.clock import Clock
from domain.shared.errors import OwnRequest
from domain.shared.identifiers import NewId
from domain.shared.money import Money
from domain.shared.percentage import Percentage


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """What staff give back instead of what the terms say, and why."""

    share: Percentage
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewCancellation:
    """What cancelling would do. `owner` is whose bookings the actor may cancel, None for everybody's."""

    booking_id: UUID
    actor_id: UUID
    owner: UUID | None
    decided: Percentage | None = None


def preview_cancellation(
    command: PreviewCancellation, *, uow: UnitOfWork, gateways: Gateways, clock: Clock, new_id: NewId
) -> CancellationPlan:
    """Work it out and do nothing. Raises what cancelling would raise."""
    with uow:
        held = _Held.locked(command.booking_id, command.owner, uow=uow, clock=clock, new_id=new_id)
        _refuse_own(held.booking, command.actor_id, command.decided)
        return held.plan(command.decided, gateways)


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelBooking:
    """Somebody does not want a booking any more; None as actor is a rule of ours.

    `owner` is whose bookings the actor may cancel, None for everybody's. `agreed` is the fingerprint of the plan that
    was previewed (`cancellation_plans.agreed_plan`), where one was.
    """

    booking_id: UUID
    actor_id: UUID | None
    owner: UUID | None
    reason: str
    decided: Decided | None = None
    agreed: str | None = None


def cancel_booking(command: CancelBooking, *, uow: UnitOfWork, gateways: Gateways, clock: Clock, new_id: NewId) -> None:
    """Cancel it, give back what it took, and ask for its refunds.

    Raises BookingNotFound, TripStarted, IllegalTransition for one that is over, PaymentDisputed while a bank decides
    about money that would go back, CancellationPreviewStale, OwnRequest for a decision about one's own.
    """
    with uow:
        cancel_within(command, uow=uow, gateways=gateways, clock=clock, new_id=new_id)
        uow.commit()


def cancel_within(
    command: CancelBooking, *, uow: UnitOfWork, gateways: Gateways, clock: Clock, new_id: NewId
) -> CancellationPlan:
    """The same inside the caller's transaction, which has nothing of the booking's locked yet; what was done."""
    decided = command.decided.share if command.decided is not None else None
    held = _Held.locked(command.booking_id, command.owner, uow=uow, clock=clock, new_id=new_id)
    _refuse_own(held.booking, command.actor_id, decided)
    plan = held.plan(decided, gateways)
    if command.agreed is not None and command.agreed != plan.fingerprint:
        raise CancellationPreviewStale()
    before = held.booking.status
    held.carry_out(plan, command)
    if command.actor_id != held.booking.user_id:
        _audit(command, plan, held.booking, before, uow=uow, at=clock.now())
    return plan


@dataclass(frozen=True, slots=True)
class _Held:
    """A booking with its departure and all its payments under lock."""

    booking: Booking
    payments: tuple[Payment, ...]
    payable: BookingPayable
    uow: UnitOfWork
    clock: Clock
    new_id: NewId

    @classmethod
    def locked(cls, booking_id: UUID, owner: UUID | None, *, uow: UnitOfWork, clock: Clock, new_id: NewId) -> _Held:
        """Raises BookingNotFound, also for a stranger."""
        booking = uow.bookings.get(booking_id)
        if owner is not None and owner not in (booking.user_id, booking.agent_id):
            raise BookingNotFound()
        lock_departures(booking, uow=uow)
        payable = BookingPayable(booking_id, uow=uow, at=clock.now())
        return cls(booking, tuple(uow.payments.of_booking(booking_id)), payable, uow, clock, new_id)

    def plan(self, decided: Percentage | None, gateways: Gateways) -> CancellationPlan:
        applied = self.booking.refund_terms(decided=decided, at=self.clock.now())
        backs = [self._going_back(payment) for payment in self.payments if payment.paid_at is not None]
        waiting = tuple(payment.id for payment in self._waiting)
        # What amendments cost comes back only where staff decide so.
        fees = self.booking.amendment_fees if decided is None else Money(0, self.booking.amendment_fees.currency)
        return plan_cancellation(
            self.booking, applied, backs, kept_fees=fees, waiting=waiting, gateways=gateways, uow=self.uow
        )

    def carry_out(self, plan: CancellationPlan, command: CancelBooking) -> None:
        """Seats, payments that wait, points, the booking itself, the fee, then what was paid."""
        booking, uow, now = self.booking, self.uow, self.clock.now()
        if booking.amendment is not None:
            drop_amendment(booking, AmendmentStatus.WITHDRAWN, by=command.actor_id, uow=uow, at=now)
        free_seats(booking, uow=uow, at=now)
        moved = accounts_moved(booking) | agents_own(self.payments)
        cancel_payments(self._waiting, uow=uow, clock=self.clock, besides=moved)
        restored = plan.settlement.points_restored
        restore_points(booking, restored, key="cancelled", uow=uow, at=now, new_id=self.new_id)
        if booking.is_free:
            self._take_free_bonus(booking.bonus_left(plan.applied.refund))
        booking.cancel(plan.settlement, by=command.actor_id, reason=command.reason, at=now)
        if plan.settlement.kept.is_positive:
            key = f"revenue:cancelled:{booking.id}"
            uow.ledger.post([revenue(booking, plan.settlement.kept, key=key, journal_id=self.new_id(), at=now)])
        for refund in plan.refunds:
            payment = next(payment for payment in self.payments if payment.id == refund.payment_id)
            refund_within(_refund_of(payment, booking, command), refund, self._going_back(payment))
        if plan.promotions is Promotions.RETURNED:
            uow.promotions.release(booking.id, at=now)

    def _take_free_bonus(self, left: int) -> None:
        booking = self.booking
        take_bonus_back(
            booking,
            Money(0, booking.final_amount.currency),
            key=f"points:cancelled:{booking.id}",
            promised=left,
            uow=self.uow,
            at=self.clock.now(),
            new_id=self.new_id,
        )

    @property
    def _waiting(self) -> list[Payment]:
        return [payment for payment in self.payments if payment.status is PaymentStatus.PENDING]

    def _going_back(self, payment: Payment) -> GoingBack:
        return GoingBack(payment, self.payable, self.uow, self.clock, self.new_id)


def _refund_of(payment: Payment, booking: Booking, command: CancelBooking) -> RequestRefund:
    """A rule of ours asks for it, whoever cancelled."""
    return RequestRefund(
        payment_id=payment.id,
        amount=None,
        reason=command.reason,
        destination=Destination.ORIGINAL,
        actor_id=None,
        idempotency_key=f"cancellation:{booking.id}:{payment.id}",
    )


def _refuse_own(booking: Booking, actor_id: UUID | None, decided: Percentage | None) -> None:
    """Nobody decides how much of their own money comes back. Raises OwnRequest."""
    if decided is not None and actor_id is not None and actor_id in (booking.user_id, booking.agent_id):
        raise OwnRequest()


def _audit(
    command: CancelBooking, plan: CancellationPlan, booking: Booking, before: str, *, uow: UnitOfWork, at: datetime
) -> None:
    decided = command.decided
    uow.audit.add(
        actor=command.actor_id,
        action="bookings.cancel",
        resource_type="BOOKING",
        resource_id=booking.id,
        changes={
            "before": {"status": before},
            "after": {
                "status": booking.status,
                "refund_percent": str(plan.applied.refund),
                "refund": str(plan.settlement.refund),
                "kept": str(plan.settlement.kept),
            },
            "reason": command.reason,
            "override_reason": decided.reason if decided is not None else None,
        },
        at=at,
    )
