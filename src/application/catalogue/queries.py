"""What the catalogue shows, and to whom."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final, Protocol
from uuid import UUID

from domain.catalogue.packages import PackageCategory

Row = Mapping[str, Any]

SORTS: Final = ("featured", "price", "-price", "newest")
CHANGES: Final = "updated_at"
"""The order of a walk by `updated_after`, which no reader asks for by name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """Which packages a reader may see: those on sale, a vendor's own besides, or all of them."""

    everything: bool = False
    vendor_id: UUID | None = None


ON_SALE: Final = Sight()


@dataclass(frozen=True, slots=True)
class Behind:
    """The last row of the page before: its `sort_key` and id."""

    key: int | datetime | date
    id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageSearch:
    """A search as the API takes it.

    Prices are thousandths of a whole unit of each package's own currency, per traveller: currencies have
    0 to 3 decimals, and no rate is applied. `today` is the business's day: departures begin after it.
    """

    today: date
    q: str = ""
    category: PackageCategory | None = None
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


class CatalogueQueries(Protocol):
    """Packages, as far as the reader's sight goes."""

    def search(self, search: PackageSearch, *, sight: Sight) -> Sequence[Row]:
        """One row more than `limit` when there are more; each has `sort_key`, where a next page goes on."""
        ...

    def package(self, id_or_slug: str, *, today: date, sight: Sight) -> Row | None:
        """With `age_bands` and `seasons`, as `application.pricing.price_lists` reads them."""
        ...
