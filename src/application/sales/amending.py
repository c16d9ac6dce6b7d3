"""Amending bookings: shown first, then done by exactly that plan, in one transaction and without a provider.

What costs more waits, with its seats held, for its difference: `application.billing.payables` carries it out when that
is settled. Locks, in the one order: booking, both departures with their pools, its payments, their holds, ledger
accounts all at once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from application.billing.payables import BookingPayable
from application.billing.ports import Gateways
from application.billing.refund_effects import GoingBack
from application.billing.refunds import RequestRefund, refund_within
from application.billing.tenders import agents_own, cancel_payments
from application.partners.decisions import refuse_barred_agent
from application.ports import NewUnitOfWork, UnitOfWork
from application.sales.amendment_plans import (
    AmendmentPlan,
    ByHand,
    FromCatalogue,
    Repriced,
    WantedChange,
    plan_amendment,
    refuse_moved,
)
from application.sales.booking_points import earn_booking_points, keep_bonus_promise
from application.sales.giving_back import accounts_moved, carry_out, drop_amendment, leave_trip, lock_departures
from domain.billing.payments import Payment, PaymentStatus
from domain.billing.refunds import Destination
from domain.sales.amendments import Amendment, AmendmentNotFound, AmendmentStatus
from domain.sales.booking_errors import BookingNotFound
from domain.sales.bookings import Booking
from domain.sales.travelers import Traveler, refuse_unfit
from domain.shared.clock import Clock, business_date
from domain.shared.errors import Conflict
from domain.shared.identifiers import NewId


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewAmendment:
    """What another trip would cost. `owner` is whose bookings the actor may amend, None for everybody's.

    `priced_by` is the actor where they may price by hand, and `offered_for` how long such a price waits for its money.
    """

    booking_id: UUID
    owner: UUID | None
    wanted: WantedChange
    hold_for: timedelta
    document_valid_days: int = 0
    priced_by: UUID | None = None
    offered_for: timedelta = timedelta(0)


def preview_amendment(
    command: PreviewAmendment, *, uow: UnitOfWork, gateways: Gateways, clock: Clock, new_id: NewId
) -> AmendmentPlan:
    """Work it out and do nothing. Raises what amending would raise."""
    with uow:
        return _Held.locked(command, uow=uow, clock=clock, new_id=new_id).plan(command, gateways)


@dataclass(frozen=True, slots=True, kw_only=True)
class AmendBooking(PreviewAmendment):
    """Somebody wants another trip. `agreed` is the fingerprint of the plan that was previewed, where one was."""

    actor_id: UUID
    agreed: str | None = None


def amend_booking(command: AmendBooking, *, uow: UnitOfWork, gateways: Gateways, clock: Clock, new_id: NewId) -> UUID:
    """Carry it out, or hold its seats until its difference is paid; the amendment's id.

    Raises BookingNotFound, IllegalTransition unless it is confirmed, TripStarted, AmendmentWaits, AmendmentNotOffered,
    OwnRequest, AgentNotActive, DepartureNotFound, DepartureClosed, SoldOut, PriceMoved, PaymentDisputed,
    UnfitTravelers, UnsoundOffer or InvalidValue.
    """
    with uow:
        held = _Held.locked(command, uow=uow, clock=clock, new_id=new_id)
        plan = held.plan(command, gateways)
        refuse_moved(command.agreed, plan)
        amendment = _amendment(plan, command, new_id=new_id, at=clock.now())
        before = _said(plan, is_before=True)
        if plan.difference.is_positive:
            held.wait(amendment, by=command.actor_id)
        else:
            held.carry_out(amendment, plan, by=command.actor_id)
        if command.actor_id != held.booking.user_id:
            after = {**_said(plan, is_before=False), "amendment": amendment.status, "fee": str(plan.fee)}
            _audit(command.actor_id, held.booking, {"before": before, "after": after}, uow=uow, at=clock.now())
        uow.commit()
    return amendment.id


@dataclass(frozen=True, slots=True, kw_only=True)
class WithdrawAmendment:
    """Somebody does not want any more what waits for its money."""

    booking_id: UUID
    amendment_id: UUID
    actor_id: UUID
    owner: UUID | None


def withdraw_amendment(command: WithdrawAmendment, *, uow: UnitOfWork, clock: Clock) -> None:
    """Let its seats go; payments that only it would have taken are cancelled. Raises AmendmentNotFound."""
    now = clock.now()
    with uow:
        booking = _own(command.booking_id, command.owner, uow)
        if booking.amendment is None or booking.amendment.id != command.amendment_id:
            raise AmendmentNotFound()
        lock_departures(booking, uow=uow)
        drop_amendment(booking, AmendmentStatus.WITHDRAWN, by=command.actor_id, uow=uow, at=now)
        cancel_unwanted(booking, uow=uow, clock=clock)
        if command.actor_id != booking.user_id:
            said = {"before": {"amendment": AmendmentStatus.PENDING}, "after": {"amendment": AmendmentStatus.WITHDRAWN}}
            _audit(command.actor_id, booking, said, uow=uow, at=now)
        uow.commit()


def lapse_amendments(*, new_uow: NewUnitOfWork, clock: Clock, grace: timedelta, limit: int = 500) -> int:
    """Let go of amendments whose time to pay, and the grace after it, is over; how many there were.

    Each in a transaction of its own: one that is being paid at this moment holds up no other.
    """
    with new_uow() as uow:
        due = uow.bookings.lapsing_amendments(before=clock.now() - grace, limit=limit)
    return sum(_lapse_or_leave(booking_id, uow=new_uow(), clock=clock, grace=grace) for booking_id in due)


def _lapse_or_leave(booking_id: UUID, *, uow: UnitOfWork, clock: Clock, grace: timedelta) -> bool:
    """One that somebody holds for longer than a lock is waited for is left to the next run."""
    try:
        return _lapse(booking_id, uow=uow, clock=clock, grace=grace)
    except Conflict:
        return False


def _lapse(booking_id: UUID, *, uow: UnitOfWork, clock: Clock, grace: timedelta) -> bool:
    now = clock.now()
    with uow:
        booking = uow.bookings.get(booking_id)
        amendment = booking.amendment
        # Looked at again under its lock: the payment may have come in since.
        if amendment is None or amendment.expires_at is None or amendment.expires_at > now - grace:
            return False
        lock_departures(booking, uow=uow)
        drop_amendment(booking, AmendmentStatus.LAPSED, by=None, uow=uow, at=now)
        cancel_unwanted(booking, uow=uow, clock=clock)
        uow.commit()
    return True


def cancel_unwanted(booking: Booking, *, uow: UnitOfWork, clock: Clock) -> None:
    """Money that still comes through their checkouts goes to suspense."""
    waiting = uow.payments.pending_of(booking.id)
    unwanted = [each for each in waiting if not booking.accepts(each.amount, at=clock.now())]
    cancel_payments(unwanted, uow=uow, clock=clock)


def _own(booking_id: UUID, owner: UUID | None, uow: UnitOfWork) -> Booking:
    booking = uow.bookings.get(booking_id)
    if owner is not None and owner not in (booking.user_id, booking.agent_id):
        raise BookingNotFound()
    return booking


@dataclass(frozen=True, slots=True)
class _Held:
    """A booking with both departures, where it is of one, and all its payments under lock."""

    booking: Booking
    departure_id: UUID | None
    payments: tuple[Payment, ...]
    payable: BookingPayable
    uow: UnitOfWork
    clock: Clock
    new_id: NewId

    @classmethod
    def locked(cls, command: PreviewAmendment, *, uow: UnitOfWork, clock: Clock, new_id: NewId) -> _Held:
        """Raises BookingNotFound, also for a stranger, DepartureNotFound, what `ensure_amendable` raises, and where
        people priced it, what `ensure_priced_by` does.
        """
        booking = _own(command.booking_id, command.owner, uow)
        booking.ensure_amendable(at=clock.now())
        by_hand = booking.trip.departure_id is None
        if by_hand:
            booking.ensure_priced_by(command.priced_by)
            refuse_barred_agent(command.owner, uow=uow)
        command.wanted.refuse_foreign(by_hand=by_hand)
        departure_id = command.wanted.departure_id or booking.trip.departure_id
        lock_departures(booking, *([departure_id] if departure_id is not None else []), uow=uow)
        payable = BookingPayable(booking.id, uow=uow, at=clock.now())
        return cls(booking, departure_id, tuple(uow.payments.of_booking(booking.id)), payable, uow, clock, new_id)

    def plan(self, command: PreviewAmendment, gateways: Gateways) -> AmendmentPlan:
        """What it would do; its seats are moved, which nothing keeps unless it is committed."""
        now, known = self.clock.now(), command.wanted.travelers
        travelers = known if known is not None else self.uow.bookings.travelers(self.booking.id)
        plan = plan_amendment(
            self.booking,
            self._repriced(command.wanted, travelers),
            [self._going_back(payment) for payment in self.payments if payment.paid_at is not None],
            hold_for=command.hold_for if self.departure_id is not None else command.offered_for,
            gateways=gateways,
            uow=self.uow,
            at=now,
        )
        refuse_unfit(travelers, plan.trip, valid_days=command.document_valid_days, today=business_date(now))
        if not plan.difference.is_positive:
            # Before it takes any: a pool that both departures share has no seats but the booking's own, perhaps.
            leave_trip(plan.before_trip, plan.trip, uow=self.uow, at=now)
        if self.departure_id is not None and plan.seats_taken:
            self.uow.departures.get(self.departure_id).take_seats(plan.seats_taken, at=now)
        return plan

    def _repriced(self, wanted: WantedChange, travelers: Sequence[Traveler]) -> Repriced:
        booking, uow, now, new_id = self.booking, self.uow, self.clock.now(), self.new_id
        if self.departure_id is None:
            return ByHand.of(booking, wanted, uow=uow, at=now, new_id=new_id)
        departure = uow.departures.get(self.departure_id)
        return FromCatalogue.of(booking, wanted, departure, travelers, uow=uow, at=now, new_id=new_id)

    def wait(self, amendment: Amendment, *, by: UUID) -> None:
        """Keep it, and what it asks for, until it is paid."""
        self.booking.await_amendment(amendment, by=by, at=self.clock.now())
        self.uow.bookings.keep_amendment(amendment)
        cancel_payments(self._unwanted, uow=self.uow, clock=self.clock)

    def carry_out(self, amendment: Amendment, plan: AmendmentPlan, *, by: UUID) -> None:
        """The booking itself, payments that wait, people and points, then what goes back; its seats are moved."""
        booking, uow, now = self.booking, self.uow, self.clock.now()
        travelers, owed_before = amendment.travelers, booking.amount_due.is_positive
        booking.amend(amendment, by=by, at=now)
        moved = accounts_moved(booking) | agents_own(self.payments)
        cancel_payments(self._unwanted, uow=uow, clock=self.clock, besides=moved)
        carry_out(amendment, booking, travelers, uow=uow, at=now, new_id=self.new_id)
        if booking.amount_due.is_zero:
            give = earn_booking_points if owed_before else keep_bonus_promise
            give(booking, uow=uow, at=now, new_id=self.new_id)
        for refund in plan.refunds:
            payment = next(payment for payment in self.payments if payment.id == refund.payment_id)
            refund_within(_refund_of(payment, amendment), refund, self._going_back(payment))

    @property
    def _unwanted(self) -> list[Payment]:
        now = self.clock.now()
        waiting = (payment for payment in self.payments if payment.status is PaymentStatus.PENDING)
        return [payment for payment in waiting if not self.booking.accepts(payment.amount, at=now)]

    def _going_back(self, payment: Payment) -> GoingBack:
        return GoingBack(payment, self.payable, self.uow, self.clock, self.new_id)


def _amendment(plan: AmendmentPlan, command: AmendBooking, *, new_id: NewId, at: datetime) -> Amendment:
    return Amendment(
        id=new_id(),
        booking_id=plan.booking_id,
        status=AmendmentStatus.PENDING,
        before_trip=plan.before_trip,
        before_amount=plan.before_amount,
        trip=plan.trip,
        price=plan.price,
        items=plan.items,
        rewards=plan.rewards,
        fee=plan.fee,
        refund=plan.refund,
        points_restored=plan.points_restored,
        seats_held=plan.seats_taken,
        travelers=command.wanted.travelers,
        requested_by=command.actor_id,
        requested_at=at,
        expires_at=plan.expires_at,
    )


def _refund_of(payment: Payment, amendment: Amendment) -> RequestRefund:
    """A rule of ours asks for it, whoever amended."""
    return RequestRefund(
        payment_id=payment.id,
        amount=None,
        reason="The booking was amended",
        destination=Destination.ORIGINAL,
        actor_id=None,
        idempotency_key=f"amendment:{amendment.id}:{payment.id}",
    )


def _said(plan: AmendmentPlan, *, is_before: bool) -> dict[str, object]:
    trip = plan.before_trip if is_before else plan.trip
    amount = plan.before_amount if is_before else plan.price.final_amount
    return {
        "departure_id": str(trip.departure_id) if trip.departure_id is not None else None,
        "start_date": trip.start_date.isoformat(),
        "travelers_count": trip.travelers_count,
        "final_amount": str(amount),
    }


def _audit(actor: UUID, booking: Booking, changes: Mapping[str, object], *, uow: UnitOfWork, at: datetime) -> None:
    uow.audit.add(
        actor=actor,
        action="bookings.amend",
        resource_type="BOOKING",
        resource_id=booking.id,
        changes=changes,
        at=at,
    )
