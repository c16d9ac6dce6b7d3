"""Who works on the catalogue, and what holds for packages and activities alike."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, time
from typing import Any, Final, Protocol
from uuid import UUID

from application.ports import Slugs, UnitOfWork
from domain.catalogue.activities import Activity, ActivityNotFound
from domain.catalogue.packages import Package, PackageNotFound, SlugTaken, slug_of
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


@dataclass(frozen=True, slots=True)
class ItemKey:
    """A package or an activity, whichever is not None."""

    package_id: UUID | None = None
    activity_id: UUID | None = None


class Planned(Protocol):
    """Something that departs, or is planned: it says of which item."""

    package_id: UUID | None
    activity_id: UUID | None


def own_item(key: ItemKey | Planned, author: Author, uow: UnitOfWork) -> Package | Activity:
    """The item as it stands, not locked. Raises PackageNotFound or ActivityNotFound, for somebody else's too."""
    item = item_of(key, uow)
    if not may_edit(item.vendor_id, author):
        raise PackageNotFound() if isinstance(item, Package) else ActivityNotFound()
    return item


def item_of(planned: ItemKey | Planned, uow: UnitOfWork) -> Package | Activity:
    """The item of a departure or a pattern, as the system itself sees it, not locked."""
    if planned.package_id is not None:
        return uow.packages.read(planned.package_id)
    if planned.activity_id is None:
        raise ValueError("a package or an activity")
    return uow.activities.read(planned.activity_id)


def may_edit(vendor_id: UUID | None, author: Author) -> bool:
    return author.is_staff or vendor_id == author.user_id


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
