"""The things that the catalogue sells."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Self
from uuid import UUID


class ItemKind(StrEnum):
    """The catalogue's kinds of things."""

    PACKAGE = "PACKAGE"
    ACTIVITY = "ACTIVITY"

    @property
    def section(self) -> str:
        """What addresses, permissions and tables name its things by."""
        return "packages" if self is ItemKind.PACKAGE else "activities"


@dataclass(frozen=True, slots=True)
class Item:
    """A package or an activity."""

    kind: ItemKind
    id: UUID

    @classmethod
    def of(cls, package_id: UUID | None, activity_id: UUID | None) -> Self:
        """The one of the two that is there, as rows name it in two columns."""
        if package_id is not None and activity_id is None:
            return cls(ItemKind.PACKAGE, package_id)
        if activity_id is not None and package_id is None:
            return cls(ItemKind.ACTIVITY, activity_id)
        raise ValueError("a package or an activity")

    @property
    def package_id(self) -> UUID | None:
        """Its id where it is a package."""
        return self.id if self.kind is ItemKind.PACKAGE else None

    @property
    def activity_id(self) -> UUID | None:
        """Its id where it is an activity."""
        return self.id if self.kind is ItemKind.ACTIVITY else None
