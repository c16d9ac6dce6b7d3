"""Vouchers on trips that people price: given with the offer, kept while it is made anew, free again when it lapses."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from application.sales.expiry import expire_bookings
from infrastructure.database.roles import connect
from tests.api.shop import Json, Shop, SignUp, problem
from tests.api.test_requests import BOOKINGS, asked, hotel, priced, room
from tests.api.test_vouchers_api import made
from tests.conftest import MovableClock, Person
from tests.integration.shop import all_at_once

pytestmark = pytest.mark.database

USES = """
SELECT v.code, r.in_use, r.discount_applied_minor AS discount, r.currency
FROM voucher_redemptions r JOIN vouchers v ON v.id = r.voucher_id ORDER BY r.redeemed_at, v.id
"""
COUNTS = "SELECT code, usage_count FROM vouchers WHERE usage_limit_total IS NOT NULL ORDER BY code"


@pytest.fixture
def customer(sign_up: SignUp) -> Person:
    return sign_up()


def uses(shop: Shop) -> list[tuple[Any, ...]]:
    return [(row["code"], row["in_use"], row["discount"], row["currency"]) for row in shop.database.rows(USES)]


def counts(shop: Shop) -> dict[str, int]:
    return {row["code"]: row["usage_count"] for row in shop.database.rows(COUNTS)}


def refused(shop: Shop, booking: Json, code: str, *items: Json, status: int, why: str) -> Json:
    body = {"items": list(items) or [room()], "voucher_code": code}
    return problem(shop.post(f"{BOOKINGS}/{booking['id']}/price", shop.admin, body), status, why)


def test_its_discount_is_a_line_and_it_is_redeemed_with_the_offer(shop: Shop, customer: Person) -> None:
    code = made(shop, code="TEN", discount_value="10.00", usage_limit_total=1)["code"]
    booking = asked(shop, customer)
    offer = priced(shop, booking, room(), room("500.00", quantity=1), voucher_code=" ten ")
    assert (offer["base_amount"]["amount"], offer["voucher_discount"]["amount"]) == ("3500.00", "350.00")
    assert offer["final_amount"] == {"amount": "3150.00", "currency": "EGP"}
    assert [line["amount"]["amount"] for line in offer["lines"] if line["kind"] == "VOUCHER"] == ["-350.00"]
    assert sum(Decimal(item["total_price"]["amount"]) for item in offer["items"]) == 3150
    assert uses(shop) == [(code, True, 35_000, "EGP")]
    shop.take_payment(shop.pay(customer, booking))
    assert shop.done(shop.get(f"{BOOKINGS}/{booking['id']}", customer))["status"] == "CONFIRMED"
    assert uses(shop) == [(code, True, 35_000, "EGP")]


def test_an_agent_prices_at_once_with_a_voucher_of_their_customer(
    shop: Shop, sign_up: SignUp, customer: Person
) -> None:
    voucher = made(shop, code="MINE", is_public=False)
    agent = sign_up("AGENT")
    body = hotel(user_id=str(customer.user_id), items=[room()], voucher_code="MINE")
    refusal = problem(shop.post(BOOKINGS, agent, body), 422, "voucher_not_applied", pointer="/voucher_code")
    assert refusal["errors"][0]["code"] == "voucher_unknown"
    path = f"/api/v1/vouchers/{voucher['id']}/assignments"
    shop.done(shop.post(path, shop.admin, {"user_ids": [str(customer.user_id)]}))
    offer = shop.done(shop.post(BOOKINGS, agent, body), 201)
    assert offer["voucher_discount"]["amount"] == "300.00"
    without_a_price = hotel(voucher_code="MINE")
    problem(shop.post(BOOKINGS, customer, without_a_price), 422, "validation_failed", pointer="/voucher_code")


def test_limits_minimums_types_and_currencies_hold(shop: Shop, sign_up: SignUp, customer: Person) -> None:
    made(shop, code="ONCE", usage_limit_total=1)
    made(shop, code="LARGE", min_purchase_amount={"amount": "5000.00", "currency": "EGP"})
    made(shop, code="FLIGHTS", applicable_to="FLIGHT")
    made(shop, code="POUNDS", voucher_type="DISCOUNT_FIXED", discount_value={"amount": "50.00", "currency": "EGP"})
    booking, other = asked(shop, customer), asked(shop, sign_up())
    priced(shop, other, voucher_code="ONCE")
    refused(shop, booking, "ONCE", status=409, why="voucher_exhausted")
    dollars = room("100.00", "USD")
    for code, items, why in (
        ("LARGE", (), "below_minimum"), ("FLIGHTS", (), "wrong_type"), ("POUNDS", (dollars,), "wrong_currency"),
        ("!", (), "voucher_unknown"),
    ):  # fmt: skip
        told = refused(shop, booking, code, *items, status=422, why="voucher_not_applied")
        assert told["errors"][0]["code"] == why
    assert shop.done(shop.get(f"{BOOKINGS}/{booking['id']}", customer))["status"] == "DRAFT"
    assert [code for code, *_ in uses(shop)] == ["ONCE"]


def test_made_anew_the_same_code_is_the_same_use_and_another_frees_it(shop: Shop, customer: Person) -> None:
    made(shop, code="AAA", usage_limit_total=1, usage_limit_per_user=1)
    made(shop, code="BBB", usage_limit_total=1, discount_value="50.00")
    booking = asked(shop, customer)
    for items, code, use in (
        (room(), "AAA", ("AAA", True, 30_000, "EGP")), (room("100.00", "USD"), "aaa", ("AAA", True, 2_000, "USD")),
    ):  # fmt: skip
        priced(shop, booking, items, voucher_code=code)
        assert (uses(shop), counts(shop)) == ([use], {"AAA": 1, "BBB": 0})
    assert priced(shop, booking, voucher_code="BBB")["voucher_discount"]["amount"] == "1500.00"
    assert counts(shop) == {"AAA": 0, "BBB": 1}
    assert priced(shop, booking)["voucher_discount"]["amount"] == "0.00"
    assert counts(shop) == {"AAA": 0, "BBB": 0}
    assert priced(shop, booking, voucher_code="AAA")["final_amount"]["amount"] == "2700.00"
    assert ("AAA", True, 30_000, "EGP") in uses(shop)


def test_free_services_and_cashback_come_beside_the_items(shop: Shop, customer: Person) -> None:
    made(shop, code="GIFT", voucher_type="FREE_SERVICE", discount_value=None, gift_en="Breakfast", gift_ar="فطور")
    made(shop, code="BACK", voucher_type="CASHBACK", discount_value="10.00")
    booking = asked(shop, customer)
    offer = priced(shop, booking, room(notes="Nile view"), voucher_code="GIFT")
    assert [(item["item_name_en"], item["notes"]) for item in offer["items"]] == [
        ("Double room", "Nile view"), ("Breakfast", ""),
    ]  # fmt: skip
    priced(shop, booking, voucher_code="BACK")
    (row,) = shop.database.rows("SELECT bonus_cashback_minor, currency FROM bookings")
    assert (row["bonus_cashback_minor"], row["currency"]) == (30_000, "EGP")


def test_it_is_free_again_when_the_offer_lapses_or_is_cancelled(
    shop: Shop, sign_up: SignUp, customer: Person, clock: MovableClock
) -> None:
    made(shop, code="ONCE", usage_limit_total=1)
    lapsing, other = asked(shop, customer), asked(shop, sign_up())
    priced(shop, lapsing, voucher_code="ONCE")
    clock.offset += timedelta(hours=49)
    use = shop.running.dependencies
    for expired in (1, 0):
        assert expire_bookings(new_uow=use.new_uow, clock=use.clock, new_id=use.new_id) == expired
    assert counts(shop) == {"ONCE": 0}
    clock.offset = timedelta()
    priced(shop, other, voucher_code="ONCE")
    shop.done(shop.post(f"{BOOKINGS}/{other['id']}/cancel", shop.admin, {"reason": "no longer wanted"}))
    assert counts(shop) == {"ONCE": 0}


@pytest.mark.parametrize(
    ("last", "in_use"), [({}, {"AAA": 0, "BBB": 0}), ({"voucher_code": "BBB"}, {"AAA": 0, "BBB": 1})]
)
def test_money_that_comes_late_takes_again_what_the_last_price_had_and_no_more(
    shop: Shop, customer: Person, clock: MovableClock, last: Json, in_use: dict[str, int]
) -> None:
    made(shop, code="AAA", usage_limit_total=1)
    made(shop, code="BBB", usage_limit_total=1)
    booking = asked(shop, customer)
    priced(shop, booking, voucher_code="AAA")
    priced(shop, booking, **last)
    payment = shop.pay(customer, booking)
    clock.offset += timedelta(hours=49)
    use = shop.running.dependencies
    assert expire_bookings(new_uow=use.new_uow, clock=use.clock, new_id=use.new_id) == 1
    assert counts(shop) == {"AAA": 0, "BBB": 0}

    shop.take_payment(payment, "late")

    owner = shop.again(customer)
    old = shop.done(shop.get(f"{BOOKINGS}/{booking['id']}", owner))
    new = shop.done(shop.get(f"{BOOKINGS}/{old['replaced_by_booking_id']}", owner))
    assert (new["status"], new["voucher_discount"]) == ("CONFIRMED", old["voucher_discount"])
    assert counts(shop) == in_use


def test_of_two_offers_at_once_one_has_the_last_use(app: Flask, shop: Shop, sign_up: SignUp) -> None:
    made(shop, code="LAST", usage_limit_total=1)
    bookings = [asked(shop, sign_up()) for _ in range(3)]
    body, headers = {"items": [room()], "voucher_code": "LAST"}, shop.admin.headers

    def price(booking: Json) -> int:
        return app.test_client().post(f"{BOOKINGS}/{booking['id']}/price", json=body, headers=headers).status_code

    answers = all_at_once([lambda one=one: price(one) for one in bookings])  # type: ignore[misc]
    assert sorted(answers) == [200, 409, 409]  # type: ignore[type-var]
    assert counts(shop) == {"LAST": 1}


def test_offers_that_swap_their_vouchers_at_once_do_not_block_each_other(
    app: Flask, shop: Shop, sign_up: SignUp
) -> None:
    for code in ("XXX", "YYY"):
        made(shop, code=code, usage_limit_total=2)
    one, two = asked(shop, sign_up()), asked(shop, sign_up())
    priced(shop, one, voucher_code="XXX")
    priced(shop, two, voucher_code="YYY")
    headers = shop.admin.headers

    def price(booking: Json, code: str) -> int:
        body = {"items": [room()], "voucher_code": code}
        return app.test_client().post(f"{BOOKINGS}/{booking['id']}/price", json=body, headers=headers).status_code

    assert all_at_once([lambda: price(one, "YYY"), lambda: price(two, "XXX")]) == [200, 200]
    assert counts(shop) == {"XXX": 1, "YYY": 1}


def test_what_it_gave_is_never_written_otherwise(shop: Shop, customer: Person) -> None:
    made(shop, code="TEN")
    priced(shop, asked(shop, customer), voucher_code="TEN")
    for who in (shop.addresses.app, shop.addresses.owner):
        with connect(who) as session, pytest.raises(psycopg.Error, match="stays"):
            session.execute("UPDATE voucher_redemptions SET discount_applied_minor = 1")


# From one pound: of some piastres the voucher's third rounds to nothing, and a voucher that gives nothing is refused.
PRICES = st.tuples(st.sampled_from([None, "AAA", "BBB"]), st.integers(100, 900_000))


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(offers=st.lists(PRICES, min_size=1, max_size=5))
def test_however_often_it_is_priced_uses_and_discounts_are_of_the_last_price(
    shop: Shop, sign_up: SignUp, offers: list[tuple[str | None, int]]
) -> None:
    for code in ("AAA", "BBB"):
        if not shop.database.rows("SELECT 1 FROM vouchers WHERE code = %s", (code,)):
            made(shop, code=code, discount_value="33.33")
    booking = asked(shop, sign_up())
    for code, minor in offers:
        offer = priced(shop, booking, room(f"{minor // 100}.{minor % 100:02d}", quantity=1), voucher_code=code)
    discount = int(Decimal(offer["voucher_discount"]["amount"]) * 100)
    held = [
        (row["code"], row["discount_applied_minor"])
        for row in shop.database.rows(
            "SELECT v.code, r.discount_applied_minor FROM voucher_redemptions r JOIN vouchers v ON v.id = r.voucher_id"
            " WHERE r.booking_id = %s AND r.in_use",
            (booking["id"],),
        )
    ]
    last = offers[-1][0]
    assert held == ([] if last is None else [(last, discount)])
    lines = [Decimal(line["amount"]["amount"]) for line in offer["lines"]]
    assert sum(lines) == Decimal(offer["final_amount"]["amount"])
