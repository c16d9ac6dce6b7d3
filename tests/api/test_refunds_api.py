"""Refunds by HTTP: who may ask, what is previewed, what is answered, and what the customer is told."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from application.billing.ports import Capabilities, OutcomeUnknown
from domain.shared.clock import business_date
from infrastructure.payment.sandbox import SandboxGateway
from tests.api.mailbox import mails_to
from tests.api.shop import Json, Shop, SignUp, problem
from tests.conftest import MovableClock, Person

pytestmark = pytest.mark.database


@pytest.fixture(autouse=True)
def a_provider_whose_refunds_are_made_by_people(monkeypatch: pytest.MonkeyPatch) -> None:
    """As at Fawaterk without credentials of its second interface."""
    can = Capabilities(refunds=False, tells_refunds=False, repeats_creation=True)
    monkeypatch.setattr(SandboxGateway, "capabilities", property(lambda _: can))


@pytest.fixture
def customer(sign_up: SignUp) -> Person:
    return sign_up()


@pytest.fixture
def payment(shop: Shop, customer: Person) -> Json:
    """A booking of EGP 2,000.00 that was paid by card at the sandbox."""
    paid = shop.pay(customer, shop.book(customer, shop.offer()))
    shop.take_payment(paid)
    return paid


def money(amount: str, currency: str = "EGP") -> Json:
    return {"amount": amount, "currency": currency}


def ask(shop: Shop, payment: Json, *, key: str = "", person: Person | None = None, **body: Any) -> Any:
    return shop.post(
        f"/api/v1/payments/{payment['id']}/refunds", person or shop.admin, {"reason": "a test", **body}, key=key
    )


def preview(shop: Shop, payment: Json, **query: str) -> Any:
    words = "&".join(f"{name}={value}" for name, value in query.items())
    return shop.get(f"/api/v1/payments/{payment['id']}/refund-preview?{words}", shop.admin)


def test_a_refund_is_accepted_and_waits_for_an_operator_where_the_provider_gives_nothing_back(
    shop: Shop, customer: Person, payment: Json, clock: MovableClock
) -> None:
    answer = ask(shop, payment, amount=money("500.00"))
    refund = shop.done(answer, 202)
    assert answer.headers["Location"] == f"/api/v1/refunds/{refund['id']}"
    assert (refund["status"], refund["amount"], refund["origin"]) == ("AWAITING_OPERATOR", money("500.00"), "STAFF")
    assert refund["refund_number"].startswith("RF-")
    part = refund["parts"][0]
    assert (part["type"], part["way"], part["amount"]) == ("GATEWAY", "OPERATOR", money("500.00"))

    today = business_date(clock.now()).isoformat()
    body = {"part_id": part["id"], "provider_reference": "DASH-1", "refunded_on": today}
    done = shop.done(shop.post(f"/api/v1/admin/refunds/{refund['id']}/confirm", shop.admin, body))
    assert (done["status"], done["parts"][0]["provider_refund_reference"]) == ("SUCCEEDED", "DASH-1")
    problem(shop.post(f"/api/v1/admin/refunds/{refund['id']}/confirm", shop.admin, body), 409, "illegal_transition")

    shown = shop.done(shop.get(f"/api/v1/payments/{payment['id']}", customer))
    assert (shown["status"], shown["refund_amount"]) == ("PARTIALLY_REFUNDED", money("500.00"))


def test_a_refund_has_a_credit_note_and_the_customer_is_told_what_was_done(
    shop: Shop, customer: Person, payment: Json, running: Any
) -> None:
    for amount in ("333.33", "1666.67"):
        shop.done(ask(shop, payment, amount=money(amount), destination="WALLET"), 202)
    shop.deliver_events()
    shop.deliver_events()

    invoices = shop.done(shop.get("/api/v1/invoices", customer))["items"]
    notes = [invoice for invoice in invoices if invoice["invoice_type"] == "CREDIT_NOTE"]
    invoice = next(invoice for invoice in invoices if invoice["invoice_type"] == "STANDARD")
    assert sorted(note["invoice_number"][:3] for note in notes) == ["CN-", "CN-"]
    assert sorted(note["invoice_number"][-6:] for note in notes) == ["000001", "000002"]
    for name in ("total_amount", "tax_amount"):
        assert sum(minor(note[name]) for note in notes) == minor(invoice[name])
    told = shop.done(shop.get("/api/v1/notifications", customer))["items"]
    assert any("EGP 333.33" in note["message"] for note in told)
    mails = [mail for mail in mails_to(customer.email, running.settings.home) if "refund" in mail.subject.lower()]
    assert len(mails) == 2


def minor(amount: Json) -> int:
    return int(amount["amount"].replace(".", ""))


def test_with_the_last_of_its_money_a_booking_is_over_and_its_customer_reads_why(
    shop: Shop, customer: Person, payment: Json, clock: MovableClock
) -> None:
    (booking,) = shop.done(shop.get("/api/v1/bookings", customer))["items"]
    path = f"/api/v1/bookings/{booking['id']}"
    refund = shop.done(ask(shop, payment), 202)
    assert shop.done(shop.get(path, customer))["status"] == "CONFIRMED"

    today = business_date(clock.now()).isoformat()
    body = {"part_id": refund["parts"][0]["id"], "provider_reference": "DASH-1", "refunded_on": today}
    shop.done(shop.post(f"/api/v1/admin/refunds/{refund['id']}/confirm", shop.admin, body))
    shop.deliver_events()

    over = shop.done(shop.get(path, customer))
    assert (over["status"], over["payment_status"]) == ("REFUNDED", "REFUNDED")
    history = shop.done(shop.get(f"{path}/history", shop.admin))["items"]
    assert [step["to_status"] for step in history][-2:] == ["CANCELLED", "REFUNDED"]
    for verb in ("start", "complete"):
        problem(shop.post(f"{path}/{verb}", shop.admin, {"override_reason": "early"}), 409, "illegal_transition")
    [mail] = [
        mail for mail in mails_to(customer.email, shop.running.settings.home)
        if "is cancelled" in mail.subject or "ألغي حجزك" in mail.subject
    ]  # fmt: skip
    assert "2,000.00" in mail.text
    notes = shop.done(shop.get("/api/v1/notifications", customer))["items"]
    [note] = [note for note in notes if note["title_en"] == "Your booking is cancelled"]
    assert note["message_en"].endswith("EGP 2000.00 of what was paid had been refunded before.")
    assert note["message_ar"].endswith("رد من قبل EGP 2000.00 مما دفع.")


def test_a_preview_says_what_goes_back_and_its_token_commits_that(shop: Shop, payment: Json) -> None:
    shown = shop.done(preview(shop, payment, amount="500.00", destination="WALLET"))
    assert (shown["amount"], shown["left_afterwards"]) == (money("500.00"), money("1500.00"))
    assert shown["payment_status_after"] == "PARTIALLY_REFUNDED"
    assert shown["points_taken"] == 50
    assert [(part["type"], part["way"]) for part in shown["parts"]] == [("GATEWAY", "OWN")]
    body = {"amount": money("500.00"), "destination": "WALLET", "preview_token": shown["token"]}
    assert shop.done(ask(shop, payment, **body), 202)["status"] == "SUCCEEDED"
    problem(ask(shop, payment, **body), 409, "refund_preview_stale")


def test_a_token_is_for_one_refund_and_a_quarter_of_an_hour(shop: Shop, payment: Json, clock: MovableClock) -> None:
    token = shop.done(preview(shop, payment, amount="500.00"))["token"]
    problem(ask(shop, payment, amount=money("600.00"), preview_token=token), 409, "refund_preview_stale")
    for forged in ("nonsense", token[:-2], f"e30.{token.partition('.')[2]}", "é.é"):
        problem(ask(shop, payment, amount=money("500.00"), preview_token=forged), 409, "refund_preview_stale")
    clock.offset += timedelta(minutes=16)
    staff = shop.again(shop.admin)
    answer = ask(shop, payment, person=staff, amount=money("500.00"), preview_token=token)
    problem(answer, 409, "refund_preview_stale")


def test_the_same_key_is_one_refund(shop: Shop, payment: Json) -> None:
    first = shop.done(ask(shop, payment, key="once", amount=money("500.00")), 202)
    assert shop.done(ask(shop, payment, key="once", amount=money("500.00")), 202) == first
    problem(ask(shop, payment, key="once", amount=money("600.00")), 422, "idempotency_key_reused")
    path = f"/api/v1/payments/{payment['id']}/refunds"
    keyless = shop.client.post(path, json={"reason": "a test"}, headers=shop.admin.headers)
    problem(keyless, 400, "idempotency_key_missing")
    assert len(shop.done(shop.get("/api/v1/refunds", shop.admin))["items"]) == 1


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"amount": {"amount": "0.00", "currency": "EGP"}}, "validation_failed"),
        ({"amount": {"amount": "-5.00", "currency": "EGP"}}, "validation_failed"),
        ({"amount": {"amount": "5.00", "currency": "USD"}}, "validation_failed"),
        ({"amount": {"amount": "5.001", "currency": "EGP"}}, "validation_failed"),
        ({"amount": 5}, "validation_failed"),
        ({"reason": "x"}, "validation_failed"),
        ({"destination": "BANK"}, "validation_failed"),
        ({"status": "SUCCEEDED"}, "validation_failed"),
        ({"amount": {"amount": "2000.01", "currency": "EGP"}}, "refund_above_capture"),
    ],
)
def test_what_makes_no_sense_is_refused(shop: Shop, payment: Json, body: Json, code: str) -> None:
    problem(ask(shop, payment, **body), 422, code)
    assert shop.done(shop.get("/api/v1/refunds", shop.admin))["items"] == []


def test_only_whoever_may_refund_does_and_nobody_to_themselves(
    shop: Shop, sign_up: SignUp, customer: Person, payment: Json
) -> None:
    for person in (customer, sign_up("EMPLOYEE"), sign_up("AGENT")):
        problem(ask(shop, payment, person=person), 403, "forbidden")
    finance = sign_up("EMPLOYEE", "FINANCE")
    own = shop.pay(finance, shop.book(finance, shop.offer()))
    shop.take_payment(own)
    problem(ask(shop, own, person=finance), 403, "own_request")
    assert ask(shop, payment, person=finance).status_code == 202
    problem(ask(shop, {"id": str(uuid4())}), 404, "payment_not_found")
    problem(preview(shop, {"id": str(uuid4())}, amount="1.00"), 404, "payment_not_found")


def test_a_refund_is_its_owners_and_staffs_to_see(shop: Shop, sign_up: SignUp, customer: Person, payment: Json) -> None:
    refund = shop.done(ask(shop, payment, amount=money("500.00")), 202)
    path = f"/api/v1/refunds/{refund['id']}"
    assert shop.done(shop.get(path, customer)) == refund == shop.done(shop.get(path, shop.admin))
    problem(shop.get(path, sign_up()), 404, "refund_not_found")
    assert shop.done(shop.get("/api/v1/refunds", customer))["items"] == [refund]
    assert shop.done(shop.get("/api/v1/refunds", sign_up()))["items"] == []
    filtered = f"/api/v1/refunds?status=AWAITING_OPERATOR&payment_id={payment['id']}"
    assert shop.done(shop.get(filtered, shop.admin))["items"] == [refund]
    assert shop.done(shop.get("/api/v1/refunds?status=FAILED", shop.admin))["items"] == []


def test_what_waits_for_an_operator_may_go_to_the_wallet(shop: Shop, customer: Person, payment: Json) -> None:
    refund = shop.done(ask(shop, payment), 202)
    body = {"part_id": refund["parts"][0]["id"], "reason": "the card is closed"}
    problem(shop.post(f"/api/v1/admin/refunds/{refund['id']}/resubmit", shop.admin, body), 409, "illegal_transition")
    done = shop.done(shop.post(f"/api/v1/admin/refunds/{refund['id']}/to-wallet", shop.admin, body))
    assert [(part["status"], part["is_replaced"]) for part in done["parts"]] == [
        ("FAILED", True), ("SUCCEEDED", False),
    ]  # fmt: skip
    assert done["status"] == "SUCCEEDED"
    wallet = shop.done(shop.get("/api/v1/wallet?currency=EGP", customer))
    assert wallet["balance"] == money("2000.00")
    problem(shop.post(f"/api/v1/admin/refunds/{uuid4()}/to-wallet", shop.admin, body), 404, "refund_not_found")


def test_a_confirmation_is_of_a_day_that_has_been(shop: Shop, payment: Json, clock: MovableClock) -> None:
    refund = shop.done(ask(shop, payment), 202)
    tomorrow = (business_date(clock.now()) + timedelta(days=1)).isoformat()
    body = {"part_id": refund["parts"][0]["id"], "provider_reference": "DASH-1", "refunded_on": tomorrow}
    answer = shop.post(f"/api/v1/admin/refunds/{refund['id']}/confirm", shop.admin, body)
    problem(answer, 422, "validation_failed", pointer="/refunded_on")


def test_a_reference_of_the_provider_is_one_refunds(shop: Shop, payment: Json, clock: MovableClock) -> None:
    today, answers = business_date(clock.now()).isoformat(), []
    for _ in range(2):
        refund = shop.done(ask(shop, payment, amount=money("100.00")), 202)
        body = {"part_id": refund["parts"][0]["id"], "provider_reference": "DASH-1", "refunded_on": today}
        answers.append(shop.post(f"/api/v1/admin/refunds/{refund['id']}/confirm", shop.admin, body))
    shop.done(answers[0])
    problem(answers[1], 409, "refund_reference_taken")


def test_a_deposit_is_not_refunded_to_the_wallet(shop: Shop, customer: Person) -> None:
    body = {"method": "CREDIT_CARD", "provider": "SANDBOX", "amount": money("500.00")}
    deposit = shop.done(shop.post("/api/v1/wallet/deposits", customer, body), 201)
    shop.take_payment(deposit)
    problem(ask(shop, deposit, destination="WALLET"), 422, "validation_failed", pointer="/destination")
    shop.done(ask(shop, deposit), 202)
    wallet = shop.done(shop.get("/api/v1/wallet?currency=EGP", customer))
    assert (wallet["balance"], wallet["available"]) == (money("500.00"), money("0.00"))


def test_disputes_are_for_staff(shop: Shop, customer: Person) -> None:
    assert shop.done(shop.get("/api/v1/admin/disputes?status=OPEN", shop.admin))["items"] == []
    problem(shop.get("/api/v1/admin/disputes", customer), 403, "wrong_surface")


def test_what_did_not_happen_is_given_up_and_the_deposit_is_its_owners_again(shop: Shop, customer: Person) -> None:
    asked = {"amount": money("100.00"), "method": "CREDIT_CARD", "provider": "SANDBOX"}
    deposit = shop.done(shop.post("/api/v1/wallet/deposits", customer, asked), 201)
    shop.take_payment(deposit)
    refund = shop.done(ask(shop, deposit), 202)
    [row] = shop.done(shop.get("/api/v1/admin/payments/attention", shop.admin))["items"]
    assert (row["reason"], row["actions"]) == ("REFUND_AWAITING_OPERATOR", ["confirm", "to-wallet", "give-up"])

    path = f"/api/v1/admin/refunds/{refund['id']}/give-up"
    body = {"part_id": refund["parts"][0]["id"], "reason": "nobody did it"}
    problem(shop.post(path, customer, body), 403, "wrong_surface")
    problem(shop.post(path, shop.admin, {**body, "reason": ""}), 422, "validation_failed")
    done = shop.done(shop.post(path, shop.admin, body))

    assert (done["status"], done["parts"][0]["error_code"]) == ("FAILED", "given_up")
    assert shop.done(shop.get("/api/v1/wallet?currency=EGP", customer))["available"] == money("100.00")
    problem(shop.post(path, shop.admin, body), 409, "illegal_transition")


def test_long_in_doubt_giving_up_is_offered(
    shop: Shop, payment: Json, clock: MovableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    can = Capabilities(refunds=True, tells_refunds=True, repeats_creation=True)
    monkeypatch.setattr(SandboxGateway, "capabilities", property(lambda _: can))

    def lost(*_: object) -> None:
        raise OutcomeUnknown(provider="SANDBOX")

    monkeypatch.setattr(SandboxGateway, "refund", lost)
    shop.done(ask(shop, payment), 202)
    shop.deliver_events()

    for hours, actions in ((1, []), (20, ["give-up"])):
        clock.offset += timedelta(hours=hours)
        rows = shop.done(shop.get("/api/v1/admin/payments/attention", shop.again(shop.admin)))["items"]
        assert [(row["reason"], row["actions"]) for row in rows] == [("REFUND_UNKNOWN", actions)]
