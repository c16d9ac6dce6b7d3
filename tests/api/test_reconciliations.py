"""Providers' statements beside what we received: what matches, what does not, and how that ends."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import pytest

from domain.shared.clock import business_date
from tests.api.shop import Json, Shop, SignUp, problem
from tests.conftest import Person

pytestmark = pytest.mark.database

PATH = "/api/v1/admin/ledger/reconciliations"
HEADING = "booked_on,provider_reference,kind,amount,currency"


def today(shop: Shop) -> date:
    return business_date(shop.running.dependencies.clock.now())


def paid(shop: Shop, person: Person, amount: str = "100.00", *, outcome: str = "paid") -> str:
    """A deposit through the sandbox; what the sandbox calls it."""
    body = {"method": "CREDIT_CARD", "provider": "SANDBOX", "amount": {"amount": amount, "currency": "EGP"}}
    payment = shop.done(shop.post("/api/v1/wallet/deposits", person, body), 201)
    shop.take_payment(payment, outcome)
    return str(payment["provider_reference"])


def imported(shop: Shop, *lines: str, day: date | None = None) -> Json:
    """A statement of the sandbox's: lines without their day, which is today."""
    text = "\r\n".join([HEADING, *(f"{day or today(shop)},{line}" for line in lines)])
    return shop.done(shop.post(PATH, shop.admin, {"provider": "sandbox", "statement": text}), 201)


def breaks(shop: Shop, **asked: str) -> list[Json]:
    answer = shop.client.get(f"{PATH}/breaks", query_string=asked, headers=shop.admin.headers)
    items: list[Json] = shop.done(answer)["items"]
    return sorted(items, key=lambda found: str(found["provider_reference"]))


def told(found: Json) -> tuple[str, str, str, str]:
    return found["kind"], found["ours"]["amount"], found["theirs"]["amount"], found["status"]


def decide(shop: Shop, found: Json, status: str, *, key: str = "") -> Any:
    body = {"status": status, "reason": "asked the provider"}
    return shop.post(f"{PATH}/breaks/{found['id']}/decision", shop.admin, body, key=key or uuid4().hex)


def test_what_matches_what_differs_and_what_only_one_side_knows(shop: Shop, sign_up: SignUp) -> None:
    customer = sign_up()
    same, short, missing = (paid(shop, customer) for _ in range(3))

    done = imported(
        shop,
        ",OPENING,0.00,EGP",
        f"{same},PAYMENT,100.00,EGP",
        f"{short},PAYMENT,97.50,EGP",
        "never-heard-of,PAYMENT,5.00,EGP",
        ",FEE,-2.00,EGP",
        ",CLOSING,200.50,EGP",
    )

    assert (done["lines"], done["matched"], done["breaks"]) == (4, 1, 4)
    by_reference = {found["provider_reference"]: told(found) for found in breaks(shop)}
    assert by_reference == {
        short: ("AMOUNT_DIFFERS", "100.00", "97.50", "OPEN"),
        missing: ("ONLY_OURS", "100.00", "0.00", "OPEN"),
        "never-heard-of": ("ONLY_THEIRS", "0.00", "5.00", "OPEN"),
        str(today(shop)): ("ONLY_THEIRS", "0.00", "-2.00", "OPEN"),
    }
    [day] = done["days"]
    assert {name: day[name]["amount"] for name in ("our_movement", "their_movement", "our_closing", "their_opening",
                                                    "their_closing")} == {
        "our_movement": "300.00", "their_movement": "200.50", "our_closing": "300.00", "their_opening": "0.00",
        "their_closing": "200.50",
    }  # fmt: skip


def test_the_same_statement_again_changes_nothing(shop: Shop, sign_up: SignUp) -> None:
    reference = paid(shop, sign_up())
    first = imported(shop, f"{reference},PAYMENT,90.00,EGP")
    [before] = breaks(shop)
    second = imported(shop, f"{reference},PAYMENT,90.00,EGP")

    assert breaks(shop) == [before]
    assert second["days"][0]["their_movement"]["amount"] == "90.00"
    # The days belong to whoever spoke of them last.
    assert shop.done(shop.get(f"{PATH}/{first['id']}", shop.admin))["days"] == []
    listed = shop.done(shop.get(f"{PATH}?provider=SANDBOX", shop.admin))["items"]
    assert [row["id"] for row in listed] == [second["id"], first["id"]]


