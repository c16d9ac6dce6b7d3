"""Where the prices of packages and activities are kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from domain.pricing.age_bands import AgeBand
from domain.pricing.seasons import Season


class ItemKind(StrEnum):
    """What of the catalogue has prices."""

    PACKAGE = "PACKAGE"
    ACTIVITY = "ACTIVITY"


@dataclass(frozen=True, slots=True)
class Item:
    """A package or an activity."""

    kind: ItemKind
    id: UUID


class ItemPrices(Protocol):
    """Age bands and seasons; whoever replaces them holds the item's lock, and has found the new ones sound."""

    def bands_of(self, item: Item) -> Sequence[AgeBand]:
        """The youngest first."""
        ...

    def seasons_of(self, item: Item) -> Sequence[Season]:
        """The earliest first."""
        ...

    def replace_bands(self, item: Item, bands: Sequence[AgeBand]) -> None: ...

    def replace_seasons(self, item: Item, seasons: Sequence[Season]) -> None: ...
