"""What selling reads before it decides."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from typing import Any
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
    """Which bookings are listed: those that fit all that is said. Archived ones come only where they are asked for.

    `created_to` is not included, other ends of ranges are. Amounts are the price, in minor units of `currency`.
    """

    status: Sequence[str] = ()
    payment_status: Sequence[str] = ()
    booking_type: Sequence[str] = ()
    booking_source: Sequence[str] = ()
    package_id: UUID | None = None
    activity_id: UUID | None = None
    departure_id: UUID | None = None
    user_id: UUID | None = None
    agent_id: UUID | None = None
    q: str = ""
    """Words that the number, or a name, address or telephone number of the customer begins with."""
    created_from: datetime | None = None
    created_to: datetime | None = None
    starts_from: date | None = None
    starts_to: date | None = None
    currency: str | None = None
    min_amount: int | None = None
    max_amount: int | None = None
    has_balance_due: bool | None = None
    archived: bool = False

    def asked(self) -> dict[str, Any]:
        """What was said, by name."""
        said = ((field, getattr(self, field.name)) for field in fields(self))
        return {field.name: value for field, value in said if value != field.default}
