"""Payment plans over HTTP: the quote's schedule is the booking's, and payments ask for its instalments in turn."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.shop import Json, Shop, SignUp, for_booking, problem
from tests.conftest import Person

V1 = "/api/v1"
PAYMENTS = f"{V1}/payments"


def egp(amount: str) -> Json:
    return {"amount": amount, "currency": "EGP"}


@pytest.fixture
def customer(sign_up: SignUp) -> Person:
    return sign_up()


@pytest.fixture
def on_deposit(shop: Shop) -> None:
    """A third confirms a booking."""
    setting = f"{V1}/admin/settings/booking.deposit_percent"
    shop.done(shop.client.put(setting, json={"value": 30}, headers=shop.admin.headers))


def in_parts(parts: int = 2) -> Json:
    return {"payment_plan": "INSTALMENTS", "instalments": parts}


def plan_in(shown: Json) -> list[tuple[str, Any]]:
    return [(each["due_on"], each["amount"]["amount"]) for each in shown["instalments"]]


@pytest.mark.usefixtures("on_deposit")
def test_a_plan_is_quoted_booked_shown_and_paid_part_by_part(shop: Shop, customer: Person, sign_up: SignUp) -> None:
    body = {**shop.offer(starts_in_days=120).booking(), **in_parts()}

    quote = shop.done(shop.post(f"{V1}/quotes", customer, body))
    booking = shop.done(shop.post(f"{V1}/bookings", customer, body), 201)

    assert (quote["payment_plan"], booking["payment_plan"]) == ("INSTALMENTS", "INSTALMENTS")
    assert plan_in(quote) == plan_in(booking)
    assert [each["amount"] for each in booking["instalments"]] == [egp("600.00"), egp("700.00"), egp("700.00")]
    assert [each["status"] for each in booking["instalments"]] == ["DUE", "UPCOMING", "UPCOMING"]
    assert booking["next_due"] == booking["instalments"][0]
    assert booking["amount_due"] == egp("2000.00")

    payment = shop.pay(customer, booking)
    assert payment["amount"] == egp("600.00")
    shop.take_payment(payment)

    after = shop.done(shop.get(f"{V1}/bookings/{booking['id']}", customer))
    assert (after["status"], after["amount_due"]) == ("CONFIRMED", egp("1400.00"))
    assert [each["status"] for each in after["instalments"]] == ["PAID", "UPCOMING", "UPCOMING"]
    assert after["next_due"] == {**booking["instalments"][1], "status": "UPCOMING"}
    assert shop.pay(customer, booking)["amount"] == egp("700.00")
    problem(shop.get(f"{V1}/bookings/{booking['id']}", sign_up()), 404, "booking_not_found")

    shop.done(shop.post(f"{V1}/bookings/{booking['id']}/cancel", customer, {"reason": "plans changed"}))
    over = shop.done(shop.get(f"{V1}/bookings/{booking['id']}", customer))
    assert [each["status"] for each in over["instalments"]] == ["PAID", "CANCELLED", "CANCELLED"]
    assert over["next_due"] is None


@pytest.mark.usefixtures("on_deposit")
def test_left_out_it_is_the_companys_deposit_and_in_full_all_at_once(shop: Shop, customer: Person) -> None:
    offer = shop.offer()
    left_out = shop.book(customer, offer)
    in_full = shop.done(shop.post(f"{V1}/bookings", customer, {**offer.booking(), "payment_plan": "FULL"}), 201)

    assert (left_out["payment_plan"], len(left_out["instalments"])) == ("DEPOSIT", 2)
    assert (in_full["payment_plan"], in_full["instalments"], in_full["next_due"]) == ("FULL", [], None)
    answer = shop.post(PAYMENTS, customer, for_booking(in_full["id"], amount=egp("600.00")))
    problem(answer, 422, "part_payment_not_offered", pointer="/amount")
    assert shop.pay(customer, in_full)["amount"] == egp("2000.00")


@pytest.mark.usefixtures("on_deposit")
def test_plans_that_cannot_be_are_refused_where_they_are_asked_for(shop: Shop, customer: Person) -> None:
    far, near = shop.offer(starts_in_days=120).booking(), shop.offer(starts_in_days=10).booking()
    refused: list[tuple[Json, Json, str, str]] = [
        (near, {"payment_plan": "DEPOSIT"}, "plan_not_offered", "/payment_plan"),
        (near, in_parts(), "plan_not_offered", "/payment_plan"),
        (far, in_parts(4), "plan_not_offered", "/instalments"),
        (far, {"payment_plan": "INSTALMENTS"}, "validation_failed", "/instalments"),
        (far, {"payment_plan": "DEPOSIT", "instalments": 2}, "validation_failed", "/instalments"),
        (far, {"instalments": 2}, "validation_failed", "/instalments"),
        (far, in_parts(1), "validation_failed", "/instalments"),
        (far, in_parts("2"), "validation_failed", "/instalments"),  # type: ignore[arg-type]
        (far, {"payment_plan": "WEEKLY"}, "validation_failed", "/payment_plan"),
    ]
    for wanted, plan, code, pointer in refused:
        for path in ("quotes", "bookings"):
            problem(shop.post(f"{V1}/{path}", customer, {**wanted, **plan}), 422, code, pointer=pointer)

    assert shop.done(shop.get(f"{V1}/bookings", customer))["items"] == []


def test_where_all_of_the_price_confirms_no_plan_is_offered(shop: Shop, customer: Person) -> None:
    body = shop.offer(starts_in_days=120).booking()

    problem(shop.post(f"{V1}/bookings", customer, {**body, **in_parts()}), 422, "plan_not_offered")
    booking = shop.done(shop.post(f"{V1}/bookings", customer, body), 201)

    assert (booking["payment_plan"], booking["instalments"]) == ("FULL", [])
