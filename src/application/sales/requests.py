"""Asking for trips that people price, asking for something else before they have, and the end of what nobody prices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any, TypedDict
from uuid import UUID

from application.identity.ports import KeyedDigests
from application.partners.decisions import refuse_barred_agent
from application.ports import NewUnitOfWork, UnitOfWork
from application.sales.booking_points import earn_if_free
from application.sales.offers import Offer, make_offer, policy_of
from application.sales.ports import Buyer, RequestOpened
from application.sales.quotes import refuse_moved_price
from domain.operations.audit import changed
from domain.pricing.baskets import Benefit
from domain.sales.agreed import BookedPrice, Parties, Trip
from domain.sales.booking_errors import BookingNotFound
from domain.sales.bookings import LAPSES_AFTER, Booking
from domain.sales.cancellation import ALWAYS
from domain.sales.requests import TripWish, wish_of
from domain.sales.travelers import Traveler, refuse_unfit
from domain.shared.clock import Clock, business_date
from domain.shared.errors import Conflict, refuse_stale
from domain.shared.identifiers import NewId, document_number
from domain.shared.money import Money
from domain.shared.percentage import Percentage


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestBooking:
    """A customer, or staff or an agent for one, asks for a trip that is in no catalogue.

    With an `offer` it is priced at once. `customer_info` is what this trip's customer goes by instead of their profile.
    """

    actor_id: UUID
    actor_is_staff: bool
    user_id: UUID
    agent_id: UUID | None
    wish: TripWish
    currency: str
    travelers: tuple[Traveler, ...]
    document_valid_days: int
    customer_info: Mapping[str, str] = field(default_factory=dict)
    special_requests: str
    offer: Offer | None = None
    price_token: str | None = None
    """Of the quote that the offer was agreed at; None takes its price as it is."""


def request_booking(
    command: RequestBooking, *, uow: UnitOfWork, clock: Clock, new_id: NewId, digests: KeyedDigests
) -> Booking:
    """Keep a request until people price it.

    Raises CustomerNotFound, AgentNotActive, InvalidValue, UnfitTravelers, and with an offer PriceMoved and what
    `make_offer` raises.
    """
    now = clock.now()
    trip = command.wish.trip(at=now)
    refuse_unfit(command.travelers, trip, valid_days=command.document_valid_days, today=business_date(now))
    with uow:
        refuse_barred_agent(command.agent_id, uow=uow)
        policy_id = policy_of(command.offer, uow=uow) if command.offer is not None else None
        opened = uow.bookings.open_request(command.user_id, agent_id=command.agent_id, policy_id=policy_id, at=now)
        booking = _requested(command, trip, opened, booking_id=new_id(), at=now)
        benefits: Sequence[Benefit] = ()
        if command.offer is not None:
            priced = make_offer(
                booking, command.offer, terms=opened.terms, by=command.actor_id, uow=uow, at=now, new_id=new_id
            )
            refuse_moved_price(command.price_token, priced, digests=digests, at=now)
            benefits = priced.benefits
        uow.bookings.add(booking, command.travelers)
        earn_if_free(booking, uow=uow, at=now, new_id=new_id)
        audit_made_for_another(booking, by=command.actor_id, uow=uow, at=now)
        uow.promotions.redeem(benefits, booking_id=booking.id, user_id=booking.user_id, at=now)
        uow.commit()
    return booking


def _requested(
    command: RequestBooking, trip: Trip, opened: RequestOpened, *, booking_id: UUID, at: datetime
) -> Booking:
    return Booking.request(
        booking_id=booking_id,
        booking_number=document_number("BK", business_date(at).year, opened.serial),
        parties=Parties.of(
            creator=command.actor_id,
            customer=command.user_id,
            agent=command.agent_id,
            creator_is_staff=command.actor_is_staff,
        ),
        trip=trip,
        unpriced=_unpriced(Money.zero(command.currency)),
        rewards=opened.terms.rewards,
        cancellation_terms=ALWAYS,
        customer_info=customer_info(opened.buyer, command.customer_info),
        special_requests=command.special_requests,
        at=at,
    )


def _unpriced(nothing: Money) -> BookedPrice:
    return BookedPrice(
        lines=(),
        base_amount=nothing,
        discount_amount=nothing,
        voucher_discount=nothing,
        tax_amount=nothing,
        fee_amount=nothing,
        tax_rate=Percentage(0),
        final_amount=nothing,
        points_worth=nothing,
    )


def audit_made_for_another(booking: Booking, *, by: UUID, uow: UnitOfWork, at: datetime) -> None:
    """What staff and agents make for customers is in the audit log; what customers make is their own."""
    if by == booking.user_id:
        return
    made = {
        "booking_number": booking.booking_number,
        "user_id": str(booking.user_id),
        "status": booking.status.value,
        "final_amount": str(booking.final_amount),
    }
    uow.audit.add(
        actor=by,
        action="bookings.create",
        resource_type="BOOKING",
        resource_id=booking.id,
        changes=changed({}, made),
        at=at,
    )


def customer_info(buyer: Buyer, said: Mapping[str, str]) -> dict[str, str]:
    """The customer as a booking remembers them: as their profile has it, but for what was said otherwise."""
    known = {"first_name": buyer.first_name, "last_name": buyer.last_name, "email": buyer.email, "phone": buyer.phone}
    return {**known, **said}


class RequestChanges(TypedDict, total=False):
    """What is left out stays as it is."""

    start_date: date
    end_date: date | None
    time_zone: str
    travelers_count: int
    details: Mapping[str, object]
    customer_info: Mapping[str, str]
    special_requests: str
    travelers: tuple[Traveler, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeRequest:
    """The customer, or the agent who asked for them, wants something else."""

    booking_id: UUID
    actor_id: UUID
    changes: RequestChanges
    document_valid_days: int
    expected_version: int | None


def change_request(command: ChangeRequest, *, uow: UnitOfWork, clock: Clock) -> None:
    """Change a request that nobody has priced yet; travellers are held to the trip as it is then.

    Raises BookingNotFound for a stranger, PreconditionFailed, IllegalTransition, InvalidValue or UnfitTravelers.
    """
    now, changes = clock.now(), command.changes
    with uow:
        booking = uow.bookings.get(command.booking_id)
        if command.actor_id not in (booking.user_id, booking.agent_id):
            raise BookingNotFound()
        refuse_stale(command.expected_version, current=booking.version)
        booking.change_request(
            trip=replace(wish_of(booking.trip), **_of_trip(changes)).trip(at=now),
            customer_info={**booking.customer_info, **changes.get("customer_info", {})},
            special_requests=changes.get("special_requests", booking.special_requests),
            by=command.actor_id,
            at=now,
        )
        travelers = changes.get("travelers", uow.bookings.travelers(booking.id))
        refuse_unfit(travelers, booking.trip, valid_days=command.document_valid_days, today=business_date(now))
        if "travelers" in changes:
            uow.bookings.replace_travelers(booking.id, travelers)
        uow.commit()


def lapse_requests(*, new_uow: NewUnitOfWork, clock: Clock, limit: int = 500) -> int:
    """End requests whose day is over without a price; how many there were. Each in a transaction of its own."""
    with new_uow() as uow:
        due = uow.bookings.lapsing_requests(begun_before=clock.now() - LAPSES_AFTER, limit=limit)
    return sum(_lapse_or_leave(booking_id, uow=new_uow(), clock=clock) for booking_id in due)


def _lapse_or_leave(booking_id: UUID, *, uow: UnitOfWork, clock: Clock) -> bool:
    """One that somebody holds for longer than a lock is waited for is left to the next run."""
    try:
        with uow:
            booking = uow.bookings.get(booking_id)
            # Looked at again under its lock: it may have been priced, or asked for another day, since.
            if not booking.is_lapsed(at=clock.now()):
                return False
            booking.lapse(at=clock.now())
            uow.commit()
    except Conflict:
        return False
    return True


_TRIP = ("start_date", "end_date", "time_zone", "travelers_count", "details")


def _of_trip(changes: RequestChanges) -> dict[str, Any]:
    return {name: value for name, value in changes.items() if name in _TRIP}
