"""Travel packages: putting them on sale and taking them off, and who has to agree."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Any, Final, Unpack
from uuid import UUID

from domain.catalogue.availability import Availability
from domain.catalogue.package_details import (
    ItineraryStep,
    PackageCategory,
    PackageDetails,
    refuse_unpublishable,
    refuse_unsound,
)
from domain.catalogue.package_events import (
    PackageApproved,
    PackageArchived,
    PackageDeactivated,
    PackagePublished,
    PackageRejected,
    PackageSubmitted,
)
from domain.shared.aggregate import Aggregate
from domain.shared.clock import BUSINESS_ZONE, MIDNIGHT
from domain.shared.errors import Conflict, IllegalTransition, NotFound, OwnRequest
from domain.shared.money import Money
from domain.shared.percentage import Percentage


class PackageNotFound(NotFound):
    """There is no such package, or it is not on sale to this viewer."""

    code = "package_not_found"


class SlugTaken(Conflict):
    """Another one of its kind has this address."""

    code = "slug_taken"


class UnderReview(Conflict):
    """The vendor has asked for sale already; staff have not decided yet."""

    code = "under_review"


class NothingToReview(Conflict):
    """Nobody waits for a decision about this package; `approval` says where it stands."""

    code = "nothing_to_review"


class PackageStatus(StrEnum):
    """Where a package stands; only ACTIVE ones are seen and sold."""

    DRAFT = "DRAFT"
    ACTIVE = "ACTIVE"
    INACTIVE = "INACTIVE"
    ARCHIVED = "ARCHIVED"


class Approval(StrEnum):
    """What staff say of a vendor's package, apart from where it stands."""

    NOT_NEEDED = "NOT_NEEDED"
    """The company's own, or put on sale while nobody asked for approval."""
    NOT_ASKED = "NOT_ASKED"
    """A vendor's, which staff have nothing to decide about yet."""
    PENDING = "PENDING"
    """Listed for review; ACTIVE where it was approved before, and changed since."""
    APPROVED = "APPROVED"
    REJECTED = "REJECTED"
    """Not on sale; the reason is the vendor's to read, who may change it and ask again."""


UNTAXED: Final = Percentage(0)

NEXT = {
    PackageStatus.DRAFT: {PackageStatus.ACTIVE, PackageStatus.ARCHIVED},
    PackageStatus.ACTIVE: {PackageStatus.INACTIVE, PackageStatus.ARCHIVED},
    PackageStatus.INACTIVE: {PackageStatus.ACTIVE, PackageStatus.ARCHIVED},
    PackageStatus.ARCHIVED: set(),
}


