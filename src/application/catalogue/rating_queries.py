"""What is shown of ratings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol
from uuid import UUID

from domain.catalogue.items import Item

if TYPE_CHECKING:
    from application.queries import After

Row = Mapping[str, Any]


class RatingQueries(Protocol):
    """Ratings as everybody reads them, as their writers do, and as staff do."""

    def of_item(self, item: Item, *, limit: int, after: After | None) -> Sequence[Row]:
        """The visible ones, newest first, each with `author`: a first name and an initial, None for the erased."""
        ...

    def of_booking(self, booking_id: UUID, *, owner: UUID | None) -> Row | None: ...

    def all(self, *, status: str | None, item: Item | None, limit: int, after: After | None) -> Sequence[Row]:
        """Everybody's, of one item where one is named; for staff, newest first."""
        ...

    def one(self, rating_id: UUID) -> Row | None: ...
