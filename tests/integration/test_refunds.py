"""Refunds on PostgreSQL: the way the money came, once, and never more than came (M6, M8, M9, P2, P3, P9)."""

from __future__ import annotations

from collections import Counter as Tally
from dataclasses import replace
from datetime import date, timedelta
from uuid import UUID

import pytest

from application.billing.attention_ports import AttentionSearch
from application.billing.credit_notes import issue_credit_notes
from application.billing.payments import WantedPart
from application.billing.ports import DisputeState, OutcomeUnknown, ProviderRefused, ProviderUnreachable, RefundState
from application.billing.refunds import SuspenseRefunded
from application.ledger.reconciliation import RecordStatement, record_statement
from application.trying_again import TryAgain
from domain.billing.payments import PaymentMethod, PaymentType
from domain.billing.refunds import Destination, RefundKeyReused, RefundPreviewStale
from domain.billing.tenders import RefundAboveCapture, TenderKind
from domain.ledger import accounts
from domain.ledger.accounts import POINTS_UNIT, AccountKind
from domain.ledger.journal import InsufficientBalance, transfer
from domain.ledger.reconciliation import LineKind, ProviderStatement, StatementLine
from domain.membership.memberships import TERM
from domain.shared.clock import business_date
from domain.shared.errors import IllegalTransition
from domain.shared.money import Money
from domain.shared.percentage import Percentage
from infrastructure.database.unit_of_work import SqlUnitOfWork
from tests.builders import a_journal, a_lot, egp
from tests.conftest import MovableClock
from tests.integration.refunding import Counter
from tests.integration.shop import Shop, all_at_once

pytestmark = pytest.mark.usefixtures("refund_promises")

CLEARING = accounts.clearing("SCRIPTED", "EGP")
SUSPENSE = accounts.platform(AccountKind.SUSPENSE, "EGP")
PREPAID = accounts.platform(AccountKind.CUSTOMER_PREPAYMENTS, "EGP")
REVENUE = accounts.platform(AccountKind.BOOKING_REVENUE, "EGP")
DISCOUNTS = accounts.platform(AccountKind.DISCOUNTS, "EGP")
ISSUED = accounts.platform(AccountKind.POINTS_ISSUED, POINTS_UNIT)
PRICE = 100_000


@pytest.fixture
def paid(shop: Shop, customer: UUID) -> UUID:
    """A payment of a booking by card, EGP 1,000.00."""
    booking = shop.book(customer)
    payment_id = shop.pay(customer, booking.id)
    shop.charge(payment_id, booking.final_amount)
    shop.look(payment_id)
    return payment_id


def a_mixed_payment(shop: Shop, customer: UUID) -> tuple[UUID, UUID]:
    """A booking of EGP 1,000.00: 200 from the wallet, 100 voucher credit, 150 in points, 550 by card."""
    shop.fill_wallet(customer, egp("200.00"))
    shop.post(*transfer(CLEARING, accounts.voucher_credit(customer, "EGP"), egp("100.00")))
    give_points(shop, customer, 9_000, 6_000)
    booking = shop.book(customer)
    parts = (
        WantedPart(kind=TenderKind.WALLET, amount=egp("200.00")),
        WantedPart(kind=TenderKind.VOUCHER_CREDIT, amount=egp("100.00")),
        WantedPart(kind=TenderKind.POINTS, points=15_000),
    )
    payment_id = shop.pay(customer, booking.id, parts=parts)
    shop.charge(payment_id, egp("550.00"))
    shop.look(payment_id)
    return payment_id, booking.id


def give_points(shop: Shop, customer: UUID, *lots: int) -> None:
    for number, points in enumerate(lots):
        with shop.use.new_uow() as uow:
            earned = a_journal(*transfer(ISSUED, accounts.points(customer), points))
            ends_at = shop.use.clock.now() + timedelta(days=100 + number)
            uow.ledger.post([earned])
            uow.ledger.add_lot(a_lot(user_id=customer, journal_id=earned.id, points=points, expires_at=ends_at))
            uow.commit()


def lots(shop: Shop, customer: UUID) -> list[int]:
    rows = shop.database.rows("SELECT remaining FROM points_lots WHERE user_id = %s ORDER BY expires_at", (customer,))
    return [row["remaining"] for row in rows]


def events(shop: Shop, prefix: str = "billing.") -> list[str]:
    rows = shop.database.rows("SELECT name FROM outbox_events WHERE name LIKE %s ORDER BY id", (prefix + "%",))
    return [row["name"].removeprefix(prefix) for row in rows]


# Done -------------------------------------------------------------------------------------------------------


def test_a_refund_goes_back_to_the_card_with_its_points(
    shop: Shop, counter: Counter, customer: UUID, paid: UUID
) -> None:
    refund_id = counter.ask(paid)
    assert (counter.status(refund_id), counter.tenders(paid)) == ("REQUESTED", {"GATEWAY": (PRICE, 0)})
    assert shop.gateway.asked_refunds == []

    counter.submit(refund_id)

    assert counter.status(refund_id) == "SUCCEEDED"
    assert len(shop.gateway.asked_refunds) == 1
    assert (shop.status_of(paid), counter.tenders(paid)) == ("REFUNDED", {"GATEWAY": (0, PRICE)})
    assert counter.balances(CLEARING, PREPAID, accounts.points(customer)) == [0, 0, 0]
    assert events(shop) == ["payment_settled", "refund_requested", "refund_succeeded"]


