"""Earning on a real database: once, at frozen rates, and back with every refund (product.md §10; traps 34, 46-49)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from itertools import permutations
from typing import Any
from uuid import UUID

import psycopg
import pytest

from application.billing.ports import DisputeState, RefundState
from application.operations.settings import ChangeSetting, change_setting
from application.sales.requests import RequestBooking, request_booking
from domain.billing.refunds import Destination
from domain.ledger import accounts
from domain.ledger.accounts import AccountKind
from domain.sales.agreed import BookingType
from domain.sales.bookings import Booking
from domain.sales.requests import TripWish
from domain.shared.clock import business_date, start_of_business_day
from domain.shared.money import Money
from domain.shared.payees import PayeeType
from infrastructure.bootstrap import Running
from infrastructure.database.payouts.earnings import SqlEarnings
from infrastructure.database.roles import DatabaseAddresses, connect
from tests.builders import egp
from tests.integration import amending
from tests.integration.cancelling import Desk
from tests.integration.earning import Partners, broken_earning_promises
from tests.integration.payroll import Payroll
from tests.integration.refunding import Counter
from tests.integration.shop import Shop, all_at_once
from tests.integration.telling import tell_of
from tests.integration.test_offers import price

VENDOR, AGENT = PayeeType.VENDOR, PayeeType.AGENT
TAX = accounts.platform(AccountKind.TAX_OWED, "EGP")


@pytest.fixture
def partners(shop: Shop) -> Partners:
    return Partners(shop)


@pytest.fixture
def vendor(shop: Shop) -> UUID:
    return shop.a_customer()


@pytest.fixture
def agent(shop: Shop) -> UUID:
    return shop.a_customer()


@pytest.fixture
def sold(shop: Shop, vendor: UUID, agent: UUID, customer: UUID) -> Booking:
    """A trip of the vendor's for 1,000.00 EGP, sold by the agent, and paid."""
    return shop.a_paid_booking(customer, shop.a_departure(vendor=vendor), agent=agent)


@pytest.fixture(autouse=True)
def every_promise_holds_afterwards(addresses: DatabaseAddresses) -> Iterator[None]:
    yield
    assert broken_earning_promises(addresses) == []


def payment_of(shop: Shop, booking: Booking) -> UUID:
    found: UUID = shop.row("SELECT id FROM payments WHERE booking_id = %s", booking.id)["id"]
    return found


def choose(shop: Shop, key: str, value: object) -> None:
    command = ChangeSetting(key=key, value=value, actor_id=None)
    change_setting(command, uow=shop.use.new_uow(), values=shop.use.system_settings, clock=shop.use.clock)
    shop.use.system_settings.forget()


def rates_of(shop: Shop, booking: Booking) -> set[tuple[str | None, str | None]]:
    rows = shop.database.rows(
        "SELECT vendor_rate::text, agent_rate::text FROM booking_items WHERE booking_id = %s", (booking.id,)
    )
    return {(row["vendor_rate"], row["agent_rate"]) for row in rows}


# What is frozen at the sale ---------------------------------------------------------------------------


def test_rates_that_were_agreed_are_frozen_and_the_usual_ones_where_none_was(
    shop: Shop, partners: Partners, vendor: UUID, agent: UUID, customer: UUID
) -> None:
    departure = shop.a_departure(vendor=vendor)
    usual = shop.book(customer, departure, agent=agent)
    partners.agreed(vendor, VENDOR, "75.50", days_ago=20)
    partners.agreed(vendor, VENDOR, "72.25", days_ago=10)
    partners.agreed(vendor, VENDOR, "10.00", days_ago=-10)
    partners.agreed(agent, AGENT, "12.50")
    agreed = shop.book(customer, departure, agent=agent)
    own = shop.book(customer)

    assert rates_of(shop, usual) == {("80.00", "10.00")}
    assert rates_of(shop, agreed) == {("72.25", "12.50")}
    assert rates_of(shop, own) == {(None, None)}


def test_a_rate_that_changes_after_the_sale_changes_nothing(
    shop: Shop, partners: Partners, sold: Booking, vendor: UUID, agent: UUID
) -> None:
    partners.agreed(vendor, VENDOR, "1.00")
    choose(shop, "payout.agent_commission_percent", 1)
    partners.travel(sold)

    assert (partners.owed(vendor, VENDOR), partners.owed(agent, AGENT)) == (80_000, 10_000)


