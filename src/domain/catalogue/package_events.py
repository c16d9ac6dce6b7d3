"""What happened to a package."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from domain.shared.events import DomainEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class PackagePublished(DomainEvent):
    name: ClassVar[str] = "catalogue.package_published"
    package_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageDeactivated(DomainEvent):
    name: ClassVar[str] = "catalogue.package_deactivated"
    package_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageArchived(DomainEvent):
    name: ClassVar[str] = "catalogue.package_archived"
    package_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageSubmitted(DomainEvent):
    """A vendor's package waits for review; `is_on_sale` where it was approved before."""

    name: ClassVar[str] = "catalogue.package_submitted"
    package_id: UUID
    is_on_sale: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageApproved(DomainEvent):
    name: ClassVar[str] = "catalogue.package_approved"
    package_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageRejected(DomainEvent):
    name: ClassVar[str] = "catalogue.package_rejected"
    package_id: UUID
