"""What the price of a requested trip freezes beside its amounts: terms of cancelling, offers, and when what is due."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Final
from uuid import uuid4

import pytest
from flask import Flask

from application.sales.instalments import TellOfInstalments, tell_of_instalments
from tests.api.shop import Json, Shop, SignUp, for_booking, problem
from tests.api.test_amendments import amend, another_date
from tests.api.test_cancellations import POLICIES, WHY, a_policy, preview
from tests.api.test_offers_api import made
from tests.api.test_requests import BOOKINGS, asked, hotel, on, priced, room
from tests.api.test_vouchers_api import made as a_voucher
from tests.conftest import MovableClock, Person
from tests.integration.shop import all_at_once

QUOTES: Final = "/api/v1/quotes"

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
        for body in (
            hotel(cancellation_policy_id=strict["id"]),
            shop.offer().booking(cancellation_policy_id=old["id"]),
        ):
            problem(shop.post(BOOKINGS, customer, body), 422, "validation_failed", pointer="/cancellation_policy_id")
        logged = shop.done(shop.get("/api/v1/admin/audit-logs?action=bookings.price", shop.admin))["items"]
        said = [row["changes"]["after"]["cancellation_policy_id"] for row in logged if row["status"] == "SUCCESS"]
        assert said == [default["id"], strict["id"]]


def uses(shop: Shop) -> list[tuple[str, bool, int]]:
    """What was redeemed, in the order of its titles."""
    rows = shop.database.rows(
        "SELECT o.title_en, r.in_use, r.discount_applied_minor AS minor"
        " FROM offer_redemptions r JOIN offers o ON o.id = r.offer_id ORDER BY o.title_en, r.redeemed_at"
    )
    return [(row["title_en"], row["in_use"], row["minor"]) for row in rows]


def of_kind(shown: Json, kind: str) -> list[str]:
    return [line["amount"]["amount"] for line in shown["lines"] if line["kind"] == kind]


class TestOffersThatRun:
    def test_they_are_tried_and_the_same_use_is_kept_while_it_is_priced_anew(
        self, shop: Shop, sign_up: SignUp, customer: Person
    ) -> None:
        made(shop, title_en="Hotels", applicable_to="HOTEL", usage_limit_total=1, usage_limit_per_user=1)
        made(shop, title_en="Flights", applicable_to="FLIGHT")
        booking = asked(shop, customer)

        offer = priced(shop, booking)

        assert (of_kind(offer, "OFFER"), offer["final_amount"]["amount"]) == (["-300.00"], "2700.00")
        assert sum(Decimal(item["total_price"]["amount"]) for item in offer["items"]) == 2700
        assert uses(shop) == [("Hotels", True, 30_000)]
        assert priced(shop, booking, room("500.00"))["final_amount"]["amount"] == "900.00"
        assert uses(shop) == [("Hotels", True, 10_000)]
        other = asked(shop, sign_up())
        assert priced(shop, other)["final_amount"]["amount"] == "3000.00"
        shop.done(shop.post(f"{BOOKINGS}/{booking['id']}/cancel", customer, WHY))
        assert uses(shop) == [("Hotels", False, 10_000)]
        assert priced(shop, other)["final_amount"]["amount"] == "2700.00"
        mixed = asked(shop, sign_up(), travelers_count=1)
        assert of_kind(priced(shop, mixed, room(), room(booking_type="FLIGHT")), "OFFER") == ["-300.00"]

    def test_what_has_ended_gives_nothing_to_a_price_that_is_made_anew(
        self, shop: Shop, customer: Person, clock: MovableClock
    ) -> None:
        deal = made(shop, title_en="Short", applicable_to="ALL", usage_limit_total=5)
        booking = asked(shop, customer)
        assert of_kind(priced(shop, booking), "OFFER") == ["-300.00"]
        shop.done(shop.post(f"/api/v1/offers/{deal['id']}/disable", shop.admin, {}))
        assert priced(shop, booking)["final_amount"]["amount"] == "3000.00"
        assert uses(shop) == [("Short", False, 30_000)]
        assert shop.database.row("SELECT usage_count FROM offers") == {"usage_count": 0}

    def test_they_go_with_vouchers_gifts_and_points_as_elsewhere(
        self, shop: Shop, sign_up: SignUp, customer: Person
    ) -> None:
        a_voucher(shop, code="TEN", discount_value="10.00")
        made(shop, title_en="Half", applicable_to="HOTEL", discount_value="50.00", priority=2)
        made(shop, title_en="Gift", offer_type="FREE_UPGRADE", discount_value=None, gift_en="Suite", priority=1)
        made(shop, title_en="Points", offer_type="BONUS_POINTS", discount_value=None, bonus_points=70)
        made(shop, title_en="Members", membership_tiers=["GOLD"])
        body = hotel(user_id=str(customer.user_id), items=[room(notes="Nile view")], voucher_code="TEN")

        booking = shop.done(shop.post(BOOKINGS, sign_up("AGENT"), body), 201)

        assert (of_kind(booking, "OFFER"), of_kind(booking, "VOUCHER")) == (["-1500.00", "0.00", "0.00"], ["-150.00"])
        assert [(item["item_name_en"], item["notes"]) for item in booking["items"]] == [
            ("Double room", "Nile view"), ("Suite", ""),
        ]  # fmt: skip
        shop.take_payment(shop.pay(customer, booking))
        assert shop.database.row("SELECT bonus_points FROM bookings") == {"bonus_points": 70}
        assert [title for title, in_use, _ in uses(shop) if in_use] == ["Gift", "Half", "Points"]

    def test_of_two_prices_at_once_one_has_the_last_use(self, app: Flask, shop: Shop, sign_up: SignUp) -> None:
        made(shop, title_en="Last", applicable_to="HOTEL", usage_limit_total=1)
        bookings = [asked(shop, sign_up()) for _ in range(3)]
        headers = shop.admin.headers

        def price(booking: Json) -> int:
            path = f"{BOOKINGS}/{booking['id']}/price"
            return app.test_client().post(path, json={"items": [room()]}, headers=headers).status_code

        answers = all_at_once([lambda one=one: price(one) for one in bookings])  # type: ignore[misc]
        assert set(answers) <= {200, 409}
        assert [in_use for _, in_use, _ in uses(shop)] == [True]
        assert shop.database.row("SELECT usage_count FROM offers") == {"usage_count": 1}


class TestQuotes:
    def test_whoever_may_price_is_told_what_it_would_cost(self, shop: Shop, sign_up: SignUp, customer: Person) -> None:
        made(shop, title_en="Hotels", applicable_to="HOTEL")
        made(shop, title_en="Flights", applicable_to="FLIGHT")
        setting = "/api/v1/admin/settings/booking.deposit_percent"
        shop.done(shop.client.put(setting, json={"value": 30}, headers=shop.admin.headers))
        body = hotel(user_id=str(customer.user_id), items=[room()])
        agent, state = sign_up("AGENT"), shop.state()
        for actor in (shop.admin, agent):
            quote = shop.done(shop.post(QUOTES, actor, body, Accept_Language="en"))
            assert (quote["total"]["amount"], quote["seats_left"], quote["tier_code"]) == ("2700.00", None, "GUEST")
            assert [(row["title"], row["reason"]) for row in quote["not_applied"]] == [("Flights", "wrong_type")]
        assert shop.state() == state

        agreed = {**body, "quote_token": quote["quote_token"]}
        booking = shop.done(shop.post(BOOKINGS, agent, agreed, Accept_Language="en"), 201)

        assert (booking["lines"], booking["final_amount"]) == (quote["lines"], quote["final_amount"])
        for name in ("position", "due_on", "amount"):
            assert [part[name] for part in booking["instalments"]] == [part[name] for part in quote["instalments"]]
        moved = {**body, "items": [room("1.00")], "quote_token": quote["quote_token"]}
        assert problem(shop.post(BOOKINGS, agent, moved), 409, "price_moved")["new_total"]["amount"] == "1.80"
        assert shop.database.row("SELECT count(*) AS n FROM bookings") == {"n": 1}

    def test_who_gets_none(self, shop: Shop, sign_up: SignUp, customer: Person) -> None:
        agent = sign_up("AGENT")
        problem(shop.post(QUOTES, customer, hotel(items=[room()])), 403, "forbidden", pointer="/items")
        problem(shop.post(QUOTES, agent, hotel(items=[room()])), 403, "own_request")
        problem(shop.post(QUOTES, agent, hotel()), 422, "validation_failed", pointer="/booking_type")
        for wrong, pointer in (
            ({"items": [room("0.00")]}, "/items"), ({"items": [room()], "start_date": None}, "/start_date"),
            ({"items": [room()], "package_id": str(uuid4())}, "/package_id"),
        ):  # fmt: skip
            body = hotel(user_id=str(customer.user_id), **wrong)
            problem(shop.post(QUOTES, agent, body), 422, "validation_failed", pointer=pointer)


class TestBalances:
    def test_what_a_plan_leaves_stays_scheduled_when_the_trip_comes_near(
        self, shop: Shop, customer: Person, clock: MovableClock
    ) -> None:
        for setting, value in (("booking.deposit_percent", 20), ("booking.instalments_most", 6)):
            path = f"/api/v1/admin/settings/{setting}"
            shop.done(shop.client.put(path, json={"value": value}, headers=shop.admin.headers))
        offer = shop.offer(starts_in_days=300)
        plan = {"payment_plan": "INSTALMENTS", "instalments": 6}
        booking = shop.done(shop.post(BOOKINGS, customer, offer.booking(**plan)), 201)
        shop.take_payment(shop.pay(customer, booking))

        changed = amend(shop, customer, booking, departure_id=another_date(shop, offer, days=7))

        assert shop.done(changed, 201)["status"] == "APPLIED"
        shown = shop.done(shop.get(f"{BOOKINGS}/{booking['id']}", customer))
        assert shown["amount_due"]["amount"] == "1600.00"
        assert [(part["due_on"], part["amount"]["amount"], part["status"]) for part in shown["instalments"]] == [
            (on(0), "400.00", "PAID"), (on(5), "1600.00", "UPCOMING"),
        ]  # fmt: skip
        assert shown["next_due"]["due_on"] == on(5)
        use, command = shop.running.dependencies, TellOfInstalments(days_before=3, grace_days=3)
        clock.offset = timedelta(days=2)
        assert tell_of_instalments(command, new_uow=use.new_uow, clock=use.clock).reminded == 1
        clock.offset = timedelta(days=6)
        assert tell_of_instalments(command, new_uow=use.new_uow, clock=use.clock).overdue == 1

    def test_where_the_trip_leaves_no_day_for_a_rest_all_of_it_is_due_at_once(
        self, shop: Shop, customer: Person
    ) -> None:
        booking = asked(shop, customer, start_date=on(3), end_date=on(4))

        offer = priced(shop, booking, deposit_percent=20)

        assert (offer["payment_plan"], offer["instalments"]) == ("FULL", [])
        (part,) = amounts("600.00")
        problem(shop.post("/api/v1/payments", customer, for_booking(booking["id"], amount=part)), 422,
                "part_payment_not_offered", pointer="/amount")  # fmt: skip
        payment = shop.pay(customer, booking)
        assert payment["amount"]["amount"] == "3000.00"
        shop.take_payment(payment)
        shown = shop.done(shop.get(f"{BOOKINGS}/{booking['id']}", customer))
        assert (shown["status"], shown["amount_due"]["amount"]) == ("CONFIRMED", "0.00")
