"""What the catalogue shows, and to whom."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar
from uuid import UUID

from domain.catalogue.package_details import PackageCategory

if TYPE_CHECKING:
    from application.queries import After

Row = Mapping[str, Any]

SORTS: Final = (
    "relevance", "featured", "price", "-price", "newest", "duration", "-duration", "departure", "popular", "rating",
    "name_ar", "name_en",
)  # fmt: skip
MOST_COUNTED: Final = 2_000
MOST_DESTINATIONS: Final = 20
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

    key: int | str | datetime | date
    id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemSearch:
    """A search for items of one kind, as the API takes it.

    Prices are thousandths of a whole unit of each item's own currency, for one person: currencies have 0 to 3 decimals,
    and no rate is applied. `at` is when it is asked: what is sold then is found by dates. `travelers` is a size of
    party that an item takes; beside dates, a departure has as many seats left. Durations are in the kind's own unit.
    """

    at: datetime
    q: str = ""
    destination: str = ""
    currency: str | None = None
    min_price: int | None = None
    max_price: int | None = None
    duration_min: int | None = None
    duration_max: int | None = None
    min_rating: int | None = None
    travelers: int | None = None
    starts_from: date | None = None
    starts_to: date | None = None
    featured: bool | None = None
    sort: str = "featured"
    updated_after: datetime | None = None
    limit: int = 20
    after: Behind | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageSearch(ItemSearch):
    """A search for packages; durations are days."""

    category: PackageCategory | None = None


@dataclass(frozen=True, slots=True)
class Correction:
    """A word that nothing in sight holds, as it was typed, and the folded words that were looked for in its place."""

    typed: str
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """What a search answers: rows, each with `sort_key`, where a next page goes on; one more than `limit` if there are.

    Where words were corrected, the rows are those of the corrected search.
    """

    rows: Sequence[Row]
    corrections: Sequence[Correction] = ()


@dataclass(frozen=True, slots=True)
class Facet:
    """One way to narrow a search: the filters that do so, and how many are left then."""

    filters: Mapping[str, str | int]
    count: int


@dataclass(frozen=True, slots=True)
class Facets:
    """How the items of a search spread, by the facets' names.

    Each is counted under all filters but its own. At most MOST_COUNTED items are, the first in the order `featured`;
    `is_exact` says whether that were all of them, for every facet. `total` is how many fulfil all filters.
    """

    total: int
    is_exact: bool
    facets: Mapping[str, Sequence[Facet]]
    corrections: Sequence[Correction] = ()


_Search = TypeVar("_Search", bound=ItemSearch, contravariant=True)


class ItemQueries(Protocol[_Search]):
    """Items of one kind, as far as the reader's sight goes."""

    def search(self, search: _Search, *, sight: Sight) -> Found:
        """A page; in the order `departure` only what can be booked."""
        ...

    def facets(self, search: _Search, *, sight: Sight) -> Facets:
        """What the search can be narrowed to: what is the kind's own, and currency, price, duration, rating.

        Its order and its page do not count.
        """
        ...

    def one(self, id_or_slug: str, *, at: datetime, sight: Sight) -> Row | None:
        """One, with `images` (in their order) and `revenues` (by currency).

        Its `price_minor`, `age_bands` and `seasons` are as `application.pricing.price_lists` reads them.
        """
        ...

    def reviews(self, *, at: datetime, limit: int, after: After | None) -> Sequence[Row]:
        """Vendors' that wait for a decision, the longest-waiting first; one row more than `limit`."""
        ...

    def image(self, id_or_slug: str, image_id: UUID, *, sight: Sight) -> Row | None:
        """Where a picture lies: storage_key, content_type, digest; and its item's `status`."""
        ...
