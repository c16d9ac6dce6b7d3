"""How activities are found, and what is shown of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol

from application.catalogue.queries import Behind, Row, Sight
from domain.catalogue.activities import ActivityCategory, Difficulty


@dataclass(frozen=True, slots=True, kw_only=True)
class ActivitySearch:
    """A search as the API takes it; prices and `today` as in `PackageSearch`."""

    today: date
    q: str = ""
    category: ActivityCategory | None = None
    difficulty: Difficulty | None = None
    destination: str = ""
    min_price: int | None = None
    max_price: int | None = None
    starts_from: date | None = None
    starts_to: date | None = None
    featured: bool | None = None
    sort: str = "featured"
    updated_after: datetime | None = None
    limit: int = 20
    after: Behind | None = None


class ActivityQueries(Protocol):
    """Activities, as far as the reader's sight goes."""

    def search(self, search: ActivitySearch, *, sight: Sight) -> Sequence[Row]:
        """One row more than `limit` when there are more; each has `sort_key`, where a next page goes on."""
        ...

    def activity(self, id_or_slug: str, *, today: date, sight: Sight) -> Row | None:
        """One, with `revenues` (by currency); its prices are as `application.pricing.price_lists` reads them."""
        ...
