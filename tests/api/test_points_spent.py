"""Spending points by HTTP: worth the same in every currency, no more than there are, by nobody but their owner."""

from __future__ import annotations

import pytest

from infrastructure.bootstrap import Running
from tests.api.shop import Json, Offer, Shop, SignUp, fill_wallet, for_booking, problem
from tests.conftest import Person
from tests.integration.loyalty import Loyalty
from tests.integration.outbox import SetClock

pytestmark = pytest.mark.database

QUOTES, BOOKINGS = "/api/v1/quotes", "/api/v1/bookings"


@pytest.fixture
def loyalty(running: Running) -> Loyalty:
    """Whatever has no route of its own, at the time that the API has."""
    return Loyalty(running.database, SetClock(running.dependencies.clock.now()))


@pytest.fixture
def rates(shop: Shop) -> None:
    """EGP 2,000.00, which two travellers pay, are KWD 13.000 and IQD 54,000.000; KWD 1.000 is EGP 150.00."""
    for source, target, rate in (("EGP", "KWD", "0.0065"), ("EGP", "IQD", "27"), ("KWD", "EGP", "150")):
        body = {"from_currency": source, "to_currency": target, "rate": rate}
        shop.done(shop.post("/api/v1/admin/exchange-rates", shop.admin, body), 201)


def choose(shop: Shop, key: str, value: object) -> None:
    """Staff change a setting."""
    shop.done(shop.client.put(f"/api/v1/admin/settings/{key}", json={"value": value}, headers=shop.admin.headers))


def quoted(shop: Shop, person: Person, offer: Offer, **chosen: object) -> Json:
    return shop.done(shop.post(QUOTES, person, offer.booking(**chosen)))


def booked(shop: Shop, person: Person, offer: Offer, **chosen: object) -> Json:
    return shop.done(shop.post(BOOKINGS, person, offer.booking(**chosen)), 201)


def points_of(shop: Shop, person: Person) -> int:
    balance: int = shop.done(shop.get("/api/v1/points", person))["balance"]
    return balance


