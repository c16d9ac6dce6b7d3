"""Activities are found as packages are: words and corrections, filters, orders, facets."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from pytest import Subtests

from application.catalogue.activity_queries import ActivitySearch
from application.catalogue.queries import ON_SALE, SORTS, Behind, Correction
from domain.catalogue.activities import ActivityCategory, Difficulty
from domain.catalogue.publication import ItemStatus
from domain.shared.money import Money
from infrastructure.database.catalogue.activity_queries import SqlActivityQueries
from tests.builders import NOON, TODAY
from tests.integration.catalogue import EVERYTHING, Catalogue

pytestmark = pytest.mark.database


def pages(catalogue: Catalogue, **search: Any) -> list[str]:
    """What is found, two by two."""
    found: list[str] = []
    after = None
    while True:
        rows = (
            SqlActivityQueries(catalogue.database)
            .search(ActivitySearch(at=NOON, limit=2, after=after, **search), sight=ON_SALE)
            .rows
        )
        found += [row["slug"] for row in rows[:2]]
        if len(rows) <= 2:
            return found
        after = Behind(rows[1]["sort_key"], rows[1]["id"])


def test_words_are_found_in_every_spelling_and_slips_are_told(catalogue: Catalogue) -> None:
    catalogue.add_activity("dive", name_ar="غوص في الغردقة", name_en="Snorkel", location="الغردقة")
    catalogue.add_activity("dunes", name_ar="كثبان", name_en="Dunes", description_en="No snorkel", location="سيوة")
    assert catalogue.activities_found(q="غردقه") == ["dive"]
    assert catalogue.activities_found(q="snorkel", sort="relevance") == ["dive", "dunes"]
    slip = catalogue.activities(q="snorkle", sort="relevance")
    assert [row["slug"] for row in slip.rows] == ["dive", "dunes"]
    assert slip.corrections == [Correction("snorkle", ("snorkel",))]


def test_words_of_the_other_kind_correct_nothing(catalogue: Catalogue) -> None:
    """The vocabulary is shared, but an activity has to hold what is searched for in a word's place."""
    catalogue.add("package", name_en="Safari")
    catalogue.add_activity("hidden", name_en="Kayak", status=ItemStatus.DRAFT)
    catalogue.add_activity("dive")
    assert (catalogue.activities(q="safary").corrections, catalogue.activities_found(q="safary")) == ((), [])
    assert catalogue.activities(q="kayac").corrections == ()
    assert catalogue.activities_found(q="kayac", sight=EVERYTHING) == ["hidden"]


def test_each_filter_finds_its_own(catalogue: Catalogue, subtests: Subtests) -> None:
    catalogue.add_activity(
        "wanted",
        category=ActivityCategory.WELLNESS,
        difficulty_level=Difficulty.EXTREME,
        location="سيوة",
        price=Money.of(50_000, "KWD"),
        duration_hours=30,
        min_participants=5,
        max_participants=9,
        is_featured=True,
        days_ahead=[10],
    )
    catalogue.add_activity("other", difficulty_level=Difficulty.EASY, max_participants=4, days_ahead=[20])
    catalogue.count(catalogue.activities(destination="سيوه").rows[0]["id"], stars=[5, 4])
    for asked in (
        {"category": ActivityCategory.WELLNESS}, {"difficulty": Difficulty.EXTREME}, {"destination": "سيوه"},
        {"currency": "KWD"}, {"max_price": 50_000}, {"duration_min": 24}, {"min_rating": 4}, {"travelers": 9},
        {"featured": True}, {"starts_to": TODAY + timedelta(days=15)},
    ):  # fmt: skip
        with subtests.test(asked=asked):
            assert catalogue.activities_found(**asked) == ["wanted"]
    assert catalogue.activities_found(sort="departure", starts_from=TODAY + timedelta(days=15)) == ["other"]


def test_pages_follow_each_other_in_every_order(catalogue: Catalogue, subtests: Subtests) -> None:
    for number in range(7):
        activity_id = catalogue.add_activity(
            f"a-{number}",
            name_en=("Dive", "Ride")[number % 2],
            duration_hours=number % 3 + 1,
            days_ahead=[3, 3 + number % 2],
        )
        catalogue.count(activity_id, bookings=number % 3, views=number % 2, stars=[number % 5 + 1] * (number % 3))
    for sort in SORTS:
        with subtests.test(sort):
            assert pages(catalogue, sort=sort) == catalogue.activities_found(sort=sort)
            assert len(set(catalogue.activities_found(sort=sort))) == 7


def test_facets_count_what_their_filters_find(catalogue: Catalogue, subtests: Subtests) -> None:
    for number in range(6):
        activity_id = catalogue.add_activity(
            f"a-{number}",
            category=(ActivityCategory.SPORTS, ActivityCategory.CULTURAL)[number % 2],
            difficulty_level=(Difficulty.EASY, Difficulty.EXTREME)[number // 3],
            location=("سيوة", "سيوه", "Dahab")[number % 3],
            price=Money.of(40_000 * (number + 1), "EGP"),
            duration_hours=number + 1,
        )
        catalogue.count(activity_id, stars=[number] if number else [])
    queries = SqlActivityQueries(catalogue.database)
    own = {"category": {"category"}, "difficulty": {"difficulty"}, "currency": {"currency"}}
    own |= {"location": {"destination"}, "price": {"min_price", "max_price"}}
    own |= {"duration": {"duration_min", "duration_max"}, "rating": {"min_rating"}}
    for chosen in (
        {},
        {"q": "diving", "category": ActivityCategory.SPORTS},
        {"q": "diving", "difficulty": Difficulty.EASY, "destination": "سيوه", "min_rating": 1},
        {"difficulty": Difficulty.EASY, "max_price": 1_500_000},
    ):
        counted = queries.facets(ActivitySearch(at=NOON, **chosen), sight=ON_SALE)
        assert (counted.is_exact, counted.total) == (True, len(catalogue.activities_found(**chosen)))
        assert set(counted.facets) == set(own)
        for name, facets in counted.facets.items():
            others = {key: value for key, value in chosen.items() if key not in own[name]}
            for facet in facets:
                with subtests.test(name, chosen=chosen, facet=facet):
                    assert set(facet.filters) <= own[name]
                    asked = {key: _as_asked(key, value) for key, value in facet.filters.items()}
                    assert len(catalogue.activities_found(**others, **asked)) == facet.count > 0


def _as_asked(name: str, value: str | int) -> Any:
    if name in ("min_price", "max_price"):
        return int(str(value).replace(".", ""))
    return value
