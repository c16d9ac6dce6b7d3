"""Cashback by HTTP: what its owner reads, what staff decide, and why a number is what it is."""

from __future__ import annotations

from datetime import timedelta
from email.parser import BytesParser
from email.policy import default
from uuid import UUID, uuid4

import pytest

from application.ledger.cashback import ClawBackCashback, claw_back_cashback
from tests.api.shop import Json, Shop, SignUp, problem
from tests.api.test_rewards import become, travel
from tests.builders import egp
from tests.conftest import MovableClock, Person
from workers.jobs import JOBS

pytestmark = pytest.mark.database

CASHBACK = "/api/v1/cashback"
AUTO_APPROVE = "/api/v1/admin/settings/ledger.cashback_auto_approve"
UNTIL_ELIGIBLE = timedelta(days=40)
"""The trips of these tests are completed ahead of their dates, a month away."""


@pytest.fixture
def customer(shop: Shop, sign_up: SignUp) -> Person:
    """Somebody whose trips give 5 %."""
    person = sign_up()
    become(shop, person, "GOLD")
    return person


def promised(shop: Shop, person: Person) -> Json:
    """The record of a new trip of EGP 2,000.00: EGP 100.00."""
    booking = travel(shop, person)
    found = shop.done(shop.get(f"{CASHBACK}?limit=100", person))["items"]
    [record] = [row for row in found if row["booking_id"] == booking["id"]]
    return dict(record)


def decide(shop: Shop, record: Json, verb: str, **body: str) -> Json:
    return shop.done(shop.post(f"/api/v1/admin/cashback/{record['id']}/{verb}", shop.admin, body or None))


def credit(shop: Shop) -> None:
    JOBS["cashback.credit"].run(shop.running)
    shop.deliver_events()


def refund(shop: Shop, record: Json, amount: str) -> None:
    """As a refund of the booking does it; no route does that yet."""
    command = ClawBackCashback(
        booking_id=UUID(record["booking_id"]), refunded=egp(amount), of=egp(record["booking_amount"]["amount"])
    )
    use = shop.running.dependencies
    with use.new_uow() as uow:
        claw_back_cashback(command, uow=uow, clock=use.clock, new_id=use.new_id)
        uow.commit()
    shop.deliver_events()


def messages(shop: Shop, person: Person) -> list[tuple[str, str]]:
    """Kind and English text of what the app shows, newest first, of cashback only."""
    rows = shop.done(shop.get("/api/v1/notifications?limit=100", person))["items"]
    return [(row["notification_type"], row["message_en"]) for row in rows if "ashback" in row["title_en"]]


def test_from_promise_to_wallet(shop: Shop, customer: Person, clock: MovableClock) -> None:
    record = promised(shop, customer)
    assert (record["status"], record["clawed_back"]["amount"], record["approved_at"]) == ("PENDING", "0.00", None)

    approved = decide(shop, record, "approve")
    assert (approved["status"], approved["id"]) == ("APPROVED", record["id"])
    assert approved["approved_at"] is not None
    credit(shop)
    assert shop.done(shop.get(f"{CASHBACK}/{record['id']}", customer))["status"] == "APPROVED"

    clock.offset += UNTIL_ELIGIBLE
    credit(shop)
    person = shop.again(customer)
    credited = shop.done(shop.get(f"{CASHBACK}/{record['id']}", person))
    assert (credited["status"], credited["credited_at"] >= credited["eligible_at"]) == ("CREDITED", True)
    assert shop.done(shop.get("/api/v1/wallet", person))["balance"]["amount"] == "100.00"
    (entry,) = shop.done(shop.get("/api/v1/wallet/entries", person))["items"]
    assert (entry["transaction_type"], entry["reference_type"]) == ("CASHBACK", "CASHBACK")
    assert entry["reference_id"] == record["id"]
    assert record["booking_number"] in entry["description_en"]


