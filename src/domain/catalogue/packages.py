"""Travel packages and the rules of putting them on sale."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Any, ClassVar, Final, TypedDict, Unpack
from uuid import UUID

from domain.catalogue.faults import (
    listing_faults,
    missing,
    out_of_range,
    party_faults,
    price_faults,
    text_faults,
)
from domain.catalogue.seasons import Season
from domain.shared.aggregate import Aggregate
from domain.shared.clock import BUSINESS_ZONE, MIDNIGHT
from domain.shared.errors import Conflict, FieldFault, IllegalTransition, NotFound, RuleBroken
from domain.shared.events import DomainEvent
from domain.shared.money import Money
from domain.shared.percentage import Percentage


class PackageNotFound(NotFound):
    """There is no such package, or it is not on sale to this viewer."""

    code = "package_not_found"


class NotPublishable(RuleBroken):
    """Something that customers must see is missing; the faults name each field."""

    code = "not_publishable"


class UnsoundPackage(RuleBroken):
    """What was given cannot be a package; the faults name each field."""

    code = "validation_failed"


class SlugTaken(Conflict):
    """Another one of its kind has this address."""

    code = "slug_taken"


class PackageCategory(StrEnum):
    """The guide's categories."""

    HONEYMOON = "HONEYMOON"
    FAMILY = "FAMILY"
    ADVENTURE = "ADVENTURE"
    LUXURY = "LUXURY"
    BUSINESS = "BUSINESS"
    WEEKEND = "WEEKEND"
    SEASONAL = "SEASONAL"


class PackageStatus(StrEnum):
    """Where a package stands; only ACTIVE ones are seen and sold."""

    DRAFT = "DRAFT"
    ACTIVE = "ACTIVE"
    INACTIVE = "INACTIVE"
    ARCHIVED = "ARCHIVED"


UNTAXED: Final = Percentage(0)

NEXT = {
    PackageStatus.DRAFT: {PackageStatus.ACTIVE, PackageStatus.ARCHIVED},
    PackageStatus.ACTIVE: {PackageStatus.INACTIVE, PackageStatus.ARCHIVED},
    PackageStatus.INACTIVE: {PackageStatus.ACTIVE, PackageStatus.ARCHIVED},
    PackageStatus.ARCHIVED: set(),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PackagePublished(DomainEvent):
    name: ClassVar[str] = "catalogue.package_published"
    package_id: UUID


class ItineraryStep(TypedDict):
    """What happens on one day of the trip, the first being 1."""

    day: int
    title_ar: str
    title_en: str
    description_ar: str
    description_en: str


class PackageDetails(TypedDict, total=False):
    """What its owner decides about a package; what is left out stays as it is."""

    name_ar: str
    name_en: str
    description_ar: str
    description_en: str
    category: PackageCategory
    base_price: Money
    tax_rate: Percentage
    tax_inclusive: bool
    duration_days: int
    duration_nights: int
    min_travelers: int
    max_travelers: int
    destinations: list[str]
    inclusions_ar: list[str]
    inclusions_en: list[str]
    exclusions_ar: list[str]
    exclusions_en: list[str]
    itinerary: list[ItineraryStep]
    is_featured: bool
    display_order: int
    availability_start: date | None
    availability_end: date | None
    time_zone: str
    cancellation_policy_id: UUID | None


@dataclass(eq=False, kw_only=True)
class Package(Aggregate):
    """A trip that is sold by the seat; `base_price` is for one traveller."""

    id: UUID
    slug: str
    name_ar: str = ""
    name_en: str = ""
    description_ar: str = ""
    description_en: str = ""
    category: PackageCategory
    base_price: Money
    tax_rate: Percentage = UNTAXED
    tax_inclusive: bool = True
    duration_days: int
    duration_nights: int
    min_travelers: int
    max_travelers: int
    destinations: list[str] = field(default_factory=list)
    inclusions_ar: list[str] = field(default_factory=list)
    inclusions_en: list[str] = field(default_factory=list)
    exclusions_ar: list[str] = field(default_factory=list)
    exclusions_en: list[str] = field(default_factory=list)
    itinerary: list[ItineraryStep] = field(default_factory=list)
    is_featured: bool = False
    display_order: int = 0
    status: PackageStatus
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
        package_id: UUID,
        slug: str,
        vendor_id: UUID | None,
        created_by: UUID,
        at: datetime,
        **details: Unpack[PackageDetails],
    ) -> Package:
        """A draft that customers do not see yet. Raises UnsoundPackage naming every field that cannot be."""
        package = cls(
            id=package_id,
            slug=slug,
            status=PackageStatus.DRAFT,
            vendor_id=vendor_id,
            created_by_user_id=created_by,
            created_at=at,
            updated_at=at,
            **details,
        )
        _refuse(package.details())
        return package

    def change(self, *, at: datetime, **details: Unpack[PackageDetails]) -> None:
        """Change what was given. Raises UnsoundPackage, or NotPublishable where customers would miss something."""
        changed: PackageDetails = {**self.details(), **details}
        _refuse(changed)
        if self.status is PackageStatus.ACTIVE:
            _refuse_unpublishable(changed)
        for name, value in details.items():
            setattr(self, name, value)
        self.updated_at = at

    def details(self) -> PackageDetails:
        """What its owner decided, as it stands now."""
        return {name: getattr(self, name) for name in PackageDetails.__annotations__}  # type: ignore[return-value]

    def publish(self, *, at: datetime) -> None:
        """Put it on sale. Raises NotPublishable naming every field that customers would miss."""
        _refuse_unpublishable(self.details())
        self._move_to(PackageStatus.ACTIVE, at=at)
        self.record(PackagePublished(at=at, package_id=self.id))

    def last_day(self, starts_on: date, _start_time: time = MIDNIGHT) -> date:
        """When a departure that starts then is over; the first day counts, at whatever hour it begins."""
        return starts_on + timedelta(days=self.duration_days - 1)

    def refuse_outside_season(self, starts_on: date, ends_on: date) -> None:
        """Raises InvalidValue for dates at which this package is not offered."""
        season = Season(self.availability_start, self.availability_end)
        season.refuse_outside(starts_on, ends_on)

    def _move_to(self, status: PackageStatus, *, at: datetime) -> None:
        if status not in NEXT[self.status]:
            raise IllegalTransition(current=self.status, wanted=status)
        self.status = status
        self.updated_at = at


