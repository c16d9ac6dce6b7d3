"""Payroll over HTTP: made, tried, approved by another, sent, told to the bank, and who may do which."""

from __future__ import annotations

from typing import Any

import pytest

from infrastructure.bootstrap import Running
from tests.api.shop import Shop, SignUp, problem
from tests.conftest import Person
from tests.integration.payroll import Payroll
from tests.iso20022.validation import Schema

pytestmark = pytest.mark.database

BATCHES = "/api/v1/admin/payout-batches"
PAYOUTS = "/api/v1/admin/payouts"
WEEKLY = {"period": "WEEKLY", "payee_type": "ALL"}
IBAN = "EG380019000500000000263180002"


@pytest.fixture
def payroll(running: Running) -> Payroll:
    return Payroll.of(running)


@pytest.fixture
def maker(sign_up: SignUp) -> Person:
    return sign_up("FINANCE")


@pytest.fixture
def checker(sign_up: SignUp) -> Person:
    return sign_up("FINANCE")


def made(shop: Shop, maker: Person, **said: Any) -> dict[str, Any]:
    answer = shop.post(BATCHES, maker, {**WEEKLY, **said})
    assert answer.status_code == 201, answer.text
    assert isinstance(answer.json, dict)
    return answer.json


def done(answer: Any) -> dict[str, Any]:
    assert answer.status_code == 200, answer.text
    document: dict[str, Any] = answer.json
    return document


def rate(shop: Shop, staff: Person, source: str, target: str, value: str) -> None:
    body = {"from_currency": source, "to_currency": target, "rate": value}
    shop.done(shop.post("/api/v1/admin/exchange-rates", staff, body), 201)


def left_out(shop: Shop, maker: Person) -> dict[str, str]:
    return {one["payee_id"]: one["reason"] for one in made(shop, maker, dry_run=True)["left_out"]}


def test_what_the_minimum_is_worth_holds_in_other_currencies(shop: Shop, payroll: Payroll, maker: Person) -> None:
    poor, enough = payroll.a_payee(244_999, currency="EGP"), payroll.a_payee(245_000, currency="EGP")
    dinars = payroll.a_payee(15_399, currency="KWD")
    assert left_out(shop, maker) == {}

    rate(shop, maker, "EGP", "USD", "1000")
    assert left_out(shop, maker) == {}
    rate(shop, maker, "USD", "EGP", "1")
    rate(shop, maker, "USD", "EGP", "49")
    rate(shop, maker, "USD", "KWD", "0.308")
    below = dict.fromkeys((str(poor.user_id), str(dinars.user_id)), "BELOW_MINIMUM")
    assert left_out(shop, maker) == below

    setting = "/api/v1/admin/settings/payout.minimum"
    for value, expected in (
        ([{"amount": "50.00", "currency": "USD"}, {"amount": "2450.01", "currency": "EGP"}],
         below | {str(enough.user_id): "BELOW_MINIMUM"}),
        ([{"amount": "50.00", "currency": "USD"}, {"amount": "0.00", "currency": "EGP"}],
         {str(dinars.user_id): "BELOW_MINIMUM"}),
        ([], {}),
    ):  # fmt: skip
        shop.done(shop.client.put(setting, json={"value": value}, headers=shop.admin.headers))
        assert left_out(shop, maker) == expected
    assert made(shop, maker)["payouts_count"] == 3