@pytest.mark.parametrize("amounts", [["1000.00"], ["333.33", "333.33", "333.34"], ["0.01", "999.99"], ["417.17", None]])
def test_a_mixed_payment_goes_back_each_way_it_came_in_any_parts(
    shop: Shop, counter: Counter, customer: UUID, amounts: list[str | None]
) -> None:
    payment_id, booking_id = a_mixed_payment(shop, customer)
    assert lots(shop, customer)[:2] == [0, 0]

    for amount in amounts:
        counter.refund(payment_id, egp(amount) if amount else None)

    assert shop.status_of(payment_id) == "REFUNDED"
    assert shop.booking(booking_id)["payment_status"] == "REFUNDED"
    wallet, credit = accounts.wallet(customer, "EGP"), accounts.voucher_credit(customer, "EGP")
    assert counter.balances(wallet, credit, PREPAID, DISCOUNTS) == [20_000, 10_000, 0, 0]
    assert lots(shop, customer) == [9_000, 6_000, 0]
    assert counter.balances(CLEARING) == [-30_000]


def test_a_partial_refund_takes_its_share_of_every_part(shop: Shop, counter: Counter, customer: UUID) -> None:
    payment_id, _ = a_mixed_payment(shop, customer)
    counter.refund(payment_id, egp("100.00"))
    assert counter.tenders(payment_id) == {
        "WALLET": (0, 2_000), "VOUCHER_CREDIT": (0, 1_000), "POINTS": (0, 1_500), "GATEWAY": (0, 5_500),
    }  # fmt: skip
    assert shop.status_of(payment_id) == "PARTIALLY_REFUNDED"
    assert sum(lots(shop, customer)[:2]) == 1_500


def test_money_from_a_card_goes_to_the_wallet_where_that_is_wanted(
    shop: Shop, counter: Counter, customer: UUID, paid: UUID
) -> None:
    refund_id = counter.ask(paid, egp("400.00"), destination=Destination.WALLET)
    assert counter.status(refund_id) == "SUCCEEDED"
    assert shop.gateway.asked_refunds == []
    assert counter.balances(accounts.wallet(customer, "EGP"), CLEARING) == [40_000, -PRICE]


