"""How activities are found."""

from __future__ import annotations

from dataclasses import dataclass

from application.catalogue.queries import ItemSearch
from domain.catalogue.activities import ActivityCategory, Difficulty


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivitySearch(ItemSearch):
    """A search for activities; durations are hours, `destination` is a location."""

    category: ActivityCategory | None = None
    difficulty: Difficulty | None = None