def test_what_the_provider_books_a_day_later_closes_the_gap(shop: Shop, sign_up: SignUp) -> None:
    reference = paid(shop, sign_up())
    imported(shop, "other,PAYMENT,1.00,EGP")
    assert told(next(one for one in breaks(shop) if one["provider_reference"] == reference))[0] == "ONLY_OURS"

    imported(shop, f"{reference},PAYMENT,100.00,EGP", day=today(shop) + timedelta(days=1))

    [matched] = breaks(shop, status="MATCHED")
    assert matched["provider_reference"] == reference
    assert matched["resolved_at"] is not None


def test_a_corrected_statement_takes_back_what_it_said(shop: Shop, sign_up: SignUp) -> None:
    reference = paid(shop, sign_up())
    tomorrow = today(shop) + timedelta(days=1)
    imported(shop, "mistaken,PAYMENT,1.00,EGP")
    imported(shop, f"{reference},PAYMENT,100.00,EGP", day=tomorrow)

    imported(shop, "other,PAYMENT,2.00,EGP")
    imported(shop, "other,FEE,-1.00,EGP", day=tomorrow)

    status = {found["provider_reference"]: found["status"] for found in breaks(shop)}
    assert (status["mistaken"], status[reference]) == ("MATCHED", "OPEN")


def test_who_paid_twice_at_the_provider_has_paid_twice_with_us(shop: Shop, sign_up: SignUp) -> None:
    reference = paid(shop, sign_up(), outcome="twice")

    done = imported(shop, *[f"{reference},PAYMENT,100.00,EGP"] * 2)

    assert (done["matched"], done["breaks"]) == (1, 0)


def test_days_that_no_statement_speaks_of_are_not_compared(shop: Shop, sign_up: SignUp) -> None:
    paid(shop, sign_up())

    done = imported(shop, "old,FEE,-1.00,EGP", day=today(shop) - timedelta(days=1))
    in_another_currency = imported(shop, "kuwaiti,FEE,-1.000,KWD")

    assert (done["breaks"], in_another_currency["breaks"]) == (1, 1)


def test_an_explanation_holds_for_the_figures_it_was_given_for(shop: Shop, sign_up: SignUp) -> None:
    reference = paid(shop, sign_up())
    imported(shop, f"{reference},PAYMENT,98.00,EGP")
    [found] = breaks(shop)
    explained = shop.done(decide(shop, found, "EXPLAINED"))
    assert (explained["status"], explained["reason"]) == ("EXPLAINED", "asked the provider")
    problem(decide(shop, found, "EXPLAINED"), 409, "illegal_transition")

    imported(shop, f"{reference},PAYMENT,98.00,EGP")
    assert [one["status"] for one in breaks(shop)] == ["EXPLAINED"]
    imported(shop, f"{reference},PAYMENT,95.00,EGP")

    [again] = breaks(shop, status="OPEN")
    assert told(again) == ("AMOUNT_DIFFERS", "100.00", "95.00", "OPEN")
    assert (again["reason"], again["decided_by_user_id"]) == ("", None)


def test_a_loss_is_booked_once_and_is_no_longer_ours(shop: Shop, sign_up: SignUp) -> None:
    reference = paid(shop, sign_up())
    imported(shop, "other,PAYMENT,1.00,EGP")
    [found] = [one for one in breaks(shop) if one["kind"] == "ONLY_OURS"]

    first, second = (shop.done(decide(shop, found, "WRITTEN_OFF", key="one")) for _ in range(2))

    assert first == second
    assert (first["status"], first["written_off"]["amount"]) == ("WRITTEN_OFF", "100.00")
    journal = shop.done(shop.get(f"/api/v1/admin/ledger/journals/{first['journal_id']}", shop.admin))
    assert journal["journal_type"] == "WRITE_OFF"
    assert {leg["kind"]: leg["amount"]["amount"] for leg in journal["entries"]} == {
        "BAD_DEBTS": "-100.00",
        "PROVIDER_CLEARING": "100.00",
    }
    # Said again, nothing is open; once the money turns up, it is found that nobody expects it.
    imported(shop, "other,PAYMENT,1.00,EGP")
    assert reference not in [one["provider_reference"] for one in breaks(shop, status="OPEN")]
    imported(shop, f"{reference},PAYMENT,100.00,EGP")
    [late] = [one for one in breaks(shop, status="OPEN") if one["provider_reference"] == reference]
    assert told(late) == ("AMOUNT_DIFFERS", "0.00", "100.00", "OPEN")


