"""The attention queue by HTTP: who may look, who may act, and what is answered."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from tests.api.shop import Json, Shop, SignUp, problem
from tests.conftest import Person

pytestmark = pytest.mark.database

QUEUE = "/api/v1/admin/payments/attention"
WHY = {"reason": "the customer called"}


@pytest.fixture
def customer(sign_up: SignUp) -> Person:
    return sign_up()


@pytest.fixture
def finance(sign_up: SignUp) -> Person:
    return sign_up("EMPLOYEE", "FINANCE")


@pytest.fixture
def employee(sign_up: SignUp) -> Person:
    return sign_up("EMPLOYEE")


def suspend(shop: Shop, customer: Person, outcome: str = "twice") -> Json:
    """The row of a payment of which money lies in suspense."""
    shop.take_payment(shop.pay(customer, shop.book(customer, shop.offer())), outcome)
    [row] = shop.done(shop.get(QUEUE, shop.admin))["items"]
    assert isinstance(row, dict)
    return row


def wallet(shop: Shop, person: Person) -> str:
    return str(shop.done(shop.get("/api/v1/wallet", person))["balance"]["amount"])


def an_unknown_webhook(shop: Shop) -> Json:
    """A webhook that named nothing of ours, for long enough that staff see it."""
    shop.database.rows(
        """INSERT INTO payment_webhook_logs (id, provider, webhook_event_id, event_type, provider_reference,
               provider_key, merchant_reference, reference_number, body, content_type, status, ip_address,
               received_at, processed_at, error_message)
           VALUES (gen_random_uuid(), 'SANDBOX', 'evt_1', 'checkout.paid', %s, '', '', '',
                   '{"secret": "canary"}', 'application/json', 'FAILED', '192.0.2.1', now(), now(),
                   'unknown_reference') RETURNING 1""",
        (str(uuid4()),),
    )
    [row] = shop.done(shop.get(f"{QUEUE}?reason=UNKNOWN_REFERENCE", shop.admin))["items"]
    assert isinstance(row, dict)
    return row


def test_a_row_says_what_it_is_how_old_and_what_can_be_done(shop: Shop, customer: Person) -> None:
    row = suspend(shop, customer)

    assert (row["kind"], row["reason"], row["status"], row["provider"]) == (
        "SUSPENSE", "SUSPENSE_TWICE", "OPEN", "SANDBOX",
    )  # fmt: skip
    assert row["actions"] == ["wallet", "apply", "refund"]
    assert row["amount"] == row["expected"] == {"amount": "2000.00", "currency": "EGP"}
    assert row["user_id"] == str(customer.user_id)
    assert 0 <= row["age_seconds"] < 600


def test_the_whole_story_of_a_row_tells_attempts_receipts_webhooks_and_journals(
    shop: Shop, customer: Person, employee: Person
) -> None:
    row = suspend(shop, customer)

    answer = shop.get(f"{QUEUE}/suspense/{row['id']}", employee)

    story = shop.done(answer)
    assert [attempt["status"] for attempt in story["attempts"]] == ["PAID"]
    assert [(one["disposition"], one["reason"]) for one in story["receipts"]] == [
        ("SETTLED", None),
        ("SUSPENSE", "TWICE"),
    ]
    assert {one["status"] for one in story["webhooks"]} == {"PROCESSED"}
    kinds = [entry["account_kind"] for one in story["journals"] for entry in one["entries"]]
    assert "SUSPENSE" in kinds
    assert "checkout.paid" in answer.text
    assert '"body"' not in answer.text


def test_money_goes_into_the_wallet_once_whatever_is_sent_how_often(
    shop: Shop, customer: Person, finance: Person
) -> None:
    path = f"{QUEUE}/suspense/{suspend(shop, customer)['id']}/wallet"

    first = shop.post(path, finance, WHY, key="once")
    again = shop.post(path, finance, WHY, key="once")

    done = shop.done(first)
    assert (done["status"], done["detail"], done["actions"]) == ("RESOLVED", "WALLET", [])
    assert (again.json, again.headers["Idempotent-Replayed"]) == (done, "true")
    problem(shop.post(path, finance, {"reason": "another reason"}, key="once"), 422, "idempotency_key_reused")
    problem(shop.post(path, finance, WHY), 409, "illegal_transition")
    problem(shop.client.post(path, json=WHY, headers=finance.headers), 400, "idempotency_key_missing")
    assert wallet(shop, customer) == "2000.00"
    assert shop.done(shop.get(QUEUE, shop.admin))["items"] == []
    shop.deliver_events()
    told = shop.done(shop.get("/api/v1/notifications", customer))["items"]
    assert "Money was put into your wallet" in [one["title"] for one in told]


def test_who_may_look_may_not_act_and_customers_may_neither(shop: Shop, customer: Person, employee: Person) -> None:
    row = suspend(shop, customer)
    for path in (QUEUE, f"{QUEUE}/suspense/{row['id']}"):
        assert shop.get(path, employee).status_code == 200
        problem(shop.get(path, customer), 403, "wrong_surface")
        assert shop.get(path).status_code == 401
    actions = {
        "suspense": ("wallet", "apply", "refund", "write-off"),
        "attempts": ("check", "give-up"),
        "webhooks": ("retry", "dismiss", "assign"),
        "payments": ("invoice",),
    }
    for kind, names in actions.items():
        for name in names:
            answer = shop.post(f"{QUEUE}/{kind}/{row['id']}/{name}", employee, WHY)
            problem(answer, 403, "forbidden")
    problem(shop.get(f"{QUEUE}/webhooks/{row['id']}/body?reason=curious", employee), 403, "forbidden")
    assert wallet(shop, customer) == "0.00"


def test_nobody_decides_about_their_own(shop: Shop, finance: Person) -> None:
    row = suspend(shop, finance)

    problem(shop.post(f"{QUEUE}/suspense/{row['id']}/wallet", finance, WHY), 403, "own_request")


@pytest.mark.parametrize("body", [{}, {"reason": ""}, {"reason": "no"}, {"reason": "x" * 501}, {"reason": 5}])
def test_a_reason_is_needed(shop: Shop, finance: Person, body: Json) -> None:
    problem(shop.post(f"{QUEUE}/suspense/{uuid4()}/wallet", finance, body), 422, "validation_failed", pointer="/reason")


def test_what_is_not_there_is_404(shop: Shop, finance: Person) -> None:
    nothing = uuid4()
    problem(shop.post(f"{QUEUE}/suspense/{nothing}/wallet", finance, WHY), 404, "suspense_not_found")
    problem(shop.post(f"{QUEUE}/suspense/{nothing}/write-off", finance, WHY), 404, "attention_not_found")
    problem(shop.post(f"{QUEUE}/attempts/{nothing}/give-up", finance, WHY), 404, "attempt_not_found")
    problem(shop.post(f"{QUEUE}/webhooks/{nothing}/retry", finance, WHY), 404, "webhook_not_found")
    problem(shop.post(f"{QUEUE}/payments/{nothing}/invoice", finance, WHY), 404, "payment_not_found")
    for kind in ("suspense", "attempts", "webhooks", "payments"):
        problem(shop.get(f"{QUEUE}/{kind}/{nothing}", finance), 404, "attention_not_found")


def test_filters_are_checked_and_pages_end(shop: Shop, customer: Person) -> None:
    suspend(shop, customer)
    an_unknown_webhook(shop)

    first = shop.done(shop.get(f"{QUEUE}?limit=1", shop.admin))
    second = shop.done(shop.get(f"{QUEUE}?limit=1&cursor={first['next_cursor']}", shop.admin))

    assert [row["reason"] for row in first["items"] + second["items"]] == ["UNKNOWN_REFERENCE", "SUSPENSE_TWICE"]
    assert second["next_cursor"] is None
    assert shop.done(shop.get(f"{QUEUE}?provider=STRIPE", shop.admin))["items"] == []
    problem(shop.get(f"{QUEUE}?reason=NONE", shop.admin), 422, "validation_failed", pointer="/reason")


def test_too_little_does_not_pay_and_too_much_is_not_written_off(shop: Shop, customer: Person, finance: Person) -> None:
    row = suspend(shop, customer, "short")

    problem(shop.post(f"{QUEUE}/suspense/{row['id']}/apply", finance, WHY), 422, "suspense_does_not_fit")
    problem(shop.post(f"{QUEUE}/suspense/{row['id']}/write-off", finance, WHY), 422, "write_off_too_large")


def test_money_that_came_twice_pays_another_booking(shop: Shop, customer: Person, finance: Person) -> None:
    row = suspend(shop, customer)
    another = shop.book(customer, shop.offer())
    body: dict[str, Any] = {**WHY, "payable": {"type": "BOOKING", "id": another["id"]}}

    done = shop.done(shop.post(f"{QUEUE}/suspense/{row['id']}/apply", finance, body))

    assert (done["status"], done["detail"]) == ("RESOLVED", "APPLIED")
    assert shop.done(shop.get(f"/api/v1/bookings/{another['id']}", customer))["status"] == "CONFIRMED"


def test_what_arrived_is_shown_to_few_and_that_is_kept(shop: Shop, finance: Person, sign_up: SignUp) -> None:
    row = an_unknown_webhook(shop)
    path = f"{QUEUE}/webhooks/{row['id']}/body"

    answer = shop.get(f"{path}?reason=a+complaint", sign_up("EMPLOYEE", "OPERATIONS"))

    assert shop.done(answer)["body"] == '{"secret": "canary"}'
    assert answer.headers["Cache-Control"] == "no-store"
    assert "canary" not in shop.get(f"{QUEUE}/webhooks/{row['id']}", finance).text
    problem(shop.get(path, finance), 422, "validation_failed", pointer="/reason")
    kept = shop.database.rows("SELECT action, changes FROM audit_logs WHERE resource_id = %s", (row["id"],))
    assert [one["action"] for one in kept] == ["webhooks.read"]
    assert "canary" not in str(kept)
    assert kept[0]["changes"]["reason"] == "a complaint"


def test_a_webhook_is_retried_and_dismissed(shop: Shop, finance: Person) -> None:
    row = an_unknown_webhook(shop)
    assert row["actions"] == ["retry", "assign", "dismiss"]
    path = f"{QUEUE}/webhooks/{row['id']}"

    assert shop.done(shop.post(f"{path}/retry", finance, WHY))["status"] == "RECEIVED"
    done = shop.done(shop.post(f"{path}/dismiss", finance, WHY))

    assert (done["status"], done["actions"]) == ("DISMISSED", [])
    problem(shop.post(f"{path}/retry", finance, WHY), 409, "illegal_transition")


def test_a_webhook_is_not_assigned_to_what_the_provider_does_not_name(
    shop: Shop, customer: Person, finance: Person
) -> None:
    row = an_unknown_webhook(shop)
    payment = shop.pay(customer, shop.book(customer, shop.offer()))
    path = f"{QUEUE}/webhooks/{row['id']}/assign"

    problem(shop.post(path, finance, {**WHY, "payment_id": payment["id"]}), 409, "provider_reference_mismatch")
    problem(shop.post(path, finance, WHY), 422, "validation_failed", pointer="/payment_id")
