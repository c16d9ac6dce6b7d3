"""Putting packages and activities on sale and taking them off, and what staff say of vendors' ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from application.catalogue.authors import Author, audit_item, own_item
from application.ports import UnitOfWork
from domain.catalogue.items import Item
from domain.catalogue.publication import CatalogueItem
from domain.operations.audit import changed
from domain.shared.clock import Clock
from domain.shared.errors import NotAllowed, refuse_stale


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveItem:
    """`expected_version` is the one that the author saw, None where any will do."""

    author: Author
    item: Item
    expected_version: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishItem(MoveItem):
    """Somebody wants something on sale, with what they may do: publish the company's own, decide about vendors'."""

    may_publish: bool
    may_approve: bool
    vendors_are_reviewed: bool


def publish_item(command: PublishItem, *, uow: UnitOfWork, clock: Clock) -> None:
    """Put it on sale; a vendor's own waits for approval where vendors are reviewed.

    Raises as `own_item` does, NotAllowed, PreconditionFailed, NotPublishable, IllegalTransition, or UnderReview.
    """
    _change("publish", command, lambda held: _publish(held, command, clock), uow=uow, clock=clock)


def _publish(held: CatalogueItem, command: PublishItem, clock: Clock) -> None:
    now, author = clock.now(), command.author
    if author.owns(held):
        if command.vendors_are_reviewed:
            held.ask_for_sale(at=now)
        else:
            held.publish(at=now)
    elif held.vendor_id is None:
        _refuse_without(command.may_publish)
        held.publish(at=now)
    else:
        _refuse_without(command.may_approve)
        held.publish_for_vendor(by=author.user_id, at=now)


def _refuse_without(right: bool) -> None:
    if not right:
        raise NotAllowed()


def deactivate_item(command: MoveItem, *, uow: UnitOfWork, clock: Clock) -> None:
    """Take it off sale for a while. Raises as `own_item` does, PreconditionFailed, or IllegalTransition."""
    _change(
        "update",
        command,
        lambda held: held.deactivate(by=command.author.user_id, at=clock.now()),
        uow=uow,
        clock=clock,
    )


def archive_item(command: MoveItem, *, uow: UnitOfWork, clock: Clock) -> None:
    """Take it out of the catalogue for good. Raises as `own_item` does, PreconditionFailed, IllegalTransition."""
    _change("delete", command, lambda held: held.archive(at=clock.now()), uow=uow, clock=clock)


def approve_item(command: MoveItem, *, uow: UnitOfWork, clock: Clock) -> None:
    """Agree with what a vendor asked for. Raises as `own_item` does, PreconditionFailed, and as `approve` does."""
    _change(
        "approve",
        command,
        lambda held: held.approve(by=command.author.user_id, at=clock.now()),
        uow=uow,
        clock=clock,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectItem(MoveItem):
    """`reason` is for the vendor to read, in whichever language it is written."""

    reason: str


def reject_item(command: RejectItem, *, uow: UnitOfWork, clock: Clock) -> None:
    """Do not agree with what a vendor asked for. Raises as `approve_item` does."""
    _change(
        "approve",
        command,
        lambda held: held.reject(reason=command.reason, by=command.author.user_id, at=clock.now()),
        uow=uow,
        clock=clock,
    )


def _change(
    action: str, command: MoveItem, verb: Callable[[CatalogueItem], None], *, uow: UnitOfWork, clock: Clock
) -> None:
    with uow:
        held = own_item(command.item, command.author, uow)
        refuse_stale(command.expected_version, current=held.version)
        before = _standing(held)
        verb(held)
        audit_item(uow, command.author, action, held, changed(before, _standing(held)), clock)
        uow.commit()


def _standing(held: CatalogueItem) -> dict[str, object]:
    return {
        "status": held.status.value,
        "approval": held.approval.value,
        "approval_reason": held.approval_reason,
    }
