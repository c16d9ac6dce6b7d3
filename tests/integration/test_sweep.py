"""Expiring together is what expiring one by one is, and keeps clear of whoever is at a booking at the same moment."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from itertools import product
from typing import Any

import pytest

from application.catalogue.pools import AttachPool, CreatePool, attach_pool, create_pool
from application.ledger.points import EarnPoints, earn_points
from application.sales import expiry
from application.sales.expiry import GRACE, expire_bookings
from domain.catalogue.departures import Departure
from domain.sales.booking_states import BookingStatus
from domain.sales.bookings import OUT_OF_TIME, Booking
from domain.sales.holds import HoldStatus
from infrastructure.bootstrap import Running
from infrastructure.clock import new_id
from infrastructure.database import transaction
from infrastructure.database.roles import DatabaseAddresses, connect
from infrastructure.database.sales import sweep as many_at_once
from infrastructure.database.transaction import Database, Row
from tests.builders import a_booking, hold_of
from tests.integration.promotions import Till, from_offer, from_voucher
from tests.integration.shop import HOLD_FOR, Shop, all_at_once, broken_promises, units_of_work

FREE = BookingStatus.CANCELLED, HoldStatus.EXPIRED
WAITING = BookingStatus.PENDING_PAYMENT, HoldStatus.ACTIVE


@pytest.fixture
def till(running: Running) -> Till:
    return Till.opened(running)


@pytest.fixture
def shop(till: Till) -> Shop:
    return till.shop


@pytest.fixture(autouse=True)
def every_promise_holds_afterwards(addresses: DatabaseAddresses) -> Iterator[None]:
    yield
    assert broken_promises(addresses) == []


def together(shop: Shop) -> int:
    """What one statement for all of them does, without the others."""
    now = shop.use.clock.now()
    with shop.use.new_uow() as uow:
        expired = uow.bookings.expire_together(before=now - GRACE, at=now, limit=100, new_id=new_id)
        uow.commit()
    return expired


def sweep(shop: Shop) -> int:
    return expire_bookings(new_uow=shop.use.new_uow, clock=shop.use.clock, new_id=new_id)


def run_out(clock: Any) -> None:
    clock.offset += HOLD_FOR + GRACE + timedelta(seconds=1)


def stands(shop: Shop, *bookings: Booking) -> list[tuple[str, str]]:
    found = [shop.booking(booking.id) for booking in bookings]
    return [(row["status"], row["hold_status"]) for row in found]


def a_shared_departure(shop: Shop) -> Departure:
    departure = shop.a_departure()
    created = CreatePool(actor_id=shop.a_customer(), name_ar="حافلة", name_en="Bus", capacity=40)
    pool = create_pool(created, uow=shop.use.new_uow(), clock=shop.use.clock, new_id=new_id)
    attached = AttachPool(actor_id=shop.a_customer(), departure_id=departure.id, pool_id=pool)
    attach_pool(attached, uow=shop.use.new_uow(), clock=shop.use.clock)
    return departure


_LEFT_BEHIND = {
    "booking": "SELECT b.* FROM bookings b WHERE id = %(booking)s",
    "hold": "SELECT * FROM holds WHERE booking_id = %(booking)s",
    "history": "SELECT * FROM booking_status_history WHERE booking_id = %(booking)s ORDER BY id",
    "departure": "SELECT * FROM departures WHERE id = %(departure)s",
    "pool": "SELECT p.* FROM pools p JOIN departure_pools a ON a.pool_id = p.id WHERE a.departure_id = %(departure)s",
    "events": """SELECT name, version, payload, published_at, dead_at FROM outbox_events
                 WHERE occurred_at = %(at)s AND payload::text ~ ANY (%(ids)s) ORDER BY name""",
}
_ITS_OWN = {"id", "booking_id", "departure_id", "pool_id", "package_id", "user_id", "booking_number", "created_at",
            "created_by_user_id", "changed_by_user_id", "updated_at", "expires_at", "cancelled_at", "changed_at",
            "starts_at", "customer_info"}  # fmt: skip
"""Columns that differ between any two bookings, whoever ended them."""


def left_behind(shop: Shop, booking: Booking) -> dict[str, list[Row]]:
    """All rows that ending it touched, without what is its own."""
    departure = booking.trip.departure_id
    pool = shop.row("SELECT pool_id FROM departure_pools WHERE departure_id = %s", departure)["pool_id"]
    values = {
        "booking": booking.id,
        "departure": departure,
        "at": shop.use.clock.now(),
        "ids": [str(one) for one in (booking.id, departure, pool)],
    }
    found = {name: shop.database.rows(sql, values) for name, sql in _LEFT_BEHIND.items()}
    for row in found["events"]:
        row["payload"] = {name: "an id" if name.endswith("_id") else value for name, value in row["payload"].items()}
    return {
        name: [{column: value for column, value in row.items() if column not in _ITS_OWN} for row in rows]
        for name, rows in found.items()
    }


class StandingClock:
    """Says the same instant however often it is asked."""

    def __init__(self, shop: Shop) -> None:
        self._now = shop.use.clock.now()

    def now(self) -> Any:
        return self._now


def test_together_leaves_the_same_rows_and_events_as_one_by_one(shop: Shop, clock: Any) -> None:
    first, second = (shop.book(shop.a_customer(), a_shared_departure(shop), travelers=3) for _ in range(2))
    run_out(clock)
    standing = replace(shop, use=replace(shop.use, clock=StandingClock(shop)))

    expiry._expire_booking(first.id, uow=standing.use.new_uow(), clock=standing.use.clock, new_id=new_id, grace=GRACE)
    assert together(standing) == 1

    assert stands(shop, first, second) == [FREE, FREE]
    one_by_one, at_once = left_behind(standing, first), left_behind(standing, second)
    assert one_by_one == at_once
    assert [row["name"] for row in at_once["events"]] == [
        "catalogue.pool_seats_freed", "catalogue.seats_freed", "sales.booking_expired",
    ]  # fmt: skip
    assert at_once["history"][-1]["change_reason"] == OUT_OF_TIME


def test_what_is_due_is_what_the_domain_lets_expire(shop: Shop, clock: Any, addresses: DatabaseAddresses) -> None:
    shop.book(shop.a_customer())
    run_out(clock)
    now = shop.use.clock.now()

    for status, hold in product(BookingStatus, HoldStatus):
        booking = a_booking(status=status)
        hold_of(booking).status = hold
        with connect(addresses.owner) as owner:
            owner.execute("UPDATE bookings SET status = %s, paid_amount_minor = final_amount_minor", (status,))
            owner.execute("UPDATE holds SET status = %s", (hold,))
        for before in (now - HOLD_FOR - GRACE - timedelta(hours=1), now):
            with shop.use.new_uow() as uow:  # not committed: the next state begins from the same rows
                found = uow.bookings.expire_together(before=before, at=now, limit=9, new_id=new_id)
            assert found == (booking.is_awaiting_deposit and before == now), (status, hold)

    with connect(addresses.owner) as owner:
        owner.execute("UPDATE bookings SET status = 'PENDING_PAYMENT', paid_amount_minor = 0")
        owner.execute("UPDATE holds SET status = 'ACTIVE'")


def with_a_payment(till: Till) -> Booking:
    booking = till.shop.book(till.shop.a_customer())
    till.shop.pay(booking.user_id, booking.id)
    return booking


def with_points(till: Till) -> Booking:
    shop, person = till.shop, till.shop.a_customer()
    earned = EarnPoints(
        user_id=person, key=new_id().hex, reference_type="BOOKING", reference_id=new_id(),
        description_ar="نقاط", description_en="Points", points=5_000,
    )  # fmt: skip
    with shop.use.new_uow() as uow:
        earn_points(earned, uow=uow, at=till.now, new_id=new_id)
        uow.commit()
    return shop.book(person, points=5_000)


def with_a_voucher(till: Till) -> Booking:
    booking = till.shop.book(till.shop.a_customer())
    till.redeem((booking.id, booking.user_id), from_voucher(till.voucher()))
    return booking


def with_an_offer(till: Till) -> Booking:
    booking = till.shop.book(till.shop.a_customer())
    till.redeem((booking.id, booking.user_id), from_offer(till.offer()))
    return booking


@pytest.mark.parametrize("making", [with_a_payment, with_points, with_a_voucher, with_an_offer])
def test_what_took_more_than_seats_goes_by_itself(
    till: Till, clock: Any, monkeypatch: pytest.MonkeyPatch, making: Callable[[Till], Booking]
) -> None:
    shop = till.shop
    plain, booking = shop.book(shop.a_customer()), making(till)
    run_out(clock)

    # As if all of it had come between the look at what is due and the lock.
    monkeypatch.setattr(many_at_once, "_CLAIM", "SELECT id FROM bookings FOR UPDATE")
    assert together(shop) == 1
    assert stands(shop, booking, plain) == [WAITING, FREE]

    monkeypatch.undo()
    assert sweep(shop) == 1
    assert stands(shop, booking) == [FREE]


def test_whoever_is_at_a_booking_is_not_waited_for_and_it_goes_later(shop: Shop, clock: Any) -> None:
    departure = shop.a_departure()
    busy, free = (shop.book(shop.a_customer(), departure) for _ in range(2))
    run_out(clock)

    with shop.use.new_uow() as uow:
        uow.bookings.get(busy.id)
        assert all_at_once([lambda: together(shop)]) == [1]
    assert stands(shop, busy, free) == [WAITING, FREE]

    assert together(shop) == 1
    assert stands(shop, busy) == [FREE]


def test_a_departure_that_somebody_keeps_holds_up_its_own_bookings_alone(
    shop: Shop, clock: Any, addresses: DatabaseAddresses, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept, free = (shop.book(shop.a_customer(), shop.a_departure()) for _ in range(2))
    run_out(clock)
    monkeypatch.setattr(transaction, "LOCK_SECONDS", 0.3)
    impatient = Database(addresses.app)
    sweeper = replace(shop, use=replace(shop.use, new_uow=units_of_work(impatient)))

    with shop.use.new_uow() as uow:
        uow.departures.get(kept.trip.departure_id)
        assert all_at_once([lambda: sweep(sweeper)]) == [1]
    assert stands(shop, kept, free) == [WAITING, FREE]

    assert sweep(sweeper) == 1
    impatient.dispose()


def test_payments_buyers_and_sweeps_at_once_lose_no_seat(shop: Shop, clock: Any) -> None:
    departures = [a_shared_departure(shop) for _ in range(2)]
    bookings = [shop.book(shop.a_customer(), departures[n % 2], travelers=2) for n in range(12)]
    paying = [shop.pay(booking.user_id, booking.id) for booking in bookings[:4]]
    for payment in paying:
        shop.charge(payment, bookings[0].final_amount)
    buyers = [shop.a_customer() for _ in range(4)]
    run_out(clock)

    works: list[Any] = [lambda: sweep(shop)] * 3
    works += [lambda p=payment: shop.look(p) for payment in paying]
    works += [lambda n=n: shop.book(buyers[n], departures[n % 2], travelers=3) for n in range(4)]
    results = all_at_once(works)

    assert {type(result) for result in results} <= {int, type(None), Booking}
    sweep(shop)
    for departure in departures:
        kept = shop.row(
            """SELECT coalesce(sum(h.seats), 0) AS seats FROM holds h JOIN bookings b ON b.id = h.booking_id
               WHERE h.departure_id = %s AND h.status IN ('ACTIVE', 'CAPTURED') AND b.status <> 'CANCELLED'""",
            departure.id,
        )["seats"]
        pooled = shop.row(
            """SELECT p.seats_taken FROM pools p JOIN departure_pools a ON a.pool_id = p.id
               WHERE a.departure_id = %s""",
            departure.id,
        )["seats_taken"]
        assert shop.row("SELECT seats_taken FROM departures WHERE id = %s", departure.id)["seats_taken"] == kept
        assert pooled == kept


def test_all_that_is_due_goes_however_many_at_a_time(shop: Shop, clock: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(expiry, "AT_ONCE", 2)
    departure = shop.a_departure()
    for _ in range(5):
        shop.book(shop.a_customer(), departure)
    run_out(clock)

    assert [sweep(shop) for _ in range(4)] == [2, 2, 1, 0]
    told = shop.database.rows("SELECT payload FROM outbox_events WHERE name = 'catalogue.seats_freed' ORDER BY id")
    assert [row["payload"]["seats"] for row in told] == [2, 2, 1]
