"""What packages and activities go through alike: putting them on sale and taking them off, and who has to agree."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from enum import StrEnum
from typing import Any, ClassVar, Final, Self
from uuid import UUID

from domain.catalogue.availability import Availability
from domain.catalogue.item_events import (
    ItemApproved,
    ItemArchived,
    ItemDeactivated,
    ItemPublished,
    ItemRejected,
    ItemSubmitted,
)
from domain.catalogue.items import Item, ItemKind
from domain.shared.aggregate import Aggregate
from domain.shared.clock import BUSINESS_ZONE, MIDNIGHT
from domain.shared.errors import Conflict, IllegalTransition, NotFound, OwnRequest
from domain.shared.money import Money
from domain.shared.percentage import Percentage


class UnderReview(Conflict):
    """The vendor has asked for sale already; staff have not decided yet."""

    code = "under_review"


class NothingToReview(Conflict):
    """Nobody waits for a decision about it; `approval` says where it stands."""

    code = "nothing_to_review"


class ItemStatus(StrEnum):
    """Where a package or an activity stands; only ACTIVE ones are seen and sold."""

    DRAFT = "DRAFT"
    ACTIVE = "ACTIVE"
    INACTIVE = "INACTIVE"
    ARCHIVED = "ARCHIVED"


class Approval(StrEnum):
    """What staff say of what a vendor wants to sell, apart from where it stands."""

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

NEXT: Final = {
    ItemStatus.DRAFT: {ItemStatus.ACTIVE, ItemStatus.ARCHIVED},
    ItemStatus.ACTIVE: {ItemStatus.INACTIVE, ItemStatus.ARCHIVED},
    ItemStatus.INACTIVE: {ItemStatus.ACTIVE, ItemStatus.ARCHIVED},
    ItemStatus.ARCHIVED: set[ItemStatus](),
}


@dataclass(eq=False, kw_only=True)
class CatalogueItem(Aggregate, ABC):
    """What every thing on sale has, whatever it is; `time_zone` (IANA) is its place's."""

    KIND: ClassVar[ItemKind]
    NOT_FOUND: ClassVar[type[NotFound]]
    REVIEWED: ClassVar[frozenset[str]]
    """The details that a vendor's is reviewed for: all that customers read, pay and travel by."""

    id: UUID
    slug: str
    name_ar: str = ""
    name_en: str = ""
    description_ar: str = ""
    description_en: str = ""
    tax_rate: Percentage = UNTAXED
    tax_inclusive: bool = True
    is_featured: bool = False
    display_order: int = 0
    status: ItemStatus
    availability_start: date | None = None
    availability_end: date | None = None
    time_zone: str = BUSINESS_ZONE.key
    cancellation_policy_id: UUID | None = None
    """None leaves it to the company's default."""
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
    def _drafted(
        cls, *, item_id: UUID, slug: str, vendor_id: UUID | None, created_by: UUID, at: datetime, **details: Any
    ) -> Self:
        """A draft that customers do not see yet; its details are not looked at."""
        return cls(
            id=item_id,
            slug=slug,
            status=ItemStatus.DRAFT,
            approval=Approval.NOT_NEEDED if vendor_id is None else Approval.NOT_ASKED,
            vendor_id=vendor_id,
            created_by_user_id=created_by,
            created_at=at,
            updated_at=at,
            **details,
        )

    @classmethod
    @abstractmethod
    def create(
        cls, *, item_id: UUID, slug: str, vendor_id: UUID | None, created_by: UUID, at: datetime, **details: Any
    ) -> Self:
        """A draft that customers do not see yet. Raises an error that names every field that cannot be."""

    @property
    @abstractmethod
    def price_now(self) -> Money:
        """What one person is sold it at, before seasons, ages and offers."""

    @abstractmethod
    def details(self) -> Mapping[str, Any]:
        """What its owner decided, as it stands now."""

    @classmethod
    @abstractmethod
    def refuse_unsound(cls, details: Mapping[str, Any]) -> None:
        """Hold details, all of them, to what such a thing can be. Raises an error that names every field."""

    @classmethod
    @abstractmethod
    def refuse_incomplete(cls, details: Mapping[str, Any]) -> None:
        """Hold details to what customers must see, in both languages. Raises NotPublishable naming every field."""

    @abstractmethod
    def last_day(self, starts_on: date, start_time: time = MIDNIGHT) -> date:
        """The day, at its place, on which a departure that starts then is over."""

    @property
    def item(self) -> Item:
        """How others name it."""
        return Item(self.KIND, self.id)

    def change(self, *, at: datetime, **details: Any) -> None:
        """Change what was given. Raises as `refuse_unsound` does, or NotPublishable where customers would miss it."""
        changed = {**self.details(), **details}
        self.refuse_unsound(changed)
        if self.status is ItemStatus.ACTIVE:
            self.refuse_incomplete(changed)
        for name, value in details.items():
            setattr(self, name, value)
        self.updated_at = at

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
        self._refuse_move(ItemStatus.ACTIVE)
        if self.approval is Approval.PENDING:
            raise UnderReview()
        self.refuse_incomplete(self.details())
        self._ask(at)

    def look_again(self, *, at: datetime) -> None:
        """Its vendor changed what it is reviewed for: on sale, it stays there and is listed for review again."""
        if self.status is ItemStatus.ACTIVE and self.approval is not Approval.PENDING:
            self._ask(at)
        elif self.approval is Approval.APPROVED:
            self._decide(Approval.NOT_ASKED, by=None, at=None)

    def approve(self, *, by: UUID, at: datetime) -> None:
        """Agree with what its vendor asked for; it goes on sale, or stays there.

        Raises NothingToReview, OwnRequest, NotPublishable.
        """
        self._refuse_decision(by)
        self._decide(Approval.APPROVED, by=by, at=at)
        if self.status is not ItemStatus.ACTIVE:
            self._put_on_sale(at)
        self.updated_at = at
        self.record(ItemApproved(at=at, item_kind=self.KIND, item_id=self.id))

    def publish_for_vendor(self, *, by: UUID, at: datetime) -> None:
        """Staff put a vendor's on sale, asked or not: that is an approval. Raises as `approve` does."""
        if by == self.vendor_id:
            raise OwnRequest()
        self.refuse_incomplete(self.details())
        self._refuse_move(ItemStatus.ACTIVE)
        self.approval = Approval.PENDING
        self.approve(by=by, at=at)

    def reject(self, *, reason: str, by: UUID, at: datetime) -> None:
        """Do not agree: it is not put on sale, or taken off. Raises NothingToReview or OwnRequest."""
        self._refuse_decision(by)
        self._decide(Approval.REJECTED, by=by, at=at, reason=reason)
        if self.status is ItemStatus.ACTIVE:
            self._move_to(ItemStatus.INACTIVE, at=at)
        self.updated_at = at
        self.record(ItemRejected(at=at, item_kind=self.KIND, item_id=self.id))

    def deactivate(self, *, by: UUID, at: datetime) -> None:
        """Take it off sale for a while; bookings that were made go on. Raises IllegalTransition.

        A vendor's that staff take off sale is reviewed before it is sold again.
        """
        self._move_to(ItemStatus.INACTIVE, at=at)
        is_staffs_word = self.vendor_id not in (None, by)
        if self.approval is Approval.PENDING or is_staffs_word:
            self._decide(Approval.NOT_ASKED, by=None, at=None)
        self.record(ItemDeactivated(at=at, item_kind=self.KIND, item_id=self.id))

    def archive(self, *, at: datetime) -> None:
        """Take it out of the catalogue for good; bookings that were made go on. Raises IllegalTransition."""
        self._move_to(ItemStatus.ARCHIVED, at=at)
        if self.approval is Approval.PENDING:
            self._decide(Approval.NOT_ASKED, by=None, at=None)
        self.record(ItemArchived(at=at, item_kind=self.KIND, item_id=self.id))

    def refuse_unavailable(self, starts_on: date, ends_on: date) -> None:
        """Raises InvalidValue for dates on which it is not offered."""
        Availability(self.availability_start, self.availability_end).refuse_outside(starts_on, ends_on)

    def _put_on_sale(self, at: datetime) -> None:
        self.refuse_incomplete(self.details())
        self._move_to(ItemStatus.ACTIVE, at=at)
        self.record(ItemPublished(at=at, item_kind=self.KIND, item_id=self.id))

    def _ask(self, at: datetime) -> None:
        self._decide(Approval.PENDING, by=None, at=None)
        self.review_requested_at = self.updated_at = at
        is_on_sale = self.status is ItemStatus.ACTIVE
        self.record(ItemSubmitted(at=at, item_kind=self.KIND, item_id=self.id, is_on_sale=is_on_sale))

    def _refuse_decision(self, by: UUID) -> None:
        if self.approval is not Approval.PENDING:
            raise NothingToReview(approval=self.approval)
        if by == self.vendor_id:
            raise OwnRequest()

    def _decide(self, approval: Approval, *, by: UUID | None, at: datetime | None, reason: str | None = None) -> None:
        self.approval, self.approval_reason = approval, reason
        self.approval_decided_by_user_id, self.approval_decided_at = by, at

    def _refuse_move(self, status: ItemStatus) -> None:
        if status not in NEXT[self.status]:
            raise IllegalTransition(current=self.status, wanted=status)

    def _move_to(self, status: ItemStatus, *, at: datetime) -> None:
        self._refuse_move(status)
        self.status = status
        self.updated_at = at
