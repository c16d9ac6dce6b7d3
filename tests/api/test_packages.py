"""The catalogue over HTTP: what customers find, and what staff and vendors may do."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import pytest
from werkzeug.test import TestResponse

from domain.shared.clock import business_date
from infrastructure.clock import SystemClock
from tests.api.shop import Json, Shop, SignUp, problem
from tests.conftest import MovableClock, Person

pytestmark = pytest.mark.database

PACKAGES = "/api/v1/packages"
ENOUGH: Json = {
    "name_ar": "مغامرة سيوة",
    "name_en": "Siwa Adventure",
    "description_ar": "كثبان وعيون",
    "description_en": "Dunes and springs",
    "category": "ADVENTURE",
    "base_price": {"amount": "1499.00", "currency": "EGP"},
    "duration_days": 3,
    "duration_nights": 2,
    "min_travelers": 1,
    "max_travelers": 10,
    "destinations": ["Siwa", "سيوة"],
}


def soon(days: int = 30) -> str:
    return (business_date(SystemClock().now()) + timedelta(days=days)).isoformat()


@pytest.fixture
def vendor(sign_up: SignUp) -> Person:
    return sign_up("VENDOR")


@pytest.fixture
def customer(sign_up: SignUp) -> Person:
    return sign_up()


@pytest.fixture
def draft(shop: Shop) -> Callable[..., Json]:
    """Makes a draft, staff's own unless somebody else is named."""

    def make(person: Person | None = None, **details: Any) -> Json:
        return shop.done(shop.post(PACKAGES, person or shop.admin, {**ENOUGH, **details}), 201)

    return make


def patch(shop: Shop, path: str, person: Person, body: Any) -> TestResponse:
    return shop.client.patch(path, json=body, headers=person.headers)


