"""Requests: trips that are in no catalogue. Customers say what they want, people price it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from domain.sales.agreed import BookingType, Trip
from domain.sales.details import clean_details
from domain.shared.clock import BUSINESS_ZONE, MIDNIGHT, is_place, starts_at
from domain.shared.errors import Conflict, InvalidValue

ON_REQUEST: Final = frozenset(BookingType) - {BookingType.ACTIVITY, BookingType.PACKAGE}
"""What is asked for; the rest is booked from the catalogue at once."""
FURTHEST: Final = timedelta(days=3 * 365 + 1)
"""How far ahead trips are asked for."""
LONGEST_OFFER: Final = timedelta(days=30)
"""How long an offer may wait for its money."""


class TripBegan(Conflict):
    """What was asked for has begun or is over: it can be priced for other dates only."""

    code = "trip_began"


@dataclass(frozen=True, slots=True, kw_only=True)
class TripWish:
    """What a customer asks for, on plain dates of the place; `end_date` is the first day where it is left out."""

    booking_type: BookingType
    start_date: date
    end_date: date | None = None
    time_zone: str = BUSINESS_ZONE.key
    travelers_count: int
    details: Mapping[str, object] = field(default_factory=dict)

    def trip(self, *, at: datetime) -> Trip:
        """The trip that is wished for. Raises InvalidValue for dates before tomorrow, out of order or too far ahead."""
        if self.booking_type not in ON_REQUEST:
            raise InvalidValue("booked from the catalogue", pointer="/booking_type", code="not_on_request")
        if not is_place(self.time_zone):
            raise InvalidValue("a zone such as Africa/Cairo", pointer="/time_zone", code="unknown_time_zone")
        zone, end_date = ZoneInfo(self.time_zone), self.end_date or self.start_date
        today = at.astimezone(zone).date()
        if not today < self.start_date <= today + FURTHEST:
            raise InvalidValue("from tomorrow to three years ahead", pointer="/start_date", code="out_of_range")
        if not self.start_date <= end_date <= today + FURTHEST:
            detail = "on or after start_date, at most three years ahead"
            raise InvalidValue(detail, pointer="/end_date", code="out_of_range")
        return Trip(
            booking_type=self.booking_type,
            start_date=self.start_date,
            end_date=end_date,
            starts_at=starts_at(self.start_date, MIDNIGHT, zone),
            time_zone=self.time_zone,
            travelers_count=self.travelers_count,
            seats=self.travelers_count,
            details=clean_details(self.details, pointer="/booking_details"),
        )


def wish_of(trip: Trip) -> TripWish:
    """What was asked for, to be asked for otherwise."""
    return TripWish(
        booking_type=trip.booking_type,
        start_date=trip.start_date,
        end_date=trip.end_date,
        time_zone=trip.time_zone,
        travelers_count=trip.travelers_count,
        details=trip.details,
    )


def offer_deadline(trip: Trip, *, until: datetime | None, ordinarily: timedelta, at: datetime) -> datetime:
    """Until when an offer can be paid: at the latest until the trip begins.

    Raises TripBegan, or InvalidValue for an instant that is over, behind the trip's start or more than LONGEST_OFFER
    ahead.
    """
    if trip.starts_at <= at:
        raise TripBegan()
    if until is None:
        return min(at + ordinarily, trip.starts_at)
    if not at < until <= min(at + LONGEST_OFFER, trip.starts_at):
        detail = f"in the future, before the trip begins, at most {LONGEST_OFFER.days} days ahead"
        raise InvalidValue(detail, pointer="/valid_until", code="out_of_range")
    return until
