"""Who works on the catalogue, and what holds for packages and activities alike."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any, Final, TypeVar
from uuid import UUID

from application.ports import Slugs, UnitOfWork
from domain.catalogue.activities import Activity, ActivityNotFound
from domain.catalogue.items import Item, ItemKind
from domain.catalogue.packages import Package, PackageNotFound, SlugTaken, slug_of
from domain.shared.clock import Clock
from domain.shared.errors import DomainError, FieldFault, InvalidValue
from domain.shared.money import Money
from domain.shared.percentage import Percentage

STAFF_DECIDE: Final[Mapping[str, object]] = {"is_featured": False, "display_order": 0}
"""What an item begins with, and only staff change: where it stands in everybody's list."""


_Held = TypeVar("_Held", Package, Activity)


@dataclass(frozen=True, slots=True)
class Author:
    """Who works on the catalogue: staff on everything, vendors on their own."""

    user_id: UUID
    is_staff: bool

    def owns(self, held: Package | Activity) -> bool:
        """Whether it is their own as a vendor; of that, staff who are vendors decide nothing either."""
        return held.vendor_id == self.user_id


def read_item(item: Item, author: Author, uow: UnitOfWork) -> Package | Activity:
    """The item as it stands, not locked. Raises PackageNotFound or ActivityNotFound, for somebody else's too."""
    if item.kind is ItemKind.PACKAGE:
        return _of_author(uow.packages.read(item.id), author)
    return _of_author(uow.activities.read(item.id), author)


def item_of(item: Item, uow: UnitOfWork) -> Package | Activity:
    """The item as the system itself sees it, not locked. Raises PackageNotFound or ActivityNotFound."""
    return uow.packages.read(item.id) if item.kind is ItemKind.PACKAGE else uow.activities.read(item.id)


def own_item(item: Item, author: Author, uow: UnitOfWork) -> Package | Activity:
    """The item, locked. Raises PackageNotFound or ActivityNotFound, for somebody else's too."""
    return own_package(item.id, author, uow) if item.kind is ItemKind.PACKAGE else own_activity(item.id, author, uow)


def own_package(package_id: UUID, author: Author, uow: UnitOfWork) -> Package:
    """A package that the author may work on, locked. Raises PackageNotFound."""
    return _of_author(uow.packages.get(package_id), author)


def own_activity(activity_id: UUID, author: Author, uow: UnitOfWork) -> Activity:
    """An activity that the author may work on, locked. Raises ActivityNotFound."""
    return _of_author(uow.activities.get(activity_id), author)


def _of_author(held: _Held, author: Author) -> _Held:
    if author.is_staff or author.owns(held):
        return held
    raise PackageNotFound() if isinstance(held, Package) else ActivityNotFound()


def look_again(held: Package | Activity, author: Author, *, vendors_are_reviewed: bool, at: datetime) -> None:
    """A vendor changed what customers read, pay or travel by: staff look at it again, where they look at all."""
    if isinstance(held, Package) and author.owns(held) and vendors_are_reviewed:
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


def chosen_slug(wanted: str | None, details: Mapping[str, Any], slugs: Slugs, *, kind: str = "package") -> str:
    """The slug that was asked for, or one made of the name. Raises InvalidValue or SlugTaken."""
    if wanted is not None:
        return free_slug(wanted, slugs, kind=kind)
    return slugs.free_slug(slug_of(details.get("name_en") or details.get("name_ar") or "", kind=kind))


def free_slug(wanted: str, slugs: Slugs, *, kind: str = "package") -> str:
    """The slug that was asked for. Raises InvalidValue or SlugTaken."""
    proper = slug_of(wanted, kind=kind)
    if wanted != proper:
        raise InvalidValue(f"a slug is like {proper!r}", pointer="/slug", code="invalid_slug")
    if slugs.slug_taken(wanted):
        raise SlugTaken()
    return wanted


def audit_item(
    uow: UnitOfWork,
    author: Author,
    action: str,
    item: Package | Activity,
    changes: Mapping[str, object],
    clock: Clock,
) -> None:
    """Write down what was done to an item."""
    uow.audit.add(
        actor=author.user_id,
        action=action,
        resource_type="PACKAGE" if isinstance(item, Package) else "ACTIVITY",
        resource_id=item.id,
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