LINE_LENGTH: Final = 300
MOST_DESTINATIONS: Final = 30
MOST_LINES: Final = 50
LONGEST_DAYS: Final = 365
MOST_STEPS: Final = 400

_LONGEST_LIST = {
    "destinations": (MOST_DESTINATIONS, 100),
    "inclusions_ar": (MOST_LINES, LINE_LENGTH),
    "inclusions_en": (MOST_LINES, LINE_LENGTH),
    "exclusions_ar": (MOST_LINES, LINE_LENGTH),
    "exclusions_en": (MOST_LINES, LINE_LENGTH),
}


def _refuse(details: PackageDetails) -> None:
    faults = (
        *_number_faults(details),
        *text_faults(details),
        *_list_faults(details),
        *_itinerary_faults(details),
    )
    if faults:
        raise UnsoundPackage(faults=faults)


_SEEN_BY_CUSTOMERS: Final = ("name_ar", "name_en", "description_ar", "description_en", "destinations")


def _refuse_unpublishable(details: Mapping[str, Any]) -> None:
    faults = missing(_SEEN_BY_CUSTOMERS, details)
    if faults:
        raise NotPublishable(faults=faults)


def _number_faults(details: PackageDetails) -> Iterator[FieldFault]:
    days, nights = details["duration_days"], details["duration_nights"]
    yield from price_faults("base_price", details["base_price"])
    if not 1 <= days <= LONGEST_DAYS:
        yield out_of_range("duration_days", f"a trip has 1 to {LONGEST_DAYS} days")
    if not 0 <= nights <= days:
        yield out_of_range("duration_nights", "a trip has no more nights than days")
    yield from party_faults("min_travelers", "max_travelers", details)
    yield from listing_faults(details)


def _list_faults(details: Mapping[str, Any]) -> Iterator[FieldFault]:
    for name, (most, longest) in _LONGEST_LIST.items():
        if len(details[name]) > most:
            yield out_of_range(name, f"at most {most} entries")
        for i, line in enumerate(details[name][:most]):
            if not 1 <= len(line) <= longest:
                yield out_of_range(f"{name}/{i}", f"1 to {longest} characters")


def _itinerary_faults(details: PackageDetails) -> Iterator[FieldFault]:
    if len(details["itinerary"]) > MOST_STEPS:
        yield out_of_range("itinerary", f"at most {MOST_STEPS} entries")
    for i, step in enumerate(details["itinerary"][:MOST_STEPS]):
        if not 1 <= step["day"] <= details["duration_days"]:
            yield out_of_range(f"itinerary/{i}/day", "a day of the trip")


_NOT_WORD = re.compile(r"[\W_]+")
_LONGEST_SLUG = 80
_LIKE_AN_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def slug_of(name: str, *, kind: str = "package") -> str:
    """A name as it stands in an address: lower case words of any script joined by hyphens.

    Never one that reads as an id, in front of which its `kind` is put: packages are asked for by either.
    """
    words = _NOT_WORD.sub("-", unicodedata.normalize("NFKC", name).casefold()).strip("-")
    slug = words[:_LONGEST_SLUG].rstrip("-") or kind
    return f"{kind}-{slug}"[:_LONGEST_SLUG].rstrip("-") if _LIKE_AN_ID.fullmatch(slug) else slug


# What people type alike: forms of alef and hamza, ya, ta marbuta, Persian letters, both sets of digits, case.
_FOLDS = str.maketrans(
    "ٱىةیک٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹ABCDEFGHIJKLMNOPQRSTUVWXYZ",
    "ايهيك01234567890123456789abcdefghijklmnopqrstuvwxyz",
)
_MARKS = re.compile(r"[\u0300-\u036f\u0610-\u061a\u0640\u064b-\u065f\u0670\u06d6-\u06ed]")


def fold_for_search(text: str) -> str:
    """One spelling for what people type alike, in Arabic and in Latin letters.

    Taken apart first (NFKD): hamza, madda and accents become marks of their own, which are dropped with
    harakat and tatweel, however they were typed. `fold_for_search` in migrations/sql is its twin.
    """
    return _MARKS.sub("", unicodedata.normalize("NFKD", text)).translate(_FOLDS)