class TestFinding:
    def test_anybody_finds_a_package_with_all_that_it_says(self, shop: Shop) -> None:
        step = {"day": 1, "title_ar": "وصول", "title_en": "Arrival", "description_ar": "مساء", "description_en": "Late"}
        package = shop.package(
            **{
                **ENOUGH,
                "base_price": {"amount": "389.500", "currency": "KWD"},
                "tax_rate": "14.00",
                "inclusions_ar": ["إفطار"],
                "inclusions_en": ["Breakfast"],
                "exclusions_ar": ["طيران"],
                "exclusions_en": ["Flights"],
                "itinerary": [step],
                "is_featured": True,
                "availability_end": soon(300),
                "discounted_price": {"amount": "350.000", "currency": "KWD"},
                "is_customizable": True,
                "time_zone": "Asia/Kuwait",
                "meta_title_en": "Siwa in three days",
            }
        )
        found = shop.done(shop.get(f"{PACKAGES}?q=سيوه"))
        assert found["next_cursor"] is None
        assert [item["id"] for item in found["items"]] == [package["id"]]
        one = shop.done(shop.get(f"{PACKAGES}/{package['slug']}"))
        assert one == shop.done(shop.get(f"{PACKAGES}/{package['id']}"))
        assert one == {**package, "approval": None}
        assert found["items"][0].items() <= one.items()
        expected: Json = {
            **ENOUGH,
            "slug": "siwa-adventure",
            "name": "Siwa Adventure",
            "description": "Dunes and springs",
            "base_price": {"amount": "389.500", "currency": "KWD"},
            "tax_rate": "14.00",
            "tax_inclusive": True,
            "inclusions_ar": ["إفطار"],
            "inclusions_en": ["Breakfast"],
            "exclusions_ar": ["طيران"],
            "exclusions_en": ["Flights"],
            "itinerary": [{**step, "title": "Arrival", "description": "Late"}],
            "is_featured": True,
            "display_order": 0,
            "status": "ACTIVE",
            "availability_start": None,
            "availability_end": soon(300),
            "next_departure": None,
            "cancellation_policy_id": None,
            "discounted_price": {"amount": "350.000", "currency": "KWD"},
            "is_customizable": True,
            "time_zone": "Asia/Kuwait",
            "meta_title": "Siwa in three days",
            "meta_title_ar": "مغامرة سيوة",
            "meta_title_en": "Siwa in three days",
            "meta_description": "Dunes and springs",
            "meta_description_ar": "كثبان وعيون",
            "meta_description_en": "Dunes and springs",
            "featured_image": None,
            "images": [],
            "approval": None,
            "approval_reason": None,
            "approval_decided_at": None,
            "review_requested_at": None,
            "views_count": 0,
            "total_bookings": 0,
            "total_revenue": [],
            "rating_count": 0,
            "average_rating": None,
        }
        assert {name: one[name] for name in expected} == expected
        assert set(one) == {*expected, "id", "cancellation", "created_at", "updated_at", "age_bands", "seasons"}
        alone = {"images", "age_bands", "seasons", "total_revenue", *(name for name in one if name.startswith("meta_"))}
        assert set(one) - set(found["items"][0]) == alone

    def test_arabic_readers_get_arabic(self, shop: Shop) -> None:
        package = shop.package(**ENOUGH)
        shown = shop.done(shop.get(f"{PACKAGES}/{package['id']}", Accept_Language="ar"))
        assert (shown["name"], shown["description"]) == (ENOUGH["name_ar"], ENOUGH["description_ar"])

    def test_pages_follow_each_other_in_every_order(self, shop: Shop) -> None:
        for number in range(5):
            shop.package(**{**ENOUGH, "base_price": {"amount": f"{1000 + number % 2}.00", "currency": "EGP"}})
        for sort in ("featured", "price", "-price", "newest", "relevance", "name", "duration", "-duration"):
            whole = shop.done(shop.get(f"{PACKAGES}?sort={sort}&q=siwa"))["items"]
            seen, cursor = [], ""
            while True:
                page = shop.done(shop.get(f"{PACKAGES}?sort={sort}&limit=2&q=siwa{cursor}"))
                seen += page["items"]
                if page["next_cursor"] is None:
                    break
                cursor = f"&cursor={page['next_cursor']}"
            assert seen == whole
            assert len(seen) == 5

    def test_filters_narrow_the_list(self, shop: Shop) -> None:
        siwa = shop.offer(**{**ENOUGH, "name_en": "Siwa"}, starts_in_days=40)
        shop.offer(name_en="Dear", base_price={"amount": "90000.00", "currency": "EGP"}, starts_in_days=90)

        def found(query: str) -> list[str]:
            return [item["id"] for item in shop.done(shop.get(f"{PACKAGES}?{query}"))["items"]]

        for query in (
            "category=ADVENTURE",
            "destination=سيوه",
            "min_price=1499.00&max_price=1499",
            f"from={soon(39)}&to={soon(41)}",
            "max_price=1499.00&featured=false&sort=-price",
        ):
            assert found(query) == [siwa.package_id], query
        assert len(found("min_price=1499.000")) == 2
        assert found("featured=true") == found(f"from={soon(91)}") == found("max_price=0.5") == []

    def test_departures_are_shown_with_the_seats_that_are_left(self, shop: Shop, customer: Person) -> None:
        offer = shop.offer(seats=5, starts_in_days=20, **ENOUGH)
        shop.book(customer, offer, travelers=2)
        page = shop.done(shop.get(f"{PACKAGES}/siwa-adventure/departures"))
        assert page == shop.done(shop.get(f"{PACKAGES}/{offer.package_id}/departures"))
        assert page["next_cursor"] is None
        (departure,) = page["items"]
        assert departure == {
            "id": offer.departure_id,
            "package_id": offer.package_id,
            "activity_id": None,
            "starts_on": departure["starts_on"],
            "start_time": "00:00",
            "time_zone": "Africa/Cairo",
            "starts_at": departure["starts_at"],
            "ends_on": (date.fromisoformat(departure["starts_on"]) + timedelta(days=2)).isoformat(),
            "capacity": 5,
            "seats_left": 3,
            "status": "OPEN",
        }
        shown = shop.done(shop.get(f"{PACKAGES}/{offer.package_id}"))
        assert shown["next_departure"] == departure["starts_on"]

    def test_departures_come_in_pages(self, shop: Shop) -> None:
        package = shop.package(**ENOUGH)
        path = f"{PACKAGES}/{package['id']}/departures"
        made = [
            shop.done(shop.post(path, shop.admin, {"starts_on": soon(days), "capacity": 5}), 201)["id"]
            for days in (9, 3, 3)
        ]
        first = shop.done(shop.get(f"{path}?limit=2"))
        rest = shop.done(shop.get(f"{path}?limit=2&cursor={first['next_cursor']}"))
        assert [item["id"] for item in first["items"] + rest["items"]] == [made[1], made[2], made[0]]
        assert rest["next_cursor"] is None

    def test_a_departure_that_has_begun_is_not_shown(self, shop: Shop, clock: MovableClock) -> None:
        offer = shop.offer(starts_in_days=2, **ENOUGH)
        clock.offset = timedelta(days=3)
        assert shop.done(shop.get(f"{PACKAGES}/{offer.package_id}/departures"))["items"] == []
        assert shop.done(shop.get(f"{PACKAGES}/{offer.package_id}"))["next_departure"] is None