@pytest.mark.usefixtures("rates")
class TestInAnotherCurrency:
    """1,300 points pay EGP 13.00, and so do they in dinars: KWD 0.0845, less what makes no fils."""

    def test_they_pay_and_are_earned_as_in_the_listed_one(self, shop: Shop, sign_up: SignUp, loyalty: Loyalty) -> None:
        customer, offer = sign_up(), shop.offer()
        loyalty.earn(customer.user_id, 1_300)
        fill_wallet(shop, customer, "20.000", "KWD")

        quote = quoted(shop, customer, offer, currency="KWD", points_to_redeem=1_300)
        booking = booked(
            shop, customer, offer, currency="KWD", points_to_redeem=1_300, quote_token=quote["quote_token"]
        )
        shop.done(shop.post("/api/v1/payments", customer, for_booking(booking["id"], method="WALLET")), 201)

        assert (quote["points_redeemed"], quote["total"]["amount"]) == (1_293, "12.916")
        assert quote["expected_points"] == 198
        assert booking["final_amount"] == {"amount": "12.916", "currency": "KWD"}
        assert points_of(shop, customer) == 1_300 - 1_293 + 198

    def test_they_are_a_part_of_a_payment_as_in_the_listed_one(
        self, shop: Shop, sign_up: SignUp, loyalty: Loyalty
    ) -> None:
        customer = sign_up()
        loyalty.earn(customer.user_id, 1_300)
        fill_wallet(shop, customer, "20.000", "KWD")
        booking = booked(shop, customer, shop.offer(), currency="KWD")
        body = for_booking(booking["id"], method="WALLET", tenders=[{"type": "POINTS", "points": 1_300}])

        first = shop.done(shop.post("/api/v1/payments", customer, body, key="once"), 201)
        again = shop.done(shop.post("/api/v1/payments", customer, body, key="once"), 201)

        assert first["id"] == again["id"]
        assert {(part["type"], part["amount"]["amount"], part["points"]) for part in first["tenders"]} == {
            ("POINTS", "0.084", 1_293), ("WALLET", "12.916", None),
        }  # fmt: skip
        assert points_of(shop, customer) == 1_300 - 1_293 + 198

    @pytest.mark.parametrize("code", [None, "KWD", "IQD"])
    def test_the_choice_of_a_currency_earns_nothing(self, shop: Shop, sign_up: SignUp, code: str | None) -> None:
        assert quoted(shop, sign_up(), shop.offer(), currency=code)["expected_points"] == 200

    def test_a_currency_has_figures_of_its_own_where_staff_say_so(
        self, shop: Shop, sign_up: SignUp, loyalty: Loyalty
    ) -> None:
        customer, offer = sign_up(), shop.offer(base_price={"amount": "10.000", "currency": "KWD"})
        loyalty.earn(customer.user_id, 1_500)
        figures = {"currency": "KWD", "money_units_per_point": 1, "points_per_money_unit": 15_000}
        choose(shop, "ledger.points_by_currency", [figures])

        own = quoted(shop, customer, offer, points_to_redeem=1_500)
        converted = quoted(shop, customer, offer, points_to_redeem=1_500, currency="EGP")

        assert (own["discount_amount"]["amount"], own["expected_points"]) == ("0.100", 19)
        assert (converted["discount_amount"]["amount"], converted["expected_points"]) == ("15.00", 19)
        shown = {code: shop.done(shop.get(f"/api/v1/points?currency={code}", customer)) for code in ("KWD", "EGP")}
        assert [each["value"]["amount"] for each in shown.values()] == ["0.100", "15.00"]

    def test_the_fee_is_that_of_the_listed_currency_unless_the_chosen_one_has_its_own(
        self, shop: Shop, sign_up: SignUp
    ) -> None:
        customer, offer = sign_up(), shop.offer()
        choose(shop, "booking.fee", [{"amount": "50.00", "currency": "EGP"}])

        assert quoted(shop, customer, offer)["fee_amount"] == {"amount": "50.00", "currency": "EGP"}
        assert quoted(shop, customer, offer, currency="KWD")["fee_amount"] == {"amount": "0.325", "currency": "KWD"}
        assert booked(shop, customer, offer, currency="KWD")["final_amount"]["amount"] == "13.325"
        fees = [{"amount": "50.00", "currency": "EGP"}, {"amount": "0.000", "currency": "KWD"}]
        choose(shop, "booking.fee", fees)
        assert quoted(shop, customer, offer, currency="KWD")["fee_amount"]["amount"] == "0.000"
        assert quoted(shop, customer, offer, currency="IQD")["fee_amount"]["amount"] == "1350.000"


