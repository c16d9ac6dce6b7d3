"""Departures, pools and patterns over HTTP."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from werkzeug.test import TestResponse

from domain.shared.clock import business_date
from infrastructure.clock import SystemClock
from tests.api.shop import Json, Shop, SignUp, problem
from tests.conftest import Person

pytestmark = pytest.mark.database

DEPARTURES, PATTERNS = "/api/v1/departures", "/api/v1/departure-patterns"
POOLS, SERIES = "/api/v1/admin/pools", "/api/v1/admin/pool-series"
BUS = {"name_ar": "حافلة", "name_en": "Bus", "capacity": 6}


def soon(days: int = 30) -> str:
    return (business_date(SystemClock().now()) + timedelta(days=days)).isoformat()


def patch(shop: Shop, path: str, person: Person, body: Any, **headers: str) -> TestResponse:
    return shop.client.patch(path, json=body, headers={**person.headers, **headers})


class TestDepartures:
    def test_seats_dates_and_hours_are_changed(self, shop: Shop) -> None:
        path = f"{DEPARTURES}/{shop.offer(seats=5).departure_id}"
        seen = shop.get(path)
        tag = seen.headers["ETag"]
        assert seen.json == shop.done(shop.get(path, shop.admin))

        moved = patch(shop, path, shop.admin, {"starts_on": soon(50), "start_time": "08:15", "capacity": 7},
                      **{"If-Match": tag})  # fmt: skip
        shown = shop.done(moved)
        assert (shown["starts_on"], shown["start_time"], shown["ends_on"]) == (soon(50), "08:15", soon(53))
        assert (shown["capacity"], shown["seats_left"]) == (7, 7)
        problem(patch(shop, path, shop.admin, {"capacity": 9}, **{"If-Match": tag}), 412, "precondition_failed")
        for body, pointer in (
            ({"capacity": 0}, "/capacity"), ({"capacity": "5"}, "/capacity"), ({"starts_on": soon(0)}, "/starts_on"),
            ({"ends_on": soon(49)}, "/ends_on"), ({"start_time": "25:00"}, "/start_time"),
            ({"status": "OPEN"}, "/status"),
        ):  # fmt: skip
            problem(patch(shop, path, shop.admin, body), 422, "validation_failed", pointer=pointer)

    def test_what_is_sold_is_not_moved_or_cancelled_and_leaves_the_tag_alone(self, shop: Shop, sign_up: SignUp) -> None:
        offer = shop.offer(seats=5)
        path = f"{DEPARTURES}/{offer.departure_id}"
        version = shop.get(path, shop.admin).headers["ETag"].split(".")[0]
        shop.book(sign_up(), offer, travelers=3)

        assert shop.get(path, shop.admin).headers["ETag"].split(".")[0] == version
        for refused in (
            patch(shop, path, shop.admin, {"starts_on": soon(50)}),
            patch(shop, path, shop.admin, {"start_time": "10:00"}),
            shop.post(f"{path}/cancel", shop.admin),
        ):
            assert problem(refused, 409, "departure_has_bookings")["seats_taken"] == 3
        assert problem(patch(shop, path, shop.admin, {"capacity": 2}), 409, "capacity_below_sold")["seats_taken"] == 3
        assert shop.done(patch(shop, path, shop.admin, {"capacity": 3}))["seats_left"] == 0
        told = problem(shop.post("/api/v1/bookings", sign_up(), offer.booking(1)), 409, "sold_out")
        assert (told["sold_out"], told["seats_left"]) == (offer.departure_id, 0)

    def test_it_is_closed_opened_again_and_cancelled(self, shop: Shop, sign_up: SignUp) -> None:
        offer, customer = shop.offer(), sign_up()
        path = f"{DEPARTURES}/{offer.departure_id}"

        assert shop.done(shop.post(f"{path}/close", shop.admin))["status"] == "CLOSED"
        problem(shop.post("/api/v1/bookings", customer, offer.booking()), 409, "departure_closed")
        problem(shop.post(f"{path}/close", shop.admin), 409, "illegal_transition")
        assert shop.done(shop.post(f"{path}/reopen", shop.admin))["status"] == "OPEN"
        assert shop.done(shop.post(f"{path}/cancel", shop.admin))["status"] == "CANCELLED"
        problem(shop.get(path), 404, "departure_not_found")
        problem(shop.post(f"{path}/reopen", shop.admin), 409, "illegal_transition")
        problem(patch(shop, path, shop.admin, {"capacity": 20}), 409, "departure_closed")

    def test_vendors_change_their_own(self, shop: Shop, sign_up: SignUp) -> None:
        vendor, other, customer = sign_up("VENDOR"), sign_up("VENDOR"), sign_up()
        body = {"category": "FAMILY", "base_price": {"amount": "10.00", "currency": "EGP"}, "duration_days": 1,
                "duration_nights": 0, "min_travelers": 1, "max_travelers": 5, "name_en": "Mine"}  # fmt: skip
        package = shop.done(shop.post("/api/v1/packages", vendor, body), 201)
        planned = {"starts_on": soon(), "capacity": 5}
        made = shop.done(shop.post(f"/api/v1/packages/{package['id']}/departures", vendor, planned), 201)
        path = f"{DEPARTURES}/{made['id']}"
        assert shop.done(patch(shop, path, vendor, {"capacity": 8}))["capacity"] == 8
        assert shop.done(shop.post(f"{path}/close", vendor))["status"] == "CLOSED"
        problem(patch(shop, path, other, {"capacity": 9}), 404, "departure_not_found")
        problem(shop.post(f"{path}/reopen", other), 404, "departure_not_found")
        problem(shop.get(path, customer), 404, "departure_not_found")
        problem(patch(shop, path, customer, {"capacity": 9}), 403, "forbidden")
        problem(shop.post(f"{path}/cancel", None), 401, "unauthorized")
        problem(shop.post(f"{DEPARTURES}/{uuid4()}/close", shop.admin), 404, "departure_not_found")


class TestPools:
    def test_two_products_share_a_bus(self, shop: Shop, sign_up: SignUp) -> None:
        tour, cruise, customer = shop.offer(seats=10), shop.offer(seats=10), sign_up()
        pool = shop.done(shop.post(POOLS, shop.admin, BUS), 201)
        assert (pool["name"], pool["seats_left"], pool["series_id"], pool["on_date"]) == ("Bus", 6, None, None)
        shop.book(customer, tour, travelers=4)
        for offer in (tour, cruise):
            path = f"{DEPARTURES}/{offer.departure_id}/pools/{pool['id']}"
            assert shop.client.put(path, headers=shop.admin.headers).status_code == 204
            problem(shop.client.put(path, headers=shop.admin.headers), 409, "pool_attached")
        assert shop.done(shop.get(f"{DEPARTURES}/{cruise.departure_id}"))["seats_left"] == 2
        listed = shop.done(shop.get(f"/api/v1/packages/{cruise.package_id}/departures"))["items"]
        assert [item["seats_left"] for item in listed] == [2]
        told = problem(shop.post("/api/v1/bookings", customer, cruise.booking(3)), 409, "sold_out")
        assert (told["sold_out"], told["seats_left"]) == (pool["id"], 2)
        assert shop.done(shop.post("/api/v1/quotes", customer, cruise.booking(1)))["seats_left"] == 2
        shop.book(customer, cruise, travelers=2)
        assert shop.done(shop.get(f"/api/v1/packages/{cruise.package_id}"))["next_departure"] is None

        one = f"{POOLS}/{pool['id']}"
        assert problem(patch(shop, one, shop.admin, {"capacity": 5}), 409, "capacity_below_sold")["seats_taken"] == 6
        assert shop.done(patch(shop, one, shop.admin, {"capacity": 8}))["seats_left"] == 2
        drawn = shop.done(shop.get(f"{DEPARTURES}/{tour.departure_id}/pools", shop.admin))["items"]
        assert [item["id"] for item in drawn] == [pool["id"]]
        path = f"{DEPARTURES}/{tour.departure_id}/pools/{pool['id']}"
        assert shop.client.delete(path, headers=shop.admin.headers).status_code == 204
        problem(shop.client.delete(path, headers=shop.admin.headers), 404, "pool_not_attached")
        assert shop.done(shop.get(one, shop.admin))["seats_left"] == 6

    def test_what_does_not_fit_or_is_not_there_is_refused(self, shop: Shop, sign_up: SignUp) -> None:
        offer = shop.offer()
        shop.book(sign_up(), offer, travelers=2)
        small = shop.done(shop.post(POOLS, shop.admin, {**BUS, "capacity": 1}), 201)
        path = f"{DEPARTURES}/{offer.departure_id}/pools"
        told = problem(shop.client.put(f"{path}/{small['id']}", headers=shop.admin.headers), 409, "sold_out")
        assert (told["sold_out"], told["seats_left"]) == (small["id"], 1)
        problem(shop.client.put(f"{path}/{uuid4()}", headers=shop.admin.headers), 404, "pool_not_found")
        problem(shop.get(f"{POOLS}/{uuid4()}", shop.admin), 404, "pool_not_found")
        for body, pointer in (({"capacity": 0}, "/capacity"), ({"name_en": ""}, "/name_en"), ({"x": 1}, "/x")):
            problem(shop.post(POOLS, shop.admin, {**BUS, **body}), 422, "validation_failed", pointer=pointer)
            problem(shop.post(SERIES, shop.admin, {**BUS, **body}), 422, "validation_failed", pointer=pointer)
        problem(shop.post(POOLS, sign_up("VENDOR"), BUS), 403, "wrong_surface")


class TestPatterns:
    def body(self, package: Json, **changes: Any) -> Json:
        return {"package_id": package["id"], "weekdays": [1, 2, 3, 4, 5, 6, 7], "first_on": soon(5),
                "last_on": soon(9), "start_time": "07:45", "capacity": 12, **changes}  # fmt: skip

    def test_departures_are_previewed_planned_changed_and_stopped(self, shop: Shop, sign_up: SignUp) -> None:
        package, customer = shop.package(duration_days=2, duration_nights=1), sign_up()
        series = shop.done(shop.post(SERIES, shop.admin, BUS), 201)
        body = self.body(package, exceptions=[soon(7)], series_ids=[series["id"]])
        departures = f"/api/v1/packages/{package['id']}/departures"

        shown = shop.done(shop.post(f"{PATTERNS}/preview", shop.admin, body))["items"]
        assert shop.done(shop.get(departures))["items"] == []
        made = shop.post(PATTERNS, shop.admin, body)
        pattern = shop.done(made, 201)
        assert {name: pattern[name] for name in body} == body
        assert (pattern["status"], pattern["activity_id"]) == ("ACTIVE", None)
        items = shop.done(shop.get(departures))["items"]
        assert [item["starts_on"] for item in items] == [soon(n) for n in (5, 6, 8, 9)]
        assert [{name: item[name] for name in ("starts_on", "ends_on")} for item in items] == shown
        assert {(item["start_time"], item["seats_left"]) for item in items} == {("07:45", 6)}
        pools = shop.done(shop.get(f"{POOLS}?on_date={soon(8)}", shop.admin))["items"]
        assert [(pool["series_id"], pool["capacity"]) for pool in pools] == [(series["id"], 6)]

        wanted = {"package_id": package["id"], "departure_id": items[0]["id"], "travelers_count": 2}
        shop.done(shop.post("/api/v1/bookings", customer, wanted), 201)
        path = f"{PATTERNS}/{pattern['id']}"
        tag = shop.get(path, shop.admin).headers["ETag"]
        changed = shop.done(patch(shop, path, shop.admin, {"last_on": soon(8), "capacity": 4}, **{"If-Match": tag}))
        assert (changed["last_on"], changed["capacity"], changed["weekdays"]) == (soon(8), 4, body["weekdays"])
        problem(patch(shop, path, shop.admin, {"capacity": 5}, **{"If-Match": tag}), 412, "precondition_failed")
        items = shop.done(shop.get(departures))["items"]
        assert [(item["starts_on"], item["capacity"], item["seats_left"]) for item in items] == [
            (soon(5), 12, 4), (soon(6), 4, 4), (soon(8), 4, 4),
        ]  # fmt: skip

        assert shop.done(shop.post(f"{path}/stop", shop.admin))["status"] == "STOPPED"
        problem(shop.post(f"{path}/stop", shop.admin), 409, "illegal_transition")
        assert [item["starts_on"] for item in shop.done(shop.get(departures))["items"]] == [soon(5)]
        listed = shop.done(shop.get(f"{PATTERNS}?package_id={package['id']}", shop.admin))["items"]
        assert [item["id"] for item in listed] == [pattern["id"]]

    def test_series_are_changed(self, shop: Shop) -> None:
        series = shop.done(shop.post(SERIES, shop.admin, BUS), 201)
        path = f"{SERIES}/{series['id']}"
        tag = shop.get(path, shop.admin).headers["ETag"]
        assert shop.done(patch(shop, path, shop.admin, {"capacity": 9}, **{"If-Match": tag}))["capacity"] == 9
        problem(patch(shop, path, shop.admin, {"capacity": 8}, **{"If-Match": tag}), 412, "precondition_failed")
        assert [item["id"] for item in shop.done(shop.get(SERIES, shop.admin))["items"]] == [series["id"]]
        problem(shop.get(f"{SERIES}/{uuid4()}", shop.admin), 404, "pool_series_not_found")

    def test_what_cannot_be_is_refused(self, shop: Shop, sign_up: SignUp) -> None:
        package = shop.package()
        for changes, pointer in (
            ({"weekdays": []}, "/weekdays"), ({"weekdays": [0]}, "/weekdays/0"), ({"last_on": soon(4)}, "/last_on"),
            ({"activity_id": str(uuid4())}, "/package_id"), ({"package_id": None}, "/package_id"),
            ({"start_time": "7:45"}, "/start_time"), ({"capacity": 0}, "/capacity"), ({"step": 2}, "/step"),
        ):  # fmt: skip
            for path in (PATTERNS, f"{PATTERNS}/preview"):
                answer = shop.post(path, shop.admin, self.body(package, **changes))
                problem(answer, 422, "validation_failed", pointer=pointer)
        unknown = self.body(package, series_ids=[str(uuid4())])
        problem(shop.post(PATTERNS, shop.admin, unknown), 404, "pool_series_not_found")
        foreign = sign_up("VENDOR")
        problem(shop.post(PATTERNS, foreign, self.body(package)), 404, "package_not_found")
        problem(shop.get(f"{PATTERNS}/{uuid4()}", foreign), 404, "pattern_not_found")
        problem(shop.post(PATTERNS, sign_up(), self.body(package)), 403, "forbidden")
        far = shop.done(shop.post(PATTERNS, shop.admin, self.body(package, first_on="9999-01-01", last_on=None)), 201)
        assert far["first_on"] == "9999-01-01"
