"""Capacity: the last seats are sold once, whoever comes at the same time, and given back once (M7, M8)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import psycopg
import pytest

from application.sales.expiry import GRACE, expire_bookings
from domain.catalogue.departures import Departure, DepartureClosed, DepartureNotFound, SoldOut
from domain.sales.bookings import Booking
from domain.shared.errors import InvalidValue
from infrastructure.clock import new_id
from infrastructure.database.roles import DatabaseAddresses, connect
from tests.builders import a_departure
from tests.integration.meeting import one_behind_the_other
from tests.integration.shop import HOLD_FOR, Shop, all_at_once, broken_promises


@pytest.fixture(autouse=True)
def every_promise_holds_afterwards(addresses: DatabaseAddresses) -> Iterator[None]:
    yield
    assert broken_promises(addresses) == []


def seats_taken(shop: Shop, departure: Departure) -> int:
    return int(shop.row("SELECT seats_taken FROM departures WHERE id = %s", departure.id)["seats_taken"])


def sweep(shop: Shop) -> int:
    return expire_bookings(new_uow=shop.use.new_uow, clock=shop.use.clock, new_id=new_id)


def test_30_buyers_at_once_for_the_last_5_seats(shop: Shop) -> None:
    departure = shop.a_departure(seats=5)
    buyers = [shop.a_customer() for _ in range(30)]

    results = all_at_once([lambda b=buyer: shop.book(b, departure) for buyer in buyers])  # type: ignore[misc]

    assert [type(result) for result in results].count(Booking) == 5
    assert [type(result) for result in results].count(SoldOut) == 25
    assert seats_taken(shop, departure) == 5
    assert shop.row("SELECT count(*) AS count FROM bookings")["count"] == 5
    numbers = shop.database.rows("SELECT DISTINCT booking_number FROM bookings")
    assert len(numbers) == 5


def test_parties_at_once_never_take_more_than_there_is(shop: Shop) -> None:
    departure = shop.a_departure(seats=10)
    buyers = [shop.a_customer() for _ in range(12)]
    sizes = [1, 2, 3, 4] * 3

    results = all_at_once(
        [
            lambda b=buyer, n=size: shop.book(b, departure, travelers=n)  # type: ignore[misc]
            for buyer, size in zip(buyers, sizes, strict=True)
        ]
    )

    sold = sum(result.trip.travelers_count for result in results if isinstance(result, Booking))
    assert seats_taken(shop, departure) == sold <= 10
    # Whoever was refused asked for more than was left at the end.
    refused = [size for size, result in zip(sizes, results, strict=True) if isinstance(result, SoldOut)]
    assert len(refused) + sum(isinstance(result, Booking) for result in results) == 12
    assert all(size > 10 - sold for size in refused)


def test_who_comes_second_waits_for_the_first_and_sees_what_is_left(shop: Shop, addresses: DatabaseAddresses) -> None:
    departure, first, second = shop.a_departure(seats=3), shop.a_customer(), shop.a_customer()
    meeting: dict[str, Any] = {"database": shop.database, "addresses": addresses}

    booked = one_behind_the_other(lambda: shop.book(first, departure), lambda: shop.book(second, departure), **meeting)
    assert (type(booked), seats_taken(shop, departure)) == (Booking, 2)

    refused = one_behind_the_other(lambda: shop.book(first, departure), lambda: shop.book(second, departure), **meeting)
    assert (type(refused), seats_taken(shop, departure)) == (SoldOut, 3)


def test_a_refused_booking_leaves_nothing(shop: Shop) -> None:
    customer, departure = shop.a_customer(), shop.a_departure(seats=1)

    with pytest.raises(SoldOut):
        shop.book(customer, departure, travelers=2)
    with pytest.raises(InvalidValue):
        shop.book(customer, departure, travelers=51)

    assert shop.row("SELECT count(*) AS count FROM bookings")["count"] == 0
    assert shop.row("SELECT count(*) AS count FROM outbox_events WHERE name LIKE 'sales.%%'")["count"] == 0
    assert seats_taken(shop, departure) == 0


def test_seats_of_what_was_not_paid_are_on_sale_again_once(shop: Shop, clock: Any) -> None:
    departure = shop.a_departure(seats=3)
    for _ in range(3):
        shop.book(shop.a_customer(), departure)
    clock.offset += HOLD_FOR + GRACE + timedelta(seconds=1)

    swept = all_at_once([lambda: sweep(shop)] * 4)

    assert sum(swept) == 3  # type: ignore[arg-type]
    assert seats_taken(shop, departure) == 0
    assert shop.row("SELECT count(*) AS count FROM outbox_events WHERE name = 'sales.booking_expired'")["count"] == 3
    assert sweep(shop) == 0
    shop.book(shop.a_customer(), departure, travelers=3)


def test_buyers_and_the_sweep_at_once_neither_oversell_nor_lose_a_seat(shop: Shop, clock: Any) -> None:
    departure = shop.a_departure(seats=4)
    for _ in range(4):
        shop.book(shop.a_customer(), departure)
    clock.offset += HOLD_FOR + GRACE + timedelta(seconds=1)
    buyers = [shop.a_customer() for _ in range(8)]

    works: list[Any] = [lambda: sweep(shop)] * 2
    works += [lambda b=buyer: shop.book(b, departure) for buyer in buyers]
    results = all_at_once(works)

    bought = sum(isinstance(result, Booking) for result in results)
    assert {type(result) for result in results} <= {int, Booking, SoldOut}
    assert seats_taken(shop, departure) == bought <= 4


def test_holds_within_their_time_and_grace_are_left_alone(shop: Shop, clock: Any) -> None:
    departure = shop.a_departure()
    shop.book(shop.a_customer(), departure)

    for moved in (timedelta(), HOLD_FOR, HOLD_FOR + GRACE - timedelta(seconds=5)):
        clock.offset = moved
        assert sweep(shop) == 0
    assert seats_taken(shop, departure) == 1


@pytest.mark.parametrize("status", ["CLOSED", "CANCELLED"])
def test_a_departure_that_is_not_open_sells_nothing(shop: Shop, addresses: DatabaseAddresses, status: str) -> None:
    departure = shop.a_departure()
    with connect(addresses.owner) as owner:
        owner.execute("UPDATE departures SET status = %s", (status,))

    with pytest.raises(DepartureClosed):
        shop.book(shop.a_customer(), departure)


def test_a_departure_is_sold_with_its_own_package_only_and_while_that_is_on_sale(
    shop: Shop, addresses: DatabaseAddresses
) -> None:
    departure, other = shop.a_departure(), shop.a_departure()
    mixed = a_departure(package_id=other.package_id)
    mixed.id = departure.id

    with pytest.raises(DepartureNotFound):
        shop.book(shop.a_customer(), mixed)
    with connect(addresses.owner) as owner:
        owner.execute("UPDATE packages SET status = 'INACTIVE' WHERE id = %s", (departure.package_id,))
    with pytest.raises(DepartureNotFound):
        shop.book(shop.a_customer(), departure)


@pytest.mark.parametrize("statement", [
    "UPDATE departures SET seats_taken = capacity + 1",
    "UPDATE departures SET capacity = seats_taken - 1",
    "UPDATE departures SET seats_taken = -1",
])  # fmt: skip
def test_the_database_refuses_to_oversell_whoever_asks(
    shop: Shop, addresses: DatabaseAddresses, statement: str
) -> None:
    shop.book(shop.a_customer(), shop.a_departure(seats=5), travelers=5)

    with connect(addresses.owner) as owner, pytest.raises(psycopg.errors.CheckViolation) as refused:
        owner.execute(statement)

    assert refused.value.diag.constraint_name == "ck_departures_never_oversold"


def test_that_refusal_reads_as_sold_out(shop: Shop) -> None:
    departure = shop.a_departure(seats=5)

    with pytest.raises(SoldOut), shop.use.new_uow() as uow:
        uow.departures.get(departure.id).seats_taken = 6
        uow.commit()

    assert seats_taken(shop, departure) == 0


@pytest.mark.parametrize("changes", [
    "status = 'CONFIRMED'",
    "status = 'COMPLETED'",
    "paid_amount_minor = final_amount_minor + 1",
    "paid_amount_minor = -1",
    "deposit_amount_minor = 1, status = 'CONFIRMED'",
    "refunded_amount_minor = 1",
    "points_paid_amount_minor = 1",
    "final_amount_minor = final_amount_minor - 1",
    "travelers_count = 0",
])  # fmt: skip
def test_the_database_refuses_bookings_that_cannot_be(shop: Shop, addresses: DatabaseAddresses, changes: str) -> None:
    shop.book(shop.a_customer())

    with connect(addresses.owner) as owner, pytest.raises(psycopg.errors.CheckViolation):
        owner.execute(f"UPDATE bookings SET {changes}")
