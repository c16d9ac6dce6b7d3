"""Agents' deposit accounts by HTTP: money in and out, credit, paying for customers, and who sees what (§10)."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import uuid4

import pytest

from tests.api.partners import PARTNERS, a_partner, apply, decide
from tests.api.personas import Personas
from tests.api.shop import Json, Shop, SignUp, fill_wallet, problem
from tests.conftest import Person

pytestmark = pytest.mark.database

V1 = "/api/v1"
PAYMENTS = f"{V1}/payments"
DESK = f"{V1}/admin/agents"


def egp(amount: str) -> Json:
    return {"amount": amount, "currency": "EGP"}


@dataclass(frozen=True)
class Office:
    """An agent with an active profile and EGP 1,500.00 in its wallet, and a customer of its."""

    shop: Shop
    agent: Person
    profile: Json
    customer: Person

    @property
    def path(self) -> str:
        return f"{PARTNERS}/{self.profile['id']}/deposit"

    def standing(self) -> tuple[str, str, str]:
        """Balance, limit, available."""
        (row,) = self.shop.done(self.shop.get(self.path, self.agent))["items"]
        return row["balance"]["amount"], row["limit"]["amount"], row["available"]["amount"]

    def move(self, amount: str, *, out: bool = False, **how: str) -> Json:
        path = f"{self.path}/withdrawals" if out else self.path
        return self.shop.done(self.shop.post(path, self.agent, {"amount": egp(amount)}, **how))

    def credit(self, amount: str, by: Person) -> Json:
        path = f"{DESK}/{self.profile['id']}/credit-limits"
        return self.shop.done(self.shop.post(path, by, {"limit": egp(amount), "reason": "as agreed"}), 201)

    def book(self) -> Json:
        """Of EGP 2,000.00, for the customer."""
        body = self.shop.offer().booking(2, user_id=str(self.customer.user_id))
        return self.shop.done(self.shop.post(f"{V1}/bookings", self.agent, body), 201)


def by_credit(booking: Json, **asked: object) -> Json:
    return {"payable": {"type": "BOOKING", "id": booking["id"]}, "method": "AGENT_CREDIT", **asked}


@pytest.fixture
def finance(personas: Personas) -> Person:
    return personas.named("finance").person


@pytest.fixture
def office(shop: Shop, sign_up: SignUp) -> Office:
    agent = sign_up("AGENT")
    profile = a_partner(shop, agent, "AGENT")
    fill_wallet(shop, agent, "1500.00")
    return Office(shop, agent, profile, sign_up())


class TestMoney:
    def test_in_and_out_are_shown_with_the_limit(self, office: Office, finance: Person) -> None:
        shop = office.shop
        office.move("1000.00", key="in")
        office.move("1000.00", key="in")
        office.credit("500.00", finance)
        office.move("250.00", out=True)

        assert office.standing() == ("750.00", "500.00", "1250.00")
        assert shop.done(shop.get(f"{V1}/wallet", office.agent))["balance"] == egp("750.00")
        first = shop.done(shop.get(f"{office.path}/entries?limit=1", office.agent))
        rest = shop.done(shop.get(f"{office.path}/entries?limit=1&cursor={first['next_cursor']}", office.agent))
        assert [page["items"][0]["amount"] for page in (first, rest)] == [egp("-250.00"), egp("1000.00")]
        assert rest["next_cursor"] is None
        statement = shop.get(f"{office.path}/statement?format=csv&from=2020-01-01&to=2020-12-31", office.agent)
        assert (statement.status_code, statement.content_type) == (200, "text/csv; charset=utf-8")

    def test_what_is_not_there_is_not_moved(self, office: Office, finance: Person) -> None:
        office.credit("500.00", finance)
        for path, amount in ((office.path, "1500.01"), (f"{office.path}/withdrawals", "0.01")):
            answer = office.shop.post(path, office.agent, {"amount": egp(amount)})
            problem(answer, 422, "insufficient_balance")
        for path in (office.path, f"{office.path}/withdrawals"):
            answer = office.shop.post(path, office.agent, {"amount": egp("0.00")})
            problem(answer, 422, "validation_failed", pointer="/amount")
        assert office.standing() == ("0.00", "500.00", "500.00")

    def test_nobody_else_sees_or_moves_it(self, office: Office, sign_up: SignUp, personas: Personas) -> None:
        shop = office.shop
        other = sign_up("AGENT")
        a_partner(shop, other, "AGENT")
        vendor = sign_up("VENDOR")
        theirs = apply(shop, vendor, "VENDOR", payout_method="WALLET")
        strangers = (
            (other, office.path),
            (personas.named("finance").person, office.path),
            (vendor, f"{PARTNERS}/{theirs['id']}/deposit"),
            (office.agent, f"{PARTNERS}/{uuid4()}/deposit"),
        )
        for person, path in strangers:
            for answer in (
                shop.get(path, person),
                shop.get(f"{path}/entries", person),
                shop.get(f"{path}/statement?format=csv", person),
                shop.post(path, person, {"amount": egp("1.00")}),
                shop.post(f"{path}/withdrawals", person, {"amount": egp("1.00")}),
            ):
                problem(answer, 404, "partner_not_found")


class TestCredit:
    def test_finance_sets_it_and_staff_see_its_history(self, office: Office, finance: Person) -> None:
        shop, path = office.shop, f"{DESK}/{office.profile['id']}"
        office.credit("500.00", finance)
        made = office.credit("0.00", finance)
        office.move("10.00")

        shown = shop.done(shop.get(f"{path}/credit-limits", shop.admin))["items"]
        assert shown[0] == made
        assert [row["limit"] for row in shown] == [egp("0.00"), egp("500.00")]
        assert {row["set_by_user_id"] for row in shown} == {str(finance.user_id)}
        assert shop.done(shop.get(f"{path}/deposit", shop.admin))["items"] == [
            {"balance": egp("10.00"), "limit": egp("0.00"), "available": egp("10.00")}
        ]
        (entry,) = shop.done(shop.get(f"{path}/deposit/entries", shop.admin))["items"]
        assert entry["amount"] == egp("10.00")

    def test_neither_oneself_nor_who_only_approves_agents_nor_less_than_nothing(
        self, office: Office, personas: Personas, finance: Person
    ) -> None:
        shop, body = office.shop, {"limit": egp("500.00"), "reason": "as agreed"}
        path = f"{DESK}/{office.profile['id']}/credit-limits"
        both = personas.with_roles("EMPLOYEE", "FINANCE", "AGENT").person
        own = apply(shop, both, "AGENT", payout_method="WALLET")

        problem(shop.post(f"{DESK}/{own['id']}/credit-limits", both, body), 403, "own_request")
        for person in (personas.with_roles("EMPLOYEE", "SALES").person, office.agent, office.customer):
            assert shop.post(path, person, body).status_code == 403
        problem(shop.post(path, finance, {**body, "limit": egp("-0.01")}), 422, "validation_failed", pointer="/limit")
        problem(shop.post(f"{DESK}/{uuid4()}/credit-limits", finance, body), 404, "partner_not_found")
        assert shop.done(shop.get(path, finance))["items"] == []


class TestPaying:
    def test_an_agent_pays_for_its_customer_and_the_money_comes_back_to_it(
        self, office: Office, finance: Person
    ) -> None:
        shop = office.shop
        office.move("1500.00")
        office.credit("500.00", finance)
        booking = office.book()

        payment = shop.done(shop.post(PAYMENTS, office.agent, by_credit(booking), key="once"), 201)

        assert shop.done(shop.post(PAYMENTS, office.agent, by_credit(booking), key="once"), 201) == payment
        assert (payment["method"], payment["status"], payment["provider"]) == ("AGENT_CREDIT", "PAID", None)
        assert payment["user_id"] == str(office.customer.user_id)
        assert [(part["type"], part["status"]) for part in payment["tenders"]] == [("AGENT_CREDIT", "CAPTURED")]
        assert office.standing() == ("-500.00", "500.00", "0.00")
        for person in (office.agent, office.customer):
            assert shop.done(shop.get(PAYMENTS, person))["items"] == [payment]
        assert shop.done(shop.get(f"{V1}/bookings/{booking['id']}", office.customer))["status"] == "CONFIRMED"

        preview = shop.done(shop.get(f"{PAYMENTS}/{payment['id']}/refund-preview?destination=WALLET", finance))
        assert [(part["type"], part["way"]) for part in preview["parts"]] == [("AGENT_CREDIT", "OWN")]
        body = {"reason": "the ship is full", "destination": "WALLET", "amount": egp("700.00")}
        shop.done(shop.post(f"{PAYMENTS}/{payment['id']}/refunds", finance, body), 202)

        assert office.standing() == ("200.00", "500.00", "700.00")
        assert shop.done(shop.get(f"{V1}/wallet", office.customer))["balance"] == egp("0.00")
        shop.deliver_events()
        notes = shop.done(shop.get(f"{V1}/notifications", office.customer))["items"]
        assert any("EGP 700.00 to your agent, who had paid it" in note["message"] for note in notes)

    def test_without_enough_of_it_nothing_is_paid(self, office: Office, finance: Person) -> None:
        office.credit("1999.99", finance)
        answer = office.shop.post(PAYMENTS, office.agent, by_credit(office.book()))
        problem(answer, 422, "agent_credit_exceeded")
        assert office.standing() == ("0.00", "1999.99", "1999.99")

    def test_neither_customers_nor_staff_nor_other_agents_use_it(
        self, office: Office, finance: Person, sign_up: SignUp
    ) -> None:
        shop = office.shop
        office.credit("5000.00", finance)
        booking, other = office.book(), sign_up("AGENT")
        a_partner(shop, other, "AGENT")
        for person in (office.customer, finance, shop.admin, other):
            problem(shop.post(PAYMENTS, person, by_credit(booking)), 404, "booking_not_found")
        assert office.standing() == ("0.00", "5000.00", "5000.00")

    def test_it_is_never_mixed_and_pays_bookings_alone(self, office: Office, finance: Person) -> None:
        shop = office.shop
        office.credit("5000.00", finance)
        booking = office.book()
        part = {"type": "WALLET", "amount": egp("1.00")}
        answer = shop.post(PAYMENTS, office.agent, by_credit(booking, tenders=[part]))
        problem(answer, 422, "validation_failed", pointer="/tenders")
        part = {"type": "AGENT_CREDIT", "amount": egp("1.00")}
        answer = shop.post(PAYMENTS, office.agent, {**by_credit(booking), "method": "WALLET", "tenders": [part]})
        problem(answer, 422, "validation_failed", pointer="/tenders/0/type")
        answer = shop.post(f"{V1}/wallet/deposits", office.agent, {"method": "AGENT_CREDIT", "amount": egp("1.00")})
        problem(answer, 422, "validation_failed", pointer="/method")

    def test_a_suspended_agent_does_not_pay(self, office: Office, finance: Person) -> None:
        shop = office.shop
        office.credit("5000.00", finance)
        booking = office.book()
        shop.done(decide(shop, shop.admin, office.profile, "suspend", reason="customers complained"))

        problem(shop.post(PAYMENTS, office.agent, by_credit(booking)), 403, "agent_not_active")
        answer = shop.post(f"{office.path}/withdrawals", office.agent, {"amount": egp("1.00")})
        problem(answer, 409, "partner_suspended")

    def test_a_cancelled_booking_tells_the_customer_who_has_the_money(self, office: Office, finance: Person) -> None:
        shop = office.shop
        office.credit("5000.00", finance)
        booking = office.book()
        shop.done(shop.post(PAYMENTS, office.agent, by_credit(booking)), 201)
        shop.done(shop.post(f"{V1}/bookings/{booking['id']}/cancel", office.customer, {"reason": "we are ill"}))
        shop.deliver_events()

        notes = shop.done(shop.get(f"{V1}/notifications", office.customer))["items"]
        assert any("is back with your agent, who had paid it" in note["message"] for note in notes)
        assert shop.done(shop.get(f"{V1}/wallet", office.customer))["balance"] == egp("0.00")
