"""How activities are found, and what is shown of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Protocol

from application.catalogue.queries import Facets, Found, ItemSearch, Row, Sight
from domain.catalogue.activities import ActivityCategory, Difficulty


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivitySearch(ItemSearch):
    """A search for activities; durations are hours, `destination` is a location."""

    category: ActivityCategory | None = None
    difficulty: Difficulty | None = None


class ActivityQueries(Protocol):
    """Activities, as far as the reader's sight goes."""

    def search(self, search: ActivitySearch, *, sight: Sight) -> Found:
        """A page; in the order `departure` only what can be booked."""
        ...

    def facets(self, search: ActivitySearch, *, sight: Sight) -> Facets:
        """What the search can be narrowed to: category, difficulty, currency, location, price, duration, rating.

        Its order and its page do not count.
        """
        ...

    def activity(self, id_or_slug: str, *, today: date, sight: Sight) -> Row | None:
        """One, with `revenues` (by currency); its prices are as `application.pricing.price_lists` reads them."""
        ...