def test_its_owner_is_told_in_the_app_and_by_mail(shop: Shop, customer: Person, clock: MovableClock) -> None:
    decide(shop, promised(shop, customer), "approve")
    clock.offset += UNTIL_ELIGIBLE
    credit(shop)

    kind, text = messages(shop, shop.again(customer))[0]
    assert kind == "CASHBACK_CREDITED"
    assert "EGP 100.00" in text
    assert "owed" not in text
    mails = [BytesParser(policy=default).parsebytes(path.read_bytes())
             for path in shop.running.settings.home.rglob("*.eml")]  # fmt: skip
    [mail] = [mail for mail in mails if mail["Subject"] == "Your cashback was credited"]
    body = mail.get_body(("plain",))
    assert body is not None
    assert "EGP 100.00" in body.get_content()


def test_refunds_and_cancelling_are_told_with_their_figures(shop: Shop, customer: Person) -> None:
    cancelled, refunded = promised(shop, customer), promised(shop, customer)

    decide(shop, cancelled, "cancel", reason="booked by mistake")
    refund(shop, refunded, "500.00")
    refund(shop, refunded, "2000.00")
    shop.deliver_events()

    told = [text for _, text in messages(shop, customer)]
    assert [text for text in told if "booked by mistake" in text and cancelled["booking_number"] in text]
    assert len([text for text in told if "taken back" in text]) == 1
    assert [text for text in told if "the booking was refunded" in text and refunded["booking_number"] in text]


def test_a_part_that_is_taken_back_is_told_with_what_becomes_debt(
    shop: Shop, customer: Person, clock: MovableClock
) -> None:
    record = promised(shop, customer)
    decide(shop, record, "approve")
    offer = shop.offer(starts_in_days=80, base_price={"amount": "40.00", "currency": "EGP"})
    clock.offset += UNTIL_ELIGIBLE
    credit(shop)
    person = shop.again(customer)
    booking = shop.book(person, offer)
    paid = {"payable": {"type": "BOOKING", "id": booking["id"]}, "method": "WALLET"}
    shop.done(shop.post("/api/v1/payments", person, paid), 201)

    refund(shop, record, "1000.00")

    _, text = messages(shop, person)[0]
    assert "EGP 50.00 of its cashback was taken back" in text
    assert "EGP 30.00 of it is taken from what you earn next" in text
    assert shop.done(shop.get("/api/v1/wallet", person))["balance"]["amount"] == "0.00"
    assert shop.done(shop.get(f"{CASHBACK}/{record['id']}", person))["clawed_back"]["amount"] == "50.00"


def test_the_setting_approves_what_nobody_looked_at(shop: Shop, customer: Person, clock: MovableClock) -> None:
    record = promised(shop, customer)
    shop.done(shop.client.put(AUTO_APPROVE, json={"value": True}, headers=shop.admin.headers))
    clock.offset += UNTIL_ELIGIBLE

    credit(shop)

    assert shop.done(shop.get(f"{CASHBACK}/{record['id']}", shop.again(customer)))["status"] == "CREDITED"


def test_the_days_of_waiting_are_the_settings(shop: Shop, customer: Person) -> None:
    path = "/api/v1/admin/settings/ledger.cashback_eligible_after_days"
    shop.done(shop.client.put(path, json={"value": 100}, headers=shop.admin.headers))

    record = promised(shop, customer)

    assert (record["eligible_at"] > record["created_at"]) is True
    row = shop.database.row("SELECT eligible_at - created_at AS waits FROM cashback_records WHERE id = %s",
                            (record["id"],))  # fmt: skip
    assert row is not None
    assert row["waits"] == timedelta(days=100)


