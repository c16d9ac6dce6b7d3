"""What selling reads before it decides."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from domain.catalogue.departures import Departure
from domain.pricing.price_lists import PriceList
from domain.sales.agreed import BookingType, RewardTerms
from domain.sales.cancellation import CancellationTerms
from domain.shared.percentage import Percentage


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogueItem:
    """A package or an activity, by its id."""

    booking_type: BookingType
    id: UUID


@dataclass(frozen=True, slots=True)
class Buyer:
    """The customer as a booking remembers them."""

    user_id: UUID
    first_name: str
    last_name: str
    email: str
    phone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OnSale:
    """An item of the catalogue as this buyer is offered it, on a departure where one was named.

    `has_offers` says whether any offer runs.
    """

    departure: Departure | None
    price_list: PriceList
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
