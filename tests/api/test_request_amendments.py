"""Amending what people priced: they price it again, and its customer pays the difference or gets it back."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask

from application.sales.amending import lapse_amendments
from tests.api.shop import Json, Shop, SignUp, fill_wallet, for_booking, problem
from tests.api.test_amendments import amend, preview
from tests.api.test_cancellations import a_policy
from tests.api.test_request_terms import of_kind
from tests.api.test_requests import BOOKINGS, asked, mona, on, priced, room
from tests.api.test_vouchers_api import made as a_voucher
from tests.conftest import MovableClock, Person
from tests.integration.shop import all_at_once

pytestmark = pytest.mark.database

HALF = [{"hours_before": 40 * 24, "refund_percent": "100.00"}, {"hours_before": 24, "refund_percent": "50.00"}]


@pytest.fixture
def customer(sign_up: SignUp) -> Person:
    return sign_up()


def paid(shop: Shop, customer: Person, **terms: Any) -> Json:
    """A hotel of EGP 3,000.00, in 20 days, of which 500 came from the wallet."""
    booking = asked(shop, customer, travelers=[mona()])
    priced(shop, booking, **terms)
    fill_wallet(shop, customer, "500.00")
    parts = [{"type": "WALLET", "amount": {"amount": "500.00", "currency": "EGP"}}]
    shop.take_payment(
        shop.done(shop.post("/api/v1/payments", customer, for_booking(booking["id"], tenders=parts)), 201)
    )
    return shown(shop, booking)


def shown(shop: Shop, booking: Json) -> Json:
    found = shop.done(shop.get(f"{BOOKINGS}/{booking['id']}", shop.admin))
    assert sum(Decimal(item["total_price"]["amount"]) for item in found["items"]) == Decimal(
        found["final_amount"]["amount"]
    )
    return found


def test_a_dearer_trip_waits_for_its_difference_and_is_carried_out_by_it(shop: Shop, customer: Person) -> None:
    booking = paid(shop, customer)
    wanted = {
        "start_date": on(25), "end_date": on(30), "travelers_count": 3, "booking_details": {"city": "Luxor"},
        "travelers": [mona(), mona(first_name="Ali", document_number="B222")],
        "items": [room(quantity=3, details={"view": "sea"}), room("100.00", name_en="Boat", quantity=1)],
    }  # fmt: skip
    before = shop.state()
    plan = shop.done(preview(shop, shop.admin, booking, **wanted))
    assert shop.state() == before
    assert (plan["before"]["start_date"], plan["after"]["start_date"], plan["after"]["end_date"]) == (
        on(20), on(25), on(30),
    )  # fmt: skip
    assert [plan[name]["amount"] for name in ("difference", "amount_due", "fee", "refund")] == [
        "1600.00", "1600.00", "0.00", "0.00",
    ]  # fmt: skip
    assert (plan["seats_taken"], plan["after"]["departure_id"]) == (0, None)

    made = amend(shop, shop.admin, booking, key="once", preview_token=plan["token"], **wanted)

    assert (shop.done(made, 201)["status"], made.json["amount_due"]["amount"]) == ("PENDING", "1600.00")
    again = amend(shop, shop.admin, booking, key="once", preview_token=plan["token"], **wanted)
    assert (again.json, again.headers["Idempotent-Replayed"]) == (made.json, "true")
    problem(amend(shop, shop.admin, booking, **wanted), 409, "amendment_waits")
    waiting = shown(shop, booking)
    assert (waiting["start_date"], waiting["final_amount"], waiting["amount_due"]["amount"]) == (
        on(20), booking["final_amount"], "1600.00",
    )  # fmt: skip
    payment = shop.pay(customer, booking)
    assert payment["amount"]["amount"] == "1600.00"
    shop.take_payment(payment)
    now = shown(shop, booking)
    assert (now["status"], now["payment_status"], now["final_amount"]["amount"], now["amount_due"]["amount"]) == (
        "CONFIRMED", "PAID", "4600.00", "0.00",
    )  # fmt: skip
    assert (now["start_date"], now["end_date"], now["travelers_count"], now["booking_details"]) == (
        on(25), on(30), 3, {"city": "Luxor"},
    )  # fmt: skip
    assert [(item["item_name_en"], item["details"]) for item in now["items"]] == [
        ("Double room", {"view": "sea"}), ("Boat", {}),
    ]  # fmt: skip
    names = shop.done(shop.get(f"{BOOKINGS}/{booking['id']}/travelers", customer))["items"]
    assert [row["first_name"] for row in names] == ["Mona", "Ali"]
    (listed,) = shop.done(shop.get(f"{BOOKINGS}/{booking['id']}/amendments", customer))["items"]
    assert (listed["status"], listed["departure_id"], listed["difference"]["amount"]) == ("APPLIED", None, "1600.00")
    assert shop.database.row("SELECT seats, departure_id, status FROM holds") == {
        "seats": 0, "departure_id": None, "status": "CAPTURED",
    }  # fmt: skip
    logged = shop.done(shop.get("/api/v1/admin/audit-logs?action=bookings.amend", shop.admin))["items"]
    (said,) = [row["changes"]["after"] for row in logged if row["status"] == "SUCCESS"]
    assert (said["departure_id"], said["start_date"], said["final_amount"]) == (None, on(25), "EGP 4600.00")
    for verb in ("start", "complete"):
        shop.done(shop.post(f"{BOOKINGS}/{booking['id']}/{verb}", shop.admin, {"override_reason": "left early"}))
    assert shown(shop, booking)["status"] == "COMPLETED"


def test_a_cheaper_trip_goes_back_to_what_paid_it(shop: Shop, customer: Person) -> None:
    a_policy(shop, is_default=True, tiers=HALF)
    booking = paid(shop, customer)
    wanted = {"end_date": on(22), "items": [room("900.00")]}
    plan = shop.done(preview(shop, shop.admin, booking, **wanted))
    # 1,200 are given up, of which the terms keep half.
    assert [plan[name]["amount"] for name in ("difference", "fee", "refund")] == ["-600.00", "600.00", "600.00"]
    assert plan["applies"]["refund_percent"] == "50.00"
    (refund,) = plan["refunds"]
    assert [(part["type"], part["amount"]["amount"]) for part in refund["parts"]] == [
        ("WALLET", "100.00"), ("GATEWAY", "500.00"),
    ]  # fmt: skip

    made = shop.done(amend(shop, shop.admin, booking, preview_token=plan["token"], **wanted), 201)

    assert (made["status"], made["refund"]["amount"]) == ("APPLIED", "600.00")
    shop.deliver_events()
    now = shown(shop, booking)
    assert (now["final_amount"]["amount"], now["refunded_amount"]["amount"], now["end_date"]) == (
        "2400.00", "600.00", on(22),
    )  # fmt: skip
    assert of_kind(now, "FEE") == ["600.00"]
    moved = amend(shop, shop.admin, booking, preview_token=plan["token"], **wanted)
    problem(moved, 409, "price_moved")


def test_another_first_day_gives_up_the_whole_trip(shop: Shop, customer: Person) -> None:
    a_policy(shop, is_default=True, tiers=HALF)
    booking = paid(shop, customer)
    plan = shop.done(preview(shop, shop.admin, booking, start_date=on(60), end_date=on(64), items=[room()]))
    assert (plan["fee"]["amount"], plan["amount_due"]["amount"]) == ("1500.00", "1500.00")
    same = shop.done(preview(shop, shop.admin, booking, end_date=on(26), items=[room("2000.00")]))
    assert (same["fee"]["amount"], same["amount_due"]["amount"]) == ("0.00", "1000.00")


def test_a_token_carries_out_what_it_showed_and_nothing_else(shop: Shop, customer: Person) -> None:
    booking = paid(shop, customer)
    wanted: Json = {"end_date": on(25), "items": [room("1600.00")]}
    token = shop.done(preview(shop, shop.admin, booking, **wanted))["token"]
    for other in ({"end_date": on(26)}, {"booking_details": {"city": "Cairo"}}, {"items": [room("1600.01")]}):
        problem(amend(shop, shop.admin, booking, **{**wanted, **other}, preview_token=token), 409, "price_moved")
    assert shown(shop, booking)["amount_due"]["amount"] == "0.00"
    shop.done(amend(shop, shop.admin, booking, **wanted, preview_token=token), 201)


def test_who_prices_it_otherwise(shop: Shop, sign_up: SignUp, customer: Person) -> None:
    agent = sign_up("AGENT")
    booking = asked(shop, agent, user_id=str(customer.user_id))
    own, staffs = asked(shop, agent), asked(shop, shop.admin)
    others = sign_up("ADMIN")
    for one, by, payer in ((booking, agent, customer), (own, others, agent), (staffs, others, shop.admin)):
        priced(shop, one, by=by)
        shop.take_payment(shop.pay(payer, one))
    items = [room("1600.00")]
    for body in ({"travelers_count": 1}, {"items": items}, {"items": items, "start_date": on(30)}):
        for ask in (preview, amend):
            problem(ask(shop, customer, booking, **body), 409, "amendment_not_offered")
    problem(amend(shop, sign_up("AGENT"), booking, items=items), 404, "booking_not_found")
    problem(amend(shop, sign_up("EMPLOYEE"), booking, items=items), 403, "forbidden")
    problem(amend(shop, agent, own, items=items), 403, "own_request")
    problem(amend(shop, shop.admin, staffs, items=items), 403, "own_request")
    made = shop.done(amend(shop, agent, booking, items=items), 201)
    assert (made["status"], made["requested_by_user_id"]) == ("PENDING", str(agent.user_id))
    shop.take_payment(shop.pay(customer, booking))
    assert shown(shop, booking)["final_amount"]["amount"] == "3200.00"
    rates = shop.database.rows("SELECT agent_rate FROM booking_items WHERE booking_id = %s", (booking["id"],))
    assert [row["agent_rate"] is not None for row in rates] == [True]


@pytest.mark.parametrize(
    ("wrong", "pointer"),
    [
        ({}, "/departure_id"), ({"travelers_count": 1}, "/items"), ({"start_date": on(30)}, "/items"),
        ({"items": []}, "/items"), ({"items": [room("0.00")]}, "/items"),
        ({"items": [room("1.00", "USD")]}, "/items/0/unit_price"),
        ({"items": [room()], "start_date": on(0)}, "/start_date"),
        ({"items": [room()], "end_date": on(19)}, "/end_date"),
        ({"items": [room()], "time_zone": "Mars/Base"}, "/time_zone"),
        ({"items": [room()], "departure_id": "01a230e5-dcd5-7179-816e-216177a501ca"}, "/departure_id"),
        ({"items": [room()], "booking_details": {"pay": "4111 1111 1111 1111"}}, "/booking_details/pay"),
        ({"items": [room()], "start_date": on(399), "end_date": on(401)}, "/travelers/0/document_expires_on"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_named(shop: Shop, customer: Person, wrong: Json, pointer: str) -> None:
    booking = paid(shop, customer)
    for ask in (preview, amend):
        problem(ask(shop, shop.admin, booking, **wrong), 422, "validation_failed", pointer=pointer)
    assert shop.database.row("SELECT count(*) AS n FROM booking_amendments") == {"n": 0}


def test_the_catalogue_is_not_priced_by_hand(shop: Shop, customer: Person) -> None:
    booking = shop.book(customer, shop.offer())
    shop.take_payment(shop.pay(customer, booking))
    for name, value in (("items", [room()]), ("start_date", on(30)), ("booking_details", {})):
        refused = amend(shop, shop.admin, booking, travelers_count=1, **{name: value})
        problem(refused, 422, "validation_failed", pointer=f"/{name}")


def test_only_what_is_confirmed_and_to_come_is_amended(shop: Shop, customer: Person, clock: MovableClock) -> None:
    booking = asked(shop, customer)
    problem(amend(shop, shop.admin, booking, items=[room()]), 409, "illegal_transition")
    priced(shop, booking)
    problem(amend(shop, shop.admin, booking, items=[room()]), 409, "illegal_transition")
    shop.take_payment(shop.pay(customer, booking))
    clock.offset = timedelta(days=20)
    problem(amend(shop, shop.again(shop.admin), booking, items=[room()]), 409, "trip_started")


def test_it_waits_as_long_as_an_offer_and_lapses(shop: Shop, customer: Person, clock: MovableClock) -> None:
    booking = paid(shop, customer)
    made = shop.done(amend(shop, shop.admin, booking, items=[room("1600.00")]), 201)
    withdrawn = shop.post(f"{BOOKINGS}/{booking['id']}/amendments/{made['id']}/withdraw", customer)
    assert shop.done(withdrawn)["status"] == "WITHDRAWN"
    shop.done(amend(shop, shop.admin, booking, items=[room("1700.00")]), 201)
    use, grace = shop.running.dependencies, timedelta(minutes=1)
    clock.offset = timedelta(hours=47)
    assert lapse_amendments(new_uow=use.new_uow, clock=use.clock, grace=grace) == 0
    payment = shop.pay(shop.again(customer), booking)
    clock.offset = timedelta(hours=49)
    assert [lapse_amendments(new_uow=use.new_uow, clock=use.clock, grace=grace) for _ in range(2)] == [1, 0]
    now = shop.done(shop.get(f"{BOOKINGS}/{booking['id']}", shop.again(customer)))
    assert (now["final_amount"]["amount"], now["amount_due"]["amount"]) == ("3000.00", "0.00")
    status = "SELECT status FROM payments WHERE id = %s"
    assert shop.database.rows(status, (payment["id"],)) == [{"status": "CANCELLED"}]


def test_of_two_at_once_one_waits(app: Flask, shop: Shop, customer: Person) -> None:
    booking = paid(shop, customer)
    path = f"{BOOKINGS}/{booking['id']}/amendments"

    def ask(number: int) -> int:
        headers = {**shop.admin.headers, "Idempotency-Key": f"at-once-{number}"}
        return app.test_client().post(path, json={"items": [room(f"{number}.00")]}, headers=headers).status_code

    answers = all_at_once([lambda one=number: ask(one) for number in (1600, 1700, 1800)])  # type: ignore[misc]
    assert sorted(answers) == [201, 409, 409]  # type: ignore[type-var]
    assert shop.database.row("SELECT count(*) AS n FROM booking_amendments") == {"n": 1}


def test_cheaper_twice_in_a_row_gives_back_no_more_than_was_paid(shop: Shop, customer: Person) -> None:
    booking = paid(shop, customer)
    for amount in ("1000.00", "400.00"):
        shop.done(amend(shop, shop.admin, booking, items=[room(amount)]), 201)
    shop.deliver_events()
    now = shown(shop, booking)
    assert (now["final_amount"]["amount"], now["refunded_amount"]["amount"]) == ("800.00", "2200.00")
    shop.done(amend(shop, shop.admin, booking, items=[room("500.00")]), 201)
    assert shop.pay(customer, booking)["amount"]["amount"] == "200.00"


def test_instalments_and_vouchers_follow_it(shop: Shop, customer: Person) -> None:
    a_voucher(shop, code="TEN", discount_value="10.00", min_purchase_amount={"amount": "2000.00", "currency": "EGP"})
    booking = asked(shop, customer, start_date=on(60), end_date=on(64))
    offer = priced(shop, booking, voucher_code="TEN", deposit_percent=20)
    assert [part["amount"]["amount"] for part in offer["instalments"]] == ["540.00", "2160.00"]
    shop.take_payment(shop.pay(customer, booking))

    shop.done(amend(shop, shop.admin, booking, items=[room("500.00")]), 201)

    now = shown(shop, booking)
    assert (now["final_amount"]["amount"], of_kind(now, "VOUCHER"), now["amount_due"]["amount"]) == (
        "1000.00", ["0.00"], "460.00",
    )  # fmt: skip
    assert [part["amount"]["amount"] for part in now["instalments"]] == ["540.00", "460.00"]
    assert shop.database.rows("SELECT in_use FROM voucher_redemptions") == [{"in_use": True}]
    shop.done(amend(shop, shop.admin, booking, start_date=on(5), end_date=on(6), items=[room("500.00")]), 201)
    assert shown(shop, booking)["next_due"]["due_on"] == on(3)
