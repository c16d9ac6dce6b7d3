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


class TestForAnother:
    @pytest.fixture
    def full(self, shop: Shop, sign_up: SignUp) -> Offer:
        offer = shop.offer(seats=2)
        shop.book(sign_up(), offer, travelers=2)
        return offer

    @staticmethod
    def ask(shop: Shop, offer: Offer, actor: Person, customer: Person, seats: int = 1) -> TestResponse:
        return shop.post(line_of(offer), actor, {"seats": seats, "user_id": str(customer.user_id)})

    def test_an_agent_waits_for_a_customer_who_is_told_and_books_for_them(
        self, shop: Shop, sign_up: SignUp, full: Offer
    ) -> None:
        agent, customer = sign_up("AGENT"), sign_up()
        entry = shop.done(self.ask(shop, full, agent, customer), 201)
        assert (entry["user_id"], entry["joined_by_user_id"]) == (str(customer.user_id), str(agent.user_id))
        more_seats(shop, full, 3)
        titles = [one["title_en"] for one in shop.done(shop.get("/api/v1/notifications", customer))["items"]]
        assert "Seats for you" in titles
        assert shop.done(shop.get("/api/v1/notifications", agent))["items"] == []

        body = full.booking(1, waiting_list_entry_id=entry["id"])
        problem(shop.post("/api/v1/bookings", agent, body), 404, "waiting_entry_not_found")
        booked = shop.done(shop.post("/api/v1/bookings", agent, {**body, "user_id": str(customer.user_id)}), 201)
        assert (booked["user_id"], booked["agent_id"]) == (str(customer.user_id), str(agent.user_id))
        assert booked["booking_source"] == "AGENT"
        for person in (agent, customer):
            seen = shop.done(shop.get(f"{ENTRIES}/{entry['id']}", person))
            assert (seen["status"], seen["booking_id"]) == ("ACCEPTED", booked["id"])

    def test_the_customer_may_book_what_the_agent_asked_for(self, shop: Shop, sign_up: SignUp, full: Offer) -> None:
        agent, customer = sign_up("AGENT"), sign_up()
        entry = shop.done(self.ask(shop, full, agent, customer), 201)
        more_seats(shop, full, 3)
        body = full.booking(1, waiting_list_entry_id=entry["id"])
        assert shop.done(shop.post("/api/v1/bookings", customer, body), 201)["booking_source"] == "SELF"

    def test_agents_see_leave_and_book_with_what_they_asked_for_alone(
        self, shop: Shop, sign_up: SignUp, full: Offer
    ) -> None:
        agent, other, customer, alone = sign_up("AGENT"), sign_up("AGENT"), sign_up(), sign_up()
        entry, theirs = shop.done(self.ask(shop, full, agent, customer), 201), join(shop, alone, full, 1)
        for foreign in (entry, theirs):
            problem(shop.get(f"{ENTRIES}/{foreign['id']}", other), 404, "waiting_entry_not_found")
            problem(leave(shop, other, foreign), 404, "waiting_entry_not_found")
        assert shop.done(shop.get(ENTRIES, other))["items"] == []
        for person in (agent, customer):
            assert [one["id"] for one in shop.done(shop.get(ENTRIES, person))["items"]] == [entry["id"]]
        told = problem(self.ask(shop, full, other, customer), 409, "already_waiting")
        assert told["waiting_list_entry_id"] is None
        assert problem(self.ask(shop, full, agent, customer), 409, "already_waiting")["waiting_list_entry_id"]
        more_seats(shop, full, 4)
        for foreign, whose in ((entry, customer), (theirs, alone)):
            body = full.booking(1, waiting_list_entry_id=foreign["id"], user_id=str(whose.user_id))
            problem(shop.post("/api/v1/bookings", other, body), 404, "waiting_entry_not_found")
        assert leave(shop, agent, entry).status_code == 204
        assert shop.done(shop.get(f"{ENTRIES}/{entry['id']}", customer))["status"] == "CANCELLED"
        actions = "SELECT action FROM audit_logs WHERE resource_type = 'WAITING_LIST_ENTRY' ORDER BY created_at, id"
        assert [row["action"] for row in shop.database.rows(actions)] == ["bookings.create", "bookings.update"]

    def test_staff_ask_and_book_for_anybody(self, shop: Shop, sign_up: SignUp, full: Offer) -> None:
        customer, alone = sign_up(), sign_up()
        shop.done(self.ask(shop, full, shop.admin, customer), 201)
        theirs = join(shop, alone, full, 1)
        more_seats(shop, full, 4)
        body = full.booking(1, waiting_list_entry_id=theirs["id"], user_id=str(alone.user_id))
        assert shop.done(shop.post("/api/v1/bookings", shop.admin, body), 201)["booking_source"] == "ADMIN"

    def test_customers_ask_for_nobody_else_and_nobody_asks_for_who_is_not_there(
        self, shop: Shop, sign_up: SignUp, full: Offer
    ) -> None:
        problem(self.ask(shop, full, sign_up(), sign_up()), 403, "forbidden")
        unknown = shop.post(line_of(full), shop.admin, {"seats": 1, "user_id": str(uuid4())})
        problem(unknown, 404, "customer_not_found", pointer="/user_id")
