"""What the price of a requested trip freezes beside its amounts: terms of cancelling, offers, and when what is due."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from tests.api.shop import Json, Shop, SignUp, problem
from tests.api.test_cancellations import POLICIES, STRICT, WHY, a_policy, preview
from tests.api.test_requests import BOOKINGS, asked, hotel, on, priced, room
from tests.conftest import MovableClock, Person

pytestmark = pytest.mark.database


@pytest.fixture
def customer(sign_up: SignUp) -> Person:
    return sign_up()


def amounts(*amounts: str) -> list[Json]:
    return [{"amount": amount, "currency": "EGP"} for amount in amounts]


def tiers(booking: Json) -> list[tuple[int, str]]:
    return [(tier["hours_before"], tier["refund_percent"]) for tier in booking["cancellation"]["tiers"]]


class TestTermsOfCancelling:
    def test_they_are_the_companys_default_when_it_is_priced_and_stay(
        self, shop: Shop, customer: Person, clock: MovableClock
    ) -> None:
        default = a_policy(shop, is_default=True)
        booking = asked(shop, customer)
        assert booking["cancellation"]["policy_id"] is None

        offer = priced(shop, booking)

        assert (offer["cancellation"]["policy_id"], tiers(offer)) == (default["id"], [(240, "75.00"), (24, "12.50")])
        change = {"tiers": []}
        shop.done(shop.client.patch(f"{POLICIES}/{default['id']}", json=change, headers=shop.admin.headers))
        shop.take_payment(shop.pay(customer, booking))
        shown = shop.done(preview(shop, customer, booking))
        assert (shown["applies"]["refund_percent"], shown["refund"]["amount"], shown["kept_fee"]["amount"]) == (
            "75.00", "2250.00", "750.00",
        )  # fmt: skip
        clock.offset = timedelta(days=12)
        customer = shop.again(customer)
        cancelled = shop.post(f"{BOOKINGS}/{booking['id']}/cancel", customer, WHY)
        assert shop.done(cancelled)["kept_amount"]["amount"] == "2625.00"

    def test_whoever_prices_names_others_that_are_offered(self, shop: Shop, sign_up: SignUp, customer: Person) -> None:
        default, strict, agent = a_policy(shop, is_default=True, tiers=[]), a_policy(shop), sign_up("AGENT")
        old = a_policy(shop, is_active=False)
        booking = asked(shop, customer)
        assert priced(shop, booking, cancellation_policy_id=strict["id"])["cancellation"]["policy_id"] == strict["id"]
        anew = priced(shop, booking)
        assert (anew["cancellation"]["policy_id"], tiers(anew)) == (default["id"], [])
        for policy in (old["id"], str(uuid4())):
            body = {"items": [room()], "cancellation_policy_id": policy}
            answer = shop.post(f"{BOOKINGS}/{booking['id']}/price", shop.admin, body)
            problem(answer, 422, "validation_failed", pointer="/cancellation_policy_id")
            answer = shop.post(BOOKINGS, agent, hotel(user_id=str(customer.user_id), **body))
            problem(answer, 422, "validation_failed", pointer="/cancellation_policy_id")
        body = hotel(user_id=str(customer.user_id), items=[room()], cancellation_policy_id=strict["id"])
        at_once = shop.done(shop.post(BOOKINGS, agent, body), 201)
        assert (at_once["cancellation"]["policy_id"], tiers(at_once)[0]) == (strict["id"], (240, "75.00"))
        assert shop.done(shop.get(f"{BOOKINGS}/{at_once['id']}", customer))["cancellation"] == at_once["cancellation"]
        for body in (hotel(cancellation_policy_id=strict["id"]), shop.offer().booking(cancellation_policy_id=old["id"])):
            problem(shop.post(BOOKINGS, customer, body), 422, "validation_failed", pointer="/cancellation_policy_id")
        logged = shop.done(shop.get("/api/v1/admin/audit-logs?action=bookings.price", shop.admin))["items"]
        said = [row["changes"]["after"]["cancellation_policy_id"] for row in logged if row["status"] == "SUCCESS"]
        assert said == [default["id"], strict["id"]]
