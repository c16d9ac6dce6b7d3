"""Offers at the same time as other offers, payments and the sweep: one price, and money only for that (M1, P5)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from application.sales.expiry import GRACE, expire_bookings
from application.sales.offers import Offer, OfferedItem, PriceBooking, price_booking
from application.sales.pricing import pricing_settings
from application.sales.requests import ChangeRequest, RequestBooking, change_request, lapse_requests, request_booking
from domain.billing.payments import PaymentType
from domain.sales.agreed import BookingType
from domain.sales.booking_errors import BookingNotFound
from domain.sales.instalments import PlanTerms
from domain.sales.requests import TripWish
from domain.shared.clock import business_date
from domain.shared.errors import Conflict, IllegalTransition, OwnRequest
from domain.shared.money import Money
from infrastructure.clock import new_id
from infrastructure.database.roles import DatabaseAddresses
from tests.builders import egp
from tests.conftest import MovableClock
from tests.integration.outbox import SetClock
from tests.integration.shop import WHOLE, Shop, all_at_once, broken_promises

STAFF_TERMS: dict[str, Any] = {"name_ar": "غرفة", "name_en": "Room", "quantity": 1, "details": {}, "notes": ""}


@pytest.fixture(autouse=True)
def every_promise_holds_afterwards(addresses: DatabaseAddresses) -> Iterator[None]:
    yield
    assert broken_promises(addresses) == []


def ask(shop: Shop, customer: UUID) -> UUID:
    command = RequestBooking(
        actor_id=customer,
        actor_is_staff=False,
        user_id=customer,
        agent_id=None,
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
        command, uow=shop.use.new_uow(), clock=shop.use.clock, new_id=new_id, digests=shop.use.digests
    ).id


def price(shop: Shop, booking_id: UUID, staff: UUID, *prices: Money, hours: int = 48, is_staff: bool = True) -> None:
    offer = Offer(
        items=[OfferedItem(booking_type=None, unit_price=one, **STAFF_TERMS) for one in prices],
        plan_terms=PlanTerms(deposit=WHOLE, due_days_before=14, most_parts=3),
        valid_until=None,
        ordinarily_valid=timedelta(hours=hours),
        settings=pricing_settings(shop.use.system_settings),
    )
    command = PriceBooking(
        booking_id=booking_id, actor_id=staff, actor_is_staff=is_staff, offer=offer, expected_version=None
    )
    price_booking(command, uow=shop.use.new_uow(), clock=shop.use.clock, new_id=new_id)


def booked(shop: Shop, booking_id: UUID) -> tuple[str, int, int, int]:
    """Status, price, what its items come to, and what is paid."""
    row = shop.row(
        """SELECT b.status, b.final_amount_minor AS price, b.paid_amount_minor AS paid,
                  (SELECT sum(i.total_price_minor)::bigint FROM booking_items i WHERE i.booking_id = b.id) AS items
           FROM bookings b WHERE b.id = %s""",
        booking_id,
    )
    return row["status"], row["price"], row["items"], row["paid"]


def test_an_agent_prices_no_stranger_and_nobody_themselves(shop: Shop) -> None:
    customer, agent = shop.a_customer(), shop.a_customer()
    booking_id = ask(shop, customer)

    with pytest.raises(BookingNotFound):
        price(shop, booking_id, agent, egp("10.00"), is_staff=False)
    with pytest.raises(OwnRequest):
        price(shop, booking_id, customer, egp("10.00"))
    with pytest.raises(OwnRequest):
        price(shop, booking_id, customer, egp("10.00"), is_staff=False)
    assert booked(shop, booking_id)[0] == "DRAFT"


def test_two_price_at_once_and_one_whole_offer_stands(shop: Shop) -> None:
    booking_id, clerks = ask(shop, shop.a_customer()), [shop.a_customer() for _ in range(4)]

    def priced_by(clerk: UUID, number: int) -> Callable[[], None]:
        return lambda: price(shop, booking_id, clerk, *[egp(f"{number}00.00")] * number)

    results = all_at_once([priced_by(clerk, number) for number, clerk in enumerate(clerks, start=1)])

    assert [result for result in results if result is not None and not isinstance(result, Conflict)] == []
    status, amount, items, paid = booked(shop, booking_id)
    assert (status, items, paid) == ("PENDING_PAYMENT", amount, 0)
    assert amount in {100_00, 400_00, 900_00, 1600_00}


def test_a_payment_and_a_new_price_at_once_end_in_one_of_two_ways(shop: Shop) -> None:
    customer, clerk = shop.a_customer(), shop.a_customer()
    for _ in range(4):
        booking_id = ask(shop, customer)
        price(shop, booking_id, clerk, egp("1000.00"))
        payment = shop.pay(customer, booking_id)
        shop.charge(payment, egp("1000.00"))

        results = all_at_once(
            [lambda p=payment: shop.look(p), lambda b=booking_id: price(shop, b, clerk, egp("700.00"))]  # type: ignore[misc]
        )

        status, amount, items, paid = booked(shop, booking_id)
        assert amount == items
        if status == "CONFIRMED":
            assert (amount, paid) == (1000_00, 1000_00)
            assert isinstance(results[1], IllegalTransition)
        else:
            assert (status, amount, paid) == ("PENDING_PAYMENT", 700_00, 0)
            assert shop.status_of(payment) == "CANCELLED"
            assert [receipt[2] for receipt in shop.receipts(payment)] == ["SUSPENSE"]


def test_money_for_a_price_in_another_currency_is_kept_in_suspense(shop: Shop) -> None:
    customer, clerk = shop.a_customer(), shop.a_customer()
    booking_id = ask(shop, customer)
    price(shop, booking_id, clerk, egp("1000.00"))
    payment = shop.pay(customer, booking_id)

    price(shop, booking_id, clerk, Money.parse("50.00", "USD"))
    shop.charge(payment, egp("1000.00"))
    shop.look(payment)

    assert booked(shop, booking_id)[:2] == ("PENDING_PAYMENT", 50_00)
    assert [receipt[1:3] for receipt in shop.receipts(payment)] == [("EGP", "SUSPENSE")]
    row = shop.row("SELECT currency, tier_code FROM bookings WHERE id = %s", booking_id)
    assert row["currency"] == "USD"


def test_the_plan_of_the_day_of_the_price_is_frozen(shop: Shop) -> None:
    customer, clerk = shop.a_customer(), shop.a_customer()
    booking_id = ask(shop, customer)
    membership = shop.pay(customer, shop.subscribe(customer), kind=PaymentType.MEMBERSHIP_PURCHASE)
    due = shop.row("SELECT amount_minor, currency FROM payments WHERE id = %s", membership)
    shop.charge(membership, Money.of(due["amount_minor"], due["currency"]))
    shop.look(membership)

    price(shop, booking_id, clerk, egp("10.00"))

    row = shop.row(
        "SELECT b.tier_code, b.cashback_rate = p.cashback_rate AS frozen FROM bookings b"
        " JOIN membership_plans p ON p.tier_code = 'GOLD' WHERE b.id = %s",
        booking_id,
    )
    assert (row["tier_code"], row["frozen"]) == ("GOLD", True)


def test_an_offer_that_nobody_pays_expires_and_a_draft_waits(shop: Shop) -> None:
    clerk = shop.a_customer()
    offered, draft = ask(shop, shop.a_customer()), ask(shop, shop.a_customer())
    price(shop, offered, clerk, egp("10.00"), hours=1)
    later = SetClock(shop.use.clock.now() + timedelta(hours=1) + GRACE)

    assert expire_bookings(new_uow=shop.use.new_uow, clock=later, new_id=new_id) == 1
    assert booked(shop, offered)[0] == "CANCELLED"
    assert booked(shop, draft)[0] == "DRAFT"


def test_a_change_and_a_price_at_once_leave_what_was_priced(shop: Shop) -> None:
    customer, clerk = shop.a_customer(), shop.a_customer()
    booking_id = ask(shop, customer)
    command = ChangeRequest(
        booking_id=booking_id,
        actor_id=customer,
        changes={"travelers_count": 9},
        document_valid_days=0,
        expected_version=1,
    )

    def change() -> None:
        change_request(command, uow=shop.use.new_uow(), clock=shop.use.clock)

    def price_what_was_seen() -> None:
        offer = Offer(
            items=[OfferedItem(booking_type=None, unit_price=egp("5.00"), **STAFF_TERMS)],
            plan_terms=PlanTerms(deposit=WHOLE, due_days_before=14, most_parts=3),
            valid_until=None,
            ordinarily_valid=timedelta(hours=1),
            settings=pricing_settings(shop.use.system_settings),
        )
        seen = PriceBooking(booking_id=booking_id, actor_id=clerk, actor_is_staff=True, offer=offer, expected_version=1)
        price_booking(seen, uow=shop.use.new_uow(), clock=shop.use.clock, new_id=new_id)

    results = all_at_once([change, price_what_was_seen])

    assert sum(result is None for result in results) == 1
    row = shop.row("SELECT status, travelers_count, version FROM bookings WHERE id = %s", booking_id)
    assert (row["status"], row["travelers_count"]) in {("DRAFT", 9), ("PENDING_PAYMENT", 1)}


def test_a_request_that_nobody_priced_ends_once_its_day_is_over_and_its_owner_is_told(
    shop: Shop, clock: MovableClock
) -> None:
    customer, staff = shop.a_customer(), shop.a_customer()
    left, offered = ask(shop, customer), ask(shop, customer)
    price(shop, offered, staff, egp("10.00"), hours=24 * 15)

    clock.offset += timedelta(days=20)
    assert lapse_requests(new_uow=shop.use.new_uow, clock=shop.use.clock) == 0

    clock.offset += timedelta(days=1)
    ended = all_at_once([lambda: lapse_requests(new_uow=shop.use.new_uow, clock=shop.use.clock)] * 4)
    assert sorted(ended) == [0, 0, 0, 1]  # type: ignore[type-var]
    row = shop.row("SELECT * FROM bookings WHERE id = %s", left)
    assert (row["status"], row["cancellation_reason"], row["cancelled_by_user_id"]) == (
        "CANCELLED", "its day passed without a price", None,
    )  # fmt: skip
    assert booked(shop, offered)[0] == "PENDING_PAYMENT"
    events = shop.database.rows("SELECT payload FROM outbox_events WHERE name = 'sales.request_lapsed'")
    assert [event["payload"]["user_id"] for event in events] == [str(customer)]


def test_a_request_that_is_changed_at_that_moment_has_one_end(shop: Shop, clock: MovableClock) -> None:
    """For another day: who asked changes it while it is about to lapse."""
    customer = shop.a_customer()
    booking_id = ask(shop, customer)
    clock.offset += timedelta(days=21)
    later = ChangeRequest(
        booking_id=booking_id,
        actor_id=customer,
        changes={"start_date": business_date(shop.use.clock.now()) + timedelta(days=9), "end_date": None},
        document_valid_days=0,
        expected_version=None,
    )
    works: list[Callable[[], object]] = [
        lambda: lapse_requests(new_uow=shop.use.new_uow, clock=shop.use.clock),
        lambda: change_request(later, uow=shop.use.new_uow(), clock=shop.use.clock),
    ]

    lapsed, changed = all_at_once(works)

    status = booked(shop, booking_id)[0]
    if lapsed == 1:
        assert isinstance(changed, IllegalTransition)
        assert status == "CANCELLED"
    else:
        assert (lapsed, changed, status) == (0, None, "DRAFT")
