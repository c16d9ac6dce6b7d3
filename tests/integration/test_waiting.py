"""Waiting lists: seats that come back go to who came first, once, and to nobody else meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from random import Random
from typing import Any
from uuid import UUID

import psycopg
import pytest

from application.catalogue.pools import AttachPool, CreatePool, attach_pool, create_pool
from application.sales.expiry import GRACE, expire_bookings
from application.sales.handlers import serve_freed_pool
from application.sales.waiting import (
    JoinWaitingList,
    LeaveWaitingList,
    join_waiting_list,
    leave_waiting_list,
    serve_waiting_list,
    serve_waiting_lists,
)
from domain.catalogue.departures import Departure, DepartureClosed, DepartureNotFound, SoldOut
from domain.sales.bookings import Booking
from domain.sales.waiting import AlreadyWaiting, NoSeatOffer, SeatsAvailable, WaitingEntryNotFound
from domain.shared.clock import start_of_business_day
from domain.shared.errors import IllegalTransition, InvalidValue
from infrastructure.clock import new_id
from infrastructure.database.roles import DatabaseAddresses, connect
from tests.integration.shop import HOLD_FOR, Shop, all_at_once, broken_promises

OFFER_FOR = timedelta(hours=12)


@pytest.fixture(autouse=True)
def every_promise_holds_afterwards(addresses: DatabaseAddresses) -> Iterator[None]:
    yield
    assert broken_promises(addresses) == []


def join(shop: Shop, departure: Departure, seats: int = 1, customer: UUID | None = None) -> UUID:
    whose = customer or shop.a_customer()
    command = JoinWaitingList(actor_id=whose, user_id=whose, departure_id=departure.id, seats=seats)
    return join_waiting_list(command, uow=shop.use.new_uow(), clock=shop.use.clock, new_id=new_id)


def serve(shop: Shop, departure: Departure) -> None:
    serve_waiting_list(departure.id, uow=shop.use.new_uow(), clock=shop.use.clock, offer_for=OFFER_FOR)


def scan(shop: Shop) -> int:
    return serve_waiting_lists(new_uow=shop.use.new_uow, clock=shop.use.clock, offer_for=OFFER_FOR)


def leave(shop: Shop, entry_id: UUID) -> None:
    command = LeaveWaitingList(actor_id=owner_of(shop, entry_id), entry_id=entry_id, offer_for=OFFER_FOR)
    leave_waiting_list(command, uow=shop.use.new_uow(), clock=shop.use.clock)


def owner_of(shop: Shop, entry_id: UUID) -> UUID:
    owner: UUID = shop.row("SELECT user_id FROM waiting_list_entries WHERE id = %s", entry_id)["user_id"]
    return owner


def statuses(shop: Shop, *entries: UUID) -> list[str]:
    return [shop.row("SELECT status FROM waiting_list_entries WHERE id = %s", entry)["status"] for entry in entries]


def seats_taken(shop: Shop, departure: Departure) -> int:
    return int(shop.row("SELECT seats_taken FROM departures WHERE id = %s", departure.id)["seats_taken"])


def events(shop: Shop, name: str) -> int:
    return int(shop.row("SELECT count(*) AS count FROM outbox_events WHERE name = %s", f"sales.{name}")["count"])


def run_out(shop: Shop, clock: Any) -> None:
    """Every unpaid booking's time passes, and its seats come back."""
    clock.offset += HOLD_FOR + GRACE + timedelta(seconds=1)
    expire_bookings(new_uow=shop.use.new_uow, clock=shop.use.clock, new_id=new_id)


