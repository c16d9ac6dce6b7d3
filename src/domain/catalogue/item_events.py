"""What happened to a package or an activity; `item_kind` is an `ItemKind`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from domain.shared.events import DomainEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemPublished(DomainEvent):
    name: ClassVar[str] = "catalogue.item_published"
    item_kind: str
    item_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemDeactivated(DomainEvent):
    name: ClassVar[str] = "catalogue.item_deactivated"
    item_kind: str
    item_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemArchived(DomainEvent):
    name: ClassVar[str] = "catalogue.item_archived"
    item_kind: str
    item_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemSubmitted(DomainEvent):
    """A vendor's waits for review; `is_on_sale` where it was approved before."""

    name: ClassVar[str] = "catalogue.item_submitted"
    item_kind: str
    item_id: UUID
    is_on_sale: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemApproved(DomainEvent):
    name: ClassVar[str] = "catalogue.item_approved"
    item_kind: str
    item_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemRejected(DomainEvent):
    name: ClassVar[str] = "catalogue.item_rejected"
    item_kind: str
    item_id: UUID
