"""Instalments on PostgreSQL: asked in turn, told of once, and a booking that nobody goes on paying cancelled once."""

from __future__ import annotations

from datetime import date, timedelta
from functools import partial
from typing import Any
from uuid import UUID

import psycopg
import pytest

from application.billing.invoices import issue_invoice
from application.sales.instalments import (
    CancelledOverdue,
    TellOfInstalments,
    Told,
    cancel_overdue,
    tell_of_instalments,
)
from domain.billing.payments import PaymentMethod
from domain.sales.bookings import Booking
from domain.sales.instalments import InstalmentOverdue, PaymentPlan, PaymentReminderDue, PlanNotOffered, PlanWanted
from domain.shared.clock import start_of_business_day
from domain.shared.percentage import Percentage
from infrastructure.clock import SystemClock
from infrastructure.database.roles import DatabaseAddresses, connect
from tests.conftest import MovableClock
from tests.integration.cancelling import agree
from tests.integration.shop import Shop, all_at_once
from tests.integration.telling import tell_of
from tests.integration.tenders import SUSPENSE, Killed, a_rich_customer, asked, egp, killed_at, pay_card, sweep

pytestmark = pytest.mark.usefixtures("refund_promises")

DEPOSIT = Percentage(3_000)
TWO_PARTS = PlanWanted(PaymentPlan.INSTALMENTS, 2)
TELL = TellOfInstalments(days_before=3, grace_days=3)
HALF_DAY = timedelta(hours=12)


def book(shop: Shop, customer: UUID, *, days_ahead: int = 120, plan: PlanWanted = TWO_PARTS) -> Booking:
    """EGP 1,000.00: 300 now, and by default 350 two weeks before the trip and 350 a month before that."""
    return shop.book(customer, shop.a_departure(days_ahead=days_ahead), deposit=DEPOSIT, plan=plan)


@pytest.fixture
def booking(shop: Shop, customer: UUID) -> Booking:
    """Its deposit is paid; two parts of EGP 350.00 are to come."""
    booked = book(shop, customer)
    pay_card(shop, shop.pay(customer, booked.id))
    return booked


def go_to(clock: MovableClock, day: date, *, after: timedelta = HALF_DAY) -> None:
    """So long after a day began in Cairo."""
    clock.offset = start_of_business_day(day) + after - SystemClock().now()


def tell(shop: Shop) -> Told:
    return tell_of_instalments(TELL, new_uow=shop.use.new_uow, clock=shop.use.clock)


def cancel(shop: Shop, grace_days: int = 3) -> CancelledOverdue:
    use = shop.use
    return cancel_overdue(grace_days, new_uow=use.new_uow, gateways=use.gateways, clock=use.clock, new_id=use.new_id)


def events(shop: Shop, name: str) -> list[dict[str, Any]]:
    rows = shop.database.rows("SELECT payload FROM outbox_events WHERE name = %s ORDER BY id", (f"sales.{name}",))
    return [row["payload"] for row in rows]


def due_days(booking: Booking) -> list[date]:
    return [each.due_on for each in booking.instalments]


def make_overdue(shop: Shop, booking: Booking, clock: MovableClock, *, position: int = 2) -> date:
    """Told of on the day after an instalment was due; that instalment's day."""
    due_on = due_days(booking)[position - 1]
    go_to(clock, due_on + timedelta(days=1))
    tell(shop)
    return due_on