def _cursor(values: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(values).encode()).decode()


ID = "01a20ad1-5089-7590-b379-5c00871ac452"


class TestBadQuestions:
    @pytest.mark.parametrize(
        "cursor",
        [
            "x", "====", "%00", "%ff", "bnVsbA==", _cursor({}), _cursor([]), _cursor([1, ID]), _cursor("featured"),
            _cursor(["featured", 0, "x"]), _cursor(["featured", 0, None]), _cursor(["featured", "0", ID]),
            _cursor(["featured", True, ID]), _cursor(["featured", 1.5, ID]), _cursor(["featured", None, ID]),
            _cursor(["featured", -1, ID]), _cursor(["featured", 2**63, ID]), _cursor(["featured", 10**30, ID]),
            _cursor(["featured", 0, ID, 1]), _cursor(["price", 0, ID]), _cursor(["newest", "2026-11-23T10:00:00Z", ID]),
            "x" * 401,
        ],
    )  # fmt: skip
    def test_a_cursor_that_is_not_ours_is_refused(self, shop: Shop, cursor: str) -> None:
        code = "invalid_cursor" if len(cursor) <= 400 else "validation_failed"
        problem(shop.get(f"{PACKAGES}?cursor={cursor}"), 422, code, pointer="/cursor")

    @pytest.mark.parametrize(
        "values",
        [["newest", 5, ID], ["newest", "2026-11-23T10:00:00", ID], ["newest", "never", ID], ["newest", [], ID]],
    )
    def test_a_cursor_by_time_holds_an_instant(self, shop: Shop, values: list[Any]) -> None:
        problem(shop.get(f"{PACKAGES}?sort=newest&cursor={_cursor(values)}"), 422, "invalid_cursor")

    def test_a_cursor_belongs_to_its_order(self, shop: Shop) -> None:
        for _ in range(2):
            shop.package(**ENOUGH)
        cursor = shop.done(shop.get(f"{PACKAGES}?sort=price&limit=1"))["next_cursor"]
        shop.done(shop.get(f"{PACKAGES}?sort=price&limit=1&cursor={cursor}"))
        for sort in ("-price", "featured", "newest"):
            problem(shop.get(f"{PACKAGES}?sort={sort}&cursor={cursor}"), 422, "invalid_cursor")

    @pytest.mark.parametrize(
        ("query", "pointer"),
        [
            ("category=family", "/category"),
            ("sort=colour", "/sort"),
            ("sort=price;drop", "/sort"),
            ("limit=0", "/limit"),
            ("limit=101", "/limit"),
            ("limit=x", "/limit"),
            ("min_price=-1", "/min_price"),
            ("min_price=1e3", "/min_price"),
            ("min_price=", "/min_price"),
            ("max_price=1.2345", "/max_price"),
            ("max_price=9999999999999", "/max_price"),
            ("max_price=٥", "/max_price"),
            ("min_price=5&max_price=4", "/max_price"),
            ("from=tomorrow", "/from"),
            ("to=2027-02-30", "/to"),
            ("from=2027-02-02&to=2027-02-01", "/to"),
            ("featured=maybe", "/featured"),
            ("q=" + "x" * 201, "/q"),
            ("q=a%00b", "/q"),
            ("destination=%00", "/destination"),
            ("destination=" + "x" * 101, "/destination"),
        ],
    )
    def test_a_question_that_cannot_be_meant_is_refused(self, shop: Shop, query: str, pointer: str) -> None:
        problem(shop.get(f"{PACKAGES}?{query}"), 422, "validation_failed", pointer=pointer)

    @pytest.mark.parametrize(
        "query", ["q=%25", "q=%5C", "q=%27%22", "q=%F0%9F%8C%B4", "from=0001-01-01", "to=9999-12-31"]
    )
    def test_odd_questions_are_answered(self, shop: Shop, query: str) -> None:
        assert shop.done(shop.get(f"{PACKAGES}?{query}"))["items"] == []

    @pytest.mark.parametrize("name", ["nothing", ID, "%00", "a%20b", "%25", "x" * 300, "..", "%F0%9F%8C%B4"])
    def test_what_is_not_there_is_not_found(self, shop: Shop, name: str) -> None:
        for path in (f"{PACKAGES}/{name}", f"{PACKAGES}/{name}/departures"):
            assert shop.get(path).status_code == 404
        if name != "..":
            problem(shop.get(f"{PACKAGES}/{name}"), 404, "package_not_found")

    def test_a_token_that_is_there_has_to_be_valid(self, shop: Shop) -> None:
        problem(shop.client.get(PACKAGES, headers={"Authorization": "Bearer x"}), 401, "invalid_token")


