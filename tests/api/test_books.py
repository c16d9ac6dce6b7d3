"""The books over HTTP: trial balance, accounts and journals for staff, statements of account for their holders."""

from __future__ import annotations

import csv
import io
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from application.ledger.statements import drop_past_statements
from application.privacy.erasure import carry_out_erasure
from domain.ledger import accounts
from domain.ledger.accounts import CHART, AccountKind, AccountRef
from domain.ledger.journal import Journal, transfer
from domain.ledger.statements import MOST_A_DAY, MOST_PRINTED
from domain.shared.clock import business_date
from infrastructure.bootstrap import Running
from infrastructure.clock import new_id
from infrastructure.database.roles import connect
from tests.api.shop import Json, Shop, SignUp, problem
from tests.builders import a_journal
from tests.conftest import MovableClock, Person

pytestmark = pytest.mark.database

BOOKS = "/api/v1/admin/ledger"
CLEARING = accounts.clearing("SANDBOX", "EGP")


def post(shop: Shop, *journals: Journal) -> None:
    with shop.running.dependencies.new_uow() as uow:
        uow.ledger.post(journals)
        uow.commit()


def moved(
    shop: Shop, source: AccountRef, target: AccountRef, amount: int, *, days_ago: int = 0, **details: Any
) -> Journal:
    at = shop.running.dependencies.clock.now() - timedelta(days=days_ago)
    journal = a_journal(*transfer(source, target, amount), occurred_at=at, **details)
    post(shop, journal)
    return journal


def a_wallet(shop: Shop, person: Person, *, amount: int = 10_000, days_ago: int = 0, unit: str = "EGP") -> AccountRef:
    wallet = accounts.wallet(person.user_id, unit)
    moved(shop, accounts.clearing("SANDBOX", unit), wallet, amount, days_ago=days_ago)
    return wallet


def around_today(shop: Shop, days: int = 3) -> str:
    today = business_date(shop.running.dependencies.clock.now())
    return f"from={today - timedelta(days=days)}&to={today + timedelta(days=1)}"


def lines_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


class TestTrialBalance:
    def test_it_proves_that_every_unit_sums_to_nothing(self, shop: Shop, sign_up: SignUp) -> None:
        customer = sign_up()
        a_wallet(shop, customer, amount=10_000, days_ago=40)
        wallet = a_wallet(shop, customer, amount=500)
        moved(shop, wallet, accounts.platform(AccountKind.CUSTOMER_PREPAYMENTS, "EGP"), 700)
        a_wallet(shop, customer, amount=1_500, unit="KWD")

        shown = shop.done(shop.get(f"{BOOKS}/trial-balance?{around_today(shop)}", shop.admin, Accept_Language="ar"))

        assert shown["is_balanced"]
        assert [(proof["currency"], proof["is_balanced"]) for proof in shown["proofs"]] == [
            ("EGP", True),
            ("KWD", True),
        ]
        by_name = {(line["kind"], line["closing"]["currency"]): line for line in shown["lines"]}
        wallets = by_name["WALLET", "EGP"]
        assert [wallets[side]["amount"] for side in ("opening", "debits", "credits", "closing")] == [
            "100.00", "7.00", "5.00", "98.00",
        ]  # fmt: skip
        assert wallets["name"] == wallets["name_ar"] == CHART[AccountKind.WALLET].name_ar
        assert by_name["PROVIDER_CLEARING", "EGP"]["closing"]["amount"] == "-105.00"
        assert by_name["WALLET", "KWD"]["credits"] == {"amount": "1.500", "currency": "KWD"}

    def test_as_a_file_each_balance_stands_on_its_side(self, shop: Shop, sign_up: SignUp) -> None:
        a_wallet(shop, sign_up(), amount=500)

        answer = shop.get(f"{BOOKS}/trial-balance?format=csv&{around_today(shop)}", shop.admin)

        assert answer.content_type == "text/csv; charset=utf-8"
        by_kind = {line["kind"]: line for line in lines_of(answer.text)}
        assert (by_kind["PROVIDER_CLEARING"]["closing_debit"], by_kind["WALLET"]["closing_credit"]) == ("5.00", "5.00")
        total = by_kind["TOTAL"]
        assert total["debits"] == total["credits"] == total["closing_debit"] == total["closing_credit"] == "5.00"

    def test_a_period_without_a_day_is_refused(self, shop: Shop) -> None:
        for query, pointer in (
            ("from=2026-02-01&to=2026-02-01", "/to"),
            ("from=2026-02-01", "/to"),
            ("to=2026-02-01", "/from"),
            ("from=yesterday", "/from"),
            ("from=0001-01-01&to=2026-02-01", "/from"),
            ("from=2026-02-01&to=9999-12-31", "/to"),
        ):
            problem(shop.get(f"{BOOKS}/trial-balance?{query}", shop.admin), 422, "validation_failed", pointer=pointer)


