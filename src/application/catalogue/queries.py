"""What the catalogue shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Protocol
from uuid import UUID

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageSearch:
    """A search as the API takes it; prices in minor units of the packages' own currency, per traveller."""

    q: str | None = None
    category: str | None = None
    destination: str | None = None
    min_price: int | None = None
    max_price: int | None = None
    starts_from: date | None = None
    starts_to: date | None = None
    featured: bool | None = None
    sort: str = "featured"
    limit: int = 20
    after: tuple[Any, ...] | None = None
    """The sort values and id of the last row of the page before."""


class CatalogueQueries(Protocol):
    """Packages that are on sale; with `everything`, for staff, the others too."""

    def search(self, search: PackageSearch, *, everything: bool) -> Sequence[Row]:
        """One row more than `limit` when there are more; each has `cursor`, the values to page on from."""
        ...

    def package(self, id_or_slug: str, *, everything: bool) -> Row | None: ...

    def departures(self, package_id: UUID, *, today: date, everything: bool) -> Sequence[Row]:
        """Departures that begin after today, soonest first, each with `seats_left`."""
        ...
