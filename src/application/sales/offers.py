"""Offers: people price what a customer asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from application.billing.tenders import cancel_payments
from application.partners.decisions import refuse_barred_agent
from application.ports import UnitOfWork
from application.pricing.ports import Offered
from application.sales.booking_points import earn_if_free
from application.sales.hand_prices import OfferedItem, booked_by_hand, hand_priced, quote_by_hand
from application.sales.ports import OfferTerms, PartnerRates
from application.sales.pricing import (
    PricingSettings,
    booked_price,
    frozen_shares,
    refuse_unused_voucher,
    rewards_with,
)
from domain.pricing.baskets import Promotion
from domain.pricing.offers import OpenOffer
from domain.pricing.quotes import Quote
from domain.pricing.vouchers import HeldVoucher
from domain.sales.agreed import Trip
from domain.sales.booking_errors import BookingNotFound
from domain.sales.booking_states import BookingStatus
from domain.sales.bookings import Booking
from domain.sales.instalments import Instalment, PlanTerms, PlanWanted, schedule
from domain.sales.requests import offer_deadline
from domain.shared.clock import Clock, business_date
from domain.shared.errors import IllegalTransition, OwnRequest, refuse_stale
from domain.shared.identifiers import NewId


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """What is offered, and on which terms; `valid_until` is None for the company's own time."""

    items: Sequence[OfferedItem]
    plan_terms: PlanTerms
    """Where the trip is far enough, its deposit confirms the booking, and the rest has its day; else all does."""
    valid_until: datetime | None
    ordinarily_valid: timedelta
    settings: PricingSettings
    voucher_code: str | None = None
    """One of the customer's, or of everybody's; None for no voucher any more."""
    cancellation_policy_id: UUID | None = None
    """Whose terms are frozen; None for the company's default."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceBooking:
    """Staff, or the agent whose customer it is, price what was asked for."""

    booking_id: UUID
    actor_id: UUID
    actor_is_staff: bool
    offer: Offer
    expected_version: int | None


def price_booking(command: PriceBooking, *, uow: UnitOfWork, clock: Clock, new_id: NewId) -> None:
    """Make an offer, or make it anew while nothing of it is paid: payments that wait are cancelled then.

    Money that still comes through their checkouts goes to suspense. Raises BookingNotFound for an agent's stranger,
    AgentNotActive, OwnRequest, PreconditionFailed, and what `make_offer` raises.
    """
    now = clock.now()
    with uow:
        refuse_barred_agent(None if command.actor_is_staff else command.actor_id, uow=uow)
        booking = uow.bookings.get(command.booking_id)
        if not command.actor_is_staff and command.actor_id not in (booking.agent_id, booking.user_id):
            raise BookingNotFound()
        refuse_stale(command.expected_version, current=booking.version)
        before = _shown(booking)
        cancel_payments(uow.payments.pending_of(booking.id), uow=uow, clock=clock)
        policy_id = policy_of(command.offer, uow=uow)
        terms = uow.bookings.offer_terms(booking.user_id, agent_id=booking.agent_id, policy_id=policy_id, at=now)
        priced = make_offer(booking, command.offer, terms=terms, by=command.actor_id, uow=uow, at=now, new_id=new_id)
        earn_if_free(booking, uow=uow, at=now, new_id=new_id)
        uow.audit.add(
            actor=command.actor_id,
            action="bookings.price",
            resource_type="BOOKING",
            resource_id=booking.id,
            changes={"before": before, "after": _shown(booking)},
            at=now,
        )
        uow.promotions.redeem_instead(priced.benefits, booking_id=booking.id, user_id=booking.user_id, at=now)
        uow.commit()


def policy_of(offer: Offer, *, uow: UnitOfWork) -> UUID | None:
    """The policy that an offer names. Raises InvalidValue for one that is not offered."""
    if offer.cancellation_policy_id is not None:
        uow.cancellation_policies.refuse_unless_offered(offer.cancellation_policy_id)
    return offer.cancellation_policy_id


def make_offer(
    booking: Booking, offer: Offer, *, terms: OfferTerms, by: UUID, uow: UnitOfWork, at: datetime, new_id: NewId
) -> Quote:
    """Price a request, inside the caller's transaction, which at its end redeems what the price counts on.

    What people price is of no vendor's; its agent earns at the rate of the day on which it is priced. Raises
    OwnRequest: nobody prices for themselves. Raises IllegalTransition, TripBegan, UnsoundOffer, InvalidValue, and
    VoucherNotApplied or VoucherExhausted where the voucher that was named gives nothing.
    """
    if by == booking.user_id:
        raise OwnRequest()
    if not booking.takes_offer:
        raise IllegalTransition(current=booking.status, wanted="PENDING_PAYMENT")
    items = hand_priced(offer.items, booking.trip, new_id=new_id)
    promoted = _promoted(booking, offer.voucher_code, uow=uow, at=at)
    tier_code = terms.rewards.tier_code
    priced = quote_by_hand(items, booking.trip, promoted, tier_code=tier_code, fee_in=offer.settings.fee_in, at=at)
    refuse_unused_voucher(offer.voucher_code, priced)
    rates = PartnerRates(vendor_id=None, vendor=None, agent=terms.agent_rate)
    shares = frozen_shares(rates, agent_id=booking.agent_id, settings=offer.settings)
    payable_until, instalments = planned(offer, booking.trip, priced, at=at)
    booking.make_offer(
        booked_price(priced, exchange=None),
        list(booked_by_hand(items, priced, shares, new_id=new_id)),
        rewards=rewards_with(terms.rewards, priced),
        cancellation_terms=terms.cancellation_terms,
        instalments=instalments,
        hold_expires_at=payable_until,
        by=by,
        at=at,
    )
    return priced


def planned(offer: Offer, trip: Trip, priced: Quote, *, at: datetime) -> tuple[datetime, tuple[Instalment, ...]]:
    """Until when an offer can be paid, and its instalments; none where all is due at once.

    Raises TripBegan, or InvalidValue for an instant until which no offer waits.
    """
    payable_until = offer_deadline(trip, until=offer.valid_until, ordinarily=offer.ordinarily_valid, at=at)
    held_until = business_date(payable_until)
    instalments = schedule(
        priced.total, PlanWanted(), offer.plan_terms, held_until=held_until, starts_on=trip.start_date
    )
    return payable_until, instalments


def _promoted(booking: Booking, code: str | None, *, uow: UnitOfWork, at: datetime) -> Offered:
    """Offers that run, and the voucher that a code names; what the price before took is in the customer's hands."""
    running = uow.promotions.offered(buyer_id=booking.user_id, at=at, voucher_code=code)
    if booking.status is BookingStatus.DRAFT:
        return running
    held = uow.promotions.redeemed(booking.id, at=at)
    taken = {_id_of(each): each for each in held.offers}
    voucher = running.voucher
    if code is not None and isinstance(held.voucher, HeldVoucher) and held.voucher.voucher.is_called(code):
        voucher = held.voucher
    return Offered(tuple(taken.get(_id_of(each), each) for each in running.offers), voucher)


def _id_of(promotion: Promotion) -> UUID | None:
    return promotion.offer.id if isinstance(promotion, OpenOffer) else None


def _shown(booking: Booking) -> dict[str, object]:
    policy_id = booking.cancellation_terms.policy_id
    return {
        "status": booking.status,
        "final_amount": str(booking.final_amount),
        "voucher_discount": str(booking.price.voucher_discount),
        "cancellation_policy_id": str(policy_id) if policy_id is not None else None,
        "items": [f"{item.quantity} × {item.item_name_en}: {item.total_price}" for item in booking.items],
        "hold_expires_at": booking.hold_expires_at.isoformat() if booking.hold_expires_at is not None else None,
    }