class TestAccounts:
    def test_each_tells_what_it_holds(self, shop: Shop, sign_up: SignUp) -> None:
        customer = sign_up()
        wallet = a_wallet(shop, customer)

        listed = shop.done(shop.get(f"{BOOKS}/accounts?owner={customer.user_id}", shop.admin))["items"]
        one = shop.done(shop.get(f"{BOOKS}/accounts/{CLEARING.id}", shop.admin))

        assert [(row["id"], row["kind"], row["balance"]["amount"], row["held"]["amount"]) for row in listed] == [
            (str(wallet.id), "WALLET", "100.00", "0.00")
        ]
        assert (one["user_id"], one["provider"], one["balance"]["amount"]) == (None, "SANDBOX", "-100.00")

    def test_pages_and_filters(self, shop: Shop, sign_up: SignUp) -> None:
        customer = sign_up()
        for unit in ("EGP", "KWD", "USD"):
            a_wallet(shop, customer, unit=unit)
        seen: list[str] = []
        cursor = ""
        while True:
            page = shop.done(shop.get(f"{BOOKS}/accounts?kind=WALLET&limit=2{cursor}", shop.admin))
            seen += [row["currency"] for row in page["items"]]
            if page["next_cursor"] is None:
                break
            cursor = f"&cursor={page['next_cursor']}"
        assert sorted(seen) == ["EGP", "KWD", "USD"]
        [kwd] = shop.done(shop.get(f"{BOOKS}/accounts?kind=WALLET&currency=KWD", shop.admin))["items"]
        assert kwd["balance"]["amount"] == "10.000"

    def test_entries_of_owned_and_of_platform_accounts_are_walked(self, shop: Shop, sign_up: SignUp) -> None:
        customer = sign_up()
        for amount in (100, 200, 300):
            wallet = a_wallet(shop, customer, amount=amount)
        for account, amounts in ((wallet, ["3.00", "2.00", "1.00"]), (CLEARING, ["-3.00", "-2.00", "-1.00"])):
            first = shop.done(shop.get(f"{BOOKS}/accounts/{account.id}/entries?limit=2", shop.admin))
            rest = shop.done(
                shop.get(f"{BOOKS}/accounts/{account.id}/entries?cursor={first['next_cursor']}", shop.admin)
            )
            assert [row["amount"]["amount"] for row in first["items"] + rest["items"]] == amounts
            assert rest["next_cursor"] is None
            refused = shop.get(f"{BOOKS}/accounts/{account.id}/entries?cursor=abc", shop.admin)
            problem(refused, 422, "invalid_cursor", pointer="/cursor")

    def test_there_is_none_of_another_id(self, shop: Shop) -> None:
        for path in ("", "/entries", "/statement", "/statement?format=csv"):
            problem(shop.get(f"{BOOKS}/accounts/{new_id()}{path}", shop.admin), 404, "account_not_found")
        problem(shop.get(f"{BOOKS}/journals/{new_id()}", shop.admin), 404, "journal_not_found")

    def test_the_chart_is_the_chart(self, shop: Shop) -> None:
        lines = shop.done(shop.get(f"{BOOKS}/chart", shop.admin))["items"]

        assert [line["kind"] for line in lines] == list(CHART)

    def test_a_journal_names_its_accounts_and_their_owners(self, shop: Shop, sign_up: SignUp) -> None:
        customer, booking = sign_up(), new_id()
        wallet = accounts.wallet(customer.user_id, "EGP")
        journal = moved(shop, CLEARING, wallet, 100, reference_type="BOOKING", reference_id=booking)

        found = shop.done(shop.get(f"{BOOKS}/journals?reference_id={booking}&type=DEPOSIT", shop.admin))["items"]
        shown = shop.done(shop.get(f"{BOOKS}/journals/{journal.id}", shop.admin))

        assert [row["id"] for row in found] == [str(journal.id)]
        assert [(leg["kind"], leg["user_id"], leg["amount"]["amount"]) for leg in shown["entries"]] == [
            ("PROVIDER_CLEARING", None, "-1.00"),
            ("WALLET", str(customer.user_id), "1.00"),
        ]
        assert (shown["reverses_journal_id"], shown["reversed_by"]) == (None, [])

    def test_customers_see_none_of_it(self, shop: Shop, sign_up: SignUp) -> None:
        customer = sign_up()
        wallet = a_wallet(shop, customer)
        for path in ("chart", "trial-balance", "accounts", f"accounts/{wallet.id}/statement", "journals"):
            problem(shop.get(f"{BOOKS}/{path}", customer), 403, "wrong_surface")