class TestDrafts:
    def test_customers_do_not_see_a_draft(self, shop: Shop, draft: Callable[..., Json], customer: Person) -> None:
        package = draft()
        for person in (None, customer):
            assert shop.done(shop.get(PACKAGES, person))["items"] == []
            for path in (package["id"], package["slug"], f"{package['id']}/departures"):
                problem(shop.get(f"{PACKAGES}/{path}", person), 404, "package_not_found")
        assert shop.done(shop.get(f"{PACKAGES}/{package['slug']}", shop.admin)) == package

    def test_a_draft_cannot_be_booked(self, shop: Shop, draft: Callable[..., Json], customer: Person) -> None:
        package = draft()
        path = f"{PACKAGES}/{package['id']}/departures"
        departure = shop.done(shop.post(path, shop.admin, {"starts_on": soon(), "capacity": 5}), 201)
        body = {"package_id": package["id"], "departure_id": departure["id"], "travelers_count": 1}
        assert shop.post("/api/v1/bookings", customer, body).status_code == 404

    def test_publishing_puts_it_on_sale_and_once_only(self, shop: Shop, draft: Callable[..., Json]) -> None:
        package = draft()
        path = f"{PACKAGES}/{package['id']}"
        assert shop.done(shop.post(f"{path}/publish", shop.admin))["status"] == "ACTIVE"
        assert shop.done(shop.get(path))["status"] == "ACTIVE"
        problem(shop.post(f"{path}/publish", shop.admin), 409, "illegal_transition")
        names = [row["name"] for row in shop.database.rows("SELECT name FROM outbox_events")]
        assert names.count("catalogue.item_published") == 1

    def test_what_is_missing_is_named(self, shop: Shop, draft: Callable[..., Json]) -> None:
        package = draft(description_ar="", destinations=[])
        refused = problem(shop.post(f"{PACKAGES}/{package['id']}/publish", shop.admin), 422, "not_publishable")
        assert {error["pointer"] for error in refused["errors"]} == {"/description_ar", "/destinations"}

    def test_what_every_package_is_made_of_is_required(self, shop: Shop) -> None:
        refused = problem(shop.post(PACKAGES, shop.admin, {}), 422, "validation_failed")
        assert {error["pointer"] for error in refused["errors"]} == {
            "/category", "/base_price", "/duration_days", "/duration_nights", "/min_travelers", "/max_travelers",
        }  # fmt: skip

    @pytest.mark.parametrize(
        ("details", "pointer"),
        [
            ({"unknown": 1}, "/unknown"),
            ({"status": "ACTIVE"}, "/status"),
            ({"vendor_id": ID}, "/vendor_id"),
            ({"category": "family"}, "/category"),
            ({"base_price": {"amount": "0.00", "currency": "EGP"}}, "/base_price"),
            ({"base_price": {"amount": "-1.00", "currency": "EGP"}}, "/base_price"),
            ({"base_price": {"amount": "1.005", "currency": "EGP"}}, "/base_price"),
            ({"base_price": {"amount": "10000001", "currency": "EGP"}}, "/base_price"),
            ({"base_price": {"amount": "1.00", "currency": "XXX"}}, "/base_price"),
            ({"base_price": 1499}, "/base_price"),
            ({"tax_rate": "100.01"}, "/tax_rate"),
            ({"tax_rate": 14}, "/tax_rate"),
            ({"tax_rate": "14.001"}, "/tax_rate"),
            ({"tax_inclusive": "perhaps"}, "/tax_inclusive"),
            ({"duration_days": 0, "duration_nights": 0}, "/duration_days"),
            ({"duration_days": 2.0}, "/duration_days"),
            ({"duration_days": True}, "/duration_days"),
            ({"duration_nights": 4}, "/duration_nights"),
            ({"min_travelers": 0}, "/min_travelers"),
            ({"min_travelers": 11}, "/max_travelers"),
            ({"max_travelers": 201}, "/max_travelers"),
            ({"name_ar": "س" * 201}, "/name_ar"),
            ({"name_en": "a\u0000b"}, "/name_en"),
            ({"name_en": "", "name_ar": " "}, "/name_en"),
            ({"name_en": None}, "/name_en"),
            ({"description_en": "x" * 10_001}, "/description_en"),
            ({"destinations": "Siwa"}, "/destinations"),
            ({"destinations": ["x"] * 31}, "/destinations"),
            ({"destinations": [""]}, "/destinations/0"),
            ({"destinations": [None]}, "/destinations/0"),
            ({"inclusions_en": ["x" * 301]}, "/inclusions_en/0"),
            ({"itinerary": [{"day": 4}]}, "/itinerary/0/day"),
            ({"itinerary": [{"day": 1, "hour": 2}]}, "/itinerary/0/hour"),
            ({"itinerary": [{}]}, "/itinerary/0/day"),
            ({"itinerary": [{"day": 1}] * 401}, "/itinerary"),
            ({"display_order": 10_001}, "/display_order"),
            ({"availability_start": "2027-02-02", "availability_end": "2027-02-01"}, "/availability_end"),
            ({"availability_start": "soon"}, "/availability_start"),
            ({"slug": "Not A Slug"}, "/slug"),
            ({"slug": ID}, "/slug"),
            ({"slug": ""}, "/slug"),
        ],
    )
    def test_a_field_that_cannot_be_is_named(self, shop: Shop, details: Json, pointer: str) -> None:
        before = shop.database.rows("SELECT count(*) FROM packages")
        problem(shop.post(PACKAGES, shop.admin, {**ENOUGH, **details}), 422, "validation_failed", pointer=pointer)
        assert shop.database.rows("SELECT count(*) FROM packages") == before

    def test_the_same_key_makes_one_package(self, shop: Shop) -> None:
        key = uuid4().hex
        first = shop.post(PACKAGES, shop.admin, ENOUGH, key=key)
        again = shop.post(PACKAGES, shop.admin, ENOUGH, key=key)
        assert first.status_code == again.status_code == 201
        assert first.json == again.json
        assert first.headers["Location"] == again.headers["Location"] == f"{PACKAGES}/{first.json['id']}"  # type: ignore[index]
        assert shop.database.rows("SELECT count(*) FROM packages") == [{"count": 1}]


