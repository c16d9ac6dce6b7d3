"""What selling reads before it decides."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from domain.catalogue.departures import Departure
from domain.pricing.quotes import PricedItem
from domain.sales.bookings import RewardTerms


@dataclass(frozen=True, slots=True)
class Buyer:
    """The customer as a booking remembers them."""

    user_id: UUID
    first_name: str
    last_name: str
    email: str
    phone: str


@dataclass(frozen=True, slots=True)
class Sale:
    """What a booking is made from, read in one statement while the departure is locked."""

    serial: int
    """The next booking number's serial."""
    departure: Departure
    item: PricedItem
    buyer: Buyer
    rewards: RewardTerms
