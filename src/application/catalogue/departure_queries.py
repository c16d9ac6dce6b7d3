"""What is shown of departures, of the pools they share, and of the patterns that plan them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import TYPE_CHECKING, Protocol
from uuid import UUID

from application.catalogue.queries import Row, Sight
from domain.catalogue.items import Item

if TYPE_CHECKING:
    from application.queries import After


@dataclass(frozen=True, slots=True)
class LastDeparture:
    """The last row of the page before."""

    starts_on: date
    start_time: time
    id: UUID


class DepartureQueries(Protocol):
    """Departures, as far as the reader's sight goes. `seats_left` is the least of a departure's own and its pools'."""

    def departures(
        self, item: Item, *, at: datetime, sight: Sight, limit: int, after: LastDeparture | None
    ) -> Sequence[Row]:
        """Departures of an item that are sold still, by their place's day, soonest first; one row more than `limit`.

        Cancelled ones are shown only to those who see everything.
        """
        ...

    def departure(self, departure_id: UUID, *, sight: Sight) -> Row | None:
        """One departure with its `version`, past or to come; of an item that the reader sees."""
        ...

    def pools_of(self, departure_id: UUID) -> Sequence[Row]:
        """The pools that a departure draws from, by name."""
        ...

    def pools(self, *, on_date: date | None, limit: int, after: After | None) -> Sequence[Row]:
        """Every pool, or those of a day, newest first; one row more than `limit`."""
        ...

    def pool(self, pool_id: UUID) -> Row | None: ...

    def all_series(self, *, limit: int, after: After | None) -> Sequence[Row]:
        """Newest first; one row more than `limit`."""
        ...

    def series(self, series_id: UUID) -> Row | None: ...

    def patterns(
        self, *, owner: UUID | None, package_id: UUID | None, activity_id: UUID | None, limit: int, after: After | None
    ) -> Sequence[Row]:
        """Patterns of a vendor's items, or of all (None), of one item where one is named; newest first."""
        ...

    def pattern(self, pattern_id: UUID, *, owner: UUID | None) -> Row | None: ...
