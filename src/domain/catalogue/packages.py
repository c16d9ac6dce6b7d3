"""Travel packages and the rules of putting them on sale."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from domain.shared.aggregate import Aggregate
from domain.shared.errors import FieldFault, IllegalTransition, NotFound, RuleBroken
from domain.shared.events import DomainEvent
from domain.shared.money import Money
from domain.shared.percentage import Percentage


class PackageNotFound(NotFound):
    """There is no such package, or it is not on sale to this viewer."""

    code = "package_not_found"


class NotPublishable(RuleBroken):
    """Something that customers must see is missing; the faults name each field."""

    code = "not_publishable"


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


@dataclass(eq=False, kw_only=True)
class Package(Aggregate):
    """A trip that is sold by the seat; `base_price` is for one traveller."""

    id: UUID
    slug: str
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
    destinations: list[str] = field(default_factory=list)
    inclusions_ar: list[str] = field(default_factory=list)
    inclusions_en: list[str] = field(default_factory=list)
    exclusions_ar: list[str] = field(default_factory=list)
    exclusions_en: list[str] = field(default_factory=list)
    itinerary: list[dict[str, str]] = field(default_factory=list)
    is_featured: bool
    display_order: int
    status: PackageStatus
    availability_start: date | None = None
    availability_end: date | None = None
    vendor_id: UUID | None = None
    created_by_user_id: UUID
    created_at: datetime
    updated_at: datetime

    def publish(self, *, at: datetime) -> None:
        """Put it on sale. Raises NotPublishable naming every field that customers would miss."""
        faults = tuple(
            FieldFault(pointer=f"/{name}", code="required", detail="needed before a package is published")
            for name in ("name_ar", "name_en", "description_ar", "description_en", "destinations")
            if not getattr(self, name)
        )
        if not self.base_price.is_positive:
            faults += (FieldFault(pointer="/base_price", code="required", detail="a package on sale has a price"),)
        if faults:
            raise NotPublishable(faults=faults)
        self._move_to(PackageStatus.ACTIVE, at=at)
        self.record(PackagePublished(at=at, package_id=self.id))

    def _move_to(self, status: PackageStatus, *, at: datetime) -> None:
        if status not in NEXT[self.status]:
            raise IllegalTransition(current=self.status, wanted=status)
        self.status = status
        self.updated_at = at


_NOT_WORD = re.compile(r"[\W_]+")


def slug_of(name: str) -> str:
    """A name as it stands in an address: lower case words of any script joined by hyphens."""
    return _NOT_WORD.sub("-", unicodedata.normalize("NFKC", name).casefold()).strip("-")[:80] or "package"


_FOLDS = str.maketrans("أإآٱىةؤئ٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹", "اااايهوي01234567890123456789")
_DROPPED = re.compile(r"[\u0640\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06ed]")


def fold_for_search(text: str) -> str:
    """One spelling for what people type alike: alef forms, ya, ta marbuta, tatweel, harakat, digits, case.

    Composed first (NFKC), so that a hamza typed apart folds like one typed together.
    """
    return _DROPPED.sub("", unicodedata.normalize("NFKC", text)).translate(_FOLDS).casefold()
