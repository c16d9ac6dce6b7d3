"""Facets: what a search can be narrowed to, and how many items are left then; for any kind of item.

Each facet is counted under all filters but its own, as shops do: who has chosen one category still sees how many the
others have. Facets whose own filter is not used share one look at the items, so there are as many looks as filters
in use, and one more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from application.catalogue.queries import MOST_COUNTED, MOST_DESTINATIONS, Facet
from infrastructure.database.catalogue.search import Conditions, Searched
from infrastructure.database.transaction import Database

Filters = Mapping[str, str | int]


class Counted(Protocol):
    """A facet: what it needs of each item, how it counts that, and which filters a value stands for."""

    @property
    def name(self) -> str: ...

    @property
    def columns(self) -> str: ...

    def count_in(self, matched: str) -> str:
        """A SELECT of `value` (text) and `count` over the items of a common table expression."""
        ...

    def filters(self, value: str) -> Filters: ...


@dataclass(frozen=True, slots=True)
class Values:
    """One value an item."""

    name: str
    column: str

    @property
    def columns(self) -> str:
        return f"{self.column} AS {self.name}"

    def count_in(self, matched: str) -> str:
        return f"SELECT {self.name} AS value, count(*) AS count FROM {matched} GROUP BY {self.name}"

    def filters(self, value: str) -> Filters:
        return {self.name: value}


@dataclass(frozen=True, slots=True)
class Entries:
    """Several an item: arrays of folded keys and of what is shown, side by side; only the most frequent are told."""

    name: str
    keys: str
    shown: str

    @property
    def columns(self) -> str:
        return f"{self.keys} AS {self.name}_keys, {self.shown} AS {self.name}"

    def count_in(self, matched: str) -> str:
        return f"""
            SELECT min(entry.shown) AS value, count(DISTINCT id) AS count
            FROM {matched}, unnest({self.name}_keys, {self.name}) AS entry(key, shown)
            GROUP BY entry.key ORDER BY count DESC, value LIMIT {MOST_DESTINATIONS}"""

    def filters(self, value: str) -> Filters:
        return {self.name: value}


@dataclass(frozen=True, slots=True)
class Ranges:
    """Numbers in ranges, each from one edge to just before the next; the filters that bound one include both ends."""

    name: str
    column: str
    edges: Sequence[int]
    least: str
    most: str
    shown: Callable[[int], str | int]

    @property
    def columns(self) -> str:
        edges = ", ".join(map(str, self.edges))
        return f"width_bucket({self.column}, ARRAY[{edges}]::bigint[]) AS {self.name}"

    def count_in(self, matched: str) -> str:
        return f"SELECT {self.name}::text AS value, count(*) AS count FROM {matched} GROUP BY {self.name}"

    def filters(self, value: str) -> Filters:
        place = int(value)
        bounds: dict[str, str | int] = {self.least: self.shown(self.edges[place - 1])}
        return bounds if place == len(self.edges) else bounds | {self.most: self.shown(self.edges[place] - 1)}


@dataclass(frozen=True, slots=True)
class Counts:
    """The facets by their names, and how many items fulfil all filters, as far as they were counted."""

    total: int
    is_exact: bool
    facets: Mapping[str, Sequence[Facet]]


def count(
    database: Database, items: Searched, facets: Sequence[Counted], always: Conditions, own: Mapping[str, Conditions]
) -> Counts:
    """Count each facet under `always` and the conditions of all others; `own` has those that are in use, by name."""
    shared = [facet for facet in facets if facet.name not in own]
    looks = [_look(items, "matched", shared, [always, *own.values()])]
    for facet in facets:
        if facet.name in own:
            others = [conditions for name, conditions in own.items() if name != facet.name]
            looks.append(_look(items, f"matched_{facet.name}", [facet], [always, *others]))
    values: dict[str, Any] = {"most_counted": MOST_COUNTED + 1, **always.values}
    for conditions in own.values():
        values |= conditions.values
    parts = [part for _, counts in looks for part in counts]
    sql = f"WITH {', '.join(look for look, _ in looks)} {' UNION ALL '.join(parts)}"
    return _counts(facets, database.rows(sql, values, replan=True))


def _look(
    items: Searched, matched: str, facets: Sequence[Counted], conditions: Iterable[Conditions]
) -> tuple[str, list[str]]:
    """A common table expression of the items that facets count, and what counts them."""
    where = " AND ".join(map(str, conditions))
    columns = ", ".join(["id", *(facet.columns for facet in facets)])
    look = f"""{matched} AS MATERIALIZED (
        SELECT {columns} FROM {items.table} WHERE {where} ORDER BY {items.listing_place}, id LIMIT %(most_counted)s)"""
    total = f"SELECT '' AS facet, '{matched}' AS value, count(*) AS count FROM {matched}"
    counts = (f"SELECT '{facet.name}', value, count FROM ({facet.count_in(matched)}) AS counted" for facet in facets)
    return look, [total, *counts]


def _counts(facets: Sequence[Counted], rows: Sequence[Mapping[str, Any]]) -> Counts:
    looks = {row["value"]: row["count"] for row in rows if not row["facet"]}
    found = {facet.name: [row for row in rows if row["facet"] == facet.name] for facet in facets}
    return Counts(
        total=min(looks["matched"], MOST_COUNTED),
        is_exact=max(looks.values()) <= MOST_COUNTED,
        facets={
            facet.name: [
                Facet(facet.filters(row["value"]), row["count"]) for row in _in_order(facet, found[facet.name])
            ]
            for facet in facets
        },
    )


def _in_order(facet: Counted, rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Ranges from the lowest up, values with the most frequent first."""
    if isinstance(facet, Ranges):
        return sorted(rows, key=lambda row: int(row["value"]))
    return sorted(rows, key=lambda row: (-row["count"], row["value"]))
