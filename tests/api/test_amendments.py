"""Amending by HTTP: what is shown is what is done, who may, what the customer reads."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from application.sales.amending import lapse_amendments
from domain.shared.clock import business_date
from tests.api.mailbox import mails_to
from tests.api.shop import Json, Offer, Shop, SignUp, fill_wallet, for_booking, problem
from tests.conftest import MovableClock, Person

pytestmark = pytest.mark.database


def egp(amount: str) -> Json:
    return {"amount": amount, "currency": "EGP"}


def preview(shop: Shop, person: Person, booking: Json, **wanted: Any) -> Any:
    return shop.post(f"/api/v1/bookings/{booking['id']}/amendments/preview", person, wanted)


def amend(shop: Shop, person: Person, booking: Json, *, key: str = "", **body: Any) -> Any:
    return shop.post(f"/api/v1/bookings/{booking['id']}/amendments", person, body, key=key)


def paid(shop: Shop, customer: Person, offer: Offer) -> Json:
    """Two travellers, EGP 2,000.00 by card."""
    booking = shop.book(customer, offer)
    shop.take_payment(shop.pay(customer, booking))
    return booking


def pay_from_wallet(shop: Shop, customer: Person, booking: Json) -> None:
    asked = for_booking(booking["id"], method="WALLET")
    asked.pop("provider", None)
    shop.done(shop.post("/api/v1/payments", customer, asked), 201)


def another_date(shop: Shop, offer: Offer, *, days: int = 40) -> str:
    starts_on = business_date(datetime.now(UTC)) + timedelta(days=days)
    body = {"starts_on": starts_on.isoformat(), "capacity": 5}
    path = f"/api/v1/packages/{offer.package_id}/departures"
    made: str = shop.done(shop.client.post(path, json=body, headers=shop.admin.headers), 201)["id"]
    return made


def test_a_dearer_trip_is_shown_held_paid_and_told(shop: Shop, sign_up: SignUp) -> None:
    customer, offer = sign_up(locale="en"), shop.offer()
    booking = paid(shop, customer, offer)
    later = another_date(shop, offer)
    before = shop.state()
    shown = shop.done(preview(shop, customer, booking, departure_id=later, travelers_count=3))
    assert shop.state() == before
    assert (shown["before"]["final_amount"], shown["after"]["final_amount"]) == (egp("2000.00"), egp("3000.00"))
    assert (shown["difference"], shown["amount_due"], shown["fee"], shown["refund"]) == (
        egp("1000.00"), egp("1000.00"), egp("0.00"), egp("0.00"),
    )  # fmt: skip
    assert (shown["applies"]["refund_percent"], shown["seats_taken"]) == ("100.00", 3)

    wanted = {"departure_id": later, "travelers_count": 3, "preview_token": shown["token"]}
    answer = amend(shop, customer, booking, key="once", **wanted)
    made = shop.done(answer, 201)
    assert (made["status"], made["amount_due"]) == ("PENDING", egp("1000.00"))
    again = amend(shop, customer, booking, key="once", **wanted)
    assert (again.json, again.headers["Idempotent-Replayed"]) == (made, "true")
    problem(amend(shop, customer, booking, travelers_count=1), 409, "amendment_waits")
    problem(
        shop.client.put(
            f"/api/v1/bookings/{booking['id']}/travelers", json={"travelers": []}, headers=customer.headers
        ),
        409,
        "amendment_waits",
    )
    old = shop.done(shop.get(f"/api/v1/bookings/{booking['id']}", customer))
    assert (old["departure_id"], old["amount_due"]) == (offer.departure_id, egp("1000.00"))

    payment = shop.pay(customer, booking)
    assert payment["amount"] == egp("1000.00")
    shop.take_payment(payment)
    new = shop.done(shop.get(f"/api/v1/bookings/{booking['id']}", customer))
    assert (new["departure_id"], new["travelers_count"], new["final_amount"], new["amount_due"]) == (
        later, 3, egp("3000.00"), egp("0.00"),
    )  # fmt: skip
    [listed] = shop.done(shop.get(f"/api/v1/bookings/{booking['id']}/amendments", customer))["items"]
    assert (listed["id"], listed["status"], listed["amount_due"]) == (made["id"], "APPLIED", egp("0.00"))
    [mail] = [mail for mail in mails_to(customer.email, shop.running.settings.home) if "has changed" in mail.subject]
    assert "3,000.00" in mail.text
    titles = [note["title_en"] for note in shop.done(shop.get("/api/v1/notifications", customer))["items"]]
    assert {"Your booking has changed", "Your change waits for its payment"} <= set(titles)
    steps = shop.done(shop.get(f"/api/v1/bookings/{booking['id']}/history", customer))["items"]
    assert [step["change_reason"] for step in steps][-2:] == ["amendment waits for its payment", "amended"]


def test_the_file_says_what_is_due_as_the_list_does(shop: Shop, sign_up: SignUp) -> None:
    customer, offer = sign_up(), shop.offer()
    larger, smaller = paid(shop, customer, offer), paid(shop, customer, offer)
    shop.done(amend(shop, customer, larger, travelers_count=3), 201)
    shop.done(amend(shop, customer, smaller, travelers_count=1), 201)

    listed = shop.done(shop.get("/api/v1/bookings", shop.admin))["items"]
    written = csv.DictReader(io.StringIO(shop.get("/api/v1/bookings/export.csv", shop.admin).text))

    due = {row["booking_number"]: row["amount_due"]["amount"] for row in listed}
    assert sorted(due.values()) == ["0.00", "1000.00"]
    assert {row["Booking number"]: row["Due"] for row in written} == due


def test_a_smaller_party_is_told_what_goes_back_and_gets_it(shop: Shop, sign_up: SignUp) -> None:
    customer, offer = sign_up(locale="ar"), shop.offer()
    booking = paid(shop, customer, offer)
    shown = shop.done(preview(shop, customer, booking, travelers_count=1))
    [refund] = shown["refunds"]
    assert (refund["amount"], refund["parts"][0]["type"], shown["points_taken"]) == (egp("1000.00"), "GATEWAY", 100)
    made = shop.done(amend(shop, customer, booking, travelers_count=1, preview_token=shown["token"]), 201)
    assert (made["status"], made["refund"], made["difference"]) == ("APPLIED", egp("1000.00"), egp("-1000.00"))
    problem(amend(shop, customer, booking, travelers_count=3, preview_token=shown["token"]), 409, "price_moved")
    shop.deliver_events()
    now = shop.done(shop.get(f"/api/v1/bookings/{booking['id']}", customer))
    assert (now["status"], now["payment_status"], now["final_amount"], now["refunded_amount"]) == (
        "CONFIRMED", "PARTIALLY_REFUNDED", egp("1000.00"), egp("1000.00"),
    )  # fmt: skip
    [mail] = [mail for mail in mails_to(customer.email, shop.running.settings.home) if "تغير حجزك" in mail.subject]
    assert "رسوم التعديل" in mail.text


def test_a_preview_tells_what_is_promised_before_and_after(shop: Shop, sign_up: SignUp) -> None:
    customer, offer = sign_up(), shop.offer()
    deal = {"offer_type": "BONUS_POINTS", "bonus_points": 1_000, "points_per_unit": True, "title_en": "Points"}
    made = shop.done(shop.post("/api/v1/offers", shop.admin, deal), 201)
    shop.done(shop.post(f"/api/v1/offers/{made['id']}/activate", shop.admin, {}))
    voucher = {"code": "BACK-20", "voucher_type": "CASHBACK", "discount_value": "20.00"}
    shop.done(shop.post("/api/v1/vouchers", shop.admin, voucher), 201)
    booking = shop.done(shop.post("/api/v1/bookings", customer, offer.booking(voucher_code="BACK-20")), 201)
    shop.take_payment(shop.pay(customer, booking))
    assert shop.done(shop.get("/api/v1/points", customer))["balance"] == 2_200

    shown = shop.done(preview(shop, customer, booking, travelers_count=1))
    shop.done(amend(shop, customer, booking, travelers_count=1, preview_token=shown["token"]), 201)
    shop.deliver_events()

    assert [(shown[side]["bonus_points"], shown[side]["bonus_cashback"]) for side in ("before", "after")] == [
        (2_000, egp("400.00")), (1_000, egp("200.00")),
    ]  # fmt: skip
    assert shown["points_taken"] == 1_100
    assert shop.done(shop.get("/api/v1/points", customer))["balance"] == 1_100


def test_who_may_amend(shop: Shop, sign_up: SignUp) -> None:
    customer, agent, employee = sign_up(), sign_up("AGENT"), sign_up("EMPLOYEE")
    offer = shop.offer()
    booking = paid(shop, customer, offer)
    path = f"/api/v1/bookings/{booking['id']}/amendments"
    for stranger in (sign_up(), agent):
        problem(preview(shop, stranger, booking, travelers_count=1), 404, "booking_not_found")
        problem(amend(shop, stranger, booking, travelers_count=1), 404, "booking_not_found")
        problem(shop.get(path, stranger), 404, "booking_not_found")
        problem(shop.post(f"{path}/{uuid4()}/withdraw", stranger), 404, "booking_not_found")
    problem(preview(shop, employee, booking, travelers_count=1), 403, "forbidden")
    problem(amend(shop, employee, booking, travelers_count=1), 403, "forbidden")
    problem(shop.post(f"{path}/{uuid4()}/withdraw", employee), 403, "forbidden")
    keyless = shop.client.post(path, json={"travelers_count": 1}, headers=customer.headers)
    problem(keyless, 400, "idempotency_key_missing")

    waiting = shop.done(amend(shop, shop.admin, booking, travelers_count=3), 201)
    problem(shop.post(f"{path}/{uuid4()}/withdraw", customer), 404, "amendment_not_found")
    withdrawn = shop.done(shop.post(f"{path}/{waiting['id']}/withdraw", customer))
    assert (withdrawn["status"], withdrawn["amount_due"]) == ("WITHDRAWN", egp("0.00"))
    audited = shop.done(shop.get("/api/v1/admin/audit-logs?action=bookings.amend", shop.admin))["items"]
    [done] = [row["changes"] for row in audited if row["status"] == "SUCCESS"]
    assert (done["before"]["travelers_count"], done["after"]["travelers_count"]) == (2, 3)

    body = offer.booking(1, user_id=str(customer.user_id))
    through_agent = shop.done(shop.post("/api/v1/bookings", agent, body), 201)
    fill_wallet(shop, customer, "1000.00")
    pay_from_wallet(shop, customer, through_agent)
    moved = amend(shop, agent, through_agent, departure_id=another_date(shop, offer))
    assert shop.done(moved, 201)["status"] == "APPLIED"


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/departure_id"),
        ({"unknown": 1}, "/unknown"),
        ({"travelers_count": 0}, "/travelers_count"),
        ({"travelers_count": "2"}, "/travelers_count"),
        ({"departure_id": "tomorrow"}, "/departure_id"),
        ({"travelers": [{"first_name": "Mona"}]}, "/travelers/0/last_name"),
        ({"travelers_count": 1, "preview_token": ""}, "/preview_token"),
        ({"travelers_count": 51}, "/travelers_count"),
        ({"travelers": [{"first_name": "1", "last_name": "Ali"}]}, "/travelers/0/first_name"),
    ],
)
def test_what_cannot_be_meant_is_named(shop: Shop, sign_up: SignUp, body: Json, pointer: str) -> None:
    customer = sign_up()
    booking = shop.book(customer, shop.offer())
    fill_wallet(shop, customer, "2000.00")
    pay_from_wallet(shop, customer, booking)
    problem(amend(shop, customer, booking, **body), 422, "validation_failed", pointer=pointer)


def test_what_waits_lapses_and_the_customer_is_told(shop: Shop, sign_up: SignUp, clock: MovableClock) -> None:
    customer, offer = sign_up(), shop.offer()
    booking = paid(shop, customer, offer)
    problem(amend(shop, customer, shop.book(customer, offer), travelers_count=1), 409, "illegal_transition")
    problem(amend(shop, customer, booking, departure_id=str(uuid4())), 404, "departure_not_found")
    problem(amend(shop, customer, booking, travelers_count=20), 409, "sold_out")
    shop.done(amend(shop, customer, booking, travelers_count=3), 201)
    clock.offset = timedelta(hours=2)
    customer = shop.again(customer)
    problem(shop.post("/api/v1/payments", customer, for_booking(booking["id"])), 409, "nothing_to_pay")
    use = shop.running.dependencies
    assert lapse_amendments(new_uow=use.new_uow, clock=use.clock, grace=timedelta(minutes=1)) == 1
    shop.deliver_events()
    titles = [note["title_en"] for note in shop.done(shop.get("/api/v1/notifications", customer))["items"]]
    assert "Your change was not paid in time" in titles
    assert shop.done(shop.get(f"/api/v1/bookings/{booking['id']}", customer))["amount_due"] == egp("0.00")
