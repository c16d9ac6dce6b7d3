"""Search of one kind of item: pages in every order, facets, and corrections of words that find nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from application.catalogue.queries import Behind, Correction, Facets, Found, ItemSearch, Row, Sight
from domain.catalogue.spelling import fold_for_search
from infrastructure.database.catalogue.facets import Counts, count
from infrastructure.database.catalogue.finding import ITEM_COLUMN, moment, not_begun, seats_left, within
from infrastructure.database.catalogue.listings import RELEVANCE, Listing
from infrastructure.database.catalogue.search import Conditions, Word, by_relevance, corrected, held_in, typed_words
from infrastructure.database.pages import settled_before
from infrastructure.database.transaction import Database


class SqlItemSearch:
    """Searches one kind of item, as far as the reader's sight goes."""

    def __init__(self, database: Database, listing: Listing) -> None:
        self._database = database
        self._listing = listing

    def search(self, search: ItemSearch, *, sight: Sight) -> Found:
        """A page, of the corrected search where the words as they were typed find nothing."""
        words = typed_words(search.q)
        rows = self._page(search, sight, words)
        if rows or not words:
            return Found(rows)
        words, corrections = self._corrected(sight, words)
        return Found(self._page(search, sight, words), corrections) if corrections else Found(rows)

    def facets(self, search: ItemSearch, *, sight: Sight) -> Facets:
        """What is counted, for the corrected search where the words as they were typed find nothing."""
        words = typed_words(search.q)
        counts = self._counts(search, sight, words)
        corrections: Sequence[Correction] = ()
        if words and not counts.total:
            words, corrections = self._corrected(sight, words)
            counts = self._counts(search, sight, words) if corrections else counts
        return Facets(counts.total, counts.is_exact, counts.facets, corrections)

    def _corrected(self, sight: Sight, words: Sequence[Word]) -> tuple[list[Word], list[Correction]]:
        return corrected(self._database, self._listing.items, self._seen(sight), words)

    def _counts(self, search: ItemSearch, sight: Sight, words: Sequence[Word]) -> Counts:
        items, own = self._listing.items, self._filters(search)
        always = self._seen(sight) & held_in(items.text, words) & own.pop("", Conditions()) & self._departing(search)
        return count(self._database, items, self._listing.facets, always, own, is_narrow=bool(words))

    def _page(self, search: ItemSearch, sight: Sight, words: Sequence[Word]) -> Sequence[Row]:
        wanted = self._seen(sight)
        for conditions in self._filters(search).values():
            wanted &= conditions
        if search.sort == "departure":
            return self._in_order(search, wanted & held_in(self._listing.items.text, words) & self._first(search))
        wanted &= self._departing(search)
        if search.sort == RELEVANCE:

            def page(conditions: Conditions, limit: int, after: Behind | None) -> Sequence[Row]:
                return self._in_order(replace(search, sort="featured", limit=limit, after=after), conditions)

            return by_relevance(self._listing.items, wanted, words, page, limit=search.limit, after=search.after)
        return self._in_order(search, wanted & held_in(self._listing.items.text, words))

    def _in_order(self, search: ItemSearch, wanted: Conditions) -> Sequence[Row]:
        order = self._listing.order(search.sort)
        values = {**wanted.values, **moment(search.at), "limit": search.limit + 1}
        conditions = [*wanted.sql]
        if search.after is not None:
            conditions.append(order.behind)
            values |= {"after_key": search.after.key, "after_id": search.after.id}
        if search.updated_after is not None:
            conditions.append(f"{order.column} > %(updated_after)s AND {order.column} < %(settled)s")
            values |= {"updated_after": search.updated_after, "settled": settled_before(self._database)}
        sql = f"""
            {self._listing.select}, {order.column} AS sort_key FROM {self._listing.table(search.sort)}
            WHERE {" AND ".join(conditions)} ORDER BY {order.by} LIMIT %(limit)s
        """
        # A word may stand in every item or in none: a plan that is kept would suit one of them.
        return self._database.rows(sql, values, replan=True)

    def _seen(self, sight: Sight) -> Conditions:
        return Conditions((within(sight, self._listing.alias),), {"vendor_id": sight.vendor_id})

    def _filters(self, search: ItemSearch) -> dict[str, Conditions]:
        """The filters that are used, by the facet that they belong to."""
        labels = {name: _label(name, getattr(search, name)) for name in self._listing.labels}
        values = {
            **{name: getattr(search, name) for filters in self._listing.filters.values() for name in filters},
            **labels,
            "destination": _label("destination", fold_for_search(search.destination)),
        }
        used = {}
        for facet, filters in self._listing.filters.items():
            names = [name for name in filters if values[name] is not None]
            if names:
                used[facet] = Conditions(tuple(filters[name] for name in names), {name: values[name] for name in names})
        return used

    def _departing(self, search: ItemSearch) -> Conditions:
        """Where dates are asked for: a departure within them that can be booked, by the whole party."""
        if search.starts_from is None and search.starts_to is None:
            return Conditions()
        fits = self._fitting(search, "d")
        return Conditions((f"EXISTS (SELECT 1 FROM departures d WHERE {fits})",), fits.values)

    def _first(self, search: ItemSearch) -> Conditions:
        """A departure that fits, and is the first of its item; soonest first, so found by walking departures.

        Nothing about it is kept in the item: seats are taken by the second, and today moves by itself.
        """
        fits, sooner = self._fitting(search, "d"), self._fitting(search, "sooner")
        is_first = f"""NOT EXISTS (SELECT 1 FROM departures sooner
            WHERE {sooner} AND (sooner.starts_on, sooner.id) < (d.starts_on, d.id))"""
        return fits & Conditions((is_first,))

    def _fitting(self, search: ItemSearch, departure: str) -> Conditions:
        """A departure of the item that can be booked, on the dates and by the party that are asked for.

        Each side of a range is bounded once: of two bounds the planner would think that they narrow it twice.
        """
        asked_at = moment(search.at)
        values = {
            **asked_at,
            "starts_from": max(search.starts_from or asked_at["today"], asked_at["today"]),
            "starts_to": search.starts_to or date.max,
            "seats": search.travelers or 1,
        }
        sql = f"""
            {departure}.{ITEM_COLUMN[self._listing.kind]} = {self._listing.items.row_id} AND {departure}.status = 'OPEN'
            AND {departure}.starts_on BETWEEN %(starts_from)s AND %(starts_to)s
            AND {not_begun(departure)}
            AND {departure}.capacity - {departure}.seats_taken >= %(seats)s
            AND (NOT {departure}.has_pools OR {seats_left(departure)} >= %(seats)s)
        """
        return Conditions((sql,), values)


def _label(kind: str, value: str | None) -> str | None:
    """As the triggers `fold_package` and `fold_activity` write it; None where nothing is asked for."""
    return f"{kind}:{value}" if value else None