class TestSlugs:
    def test_packages_of_one_name_get_slugs_of_their_own(self, shop: Shop, draft: Callable[..., Json]) -> None:
        assert [draft()["slug"] for _ in range(3)] == ["siwa-adventure", "siwa-adventure-2", "siwa-adventure-3"]

    def test_made_at_the_same_time_too(self, shop: Shop) -> None:
        admin = shop.admin
        with ThreadPoolExecutor(6) as threads:
            answers = list(threads.map(lambda _: shop.post(PACKAGES, admin, ENOUGH), range(6)))
        assert [answer.status_code for answer in answers] == [201] * 6
        slugs = {row["slug"] for row in shop.database.rows("SELECT slug FROM packages")}
        assert slugs == {"siwa-adventure", *(f"siwa-adventure-{number}" for number in range(2, 7))}

    def test_one_may_be_chosen_that_nobody_has(self, shop: Shop, draft: Callable[..., Json]) -> None:
        assert draft(slug="واحة-سيوة")["slug"] == "واحة-سيوة"
        problem(shop.post(PACKAGES, shop.admin, {**ENOUGH, "slug": "واحة-سيوة"}), 409, "slug_taken")
        other = draft(slug="other")
        problem(patch(shop, f"{PACKAGES}/{other['id']}", shop.admin, {"slug": "واحة-سيوة"}), 409, "slug_taken")
        renamed = shop.done(patch(shop, f"{PACKAGES}/{other['id']}", shop.admin, {"slug": "renamed"}))
        assert renamed["slug"] == "renamed"
        assert shop.done(patch(shop, f"{PACKAGES}/renamed", shop.admin, {"slug": "renamed"}))["slug"] == "renamed"

    def test_an_arabic_name_makes_an_arabic_address(self, shop: Shop) -> None:
        package = shop.done(shop.post(PACKAGES, shop.admin, {**ENOUGH, "name_en": ""}), 201)
        assert package["slug"] == "مغامرة-سيوة"
        assert shop.done(shop.get(f"{PACKAGES}/مغامرة-سيوة", shop.admin))["id"] == package["id"]