def test_seats_that_come_back_are_offered_in_the_order_of_the_line(shop: Shop, clock: Any) -> None:
    departure = shop.a_departure(seats=4)
    for _ in range(4):
        shop.book(shop.a_customer(), departure)
    first, large, third, fourth = (join(shop, departure, seats) for seats in (2, 3, 1, 2))
    run_out(shop, clock)

    for _ in range(3):
        serve(shop, departure)

    # Three are left after the first; the large party fits no more and is passed over, and keeps its place.
    assert statuses(shop, first, large, third, fourth) == ["OFFERED", "WAITING", "OFFERED", "WAITING"]
    assert seats_taken(shop, departure) == 3
    assert events(shop, "seats_offered") == 2
    leave(shop, first)
    # Of the three that are free now, the one who was passed over is asked first.
    assert statuses(shop, first, large, third, fourth) == ["CANCELLED", "OFFERED", "OFFERED", "WAITING"]
    assert seats_taken(shop, departure) == 4


def test_offered_seats_are_nobody_elses_and_become_the_bookings_own(shop: Shop, clock: Any) -> None:
    departure = shop.a_departure(seats=3)
    shop.book(shop.a_customer(), departure, travelers=3)
    entry = join(shop, departure, 2)
    run_out(shop, clock)
    serve(shop, departure)
    customer, stranger = owner_of(shop, entry), shop.a_customer()

    with pytest.raises(SoldOut):
        shop.book(stranger, departure, travelers=2)
    with pytest.raises(WaitingEntryNotFound):
        shop.book(stranger, departure, waiting_list_entry_id=entry)
    with pytest.raises(WaitingEntryNotFound):
        shop.book(customer, shop.a_departure(), waiting_list_entry_id=entry)
    booking = shop.book(customer, departure, travelers=2, waiting_list_entry_id=entry)

    assert seats_taken(shop, departure) == 2
    row = shop.row("SELECT status, booking_id FROM waiting_list_entries WHERE id = %s", entry)
    assert (row["status"], row["booking_id"]) == ("ACCEPTED", booking.id)
    with pytest.raises(NoSeatOffer):
        shop.book(customer, departure, waiting_list_entry_id=entry)
    with pytest.raises(IllegalTransition):
        leave(shop, entry)


@pytest.mark.parametrize(("travelers", "taken"), [(1, 1), (4, 4)])
def test_a_party_that_grew_or_shrank_takes_what_it_needs(shop: Shop, clock: Any, travelers: int, taken: int) -> None:
    departure = shop.a_departure(seats=4)
    shop.book(shop.a_customer(), departure, travelers=4)
    entry = join(shop, departure, 2)
    run_out(shop, clock)
    serve(shop, departure)

    shop.book(owner_of(shop, entry), departure, travelers=travelers, waiting_list_entry_id=entry)

    assert seats_taken(shop, departure) == taken


def test_a_party_that_outgrew_the_departure_keeps_its_offer(shop: Shop, clock: Any) -> None:
    departure = shop.a_departure(seats=4)
    shop.book(shop.a_customer(), departure, travelers=4)
    entry = join(shop, departure, 2)
    run_out(shop, clock)
    serve(shop, departure)

    with pytest.raises(SoldOut):
        shop.book(owner_of(shop, entry), departure, travelers=5, waiting_list_entry_id=entry)

    assert statuses(shop, entry) == ["OFFERED"]


def test_an_offer_that_is_not_taken_goes_to_the_next_once(shop: Shop, clock: Any) -> None:
    departure = shop.a_departure(seats=2)
    shop.book(shop.a_customer(), departure, travelers=2)
    first, second = join(shop, departure, 2), join(shop, departure, 1)
    run_out(shop, clock)
    assert scan(shop) == 1
    clock.offset += OFFER_FOR

    with pytest.raises(NoSeatOffer):
        shop.book(owner_of(shop, first), departure, travelers=2, waiting_list_entry_id=first)
    all_at_once([lambda: scan(shop)] * 4)

    assert statuses(shop, first, second) == ["EXPIRED", "OFFERED"]
    assert (events(shop, "seat_offer_lapsed"), events(shop, "seats_offered")) == (1, 2)
    assert seats_taken(shop, departure) == 1
    assert scan(shop) == 0


