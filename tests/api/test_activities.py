"""Activities over HTTP: what customers find, and what staff and vendors may do."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from werkzeug.test import TestResponse

from domain.shared.clock import business_date
from infrastructure.clock import SystemClock
from tests.api.shop import Json, Shop, SignUp, problem
from tests.conftest import Person

pytestmark = pytest.mark.database

ACTIVITIES = "/api/v1/activities"
ENOUGH: Json = {
    "name_ar": "غوص في الغردقة",
    "name_en": "Hurghada Diving",
    "description_ar": "غطستان مع مرشد",
    "description_en": "Two dives with a guide",
    "category": "SPORTS",
    "difficulty_level": "MODERATE",
    "price": {"amount": "900.00", "currency": "EGP"},
    "duration_hours": 5,
    "location": "الغردقة",
    "min_participants": 1,
    "max_participants": 10,
}


def soon(days: int = 30) -> str:
    return (business_date(SystemClock().now()) + timedelta(days=days)).isoformat()


def draft(shop: Shop, person: Person | None = None, **details: Any) -> Json:
    return shop.done(shop.post(ACTIVITIES, person or shop.admin, {**ENOUGH, **details}), 201)


def on_sale(shop: Shop, **details: Any) -> Json:
    made = draft(shop, **details)
    return shop.done(shop.post(f"{ACTIVITIES}/{made['id']}/publish", shop.admin))


def patch(shop: Shop, path: str, person: Person, body: Any, **headers: str) -> TestResponse:
    return shop.client.patch(path, json=body, headers={**person.headers, **headers})


def test_anybody_finds_an_activity_with_all_that_it_says(shop: Shop) -> None:
    activity = on_sale(shop, tax_rate="14.00", time_zone="Africa/Cairo", availability_end=soon(300))
    assert activity["slug"] == "hurghada-diving"
    draft(shop, name_en="Hidden")
    expected = {
        **ENOUGH,
        "slug": "hurghada-diving",
        "name": "Hurghada Diving",
        "description": "Two dives with a guide",
        "tax_rate": "14.00",
        "tax_inclusive": True,
        "featured_image": None,
        "is_featured": False,
        "display_order": 0,
        "status": "ACTIVE",
        "availability_start": None,
        "availability_end": soon(300),
        "time_zone": "Africa/Cairo",
        "views_count": 0,
        "total_bookings": 0,
        "rating_count": 0,
        "average_rating": None,
        "next_departure": None,
        "cancellation_policy_id": None,
    }
    assert {name: activity[name] for name in expected} == expected
    alone = {"age_bands", "seasons", "total_revenue", "images"}
    for_its_owner = {"approval", "approval_reason", "approval_decided_at", "review_requested_at"}
    assert set(activity) == {*expected, "id", "created_at", "updated_at", "cancellation", *for_its_owner, *alone}
    activity = {**activity, **dict.fromkeys(for_its_owner)}
    in_list = {name: value for name, value in activity.items() if name not in alone}
    assert shop.done(shop.get(ACTIVITIES)) == {"items": [in_list], "next_cursor": None, "corrected": []}
    for key in (activity["id"], activity["slug"]):
        assert shop.done(shop.get(f"{ACTIVITIES}/{key}")) == activity
    arabic = shop.done(shop.get(f"{ACTIVITIES}/{activity['id']}", Accept_Language="ar"))
    assert arabic["name"] == ENOUGH["name_ar"]


def test_a_slip_is_put_right_and_facets_say_what_is_left(shop: Shop) -> None:
    on_sale(shop)
    on_sale(shop, name_en="Walk", name_ar="مشي", category="CULTURAL", location="Luxor", difficulty_level="EASY")
    page = shop.done(shop.get(f"{ACTIVITIES}?q=divng"))
    assert [item["slug"] for item in page["items"]] == ["hurghada-diving"]
    assert page["corrected"] == [{"typed": "divng", "searched": ["diving"]}]
    facets = shop.done(shop.get(f"{ACTIVITIES}/facets?category=SPORTS&destination=الغردقه"))
    assert (facets["total"], facets["is_exact"], facets["corrected"], facets["rating"]) == (1, True, [], [])
    assert facets["category"] == [{"filters": {"category": "SPORTS"}, "count": 1}]
    assert facets["location"] == [{"filters": {"destination": "الغردقة"}, "count": 1}]
    assert facets["difficulty"] == [{"filters": {"difficulty": "MODERATE"}, "count": 1}]
    everything = shop.done(shop.get(f"{ACTIVITIES}/facets"))
    assert {facet["filters"]["destination"] for facet in everything["location"]} == {"الغردقة", "Luxor"}
    assert draft(shop, name_en="Facets")["slug"] == "activity-facets"


def test_filters_narrow_the_list_and_pages_follow_each_other(shop: Shop) -> None:
    diving = on_sale(shop)
    path = f"{ACTIVITIES}/{diving['id']}/departures"
    shop.done(shop.post(path, shop.admin, {"starts_on": soon(40), "start_time": "09:30", "capacity": 1}), 201)
    others = [
        on_sale(shop, name_en=f"Walk {number}", name_ar="مشي", category="CULTURAL", difficulty_level="EASY",
                location="Luxor", price={"amount": f"{100 + number}.00", "currency": "EGP"})["id"]
        for number in range(3)
    ]  # fmt: skip

    def found(query: str) -> list[str]:
        return [item["id"] for item in shop.done(shop.get(f"{ACTIVITIES}?{query}"))["items"]]

    for query in ("q=الغردقه", "q=diving guide", "category=SPORTS", "difficulty=MODERATE", "destination=الغردقة",
                  "min_price=900", f"from={soon(39)}&to={soon(41)}"):  # fmt: skip
        assert found(query) == [diving["id"]], query
    assert found("sort=price&max_price=500") == others
    assert found("sort=-price") == [diving["id"], *reversed(others)]
    assert found(f"from={soon(41)}") == found("featured=true") == found("q=moon") == []
    first = shop.done(shop.get(f"{ACTIVITIES}?sort=price&limit=3"))
    rest = shop.done(shop.get(f"{ACTIVITIES}?sort=price&limit=3&cursor={first['next_cursor']}"))
    assert [item["id"] for item in first["items"] + rest["items"]] == [*others, diving["id"]]
    problem(shop.get(f"{ACTIVITIES}?sort=newest&cursor={first['next_cursor']}"), 422, "invalid_cursor")
    for query, pointer in {
        "category=FAMILY": "/category", "difficulty=HARD": "/difficulty", "min_price=x": "/min_price",
        f"from={soon(3)}&to={soon(2)}": "/to", "sort=colour": "/sort",
    }.items():  # fmt: skip
        problem(shop.get(f"{ACTIVITIES}?{query}"), 422, "validation_failed", pointer=pointer)


def test_it_departs_several_times_a_day(shop: Shop) -> None:
    activity = on_sale(shop, time_zone="Asia/Dubai", duration_hours=6)
    path = f"{ACTIVITIES}/{activity['slug']}/departures"
    for hour in ("14:00", "20:00", "09:30"):
        body = {"starts_on": soon(), "start_time": hour, "capacity": 5}
        shop.done(shop.post(path, shop.admin, body), 201)

    items = shop.done(shop.get(path))["items"]
    assert [item["start_time"] for item in items] == ["09:30", "14:00", "20:00"]
    assert [item["starts_at"][-9:] for item in items] == ["05:30:00Z", "10:00:00Z", "16:00:00Z"]
    assert [item["ends_on"] for item in items] == [soon(), soon(), soon(31)]
    assert {(item["package_id"], item["activity_id"], item["time_zone"]) for item in items} == {
        (None, activity["id"], "Asia/Dubai")
    }
    first = shop.done(shop.get(f"{path}?limit=2"))
    rest = shop.done(shop.get(f"{path}?limit=2&cursor={first['next_cursor']}"))
    assert first["items"] + rest["items"] == items
    assert shop.done(shop.get(f"{ACTIVITIES}/{activity['id']}"))["next_departure"] == soon()
    for body, pointer in (
        ({"start_time": "24:00"}, "/start_time"), ({"start_time": "9:30"}, "/start_time"),
        ({"start_time": "09:30:00"}, "/start_time"), ({"start_time": None}, "/start_time"),
        ({"starts_on": soon(0)}, "/starts_on"), ({"capacity": 0}, "/capacity"), ({"seats": 1}, "/seats"),
    ):  # fmt: skip
        asked = {"starts_on": soon(), "capacity": 1, **body}
        problem(shop.post(path, shop.admin, asked), 422, "validation_failed", pointer=pointer)


def test_it_is_taken_off_sale_and_put_on_again(shop: Shop) -> None:
    activity = on_sale(shop)
    path = f"{ACTIVITIES}/{activity['id']}"
    tag = shop.get(path, shop.admin).headers["ETag"]

    assert shop.done(shop.post(f"{path}/deactivate", shop.admin, If_Match=tag))["status"] == "INACTIVE"
    problem(shop.post(f"{path}/publish", shop.admin, If_Match=tag), 412, "precondition_failed")
    problem(shop.get(path), 404, "activity_not_found")
    assert shop.done(shop.post(f"{path}/publish", shop.admin))["status"] == "ACTIVE"
    assert shop.done(shop.post(f"{path}/archive", shop.admin))["status"] == "ARCHIVED"
    problem(shop.post(f"{path}/publish", shop.admin), 409, "illegal_transition")


def test_vendors_work_on_their_own(shop: Shop, sign_up: SignUp) -> None:
    vendor, other, customer = sign_up("VENDOR"), sign_up("VENDOR"), sign_up()
    activity = draft(shop, vendor)
    path = f"{ACTIVITIES}/{activity['id']}"

    assert shop.done(patch(shop, path, vendor, {"price": {"amount": "950.00", "currency": "EGP"}}))["price"] == {
        "amount": "950.00",
        "currency": "EGP",
    }
    problem(patch(shop, path, other, {"name_en": "Mine"}), 404, "activity_not_found")
    problem(shop.get(path, other), 404, "activity_not_found")
    problem(shop.post(f"{path}/departures", other, {"starts_on": soon(), "capacity": 1}), 404, "activity_not_found")
    problem(shop.post(ACTIVITIES, customer, ENOUGH), 403, "forbidden")
    problem(patch(shop, path, vendor, {"is_featured": True}), 422, "validation_failed", pointer="/is_featured")
    assert shop.done(patch(shop, path, shop.admin, {"is_featured": True}))["is_featured"]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"price": {"amount": "0.00", "currency": "EGP"}}, "/price"),
        ({"price": 900}, "/price"),
        ({"duration_hours": 1.5}, "/duration_hours"),
        ({"max_participants": 0}, "/max_participants"),
        ({"category": "FAMILY"}, "/category"),
        ({"difficulty_level": "HARD"}, "/difficulty_level"),
        ({"time_zone": "Cairo"}, "/time_zone"),
        ({"slug": "Not A Slug"}, "/slug"),
        ({"status": "ACTIVE"}, "/status"),
        ({"vendor_id": None}, "/vendor_id"),
    ],
)
def test_what_cannot_be_is_refused_by_name(shop: Shop, body: Json, pointer: str) -> None:
    problem(shop.post(ACTIVITIES, shop.admin, {**ENOUGH, **body}), 422, "validation_failed", pointer=pointer)


def test_what_customers_would_miss_is_named_before_it_is_published(shop: Shop) -> None:
    activity = draft(shop, location="", description_ar="")

    answer = shop.post(f"{ACTIVITIES}/{activity['id']}/publish", shop.admin)
    told = problem(answer, 422, "not_publishable")
    assert {error["pointer"] for error in told["errors"]} == {"/location", "/description_ar"}
    problem(shop.post(ACTIVITIES, shop.admin, {**ENOUGH, "slug": activity["slug"]}), 409, "slug_taken")
    assert draft(shop)["slug"] == f"{activity['slug']}-2"
