"""Making packages and activities, and changing them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from application.catalogue.amounts import refuse_amounts_left_behind
from application.catalogue.authors import (
    STAFF_DECIDE,
    Author,
    audit_item,
    chosen_slug,
    free_slug,
    items_of,
    look_again,
    own_item,
    refuse_staff_decisions,
    shown,
)
from application.ports import UnitOfWork
from domain.catalogue.activities import Activity, UnsoundActivity
from domain.catalogue.items import Item, ItemKind
from domain.catalogue.package_details import UnsoundPackage
from domain.catalogue.packages import Package
from domain.catalogue.publication import CatalogueItem
from domain.operations.audit import changed
from domain.shared.clock import Clock
from domain.shared.errors import RuleBroken, refuse_stale
from domain.shared.identifiers import NewId

_MADE_AS: Final[Mapping[ItemKind, type[CatalogueItem]]] = {ItemKind.PACKAGE: Package, ItemKind.ACTIVITY: Activity}
_UNSOUND: Final[Mapping[ItemKind, type[RuleBroken]]] = {
    ItemKind.PACKAGE: UnsoundPackage,
    ItemKind.ACTIVITY: UnsoundActivity,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateItem:
    """`slug` is made from the name where it is None; `details` are PackageDetails or ActivityDetails."""

    author: Author
    kind: ItemKind
    slug: str | None
    details: Mapping[str, Any]


def create_item(command: CreateItem, *, uow: UnitOfWork, clock: Clock, new_id: NewId) -> UUID:
    """Begin a draft. Raises UnsoundPackage, UnsoundActivity, SlugTaken, or InvalidValue for a policy not offered."""
    author, details, kind = command.author, command.details, command.kind
    refuse_staff_decisions(author, STAFF_DECIDE, details, error=_UNSOUND[kind])
    with uow:
        _refuse_policy(details, uow)
        held = _MADE_AS[kind].create(
            item_id=new_id(),
            slug=chosen_slug(command.slug, details, kind, uow),
            vendor_id=None if author.is_staff else author.user_id,
            created_by=author.user_id,
            at=clock.now(),
            **details,
        )
        items_of(kind, uow).add(held)
        # Written before the lock on slugs ends with the transaction, and before the audit's row.
        uow.flush()
        audit_item(uow, author, "create", held, changed({}, {"slug": held.slug, **shown(details)}), clock)
        uow.commit()
    return held.id


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeItem:
    """`details` holds only what changes; `slug` stays where it is None.

    `expected_version` is the one that the author saw, None where any will do. `vendors_are_reviewed` is whether what
    a vendor changes has to be looked at.
    """

    author: Author
    item: Item
    slug: str | None
    details: Mapping[str, Any]
    vendors_are_reviewed: bool
    expected_version: int | None = None


def change_item(command: ChangeItem, *, uow: UnitOfWork, clock: Clock) -> None:
    """Change a package or an activity; departures that are planned keep their hour, zone and seats.

    Raises PackageNotFound, ActivityNotFound, PreconditionFailed, UnsoundPackage, UnsoundActivity, SlugTaken,
    NotPublishable for one on sale, or AmountsInOldCurrency.
    """
    author, item = command.author, command.item
    with uow:
        held = own_item(item, author, uow)
        refuse_stale(command.expected_version, current=held.version)
        refuse_staff_decisions(author, held.details(), command.details, error=_UNSOUND[item.kind])
        if command.details.get("cancellation_policy_id") != held.cancellation_policy_id:
            _refuse_policy(command.details, uow)
        before = {"slug": held.slug, **shown(held.details())}
        if command.slug is not None and command.slug != held.slug:
            held.slug = free_slug(command.slug, item.kind, uow)
        left = held.price_now.currency
        held.change(at=clock.now(), **command.details)
        refuse_amounts_left_behind(item, left, held.price_now.currency, uow=uow)
        changes = changed(before, {"slug": held.slug, **shown(held.details())})
        if not held.REVIEWED.isdisjoint(changes["after"]):
            look_again(held, author, vendors_are_reviewed=command.vendors_are_reviewed, at=clock.now())
        if changes["after"]:
            audit_item(uow, author, "update", held, changes, clock)
        uow.commit()


def _refuse_policy(details: Mapping[str, Any], uow: UnitOfWork) -> None:
    """Only policies that are offered can be chosen. Raises InvalidValue."""
    policy_id = details.get("cancellation_policy_id")
    if policy_id is not None:
        uow.cancellation_policies.refuse_unless_offered(policy_id)
