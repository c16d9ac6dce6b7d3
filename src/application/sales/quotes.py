"""Quotes: today's price of a booking, and what it would earn; nothing is stored or held."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from application.queries import SalesQueries
from domain.catalogue.departures import DepartureClosed, DepartureNotFound
from domain.catalogue.packages import PackageNotFound
from domain.ledger.points import PointsTerms
from domain.pricing.quotes import PricedItem, Quote, quote_package
from domain.shared.clock import Clock, business_date
from domain.shared.money import Money
from domain.shared.percentage import Percentage


@dataclass(frozen=True, slots=True, kw_only=True)
class AskForQuote:
    """What a customer thinks of booking."""

    user_id: UUID
    package_id: UUID
    departure_id: UUID | None
    travelers_count: int
    points_terms: PointsTerms


@dataclass(frozen=True, slots=True)
class Quoted:
    """A price, and what comes back to the buyer once it is paid and the trip is over."""

    quote: Quote
    tier_code: str
    seats_left: int | None
    expected_points: int
    expected_cashback: Money


def quote_booking(command: AskForQuote, *, queries: SalesQueries, clock: Clock) -> Quoted:
    """The price now. Raises PackageNotFound, DepartureNotFound, DepartureClosed or InvalidValue."""
    today = business_date(clock.now())
    basis = queries.quote_basis(
        package_id=command.package_id, departure_id=command.departure_id, buyer_id=command.user_id, today=today
    )
    if basis is None:
        raise PackageNotFound()
    if command.departure_id is not None:
        if basis["starts_on"] is None:
            raise DepartureNotFound()
        if basis["departure_status"] != "OPEN" or basis["starts_on"] <= today:
            raise DepartureClosed()
    item = PricedItem(
        name_ar=basis["name_ar"],
        name_en=basis["name_en"],
        unit_price=Money.of(basis["price_minor"], basis["currency"]),
        tax_rate=Percentage(int(basis["tax_rate"] * 100)),
        tax_inclusive=basis["tax_inclusive"],
        min_travelers=basis["min_travelers"],
        max_travelers=basis["max_travelers"],
    )
    quote = quote_package(item, command.travelers_count)
    return Quoted(
        quote=quote,
        tier_code=basis["tier_code"],
        seats_left=basis["seats_left"],
        expected_points=command.points_terms.earned_by(quote.total, int(basis["points_multiplier"] * 100)),
        expected_cashback=Percentage(int(basis["cashback_rate"] * 100)).of(quote.total),
    )
