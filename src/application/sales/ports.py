"""What selling reads before it decides."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from domain.catalogue.departures import Departure
from domain.pricing.price_lists import PriceList
from domain.sales.agreed import FrozenRate, RewardTerms
from domain.sales.cancellation import CancellationTerms
from domain.shared.percentage import Percentage


@dataclass(frozen=True, slots=True)
class Buyer:
    """The customer as a booking remembers them."""

    user_id: UUID
    first_name: str
    last_name: str
    email: str
    phone: str


@dataclass(frozen=True, slots=True)
class Departing:
    """A departure as buyers see it."""

    starts_on: date
    is_open: bool
    seats_left: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OnSale:
    """An item of the catalogue as this buyer is offered it, in the currency they asked for.

    `exchange` is the rate that its prices were converted with. `has_offers` says whether any offer runs.
    """

    price_list: PriceList
    exchange: FrozenRate | None
    departs: Departing | None
    """The departure that was named, where it is one of the item's."""
    rewards: RewardTerms
    member_rate: Percentage
    cancellation_terms: CancellationTerms
    has_offers: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Sale:
    """What a booking is made from, read in one statement while the departure is locked."""

    serial: int
    """The next booking number's serial."""
    departure: Departure
    offered: OnSale
    buyer: Buyer


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestOpened:
    """What a request is kept with."""

    serial: int
    """The next booking number's serial."""
    rewards: RewardTerms
    buyer: Buyer


@dataclass(frozen=True, slots=True, kw_only=True)
class BookingSearch:
    """Which bookings are listed; archived ones only where they are asked for, beside the others."""

    status: str | None = None
    departure_id: UUID | None = None
    archived: bool = False
