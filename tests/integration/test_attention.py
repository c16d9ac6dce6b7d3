"""The queue of what needs a person, and what staff do about attempts, webhooks and invoices that are missing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from application.billing.attention import (
    ActOn,
    AssignWebhook,
    ProviderReferenceUnknown,
    assign_webhook,
    check_attempt,
    dismiss_webhook,
    give_up_attempt,
    invoice_payment,
    retry_webhook,
)
from application.billing.attention_ports import AttemptNotFound, AttentionSearch, WebhookNotFound
from application.billing.ports import OutcomeUnknown, ProviderUnreachable
from application.billing.webhooks import (
    TOLD_TO_STAFF_AFTER,
    ReceiveWebhook,
    ReferenceMismatch,
    process_webhook,
    receive_webhook,
)
from application.queries import After
from domain.operations.settings import WEBHOOK_BODY_DAYS
from domain.shared.errors import IllegalTransition, OwnRequest
from infrastructure.database.roles import DatabaseAddresses
from tests.builders import egp
from tests.fakes.scripted_gateway import SIGNATURE
from tests.integration.shop import Shop, all_at_once, broken_promises
from workers.cleanup_worker import clean_up

PRICE = 100_000
STUCK = timedelta(minutes=31)


@pytest.fixture
def staff(shop: Shop) -> UUID:
    return shop.a_customer()


@pytest.fixture(autouse=True)
def every_promise_holds_afterwards(addresses: DatabaseAddresses) -> Iterator[None]:
    yield
    assert broken_promises(addresses) == []


def act(row_id: UUID, staff: UUID) -> ActOn:
    return ActOn(id=row_id, actor_id=staff, reason="seen on the dashboard")


def an_unknown_attempt(shop: Shop, customer: UUID) -> tuple[UUID, UUID, str]:
    """A payment whose answer was lost: its id, its attempt's, and the provider's reference that nobody here knows."""
    booking = shop.book(customer)
    shop.gateway.answers, shop.gateway.loses_answers = [OutcomeUnknown()], True
    payment_id = shop.pay(customer, booking.id)
    return payment_id, shop.attempt_of(payment_id).attempt_id, list(shop.gateway.books)[-1]


def a_webhook(shop: Shop, reference: str, *, event: str = "e1", look: bool = True) -> UUID:
    use = shop.use
    body = json.dumps({"event": event, "type": "paid", "reference": reference}).encode()
    receive_webhook(
        ReceiveWebhook(provider="scripted", body=body, headers=SIGNATURE, address="192.0.2.1"),
        uow=use.new_uow(),
        gateways=use.gateways,
        clock=use.clock,
        new_id=use.new_id,
    )
    webhook_id: UUID = shop.row("SELECT id FROM payment_webhook_logs WHERE webhook_event_id = %s", event)["id"]
    if look:
        look_into(shop, webhook_id)
    return webhook_id


def look_into(shop: Shop, webhook_id: UUID) -> None:
    use = shop.use
    process_webhook(
        webhook_id, new_uow=use.new_uow, gateways=use.gateways, clock=use.clock, new_id=use.new_id, live=use.live
    )


def an_unknown_webhook(shop: Shop, clock: Any, reference: str = "sc_nobodys") -> UUID:
    webhook_id = a_webhook(shop, reference, look=False)
    clock.offset += TOLD_TO_STAFF_AFTER
    look_into(shop, webhook_id)
    return webhook_id


def check(shop: Shop, attempt_id: UUID, staff: UUID) -> None:
    use = shop.use
    check_attempt(
        act(attempt_id, staff),
        new_uow=use.new_uow,
        gateways=use.gateways,
        clock=use.clock,
        new_id=use.new_id,
        live=use.live,
    )


def give_up(shop: Shop, attempt_id: UUID, staff: UUID) -> None:
    give_up_attempt(act(attempt_id, staff), uow=shop.use.new_uow(), clock=shop.use.clock)


def retry(shop: Shop, webhook_id: UUID, staff: UUID) -> None:
    retry_webhook(act(webhook_id, staff), uow=shop.use.new_uow(), clock=shop.use.clock)


def dismiss(shop: Shop, webhook_id: UUID, staff: UUID) -> None:
    dismiss_webhook(act(webhook_id, staff), uow=shop.use.new_uow(), clock=shop.use.clock)


def assign(shop: Shop, webhook_id: UUID, payment_id: UUID, staff: UUID) -> None:
    use = shop.use
    assign_webhook(
        AssignWebhook(act=act(webhook_id, staff), payment_id=payment_id, live=use.live),
        new_uow=use.new_uow,
        gateways=use.gateways,
        clock=use.clock,
        new_id=use.new_id,
    )


def webhook(shop: Shop, webhook_id: UUID) -> Any:
    return shop.row("SELECT * FROM payment_webhook_logs WHERE id = %s", webhook_id)


def audited(shop: Shop, row_id: UUID) -> list[tuple[str, UUID, str]]:
    rows = shop.database.rows(
        "SELECT action, user_id, changes FROM audit_logs WHERE resource_id = %s ORDER BY id", (row_id,)
    )
    return [(row["action"], row["user_id"], row["changes"]["reason"]) for row in rows]


# Attempts ---------------------------------------------------------------------------------------------


def test_an_attempt_is_given_up_once_and_that_stays_on_record(shop: Shop, customer: UUID, staff: UUID) -> None:
    payment_id, attempt_id, _ = an_unknown_attempt(shop, customer)
    assert shop.attention() == ["OUTCOME_UNKNOWN"]

    results = all_at_once([lambda: give_up(shop, attempt_id, staff)] * 4)

    assert [type(result) for result in results].count(IllegalTransition) == 3
    row = shop.row("SELECT status, error_code FROM payment_attempts WHERE id = %s", attempt_id)
    assert tuple(row.values()) == ("FAILED", "given_up")
    assert audited(shop, attempt_id) == [("payments.resolve", staff, "seen on the dashboard")]
    assert shop.attention() == []
    assert shop.status_of(payment_id) == "PENDING"


def test_money_that_comes_after_all_is_kept_in_suspense_where_something_else_has_paid(
    shop: Shop, customer: UUID, staff: UUID
) -> None:
    payment_id, attempt_id, reference = an_unknown_attempt(shop, customer)
    give_up(shop, attempt_id, staff)
    booking_id = shop.row("SELECT booking_id FROM payments WHERE id = %s", payment_id)["booking_id"]
    other = shop.pay(customer, booking_id)
    shop.charge(other, egp("1000.00"))
    shop.look(other)
    shop.gateway.books[reference].charges.append(egp("1000.00"))

    a_webhook(shop, reference, look=False)
    merchant = shop.row("SELECT merchant_reference FROM payment_attempts WHERE id = %s", attempt_id)
    shop.database.rows(
        "UPDATE payment_webhook_logs SET merchant_reference = %s RETURNING 1", (merchant["merchant_reference"],)
    )
    look_into(shop, shop.row("SELECT id FROM payment_webhook_logs")["id"])

    assert shop.attention() == ["SUSPENSE_LATE"]


def test_a_provider_is_asked_about_an_attempt_at_once(shop: Shop, customer: UUID, staff: UUID) -> None:
    booking = shop.book(customer)
    payment_id = shop.pay(customer, booking.id)
    shop.charge(payment_id, booking.final_amount)
    attempt_id = shop.attempt_of(payment_id).attempt_id

    shop.gateway.read_answers = [ProviderUnreachable()]
    with pytest.raises(ProviderUnreachable):
        check(shop, attempt_id, staff)
    assert all_at_once([lambda: check(shop, attempt_id, staff)] * 3) == [None] * 3

    assert shop.receipts(payment_id) == [(PRICE, "EGP", "SETTLED", None)]
    assert len(audited(shop, attempt_id)) == 4


def test_what_has_no_reference_cannot_be_asked_about(shop: Shop, customer: UUID, staff: UUID) -> None:
    _, attempt_id, _ = an_unknown_attempt(shop, customer)

    with pytest.raises(ProviderReferenceUnknown):
        check(shop, attempt_id, staff)
    with pytest.raises(AttemptNotFound):
        check(shop, uuid4(), staff)


def test_nobody_acts_on_a_payment_of_their_own(shop: Shop, customer: UUID, clock: Any) -> None:
    payment_id, attempt_id, _ = an_unknown_attempt(shop, customer)
    webhook_id = an_unknown_webhook(shop, clock)

    for tried in (
        lambda: give_up(shop, attempt_id, customer),
        lambda: check(shop, attempt_id, customer),
        lambda: assign(shop, webhook_id, payment_id, customer),
    ):
        with pytest.raises(OwnRequest):
            tried()


# Webhooks ---------------------------------------------------------------------------------------------


def test_a_webhook_is_looked_into_again_when_staff_say_so(shop: Shop, staff: UUID, clock: Any) -> None:
    webhook_id = an_unknown_webhook(shop, clock)
    assert (webhook(shop, webhook_id)["status"], webhook(shop, webhook_id)["error_message"]) == (
        "FAILED", "unknown_reference",
    )  # fmt: skip

    retry(shop, webhook_id, staff)

    assert webhook(shop, webhook_id)["status"] == "RECEIVED"
    told = shop.row("SELECT count(*) AS count FROM outbox_events WHERE name = 'billing.webhook_received'")
    assert told["count"] == 2
    look_into(shop, webhook_id)
    assert shop.attention() == ["UNKNOWN_REFERENCE"]


def test_a_webhook_is_dismissed_once_and_for_all(shop: Shop, staff: UUID, clock: Any) -> None:
    webhook_id = an_unknown_webhook(shop, clock)

    results = all_at_once([lambda: dismiss(shop, webhook_id, staff)] * 4)

    assert [type(result) for result in results].count(IllegalTransition) == 3
    assert shop.attention() == []
    row = webhook(shop, webhook_id)
    assert (row["dismissed_by_user_id"], row["dismissed_reason"]) == (staff, "seen on the dashboard")
    with pytest.raises(IllegalTransition):
        retry(shop, webhook_id, staff)
    assert audited(shop, webhook_id) == [("payments.resolve", staff, "seen on the dashboard")]
    with pytest.raises(WebhookNotFound):
        dismiss(shop, uuid4(), staff)


def test_a_webhook_that_is_stuck_is_listed_and_can_be_dismissed(
    shop: Shop, customer: UUID, staff: UUID, clock: Any
) -> None:
    webhook_id = a_webhook(shop, shop.attempt_of(shop.pay(customer, shop.book(customer).id)).provider_reference,
                           look=False)  # fmt: skip
    assert shop.attention() == []
    clock.offset += STUCK
    assert shop.attention() == ["WEBHOOK_STUCK"]

    dismiss(shop, webhook_id, staff)

    assert shop.attention() == []
    look_into(shop, webhook_id)
    assert webhook(shop, webhook_id)["status"] == "FAILED"


def test_a_webhook_whose_delivery_was_given_up_is_stuck_at_once(shop: Shop, customer: UUID) -> None:
    a_webhook(shop, shop.attempt_of(shop.pay(customer, shop.book(customer).id)).provider_reference, look=False)
    shop.database.rows(
        """INSERT INTO processed_events (event_id, handler, enqueued_at, due_at, attempts, dead_at)
           SELECT id, 'billing.look_into_webhook', now(), now(), 10, now() FROM outbox_events
           WHERE name = 'billing.webhook_received' RETURNING 1"""
    )

    assert shop.attention() == ["WEBHOOK_STUCK"]


def test_a_webhook_is_assigned_to_the_payment_that_the_provider_names(
    shop: Shop, customer: UUID, staff: UUID, clock: Any
) -> None:
    payment_id, _, reference = an_unknown_attempt(shop, customer)
    shop.gateway.books[reference].charges.append(egp("1000.00"))
    webhook_id = an_unknown_webhook(shop, clock, reference)
    other = an_unknown_attempt(shop, customer)[0]

    with pytest.raises(ReferenceMismatch):
        assign(shop, webhook_id, other, staff)
    assert webhook(shop, webhook_id)["status"] == "FAILED"
    all_at_once([lambda: assign(shop, webhook_id, payment_id, staff)] * 3)

    assert shop.receipts(payment_id) == [(PRICE, "EGP", "SETTLED", None)]
    row = webhook(shop, webhook_id)
    assert (row["status"], row["payment_id"]) == ("PROCESSED", payment_id)
    with pytest.raises(IllegalTransition):
        assign(shop, webhook_id, payment_id, staff)
    with pytest.raises(IllegalTransition):
        dismiss(shop, webhook_id, staff)


def test_a_webhook_of_another_provider_has_no_attempt_there(shop: Shop, staff: UUID, clock: Any) -> None:
    webhook_id = an_unknown_webhook(shop, clock)

    with pytest.raises(AttemptNotFound):
        assign(shop, webhook_id, uuid4(), staff)


def test_what_arrived_is_emptied_after_its_time_unless_it_still_waits(shop: Shop, staff: UUID, clock: Any) -> None:
    told, waits = an_unknown_webhook(shop, clock), a_webhook(shop, "sc_other", event="e2", look=False)
    kept = timedelta(days=WEBHOOK_BODY_DAYS.default)
    clean_up(shop.database, shop.use.clock, bodies_kept=kept)
    assert webhook(shop, told)["body"]

    clock.offset += kept + timedelta(days=1)
    clean_up(shop.database, shop.use.clock, bodies_kept=kept)

    assert not webhook(shop, told)["body"]
    assert webhook(shop, waits)["body"]
    assert webhook(shop, told)["error_message"] == "unknown_reference"


# Invoices, and the queue ------------------------------------------------------------------------------


def waiting(shop: Shop, **search: Any) -> list[str]:
    rows = shop.use.queries.attention.waiting(AttentionSearch(at=shop.use.clock.now(), **search), limit=100, after=None)
    return [row["reason"] for row in rows]


def test_a_paid_payment_without_its_invoice_is_listed_until_it_has_one(
    shop: Shop, customer: UUID, staff: UUID, clock: Any
) -> None:
    booking = shop.a_paid_booking(customer)
    payment_id = shop.row("SELECT id FROM payments WHERE booking_id = %s", booking.id)["id"]
    assert waiting(shop) == []
    clock.offset += STUCK
    assert waiting(shop) == ["UNFULFILLED"]

    use = shop.use
    for _ in range(2):
        invoice_payment(act(payment_id, staff), new_uow=use.new_uow, clock=use.clock, new_id=use.new_id)

    assert waiting(shop) == []
    assert shop.row("SELECT count(*) AS count FROM invoices")["count"] == 1


def test_the_queue_is_filtered_and_read_in_pages(shop: Shop, customer: UUID, clock: Any) -> None:
    for charge in ("1.00", "2000.00", "2.00"):
        payment_id = shop.pay(customer, shop.book(customer).id)
        shop.charge(payment_id, egp(charge))
        shop.look(payment_id)
    an_unknown_webhook(shop, clock)

    assert waiting(shop) == ["UNKNOWN_REFERENCE", "SUSPENSE_SHORT", "SUSPENSE_OVER", "SUSPENSE_SHORT"]
    assert waiting(shop, reason="SUSPENSE_SHORT") == ["SUSPENSE_SHORT"] * 2
    assert waiting(shop, reason="UNKNOWN_REFERENCE", provider="SCRIPTED") == ["UNKNOWN_REFERENCE"]
    assert waiting(shop, provider="OTHER") == []
    seen, after = [], None
    while True:
        search = AttentionSearch(at=shop.use.clock.now())
        page = shop.use.queries.attention.waiting(search, limit=1, after=after)
        seen.append(page[0]["id"])
        if len(page) == 1:
            break
        after = After(page[0]["noticed_at"], page[0]["id"])
    assert len(seen) == len(set(seen)) == 4
