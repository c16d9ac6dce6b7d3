"""Travel packages and the rules of putting them on sale."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any, ClassVar, Final, TypedDict, Unpack
from uuid import UUID

from domain.shared.aggregate import Aggregate
from domain.shared.errors import Conflict, FieldFault, IllegalTransition, InvalidValue, NotFound, RuleBroken
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
    """Another package has this address."""

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

    def last_day(self, starts_on: date) -> date:
        """When a departure that starts then is over; the first day counts."""
        return starts_on + timedelta(days=self.duration_days - 1)

    def refuse_outside_season(self, starts_on: date, ends_on: date) -> None:
        """Raises InvalidValue for dates at which this package is not offered."""
        if self.availability_start is not None and starts_on < self.availability_start:
            detail = f"the package is offered from {self.availability_start}"
            raise InvalidValue(detail, pointer="/starts_on", code="out_of_range")
        if self.availability_end is not None and ends_on > self.availability_end:
            detail = f"the package is offered until {self.availability_end}"
            raise InvalidValue(detail, pointer="/ends_on", code="out_of_range")

    def _move_to(self, status: PackageStatus, *, at: datetime) -> None:
        if status not in NEXT[self.status]:
            raise IllegalTransition(current=self.status, wanted=status)
        self.status = status
        self.updated_at = at


NAME_LENGTH: Final = 200
DESCRIPTION_LENGTH: Final = 10_000
LINE_LENGTH: Final = 300
MOST_DESTINATIONS: Final = 30
MOST_LINES: Final = 50
LONGEST_DAYS: Final = 365
MOST_TRAVELERS: Final = 200
MOST_STEPS: Final = 400
HIGHEST_PRICE: Final = 10_000_000
"""In whole units of any currency, for one traveller."""
LAST_PLACE: Final = 10_000
"""The highest `display_order`."""

_LONGEST_TEXT = {
    "name_ar": NAME_LENGTH,
    "name_en": NAME_LENGTH,
    "description_ar": DESCRIPTION_LENGTH,
    "description_en": DESCRIPTION_LENGTH,
}
_LONGEST_LIST = {
    "destinations": (MOST_DESTINATIONS, 100),
    "inclusions_ar": (MOST_LINES, LINE_LENGTH),
    "inclusions_en": (MOST_LINES, LINE_LENGTH),
    "exclusions_ar": (MOST_LINES, LINE_LENGTH),
    "exclusions_en": (MOST_LINES, LINE_LENGTH),
}


def _refuse(details: PackageDetails) -> None:
    faults = (*_number_faults(details), *_text_faults(details), *_itinerary_faults(details))
    if faults:
        raise UnsoundPackage(faults=faults)


def _refuse_unpublishable(details: Mapping[str, Any]) -> None:
    faults = tuple(
        FieldFault(pointer=f"/{name}", code="required", detail="needed before a package is published")
        for name in ("name_ar", "name_en", "description_ar", "description_en", "destinations")
        if not details[name]
    )
    if faults:
        raise NotPublishable(faults=faults)


def _number_faults(details: PackageDetails) -> Iterator[FieldFault]:
    days, nights = details["duration_days"], details["duration_nights"]
    least, most = details["min_travelers"], details["max_travelers"]
    price, start, end = details["base_price"], details["availability_start"], details["availability_end"]
    if not 0 < price.minor <= HIGHEST_PRICE * price.currency.scale:
        yield _out_of_range("base_price", f"a price is above 0 and at most {HIGHEST_PRICE}")
    if not 1 <= days <= LONGEST_DAYS:
        yield _out_of_range("duration_days", f"a trip has 1 to {LONGEST_DAYS} days")
    if not 0 <= nights <= days:
        yield _out_of_range("duration_nights", "a trip has no more nights than days")
    if not 1 <= least <= MOST_TRAVELERS:
        yield _out_of_range("min_travelers", f"1 to {MOST_TRAVELERS} travellers book together")
    if not least <= most <= MOST_TRAVELERS:
        yield _out_of_range("max_travelers", f"at least min_travelers, at most {MOST_TRAVELERS}")
    if not 0 <= details["display_order"] <= LAST_PLACE:
        yield _out_of_range("display_order", f"0 to {LAST_PLACE}")
    if start is not None and end is not None and end < start:
        yield _out_of_range("availability_end", "on or after availability_start")


def _text_faults(details: Mapping[str, Any]) -> Iterator[FieldFault]:
    if not details["name_ar"] and not details["name_en"]:
        yield FieldFault(pointer="/name_en", code="required", detail="a package has a name in Arabic or English")
    for name, longest in _LONGEST_TEXT.items():
        if len(details[name]) > longest:
            yield _out_of_range(name, f"at most {longest} characters")
    for name, (most, longest) in _LONGEST_LIST.items():
        if len(details[name]) > most:
            yield _out_of_range(name, f"at most {most} entries")
        for i, line in enumerate(details[name][:most]):
            if not 1 <= len(line) <= longest:
                yield _out_of_range(f"{name}/{i}", f"1 to {longest} characters")


def _itinerary_faults(details: PackageDetails) -> Iterator[FieldFault]:
    if len(details["itinerary"]) > MOST_STEPS:
        yield _out_of_range("itinerary", f"at most {MOST_STEPS} entries")
    for i, step in enumerate(details["itinerary"][:MOST_STEPS]):
        if not 1 <= step["day"] <= details["duration_days"]:
            yield _out_of_range(f"itinerary/{i}/day", "a day of the trip")


def _out_of_range(pointer: str, detail: str) -> FieldFault:
    return FieldFault(pointer=f"/{pointer}", code="out_of_range", detail=detail)


_NOT_WORD = re.compile(r"[\W_]+")
_LONGEST_SLUG = 80
_ROUTES = {"facets"}
_LIKE_AN_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def slug_of(name: str) -> str:
    """A name as it stands in an address: lower case words of any script joined by hyphens.

    Never one that reads as an id, packages are asked for by either, nor the name of a route beside them.
    """
    words = _NOT_WORD.sub("-", unicodedata.normalize("NFKC", name).casefold()).strip("-")
    slug = words[:_LONGEST_SLUG].rstrip("-") or "package"
    is_taken = slug in _ROUTES or _LIKE_AN_ID.fullmatch(slug)
    return f"package-{slug}"[:_LONGEST_SLUG].rstrip("-") if is_taken else slug