class TestDecisions:
    def test_each_is_made_once_and_answered_again(self, shop: Shop, customer: Person) -> None:
        record = promised(shop, customer)
        path = f"/api/v1/admin/cashback/{record['id']}/approve"

        first, again = (shop.post(path, shop.admin, key="the-same-key") for _ in range(2))

        assert shop.done(first) == shop.done(again)
        problem(shop.post(path, shop.admin), 409, "illegal_transition")
        cancelled = decide(shop, record, "cancel", reason="booked by mistake")
        assert (cancelled["status"], cancelled["cancel_reason"]) == ("CANCELLED", "booked by mistake")
        for verb, body in (("approve", None), ("cancel", {"reason": "again"})):
            answer = shop.post(f"/api/v1/admin/cashback/{record['id']}/{verb}", shop.admin, body)
            problem(answer, 409, "illegal_transition")

    def test_both_need_a_key_and_cancelling_a_reason(self, shop: Shop, customer: Person) -> None:
        path = f"/api/v1/admin/cashback/{promised(shop, customer)['id']}"

        for verb, body in (("approve", None), ("cancel", {"reason": "x"})):
            without = shop.client.post(f"{path}/{verb}", json=body, headers=shop.admin.headers)
            problem(without, 400, "idempotency_key_missing")
        for body in ({}, {"reason": ""}, {"reason": "   "}, {"reason": "x" * 501}, {"reason": "x", "amount": 1}):
            problem(shop.post(f"{path}/cancel", shop.admin, body), 422, "validation_failed")

    def test_only_who_may_decide_does(self, shop: Shop, customer: Person, sign_up: SignUp) -> None:
        record = promised(shop, customer)
        before = shop.state()

        refused = ((customer, "wrong_surface"), (sign_up("AGENT"), "wrong_surface"), (sign_up("EMPLOYEE"), "forbidden"))
        for person, code in refused:
            for verb, body in (("approve", None), ("cancel", {"reason": "x"})):
                answer = shop.post(f"/api/v1/admin/cashback/{record['id']}/{verb}", person, body)
                problem(answer, 403, code)
        assert shop.state()["cashback_records"] == before["cashback_records"]
        finance = sign_up("EMPLOYEE", "FINANCE")
        shop.done(shop.post(f"/api/v1/admin/cashback/{record['id']}/approve", finance))

    def test_an_unknown_record_is_not_found(self, shop: Shop) -> None:
        for verb, body in (("approve", None), ("cancel", {"reason": "x"})):
            problem(shop.post(f"/api/v1/admin/cashback/{uuid4()}/{verb}", shop.admin, body), 404, "cashback_not_found")


class TestReading:
    def test_one_reads_ones_own_and_staff_everybodys(self, shop: Shop, customer: Person, sign_up: SignUp) -> None:
        record, stranger = promised(shop, customer), sign_up()

        for path in (f"{CASHBACK}/{record['id']}", f"{CASHBACK}/{record['id']}/explain"):
            problem(shop.get(path, stranger), 404, "cashback_not_found")
            problem(shop.get(path.replace(record["id"], str(uuid4())), customer), 404, "cashback_not_found")
            shop.done(shop.get(path, shop.admin))
        assert shop.done(shop.get(CASHBACK, stranger))["items"] == []
        assert shop.done(shop.get(CASHBACK, shop.admin))["items"] == [record]

    def test_the_queue_of_staff(self, shop: Shop, customer: Person, clock: MovableClock) -> None:
        records = [promised(shop, customer) for _ in range(3)]
        decide(shop, records[0], "approve")
        decide(shop, records[1], "cancel", reason="booked by mistake")

        staff, ids = shop.admin, [record["id"] for record in records]

        def found(query: str) -> list[int]:
            return [ids.index(row["id"]) for row in shop.done(shop.get(f"{CASHBACK}?{query}", staff))["items"]]

        assert found("") == [2, 1, 0]
        assert found("sort=created_at") == [0, 1, 2]
        assert found("status=PENDING") == [2]
        assert found("status=CANCELLED") == [1]
        assert found("eligible=true") == []
        clock.offset += UNTIL_ELIGIBLE
        staff = shop.again(staff)
        assert found("eligible=true") == [2, 0]
        assert found("eligible=true&status=PENDING") == [2]
        for query in ("status=EATEN", "sort=id", "eligible=perhaps"):
            problem(shop.get(f"{CASHBACK}?{query}", staff), 422, "validation_failed")

    def test_pages(self, shop: Shop, customer: Person) -> None:
        records = [promised(shop, customer)["id"] for _ in range(3)]

        seen, cursor = [], ""
        while True:
            page = shop.done(shop.get(f"{CASHBACK}?sort=created_at&limit=2{cursor}", customer))
            seen.append([row["id"] for row in page["items"]])
            if page["next_cursor"] is None:
                break
            cursor = f"&cursor={page['next_cursor']}"

        assert seen == [records[:2], records[2:]]
        problem(shop.get(f"{CASHBACK}?sort=-created_at{cursor}", customer), 422, "invalid_cursor", pointer="/cursor")


