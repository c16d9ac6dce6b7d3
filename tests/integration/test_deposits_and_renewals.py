"""Bookings that a deposit confirms, and memberships that are bought and renewed: never above the price, never twice."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from functools import partial
from uuid import UUID

import pytest

from application.billing.invoices import issue_invoice
from application.billing.payments import PartPaymentNotOffered
from domain.billing.payments import PaymentMethod, PaymentSettled, PaymentType
from domain.ledger import accounts
from domain.ledger.accounts import AccountKind
from domain.membership.memberships import TERM, AlreadySubscribed, MembershipExpired
from domain.sales.booking_errors import BalanceDue, NothingToPay
from domain.sales.bookings import Booking
from domain.shared.clock import business_date
from domain.shared.percentage import Percentage
from infrastructure.bootstrap import Running
from infrastructure.database.roles import DatabaseAddresses, connect
from tests.conftest import MovableClock
from tests.integration.shop import HOLD_FOR, Shop, all_at_once, broken_promises
from tests.integration.telling import tell_of
from tests.integration.tenders import (
    PREPAID,
    SUSPENSE,
    a_rich_customer,
    asked,
    balances,
    egp,
    from_points,
    from_wallet,
    pay_card,
    sweep,
)
from workers.jobs import JOBS

PRICE, DEPOSIT = 100_000, 30_000
A_THIRD = Percentage(3_000)
REVENUE = accounts.platform(AccountKind.MEMBERSHIP_REVENUE, "EGP")
GOLD = 1_999_00


@pytest.fixture(autouse=True)
def every_promise_holds_afterwards(addresses: DatabaseAddresses) -> Iterator[None]:
    yield
    assert broken_promises(addresses) == []


def pay_part(shop: Shop, booking: Booking, minor: int) -> UUID:
    payment_id = shop.pay(booking.user_id, booking.id, amount=egp(minor))
    pay_card(shop, payment_id)
    return payment_id


class TestDeposits:
    @pytest.fixture
    def booking(self, shop: Shop, customer: UUID) -> Booking:
        return shop.book(customer, deposit=A_THIRD)

    def test_the_deposit_confirms_and_the_rest_may_follow_in_parts(
        self, shop: Shop, customer: UUID, booking: Booking, clock: MovableClock
    ) -> None:
        pay_part(shop, booking, DEPOSIT)

        row = shop.booking(booking.id)
        assert (row["status"], row["payment_status"], row["paid_amount_minor"]) == (
            "CONFIRMED", "PARTIALLY_PAID", DEPOSIT,
        )  # fmt: skip
        assert balances(shop, customer) == (0, 0, 0)
        # Its seats are the customer's: nothing expires any more.
        clock.offset += 10 * HOLD_FOR
        assert sweep(shop) == 0

        pay_part(shop, booking, 20_000)
        pay_part(shop, booking, 50_000)

        row = shop.booking(booking.id)
        assert (row["payment_status"], row["paid_amount_minor"]) == ("PAID", PRICE)
        assert shop.balance(PREPAID) == PRICE
        # Once, for all of it.
        assert balances(shop, customer) == (0, 0, 100)

    @pytest.mark.parametrize("minor", [DEPOSIT - 1, PRICE + 1])
    def test_less_than_the_deposit_and_more_than_the_price_are_refused(
        self, shop: Shop, booking: Booking, minor: int
    ) -> None:
        with pytest.raises(PartPaymentNotOffered):
            pay_part(shop, booking, minor)

    def test_after_the_deposit_no_more_than_the_rest_is_asked(self, shop: Shop, booking: Booking) -> None:
        pay_part(shop, booking, DEPOSIT)

        with pytest.raises(PartPaymentNotOffered):
            pay_part(shop, booking, PRICE - DEPOSIT + 1)
        payment_id = shop.pay(booking.user_id, booking.id)

        assert asked(shop, payment_id) == egp(PRICE - DEPOSIT)

    def test_payments_of_the_rest_at_once_never_exceed_the_price(self, shop: Shop, booking: Booking) -> None:
        pay_part(shop, booking, DEPOSIT)
        payments = [shop.pay(booking.user_id, booking.id, amount=egp(minor)) for minor in (40_000, 40_001, 40_002)]
        for payment_id in payments:
            shop.charge(payment_id, asked(shop, payment_id))

        assert all_at_once([partial(shop.look, payment_id) for payment_id in payments] * 2) == [None] * 6

        [settled] = [each for each in payments if shop.status_of(each) == "PAID"]
        late = [shop.receipts(each)[0][2:] for each in payments if each != settled]
        assert late == [("SUSPENSE", "LATE")] * 2
        paid = DEPOSIT + asked(shop, settled).minor
        assert shop.booking(booking.id)["paid_amount_minor"] == shop.balance(PREPAID) == paid
        assert shop.balance(SUSPENSE) == 120_003 - asked(shop, settled).minor

    def test_a_payment_that_still_fits_stays_open_beside_another(self, shop: Shop, booking: Booking) -> None:
        pay_part(shop, booking, DEPOSIT)
        first, second = (shop.pay(booking.user_id, booking.id, amount=egp(minor)) for minor in (30_000, 40_000))

        pay_card(shop, first)
        assert shop.status_of(second) == "PENDING"
        pay_card(shop, second)

        assert shop.booking(booking.id)["payment_status"] == "PAID"

    def test_points_are_earned_on_what_money_paid_of_all_parts(self, shop: Shop) -> None:
        customer = a_rich_customer(shop, wallet=50_000, points=20_000)
        booking = shop.book(customer, deposit=A_THIRD)
        first = shop.pay(
            customer, booking.id, amount=egp(DEPOSIT), method=PaymentMethod.WALLET, parts=(from_points(20_000),)
        )
        assert shop.status_of(first) == "PAID"
        assert balances(shop, customer) == (40_000, 0, 0)

        pay_card(shop, shop.pay(customer, booking.id, parts=(from_wallet(40_000),)))

        assert balances(shop, customer) == (0, 0, 80)

    def test_a_trip_is_not_over_before_it_is_paid(self, shop: Shop, booking: Booking) -> None:
        staff = shop.a_customer()
        pay_part(shop, booking, DEPOSIT)
        shop.start(booking.id, staff)

        with pytest.raises(BalanceDue):
            shop.complete(booking.id, staff)

        pay_part(shop, booking, PRICE - DEPOSIT)
        shop.complete(booking.id, staff)
        assert shop.booking(booking.id)["status"] == "COMPLETED"

    def test_invoices_of_the_parts_sum_to_the_price_and_its_tax(self, shop: Shop, booking: Booking) -> None:
        payments = [pay_part(shop, booking, minor) for minor in (DEPOSIT, 33_333, 36_667)]
        # In whatever order the workers come to them.
        for payment_id in payments[::-1]:
            issue_invoice(payment_id, uow=shop.use.new_uow(), clock=shop.use.clock, new_id=shop.use.new_id)

        rows = {row["payment_id"]: row for row in shop.database.rows("SELECT * FROM invoices")}
        whole = shop.booking(booking.id)
        assert [rows[each]["total_amount_minor"] for each in payments] == [DEPOSIT, 33_333, 36_667]
        assert sum(row["tax_amount_minor"] for row in rows.values()) == whole["tax_amount_minor"] > 0
        assert sum(row["subtotal_minor"] for row in rows.values()) == whole["base_amount_minor"]
        items = shop.database.rows("SELECT total_price_minor FROM invoice_items")
        assert sum(item["total_price_minor"] for item in items) == whole["base_amount_minor"]

    def test_whoever_paid_a_deposit_is_told_what_is_left(self, shop: Shop, booking: Booking) -> None:
        first, second = pay_part(shop, booking, DEPOSIT), None
        tell_of(PaymentSettled.name, shop.database, shop.use, payment_id=str(first))
        second = pay_part(shop, booking, PRICE - DEPOSIT)
        tell_of(PaymentSettled.name, shop.database, shop.use, payment_id=str(second))

        told = shop.database.rows("SELECT message_ar, message_en FROM notifications ORDER BY id")
        assert told[0]["message_en"].endswith("EGP 700.00 of the booking is still to be paid.")
        assert told[0]["message_ar"].endswith("المتبقي من الحجز EGP 700.00.")
        assert "still to be paid" not in told[1]["message_en"]


class TestMemberships:
    def membership(self, shop: Shop, subscription_id: UUID) -> tuple[str, date | None, date | None]:
        row = shop.row("SELECT * FROM membership_subscriptions WHERE id = %s", subscription_id)
        return row["status"], row["start_date"], row["expiry_date"]

    def open(self, shop: Shop, customer: UUID, subscription_id: UUID, method: str = "CREDIT_CARD") -> UUID:
        return shop.pay(customer, subscription_id, kind=PaymentType.MEMBERSHIP_PURCHASE, method=PaymentMethod(method))

    def type_of(self, shop: Shop, payment_id: UUID) -> str:
        return str(shop.row("SELECT payment_type FROM payments WHERE id = %s", payment_id)["payment_type"])

    @pytest.fixture
    def today(self, shop: Shop) -> date:
        return business_date(shop.use.clock.now())

    @pytest.fixture
    def active(self, shop: Shop, customer: UUID) -> UUID:
        """A membership that was bought today."""
        subscription_id = shop.subscribe(customer)
        pay_card(shop, self.open(shop, customer, subscription_id))
        return subscription_id

    def expire(self, addresses: DatabaseAddresses, subscription_id: UUID, on: date) -> None:
        with connect(addresses.owner) as connection:
            connection.execute(
                "UPDATE membership_subscriptions SET status = 'EXPIRED', expiry_date = %s WHERE id = %s",
                (on, subscription_id),
            )

    def test_bought_it_lasts_a_year_from_today(self, shop: Shop, customer: UUID, active: UUID, today: date) -> None:
        assert self.membership(shop, active) == ("ACTIVE", today, today + TERM)
        assert shop.balance(REVENUE) == GOLD

    def test_renewed_while_it_runs_it_lasts_a_year_from_its_end(
        self, shop: Shop, customer: UUID, active: UUID, today: date
    ) -> None:
        payment_id = self.open(shop, customer, active)
        assert self.type_of(shop, payment_id) == "MEMBERSHIP_RENEWAL"

        pay_card(shop, payment_id)
        shop.look(payment_id)

        assert self.membership(shop, active) == ("ACTIVE", today, today + 2 * TERM)
        assert shop.balance(REVENUE) == 2 * GOLD

    def test_nobody_renews_more_than_a_year_ahead(self, shop: Shop, customer: UUID, active: UUID) -> None:
        pay_card(shop, self.open(shop, customer, active))

        with pytest.raises(NothingToPay):
            self.open(shop, customer, active)

    def test_renewed_after_its_end_it_begins_anew_today(
        self, shop: Shop, customer: UUID, active: UUID, today: date, addresses: DatabaseAddresses
    ) -> None:
        self.expire(addresses, active, today - timedelta(days=40))

        pay_card(shop, self.open(shop, customer, active))

        assert self.membership(shop, active) == ("ACTIVE", today, today + TERM)

    def test_what_ended_is_not_renewed_beside_another(
        self, shop: Shop, customer: UUID, active: UUID, today: date, addresses: DatabaseAddresses
    ) -> None:
        self.expire(addresses, active, today - timedelta(days=40))
        pay_card(shop, self.open(shop, customer, shop.subscribe(customer, "SILVER")))

        with pytest.raises(AlreadySubscribed):
            self.open(shop, customer, active)

    def test_whose_time_is_over_is_ended_by_the_job(
        self, shop: Shop, running: Running, active: UUID, today: date, clock: MovableClock
    ) -> None:
        def run_on(day: date) -> tuple[str, date | None, date | None]:
            clock.offset += day - business_date(shop.use.clock.now())
            JOBS["memberships.expire"].run(running)
            return self.membership(shop, active)

        assert run_on(today + TERM) == ("ACTIVE", today, today + TERM)
        for _ in range(2):
            assert run_on(today + TERM + timedelta(days=1)) == ("EXPIRED", today, today + TERM)
        told = shop.database.rows("SELECT 1 FROM outbox_events WHERE name = %s", (MembershipExpired.name,))
        assert len(told) == 1

    def test_one_that_somebody_holds_is_left_to_the_next_run(
        self, shop: Shop, running: Running, active: UUID, clock: MovableClock, addresses: DatabaseAddresses
    ) -> None:
        other = shop.subscribe(another := shop.a_customer())
        pay_card(shop, self.open(shop, another, other))
        clock.offset += TERM + timedelta(days=1)

        with connect(addresses.owner) as owner, owner.transaction():
            owner.execute("SELECT 1 FROM membership_subscriptions WHERE id = %s FOR UPDATE", (active,))
            JOBS["memberships.expire"].run(running)
            assert [self.membership(shop, each)[0] for each in (active, other)] == ["ACTIVE", "EXPIRED"]
        JOBS["memberships.expire"].run(running)

        assert self.membership(shop, active)[0] == "EXPIRED"

    def test_whose_time_is_over_buys_another_plan_before_any_job_ran(
        self, shop: Shop, customer: UUID, active: UUID, today: date, clock: MovableClock
    ) -> None:
        with pytest.raises(AlreadySubscribed):
            shop.subscribe(customer, "SILVER")
        clock.offset += TERM + timedelta(days=1)

        silver = shop.subscribe(customer, "SILVER")

        assert self.membership(shop, active)[0] == "EXPIRED"
        pay_card(shop, self.open(shop, customer, silver))
        assert self.membership(shop, silver)[0] == "ACTIVE"

    def test_what_waited_for_its_money_replaces_one_whose_time_is_over_at_the_payment(
        self, shop: Shop, customer: UUID, today: date, clock: MovableClock
    ) -> None:
        silver, gold = shop.subscribe(customer, "SILVER"), shop.subscribe(customer)
        pay_card(shop, self.open(shop, customer, gold))
        clock.offset += TERM + timedelta(days=1)
        payment_id = self.open(shop, customer, silver)
        shop.charge(payment_id, asked(shop, payment_id))

        assert all_at_once([partial(shop.look, payment_id)] * 3) == [None] * 3

        assert (self.membership(shop, gold)[0], self.membership(shop, silver)[0]) == ("EXPIRED", "ACTIVE")
        assert shop.receipts(payment_id)[0][2] == "SETTLED"

    def test_renewed_before_any_job_ran_it_begins_anew_too(
        self, shop: Shop, customer: UUID, active: UUID, today: date, clock: MovableClock
    ) -> None:
        clock.offset += TERM + timedelta(days=40)
        now = today + TERM + timedelta(days=40)

        pay_card(shop, self.open(shop, customer, active))

        assert self.membership(shop, active) == ("ACTIVE", now, now + TERM)

    @pytest.mark.parametrize("is_renewal", [False, True])
    def test_paid_twice_at_once_it_is_one_year_and_the_second_money_is_kept(
        self, shop: Shop, customer: UUID, is_renewal: bool, today: date
    ) -> None:
        subscription_id = shop.subscribe(customer)
        if is_renewal:
            pay_card(shop, self.open(shop, customer, subscription_id))
        card, code = (self.open(shop, customer, subscription_id, method) for method in ("CREDIT_CARD", "FAWRY"))
        for payment_id in (card, code):
            shop.charge(payment_id, egp(GOLD))

        assert all_at_once([partial(shop.look, each) for each in (card, code)] * 3) == [None] * 6

        assert sorted(shop.receipts(card) + shop.receipts(code), key=lambda receipt: receipt[2]) == [
            (GOLD, "EGP", "SETTLED", None), (GOLD, "EGP", "SUSPENSE", "LATE"),
        ]  # fmt: skip
        assert self.membership(shop, subscription_id) == ("ACTIVE", today, today + TERM * (1 + is_renewal))
        assert shop.balance(SUSPENSE) == GOLD

    def test_two_memberships_of_one_person_at_once_are_one(self, shop: Shop, customer: UUID) -> None:
        gold, silver = shop.subscribe(customer), shop.subscribe(customer, "SILVER")
        payments = [self.open(shop, customer, each) for each in (gold, silver)]
        for payment_id in payments:
            shop.charge(payment_id, asked(shop, payment_id))

        results = all_at_once([partial(shop.look, each) for each in payments])
        assert {type(result) for result in results} <= {type(None), AlreadySubscribed}
        for payment_id in payments:
            shop.look(payment_id)

        assert sorted(self.membership(shop, each)[0] for each in (gold, silver)) == ["ACTIVE", "PENDING_PAYMENT"]
        assert sorted(shop.receipts(each)[0][2] for each in payments) == ["SETTLED", "SUSPENSE"]

    def test_a_checkout_keeps_the_price_that_it_was_opened_at(
        self, shop: Shop, customer: UUID, active: UUID, today: date, addresses: DatabaseAddresses
    ) -> None:
        cheap = self.open(shop, customer, active)
        with connect(addresses.owner) as connection:
            connection.execute("UPDATE membership_plans SET price_minor = price_minor * 2 WHERE tier_code = 'GOLD'")

        dear = self.open(shop, customer, active)
        assert (asked(shop, cheap), asked(shop, dear)) == (egp(GOLD), egp(2 * GOLD))
        pay_card(shop, cheap)

        assert self.membership(shop, active)[2] == today + 2 * TERM
        assert shop.status_of(dear) == "CANCELLED"

    def test_a_renewal_from_balances_of_ones_own_earns_no_points(
        self, shop: Shop, customer: UUID, active: UUID, today: date
    ) -> None:
        shop.fill_wallet(customer, egp(GOLD))

        shop.pay(customer, active, kind=PaymentType.MEMBERSHIP_PURCHASE, method=PaymentMethod.WALLET)

        assert self.membership(shop, active)[2] == today + 2 * TERM
        assert balances(shop, customer) == (0, 0, 0)

    def test_a_renewal_is_told_as_one(self, shop: Shop, customer: UUID, active: UUID) -> None:
        payment_id = self.open(shop, customer, active)
        pay_card(shop, payment_id)

        [mail] = tell_of(PaymentSettled.name, shop.database, shop.use, payment_id=str(payment_id))

        assert (mail["channel"], mail["status"]) == ("EMAIL", "SENT")

        assert shop.row("SELECT count(*) AS n FROM notifications")["n"] == 1
