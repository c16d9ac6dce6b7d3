"""Wallets by HTTP: what they hold and why, withdrawals, adjustments, transfers between currencies."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from domain.ledger import accounts
from domain.ledger.accounts import AccountKind
from domain.ledger.journal import Entry, transfer
from domain.shared.clock import business_date
from tests.api.personas import Personas
from tests.api.shop import Json, Shop, SignUp, fill_wallet, problem
from tests.builders import a_journal
from tests.conftest import Person

V1 = "/api/v1"
WITHDRAWALS = f"{V1}/wallet/withdrawals"
ACCOUNT = "Bank of Cairo, Mona Adel, EG380019000500000000263180002"
LOST = "a lost suitcase"


def egp(amount: str) -> Json:
    return {"amount": amount, "currency": "EGP"}


@pytest.fixture
def customer(personas: Personas) -> Person:
    """Somebody whose address is proved."""
    return personas.named("customer").person


@pytest.fixture
def finance(personas: Personas) -> Person:
    return personas.named("finance").person


@pytest.fixture
def colleague(personas: Personas) -> Person:
    return personas.named("finance").person


def wallet(shop: Shop, person: Person, code: str = "EGP") -> tuple[str, str, str]:
    """Balance, available, held."""
    shown = shop.done(shop.get(f"{V1}/wallet?currency={code}", person))
    return shown["balance"]["amount"], shown["available"]["amount"], shown["held"]["amount"]


def ask(shop: Shop, person: Person, amount: str = "200.00") -> Json:
    return shop.done(shop.post(WITHDRAWALS, person, {"amount": egp(amount), "destination": ACCOUNT}), 201)


def decide(shop: Shop, staff: Person, withdrawal: Json, verb: str, body: Any = None) -> Json:
    return shop.done(shop.post(f"{V1}/admin/withdrawals/{withdrawal['id']}/{verb}", staff, body))


def adjust(shop: Shop, staff: Person, person: Person, amount: Json, reason: str = LOST) -> Json:
    path = f"{V1}/admin/wallets/{person.user_id}/adjustments"
    return shop.done(shop.post(path, staff, {"amount": amount, "reason": reason}), 201)


def explain(shop: Shop, person: Person, query: str = "") -> Json:
    return shop.done(shop.get(f"{V1}/wallet/explain?currency=EGP{query}", person))


class TestReading:
    def test_what_is_set_aside_is_held_and_not_available(self, shop: Shop, customer: Person) -> None:
        fill_wallet(shop, customer, "500.00")

        withdrawal = ask(shop, customer)

        assert wallet(shop, customer) == ("500.00", "300.00", "200.00")
        (held,) = shop.done(shop.get(f"{V1}/wallet/holds", customer))["items"]
        assert held["amount"] == egp("200.00")
        assert held["source"] == {
            "type": "WITHDRAWAL", "id": withdrawal["id"], "number": withdrawal["withdrawal_number"],
        }  # fmt: skip

    def test_each_currency_is_a_wallet_of_its_own(self, shop: Shop, customer: Person, finance: Person) -> None:
        fill_wallet(shop, customer, "500.00")
        fill_wallet(shop, customer, "1.500", "KWD")

        own = shop.done(shop.get(f"{V1}/wallets", customer))
        theirs = shop.done(shop.get(f"{V1}/admin/wallets/{customer.user_id}", finance))

        assert own == theirs
        assert [(row["currency"], row["balance"]["amount"], row["debt"]["amount"]) for row in own["items"]] == [
            ("EGP", "500.00", "0.00"), ("KWD", "1.500", "0.000"),
        ]  # fmt: skip

    def test_entries_are_found_by_type_and_day(self, shop: Shop, customer: Person, finance: Person) -> None:
        fill_wallet(shop, customer, "500.00")
        adjust(shop, finance, customer, egp("-20.00"))
        today = business_date(shop.running.dependencies.clock.now())
        filled_on = "2026-11-23"

        def found(query: str) -> list[str]:
            answer = shop.get(f"{V1}/wallet/entries?{query}", customer)
            return [row["transaction_type"] for row in shop.done(answer)["items"]]

        assert found("transaction_type=ADJUSTMENT") == ["ADJUSTMENT"]
        assert found(f"from={today}&to={today}&transaction_type=ADJUSTMENT") == ["ADJUSTMENT"]
        assert found(f"from={filled_on}&to={filled_on}") == ["DEPOSIT"]
        assert found(f"from={today + timedelta(days=1)}") == []
        assert found("") == ["ADJUSTMENT", "DEPOSIT"]
        problem(shop.get(f"{V1}/wallet/entries?from=2026-02-02&to=2026-02-01", customer), 422, "validation_failed")

    def test_staff_see_anybodys_and_customers_their_own(
        self, shop: Shop, customer: Person, finance: Person, personas: Personas
    ) -> None:
        fill_wallet(shop, customer, "500.00")
        for path in ("", "/entries", "/explain"):
            address = f"{V1}/admin/wallets/{customer.user_id}{path}"
            assert shop.get(address, finance).status_code == 200
            assert shop.get(address, customer).status_code == 403
            assert shop.get(f"{V1}/admin/wallets/{uuid4()}{path}", finance).status_code == 404
        assert wallet(shop, personas.named("other customer").person) == ("0.00", "0.00", "0.00")


class TestExplaining:
    def test_every_entry_says_what_it_came_of(self, shop: Shop, customer: Person, finance: Person) -> None:
        fill_wallet(shop, customer, "500.00")
        withdrawal = ask(shop, customer)
        decide(shop, finance, withdrawal, "approve")
        decide(shop, finance, withdrawal, "returned", {"reason": "account closed"})
        adjustment = adjust(shop, finance, customer, egp("10.00"))

        given, returned, taken, filled = explain(shop, customer)["items"]

        assert given["source"] == {
            "type": "ADJUSTMENT", "id": adjustment["id"], "number": adjustment["adjustment_number"],
        }  # fmt: skip
        assert (taken["transaction_type"], returned["transaction_type"]) == ("WITHDRAWAL", "REVERSAL")
        assert returned["reverses"] == taken["journal_id"]
        assert taken["reversed_by"] == [returned["journal_id"]]
        assert taken["counterparts"] == [
            {"kind": "PAYOUTS_IN_TRANSIT", "name": "Payouts in transit", "amount": egp("200.00")}
        ]
        assert (filled["reverses"], filled["reversed_by"]) == (None, [])

    def test_a_payment_leads_to_its_booking_in_the_readers_language(self, shop: Shop, customer: Person) -> None:
        fill_wallet(shop, customer, "3000.00")
        booking = shop.book(customer, shop.offer())
        body = {"payable": {"type": "BOOKING", "id": booking["id"]}, "method": "WALLET"}
        shop.done(shop.post(f"{V1}/payments", customer, body), 201)

        answer = shop.get(f"{V1}/wallet/explain?currency=EGP", customer, Accept_Language="ar")
        paid = shop.done(answer)["items"][0]

        assert paid["source"] == {"type": "BOOKING", "id": booking["id"], "number": booking["booking_number"]}
        assert [leg["name"] for leg in paid["counterparts"]] == ["دفعات مقدمة من العملاء"]

    def test_pages_add_up_to_the_balance(self, shop: Shop, customer: Person, finance: Person) -> None:
        for amount in ("10.00", "-3.00", "7.50", "-4.25", "1.00"):
            adjust(shop, finance, customer, egp(amount))
        pages, cursor = [], ""
        while True:
            page = explain(shop, customer, f"&limit=2{cursor}")
            pages.append(page)
            if page["next_cursor"] is None:
                break
            cursor = f"&cursor={page['next_cursor']}"

        sizes = [len(page["items"]) for page in pages]
        tops = [page["items"][0]["balance_after"]["amount"] for page in pages]
        bottoms = [page["explained"]["amount"] for page in pages]
        assert sizes == [2, 2, 1]
        assert (tops[0], bottoms[-1]) == ("11.25", "0.00")
        assert tops[1:] == bottoms[:-1]
        assert {page["balance"]["amount"] for page in pages} == {"11.25"}

    def test_it_names_what_is_set_aside(self, shop: Shop, customer: Person) -> None:
        fill_wallet(shop, customer, "500.00")
        withdrawal = ask(shop, customer)

        explained = explain(shop, customer)

        assert (explained["held"], explained["available"]) == (egp("200.00"), egp("300.00"))
        assert [held["source"]["number"] for held in explained["holds"]] == [withdrawal["withdrawal_number"]]

    def test_other_peoples_legs_are_nobodys_business(self, shop: Shop, customer: Person, finance: Person) -> None:
        own, agents = accounts.wallet(customer.user_id, "EGP"), accounts.wallet(finance.user_id, "EGP")
        prepaid = accounts.platform(AccountKind.CUSTOMER_PREPAYMENTS, "EGP")
        fill_wallet(shop, customer, "100.00")
        with shop.running.dependencies.new_uow() as uow:
            uow.ledger.post([a_journal(Entry(own, -10_000), Entry(prepaid, 9_000), Entry(agents, 1_000))])
            uow.commit()

        shared = explain(shop, customer)["items"][0]

        assert [(leg["kind"], leg["amount"]) for leg in shared["counterparts"]] == [
            ("CUSTOMER_PREPAYMENTS", egp("90.00"))
        ]

    def test_an_empty_wallet_is_explained_by_nothing(self, shop: Shop, customer: Person) -> None:
        explained = explain(shop, customer)

        assert (explained["items"], explained["explained"], explained["balance"]) == ([], egp("0.00"), egp("0.00"))


class TestWithdrawing:
    def test_from_the_request_to_the_bank(self, shop: Shop, customer: Person, finance: Person) -> None:
        fill_wallet(shop, customer, "500.00")

        asked = ask(shop, customer)
        approved = decide(shop, finance, asked, "approve")
        paid = decide(shop, finance, asked, "paid", {"bank_reference": "FT26329X1"})

        assert [row["status"] for row in (asked, approved, paid)] == ["REQUESTED", "APPROVED", "PAID"]
        assert paid["decided_by_user_id"] == paid["closed_by_user_id"] == str(finance.user_id)
        assert wallet(shop, customer) == ("300.00", "300.00", "0.00")
        own = shop.done(shop.get(f"{WITHDRAWALS}/{asked['id']}", customer))
        assert (own["bank_reference"], own["destination"]) == ("FT26329X1", "•••• 0002")

    def test_what_its_owner_owes_is_kept_and_shown_to_staff(
        self, shop: Shop, customer: Person, finance: Person
    ) -> None:
        fill_wallet(shop, customer, "500.00")
        asked = ask(shop, customer, "400.00")
        with shop.running.dependencies.new_uow() as uow:
            lost = accounts.platform(AccountKind.ADJUSTMENTS, "EGP")
            uow.ledger.post([a_journal(*transfer(accounts.debt(customer.user_id, "EGP"), lost, 10_001))])
            uow.commit()

        problem(shop.post(WITHDRAWALS, customer, {"amount": egp("100.00"), "destination": ACCOUNT}), 422, "money_owed")
        problem(shop.post(f"{V1}/admin/withdrawals/{asked['id']}/approve", finance), 422, "money_owed")
        (listed,) = shop.done(shop.get(f"{V1}/admin/withdrawals", finance))["items"]
        shown = shop.done(shop.get(f"{V1}/admin/withdrawals/{asked['id']}", finance))

        assert listed["debt"] == shown["debt"] == egp("100.01")
        assert "debt" not in shop.done(shop.get(f"{WITHDRAWALS}/{asked['id']}", customer))
        assert wallet(shop, customer) == ("500.00", "100.00", "400.00")

    def test_only_who_pays_reads_the_destination(
        self, shop: Shop, customer: Person, finance: Person, personas: Personas
    ) -> None:
        fill_wallet(shop, customer, "500.00")
        asked = ask(shop, customer)
        employee = personas.named("employee").person

        listed = shop.get(f"{V1}/admin/withdrawals?status=REQUESTED", employee)

        assert ACCOUNT not in listed.text
        assert [row["id"] for row in shop.done(listed)["items"]] == [asked["id"]]
        path = f"{V1}/admin/withdrawals/{asked['id']}"
        assert shop.done(shop.get(path, finance))["destination"] == ACCOUNT
        problem(shop.get(path, employee), 403, "forbidden")

    def test_an_unproved_address_withdraws_nothing(self, shop: Shop, sign_up: SignUp) -> None:
        person = sign_up()
        fill_wallet(shop, person, "500.00")
        body = {"amount": egp("200.00"), "destination": ACCOUNT}

        problem(shop.post(WITHDRAWALS, person, body), 403, "email_not_verified")

        assert wallet(shop, person) == ("500.00", "500.00", "0.00")

    @pytest.mark.parametrize(
        ("amount", "code"),
        [("99.99", "withdrawal_too_small"), ("0.00", "validation_failed"), ("500.01", "insufficient_balance")],
    )
    def test_amounts_that_are_not_paid_out(self, shop: Shop, customer: Person, amount: str, code: str) -> None:
        fill_wallet(shop, customer, "500.00")

        problem(shop.post(WITHDRAWALS, customer, {"amount": egp(amount), "destination": ACCOUNT}), 422, code)

        assert wallet(shop, customer) == ("500.00", "500.00", "0.00")

    def test_the_same_key_asks_once_and_no_key_asks_nothing(self, shop: Shop, customer: Person) -> None:
        fill_wallet(shop, customer, "500.00")
        body = {"amount": egp("200.00"), "destination": ACCOUNT}

        first, again = (shop.post(WITHDRAWALS, customer, body, key="one-intent") for _ in range(2))
        without = shop.client.post(WITHDRAWALS, json=body, headers=customer.headers)

        assert first.json == again.json
        assert again.headers["Idempotent-Replayed"] == "true"
        problem(without, 400, "idempotency_key_missing")
        assert wallet(shop, customer) == ("500.00", "300.00", "200.00")

    def test_a_cancelled_one_is_over(self, shop: Shop, customer: Person, finance: Person) -> None:
        fill_wallet(shop, customer, "500.00")
        asked = ask(shop, customer)

        cancelled = shop.done(shop.post(f"{WITHDRAWALS}/{asked['id']}/cancel", customer))

        assert (cancelled["status"], wallet(shop, customer)[1]) == ("CANCELLED", "500.00")
        refused = shop.post(f"{V1}/admin/withdrawals/{asked['id']}/approve", finance)
        assert problem(refused, 409, "illegal_transition")["current_status"] == "CANCELLED"

    def test_somebody_elses_is_not_there(self, shop: Shop, customer: Person, personas: Personas) -> None:
        fill_wallet(shop, customer, "500.00")
        path, other = f"{WITHDRAWALS}/{ask(shop, customer)['id']}", personas.named("other customer").person

        for answer in (shop.get(path, other), shop.post(f"{path}/cancel", other)):
            problem(answer, 404, "withdrawal_not_found")
        assert shop.done(shop.get(WITHDRAWALS, other))["items"] == []

    def test_staff_do_not_approve_their_own(self, shop: Shop, finance: Person) -> None:
        fill_wallet(shop, finance, "500.00")
        asked = ask(shop, finance)

        problem(shop.post(f"{V1}/admin/withdrawals/{asked['id']}/approve", finance), 403, "own_request")

        assert wallet(shop, finance) == ("500.00", "300.00", "200.00")

    def test_every_step_is_told(self, shop: Shop, customer: Person, finance: Person) -> None:
        fill_wallet(shop, customer, "900.00")
        asked = [ask(shop, customer) for _ in range(3)]
        decide(shop, finance, asked[0], "reject", {"reason": "not your account"})
        for withdrawal, verb, body in (
            (asked[1], "paid", {"bank_reference": "FT1"}), (asked[2], "returned", {"reason": "closed"}),
        ):  # fmt: skip
            decide(shop, finance, withdrawal, "approve")
            decide(shop, finance, withdrawal, verb, body)

        shop.deliver_events()

        notes = shop.done(shop.get(f"{V1}/notifications?limit=50", customer))["items"]
        titles = [note["title"] for note in notes]
        assert sorted(titles) == sorted(
            ["We received your withdrawal"] * 3 + ["Your withdrawal is approved"] * 2
            + ["Your withdrawal was not approved", "Your withdrawal was paid", "The bank returned your withdrawal"]
        )  # fmt: skip
        mails = list(shop.running.settings.home.rglob("*.eml"))
        assert len(mails) == 6


class TestAdjusting:
    def test_within_the_limit_it_is_done_at_once(self, shop: Shop, customer: Person, finance: Person) -> None:
        given = adjust(shop, finance, customer, egp("1000.00"))
        adjust(shop, finance, customer, egp("-250.00"))

        assert (given["status"], given["needs_approval"]) == ("APPROVED", False)
        assert wallet(shop, customer)[0] == "750.00"
        shop.deliver_events()
        notes = shop.done(shop.get(f"{V1}/notifications", customer))["items"]
        assert [note["message"].split(" (")[0] for note in notes] == ["Taken: EGP 250.00", "Added: EGP 1000.00"]

    def test_above_it_another_person_has_to_agree(
        self, shop: Shop, customer: Person, finance: Person, colleague: Person
    ) -> None:
        waiting = adjust(shop, finance, customer, egp("1000.01"))
        path = f"{V1}/admin/adjustments/{waiting['id']}"

        problem(shop.post(f"{path}/approve", finance), 403, "own_request")
        assert (waiting["status"], wallet(shop, customer)[0]) == ("PENDING", "0.00")

        agreed = shop.done(shop.post(f"{path}/approve", colleague))
        assert (agreed["status"], wallet(shop, customer)[0]) == ("APPROVED", "1000.01")
        problem(shop.post(f"{path}/reject", colleague), 409, "illegal_transition")

    def test_a_currency_without_a_limit_always_needs_two(self, shop: Shop, customer: Person, finance: Person) -> None:
        waiting = adjust(shop, finance, customer, {"amount": "0.01", "currency": "USD"})

        assert waiting["status"] == "PENDING"

    def test_the_limit_is_what_the_company_says(
        self, shop: Shop, customer: Person, finance: Person, sign_up: SignUp
    ) -> None:
        setting = f"{V1}/admin/settings/ledger.adjustment_limit"
        value = [{"amount": "5.00", "currency": "USD"}]
        shop.done(shop.client.put(setting, json={"value": value}, headers=sign_up("SUPER_ADMIN").headers))

        dollars, pounds = (
            adjust(shop, finance, customer, {"amount": "5.00", "currency": code}) for code in ("USD", "EGP")
        )

        assert (dollars["status"], pounds["status"]) == ("APPROVED", "PENDING")

    def test_a_sum_above_the_limit_does_not_become_less_by_parts(
        self, shop: Shop, customer: Person, finance: Person, colleague: Person
    ) -> None:
        made = [adjust(shop, finance, customer, egp("400.00"))["status"] for _ in range(4)]
        other = adjust(shop, colleague, customer, egp("400.00"))
        taken = adjust(shop, finance, customer, egp("-700.00"))

        assert made == ["APPROVED", "APPROVED", "PENDING", "PENDING"]
        assert (other["status"], taken["status"]) == ("APPROVED", "APPROVED")
        assert adjust(shop, finance, customer, egp("-300.01"))["status"] == "PENDING"

    def test_what_waits_is_found_by_its_state(
        self, shop: Shop, customer: Person, finance: Person, colleague: Person
    ) -> None:
        adjust(shop, finance, customer, egp("5.00"))
        rejected, waiting = (adjust(shop, finance, customer, egp("5000.00")) for _ in range(2))
        shop.done(shop.post(f"{V1}/admin/adjustments/{rejected['id']}/reject", colleague))

        def found(status: str) -> list[str]:
            answer = shop.get(f"{V1}/admin/adjustments?status={status}", finance)
            return [row["id"] for row in shop.done(answer)["items"]]

        assert (found("PENDING"), found("REJECTED")) == ([waiting["id"]], [rejected["id"]])

    def test_points_are_adjusted_in_whole_points(self, shop: Shop, customer: Person, finance: Person) -> None:
        path = f"{V1}/admin/points/{customer.user_id}/adjustments"

        given = shop.done(shop.post(path, finance, {"points": 1000, "reason": LOST}), 201)
        shop.done(shop.post(path, finance, {"points": -400, "reason": LOST}), 201)
        waiting = shop.done(shop.post(path, finance, {"points": 10_001, "reason": LOST}), 201)

        assert (given["points"], given["amount"], waiting["status"]) == (1000, None, "PENDING")
        assert shop.done(shop.get(f"{V1}/points", customer))["balance"] == 600
        problem(shop.post(path, finance, {"points": -601, "reason": LOST}), 422, "insufficient_balance")
        for points in (1.5, "5", True):
            problem(shop.post(path, finance, {"points": points, "reason": LOST}), 422, "validation_failed")

    def test_ones_own_and_nobodys_wallet_are_left_alone(self, shop: Shop, finance: Person) -> None:
        body = {"amount": egp("1.00"), "reason": LOST}

        problem(shop.post(f"{V1}/admin/wallets/{finance.user_id}/adjustments", finance, body), 403, "own_request")
        problem(shop.post(f"{V1}/admin/wallets/{uuid4()}/adjustments", finance, body), 404, "not_found")

    def test_more_than_there_is_is_not_taken(self, shop: Shop, customer: Person, finance: Person) -> None:
        fill_wallet(shop, customer, "500.00")
        ask(shop, customer)
        body = {"amount": egp("-300.01"), "reason": LOST}

        problem(shop.post(f"{V1}/admin/wallets/{customer.user_id}/adjustments", finance, body), 422,
                "insufficient_balance")  # fmt: skip

        assert wallet(shop, customer) == ("500.00", "300.00", "200.00")


def set_rate(shop: Shop, staff: Person, rate: str, source: str = "EGP", target: str = "USD") -> Json:
    body = {"from_currency": source, "to_currency": target, "rate": rate}
    return shop.done(shop.post(f"{V1}/admin/exchange-rates", staff, body), 201)


def change(rate: Json, amount: str) -> Json:
    return {
        "from_currency": rate["from_currency"],
        "to_currency": rate["to_currency"],
        "amount": {"amount": amount, "currency": rate["from_currency"]},
        "rate_id": rate["id"],
    }


class TestChangingCurrencies:
    def test_at_the_rate_that_was_seen(self, shop: Shop, customer: Person, finance: Person) -> None:
        fill_wallet(shop, customer, "500.00")
        set_rate(shop, finance, "0.0200")
        set_rate(shop, finance, "49.0", "USD", "EGP")
        rate = set_rate(shop, finance, "0.0204")
        (seen,) = shop.done(shop.get(f"{V1}/exchange-rates?from_currency=EGP", customer))["items"]

        made = shop.done(shop.post(f"{V1}/wallet/transfers", customer, change(seen, "100.00")), 201)

        assert seen == rate
        assert (made["sent"], made["received"]) == (egp("100.00"), {"amount": "2.04", "currency": "USD"})
        assert made["rate"] == "0.0204"
        assert (wallet(shop, customer)[0], wallet(shop, customer, "USD")[0]) == ("400.00", "2.04")
        assert shop.done(shop.get(f"{V1}/wallet/transfers", customer))["items"] == [made]

    def test_a_rate_that_moved_is_answered_with_the_new_one(
        self, shop: Shop, customer: Person, finance: Person
    ) -> None:
        fill_wallet(shop, customer, "500.00")
        seen, newest = set_rate(shop, finance, "0.0204"), set_rate(shop, finance, "0.0199")

        refused = shop.post(f"{V1}/wallet/transfers", customer, change(seen, "100.00"))

        moved = problem(refused, 409, "rate_moved")["current_rate"]
        assert (moved["id"], moved["rate"]) == (newest["id"], "0.0199")
        shop.done(shop.post(f"{V1}/wallet/transfers", customer, change(moved, "100.00")), 201)
        assert wallet(shop, customer, "USD")[0] == "1.99"

    def test_what_cannot_be_changed(self, shop: Shop, customer: Person, finance: Person) -> None:
        fill_wallet(shop, customer, "500.00")
        rate = set_rate(shop, finance, "0.0204")
        path = f"{V1}/wallet/transfers"

        problem(shop.post(path, customer, change(rate, "500.01")), 422, "insufficient_balance")
        problem(shop.post(path, customer, change(rate, "0.01")), 422, "conversion_too_small")
        problem(shop.post(path, customer, change(rate, "-1.00")), 422, "validation_failed")
        problem(shop.post(path, customer, {**change(rate, "1.00"), "to_currency": "KWD"}), 404,
                "exchange_rate_not_found")  # fmt: skip
        problem(shop.post(path, customer, {**change(rate, "1.00"), "from_currency": "USD"}), 422, "validation_failed")
        assert wallet(shop, customer) == ("500.00", "500.00", "0.00")

    def test_whoever_set_the_rate_does_not_change_money_of_their_own_at_it(
        self, shop: Shop, customer: Person, finance: Person, colleague: Person
    ) -> None:
        fill_wallet(shop, finance, "500.00")
        own = set_rate(shop, finance, "1000")
        path = f"{V1}/wallet/transfers"

        problem(shop.post(path, finance, change(own, "100.00")), 403, "own_rate")
        assert (wallet(shop, finance)[0], wallet(shop, finance, "USD")[0]) == ("500.00", "0.00")
        others = set_rate(shop, colleague, "0.02")
        problem(shop.post(path, finance, change(own, "100.00")), 409, "rate_moved")
        shop.done(shop.post(path, finance, change(others, "100.00")), 201)

    def test_a_transfer_is_its_owners_alone(
        self, shop: Shop, customer: Person, finance: Person, personas: Personas
    ) -> None:
        fill_wallet(shop, customer, "500.00")
        rate = set_rate(shop, finance, "0.0204")
        made = shop.done(shop.post(f"{V1}/wallet/transfers", customer, change(rate, "100.00")), 201)

        other = shop.get(f"{V1}/wallet/transfers/{made['id']}", personas.named("other customer").person)

        problem(other, 404, "transfer_not_found")
        assert shop.done(shop.get(f"{V1}/wallet/transfers/{made['id']}", customer)) == made

    @pytest.mark.parametrize(
        "change_of", [{"rate": "0"}, {"rate": "1e3"}, {"to_currency": "EGP"}, {"valid_from": "2020-01-01T00:00:00Z"}]
    )
    def test_rates_that_make_no_sense(self, shop: Shop, finance: Person, change_of: Json) -> None:
        body = {"from_currency": "EGP", "to_currency": "USD", "rate": "0.02", **change_of}

        problem(shop.post(f"{V1}/admin/exchange-rates", finance, body), 422, "validation_failed")