class TestExplanation:
    def explained(self, shop: Shop, record: Json, person: Person) -> Json:
        return shop.done(shop.get(f"{CASHBACK}/{record['id']}/explain", person))

    def test_of_a_promise(self, shop: Shop, customer: Person) -> None:
        record = promised(shop, customer)

        told = self.explained(shop, record, customer)

        assert told["cashback"] == record
        assert told["booking"]["booking_number"] == record["booking_number"]
        assert told["booking"]["paid_amount"] == {"amount": "2000.00", "currency": "EGP"}
        assert told["rule"]["sentence"] == "5.00 % of EGP 2000.00, rounded half up to the minor unit: EGP 100.00"
        assert (told["rule"]["rate"], told["rule"]["gives"]["amount"]) == ("5.00", "100.00")
        assert told["waits_for"] == "APPROVAL"
        [journal] = told["journals"]
        assert (journal["step"], journal["journal_type"]) == ("PROMISE", "CASHBACK")
        assert [
            (entry["account"], entry["amount"]["amount"], entry["balance_after"]) for entry in journal["entries"]
        ] == [
            ("CASHBACK_COST", "-100.00", None),
            ("CASHBACK", "100.00", {"amount": "100.00", "currency": "EGP"}),
        ]

    def test_of_a_whole_life(self, shop: Shop, customer: Person, clock: MovableClock) -> None:
        record = promised(shop, customer)
        decide(shop, record, "approve")
        assert self.explained(shop, record, customer)["waits_for"] == "ELIGIBILITY"
        refund(shop, record, "500.00")
        clock.offset += UNTIL_ELIGIBLE
        person = shop.again(customer)
        assert self.explained(shop, record, person)["waits_for"] == "NONE"
        credit(shop)
        refund(shop, record, "2000.00")

        told = self.explained(shop, record, person)

        assert [(journal["step"], journal["journal_type"]) for journal in told["journals"]] == [
            ("PROMISE", "CASHBACK"),
            ("CLAWBACK", "REVERSAL"),
            ("CREDIT", "CASHBACK"),
            ("CLAWBACK", "CLAWBACK"),
        ]
        promise, reversal, *_ = told["journals"]
        assert reversal["reverses_journal_id"] == promise["id"]
        moved = [
            (entry["account"], entry["amount"]["amount"]) for row in told["journals"][1:] for entry in row["entries"]
        ]
        assert moved == [
            ("CASHBACK", "-25.00"), ("CASHBACK_COST", "25.00"),
            ("CASHBACK", "-75.00"), ("WALLET", "75.00"),
            ("WALLET", "-75.00"), ("CASHBACK_COST", "75.00"),
        ]  # fmt: skip
        assert told["waits_for"] == "NONE"

    def test_of_a_cancelled_one_in_arabic(self, shop: Shop, customer: Person) -> None:
        record = promised(shop, customer)
        decide(shop, record, "cancel", reason="booked by mistake")

        path = f"{CASHBACK}/{record['id']}/explain"
        told = shop.done(shop.get(path, customer, Accept_Language="ar"))

        assert [journal["step"] for journal in told["journals"]] == ["PROMISE", "CANCEL"]
        assert told["journals"][1]["description"].startswith("إلغاء")
        assert told["journals"][1]["entries"][0]["account_name"] == "استرداد نقدي مستحق"
        assert told["waits_for"] == "NONE"


def test_staffs_words_are_erased_with_the_person_and_the_figures_stay(shop: Shop, customer: Person) -> None:
    record = promised(shop, customer)
    decide(shop, record, "cancel", reason="Mona of canary-7731 called")
    order = {"reason": "asked by letter", "immediately": True}
    shop.done(shop.post(f"/api/v1/admin/users/{customer.user_id}/erasure", shop.admin, order), 202)

    JOBS["privacy.erase_due"].run(shop.running)

    row = shop.database.row("SELECT * FROM cashback_records WHERE id = %s", (record["id"],))
    assert row is not None
    assert (row["status"], row["cancel_reason"], row["cashback_amount_minor"]) == ("CANCELLED", "erased", 10_000)
    for table in ("cashback_records", "audit_logs", "notifications", "ledger_journals"):
        found = shop.database.rows(f"SELECT 1 FROM {table} t WHERE t::text LIKE '%%canary-7731%%'", ())
        assert found == [], table
