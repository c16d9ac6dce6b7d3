"""What amending a booking would do, worked out under the same locks as doing it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import orjson

from application import shown
from application.billing.payables import Rewards, bonus_at_stake, points_at_stake
from application.billing.ports import Gateways
from application.billing.refund_effects import GoingBack
from application.billing.refund_plans import RefundPlan
from application.identity.ports import KeyedDigests
from application.ports import UnitOfWork
from application.pricing.ports import Offered
from application.sales.cancellation_plans import planned_refunds, rewards_taken
from application.sales.ports import OnSale
from application.sales.pricing import booked_items, booked_price, line_row, rewards_with
from domain.billing.refunds import refundable
from domain.catalogue.departures import Departure
from domain.pricing.baskets import Basket, NotApplied
from domain.pricing.price_lists import Party
from domain.pricing.quotes import LineKind, PriceLine, Quote, Terms, quote
from domain.sales.agreed import BookedPrice, BookingItem, RewardTerms, Trip
from domain.sales.amendments import fee_on, points_kept, seats_to_take
from domain.sales.booking_errors import PriceMoved
from domain.sales.bookings import Booking
from domain.sales.cancellation import AppliedTier
from domain.sales.travelers import Traveler
from domain.shared.errors import InvalidValue
from domain.shared.identifiers import NewId
from domain.shared.money import Money, total

TOKEN_LIFETIME: Final = timedelta(minutes=15)
_PURPOSE: Final = "amendment"
NO_PLAN: Final = ""
"""The fingerprint of nothing that was shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedChange:
    """What somebody wants otherwise; what is None stays as it is. `travelers` is the whole list."""

    departure_id: UUID | None = None
    travelers_count: int | None = None
    travelers: tuple[Traveler, ...] | None = None

    def __post_init__(self) -> None:
        if all(wanted is None for wanted in (self.departure_id, self.travelers_count, self.travelers)):
            raise InvalidValue("say what changes", pointer="/departure_id", code="required")


@dataclass(frozen=True, slots=True, kw_only=True)
class AmendmentPlan:
    """All that an amendment would do. `fee` is in the price; `applied` is the tier that it follows from.

    `refunds` are one for each payment that something goes back of, newest first. Where `difference` is above zero, it
    has to be paid before anything happens, and until `expires_at`.
    """

    booking_id: UUID
    before_trip: Trip
    before_amount: Money
    trip: Trip
    price: BookedPrice
    items: tuple[BookingItem, ...]
    before_rewards: RewardTerms
    rewards: RewardTerms
    """As they were frozen, with what offers and the voucher promise for the new trip."""
    applied: AppliedTier
    fee: Money
    refund: Money
    refunds: tuple[RefundPlan, ...]
    rewards_taken: Rewards
    points_restored: int
    not_applied: tuple[NotApplied, ...]
    """What was redeemed for the old trip and gives this one nothing."""
    expires_at: datetime | None

    @property
    def difference(self) -> Money:
        return self.price.final_amount - self.before_amount

    @property
    def seats_taken(self) -> int:
        return seats_to_take(self.before_trip, self.trip)

    @property
    def fingerprint(self) -> str:
        """Equal for plans that do the same; the hour until which it waits is none of it."""
        before, after = self.before_trip, self.trip
        said = [
            str(self.booking_id), str(before.departure_id), before.travelers_count, before.seats,
            str(self.before_amount), str(after.departure_id), str(after.starts_at), after.travelers_count, after.seats,
            self.price.lines, str(self.price.final_amount), str(self.fee), str(self.refund), self.points_restored,
            self.rewards_taken.points, str(self.rewards_taken.cashback),
            self.rewards.bonus_points, str(self.rewards.bonus_cashback),
            [[str(refund.payment_id), str(refund.amount)] for refund in self.refunds],
        ]  # fmt: skip
        return hashlib.sha256(orjson.dumps(said, default=str)).hexdigest()


def plan_amendment(
    booking: Booking,
    wanted: WantedChange,
    departure: Departure,
    paid: Sequence[GoingBack],
    *,
    hold_for: timedelta,
    gateways: Gateways,
    uow: UnitOfWork,
    at: datetime,
    new_id: NewId,
) -> AmendmentPlan:
    """Plan it under lock; `paid` are the booking's payments that were settled.

    Raises DepartureNotFound, AmendmentNotOffered, InvalidValue for a party that does not fit, PaymentDisputed.
    """
    offered = uow.bookings.on_sale_again(booking, departure.id, at=at)
    promoted = uow.promotions.redeemed(booking.id, at=booking.created_at)
    travelers = wanted.travelers if wanted.travelers is not None else uow.bookings.travelers(booking.id)
    party = Party(
        count=wanted.travelers_count or booking.trip.travelers_count,
        birth_dates=tuple(each.birth_date for each in travelers if each.birth_date is not None),
    )
    trip = _trip(booking, departure, party, offered)
    applied = booking.refund_terms(decided=None, at=at)
    free = reprice(booking, offered, promoted, party, fee=Money(0, booking.final_amount.currency))
    given_up = booking.given_up_for(trip, booked_price(free, None))
    fee = fee_on(given_up, share=applied.refund)
    priced = reprice(booking, offered, promoted, party, fee=fee)
    refunds = planned_refunds(_refund(booking, priced.total, paid), paid, gateways)
    refund = total((each.amount for each in refunds), priced.total.currency.code)
    rewards = rewards_with(replace(booking.rewards, bonus_points=0, bonus_cashback=None), priced)
    return AmendmentPlan(
        booking_id=booking.id,
        before_trip=booking.trip,
        before_amount=booking.final_amount,
        trip=trip,
        price=replace(booked_price(priced, booking.price.exchange), lines=_lines(booking, priced, fee)),
        items=tuple(booked_items(priced, booking.shares, new_id=new_id)),
        before_rewards=booking.rewards,
        rewards=rewards,
        applied=applied,
        fee=fee,
        refund=refund,
        refunds=refunds,
        rewards_taken=replace(
            rewards_taken(refund, paid, uow),
            points=_points_taken(booking, rewards, priced.total, refund, uow=uow),
        ),
        points_restored=booking.price.points - priced.points,
        not_applied=priced.not_applied,
        expires_at=min(at + hold_for, booking.trip.starts_at, trip.starts_at)
        if priced.total > booking.final_amount
        else None,
    )


