"""Offers: people price what a customer asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from application.billing.payables import earn_if_free
from application.billing.tenders import cancel_payments
from application.partners.decisions import refuse_barred_agent
from application.ports import UnitOfWork
from application.sales.ports import OfferTerms, PartnerRates
from application.sales.pricing import (
    PricingSettings,
    booked_items,
    booked_price,
    frozen_shares,
    refuse_unused_voucher,
    rewards_with,
)
from domain.pricing.baskets import Benefit, NotApplied, Promotion
from domain.pricing.hand_priced import UNTAXED, HandPricedItem, basket_of
from domain.pricing.quotes import Quote, Terms, quote
from domain.pricing.vouchers import HeldVoucher
from domain.sales.agreed import BookingItem, BookingType, FrozenShares, RewardTerms
from domain.sales.booking_errors import BookingNotFound
from domain.sales.bookings import Booking
from domain.sales.details import clean_details
from domain.sales.instalments import PlanTerms, PlanWanted, schedule
from domain.sales.requests import offer_deadline
from domain.shared.clock import Clock, business_date
from domain.shared.errors import IllegalTransition, OwnRequest, refuse_stale
from domain.shared.identifiers import NewId
from domain.shared.money import Money
from domain.shared.percentage import Percentage


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferedItem:
    """One thing as it was written down; of the trip's own type where `booking_type` is None."""

    booking_type: BookingType | None
    name_ar: str
    name_en: str
    quantity: int
    unit_price: Money
    tax_rate: Percentage = UNTAXED
    tax_inclusive: bool = True
    details: Mapping[str, object]
    notes: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """What is offered, and on which terms; `valid_until` is None for the company's own time."""

    items: Sequence[OfferedItem]
    plan_terms: PlanTerms
    """Its deposit confirms the booking; where the trip is far enough, the rest has its day."""
    valid_until: datetime | None
    ordinarily_valid: timedelta
    settings: PricingSettings
    voucher_code: str | None = None
    """One of the customer's, or of everybody's; None for no voucher any more."""


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
        terms = uow.bookings.offer_terms(booking.user_id, agent_id=booking.agent_id, at=now)
        benefits = make_offer(booking, command.offer, terms=terms, by=command.actor_id, uow=uow, at=now, new_id=new_id)
        earn_if_free(booking, uow=uow, at=now, new_id=new_id)
        uow.audit.add(
            actor=command.actor_id,
            action="bookings.price",
            resource_type="BOOKING",
            resource_id=booking.id,
            changes={"before": before, "after": _shown(booking)},
            at=now,
        )
        uow.promotions.redeem_instead(benefits, booking_id=booking.id, user_id=booking.user_id, at=now)
        uow.commit()


def make_offer(
    booking: Booking, offer: Offer, *, terms: OfferTerms, by: UUID, uow: UnitOfWork, at: datetime, new_id: NewId
) -> Sequence[Benefit]:
    """Price a request, inside the caller's transaction, which at its end redeems what is answered.

    What people price is of no vendor's; its agent earns at the rate of the day on which it is priced. Raises
    OwnRequest: nobody prices for themselves. Raises IllegalTransition, TripBegan, UnsoundOffer, InvalidValue, and
    VoucherNotApplied or VoucherExhausted where the voucher that was named gives nothing.
    """
    if by == booking.user_id:
        raise OwnRequest()
    if not booking.takes_offer:
        raise IllegalTransition(current=booking.status, wanted="PENDING_PAYMENT")
    items = [_priced(item, booking, f"/items/{place}", new_id) for place, item in enumerate(offer.items)]
    voucher = _voucher(booking, offer.voucher_code, uow=uow, at=at)
    priced = _quoted(items, booking, offer.settings, terms.rewards, voucher, at)
    refuse_unused_voucher(offer.voucher_code, priced)
    rates = PartnerRates(vendor_id=None, vendor=None, agent=terms.agent_rate)
    shares = frozen_shares(rates, agent_id=booking.agent_id, settings=offer.settings)
    payable_until = offer_deadline(booking.trip, until=offer.valid_until, ordinarily=offer.ordinarily_valid, at=at)
    booking.make_offer(
        booked_price(priced, exchange=None),
        list(_booked(items, priced, shares, new_id)),
        rewards=rewards_with(terms.rewards, priced),
        deposit=offer.plan_terms.deposit,
        instalments=schedule(
            priced.total,
            PlanWanted(),
            offer.plan_terms,
            held_until=business_date(payable_until),
            starts_on=booking.start_date,
        ),
        hold_expires_at=payable_until,
        by=by,
        at=at,
    )
    return priced.benefits


def _voucher(booking: Booking, code: str | None, *, uow: UnitOfWork, at: datetime) -> Promotion | NotApplied | None:
    """The voucher that a code names; the one of the offer before is in the customer's hands already."""
    if code is None:
        return None
    held = uow.promotions.redeemed(booking.id, at=at).voucher
    if isinstance(held, HeldVoucher) and held.voucher.is_called(code):
        return held
    return uow.promotions.offered(buyer_id=booking.user_id, at=at, voucher_code=code).voucher


def _priced(item: OfferedItem, booking: Booking, pointer: str, new_id: NewId) -> HandPricedItem:
    return HandPricedItem(
        key=new_id(),
        booking_type=item.booking_type or booking.trip.booking_type,
        name_ar=item.name_ar,
        name_en=item.name_en,
        quantity=item.quantity,
        unit_price=item.unit_price,
        tax_rate=item.tax_rate,
        tax_inclusive=item.tax_inclusive,
        details=clean_details(item.details, pointer=f"{pointer}/details"),
        notes=item.notes,
    )


def _quoted(
    items: Sequence[HandPricedItem],
    booking: Booking,
    settings: PricingSettings,
    rewards: RewardTerms,
    voucher: Promotion | NotApplied | None,
    at: datetime,
) -> Quote:
    """Priced as anything else, without the member's discount and offers: whoever prices by hand knows for whom."""
    basket = basket_of(items, tier_code=rewards.tier_code, at=at, starts_on=booking.start_date)
    terms = Terms(
        member_rate=Percentage(0),
        offers=(),
        voucher=voucher,
        points=0,
        tender=settings.points.tender,
        fee=settings.fee_in(basket.currency),
    )
    return quote(basket, terms)


def _booked(
    items: Sequence[HandPricedItem], priced: Quote, shares: FrozenShares, new_id: NewId
) -> Iterator[BookingItem]:
    """The items with what is said of them, then what the voucher gives beside them."""
    booked = booked_items(priced, shares, new_id=new_id)
    for item, bought in zip(items, booked, strict=False):
        yield replace(bought, details=item.details, notes=item.notes)
    yield from booked[len(items) :]


def _shown(booking: Booking) -> dict[str, object]:
    return {
        "status": booking.status,
        "final_amount": str(booking.final_amount),
        "voucher_discount": str(booking.price.voucher_discount),
        "items": [f"{item.quantity} × {item.item_name_en}: {item.total_price}" for item in booking.items],
        "hold_expires_at": booking.hold_expires_at.isoformat() if booking.hold_expires_at is not None else None,
    }
