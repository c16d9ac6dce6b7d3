"""Earning over HTTP: what payees read of it, what vendors read of bookings, and what nobody else reads."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from domain.shared.clock import business_date
from infrastructure.database.roles import connect
from tests.api.shop import Json, Offer, Shop, SignUp, problem
from tests.conftest import Person

pytestmark = pytest.mark.database

BUCKETS = ("upcoming", "held", "payable", "in_transit", "paid", "clawed_back", "balance")


@pytest.fixture
def vendor(sign_up: SignUp) -> Person:
    return sign_up("VENDOR")


@pytest.fixture
def agent(sign_up: SignUp) -> Person:
    return sign_up("AGENT")


@pytest.fixture
def customer(sign_up: SignUp) -> Person:
    return sign_up()


@pytest.fixture
def offer(shop: Shop, vendor: Person) -> Offer:
    return an_offer_of(shop, vendor)


def an_offer_of(shop: Shop, vendor: Person) -> Offer:
    offer = shop.offer()
    with connect(shop.addresses.owner) as connection:
        connection.execute("UPDATE packages SET vendor_id = %s WHERE id = %s", [vendor.user_id, offer.package_id])
    return offer


def sell(shop: Shop, offer: Offer, customer: Person, agent: Person | None = None, travelers: int = 1) -> Json:
    """A trip that is booked, by the agent where there is one, and paid."""
    asked = {"user_id": str(customer.user_id)} if agent is not None else {}
    booking = shop.done(shop.post("/api/v1/bookings", agent or customer, offer.booking(travelers, **asked)), 201)
    shop.take_payment(shop.pay(customer, booking))
    return booking


def travel(shop: Shop, booking: Json) -> None:
    for step in ("start", "complete"):
        body = {"override_reason": "a test"}
        shop.done(shop.post(f"/api/v1/bookings/{booking['id']}/{step}", shop.admin, body))
    shop.deliver_events()


def refund(shop: Shop, booking: Json, finance: Person, amount: str) -> None:
    payment = shop.database.row("SELECT id FROM payments WHERE booking_id = %s", (booking["id"],))
    assert payment is not None
    body = {"amount": {"amount": amount, "currency": "EGP"}, "reason": "a test"}
    shop.done(shop.post(f"/api/v1/payments/{payment['id']}/refunds", finance, body), 202)
    shop.deliver_events()


def sums(earnings: Json) -> dict[str, str]:
    """What is more than nothing, in EGP."""
    found = {}
    for name in BUCKETS:
        for money in earnings[name]:
            assert money["currency"] == "EGP"
            if money["amount"] != "0.00":
                found[name] = money["amount"]
    return found


def test_from_a_sale_to_a_refund_as_vendor_and_agent_read_it(
    shop: Shop, offer: Offer, vendor: Person, agent: Person, customer: Person, sign_up: SignUp
) -> None:
    booking = sell(shop, offer, customer, agent)
    assert sums(shop.done(shop.get("/api/v1/payouts", vendor))) == {"upcoming": "800.00"}
    assert sums(shop.done(shop.get("/api/v1/payouts", agent))) == {"upcoming": "100.00"}
    [expected] = shop.done(shop.get("/api/v1/payouts/entries?state=UPCOMING", agent))["items"]
    assert (expected["kind"], expected["amount"]["amount"], expected["booking_number"]) == (
        "EXPECTED", "100.00", booking["booking_number"],
    )  # fmt: skip

    travel(shop, booking)
    for payee, amount in ((vendor, "800.00"), (agent, "100.00")):
        earned = shop.done(shop.get("/api/v1/payouts", payee))
        assert sums(earned) == {"payable": amount, "balance": amount}
        [entry] = earned["entries"]
        assert (entry["kind"], entry["state"], entry["booking_number"]) == (
            "EARNED", "PAYABLE", booking["booking_number"],
        )  # fmt: skip

    refund(shop, booking, sign_up("ADMIN"), "250.00")
    earned = shop.done(shop.get("/api/v1/payouts", vendor))
    assert sums(earned) == {"payable": "600.00", "balance": "600.00", "clawed_back": "200.00"}
    assert [entry["amount"]["amount"] for entry in earned["entries"]] == ["-200.00", "800.00"]
    [back] = shop.done(shop.get("/api/v1/payouts/entries?state=CLAWED_BACK", vendor, Accept_Language="ar"))["items"]
    assert back["reason"] == back["reason_ar"] == f"عكس: حصة المورد من الحجز {booking['booking_number']}"
    told = shop.done(shop.get("/api/v1/notifications", vendor))["items"]
    assert [row["title"] for row in told] == ["A share of a trip was taken back", "You earned a share of a trip"]


def test_what_is_held_tells_from_when_it_is_paid_out(
    shop: Shop, offer: Offer, vendor: Person, customer: Person, sign_up: SignUp
) -> None:
    shop.done(shop.client.put("/api/v1/admin/settings/payout.release_days", json={"value": 5},
                              headers=shop.admin.headers))  # fmt: skip
    shop.running.dependencies.system_settings.forget()
    travel(shop, sell(shop, offer, customer))

    earned = shop.done(shop.get("/api/v1/payouts", vendor))

    assert sums(earned) == {"held": "800.00", "balance": "800.00"}
    assert earned["next_release_at"] == earned["entries"][0]["released_at"]
    assert earned["entries"][0]["state"] == "HELD"


def test_entries_come_in_pages_and_each_once(
    shop: Shop, offer: Offer, vendor: Person, agent: Person, customer: Person
) -> None:
    bookings = [sell(shop, offer, customer, agent) for _ in range(5)]
    for place, booking in enumerate(bookings):
        if place % 2 == 0:
            travel(shop, booking)

    upcoming = walked(shop, "/api/v1/payouts/entries?state=UPCOMING&limit=1", vendor)
    payable = walked(shop, "/api/v1/payouts/entries?state=PAYABLE&limit=2", vendor)
    everything = walked(shop, "/api/v1/payouts/entries?limit=1", vendor)

    numbers = [booking["booking_number"] for booking in bookings]
    assert [row["booking_number"] for row in upcoming] == [numbers[3], numbers[1]]
    assert [row["booking_number"] for row in payable] == [numbers[4], numbers[2], numbers[0]]
    assert [row["id"] for row in everything] == [row["id"] for row in payable]
    for bad in ("state=GONE", "limit=0", "cursor=no"):
        assert shop.get(f"/api/v1/payouts/entries?{bad}", vendor).status_code == 422, bad


def walked(shop: Shop, path: str, person: Person) -> list[Json]:
    rows: list[Json] = []
    cursor: str | None = ""
    while cursor is not None:
        page = shop.done(shop.get(path + (f"&cursor={cursor}" if cursor else ""), person))
        rows += page["items"]
        cursor = page["next_cursor"]
    return rows


def test_nobody_reads_what_others_earn_but_staff_who_may(
    shop: Shop, offer: Offer, vendor: Person, customer: Person, sign_up: SignUp
) -> None:
    travel(shop, sell(shop, offer, customer))
    other, employee, finance = sign_up("VENDOR"), sign_up("EMPLOYEE"), sign_up("ADMIN")
    path = f"/api/v1/admin/payees/{vendor.user_id}/earnings"

    assert sums(shop.done(shop.get("/api/v1/payouts", other))) == {}
    assert sums(shop.done(shop.get("/api/v1/payouts", customer))) == {}
    problem(shop.get("/api/v1/payouts"), 401, "unauthorized")
    problem(shop.get(path, other), 403, "wrong_surface")
    problem(shop.get(path, employee), 403, "forbidden")
    assert sums(shop.done(shop.get(path, finance))) == {"payable": "800.00", "balance": "800.00"}
    [entry] = shop.done(shop.get(f"{path}/entries?state=PAYABLE", finance))["items"]
    assert entry["amount"]["amount"] == "800.00"
    problem(shop.get(f"/api/v1/admin/payees/{uuid4()}/earnings", finance), 404, "not_found")


def test_vendors_read_bookings_of_what_is_theirs_and_little_of_who_comes(
    shop: Shop, offer: Offer, vendor: Person, customer: Person, sign_up: SignUp
) -> None:
    other = sign_up("VENDOR")
    mine, later = sell(shop, offer, customer, travelers=2), sell(shop, offer, customer)
    sell(shop, an_offer_of(shop, other), customer)
    shop.book(customer, shop.offer())
    travel(shop, mine)

    page = shop.done(shop.get("/api/v1/vendors/me/bookings", vendor))

    assert [row["booking_number"] for row in page["items"]] == [later["booking_number"], mine["booking_number"]]
    first = page["items"][1]
    assert (first["travelers_count"], first["your_share"]["amount"], first["status"]) == (2, "1600.00", "COMPLETED")
    assert page["items"][0]["your_share"]["amount"] == "800.00"
    assert {"customer_info", "user_id", "email", "phone", "last_name", "price_lines", "final_amount"}.isdisjoint(first)
    assert customer.email not in str(page)
    assert [(item["item_name"], item["status"]) for item in first["items"]] == [("Nile cruise", "COMPLETED")]
    assert [item["status"] for item in page["items"][0]["items"]] == ["CONFIRMED"]


def test_vendors_bookings_are_found_by_departure_day_and_status(
    shop: Shop, offer: Offer, vendor: Person, customer: Person
) -> None:
    one, another = sell(shop, offer, customer), sell(shop, an_offer_of(shop, vendor), customer)
    travel(shop, one)
    numbers = {one["booking_number"], another["booking_number"]}
    starts_on = shop.running.dependencies.clock.now().date() + timedelta(days=30)

    def found(query: str) -> set[str]:
        page = shop.done(shop.get(f"/api/v1/vendors/me/bookings?{query}", vendor))
        return {row["booking_number"] for row in page["items"]}

    assert found(f"departure_id={offer.departure_id}") == {one["booking_number"]}
    assert found("status=CONFIRMED") == {another["booking_number"]}
    assert found(f"starts_from={starts_on - timedelta(days=2)}&starts_to={starts_on + timedelta(days=2)}") == numbers
    assert found(f"starts_from={starts_on + timedelta(days=9)}") == set()
    pages = walked(shop, "/api/v1/vendors/me/bookings?sort=start_date&limit=1", vendor)
    assert ({row["booking_number"] for row in pages}, len(pages)) == (numbers, 2)
    problem(shop.get("/api/v1/vendors/me/bookings?starts_from=2027-02-02&starts_to=2027-02-01", vendor), 422,
            "validation_failed", pointer="/starts_to")  # fmt: skip


def test_a_cancellation_is_previewed_with_what_vendor_and_agent_lose(
    shop: Shop, offer: Offer, vendor: Person, agent: Person, customer: Person
) -> None:
    booking = sell(shop, offer, customer, agent)
    path = f"/api/v1/bookings/{booking['id']}/cancellation-preview"

    def lost(person: Person) -> tuple[Any, Any]:
        shown = shop.done(shop.get(path, person))
        return tuple(shown[name] and shown[name]["amount"] for name in ("vendor_share_taken", "commission_taken"))  # type: ignore[return-value]

    assert lost(shop.admin) == ("800.00", "100.00")
    assert lost(agent) == (None, "100.00")
    assert lost(customer) == (None, None)

    token = shop.done(shop.get(path, customer))["token"]
    body = {"reason": "plans changed", "preview_token": token}
    shop.done(shop.post(f"/api/v1/bookings/{booking['id']}/cancel", customer, body))
    shop.deliver_events()
    assert sums(shop.done(shop.get("/api/v1/payouts", vendor))) == {}
    assert sums(shop.done(shop.get("/api/v1/payouts", agent))) == {}


def test_a_refund_is_previewed_with_what_it_takes_of_vendor_and_agent(
    shop: Shop, offer: Offer, agent: Person, customer: Person
) -> None:
    booking = sell(shop, offer, customer, agent)
    travel(shop, booking)
    payment = shop.database.row("SELECT id FROM payments WHERE booking_id = %s", (booking["id"],))
    assert payment is not None

    shown = shop.done(shop.get(f"/api/v1/payments/{payment['id']}/refund-preview?amount=250.00", shop.admin))

    assert (shown["vendor_share_taken"]["amount"], shown["commission_taken"]["amount"]) == ("200.00", "25.00")


def test_staff_adjust_what_is_owed_two_of_them_above_the_limit(
    shop: Shop, vendor: Person, customer: Person, sign_up: SignUp
) -> None:
    finance, colleague = sign_up("ADMIN"), sign_up("ADMIN")
    path = f"/api/v1/admin/payees/{vendor.user_id}/adjustments"

    def body(amount: str, **others: str) -> Json:
        return {"payee_type": "VENDOR", "amount": {"amount": amount, "currency": "EGP"}, "reason": "a test", **others}

    small = shop.done(shop.post(path, finance, body("-150.00")), 201)
    assert (small["account"], small["status"], small["needs_approval"]) == ("VENDOR_PAYABLE", "APPROVED", False)
    large = shop.done(shop.post(path, finance, body("5000.00")), 201)
    assert large["status"] == "PENDING"
    assert sums(shop.done(shop.get("/api/v1/payouts", vendor))) == {"payable": "-150.00", "balance": "-150.00"}
    problem(shop.post(f"/api/v1/admin/adjustments/{large['id']}/approve", finance), 403, "own_request")
    shop.done(shop.post(f"/api/v1/admin/adjustments/{large['id']}/approve", colleague))
    shop.deliver_events()

    earned = shop.done(shop.get("/api/v1/payouts", vendor))
    assert sums(earned) == {"payable": "4850.00", "balance": "4850.00"}
    assert {entry["kind"] for entry in earned["entries"]} == {"ADJUSTED"}
    told = shop.done(shop.get("/api/v1/notifications", vendor))["items"]
    assert "of what is owed to you" in told[0]["message"]
    journal = shop.database.row("SELECT journal_id FROM adjustments WHERE id = %s", (small["id"],))
    assert journal is not None
    reversal = shop.post(
        f"/api/v1/admin/ledger/journals/{journal['journal_id']}/reversal", finance, {"reason": "a test"}
    )
    problem(reversal, 409, "not_reversed_by_hand")
    problem(shop.post(path, finance, body("1.00", payee_type="OTHER")), 422, "validation_failed", pointer="/payee_type")
    problem(shop.post(path, customer, body("1.00")), 403, "wrong_surface")


@pytest.mark.slow
def test_a_payees_statement_ends_at_the_balance_of_the_books(
    shop: Shop, offer: Offer, vendor: Person, customer: Person, sign_up: SignUp
) -> None:
    booking = sell(shop, offer, customer)
    travel(shop, booking)
    finance = sign_up("ADMIN")
    refund(shop, booking, finance, "250.00")
    tomorrow = business_date(shop.running.dependencies.clock.now()) + timedelta(days=1)
    query = f"payee_type=VENDOR&from={tomorrow - timedelta(days=5)}&to={tomorrow}"

    answer = shop.get(f"/api/v1/payouts/statement?{query}&format=csv", vendor)

    assert answer.status_code == 200, answer.text
    lines = list(csv.DictReader(io.StringIO(answer.data.decode())))
    said = {line["description_en"]: (line["debit"], line["credit"]) for line in lines}
    assert said["Sum earned"] == ("0.00", "800.00")
    assert said["Sum reversed by refunds"] == ("200.00", "0.00")
    assert said["Sum paid out"] == said["Sum adjusted"] == ("0.00", "0.00")
    [closing] = [line for line in lines if line["description_en"] == "Closing balance"]
    assert (closing["balance"], closing["balance_side"]) == ("600.00", "CREDIT")

    for path, person in (
        (f"/api/v1/payouts/statement?{query}&lang=both", vendor),
        (f"/api/v1/admin/payees/{vendor.user_id}/statement?{query}&lang=ar", finance),
    ):
        assert shop.get(path, person).status_code == 202
        shop.deliver_events(draw=True)
        pdf = shop.get(path, person)
        assert (pdf.status_code, pdf.data[:5]) == (200, b"%PDF-")
    problem(shop.get(f"/api/v1/payouts/statement?{query}&format=csv", sign_up("VENDOR")), 404, "account_not_found")
    problem(shop.get("/api/v1/payouts/statement", vendor), 422, "validation_failed", pointer="/payee_type")


def test_analysts_read_commissions_in_the_guides_columns(
    shop: Shop, offer: Offer, agent: Person, customer: Person, sign_up: SignUp
) -> None:
    booking = sell(shop, offer, customer, agent)
    travel(shop, booking)
    refund(shop, booking, sign_up("ADMIN"), "500.00")
    with connect(shop.addresses.readonly) as connection:
        [row] = connection.execute(
            "SELECT agent_id, booking_id::text, booking_amount, commission_rate::text, commission_amount, currency,"
            " status FROM agent_commissions"
        ).fetchall()

    assert row == (agent.user_id, booking["id"], 100_000, "10.00", 5_000, "EGP", "APPROVED")
