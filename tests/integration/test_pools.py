"""Pools: departures that share seats never sell one twice, whoever comes at once and in whatever order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest

from application.catalogue.pools import AttachPool, ChangePool, CreatePool, attach_pool, change_pool, create_pool
from application.catalogue.pools import detach_pool as detach
from application.sales.expiry import GRACE, expire_bookings
from domain.catalogue.departures import Departure, PoolAttached, SoldOut
from domain.catalogue.pools import CapacityBelowSold, PoolNotFound
from domain.sales.bookings import Booking
from domain.shared.clock import business_date
from infrastructure.database.roles import DatabaseAddresses, connect
from infrastructure.database.transaction import Transaction
from tests.builders import a_departure, a_user, an_activity
from tests.integration.shop import HOLD_FOR, Shop, all_at_once

POOLS_THAT_DO_NOT_ADD_UP = """
SELECT p.id FROM pools p LEFT JOIN departure_pools s ON s.pool_id = p.id LEFT JOIN departures d ON d.id = s.departure_id
GROUP BY p.id HAVING p.seats_taken <> coalesce(sum(d.seats_taken), 0)
UNION ALL
SELECT d.id FROM departures d WHERE d.has_pools <> EXISTS (SELECT 1 FROM departure_pools s WHERE s.departure_id = d.id)
"""


@pytest.fixture(autouse=True)
def every_pool_adds_up_afterwards(addresses: DatabaseAddresses) -> Iterator[None]:
    yield
    with connect(addresses.owner) as owner:
        assert owner.execute(POOLS_THAT_DO_NOT_ADD_UP).fetchall() == []


def a_pool(shop: Shop, capacity: int, *departures: Departure) -> UUID:
    command = CreatePool(actor_id=shop.a_customer(), name_ar="حافلة", name_en="Bus", capacity=capacity)
    pool_id = create_pool(command, uow=shop.use.new_uow(), clock=shop.use.clock, new_id=shop.use.new_id)
    for departure in departures:
        attach(shop, departure, pool_id)
    return pool_id


def attach(shop: Shop, departure: Departure, pool_id: UUID) -> None:
    command = AttachPool(actor_id=shop.a_customer(), departure_id=departure.id, pool_id=pool_id)
    attach_pool(command, uow=shop.use.new_uow(), clock=shop.use.clock)


def taken(shop: Shop, pool_id: UUID) -> int:
    return int(shop.row("SELECT seats_taken FROM pools WHERE id = %s", pool_id)["seats_taken"])


def a_dive(shop: Shop, *, seats: int = 50) -> Departure:
    """A departure of an activity."""
    with shop.use.new_uow() as uow:
        staff = a_user()
        uow.users.add(staff)
        uow.flush()
        activity = an_activity(created_by_user_id=staff.id)
        uow.activities.add(activity)
        uow.flush()
        departure = a_departure(
            activity_id=activity.id,
            capacity=seats,
            starts_on=business_date(shop.use.clock.now()) + timedelta(days=30),
        )
        uow.departures.add(departure)
        uow.commit()
    return departure


def take(shop: Shop, departure: Departure, seats: int = 1) -> int:
    """What a sale does with the seats, of whichever item."""
    with shop.use.new_uow() as uow:
        uow.departures.get(departure.id).take_seats(seats, at=shop.use.clock.now())
        uow.commit()
    return seats


def test_50_at_once_for_the_last_20_seats_of_a_bus_that_two_products_share(shop: Shop) -> None:
    tour, dive = shop.a_departure(seats=50), a_dive(shop)
    bus = a_pool(shop, 20, tour, dive)
    buyers = [shop.a_customer() for _ in range(25)]

    works: list[Any] = [lambda b=buyer: shop.book(b, tour) for buyer in buyers]
    works += [lambda: take(shop, dive)] * 25
    results = all_at_once(works)

    assert [type(result) for result in results].count(SoldOut) == 30
    assert sum(isinstance(result, Booking | int) for result in results) == 20
    assert taken(shop, bus) == 20
    refused = next(result for result in results if isinstance(result, SoldOut))
    assert refused.facts == {"sold_out": str(bus), "seats_left": 0}


def test_whoever_comes_from_either_side_of_several_pools_waits_for_nobody_for_ever(shop: Shop) -> None:
    first, second = shop.a_departure(seats=100), shop.a_departure(seats=100)
    bus, guide = a_pool(shop, 30, first), a_pool(shop, 25, second)
    attach(shop, first, guide)
    attach(shop, second, bus)

    results = all_at_once([lambda d=(first, second)[n % 2]: take(shop, d) for n in range(40)])  # type: ignore[misc]

    assert results.count(1) == 25
    assert {type(result) for result in results} == {int, SoldOut}
    assert (taken(shop, bus), taken(shop, guide)) == (25, 25)


def test_units_that_move_seats_between_departures_both_ways_end(shop: Shop) -> None:
    first, second = shop.a_departure(), shop.a_departure()
    bus = a_pool(shop, 60, first, second)
    take(shop, first, 20)
    take(shop, second, 20)

    def move(source: Departure, target: Departure) -> None:
        now = shop.use.clock.now()
        with shop.use.new_uow() as uow:
            leaving, joined = uow.departures.get_all([source.id, target.id])
            leaving.give_back(1, at=now)
            joined.take_seats(1, at=now)
            uow.commit()

    results = all_at_once([lambda n=n: move(*((first, second), (second, first))[n % 2]) for n in range(20)])  # type: ignore[misc]

    assert results == [None] * 20
    assert taken(shop, bus) == 40


def test_seats_of_what_was_not_paid_are_in_the_pool_again_and_told_of(shop: Shop, clock: Any) -> None:
    departure = shop.a_departure()
    bus = a_pool(shop, 5, departure)
    shop.book(shop.a_customer(), departure, travelers=3)
    assert taken(shop, bus) == 3

    clock.offset += HOLD_FOR + GRACE + timedelta(seconds=1)
    expire_bookings(new_uow=shop.use.new_uow, clock=shop.use.clock, new_id=shop.use.new_id)

    assert taken(shop, bus) == 0
    told = shop.database.rows("SELECT name, payload FROM outbox_events WHERE name LIKE '%%seats_freed' ORDER BY name")
    assert [(row["name"], row["payload"]) for row in told] == [
        ("catalogue.pool_seats_freed", {"pool_id": str(bus), "seats": 3}),
        ("catalogue.seats_freed", {"departure_id": str(departure.id), "seats": 3}),
    ]


def test_a_sale_that_one_pool_refuses_takes_nothing(shop: Shop) -> None:
    departure = shop.a_departure()
    large, small = a_pool(shop, 30, departure), a_pool(shop, 2, departure)

    with pytest.raises(SoldOut) as refused:
        shop.book(shop.a_customer(), departure, travelers=3)

    assert refused.value.facts == {"sold_out": str(small), "seats_left": 2}
    assert (taken(shop, large), taken(shop, small)) == (0, 0)


def test_attaching_and_selling_at_once_never_lose_a_seat(shop: Shop) -> None:
    departure = shop.a_departure()
    bus = a_pool(shop, 40)

    results = all_at_once([*[lambda: take(shop, departure)] * 10, lambda: attach(shop, departure, bus)])

    assert [result for result in results if result not in (1, None)] == []
    assert taken(shop, bus) == 10


def test_what_is_attached_has_to_fit_and_be_there(shop: Shop) -> None:
    departure = shop.a_departure()
    take(shop, departure, 5)
    small = a_pool(shop, 4)

    with pytest.raises(SoldOut):
        attach(shop, departure, small)
    with pytest.raises(PoolNotFound):
        attach(shop, departure, shop.use.new_id())
    bus = a_pool(shop, 5, departure)
    with pytest.raises(PoolAttached):
        attach(shop, departure, bus)
    with pytest.raises(CapacityBelowSold):
        command = ChangePool(actor_id=shop.a_customer(), pool_id=bus, details={"capacity": 4})
        change_pool(command, uow=shop.use.new_uow(), clock=shop.use.clock)
    assert (taken(shop, small), taken(shop, bus)) == (0, 5)


def test_what_is_detached_has_its_seats_back(shop: Shop) -> None:
    departure, other = shop.a_departure(), shop.a_departure()
    bus = a_pool(shop, 10, departure, other)
    take(shop, departure, 4)
    take(shop, other, 3)

    command = AttachPool(actor_id=shop.a_customer(), departure_id=departure.id, pool_id=bus)
    detach(command, uow=shop.use.new_uow(), clock=shop.use.clock)

    assert taken(shop, bus) == 3
    take(shop, departure, 40)


@pytest.mark.parametrize("statement", [
    "UPDATE pools SET seats_taken = capacity + 1",
    "UPDATE pools SET capacity = seats_taken - 1",
    "UPDATE pools SET seats_taken = -1",
])  # fmt: skip
def test_the_database_refuses_to_oversell_a_pool_whoever_asks(
    shop: Shop, addresses: DatabaseAddresses, statement: str
) -> None:
    departure = shop.a_departure()
    a_pool(shop, 5, departure)
    take(shop, departure, 5)

    with connect(addresses.owner) as owner, pytest.raises(psycopg.errors.CheckViolation) as refused:
        owner.execute(statement)

    assert refused.value.diag.constraint_name == "ck_pools_never_oversold"


def test_a_pool_that_is_attached_in_plain_sql_is_drawn_from(shop: Shop, addresses: DatabaseAddresses) -> None:
    departure = shop.a_departure()
    bus = a_pool(shop, 5)
    with connect(addresses.owner) as owner:
        owner.execute("INSERT INTO departure_pools VALUES (%s, %s)", (departure.id, bus))

    shop.book(shop.a_customer(), departure, travelers=2)

    assert taken(shop, bus) == 2


class TestStatements:
    """What a sale asks of the database."""

    @pytest.fixture
    def sent(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
        """Statements, and which of them wait for an answer."""
        statements: list[str] = []
        rows, execute = Transaction.rows, Transaction.execute

        def noted(kind: str, original: Any) -> Any:
            def note(self: Transaction, sql: str, *rest: Any, **options: Any) -> Any:
                statements.append(f"{kind} {' '.join(sql.split())}")
                return original(self, sql, *rest, **options)

            return note

        monkeypatch.setattr(Transaction, "rows", noted("ask", rows))
        monkeypatch.setattr(Transaction, "execute", noted("tell", execute))
        yield statements

    def sale(self, shop: Shop, sent: list[str], departure: Departure) -> Sequence[str]:
        buyer = shop.a_customer()
        sent.clear()
        shop.book(buyer, departure)
        return sent

    def test_a_departure_without_pools_asks_once_and_says_nothing_of_pools(self, shop: Shop, sent: list[str]) -> None:
        statements = self.sale(shop, sent, shop.a_departure())

        assert [statement.split()[0] for statement in statements] == ["ask", *["tell"] * 3]
        assert not [statement for statement in statements if " pools " in statement]

    def test_one_with_three_pools_asks_once_more_and_writes_them_in_one_statement(
        self, shop: Shop, sent: list[str]
    ) -> None:
        departure = shop.a_departure()
        for _ in range(3):
            a_pool(shop, 10, departure)
        statements = self.sale(shop, sent, departure)

        assert [statement.split()[0] for statement in statements] == ["ask", "ask", *["tell"] * 4]
        assert len([statement for statement in statements if statement.startswith("tell UPDATE pools")]) == 1
