"""Ratings over HTTP: by who made the trip, once, read by everybody, moderated by staff, erased with their writers."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from infrastructure.bootstrap import Running
from infrastructure.database.privacy.exports import SqlPersonalData
from infrastructure.database.roles import DatabaseAddresses, connect
from security.field_encryption import FernetEncryption
from tests.api.shop import Json, Shop, SignUp, problem
from tests.api.test_activities import on_sale as an_activity
from tests.api.test_activities import soon
from tests.api.test_rewards import travel
from tests.conftest import MovableClock, Person
from tests.integration.shop import all_at_once
from workers.jobs import JOBS

pytestmark = pytest.mark.database

BOOKINGS, ADMIN = "/api/v1/bookings", "/api/v1/admin/ratings"
SAID: Json = {"stars": 4, "title": "رائعة", "comment": "The dunes were worth it."}


@pytest.fixture
def customer(sign_up: SignUp) -> Person:
    return sign_up()


@pytest.fixture
def trip(shop: Shop, customer: Person) -> Json:
    """A trip that the customer made."""
    return travel(shop, customer)


@pytest.fixture
def rated(shop: Shop, customer: Person, trip: Json) -> Json:
    return shop.done(shop.post(f"{BOOKINGS}/{trip['id']}/rating", customer, SAID), 201)


def public(shop: Shop, trip: Json) -> list[Json]:
    found: list[Json] = shop.done(shop.get(f"/api/v1/packages/{trip['package_id']}/ratings"))["items"]
    return found


def put(shop: Shop, trip: Json, person: Person, body: Any) -> TestResponse:
    return shop.client.put(f"{BOOKINGS}/{trip['id']}/rating", json=body, headers=person.headers)


class TestRating:
    def test_who_made_a_trip_rates_it_and_everybody_reads_it(
        self, shop: Shop, customer: Person, trip: Json, rated: Json
    ) -> None:
        assert {name: rated[name] for name in SAID} == SAID
        assert (rated["status"], rated["booking_id"], rated["package_id"]) == (
            "VISIBLE",
            trip["id"],
            trip["package_id"],
        )
        assert shop.done(shop.get(f"{BOOKINGS}/{trip['id']}/rating", customer)) == rated
        (shown,) = public(shop, trip)
        assert shown == {
            **SAID,
            "author": "Mona A",
            **{name: rated[name] for name in ("id", "created_at", "updated_at")},
        }

    def test_once_and_no_more_often_at_once(self, app: Flask, shop: Shop, customer: Person, trip: Json) -> None:
        def rate() -> TestResponse:
            path = f"{BOOKINGS}/{trip['id']}/rating"
            return app.test_client().post(path, json=SAID, headers=customer.headers)

        answers: list[Any] = all_at_once([rate] * 4)
        assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]
        problem(rate(), 409, "already_rated")
        assert len(public(shop, trip)) == 1

    @pytest.mark.parametrize("paid", [False, True])
    def test_a_trip_that_is_not_over_is_not_rated(self, shop: Shop, customer: Person, paid: bool) -> None:
        booking = shop.book(customer, shop.offer())
        if paid:
            shop.take_payment(shop.pay(customer, booking))
        problem(shop.post(f"{BOOKINGS}/{booking['id']}/rating", customer, SAID), 409, "trip_not_completed")
        problem(put(shop, booking, customer, SAID), 404, "rating_not_found")

    def test_who_did_not_come_rates_no_trip(self, shop: Shop, customer: Person, clock: MovableClock) -> None:
        booking = shop.book(customer, shop.offer())
        shop.take_payment(shop.pay(customer, booking))
        clock.offset = timedelta(days=31)
        admin, path = shop.again(shop.admin), f"{BOOKINGS}/{booking['id']}"
        shop.done(shop.post(f"{path}/no-show", admin, {"reason": "nobody at the desk"}))
        done = shop.done(shop.post(f"{path}/complete", admin, {"override_reason": "nobody travels"}))
        assert (done["status"], done["no_show"]) == ("COMPLETED", True)

        problem(shop.post(f"{path}/rating", shop.again(customer), SAID), 409, "trip_not_completed")
        assert public(shop, booking) == []

    def test_nobody_rates_or_changes_for_others(self, shop: Shop, sign_up: SignUp, trip: Json, rated: Json) -> None:
        for person in (sign_up(), shop.admin):
            problem(shop.post(f"{BOOKINGS}/{trip['id']}/rating", person, SAID), 404, "booking_not_found")
            problem(put(shop, trip, person, SAID), 404, "booking_not_found")
        problem(shop.get(f"{BOOKINGS}/{trip['id']}/rating", sign_up()), 404, "rating_not_found")
        assert shop.done(shop.get(f"{BOOKINGS}/{trip['id']}/rating", shop.admin))["id"] == rated["id"]

    @pytest.mark.parametrize(
        ("body", "pointer"),
        [
            ({"stars": 0}, "/stars"), ({"stars": 6}, "/stars"), ({"stars": "5"}, "/stars"), ({"stars": 4.5}, "/stars"),
            ({"stars": True}, "/stars"), ({}, "/stars"), ({**SAID, "comment": "x" * 4001}, "/comment"),
            ({**SAID, "title": "card 4111 1111 1111 1111"}, "/title"),
            ({**SAID, "comment": "my card is 4111-1111-1111-1111"}, "/comment"),
            ({**SAID, "package_id": "x"}, "/package_id"), ({**SAID, "status": "VISIBLE"}, "/status"),
        ],
    )  # fmt: skip
    def test_what_cannot_be_said_is_refused(self, shop: Shop, customer: Person, body: Json, pointer: str) -> None:
        booking = shop.book(customer, shop.offer())
        refused = shop.post(f"{BOOKINGS}/{booking['id']}/rating", customer, body)
        problem(refused, 422, "validation_failed", pointer=pointer)

    def test_it_is_changed_for_thirty_days(
        self, shop: Shop, customer: Person, trip: Json, rated: Json, clock: MovableClock
    ) -> None:
        better = {"stars": 5, "title": "", "comment": "Even better"}
        changed = shop.done(put(shop, trip, customer, better))
        assert {name: changed[name] for name in better} == better
        clock.offset = timedelta(days=31)
        problem(put(shop, trip, shop.again(customer), SAID), 409, "rating_closed")
        assert public(shop, trip)[0]["stars"] == 5

    def test_page_by_page_newest_first(
        self, shop: Shop, sign_up: SignUp, trip: Json, addresses: DatabaseAddresses
    ) -> None:
        numbers = range(3)
        people = [sign_up() for _ in numbers]
        trips = [travel(shop, person) for person in people]
        with connect(addresses.owner) as connection:
            connection.execute("UPDATE bookings SET package_id = %s", [trip["package_id"]])
        for made, person, stars in zip(trips, people, numbers, strict=True):
            shop.done(shop.post(f"{BOOKINGS}/{made['id']}/rating", person, {"stars": stars + 1}), 201)
        path = f"/api/v1/packages/{trip['package_id']}/ratings"
        first = shop.done(shop.get(f"{path}?limit=2"))
        rest = shop.done(shop.get(f"{path}?limit=2&cursor={first['next_cursor']}"))
        assert [one["stars"] for one in first["items"] + rest["items"]] == [3, 2, 1]


class TestModeration:
    def test_what_staff_hide_nobody_reads_and_its_writer_knows_why(
        self, shop: Shop, running: Running, customer: Person, trip: Json, rated: Json
    ) -> None:
        path = f"{ADMIN}/{rated['id']}"
        hidden = shop.done(shop.post(f"{path}/hide", shop.admin, {"reason": "names an employee"}))
        assert (hidden["status"], hidden["hidden_reason"]) == ("HIDDEN", "names an employee")
        problem(shop.post(f"{path}/hide", shop.admin, {"reason": "again"}), 409, "illegal_transition")
        assert public(shop, trip) == []
        own = shop.done(shop.get(f"{BOOKINGS}/{trip['id']}/rating", customer))
        assert (own["status"], own["hidden_reason"]) == ("HIDDEN", "names an employee")
        found = shop.done(shop.get(f"{ADMIN}?status=HIDDEN&package_id={trip['package_id']}", shop.admin))["items"]
        assert [one["id"] for one in found] == [rated["id"]]
        shop.done(put(shop, trip, customer, {"stars": 5}))
        assert public(shop, trip) == [], "a change does not bring it back"
        shop.done(shop.post(f"{path}/show", shop.admin))
        assert [one["stars"] for one in public(shop, trip)] == [5]

    def test_only_who_may(self, shop: Shop, sign_up: SignUp, rated: Json) -> None:
        for person in (sign_up(), sign_up("VENDOR"), sign_up("EMPLOYEE")):
            assert shop.get(ADMIN, person).status_code == 403
            answer = shop.post(f"{ADMIN}/{rated['id']}/hide", person, {"reason": "no"})
            assert answer.status_code == 403
        content = sign_up("EMPLOYEE", "CONTENT")
        problem(shop.post(f"{ADMIN}/{rated['id']}/hide", content, {}), 422, "validation_failed", pointer="/reason")
        shop.done(shop.post(f"{ADMIN}/{rated['id']}/hide", content, {"reason": "abusive"}))

    def test_staff_do_not_moderate_their_own(
        self, shop: Shop, customer: Person, rated: Json, addresses: DatabaseAddresses
    ) -> None:
        with connect(addresses.owner) as connection:
            connection.execute("UPDATE ratings SET user_id = %s", [shop.admin.user_id])
        problem(shop.post(f"{ADMIN}/{rated['id']}/hide", shop.admin, {"reason": "mine"}), 403, "own_request")


class TestCounts:
    def test_they_are_shown_once_they_are_counted(
        self, shop: Shop, running: Running, customer: Person, trip: Json, rated: Json
    ) -> None:
        path = f"/api/v1/packages/{trip['package_id']}"
        for _ in range(3):
            shop.done(shop.get(path, customer))
        shop.done(shop.get(path, shop.admin))
        JOBS["catalogue.fold_views"].run(running)
        JOBS["catalogue.refresh_statistics"].run(running)
        shown = shop.done(shop.get(path))
        assert (shown["views_count"], shown["total_bookings"]) == (3, 1)
        assert (shown["rating_count"], shown["average_rating"], shown["total_revenue"]) == (1, "4.00", [])
        (item,) = shop.done(shop.get("/api/v1/packages"))["items"]
        assert (item["views_count"], item["average_rating"]) == (3, "4.00")
        for_staff = shop.done(shop.get(path, shop.admin))
        assert for_staff["total_revenue"] == [{"amount": "2000.00", "currency": "EGP"}]
        shop.done(shop.post(f"{ADMIN}/{rated['id']}/hide", shop.admin, {"reason": "abusive"}))
        JOBS["catalogue.refresh_statistics"].run(running)
        assert shop.done(shop.get(path))["average_rating"] is None

    def test_of_an_activity_as_of_a_package(self, shop: Shop, running: Running, customer: Person) -> None:
        activity = an_activity(shop)
        path = f"/api/v1/activities/{activity['id']}"
        planned = {"starts_on": soon(), "start_time": "09:00", "capacity": 5}
        departure = shop.done(shop.post(f"{path}/departures", shop.admin, planned), 201)
        wanted = {
            "booking_type": "ACTIVITY",
            "activity_id": activity["id"],
            "departure_id": departure["id"],
            "travelers_count": 2,
        }
        booking = shop.done(shop.post(BOOKINGS, customer, wanted), 201)
        rating = f"{BOOKINGS}/{booking['id']}/rating"
        problem(shop.post(rating, customer, SAID), 409, "trip_not_completed")
        shop.take_payment(shop.pay(customer, booking))
        for step in ("start", "complete"):
            shop.done(shop.post(f"{BOOKINGS}/{booking['id']}/{step}", shop.admin, {"override_reason": "test"}))
        rated = shop.done(shop.post(rating, customer, SAID), 201)
        assert (rated["package_id"], rated["activity_id"]) == (None, activity["id"])
        (said,) = shop.done(shop.get(f"{path}/ratings"))["items"]
        assert (said["id"], said["stars"]) == (rated["id"], 4)
        (found,) = shop.done(shop.get(f"{ADMIN}?activity_id={activity['id']}", shop.admin))["items"]
        assert found["id"] == rated["id"]
        both = f"activity_id={activity['id']}&package_id={activity['id']}"
        problem(shop.get(f"{ADMIN}?{both}", shop.admin), 422, "validation_failed", pointer="/activity_id")
        shop.done(shop.get(path, customer))
        for job in ("catalogue.fold_views", "catalogue.refresh_statistics"):
            JOBS[job].run(running)
        shown, for_staff = shop.done(shop.get(path)), shop.done(shop.get(path, shop.admin))
        assert (shown["views_count"], shown["total_bookings"], shown["rating_count"]) == (1, 1, 1)
        assert (shown["average_rating"], shown["total_revenue"]) == ("4.00", [])
        assert for_staff["total_revenue"] == [{"amount": "1800.00", "currency": "EGP"}]


class TestErasure:
    def test_its_words_are_the_writers_to_have_and_go_with_them(
        self, shop: Shop, running: Running, customer: Person, trip: Json, rated: Json, clock: MovableClock
    ) -> None:
        reader = SqlPersonalData(running.database, FernetEncryption(running.settings.field_encryption_keys))
        (exported,) = reader.collect(customer.user_id)["ratings"]
        assert (exported["stars"], exported["comment"]) == (4, SAID["comment"])
        shop.done(shop.post(f"{ADMIN}/{rated['id']}/hide", shop.admin, {"reason": "says Mona's number"}))
        shop.done(shop.post(f"{ADMIN}/{rated['id']}/show", shop.admin))
        admin, clock.offset = shop.admin, timedelta(days=2)
        order = {"reason": "they asked for it", "immediately": True}
        shop.done(shop.post(f"/api/v1/admin/users/{customer.user_id}/erasure", shop.again(admin), order), 202)
        JOBS["privacy.erase_due"].run(running)
        (left,) = public(shop, trip)
        assert (left["stars"], left["title"], left["comment"], left["author"]) == (4, "", "", None)