def test_a_batch_from_the_draft_to_its_end(shop: Shop, payroll: Payroll, maker: Person, checker: Person) -> None:
    payroll.a_payee(8_000)
    poor = payroll.a_payee(100)
    batch = made(shop, maker)
    assert (batch["status"], batch["payouts_count"], batch["entries_count"], batch["dry_run"]) == ("DRAFT", 1, 1, False)
    assert batch["totals"][0]["amount"] == {"amount": "80.00", "currency": "USD"}
    assert [(one["payee_id"], one["reason"]) for one in batch["left_out"]] == [(str(poor.user_id), "BELOW_MINIMUM")]
    path = f"{BATCHES}/{batch['id']}"
    problem(shop.post(f"{path}/approve", maker), 403, "own_payout_batch")
    problem(shop.post(f"{path}/process", checker), 409, "illegal_transition")
    assert done(shop.post(f"{path}/approve", checker))["status"] == "APPROVED"
    problem(shop.post(f"{path}/approve", checker), 409, "illegal_transition")
    problem(shop.post(f"{path}/cancel", maker), 409, "illegal_transition")
    assert done(shop.post(f"{path}/process", maker))["status"] == "PROCESSING"
    payroll.send()
    shown = done(shop.get(path, maker))
    assert (shown["status"], shown["payouts"][0]["status"]) == ("COMPLETED", "PAID")
    assert shown["totals"][0]["paid"]["amount"] == "80.00"


def test_the_same_key_makes_one_batch(shop: Shop, payroll: Payroll, maker: Person) -> None:
    payroll.a_payee(8_000)
    answers = [shop.post(BATCHES, maker, WEEKLY, key="once") for _ in range(2)]
    assert answers[0].json == answers[1].json
    assert shop.get(BATCHES, maker).json["items"] != []
    assert len(shop.get(BATCHES, maker).json["items"]) == 1


def test_money_moves_only_with_a_key(shop: Shop, payroll: Payroll, maker: Person, checker: Person) -> None:
    payroll.a_payee(8_000)
    path = f"{BATCHES}/{made(shop, maker)['id']}"
    for verb in ("approve", "process", "cancel"):
        problem(shop.client.post(f"{path}/{verb}", headers=checker.headers), 400, "idempotency_key_missing")


def test_a_dry_run_answers_the_same_shape_and_stores_nothing(shop: Shop, payroll: Payroll, maker: Person) -> None:
    payroll.a_payee(8_000)
    real = made(shop, maker)
    payroll.a_payee([6_000, 1_000])
    would_be = made(shop, maker, dry_run=True)
    assert would_be.keys() == real.keys()
    assert would_be["payouts"][0].keys() == real["payouts"][0].keys()
    assert (would_be["id"], would_be["dry_run"], would_be["status"]) == (None, True, "DRAFT")
    assert would_be["totals"][0]["amount"]["amount"] == "70.00"
    assert would_be["difference"] == {
        "batch_number": real["batch_number"],
        "payees_added": 1,
        "payees_gone": 1,
        "amounts": [
            {
                "before": {"amount": "80.00", "currency": "USD"},
                "now": {"amount": "70.00", "currency": "USD"},
                "difference": {"amount": "-10.00", "currency": "USD"},
            }
        ],
    }
    assert len(shop.get(BATCHES, maker).json["items"]) == 1


@pytest.mark.parametrize(
    ("said", "pointer"),
    [
        ({"period": "DAILY"}, "/period"),
        ({"payee_type": "ALL_OF_THEM"}, "/payee_type"),
        ({"cut_off": "2099-01-01T00:00:00Z"}, "/cut_off"),
        ({"cut_off": "2026-01-01"}, "/cut_off"),
        ({"dry_run": "yes"}, "/dry_run"),
        ({"amount": 5}, "/amount"),
    ],
)
@pytest.mark.parametrize("dry_run", [True, False])
def test_a_batch_that_cannot_be_is_refused_naming_the_field(
    shop: Shop, maker: Person, said: dict[str, Any], pointer: str, dry_run: bool
) -> None:
    answer = shop.post(BATCHES, maker, {**WEEKLY, "dry_run": dry_run, **said})
    problem(answer, 422, "validation_failed", pointer=pointer)


def test_whoever_saw_another_version_changes_nothing(
    shop: Shop, payroll: Payroll, maker: Person, checker: Person
) -> None:
    payroll.a_payee(8_000)
    path = f"{BATCHES}/{made(shop, maker)['id']}"
    seen = shop.get(path, maker).headers["ETag"]
    assert done(shop.post(f"{path}/approve", checker, If_Match=seen))["status"] == "APPROVED"
    problem(shop.post(f"{path}/process", checker, If_Match=seen), 412, "precondition_failed")