class TestPaying:
    def test_each_payment_asks_for_the_next_instalment_and_invoices_sum_to_the_price(
        self, shop: Shop, customer: UUID
    ) -> None:
        booking = book(shop, customer)
        payments, amounts = [], []
        for _ in range(3):
            payments.append(shop.pay(customer, booking.id))
            amounts.append(asked(shop, payments[-1]).minor)
            pay_card(shop, payments[-1])

        assert amounts == [30_000, 35_000, 35_000]
        assert shop.booking(booking.id)["payment_status"] == "PAID"
        for payment_id in payments[::-1]:
            issue_invoice(payment_id, uow=shop.use.new_uow(), clock=shop.use.clock, new_id=shop.use.new_id)
        sums = shop.row("""SELECT sum(total_amount_minor) AS total, sum(tax_amount_minor) AS tax,
                                  sum(subtotal_minor - discount_amount_minor) AS net FROM invoices""")
        row = shop.booking(booking.id)
        assert (sums["total"], sums["tax"], sums["net"]) == (
            100_000, row["tax_amount_minor"], 100_000 - row["tax_amount_minor"],
        )  # fmt: skip

    def test_all_that_is_overdue_or_due_is_asked_together(
        self, shop: Shop, customer: UUID, booking: Booking, clock: MovableClock
    ) -> None:
        go_to(clock, due_days(booking)[2])

        assert asked(shop, shop.pay(customer, booking.id)) == egp(70_000)

    def test_more_than_an_instalment_may_be_paid_and_counts_for_the_next(
        self, shop: Shop, customer: UUID, booking: Booking
    ) -> None:
        pay_card(shop, shop.pay(customer, booking.id, amount=egp(50_000)))

        assert asked(shop, shop.pay(customer, booking.id)) == egp(20_000)

    def test_a_trip_too_near_is_paid_at_once(self, shop: Shop, customer: UUID) -> None:
        near = shop.a_departure(days_ahead=13)
        with pytest.raises(PlanNotOffered):
            shop.book(customer, near, deposit=DEPOSIT, plan=PlanWanted(PaymentPlan.DEPOSIT))

        booking = shop.book(customer, near, deposit=DEPOSIT)

        assert booking.instalments == ()
        assert asked(shop, shop.pay(customer, booking.id)) == egp(100_000)

    def test_the_database_keeps_no_schedule_that_is_not_the_price(
        self, addresses: DatabaseAddresses, booking: Booking
    ) -> None:
        for statement in (
            "UPDATE booking_instalments SET amount_minor = amount_minor + 1 WHERE position = 3",
            "DELETE FROM booking_instalments WHERE position = 3",
            "UPDATE bookings SET deposit_amount_minor = deposit_amount_minor - 1",
        ):
            with connect(addresses.owner) as connection, pytest.raises(psycopg.errors.IntegrityConstraintViolation):
                connection.execute(statement)


class TestTelling:
    def test_everybody_is_told_some_days_before_on_the_day_and_when_it_is_overdue_once_each(
        self, shop: Shop, booking: Booking, clock: MovableClock
    ) -> None:
        due_on = due_days(booking)[1]
        said = []
        for days in range(-6, 4):
            go_to(clock, due_on + timedelta(days=days))
            said.append((days, tell(shop)))
            assert tell(shop) == Told(0, 0)

        assert [(days, told) for days, told in said if told != Told(0, 0)] == [
            (-3, Told(1, 0)), (0, Told(1, 0)), (1, Told(0, 1)),
        ]  # fmt: skip
        soon, today = events(shop, "payment_reminder_due")
        assert (soon["is_today"], today["is_today"]) == (False, True)
        assert {each["left_minor"] for each in (soon, today)} == {35_000}
        [late] = events(shop, "instalment_overdue")
        assert late["cancelled_after"] == (due_on + timedelta(days=3)).isoformat()

    def test_told_at_once_by_two_it_is_once(self, shop: Shop, booking: Booking, clock: MovableClock) -> None:
        go_to(clock, due_days(booking)[1] - timedelta(days=2))

        told = all_at_once([partial(tell, shop)] * 4)

        assert sum(each.reminded for each in told if isinstance(each, Told)) == 1
        assert len(events(shop, "payment_reminder_due")) == 1

    def test_only_what_is_left_is_told_and_nothing_of_what_is_paid(
        self, shop: Shop, customer: UUID, booking: Booking, clock: MovableClock
    ) -> None:
        pay_card(shop, shop.pay(customer, booking.id, amount=egp(45_000)))
        first, second = due_days(booking)[1:]
        go_to(clock, first)
        assert tell(shop) == Told(0, 0)
        go_to(clock, second)
        assert tell(shop) == Told(1, 0)

        [event] = events(shop, "payment_reminder_due")
        assert (event["position"], event["left_minor"]) == (3, 25_000)

    def test_an_unpaid_or_cancelled_booking_is_told_nothing(
        self, shop: Shop, customer: UUID, clock: MovableClock
    ) -> None:
        booking = book(shop, customer)
        go_to(clock, due_days(booking)[1])
        assert tell(shop) == Told(0, 0)
        sweep(shop)
        assert tell(shop) == Told(0, 0)

    def test_messages_say_how_much_and_until_when_in_both_languages(
        self, shop: Shop, booking: Booking, clock: MovableClock
    ) -> None:
        go_to(clock, due_days(booking)[1])
        tell(shop)
        due_on = make_overdue(shop, booking, clock)

        for name in (PaymentReminderDue.name, InstalmentOverdue.name):
            [mail] = tell_of(name, shop.database, shop.use)
            assert (mail["channel"], mail["status"]) == ("EMAIL", "SENT")

        said = [
            (row["message_ar"], row["message_en"])
            for row in shop.database.rows("SELECT message_ar, message_en FROM notifications ORDER BY id")
        ]
        for text in said[0]:
            assert "EGP 350.00" in text
            assert due_on.isoformat() in text
        for text in said[1]:
            assert (due_on + timedelta(days=3)).isoformat() in text