class TestChanging:
    def test_what_is_given_changes_and_is_audited(self, shop: Shop, draft: Callable[..., Json]) -> None:
        package = draft(availability_end="2027-12-31")
        body = {"base_price": {"amount": "10.500", "currency": "KWD"}, "tax_rate": "14", "availability_end": None}
        changed = shop.done(patch(shop, f"{PACKAGES}/{package['id']}", shop.admin, body))
        expected = {"base_price": body["base_price"], "tax_rate": "14.00", "availability_end": None}
        assert changed == {**package, **expected, "updated_at": changed["updated_at"]}
        log = shop.database.rows("SELECT user_id, action, resource_id, changes FROM audit_logs ORDER BY id")
        assert [row["action"] for row in log] == ["packages.create", "packages.update"]
        assert {(row["user_id"], str(row["resource_id"])) for row in log} == {(shop.admin.user_id, package["id"])}
        assert log[1]["changes"] == {
            "before": {"base_price": "EGP 1499.00", "tax_rate": "0.00", "availability_end": "2027-12-31"},
            "after": {"base_price": "KWD 10.500", "tax_rate": "14.00", "availability_end": None},
        }

    def test_nothing_given_is_nothing_changed(self, shop: Shop, draft: Callable[..., Json]) -> None:
        package = draft()
        changed = shop.done(patch(shop, f"{PACKAGES}/{package['id']}", shop.admin, {}))
        assert changed == {**package, "updated_at": changed["updated_at"]}
        assert len(shop.database.rows("SELECT id FROM audit_logs")) == 1

    @pytest.mark.parametrize(
        ("body", "code"),
        [
            ({"description_ar": ""}, "not_publishable"),
            ({"min_travelers": 11}, "validation_failed"),
            ({"duration_days": 1}, "validation_failed"),
            ({"status": "ARCHIVED"}, "validation_failed"),
            ({"base_price": None}, "validation_failed"),
        ],
    )
    def test_what_is_on_sale_stays_whole(self, shop: Shop, body: Json, code: str) -> None:
        package = shop.package(**ENOUGH)
        path = f"{PACKAGES}/{package['id']}"
        problem(patch(shop, path, shop.admin, body), 422, code)
        assert shop.done(shop.get(path, shop.admin)) == package

    def test_a_booking_keeps_its_price(self, shop: Shop, customer: Person) -> None:
        offer = shop.offer(**ENOUGH)
        booking = shop.book(customer, offer, travelers=2)
        body = {"base_price": {"amount": "9999.00", "currency": "EGP"}}
        shop.done(patch(shop, f"{PACKAGES}/{offer.package_id}", shop.admin, body))
        shown = shop.done(shop.get(f"/api/v1/bookings/{booking['id']}", customer))
        assert shown["final_amount"] == {"amount": "2998.00", "currency": "EGP"}


