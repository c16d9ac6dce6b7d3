"""Quotes: today's price of a booking, and what it would earn; nothing is stored or held."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Final
from uuid import UUID

import orjson

from application import shown
from application.identity.ports import KeyedDigests
from application.pricing.ports import Offered, OfferedPromotions
from application.queries import SalesQueries
from application.sales.ports import Departing, OnSale
from application.sales.pricing import Chosen, PricingSettings, price_of, promotions_for
from domain.catalogue.activities import ActivityNotFound
from domain.catalogue.departures import Departure, DepartureClosed, DepartureNotFound
from domain.catalogue.items import Item, ItemKind
from domain.catalogue.packages import PackageNotFound
from domain.ledger.points import PointsTerms
from domain.pricing.baskets import NotApplied, PromotionKind
from domain.pricing.deals import Reason
from domain.pricing.quotes import Quote
from domain.sales.agreed import RewardTerms
from domain.sales.booking_errors import PriceMoved
from domain.sales.instalments import Instalment, PlanTerms, PlanWanted, schedule
from domain.shared.clock import Clock, business_date
from domain.shared.errors import InvalidValue
from domain.shared.money import Money

GOOD_FOR: Final = timedelta(minutes=15)
"""How long a quote's token is taken; the price is worked out anew all the same."""
_PURPOSE: Final = "quote"


@dataclass(frozen=True, slots=True, kw_only=True)
class AskForQuote:
    """What a customer thinks of booking."""

    user_id: UUID
    item: Item
    departure_id: UUID | None
    chosen: Chosen
    hold_for: timedelta
    plan: PlanWanted
    plan_terms: PlanTerms
    settings: PricingSettings
    starts_on: date | None = None
    ends_on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Quoted:
    """A price, and what comes back to the buyer once it is paid and the trip is over."""

    quote: Quote
    tier_code: str
    seats_left: int | None
    expected_points: int
    expected_cashback: Money
    good_until: datetime
    instalments: tuple[Instalment, ...]
    """By when which part would be paid of a booking that is placed now; none where all is, or no departure is named."""


def quote_booking(
    command: AskForQuote, *, queries: SalesQueries, promotions: OfferedPromotions, clock: Clock
) -> Quoted:
    """The price now, with no more points than the buyer can spend.

    Raises CustomerNotFound, PackageNotFound, ActivityNotFound, DepartureNotFound, DepartureClosed, PlanNotOffered or
    InvalidValue.
    """
    now = clock.now()
    offered = queries.on_sale(
        command.item,
        departure_id=command.departure_id,
        buyer_id=command.user_id,
        currency=command.chosen.currency,
        at=now,
    )
    if offered is None:
        raise PackageNotFound() if command.item.kind is ItemKind.PACKAGE else ActivityNotFound()
    if offered.departs is None and command.departure_id is not None:
        raise DepartureNotFound()
    if offered.departs is not None and not offered.departs.is_on_sale(at=now):
        raise DepartureClosed()
    if offered.departs is not None:
        refuse_other_dates(offered.departs, command.starts_on, command.ends_on)
    promoted = promotions_for(offered, command.chosen, command.user_id, promotions=promotions, at=now)
    priced = _priced(command, offered, promoted, queries=queries, at=now)
    return quoted_as(
        priced,
        offered.rewards,
        command.settings.points.converted(offered.exchange),
        instalments=_instalments(command, offered, priced, at=now),
        seats_left=offered.departs.seats_left if offered.departs is not None else None,
        at=now,
    )


def quoted_as(
    priced: Quote,
    rewards: RewardTerms,
    points: PointsTerms,
    *,
    instalments: tuple[Instalment, ...],
    seats_left: int | None,
    at: datetime,
) -> Quoted:
    """A price, with what it would earn whoever has these rewards, by the sale's terms of points."""
    bonus = [benefit.cashback for benefit in priced.benefits if benefit.cashback]
    return Quoted(
        quote=priced,
        tier_code=rewards.tier_code,
        seats_left=seats_left,
        expected_points=points.earned_by(priced.total, rewards.points_multiplier)
        + sum(benefit.bonus_points for benefit in priced.benefits),
        expected_cashback=sum(bonus, start=rewards.cashback_rate.of(priced.total)),
        good_until=at + GOOD_FOR,
        instalments=instalments,
    )


def refuse_other_dates(departs: Departing | Departure, starts_on: date | None, ends_on: date | None) -> None:
    """A date that is said beside a departure is the departure's own. Raises InvalidValue."""
    if starts_on not in (None, departs.starts_on):
        raise InvalidValue("the departure starts on another day", pointer="/start_date", code="not_of_the_departure")
    if ends_on not in (None, departs.ends_on):
        raise InvalidValue("the departure ends on another day", pointer="/end_date", code="not_of_the_departure")


def _priced(command: AskForQuote, offered: OnSale, promoted: Offered, *, queries: SalesQueries, at: datetime) -> Quote:
    """At no more points than there are; the balance is read only where the price takes some."""
    chosen, settings = command.chosen, command.settings
    priced = price_of(offered, chosen, promoted=promoted, settings=settings, at=at)
    available = queries.spendable_points(command.user_id, at=at) if priced.points else 0
    if priced.points <= available:
        return priced
    priced = price_of(offered, replace(chosen, points=available), promoted=promoted, settings=settings, at=at)
    too_few = NotApplied(
        kind=PromotionKind.POINTS,
        reason=Reason.INSUFFICIENT_BALANCE,
        title_ar="النقاط",
        title_en="Points",
        figures={"asked": str(chosen.points), "available": str(available)},
    )
    return replace(priced, not_applied=(*priced.not_applied, too_few))


def _instalments(command: AskForQuote, offered: OnSale, priced: Quote, *, at: datetime) -> tuple[Instalment, ...]:
    if offered.departs is None:
        return ()
    held_until = business_date(at + command.hold_for)
    return schedule(
        priced.total, command.plan, command.plan_terms, held_until=held_until, starts_on=offered.departs.starts_on
    )


def price_token(quoted: Quoted, *, digests: KeyedDigests) -> str:
    """What a booking says to be placed at this price or not at all."""
    fingerprint = price_fingerprint(quoted.quote)
    return shown.token_of(fingerprint, purpose=_PURPOSE, until=quoted.good_until, digests=digests)


def refuse_moved_price(token: str | None, priced: Quote, *, digests: KeyedDigests, at: datetime) -> None:
    """Raises PriceMoved, with the price as it is now, where a token is of another price or its time is over."""
    if has_moved(token, priced, digests=digests, at=at):
        raise PriceMoved(new_total={"amount": priced.total.decimal(), "currency": priced.total.currency.code})


def has_moved(token: str | None, priced: Quote, *, digests: KeyedDigests, at: datetime) -> bool:
    """Whether a token is of another price, or its time is over."""
    if token is None:
        return False
    return shown.fingerprint_in(token, purpose=_PURPOSE, at=at, digests=digests) != price_fingerprint(priced)


def price_fingerprint(priced: Quote) -> str:
    """Equal for prices that are made of the same lines."""
    lines = [(line.kind, line.quantity, line.amount.minor, line.source_id) for line in priced.lines]
    said = orjson.dumps([priced.total.currency.code, lines], default=str)
    return hashlib.sha256(said).hexdigest()
