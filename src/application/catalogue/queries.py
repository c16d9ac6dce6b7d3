"""What the catalogue shows, and to whom."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Final, Protocol
from uuid import UUID

from domain.catalogue.package_details import PackageCategory

if TYPE_CHECKING:
    from application.queries import After

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
        """One, with `images` (in their order) and `revenues` (by currency).

        Its `price_minor`, `age_bands` and `seasons` are as `application.pricing.price_lists` reads them.
        """
        ...

    def reviews(self, *, today: date, limit: int, after: After | None) -> Sequence[Row]:
        """Vendors' packages that wait for a decision, the longest-waiting first; one row more than `limit`."""
        ...

    def image(self, id_or_slug: str, image_id: UUID, *, sight: Sight) -> Row | None:
        """Where a package's picture lies: storage_key, content_type, digest; and the package's `status`."""
        ...