def test_what_staff_do_is_in_the_audit_log(shop: Shop, payroll: Payroll, maker: Person, checker: Person) -> None:
    payroll.a_payee(8_000)
    batch = made(shop, maker)
    done(shop.post(f"{BATCHES}/{batch['id']}/approve", checker))
    rows = payroll.database.rows(
        "SELECT user_id, action FROM audit_logs WHERE resource_id = %s ORDER BY id", (batch["id"],)
    )
    assert [(row["user_id"], row["action"]) for row in rows] == [
        (maker.user_id, "payouts.create"),
        (checker.user_id, "payouts.approve"),
    ]


@pytest.mark.parametrize("role", ["", "VENDOR", "AGENT", "SALES", "SUPPORT", "OPERATIONS"])
def test_nobody_but_finance_sees_payroll(shop: Shop, sign_up: SignUp, role: str) -> None:
    person = sign_up(role) if role else sign_up()
    for path in (BATCHES, PAYOUTS):
        assert shop.get(path, person).status_code == 403
    assert shop.post(BATCHES, person, WEEKLY).status_code == 403


def test_batches_and_payouts_come_in_pages(shop: Shop, payroll: Payroll, maker: Person) -> None:
    payees = [payroll.a_payee(6_000 + number) for number in range(5)]
    batch = made(shop, maker)
    seen: list[str] = []
    cursor = ""
    while True:
        page = done(shop.get(f"{PAYOUTS}?limit=2&batch_id={batch['id']}{cursor}", maker))
        seen += [one["payee_id"] for one in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"
    assert sorted(seen) == sorted(str(payee.user_id) for payee in payees)
    one = done(shop.get(f"{PAYOUTS}?payee_id={payees[0].user_id}&status=PENDING", maker))["items"][0]
    assert done(shop.get(f"{PAYOUTS}/{one['id']}", maker))["amount"] == {"amount": "60.00", "currency": "USD"}
    problem(shop.get(f"{PAYOUTS}/{batch['id']}", maker), 404, "payout_not_found")
    problem(shop.get(f"{BATCHES}/{one['id']}", maker), 404, "payout_batch_not_found")


def processed(shop: Shop, maker: Person, checker: Person) -> dict[str, Any]:
    batch = made(shop, maker)
    path = f"{BATCHES}/{batch['id']}"
    done(shop.post(f"{path}/approve", checker))
    return done(shop.post(f"{path}/process", maker))


def test_the_bank_is_told_and_tells(shop: Shop, payroll: Payroll, maker: Person, checker: Person) -> None:
    for key, value in (("payout.debtor_name", "AltayarVIP"), ("payout.debtor_iban", IBAN)):
        answer = shop.client.put(
            f"/api/v1/admin/settings/{key}",
            json={"value": value},
            headers={**shop.admin.headers, "Idempotency-Key": key},
        )
        assert answer.status_code == 200, answer.text
    paid, failed = payroll.a_payee(8_000, method="BANK_TRANSFER"), payroll.a_payee(6_000, method="BANK_TRANSFER")
    batch = processed(shop, maker, checker)
    path = f"{BATCHES}/{batch['id']}"
    xml = shop.get(f"{path}/bank-file?format=pain.001", maker)
    assert (xml.status_code, xml.mimetype, xml.headers["Cache-Control"]) == (200, "application/xml", "no-store")
    assert Schema().faults(xml.data) == []
    text = shop.get(f"{path}/bank-file", maker)
    assert (text.content_type, len(text.text.splitlines())) == ("text/csv; charset=utf-8", 3)
    numbers = {one["payee_id"]: one["payout_number"] for one in batch["payouts"]}
    results = (
        "payout,status,bank_reference,reason\r\n"
        f"{numbers[str(paid.user_id)]},PAID,BR-1,\r\n{numbers[str(failed.user_id)]},FAILED,,Closed\r\nPO-1,PAID,,\r\n"
    )
    headers = {**maker.headers, "Content-Type": "text/csv"}
    answer = done(shop.client.post(f"{path}/bank-results", data=results, headers=headers))
    assert (answer["applied"], [one["outcome"] for one in answer["lines"]]) == (
        2,
        ["APPLIED", "APPLIED", "UNKNOWN_PAYOUT"],
    )
    assert done(shop.get(path, maker))["status"] == "COMPLETED"
    assert done(shop.client.post(f"{path}/bank-results", data=results, headers=headers))["applied"] == 0


def test_bank_results_of_another_kind_or_size_are_refused(
    shop: Shop, payroll: Payroll, maker: Person, checker: Person
) -> None:
    payroll.a_payee(8_000, method="BANK_TRANSFER")
    path = f"{BATCHES}/{processed(shop, maker, checker)['id']}/bank-results"

    def sent(data: bytes, kind: str) -> Any:
        return shop.client.post(path, data=data, headers={**maker.headers, "Content-Type": kind})

    problem(sent(b"{}", "application/json"), 415, "unsupported_media_type")
    problem(sent(b"\xff", "text/csv"), 422, "validation_failed", pointer="/results")
    problem(sent(b"<!DOCTYPE a><a/>", "application/xml"), 422, "validation_failed", pointer="/results")
    assert sent(b"x" * (10 * 1024 * 1024 + 2), "text/csv").status_code == 413


def test_pain_001_without_a_payer_is_refused_and_so_is_a_file_of_nothing(
    shop: Shop, payroll: Payroll, maker: Person, checker: Person
) -> None:
    payroll.a_payee(8_000, method="BANK_TRANSFER")
    batch = made(shop, maker)
    path = f"{BATCHES}/{batch['id']}"
    problem(shop.get(f"{path}/bank-file", maker), 409, "bank_file_not_ready")
    done(shop.post(f"{path}/approve", checker))
    done(shop.post(f"{path}/process", maker))
    problem(shop.get(f"{path}/bank-file?format=pain.001", maker), 409, "payout_debtor_missing")
    problem(shop.get(f"{path}/bank-file?format=xlsx", maker), 422, "validation_failed", pointer="/format")
    payroll.a_payee(8_000)
    wallets = processed(shop, maker, checker)
    problem(shop.get(f"{BATCHES}/{wallets['id']}/bank-file", maker), 409, "bank_file_empty")


def test_a_payout_is_taken_back_confirmed_or_failed_by_hand(
    shop: Shop, payroll: Payroll, maker: Person, checker: Person
) -> None:
    bank, wallet = payroll.a_payee(8_000, method="BANK_TRANSFER"), payroll.a_payee(6_000)
    batch = processed(shop, maker, checker)
    ids = {one["payee_id"]: one["id"] for one in batch["payouts"]}
    sent, pending = f"{PAYOUTS}/{ids[str(bank.user_id)]}", f"{PAYOUTS}/{ids[str(wallet.user_id)]}"
    problem(shop.post(f"{sent}/cancel", maker, {"reason": "a test"}), 409, "illegal_transition")
    assert done(shop.post(f"{pending}/cancel", maker, {"reason": "a test"}))["status"] == "CANCELLED"
    shown = done(shop.post(f"{sent}/confirm", maker, {"bank_reference": "BR-7"}))
    assert (shown["status"], shown["bank_reference"]) == ("PAID", "BR-7")
    problem(shop.post(f"{sent}/fail", maker, {"reason": "a test"}), 409, "illegal_transition")
    assert done(shop.get(f"{BATCHES}/{batch['id']}", maker))["status"] == "COMPLETED"


def test_a_payout_in_a_draft_is_not_taken_back_alone(shop: Shop, payroll: Payroll, maker: Person) -> None:
    payroll.a_payee(8_000)
    payout = made(shop, maker)["payouts"][0]["id"]
    problem(shop.post(f"{PAYOUTS}/{payout}/cancel", maker, {"reason": "a test"}), 409, "illegal_transition")