class TestDepartures:
    def test_its_end_may_be_said(self, shop: Shop) -> None:
        package = shop.package(**ENOUGH)
        body = {"starts_on": soon(10), "ends_on": soon(15), "capacity": 1}
        made = shop.post(f"{PACKAGES}/{package['slug']}/departures", shop.admin, body)
        assert shop.done(made, 201)["ends_on"] == soon(15)
        assert made.headers["Location"] == f"/api/v1/departures/{made.json['id']}"

    @pytest.mark.parametrize(
        ("body", "pointer"),
        [
            ({"starts_on": soon(0)}, "/starts_on"),
            ({"starts_on": soon(-1)}, "/starts_on"),
            ({"starts_on": soon(3 * 365 + 1)}, "/starts_on"),
            ({"starts_on": "9999-12-31"}, "/starts_on"),
            ({"starts_on": "2027-13-01"}, "/starts_on"),
            ({"starts_on": None}, "/starts_on"),
            ({"ends_on": soon(29)}, "/ends_on"),
            ({"ends_on": soon(30 + 367)}, "/ends_on"),
            ({"ends_on": "9999-12-31"}, "/ends_on"),
            ({"ends_on": soon(61)}, "/ends_on"),
            ({"starts_on": soon(59)}, "/ends_on"),
            ({"starts_on": soon(9)}, "/starts_on"),
            ({"capacity": 0}, "/capacity"),
            ({"capacity": 10_001}, "/capacity"),
            ({"capacity": "5"}, "/capacity"),
            ({"capacity": None}, "/capacity"),
            ({"seats_taken": 1}, "/seats_taken"),
        ],
    )
    def test_what_cannot_be_sold_is_refused(self, shop: Shop, body: Json, pointer: str) -> None:
        package = shop.package(**ENOUGH, availability_start=soon(10), availability_end=soon(60))
        asked = {"starts_on": soon(30), "capacity": 5, **body}
        path = f"{PACKAGES}/{package['id']}/departures"
        problem(shop.post(path, shop.admin, asked), 422, "validation_failed", pointer=pointer)
        assert shop.database.rows("SELECT id FROM departures") == []

    def test_today_is_the_day_in_cairo(self, shop: Shop, clock: MovableClock) -> None:
        """At 22:30 UTC it is past midnight there in winter and in summer: tomorrow's UTC date is today's trip."""
        now = SystemClock().now()
        clock.offset = now.replace(hour=22, minute=30) - now
        package = shop.package(**ENOUGH)
        path = f"{PACKAGES}/{package['id']}/departures"
        tomorrow_utc = (now.date() + timedelta(days=1)).isoformat()
        after = (now.date() + timedelta(days=2)).isoformat()
        problem(shop.post(path, shop.admin, {"starts_on": tomorrow_utc, "capacity": 5}), 422, "validation_failed")
        shop.done(shop.post(path, shop.admin, {"starts_on": after, "capacity": 5}), 201)

    def test_the_same_key_makes_one_departure(self, shop: Shop) -> None:
        package = shop.package(**ENOUGH)
        path, body, key = f"{PACKAGES}/{package['id']}/departures", {"starts_on": soon(), "capacity": 5}, uuid4().hex
        first, again = (shop.post(path, shop.admin, body, key=key) for _ in range(2))
        assert first.json == again.json
        assert len(shop.database.rows("SELECT id FROM departures")) == 1


