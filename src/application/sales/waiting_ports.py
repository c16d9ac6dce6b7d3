"""What waiting lists need from outside."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Protocol
from uuid import UUID

from application.catalogue.queries import Row
from domain.sales.waiting import WaitingEntry

if TYPE_CHECKING:
    from application.queries import After


class WaitingList(Protocol):
    """Places in line. Locks are taken in one order: the departure, its pools, then entries."""

    def add(self, entry: WaitingEntry) -> None: ...

    def get(self, entry_id: UUID) -> WaitingEntry:
        """The entry, locked; the caller holds its departure's lock. Raises WaitingEntryNotFound."""
        ...

    def open_of(self, departure_id: UUID, user_id: UUID) -> WaitingEntry | None:
        """The place that a customer has in a line already."""
        ...

    def line(self, departure_id: UUID) -> Sequence[WaitingEntry]:
        """Everybody who waits or has an offer, first come first, locked."""
        ...

    def departure_of(self, entry_id: UUID, *, owner: UUID | None) -> UUID:
        """Of which departure an entry is, not locked. Raises WaitingEntryNotFound.

        It is the owner's, or one that they asked for; anybody's where that is None.
        """
        ...

    def to_serve(self, *, now: datetime, limit: int) -> Sequence[UUID]:
        """Departures with an offer that is over, seats for somebody who waits, or nothing to wait for any more."""
        ...

    def has_line(self, departure_id: UUID) -> bool:
        """Whether anybody waits for a departure or has an offer; nothing is locked."""
        ...

    def lines_of_pool(self, pool_id: UUID) -> Sequence[UUID]:
        """The departures of a pool for which somebody waits; nothing is locked."""
        ...


class WaitingQueries(Protocol):
    """Places in line as they are shown: `place` counts from 1 and is None for who does not wait."""

    def entries(
        self,
        *,
        owner: UUID | None,
        asker: UUID | None,
        departure_id: UUID | None,
        status: str | None,
        limit: int,
        after: After | None,
    ) -> Sequence[Row]:
        """The owner's entries and those that the `asker` asked for, or everybody's (no owner), newest first.

        One row too many.
        """
        ...

    def entry(self, entry_id: UUID, *, owner: UUID | None, asker: UUID | None) -> Row | None: ...

    def facts(self, entry_id: UUID) -> Row:
        """What messages about a place in line say, and to whom. Raises NotFound."""
        ...
