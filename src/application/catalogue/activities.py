"""Making activities, changing them, putting them on sale and taking them off."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from application.catalogue.amounts import refuse_amounts_left_behind
from application.catalogue.authors import (
    STAFF_DECIDE,
    Author,
    audit_item,
    chosen_slug,
    free_slug,
    own_activity,
    refuse_staff_decisions,
    shown,
)
from application.ports import UnitOfWork
from domain.catalogue.activities import Activity, ActivityDetails, UnsoundActivity
from domain.catalogue.items import Item, ItemKind
from domain.operations.audit import changed
from domain.shared.clock import Clock
from domain.shared.errors import refuse_stale
from domain.shared.identifiers import NewId

KIND = "activity"


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateActivity:
    """`slug` is made from the name where it is None."""

    author: Author
    slug: str | None
    details: ActivityDetails


def create_activity(command: CreateActivity, *, uow: UnitOfWork, clock: Clock, new_id: NewId) -> UUID:
    """Begin an activity as a draft. Raises UnsoundActivity or SlugTaken."""
    author, details = command.author, command.details
    refuse_staff_decisions(author, STAFF_DECIDE, details, error=UnsoundActivity)
    with uow:
        activity = Activity.create(
            activity_id=new_id(),
            slug=chosen_slug(command.slug, details, uow.activities, kind=KIND),
            vendor_id=None if author.is_staff else author.user_id,
            created_by=author.user_id,
            at=clock.now(),
            **details,
        )
        uow.activities.add(activity)
        # Written before the lock on slugs ends with the transaction, and before the audit's row.
        uow.flush()
        made = changed({}, {"slug": activity.slug, **shown(details)})
        audit_item(uow, author, "activities.create", activity, made, clock)
        uow.commit()
    return activity.id


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeActivity:
    """`details` holds only what changes; `slug` stays where it is None.

    `expected_version` is the one that the author saw, None where any will do.
    """

    author: Author
    activity_id: UUID
    slug: str | None
    details: ActivityDetails
    expected_version: int | None = None


def change_activity(command: ChangeActivity, *, uow: UnitOfWork, clock: Clock) -> None:
    """Change an activity; departures that are planned keep their hour, zone and seats.

    Raises ActivityNotFound, PreconditionFailed, UnsoundActivity, SlugTaken, NotPublishable for one on sale, or
    AmountsInOldCurrency.
    """
    author = command.author
    with uow:
        activity = own_activity(command.activity_id, author, uow)
        refuse_stale(command.expected_version, current=activity.version)
        refuse_staff_decisions(author, activity.details(), command.details, error=UnsoundActivity)
        before = {"slug": activity.slug, **shown(activity.details())}
        if command.slug is not None and command.slug != activity.slug:
            activity.slug = free_slug(command.slug, uow.activities, kind=KIND)
        left = activity.price.currency
        activity.change(at=clock.now(), **command.details)
        refuse_amounts_left_behind(Item(ItemKind.ACTIVITY, activity.id), left, activity.price.currency, uow=uow)
        changes = changed(before, {"slug": activity.slug, **shown(activity.details())})
        if changes["after"]:
            audit_item(uow, author, "activities.update", activity, changes, clock)
        uow.commit()


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveActivity:
    """An activity is put on sale, or taken off it."""

    author: Author
    activity_id: UUID
    expected_version: int | None = None


def publish_activity(command: MoveActivity, *, uow: UnitOfWork, clock: Clock) -> None:
    """Put it on sale. Raises ActivityNotFound, PreconditionFailed, NotPublishable, or IllegalTransition."""
    _move(command, lambda activity: activity.publish(at=clock.now()), uow=uow, clock=clock)


def deactivate_activity(command: MoveActivity, *, uow: UnitOfWork, clock: Clock) -> None:
    """Take it off sale for a while. Raises ActivityNotFound, PreconditionFailed, or IllegalTransition."""
    _move(command, lambda activity: activity.deactivate(at=clock.now()), uow=uow, clock=clock)


def archive_activity(command: MoveActivity, *, uow: UnitOfWork, clock: Clock) -> None:
    """Take it off sale for good. Raises ActivityNotFound, PreconditionFailed, or IllegalTransition."""
    _move(command, lambda activity: activity.archive(at=clock.now()), uow=uow, clock=clock)


def _move(command: MoveActivity, verb: Callable[[Activity], None], *, uow: UnitOfWork, clock: Clock) -> None:
    with uow:
        activity = own_activity(command.activity_id, command.author, uow)
        refuse_stale(command.expected_version, current=activity.version)
        before = activity.status
        verb(activity)
        changes = changed({"status": before.value}, {"status": activity.status.value})
        audit_item(uow, command.author, "activities.publish", activity, changes, clock)
        uow.commit()
