"""Search over HTTP: corrections and facets as they are told, filters that make no sense, and any text at all."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pytest import Subtests

from domain.shared.clock import business_date
from infrastructure.clock import SystemClock
from tests.api.shop import Json, Shop, problem

pytestmark = pytest.mark.database

PACKAGES, FACETS, ACTIVITIES = "/api/v1/packages", "/api/v1/packages/facets", "/api/v1/activities"
NOTHING: Json = {"items": [], "next_cursor": None, "corrected": []}
# What people paste: both scripts, marks, what is not seen, emojis, controls, wildcards, quotes.
ANY_TEXT = st.text(
    st.characters(exclude_categories=["Cs"])
    | st.sampled_from("الأقصر ـ\u064b\u0651\u200d\u200f\u202e\x00\x07\x7f\x85\u2028%_\\'\";$(){}🏝👨‍👩‍👧ﷺﻻ٢۲"),
    max_size=30,
)


def found(shop: Shop, **query: Any) -> Json:
    return shop.done(shop.get(f"{PACKAGES}?{urlencode(query)}"))


def names(page: Json) -> list[str]:
    return [item["name_en"] for item in page["items"]]


def soon(days: int) -> str:
    return (business_date(SystemClock().now()) + timedelta(days=days)).isoformat()


def test_a_corrected_word_is_told_beside_what_was_found(shop: Shop) -> None:
    shop.package(name_en="Desert camp", name_ar="مخيم")
    assert found(shop, q="desert")["corrected"] == []
    page = found(shop, q="Desrt camp")
    assert (names(page), page["corrected"]) == (["Desert camp"], [{"typed": "Desrt", "searched": ["desert"]}])
    assert found(shop, q="qqqqqq") == NOTHING


def test_names_come_before_descriptions_where_words_are_searched(shop: Shop) -> None:
    shop.package(name_en="Tent", description_en="Like a palace", is_featured=True)
    shop.package(name_en="Palace")
    assert names(found(shop, q="palace")) == ["Palace", "Tent"]
    assert names(found(shop, q="palace", sort="featured")) == ["Tent", "Palace"]
    assert names(found(shop)) == ["Tent", "Palace"]
    first = found(shop, q="palace", limit=1)
    rest = found(shop, q="palace", limit=1, cursor=first["next_cursor"])
    assert (names(first), names(rest), rest["next_cursor"]) == (["Palace"], ["Tent"], None)
    problem(shop.get(f"{PACKAGES}?{urlencode({'cursor': first['next_cursor']})}"), 422, "invalid_cursor")


def test_names_are_sorted_in_the_language_that_is_read(shop: Shop) -> None:
    shop.package(name_en="Alpha", name_ar="يا")
    shop.package(name_en="Beta", name_ar="أب")

    def sorted_for(language: str, **query: Any) -> Json:
        return shop.done(shop.get(f"{PACKAGES}?{urlencode({'sort': 'name', **query})}", Accept_Language=language))

    assert (names(sorted_for("en")), names(sorted_for("ar"))) == (["Alpha", "Beta"], ["Beta", "Alpha"])
    cursor = sorted_for("en", limit=1)["next_cursor"]
    asked = urlencode({"sort": "name", "cursor": cursor})
    problem(shop.get(f"{PACKAGES}?{asked}", Accept_Language="ar"), 422, "invalid_cursor")


def test_every_facet_counts_what_its_filters_find(shop: Shop, subtests: Subtests) -> None:
    for number, (category, amount, currency) in enumerate(
        [
            ("FAMILY", "499.99", "EGP"),
            ("FAMILY", "500.00", "EGP"),
            ("LUXURY", "100000.00", "EGP"),
            ("LUXURY", "80", "KWD"),
        ]
    ):
        shop.package(
            name_en=f"Oasis {number}",
            category=category,
            base_price={"amount": amount, "currency": currency},
            duration_days=number * 4 + 1,
            duration_nights=0,
            destinations=["Siwa", "سيوة"] if number % 2 else ["SIWA", "Dubai"],
        )
    for chosen in ({}, {"q": "oasis"}, {"category": "LUXURY"}, {"destination": "siwa", "max_price": "600"}):
        facets = shop.done(shop.get(f"{FACETS}?{urlencode(chosen)}"))
        assert (facets["is_exact"], facets["total"]) == (True, len(found(shop, **chosen)["items"]))
        own = {"category": {"category"}, "currency": {"currency"}, "destination": {"destination"}}
        own |= {"price": {"min_price", "max_price"}, "duration": {"duration_min", "duration_max"}}
        assert set(facets) == {*own, "rating", "total", "is_exact", "corrected"}
        for name, filters in own.items():
            others = {key: value for key, value in chosen.items() if key not in filters}
            for facet in facets[name]:
                with subtests.test(name, chosen=chosen, facet=facet):
                    assert set(facet["filters"]) <= filters
                    assert len(found(shop, **others, **facet["filters"])["items"]) == facet["count"] > 0
            if name not in ("destination",):
                assert sum(facet["count"] for facet in facets[name]) == len(found(shop, **others)["items"])
    corrected = shop.done(shop.get(f"{FACETS}?q=oassis"))
    assert (corrected["total"], corrected["corrected"]) == (4, [{"typed": "oassis", "searched": ["oasis"]}])


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("duration_min=5&duration_max=4", "/duration_max"),
        ("min_price=5&max_price=4.99", "/max_price"),
        ("from=2027-02-01&to=2027-01-31", "/to"),
        ("travelers=0", "/travelers"),
        ("travelers=many", "/travelers"),
        ("duration_min=0", "/duration_min"),
        ("duration_max=100000", "/duration_max"),
        ("min_rating=6", "/min_rating"),
        ("min_rating=4.5", "/min_rating"),
        ("currency=XXX", "/currency"),
        ("currency=egp", "/currency"),
        ("q=" + "a" * 201, "/q"),
        ("q=%00", "/q"),
        ("category=SIWA", "/category"),
    ],
)
def test_nonsense_is_refused_by_name(shop: Shop, query: str, pointer: str) -> None:
    for path in (PACKAGES, FACETS, ACTIVITIES, f"{ACTIVITIES}/facets"):
        problem(shop.get(f"{path}?{query}"), 422, "validation_failed", pointer=pointer)


def test_what_is_counted_orders_and_narrows_both_kinds(shop: Shop) -> None:
    for path in (PACKAGES, ACTIVITIES):
        for sort in ("popular", "rating"):
            assert shop.done(shop.get(f"{path}?sort={sort}&min_rating=4")) == NOTHING
            problem(shop.get(f"{path}?sort=-{sort}"), 422, "validation_failed", pointer="/sort")


def test_a_package_does_not_take_the_address_of_the_facets(shop: Shop) -> None:
    assert shop.package(name_en="Facets")["slug"] == "package-facets"


@given(q=ANY_TEXT, sort=st.sampled_from(["", "relevance", "departure", "name"]))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text_is_answered_or_refused(shop: Shop, q: str, sort: str) -> None:
    query = urlencode({"q": q, **({"sort": sort} if sort else {})})
    answer = shop.get(f"{PACKAGES}?{query}")
    if answer.status_code != 200:
        problem(answer, 422, "validation_failed", pointer="/q")
    assert shop.get(f"{FACETS}?{urlencode({'q': q})}").status_code == answer.status_code
