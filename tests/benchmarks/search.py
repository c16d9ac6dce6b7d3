"""Target 12: the same searches in a catalogue of 100,000 packages beside one of 1,000."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from statistics import median, quantiles
from typing import Any

from application.catalogue.queries import ON_SALE, Behind, ItemQueries, PackageSearch
from domain.catalogue.packages import PackageCategory
from domain.shared.clock import business_date
from infrastructure.bootstrap import bootstrap
from tests.benchmarks.catalogues import fill_catalogue
from tests.benchmarks.harness import Comparison, Figure, Findings, Target
from tests.benchmarks.servers import System, another_database

LARGE, SMALL = 100_000, 1_000
SEARCHES_AT_LEAST = 5
"""Of each kind in each catalogue in a round, however long they take."""

WORST = Target(12, f"the worst kind of search at {LARGE:,} packages / at {SMALL:,}", gate=3, stretch=1.5, at_most=True)
ALL = Target(12, f"all kinds of search at {LARGE:,} packages / at {SMALL:,}", gate=3, stretch=1.5, at_most=True)

Ask = Callable[[ItemQueries[PackageSearch]], object]


def kinds(at: datetime) -> dict[str, Ask]:
    """What readers ask, by what is special about it."""

    def found(queries: ItemQueries[PackageSearch], **asked: Any) -> object:
        return queries.search(PackageSearch(at=at, **asked), sight=ON_SALE)

    def second_page(queries: ItemQueries[PackageSearch], **asked: Any) -> object:
        rows = queries.search(PackageSearch(at=at, **asked), sight=ON_SALE).rows
        after = Behind(rows[19]["sort_key"], rows[19]["id"])
        return queries.search(PackageSearch(at=at, after=after, **asked), sight=ON_SALE)

    def facets(queries: ItemQueries[PackageSearch], **asked: Any) -> object:
        return queries.facets(PackageSearch(at=at, **asked), sight=ON_SALE)

    today = business_date(at)
    in_spring = {"starts_from": today + timedelta(days=120), "starts_to": today + timedelta(days=127)}
    narrow: dict[str, Any] = {"category": PackageCategory.FAMILY, "min_price": 5_000_000, "max_price": 20_000_000}
    return {
        "no words": partial(found),
        "a word of every package": partial(found, q="cruise", sort="relevance"),
        "a word of one in forty": partial(found, q="سيوه", sort="relevance"),
        "a rare word": partial(found, q="zerzura", sort="relevance"),
        "a rare word, newest": partial(found, q="زرزورة", sort="newest"),
        "a slip in a rare word": partial(found, q="zrezura", sort="relevance"),
        "a slip, in Arabic": partial(found, q="رحلة زرزرة", sort="relevance"),
        "a word that is nowhere": partial(found, q="qwxzjkv", sort="relevance"),
        "two words, in Arabic": partial(found, q="رحله الاسكندريه", sort="relevance"),
        "part of a word": partial(found, q="exandr", sort="price"),
        "filters and sort": partial(found, sort="price", **narrow),
        "word, destination, filters": partial(found, q="cruise", destination="aswan", sort="-price", **narrow),
        "dates and party": partial(found, travelers=4, sort="featured", **in_spring),
        "word, dates, soonest": partial(found, q="siwa", travelers=2, sort="departure", **in_spring),
        "most popular, second page": partial(second_page, sort="popular"),
        "a word, best rated": partial(found, q="siwa", sort="rating", min_rating=4),
        "by name, second page": partial(second_page, sort="name_ar"),
        "facets of all": partial(facets),
        "facets of a word and filters": partial(facets, q="siwa", **narrow),
        "facets of a common word and filters": partial(facets, q="cruise", **narrow),
    }  # fmt: skip


def measure(system: System, *, seconds: int, rounds: int) -> Findings:
    """Through the product's queries, one catalogue right after the other; a round's figure is a kind's quartile."""
    with ExitStack() as stack:
        large = stack.enter_context(_catalogue(system, LARGE))
        small = stack.enter_context(_catalogue(stack.enter_context(another_database(system, "small_catalogue")), SMALL))
        asked = kinds(datetime.now(UTC))
        for ask in asked.values():
            _by_turns(ask, large, small, seconds=0.1)
        each = seconds / len(asked)
        taken = {
            kind: [_by_turns(ask, large, small, seconds=each) for _ in range(rounds)] for kind, ask in asked.items()
        }
    return _findings(taken, rounds)


def _findings(taken: dict[str, list[tuple[float, float]]], rounds: int) -> Findings:
    def compared(target: Target, pairs: list[tuple[float, float]]) -> Comparison:
        return Comparison(target, "µs", ours=[large for large, _ in pairs], floor=[small for _, small in pairs])

    def ratio(kind: str) -> float:
        return compared(WORST, taken[kind]).ratio

    together = [
        (sum(pairs[turn][0] for pairs in taken.values()), sum(pairs[turn][1] for pairs in taken.values()))
        for turn in range(rounds)
    ]
    figures = [
        one
        for kind in sorted(taken, key=ratio, reverse=True)
        for one in (
            Figure(f"{kind}, {LARGE:,} / {SMALL:,}", ratio(kind), "ratio"),
            Figure(f"{kind}, {LARGE:,}", median(large for large, _ in taken[kind]), "µs"),
        )
    ]
    return Findings([compared(WORST, taken[max(taken, key=ratio)]), compared(ALL, together)], figures)


@contextmanager
def _catalogue(system: System, packages: int) -> Iterator[ItemQueries[PackageSearch]]:
    fill_catalogue(system, packages)
    running = bootstrap(system.settings, pool_size=1)
    try:
        yield running.dependencies.queries.catalogue
    finally:
        running.close()


def _by_turns(
    ask: Ask, large: ItemQueries[PackageSearch], small: ItemQueries[PackageSearch], *, seconds: float
) -> tuple[float, float]:
    """The time in which a quarter of the searches in each was answered (µs): a busy machine interrupts the others."""
    times: tuple[list[int], list[int]] = ([], [])
    until = time.perf_counter() + seconds
    while time.perf_counter() < until or len(times[0]) < SEARCHES_AT_LEAST:
        turn = [(large, times[0]), (small, times[1])]
        for queries, taken in reversed(turn) if len(times[0]) % 2 else turn:
            began = time.perf_counter_ns()
            ask(queries)
            taken.append(time.perf_counter_ns() - began)
    return quantiles(times[0])[0] / 1000, quantiles(times[1])[0] / 1000
