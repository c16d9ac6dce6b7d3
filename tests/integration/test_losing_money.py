"""A booking whose money has all gone back is over: whoever gave it back, in whatever parts, at whatever moment."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from functools import partial
from itertools import count, permutations
from typing import Any
from uuid import UUID

import pytest

from application.billing.ports import DisputeState, ProviderRefused, RefundState
from application.sales.waiting import JoinWaitingList, join_waiting_list, serve_waiting_list
from domain.billing.refunds import Destination
from domain.catalogue.departures import SoldOut
from domain.sales.bookings import Booking
from domain.shared.clock import business_date
from domain.shared.errors import IllegalTransition
from domain.shared.percentage import Percentage
from infrastructure.database.roles import DatabaseAddresses, connect
from tests.integration.amending import Desk as Amendments
from tests.integration.cancelling import Desk, agree
from tests.integration.meeting import one_behind_the_other
from tests.integration.promotions import PROMISES as OF_PROMOTIONS
from tests.integration.promotions import Till
from tests.integration.refunding import Counter, broken_refund_promises
from tests.integration.shop import Shop, all_at_once
from tests.integration.tenders import (
    PREPAID,
    RICH,
    Killed,
    a_rich_customer,
    asked,
    available,
    balances,
    egp,
    from_points,
    from_wallet,
    killed_at,
    pay_card,
)
from tests.integration.test_cancelling import DEPOSIT, WAITING, seen

PRICE = 100_000
GONE = ("REFUNDED", "REFUNDED", 0)
STAYS = ("CONFIRMED", "PARTIALLY_REFUNDED", 1)


@pytest.fixture
def desk(shop: Shop) -> Desk:
    return Desk(shop)


@pytest.fixture
def customer(shop: Shop) -> UUID:
    return a_rich_customer(shop, **RICH)


@pytest.fixture(autouse=True)
def every_promise_holds_afterwards(shop: Shop, addresses: DatabaseAddresses) -> Iterator[None]:
    yield
    assert broken_refund_promises(addresses) == []
    assert [name for name, query in OF_PROMOTIONS.items() if shop.database.rows(query)] == []


def stands(shop: Shop, booking: Booking) -> tuple[str, str, int]:
    """Its status, that of its money, and the seats of its departure that are taken."""
    row = shop.booking(booking.id)
    return row["status"], row["payment_status"], row["seats_taken"]


def told(shop: Shop) -> list[str]:
    rows = shop.database.rows(
        """SELECT name FROM outbox_events WHERE name IN ('sales.booking_cancelled', 'sales.booking_refunded')
           ORDER BY id"""
    )
    return [row["name"].removeprefix("sales.booking_") for row in rows]


def by_card(shop: Shop, customer: UUID, **booked: Any) -> tuple[Booking, UUID]:
    booking = shop.book(customer, **booked)
    payment_id = shop.pay(customer, booking.id)
    pay_card(shop, payment_id)
    return booking, payment_id


def with_a_deposit(shop: Shop, customer: UUID) -> tuple[Booking, UUID]:
    """EGP 300.00 of 1,000.00, by card."""
    booking = shop.book(customer, deposit=DEPOSIT)
    payment_id = shop.pay(customer, booking.id, amount=egp(30_000))
    pay_card(shop, payment_id)
    return booking, payment_id


# However it goes ---------------------------------------------------------------------------------------------


def by_the_provider(counter: Counter, payment_id: UUID) -> None:
    counter.refund(payment_id)


def into_the_wallet(counter: Counter, payment_id: UUID) -> None:
    counter.ask(payment_id, destination=Destination.WALLET)


def by_an_operator(counter: Counter, payment_id: UUID) -> None:
    gateway = counter.shop.gateway
    gateway.capabilities = replace(gateway.capabilities, refunds=False)
    refund_id = counter.ask(payment_id)
    assert counter.status(refund_id) == "AWAITING_OPERATOR"
    counter.confirm(refund_id, "re_by_hand", business_date(counter.shop.use.clock.now()))


def on_its_dashboard(counter: Counter, payment_id: UUID) -> None:
    counter.on_dashboard(payment_id, asked(counter.shop, payment_id))
    counter.shop.look(payment_id)


def by_a_bank(counter: Counter, payment_id: UUID) -> None:
    for _time in range(2):
        counter.dispute(payment_id, asked(counter.shop, payment_id), DisputeState.LOST)
        counter.shop.look(payment_id)


WAYS = [by_the_provider, into_the_wallet, by_an_operator, on_its_dashboard, by_a_bank]


@pytest.mark.parametrize("way", WAYS)
def test_with_the_last_of_its_money_it_ends_and_gives_back_what_it_took(
    shop: Shop, counter: Counter, desk: Desk, customer: UUID, way: Callable[[Counter, UUID], None]
) -> None:
    booking, payment_id = by_card(shop, customer, points=700)
    assert balances(shop, customer)[2] == 50_000 - 700 + 99

    way(counter, payment_id)

    assert stands(shop, booking) == GONE
    row = shop.booking(booking.id)
    assert (row["hold_status"], row["kept_amount_minor"], row["cancelled_by_user_id"]) == ("CAPTURED", 0, None)
    assert desk.history(booking.id)[-3:] == ["CONFIRMED", "CANCELLED", "REFUNDED"]
    assert told(shop) == ["cancelled", "refunded"]
    assert (balances(shop, customer)[2], shop.balance(PREPAID)) == (50_000, 0)
    for deed in (shop.start, shop.complete):
        with pytest.raises(IllegalTransition):
            deed(booking.id, shop.a_customer())


def test_a_charge_and_its_refund_in_one_reading_leave_no_trip(shop: Shop, counter: Counter, customer: UUID) -> None:
    booking = shop.book(customer)
    payment_id = shop.pay(customer, booking.id)
    shop.charge(payment_id, egp(PRICE))
    counter.on_dashboard(payment_id, egp(PRICE))

    shop.look(payment_id)

    assert stands(shop, booking) == GONE


@pytest.mark.parametrize("status", ["CONFIRMED", "IN_PROGRESS"])
def test_a_trip_under_way_is_not_completed_without_money(
    shop: Shop, counter: Counter, desk: Desk, customer: UUID, status: str
) -> None:
    booking, payment_id = with_a_deposit(shop, customer)
    if status == "IN_PROGRESS":
        shop.start(booking.id, shop.a_customer())
    waiting = shop.pay(customer, booking.id, parts=(from_wallet(20_000), from_points(10_000)))
    assert available(shop, customer) == (30_000, 50_000, 40_000)

    counter.refund(payment_id)

    assert stands(shop, booking) == GONE
    assert shop.status_of(waiting) == "CANCELLED"
    assert available(shop, customer) == balances(shop, customer) == (50_000, 50_000, 50_000)
    pay_card(shop, waiting)
    assert [disposition for *_, disposition, _ in shop.receipts(waiting)] == ["SUSPENSE"]
    with pytest.raises(IllegalTransition):
        shop.complete(booking.id, shop.a_customer())


ORDERS = list(permutations(range(3)))


@pytest.mark.parametrize("order", ORDERS, ids=["".join(map(str, order)) for order in ORDERS])
def test_in_whatever_order_only_the_last_part_ends_it(
    shop: Shop, counter: Counter, customer: UUID, order: tuple[int, ...]
) -> None:
    """A deposit by card, the rest from three balances at once; the deposit goes back in two parts."""
    booking, deposit = with_a_deposit(shop, customer)
    rest = shop.pay(customer, booking.id, parts=(from_wallet(20_000), from_points(10_000)))
    pay_card(shop, rest)
    parts = [(deposit, egp(10_001)), (deposit, egp(19_999)), (rest, egp(70_000))]

    for turn in order[:-1]:
        counter.refund(*parts[turn])
        assert stands(shop, booking) == STAYS
    counter.refund(*parts[order[-1]])

    assert stands(shop, booking) == GONE
    assert balances(shop, customer) == (50_000, 50_000, 50_000)


def test_two_parts_at_once_end_it_once(shop: Shop, counter: Counter, customer: UUID) -> None:
    for _ in range(3):
        booking, deposit = with_a_deposit(shop, customer)
        rest = shop.pay(customer, booking.id)
        pay_card(shop, rest)
        refunds = [counter.ask(deposit), counter.ask(rest, egp(30_000)), counter.ask(rest, egp(40_000))]

        results = all_at_once([partial(counter.submit, refund_id) for refund_id in refunds])
        assert [result for result in results if isinstance(result, BaseException)] == []

        assert stands(shop, booking) == GONE
    assert told(shop) == ["cancelled", "refunded"] * 3


def test_a_part_that_waits_for_the_other_sees_what_it_did(
    shop: Shop, counter: Counter, customer: UUID, addresses: DatabaseAddresses
) -> None:
    booking, payment_id = by_card(shop, customer)
    into = {"destination": Destination.WALLET}

    second = one_behind_the_other(
        lambda: counter.ask(payment_id, egp(60_000), **into),
        lambda: counter.ask(payment_id, egp(40_000), **into),
        database=shop.database,
        addresses=addresses,
    )

    assert isinstance(second, UUID)
    assert stands(shop, booking) == GONE


@pytest.mark.parametrize("way", [by_the_provider, by_a_bank])
def test_a_refund_locks_the_departure_before_its_payment(
    shop: Shop, counter: Counter, customer: UUID, addresses: DatabaseAddresses, way: Callable[[Counter, UUID], None]
) -> None:
    """The one order: whoever holds a departure may wait for payments of its bookings."""
    departure = shop.a_departure()
    booking, payment_id = by_card(shop, customer, departure=departure)

    with connect(addresses.app) as other, connect(addresses.app) as watcher, ThreadPoolExecutor(1) as thread:
        other.execute("BEGIN")
        other.execute("SELECT 1 FROM departures WHERE id = %s FOR UPDATE", (departure.id,))
        refunding = thread.submit(way, counter, payment_id)
        while watcher.execute(WAITING).fetchone() is None:
            assert not refunding.done()
        other.execute("SELECT 1 FROM payments WHERE id = %s FOR UPDATE NOWAIT", (payment_id,))
        other.execute("COMMIT")

    assert refunding.result() is None
    assert stands(shop, booking) == GONE


# What is not all -----------------------------------------------------------------------------------------------


def test_what_a_provider_refuses_has_not_gone(shop: Shop, counter: Counter, customer: UUID) -> None:
    booking, payment_id = by_card(shop, customer)
    shop.gateway.refund_answers = [ProviderRefused(provider="SCRIPTED", reason="too old")]
    refund_id = counter.refund(payment_id)
    assert (counter.status(refund_id), *stands(shop, booking)) == ("FAILED", "CONFIRMED", "PAID", 1)

    counter.to_wallet(refund_id)

    assert stands(shop, booking) == GONE


def test_one_of_two_payments_is_not_all(shop: Shop, counter: Counter, customer: UUID) -> None:
    booking, deposit = with_a_deposit(shop, customer)
    refund_id = counter.ask(deposit)
    pay_card(shop, shop.pay(customer, booking.id))
    counter.submit(refund_id)
    assert stands(shop, booking) == STAYS


def test_a_deposit_that_went_back_alone_is_all(shop: Shop, counter: Counter, customer: UUID) -> None:
    booking, payment_id = with_a_deposit(shop, customer)
    counter.refund(payment_id, egp(29_999))
    assert stands(shop, booking) == STAYS
    counter.refund(payment_id)
    assert stands(shop, booking) == GONE


def test_what_was_overpaid_goes_back_and_the_trip_stays(shop: Shop, counter: Counter, customer: UUID) -> None:
    desk = Amendments(shop)
    booking, payment_id = by_card(shop, customer, travelers=2)
    desk.amend(booking, travelers_count=1)
    for refund_id in desk.refunds(booking):
        counter.submit(refund_id)
    assert stands(shop, booking) == STAYS

    counter.refund(payment_id)

    assert stands(shop, booking) == GONE


def test_an_amendment_that_waits_goes_with_its_booking(shop: Shop, counter: Counter, customer: UUID) -> None:
    desk, departure = Amendments(shop), shop.a_departure()
    later = desk.another_date(departure)
    booking, payment_id = by_card(shop, customer, departure=departure)
    amendment_id = desk.amend(booking, departure_id=later.id, travelers_count=3)
    waiting = shop.pay(customer, booking.id)
    assert (desk.seats(departure), desk.seats(later)) == (1, 3)

    counter.refund(payment_id)

    assert stands(shop, booking) == GONE
    assert (desk.seats(departure), desk.seats(later)) == (0, 0)
    assert (desk.amendment(amendment_id)["status"], shop.status_of(waiting)) == ("WITHDRAWN", "CANCELLED")


# Afterwards ------------------------------------------------------------------------------------------------------


def test_its_seats_are_sold_again_or_offered_to_who_waits(shop: Shop, counter: Counter, customer: UUID) -> None:
    for waits in (False, True):
        departure, other = shop.a_departure(seats=1), shop.a_customer()
        booking, payment_id = by_card(shop, customer, departure=departure)
        with pytest.raises(SoldOut):
            shop.book(other, departure)
        if waits:
            join = JoinWaitingList(actor_id=other, user_id=other, departure_id=departure.id, seats=1)
            join_waiting_list(join, uow=shop.use.new_uow(), clock=shop.use.clock, new_id=shop.use.new_id)

        counter.refund(payment_id)
        assert shop.row(
            "SELECT count(*) AS freed FROM outbox_events WHERE name = 'catalogue.seats_freed'"
            " AND payload ->> 'departure_id' = %s", str(departure.id),
        )["freed"] == 1  # fmt: skip

        if waits:
            serve_waiting_list(
                departure.id, uow=shop.use.new_uow(), clock=shop.use.clock, offer_for=timedelta(hours=12)
            )
            entry = shop.row("SELECT status FROM waiting_list_entries WHERE departure_id = %s", departure.id)
            assert entry["status"] == "OFFERED"
        else:
            shop.a_paid_booking(other, departure)
        assert stands(shop, booking) == ("REFUNDED", "REFUNDED", 1)


def test_what_comes_back_from_the_bank_is_owed_and_nothing_is_taken_or_told_twice(
    shop: Shop, counter: Counter, desk: Desk, customer: UUID
) -> None:
    booking, payment_id = by_card(shop, customer, points=700)
    refund_id = counter.refund(payment_id)
    history = desk.history(booking.id)

    counter.decide(payment_id, RefundState.FAILED)
    shop.look(payment_id)
    assert stands(shop, booking) == ("REFUNDED", "PAID", 0)
    assert (shop.balance(PREPAID), balances(shop, customer)[2]) == (PRICE - 700, 50_000)

    counter.to_wallet(refund_id)
    assert stands(shop, booking) == GONE
    assert balances(shop, customer) == (50_000 + PRICE - 700, 50_000, 50_000)
    assert (desk.history(booking.id), told(shop)) == (history, ["cancelled", "refunded"])


def test_whoever_dies_leaves_all_of_it_or_nothing(shop: Shop, counter: Counter, customer: UUID) -> None:
    booking = shop.book(customer, deposit=DEPOSIT, points=500)
    payment_id = shop.pay(customer, booking.id, amount=egp(30_000))
    pay_card(shop, payment_id)
    shop.pay(customer, booking.id, parts=(from_wallet(10), from_points(10)))
    counter.dispute(payment_id, egp(30_000), DisputeState.LOST)
    lost, before = counter.reading(payment_id), seen(shop, customer)

    for step in count(1):
        with killed_at(step) as called:
            try:
                shop.settle(payment_id, lost)
            except Killed:
                pass
            else:
                break
        assert seen(shop, customer) == before, called[-1]

    assert {"SqlBookings.get", "SqlLedger.post", "SqlPoints.record", "SqlUnitOfWork.commit"} <= set(called)
    assert stands(shop, booking) == GONE
    assert available(shop, customer) == balances(shop, customer) == (50_000, 50_000, 50_000)


# Promotions (trap 31) ------------------------------------------------------------------------------------------


def used(shop: Shop, customer: UUID) -> tuple[Till, Any, Booking, UUID]:
    """A voucher with one use in all, and a booking that has it, paid by card."""
    till = Till(shop, shop.a_customer())
    voucher = till.voucher(usage_limit_total=1, discount_value=Percentage.parse("10"))
    booking, payment_id = by_card(shop, customer, voucher_code=voucher.code)
    assert till.stands(voucher) == (1, "EXHAUSTED", 1)
    return till, voucher, booking, payment_id


@pytest.mark.parametrize("how", ["confirmed", "completed", "cancelled for half"])
def test_its_voucher_is_free_again_with_the_last_of_its_money_and_not_before(
    shop: Shop, counter: Counter, desk: Desk, customer: UUID, addresses: DatabaseAddresses, how: str
) -> None:
    till, voucher, booking, payment_id = used(shop, customer)
    if how == "completed":
        shop.travel(booking.id, shop.a_customer())
    if how == "cancelled for half":
        agree(addresses, booking.id, (0, 50))
        desk.cancel(booking.id)
        for refund_id in desk.refunds(booking.id):
            counter.submit(refund_id)
    counter.refund(payment_id, egp(100))
    assert till.stands(voucher) == (1, "EXHAUSTED", 1)

    last = counter.refund(payment_id)

    assert shop.booking(booking.id)["status"] == "REFUNDED"
    assert till.stands(voucher) == (0, "ACTIVE", 0)
    other = shop.book(shop.a_customer(), voucher_code=voucher.code)
    counter.decide(payment_id, RefundState.FAILED)
    shop.look(payment_id)
    counter.to_wallet(last)
    assert till.stands(voucher) == (1, "EXHAUSTED", 1)
    assert [row["booking_id"] for row in till.redemptions(voucher) if row["in_use"]] == [other.id]
    assert shop.booking(booking.id)["status"] == "REFUNDED"


def test_what_was_on_its_way_back_when_it_was_cancelled_frees_it_when_it_is_there(
    shop: Shop, counter: Counter, desk: Desk, customer: UUID, addresses: DatabaseAddresses
) -> None:
    till, voucher, booking, payment_id = used(shop, customer)
    agree(addresses, booking.id, (0, 50))
    refund_id = counter.ask(payment_id)
    plan = desk.preview(booking.id)
    assert (plan.promotions, plan.settlement.kept) == ("KEPT", egp(0))
    desk.cancel(booking.id)
    assert till.stands(voucher) == (1, "EXHAUSTED", 1)

    counter.submit(refund_id)

    assert till.stands(voucher) == (0, "ACTIVE", 0)
