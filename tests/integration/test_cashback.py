"""Cashback in PostgreSQL: credited once whoever tries, taken back with refunds, guarded row by row (M9)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import psycopg
import pytest

from application.billing.ports import DisputeState
from application.ledger.cashback import (
    ApproveCashback,
    CancelCashback,
    ClawBackCashback,
    PromiseCashback,
    approve_cashback,
    cancel_cashback,
    claw_back_cashback,
    promise_cashback,
)
from application.ledger.crediting import CreditDueCashback, CreditRun, credit_due_cashback
from application.privacy.erasure import CloseAccount, carry_out_erasure, close_account
from application.sales.expiry import expire_bookings
from domain.catalogue.departures import Departure
from domain.ledger import accounts
from domain.ledger.accounts import AccountKind
from domain.ledger.cashback import ERASED, REFUNDED, creditable
from domain.ledger.holds import BalanceHold
from domain.ledger.journal import transfer
from domain.shared.clock import start_of_business_day, start_of_day
from domain.shared.errors import IllegalTransition
from domain.shared.money import Money
from domain.shared.percentage import Percentage
from infrastructure.bootstrap import Running
from infrastructure.clock import new_id
from infrastructure.database import migrations
from infrastructure.database.refusals import DatabaseUnavailable
from infrastructure.database.roles import DatabaseAddresses, connect
from infrastructure.database.transaction import Row
from infrastructure.database.unit_of_work import SqlUnitOfWork
from security.field_encryption import FernetEncryption
from security.keyed_digests import HmacDigests
from tests.builders import egp
from tests.conftest import MovableClock
from tests.integration.refunding import Counter
from tests.integration.shop import KEY, Shop, all_at_once, broken_promises
from tests.integration.test_settlement import become_a_member
from workers.jobs import JOBS
from workers.schedule import run_once

WEEK = timedelta(days=7)
PAID = egp("1000.00")
PROMISED = 5_000
COST = accounts.platform(AccountKind.CASHBACK_COST, "EGP")
PREPAID = accounts.platform(AccountKind.CUSTOMER_PREPAYMENTS, "EGP")


@dataclass(frozen=True)
class Desk:
    """Cashback in the words of a test: EGP 50.00 of EGP 1,000.00, eligible in a week."""

    shop: Shop
    clock: MovableClock
    departure: Departure
    staff: UUID

    def promise(self, customer: UUID | None = None) -> UUID:
        customer = customer or self.shop.a_customer()
        booking, use = self.shop.book(customer, self.departure), self.shop.use
        command = PromiseCashback(
            user_id=customer,
            booking_id=booking.id,
            booking_number=booking.booking_number,
            paid=PAID,
            rate=Percentage.parse("5"),
            completed_at=use.clock.now(),
            eligible_at=use.clock.now() + WEEK,
        )
        with use.new_uow() as uow:
            promise_cashback(command, uow=uow, new_id=use.new_id)
            uow.commit()
        return UUID(str(self.shop.row("SELECT id FROM cashback_records WHERE booking_id = %s", booking.id)["id"]))

    def approved(self, customer: UUID | None = None) -> UUID:
        cashback_id = self.promise(customer)
        self.approve(cashback_id)
        return cashback_id

    def credited(self, customer: UUID | None = None) -> UUID:
        cashback_id = self.approved(customer)
        self.wait_until_eligible()
        assert self.credit().credited == 1
        return cashback_id

    def approve(self, cashback_id: UUID) -> None:
        command = ApproveCashback(cashback_id=cashback_id, actor_id=self.staff)
        approve_cashback(command, uow=self.shop.use.new_uow(), clock=self.clock)

    def pay(self, cashback_id: UUID) -> UUID:
        """By card, what the booking costs; the payment."""
        row = self.row(cashback_id)
        payment_id = self.shop.pay(row["user_id"], row["booking_id"])
        self.shop.charge(payment_id, PAID)
        self.shop.look(payment_id)
        return payment_id

    def cancel(self, cashback_id: UUID) -> None:
        command = CancelCashback(cashback_id=cashback_id, actor_id=self.staff, reason="booked by mistake")
        cancel_cashback(command, uow=self.shop.use.new_uow(), clock=self.clock, new_id=new_id)

    def wait_until_eligible(self) -> None:
        self.clock.offset += WEEK + timedelta(seconds=1)

    def credit(self, *, approves_itself: bool = False) -> CreditRun:
        command = CreditDueCashback(approves_itself=approves_itself)
        return credit_due_cashback(command, new_uow=self.shop.use.new_uow, clock=self.clock, new_id=new_id)

    def refund(self, cashback_id: UUID, refunded: Money) -> Money:
        """As a refund does it: `refunded` of EGP 1,000.00 in all, so far."""
        command = ClawBackCashback(booking_id=self.row(cashback_id)["booking_id"], refunded=refunded, of=PAID)
        with self.shop.use.new_uow() as uow:
            taken = claw_back_cashback(command, uow=uow, clock=self.clock, new_id=new_id)
            uow.commit()
        return taken

    def spend(self, customer: UUID, amount: int) -> None:
        self.shop.post(*transfer(accounts.wallet(customer, "EGP"), PREPAID, amount))

    def row(self, cashback_id: UUID) -> Row:
        return self.shop.row("SELECT * FROM cashback_records WHERE id = %s", cashback_id)

    def status(self, cashback_id: UUID) -> str:
        return str(self.row(cashback_id)["status"])

    def stands(self, customer: UUID) -> tuple[int, int, int]:
        """What the customer was promised, has in the wallet, and owes (below zero)."""
        kinds = accounts.cashback, accounts.wallet, accounts.debt
        promised, wallet, debt = (self.shop.balance(kind(customer, "EGP")) for kind in kinds)
        return promised, wallet, debt

    def journals(self, cashback_id: UUID) -> list[tuple[str, bool]]:
        """Each journal after the promise, oldest first: its type, and whether it reverses the promise."""
        rows = self.shop.database.rows(
            """SELECT j.journal_type, j.reverses_journal_id IS NOT DISTINCT FROM c.promise_journal_id AS reverses
               FROM ledger_journals j JOIN cashback_records c ON c.id = j.reference_id WHERE c.id = %s ORDER BY j.id""",
            (cashback_id,),
        )
        return [(row["journal_type"], row["reverses"]) for row in rows]

    def told(self) -> list[str]:
        rows = self.shop.database.rows("SELECT name FROM outbox_events WHERE name LIKE 'ledger.%%' ORDER BY id", ())
        return [row["name"].removeprefix("ledger.cashback_") for row in rows]


@pytest.fixture
def desk(running: Running, clock: MovableClock) -> Desk:
    shop = Shop.opened(running)
    return Desk(shop, clock, shop.a_departure(seats=200), shop.a_customer())


@pytest.fixture
def customer(desk: Desk) -> UUID:
    return desk.shop.a_customer()


@pytest.fixture(autouse=True)
def every_promise_holds_afterwards(addresses: DatabaseAddresses) -> Iterator[None]:
    yield
    assert broken_promises(addresses) == []


# Promised, approved, credited -------------------------------------------------------------------------


def test_approved_cashback_reaches_the_wallet_once_it_is_eligible(desk: Desk, customer: UUID) -> None:
    cashback_id = desk.approved(customer)
    assert desk.stands(customer) == (PROMISED, 0, 0)

    assert desk.credit() == CreditRun()
    desk.wait_until_eligible()
    assert [desk.credit() for _ in range(2)] == [CreditRun(credited=1), CreditRun()]

    row = desk.row(cashback_id)
    assert (row["status"], row["approved_by_user_id"]) == ("CREDITED", desk.staff)
    assert row["credited_at"] >= row["eligible_at"]
    assert desk.stands(customer) == (0, PROMISED, 0)
    assert desk.journals(cashback_id) == [("CASHBACK", False)]
    assert desk.told() == ["promised", "approved", "credited"]
    steps = desk.shop.database.rows("SELECT action, user_id FROM audit_logs WHERE resource_id = %s", (cashback_id,))
    assert [(step["action"], step["user_id"]) for step in steps] == [
        ("cashback.approve", desk.staff),
        ("cashback.credit", None),
    ]


def test_what_nobody_approved_waits_unless_the_setting_approves_it(desk: Desk, customer: UUID) -> None:
    cashback_id = desk.promise(customer)
    desk.wait_until_eligible()

    assert desk.credit() == CreditRun()
    assert desk.credit(approves_itself=True) == CreditRun(credited=1)

    row = desk.row(cashback_id)
    assert (row["status"], row["approved_by_user_id"]) == ("CREDITED", None)
    assert row["approved_at"] is not None
    assert desk.told() == ["promised", "approved", "credited"]
    assert desk.stands(customer) == (0, PROMISED, 0)


@pytest.mark.parametrize("zone", ["Africa/Cairo", "Asia/Tokyo", "America/New_York"])
def test_a_trip_completed_ahead_of_its_dates_waits_until_it_would_be_over_there(
    desk: Desk, customer: UUID, addresses: DatabaseAddresses, zone: str
) -> None:
    become_a_member(desk.shop, customer)
    with connect(addresses.owner) as owner:
        owner.execute("UPDATE departures SET time_zone = %s WHERE id = %s", (zone, desk.departure.id))
    booking = desk.shop.a_paid_booking(customer, desk.departure)
    desk.shop.travel(booking.id, desk.staff)
    record = desk.shop.row("SELECT * FROM cashback_records WHERE booking_id = %s", booking.id)
    desk.approve(record["id"])
    assert record["eligible_at"] == start_of_day(booking.end_date + timedelta(days=1), zone)

    desk.clock.offset = record["eligible_at"] - record["created_at"] - timedelta(minutes=5)
    assert desk.credit() == CreditRun()
    desk.clock.offset += timedelta(minutes=10)
    assert desk.credit() == CreditRun(credited=1)


def test_a_trip_completed_on_its_last_day_waits_for_the_days_of_the_setting(desk: Desk, customer: UUID) -> None:
    become_a_member(desk.shop, customer)
    booking = desk.shop.a_paid_booking(customer, desk.departure)
    desk.clock.offset = start_of_business_day(booking.end_date) - desk.clock.now() + timedelta(hours=1)
    desk.shop.travel(booking.id, desk.staff)

    record = desk.shop.row("SELECT * FROM cashback_records WHERE booking_id = %s", booking.id)

    assert record["eligible_at"] == record["created_at"] + WEEK


def test_the_job_of_every_five_minutes_credits(desk: Desk, running: Running, customer: UUID) -> None:
    desk.approved(customer)
    desk.wait_until_eligible()

    assert run_once(JOBS["cashback.credit"], running)

    assert desk.stands(customer) == (0, PROMISED, 0)


def test_a_debt_is_paid_off_first_across_records_of_one_run(desk: Desk, customer: UUID) -> None:
    debt = accounts.debt(customer, "EGP")
    desk.shop.post(*transfer(debt, COST, PROMISED + 2_000))
    for _ in range(3):
        desk.approved(customer)
    desk.wait_until_eligible()

    assert desk.credit() == CreditRun(credited=3)

    assert desk.stands(customer) == (0, 2 * PROMISED - 2_000, 0)


def test_what_was_promised_to_somebody_who_was_erased_lapses(desk: Desk, customer: UUID) -> None:
    cashback_id, other, use = desk.approved(customer), desk.approved(), desk.shop.use
    close_account(CloseAccount(user_id=customer, grace=timedelta(0)), uow=use.new_uow(), clock=use.clock, new_id=new_id)
    erasure = desk.shop.row("SELECT id FROM erasures WHERE user_id = %s", customer)["id"]
    desk.clock.offset += timedelta(hours=1)
    expire_bookings(new_uow=use.new_uow, clock=desk.clock, new_id=new_id)
    assert carry_out_erasure(erasure, new_uow=use.new_uow, storage=use.storage, clock=use.clock, new_id=use.new_id)
    desk.wait_until_eligible()

    assert desk.credit() == CreditRun(credited=1, lapsed=1)

    row = desk.row(cashback_id)
    assert (row["status"], row["cancel_reason"]) == ("CANCELLED", ERASED)
    assert desk.stands(customer) == (0, 0, 0)
    assert desk.status(other) == "CREDITED"


# Twice, at once, killed -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("decided", "status", "stands"),
    [(DisputeState.WON, "CREDITED", (0, PROMISED, 0)), (DisputeState.LOST, "CANCELLED", (0, 0, 0))],
)
def test_what_a_bank_questions_waits_for_its_word(
    desk: Desk, customer: UUID, decided: DisputeState, status: str, stands: tuple[int, int, int]
) -> None:
    cashback_id = desk.approved(customer)
    payment_id = desk.pay(cashback_id)
    counter = Counter(desk.shop)
    counter.dispute(payment_id, PAID, DisputeState.OPEN)
    desk.shop.look(payment_id)
    desk.wait_until_eligible()

    assert (desk.credit().credited, desk.status(cashback_id)) == (0, "APPROVED")
    row = desk.shop.use.queries.cashback.record(cashback_id, owner=customer)
    assert row is not None
    assert row["is_disputed"]

    counter.dispute(payment_id, PAID, decided)
    desk.shop.look(payment_id)
    desk.credit()
    assert (desk.status(cashback_id), desk.stands(customer)) == (status, stands)


def test_a_dispute_that_opens_as_a_batch_is_taken_is_seen(desk: Desk, customer: UUID) -> None:
    cashback_id = desk.approved(customer)
    payment_id = desk.pay(cashback_id)
    desk.wait_until_eligible()
    statuses = creditable(approves_itself=False)
    with desk.shop.use.new_uow() as uow:
        due = uow.cashback.due(statuses, at=desk.clock.now(), limit=10)
    Counter(desk.shop).dispute(payment_id, PAID, DisputeState.OPEN)
    desk.shop.look(payment_id)

    with desk.shop.use.new_uow() as uow:
        taken = uow.cashback.lock_due(due, statuses, at=desk.clock.now())

    assert (list(due), list(taken)) == ([cashback_id], [])


def test_workers_at_once_share_the_work_and_credit_each_record_once(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("application.ledger.crediting.BATCH", 3)
    people = [desk.shop.a_customer() for _ in range(5)]
    for person in people:
        desk.approved(person)
        desk.approved(person)
    desk.wait_until_eligible()

    runs = all_at_once([desk.credit] * 4)

    assert [run for run in runs if not isinstance(run, CreditRun) or run.left] == []
    assert sum(run.credited for run in runs if isinstance(run, CreditRun)) == 2 * len(people)
    assert desk.told().count("credited") == 2 * len(people)
    assert {desk.stands(person) for person in people} == {(0, 2 * PROMISED, 0)}


def test_a_record_that_somebody_holds_is_passed_over(desk: Desk, addresses: DatabaseAddresses) -> None:
    held, free = desk.approved(), desk.approved()
    desk.wait_until_eligible()

    with connect(addresses.app) as session, session.transaction():
        session.execute("SELECT 1 FROM cashback_records WHERE id = %s FOR UPDATE", (held,))
        assert desk.credit() == CreditRun(credited=1)

    assert (desk.status(held), desk.status(free)) == ("APPROVED", "CREDITED")
    assert desk.credit() == CreditRun(credited=1)


def test_one_that_is_refused_keeps_no_other_waiting(desk: Desk, customer: UUID) -> None:
    odd, even = desk.approved(), desk.approved(customer)
    wallet = accounts.wallet(customer, "EGP")
    desk.shop.post(*transfer(PREPAID, wallet, 1), key=f"cashback:credit:{odd}")
    desk.wait_until_eligible()

    assert desk.credit() == CreditRun(credited=1, left={odd: "journal_key_reused"})

    assert (desk.status(odd), desk.status(even)) == ("APPROVED", "CREDITED")


def test_crediting_and_cancelling_at_once_does_one_of_both(desk: Desk) -> None:
    people = [desk.shop.a_customer() for _ in range(6)]
    records = [desk.approved(person) for person in people]
    desk.wait_until_eligible()
    cancels: list[Callable[[], Any]] = [lambda each=each: desk.cancel(each) for each in records]

    run, *cancelled = all_at_once([desk.credit, *cancels])
    assert isinstance(run, CreditRun)
    assert run.left == {}
    desk.credit()

    for person, record, outcome in zip(people, records, cancelled, strict=True):
        if outcome is None:
            assert (desk.status(record), desk.stands(person)) == ("CANCELLED", (0, 0, 0))
        else:
            assert isinstance(outcome, IllegalTransition)
            assert (desk.status(record), desk.stands(person)) == ("CREDITED", (0, PROMISED, 0))


def test_a_connection_that_dies_before_the_commit_credits_nothing_and_the_next_run_once(
    desk: Desk, customer: UUID
) -> None:
    cashback_id = desk.approved(customer)
    desk.wait_until_eligible()

    class Killed(SqlUnitOfWork):
        """Dies with all that it has posted."""

        def commit(self) -> None:
            self._flush()
            self._statements.rows("SELECT pg_terminate_backend(pg_backend_pid())")

    def killed() -> SqlUnitOfWork:
        return Killed(desk.shop.database, encryption=FernetEncryption([KEY]), digests=HmacDigests([KEY]), new_id=new_id)

    with pytest.raises(DatabaseUnavailable):
        credit_due_cashback(CreditDueCashback(approves_itself=False), new_uow=killed, clock=desk.clock, new_id=new_id)
    assert (desk.status(cashback_id), desk.stands(customer)) == ("APPROVED", (PROMISED, 0, 0))

    assert desk.credit() == CreditRun(credited=1)
    assert desk.stands(customer) == (0, PROMISED, 0)


# Cancelled --------------------------------------------------------------------------------------------


def test_cancelling_reverses_the_promise(desk: Desk, customer: UUID) -> None:
    cashback_id = desk.promise(customer)

    desk.cancel(cashback_id)

    assert desk.stands(customer) == (0, 0, 0)
    assert desk.shop.balance(COST) == 0
    assert desk.journals(cashback_id) == [("REVERSAL", True)]
    assert desk.row(cashback_id)["cancel_reason"] == "booked by mistake"
    with pytest.raises(IllegalTransition):
        desk.approve(cashback_id)


def test_cancelling_after_a_refund_reverses_what_is_left(desk: Desk, customer: UUID) -> None:
    cashback_id = desk.approved(customer)
    desk.refund(cashback_id, egp("333.33"))

    desk.cancel(cashback_id)

    assert desk.row(cashback_id)["clawed_back_minor"] == 1_667
    assert desk.stands(customer) == (0, 0, 0)
    assert desk.shop.balance(COST) == 0


def test_what_is_credited_is_not_cancelled(desk: Desk, customer: UUID) -> None:
    cashback_id = desk.credited(customer)

    with pytest.raises(IllegalTransition):
        desk.cancel(cashback_id)

    assert desk.stands(customer) == (0, PROMISED, 0)


# Refunded ---------------------------------------------------------------------------------------------


def test_before_it_is_credited_a_refund_reduces_the_promise(desk: Desk, customer: UUID) -> None:
    cashback_id = desk.approved(customer)

    assert desk.refund(cashback_id, egp("400.00")) == egp("20.00")
    desk.wait_until_eligible()
    desk.credit()

    assert desk.stands(customer) == (0, 3_000, 0)
    assert desk.journals(cashback_id) == [("REVERSAL", True), ("CASHBACK", False)]
    assert desk.shop.balance(COST) == -3_000


def test_refunds_in_parts_take_all_of_a_promise_and_cancel_it(desk: Desk, customer: UUID) -> None:
    cashback_id = desk.promise(customer)

    taken = [desk.refund(cashback_id, egp(so_far)) for so_far in ("333.33", "333.33", "666.66", "1000.00")]

    assert taken == [egp("16.67"), egp("0.00"), egp("16.66"), egp("16.67")]
    row = desk.row(cashback_id)
    assert (row["status"], row["cancel_reason"], row["clawed_back_minor"]) == ("CANCELLED", REFUNDED, PROMISED)
    assert (desk.stands(customer), desk.shop.balance(COST)) == ((0, 0, 0), 0)
    assert desk.told() == ["promised", *["clawed_back"] * 3, "cancelled"]


def test_after_it_is_credited_a_refund_takes_it_from_the_wallet(desk: Desk, customer: UUID) -> None:
    cashback_id = desk.credited(customer)

    assert desk.refund(cashback_id, egp("500.00")) == egp("25.00")

    assert desk.stands(customer) == (0, 2_500, 0)
    assert desk.journals(cashback_id) == [("CASHBACK", False), ("CLAWBACK", False)]
    assert desk.status(cashback_id) == "CREDITED"


def test_what_was_spent_becomes_debt_and_later_cashback_pays_it_off(desk: Desk, customer: UUID) -> None:
    cashback_id = desk.credited(customer)
    desk.spend(customer, 4_000)

    desk.refund(cashback_id, PAID)
    assert desk.stands(customer) == (0, 0, -4_000)

    desk.credited(customer)
    assert desk.stands(customer) == (0, 1_000, 0)
    [event] = desk.shop.database.rows(
        "SELECT payload FROM outbox_events WHERE name = 'ledger.cashback_credited' ORDER BY id DESC LIMIT 1"
    )
    assert (event["payload"]["amount_minor"], event["payload"]["repaid_minor"]) == (PROMISED, 4_000)


def test_what_is_held_in_the_wallet_is_not_taken(desk: Desk, customer: UUID) -> None:
    cashback_id = desk.credited(customer)
    with desk.shop.use.new_uow() as uow:
        uow.ledger.add_hold(
            BalanceHold(
                id=new_id(), account=accounts.wallet(customer, "EGP"), amount_minor=4_500, reference_type="TEST",
                reference_id=new_id(), created_at=desk.clock.now(), expires_at=None,
            )
        )  # fmt: skip
        uow.commit()

    desk.refund(cashback_id, PAID)

    assert desk.stands(customer) == (0, 4_500, -4_500)


def test_the_same_refund_told_by_several_at_once_takes_its_part_once(desk: Desk, customer: UUID) -> None:
    cashback_id = desk.credited(customer)

    taken = all_at_once([lambda: desk.refund(cashback_id, egp("500.00"))] * 4)

    assert sorted(part.minor for part in taken if isinstance(part, Money)) == [0, 0, 0, 2_500]
    assert desk.stands(customer) == (0, 2_500, 0)


def test_a_refund_that_is_rolled_back_takes_nothing(desk: Desk, customer: UUID) -> None:
    cashback_id = desk.credited(customer)
    booking_id = desk.row(cashback_id)["booking_id"]

    with desk.shop.use.new_uow() as uow:
        command = ClawBackCashback(booking_id=booking_id, refunded=PAID, of=PAID)
        claw_back_cashback(command, uow=uow, clock=desk.clock, new_id=new_id)

    assert (desk.stands(customer), desk.row(cashback_id)["clawed_back_minor"]) == ((0, PROMISED, 0), 0)


def test_a_refund_of_a_booking_without_cashback_takes_nothing(desk: Desk, customer: UUID) -> None:
    booking = desk.shop.book(customer, desk.departure)

    with desk.shop.use.new_uow() as uow:
        command = ClawBackCashback(booking_id=booking.id, refunded=PAID, of=PAID)
        assert claw_back_cashback(command, uow=uow, clock=desk.clock, new_id=new_id) == egp("0.00")


# What the database refuses ----------------------------------------------------------------------------


CANCELLED_BY_HAND = "status = 'CANCELLED', cancelled_at = now(), cancel_reason = 'x'"
CREDITED_BY_HAND = "status = 'CREDITED', credited_at = eligible_at, credit_journal_id = promise_journal_id"
REFUSED_CHANGES = [
    ("PENDING", "cashback_amount_minor = cashback_amount_minor + 1", "AL010"),
    ("PENDING", "booking_amount_minor = 1", "AL010"),
    ("PENDING", "cashback_rate = 99", "AL010"),
    ("PENDING", "currency = 'USD'", "AL010"),
    ("PENDING", "user_id = (SELECT max(id::text)::uuid FROM users WHERE id <> user_id)", "AL010"),
    ("PENDING", "booking_id = gen_random_uuid()", "AL010"),
    ("PENDING", "created_at = now() - interval '1 year'", "AL010"),
    ("PENDING", "eligible_at = now()", "AL010"),
    ("PENDING", "promise_journal_id = NULL", "AL010"),
    ("PENDING", "approved_at = now()", "23514"),
    ("PENDING", "status = 'APPROVED'", "23514"),
    ("PENDING", "approved_at = now(), " + CREDITED_BY_HAND, "AL010"),
    ("PENDING", "clawed_back_minor = 1", "AL010"),
    ("PENDING", "clawed_back_minor = cashback_amount_minor + 1", "23514"),
    ("PENDING", CANCELLED_BY_HAND, "AL010"),
    ("APPROVED", "status = 'PENDING', approved_at = NULL, approved_by_user_id = NULL", "AL010"),
    ("APPROVED", "approved_by_user_id = user_id", "AL010"),
    ("APPROVED", CREDITED_BY_HAND, "AL010"),
    ("CREDITED", CANCELLED_BY_HAND + ", credited_at = NULL, credit_journal_id = NULL", "AL010"),
    ("CREDITED", "credited_at = credited_at + interval '1 day'", "AL010"),
    ("CREDITED", "clawed_back_minor = -1", "AL010"),
    ("CANCELLED", "cancel_reason = 'another'", "AL010"),
    ("CANCELLED", "clawed_back_minor = 1", "AL010"),
]


@pytest.mark.parametrize("role", ["app", "owner"])
def test_neither_role_changes_a_record_by_hand(
    desk: Desk, addresses: DatabaseAddresses, role: str, subtests: pytest.Subtests
) -> None:
    records = {
        "CREDITED": desk.credited(),
        "PENDING": desk.promise(),
        "APPROVED": desk.approved(),
        "CANCELLED": desk.promise(),
    }
    desk.cancel(records["CANCELLED"])
    before = desk.shop.database.rows("SELECT * FROM cashback_records ORDER BY id")

    with connect(getattr(addresses, role)) as session:
        for status, change, sqlstate in REFUSED_CHANGES:
            with subtests.test(status=status, change=change), pytest.raises(psycopg.Error) as refused:
                session.execute(f"UPDATE cashback_records SET {change} WHERE id = %s", (records[status],))
            assert refused.value.sqlstate == sqlstate
        for statement, sqlstate in (
            ("DELETE FROM cashback_records", "AL010"),
            ("TRUNCATE cashback_records", {"app": "42501", "owner": "AL005"}[role]),
        ):
            with subtests.test(statement), pytest.raises(psycopg.Error) as refused:
                session.execute(statement)
            assert refused.value.sqlstate == sqlstate

    assert desk.shop.database.rows("SELECT * FROM cashback_records ORDER BY id") == before


OLD_PROMISE = """
INSERT INTO cashback_records (id, user_id, booking_id, booking_amount_minor, cashback_rate, cashback_amount_minor,
                              currency, status, eligible_at, created_at)
