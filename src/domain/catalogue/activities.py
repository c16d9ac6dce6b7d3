"""Activities: what lasts hours at one place, and the rules of putting it on sale."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Any, ClassVar, Final, TypedDict, Unpack
from uuid import UUID
from zoneinfo import ZoneInfo

from domain.catalogue.faults import listing_faults, missing, out_of_range, party_faults, price_faults, text_faults
from domain.catalogue.packages import UNTAXED, NotPublishable
from domain.catalogue.seasons import Season
from domain.shared.aggregate import Aggregate
from domain.shared.clock import BUSINESS_ZONE, MIDNIGHT, starts_at
from domain.shared.errors import FieldFault, IllegalTransition, NotFound, RuleBroken
from domain.shared.events import DomainEvent
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


class ActivityStatus(StrEnum):
    """Where an activity stands; only ACTIVE ones are seen and sold.

    The guide's ACTIVE and INACTIVE, and as for packages a state before the first sale and one after the last.
    """

    DRAFT = "DRAFT"
    ACTIVE = "ACTIVE"
    INACTIVE = "INACTIVE"
    ARCHIVED = "ARCHIVED"


NEXT: Final = {
    ActivityStatus.DRAFT: {ActivityStatus.ACTIVE, ActivityStatus.ARCHIVED},
    ActivityStatus.ACTIVE: {ActivityStatus.INACTIVE, ActivityStatus.ARCHIVED},
    ActivityStatus.INACTIVE: {ActivityStatus.ACTIVE, ActivityStatus.ARCHIVED},
    ActivityStatus.ARCHIVED: set[ActivityStatus](),
}

LOCATION_LENGTH: Final = 100
LONGEST_HOURS: Final = 72


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivityPublished(DomainEvent):
    name: ClassVar[str] = "catalogue.activity_published"
    activity_id: UUID


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


@dataclass(eq=False, kw_only=True)
class Activity(Aggregate):
    """Hours at a place that are sold by the seat; `price` is for one participant.

    `time_zone` (IANA) is the place's: its departures begin when the clocks there say so.
    """

    id: UUID
    slug: str
    name_ar: str = ""
    name_en: str = ""
    description_ar: str = ""
    description_en: str = ""
    category: ActivityCategory
    difficulty_level: Difficulty = Difficulty.EASY
    price: Money
    tax_rate: Percentage = UNTAXED
    tax_inclusive: bool = True
    duration_hours: int
    location: str = ""
    min_participants: int
    max_participants: int
    is_featured: bool = False
    display_order: int = 0
    status: ActivityStatus
    availability_start: date | None = None
    availability_end: date | None = None
    time_zone: str = BUSINESS_ZONE.key
    cancellation_policy_id: UUID | None = None
    """None leaves it to the company's default."""
    vendor_id: UUID | None = None
    created_by_user_id: UUID
    created_at: datetime
    updated_at: datetime
    version: int = 1

    @classmethod
    def create(
        cls,
        *,
        activity_id: UUID,
        slug: str,
        vendor_id: UUID | None,
        created_by: UUID,
        at: datetime,
        **details: Unpack[ActivityDetails],
    ) -> Activity:
        """A draft that customers do not see yet. Raises UnsoundActivity naming every field that cannot be."""
        activity = cls(
            id=activity_id,
            slug=slug,
            status=ActivityStatus.DRAFT,
            vendor_id=vendor_id,
            created_by_user_id=created_by,
            created_at=at,
            updated_at=at,
            **details,
        )
        _refuse(activity.details())
        return activity

    def change(self, *, at: datetime, **details: Unpack[ActivityDetails]) -> None:
        """Change what was given. Raises UnsoundActivity, or NotPublishable where customers would miss something."""
        changed: ActivityDetails = {**self.details(), **details}
        _refuse(changed)
        if self.status is ActivityStatus.ACTIVE:
            _refuse_unpublishable(changed)
        for name, value in details.items():
            setattr(self, name, value)
        self.updated_at = at

    def details(self) -> ActivityDetails:
        """What its owner decided, as it stands now."""
        return {name: getattr(self, name) for name in ActivityDetails.__annotations__}  # type: ignore[return-value]

    def publish(self, *, at: datetime) -> None:
        """Put it on sale. Raises NotPublishable naming every field that customers would miss."""
        _refuse_unpublishable(self.details())
        self._move_to(ActivityStatus.ACTIVE, at=at)
        self.record(ActivityPublished(at=at, activity_id=self.id))

    def deactivate(self, *, at: datetime) -> None:
        """Take it off sale for a while; what is sold stays sold."""
        self._move_to(ActivityStatus.INACTIVE, at=at)

    def archive(self, *, at: datetime) -> None:
        """Take it off sale for good; what is sold stays sold."""
        self._move_to(ActivityStatus.ARCHIVED, at=at)

    def last_day(self, starts_on: date, start_time: time = MIDNIGHT) -> date:
        """The day, at its place, on which a departure that starts then is over; midnight belongs to the day before."""
        zone = ZoneInfo(self.time_zone)
        ends = starts_at(starts_on, start_time, zone) + timedelta(hours=self.duration_hours)
        return (ends - timedelta(microseconds=1)).astimezone(zone).date()

    def refuse_outside_season(self, starts_on: date, ends_on: date) -> None:
        """Raises InvalidValue for dates at which this activity is not offered."""
        Season(self.availability_start, self.availability_end).refuse_outside(starts_on, ends_on)

    def _move_to(self, status: ActivityStatus, *, at: datetime) -> None:
        if status not in NEXT[self.status]:
            raise IllegalTransition(current=self.status, wanted=status)
        self.status = status
        self.updated_at = at


_SEEN_BY_CUSTOMERS: Final = ("name_ar", "name_en", "description_ar", "description_en", "location")


def _refuse(details: ActivityDetails) -> None:
    faults = (*_number_faults(details), *text_faults(details))
    if faults:
        raise UnsoundActivity(faults=faults)


def _refuse_unpublishable(details: Mapping[str, Any]) -> None:
    faults = missing(_SEEN_BY_CUSTOMERS, details)
    if faults:
        raise NotPublishable(faults=faults)


def _number_faults(details: ActivityDetails) -> Iterator[FieldFault]:
    yield from price_faults("price", details["price"])
    if not 1 <= details["duration_hours"] <= LONGEST_HOURS:
        yield out_of_range("duration_hours", f"an activity lasts 1 to {LONGEST_HOURS} hours")
    yield from party_faults("min_participants", "max_participants", details)
    if len(details["location"]) > LOCATION_LENGTH:
        yield out_of_range("location", f"at most {LOCATION_LENGTH} characters")
    yield from listing_faults(details)
