"""Activities: what lasts hours at one place, and the rules of putting it on sale."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Any, Final, TypedDict
from uuid import UUID
from zoneinfo import ZoneInfo

from domain.catalogue.faults import (
    listing_faults,
    missing,
    out_of_range,
    party_faults,
    price_faults,
    refuse_missing,
    text_faults,
)
from domain.catalogue.items import ItemKind
from domain.catalogue.publication import CatalogueItem
from domain.shared.clock import MIDNIGHT, starts_at
from domain.shared.errors import FieldFault, NotFound, RuleBroken
from domain.shared.money import Money
from domain.shared.percentage import Percentage


class ActivityNotFound(NotFound):
    """There is no such activity, or it is not on sale to this viewer."""

    code = "activity_not_found"


class UnsoundActivity(RuleBroken):
    """What was given cannot be an activity; the faults name each field."""

    code = "validation_failed"


class ActivityCategory(StrEnum):
    """The guide's categories (§C)."""

    ADVENTURE = "ADVENTURE"
    CULTURAL = "CULTURAL"
    ENTERTAINMENT = "ENTERTAINMENT"
    SPORTS = "SPORTS"
    WELLNESS = "WELLNESS"


class Difficulty(StrEnum):
    """How hard it is on those who take part (guide §C)."""

    EASY = "EASY"
    MODERATE = "MODERATE"
    CHALLENGING = "CHALLENGING"
    EXTREME = "EXTREME"


LOCATION_LENGTH: Final = 100
LONGEST_HOURS: Final = 72


class ActivityDetails(TypedDict, total=False):
    """What its owner decides about an activity; what is left out stays as it is."""

    name_ar: str
    name_en: str
    description_ar: str
    description_en: str
    category: ActivityCategory
    difficulty_level: Difficulty
    price: Money
    tax_rate: Percentage
    tax_inclusive: bool
    duration_hours: int
    location: str
    min_participants: int
    max_participants: int
    is_featured: bool
    display_order: int
    availability_start: date | None
    availability_end: date | None
    time_zone: str
    cancellation_policy_id: UUID | None


REVIEWED: Final = frozenset(ActivityDetails.__annotations__) - {
    "is_featured", "display_order", "min_participants", "max_participants", "time_zone",
}  # fmt: skip
"""What a vendor's activity is reviewed for: all that customers read, pay and go by."""


@dataclass(eq=False, kw_only=True)
class Activity(CatalogueItem):
    """Hours at a place that are sold by the seat; `price` is for one participant.

    Its departures begin when the clocks of its place say so.
    """

    KIND = ItemKind.ACTIVITY
    NOT_FOUND = ActivityNotFound
    REVIEWED = REVIEWED

    category: ActivityCategory
    difficulty_level: Difficulty = Difficulty.EASY
    price: Money
    duration_hours: int
    location: str = ""
    min_participants: int
    max_participants: int

    @classmethod
    def create(
        cls,
        *,
        item_id: UUID,
        slug: str,
        vendor_id: UUID | None,
        created_by: UUID,
        at: datetime,
        **details: Any,
    ) -> Activity:
        """A draft that customers do not see yet. Raises UnsoundActivity naming every field that cannot be."""
        activity = cls._drafted(
            item_id=item_id, slug=slug, vendor_id=vendor_id, created_by=created_by, at=at, **details
        )
        cls.refuse_unsound(activity.details())
        return activity

    @classmethod
    def refuse_unsound(cls, details: Mapping[str, Any]) -> None:
        if faults := (*_number_faults(details), *text_faults(details)):
            raise UnsoundActivity(faults=faults)

    @classmethod
    def refuse_incomplete(cls, details: Mapping[str, Any]) -> None:
        refuse_missing(missing(_SEEN_BY_CUSTOMERS, details))

    def details(self) -> ActivityDetails:
        """What its owner decided, as it stands now."""
        return {name: getattr(self, name) for name in ActivityDetails.__annotations__}  # type: ignore[return-value]

    @property
    def price_now(self) -> Money:
        return self.price

    def last_day(self, starts_on: date, start_time: time = MIDNIGHT) -> date:
        """The day, at its place, on which a departure that starts then is over; midnight belongs to the day before."""
        zone = ZoneInfo(self.time_zone)
        ends = starts_at(starts_on, start_time, zone) + timedelta(hours=self.duration_hours)
        return (ends - timedelta(microseconds=1)).astimezone(zone).date()


_SEEN_BY_CUSTOMERS: Final = ("name_ar", "name_en", "description_ar", "description_en", "location")


def _number_faults(details: Mapping[str, Any]) -> Iterator[FieldFault]:
    yield from price_faults("price", details["price"])
    if not 1 <= details["duration_hours"] <= LONGEST_HOURS:
        yield out_of_range("duration_hours", f"an activity lasts 1 to {LONGEST_HOURS} hours")
    yield from party_faults("min_participants", "max_participants", details)
    if len(details["location"]) > LOCATION_LENGTH:
        yield out_of_range("location", f"at most {LOCATION_LENGTH} characters")
    yield from listing_faults(details)
