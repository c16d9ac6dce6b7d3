"""Putting packages on sale and taking them off, and what staff say of vendors' ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from application.catalogue.authors import Author, audit_item, own_package
from application.ports import UnitOfWork
from domain.catalogue.packages import Package
from domain.operations.audit import changed
from domain.shared.clock import Clock
from domain.shared.errors import NotAllowed, refuse_stale


@dataclass(frozen=True, slots=True, kw_only=True)
class MovePackage:
    """`expected_version` is the one that the author saw, None where any will do."""

    author: Author
    package_id: UUID
    expected_version: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishPackage(MovePackage):
    """Somebody wants a package on sale, with what they may do: publish the company's own, decide about vendors'."""

    may_publish: bool
    may_approve: bool
    vendors_are_reviewed: bool


def publish_package(command: PublishPackage, *, uow: UnitOfWork, clock: Clock) -> None:
    """Put a package on sale; a vendor's own waits for approval where vendors are reviewed.

    Raises PackageNotFound, NotAllowed, PreconditionFailed, NotPublishable, IllegalTransition, or UnderReview.
    """
    _change("packages.publish", command, lambda package: _publish(package, command, clock), uow=uow, clock=clock)


def _publish(package: Package, command: PublishPackage, clock: Clock) -> None:
    now, author = clock.now(), command.author
    if author.owns(package):
        if command.vendors_are_reviewed:
            package.ask_for_sale(at=now)
        else:
            package.publish(at=now)
    elif package.vendor_id is None:
        _refuse_without(command.may_publish)
        package.publish(at=now)
    else:
        _refuse_without(command.may_approve)
        package.publish_for_vendor(by=author.user_id, at=now)


def _refuse_without(right: bool) -> None:
    if not right:
        raise NotAllowed()


def deactivate_package(command: MovePackage, *, uow: UnitOfWork, clock: Clock) -> None:
    """Take a package off sale for a while. Raises PackageNotFound, PreconditionFailed, or IllegalTransition."""
    _change(
        "packages.update",
        command,
        lambda package: package.deactivate(by=command.author.user_id, at=clock.now()),
        uow=uow,
        clock=clock,
    )


def archive_package(command: MovePackage, *, uow: UnitOfWork, clock: Clock) -> None:
    """Take a package out of the catalogue for good. Raises PackageNotFound, PreconditionFailed, IllegalTransition."""
    _change("packages.delete", command, lambda package: package.archive(at=clock.now()), uow=uow, clock=clock)


def approve_package(command: MovePackage, *, uow: UnitOfWork, clock: Clock) -> None:
    """Agree with a vendor's package. Raises PackageNotFound, PreconditionFailed, NothingToReview, OwnRequest."""
    _change(
        "packages.approve",
        command,
        lambda package: package.approve(by=command.author.user_id, at=clock.now()),
        uow=uow,
        clock=clock,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectPackage(MovePackage):
    """`reason` is for the vendor to read, in whichever language it is written."""

    reason: str


def reject_package(command: RejectPackage, *, uow: UnitOfWork, clock: Clock) -> None:
    """Do not agree with a vendor's package. Raises as `approve_package` does."""
    _change(
        "packages.approve",
        command,
        lambda package: package.reject(reason=command.reason, by=command.author.user_id, at=clock.now()),
        uow=uow,
        clock=clock,
    )


def _change(
    action: str, command: MovePackage, verb: Callable[[Package], None], *, uow: UnitOfWork, clock: Clock
) -> None:
    with uow:
        package = own_package(command.package_id, command.author, uow)
        refuse_stale(command.expected_version, current=package.version)
        before = _standing(package)
        verb(package)
        audit_item(uow, command.author, action, package, changed(before, _standing(package)), clock)
        uow.commit()


def _standing(package: Package) -> dict[str, object]:
    return {
        "status": package.status.value,
        "approval": package.approval.value,
        "approval_reason": package.approval_reason,
    }
