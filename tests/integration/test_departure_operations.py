"""Mass operations: every booking once, whoever works, dies, pays, books or cancels at the same moment."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest

from application.billing.tenders import cancel_payments
from application.catalogue.authors import Author
from application.catalogue.departures import MoveDeparture, reopen_departure
from application.catalogue.pools import AttachPool, CreatePool, attach_pool, create_pool
from application.ports import NewUnitOfWork, UnitOfWork
from application.sales import operation_work
from application.sales.departure_operations import OrderOperation, TryAgain, order_operation, try_again
from application.sales.expiry import GRACE, expire_bookings
from application.sales.operation_work import Hands, work_off, work_off_operations
from application.sales.waiting import JoinWaitingList, join_waiting_list, serve_waiting_list
from domain.catalogue.departures import Departure, DepartureClosed, SoldOut
from domain.sales.bookings import Booking
from domain.sales.departure_operations import OperationInProgress, OperationKind
from domain.shared.errors import DomainError, IllegalTransition, InvalidValue
from domain.shared.money import Money
from domain.shared.percentage import Percentage
from infrastructure.clock import new_id
from infrastructure.database.roles import DatabaseAddresses, connect
from infrastructure.database.unit_of_work import SqlUnitOfWork
from tests.builders import a_departure
from tests.conftest import MovableClock
from tests.integration.amending import Desk as Amendments
from tests.integration.cancelling import Desk, agree
from tests.integration.refunding import Counter
from tests.integration.shop import HOLD_FOR, Shop, all_at_once

pytestmark = pytest.mark.usefixtures("refund_promises")

CANCEL, MOVE = OperationKind.CANCEL, OperationKind.MOVE
FREE_FOR = timedelta(days=7)


def another_date(shop: Shop, departure: Departure, *, seats: int = 50) -> Departure:
    """A departure of the same package, ten days later."""
    other = a_departure(
        package_id=departure.package_id, capacity=seats, starts_on=departure.starts_on + timedelta(days=10)
    )
    with shop.use.new_uow() as uow:
        uow.departures.add(other)
        uow.commit()
    return other


def order(shop: Shop, kind: OperationKind, departure: Departure, target: Departure | None = None) -> UUID:
    command = OrderOperation(
        actor_id=shop.a_customer(),
        kind=kind,
        departure_id=departure.id,
        target_departure_id=target.id if target is not None else None,
        reasons=("السفينة في الحوض", "The ship is in the dock"),
    )
    return order_operation(command, uow=shop.use.new_uow(), clock=shop.use.clock, new_id=new_id)


def hands(shop: Shop, new_uow: NewUnitOfWork | None = None) -> Hands:
    use = shop.use
    return Hands(
        new_uow=new_uow or use.new_uow, gateways=use.gateways, clock=use.clock, new_id=new_id, free_for=FREE_FOR
    )


def work(shop: Shop, operation_id: UUID) -> None:
    work_off(operation_id, hands=hands(shop))


def retry(shop: Shop, operation_id: UUID) -> None:
    try_again(TryAgain(actor_id=shop.a_customer(), operation_id=operation_id), uow=shop.use.new_uow(),
              clock=shop.use.clock)  # fmt: skip


def seen(shop: Shop, operation_id: UUID) -> tuple[str, int, int, int, int]:
    """status, total, done, skipped, failed."""
    row = shop.use.queries.departure_operations.operation(operation_id)
    assert row is not None
    return row["status"], row["total"], row["done"], row["skipped"], row["failed"]


def state(shop: Shop, departure: Departure) -> tuple[str, int]:
    row = shop.row("SELECT status, seats_taken FROM departures WHERE id = %s", departure.id)
    return row["status"], row["seats_taken"]


def errors(shop: Shop) -> list[str]:
    rows = shop.database.rows("SELECT error FROM departure_operation_items WHERE error IS NOT NULL ORDER BY booking_id")
    return [row["error"] for row in rows]


class Gone(BaseException):
    """The worker is gone, as by SIGKILL: no handler of errors hears of it."""


def dying(new_uow: NewUnitOfWork, at: int, *, committed: bool) -> NewUnitOfWork:
    """Units of work whose worker dies at a commit: just before it, or just after."""
    commits = 0

    class Dying(SqlUnitOfWork):
        def commit(self) -> None:
            nonlocal commits
            commits += 1
            if commits == at and not committed:
                raise Gone
            super().commit()
            if commits == at:
                raise Gone

    def begun() -> UnitOfWork:
        uow = new_uow()
        uow.__class__ = Dying
        return uow

    return begun


@pytest.mark.slow
def test_200_bookings_are_moved_once_by_two_workers_of_whom_one_dies_and_another_that_comes_later(shop: Shop) -> None:
    source = shop.a_departure(seats=260)
    target = another_date(shop, source, seats=260)
    customers = [shop.a_customer() for _ in range(10)]
    bookings = [shop.book(customers[number % 10], source) for number in range(200)]
    operation_id = order(shop, MOVE, source, target)
    for before_or_after in (False, True):
        mortal = hands(shop, dying(shop.use.new_uow, 30, committed=before_or_after))
        with pytest.raises(Gone):
            work_off(operation_id, hands=mortal)
    assert seen(shop, operation_id)[:3] == ("RUNNING", 200, 28 + 29)

    mortal = hands(shop, dying(shop.use.new_uow, 3, committed=False))
    ended = all_at_once([lambda: work_off(operation_id, hands=mortal), lambda: work(shop, operation_id)])
    assert [type(end) for end in ended] == [Gone, type(None)]
    work_off_operations(hands=hands(shop))

    assert seen(shop, operation_id) == ("COMPLETED", 200, 200, 0, 0)
    assert (state(shop, source), state(shop, target)) == (("CLOSED", 0), ("OPEN", 200))
    moved = shop.database.rows(
        """SELECT b.id, b.start_date, b.final_amount_minor FROM bookings b JOIN booking_status_history h
           ON h.booking_id = b.id AND h.from_status = h.to_status WHERE b.departure_id = %s""",
        (target.id,),
    )
    assert sorted(row["id"] for row in moved) == sorted(booking.id for booking in bookings)
    assert {row["start_date"] for row in moved} == {target.starts_on}
    assert {row["final_amount_minor"] for row in moved} == {bookings[0].final_amount.minor}
    told = "SELECT count(*) AS count FROM outbox_events WHERE name = %s"
    assert shop.row(told, "sales.booking_moved")["count"] == 200
    assert shop.row(told, "sales.departure_operation_finished")["count"] == 1
    assert work_off_operations(hands=hands(shop)) == 0


def test_a_cancelled_departure_gives_everybody_everything_back_while_they_pay_and_cancel(
    shop: Shop, addresses: DatabaseAddresses
) -> None:
    departure, desk = shop.a_departure(seats=12), Desk(shop)
    paid = [shop.a_paid_booking(shop.a_customer(), departure) for _ in range(3)]
    leaving = [shop.a_paid_booking(shop.a_customer(), departure) for _ in range(2)]
    paying, payments = [], []
    for _ in range(3):
        booking = shop.book(customer := shop.a_customer(), departure)
        payments.append(shop.pay(customer, booking.id))
        shop.charge(payments[-1], booking.final_amount)
        paying.append(booking)
    for booking in (*paid, *leaving):
        agree(addresses, booking.id, (0, 0))
    operation_id = order(shop, CANCEL, departure)

    works: list[Callable[[], None]] = [lambda: work(shop, operation_id)] * 2
    works += [lambda p=payment_id: shop.look(p) for payment_id in payments]
    works += [lambda b=booking: desk.cancel(b.id, by=b.user_id, owner=b.user_id) for booking in leaving]
    ended = all_at_once(works)
    assert all(end is None or isinstance(end, DomainError) for end in ended), ended
    work_off_operations(hands=hands(shop))
    Counter(shop).drive()

    assert state(shop, departure) == ("CANCELLED", 0)
    status, total, done, skipped, failed = seen(shop, operation_id)
    assert (status, total, failed) == ("COMPLETED", 8, 0)
    assert done + skipped == 8
    for booking in paid:
        row = shop.booking(booking.id)
        assert (row["status"], row["refunded_amount_minor"]) == ("REFUNDED", booking.final_amount.minor)
        assert "The ship is in the dock" in row["cancellation_reason"]
    for booking in (*leaving, *paying):
        assert shop.booking(booking.id)["status"] in ("CANCELLED", "REFUNDED")
    assert work_off_operations(hands=hands(shop)) == 0


def test_what_is_booked_at_the_moment_of_the_order_is_refused_or_part_of_it(shop: Shop) -> None:
    departure = shop.a_departure(seats=20)
    buyers = [shop.a_customer() for _ in range(8)]
    works: list[Any] = [lambda b=buyer: shop.book(b, departure) for buyer in buyers]
    works[4:4] = [lambda: order(shop, CANCEL, departure)] * 2
    ended = all_at_once(works)
    booked = sum(isinstance(end, Booking) for end in ended)
    (operation_id,) = (end for end in ended if isinstance(end, UUID))
    assert {type(end) for end in ended} <= {Booking, UUID, DepartureClosed, OperationInProgress}

    work(shop, operation_id)

    assert seen(shop, operation_id) == ("COMPLETED", booked, booked, 0, 0)
    assert state(shop, departure) == ("CANCELLED", 0)


def test_a_target_with_too_few_seats_is_refused_before_anything_begins(shop: Shop) -> None:
    source = shop.a_departure()
    target, other = another_date(shop, source, seats=3), shop.a_departure()
    for _ in range(2):
        shop.book(shop.a_customer(), source, travelers=2)

    with pytest.raises(SoldOut) as refused:
        order(shop, MOVE, source, target)
    assert refused.value.facts == {"sold_out": str(target.id), "seats_left": 3}
    for wrong in (source, other):
        with pytest.raises(InvalidValue):
            order(shop, MOVE, source, wrong)

    assert state(shop, source) == ("OPEN", 4)
    assert shop.row("SELECT count(*) AS count FROM departure_operations")["count"] == 0


def test_seats_of_a_bus_that_both_dates_share_are_moved_within_it(shop: Shop) -> None:
    source = shop.a_departure()
    target = another_date(shop, source)
    command = CreatePool(actor_id=shop.a_customer(), name_ar="حافلة", name_en="Bus", capacity=4)
    bus = create_pool(command, uow=shop.use.new_uow(), clock=shop.use.clock, new_id=new_id)
    for departure in (source, target):
        attach = AttachPool(actor_id=shop.a_customer(), departure_id=departure.id, pool_id=bus)
        attach_pool(attach, uow=shop.use.new_uow(), clock=shop.use.clock)
    for _ in range(2):
        shop.book(shop.a_customer(), source, travelers=2)

    operation_id = order(shop, MOVE, source, target)
    work(shop, operation_id)

    assert seen(shop, operation_id) == ("COMPLETED", 2, 2, 0, 0)
    assert shop.row("SELECT seats_taken FROM pools")["seats_taken"] == 4
    assert (state(shop, source)[1], state(shop, target)[1]) == (0, 4)


def test_what_fails_is_seen_and_tried_again(shop: Shop, addresses: DatabaseAddresses) -> None:
    source = shop.a_departure()
    target = another_date(shop, source, seats=4)
    for _ in range(2):
        shop.book(shop.a_customer(), source, travelers=2)
    operation_id = order(shop, MOVE, source, target)
    shop.book(shop.a_customer(), target)

    work(shop, operation_id)

    assert seen(shop, operation_id) == ("COMPLETED_WITH_FAULTS", 2, 1, 0, 1)
    assert errors(shop) == ["sold_out"]
    assert (state(shop, source)[1], state(shop, target)[1]) == (2, 3)
    with connect(addresses.owner) as owner:
        owner.execute("UPDATE departures SET capacity = 5 WHERE id = %s", (target.id,))
    retry(shop, operation_id)
    with pytest.raises(IllegalTransition):
        retry(shop, operation_id)
    work(shop, operation_id)
    assert seen(shop, operation_id) == ("COMPLETED", 2, 2, 0, 0)
    assert (state(shop, source), state(shop, target)) == (("CLOSED", 0), ("OPEN", 5))
    with pytest.raises(IllegalTransition):
        retry(shop, operation_id)


def test_one_that_breaks_keeps_no_other_waiting(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    departure = shop.a_departure()
    bookings = [shop.book(shop.a_customer(), departure) for _ in range(3)]
    shop.pay(bookings[1].user_id, bookings[1].id)
    operation_id = order(shop, CANCEL, departure)

    with monkeypatch.context() as broken:

        def breaks(payments: Any, **rest: Any) -> None:
            if payments:
                raise ZeroDivisionError("a fault of the program")
            cancel_payments(payments, **rest)

        broken.setattr("application.sales.cancelling.cancel_payments", breaks)
        with pytest.raises(ExceptionGroup):
            work(shop, operation_id)

    assert seen(shop, operation_id) == ("COMPLETED_WITH_FAULTS", 3, 2, 0, 1)
    assert errors(shop) == ["internal_error"]
    assert state(shop, departure) == ("CLOSED", 1)
    retry(shop, operation_id)
    work(shop, operation_id)
    assert seen(shop, operation_id) == ("COMPLETED", 3, 3, 0, 0)
    assert state(shop, departure) == ("CANCELLED", 0)


def test_a_booking_that_somebody_holds_is_left_to_the_next_run(shop: Shop, addresses: DatabaseAddresses) -> None:
    departure = shop.a_departure()
    held = shop.book(shop.a_customer(), departure)
    shop.book(shop.a_customer(), departure)
    operation_id = order(shop, CANCEL, departure)

    with connect(addresses.owner) as owner, owner.transaction():
        owner.execute("SELECT 1 FROM bookings WHERE id = %s FOR UPDATE", (held.id,))
        work(shop, operation_id)
        assert seen(shop, operation_id) == ("RUNNING", 2, 1, 0, 0)
    work(shop, operation_id)

    assert seen(shop, operation_id) == ("COMPLETED", 2, 2, 0, 0)


def test_a_run_ends_with_its_time_and_the_next_goes_on(shop: Shop) -> None:
    departure = shop.a_departure()
    shop.book(shop.a_customer(), departure)
    operation_id = order(shop, CANCEL, departure)

    work_off(operation_id, hands=hands(shop), budget=timedelta())

    assert seen(shop, operation_id) == ("RUNNING", 1, 0, 0, 0)
    assert work_off_operations(hands=hands(shop)) == 1
    assert seen(shop, operation_id)[0] == "COMPLETED"


def test_a_moved_customer_may_cancel_for_nothing_for_a_while(
    shop: Shop, addresses: DatabaseAddresses, clock: MovableClock
) -> None:
    source, desk = shop.a_departure(), Desk(shop)
    target = another_date(shop, source)
    booking = shop.a_paid_booking(shop.a_customer(), source)
    agree(addresses, booking.id, (0, 10))
    assert desk.preview(booking.id).applied.refund == Percentage.parse("10")

    work(shop, order(shop, MOVE, source, target))

    assert desk.preview(booking.id).applied.refund == Percentage.parse("100")
    row = shop.booking(booking.id)
    assert (row["start_date"], row["end_date"], row["starts_at"]) == (
        target.starts_on,
        target.ends_on,
        target.begins_at,
    )
    assert (row["status"], row["payment_status"], row["hold_status"]) == ("CONFIRMED", "PAID", "CAPTURED")
    assert row["seats_taken"] == 1
    clock.offset += FREE_FOR + timedelta(seconds=1)
    assert desk.preview(booking.id).applied.refund == Percentage.parse("10")
    desk.cancel(booking.id)
    assert state(shop, target)[1] == 0


def test_an_unpaid_booking_that_is_moved_still_ends_in_its_time(shop: Shop, clock: MovableClock) -> None:
    source = shop.a_departure()
    target = another_date(shop, source)
    booking = shop.book(shop.a_customer(), source, travelers=2)
    payment_id = shop.pay(booking.user_id, booking.id)

    work(shop, order(shop, MOVE, source, target))

    shop.charge(payment_id, booking.final_amount)
    other = shop.book(shop.a_customer(), target)
    shop.look(payment_id)
    assert shop.booking(booking.id)["status"] == "CONFIRMED"
    clock.offset += HOLD_FOR + GRACE + timedelta(seconds=1)
    expire_bookings(new_uow=shop.use.new_uow, clock=shop.use.clock, new_id=new_id)
    assert shop.booking(other.id)["status"] == "CANCELLED"
    assert (state(shop, source)[1], state(shop, target)[1]) == (0, 2)


def test_bookings_that_are_over_meanwhile_are_skipped_and_those_that_began_are_faults(shop: Shop) -> None:
    departure, desk = shop.a_departure(), Desk(shop)
    leaver, traveller = (shop.a_paid_booking(shop.a_customer(), departure) for _ in range(2))
    operation_id = order(shop, CANCEL, departure)
    desk.cancel(leaver.id, by=leaver.user_id, owner=leaver.user_id)
    shop.start(traveller.id, shop.a_customer())

    work(shop, operation_id)

    assert seen(shop, operation_id) == ("COMPLETED_WITH_FAULTS", 2, 0, 1, 1)
    assert errors(shop) == ["trip_started"]
    assert state(shop, departure) == ("CLOSED", 1)


@pytest.mark.parametrize("kind", list(OperationKind))
def test_nobody_is_brought_to_a_departure_that_does_not_take_place(shop: Shop, kind: OperationKind) -> None:
    """The amendment that would is called off, and what its checkout still brings waits in suspense."""
    desk, first = Amendments(shop), shop.a_departure()
    other, target = desk.another_date(first), desk.another_date(first, days=50)
    booking = shop.a_paid_booking(shop.a_customer(), first)
    amendment_id = desk.amend(booking, departure_id=other.id, travelers_count=2)
    payment_id = shop.pay(booking.user_id, booking.id)
    due = shop.row("SELECT amount_minor FROM payments WHERE id = %s", payment_id)["amount_minor"]

    operation_id = order(shop, kind, other, target if kind is OperationKind.MOVE else None)
    work(shop, operation_id)

    assert seen(shop, operation_id) == ("COMPLETED", 1, 1, 0, 0)
    assert desk.amendment(amendment_id)["status"] == "WITHDRAWN"
    assert state(shop, other) == ("CANCELLED" if kind is OperationKind.CANCEL else "CLOSED", 0)
    shop.charge(payment_id, Money.of(due, "EGP"))
    shop.look(payment_id)
    assert (state(shop, first)[1], state(shop, other)[1], state(shop, target)[1]) == (1, 0, 0)
    assert [row["disposition"] for row in shop.database.rows(
        "SELECT disposition FROM payment_receipts ORDER BY received_at")] == ["SETTLED", "SUSPENSE"]  # fmt: skip
    told = shop.row("SELECT payload FROM outbox_events WHERE name = 'sales.amendment_called_off'")["payload"]
    assert told["booking_id"] == str(booking.id)


def test_who_paid_for_an_amendment_before_its_turn_gets_everything_back(shop: Shop) -> None:
    desk, first = Amendments(shop), shop.a_departure()
    other = desk.another_date(first)
    booking = shop.a_paid_booking(shop.a_customer(), first)
    desk.amend(booking, departure_id=other.id, travelers_count=2)
    operation_id = order(shop, OperationKind.CANCEL, other)
    payment_id = shop.pay(booking.user_id, booking.id)
    due = shop.row("SELECT amount_minor FROM payments WHERE id = %s", payment_id)["amount_minor"]
    shop.charge(payment_id, Money.of(due, "EGP"))
    shop.look(payment_id)

    work(shop, operation_id)

    assert seen(shop, operation_id) == ("COMPLETED", 1, 1, 0, 0)
    assert (state(shop, first)[1], state(shop, other)) == (0, ("CANCELLED", 0))
    shown = shop.booking(booking.id)
    assert shown["status"] == "CANCELLED"
    asked_back = shop.row("SELECT sum(amount_minor) AS minor FROM refunds")["minor"]
    assert asked_back == shown["paid_amount_minor"] == 200_000


def test_while_it_is_under_way_nothing_is_sold_reopened_or_ordered(shop: Shop) -> None:
    departure, staff = shop.a_departure(), shop.a_customer()
    target = another_date(shop, departure)
    shop.book(shop.a_customer(), departure)
    operation_id = order(shop, CANCEL, departure)

    with pytest.raises(DepartureClosed):
        shop.book(shop.a_customer(), departure)
    for again in (CANCEL, MOVE):
        with pytest.raises(OperationInProgress) as refused:
            order(shop, again, departure, target if again is MOVE else None)
        assert refused.value.facts == {"operation_id": str(operation_id)}
    with pytest.raises(DepartureClosed):
        order(shop, MOVE, target, departure)
    reopen = MoveDeparture(author=Author(staff, is_staff=True), departure_id=departure.id)
    with pytest.raises(OperationInProgress):
        reopen_departure(reopen, uow=shop.use.new_uow(), clock=shop.use.clock)
    work(shop, operation_id)
    with pytest.raises(DepartureClosed):
        order(shop, CANCEL, departure)


def test_the_line_of_a_cancelled_departure_ends_and_that_of_a_moved_one_stays(shop: Shop, clock: MovableClock) -> None:
    cancelled, moved = shop.a_departure(seats=3), shop.a_departure(seats=3)
    target = another_date(shop, moved)
    for departure in (cancelled, moved):
        shop.book(shop.a_customer(), departure, travelers=1)
        staying = shop.book(shop.a_customer(), departure, travelers=2)
        for _ in range(2):
            whose = shop.a_customer()
            command = JoinWaitingList(actor_id=whose, user_id=whose, departure_id=departure.id, seats=2)
            join_waiting_list(command, uow=shop.use.new_uow(), clock=shop.use.clock, new_id=new_id)
        Desk(shop).cancel(staying.id)
        serve_waiting_list(
            departure.id, uow=shop.use.new_uow(), clock=shop.use.clock, offer_for=timedelta(hours=1)
        )  # fmt: skip

    for operation_id in (order(shop, CANCEL, cancelled), order(shop, MOVE, moved, target)):
        work(shop, operation_id)

    line = "SELECT status FROM waiting_list_entries WHERE departure_id = %s ORDER BY created_at, id"
    statuses = [[row["status"] for row in shop.database.rows(line, (one.id,))] for one in (cancelled, moved)]
    assert statuses == [["CANCELLED", "CANCELLED"], ["OFFERED", "WAITING"]]
    assert (state(shop, cancelled), state(shop, moved)) == (("CANCELLED", 0), ("CLOSED", 2))
    assert state(shop, target) == ("OPEN", 1)


def test_a_worker_that_stands_still_between_claim_and_commit_is_not_passed_by(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    departure = shop.a_departure()
    shop.book(shop.a_customer(), departure)
    operation_id = order(shop, CANCEL, departure)
    deed = operation_work._DEEDS[CANCEL]

    def meanwhile(*args: Any) -> None:
        # Another worker comes while this one has the item in hand.
        (ended,) = all_at_once([lambda: work_off(operation_id, hands=hands(shop))])
        assert ended is None
        deed(*args)

    monkeypatch.setattr(operation_work, "_DEEDS", {**operation_work._DEEDS, CANCEL: meanwhile})
    work(shop, operation_id)

    assert seen(shop, operation_id) == ("COMPLETED", 1, 1, 0, 0)
    assert shop.row("SELECT count(*) AS count FROM outbox_events WHERE name = 'sales.booking_cancelled'")["count"] == 1


@pytest.mark.parametrize("changes", [
    "departure_operations SET target_departure_id = departure_id", "departure_operations SET finished_at = now()",
    "departure_operations SET kind = 'MOVE'", "departure_operation_items SET status = 'FAILED', done_at = now()",
    "departure_operation_items SET status = 'DONE'", "departure_operation_items SET error = 'sold_out'",
])  # fmt: skip
def test_the_database_refuses_operations_that_cannot_be(shop: Shop, addresses: DatabaseAddresses, changes: str) -> None:
    departure = shop.a_departure()
    shop.book(shop.a_customer(), departure)
    order(shop, CANCEL, departure)
    with connect(addresses.owner) as owner, pytest.raises(psycopg.errors.CheckViolation):
        owner.execute(f"UPDATE {changes}")
