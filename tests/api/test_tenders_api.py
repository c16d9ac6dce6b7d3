"""Payments in parts, deposits and voucher credit by HTTP: what is asked, what is shown, what is refused."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from domain.shared.clock import business_date
from tests.api.personas import Personas
from tests.api.shop import Json, Shop, SignUp, fill_wallet, for_booking, problem
from tests.conftest import Person

pytestmark = pytest.mark.database

V1 = "/api/v1"
PAYMENTS = f"{V1}/payments"


def egp(amount: str) -> Json:
    return {"amount": amount, "currency": "EGP"}


def wallet_part(amount: str = "500.00") -> Json:
    return {"type": "WALLET", "amount": egp(amount)}


@pytest.fixture
def customer(sign_up: SignUp, shop: Shop) -> Person:
    """Somebody with EGP 1,500.00 in their wallet."""
    person = sign_up()
    fill_wallet(shop, person, "1500.00")
    return person


@pytest.fixture
def booking(shop: Shop, customer: Person) -> Json:
    """Of EGP 2,000.00."""
    return shop.book(customer, shop.offer())


@pytest.fixture
def finance(personas: Personas) -> Person:
    return personas.named("finance").person


@pytest.fixture
def colleague(personas: Personas) -> Person:
    return personas.named("finance").person


def shown(shop: Shop, payment: Json, person: Person) -> Json:
    return shop.done(shop.get(f"{PAYMENTS}/{payment['id']}", person))


def wallet(shop: Shop, person: Person) -> tuple[str, str]:
    """Balance, and what of it is available."""
    found = shop.done(shop.get(f"{V1}/wallet", person))
    return found["balance"]["amount"], found["available"]["amount"]


def credit(shop: Shop, person: Person) -> tuple[str, str, str]:
    """Balance, available, held."""
    found = shop.done(shop.get(f"{V1}/voucher-credit?currency=EGP", person))
    return found["balance"]["amount"], found["available"]["amount"], found["held"]["amount"]


def give(shop: Shop, staff: Person, person: Person, amount: str, account: str = "VOUCHER_CREDIT") -> Json:
    path = f"{V1}/admin/wallets/{person.user_id}/adjustments"
    body = {"account": account, "amount": egp(amount), "reason": "a lost suitcase"}
    return shop.done(shop.post(path, staff, body), 201)


class TestParts:
    def test_a_payment_shows_its_parts_and_asks_the_card_for_the_rest(
        self, shop: Shop, customer: Person, booking: Json
    ) -> None:
        payment = shop.pay(customer, booking, tenders=[wallet_part()])

        assert (payment["method"], payment["status"], payment["amount"]) == ("MIXED", "PENDING", egp("2000.00"))
        nothing = egp("0.00")
        assert payment["tenders"] == [
            {"type": "WALLET", "method": "WALLET", "status": "PLANNED", "amount": egp("500.00"), "points": None,
             "refunding": nothing, "refunded": nothing},
            {"type": "GATEWAY", "method": "CREDIT_CARD", "status": "PLANNED", "amount": egp("1500.00"),
             "points": None, "refunding": nothing, "refunded": nothing},
        ]  # fmt: skip
        assert wallet(shop, customer) == ("1500.00", "1000.00")
        [held] = shop.done(shop.get(f"{V1}/wallet/holds", customer))["items"]
        assert held["source"] == {"type": "PAYMENT", "id": payment["id"], "number": payment["payment_number"]}

        shop.take_payment(payment)

        paid = shown(shop, payment, customer)
        assert (paid["status"], [part["status"] for part in paid["tenders"]]) == ("PAID", ["CAPTURED"] * 2)
        assert wallet(shop, customer) == ("1000.00", "1000.00")

    @pytest.mark.parametrize(
        ("tenders", "pointer"),
        [
            ([{"type": "GATEWAY", "amount": egp("1.00")}], "/tenders/0/type"),
            ([{"type": "CASH", "amount": egp("1.00")}], "/tenders/0/type"),
            ([{"amount": egp("1.00")}], "/tenders/0/type"),
            ([wallet_part("1.00"), wallet_part("2.00")], "/tenders"),
            ([wallet_part("2000.01")], "/tenders"),
            ([wallet_part("2000.00")], "/method"),
            ([wallet_part("0.00")], "/tenders/0/amount"),
            ([wallet_part("-1.00")], "/tenders/0/amount"),
            ([{"type": "WALLET", "amount": {"amount": "1.00", "currency": "USD"}}], "/tenders/0/amount"),
            ([{"type": "WALLET"}], "/tenders/0/amount"),
            ([{"type": "WALLET", "amount": egp("1.00"), "points": 5}], "/tenders/0/points"),
            ([{"type": "POINTS", "points": 0}], "/tenders/0/points"),
            ([{"type": "POINTS", "points": True}], "/tenders/0/points"),
            ([{"type": "POINTS", "points": 10**9 + 1}], "/tenders/0/points"),
            ([{"type": "POINTS", "points": 1.5}], "/tenders/0/points"),
            ([{"type": "POINTS"}], "/tenders/0/points"),
            ([{"type": "POINTS", "amount": egp("1.00"), "points": 100}], "/tenders/0/amount"),
            ([{**wallet_part("1.00"), "hold_id": str(uuid4())}], "/tenders/0/hold_id"),
            ([wallet_part("1.00")] * 4, "/tenders"),
        ],
    )
    def test_parts_that_make_no_sense_are_named(
        self, shop: Shop, customer: Person, booking: Json, tenders: list[Any], pointer: str
    ) -> None:
        answer = shop.post(PAYMENTS, customer, for_booking(booking["id"], tenders=tenders))

        problem(answer, 422, "validation_failed", pointer=pointer)
        assert wallet(shop, customer) == ("1500.00", "1500.00")

    def test_the_wallet_is_not_filled_from_balances_of_ones_own(self, shop: Shop, customer: Person) -> None:
        body = {**for_booking("", tenders=[wallet_part()]), "payable": {"type": "WALLET_DEPOSIT"}}

        answer = shop.post(PAYMENTS, customer, {**body, "amount": egp("800.00")})

        problem(answer, 422, "validation_failed", pointer="/tenders")
        deposit = {"method": "CREDIT_CARD", "provider": "SANDBOX", "amount": egp("800.00")}
        answer = shop.post(f"{V1}/wallet/deposits", customer, {**deposit, "tenders": [wallet_part()]})
        problem(answer, 422, "validation_failed", pointer="/tenders")

    def test_what_is_not_there_is_not_set_aside(self, shop: Shop, customer: Person, booking: Json) -> None:
        answer = shop.post(PAYMENTS, customer, for_booking(booking["id"], tenders=[wallet_part("1500.01")]))

        problem(answer, 422, "insufficient_balance")
        assert wallet(shop, customer) == ("1500.00", "1500.00")
        assert shop.done(shop.get(PAYMENTS, customer))["items"] == []

    def test_one_key_is_one_payment_whatever_is_asked_later(self, shop: Shop, customer: Person, booking: Json) -> None:
        body = for_booking(booking["id"], tenders=[wallet_part()])
        payment = shop.done(shop.post(PAYMENTS, customer, body, key="once"), 201)

        assert shop.done(shop.post(PAYMENTS, customer, body, key="once"), 201) == payment
        other = shop.post(PAYMENTS, customer, for_booking(booking["id"], tenders=[wallet_part("1.00")]), key="once")
        problem(other, 422, "idempotency_key_reused")
        assert wallet(shop, customer) == ("1500.00", "1000.00")


class TestCancelling:
    def test_it_frees_what_was_set_aside_and_leaves_the_booking_payable(
        self, shop: Shop, customer: Person, booking: Json
    ) -> None:
        payment = shop.pay(customer, booking, tenders=[wallet_part()])
        path = f"{PAYMENTS}/{payment['id']}/cancel"

        cancelled = shop.done(shop.post(path, customer, key="off"))

        assert (cancelled["status"], {part["status"] for part in cancelled["tenders"]}) == ("CANCELLED", {"RELEASED"})
        assert wallet(shop, customer) == ("1500.00", "1500.00")
        assert shop.done(shop.post(path, customer, key="off")) == cancelled
        problem(shop.post(path, customer), 409, "illegal_transition")
        assert shop.pay(customer, booking)["id"] != payment["id"]

    def test_a_paid_one_is_not_cancelled(self, shop: Shop, customer: Person, booking: Json) -> None:
        payment = shop.pay(customer, booking)
        shop.take_payment(payment)

        problem(shop.post(f"{PAYMENTS}/{payment['id']}/cancel", customer), 409, "illegal_transition")

    def test_somebody_elses_is_not_there(
        self, shop: Shop, customer: Person, booking: Json, sign_up: SignUp, finance: Person
    ) -> None:
        payment = shop.pay(customer, booking)

        for other in (sign_up(), finance):
            problem(shop.post(f"{PAYMENTS}/{payment['id']}/cancel", other), 404, "payment_not_found")
        problem(shop.post(f"{PAYMENTS}/{uuid4()}/cancel", customer), 404, "payment_not_found")
        assert shown(shop, payment, customer)["status"] == "PENDING"


class TestDeposits:
    def test_the_setting_lets_a_part_confirm_and_the_rest_follow(self, shop: Shop, customer: Person) -> None:
        setting = f"{V1}/admin/settings/booking.deposit_percent"
        shop.done(shop.client.put(setting, json={"value": 30}, headers=shop.admin.headers))
        booking = shop.book(customer, shop.offer())

        for amount in ("599.99", "2000.01"):
            answer = shop.post(PAYMENTS, customer, for_booking(booking["id"], amount=egp(amount)))
            problem(answer, 422, "part_payment_not_offered", pointer="/amount")
        shop.take_payment(shop.pay(customer, booking, amount=egp("600.00")))

        after = shop.done(shop.get(f"{V1}/bookings/{booking['id']}", customer))
        assert (after["status"], after["payment_status"], after["amount_due"]) == (
            "CONFIRMED", "PARTIALLY_PAID", egp("1400.00"),
        )  # fmt: skip
        notes = shop.done(shop.get(f"{V1}/notifications", customer))["items"]
        assert [note for note in notes if note["message"].endswith("EGP 1400.00 of the booking is still to be paid.")]
        shop.take_payment(shop.pay(customer, booking, tenders=[wallet_part("400.00")]))
        after = shop.done(shop.get(f"{V1}/bookings/{booking['id']}", customer))
        assert (after["payment_status"], after["amount_due"]) == ("PAID", egp("0.00"))
        invoices = shop.done(shop.get(f"{V1}/invoices", customer))["items"]
        assert [invoice["total_amount"] for invoice in invoices] == [egp("1400.00"), egp("600.00")]

    def test_without_the_setting_a_booking_is_paid_at_once(self, shop: Shop, customer: Person, booking: Json) -> None:
        answer = shop.post(PAYMENTS, customer, for_booking(booking["id"], amount=egp("1999.99")))

        problem(answer, 422, "part_payment_not_offered", pointer="/amount")


class TestRenewing:
    def test_a_membership_is_renewed_by_paying_it_again(self, shop: Shop, customer: Person) -> None:
        asked = shop.done(shop.post(f"{V1}/memberships/subscriptions", customer, {"plan_code": "GOLD"}), 201)
        body = {
            "payable": {"type": "MEMBERSHIP", "id": asked["id"]}, "method": "CREDIT_CARD", "provider": "SANDBOX",
        }  # fmt: skip
        shop.take_payment(shop.done(shop.post(PAYMENTS, customer, body), 201))

        payment = shop.done(shop.post(PAYMENTS, customer, {**body, "tenders": [wallet_part()]}), 201)
        assert (payment["payment_type"], payment["amount"]) == ("MEMBERSHIP_RENEWAL", egp("1999.00"))
        shop.take_payment(payment)

        assert shown(shop, payment, customer)["status"] == "PAID"
        problem(shop.post(PAYMENTS, customer, body), 409, "nothing_to_pay")


class TestVoucherCredit:
    def test_staff_give_it_and_its_owner_reads_it(self, shop: Shop, customer: Person, finance: Person) -> None:
        assert credit(shop, customer) == ("0.00", "0.00", "0.00")

        given = give(shop, finance, customer, "300.00")
        give(shop, finance, customer, "-50.00")

        assert (given["status"], given["account"], given["amount"]) == ("APPROVED", "VOUCHER_CREDIT", egp("300.00"))
        assert credit(shop, customer) == ("250.00", "250.00", "0.00")
        assert wallet(shop, customer) == ("1500.00", "1500.00")
        entries = shop.done(shop.get(f"{V1}/voucher-credit/entries", customer))["items"]
        assert [(row["transaction_type"], row["amount"]["amount"]) for row in entries] == [
            ("ADJUSTMENT", "-50.00"), ("ADJUSTMENT", "300.00"),
        ]  # fmt: skip
        explained = shop.done(shop.get(f"{V1}/voucher-credit/explain", customer))
        assert [item["source"]["type"] for item in explained["items"]] == ["ADJUSTMENT"] * 2
        assert explained["balance"] == egp("250.00")
        shop.deliver_events()
        notes = shop.done(shop.get(f"{V1}/notifications", customer))["items"]
        assert [note["message"].split(" (")[0] for note in notes] == [
            "Taken: EGP 50.00 of voucher credit", "Added: EGP 300.00 of voucher credit",
        ]  # fmt: skip

    def test_it_is_a_column_beside_each_wallet(self, shop: Shop, customer: Person, finance: Person) -> None:
        give(shop, finance, customer, "300.00")

        for answer in (shop.get(f"{V1}/wallets", customer),
                       shop.get(f"{V1}/admin/wallets/{customer.user_id}", finance)):  # fmt: skip
            [row] = shop.done(answer)["items"]
            assert (row["balance"], row["available"], row["voucher_credit"]) == (
                egp("1500.00"), egp("1500.00"), egp("300.00"),
            )  # fmt: skip

    def test_staff_read_its_movements_and_why(self, shop: Shop, customer: Person, finance: Person) -> None:
        give(shop, finance, customer, "300.00")
        address = f"{V1}/admin/wallets/{customer.user_id}"

        for path in ("entries", "explain"):
            of_credit = shop.done(shop.get(f"{address}/{path}?account=VOUCHER_CREDIT", finance))["items"]
            of_wallet = shop.done(shop.get(f"{address}/{path}", finance))["items"]
            assert [item["amount"] for item in of_credit] == [egp("300.00")]
            assert [item["amount"] for item in of_wallet] == [egp("1500.00")]
            problem(shop.get(f"{address}/{path}?account=POINTS", finance), 422, "validation_failed")
            problem(shop.get(f"{address}/{path}?account=VOUCHER_CREDIT", customer), 403, "wrong_surface")

    def test_above_the_limit_of_wallets_another_person_has_to_agree(
        self, shop: Shop, customer: Person, finance: Person, colleague: Person
    ) -> None:
        waiting = give(shop, finance, customer, "1000.01")
        path = f"{V1}/admin/adjustments/{waiting['id']}"

        problem(shop.post(f"{path}/approve", finance), 403, "own_request")
        assert (waiting["status"], credit(shop, customer)[0]) == ("PENDING", "0.00")
        agreed = shop.done(shop.post(f"{path}/approve", colleague))

        assert (agreed["account"], credit(shop, customer)[0]) == ("VOUCHER_CREDIT", "1000.01")
        assert wallet(shop, customer)[0] == "1500.00"

    def test_no_other_account_is_adjusted_here_and_none_below_zero(
        self, shop: Shop, customer: Person, finance: Person
    ) -> None:
        path = f"{V1}/admin/wallets/{customer.user_id}/adjustments"
        for account in ("POINTS", "CASHBACK", "", None, 5):
            body = {"account": account, "amount": egp("1.00"), "reason": "a mistake"}
            problem(shop.post(path, finance, body), 422, "validation_failed", pointer="/account")
        body = {"account": "VOUCHER_CREDIT", "amount": egp("-0.01"), "reason": "a mistake"}
        problem(shop.post(path, finance, body), 422, "insufficient_balance")

    def test_it_pays_with_a_card_and_is_explained_by_the_booking(
        self, shop: Shop, customer: Person, finance: Person, booking: Json
    ) -> None:
        give(shop, finance, customer, "300.00")

        payment = shop.pay(customer, booking, tenders=[{"type": "VOUCHER_CREDIT", "amount": egp("300.00")}])

        assert credit(shop, customer) == ("300.00", "0.00", "300.00")
        explained = shop.done(shop.get(f"{V1}/voucher-credit/explain", customer))
        assert [hold["source"]["number"] for hold in explained["holds"]] == [payment["payment_number"]]
        assert shop.done(shop.get(f"{V1}/wallet/explain", customer))["holds"] == []
        shop.take_payment(payment)
        assert credit(shop, customer) == ("0.00", "0.00", "0.00")
        newest = shop.done(shop.get(f"{V1}/voucher-credit/explain", customer))["items"][0]
        assert newest["source"]["number"] == booking["booking_number"]

    def test_it_cannot_be_withdrawn(self, shop: Shop, personas: Personas, finance: Person) -> None:
        person = personas.named("customer").person
        give(shop, finance, person, "300.00")
        body = {"amount": egp("200.00"), "destination": "Bank of Cairo, EG380019000500000000263180002"}

        problem(shop.post(f"{V1}/wallet/withdrawals", person, body), 422, "insufficient_balance")

        assert credit(shop, person)[0] == "300.00"

    def test_its_statement_lists_its_movements(self, shop: Shop, customer: Person, finance: Person) -> None:
        give(shop, finance, customer, "300.00")
        today = business_date(shop.running.dependencies.clock.now())

        answer = shop.get(
            f"{V1}/voucher-credit/statement?format=csv&from={today.replace(day=1)}&to={today + timedelta(days=1)}",
            customer,
        )

        assert (answer.status_code, answer.content_type) == (200, "text/csv; charset=utf-8")
        assert "300.00" in answer.text
        assert "1500.00" not in answer.text
