"""Items and departures as use cases find, lock and keep them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeVar
from uuid import UUID

from domain.catalogue.departures import Departure
from domain.catalogue.pools import Pool


class Slugs(Protocol):
    """Addresses that no two items of a kind have."""

    def free_slug(self, wanted: str) -> str:
        """The slug, or with a number behind it, that no other has; nobody else is given it meanwhile."""
        ...

    def slug_taken(self, slug: str) -> bool:
        """Whether another has it; nobody else is given it meanwhile."""
        ...


_Held = TypeVar("_Held")


class Items(Slugs, Protocol[_Held]):
    """Packages, or activities, by id."""

    def add(self, held: _Held) -> None: ...

    def get(self, item_id: UUID) -> _Held:
        """The item, locked. Raises PackageNotFound or ActivityNotFound."""
        ...

    def read(self, item_id: UUID) -> _Held:
        """The item as it stands, not locked and not to be changed. Raises PackageNotFound or ActivityNotFound."""
        ...


class Departures(Protocol):
    """Departures and the pools that they draw from; whoever changes seats holds the locks of all of them.

    Locks are taken in one order: departures by id, then their pools by id.
    """

    def add(self, departure: Departure) -> None: ...

    def get(self, departure_id: UUID) -> Departure:
        """The departure, locked with its pools. Raises DepartureNotFound.

        Who needs several asks for all of them at once: one by one, two units of work could wait for each other.
        """
        ...

    def get_all(self, departure_ids: Sequence[UUID], *, pool_ids: Sequence[UUID] = ()) -> Sequence[Departure]:
        """These departures in this order, locked with all of their pools, and further pools that are asked for.

        Raises DepartureNotFound; `pool` says of each further one whether there is such a pool.
        """
        ...

    def add_pool(self, pool: Pool) -> None: ...

    def pool(self, pool_id: UUID) -> Pool:
        """The pool, locked. Raises PoolNotFound."""
        ...
