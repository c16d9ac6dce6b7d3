"""Another departure for money that came too late: its owner's choice beside the wallet and a refund.

Locks are taken in one order: the expired booking, the departure with its pools, payments, their items in suspense,
ledger accounts all at once, promotions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from application.billing.deciding import DecideSuspense, Deciding
from application.billing.late_choices import ACTION, waiting_for
from application.billing.payables import BookingPayable
from application.identity.ports import KeyedDigests
from application.ledger.locks import lock_owned
from application.ports import UnitOfWork
from application.pricing.ports import OfferedPromotions
from application.queries import SalesQueries
from application.sales.booking_points import earn_if_free
from application.sales.ports import Sale
from application.sales.pricing import (
    Chosen,
    PricingSettings,
    booked_items,
    booked_price,
    frozen_shares,
    price_of,
    promotions_for,
    rewards_with,
)
from application.sales.quotes import AskForQuote, Quoted, quote_booking, refuse_moved_price
from domain.billing.late_money import LateChoice, LateMoney
from domain.billing.suspense import Resolution
from domain.catalogue.items import Item
from domain.ledger import accounts
from domain.pricing.price_lists import Party
from domain.pricing.quotes import Quote
from domain.sales.agreed import BookingType, Parties, Trip
from domain.sales.bookings import Booking
from domain.sales.instalments import EVERYTHING, PlanTerms, PlanWanted, schedule
from domain.sales.travelers import Traveler, refuse_unfit
from domain.shared.clock import Clock, business_date
from domain.shared.errors import InvalidValue
from domain.shared.identifiers import NewId, document_number
from domain.shared.money import Money, total


@dataclass(frozen=True, slots=True, kw_only=True)
class LateDeparture:
    """Which departure of the expired booking's package or activity its owner thinks of, and the company's figures."""

    booking_id: UUID
    user_id: UUID
    departure_id: UUID
    hold_for: timedelta
    plan_terms: PlanTerms
    settings: PricingSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class LateDeparturePreview:
    """What the departure costs, and what becomes of the money; nothing is stored or held."""

    quoted: Quoted
    money: Money
    pays: Money
    """What of the money the booking would be paid with; nothing where it is less than what confirms the booking."""

    @property
    def to_wallet(self) -> Money:
        return self.money - self.pays

    @property
    def amount_due(self) -> Money:
        """What would still be due of the price."""
        return self.quoted.quote.total - self.pays


def preview_late_departure(
    command: LateDeparture, *, uow: UnitOfWork, queries: SalesQueries, promotions: OfferedPromotions, clock: Clock
) -> LateDeparturePreview:
    """Raises BookingNotFound for a stranger's, NoLateMoney, DepartureNotFound, DepartureClosed, or InvalidValue."""
    with uow:
        expired, waiting = waiting_for(command.booking_id, command.user_id, uow=uow)
        party = _party(uow.bookings.travelers(expired.id), expired)
    money = _money(waiting)
    ask = AskForQuote(
        user_id=expired.user_id,
        item=_item(expired),
        departure_id=command.departure_id,
        chosen=Chosen(party=party, currency=money.currency.code),
        hold_for=command.hold_for,
        plan=PlanWanted(),
        plan_terms=command.plan_terms,
        settings=command.settings,
    )
    quoted = quote_booking(ask, queries=queries, promotions=promotions, clock=clock)
    confirms = quoted.instalments[0].amount if quoted.instalments else quoted.quote.total
    return LateDeparturePreview(quoted=quoted, money=money, pays=_paid_with(money, confirms, quoted.quote.total))


@dataclass(frozen=True, slots=True, kw_only=True)
class ChooseDeparture(LateDeparture):
    """The owner takes the departure, at the price that `price_token` was shown with."""

    price_token: str
    document_valid_days: int


def choose_departure(
    command: ChooseDeparture, *, uow: UnitOfWork, clock: Clock, new_id: NewId, digests: KeyedDigests
) -> UUID:
    """Book the departure and pay it with all late money that waits: all of it in one transaction, once; its id.

    What the money exceeds the price by stays in the wallet. Where it is less, it pays as the plan's deposit; where it
    is less than that, it goes into the wallet, and the seats are held as for any booking that waits for its money.
    Raises BookingNotFound, NoLateMoney, PriceMoved, DepartureNotFound, DepartureClosed, SoldOut, RateNotFound,
    UnfitTravelers, SuspenseDoesNotFit, IllegalTransition where staff were quicker, or InvalidValue.
    """
    now = clock.now()
    with uow:
        expired, waiting = waiting_for(command.booking_id, command.user_id, uow=uow)
        travelers, money = uow.bookings.travelers(expired.id), _money(waiting)
        chosen = Chosen(party=_party(travelers, expired), currency=money.currency.code)
        sale = uow.bookings.open_sale(
            _item(expired),
            departure_id=command.departure_id,
            buyer_id=expired.user_id,
            agent_id=expired.agent_id,
            currency=chosen.currency,
            at=now,
        )
        promoted = promotions_for(sale.offered, chosen, expired.user_id, promotions=uow.promotions, at=now)
        priced = price_of(sale.offered, chosen, promoted=promoted, settings=command.settings, at=now)
        refuse_moved_price(command.price_token, priced, digests=digests, at=now)
        booking = _place(command, expired, sale, chosen.party, priced, at=now, new_id=new_id)
        refuse_unfit(travelers, booking.trip, valid_days=command.document_valid_days, today=business_date(now))
        sale.departure.take_seats(booking.trip.seats, at=now)
        uow.bookings.add(booking, travelers)
        for late in waiting:
            late.choose(LateChoice.DEPARTURE, by=command.user_id, at=now, rebooked_id=booking.id)
            uow.late_money.save(late)
        _pay(booking, waiting, money, uow=uow, clock=clock, new_id=new_id)
        earn_if_free(booking, uow=uow, at=now, new_id=new_id)
        uow.promotions.redeem(priced.benefits, booking_id=booking.id, user_id=booking.user_id, at=now)
        uow.commit()
    return booking.id