class TestWhoMay:
    @pytest.mark.parametrize("role", ["CUSTOMER", "AGENT"])
    def test_customers_and_agents_change_nothing(self, shop: Shop, sign_up: SignUp, role: str) -> None:
        package, person = shop.package(**ENOUGH), sign_up(role)
        path = f"{PACKAGES}/{package['id']}"
        departure = {"starts_on": soon(), "capacity": 5}
        before = shop.state()
        for answer in (
            shop.post(PACKAGES, person, ENOUGH),
            patch(shop, path, person, {"name_en": "Mine"}),
            shop.post(f"{path}/publish", person),
            shop.post(f"{path}/deactivate", person),
            shop.client.delete(path, headers=person.headers),
            shop.post(f"{path}/departures", person, departure),
        ):
            problem(answer, 403, "forbidden")
        assert shop.state() == before

    def test_nobody_without_a_token_changes_anything(self, shop: Shop) -> None:
        package = shop.package(**ENOUGH)
        for method, path in (
            ("POST", ""), ("PATCH", f"/{package['id']}"), ("POST", f"/{package['id']}/publish"),
            ("POST", f"/{package['id']}/departures"),
        ):  # fmt: skip
            problem(shop.client.open(f"{PACKAGES}{path}", method=method, json={}), 401, "unauthorized")

    def test_an_employee_runs_the_catalogue(self, shop: Shop, sign_up: SignUp) -> None:
        employee = sign_up("EMPLOYEE")
        package = shop.done(shop.post(PACKAGES, employee, {**ENOUGH, "is_featured": True, "display_order": 3}), 201)
        assert shop.done(shop.post(f"{PACKAGES}/{package['id']}/publish", employee))["status"] == "ACTIVE"


class TestVendors:
    def test_a_vendor_prepares_and_staff_publish(self, shop: Shop, vendor: Person, draft: Callable[..., Json]) -> None:
        package = draft(vendor)
        path = f"{PACKAGES}/{package['id']}"
        shop.done(patch(shop, path, vendor, {"name_en": "Siwa Camp"}))
        shop.done(shop.post(f"{path}/departures", vendor, {"starts_on": soon(), "capacity": 8}), 201)
        asked = shop.done(shop.post(f"{path}/publish", vendor))
        assert (asked["status"], asked["approval"]) == ("DRAFT", "PENDING")
        problem(shop.get(path), 404, "package_not_found")
        assert shop.done(shop.post(f"{path}/publish", shop.admin))["name"] == "Siwa Camp"
        assert shop.database.rows("SELECT vendor_id FROM packages") == [{"vendor_id": vendor.user_id}]

    def test_a_vendor_sees_and_changes_no_other_vendors_packages(
        self, shop: Shop, vendor: Person, sign_up: SignUp, draft: Callable[..., Json]
    ) -> None:
        rival = sign_up("VENDOR")
        own, drafted, on_sale = draft(vendor), draft(rival), draft(rival)
        shop.done(shop.post(f"{PACKAGES}/{on_sale['id']}/publish", shop.admin))
        seen = {item["id"] for item in shop.done(shop.get(PACKAGES, vendor))["items"]}
        assert seen == {own["id"], on_sale["id"]}
        house = shop.package(name_en="House")
        before = shop.state()
        for package in (drafted, on_sale, house):
            path = f"{PACKAGES}/{package['id']}"
            departure = {"starts_on": soon(), "capacity": 5}
            problem(patch(shop, path, vendor, {"name_en": "Mine"}), 404, "package_not_found")
            problem(shop.post(f"{path}/departures", vendor, departure), 404, "package_not_found")
        problem(shop.get(f"{PACKAGES}/{drafted['id']}", vendor), 404, "package_not_found")
        problem(shop.get(f"{PACKAGES}/{drafted['slug']}/departures", vendor), 404, "package_not_found")
        assert shop.state() == before

    def test_where_a_package_stands_is_not_its_vendors_to_say(
        self, shop: Shop, vendor: Person, draft: Callable[..., Json]
    ) -> None:
        for name, value in (("is_featured", True), ("display_order", 1)):
            refused = shop.post(PACKAGES, vendor, {**ENOUGH, name: value})
            problem(refused, 422, "validation_failed", pointer=f"/{name}")
        package = draft(vendor, is_featured=False, display_order=0)
        path = f"{PACKAGES}/{package['id']}"
        problem(patch(shop, path, vendor, {"is_featured": True}), 422, "validation_failed", pointer="/is_featured")
        shop.done(patch(shop, path, shop.admin, {"is_featured": True, "display_order": 4}))
        kept = {"is_featured": True, "display_order": 4, "name_en": "New"}
        assert shop.done(patch(shop, path, vendor, kept))["name_en"] == "New"