class TestMoreThanThereAre:
    def test_a_quote_takes_those_that_there_are_and_says_so(
        self, shop: Shop, sign_up: SignUp, loyalty: Loyalty
    ) -> None:
        customer, offer = sign_up(), shop.offer()
        loyalty.earn(customer.user_id, 1_200)
        loyalty.hold(customer.user_id, 200)

        quote = quoted(shop, customer, offer, points_to_redeem=5_000)

        assert (quote["points_redeemed"], quote["total"]["amount"]) == (1_000, "1990.00")
        (refused,) = quote["not_applied"]
        assert (refused["kind"], refused["reason"]) == ("POINTS", "insufficient_balance")
        assert refused["figures"] == {"asked": "5000", "available": "1000"}
        assert "1000" in refused["detail"]

    def test_nothing_is_promised_to_whoever_has_none(self, shop: Shop, sign_up: SignUp) -> None:
        quote = quoted(shop, sign_up(), shop.offer(), points_to_redeem=5_000)

        assert (quote["points_redeemed"], quote["discount_amount"]["amount"]) == (0, "0.00")
        assert [refused["reason"] for refused in quote["not_applied"]] == ["insufficient_balance"]

    def test_what_the_price_does_not_take_may_be_missing(self, shop: Shop, sign_up: SignUp, loyalty: Loyalty) -> None:
        customer, offer = sign_up(), shop.offer(base_price={"amount": "5.00", "currency": "EGP"})
        loyalty.earn(customer.user_id, 1_000)

        quote = quoted(shop, customer, offer, points_to_redeem=5_000)

        assert (quote["points_redeemed"], quote["total"]["amount"], quote["not_applied"]) == (1_000, "0.00", [])
        assert booked(shop, customer, offer, points_to_redeem=5_000)["status"] == "CONFIRMED"

    def test_its_token_books_what_was_shown_and_nothing_that_is_not_there(
        self, shop: Shop, sign_up: SignUp, loyalty: Loyalty
    ) -> None:
        customer, offer = sign_up(), shop.offer()
        loyalty.earn(customer.user_id, 1_000)
        quote = quoted(shop, customer, offer, points_to_redeem=5_000)
        token = {"quote_token": quote["quote_token"]}

        more = shop.post(BOOKINGS, customer, offer.booking(points_to_redeem=5_000, **token))
        problem(more, 422, "insufficient_balance")
        problem(shop.post(BOOKINGS, customer, offer.booking(points_to_redeem=5_000)), 422, "insufficient_balance")
        assert points_of(shop, customer) == 1_000

        booking = booked(shop, customer, offer, points_to_redeem=quote["points_redeemed"], **token)
        assert (booking["final_amount"], points_of(shop, customer)) == (quote["total"], 0)


class TestOfAnother:
    def test_an_agent_spends_none_of_its_customers(self, shop: Shop, sign_up: SignUp, loyalty: Loyalty) -> None:
        customer, agent, offer = sign_up(), sign_up("AGENT"), shop.offer()
        loyalty.earn(customer.user_id, 1_000)
        loyalty.earn(agent.user_id, 1_000)
        body = offer.booking(points_to_redeem=500, user_id=str(customer.user_id))

        for path in (QUOTES, BOOKINGS):
            refused = problem(shop.post(path, agent, body), 422, "validation_failed", pointer="/points_to_redeem")
            assert [error["code"] for error in refused["errors"]] == ["customers_points"]
        assert points_of(shop, customer) == 1_000

        assert booked(shop, agent, offer, user_id=str(customer.user_id))["points_redeemed"] == 0
        assert booked(shop, agent, offer, points_to_redeem=500)["points_redeemed"] == 500

    def test_an_agent_pays_with_none_of_its_customers(self, shop: Shop, sign_up: SignUp, loyalty: Loyalty) -> None:
        customer, agent = sign_up(), sign_up("AGENT")
        loyalty.earn(customer.user_id, 1_000)
        fill_wallet(shop, customer, "5000.00")
        booking = booked(shop, agent, shop.offer(), user_id=str(customer.user_id))

        for asked in ({}, {"tenders": [{"type": "POINTS", "points": 1_000}]}):
            body = for_booking(booking["id"], method="WALLET", provider=None, **asked)
            problem(shop.post("/api/v1/payments", agent, body), 404, "booking_not_found")
        assert points_of(shop, customer) == 1_000

    def test_staff_do_on_record(self, shop: Shop, sign_up: SignUp, loyalty: Loyalty) -> None:
        customer = sign_up()
        loyalty.earn(customer.user_id, 1_000)

        booking = booked(shop, shop.admin, shop.offer(), points_to_redeem=500, user_id=str(customer.user_id))

        assert (booking["points_redeemed"], points_of(shop, customer)) == (500, 500)
        rows = shop.database.rows("SELECT resource_id FROM audit_logs WHERE action = 'bookings.create'")
        assert [str(row["resource_id"]) for row in rows] == [booking["id"]]
