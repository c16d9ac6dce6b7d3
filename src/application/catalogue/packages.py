"""Making packages, and changing them."""

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
    look_again,
    own_package,
    refuse_staff_decisions,
    shown,
)
from application.ports import UnitOfWork
from domain.catalogue.items import Item, ItemKind
from domain.catalogue.package_details import PackageDetails, UnsoundPackage, is_reviewed
from domain.catalogue.packages import Package
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

    `expected_version` is the one that the author saw, None where any will do. `vendors_are_reviewed` is whether what
    a vendor changes has to be looked at.
    """

    author: Author
    package_id: UUID
    slug: str | None
    details: PackageDetails
    vendors_are_reviewed: bool
    expected_version: int | None = None


def change_package(command: ChangePackage, *, uow: UnitOfWork, clock: Clock) -> None:
    """Change a package.

    Raises PackageNotFound, PreconditionFailed, UnsoundPackage, SlugTaken, NotPublishable for one on sale, or
    AmountsInOldCurrency.
    """
    author = command.author
    with uow:
        package = own_package(command.package_id, author, uow)
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
        if is_reviewed(changes["after"]):
            look_again(package, author, vendors_are_reviewed=command.vendors_are_reviewed, at=clock.now())
        if changes["after"]:
            audit_item(uow, author, "packages.update", package, changes, clock)
        uow.commit()


def _refuse_policy(details: PackageDetails, uow: UnitOfWork) -> None:
    """Only policies that are offered can be chosen. Raises InvalidValue."""
    policy_id = details.get("cancellation_policy_id")
    if policy_id is not None:
        uow.cancellation_policies.refuse_unless_offered(policy_id)