def test_an_amendment_keeps_the_rates_of_the_sale(
    shop: Shop, partners: Partners, vendor: UUID, agent: UUID, customer: UUID
) -> None:
    departure = shop.a_departure(vendor=vendor)
    booking = shop.a_paid_booking(customer, departure, agent=agent)
    partners.agreed(vendor, VENDOR, "1.00")
    desk = amending.Desk(shop)
    desk.amend(booking, departure_id=desk.another_date(departure).id)

    assert rates_of(shop, booking) == {("80.00", "10.00")}


def test_a_vendor_that_books_its_own_trip_earns_its_share(shop: Shop, partners: Partners, vendor: UUID) -> None:
    booking = shop.a_paid_booking(vendor, shop.a_departure(vendor=vendor))
    partners.travel(booking)

    assert partners.owed(vendor, VENDOR) == 80_000


def test_an_agent_that_books_for_itself_earns_no_commission(
    shop: Shop, partners: Partners, vendor: UUID, agent: UUID
) -> None:
    booking = shop.a_paid_booking(agent, shop.a_departure(vendor=vendor))
    partners.travel(booking)

    assert (partners.owed(vendor, VENDOR), partners.owed(agent, AGENT)) == (80_000, 0)


# What a completed trip earns --------------------------------------------------------------------------


def test_a_completed_trip_is_shared_at_the_frozen_rates(
    shop: Shop, partners: Partners, sold: Booking, vendor: UUID, agent: UUID
) -> None:
    partners.travel(sold)

    assert (partners.owed(vendor, VENDOR), partners.owed(agent, AGENT)) == (80_000, 10_000)
    assert partners.entries(vendor) == [("EARNED", 80_000)]
    earned = [(row["payee_type"], row["base_minor"], row["amount_minor"]) for row in partners.earnings(sold)]
    assert earned == [("VENDOR", 100_000, 80_000), ("AGENT", 100_000, 10_000)]
    assert {event["payee_id"] for event in partners.told("payouts.earning_accrued")} == {str(vendor), str(agent)}


def test_tax_is_withheld_from_commissions_alone(
    shop: Shop, partners: Partners, counter: Counter, sold: Booking, vendor: UUID, agent: UUID
) -> None:
    choose(shop, "payout.commission_tax_percent", 14)
    partners.travel(sold)
    assert (partners.owed(vendor, VENDOR), partners.owed(agent, AGENT), shop.balance(TAX)) == (80_000, 8_600, 1_400)

    choose(shop, "payout.commission_tax_percent", 50)
    counter.refund(payment_of(shop, sold), egp("500.00"))
    assert (partners.owed(vendor, VENDOR), partners.owed(agent, AGENT), shop.balance(TAX)) == (40_000, 4_300, 700)


def test_an_event_that_arrives_twice_and_at_once_earns_once(
    shop: Shop, partners: Partners, sold: Booking, vendor: UUID
) -> None:
    partners.complete(sold)

    answers = all_at_once([partial(partners.hear, sold)] * 5)
    partners.hear(sold)

    assert answers == [None] * 5
    assert partners.entries(vendor) == [("EARNED", 80_000)]


def test_twenty_trips_of_one_vendor_at_once(shop: Shop, partners: Partners, vendor: UUID, customer: UUID) -> None:
    departure = shop.a_departure(vendor=vendor)
    bookings = [shop.a_paid_booking(customer, departure) for _ in range(20)]
    for booking in bookings:
        partners.complete(booking)

    answers = all_at_once([partial(partners.hear, booking) for booking in bookings])

    assert answers == [None] * 20
    assert partners.owed(vendor, VENDOR) == 20 * 80_000


