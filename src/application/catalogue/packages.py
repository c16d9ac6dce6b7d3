"""Making packages, changing them, putting them and their departures on sale."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from application.ports import UnitOfWork
from domain.catalogue.departures import Departure
from domain.catalogue.packages import (
    Package,
    PackageDetails,
    PackageNotFound,
    SlugTaken,
    UnsoundPackage,
    slug_of,
)
from domain.operations.audit import changed
from domain.shared.clock import Clock, business_date
from domain.shared.errors import FieldFault, InvalidValue, refuse_stale
from domain.shared.identifiers import NewId
from domain.shared.money import Money
from domain.shared.percentage import Percentage

FARTHEST_DEPARTURE = timedelta(days=3 * 365)
LONGEST_DEPARTURE = timedelta(days=366)
STAFF_DECIDE: Mapping[str, object] = {"is_featured": False, "display_order": 0}
"""What a package begins with, and only staff change: where it stands in everybody's list."""


@dataclass(frozen=True, slots=True)
class Author:
    """Who works on the catalogue: staff on every package, vendors on their own."""

    user_id: UUID
    is_staff: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CreatePackage:
    """`slug` is made from the name where it is None."""

    author: Author
    slug: str | None
    details: PackageDetails


def create_package(command: CreatePackage, *, uow: UnitOfWork, clock: Clock, new_id: NewId) -> UUID:
    """Begin a package as a draft. Raises UnsoundPackage, SlugTaken, or InvalidValue for a policy not offered."""
    author, details = command.author, command.details
    _refuse_staff_decisions(author, STAFF_DECIDE, details)
    now = clock.now()
    with uow:
        _refuse_policy(details, uow)
        package = Package.create(
            package_id=new_id(),
            slug=_slug(command, uow),
            vendor_id=None if author.is_staff else author.user_id,
            created_by=author.user_id,
            at=now,
            **details,
        )
        uow.packages.add(package)
        # Written before the lock on slugs ends with the transaction, and before the audit's row.
        uow.flush()
        _audit(uow, author, "packages.create", package, changed({}, {"slug": package.slug, **_shown(details)}), clock)
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

    Raises PackageNotFound, PreconditionFailed, UnsoundPackage, SlugTaken, or NotPublishable for one on sale.
    """
    author = command.author
    with uow:
        package = _own(command.package_id, author, uow)
        refuse_stale(command.expected_version, current=package.version)
        _refuse_staff_decisions(author, package.details(), command.details)
        if command.details.get("cancellation_policy_id") != package.cancellation_policy_id:
            _refuse_policy(command.details, uow)
        before = {"slug": package.slug, **_shown(package.details())}
        if command.slug is not None and command.slug != package.slug:
            package.slug = _free(command.slug, uow)
        package.change(at=clock.now(), **command.details)
        after = {"slug": package.slug, **_shown(package.details())}
        changes = changed(before, after)
        if changes["after"]:
            _audit(uow, author, "packages.update", package, changes, clock)
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
        _audit(uow, command.author, "packages.publish", package, changes, clock)
        uow.commit()


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanDeparture:
    """`ends_on` follows from the package's days where it is None."""

    author: Author
    package_id: UUID
    starts_on: date
    ends_on: date | None
    capacity: int


def plan_departure(command: PlanDeparture, *, uow: UnitOfWork, clock: Clock, new_id: NewId) -> Departure:
    """Sell seats for a date. Raises PackageNotFound, or InvalidValue for dates or seats that cannot be."""
    now = clock.now()
    _refuse_start(command.starts_on, today=business_date(now))
    with uow:
        package = _own(command.package_id, command.author, uow)
        departure = Departure.plan(
            departure_id=new_id(),
            package_id=package.id,
            starts_on=command.starts_on,
            ends_on=command.ends_on or package.last_day(command.starts_on),
            capacity=command.capacity,
            at=now,
        )
        if departure.ends_on - departure.starts_on > LONGEST_DEPARTURE:
            raise InvalidValue("a departure is over within a year", pointer="/ends_on", code="out_of_range")
        package.refuse_outside_season(departure.starts_on, departure.ends_on)
        uow.departures.add(departure)
        planned = {
            "departure_id": str(departure.id),
            "starts_on": departure.starts_on.isoformat(),
            "ends_on": departure.ends_on.isoformat(),
            "capacity": departure.capacity,
        }
        _audit(uow, command.author, "packages.update", package, changed({}, {"departure": planned}), clock)
        uow.commit()
    return departure


def _refuse_start(starts_on: date, *, today: date) -> None:
    if not today < starts_on <= today + FARTHEST_DEPARTURE:
        detail = "a departure starts after today, and within three years"
        raise InvalidValue(detail, pointer="/starts_on", code="out_of_range")


def _refuse_staff_decisions(author: Author, before: Mapping[str, object], wanted: Mapping[str, object]) -> None:
    faults = tuple(
        FieldFault(pointer=f"/{name}", code="staff_only", detail="only staff decide this")
        for name in STAFF_DECIDE
        if wanted.get(name, before[name]) != before[name] and not author.is_staff
    )
    if faults:
        raise UnsoundPackage(faults=faults)


def _refuse_policy(details: PackageDetails, uow: UnitOfWork) -> None:
    """Only policies that are offered can be chosen. Raises InvalidValue."""
    policy_id = details.get("cancellation_policy_id")
    if policy_id is not None:
        uow.cancellation_policies.refuse_unless_offered(policy_id)


def _own(package_id: UUID, author: Author, uow: UnitOfWork) -> Package:
    package = uow.packages.get(package_id)
    if not author.is_staff and package.vendor_id != author.user_id:
        raise PackageNotFound()
    return package


def _slug(command: CreatePackage, uow: UnitOfWork) -> str:
    if command.slug is not None:
        return _free(command.slug, uow)
    details = command.details
    return uow.packages.free_slug(slug_of(details.get("name_en") or details.get("name_ar") or ""))


def _free(slug: str, uow: UnitOfWork) -> str:
    if slug != slug_of(slug):
        raise InvalidValue(f"a slug is like {slug_of(slug)!r}", pointer="/slug", code="invalid_slug")
    if uow.packages.slug_taken(slug):
        raise SlugTaken()
    return slug


def _audit(
    uow: UnitOfWork, author: Author, action: str, package: Package, changes: Mapping[str, object], clock: Clock
) -> None:
    uow.audit.add(
        actor=author.user_id,
        action=action,
        resource_type="PACKAGE",
        resource_id=package.id,
        changes=changes,
        at=clock.now(),
    )


def _shown(details: PackageDetails) -> dict[str, object]:
    """Details as the audit log keeps them: amounts and percentages as people read them."""
    return {name: _plain(value) for name, value in details.items()}


def _plain(value: Any) -> object:
    return str(value) if isinstance(value, Money | Percentage | UUID) else value
