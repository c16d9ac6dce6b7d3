"""To whom staff and agents sell: to open accounts alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final
from uuid import uuid4

import pytest
from werkzeug.test import TestResponse

from tests.api.shop import Shop, SignUp, problem
from tests.api.test_requests import hotel, room
from tests.api.test_waiting_api import line_of
from tests.conftest import Person

pytestmark = pytest.mark.database

BOOKINGS: Final = "/api/v1/bookings"


@pytest.fixture
def customer(sign_up: SignUp) -> Person:
    return sign_up()


Ends = Callable[[Shop, Person], TestResponse]


def disabled(shop: Shop, person: Person) -> TestResponse:
    body = {"status": "DISABLED", "reason": "chargebacks"}
    return shop.client.patch(f"/api/v1/admin/users/{person.user_id}", json=body, headers=shop.admin.headers)


def closed(shop: Shop, person: Person) -> TestResponse:
    return shop.client.delete(f"/api/v1/admin/users/{person.user_id}", headers=shop.admin.headers)


class TestWhomThingsAreSoldTo:
    """An account that is closed or disabled is as unknown as one that never was."""

    @pytest.mark.parametrize("end", [disabled, closed, None])
    def test_nothing_is_sold_to_whoever_has_no_open_account(
        self, shop: Shop, sign_up: SignUp, customer: Person, end: Ends | None
    ) -> None:
        agent, offer, full = sign_up("AGENT"), shop.offer(), shop.offer(seats=1)
        shop.book(sign_up(), full, travelers=1)
        voucher = {"code": "theirs", "voucher_type": "DISCOUNT_PERCENTAGE", "discount_value": "10.00"}
        made = shop.done(shop.post("/api/v1/vouchers", shop.admin, voucher), 201)
        if end is not None:
            assert end(shop, customer).status_code in (200, 204)
        whom = str(customer.user_id if end is not None else uuid4())
        rows = shop.database.rows("SELECT count(*) FROM bookings")

        for seller in (shop.admin, agent):
            for path, body in (
                ("/api/v1/quotes", offer.booking(2, user_id=whom)),
                (BOOKINGS, offer.booking(2, user_id=whom)),
                (BOOKINGS, hotel(user_id=whom)),
                ("/api/v1/quotes", hotel(user_id=whom, items=[room()])),
                (line_of(full), {"seats": 1, "user_id": whom}),
            ):
                answer = shop.post(path, seller, body)
                problem(answer, 404, "customer_not_found", pointer="/user_id")
                assert "Mona" not in answer.text
        assigned = shop.post(f"/api/v1/vouchers/{made['id']}/assignments", shop.admin, {"user_ids": [whom]})
        assert assigned.json["errors"][0]["pointer"] == "/user_ids/0"
        assert shop.database.rows("SELECT count(*) FROM bookings") == rows

    def test_a_departure_that_is_not_there_is_what_is_missing(self, shop: Shop, customer: Person) -> None:
        body = {**shop.offer().booking(2, user_id=str(customer.user_id)), "departure_id": str(uuid4())}
        for path in (BOOKINGS, "/api/v1/quotes"):
            problem(shop.post(path, shop.admin, body), 404, "departure_not_found")