def test_a_membership_ends_only_with_a_whole_refund(shop: Shop, counter: Counter, customer: UUID) -> None:
    subscription = shop.subscribe(customer)
    payment_id = shop.pay(customer, subscription, kind=PaymentType.MEMBERSHIP_PURCHASE)
    price = shop.row("SELECT amount_minor FROM payments WHERE id = %s", payment_id)["amount_minor"]
    shop.charge(payment_id, Money.of(price, "USD") if unit_of(shop, payment_id) == "USD" else Money.of(price, "EGP"))
    shop.look(payment_id)
    half = Money.of(price // 2, unit_of(shop, payment_id))

    counter.refund(payment_id, half)
    assert membership(shop, subscription) == "ACTIVE"
    refund_id = counter.refund(payment_id)
    assert membership(shop, subscription) == "CANCELLED"

    counter.decide(payment_id, RefundState.FAILED)
    shop.look(payment_id)
    assert counter.status(refund_id) == "FAILED"
    assert membership(shop, subscription) == "ACTIVE"


@pytest.mark.parametrize("first", [0, 1])
def test_a_refund_takes_the_year_that_it_paid_and_no_other(
    shop: Shop, counter: Counter, customer: UUID, first: int
) -> None:
    subscription = shop.subscribe(customer)
    years = []
    for _ in range(2):
        years.append(shop.pay(customer, subscription, kind=PaymentType.MEMBERSHIP_PURCHASE))
        price = shop.row("SELECT amount_minor FROM payments WHERE id = %s", years[-1])["amount_minor"]
        shop.charge(years[-1], Money.of(price, unit_of(shop, years[-1])))
        shop.look(years[-1])
    bought = business_date(shop.use.clock.now())

    def stands() -> tuple[str, date]:
        row = shop.row("SELECT status, expiry_date FROM membership_subscriptions WHERE id = %s", subscription)
        return row["status"], row["expiry_date"]

    assert stands() == ("ACTIVE", bought + 2 * TERM)
    counter.refund(years[first])
    assert stands() == ("ACTIVE", bought + TERM)
    counter.refund(years[1 - first])
    assert stands()[0] == "CANCELLED"

    for known, payment_id in enumerate(years, start=1):
        counter.decide(payment_id, RefundState.FAILED)
        shop.look(payment_id)
        shop.look(payment_id)
        assert stands() == ("ACTIVE", bought + known * TERM)


def unit_of(shop: Shop, payment_id: UUID) -> str:
    return str(shop.row("SELECT currency FROM payments WHERE id = %s", payment_id)["currency"])


def membership(shop: Shop, subscription: UUID) -> str:
    return str(shop.row("SELECT status FROM membership_subscriptions WHERE id = %s", subscription)["status"])


# Asked for once, and never above what came -------------------------------------------------------------------


def test_the_same_key_asks_for_one_refund(shop: Shop, counter: Counter, paid: UUID) -> None:
    first = counter.ask(paid, egp("100.00"), key="once")
    assert counter.ask(paid, egp("100.00"), key="once") == first
    with pytest.raises(RefundKeyReused):
        counter.ask(paid, egp("200.00"), key="once")
    assert counter.tenders(paid) == {"GATEWAY": (10_000, 0)}


def test_no_more_goes_back_than_is_left(counter: Counter, paid: UUID) -> None:
    counter.refund(paid, egp("600.00"))
    with pytest.raises(RefundAboveCapture):
        counter.ask(paid, egp("400.01"))
    counter.ask(paid, egp("400.00"))
    with pytest.raises(RefundAboveCapture):
        counter.ask(paid)


def test_what_is_not_paid_is_not_refunded(shop: Shop, counter: Counter, customer: UUID) -> None:
    payment_id = shop.pay(customer, shop.book(customer).id)
    with pytest.raises(IllegalTransition):
        counter.ask(payment_id)


def test_16_refunds_at_once_never_exceed_the_charge(shop: Shop, counter: Counter, paid: UUID) -> None:
    staff = [f"key {number}" for number in range(16)]

    answers = all_at_once([lambda key=key: counter.refund(paid, egp("100.00"), key=key) for key in staff])

    done = [answer for answer in answers if isinstance(answer, UUID)]
    refused = [answer for answer in answers if not isinstance(answer, UUID)]
    assert len(done) == 10
    assert all(isinstance(answer, RefundAboveCapture) for answer in refused), refused
    assert counter.tenders(paid) == {"GATEWAY": (0, PRICE)}
    assert set(Tally(shop.gateway.asked_refunds).values()) == {1}
    assert sum(refund.amount.minor for refund in counter.book(paid).refunds.values()) == PRICE


def test_one_part_submitted_8_times_at_once_is_one_request(shop: Shop, counter: Counter, paid: UUID) -> None:
    refund_id = counter.ask(paid)
    assert all_at_once([lambda: counter.submit(refund_id)] * 8) == [None] * 8
    assert len(shop.gateway.asked_refunds) == 1
    assert counter.status(refund_id) == "SUCCEEDED"


# Previews ----------------------------------------------------------------------------------------------------


def test_a_preview_says_what_the_refund_then_does(shop: Shop, counter: Counter, customer: UUID) -> None:
    payment_id, booking_id = a_mixed_payment(shop, customer)
    staff = shop.a_customer()
    shop.travel(booking_id, staff)
    before = shop.balance(accounts.points(customer))
    plan = counter.preview(payment_id, egp("300.00"))
    cashback = shop.balance(accounts.cashback(customer, "EGP"))

    counter.submit(counter.ask(payment_id, egp("300.00"), agreed=plan.fingerprint))

    assert {part.share.tender.kind: part.share.amount.minor for part in plan.parts} == {
        kind: refunded for kind, (_, refunded) in counter.tenders(payment_id).items()
    }
    back = next(part.points for part in plan.parts if part.share.tender.kind is TenderKind.POINTS)
    assert shop.balance(accounts.points(customer)) == before + (back or 0) - plan.points_taken
    assert shop.balance(accounts.cashback(customer, "EGP")) == cashback - plan.cashback_taken.minor
    assert shop.status_of(payment_id) == plan.payment_status_after


def test_a_preview_commits_nothing_else(counter: Counter, paid: UUID) -> None:
    plan = counter.preview(paid, egp("300.00"))
    counter.refund(paid, egp("100.00"))
    with pytest.raises(RefundPreviewStale):
        counter.ask(paid, egp("300.00"), agreed=plan.fingerprint)


# What the provider answers -------------------------------------------------------------------------------------


def test_an_answer_that_is_lost_is_in_doubt_until_a_reading_tells(shop: Shop, counter: Counter, paid: UUID) -> None:
    shop.gateway.refund_answers, shop.gateway.loses_answers = [OutcomeUnknown()], True
    refund_id = counter.refund(paid)
    assert (counter.status(refund_id), counter.tenders(paid)) == ("UNKNOWN", {"GATEWAY": (PRICE, 0)})

    counter.submit(refund_id)
    assert len(shop.gateway.asked_refunds) == 1

    for _ in range(3):
        shop.look(paid)
    assert (counter.status(refund_id), counter.tenders(paid)) == ("SUCCEEDED", {"GATEWAY": (0, PRICE)})
    assert counter.balances(CLEARING, PREPAID) == [0, 0]


def test_an_answer_is_written_down_though_a_deadlock_broke_that_off(
    shop: Shop, counter: Counter, paid: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit, broken_off = SqlUnitOfWork.commit, [TryAgain(), TryAgain()]

    def breaks_off(uow: SqlUnitOfWork) -> None:
        if shop.gateway.asked_refunds and broken_off:
            raise broken_off.pop()
        commit(uow)

    monkeypatch.setattr(SqlUnitOfWork, "commit", breaks_off)
    assert counter.status(counter.refund(paid)) == "SUCCEEDED"
    assert len(shop.gateway.asked_refunds) == 1


def test_the_job_finds_what_became_of_a_lost_answer(
    shop: Shop, counter: Counter, paid: UUID, clock: MovableClock
) -> None:
    shop.gateway.refund_answers, shop.gateway.loses_answers = [OutcomeUnknown()], True
    refund_id = counter.refund(paid)
    clock.offset += timedelta(hours=1)
    counter.drive()
    assert counter.status(refund_id) == "SUCCEEDED"
    assert len(shop.gateway.asked_refunds) == 1


def test_what_no_reading_knows_long_after_is_sent_again_under_the_same_reference(
    shop: Shop, counter: Counter, paid: UUID, clock: MovableClock
) -> None:
    shop.gateway.refund_answers = [OutcomeUnknown()]
    refund_id = counter.refund(paid)
    clock.offset += timedelta(minutes=9)
    counter.drive()
    assert (counter.status(refund_id), len(shop.gateway.asked_refunds)) == ("UNKNOWN", 1)
    clock.offset += timedelta(hours=1)
    counter.drive()
    assert counter.status(refund_id) == "SUCCEEDED"
    assert set(Tally(shop.gateway.asked_refunds).values()) == {2}
    assert len(counter.book(paid).refunds) == 1


def test_what_the_provider_may_have_forgotten_is_left_to_a_person(
    shop: Shop, counter: Counter, paid: UUID, clock: MovableClock
) -> None:
    shop.gateway.refund_answers = [OutcomeUnknown()]
    refund_id = counter.refund(paid)
    clock.offset += timedelta(hours=25)
    counter.drive()
    assert (counter.status(refund_id), len(shop.gateway.asked_refunds)) == ("UNKNOWN", 1)


def test_what_is_long_in_doubt_is_given_up_once_and_a_reading_that_knows_better_is_followed(
    shop: Shop, counter: Counter, paid: UUID, clock: MovableClock
) -> None:
    shop.gateway.refund_answers, shop.gateway.loses_answers = [OutcomeUnknown()], True
    refund_id = counter.refund(paid, egp("400.00"))
    clock.offset += timedelta(hours=19)
    with pytest.raises(IllegalTransition):
        counter.give_up(refund_id)
    clock.offset += timedelta(hours=2)

    results = all_at_once([lambda: counter.give_up(refund_id)] * 4)

    assert [type(result) for result in results].count(IllegalTransition) == 3
    assert (counter.status(refund_id), counter.tenders(paid)) == ("FAILED", {"GATEWAY": (0, 0)})
    [kept] = shop.database.rows("SELECT changes FROM audit_logs WHERE action = 'refunds.give_up'")
    assert kept["changes"]["reason"] == "a test"
    for _ in range(2):
        shop.look(paid)
    assert (counter.status(refund_id), counter.tenders(paid)) == ("SUCCEEDED", {"GATEWAY": (0, 40_000)})
    assert counter.balances(CLEARING) == [40_000 - PRICE]


def test_what_waits_for_an_operator_is_given_up_and_tried_anew(shop: Shop, counter: Counter, paid: UUID) -> None:
    shop.gateway.capabilities = replace(shop.gateway.capabilities, refunds=False)
    refund_id = counter.ask(paid)
    counter.give_up(refund_id)
    with pytest.raises(IllegalTransition):
        counter.give_up(refund_id)
    counter.resubmit(refund_id)
    assert (counter.status(refund_id), counter.tenders(paid)) == ("AWAITING_OPERATOR", {"GATEWAY": (PRICE, 0)})


def test_what_goes_on_by_itself_is_not_given_up(shop: Shop, counter: Counter, paid: UUID, clock: MovableClock) -> None:
    shop.gateway.refund_state = RefundState.PENDING
    waiting, sent, done = (counter.ask(paid, egp(amount)) for amount in ("1.00", "2.00", "3.00"))
    counter.submit(sent)
    shop.gateway.refund_state = RefundState.SUCCEEDED
    counter.submit(done)
    clock.offset += timedelta(days=9)
    for refund_id in (waiting, sent, done):
        with pytest.raises(IllegalTransition):
            counter.give_up(refund_id)


def test_a_process_that_died_while_sending_leaves_a_part_that_is_read_back(
    shop: Shop, counter: Counter, paid: UUID, clock: MovableClock
) -> None:
    shop.gateway.refund_answers, shop.gateway.loses_answers = [KeyboardInterrupt()], True  # type: ignore[list-item]
    refund_id = counter.ask(paid)
    with pytest.raises(KeyboardInterrupt):
        counter.submit(refund_id)
    assert counter.status(refund_id) == "SUBMITTED"
    counter.submit(refund_id)
    assert len(shop.gateway.asked_refunds) == 1

    clock.offset += timedelta(minutes=2)
    counter.drive()
    assert counter.status(refund_id) == "SUCCEEDED"
    assert len(shop.gateway.asked_refunds) == 1


def test_a_provider_that_cannot_be_reached_is_asked_again_by_the_job(
    shop: Shop, counter: Counter, paid: UUID, clock: MovableClock
) -> None:
    shop.gateway.refund_answers = [ProviderUnreachable()]
    refund_id = counter.refund(paid)
    assert (counter.status(refund_id), counter.tenders(paid)) == ("REQUESTED", {"GATEWAY": (PRICE, 0)})
    clock.offset += timedelta(hours=1)
    counter.drive()
    assert counter.status(refund_id) == "SUCCEEDED"
    assert set(Tally(shop.gateway.asked_refunds).values()) == {2}


def test_a_lost_event_is_made_up_for_by_the_job(counter: Counter, paid: UUID) -> None:
    refund_id = counter.ask(paid)
    assert counter.drive().due == 1
    assert counter.status(refund_id) == "SUCCEEDED"
    assert counter.drive().due == 0


def test_a_refusal_frees_the_amount_and_another_part_may_be_tried(shop: Shop, counter: Counter, paid: UUID) -> None:
    shop.gateway.refund_answers = [ProviderRefused(provider="SCRIPTED", reason="too old")]
    refund_id = counter.refund(paid)
    assert (counter.status(refund_id), counter.tenders(paid)) == ("FAILED", {"GATEWAY": (0, 0)})
    assert counter.parts(refund_id)[0]["error_code"] == "too old"

    counter.resubmit(refund_id)
    counter.submit(refund_id)

    assert (counter.status(refund_id), counter.tenders(paid)) == ("SUCCEEDED", {"GATEWAY": (0, PRICE)})
    assert len(set(shop.gateway.asked_refunds)) == 2
    with pytest.raises(IllegalTransition):
        counter.resubmit(refund_id)


def test_a_refused_refund_goes_to_the_wallet_instead(shop: Shop, counter: Counter, customer: UUID, paid: UUID) -> None:
    shop.gateway.refund_answers = [ProviderRefused(provider="SCRIPTED")]
    refund_id = counter.refund(paid)
    counter.to_wallet(refund_id)
    assert counter.status(refund_id) == "SUCCEEDED"
    assert counter.balances(accounts.wallet(customer, "EGP"), CLEARING) == [PRICE, -PRICE]


def test_a_refusal_that_was_none_is_put_right_by_a_reading(shop: Shop, counter: Counter, paid: UUID) -> None:
    shop.gateway.refund_answers, shop.gateway.loses_answers = [ProviderRefused(provider="SCRIPTED")], True
    refund_id = counter.refund(paid)
    assert counter.status(refund_id) == "FAILED"
    shop.look(paid)
    assert (counter.status(refund_id), counter.tenders(paid)) == ("SUCCEEDED", {"GATEWAY": (0, PRICE)})


def test_money_that_went_back_twice_all_the_same_is_seen_in_suspense(
    shop: Shop, counter: Counter, customer: UUID, paid: UUID
) -> None:
    shop.gateway.refund_answers, shop.gateway.loses_answers = [ProviderRefused(provider="SCRIPTED")], True
    refund_id = counter.refund(paid)
    counter.to_wallet(refund_id)
    shop.look(paid)
    assert counter.status(refund_id) == "SUCCEEDED"
    assert counter.balances(accounts.wallet(customer, "EGP"), CLEARING, SUSPENSE) == [PRICE, 0, -PRICE]
    assert shop.attention() == ["REFUND_BEYOND"]


def test_what_goes_back_on_the_dashboard_beyond_what_is_left_is_seen(shop: Shop, counter: Counter, paid: UUID) -> None:
    counter.refund(paid, destination=Destination.WALLET)
    counter.on_dashboard(paid, egp("400.00"))
    for _ in range(2):
        shop.look(paid)

    soon = AttentionSearch(at=shop.use.clock.now(), reason="REFUND_BEYOND")
    [row] = shop.use.queries.attention.waiting(soon, limit=10, after=None)
    assert (row["amount_minor"], row["expected_minor"], row["provider_reference"]) == (40_000, PRICE, "re_dashboard")
    assert counter.balances(SUSPENSE) == [-40_000]


def test_pending_is_decided_by_readings(shop: Shop, counter: Counter, paid: UUID, clock: MovableClock) -> None:
    shop.gateway.refund_state = RefundState.PENDING
    refund_id = counter.refund(paid)
    assert (counter.status(refund_id), counter.tenders(paid)) == ("SUBMITTED", {"GATEWAY": (PRICE, 0)})
    counter.decide(paid, RefundState.SUCCEEDED)
    clock.offset += timedelta(hours=2)
    counter.drive()
    assert (counter.status(refund_id), counter.tenders(paid)) == ("SUCCEEDED", {"GATEWAY": (0, PRICE)})


def test_a_refund_that_came_back_leaves_everything_as_before_but_the_rewards(
    shop: Shop, counter: Counter, customer: UUID, paid: UUID
) -> None:
    refund_id = counter.refund(paid, egp("500.00"))
    points = shop.balance(accounts.points(customer))
    counter.decide(paid, RefundState.FAILED)
    shop.look(paid)

    assert (counter.status(refund_id), counter.tenders(paid)) == ("FAILED", {"GATEWAY": (0, 0)})
    assert (shop.status_of(paid), counter.balances(CLEARING, PREPAID)) == ("PAID", [-PRICE, PRICE])
    assert shop.balance(accounts.points(customer)) == points == 50

    counter.resubmit(refund_id)
    counter.submit(refund_id)
    assert counter.status(refund_id) == "SUCCEEDED"
    assert shop.balance(accounts.points(customer)) == 50
    assert events(shop)[1:] == [
        "refund_requested", "refund_succeeded", "refund_failed", "refund_requested", "refund_succeeded",
    ]  # fmt: skip


def test_of_a_completed_trip_revenue_goes_back_and_comes_again(
    shop: Shop, counter: Counter, customer: UUID, paid: UUID
) -> None:
    booking_id = shop.row("SELECT booking_id FROM payments WHERE id = %s", paid)["booking_id"]
    shop.travel(booking_id, shop.a_customer())
    assert counter.balances(PREPAID, REVENUE) == [0, PRICE]

    refund_id = counter.refund(paid, egp("300.00"))
    assert counter.balances(PREPAID, REVENUE, CLEARING) == [0, 70_000, -70_000]
    counter.decide(paid, RefundState.FAILED)
    shop.look(paid)
    assert counter.balances(PREPAID, REVENUE, CLEARING) == [0, PRICE, -PRICE]

    counter.resubmit(refund_id)
    counter.submit(refund_id)
    counter.refund(paid)
    assert counter.balances(PREPAID, REVENUE, CLEARING) == [0, 0, 0]


def test_a_refund_before_the_trip_is_over_is_not_earned(shop: Shop, counter: Counter, paid: UUID) -> None:
    booking_id = shop.row("SELECT booking_id FROM payments WHERE id = %s", paid)["booking_id"]
    counter.refund(paid, egp("300.00"))
    shop.travel(booking_id, shop.a_customer())
    assert counter.balances(PREPAID, REVENUE) == [0, 70_000]
    counter.refund(paid)
    assert counter.balances(PREPAID, REVENUE, CLEARING) == [0, 0, 0]


def test_a_refund_races_with_completion(shop: Shop, counter: Counter, customer: UUID, paid: UUID) -> None:
    booking_id, staff = shop.row("SELECT booking_id FROM payments WHERE id = %s", paid)["booking_id"], shop.a_customer()
    shop.start(booking_id, staff)
    refunds = [counter.ask(paid, egp("100.00")) for _ in range(6)]
    works = [*[lambda it=it: counter.submit(it) for it in refunds], lambda: shop.complete(booking_id, staff)]
    assert all_at_once(works) == [None] * 7
    assert counter.balances(PREPAID, REVENUE, CLEARING) == [0, 40_000, -40_000]
    promised = shop.row("SELECT cashback_amount_minor - clawed_back_minor AS left FROM cashback_records"
                        " WHERE booking_id = %s", booking_id) if has_cashback(shop, booking_id) else None  # fmt: skip
    assert promised is None or promised["left"] == shop.balance(accounts.cashback(customer, "EGP"))


def has_cashback(shop: Shop, booking_id: UUID) -> bool:
    return bool(shop.database.rows("SELECT 1 FROM cashback_records WHERE booking_id = %s", (booking_id,)))


# Operators, dashboards, suspense -----------------------------------------------------------------------------


def test_what_the_provider_cannot_do_waits_for_an_operator(
    shop: Shop, counter: Counter, paid: UUID, clock: MovableClock
) -> None:
    shop.gateway.capabilities = replace(shop.gateway.capabilities, refunds=False)
    refund_id = counter.ask(paid, egp("250.00"))
    assert counter.status(refund_id) == "AWAITING_OPERATOR"
    counter.submit(refund_id)
    counter.drive()
    assert shop.gateway.asked_refunds == []

    counter.confirm(refund_id, "re_dashboard", business_date(clock.now()))
    assert (counter.status(refund_id), counter.tenders(paid)) == ("SUCCEEDED", {"GATEWAY": (0, 25_000)})

    counter.on_dashboard(paid, egp("250.00"))
    shop.look(paid)
    assert counter.tenders(paid) == {"GATEWAY": (0, 25_000)}
    assert len(counter.of_payment(paid)) == 1


def test_an_operators_refund_is_found_by_its_amount(shop: Shop, counter: Counter, paid: UUID) -> None:
    shop.gateway.capabilities = replace(shop.gateway.capabilities, refunds=False)
    refund_id = counter.ask(paid, egp("250.00"))
    counter.on_dashboard(paid, egp("250.00"))
    shop.look(paid)
    assert counter.status(refund_id) == "SUCCEEDED"
    assert len(counter.of_payment(paid)) == 1


def test_a_refund_on_the_dashboard_is_known_by_its_reading(shop: Shop, counter: Counter, paid: UUID) -> None:
    counter.on_dashboard(paid, egp("300.00"))
    counter.on_dashboard(paid, egp("200.00"), name="re_other", state=RefundState.PENDING)
    shop.look(paid)
    shop.look(paid)
    assert [(row["origin"], row["status"]) for row in counter.of_payment(paid)] == [
        ("PROVIDER", "SUCCEEDED"), ("PROVIDER", "SUBMITTED"),
    ]  # fmt: skip
    assert counter.tenders(paid) == {"GATEWAY": (20_000, 30_000)}
    assert counter.balances(CLEARING) == [-70_000]


def test_a_dashboard_refund_overtakes_one_that_was_never_sent(shop: Shop, counter: Counter, paid: UUID) -> None:
    waiting = counter.ask(paid)
    counter.on_dashboard(paid, egp("1000.00"))
    shop.look(paid)
    assert counter.status(waiting) == "FAILED"
    counter.submit(waiting)
    assert shop.gateway.asked_refunds == []
    assert counter.balances(CLEARING, PREPAID, SUSPENSE) == [0, 0, 0]


def test_money_in_suspense_goes_back_once(shop: Shop, counter: Counter, paid: UUID) -> None:
    shop.charge(paid, egp("1000.00"))
    shop.look(paid)
    receipt = shop.row("SELECT id FROM payment_receipts WHERE disposition = 'SUSPENSE'")["id"]
    assert counter.balances(SUSPENSE) == [PRICE]

    refund_id = counter.refund_suspense(receipt, egp("1000.00"), key="once")
    assert counter.refund_suspense(receipt, egp("1000.00"), key="once") == refund_id
    with pytest.raises(SuspenseRefunded):
        counter.refund_suspense(receipt, egp("1000.00"))
    counter.submit(refund_id)

    assert counter.status(refund_id) == "SUCCEEDED"
    assert counter.balances(SUSPENSE, CLEARING, PREPAID) == [0, -PRICE, PRICE]
    assert (shop.status_of(paid), counter.tenders(paid)) == ("PAID", {"GATEWAY": (0, 0)})


def test_a_second_charge_given_back_on_the_dashboard_is_the_one_in_suspense(
    shop: Shop, counter: Counter, paid: UUID
) -> None:
    shop.charge(paid, egp("1000.00"))
    counter.on_dashboard(paid, egp("1000.00"))
    shop.look(paid)
    assert counter.balances(SUSPENSE, CLEARING, PREPAID) == [0, -PRICE, PRICE]
    assert shop.status_of(paid) == "PAID"


# Deposits ----------------------------------------------------------------------------------------------------


@pytest.fixture
def deposit(shop: Shop, customer: UUID) -> UUID:
    payment_id = shop.pay(customer, None, kind=PaymentType.WALLET_DEPOSIT, amount=egp("500.00"))
    shop.charge(payment_id, egp("500.00"))
    shop.look(payment_id)
    return payment_id


def test_a_deposit_on_its_way_back_cannot_be_spent(shop: Shop, counter: Counter, customer: UUID, deposit: UUID) -> None:
    refund_id = counter.ask(deposit)
    with pytest.raises(InsufficientBalance):
        shop.pay(customer, shop.book(customer).id, method=PaymentMethod.WALLET)
    counter.submit(refund_id)
    assert counter.status(refund_id) == "SUCCEEDED"
    assert counter.balances(accounts.wallet(customer, "EGP"), CLEARING) == [0, 0]


def test_a_refused_refund_of_a_deposit_frees_the_wallet(
    shop: Shop, counter: Counter, customer: UUID, deposit: UUID
) -> None:
    shop.gateway.refund_answers = [ProviderRefused(provider="SCRIPTED")]
    refund_id = counter.refund(deposit)
    assert counter.status(refund_id) == "FAILED"
    counter.resubmit(refund_id)
    counter.submit(refund_id)
    assert counter.balances(accounts.wallet(customer, "EGP"), CLEARING) == [0, 0]


def test_a_spent_deposit_is_not_refunded_unless_the_provider_has_done_it(
    shop: Shop, counter: Counter, customer: UUID, deposit: UUID
) -> None:
    booking = shop.book(customer, shop.a_departure(price=egp("400.00")))
    shop.pay(customer, booking.id, method=PaymentMethod.WALLET)
    with pytest.raises(InsufficientBalance):
        counter.ask(deposit)
    counter.on_dashboard(deposit, egp("500.00"))
    shop.look(deposit)
    wallet, debt = accounts.wallet(customer, "EGP"), accounts.debt(customer, "EGP")
    assert counter.balances(wallet, debt) == [0, -40_000]

    counter.on_dashboard(deposit, egp("500.00"), state=RefundState.FAILED)
    shop.look(deposit)
    assert counter.balances(wallet, debt) == [10_000, 0]


# Credit notes ------------------------------------------------------------------------------------------------


def credit(shop: Shop, payment_id: UUID) -> None:
    use = shop.use
    issue_credit_notes(payment_id, new_uow=use.new_uow, clock=use.clock, new_id=use.new_id)


def documents(shop: Shop) -> list[tuple[str, int, int]]:
    rows = shop.database.rows(
        "SELECT invoice_type, total_amount_minor, tax_amount_minor FROM invoices ORDER BY invoice_type, issued_at"
    )
    return [(row["invoice_type"], row["total_amount_minor"], row["tax_amount_minor"]) for row in rows]


def test_parts_of_a_price_and_their_refunds_are_documented_to_the_minor_unit(
    shop: Shop, counter: Counter, customer: UUID
) -> None:
    booking = shop.book(customer, deposit=Percentage(3_333))
    payments: dict[str, UUID] = {}
    for amount in ("333.30", "666.70"):
        payments[amount] = payment_id = shop.pay(customer, booking.id, amount=egp(amount))
        shop.charge(payment_id, egp(amount))
        shop.look(payment_id)
    for amount, payment_id in payments.items():
        for part in (egp("100.01"), None):
            counter.refund(payment_id, part)
            credit(shop, payment_id)
            credit(shop, payment_id)
        if amount == "333.30":
            assert [row[1] for row in documents(shop)] == [10_001, 23_329, 33_330]
    sold = [row for row in documents(shop) if row[0] == "STANDARD"]
    credited = [row for row in documents(shop) if row[0] == "CREDIT_NOTE"]
    assert (len(sold), len(credited)) == (2, 4)
    assert sum(row[1] for row in sold) == sum(row[1] for row in credited) == PRICE
    assert sum(row[2] for row in sold) == sum(row[2] for row in credited) == booking.price.tax_amount.minor


def test_a_note_stays_when_its_refund_comes_back_and_is_not_issued_twice(
    shop: Shop, counter: Counter, paid: UUID
) -> None:
    for amount in (egp("300.00"), None):
        counter.refund(paid, amount)
        credit(shop, paid)
        counter.decide(paid, RefundState.FAILED)
        shop.look(paid)
        counter.refund(paid, amount)
        credit(shop, paid)
    assert [row[:2] for row in documents(shop)] == [
        ("CREDIT_NOTE", 30_000), ("CREDIT_NOTE", 70_000), ("STANDARD", PRICE),
    ]  # fmt: skip


def test_parts_that_are_done_are_credited_while_others_wait(shop: Shop, counter: Counter, customer: UUID) -> None:
    payment_id, _ = a_mixed_payment(shop, customer)
    shop.gateway.refund_answers = [ProviderRefused(provider="SCRIPTED", reason="no")]
    refund_id = counter.ask(payment_id)
    credit(shop, payment_id)
    assert [row[:2] for row in documents(shop)] == [("CREDIT_NOTE", 45_000), ("STANDARD", PRICE)]
    assert "refund_part_succeeded" in events(shop)

    counter.submit(refund_id)
    credit(shop, payment_id)
    counter.to_wallet(refund_id)
    assert all_at_once([lambda: credit(shop, payment_id)] * 6) == [None] * 6

    rows = documents(shop)
    assert [row[:2] for row in rows] == [("CREDIT_NOTE", 45_000), ("CREDIT_NOTE", 55_000), ("STANDARD", PRICE)]
    assert rows[0][2] + rows[1][2] == rows[2][2]


def test_a_lost_dispute_is_credited_with_what_it_takes_of_what_was_sold(
    shop: Shop, counter: Counter, paid: UUID
) -> None:
    shop.gateway.refund_state = RefundState.PENDING
    counter.refund(paid, egp("300.00"))
    counter.dispute(paid, egp("1000.00"), DisputeState.LOST)
    shop.look(paid)
    assert all_at_once([lambda: credit(shop, paid)] * 6) == [None] * 6
    assert [row[:2] for row in documents(shop)] == [("CREDIT_NOTE", 70_000), ("STANDARD", PRICE)]

    # The refund came to nothing, and the bank has that, too.
    counter.decide(paid, RefundState.FAILED)
    shop.look(paid)
    for _ in range(2):
        credit(shop, paid)
    rows = documents(shop)
    assert [row[:2] for row in rows] == [("CREDIT_NOTE", 70_000), ("CREDIT_NOTE", 30_000), ("STANDARD", PRICE)]
    assert rows[0][2] + rows[1][2] == rows[2][2]
    named = shop.database.rows("SELECT DISTINCT dispute_id, refund_id FROM invoices WHERE invoice_type = 'CREDIT_NOTE'")
    assert [tuple(row.values()) for row in named] == [(shop.row("SELECT id FROM disputes")["id"], None)]


def test_money_of_another_currency_was_paid_for_nothing(shop: Shop, counter: Counter, paid: UUID) -> None:
    dollars = Money.parse("20.00", "USD")
    shop.charge(paid, dollars)
    shop.look(paid)
    counter.dispute(paid, dollars, DisputeState.LOST)
    shop.look(paid)
    counter.refund(paid)
    credit(shop, paid)
    assert [row[:2] for row in documents(shop)] == [("CREDIT_NOTE", PRICE), ("STANDARD", PRICE)]


def test_a_refund_that_is_told_of_after_the_dispute_has_no_note_of_its_own(
    shop: Shop, counter: Counter, paid: UUID
) -> None:
    counter.dispute(paid, egp("1000.00"), DisputeState.LOST)
    shop.look(paid)
    credit(shop, paid)
    counter.on_dashboard(paid, egp("300.00"))
    shop.look(paid)
    credit(shop, paid)
    assert [row[:2] for row in documents(shop)] == [("CREDIT_NOTE", PRICE), ("STANDARD", PRICE)]


def test_a_statement_that_speaks_of_refunds_is_compared_with_ours(shop: Shop, counter: Counter, paid: UUID) -> None:
    counter.refund(paid, egp("250.00"), key="first")
    counter.refund(paid, egp("100.00"), key="second")
    today = business_date(shop.use.clock.now())
    names = [row["provider_refund_reference"] for row in shop.database.rows(
        "SELECT provider_refund_reference FROM refund_parts ORDER BY amount_minor DESC")]  # fmt: skip

    def compared(second: str) -> tuple[int, int]:
        lines = (
            StatementLine(provider_reference=shop.attempt_of(paid).provider_reference, kind=LineKind.PAYMENT,
                          amount=egp("1000.00"), booked_on=today),
            StatementLine(provider_reference=names[0], kind=LineKind.REFUND, amount=-egp("250.00"), booked_on=today),
            StatementLine(provider_reference=names[1], kind=LineKind.REFUND, amount=-egp(second), booked_on=today),
        )  # fmt: skip
        statement = ProviderStatement(provider="SCRIPTED", lines=lines, balances={})
        done = record_statement(
            RecordStatement(statement=statement, actor_id=None),
            uow=shop.use.new_uow(),
            clock=shop.use.clock,
            new_id=shop.use.new_id,
        )
        return done.matched, done.breaks

    assert compared("100.00") == (3, 0)
    assert compared("90.00") == (2, 1)
