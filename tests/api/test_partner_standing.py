"""What suspension means: nothing new is sold, and what was booked stands; agents book for others while active (§10)."""

from __future__ import annotations

import pytest
from werkzeug.test import TestResponse

from infrastructure.database.roles import DatabaseAddresses, connect
from tests.api.partners import a_partner, apply, decide
from tests.api.shop import Json, Offer, Shop, SignUp, problem
from tests.api.test_requests import hotel, room
from tests.conftest import Person

pytestmark = pytest.mark.database


@pytest.fixture
def vendor(sign_up: SignUp) -> Person:
    return sign_up("VENDOR")


@pytest.fixture
def agent(sign_up: SignUp) -> Person:
    return sign_up("AGENT")


def supplied_by(shop: Shop, vendor: Person, addresses: DatabaseAddresses) -> Offer:
    """Seats on a trip of this vendor's."""
    offer = shop.offer()
    with connect(addresses.app) as connection:
        connection.execute("UPDATE packages SET vendor_id = %s WHERE id = %s", (vendor.user_id, offer.package_id))
    return offer


class TestVendors:
    def test_a_suspended_one_sells_nothing_new_and_what_was_booked_stands(
        self, shop: Shop, vendor: Person, sign_up: SignUp, addresses: DatabaseAddresses
    ) -> None:
        profile, offer, customer = a_partner(shop, vendor), supplied_by(shop, vendor, addresses), sign_up()
        booking = shop.book(customer, offer)
        shop.done(decide(shop, shop.admin, profile, "suspend", reason="Too many complaints"))

        problem(shop.post("/api/v1/quotes", customer, offer.booking()), 404, "package_not_found")
        problem(shop.post("/api/v1/bookings", customer, offer.booking()), 404, "departure_not_found")
        shop.take_payment(shop.pay(customer, booking))
        path = f"/api/v1/bookings/{booking['id']}"
        assert shop.done(shop.get(path, customer))["status"] == "CONFIRMED"
        problem(shop.post(f"{path}/amendments/preview", customer, {"travelers_count": 3}), 404, "departure_not_found")
        assert shop.get(f"{path}/cancellation-preview", customer).status_code == 200

        shop.done(decide(shop, shop.admin, profile, "reinstate"))
        shop.book(customer, offer)

    def test_what_a_suspended_one_supplies_is_found_by_themselves_and_staff_alone(
        self, shop: Shop, vendor: Person, sign_up: SignUp, addresses: DatabaseAddresses
    ) -> None:
        profile, offer, customer = a_partner(shop, vendor), supplied_by(shop, vendor, addresses), sign_up()

        def found_by(reader: Person) -> tuple[list[str], list[int]]:
            listed = shop.done(shop.get("/api/v1/packages", reader))["items"]
            pages = (f"packages/{offer.package_id}", f"departures/{offer.departure_id}")
            return [row["id"] for row in listed], [shop.get(f"/api/v1/{page}", reader).status_code for page in pages]

        shown = ([str(offer.package_id)], [200, 200])
        assert found_by(customer) == shown
        shop.done(decide(shop, shop.admin, profile, "suspend", reason="Too many complaints"))
        assert found_by(customer) == ([], [404, 404])
        assert found_by(vendor) == found_by(shop.admin) == shown
        shop.done(decide(shop, shop.admin, profile, "reinstate"))
        assert found_by(customer) == shown

    def test_one_that_waits_or_has_no_profile_sells_as_before(
        self, shop: Shop, vendor: Person, sign_up: SignUp, addresses: DatabaseAddresses
    ) -> None:
        offer, customer = supplied_by(shop, vendor, addresses), sign_up()
        shop.book(customer, offer)
        apply(shop, vendor)
        shop.book(customer, offer)

    def test_another_vendors_trips_are_sold_on(
        self, shop: Shop, vendor: Person, sign_up: SignUp, addresses: DatabaseAddresses
    ) -> None:
        offer = supplied_by(shop, sign_up("VENDOR"), addresses)
        shop.done(decide(shop, shop.admin, a_partner(shop, vendor), "suspend", reason="Too many complaints"))
        shop.book(sign_up(), offer)


class TestAgents:
    @staticmethod
    def attempts(shop: Shop, agent: Person, customer: Person, asked: Json) -> list[TestResponse]:
        """Everything that an agent does for a customer."""
        whose = {"user_id": str(customer.user_id)}
        return [
            shop.post("/api/v1/bookings", agent, {**shop.offer().booking(), **whose}),
            shop.post("/api/v1/bookings", agent, hotel(**whose)),
            shop.post("/api/v1/bookings", agent, hotel(items=[room()], **whose)),
            shop.post(f"/api/v1/bookings/{asked['id']}/price", agent, {"items": [room()]}),
        ]

    def test_one_who_waits_or_is_suspended_books_for_nobody(self, shop: Shop, agent: Person, sign_up: SignUp) -> None:
        customer = sign_up()
        asked = shop.done(shop.post("/api/v1/bookings", agent, hotel(user_id=str(customer.user_id))), 201)
        profile = apply(shop, agent, "AGENT", payout_method="WALLET")
        for answer in self.attempts(shop, agent, customer, asked):
            problem(answer, 403, "agent_not_active")

        shop.done(decide(shop, shop.admin, profile, "approve"))
        statuses = [answer.status_code for answer in self.attempts(shop, agent, customer, asked)]
        assert statuses == [201, 201, 201, 200]

        shop.done(decide(shop, shop.admin, profile, "suspend", reason="Too many complaints"))
        for answer in self.attempts(shop, agent, customer, asked):
            problem(answer, 403, "agent_not_active")

    def test_they_still_book_for_themselves(self, shop: Shop, agent: Person) -> None:
        apply(shop, agent, "AGENT")
        shop.book(agent, shop.offer())

    def test_staff_who_are_no_agents_are_not_asked(self, shop: Shop, sign_up: SignUp) -> None:
        whose = {"user_id": str(sign_up().user_id)}
        shop.done(shop.post("/api/v1/bookings", shop.admin, {**shop.offer().booking(), **whose}), 201)
