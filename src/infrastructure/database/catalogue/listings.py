"""A kind of item as it is listed: its filters, orders and facets, in SQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from application.catalogue.queries import CHANGES
from domain.catalogue.items import ItemKind
from infrastructure.database.catalogue.facets import Counted, Ranges, Ratings
from infrastructure.database.catalogue.finding import ITEM_COLUMN, ITEM_TABLE
from infrastructure.database.catalogue.item_tables import POPULARITY, RATING_RANK
from infrastructure.database.catalogue.search import Searched
from infrastructure.database.pages import Order

RELEVANCE: Final = "relevance"
_PRICES: Final = [whole * 1000 for whole in (0, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """What a kind declares: its alias, what is selected of it, the facets of its own, and columns by their meaning.

    `labels` are filters that compare with an entry of the column `labels`; `place` is the facet of its destinations.
    """

    kind: ItemKind
    alias: str
    select: str
    labels: Sequence[str]
    place: str
    duration: str
    party: tuple[str, str]
    own_facets: Sequence[Counted]
    durations: Sequence[int]

    @property
    def items(self) -> Searched:
        """What a search by words needs to know of it."""
        i = self.alias
        return Searched(
            table=f"{ITEM_TABLE[self.kind]} {i}",
            row_id=f"{i}.id",
            text=f"{i}.search_text",
            name=f"{i}.name_text",
            listing_place=f"{i}.listing_place",
        )

    @property
    def facets(self) -> Sequence[Counted]:
        """Its own, then those that every kind has."""
        i = self.alias
        return (
            *self.own_facets,
            Ranges("price", f"{i}.price_thousandths", _PRICES, "min_price", "max_price", _written),
            Ranges("duration", f"{i}.{self.duration}", self.durations, "duration_min", "duration_max", int),
            Ratings("rating", self.kind, (4, 3), "min_rating"),
        )

    @property
    def filters(self) -> Mapping[str, Mapping[str, str]]:
        """Conditions by the facet that they are the filters of; what no facet counts stands under the empty name."""
        i, (least, most) = self.alias, self.party
        rated = f"""EXISTS (SELECT 1 FROM item_statistics r WHERE r.item_kind = '{self.kind}' AND r.item_id = {i}.id
            AND r.average_rating >= %(min_rating)s)"""
        return {
            "price": {
                "min_price": f"{i}.price_thousandths >= %(min_price)s",
                "max_price": f"{i}.price_thousandths <= %(max_price)s",
            },
            "duration": {
                "duration_min": f"{i}.{self.duration} >= %(duration_min)s",
                "duration_max": f"{i}.{self.duration} <= %(duration_max)s",
            },
            **{name: {name: f"{i}.labels @> ARRAY[%({name})s]"} for name in self.labels},
            self.place: {"destination": f"{i}.labels @> ARRAY[%(destination)s]"},
            "rating": {"min_rating": rated},
            "": {
                "featured": f"{i}.is_featured = %(featured)s",
                "travelers": f"%(travelers)s BETWEEN {i}.{least} AND {i}.{most}",
            },
        }

    def order(self, sort: str) -> Order:
        """How an order walks; `relevance` is made of `featured` (`search.by_relevance`)."""
        i = self.alias
        return {
            "featured": Order(f"{i}.listing_place", f"{i}.id", "bigint"),
            "price": Order(f"{i}.price_thousandths", f"{i}.id", "bigint"),
            "-price": Order(f"{i}.price_thousandths", f"{i}.id", "bigint", descending=True),
            "newest": Order(f"{i}.created_at", f"{i}.id", descending=True),
            "duration": Order(f"{i}.{self.duration}", f"{i}.id", "bigint"),
            "-duration": Order(f"{i}.{self.duration}", f"{i}.id", "bigint", descending=True),
            "departure": Order("d.starts_on", f"d.{ITEM_COLUMN[self.kind]}", "date"),
            "popular": Order(f"({POPULARITY})", "counts.item_id", "bigint", descending=True),
            "rating": Order(f"({RATING_RANK})", "counts.item_id", "bigint", descending=True),
            "name_ar": Order(f'left(fold_for_search({i}.name_ar), 40) COLLATE "C"', f"{i}.id", "text"),
            "name_en": Order(f'left(fold_for_search({i}.name_en), 40) COLLATE "C"', f"{i}.id", "text"),
            CHANGES: Order(f"{i}.updated_at", f"{i}.id"),
        }[sort]

    def table(self, sort: str) -> str:
        """What an order walks along: the items, or what is counted of them, or their departures."""
        items = self.items
        if sort in ("popular", "rating"):
            counted = f"counts.item_kind = '{self.kind}' AND counts.item_id = {items.row_id}"
            return f"item_statistics counts JOIN {items.table} ON {counted}"
        if sort == "departure":
            return f"departures d JOIN {items.table} ON d.{ITEM_COLUMN[self.kind]} = {items.row_id}"
        return items.table


def _written(thousandths: int) -> str:
    return f"{thousandths // 1000}.{thousandths % 1000:03}"
