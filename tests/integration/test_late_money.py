"""Money that comes after its booking expired: it takes the seats again, once; else its owner chooses (traps 13, 30)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

import pytest

from application.billing.deciding import DecideSuspense
from application.billing.invoices import issue_invoice
from application.billing.late_choices import ChooseForLateMoney, choose_for_late_money, settle_unchosen
from application.billing.ports import DisputeState
from application.billing.suspense import put_into_wallet
from application.sales.expiry import GRACE, expire_bookings
from domain.billing.late_money import Hindrance, LateChoice, NoLateMoney
from domain.billing.payments import PaymentMethod
from domain.billing.refunds import PaymentDisputed
from domain.catalogue.departures import Departure, SoldOut
from domain.ledger import accounts
from domain.ledger.accounts import AccountKind
from domain.ledger.journal import transfer
from domain.operations.settings import LATE_CHOICE_DAYS
from domain.sales.booking_errors import BookingNotFound
from domain.sales.bookings import Booking
from domain.shared.errors import IllegalTransition
from domain.shared.percentage import Percentage
from infrastructure.bootstrap import Running
from infrastructure.clock import new_id
from infrastructure.database.roles import DatabaseAddresses, connect
from infrastructure.database.transaction import Row
from infrastructure.database.unit_of_work import SqlUnitOfWork
from tests.builders import egp
from tests.conftest import MovableClock
from tests.integration.promotions import Till
from tests.integration.refunding import Counter
from tests.integration.shop import HOLD_FOR, Shop, all_at_once, broken_promises
from tests.integration.tenders import a_rich_customer, from_credit, from_points, from_wallet
from workers.jobs import JOBS
from workers.schedule import run_once

PRICE = 100_000
TOO_LATE = HOLD_FOR + GRACE + timedelta(seconds=1)
SUSPENSE = accounts.platform(AccountKind.SUSPENSE, "EGP")
PREPAID = accounts.platform(AccountKind.CUSTOMER_PREPAYMENTS, "EGP")


@pytest.fixture(autouse=True)
def every_promise_holds_afterwards(shop: Shop, addresses: DatabaseAddresses) -> Iterator[None]:
    yield
    assert broken_promises(addresses) == []
    waiting = "SELECT coalesce(sum(amount_minor), 0) AS sum FROM suspense_items WHERE status <> 'RESOLVED'"
    assert shop.balance(SUSPENSE) == shop.row(waiting)["sum"]


_WAITS = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"


def sweep(shop: Shop) -> int:
    return expire_bookings(new_uow=shop.use.new_uow, clock=shop.use.clock, new_id=new_id)


def pay_late(
    shop: Shop, clock: MovableClock, customer: UUID, departure: Departure | None = None, **booked: Any
) -> tuple[Booking, UUID]:
    """A booking that expired before its card payment came, and the payment; nobody has looked into it yet."""
    parts = booked.pop("parts", ())
    amount = booked.pop("amount", None)
    booking = shop.book(customer, departure, **booked)
    payment_id = shop.pay(customer, booking.id, parts=parts, amount=amount)
    clock.offset += TOO_LATE
    assert sweep(shop) == 1
    asked = shop.gateway.requests[-1].amount
    shop.charge(payment_id, asked)
    shop.look(payment_id)
    assert shop.receipts(payment_id) == [(asked.minor, "EGP", "SUSPENSE", "LATE")]
    return booking, payment_id


def receipt_of(shop: Shop, payment_id: UUID) -> UUID:
    receipt: UUID = shop.row("SELECT receipt_id FROM suspense_items WHERE payment_id = %s", payment_id)["receipt_id"]
    return receipt


def item_of(shop: Shop, payment_id: UUID) -> tuple[str, str | None]:
    row = shop.row("SELECT status, resolution FROM suspense_items WHERE payment_id = %s", payment_id)
    return row["status"], row["resolution"]


def hindrance_of(shop: Shop, booking: Booking) -> str:
    rows = shop.use.queries.late_money.of_booking(booking.id)
    assert [row["status"] for row in rows] == ["WAITING"]
    return str(rows[0]["hindrance"])


def choose(shop: Shop, booking: Booking, choice: LateChoice, by: UUID | None = None) -> None:
    use = shop.use
    command = ChooseForLateMoney(booking_id=booking.id, user_id=by or booking.user_id, choice=choice)
    choose_for_late_money(command, new_uow=use.new_uow, gateways=use.gateways, clock=use.clock, new_id=use.new_id)


def wallet(shop: Shop, customer: UUID) -> int:
    return shop.balance(accounts.wallet(customer, "EGP"))


def told(shop: Shop, *names: str) -> list[str]:
    """Events of these names, in order."""
    return [row["name"] for row in shop.database.rows(
        "SELECT name FROM outbox_events WHERE name = ANY(%s) ORDER BY id", (list(names),)
    )]  # fmt: skip


def replaced(shop: Shop, booking: Booking) -> Row:
    row = shop.replacement(booking.id)
    assert row is not None
    return row


class TestSeatsAreLeft:
    def test_the_trip_is_booked_again_at_its_price_and_paid_once(
        self, shop: Shop, customer: UUID, clock: MovableClock
    ) -> None:
        booking, payment_id = pay_late(shop, clock, customer)

        shop.take_late_money(times=6)
        for _ in range(50):
            shop.look(payment_id)
        shop.take_late_money(times=4)

        new, old = replaced(shop, booking), shop.booking(booking.id)
        assert (old["status"], old["hold_status"], old["paid_amount_minor"]) == ("CANCELLED", "EXPIRED", 0)
        assert (new["status"], new["payment_status"], new["paid_amount_minor"]) == ("CONFIRMED", "PAID", PRICE)
        assert (new["hold_status"], new["seats_taken"]) == ("CAPTURED", 1)
        assert new["booking_number"] != old["booking_number"]
        assert item_of(shop, payment_id) == ("RESOLVED", "APPLIED")
        assert [shop.balance(account) for account in (SUSPENSE, PREPAID)] == [0, PRICE]
        assert (wallet(shop, customer), shop.balance(accounts.points(customer))) == (0, 100)
        assert shop.attention() == []
        names = ("sales.booking_replaced", "sales.booking_confirmed", "billing.payment_settled")
        assert sorted(told(shop, *names)) == sorted(names)
        history = shop.use.queries.sales.history(new["id"], owner=customer)
        assert history is not None
        assert [(step["to_status"], step["change_reason"]) for step in history] == [
            ("PENDING_PAYMENT", "late payment"),
            ("CONFIRMED", "paid"),
        ]
        [kept] = shop.database.rows("SELECT user_id, changes FROM audit_logs WHERE action = 'payments.rebook_late'")
        assert kept["user_id"] is None

    def test_the_new_booking_has_one_invoice_and_the_old_one_none(
        self, shop: Shop, customer: UUID, clock: MovableClock
    ) -> None:
        booking, _ = pay_late(shop, clock, customer)
        shop.take_late_money()
        new = replaced(shop, booking)
        [paid] = shop.database.rows("SELECT id FROM payments WHERE paid_at IS NOT NULL")

        for _ in range(2):
            issue_invoice(paid["id"], uow=shop.use.new_uow(), clock=shop.use.clock, new_id=new_id)

        rows = shop.database.rows("SELECT booking_id, total_amount_minor FROM invoices")
        assert [(row["booking_id"], row["total_amount_minor"]) for row in rows] == [(new["id"], PRICE)]

    def test_travellers_come_along_with_their_documents(self, shop: Shop, customer: UUID, clock: MovableClock) -> None:
        booking, _ = pay_late(shop, clock, customer)
        shop.database.row(
            """INSERT INTO booking_travelers (booking_id, position, first_name, last_name, document_number_encrypted)
               VALUES (%s, 1, 'Mona', 'Zaki', 'sealed') RETURNING 1""",
            (booking.id,),
        )

        shop.take_late_money()

        sql = "SELECT first_name, document_number_encrypted FROM booking_travelers WHERE booking_id = %s"
        assert shop.row(sql, replaced(shop, booking)["id"]) == shop.row(sql, booking.id)

    def test_a_deposit_that_comes_late_confirms_and_the_late_rest_pays_the_same_booking(
        self, shop: Shop, customer: UUID, clock: MovableClock
    ) -> None:
        booking = shop.book(customer, deposit=Percentage(3_000))
        first = shop.pay(customer, booking.id, amount=egp("300.00"))
        rest = shop.pay(customer, booking.id, amount=egp("700.00"))
        again = shop.pay(customer, booking.id, amount=egp("400.00"))
        clock.offset += TOO_LATE
        assert sweep(shop) == 1
        for payment_id, amount in ((first, "300.00"), (rest, "700.00"), (again, "400.00")):
            shop.charge(payment_id, egp(amount))
            shop.look(payment_id)
            shop.take_late_money()

        new = replaced(shop, booking)
        assert (new["status"], new["payment_status"], new["paid_amount_minor"]) == ("CONFIRMED", "PAID", PRICE)
        assert hindrance_of(shop, booking) == Hindrance.PAID_ALREADY
        assert shop.balance(SUSPENSE) == 40_000

    def test_points_that_the_price_counts_on_are_taken_again(self, shop: Shop, clock: MovableClock) -> None:
        customer = a_rich_customer(shop, points=5_000)
        booking, _ = pay_late(shop, clock, customer, points=5_000)
        assert shop.balance(accounts.points(customer)) == 5_000

        shop.take_late_money()

        assert replaced(shop, booking)["points_redeemed"] == 5_000
        # What is left is what its money earned.
        assert shop.balance(accounts.points(customer)) == 95

    def test_a_voucher_is_redeemed_again_for_the_new_booking(
        self, running: Running, shop: Shop, customer: UUID, clock: MovableClock
    ) -> None:
        till = Till(shop, shop.a_customer())
        voucher = till.voucher(usage_limit_total=1)
        booking, _ = pay_late(shop, clock, customer, voucher_code=voucher.code)
        assert till.stands(voucher) == (0, "ACTIVE", 0)

        shop.take_late_money()

        new = replaced(shop, booking)
        assert new["voucher_discount_minor"] > 0
        assert till.stands(voucher) == (1, "EXHAUSTED", 1)
        assert {row["booking_id"]: row["in_use"] for row in till.redemptions(voucher)} == {
            booking.id: False,
            new["id"]: True,
        }

    def test_parts_of_the_customers_own_are_taken_again(self, shop: Shop, clock: MovableClock) -> None:
        customer = a_rich_customer(shop, wallet=10_000, credit=20_000, points=30_000)
        parts = (from_wallet(10_000), from_credit(20_000), from_points(30_000))
        booking, _ = pay_late(shop, clock, customer, parts=parts)

        shop.take_late_money()

        assert replaced(shop, booking)["paid_amount_minor"] == PRICE
        assert wallet(shop, customer) == shop.balance(accounts.voucher_credit(customer, "EGP")) == 0
        assert shop.balance(accounts.points(customer)) == 70

    def test_the_sweep_and_the_money_at_the_same_moment_make_one_trip(
        self, shop: Shop, customer: UUID, clock: MovableClock
    ) -> None:
        departure = shop.a_departure(seats=1)
        booking = shop.book(customer, departure)
        payment_id = shop.pay(customer, booking.id)
        shop.charge(payment_id, booking.final_amount)
        clock.offset += TOO_LATE

        all_at_once([partial(sweep, shop), partial(shop.look, payment_id)] * 3)
        shop.look(payment_id)
        shop.take_late_money(times=4)

        living = shop.database.rows("SELECT id FROM bookings WHERE status = 'CONFIRMED'")
        assert len(living) == 1
        assert shop.booking(booking.id)["seats_taken"] == 1
        assert [shop.balance(account) for account in (SUSPENSE, PREPAID)] == [0, PRICE]


def sold_out(shop: Shop, booking: Booking) -> None:
    shop.a_paid_booking(shop.a_customer(), departure_of(shop, booking))


def departure_of(shop: Shop, booking: Booking) -> Departure:
    assert booking.trip.departure_id is not None
    with shop.use.new_uow() as uow:
        return uow.departures.get(booking.trip.departure_id)


def closed(shop: Shop, booking: Booking) -> None:
    assert booking.trip.departure_id is not None
    with shop.use.new_uow() as uow:
        uow.departures.get(booking.trip.departure_id).close(at=shop.use.clock.now())
        uow.commit()


def booked_again(shop: Shop, booking: Booking) -> None:
    shop.book(booking.user_id, departure_of(shop, booking))


def moved(shop: Shop, booking: Booking) -> None:
    assert booking.trip.departure_id is not None
    with shop.use.new_uow() as uow:
        departure = uow.departures.get(booking.trip.departure_id)
        later = departure.starts_on + timedelta(days=1)
        departure.reschedule(starts_on=later, ends_on=later + timedelta(days=3), start_time=departure.start_time)
        uow.commit()


class TestItCannotBe:
    @pytest.mark.parametrize(
        ("seats", "happens", "hindrance"),
        [
            (1, sold_out, Hindrance.SOLD_OUT),
            (5, closed, Hindrance.CLOSED),
            (5, moved, Hindrance.CLOSED),
            (5, booked_again, Hindrance.BOOKED_AGAIN),
        ],
    )
    def test_the_money_stays_in_suspense_and_its_owner_chooses(
        self,
        shop: Shop,
        customer: UUID,
        clock: MovableClock,
        seats: int,
        happens: Callable[[Shop, Booking], None],
        hindrance: Hindrance,
    ) -> None:
        booking, payment_id = pay_late(shop, clock, customer, shop.a_departure(seats=seats))
        happens(shop, booking)
        taken = shop.booking(booking.id)["seats_taken"]

        shop.take_late_money(times=4)

        assert shop.replacement(booking.id) is None
        assert shop.booking(booking.id)["seats_taken"] == taken
        assert hindrance_of(shop, booking) == hindrance
        assert item_of(shop, payment_id) == ("OPEN", None)
        assert shop.attention() == ["SUSPENSE_LATE"]
        assert told(shop, "billing.late_money_offered") == ["billing.late_money_offered"]

    def test_the_trip_has_begun(self, shop: Shop, customer: UUID, clock: MovableClock) -> None:
        departure = shop.a_departure()
        booking, _ = pay_late(shop, clock, customer, departure)
        clock.offset += departure.begins_at - clock.now()
        shop.take_late_money()
        assert hindrance_of(shop, booking) == Hindrance.BEGUN

    def test_the_trip_began_before_the_sweep_came(self, shop: Shop, customer: UUID, clock: MovableClock) -> None:
        """The money expires it, once, whoever is at it at the same moment; its seats and points come back."""
        booking = shop.book(customer, shop.a_departure(days_ahead=1))
        payment_id = shop.pay(customer, booking.id)
        with shop.use.new_uow() as uow:
            uow.bookings.get(booking.id).hold.expires_at = booking.trip.starts_at  # type: ignore[union-attr]
            uow.commit()
        clock.offset += booking.trip.starts_at - clock.now()
        shop.charge(payment_id, egp("1000.00"))
        shop.look(payment_id)
        assert shop.receipts(payment_id) == [(PRICE, "EGP", "SUSPENSE", "LATE")]
        assert (shop.booking(booking.id)["status"], shop.balance(PREPAID)) == ("PENDING_PAYMENT", 0)

        [event] = shop.database.rows("SELECT payload FROM outbox_events WHERE name = 'billing.money_suspended'")
        receipt = UUID(event["payload"]["receipt_id"])
        clock.offset += GRACE
        answers = all_at_once([partial(sweep, shop), *[partial(shop.take_late, receipt)] * 4])
        assert not [answer for answer in answers if isinstance(answer, BaseException)]
        shop.take_late_money(times=2)

        old = shop.booking(booking.id)
        assert (old["status"], old["hold_status"], old["seats_taken"]) == ("CANCELLED", "EXPIRED", 0)
        assert hindrance_of(shop, booking) == Hindrance.BEGUN
        assert told(shop, "sales.booking_expired", "sales.booking_confirmed") == ["sales.booking_expired"]
        choose(shop, booking, LateChoice.WALLET)
        assert (wallet(shop, customer), shop.balance(SUSPENSE)) == (PRICE, 0)

    @pytest.mark.parametrize("amount", ["999.99", "1000.01"])
    def test_another_amount_came(self, shop: Shop, customer: UUID, clock: MovableClock, amount: str) -> None:
        booking = shop.book(customer)
        payment_id = shop.pay(customer, booking.id)
        clock.offset += TOO_LATE
        assert sweep(shop) == 1
        shop.charge(payment_id, egp(amount))
        shop.look(payment_id)

        shop.take_late_money()

        assert hindrance_of(shop, booking) == Hindrance.WRONG_AMOUNT

    def test_its_voucher_is_used_up(self, shop: Shop, customer: UUID, clock: MovableClock) -> None:
        till = Till(shop, shop.a_customer())
        voucher = till.voucher(usage_limit_total=1)
        booking, _ = pay_late(shop, clock, customer, voucher_code=voucher.code)
        shop.book(shop.a_customer(), voucher_code=voucher.code)

        shop.take_late_money()

        assert hindrance_of(shop, booking) == Hindrance.PROMOTION_GONE
        assert shop.booking(booking.id)["seats_taken"] == 0
        assert till.stands(voucher) == (1, "EXHAUSTED", 1)

    @pytest.mark.parametrize("booked", [{"points": 5_000}, {"parts": (from_points(5_000),)}])
    def test_its_points_are_spent(self, shop: Shop, clock: MovableClock, booked: Any) -> None:
        customer = a_rich_customer(shop, points=5_000)
        booking, payment_id = pay_late(shop, clock, customer, **booked)
        shop.book(customer, points=5_000)

        shop.take_late_money()

        assert hindrance_of(shop, booking) == Hindrance.BALANCE_GONE
        assert (shop.booking(booking.id)["seats_taken"], item_of(shop, payment_id)) == (0, ("OPEN", None))

    def test_its_part_from_the_wallet_is_spent(self, shop: Shop, clock: MovableClock) -> None:
        customer = a_rich_customer(shop, wallet=30_000)
        booking, _ = pay_late(shop, clock, customer, parts=(from_wallet(30_000),))
        shop.post(*transfer_out(customer, 30_000))

        shop.take_late_money()

        assert hindrance_of(shop, booking) == Hindrance.BALANCE_GONE
        assert wallet(shop, customer) == 0

    def test_the_last_seat_has_one_owner_and_the_other_a_choice(
        self, shop: Shop, customer: UUID, clock: MovableClock
    ) -> None:
        departure = shop.a_departure(seats=1)
        booking, _ = pay_late(shop, clock, customer, departure)
        others = [shop.a_customer() for _ in range(3)]

        answers = all_at_once([shop.take_late_money, *(partial(shop.book, other, departure) for other in others)])

        new = shop.replacement(booking.id)
        refused = [answer for answer in answers if isinstance(answer, SoldOut)]
        assert len(refused) == (3 if new is not None else 2)
        if new is None:
            assert hindrance_of(shop, booking) == Hindrance.SOLD_OUT
        assert shop.booking(booking.id)["seats_taken"] == 1

    def test_two_late_payments_for_the_last_seat(self, shop: Shop, clock: MovableClock) -> None:
        departure = shop.a_departure(seats=1)
        late = [pay_late(shop, clock, shop.a_customer(), departure)[0] for _ in range(2)]

        shop.take_late_money(times=2)

        made = [shop.replacement(booking.id) is not None for booking in late]
        assert sorted(made) == [False, True]
        assert hindrance_of(shop, late[made.index(False)]) == Hindrance.SOLD_OUT

    def test_money_for_anything_else_is_left_to_staff(self, shop: Shop, customer: UUID, clock: MovableClock) -> None:
        booking = shop.book(customer)
        first, second = shop.pay(customer, booking.id), shop.pay(customer, booking.id, method=PaymentMethod.FAWRY)
        for payment_id in (first, second):
            shop.charge(payment_id, booking.final_amount)
            shop.look(payment_id)

        shop.take_late_money()

        assert item_of(shop, second) == ("OPEN", None)
        assert shop.use.queries.late_money.of_booking(booking.id) == []


def transfer_out(customer: UUID, minor: int) -> Any:
    return transfer(accounts.wallet(customer, "EGP"), accounts.platform(AccountKind.ADJUSTMENTS, "EGP"), minor)


class TestChoosing:
    @pytest.fixture
    def late(self, shop: Shop, customer: UUID, clock: MovableClock) -> tuple[Booking, UUID]:
        booking, payment_id = pay_late(shop, clock, customer, shop.a_departure(seats=1))
        sold_out(shop, booking)
        shop.take_late_money()
        return booking, payment_id

    def test_the_wallet_has_it_once_whoever_asks_at_the_same_time(
        self, shop: Shop, customer: UUID, late: tuple[Booking, UUID]
    ) -> None:
        booking, payment_id = late

        answers = all_at_once([partial(choose, shop, booking, LateChoice.WALLET)] * 4)

        assert [type(answer) for answer in answers].count(NoLateMoney) == 3
        assert (wallet(shop, customer), item_of(shop, payment_id)) == (PRICE, ("RESOLVED", "WALLET"))
        [kept] = shop.database.rows("SELECT user_id FROM audit_logs WHERE action = 'payments.late_choice'")
        assert kept["user_id"] == customer
        shop.take_late_money()
        assert shop.replacement(booking.id) is None

    def test_it_goes_back_to_where_it_came_from(self, shop: Shop, customer: UUID, late: tuple[Booking, UUID]) -> None:
        booking, payment_id = late

        choose(shop, booking, LateChoice.REFUND)

        with pytest.raises(NoLateMoney):
            choose(shop, booking, LateChoice.WALLET)
        assert item_of(shop, payment_id) == ("REFUNDING", None)
        refund = shop.row("SELECT amount_minor, payment_id FROM refunds")
        assert (refund["amount_minor"], refund["payment_id"]) == (PRICE, payment_id)
        assert wallet(shop, customer) == 0

    def test_the_customer_and_staff_at_once_decide_once(
        self, shop: Shop, customer: UUID, late: tuple[Booking, UUID]
    ) -> None:
        booking, payment_id = late
        staff = shop.a_customer()
        decision = DecideSuspense(receipt_id=receipt_of(shop, payment_id), actor_id=staff, reason="they called")

        def by_staff() -> None:
            put_into_wallet(decision, uow=shop.use.new_uow(), clock=shop.use.clock, new_id=new_id)

        answers = all_at_once([by_staff, partial(choose, shop, booking, LateChoice.WALLET)] * 2)

        assert answers.count(None) == 1
        assert all(isinstance(it, IllegalTransition | NoLateMoney) for it in answers if it is not None)
        assert (wallet(shop, customer), shop.balance(SUSPENSE)) == (PRICE, 0)

    def test_all_payments_that_came_late_are_locked_before_the_wallet(
        self, shop: Shop, clock: MovableClock, addresses: DatabaseAddresses
    ) -> None:
        customer = shop.a_customer()
        shop.fill_wallet(customer)
        booking = shop.book(customer, shop.a_departure(days_ahead=1))
        payments = [shop.pay(customer, booking.id), shop.pay(customer, booking.id, parts=(from_wallet(1_000),))]
        asked = [request.amount for request in shop.gateway.requests[-2:]]
        clock.offset += timedelta(days=3)
        assert sweep(shop) == 1
        for payment_id, amount in zip(payments, asked, strict=True):
            shop.charge(payment_id, amount)
            shop.look(payment_id)
        shop.take_late_money()

        with (
            connect(addresses.app) as other, connect(addresses.app) as watcher, ThreadPoolExecutor(1) as thread,
        ):  # fmt: skip
            # As staff do who decide about the one: its payment, then the wallet.
            other.execute("BEGIN")
            other.execute("SELECT 1 FROM payments WHERE id = %s FOR UPDATE", (payments[1],))
            choosing = thread.submit(choose, shop, booking, LateChoice.WALLET)
            while watcher.execute(_WAITS).fetchone() is None:
                assert not choosing.done()
            other.execute("SET LOCAL lock_timeout = '500ms'")
            other.execute("SELECT ledger_lock(ARRAY[%s])", (accounts.wallet(customer, "EGP").id,))
            other.execute("COMMIT")

        assert choosing.result() is None
        assert wallet(shop, customer) == 500_000 + sum(amount.minor for amount in asked)

    def test_a_stranger_has_no_choice(self, shop: Shop, late: tuple[Booking, UUID]) -> None:
        with pytest.raises(BookingNotFound):
            choose(shop, late[0], LateChoice.WALLET, by=shop.a_customer())

    def test_without_a_choice_it_is_in_the_wallet_when_the_time_is_over(
        self, shop: Shop, running: Running, customer: UUID, late: tuple[Booking, UUID], clock: MovableClock
    ) -> None:
        clock.offset += timedelta(days=LATE_CHOICE_DAYS.default) - timedelta(minutes=1)
        assert run_once(JOBS["payments.settle_late_money"], running)
        assert wallet(shop, customer) == 0
        clock.offset += timedelta(hours=1)

        assert run_once(JOBS["payments.settle_late_money"], running)

        assert (wallet(shop, customer), item_of(shop, late[1])) == (PRICE, ("RESOLVED", "WALLET"))
        use = shop.use
        assert settle_unchosen(new_uow=use.new_uow, gateways=use.gateways, clock=use.clock, new_id=new_id) == 0

    def test_while_a_bank_decides_nobody_chooses_and_the_job_waits(
        self, shop: Shop, running: Running, customer: UUID, late: tuple[Booking, UUID], clock: MovableClock
    ) -> None:
        booking, payment_id = late
        counter = Counter(shop)
        counter.dispute(payment_id, egp("1000.00"), DisputeState.OPEN)
        shop.look(payment_id)
        for choice in (LateChoice.WALLET, LateChoice.REFUND):
            with pytest.raises(PaymentDisputed):
                choose(shop, booking, choice)
        clock.offset += timedelta(days=LATE_CHOICE_DAYS.default) + timedelta(hours=1)

        assert run_once(JOBS["payments.settle_late_money"], running)
        assert (wallet(shop, customer), item_of(shop, payment_id)) == (0, ("OPEN", None))

        counter.dispute(payment_id, egp("1000.00"), DisputeState.WON)
        shop.look(payment_id)
        clock.offset += timedelta(hours=1)
        assert run_once(JOBS["payments.settle_late_money"], running)
        assert (wallet(shop, customer), item_of(shop, payment_id)) == (PRICE, ("RESOLVED", "WALLET"))


class Died(Exception):
    """The process is gone."""


def die_at_commit(patch: pytest.MonkeyPatch, *, committed: bool) -> None:
    """Die at the next commit: before or after it."""
    commit = SqlUnitOfWork.commit

    def dying(self: SqlUnitOfWork) -> None:
        if committed:
            commit(self)
        raise Died()

    patch.setattr(SqlUnitOfWork, "commit", dying)


@pytest.mark.parametrize("committed", [False, True])
@pytest.mark.parametrize("seats_left", [True, False])
def test_whoever_dies_in_between_is_followed_by_one_who_finishes(
    shop: Shop, customer: UUID, clock: MovableClock, seats_left: bool, committed: bool
) -> None:
    booking, payment_id = pay_late(shop, clock, customer, shop.a_departure(seats=1))
    if not seats_left:
        sold_out(shop, booking)
    receipt_id = receipt_of(shop, payment_id)

    with pytest.MonkeyPatch.context() as patch, pytest.raises(Died):
        # The first commit either way: that of the booking, or of the choice.
        die_at_commit(patch, committed=committed)
        shop.take_late(receipt_id)
    for _ in range(2):
        shop.take_late(receipt_id)

    assert (shop.replacement(booking.id) is not None) == seats_left
    assert len(shop.use.queries.late_money.of_booking(booking.id)) == (0 if seats_left else 1)
    assert shop.balance(SUSPENSE) == (0 if seats_left else PRICE)
