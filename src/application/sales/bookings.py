"""Placing bookings of what is in the catalogue."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from uuid import UUID

from application.identity.ports import KeyedDigests
from application.ledger.locks import lock_owned
from application.ledger.redemptions import RedeemPoints, redeem_points, refuse_unspendable
from application.partners.decisions import refuse_barred_agent
from application.ports import UnitOfWork
from application.sales.booking_points import earn_if_free, free_bonus_accounts
from application.sales.giving_back import redemption_key
from application.sales.ports import Sale
from application.sales.pricing import (
    Chosen,
    PricingSettings,
    booked_items,
    booked_price,
    frozen_shares,
    price_of,
    promotions_for,
    refuse_unused_voucher,
    rewards_with,
)
from application.sales.quotes import has_moved, refuse_moved_price, refuse_other_dates
from application.sales.requests import audit_made_for_another, customer_info
from application.sales.waiting import take_offered_seats
from domain.catalogue.departures import Departure
from domain.catalogue.items import Item
from domain.pricing.quotes import Quote
from domain.sales.agreed import BookingType, FrozenShares, Parties, Trip
from domain.sales.bookings import Booking
from domain.sales.instalments import EVERYTHING, PlanTerms, PlanWanted, schedule
from domain.sales.travelers import Traveler, refuse_unfit
from domain.shared.clock import Clock, business_date
from domain.shared.identifiers import NewId, document_number


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaceBooking:
    """A customer, or staff or an agent for one, wants seats on a departure."""

    actor_id: UUID
    actor_is_staff: bool
    user_id: UUID
    agent_id: UUID | None
    item: Item
    departure_id: UUID
    chosen: Chosen
    travelers: tuple[Traveler, ...]
    special_requests: str
    hold_for: timedelta
    plan: PlanWanted
    plan_terms: PlanTerms
    settings: PricingSettings
    document_valid_days: int = 0
    """How long after the trip's last day travellers' documents have to be valid."""
    customer_info: Mapping[str, str] = field(default_factory=dict)
    """What this trip's customer goes by instead of their profile."""
    price_token: str | None = None
    """Of the quote that the customer agreed to; None takes the price as it is."""
    starts_on: date | None = None
    ends_on: date | None = None
    """What was said beside the departure: its own dates."""
    waiting_list_entry_id: UUID | None = None
    """The place in line that seats are kept for, where they are offered ones."""


def place_booking(
    command: PlaceBooking, *, uow: UnitOfWork, clock: Clock, new_id: NewId, digests: KeyedDigests
) -> Booking:
    """Hold the seats at today's price until the hold runs out.

    Raises CustomerNotFound, DepartureNotFound, DepartureClosed, SoldOut, PriceMoved, PlanNotOffered,
    VoucherNotApplied, VoucherExhausted, InsufficientBalance, RateNotFound, WaitingEntryNotFound, NoSeatOffer,
    AgentNotActive, or InvalidValue for a party that does not fit.
    """
    now = clock.now()
    today = business_date(now)
    with uow:
        refuse_barred_agent(command.agent_id, uow=uow)
        sale = uow.bookings.open_sale(
            command.item,
            departure_id=command.departure_id,
            buyer_id=command.user_id,
            agent_id=command.agent_id,
            currency=command.chosen.currency,
            at=now,
        )
        refuse_other_dates(sale.departure, command.starts_on, command.ends_on)
        priced = _agreed_price(command, sale, uow=uow, digests=digests, at=now)
        trip, booking_id = _trip(command, sale), new_id()
        refuse_unfit(command.travelers, trip, valid_days=command.document_valid_days, today=today)
        hold_expires_at = now + command.hold_for
        instalments = schedule(
            priced.total,
            command.plan,
            command.plan_terms,
            held_until=business_date(hold_expires_at),
            starts_on=trip.start_date,
        )
        _take_seats(command, trip.seats, booking_id, departure=sale.departure, uow=uow, at=now)
        booking = Booking.place(
            booking_id=booking_id,
            booking_number=document_number("BK", today.year, sale.serial),
            parties=_parties(command),
            trip=trip,
            price=booked_price(priced, sale.offered.exchange),
            items=booked_items(priced, _shares(command, sale), new_id=new_id),
            deposit=EVERYTHING,
            instalments=instalments,
            rewards=rewards_with(sale.offered.rewards, priced),
            cancellation_terms=sale.offered.cancellation_terms,
            customer_info=customer_info(sale.buyer, command.customer_info),
            special_requests=command.special_requests,
            hold_expires_at=hold_expires_at,
            at=now,
        )
        uow.bookings.add(booking, command.travelers)
        _move_points(booking, uow=uow, at=now, new_id=new_id)
        audit_made_for_another(booking, by=command.actor_id, uow=uow, at=now)
        # Last: nobody waits for a voucher's row longer than it takes to commit.
        uow.promotions.redeem(priced.benefits, booking_id=booking.id, user_id=booking.user_id, at=now)
        uow.commit()
    return booking


