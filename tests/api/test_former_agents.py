"""What was made for customers is in an agent's hands, not in those of whoever was one (decision 0010)."""

from __future__ import annotations

from typing import Final
from uuid import uuid4

import pytest
from werkzeug.test import TestResponse

from tests.api.partners import a_partner
from tests.api.shop import Json, Offer, Shop, SignUp, fill_wallet, problem
from tests.api.test_agent_credit_api import by_credit
from tests.api.test_amendments import another_date
from tests.api.test_requests import asked, mona
from tests.api.test_waiting_api import ENTRIES, leave, line_of
from tests.conftest import Person

pytestmark = pytest.mark.database

BOOKINGS: Final = "/api/v1/bookings"


@pytest.fixture
def agent(sign_up: SignUp) -> Person:
    return sign_up("AGENT")


@pytest.fixture
def customer(sign_up: SignUp) -> Person:
    return sign_up()


@pytest.fixture
def offer(shop: Shop) -> Offer:
    return shop.offer(seats=4)


@pytest.fixture
def booking(shop: Shop, agent: Person, customer: Person, offer: Offer) -> Json:
    """A paid booking that the agent made."""
    body = offer.booking(2, user_id=str(customer.user_id))
    made = shop.done(shop.post(BOOKINGS, agent, body), 201)
    shop.take_payment(shop.pay(customer, made))
    return made


def no_agent_any_more(shop: Shop, agent: Person) -> Person:
    """Somebody whom staff took the role from, signed in as what they are now."""
    path = f"/api/v1/admin/users/{agent.user_id}/roles"
    shop.done(shop.client.put(path, json={"roles": ["CUSTOMER"]}, headers=shop.admin.headers))
    problem(shop.post(f"{BOOKINGS}/{uuid4()}/cancel", agent, {"reason": "still?"}), 401, "unauthorized")
    return shop.again(agent)


def test_a_former_agent_neither_reads_nor_changes_what_they_booked(
    shop: Shop, agent: Person, booking: Json, offer: Offer
) -> None:
    path, reason = f"{BOOKINGS}/{booking['id']}", {"reason": "to spite them"}
    change = {"departure_id": another_date(shop, offer)}
    amendment = shop.done(shop.post(f"{path}/amendments", agent, {"travelers_count": 3}), 201)
    former = no_agent_any_more(shop, agent)

    def send(method: str, way: str, body: Json | None = None) -> TestResponse:
        headers = {**former.headers, "Idempotency-Key": uuid4().hex, "If-Match": "*"}
        return shop.client.open(f"{path}{way}", method=method, json=body, headers=headers)

    before = shop.state()
    for answer in (
        send("GET", ""),
        send("GET", "/history"),
        send("GET", "/calendar.ics"),
        send("GET", "/travelers"),
        send("GET", "/cancellation-preview"),
        send("GET", "/amendments"),
        send("POST", "/cancel", reason),
        send("POST", "/amendments/preview", change),
        send("POST", "/amendments", change),
        send("POST", f"/amendments/{amendment['id']}/withdraw"),
        send("PUT", "/travelers", {"travelers": [mona()]}),
        send("PATCH", "", {"special_requests": "none"}),
    ):
        problem(answer, 404, "booking_not_found")
    assert shop.state() == before
    assert shop.done(shop.get(BOOKINGS, former))["items"] == []


def test_who_is_an_agent_again_has_it_in_hand_again(shop: Shop, agent: Person, booking: Json) -> None:
    former = no_agent_any_more(shop, agent)
    path = f"/api/v1/admin/users/{former.user_id}/roles"
    shop.done(shop.client.put(path, json={"roles": ["CUSTOMER", "AGENT"]}, headers=shop.admin.headers))

    body = {"email": agent.email, "password": "correct horse 42", "surface": "APP"}
    in_the_app = shop.done(shop.client.post("/api/v1/auth/login", json=body))["access_token"]
    headers = {"Authorization": f"Bearer {in_the_app}"}
    problem(shop.client.get(f"{BOOKINGS}/{booking['id']}", headers=headers), 404, "booking_not_found")
    assert shop.done(shop.post(f"{BOOKINGS}/{booking['id']}/cancel", shop.again(agent), {"reason": "ill"}))


def test_a_former_agent_changes_no_request(shop: Shop, agent: Person, customer: Person) -> None:
    request = asked(shop, agent, user_id=str(customer.user_id))
    former = no_agent_any_more(shop, agent)
    answer = shop.client.patch(
        f"{BOOKINGS}/{request['id']}", json={"travelers_count": 4}, headers={**former.headers, "If-Match": "*"}
    )
    problem(answer, 404, "booking_not_found")


def test_a_former_agent_pays_nothing_from_its_deposit(
    shop: Shop, agent: Person, customer: Person, offer: Offer
) -> None:
    a_partner(shop, agent, "AGENT")
    fill_wallet(shop, agent, "5000.00")
    booking = shop.done(shop.post(BOOKINGS, agent, offer.booking(2, user_id=str(customer.user_id))), 201)
    former = no_agent_any_more(shop, agent)
    problem(shop.post("/api/v1/payments", former, by_credit(booking)), 404, "booking_not_found")


def test_a_former_agent_has_no_places_in_line(shop: Shop, agent: Person, customer: Person, sign_up: SignUp) -> None:
    full = shop.offer(seats=1)
    shop.book(sign_up(), full, travelers=1)
    entry = shop.done(shop.post(line_of(full), agent, {"seats": 1, "user_id": str(customer.user_id)}), 201)
    former = no_agent_any_more(shop, agent)

    assert shop.done(shop.get(ENTRIES, former))["items"] == []
    problem(shop.get(f"{ENTRIES}/{entry['id']}", former), 404, "waiting_entry_not_found")
    problem(leave(shop, former, entry), 404, "waiting_entry_not_found")
    assert shop.done(shop.get(f"{ENTRIES}/{entry['id']}", customer))["status"] == "WAITING"
