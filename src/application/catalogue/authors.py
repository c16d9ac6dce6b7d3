"""Who works on the catalogue, and what holds for packages and activities alike."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any, Final
from uuid import UUID

from application.catalogue.record_ports import Items
from application.ports import UnitOfWork
from domain.catalogue.items import Item, ItemKind
from domain.catalogue.packages import SlugTaken, slug_of
from domain.catalogue.publication import CatalogueItem
from domain.shared.clock import Clock
from domain.shared.errors import DomainError, FieldFault, InvalidValue
from domain.shared.money import Money
from domain.shared.percentage import Percentage

STAFF_DECIDE: Final[Mapping[str, object]] = {"is_featured": False, "display_order": 0}
"""What an item begins with, and only staff change: where it stands in everybody's list."""


@dataclass(frozen=True, slots=True)
class Author:
    """Who works on the catalogue: staff on everything, vendors on their own."""

    user_id: UUID
    is_staff: bool

    def owns(self, held: CatalogueItem) -> bool:
        """Whether it is their own as a vendor; of that, staff who are vendors decide nothing either."""
        return held.vendor_id == self.user_id


def items_of(kind: ItemKind, uow: UnitOfWork) -> Items[Any]:
    """The items of a kind."""
    return uow.packages if kind is ItemKind.PACKAGE else uow.activities


def read_item(item: Item, author: Author, uow: UnitOfWork) -> CatalogueItem:
    """The item as it stands, not locked. Raises PackageNotFound or ActivityNotFound, for somebody else's too."""
    return _of_author(item_of(item, uow), author)


def item_of(item: Item, uow: UnitOfWork) -> CatalogueItem:
    """The item as the system itself sees it, not locked. Raises PackageNotFound or ActivityNotFound."""
    held: CatalogueItem = items_of(item.kind, uow).read(item.id)
    return held


def own_item(item: Item, author: Author, uow: UnitOfWork) -> CatalogueItem:
    """The item, locked. Raises PackageNotFound or ActivityNotFound, for somebody else's too."""
    return _of_author(items_of(item.kind, uow).get(item.id), author)


def _of_author(held: CatalogueItem, author: Author) -> CatalogueItem:
    if author.is_staff or author.owns(held):
        return held
    raise held.NOT_FOUND()


def look_again(held: CatalogueItem, author: Author, *, vendors_are_reviewed: bool, at: datetime) -> None:
    """A vendor changed what customers read, pay or travel by: staff look at it again, where they look at all."""
    if author.owns(held) and vendors_are_reviewed:
        held.look_again(at=at)


def refuse_staff_decisions(
    author: Author, before: Mapping[str, object], wanted: Mapping[str, object], *, error: type[DomainError]
) -> None:
    """Raises the error, naming each field, where somebody else decides what staff decide."""
    faults = tuple(
        FieldFault(pointer=f"/{name}", code="staff_only", detail="only staff decide this")
        for name in STAFF_DECIDE
        if wanted.get(name, before[name]) != before[name] and not author.is_staff
    )
    if faults:
        raise error(faults=faults)


def chosen_slug(wanted: str | None, details: Mapping[str, Any], kind: ItemKind, uow: UnitOfWork) -> str:
    """The slug that was asked for, or one made of the name. Raises InvalidValue or SlugTaken."""
    if wanted is not None:
        return free_slug(wanted, kind, uow)
    name = details.get("name_en") or details.get("name_ar") or ""
    return items_of(kind, uow).free_slug(slug_of(name, kind=kind.lower()))


def free_slug(wanted: str, kind: ItemKind, uow: UnitOfWork) -> str:
    """The slug that was asked for. Raises InvalidValue or SlugTaken."""
    proper = slug_of(wanted, kind=kind.lower())
    if wanted != proper:
        raise InvalidValue(f"a slug is like {proper!r}", pointer="/slug", code="invalid_slug")
    if items_of(kind, uow).slug_taken(wanted):
        raise SlugTaken()
    return wanted


def audit_item(
    uow: UnitOfWork,
    author: Author,
    action: str,
    held: CatalogueItem,
    changes: Mapping[str, object],
    clock: Clock,
) -> None:
    """Write down what was done to an item; the action is what the permission for it allows."""
    uow.audit.add(
        actor=author.user_id,
        action=f"{held.KIND.section}.{action}",
        resource_type=held.KIND.value,
        resource_id=held.id,
        changes=changes,
        at=clock.now(),
    )


def shown(details: Mapping[str, Any]) -> dict[str, object]:
    """Details as the audit log keeps them: amounts, percentages, days and hours as people read them."""
    return {name: _plain(value) for name, value in details.items()}


def _plain(value: Any) -> object:
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return str(value) if isinstance(value, Money | Percentage | UUID) else value