def test_what_a_provider_kept_of_a_charge_is_its_fee(shop: Shop, sign_up: SignUp) -> None:
    reference = paid(shop, sign_up())
    imported(shop, f"{reference},PAYMENT,97.00,EGP")
    [found] = breaks(shop)

    done = shop.done(decide(shop, found, "WRITTEN_OFF"))

    journal = shop.done(shop.get(f"/api/v1/admin/ledger/journals/{done['journal_id']}", shop.admin))
    assert {leg["kind"]: leg["amount"]["amount"] for leg in journal["entries"]} == {
        "PROVIDER_FEES": "-3.00",
        "PROVIDER_CLEARING": "3.00",
    }


def test_money_that_only_the_provider_has_is_no_loss(shop: Shop) -> None:
    imported(shop, "theirs,PAYMENT,5.00,EGP")
    [found] = breaks(shop)

    problem(decide(shop, found, "WRITTEN_OFF"), 422, "nothing_to_write_off")
    problem(shop.post(f"{PATH}/breaks/{uuid4()}/decision", shop.admin, {"status": "EXPLAINED", "reason": "none"}),
            404, "break_not_found")  # fmt: skip
    assert breaks(shop) == [found]


def test_of_two_who_write_off_at_once_one_does(shop: Shop, sign_up: SignUp) -> None:
    paid(shop, sign_up())
    imported(shop, "other,PAYMENT,1.00,EGP")
    [found] = [one for one in breaks(shop) if one["kind"] == "ONLY_OURS"]

    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(lambda _: decide(shop, found, "WRITTEN_OFF").status_code, range(4)))

    assert sorted(answers) == [200, 409, 409, 409]
    assert len(shop.database.rows("SELECT 1 FROM ledger_journals WHERE journal_type = 'WRITE_OFF'")) == 1


def test_a_file_that_cannot_be_read_changes_nothing(shop: Shop) -> None:
    text = f"{HEADING}\r\n2026-11-01,r,PAYMENT,1.00,EGP\r\n2026-11-01,r,PAYMENT,1.005,EGP"

    refused = shop.post(PATH, shop.admin, {"provider": "SANDBOX", "statement": text})

    document = problem(refused, 422, "validation_failed", pointer="/statement")
    assert "line 3" in document["errors"][0]["detail"]
    assert shop.database.rows("SELECT 1 FROM reconciliations") == []


def test_imports_of_the_same_day_at_once_leave_one_statement(shop: Shop, sign_up: SignUp) -> None:
    reference = paid(shop, sign_up())
    assert shop.admin.user_id, "signed in before the threads ask for it"
    lines = [f"{reference},PAYMENT,90.00,EGP", "other,PAYMENT,1.000,KWD", "other,FEE,-1.00,EGP"]

    with ThreadPoolExecutor(4) as threads:
        done = list(threads.map(lambda turn: imported(shop, *lines[:: -1 if turn % 2 else 1]), range(4)))

    assert [(one["matched"], one["breaks"]) for one in done] == [(0, 3)] * 4
    assert len(shop.database.rows("SELECT 1 FROM clearing_statement_lines")) == 3
    assert len(breaks(shop)) == 3


def test_only_those_who_move_money_reconcile(shop: Shop, sign_up: SignUp) -> None:
    employee, finance = sign_up("EMPLOYEE"), sign_up("EMPLOYEE", "FINANCE")
    body = {"provider": "SANDBOX", "statement": f"{HEADING}\r\n2026-11-01,r,PAYMENT,1.00,EGP"}

    problem(shop.post(PATH, employee, body), 403, "forbidden")
    done = shop.done(shop.post(PATH, finance, body), 201)
    assert shop.done(shop.get(f"{PATH}/{done['id']}", employee))["breaks"] == 1
    problem(shop.get(f"{PATH}/{uuid4()}", employee), 404, "reconciliation_not_found")
    problem(shop.post(PATH, finance, {**body, "provider": "NOBODY"}), 404, "unknown_provider")
    problem(shop.get(PATH, sign_up()), 403, "wrong_surface")