VALUES (gen_random_uuid(), %(customer)s, %(booking)s, 100000, 5, 5000, 'EGP', %(status)s, now() + interval '7 days',
        now())
RETURNING id
"""


@pytest.mark.parametrize("role", ["app", "owner"])
def test_a_record_begins_as_a_promise_of_its_journal(
    desk: Desk, customer: UUID, addresses: DatabaseAddresses, role: str
) -> None:
    values = {"customer": customer, "booking": desk.shop.book(customer, desk.departure).id, "status": "PENDING"}

    with connect(getattr(addresses, role)) as session:
        with pytest.raises(psycopg.Error) as without_journal:
            session.execute(OLD_PROMISE, values)
        with pytest.raises(psycopg.Error) as approved_at_once:
            session.execute(OLD_PROMISE, {**values, "status": "APPROVED"})

    assert (without_journal.value.sqlstate, approved_at_once.value.sqlstate) == ("23514", "AL010")


def test_what_the_release_before_promises_is_credited_by_this_one(
    desk: Desk, customer: UUID, addresses: DatabaseAddresses
) -> None:
    booking = desk.shop.book(customer, desk.departure)
    desk.shop.post(*transfer(COST, accounts.cashback(customer, "EGP"), PROMISED), key=f"cashback:booking:{booking.id}")
    with connect(addresses.app) as session:
        old = {"customer": customer, "booking": booking.id, "status": "PENDING"}
        [(cashback_id,)] = session.execute(OLD_PROMISE, old).fetchall()

    desk.approve(UUID(str(cashback_id)))
    desk.wait_until_eligible()

    assert desk.credit() == CreditRun(credited=1)
    assert desk.stands(customer) == (0, PROMISED, 0)


def test_promises_made_before_the_migration_find_their_journals(desk: Desk, addresses: DatabaseAddresses) -> None:
    cashback_id = desk.promise()
    before = desk.row(cashback_id)

    desk.shop.database.dispose()
    migrations.downgrade(addresses, "20261126_01")
    migrations.upgrade(addresses)

    after = desk.row(cashback_id)
    assert after["promise_journal_id"] == before["promise_journal_id"]
    assert (after["status"], after["clawed_back_minor"]) == ("PENDING", 0)
    desk.cancel(cashback_id)


def test_analysts_read_the_records_in_the_guides_words(desk: Desk, addresses: DatabaseAddresses) -> None:
    cashback_id = desk.credited()
    desk.refund(cashback_id, egp("500.00"))

    with connect(addresses.readonly) as session:
        [row] = session.execute(
            "SELECT id, booking_amount, cashback_rate, cashback_amount, clawed_back, currency, status"
            " FROM cashback_ledger WHERE credited_at IS NOT NULL"
        ).fetchall()

    assert [str(value) for value in row] == [str(cashback_id), "100000", "5.00", "5000", "2500", "EGP", "CREDITED"]
