"""What one needs for either kind of item."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from domain.catalogue.items import ItemKind


@dataclass(frozen=True, slots=True)
class Rights:
    """Permissions, by what they allow."""

    read: str
    update: str
    publish: str
    approve: str


RIGHTS: Final = {
    ItemKind.PACKAGE: Rights("packages.read", "packages.update", "packages.publish", "packages.approve"),
    ItemKind.ACTIVITY: Rights("activities.read", "activities.update", "activities.publish", "activities.approve"),
}