def test_who_need_not_wait_cannot_fit_or_waits_already_is_refused(shop: Shop, addresses: DatabaseAddresses) -> None:
    departure, customer = shop.a_departure(seats=2), shop.a_customer()
    with pytest.raises(SeatsAvailable) as free:
        join(shop, departure, 2)
    assert free.value.facts == {"seats_left": 2}
    with pytest.raises(InvalidValue):
        join(shop, departure, 3)
    shop.book(shop.a_customer(), departure)
    entry = join(shop, departure, 2, customer)
    with pytest.raises(AlreadyWaiting) as twice:
        join(shop, departure, 2, customer)
    assert twice.value.facts == {"waiting_list_entry_id": str(entry)}
    leave(shop, entry)
    again = join(shop, departure, 2, customer)
    with pytest.raises(WaitingEntryNotFound):
        leave_waiting_list(
            LeaveWaitingList(actor_id=shop.a_customer(), entry_id=again, offer_for=OFFER_FOR),
            uow=shop.use.new_uow(),
            clock=shop.use.clock,
        )
    with connect(addresses.owner) as owner:
        owner.execute("UPDATE departures SET status = 'CLOSED'")
    with pytest.raises(DepartureClosed):
        join(shop, departure, 2)
    with connect(addresses.owner) as owner:
        owner.execute("UPDATE packages SET status = 'INACTIVE'")
    with pytest.raises(DepartureNotFound):
        join(shop, departure, 2)


def test_seats_of_a_closed_departure_or_of_what_is_off_sale_are_not_offered(
    shop: Shop, addresses: DatabaseAddresses, clock: Any
) -> None:
    closed, off_sale = shop.a_departure(seats=1), shop.a_departure(seats=1)
    entries = []
    for departure in (closed, off_sale):
        shop.book(shop.a_customer(), departure)
        entries.append(join(shop, departure))
    with connect(addresses.owner) as owner:
        owner.execute("UPDATE departures SET status = 'CLOSED' WHERE id = %s", (closed.id,))
        owner.execute("UPDATE packages SET status = 'INACTIVE' WHERE id = %s", (off_sale.package_id,))
    run_out(shop, clock)

    assert scan(shop) == 0
    for departure in (closed, off_sale):
        serve(shop, departure)

    assert statuses(shop, *entries) == ["WAITING", "WAITING"]


def test_an_offer_never_outlasts_the_day_before_the_start_and_a_line_ends_with_it(shop: Shop, clock: Any) -> None:
    departure = shop.a_departure(seats=1)
    shop.book(shop.a_customer(), departure)
    first, second = join(shop, departure), join(shop, departure)
    last_moment = start_of_business_day(departure.starts_on)
    clock.offset += last_moment - shop.use.clock.now() - timedelta(hours=3)
    run_out(shop, clock)
    scan(shop)
    row = shop.row("SELECT offer_expires_at FROM waiting_list_entries WHERE id = %s", first)
    assert row["offer_expires_at"] == last_moment

    clock.offset += timedelta(hours=3)
    scan(shop)

    assert statuses(shop, first, second) == ["EXPIRED", "EXPIRED"]
    assert seats_taken(shop, departure) == 0
    assert events(shop, "waiting_ended") == 2


def test_seats_of_a_pool_are_offered_to_who_waits_for_any_of_its_departures(shop: Shop, clock: Any) -> None:
    sold, wanted = shop.a_departure(), shop.a_departure()
    command = CreatePool(actor_id=shop.a_customer(), name_ar="حافلة", name_en="Bus", capacity=3)
    bus = create_pool(command, uow=shop.use.new_uow(), clock=shop.use.clock, new_id=new_id)
    for departure in (sold, wanted):
        attach = AttachPool(actor_id=shop.a_customer(), departure_id=departure.id, pool_id=bus)
        attach_pool(attach, uow=shop.use.new_uow(), clock=shop.use.clock)
    shop.book(shop.a_customer(), sold, travelers=3)
    with pytest.raises(InvalidValue):
        join(shop, wanted, 4)
    entry = join(shop, wanted, 2)
    run_out(shop, clock)

    serve_freed_pool({"pool_id": str(bus)}, shop.use)

    assert statuses(shop, entry) == ["OFFERED"]
    assert (seats_taken(shop, sold), seats_taken(shop, wanted)) == (0, 2)
    assert shop.row("SELECT seats_taken FROM pools")["seats_taken"] == 2


