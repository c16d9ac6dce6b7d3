"""What amending a booking would do, worked out under the same locks as doing it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Final, Protocol, TypedDict
from uuid import UUID

import orjson

from application import shown
from application.billing.payables import Rewards
from application.billing.ports import Gateways
from application.billing.refund_effects import GoingBack
from application.billing.refund_plans import RefundPlan
from application.identity.ports import KeyedDigests
from application.ports import UnitOfWork
from application.pricing.ports import Offered
from application.sales.booking_points import bonus_at_stake, points_at_stake
from application.sales.cancellation_plans import planned_refunds, rewards_taken
from application.sales.hand_prices import OfferedItem, booked_by_hand, hand_priced, quote_by_hand
from application.sales.ports import OnSale
from application.sales.pricing import booked_items, booked_price, line_row, rewards_with
from domain.billing.refunds import refundable
from domain.catalogue.departures import Departure
from domain.pricing.baskets import Basket, NotApplied
from domain.pricing.hand_priced import HandPricedItem, UnsoundOffer
from domain.pricing.price_lists import Party
from domain.pricing.quotes import LineKind, PriceLine, Quote, Terms, quote
from domain.sales.agreed import BookedPrice, BookingItem, RewardTerms, Trip
from domain.sales.amendments import fee_on, points_kept, seats_to_take
from domain.sales.booking_errors import PriceMoved
from domain.sales.bookings import Booking
from domain.sales.cancellation import AppliedTier
from domain.sales.requests import wish_of
from domain.sales.travelers import Traveler
from domain.shared.errors import FieldFault, InvalidValue
from domain.shared.identifiers import NewId
from domain.shared.money import Currency, Money, total

TOKEN_LIFETIME: Final = timedelta(minutes=15)
_PURPOSE: Final = "amendment"
NO_PLAN: Final = ""
"""The fingerprint of nothing that was shown."""


class OtherTrip(TypedDict, total=False):
    """What is wanted otherwise of a trip that is of no departure; what is left out stays as it is."""

    start_date: date
    end_date: date
    time_zone: str
    details: Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class WantedChange:
    """What somebody wants otherwise; what is None stays as it is. `travelers` is the whole list.

    Of a trip that people price, `items` are all of its new price, and `other_trip` says what else it becomes.
    """

    departure_id: UUID | None = None
    travelers_count: int | None = None
    travelers: tuple[Traveler, ...] | None = None
    other_trip: OtherTrip = field(default_factory=OtherTrip)
    items: Sequence[OfferedItem] | None = None

    def __post_init__(self) -> None:
        said = (self.departure_id, self.travelers_count, self.travelers, self.items, self.other_trip or None)
        if all(wanted is None for wanted in said):
            raise InvalidValue("say what changes", pointer="/departure_id", code="required")

    def refuse_foreign(self, *, by_hand: bool) -> None:
        """Raises InvalidValue for what is not of this kind of trip, or a price that is missing."""
        if by_hand:
            foreign = ["departure_id"] if self.departure_id is not None else []
        else:
            foreign = [*_names(self.other_trip), *(["items"] if self.items is not None else [])]
        if foreign:
            raise InvalidValue("not of this type", pointer=f"/{foreign[0]}", code="unknown_field")
        if by_hand and self.items is None:
            raise InvalidValue("people price it", pointer="/items", code="required")


def _names(other: OtherTrip) -> list[str]:
    return ["booking_details" if name == "details" else name for name in other]


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
            str(after.end_date), dict(after.details),
            self.price.lines, str(self.price.final_amount), str(self.fee), str(self.refund), self.points_restored,
            self.rewards_taken.points, str(self.rewards_taken.cashback),
            self.rewards.bonus_points, str(self.rewards.bonus_cashback),
            [[str(refund.payment_id), str(refund.amount)] for refund in self.refunds],
        ]  # fmt: skip
        return hashlib.sha256(orjson.dumps(said, default=str)).hexdigest()


class Repriced(Protocol):
    """The trip that is wanted, and what it costs with a fee for the change in it."""

    @property
    def trip(self) -> Trip: ...

    def at_fee(self, fee: Money) -> Quote: ...

    def items_of(self, priced: Quote) -> Iterable[BookingItem]: ...


def plan_amendment(
    booking: Booking,
    wanted: Repriced,
    paid: Sequence[GoingBack],
    *,
    hold_for: timedelta,
    gateways: Gateways,
    uow: UnitOfWork,
    at: datetime,
) -> AmendmentPlan:
    """Plan it under lock; `paid` are the booking's payments that were settled. Raises PaymentDisputed."""
    trip = wanted.trip
    applied = booking.refund_terms(decided=None, at=at)
    free = wanted.at_fee(Money(0, booking.final_amount.currency))
    given_up = booking.given_up_for(trip, booked_price(free, None))
    fee = fee_on(given_up, share=applied.refund)
    priced = wanted.at_fee(fee)
    refunds = planned_refunds(_refund(booking, priced.total, paid), paid, gateways)
    refund = total((each.amount for each in refunds), priced.total.currency.code)
    rewards = rewards_with(replace(booking.rewards, bonus_points=0, bonus_cashback=None), priced)
    return AmendmentPlan(
        booking_id=booking.id,
        before_trip=booking.trip,
        before_amount=booking.final_amount,
        trip=trip,
        price=replace(booked_price(priced, booking.price.exchange), lines=_lines(booking, priced, fee)),
        items=tuple(wanted.items_of(priced)),
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


@dataclass(frozen=True, slots=True)
class FromCatalogue:
    """Another departure or party, at the price list's price: implements `Repriced`."""

    booking: Booking
    offered: OnSale
    promoted: Offered
    party: Party
    trip: Trip
    new_id: NewId

    @classmethod
    def of(
        cls,
        booking: Booking,
        wanted: WantedChange,
        departure: Departure,
        travelers: Sequence[Traveler],
        *,
        uow: UnitOfWork,
        at: datetime,
        new_id: NewId,
    ) -> FromCatalogue:
        """Raises DepartureNotFound, AmendmentNotOffered, InvalidValue for a party that does not fit."""
        offered = uow.bookings.on_sale_again(booking, departure.id, at=at)
        party = Party(
            count=wanted.travelers_count or booking.trip.travelers_count,
            birth_dates=tuple(each.birth_date for each in travelers if each.birth_date is not None),
        )
        promoted = uow.promotions.redeemed(booking.id, at=booking.created_at)
        return cls(booking, offered, promoted, party, _trip(booking, departure, party, offered), new_id)

    def at_fee(self, fee: Money) -> Quote:
        return reprice(self.booking, self.offered, self.promoted, self.party, fee=fee)

    def items_of(self, priced: Quote) -> Iterable[BookingItem]:
        return booked_items(priced, self.booking.shares, new_id=self.new_id)


@dataclass(frozen=True, slots=True)
class ByHand:
    """What people price otherwise: implements `Repriced`."""

    booking: Booking
    items: Sequence[HandPricedItem]
    promoted: Offered
    trip: Trip
    new_id: NewId

    @classmethod
    def of(cls, booking: Booking, wanted: WantedChange, *, uow: UnitOfWork, at: datetime, new_id: NewId) -> ByHand:
        """Raises UnsoundOffer, or InvalidValue for a trip that nobody asks for."""
        count = wanted.travelers_count or booking.trip.travelers_count
        trip = replace(wish_of(booking.trip), travelers_count=count, **wanted.other_trip).trip(at=at)
        items = hand_priced(wanted.items or (), trip, new_id=new_id)
        _refuse_other_currencies(items, booking.final_amount.currency)
        promoted = uow.promotions.redeemed(booking.id, at=booking.created_at)
        return cls(booking, items, promoted, trip, new_id)

    def at_fee(self, fee: Money) -> Quote:
        booking = self.booking
        return quote_by_hand(
            self.items,
            self.trip,
            self.promoted,
            tier_code=booking.rewards.tier_code,
            fee_in=lambda _: booking.price.fee_amount + fee,
            at=booking.created_at,
        )

    def items_of(self, priced: Quote) -> Iterable[BookingItem]:
        return booked_by_hand(self.items, priced, self.booking.shares, new_id=self.new_id)


def _refuse_other_currencies(items: Sequence[HandPricedItem], unit: Currency) -> None:
    """Raises UnsoundOffer: what is paid already is in the booking's own."""
    faults = tuple(
        FieldFault(f"/items/{place}/unit_price", "another_currency", f"this booking is in {unit.code}")
        for place, item in enumerate(items)
        if item.unit_price.currency != unit
    )
    if faults:
        raise UnsoundOffer(faults=faults)


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