def _points_taken(booking: Booking, rewards: RewardTerms, price: Money, refund: Money, *, uow: UnitOfWork) -> int:
    """What refunds take of the points that money earned, and of the bonus what the new trip promises no more."""
    refunded = booking.refunded_amount + refund
    beyond = booking.overpaid_amount + booking.overpaid_at(price)
    bonus = bonus_at_stake(
        booking,
        promised=rewards.bonus_points,
        paid=price,
        refunded=max(refunded - beyond, Money(0, refund.currency)),
        uow=uow,
    )
    return points_at_stake(booking, refunded, uow=uow) + bonus


def reprice(booking: Booking, offered: OnSale, promoted: Offered, party: Party, *, fee: Money) -> Quote:
    """What another trip costs whoever booked this one: today's list, on the terms that were agreed then.

    What was redeemed is looked at as if it were used when the booking was placed.
    """
    starts_on = offered.departs.starts_on if offered.departs is not None else None
    item = offered.price_list.item_for(party, starts_on=starts_on)
    basket = Basket(
        items=(item,),
        currency=item.taken_off.currency.code,
        tier_code=booking.rewards.tier_code,
        at=booking.created_at,
        starts_on=starts_on,
    )
    terms = Terms(
        member_rate=offered.member_rate,
        offers=promoted.offers,
        voucher=promoted.voucher,
        points=booking.price.points,
        tender=lambda _, left: points_kept(booking.price, left),
        fee=booking.price.fee_amount + fee,
    )
    return quote(basket, terms)


def _trip(booking: Booking, departure: Departure, party: Party, offered: OnSale) -> Trip:
    return replace(
        booking.trip,
        start_date=departure.starts_on,
        end_date=departure.ends_on,
        starts_at=departure.begins_at,
        time_zone=departure.time_zone,
        travelers_count=party.count,
        seats=offered.price_list.seats_for(party, departure.starts_on),
        departure_id=departure.id,
    )


def _refund(booking: Booking, price: Money, paid: Sequence[GoingBack]) -> Money:
    """What was paid beyond the new price, as far as it has not gone back, nor is on its way."""
    unit = price.currency.code
    left = total((refundable(back.payment.tenders, unit) for back in paid), unit)
    return min(booking.overpaid_at(price), left)


def _lines(booking: Booking, priced: Quote, fee: Money) -> tuple[dict[str, object], ...]:
    """The price's lines, with the fees that were agreed before as they were, and what gives nothing at nothing."""
    lines = [line_row(line) for line in priced.lines if line.kind is not LineKind.FEE]
    nothing = Money(0, priced.total.currency)
    lines.extend(line_row(_line(LineKind(each.kind), each, nothing)) for each in priced.not_applied)
    lines.extend(line for line in booking.price.lines if line["kind"] == LineKind.FEE)
    if fee.is_positive:
        lines.append(line_row(_fee_line(fee)))
    return tuple(lines)


def _line(kind: LineKind, refused: NotApplied, amount: Money) -> PriceLine:
    return PriceLine(
        kind=kind,
        description_ar=refused.title_ar or refused.code or "",
        description_en=refused.title_en or refused.code or "",
        quantity=1,
        amount=amount,
        source_id=refused.source_id,
    )


def _fee_line(fee: Money) -> PriceLine:
    return PriceLine(
        kind=LineKind.FEE,
        description_ar="رسوم تعديل الحجز",
        description_en="Amendment fee",
        quantity=1,
        amount=fee,
    )


def token_of(plan: AmendmentPlan, *, digests: KeyedDigests, at: datetime) -> str:
    """What carries out exactly this plan, until TOKEN_LIFETIME is over."""
    return shown.token_of(plan.fingerprint, purpose=_PURPOSE, until=at + TOKEN_LIFETIME, digests=digests)


def agreed_plan(token: str, *, digests: KeyedDigests, at: datetime) -> str:
    """The fingerprint of the plan that a token agrees to; NO_PLAN for any other text."""
    return shown.fingerprint_in(token, purpose=_PURPOSE, at=at, digests=digests) or NO_PLAN


def refuse_moved(agreed: str | None, plan: AmendmentPlan) -> None:
    """Raises PriceMoved, with the new price, where something else was shown (trap 40)."""
    if agreed is not None and agreed != plan.fingerprint:
        final = plan.price.final_amount
        raise PriceMoved(new_total={"amount": final.decimal(), "currency": final.currency.code})
