"""The reconciler finds what was lost on the way, asks nobody twice at once, and nobody holds up the others (P3, P7)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from typing import Any, ClassVar
from uuid import UUID

import pytest

from application.billing.ports import (
    Capabilities,
    OutcomeUnknown,
    ProviderRefused,
    ProviderUnreachable,
)
from application.billing.statements import CAUGHT_UP, StatementFetched, days_to_fetch, fetch_statements
from application.billing.webhooks import ReceiveWebhook, process_webhook, receive_webhook
from domain.billing.payments import EXPIRED_AFTER, NOT_FOUND_IS_FINAL_AFTER
from domain.ledger import accounts
from domain.ledger.accounts import AccountKind
from domain.ledger.reconciliation import LineKind, ProviderStatement, StatementLine
from domain.shared.clock import business_date
from infrastructure.database.roles import DatabaseAddresses
from tests.builders import egp
from tests.fakes.scripted_gateway import SIGNATURE, ScriptedGateway, ScriptedGateways
from tests.integration.shop import HOLD_FOR, Shop, all_at_once, broken_promises

SUSPENSE = accounts.platform(AccountKind.SUSPENSE, "EGP")
PRICE = 100_000
REPEATING = Capabilities(refunds=False, tells_refunds=False, repeats_creation=True)
BLIND = Capabilities(refunds=False, tells_refunds=False, repeats_creation=False)


class OtherGateway(ScriptedGateway):
    name: ClassVar[str] = "OTHER"


class Killed(BaseException):
    """The process is killed while it waits for the provider."""


@pytest.fixture(autouse=True)
def every_promise_holds_afterwards(addresses: DatabaseAddresses) -> Iterator[None]:
    yield
    assert broken_promises(addresses) == []


def attempt(shop: Shop, payment_id: UUID) -> Any:
    return shop.row("SELECT * FROM payment_attempts WHERE payment_id = %s", payment_id)


def kill_while_asking(shop: Shop, customer: UUID, *, is_asked: bool, method: Any = None) -> tuple[UUID, Any]:
    """A booking whose payment's process died between its intent and the provider's answer."""
    booking = shop.book(customer)
    shop.gateway.answers, shop.gateway.loses_answers = [Killed()], is_asked  # type: ignore[list-item]
    with pytest.raises(Killed):
        shop.pay(customer, booking.id, key="killed")
    shop.gateway.loses_answers = False
    payment_id = shop.row("SELECT id FROM payments WHERE booking_id = %s", booking.id)["id"]
    return payment_id, booking


# Lost on the way --------------------------------------------------------------------------------------


@pytest.mark.parametrize("is_asked", [True, False], ids=["asked", "not asked"])
def test_a_crash_before_the_answer_is_repeated_byte_for_byte_where_that_is_safe(
    shop: Shop, customer: UUID, clock: Any, is_asked: bool
) -> None:
    shop.gateway.capabilities = REPEATING
    payment_id, booking = kill_while_asking(shop, customer, is_asked=is_asked)
    clock.offset += timedelta(minutes=3)

    done = shop.reconcile()

    first, second = shop.gateway.requests
    assert first == second
    assert (done.asked, done.repeated, done.unanswered) == (1, 1, 0)
    row = attempt(shop, payment_id)
    assert (row["status"], row["provider_reference"]) == ("OPEN", shop.gateway.reference_of(first))
    shop.charge(payment_id, booking.final_amount)
    shop.look(payment_id)
    assert shop.booking(booking.id)["status"] == "CONFIRMED"


def test_where_it_is_not_safe_it_is_unknown_until_a_webhook_or_a_person_tells(
    shop: Shop, customer: UUID, clock: Any
) -> None:
    payment_id, _ = kill_while_asking(shop, customer, is_asked=True)
    clock.offset += timedelta(minutes=3)

    for _ in range(3):
        shop.reconcile()
        clock.offset += timedelta(hours=2)

    assert shop.gateway.created == 1
    assert (attempt(shop, payment_id)["status"], attempt(shop, payment_id)["error_code"]) == ("UNKNOWN", "answer_lost")
    assert shop.attention() == ["OUTCOME_UNKNOWN"]


def test_what_was_asked_a_moment_ago_is_left_to_who_asked(shop: Shop, customer: UUID, clock: Any) -> None:
    payment_id, _ = kill_while_asking(shop, customer, is_asked=False)
    clock.offset += timedelta(seconds=90)

    assert shop.reconcile().asked == 0
    assert attempt(shop, payment_id)["status"] == "CREATED"


def test_a_refusal_of_the_repetition_decides_nothing(shop: Shop, customer: UUID, clock: Any) -> None:
    """The first request may have been taken: a provider also refuses a key that was used for it."""
    shop.gateway.capabilities = REPEATING
    payment_id, _ = kill_while_asking(shop, customer, is_asked=True)
    shop.gateway.answers = [ProviderRefused()]
    clock.offset += timedelta(minutes=3)

    shop.reconcile()

    assert attempt(shop, payment_id)["status"] == "UNKNOWN"


def test_past_its_end_a_creation_is_not_repeated(shop: Shop, customer: UUID, clock: Any) -> None:
    shop.gateway.capabilities = REPEATING
    kill_while_asking(shop, customer, is_asked=True)
    clock.offset += HOLD_FOR + timedelta(minutes=1)

    assert shop.reconcile().repeated == 0
    assert shop.gateway.created == 1


def test_the_same_intent_is_asked_the_same_after_the_customer_tries_again(
    shop: Shop, customer: UUID, clock: Any
) -> None:
    shop.gateway.capabilities = REPEATING
    payment_id, booking = kill_while_asking(shop, customer, is_asked=True)
    clock.offset += timedelta(seconds=30)

    assert shop.pay(customer, booking.id, key="killed") == payment_id

    first, second = shop.gateway.requests
    assert first == second


def test_a_lost_webhook_is_no_loss(shop: Shop, customer: UUID, clock: Any) -> None:
    booking = shop.book(customer)
    shop.charge(shop.pay(customer, booking.id), booking.final_amount)
    clock.offset += timedelta(minutes=5)

    assert shop.reconcile().asked == 1
    assert shop.booking(booking.id)["status"] == "CONFIRMED"


# Two at once, one that hangs --------------------------------------------------------------------------


def test_two_reconcilers_at_once_ask_once(shop: Shop, customer: UUID, clock: Any) -> None:
    departure = shop.a_departure()
    payments = [shop.pay(customer, shop.book(customer, departure).id) for _ in range(6)]
    clock.offset += timedelta(minutes=5)

    runs = all_at_once([shop.reconcile] * 3)

    assert sum(run.asked for run in runs if not isinstance(run, BaseException)) == len(payments)
    assert shop.gateway.reads == len(payments)


def test_a_provider_that_is_down_is_left_alone_and_holds_up_no_other(shop: Shop, customer: UUID, clock: Any) -> None:
    departure = shop.a_departure()
    for _ in range(6):
        shop.pay(customer, shop.book(customer, departure).id)
    other = OtherGateway()
    both = Shop(replace(shop.use, gateways=ScriptedGateways(shop.gateway, other)), shop.database, other, other.name)
    booking = both.book(customer, departure)
    both.charge(both.pay(customer, booking.id), booking.final_amount)
    shop.gateway.read_answers = [ProviderUnreachable()] * 100
    clock.offset += timedelta(minutes=5)

    done = both.reconcile()

    assert (done.left_alone, done.asked, done.unanswered) == (["SCRIPTED"], 4, 3)
    assert shop.gateway.reads == 3
    assert both.booking(booking.id)["status"] == "CONFIRMED"


def test_without_time_nothing_is_claimed(shop: Shop, customer: UUID, clock: Any) -> None:
    payment_id = shop.pay(customer, shop.book(customer).id)
    clock.offset += timedelta(minutes=5)

    assert shop.reconcile(budget=timedelta()).asked == 0

    assert attempt(shop, payment_id)["reads"] == 0


def test_one_answer_that_is_nonsense_does_not_stop_the_others(shop: Shop, customer: UUID, clock: Any) -> None:
    departure = shop.a_departure()
    bookings = [shop.book(customer, departure) for _ in range(3)]
    for booking in bookings:
        shop.charge(shop.pay(customer, booking.id), booking.final_amount)
    shop.gateway.read_answers = [OutcomeUnknown()]
    clock.offset += timedelta(minutes=5)

    assert shop.reconcile().unanswered == 1

    assert [shop.booking(booking.id)["status"] for booking in bookings].count("CONFIRMED") == 2
    clock.offset += timedelta(minutes=5)
    shop.reconcile()
    assert [shop.booking(booking.id)["status"] for booking in bookings].count("CONFIRMED") == 3


def test_a_reconciler_that_dies_between_claim_and_question_leaves_the_attempt_to_the_next(
    shop: Shop, customer: UUID, clock: Any
) -> None:
    booking = shop.book(customer)
    shop.charge(shop.pay(customer, booking.id), booking.final_amount)
    shop.gateway.read_answers = [Killed()]  # type: ignore[list-item]
    clock.offset += timedelta(minutes=5)
    with pytest.raises(Killed):
        shop.reconcile()

    assert shop.reconcile().asked == 0
    clock.offset += timedelta(minutes=5)
    shop.reconcile()

    assert shop.booking(booking.id)["status"] == "CONFIRMED"


def test_pauses_grow_and_are_bounded(shop: Shop, customer: UUID, clock: Any) -> None:
    payment_id = shop.pay(customer, shop.book(customer).id)

    for _ in range(24 * 12):
        clock.offset += timedelta(minutes=5)
        shop.reconcile()

    # In a day: far fewer times than the job ran, and never more than twelve hours and a minute apart.
    reads = attempt(shop, payment_id)["reads"]
    assert 6 <= reads == shop.gateway.reads <= 20


# At last ----------------------------------------------------------------------------------------------


def test_an_unpaid_checkout_expires_and_late_money_of_it_is_still_seen(shop: Shop, customer: UUID, clock: Any) -> None:
    booking = shop.book(customer)
    payment_id = shop.pay(customer, booking.id)
    clock.offset += HOLD_FOR + EXPIRED_AFTER
    shop.reconcile()
    assert attempt(shop, payment_id)["status"] == "EXPIRED"

    clock.offset += timedelta(days=1)
    assert shop.reconcile().asked == 0
    shop.charge(payment_id, booking.final_amount)
    tell(shop, shop.attempt_of(payment_id).provider_reference)

    # No sweep has been: the seats are still held, and the money does what it was meant for.
    assert (attempt(shop, payment_id)["status"], shop.booking(booking.id)["status"]) == ("PAID", "CONFIRMED")


def test_what_the_provider_does_not_know_has_failed_after_a_while(shop: Shop, customer: UUID, clock: Any) -> None:
    payment_id = shop.pay(customer, shop.book(customer).id)
    shop.gateway.books.clear()
    clock.offset += timedelta(minutes=2)
    shop.reconcile()
    assert attempt(shop, payment_id)["status"] == "OPEN"

    clock.offset += NOT_FOUND_IS_FINAL_AFTER
    shop.reconcile()

    row = attempt(shop, payment_id)
    assert (row["status"], row["error_code"]) == ("FAILED", "not_found_at_provider")
    assert shop.status_of(payment_id) == "PENDING"


def test_a_second_charge_whose_webhook_was_lost_is_found_later(shop: Shop, customer: UUID, clock: Any) -> None:
    booking = shop.a_paid_booking(customer)
    payment_id = shop.row("SELECT id FROM payments WHERE booking_id = %s", booking.id)["id"]
    clock.offset += timedelta(minutes=5)
    shop.reconcile()
    shop.charge(payment_id, booking.final_amount)
    reads = shop.gateway.reads
    clock.offset += timedelta(hours=12)
    shop.reconcile()
    assert shop.gateway.reads == reads

    clock.offset += timedelta(hours=13)
    shop.reconcile()

    assert shop.attention() == ["SUSPENSE_TWICE"]


def test_in_the_end_paid_attempts_are_left_alone(shop: Shop, customer: UUID, clock: Any) -> None:
    shop.gateway.capabilities = BLIND
    shop.a_paid_booking(customer)
    clock.offset += timedelta(days=8)
    shop.reconcile()
    asked = shop.gateway.reads

    clock.offset += timedelta(days=30)
    assert shop.reconcile().asked == 0
    assert shop.gateway.reads == asked


# Webhooks ---------------------------------------------------------------------------------------------


def tell(shop: Shop, reference: str, *, event: str = "e1", kind: str = "paid", **more: str) -> None:
    said = {"event": event, "type": kind, "reference": reference, **more}
    use = shop.use
    receive_webhook(
        ReceiveWebhook(provider="scripted", body=json.dumps(said).encode(), headers=SIGNATURE, address="192.0.2.1"),
        uow=use.new_uow(),
        gateways=use.gateways,
        clock=use.clock,
        new_id=use.new_id,
    )
    for row in shop.database.rows("SELECT id FROM payment_webhook_logs WHERE status = 'RECEIVED'"):
        process_webhook(
            row["id"], new_uow=use.new_uow, gateways=use.gateways, clock=use.clock, new_id=use.new_id, live=use.live
        )


def test_a_webhook_that_was_quicker_than_our_own_records_is_not_told_to_staff(
    shop: Shop, customer: UUID, clock: Any
) -> None:
    booking = shop.book(customer)
    tell(shop, "sc_early")
    payment_id = shop.pay(customer, booking.id)
    shop.charge(payment_id, booking.final_amount)
    shop.database.rows(
        "UPDATE payment_webhook_logs SET provider_reference = %s RETURNING 1",
        (shop.attempt_of(payment_id).provider_reference,),
    )
    clock.offset += timedelta(minutes=2)

    assert shop.reconcile().webhooks == 1

    assert shop.row("SELECT status FROM payment_webhook_logs")["status"] == "PROCESSED"
    assert shop.booking(booking.id)["status"] == "CONFIRMED"
    assert shop.attention() == []


def test_a_refund_that_readings_do_not_tell_of_is_told_to_staff(shop: Shop, customer: UUID) -> None:
    booking = shop.a_paid_booking(customer)
    payment_id = shop.row("SELECT id FROM payments WHERE booking_id = %s", booking.id)["id"]
    reference = shop.attempt_of(payment_id).provider_reference
    tell(shop, reference, event="told", kind="refund")
    assert shop.attention() == []

    shop.gateway.capabilities = BLIND
    tell(shop, reference, event="blind", kind="refund")

    assert shop.attention() == ["REFUND_UNVERIFIED"]


# Statements -------------------------------------------------------------------------------------------


def fetch(shop: Shop) -> list[StatementFetched]:
    use = shop.use
    return list(fetch_statements(new_uow=use.new_uow, gateways=use.gateways, clock=use.clock, new_id=use.new_id))


def stated(day: date, *lines: tuple[str, str]) -> ProviderStatement:
    return ProviderStatement(
        provider="SCRIPTED",
        lines=tuple(
            StatementLine(provider_reference=reference, kind=LineKind.PAYMENT, amount=egp(amount), booked_on=day)
            for reference, amount in lines
        ),
        balances={},
    )


def breaks(shop: Shop) -> list[tuple[Any, ...]]:
    rows = shop.database.rows("SELECT provider_reference, kind, status FROM clearing_breaks ORDER BY 1")
    return [tuple(row.values()) for row in rows]


@pytest.fixture
def states(shop: Shop) -> ScriptedGateway:
    shop.gateway.capabilities = replace(BLIND, states=True)
    return shop.gateway


def test_who_states_nothing_is_not_asked(shop: Shop) -> None:
    assert fetch(shop) == []


def test_a_week_of_missed_days_is_caught_up_and_each_day_is_compared_once(
    shop: Shop, states: ScriptedGateway, clock: Any
) -> None:
    days = days_to_fetch(clock)
    states.statements.update({day: stated(day) for day in days})
    states.statements[days[0]] = stated(days[0], ("sc_theirs", "5.00"))
    del states.statements[days[3]]

    first, second = fetch(shop), fetch(shop)

    assert len(days) == CAUGHT_UP
    assert [(one.day, one.trouble) for one in first] == [
        (day, "provider_refused" if day == days[3] else "") for day in days
    ]
    assert [one.day for one in second] == [days[3]]
    assert breaks(shop) == [("sc_theirs", "ONLY_THEIRS", "OPEN")]


def test_what_we_received_and_a_silent_statement_does_not_have_is_a_break(
    shop: Shop, customer: UUID, states: ScriptedGateway, clock: Any
) -> None:
    booking = shop.a_paid_booking(customer)
    today = business_date(clock.now())
    reference = shop.row("SELECT provider_reference FROM payment_attempts")["provider_reference"]
    clock.offset += timedelta(days=2)
    states.statements.update({day: stated(day) for day in days_to_fetch(clock)})
    fetch(shop)
    assert breaks(shop) == [(reference, "ONLY_OURS", "OPEN")]

    states.statements[today] = stated(today, (reference, booking.final_amount.decimal()))
    shop.database.rows("DELETE FROM statement_fetches RETURNING 1")
    fetch(shop)

    assert breaks(shop) == [(reference, "ONLY_OURS", "MATCHED")]


def test_one_provider_that_fails_does_not_keep_the_others_from_being_compared(
    shop: Shop, states: ScriptedGateway, clock: Any
) -> None:
    other = OtherGateway()
    other.capabilities = states.capabilities
    other.statements = {day: replace(stated(day), provider="OTHER") for day in days_to_fetch(clock)}
    states.statements = {day: ProviderUnreachable() for day in days_to_fetch(clock)}
    both = Shop(replace(shop.use, gateways=ScriptedGateways(states, other)), shop.database, states)

    fetched = fetch(both)

    assert {(one.provider, one.trouble) for one in fetched} == {("SCRIPTED", "provider_unavailable"), ("OTHER", "")}
    assert {one.provider for one in fetch(both)} == {"SCRIPTED"}


def test_two_fetching_at_once_end_in_one_comparison_of_each_day(
    shop: Shop, states: ScriptedGateway, clock: Any
) -> None:
    states.statements = {day: stated(day, (f"sc_{day}", "5.00")) for day in days_to_fetch(clock)}

    results = all_at_once([lambda: fetch(shop)] * 2)

    assert not [result for result in results if isinstance(result, BaseException)]
    assert len(breaks(shop)) == CAUGHT_UP
    assert shop.row("SELECT count(*) AS count FROM statement_fetches")["count"] == CAUGHT_UP