def test_killed_in_between_nothing_is_earned_and_then_all_of_it(
    shop: Shop, partners: Partners, sold: Booking, vendor: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    partners.complete(sold)
    with monkeypatch.context() as dying:
        dying.setattr(SqlEarnings, "record", _die)
        with pytest.raises(KeyboardInterrupt):
            partners.hear(sold)
    assert (partners.owed(vendor, VENDOR), partners.earnings(sold)) == (0, [])

    partners.hear(sold)
    assert partners.owed(vendor, VENDOR) == 80_000


def _die(*_: Any) -> None:
    raise KeyboardInterrupt


def test_held_back_until_the_release_days_are_over(
    shop: Shop, partners: Partners, sold: Booking, counter: Counter
) -> None:
    choose(shop, "payout.release_days", 3)
    partners.travel(sold)
    counter.refund(payment_of(shop, sold), egp("100.00"))

    expected = start_of_business_day(sold.end_date + timedelta(days=4))
    rows = shop.database.rows("SELECT kind, released_at FROM payable_entries")
    assert {row["released_at"] for row in rows} == {expected}
    assert {row["kind"] for row in rows} == {"EARNED", "REVERSED"}


def test_of_a_cancelled_trip_the_company_keeps_its_fee_alone(
    shop: Shop, partners: Partners, sold: Booking, vendor: UUID, agent: UUID
) -> None:
    desk = Desk(shop)
    plan = desk.preview(sold.id, share=50)
    desk.cancel(sold.id, by=shop.a_customer(), share=50, agreed=plan.fingerprint)

    assert (plan.rewards_taken.partners.vendor, plan.rewards_taken.partners.agent) == (egp("800.00"), egp("100.00"))
    assert (partners.owed(vendor, VENDOR), partners.owed(agent, AGENT)) == (0, 0)


# What refunds take back -------------------------------------------------------------------------------


def test_a_refund_takes_back_what_it_was_shown_to_take(
    shop: Shop, partners: Partners, counter: Counter, sold: Booking, vendor: UUID, agent: UUID
) -> None:
    partners.travel(sold)
    payment_id = payment_of(shop, sold)
    shown = counter.preview(payment_id, egp("333.33")).partners
    counter.refund(payment_id, egp("333.33"))

    taken = (80_000 - partners.owed(vendor, VENDOR), 10_000 - partners.owed(agent, AGENT))
    assert taken == (shown.vendor.minor, shown.agent.minor) == (26_666, 3_333)
    assert partners.entries(vendor) == [("EARNED", 80_000), ("REVERSED", -26_666)]
    reversals = shop.database.rows(
        "SELECT r.journal_type FROM ledger_journals r JOIN ledger_journals o ON o.id = r.reverses_journal_id"
        " WHERE o.journal_type IN ('EARNING', 'COMMISSION')"
    )
    assert [row["journal_type"] for row in reversals] == ["REVERSAL", "REVERSAL"]


def test_a_refund_before_the_trip_reverses_nothing_and_the_rest_is_shared(
    shop: Shop, partners: Partners, counter: Counter, sold: Booking, vendor: UUID
) -> None:
    counter.refund(payment_of(shop, sold), egp("400.00"))
    partners.travel(sold)

    assert partners.entries(vendor) == [("EARNED", 48_000)]


def test_a_refund_between_the_trip_and_its_sharing_reverses_nothing(
    shop: Shop, partners: Partners, counter: Counter, sold: Booking, vendor: UUID
) -> None:
    partners.complete(sold)
    counter.refund(payment_of(shop, sold), egp("400.00"))
    partners.hear(sold)

    assert partners.entries(vendor) == [("EARNED", 48_000)]


def test_refunded_whole_before_its_sharing_nobody_earns(
    shop: Shop, partners: Partners, counter: Counter, sold: Booking, vendor: UUID
) -> None:
    partners.complete(sold)
    counter.refund(payment_of(shop, sold))
    partners.hear(sold)

    assert partners.entries(vendor) == []


def test_a_refund_of_everything_leaves_nothing(
    shop: Shop, partners: Partners, counter: Counter, sold: Booking, vendor: UUID, agent: UUID
) -> None:
    partners.travel(sold)
    payment_id = payment_of(shop, sold)
    for amount in ("0.01", "333.33", "0.05"):
        counter.refund(payment_id, egp(amount))
    counter.refund(payment_id)

    assert (partners.owed(vendor, VENDOR), partners.owed(agent, AGENT)) == (0, 0)
    commission = shop.row("SELECT sum(reversed_amount_minor) AS back FROM earnings WHERE payee_type = 'AGENT'")
    assert commission["back"] == 10_000


def test_a_refund_to_the_wallet_takes_its_part_too(
    shop: Shop, partners: Partners, counter: Counter, sold: Booking, vendor: UUID
) -> None:
    partners.travel(sold)
    counter.refund(payment_of(shop, sold), egp("100.00"), destination=Destination.WALLET)

    assert partners.owed(vendor, VENDOR) == 72_000


def test_refunds_in_every_order_end_in_the_same_sums(
    shop: Shop, partners: Partners, counter: Counter, vendor: UUID, agent: UUID, customer: UUID
) -> None:
    departure = shop.a_departure(vendor=vendor, price=Money.of(33_337, "EGP"))
    choose(shop, "payout.commission_tax_percent", 7)
    ends = set()
    for order in permutations(("1.11", "77.77", "100.01")):
        booking = shop.a_paid_booking(customer, departure, agent=agent, travelers=3)
        partners.travel(booking)
        for amount in order:
            counter.refund(payment_of(shop, booking), egp(amount))
        ends.add(
            tuple(
                (row["amount_minor"] - row["reversed_amount_minor"], row["tax_minor"] - row["reversed_tax_minor"])
                for row in partners.earnings(booking)
            )
        )

    assert len(ends) == 1


def test_two_refunds_at_once_take_what_both_take(
    shop: Shop, partners: Partners, counter: Counter, sold: Booking, vendor: UUID
) -> None:
    partners.travel(sold)
    payment_id = payment_of(shop, sold)
    refunds = [counter.ask(payment_id, egp("100.00")) for _ in range(4)]

    answers = all_at_once([partial(counter.submit, refund_id) for refund_id in refunds])

    assert answers == [None] * 4
    assert partners.owed(vendor, VENDOR) == 48_000


def test_refunds_of_one_customer_at_one_vendor_do_not_wait_for_each_other(
    shop: Shop, partners: Partners, counter: Counter, vendor: UUID, customer: UUID
) -> None:
    departure = shop.a_departure(vendor=vendor)
    bookings = [shop.a_paid_booking(customer, departure) for _ in range(6)]
    for booking in bookings:
        partners.travel(booking)
    to_wallet = Destination.WALLET
    works = [partial(counter.ask, payment_of(shop, booking), destination=to_wallet) for booking in bookings]

    answers = all_at_once(works)

    assert [answer for answer in answers if isinstance(answer, BaseException)] == []
    assert (partners.owed(vendor, VENDOR), shop.balance(accounts.wallet(customer, "EGP"))) == (0, 600_000)


def test_a_refund_that_comes_back_is_earned_again_and_taken_again(
    shop: Shop, partners: Partners, counter: Counter, sold: Booking, vendor: UUID, agent: UUID
) -> None:
    partners.travel(sold)
    payment_id = payment_of(shop, sold)
    refund_id = counter.refund(payment_id, egp("300.00"))
    counter.decide(payment_id, RefundState.FAILED)
    shop.look(payment_id)
    assert (partners.owed(vendor, VENDOR), partners.owed(agent, AGENT)) == (80_000, 10_000)

    counter.resubmit(refund_id)
    counter.submit(refund_id)
    assert partners.entries(vendor) == [
        ("EARNED", 80_000), ("REVERSED", -24_000), ("EARNED", 24_000), ("REVERSED", -24_000),
    ]  # fmt: skip
    counter.refund(payment_id)
    assert (partners.owed(vendor, VENDOR), partners.owed(agent, AGENT)) == (0, 0)


def test_what_was_refunded_before_the_trip_and_comes_back_after_it_is_earned(
    shop: Shop, partners: Partners, counter: Counter, sold: Booking, vendor: UUID
) -> None:
    payment_id = payment_of(shop, sold)
    counter.refund(payment_id, egp("400.00"))
    partners.travel(sold)
    assert partners.entries(vendor) == [("EARNED", 48_000)]

    counter.decide(payment_id, RefundState.FAILED)
    shop.look(payment_id)
    assert partners.entries(vendor) == [("EARNED", 48_000), ("EARNED", 32_000)]


def test_a_lost_dispute_takes_the_shares_back(
    shop: Shop, partners: Partners, counter: Counter, sold: Booking, vendor: UUID, agent: UUID
) -> None:
    partners.travel(sold)
    payment_id = payment_of(shop, sold)
    counter.dispute(payment_id, egp("600.00"), DisputeState.LOST)
    shop.look(payment_id)

    assert (partners.owed(vendor, VENDOR), partners.owed(agent, AGENT)) == (32_000, 4_000)


def test_a_dispute_that_is_won_changes_nothing(
    shop: Shop, partners: Partners, counter: Counter, sold: Booking, vendor: UUID
) -> None:
    partners.travel(sold)
    payment_id = payment_of(shop, sold)
    for state in (DisputeState.OPEN, DisputeState.WON):
        counter.dispute(payment_id, egp("600.00"), state)
        shop.look(payment_id)

    assert partners.entries(vendor) == [("EARNED", 80_000)]


def test_what_a_bank_questions_is_paid_out_only_once_it_has_said_its_word(
    running: Running, shop: Shop, partners: Partners, counter: Counter, sold: Booking, vendor: UUID
) -> None:
    """Nobody here has a profile: who could be paid is told by who is left out for that."""
    payroll = Payroll.of(running)
    partners.travel(sold)
    payment_id = payment_of(shop, sold)

    def considered_in_a_batch() -> bool:
        return vendor in payroll.left_out(payroll.make().batch_id)

    def held() -> int:
        [total] = shop.use.queries.earnings.totals(vendor, at=shop.use.clock.now())
        held: int = total["held_minor"]
        return held

    assert (considered_in_a_batch(), held()) == (True, 0)
    for state, is_frozen in ((DisputeState.OPEN, True), (DisputeState.WON, False)):
        counter.dispute(payment_id, egp("600.00"), state)
        shop.look(payment_id)
        assert (considered_in_a_batch(), held()) == (not is_frozen, 80_000 if is_frozen else 0)


def test_a_dispute_that_opens_after_the_draft_keeps_the_payout_back_at_the_approval(
    running: Running, shop: Shop, partners: Partners, counter: Counter, sold: Booking, vendor: UUID
) -> None:
    payroll = Payroll.of(running)
    partners.travel(sold)
    payout_id = partners.in_a_batch(vendor, VENDOR)
    counter.dispute(payment_of(shop, sold), egp("600.00"), DisputeState.OPEN)
    shop.look(payment_of(shop, sold))
    payroll.approve(shop.row("SELECT batch_id FROM payouts WHERE id = %s", payout_id)["batch_id"])

    row = shop.row("SELECT status, failure_code, journal_id FROM payouts WHERE id = %s", payout_id)
    assert tuple(row.values()) == ("CANCELLED", "disputed", None)
    assert partners.owed(vendor, VENDOR) == 80_000
    assert vendor not in payroll.left_out(payroll.make().batch_id)

    counter.dispute(payment_of(shop, sold), egp("600.00"), DisputeState.WON)
    shop.look(payment_of(shop, sold))
    # Its entries are free: they are looked at again, and wait for a bank account alone.
    assert payroll.left_out(payroll.make().batch_id)[vendor] == "NO_DESTINATION"


def test_refunded_after_it_was_paid_out_somebody_is_below_zero(
    shop: Shop, partners: Partners, counter: Counter, sold: Booking, vendor: UUID
) -> None:
    """The debt stays in the account, and goes off what is paid out next (traps 46, 47)."""
    partners.travel(sold)
    payout = partners.in_a_batch(vendor, VENDOR)
    partners.approve(payout)
    partners.arrive(payout)
    counter.refund(payment_of(shop, sold), egp("250.00"))

    assert partners.owed(vendor, VENDOR) == -20_000
    assert partners.states(vendor) == [("PAID", 80_000), ("PAYABLE", -20_000)]
    assert partners.sums(vendor) == {
        "paid": 80_000, "payable": -20_000, "balance": -20_000, "clawed_back": 20_000,
    }  # fmt: skip


def test_what_is_earned_is_told_step_by_step(partners: Partners, sold: Booking, vendor: UUID) -> None:
    assert partners.sums(vendor) == {"upcoming": 80_000}
    partners.travel(sold)
    assert partners.sums(vendor) == {"payable": 80_000, "balance": 80_000}
    payout = partners.in_a_batch(vendor, VENDOR)
    assert partners.sums(vendor) == {"payable": 80_000, "balance": 80_000}
    partners.approve(payout)
    assert (partners.sums(vendor), partners.owed(vendor, VENDOR)) == ({"in_transit": 80_000}, 0)
    partners.arrive(payout)
    assert partners.sums(vendor) == {"paid": 80_000}


def test_a_commission_is_paid_once_its_payout_arrived(
    shop: Shop, partners: Partners, sold: Booking, agent: UUID
) -> None:
    def status() -> str:
        return str(shop.row("SELECT status FROM agent_commissions WHERE booking_id = %s", sold.id)["status"])

    partners.travel(sold)
    payout = partners.in_a_batch(agent, AGENT)
    partners.approve(payout)
    assert status() == "APPROVED"
    partners.arrive(payout)
    assert status() == "PAID"


def test_what_is_expected_is_what_is_earned(
    shop: Shop, partners: Partners, counter: Counter, vendor: UUID, agent: UUID, customer: UUID
) -> None:
    partners.agreed(vendor, VENDOR, "66.67")
    partners.agreed(agent, AGENT, "7.77")
    departure = shop.a_departure(vendor=vendor, price=Money.of(33_337, "EGP"))
    booking = shop.a_paid_booking(customer, departure, agent=agent, travelers=3)
    refunded = shop.a_paid_booking(customer, departure, agent=agent)
    counter.refund(payment_of(shop, refunded), egp("100.01"))
    expected = partners.sums(vendor)["upcoming"], partners.sums(agent)["upcoming"]
    for each in (booking, refunded):
        partners.travel(each)

    assert (partners.owed(vendor, VENDOR), partners.owed(agent, AGENT)) == expected


def test_who_prices_a_request_for_a_customer_earns_its_commission(
    shop: Shop, partners: Partners, agent: UUID, customer: UUID
) -> None:
    booking_id = asked_for(shop, customer, agent)
    partners.agreed(agent, AGENT, "15.00")
    price(shop, booking_id, agent, egp("600.00"), egp("400.00"), is_staff=False)
    with shop.use.new_uow() as uow:
        booking = uow.bookings.get(booking_id)
    assert rates_of(shop, booking) == {(None, "15.00")}

    payment_id = shop.pay(customer, booking_id)
    shop.charge(payment_id, egp("1000.00"))
    shop.look(payment_id)
    partners.travel(booking)
    assert partners.entries(agent) == [("EARNED", 15_000)]


def asked_for(shop: Shop, customer: UUID, agent: UUID) -> UUID:
    command = RequestBooking(
        actor_id=agent,
        actor_is_staff=False,
        user_id=customer,
        agent_id=agent,
        wish=TripWish(
            booking_type=BookingType.HOTEL,
            start_date=business_date(shop.use.clock.now()) + timedelta(days=20),
            travelers_count=1,
        ),
        currency="EGP",
        travelers=(),
        document_valid_days=0,
        special_requests="",
    )
    return request_booking(
        command, uow=shop.use.new_uow(), clock=shop.use.clock, new_id=shop.use.new_id, digests=shop.use.digests
    ).id


def test_what_replaces_an_expired_booking_keeps_its_rates(
    shop: Shop, partners: Partners, vendor: UUID, agent: UUID, customer: UUID
) -> None:
    booking = shop.book(customer, shop.a_departure(vendor=vendor), agent=agent)
    partners.agreed(vendor, VENDOR, "1.00")
    with shop.use.new_uow() as uow:
        expired = uow.bookings.get(booking.id)
        expired.expire(at=shop.use.clock.now())
        again = expired.placed_again(
            booking_id=shop.use.new_id(), booking_number="BK-2026-900001", new_id=shop.use.new_id, at=expired.updated_at
        )

    assert {(str(item.shares.vendor_rate), str(item.shares.agent_rate)) for item in again.items} == {("80.00", "10.00")}


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE earnings SET reversed_amount_minor = reversed_amount_minor + 1",
        "UPDATE earnings SET amount_minor = amount_minor + 1",
        "UPDATE earnings SET reversed_amount_minor = amount_minor + 1",
    ],
)
def test_the_database_refuses_earnings_unlike_their_entries(
    addresses: DatabaseAddresses, partners: Partners, sold: Booking, change: str
) -> None:
    partners.travel(sold)

    with connect(addresses.app) as connection, pytest.raises(psycopg.Error) as refused:
        connection.execute(change)  # type: ignore[arg-type]

    assert refused.value.sqlstate in ("AL010", "23514")


def test_payees_are_told_in_the_app(
    shop: Shop, partners: Partners, counter: Counter, sold: Booking, vendor: UUID, agent: UUID
) -> None:
    partners.travel(sold)
    counter.refund(payment_of(shop, sold))
    for name in ("payouts.earning_accrued", "payouts.earning_reversed"):
        tell_of(name, shop.database, shop.use)

    for payee, amount in ((vendor, "EGP 800.00"), (agent, "EGP 100.00")):
        rows = shop.database.rows("SELECT message_en, message_ar FROM notifications WHERE user_id = %s", (payee,))
        assert len(rows) == 2
        assert all(amount in row["message_en"] and amount in row["message_ar"] for row in rows)