def test_accepting_and_lapsing_at_once_ends_one_way(shop: Shop, clock: Any) -> None:
    departure = shop.a_departure(seats=2)
    shop.book(shop.a_customer(), departure, travelers=2)
    entry = join(shop, departure, 2)
    run_out(shop, clock)
    serve(shop, departure)
    customer = owner_of(shop, entry)

    works: list[Any] = [lambda: shop.book(customer, departure, travelers=2, waiting_list_entry_id=entry)] * 4
    works += [lambda: leave(shop, entry)] * 2
    results = all_at_once(works)

    booked = sum(isinstance(result, Booking) for result in results)
    assert statuses(shop, entry) == ["ACCEPTED" if booked else "CANCELLED"]
    assert booked <= 1
    assert seats_taken(shop, departure) == 2 * booked


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_no_seat_is_lost_or_sold_twice_and_the_order_is_kept_whoever_comes_at_once(
    shop: Shop, clock: Any, seed: int
) -> None:
    luck = Random(seed)
    departure = shop.a_departure(seats=6)
    for _ in range(6):
        shop.book(shop.a_customer(), departure)
    line = [join(shop, departure, luck.choice((1, 1, 2, 3))) for _ in range(8)]
    clock.offset += HOLD_FOR + GRACE + timedelta(seconds=1)
    buyers = [shop.a_customer() for _ in range(4)]

    def expire() -> int:
        return expire_bookings(new_uow=shop.use.new_uow, clock=shop.use.clock, new_id=new_id)

    works: list[Any] = [expire] * 2 + [lambda: serve(shop, departure)] * 4 + [lambda: scan(shop)] * 2
    works += [lambda b=buyer: shop.book(b, departure) for buyer in buyers]
    works += [lambda e=entry: leave(shop, e) for entry in luck.sample(line, 2)]
    luck.shuffle(works)
    results = all_at_once(works)
    assert {type(result) for result in results} <= {int, type(None), Booking, SoldOut}
    serve(shop, departure)

    entries = shop.database.rows("SELECT seats, status FROM waiting_list_entries ORDER BY created_at, id")
    left = 6 - seats_taken(shop, departure)
    assert left >= 0
    # Whoever still waits does not fit, and nobody of the same size or smaller behind them was preferred.
    for number, entry in enumerate(entries):
        if entry["status"] == "WAITING":
            assert entry["seats"] > left
            behind = [later["seats"] for later in entries[number + 1 :] if later["status"] == "OFFERED"]
            assert all(seats < entry["seats"] for seats in behind)
    offered = [entry for entry in line if statuses(shop, entry) == ["OFFERED"]]
    taken = all_at_once([
        lambda e=entry: shop.book(owner_of(shop, e), departure, waiting_list_entry_id=e) for entry in offered
    ])  # fmt: skip
    assert all(isinstance(result, Booking) for result in taken), taken


@pytest.mark.parametrize("changes", [
    "seats = 0", "status = 'OFFERED'", "status = 'ACCEPTED'", "offered_at = now()", "status = 'LOST'",
])  # fmt: skip
def test_the_database_refuses_entries_that_cannot_be(shop: Shop, addresses: DatabaseAddresses, changes: str) -> None:
    departure = shop.a_departure(seats=1)
    shop.book(shop.a_customer(), departure)
    join(shop, departure)
    with connect(addresses.owner) as owner, pytest.raises(psycopg.errors.CheckViolation):
        owner.execute(f"UPDATE waiting_list_entries SET {changes}")