def _place(
    command: ChooseDeparture,
    expired: Booking,
    sale: Sale,
    party: Party,
    priced: Quote,
    *,
    at: datetime,
    new_id: NewId,
) -> Booking:
    hold_expires_at = at + command.hold_for
    shares = frozen_shares(sale.partners, agent_id=expired.agent_id, settings=command.settings)
    return Booking.place(
        booking_id=new_id(),
        booking_number=document_number("BK", business_date(at).year, sale.serial),
        parties=Parties(
            user_id=expired.user_id,
            agent_id=expired.agent_id,
            created_by_user_id=command.user_id,
            source=expired.booking_source,
        ),
        trip=_trip(expired, sale, party),
        price=booked_price(priced, sale.offered.exchange),
        items=booked_items(priced, shares, new_id=new_id),
        deposit=EVERYTHING,
        instalments=schedule(
            priced.total,
            PlanWanted(),
            command.plan_terms,
            held_until=business_date(hold_expires_at),
            starts_on=sale.departure.starts_on,
        ),
        rewards=rewards_with(sale.offered.rewards, priced),
        cancellation_terms=sale.offered.cancellation_terms,
        customer_info=expired.customer_info,
        special_requests=expired.special_requests,
        hold_expires_at=hold_expires_at,
        at=at,
    )


def _trip(expired: Booking, sale: Sale, party: Party) -> Trip:
    departure = sale.departure
    return Trip(
        booking_type=BookingType(_item(expired).kind),
        start_date=departure.starts_on,
        end_date=departure.ends_on,
        starts_at=departure.begins_at,
        time_zone=departure.time_zone,
        travelers_count=party.count,
        seats=sale.offered.price_list.seats_for(party, departure.starts_on),
        package_id=expired.trip.package_id,
        activity_id=expired.trip.activity_id,
        departure_id=departure.id,
    )


def _pay(
    booking: Booking, waiting: Sequence[LateMoney], money: Money, *, uow: UnitOfWork, clock: Clock, new_id: NewId
) -> None:
    """Put all of the money into the wallet, and pay from there what it pays of the price."""
    payable = BookingPayable(booking.id, uow=uow, at=clock.now())
    decidings = [_deciding(late, uow=uow, clock=clock, new_id=new_id) for late in waiting]
    paid = _paid_with(money, booking.smallest_payment, booking.final_amount)
    lock_owned({*payable.moves, accounts.wallet(booking.user_id, money.currency.code)}, uow=uow)
    for deciding in decidings:
        for item in deciding.real_money():
            journal = deciding.to_wallet(item.amount, key=item.journal_key)
            deciding.resolve(Resolution.APPLIED if paid.is_positive else Resolution.WALLET, journal_id=journal)
    if paid.is_positive:
        decidings[0].pay(payable, booking.id, paid)
    if money > paid:
        decidings[0].tell_of_credit(money - paid)


def _deciding(late: LateMoney, *, uow: UnitOfWork, clock: Clock, new_id: NewId) -> Deciding:
    command = DecideSuspense(
        receipt_id=late.receipt_id,
        actor_id=late.chosen_by,
        reason="the customer's choice",
        is_owners=True,
        action=ACTION,
    )
    return Deciding.locked(command, uow=uow, clock=clock, new_id=new_id)


def _paid_with(money: Money, confirms: Money, price: Money) -> Money:
    """What is paid of a price with some money: what does not confirm the booking pays nothing."""
    return min(money, price) if money >= confirms else Money(0, money.currency)


def _money(waiting: Sequence[LateMoney]) -> Money:
    """All of it. Raises InvalidValue for two currencies: they are no one price."""
    units = {late.amount.currency.code for late in waiting}
    if len(units) > 1:
        raise InvalidValue("money of two currencies", pointer="/choice", code="not_offered")
    return total((late.amount for late in waiting), units.pop())


def _item(expired: Booking) -> Item:
    """Raises InvalidValue for what people priced: it has no departures."""
    if expired.trip.is_on_request:
        raise InvalidValue("not of a trip in the catalogue", pointer="/choice", code="not_offered")
    return Item.of(expired.trip.package_id, expired.trip.activity_id)


def _party(travelers: Sequence[Traveler], expired: Booking) -> Party:
    births = (traveler.birth_date for traveler in travelers)
    known = tuple(birth for birth in births if birth is not None)
    return Party(count=expired.trip.travelers_count, birth_dates=known)