class TestStatements:
    def test_a_pdf_is_drawn_by_a_worker_and_then_there(self, shop: Shop, sign_up: SignUp) -> None:
        customer = sign_up()
        a_wallet(shop, customer)
        path = f"/api/v1/wallet/statement?lang=en&{around_today(shop)}"

        waiting = shop.get(path, customer)
        assert (waiting.status_code, waiting.headers["Retry-After"]) == (202, "2")
        assert shop.get(path, customer).status_code == 202
        assert self.requests(shop) == 1
        shop.deliver_events(draw=True)
        drawn = shop.get(path, customer)

        assert (drawn.status_code, drawn.content_type) == (200, "application/pdf")
        assert drawn.data.startswith(b"%PDF")
        assert drawn.headers["Cache-Control"] == "no-store"
        # Once something moved in the period, it is another document.
        a_wallet(shop, customer, amount=1)
        assert shop.get(path, customer).status_code == 202
        assert self.requests(shop) == 2

    def test_one_that_was_not_made_is_asked_for_again(self, shop: Shop, sign_up: SignUp, clock: MovableClock) -> None:
        customer = sign_up()
        a_wallet(shop, customer)
        path = f"{BOOKS}/accounts/{accounts.wallet(customer.user_id, 'EGP').id}/statement?{around_today(shop)}"
        assert shop.get(path, shop.admin).status_code == 202
        clock.offset = timedelta(minutes=16)
        admin = shop.again(shop.admin)
        assert shop.get(path, admin).status_code == 202
        assert shop.get(path, admin).status_code == 202

        assert self.requests(shop) == 2

    def test_as_many_as_a_day_allows_are_drawn(self, shop: Shop, sign_up: SignUp, clock: MovableClock) -> None:
        customer = sign_up()
        a_wallet(shop, customer)
        paths = [f"/api/v1/wallet/statement?{around_today(shop, days)}" for days in range(1, MOST_A_DAY + 2)]
        assert [shop.get(path, customer).status_code for path in paths[:-1]] == [202] * MOST_A_DAY

        problem(shop.get(paths[-1], customer), 429, "statement_limit_reached")
        assert shop.get(paths[0], customer).status_code == 202
        assert self.requests(shop) == MOST_A_DAY
        clock.offset = timedelta(days=1, minutes=1)
        assert shop.get(paths[-1], shop.again(customer)).status_code == 202

    def test_a_file_counts_on_from_the_opening_balance(self, shop: Shop, sign_up: SignUp) -> None:
        customer = sign_up()
        a_wallet(shop, customer, amount=10_000, days_ago=40)
        wallet = a_wallet(shop, customer, amount=500, days_ago=1)
        moved(shop, wallet, CLEARING, 700, description_en="=HYPERLINK(1)", description_ar="+1")
        # Posted last, of a day before the period.
        a_wallet(shop, customer, amount=1, days_ago=20)

        answer = shop.get(f"/api/v1/wallet/statement?format=csv&{around_today(shop)}", customer)

        assert answer.is_streamed
        lines = lines_of(answer.text)
        assert [(line["description_en"], line["debit"], line["credit"], line["balance"]) for line in lines] == [
            ("Opening balance", "0.00", "0.00", "100.01"),
            ("Test", "0.00", "5.00", "105.01"),
            ("'=HYPERLINK(1)", "7.00", "0.00", "98.01"),
            ("Closing balance", "7.00", "5.00", "98.01"),
        ]
        assert lines[2]["description_ar"] == "'+1"

    def test_points_and_debts_have_statements_too(self, shop: Shop, sign_up: SignUp) -> None:
        customer = sign_up()
        owed = accounts.debt(customer.user_id, "KWD")
        moved(shop, owed, accounts.platform(AccountKind.BAD_DEBTS, "KWD"), 1_250)

        answer = shop.get(f"{BOOKS}/accounts/{owed.id}/statement?format=csv&{around_today(shop)}", shop.admin)

        assert [(line["balance"], line["balance_side"]) for line in lines_of(answer.text)] == [
            ("0.000", "CREDIT"),
            ("1.250", "DEBIT"),
            ("1.250", "DEBIT"),
        ]
        problem(shop.get("/api/v1/points/statement", customer), 404, "account_not_found")

    def test_last_month_is_meant_where_none_is_named(self, shop: Shop, sign_up: SignUp) -> None:
        customer = sign_up()
        a_wallet(shop, customer)
        first = business_date(shop.running.dependencies.clock.now()).replace(day=1)

        lines = lines_of(shop.get("/api/v1/wallet/statement?format=csv", customer).text)

        assert [line["date"] for line in lines] == [
            str((first - timedelta(days=1)).replace(day=1)), str(first - timedelta(days=1)),
        ]  # fmt: skip

    def test_it_is_the_holders_own(self, shop: Shop, sign_up: SignUp) -> None:
        customer, other, employee = sign_up(), sign_up(), sign_up("EMPLOYEE")
        wallet = a_wallet(shop, customer)

        problem(shop.get("/api/v1/wallet/statement", other), 404, "account_not_found")
        problem(shop.get(f"{BOOKS}/accounts/{wallet.id}/statement", other), 403, "wrong_surface")
        problem(shop.get(f"{BOOKS}/accounts/{CLEARING.id}/statement", employee), 404, "account_not_found")
        assert shop.get(f"{BOOKS}/accounts/{wallet.id}/statement", employee).status_code == 202
        problem(shop.get("/api/v1/wallet/statement"), 401, "unauthorized")

    def test_what_is_too_long_to_print_comes_as_a_file(self, shop: Shop, sign_up: SignUp) -> None:
        customer = sign_up()
        wallet = accounts.wallet(customer.user_id, "EGP")
        now = shop.running.dependencies.clock.now()
        post(shop, *(a_journal(*transfer(CLEARING, wallet, 1), occurred_at=now) for _ in range(MOST_PRINTED + 1)))
        period = around_today(shop)

        problem(shop.get(f"/api/v1/wallet/statement?{period}", customer), 422, "statement_too_long")
        lines = lines_of(shop.get(f"/api/v1/wallet/statement?format=csv&{period}", customer).text)

        assert len(lines) == MOST_PRINTED + 3
        assert lines[-1]["balance"] == "10.01"

    def test_files_go_after_thirty_days_and_with_their_person(
        self, shop: Shop, sign_up: SignUp, running: Running, clock: MovableClock
    ) -> None:
        use = running.dependencies
        past, erased = sign_up(), sign_up()
        for person in (past, erased):
            a_wallet(shop, person)
            shop.get(f"/api/v1/wallet/statement?{around_today(shop)}", person)
            moved(shop, accounts.wallet(person.user_id, "EGP"), CLEARING, 10_000)
        shop.deliver_events(draw=True)
        assert len(files(running)) == 2
        erase(shop, erased.user_id)
        assert len(files(running)) == 1

        clock.offset = timedelta(days=29)
        assert drop_past_statements(new_uow=use.new_uow, storage=use.storage, clock=clock) == 0
        clock.offset = timedelta(days=31)
        assert drop_past_statements(new_uow=use.new_uow, storage=use.storage, clock=clock) == 1
        assert files(running) == []
        assert shop.database.rows("SELECT 1 FROM account_statements") == []

    def test_what_is_drawn_for_somebody_who_is_erased_meanwhile_is_not_kept(
        self, shop: Shop, sign_up: SignUp, running: Running
    ) -> None:
        customer = sign_up()
        a_wallet(shop, customer)
        shop.get(f"/api/v1/wallet/statement?{around_today(shop)}", customer)
        with connect(shop.addresses.owner) as connection:
            # What the erasure does to the row, between the drawing's first look and its last.
            connection.execute(
                "CREATE FUNCTION gone() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';"
                "CREATE TRIGGER gone BEFORE UPDATE ON account_statements FOR EACH ROW EXECUTE FUNCTION gone()"
            )

        shop.deliver_events(draw=True)

        assert files(running) == []

    @staticmethod
    def requests(shop: Shop) -> int:
        return len(shop.database.rows("SELECT 1 FROM outbox_events WHERE name = 'ledger.statement_requested'"))


def files(running: Running) -> list[Path]:
    folder = Path(running.settings.storage_url.removeprefix("file://")) / "statements"
    return list(folder.glob("[!.]*"))


def erase(shop: Shop, user_id: UUID) -> Json:
    use = shop.running.dependencies
    asked = shop.done(shop.post(f"/api/v1/admin/users/{user_id}/erasure", shop.admin, {"reason": "by letter"}), 202)
    with connect(shop.addresses.owner) as connection:
        connection.execute("UPDATE erasures SET due_at = now() WHERE id = %s", (asked["id"],))
    assert carry_out_erasure(
        UUID(asked["id"]), new_uow=use.new_uow, storage=use.storage, clock=use.clock, new_id=use.new_id
    )
    return asked