def _agreed_price(command: PlaceBooking, sale: Sale, *, uow: UnitOfWork, digests: KeyedDigests, at: datetime) -> Quote:
    """Today's price, which is the one that was agreed to.

    Raises VoucherNotApplied, VoucherExhausted, InsufficientBalance, PriceMoved, or InvalidValue for the party.
    """
    chosen, token = command.chosen, command.price_token
    promoted = promotions_for(sale.offered, chosen, command.user_id, promotions=uow.promotions, at=at)
    priced = price_of(sale.offered, chosen, promoted=promoted, settings=command.settings, at=at)
    refuse_unused_voucher(chosen.voucher_code, priced)
    if priced.points and has_moved(token, priced, digests=digests, at=at):
        # A quote takes the points that there are: who asks for more is told of those, not of another price.
        refuse_unspendable(command.user_id, priced.points, uow=uow, at=at)
    refuse_moved_price(token, priced, digests=digests, at=at)
    return priced


def _take_seats(
    command: PlaceBooking,
    seats: int,
    booking_id: UUID,
    *,
    departure: Departure,
    uow: UnitOfWork,
    at: datetime,
) -> None:
    entry_id = command.waiting_list_entry_id
    if entry_id is None:
        departure.take_seats(seats, at=at)
        return
    take_offered_seats(
        entry_id,
        departure,
        user_id=command.user_id,
        owner=None if command.actor_is_staff else command.actor_id,
        booking_id=booking_id,
        seats=seats,
        uow=uow,
        at=at,
    )


def _parties(command: PlaceBooking) -> Parties:
    return Parties.of(
        creator=command.actor_id,
        customer=command.user_id,
        agent=command.agent_id,
        creator_is_staff=command.actor_is_staff,
    )


def _shares(command: PlaceBooking, sale: Sale) -> FrozenShares:
    return frozen_shares(sale.partners, agent_id=command.agent_id, settings=command.settings)


def _trip(command: PlaceBooking, sale: Sale) -> Trip:
    item, party = command.item, command.chosen.party
    return Trip(
        booking_type=BookingType(item.kind),
        start_date=sale.departure.starts_on,
        end_date=sale.departure.ends_on,
        starts_at=sale.departure.begins_at,
        time_zone=sale.departure.time_zone,
        travelers_count=party.count,
        seats=sale.offered.price_list.seats_for(party, sale.departure.starts_on),
        package_id=item.package_id,
        activity_id=item.activity_id,
        departure_id=sale.departure.id,
    )


def _move_points(booking: Booking, *, uow: UnitOfWork, at: datetime, new_id: NewId) -> None:
    """Take those that the price counts on, then give what a booking promises that costs nothing."""
    moved = free_bonus_accounts(booking)
    if moved and booking.price.points:
        lock_owned(moved, uow=uow)
    redeem_booked_points(booking, uow=uow, at=at, new_id=new_id)
    earn_if_free(booking, uow=uow, at=at, new_id=new_id)


def redeem_booked_points(booking: Booking, *, uow: UnitOfWork, at: datetime, new_id: NewId) -> None:
    """Take the points that the price counts on; they come back where it is not paid."""
    if booking.price.points == 0:
        return
    command = RedeemPoints(
        user_id=booking.user_id,
        key=redemption_key(booking.id),
        reference_type="BOOKING",
        reference_id=booking.id,
        description_ar=f"نقاط دفعت من سعر الحجز {booking.booking_number}",
        description_en=f"Points redeemed for booking {booking.booking_number}",
        points=booking.price.points,
        pays=None,
    )
    redeem_points(command, uow=uow, at=at, new_id=new_id)
