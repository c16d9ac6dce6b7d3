"""What a booking agrees with its customer when it is placed: trip, price, rewards. It is frozen; offers move on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Final
from uuid import UUID

from domain.shared.money import Money
from domain.shared.percentage import Percentage


class BookingType(StrEnum):
    """The guide's types; those of the catalogue are booked at once, the others are asked for and priced by people."""

    HOTEL = "HOTEL"
    FLIGHT = "FLIGHT"
    TOUR = "TOUR"
    TRANSPORTATION = "TRANSPORTATION"
    CAR_RENTAL = "CAR_RENTAL"
    ACTIVITY = "ACTIVITY"
    PACKAGE = "PACKAGE"


class BookingSource(StrEnum):
    """Through whom a booking came, as the guide computes it."""

    SELF = "SELF"
    ADMIN = "ADMIN"
    AGENT = "AGENT"


def source_of(*, creator: UUID, customer: UUID, agent: UUID | None, creator_is_staff: bool) -> BookingSource:
    """Through whom a booking came (guide §8, `get_booking_source`)."""
    if creator == customer:
        return BookingSource.SELF
    if agent is not None:
        return BookingSource.AGENT
    return BookingSource.ADMIN if creator_is_staff else BookingSource.SELF


@dataclass(frozen=True, slots=True, kw_only=True)
class Parties:
    """Whose booking it is, and through whom it came."""

    user_id: UUID
    agent_id: UUID | None
    created_by_user_id: UUID
    source: BookingSource

    @classmethod
    def of(cls, *, creator: UUID, customer: UUID, agent: UUID | None, creator_is_staff: bool) -> Parties:
        """The parties of a booking that somebody makes for a customer."""
        source = source_of(creator=creator, customer=customer, agent=agent, creator_is_staff=creator_is_staff)
        return cls(user_id=customer, agent_id=agent, created_by_user_id=creator, source=source)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trip:
    """What is travelled, and when: plain dates of the place, and the instant at which it begins there.

    `details` is what a request says of a trip that is in no catalogue.
    """

    booking_type: BookingType
    start_date: date
    end_date: date
    starts_at: datetime
    time_zone: str
    travelers_count: int
    seats: int
    """How many seats the party takes: infants may sit with somebody."""
    package_id: UUID | None = None
    activity_id: UUID | None = None
    departure_id: UUID | None = None
    details: Mapping[str, object] = field(default_factory=dict)

    @property
    def is_on_request(self) -> bool:
        """Whether it is in no catalogue: people price it."""
        return self.package_id is None and self.activity_id is None

    @property
    def seats_held(self) -> int:
        """Of its departure; none where it is of none."""
        return self.seats if self.departure_id is not None else 0

    def is_left_for(self, other: Trip) -> bool:
        """Whether nothing of it is left in another: one on another departure, or at another time where it has none."""
        if self.departure_id is not None:
            return self.departure_id != other.departure_id
        return self.starts_at != other.starts_at


@dataclass(frozen=True, slots=True, kw_only=True)
class RewardTerms:
    """What the buyer's plan gives, frozen when the booking is placed (points in hundredths, ×1.50 is 150).

    `bonus_points` and `bonus_cashback` come from an offer or a voucher, beside the plan's own.
    """

    tier_code: str
    points_multiplier: int
    cashback_rate: Percentage
    bonus_points: int = 0
    bonus_cashback: Money | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FrozenRate:
    """The dated exchange rate that a price was converted with."""

    rate_id: UUID
    from_currency: str
    rate: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class BookedPrice:
    """The amounts of the quote that the booking was placed at.

    `base_amount - discount_amount - voucher_discount + tax_amount + fee_amount` is `final_amount`.
    `points` were redeemed for `points_worth`, which is a part of `discount_amount`.
    """

    lines: tuple[dict[str, object], ...]
    base_amount: Money
    discount_amount: Money
    voucher_discount: Money
    tax_amount: Money
    fee_amount: Money
    tax_rate: Percentage
    final_amount: Money
    points: int = 0
    points_worth: Money
    exchange: FrozenRate | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FrozenShares:
    """Whose an item is, and the rates that its vendor and the booking's agent earn at; they were read at its sale.

    What is the company's own has no vendor, and what no agent sold has no agent's rate.
    """

    vendor_id: UUID | None = None
    vendor_rate: Percentage | None = None
    agent_rate: Percentage | None = None

    def __post_init__(self) -> None:
        if (self.vendor_id is None) != (self.vendor_rate is None):
            raise ValueError("a vendor has a rate, and nobody else has a vendor's")


NOBODYS: Final = FrozenShares()
"""Nobody but the company earns by it."""


@dataclass(eq=False, kw_only=True)
class BookingItem:
    """One thing in a booking, with its own shares of everything, so that refunds of parts are exact (guarantee M6).

    `total_price` is `price` as shown, less `discount`, with `fee`, and with `tax` where it is not in the price.
    All items' `total_price` are the booking's final amount.
    """

    id: UUID
    booking_type: BookingType
    item_name_ar: str
    item_name_en: str
    quantity: int
    unit_price: Money
    price: Money
    discount: Money
    tax: Money
    fee: Money
    total_price: Money
    details: Mapping[str, object] = field(default_factory=dict)
    notes: str = ""
    shares: FrozenShares = NOBODYS
