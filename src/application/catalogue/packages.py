"""Making packages, changing them, and putting them on sale."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from application.catalogue.amounts import refuse_amounts_left_behind
from application.catalogue.authors import (
    STAFF_DECIDE,
    Author,
    audit_item,
    chosen_slug,
    free_slug,
    may_edit,
    refuse_staff_decisions,
    shown,
)
from application.ports import UnitOfWork
from application.pricing.ports import Item, ItemKind
from domain.catalogue.packages import Package, PackageDetails, PackageNotFound, UnsoundPackage
from domain.operations.audit import changed
from domain.shared.clock import Clock
from domain.shared.errors import refuse_stale
from domain.shared.identifiers import NewId


@dataclass(frozen=True, slots=True, kw_only=True)
class CreatePackage:
    """`slug` is made from the name where it is None."""

    author: Author
    slug: str | None
    details: PackageDetails


def create_package(command: CreatePackage, *, uow: UnitOfWork, clock: Clock, new_id: NewId) -> UUID:
    """Begin a package as a draft. Raises UnsoundPackage, SlugTaken, or InvalidValue for a policy not offered."""
    author, details = command.author, command.details
    refuse_staff_decisions(author, STAFF_DECIDE, details, error=UnsoundPackage)
    now = clock.now()
    with uow:
        _refuse_policy(details, uow)
        package = Package.create(
            package_id=new_id(),
            slug=chosen_slug(command.slug, details, uow.packages),
            vendor_id=None if author.is_staff else author.user_id,
            created_by=author.user_id,
            at=now,
            **details,
        )
        uow.packages.add(package)
        # Written before the lock on slugs ends with the transaction, and before the audit's row.
        uow.flush()
        audit_item(
            uow, author, "packages.create", package, changed({}, {"slug": package.slug, **shown(details)}), clock
        )
        uow.commit()
    return package.id


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangePackage:
    """`details` holds only what changes; `slug` stays where it is None.

    `expected_version` is the one that the author saw, None where any will do.
    """

    author: Author
    package_id: UUID
    slug: str | None
    details: PackageDetails
    expected_version: int | None = None


def change_package(command: ChangePackage, *, uow: UnitOfWork, clock: Clock) -> None:
    """Change a package.

    Raises PackageNotFound, PreconditionFailed, UnsoundPackage, SlugTaken, NotPublishable for one on sale, or
    AmountsInOldCurrency.
    """
    author = command.author
    with uow:
        package = _own(command.package_id, author, uow)
        refuse_stale(command.expected_version, current=package.version)
        refuse_staff_decisions(author, package.details(), command.details, error=UnsoundPackage)
        if command.details.get("cancellation_policy_id") != package.cancellation_policy_id:
            _refuse_policy(command.details, uow)
        before = {"slug": package.slug, **shown(package.details())}
        if command.slug is not None and command.slug != package.slug:
            package.slug = free_slug(command.slug, uow.packages)
        left = package.base_price.currency
        package.change(at=clock.now(), **command.details)
        refuse_amounts_left_behind(Item(ItemKind.PACKAGE, package.id), left, package.base_price.currency, uow=uow)
        after = {"slug": package.slug, **shown(package.details())}
        changes = changed(before, after)
        if changes["after"]:
            audit_item(uow, author, "packages.update", package, changes, clock)
        uow.commit()


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishPackage:
    author: Author
    package_id: UUID
    expected_version: int | None = None


def publish_package(command: PublishPackage, *, uow: UnitOfWork, clock: Clock) -> None:
    """Put a package on sale. Raises PackageNotFound, PreconditionFailed, NotPublishable, or IllegalTransition."""
    with uow:
        package = _own(command.package_id, command.author, uow)
        refuse_stale(command.expected_version, current=package.version)
        before = package.status
        package.publish(at=clock.now())
        changes = changed({"status": before.value}, {"status": package.status.value})
        audit_item(uow, command.author, "packages.publish", package, changes, clock)
        uow.commit()


def _refuse_policy(details: PackageDetails, uow: UnitOfWork) -> None:
    """Only policies that are offered can be chosen. Raises InvalidValue."""
    policy_id = details.get("cancellation_policy_id")
    if policy_id is not None:
        uow.cancellation_policies.refuse_unless_offered(policy_id)


def _own(package_id: UUID, author: Author, uow: UnitOfWork) -> Package:
    package = uow.packages.get(package_id)
    if not may_edit(package.vendor_id, author):
        raise PackageNotFound()
    return package
