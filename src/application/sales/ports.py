"""What selling reads before it decides."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Protocol
from uuid import UUID

from domain.catalogue.departures import Departure
from domain.pricing.price_lists import PriceList
from domain.sales.agreed import FrozenRate, RewardTerms
from domain.sales.cancellation import CancellationTerms
from domain.sales.policies import CancellationPolicy
from domain.shared.clock import start_of_day
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
    """A departure as buyers see it; its seats are sold until its first day begins in `time_zone`."""

    starts_on: date
    ends_on: date
    time_zone: str
    is_open: bool
    seats_left: int

    def is_on_sale(self, *, at: datetime) -> bool:
        """Whether seats of it are sold, if any are left."""
        return self.is_open and at < start_of_day(self.starts_on, self.time_zone)


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
class PartnerRates:
    """Whose the item is, and the rates that were agreed with its vendor and with the agent; None for the usual one."""

    vendor_id: UUID | None
    vendor: Percentage | None
    agent: Percentage | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferTerms:
    """What an offer freezes: what the customer's plan gives today, the rate agreed with the agent, where one is, and
    the terms of cancelling: those of the policy that is named, else of the company's default.
    """

    rewards: RewardTerms
    agent_rate: Percentage | None
    cancellation_terms: CancellationTerms


@dataclass(frozen=True, slots=True, kw_only=True)
class Sale:
    """What a booking is made from, read in one statement while the departure is locked."""

    serial: int
    """The next booking number's serial."""
    departure: Departure
    offered: OnSale
    buyer: Buyer
    partners: PartnerRates


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestOpened:
    """What a request is kept with."""

    serial: int
    """The next booking number's serial."""
    terms: OfferTerms
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


class Notice(StrEnum):
    """What a customer is told of an instalment, once each."""

    SOON = "SOON"
    """It is due within some days."""
    TODAY = "TODAY"
    OVERDUE = "OVERDUE"


@dataclass(frozen=True, slots=True, kw_only=True)
class NotedInstalment:
    """An instalment that was noted as told of. `left_minor` is what of it is still owed, in `currency`."""

    booking_id: UUID
    user_id: UUID
    position: int
    due_on: date
    starts_on: date
    left_minor: int
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OverdueBooking:
    """A confirmed booking, and its oldest instalment that is not paid: of which its customer was told on `told_on`."""

    booking_id: UUID
    due_on: date
    told_on: date
    starts_on: date


class Instalments(Protocol):
    """The instalments of all bookings, for the jobs that look after them; the deposit is not among them."""

    def note(
        self, notice: Notice, *, today: date, until: date, at: datetime, limit: int
    ) -> tuple[int, Sequence[NotedInstalment]]:
        """Note what is to be told and was not: SOON of what is due after today and until a day, TODAY, or OVERDUE of
        what was due before today.

        Answers how many were noted, at most `limit`, and those of them that are owed. What another transaction is
        noting is passed over.
        """
        ...

    def overdue(self, *, at: datetime, after: UUID | None, limit: int) -> Sequence[OverdueBooking]:
        """Confirmed bookings of which an instalment was due before that day and told of, and whose trip is still to
        come; by id.

        Not those whose money may be on its way: an outcome that nobody knows, a slip or a receipt to look at.
        """
        ...


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
