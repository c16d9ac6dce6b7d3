"""Cancelling on PostgreSQL: shown is done, all of it or nothing, and the same whoever else comes at once (M5-M9)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from itertools import count
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from application.billing.ports import DisputeState, OutcomeUnknown, ProviderRefused, RefundState
from application.sales.cancellation_plans import CancellationPlan, Promotions
from domain.billing.payments import PaymentMethod
from domain.billing.refunds import PaymentDisputed, Way
from domain.ledger import accounts
from domain.ledger.accounts import AccountKind
from domain.sales.agreed import BookingSource, Parties, RewardTerms
from domain.sales.booking_errors import BalanceDue, BookingNotFound, TripStarted
from domain.sales.bookings import Booking
from domain.sales.cancellation import EVERYTHING, NEVER, CancellationPreviewStale
from domain.shared.errors import IllegalTransition, OwnRequest
from domain.shared.percentage import Percentage
from infrastructure.clock import new_id
from infrastructure.database.roles import DatabaseAddresses, connect
from tests.builders import a_price, a_trip
from tests.conftest import MovableClock
from tests.integration.cancelling import Desk, agree
from tests.integration.refunding import Counter, broken_refund_promises
from tests.integration.shop import Shop, all_at_once
from tests.integration.tenders import (
    RICH,
    SPLITS,
    Killed,
    a_rich_customer,
    available,
    balances,
    egp,
    from_credit,
    from_points,
    from_wallet,
    give_points,
    killed_at,
    owned,
    pay_card,
    sweep,
)

pytestmark = pytest.mark.usefixtures("refund_promises")

DEPOSIT = Percentage.parse("30")
HALF = (0, 50)
WAITING = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
CARD = PaymentMethod.CREDIT_CARD
REVENUE = accounts.platform(AccountKind.BOOKING_REVENUE, "EGP")


@pytest.fixture
def desk(shop: Shop) -> Desk:
    return Desk(shop)


@pytest.fixture
def customer(shop: Shop) -> UUID:
    return a_rich_customer(shop, **RICH)


def in_parts(shop: Shop, customer: UUID) -> Booking:
    """EGP 1,000.00: a deposit of 300 by card, 200 from the wallet, the rest half in points, half by card."""
    booking = shop.book(customer, deposit=DEPOSIT)
    pay_card(shop, shop.pay(customer, booking.id, amount=egp(30_000)))
    shop.pay(customer, booking.id, amount=egp(20_000), method=PaymentMethod.WALLET)
    pay_card(shop, shop.pay(customer, booking.id, parts=(from_points(25_000),)))
    return booking


def happened(desk: Desk, booking_id: UUID) -> dict[str, Any]:
    """What a plan says, as the rows say it once every refund is done."""
    shop = desk.shop
    row = shop.booking(booking_id)
    parts = shop.database.rows(
        """SELECT r.payment_id, p.tender_id, p.amount_minor, p.way, p.points FROM refund_parts p
           JOIN refunds r ON r.id = p.refund_id JOIN payments y ON y.id = r.payment_id WHERE y.booking_id = %s""",
        (booking_id,),
    )
    points = shop.row(
        """SELECT coalesce(sum(e.amount_minor) FILTER (WHERE j.journal_type = 'REVERSAL' AND e.amount_minor > 0
                               AND j.reverses_journal_id IN (SELECT id FROM ledger_journals
                                                  WHERE idempotency_key = 'points:redeemed:booking:' || %s)), 0)
                  AS restored,
                  -coalesce(sum(e.amount_minor) FILTER (WHERE j.idempotency_key LIKE 'points:refund:%%'), 0) AS taken
           FROM ledger_entries e JOIN ledger_journals j ON j.id = e.journal_id
           JOIN ledger_accounts a ON a.id = e.account_id
           WHERE a.user_id = %s AND e.currency = 'PTS' AND j.reference_id = %s""",
        str(booking_id), row["user_id"], booking_id,
    )  # fmt: skip
    return {
        "parts": sorted(
            (part["payment_id"], part["tender_id"], part["amount_minor"], part["way"], part["points"] or 0)
            for part in parts
        ),
        "refunded": row["refunded_amount_minor"],
        "kept": row["kept_amount_minor"],
        "restored": points["restored"],
        "taken": points["taken"],
    }


def planned(plan: CancellationPlan) -> dict[str, Any]:
    return {
        "parts": sorted(
            (refund.payment_id, part.share.tender.id, part.share.amount.minor, part.way.value, part.points or 0)
            for refund in plan.refunds
            for part in refund.parts
        ),
        "refunded": (plan.refunded_before + plan.settlement.refund).minor,
        "kept": plan.settlement.kept.minor,
        "restored": plan.settlement.points_restored,
        "taken": plan.rewards_taken.points,
    }


def submit_all(desk: Desk, counter: Counter, booking_id: UUID) -> None:
    for refund_id in desk.refunds(booking_id):
        counter.submit(refund_id)


# Shown, and done ---------------------------------------------------------------------------------------------

HOURS = st.sampled_from([720, 168, 48, 24, 1, 0])


@given(
    tiers=st.lists(st.tuples(HOURS, st.integers(0, 100)), max_size=3, unique_by=lambda tier: tier[0]),
    price=st.integers(200, 99_999),
    ways=st.lists(st.sampled_from(["card", "wallet", "points and card", "credit and card"]), min_size=1, max_size=3),
    discount=st.integers(0, 90),
    hours=st.integers(0, 690),
)
@settings(
    max_examples=8,
    phases=[Phase.generate],
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_what_the_preview_shows_is_what_happens(
    shop: Shop, desk: Desk, counter: Counter, addresses: DatabaseAddresses, clock: MovableClock, **drawn: Any
) -> None:
    clock.offset = timedelta()
    booking = a_random_booking(shop, addresses, drawn)
    clock.offset = timedelta(hours=drawn["hours"])

    plan = desk.preview(booking.id)
    assert plan.fingerprint == desk.preview(booking.id).fingerprint
    assert plan.settlement.refund + plan.settlement.kept == plan.paid
    desk.cancel(booking.id, agreed=plan.fingerprint)
    assert shop.booking(booking.id)["status"] == plan.status_after
    submit_all(desk, counter, booking.id)

    assert happened(desk, booking.id) == planned(plan)
    assert broken_refund_promises(addresses) == []


def a_random_booking(shop: Shop, addresses: DatabaseAddresses, drawn: dict[str, Any]) -> Booking:
    """Paid in up to three payments, each its own way, with points as a discount now and then.

    A hundredth of what is left is a deposit above zero: else all of it would be due at once.
    """
    customer = a_rich_customer(shop, wallet=200_000, credit=200_000, points=200_000)
    booking = shop.book(
        customer,
        shop.a_departure(price=egp(drawn["price"])),
        deposit=Percentage.parse("1"),
        points=drawn["discount"],
    )
    shares = sorted(drawn["tiers"], reverse=True)
    percents = sorted((percent for _, percent in shares), reverse=True)
    agree(addresses, booking.id, *((hours, percent) for (hours, _), percent in zip(shares, percents, strict=True)))
    amounts = booking.final_amount.allocate([1] * len(drawn["ways"]))
    for way, amount in zip(drawn["ways"], amounts, strict=True):
        half = amount.minor // 2
        parts = {"points and card": (from_points(half),), "credit and card": (from_credit(half),)}.get(way, ())
        method = PaymentMethod.WALLET if way == "wallet" else CARD
        payment_id = shop.pay(customer, booking.id, amount=amount, parts=parts, method=method)
        if way != "wallet":
            pay_card(shop, payment_id)
    return booking


def test_the_newest_payments_go_back_first_and_the_deposit_is_what_is_kept(
    shop: Shop, desk: Desk, counter: Counter, customer: UUID, addresses: DatabaseAddresses
) -> None:
    booking = in_parts(shop, customer)
    agree(addresses, booking.id, HALF)

    plan = desk.preview(booking.id)
    assert (plan.applied.refund, plan.applied.hours_before) == (Percentage(5_000), 0)
    assert [(refund.amount.minor, len(refund.parts)) for refund in plan.refunds] == [(50_000, 2)]
    assert (plan.settlement.points, plan.settlement.in_points, plan.settlement.kept) == (
        25_000, egp(25_000), egp(50_000),
    )  # fmt: skip
    assert (plan.status_after, plan.promotions, plan.seats_returned) == ("CANCELLED", Promotions.NONE, 1)
    desk.cancel(booking.id, by=customer, owner=customer, agreed=plan.fingerprint)
    submit_all(desk, counter, booking.id)

    row = shop.booking(booking.id)
    assert (row["status"], row["payment_status"], row["seats_taken"]) == ("CANCELLED", "PARTIALLY_REFUNDED", 0)
    assert happened(desk, booking.id) == planned(plan)
    assert desk.history(booking.id) == ["PENDING_PAYMENT", "CONFIRMED", "CANCELLED"]
    audited = shop.row("SELECT count(*) AS n FROM audit_logs WHERE action = 'bookings.cancel'")
    assert audited["n"] == 0, "customers are no staff"


def test_a_booking_is_refunded_once_the_last_of_its_money_is_back(
    shop: Shop, desk: Desk, counter: Counter, customer: UUID
) -> None:
    booking = in_parts(shop, customer)
    desk.cancel(booking.id)
    assert shop.booking(booking.id)["status"] == "CANCELLED"

    first, *others = desk.refunds(booking.id)
    for refund_id in others:
        counter.submit(refund_id)
    assert shop.booking(booking.id)["status"] == "CANCELLED"
    counter.submit(first)

    row = shop.booking(booking.id)
    assert (row["status"], row["payment_status"], row["kept_amount_minor"]) == ("REFUNDED", "REFUNDED", 0)
    assert balances(shop, customer) == (50_000, 50_000, 50_000)
    assert desk.history(booking.id)[-2:] == ["CANCELLED", "REFUNDED"]


def test_what_is_all_in_our_own_books_is_back_at_once(shop: Shop, desk: Desk) -> None:
    customer = a_rich_customer(shop, wallet=100_000)
    booking = shop.book(customer)
    shop.pay(customer, booking.id, method=PaymentMethod.WALLET)

    plan = desk.preview(booking.id)
    assert plan.status_after == "REFUNDED"
    desk.cancel(booking.id)

    assert shop.booking(booking.id)["status"] == "REFUNDED"
    assert balances(shop, customer)[0] == 100_000
    assert desk.history(booking.id)[-2:] == ["CANCELLED", "REFUNDED"]


def test_points_that_reduced_the_price_come_back_in_the_same_proportion(
    shop: Shop, desk: Desk, counter: Counter, customer: UUID, addresses: DatabaseAddresses
) -> None:
    booking = shop.book(customer, points=1_001)
    agree(addresses, booking.id, HALF)
    pay_card(shop, shop.pay(customer, booking.id))
    before = balances(shop, customer)[2]

    plan = desk.preview(booking.id)
    assert (plan.settlement.points_restored, plan.rewards_taken.points) == (501, 50)
    desk.cancel(booking.id)
    submit_all(desk, counter, booking.id)

    assert balances(shop, customer)[2] == before + 501 - 50
    assert happened(desk, booking.id) == planned(plan)


def test_an_unpaid_booking_gives_everything_back_whatever_the_terms_say(
    shop: Shop, desk: Desk, customer: UUID, addresses: DatabaseAddresses
) -> None:
    booking = shop.book(customer, points=700)
    agree(addresses, booking.id)
    waiting = shop.pay(customer, booking.id, parts=SPLITS["everything"])

    plan = desk.preview(booking.id)
    assert plan.payments_cancelled == (waiting,)
    assert (plan.refunds, plan.settlement.points_restored) == ((), 700)
    desk.cancel(booking.id, by=customer, owner=customer)

    row = shop.booking(booking.id)
    assert (row["status"], row["hold_status"], row["seats_taken"]) == ("CANCELLED", "RELEASED", 0)
    assert shop.status_of(waiting) == "CANCELLED"
    assert available(shop, customer) == balances(shop, customer) == (50_000, 50_000, 50_000)
    pay_card(shop, waiting)
    assert [disposition for *_, disposition, _ in shop.receipts(waiting)] == ["SUSPENSE"]


def test_what_was_asked_for_and_never_priced_is_cancelled(shop: Shop, desk: Desk, customer: UUID) -> None:
    draft = Booking.request(
        booking_id=new_id(),
        booking_number=f"BK-{new_id().hex}",
        parties=Parties(user_id=customer, agent_id=None, created_by_user_id=customer, source=BookingSource.SELF),
        trip=replace(a_trip(), package_id=None, departure_id=None),
        unpriced=a_price(egp(0)),
        rewards=RewardTerms(tier_code="GUEST", points_multiplier=100, cashback_rate=Percentage(0)),
        cancellation_terms=NEVER,
        customer_info={},
        special_requests="",
        at=shop.use.clock.now(),
    )
    with shop.use.new_uow() as uow:
        uow.bookings.add(draft, ())
        uow.commit()

    assert (desk.preview(draft.id).applied.refund, desk.preview(draft.id).seats_returned) == (EVERYTHING, 0)
    desk.cancel(draft.id, by=customer, owner=customer)

    assert desk.history(draft.id) == ["DRAFT", "CANCELLED"]


def test_too_late_is_allowed_and_everything_is_kept(
    shop: Shop, desk: Desk, customer: UUID, addresses: DatabaseAddresses
) -> None:
    booking = in_parts(shop, customer)
    agree(addresses, booking.id)

    plan = desk.preview(booking.id)
    assert (plan.applied.refund, plan.applied.until, plan.refunds) == (Percentage(0), None, ())
    desk.cancel(booking.id)

    row = shop.booking(booking.id)
    assert (row["status"], row["kept_amount_minor"], row["seats_taken"]) == ("CANCELLED", 100_000, 0)
    assert desk.refunds(booking.id) == []


def test_what_was_refunded_before_was_a_lower_price(
    shop: Shop, desk: Desk, counter: Counter, customer: UUID, addresses: DatabaseAddresses
) -> None:
    booking = shop.book(customer)
    agree(addresses, booking.id, HALF)
    payment_id = shop.pay(customer, booking.id)
    pay_card(shop, payment_id)
    counter.refund(payment_id, egp(20_001))

    plan = desk.preview(booking.id)
    assert (plan.settlement.refund, plan.settlement.kept) == (egp(40_000), egp(39_999))
    desk.cancel(booking.id)
    submit_all(desk, counter, booking.id)

    assert shop.booking(booking.id)["refunded_amount_minor"] == 60_001


def test_staff_who_asked_for_everything_before_leave_nothing_to_refund(
    shop: Shop, desk: Desk, counter: Counter, customer: UUID
) -> None:
    booking = shop.book(customer)
    payment_id = shop.pay(customer, booking.id)
    pay_card(shop, payment_id)
    asked = counter.ask(payment_id)

    plan = desk.preview(booking.id)
    assert (plan.status_after, plan.refunds, plan.settlement.kept) == ("CANCELLED", (), egp(0))
    desk.cancel(booking.id)
    assert shop.booking(booking.id)["status"] == "CANCELLED"
    counter.submit(asked)

    assert shop.booking(booking.id)["status"] == "REFUNDED"


def test_staff_decide_and_it_is_audited(
    shop: Shop, desk: Desk, customer: UUID, addresses: DatabaseAddresses, clock: MovableClock
) -> None:
    booking = in_parts(shop, customer)
    agree(addresses, booking.id)
    staff = shop.a_customer()
    clock.offset = timedelta(days=31)
    with pytest.raises(TripStarted):
        desk.preview(booking.id)
    with pytest.raises(OwnRequest):
        desk.cancel(booking.id, by=customer, share=100)

    plan = desk.preview(booking.id, by=staff, share=100)
    with pytest.raises(CancellationPreviewStale):
        desk.cancel(booking.id, by=staff, share=99, agreed=plan.fingerprint)
    desk.cancel(booking.id, by=staff, share=100, agreed=plan.fingerprint)

    row = shop.row("SELECT * FROM audit_logs WHERE action = 'bookings.cancel'")
    assert (row["user_id"], row["resource_id"]) == (staff, booking.id)
    told = row["changes"]["after"]
    assert (told["status"], told["refund_percent"]) == ("CANCELLED", "100.00")
    assert row["changes"]["override_reason"] == "a test"


# Refused -----------------------------------------------------------------------------------------------------


def test_what_is_over_or_under_way_or_somebody_elses_is_not_cancelled(shop: Shop, desk: Desk, customer: UUID) -> None:
    booking = in_parts(shop, customer)
    with pytest.raises(BookingNotFound):
        desk.cancel(booking.id, owner=shop.a_customer())
    shop.start(booking.id, shop.a_customer())
    for owner in (customer, None):
        with pytest.raises(TripStarted):
            desk.cancel(booking.id, by=customer, owner=owner)
    shop.complete(booking.id, shop.a_customer())
    with pytest.raises(IllegalTransition):
        desk.cancel(booking.id, share=100)
    assert shop.booking(booking.id)["status"] == "COMPLETED"


@pytest.mark.parametrize("share", [0, 40, 100])
def test_staff_end_a_trip_that_began_with_a_balance_due(
    shop: Shop, desk: Desk, counter: Counter, customer: UUID, share: int
) -> None:
    booking = shop.book(customer, deposit=DEPOSIT, points=700)
    pay_card(shop, shop.pay(customer, booking.id, amount=egp(30_000)))
    waiting = shop.pay(customer, booking.id, parts=(from_wallet(5_000),))
    shop.start(booking.id, shop.a_customer())
    with pytest.raises(BalanceDue):
        shop.complete(booking.id, shop.a_customer())

    plan = desk.preview(booking.id, share=share)
    back = 300 * share
    assert (plan.settlement.refund, plan.settlement.kept) == (egp(back), egp(30_000 - back))
    assert (plan.payments_cancelled, plan.seats_returned) == ((waiting,), 1)
    desk.cancel(booking.id, by=shop.a_customer(), share=share, agreed=plan.fingerprint)
    submit_all(desk, counter, booking.id)

    row = shop.booking(booking.id)
    assert row["status"] == ("REFUNDED" if share == 100 else "CANCELLED")
    assert (row["kept_amount_minor"], row["seats_taken"]) == (30_000 - back, 0)
    assert balances(shop, customer) == available(shop, customer)
    assert shop.balance(REVENUE) == 30_000 - back
    assert happened(desk, booking.id) == planned(plan)
    with pytest.raises(IllegalTransition):
        desk.cancel(booking.id, share=share)


def test_while_a_bank_decides_nothing_goes_back(
    shop: Shop, desk: Desk, counter: Counter, customer: UUID, addresses: DatabaseAddresses
) -> None:
    booking = shop.book(customer)
    payment_id = shop.pay(customer, booking.id)
    pay_card(shop, payment_id)
    counter.dispute(payment_id, booking.final_amount, DisputeState.OPEN)
    shop.settle(payment_id, counter.reading(payment_id))

    with pytest.raises(PaymentDisputed):
        desk.cancel(booking.id)
    assert shop.booking(booking.id)["status"] == "CONFIRMED"

    agree(addresses, booking.id)
    desk.cancel(booking.id)
    assert shop.booking(booking.id)["seats_taken"] == 0


def test_a_preview_is_stale_once_anything_is_different(
    shop: Shop, desk: Desk, counter: Counter, customer: UUID, addresses: DatabaseAddresses, clock: MovableClock
) -> None:
    booking = shop.book(customer)
    agree(addresses, booking.id, (24 * 20, 80), (0, 10))
    payment_id = shop.pay(customer, booking.id)
    pay_card(shop, payment_id)
    shown = desk.preview(booking.id).fingerprint

    clock.offset = timedelta(days=20)
    with pytest.raises(CancellationPreviewStale):
        desk.cancel(booking.id, agreed=shown)
    clock.offset = timedelta()
    counter.refund(payment_id, egp(1))
    with pytest.raises(CancellationPreviewStale):
        desk.cancel(booking.id, agreed=shown)

    assert shop.booking(booking.id)["status"] == "CONFIRMED"


def test_a_preview_changes_nothing(shop: Shop, desk: Desk, customer: UUID) -> None:
    booking = in_parts(shop, customer)
    before = seen(shop, customer)
    desk.preview(booking.id)
    assert seen(shop, customer) == before


# At once -----------------------------------------------------------------------------------------------------


def test_cancelled_many_times_at_once_everything_goes_back_once(
    shop: Shop, desk: Desk, counter: Counter, customer: UUID
) -> None:
    booking = in_parts(shop, customer)

    results = all_at_once([partial(desk.cancel, booking.id)] * 6)

    assert sorted(type(result).__name__ for result in results) == ["IllegalTransition"] * 5 + ["NoneType"]
    submit_all(desk, counter, booking.id)
    assert shop.booking(booking.id)["status"] == "REFUNDED"
    assert balances(shop, customer) == (50_000, 50_000, 50_000)
    assert len(shop.gateway.asked_refunds) == len(set(shop.gateway.asked_refunds)) == 2


def test_money_that_settles_at_the_same_moment_is_refunded_or_in_suspense(
    shop: Shop, desk: Desk, counter: Counter
) -> None:
    ends = set()
    for _ in range(6):
        customer = a_rich_customer(shop, **RICH)
        booking = shop.book(customer)
        payment_id = shop.pay(customer, booking.id, parts=SPLITS["everything"])
        shop.charge(payment_id, egp(20_000))

        results = all_at_once([partial(desk.cancel, booking.id), partial(shop.look, payment_id)])

        assert [result for result in results if isinstance(result, BaseException)] == []
        submit_all(desk, counter, booking.id)
        row = shop.booking(booking.id)
        [receipt] = shop.receipts(payment_id)
        ends.add((row["status"], shop.status_of(payment_id), receipt[2]))
        assert row["seats_taken"] == 0
        assert balances(shop, customer) == available(shop, customer) == (50_000, 50_000, 50_000)
    assert ends <= {("CANCELLED", "CANCELLED", "SUSPENSE"), ("REFUNDED", "REFUNDED", "SETTLED")}


def test_a_booking_that_was_waited_for_is_read_as_it_is_afterwards(
    shop: Shop, customer: UUID, addresses: DatabaseAddresses
) -> None:
    booking = shop.book(customer)
    later = shop.use.clock.now() + timedelta(days=1)

    def deadline() -> datetime | None:
        with shop.use.new_uow() as uow:
            return uow.bookings.get(booking.id).hold_expires_at

    with connect(addresses.app) as other, connect(addresses.app) as watcher, ThreadPoolExecutor(1) as thread:
        other.execute("BEGIN")
        other.execute("SELECT 1 FROM bookings WHERE id = %s FOR UPDATE", (booking.id,))
        other.execute("UPDATE holds SET expires_at = %s WHERE booking_id = %s", (later, booking.id))
        reading = thread.submit(deadline)
        while watcher.execute(WAITING).fetchone() is None:
            assert not reading.done()
        other.execute("COMMIT")

    assert reading.result() == later


def test_whoever_cancels_locks_the_customers_accounts_in_the_order_of_everybody_else(
    shop: Shop, desk: Desk, addresses: DatabaseAddresses
) -> None:
    customer = next(
        customer for customer in iter(lambda: a_rich_customer(shop, **RICH), None)
        if owned(customer)[0].id < owned(customer)[2].id
    )  # fmt: skip
    booking = shop.book(customer, shop.a_departure(price=egp(20_000)), points=500)
    shop.pay(customer, booking.id, method=PaymentMethod.WALLET)
    wallet, _, points = owned(customer)

    with connect(addresses.app) as other, connect(addresses.app) as watcher, ThreadPoolExecutor(1) as thread:
        other.execute("BEGIN")
        other.execute("SELECT ledger_lock(ARRAY[%s])", (wallet.id,))
        cancelling = thread.submit(desk.cancel, booking.id)
        while watcher.execute(WAITING).fetchone() is None:
            assert not cancelling.done()
        other.execute("SET LOCAL lock_timeout = '500ms'")
        other.execute("SELECT ledger_lock(ARRAY[%s])", (points.id,))
        other.execute("COMMIT")

    assert cancelling.result() is None
    assert shop.booking(booking.id)["status"] == "REFUNDED"


def test_cancelled_as_its_time_to_pay_ends(shop: Shop, desk: Desk, clock: MovableClock) -> None:
    customer = a_rich_customer(shop, points=10_000)
    bookings = [shop.book(customer, points=1_000) for _ in range(4)]
    clock.offset = timedelta(minutes=21)

    results = all_at_once([partial(sweep, shop), *(partial(desk.cancel, booking.id) for booking in bookings)])

    refused = {type(result) for result in results if isinstance(result, BaseException)}
    assert refused <= {IllegalTransition}
    assert {shop.booking(booking.id)["status"] for booking in bookings} == {"CANCELLED"}
    assert balances(shop, customer)[2] == 10_000
    assert {shop.booking(booking.id)["seats_taken"] for booking in bookings} == {0}


def test_cancelled_while_staff_refund_it_no_more_goes_back_than_was_paid(
    shop: Shop, desk: Desk, counter: Counter
) -> None:
    for _ in range(3):
        customer = a_rich_customer(shop, **RICH)
        booking = shop.book(customer)
        payment_id = shop.pay(customer, booking.id, parts=SPLITS["everything"])
        pay_card(shop, payment_id)

        results = all_at_once([partial(desk.cancel, booking.id), partial(counter.ask, payment_id, egp(70_000))])

        assert sum(isinstance(result, BaseException) for result in results) <= 1
        submit_all(desk, counter, booking.id)
        assert shop.booking(booking.id)["refunded_amount_minor"] == 100_000
        assert balances(shop, customer) == (50_000, 50_000, 50_000)


# Killed in between, and providers ----------------------------------------------------------------------------


def seen(shop: Shop, customer: UUID) -> Any:
    """All that cancelling can change."""
    tables = ("payments", "payment_tenders", "refunds", "refund_parts", "balance_holds", "bookings", "holds",
              "departures", "outbox_events", "ledger_journals", "points_lots", "booking_status_history")  # fmt: skip
    rows = [shop.database.rows(f"SELECT * FROM {table} ORDER BY 1") for table in tables]
    return rows, balances(shop, customer), available(shop, customer)


def test_whoever_cancels_leaves_all_of_it_or_nothing(
    shop: Shop, desk: Desk, counter: Counter, customer: UUID, addresses: DatabaseAddresses
) -> None:
    give_points(shop, customer, 500)
    booking = shop.book(customer, deposit=DEPOSIT, points=500)
    agree(addresses, booking.id, (0, 90))
    pay_card(shop, shop.pay(customer, booking.id, amount=egp(30_000)))
    pay_card(shop, shop.pay(customer, booking.id, amount=egp(40_000), parts=(from_wallet(100), from_points(100))))
    shop.pay(customer, booking.id, parts=(from_wallet(10),))
    before = seen(shop, customer)

    for step in count(1):
        with killed_at(step) as called:
            try:
                desk.cancel(booking.id)
            except Killed:
                pass
            else:
                break
        assert seen(shop, customer) == before, called[-1]

    assert {"SqlBookings.get", "SqlLedger.post", "SqlPoints.record", "SqlUnitOfWork.commit"} <= set(called)
    # Nobody was told of the refunds: the job finds them.
    assert counter.drive().due == 2
    row = shop.booking(booking.id)
    assert (row["status"], row["payment_status"]) == ("CANCELLED", "PARTIALLY_REFUNDED")
    assert row["refunded_amount_minor"] + row["kept_amount_minor"] == row["paid_amount_minor"] == 70_000


def test_a_refund_that_a_provider_refuses_is_owed_and_goes_another_way(
    shop: Shop, desk: Desk, counter: Counter, customer: UUID, addresses: DatabaseAddresses
) -> None:
    booking = shop.a_paid_booking(customer)
    agree(addresses, booking.id, (0, 75))
    shop.gateway.refund_answers = [ProviderRefused(reason="too old")]
    desk.cancel(booking.id)
    [refund_id] = desk.refunds(booking.id)
    counter.submit(refund_id)
    row = shop.booking(booking.id)
    assert (counter.status(refund_id), row["status"], row["payment_status"]) == ("FAILED", "CANCELLED", "PAID")
    assert row["kept_amount_minor"] == 25_000

    counter.to_wallet(refund_id)

    row = shop.booking(booking.id)
    assert (row["refunded_amount_minor"], row["kept_amount_minor"]) == (75_000, 25_000)
    assert balances(shop, customer)[0] == 125_000


def test_a_refund_of_nobody_knows_is_looked_up_and_done_once(
    shop: Shop, desk: Desk, counter: Counter, customer: UUID, clock: MovableClock
) -> None:
    booking = shop.a_paid_booking(customer)
    shop.gateway.refund_answers, shop.gateway.loses_answers = [OutcomeUnknown()], True
    desk.cancel(booking.id)
    counter.submit(desk.refunds(booking.id)[0])
    assert shop.booking(booking.id)["status"] == "CANCELLED"

    clock.offset = timedelta(hours=2)
    counter.drive()

    assert shop.booking(booking.id)["status"] == "REFUNDED"
    assert len(shop.gateway.asked_refunds) == 1


def test_a_provider_that_cannot_refund_waits_for_an_operator(
    shop: Shop, desk: Desk, counter: Counter, customer: UUID
) -> None:
    booking = shop.a_paid_booking(customer)
    shop.gateway.capabilities = replace(shop.gateway.capabilities, refunds=False)
    assert [part.way for refund in desk.preview(booking.id).refunds for part in refund.parts] == [Way.OPERATOR]
    desk.cancel(booking.id)
    [refund_id] = desk.refunds(booking.id)
    assert (counter.status(refund_id), shop.booking(booking.id)["status"]) == ("AWAITING_OPERATOR", "CANCELLED")

    counter.confirm(refund_id, "FWK-1", datetime.fromisoformat("2020-01-01").date())

    assert shop.booking(booking.id)["status"] == "REFUNDED"


def test_what_a_bank_sends_back_is_owed_again_and_the_booking_stays_refunded(
    shop: Shop, desk: Desk, counter: Counter, customer: UUID
) -> None:
    booking = shop.a_paid_booking(customer)
    payment = shop.row("SELECT id FROM payments WHERE booking_id = %s", booking.id)["id"]
    desk.cancel(booking.id)
    [refund_id] = desk.refunds(booking.id)
    counter.submit(refund_id)
    assert shop.booking(booking.id)["status"] == "REFUNDED"

    counter.decide(payment, RefundState.FAILED)
    shop.settle(payment, counter.reading(payment))
    row = shop.booking(booking.id)
    assert (row["status"], row["payment_status"], row["refunded_amount_minor"]) == ("REFUNDED", "PAID", 0)

    counter.to_wallet(refund_id)
    row = shop.booking(booking.id)
    assert (row["status"], row["payment_status"]) == ("REFUNDED", "REFUNDED")
    assert balances(shop, customer)[0] == 150_000


def test_a_fee_that_staff_give_back_after_all_is_taken_out_of_what_was_earned(
    shop: Shop, desk: Desk, counter: Counter, customer: UUID, addresses: DatabaseAddresses
) -> None:
    booking = shop.a_paid_booking(customer)
    payment = shop.row("SELECT id FROM payments WHERE booking_id = %s", booking.id)["id"]
    agree(addresses, booking.id, HALF)
    desk.cancel(booking.id)
    # Before the cancellation's own refund is done: what nobody keeps goes first.
    counter.refund(payment, egp(30_000))
    assert shop.booking(booking.id)["kept_amount_minor"] == 50_000
    submit_all(desk, counter, booking.id)
    assert shop.booking(booking.id)["kept_amount_minor"] == 20_000

    counter.refund(payment)

    row = shop.booking(booking.id)
    assert (row["status"], row["kept_amount_minor"], row["refunded_amount_minor"]) == ("REFUNDED", 0, 100_000)
