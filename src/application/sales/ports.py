"""What selling reads before it decides."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from domain.catalogue.departures import Departure
from domain.pricing.price_lists import PriceList
from domain.sales.agreed import BookingType, RewardTerms
from domain.sales.cancellation import CancellationTerms
from domain.sales.policies import CancellationPolicy
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


class CancellationPolicies(Protocol):
    """Cancellation policies, by id."""

    def add(self, policy: CancellationPolicy) -> None: ...

    def save(self, policy: CancellationPolicy) -> None: ...

    def get(self, policy_id: UUID) -> CancellationPolicy:
        """The policy, locked. Raises PolicyNotFound."""
        ...

    def lock_default(self) -> None:
        """Nobody else decides which one is the default until the unit of work ends; before any policy is locked."""
        ...

    def default(self) -> CancellationPolicy | None:
        """The one that holds for items that name none, locked."""
        ...

    def refuse_unless_offered(self, policy_id: UUID) -> None:
        """Raises InvalidValue at `/cancellation_policy_id` for one that cannot be chosen for an item."""
        ...