@dataclass(eq=False, kw_only=True)
class Package(Aggregate):
    """A trip that is sold by the seat; prices are for one traveller.

    `discounted_price_minor` is in the currency of `base_price`.
    """

    id: UUID
    slug: str
    name_ar: str = ""
    name_en: str = ""
    description_ar: str = ""
    description_en: str = ""
    category: PackageCategory
    base_price: Money
    discounted_price_minor: int | None = None
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
    is_customizable: bool = False
    is_featured: bool = False
    display_order: int = 0
    status: PackageStatus
    availability_start: date | None = None
    availability_end: date | None = None
    time_zone: str = BUSINESS_ZONE.key
    cancellation_policy_id: UUID | None = None
    """None leaves it to the company's default."""
    meta_title_ar: str = ""
    meta_title_en: str = ""
    meta_description_ar: str = ""
    meta_description_en: str = ""
    approval: Approval = Approval.NOT_NEEDED
    approval_reason: str | None = None
    approval_decided_by_user_id: UUID | None = None
    approval_decided_at: datetime | None = None
    review_requested_at: datetime | None = None
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
        discounted_price: Money | None = None,
        **details: Any,
    ) -> Package:
        """A draft that customers do not see yet. Raises UnsoundPackage naming every field that cannot be."""
        package = cls(
            id=package_id,
            slug=slug,
            status=PackageStatus.DRAFT,
            approval=Approval.NOT_NEEDED if vendor_id is None else Approval.NOT_ASKED,
            vendor_id=vendor_id,
            created_by_user_id=created_by,
            created_at=at,
            updated_at=at,
            **details,
        )
        refuse_unsound({**package.details(), "discounted_price": discounted_price})
        package.discounted_price = discounted_price
        return package

    def change(self, *, at: datetime, **details: Unpack[PackageDetails]) -> None:
        """Change what was given. Raises UnsoundPackage, or NotPublishable where customers would miss something."""
        changed: PackageDetails = {**self.details(), **details}
        refuse_unsound(changed)
        if self.status is PackageStatus.ACTIVE:
            refuse_unpublishable(changed)
        for name, value in details.items():
            setattr(self, name, value)
        self.updated_at = at

    def details(self) -> PackageDetails:
        """What its owner decided, as it stands now."""
        return {name: getattr(self, name) for name in PackageDetails.__annotations__}  # type: ignore[return-value]

    @property
    def discounted_price(self) -> Money | None:
        """The lower price, beside which the base price is shown struck through; None where nothing is taken off."""
        minor = self.discounted_price_minor
        return None if minor is None else Money(minor, self.base_price.currency)

    @discounted_price.setter
    def discounted_price(self, price: Money | None) -> None:
        self.discounted_price_minor = None if price is None else price.minor

    @property
    def price_now(self) -> Money:
        """What one traveller is sold it at, before seasons, ages and offers. `PRICE_NOW` of its tables is its twin."""
        return self.discounted_price or self.base_price

    def publish(self, *, at: datetime) -> None:
        """Put it on sale, without anybody's approval. Raises NotPublishable or IllegalTransition."""
        if self.approval is not Approval.APPROVED:
            self._decide(Approval.NOT_NEEDED, by=None, at=None)
        self._put_on_sale(at)

    def ask_for_sale(self, *, at: datetime) -> None:
        """Its vendor wants it on sale: at once where it stands as it was approved, else once staff approve.

        Raises NotPublishable, IllegalTransition, or UnderReview where it was asked for before.
        """
        if self.approval is Approval.APPROVED:
            self._put_on_sale(at)
            return
        self._refuse_move(PackageStatus.ACTIVE)
        if self.approval is Approval.PENDING:
            raise UnderReview()
        refuse_unpublishable(self.details())
        self._ask(at)

    def look_again(self, *, at: datetime) -> None:
        """Its vendor changed what it is reviewed for: on sale, it stays there and is listed for review again."""
        if self.status is PackageStatus.ACTIVE and self.approval is not Approval.PENDING:
            self._ask(at)
        elif self.approval is Approval.APPROVED:
            self._decide(Approval.NOT_ASKED, by=None, at=None)

    def approve(self, *, by: UUID, at: datetime) -> None:
        """Agree with what its vendor asked for; it goes on sale, or stays there.

        Raises NothingToReview, OwnRequest, NotPublishable.
        """
        self._refuse_decision(by)
        self._decide(Approval.APPROVED, by=by, at=at)
        if self.status is not PackageStatus.ACTIVE:
            self._put_on_sale(at)
        self.updated_at = at
        self.record(PackageApproved(at=at, package_id=self.id))

    def publish_for_vendor(self, *, by: UUID, at: datetime) -> None:
        """Staff put a vendor's package on sale, asked or not: that is an approval. Raises as `approve` does."""
        if by == self.vendor_id:
            raise OwnRequest()
        refuse_unpublishable(self.details())
        self._refuse_move(PackageStatus.ACTIVE)
        self.approval = Approval.PENDING
        self.approve(by=by, at=at)

    def reject(self, *, reason: str, by: UUID, at: datetime) -> None:
        """Do not agree: it is not put on sale, or taken off. Raises NothingToReview or OwnRequest."""
        self._refuse_decision(by)
        self._decide(Approval.REJECTED, by=by, at=at, reason=reason)
        if self.status is PackageStatus.ACTIVE:
            self._move_to(PackageStatus.INACTIVE, at=at)
        self.updated_at = at
        self.record(PackageRejected(at=at, package_id=self.id))

    def deactivate(self, *, by: UUID, at: datetime) -> None:
        """Take it off sale for a while; bookings that were made go on. Raises IllegalTransition.

        A vendor's that staff take off sale is reviewed before it is sold again.
        """
        self._move_to(PackageStatus.INACTIVE, at=at)
        is_staffs_word = self.vendor_id not in (None, by)
        if self.approval is Approval.PENDING or is_staffs_word:
            self._decide(Approval.NOT_ASKED, by=None, at=None)
        self.record(PackageDeactivated(at=at, package_id=self.id))

    def archive(self, *, at: datetime) -> None:
        """Take it out of the catalogue for good; bookings that were made go on. Raises IllegalTransition."""
        self._move_to(PackageStatus.ARCHIVED, at=at)
        if self.approval is Approval.PENDING:
            self._decide(Approval.NOT_ASKED, by=None, at=None)
        self.record(PackageArchived(at=at, package_id=self.id))

    def last_day(self, starts_on: date, _start_time: time = MIDNIGHT) -> date:
        """When a departure that starts then is over; the first day counts, at whatever hour it begins."""
        return starts_on + timedelta(days=self.duration_days - 1)

    def refuse_unavailable(self, starts_on: date, ends_on: date) -> None:
        """Raises InvalidValue for dates on which this package is not offered."""
        Availability(self.availability_start, self.availability_end).refuse_outside(starts_on, ends_on)

    def _put_on_sale(self, at: datetime) -> None:
        refuse_unpublishable(self.details())
        self._move_to(PackageStatus.ACTIVE, at=at)
        self.record(PackagePublished(at=at, package_id=self.id))

    def _ask(self, at: datetime) -> None:
        self._decide(Approval.PENDING, by=None, at=None)
        self.review_requested_at = self.updated_at = at
        self.record(PackageSubmitted(at=at, package_id=self.id, is_on_sale=self.status is PackageStatus.ACTIVE))

    def _refuse_decision(self, by: UUID) -> None:
        if self.approval is not Approval.PENDING:
            raise NothingToReview(approval=self.approval)
        if by == self.vendor_id:
            raise OwnRequest()

    def _decide(self, approval: Approval, *, by: UUID | None, at: datetime | None, reason: str | None = None) -> None:
        self.approval, self.approval_reason = approval, reason
        self.approval_decided_by_user_id, self.approval_decided_at = by, at

    def _refuse_move(self, status: PackageStatus) -> None:
        if status not in NEXT[self.status]:
            raise IllegalTransition(current=self.status, wanted=status)

    def _move_to(self, status: PackageStatus, *, at: datetime) -> None:
        self._refuse_move(status)
        self.status = status
        self.updated_at = at


_NOT_WORD = re.compile(r"[\W_]+")
_LONGEST_SLUG = 80
_ROUTES = {"facets"}
_LIKE_AN_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def slug_of(name: str, *, kind: str = "package") -> str:
    """A name as it stands in an address: lower case words of any script joined by hyphens.

    Never one that reads as an id, packages are asked for by either, nor the name of a route beside them: in front of
    those its `kind` is put.
    """
    words = _NOT_WORD.sub("-", unicodedata.normalize("NFKC", name).casefold()).strip("-")
    slug = words[:_LONGEST_SLUG].rstrip("-") or kind
    is_taken = slug in _ROUTES or _LIKE_AN_ID.fullmatch(slug)
    return f"{kind}-{slug}"[:_LONGEST_SLUG].rstrip("-") if is_taken else slug
