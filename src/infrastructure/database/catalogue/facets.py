"""Facets: what a search can be narrowed to, and how many items are left then; for any kind of item.

Each facet is counted under all filters but its own, as shops do: who has chosen one category still sees how many the
others have. Facets whose own filter is not used share one look at the items, so there are as many looks as filters
in use, and one more. Where words are searched for, all of them look at rows that were read once, if those are few.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from application.catalogue.queries import MOST_COUNTED, MOST_DESTINATIONS, Facet
from domain.catalogue.items import ItemKind
from infrastructure.database.catalogue.search import Conditions, Searched
from infrastructure.database.transaction import Database

Filters = Mapping[str, str | int]

MOST_SHARED: Final = 5_000
"""Rows that are read once for all looks. Beyond it, each look stops by itself after the first that it counts."""

_SHARED, _MATCHED = "shared", "matched"


class Counted(Protocol):
    """A facet: what it needs of each item, how it counts that, and which filters a value stands for."""

    @property
    def name(self) -> str: ...

    @property
    def columns(self) -> Sequence[str]: ...

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
    def columns(self) -> Sequence[str]:
        return (f"{self.column} AS {self.name}",)

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
    sent_as: str

    @property
    def columns(self) -> Sequence[str]:
        return (f"{self.keys} AS {self.name}_keys", f"{self.shown} AS {self.name}")

    def count_in(self, matched: str) -> str:
        return f"""
            SELECT min(entry.shown) AS value, count(DISTINCT id) AS count
            FROM {matched}, unnest({self.name}_keys, {self.name}) AS entry(key, shown) WHERE entry.key <> ''
            GROUP BY entry.key ORDER BY count DESC, value LIMIT {MOST_DESTINATIONS}"""

    def filters(self, value: str) -> Filters:
        return {self.sent_as: value}


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
    def columns(self) -> Sequence[str]:
        edges = ", ".join(map(str, self.edges))
        return (f"width_bucket({self.column}, ARRAY[{edges}]::bigint[]) AS {self.name}",)

    def count_in(self, matched: str) -> str:
        return f"SELECT {self.name}::text AS value, count(*) AS count FROM {matched} GROUP BY {self.name}"

    def filters(self, value: str) -> Filters:
        place = int(value)
        bounds: dict[str, str | int] = {self.least: self.shown(self.edges[place - 1])}
        return bounds if place == len(self.edges) else bounds | {self.most: self.shown(self.edges[place] - 1)}


@dataclass(frozen=True, slots=True)
class Ratings:
    """Average stars from an edge up: an item counts at every edge that it reaches. Looked up for what is counted."""

    name: str
    kind: ItemKind
    edges: Sequence[int]
    least: str

    @property
    def columns(self) -> Sequence[str]:
        return ()

    def count_in(self, matched: str) -> str:
        edges = ", ".join(map(str, self.edges))
        # The LIMIT keeps it a look-up for each item: a join would read the counts of the whole catalogue.
        return f"""
            SELECT edge::text AS value, count(*) AS count
            FROM {matched} CROSS JOIN LATERAL (
                SELECT s.average_rating FROM item_statistics s
                WHERE s.item_kind = '{self.kind}' AND s.item_id = {matched}.id LIMIT 1) AS counted,
                unnest(ARRAY[{edges}]) AS edge
            WHERE counted.average_rating >= edge GROUP BY edge"""

    def filters(self, value: str) -> Filters:
        return {self.least: int(value)}


@dataclass(frozen=True, slots=True)
class Counts:
    """The facets by their names, and how many items fulfil all filters, as far as they were counted."""

    total: int
    is_exact: bool
    facets: Mapping[str, Sequence[Facet]]


@dataclass(frozen=True, slots=True)
class _Look:
    """The items under some of the filters, by the names of their facets, and what counts them."""

    name: str
    filters: Sequence[str]
    facets: Sequence[Counted]


def count(
    database: Database,
    items: Searched,
    facets: Sequence[Counted],
    always: Conditions,
    own: Mapping[str, Conditions],
    *,
    is_narrow: bool,
) -> Counts:
    """Count each facet under `always` and the conditions of all others; `own` has those that are in use, by name.

    `is_narrow`: few items may fulfil `always`; where the planner agrees, they are read once for all looks.
    """
    looks = _looks(facets, own)
    values: dict[str, Any] = {"most_counted": MOST_COUNTED + 1, "most_shared": MOST_SHARED + 1, **always.values}
    for conditions in own.values():
        values |= conditions.values
    if own and is_narrow and _expected(database, items, always) <= MOST_SHARED:
        rows = database.rows(_sharing(items, facets, looks, always, own), values, replan=True)
        if _sizes(rows)[_SHARED] <= MOST_SHARED:
            return _counts(facets, rows)
    return _counts(facets, database.rows(_each_alone(items, looks, always, own), values, replan=True))


def _expected(database: Database, items: Searched, conditions: Conditions) -> int:
    """As how many rows the planner sees them: to count those of a common word would cost more than it could save."""
    row = database.rows(f"EXPLAIN (FORMAT JSON) SELECT FROM {items.table} WHERE {conditions}", conditions.values)[0]
    rows: int = row["QUERY PLAN"][0]["Plan"]["Plan Rows"]
    return rows


def _looks(facets: Sequence[Counted], own: Mapping[str, Conditions]) -> list[_Look]:
    shared = [facet for facet in facets if facet.name not in own]
    alone = [
        _Look(f"matched_{facet.name}", [name for name in own if name != facet.name], [facet])
        for facet in facets
        if facet.name in own
    ]
    return [_Look(_MATCHED, list(own), shared), *alone]


def _sharing(
    items: Searched,
    facets: Sequence[Counted],
    looks: Sequence[_Look],
    always: Conditions,
    own: Mapping[str, Conditions],
) -> str:
    """Every row that some look needs is read once: those that fulfil all filters but one, with a mark for each."""
    columns = _columns(items, facets)
    marks = ", ".join(f"({conditions}) AS by_{name}" for name, conditions in own.items())
    fulfilled = " + ".join(f"({conditions})::int" for conditions in own.values())
    shared = f"""{_SHARED} AS MATERIALIZED (
        SELECT {columns}, {marks} FROM {items.table}
        WHERE {fulfilled} >= {len(own) - 1} AND {always} LIMIT %(most_shared)s)"""
    parts = [_part(look, "*", _SHARED, [f"by_{name}" for name in look.filters]) for look in looks]
    return _counting([shared, *parts], looks, [_SHARED])


def _each_alone(items: Searched, looks: Sequence[_Look], always: Conditions, own: Mapping[str, Conditions]) -> str:
    """Conditions are tried in their order: to compare numbers first costs less than to read the texts."""
    parts = [
        _part(look, _columns(items, look.facets), items.table, [*(own[name] for name in look.filters), always])
        for look in looks
    ]
    return _counting(parts, looks, [])


def _columns(items: Searched, facets: Sequence[Counted]) -> str:
    named = (column for facet in facets for column in facet.columns)
    return ", ".join([items.row_id, f"{items.listing_place} AS place", *named])


def _part(look: _Look, columns: str, table: str, conditions: Sequence[Conditions | str]) -> str:
    where = " AND ".join(map(str, conditions)) or "true"
    return f"""{look.name} AS MATERIALIZED (
        SELECT {columns} FROM {table} WHERE {where} ORDER BY place, id LIMIT %(most_counted)s)"""


def _counting(parts: Sequence[str], looks: Sequence[_Look], besides: Sequence[str]) -> str:
    """A statement that tells how many items each look has, under no facet's name, and what the facets count in them."""
    named = [*besides, *(look.name for look in looks)]
    sizes = [f"SELECT '' AS facet, '{name}' AS value, count(*) AS count FROM {name}" for name in named]
    counts = [
        f"SELECT '{facet.name}', value, count FROM ({facet.count_in(look.name)}) AS counted"
        for look in looks
        for facet in look.facets
    ]
    return f"WITH {', '.join(parts)} {' UNION ALL '.join([*sizes, *counts])}"


def _sizes(rows: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    return {row["value"]: row["count"] for row in rows if not row["facet"]}


def _counts(facets: Sequence[Counted], rows: Sequence[Mapping[str, Any]]) -> Counts:
    sizes = _sizes(rows)
    sizes.pop(_SHARED, None)
    found = {facet.name: [row for row in rows if row["facet"] == facet.name] for facet in facets}
    return Counts(
        total=min(sizes[_MATCHED], MOST_COUNTED),
        is_exact=max(sizes.values()) <= MOST_COUNTED,
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