class TestCancelling:
    def test_after_its_grace_a_booking_is_cancelled_as_its_terms_say_and_once(
        self, shop: Shop, booking: Booking, clock: MovableClock, addresses: DatabaseAddresses
    ) -> None:
        agree(addresses, booking.id, (0, 50))
        due_on = make_overdue(shop, booking, clock)
        go_to(clock, due_on + timedelta(days=4), after=-timedelta(seconds=5))
        assert cancel(shop) == CancelledOverdue(0, {})

        go_to(clock, due_on + timedelta(days=4), after=timedelta())
        assert [cancel(shop), cancel(shop)] == [CancelledOverdue(1, {}), CancelledOverdue(0, {})]

        row = shop.booking(booking.id)
        assert (row["status"], row["cancellation_reason"], row["cancelled_by_user_id"]) == (
            "CANCELLED", "an instalment was not paid in time", None,
        )  # fmt: skip
        assert (row["kept_amount_minor"], row["seats_taken"]) == (15_000, 0)
        refund = shop.row("SELECT amount_minor FROM refunds")
        assert refund["amount_minor"] == 15_000
        [told] = events(shop, "booking_cancelled")
        assert told["booking_id"] == str(booking.id)

    def test_nobody_is_cancelled_who_was_not_told_and_the_grace_begins_then(
        self, shop: Shop, booking: Booking, clock: MovableClock
    ) -> None:
        """The jobs stood still for a week."""
        due_on = due_days(booking)[1]
        go_to(clock, due_on + timedelta(days=8))
        assert cancel(shop).cancelled == 0
        tell(shop)
        go_to(clock, due_on + timedelta(days=10))
        assert cancel(shop).cancelled == 0
        go_to(clock, due_on + timedelta(days=11))

        assert cancel(shop).cancelled == 1

    @pytest.mark.parametrize("paid", [35_000, 70_000])
    def test_what_is_paid_within_the_grace_keeps_the_booking(
        self, shop: Shop, customer: UUID, booking: Booking, clock: MovableClock, paid: int
    ) -> None:
        due_on = make_overdue(shop, booking, clock)
        pay_card(shop, shop.pay(customer, booking.id, amount=egp(paid)))
        go_to(clock, due_on + timedelta(days=10))

        assert cancel(shop) == CancelledOverdue(0, {})
        assert shop.booking(booking.id)["status"] == "CONFIRMED"

    def test_a_part_of_an_instalment_is_not_enough(
        self, shop: Shop, customer: UUID, booking: Booking, clock: MovableClock
    ) -> None:
        due_on = make_overdue(shop, booking, clock)
        pay_card(shop, shop.pay(customer, booking.id, amount=egp(34_999)))
        go_to(clock, due_on + timedelta(days=4))

        assert cancel(shop).cancelled == 1

    def test_near_the_trip_the_grace_ends_before_it(self, shop: Shop, customer: UUID, clock: MovableClock) -> None:
        booking = book(shop, customer, plan=PlanWanted(PaymentPlan.DEPOSIT))
        pay_card(shop, shop.pay(customer, booking.id))
        make_overdue(shop, booking, clock)
        go_to(clock, booking.start_date - timedelta(days=2))
        assert cancel(shop, grace_days=30).cancelled == 0
        go_to(clock, booking.start_date - timedelta(days=1), after=timedelta())

        assert cancel(shop, grace_days=30).cancelled == 1

    def test_a_trip_that_began_is_left_to_people(self, shop: Shop, booking: Booking, clock: MovableClock) -> None:
        make_overdue(shop, booking, clock)
        go_to(clock, booking.start_date + timedelta(days=1))
        assert cancel(shop) == CancelledOverdue(0, {})

        assert shop.booking(booking.id)["status"] == "CONFIRMED"

    def test_money_that_may_be_on_its_way_holds_it_up(
        self, shop: Shop, customer: UUID, booking: Booking, clock: MovableClock, addresses: DatabaseAddresses
    ) -> None:
        due_on = make_overdue(shop, booking, clock)
        payment_id = shop.pay(customer, booking.id)
        with connect(addresses.owner) as connection:
            connection.execute("UPDATE payment_attempts SET status = 'UNKNOWN' WHERE payment_id = %s", [payment_id])
        go_to(clock, due_on + timedelta(days=5))

        assert cancel(shop).cancelled == 0

    def test_paid_at_the_moment_of_cancelling_it_is_one_or_the_other(
        self, shop: Shop, customer: UUID, clock: MovableClock
    ) -> None:
        outcomes = set()
        for first_pays in (True, False):
            booking = book(shop, customer)
            pay_card(shop, shop.pay(customer, booking.id))
            due_on = make_overdue(shop, booking, clock)
            payment_id = shop.pay(customer, booking.id)
            shop.charge(payment_id, asked(shop, payment_id))
            go_to(clock, due_on + timedelta(days=4))
            works: list[Any] = [partial(shop.look, payment_id), partial(cancel, shop)]

            answers = all_at_once((works if first_pays else works[::-1]) + [partial(cancel, shop)])

            assert not [each for each in answers if isinstance(each, BaseException)]
            row, receipts = shop.booking(booking.id), shop.receipts(payment_id)
            outcomes.add(row["status"])
            if row["status"] == "CONFIRMED":
                assert (shop.status_of(payment_id), row["paid_amount_minor"]) == ("PAID", 65_000)
            else:
                assert receipts == [(35_000, "EGP", "SUSPENSE", "LATE")]
                assert shop.status_of(payment_id) == "CANCELLED"
                assert row["paid_amount_minor"] == 30_000
            clock.offset = timedelta()
        assert outcomes <= {"CONFIRMED", "CANCELLED", "REFUNDED"}
        assert shop.balance(SUSPENSE) == 35_000 * len(shop.database.rows("SELECT 1 FROM suspense_items"))

    def test_paid_from_the_wallet_while_two_cancel_nothing_is_lost(self, shop: Shop, clock: MovableClock) -> None:
        customer = a_rich_customer(shop, wallet=100_000)
        booking = book(shop, customer)
        shop.pay(customer, booking.id, method=PaymentMethod.WALLET)
        due_on = make_overdue(shop, booking, clock)
        go_to(clock, due_on + timedelta(days=4))

        pay = partial(shop.pay, customer, booking.id, method=PaymentMethod.WALLET)
        answers = all_at_once([partial(cancel, shop), pay, partial(cancel, shop)])

        done = [each for each in answers if isinstance(each, CancelledOverdue)]
        refused = [each for each in answers if isinstance(each, BaseException)]
        is_paid = shop.booking(booking.id)["status"] == "CONFIRMED"
        assert len(done) == 2
        assert sum(each.cancelled for each in done) == (0 if is_paid else 1)
        assert [type(each).__name__ for each in refused] == ([] if is_paid else ["NothingToPay"])

    def test_killed_anywhere_it_is_cancelled_by_the_next_run(
        self, shop: Shop, booking: Booking, clock: MovableClock
    ) -> None:
        due_on = make_overdue(shop, booking, clock)
        go_to(clock, due_on + timedelta(days=4))
        step = 0
        while True:
            step += 1
            try:
                with killed_at(step) as called:
                    cancel(shop)
            except Killed:
                assert shop.booking(booking.id)["status"] == "CONFIRMED", called
                assert shop.row("SELECT count(*) AS n FROM refunds")["n"] == 0
                continue
            break

        assert step > 3
        assert shop.booking(booking.id)["status"] == "CANCELLED"
        assert len(events(shop, "booking_cancelled")) == 1
