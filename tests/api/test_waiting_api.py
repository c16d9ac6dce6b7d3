"""Waiting lists over HTTP: a line, an offer by mail and in the app, a booking of what was kept."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from werkzeug.test import TestResponse

from tests.api.mailbox import mails_to
from tests.api.shop import Json, Offer, Shop, SignUp, problem
from tests.conftest import Person

pytestmark = pytest.mark.database

ENTRIES = "/api/v1/waiting-list-entries"


def line_of(offer: Offer) -> str:
    return f"/api/v1/departures/{offer.departure_id}/waiting-list"


def join(shop: Shop, person: Person, offer: Offer, seats: int) -> Json:
    return shop.done(shop.post(line_of(offer), person, {"seats": seats}), 201)


def leave(shop: Shop, person: Person | None, entry: Json) -> TestResponse:
    return shop.client.delete(f"{ENTRIES}/{entry['id']}", headers=person.headers if person else {})


def more_seats(shop: Shop, offer: Offer, capacity: int) -> None:
    path = f"/api/v1/departures/{offer.departure_id}"
    shop.done(shop.client.patch(path, json={"capacity": capacity}, headers=shop.admin.headers))
    shop.deliver_events()


def test_who_waits_is_told_of_seats_and_books_them(shop: Shop, sign_up: SignUp) -> None:
    offer, first, second = shop.offer(seats=2), sign_up(), sign_up()
    assert problem(shop.post(line_of(offer), first, {"seats": 2}), 409, "seats_available")["seats_left"] == 2
    shop.book(sign_up(), offer, travelers=2)

    entry, behind = join(shop, first, offer, 1), join(shop, second, offer, 2)
    assert (entry["status"], entry["place"], entry["offer_expires_at"]) == ("WAITING", 1, None)
    assert behind["place"] == 2
    told = problem(shop.post(line_of(offer), first, {"seats": 1}), 409, "already_waiting")
    assert told["waiting_list_entry_id"] == entry["id"]
    body = offer.booking(1, waiting_list_entry_id=entry["id"])
    problem(shop.post("/api/v1/bookings", first, body), 409, "no_seat_offer")

    more_seats(shop, offer, 3)
    seen = shop.done(shop.get(f"{ENTRIES}/{entry['id']}", first))
    assert (seen["status"], seen["place"]) == ("OFFERED", None)
    assert seen["offer_expires_at"]
    assert shop.done(shop.get(f"{ENTRIES}/{behind['id']}", second))["place"] == 1
    assert shop.done(shop.get(f"/api/v1/departures/{offer.departure_id}"))["seats_left"] == 0
    titles = [one["title_en"] for one in shop.done(shop.get("/api/v1/notifications", first))["items"]]
    assert "Seats for you" in titles
    assert "Seats for you: Nile cruise" in [mail.subject for mail in mails_to(first.email, shop.running.settings.home)]

    problem(shop.post("/api/v1/bookings", second, body), 404, "waiting_entry_not_found")
    booking = shop.done(shop.post("/api/v1/bookings", first, body), 201)
    accepted = shop.done(shop.get(f"{ENTRIES}/{entry['id']}", first))
    assert (accepted["status"], accepted["booking_id"]) == ("ACCEPTED", booking["id"])
    problem(leave(shop, first, entry), 409, "illegal_transition")
    problem(shop.post("/api/v1/bookings", first, body), 409, "no_seat_offer")


def test_lines_are_ones_own_and_staffs(shop: Shop, sign_up: SignUp) -> None:
    offer, mine, other = shop.offer(seats=2), sign_up(), sign_up()
    shop.book(sign_up(), offer, travelers=2)
    entry, theirs = join(shop, mine, offer, 1), join(shop, other, offer, 2)
    path = f"{ENTRIES}/{entry['id']}"

    problem(shop.get(path, other), 404, "waiting_entry_not_found")
    problem(leave(shop, other, entry), 404, "waiting_entry_not_found")
    problem(leave(shop, shop.admin, entry), 404, "waiting_entry_not_found")
    problem(leave(shop, None, entry), 401, "unauthorized")
    assert [one["id"] for one in shop.done(shop.get(ENTRIES, mine))["items"]] == [entry["id"]]
    listed = shop.done(shop.get(f"{ENTRIES}?departure_id={offer.departure_id}&status=WAITING&limit=1", shop.admin))
    assert [one["id"] for one in listed["items"]] == [theirs["id"]]
    rest = shop.done(
        shop.get(f"{ENTRIES}?departure_id={offer.departure_id}&cursor={listed['next_cursor']}", shop.admin)
    )
    assert [one["id"] for one in rest["items"]] == [entry["id"]]

    assert leave(shop, mine, entry).status_code == 204
    assert shop.done(shop.get(path, mine))["status"] == "CANCELLED"
    assert shop.done(shop.get(f"{ENTRIES}/{theirs['id']}", other))["place"] == 1
    problem(shop.get(f"{ENTRIES}?status=LOST", mine), 422, "validation_failed", pointer="/status")


@pytest.mark.parametrize(
    ("body", "pointer"),
    [({}, "/seats"), ({"seats": 0}, "/seats"), ({"seats": "1"}, "/seats"), ({"seats": 201}, "/seats"),
     ({"seats": 3}, "/seats"), ({"seats": 1, "x": 1}, "/x")],
)  # fmt: skip
def test_what_cannot_be_waited_for_is_refused(shop: Shop, sign_up: SignUp, body: Any, pointer: str) -> None:
    offer, customer = shop.offer(seats=1), sign_up()
    shop.book(customer, offer, travelers=1)
    problem(shop.post(line_of(offer), customer, body), 422, "validation_failed", pointer=pointer)
    if pointer == "/x":
        problem(shop.post(f"/api/v1/departures/{uuid4()}/waiting-list", customer, {"seats": 1}), 404,
                "departure_not_found")  # fmt: skip


def test_the_line_of_a_departure_that_is_cancelled_ends(shop: Shop, sign_up: SignUp) -> None:
    sold, wanted, customer = shop.offer(), shop.offer(), sign_up()
    bus = {"name_ar": "حافلة", "name_en": "Bus", "capacity": 1}
    pool = shop.done(shop.post("/api/v1/admin/pools", shop.admin, bus), 201)
    for offer in (sold, wanted):
        path = f"/api/v1/departures/{offer.departure_id}/pools/{pool['id']}"
        assert shop.client.put(path, headers=shop.admin.headers).status_code == 204
    shop.book(sign_up(), sold, travelers=1)
    entry = join(shop, customer, wanted, 1)
    shop.done(shop.post(f"/api/v1/departures/{wanted.departure_id}/cancel", shop.admin))
    shop.deliver_events()

    assert shop.done(shop.get(f"{ENTRIES}/{entry['id']}", customer))["status"] == "CANCELLED"
    (mail,) = [mail for mail in mails_to(customer.email, shop.running.settings.home) if "cancelled" in mail.subject]
    assert "Nile cruise" in mail.text
