"""Placing bookings: what points pay of a price is taken with it, comes back with it, and never twice (M8)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from application.ledger.points import EarnPoints, earn_points
from application.sales.expiry import GRACE, expire_bookings
from application.sales.pricing import plan_terms
from application.sales.quotes import AskForQuote, price_token, quote_booking
from domain.catalogue.departures import Departure
from domain.ledger import accounts
from domain.ledger.journal import InsufficientBalance
from domain.pricing.exchange import ExchangeRate
from domain.sales.booking_errors import PriceMoved
from domain.sales.booking_states import BookingPaymentStatus, BookingStatus
from domain.sales.bookings import Booking
from domain.sales.instalments import PlanWanted
from domain.shared.money import Money, currency
from infrastructure.clock import new_id
from infrastructure.database.roles import DatabaseAddresses, connect
from tests.builders import egp
from tests.integration.shop import HOLD_FOR, Shop, all_at_once, broken_promises


@pytest.fixture(autouse=True)
def every_promise_holds_afterwards(addresses: DatabaseAddresses) -> Iterator[None]:
    yield
    assert broken_promises(addresses) == []


@pytest.fixture
def departure(shop: Shop) -> Departure:
    """Seats at EGP 1,000.00 each, tax included."""
    return shop.a_departure()


def a_member(shop: Shop, *lots: int) -> UUID:
    """Somebody new with points in lots that end on different days."""
    person = shop.a_customer()
    for days, points in enumerate(lots):
        earned = EarnPoints(
            user_id=person,
            key=new_id().hex,
            reference_type="BOOKING",
            reference_id=new_id(),
            description_ar="نقاط",
            description_en="Points",
            points=points,
        )
        with shop.use.new_uow() as uow:
            earn_points(earned, uow=uow, at=shop.use.clock.now() + timedelta(days=days), new_id=new_id)
            uow.commit()
    return person


def points_of(shop: Shop, person: UUID) -> int:
    return shop.balance(accounts.points(person))


def lots_of(shop: Shop, person: UUID) -> list[int]:
    rows = shop.database.rows("SELECT remaining FROM points_lots WHERE user_id = %s ORDER BY expires_at, id", (person,))
    return [row["remaining"] for row in rows]


def sweep(shop: Shop) -> int:
    return expire_bookings(new_uow=shop.use.new_uow, clock=shop.use.clock, new_id=new_id)


def test_points_come_off_the_price_and_out_of_their_lots(shop: Shop, departure: Departure) -> None:
    member = a_member(shop, 3_000, 10_000)

    booking = shop.book(member, departure, points=5_000)

    assert (booking.price.points, booking.price.points_worth) == (5_000, egp("50.00"))
    assert booking.final_amount == booking.amount_due == egp("950.00")
    assert lots_of(shop, member) == [0, 8_000]
    payment = shop.pay(member, booking.id)
    shop.charge(payment, egp("950.00"))
    shop.look(payment)
    assert shop.booking(booking.id)["payment_status"] == "PAID"


def test_unpaid_the_same_lots_get_them_back(shop: Shop, departure: Departure, clock: Any) -> None:
    member = a_member(shop, 3_000, 10_000)
    shop.book(member, departure, points=5_000)
    clock.offset += HOLD_FOR + GRACE + timedelta(seconds=1)

    assert sum(all_at_once([lambda: sweep(shop)] * 3)) == 1  # type: ignore[arg-type]

    assert (points_of(shop, member), lots_of(shop, member)) == (13_000, [3_000, 10_000])


def test_more_points_than_there_are_book_nothing(shop: Shop, departure: Departure) -> None:
    member = a_member(shop, 100)

    with pytest.raises(InsufficientBalance):
        shop.book(member, departure, points=101)

    assert shop.row("SELECT count(*) AS count FROM bookings")["count"] == 0
    assert shop.row("SELECT seats_taken FROM departures WHERE id = %s", departure.id)["seats_taken"] == 0


def test_the_same_points_at_once_pay_one_booking(shop: Shop, departure: Departure) -> None:
    member = a_member(shop, 5_000)

    results = all_at_once([lambda: shop.book(member, departure, points=5_000)] * 8)

    assert [type(result) for result in results].count(Booking) == 1
    assert [type(result) for result in results].count(InsufficientBalance) == 7
    assert points_of(shop, member) == 0


def test_what_points_pay_in_full_is_confirmed_at_once(shop: Shop, departure: Departure) -> None:
    member = a_member(shop, 200_000)

    booking = shop.book(member, departure, points=200_000)

    assert (booking.status, booking.payment_status) == (BookingStatus.CONFIRMED, BookingPaymentStatus.PAID)
    assert (booking.final_amount, booking.price.points) == (egp("0.00"), 100_000)
    assert points_of(shop, member) == 100_000
    stored = shop.row(
        "SELECT b.status, h.status AS hold FROM bookings b JOIN holds h ON h.booking_id = b.id WHERE b.id = %s",
        booking.id,
    )
    assert (stored["status"], stored["hold"]) == ("CONFIRMED", "CAPTURED")


def test_a_fee_is_a_line_and_a_row_of_the_invoice(shop: Shop, departure: Departure) -> None:
    customer = shop.a_customer()
    booking = shop.book(customer, departure, fee=egp("25.00"))
    payment = shop.pay(customer, booking.id)
    shop.charge(payment, egp("1025.00"))
    shop.look(payment)

    assert booking.final_amount == egp("1025.00")
    assert sum(item.fee.minor for item in booking.items) == 2_500


def asked(shop: Shop, customer: UUID, departure: Departure) -> str:
    """The token of a quote for one seat."""
    use = shop.use
    command = AskForQuote(
        user_id=customer,
        item=shop.item_of(departure),
        departure_id=departure.id,
        chosen=shop.chosen(1),
        hold_for=HOLD_FOR,
        plan=PlanWanted(),
        plan_terms=plan_terms(use.system_settings),
        settings=shop.pricing(),
    )
    return price_token(
        quote_booking(command, queries=use.queries.sales, promotions=use.queries.pricing, clock=use.clock),
        digests=use.digests,
    )


def test_a_quoted_price_is_the_price_or_the_new_one_is_told(
    shop: Shop, departure: Departure, addresses: DatabaseAddresses
) -> None:
    customer = shop.a_customer()
    token = asked(shop, customer, departure)
    assert shop.book(customer, departure, price_token=token).final_amount == egp("1000.00")
    with connect(addresses.owner) as connection:
        connection.execute("UPDATE packages SET base_price_minor = 110000 WHERE id = %s", [departure.package_id])

    with pytest.raises(PriceMoved) as moved:
        shop.book(customer, departure, price_token=token)

    assert moved.value.facts["new_total"] == {"amount": "1100.00", "currency": "EGP"}
    assert shop.row("SELECT count(*) AS count FROM bookings")["count"] == 1


@pytest.mark.parametrize("later", [timedelta(minutes=16)])
def test_after_its_time_a_quote_is_no_promise(shop: Shop, departure: Departure, clock: Any, later: timedelta) -> None:
    customer = shop.a_customer()
    token = asked(shop, customer, departure)
    clock.offset += later

    with pytest.raises(PriceMoved):
        shop.book(customer, departure, price_token=token)


def test_amounts_without_a_mistake_in_a_currency_of_three_decimals(shop: Shop) -> None:
    departure = shop.a_departure(price=Money.parse("10.005", "KWD"))
    member = a_member(shop, 1_000)

    booking = shop.book(member, departure, travelers=3, points=33)

    assert booking.price.points_worth == Money.parse("0.330", "KWD")
    assert booking.final_amount == Money.parse("29.685", "KWD")


def test_a_booking_in_another_currency_keeps_the_rate_to_its_last_digit(shop: Shop, departure: Departure) -> None:
    now = shop.use.clock.now()
    rate = ExchangeRate(
        id=new_id(),
        source=currency("EGP"),
        target=currency("KWD"),
        rate=Decimal("0.006150500001"),
        valid_from=now - timedelta(days=1),
    )
    with shop.use.new_uow() as uow:
        uow.exchange.add_rate(rate, by=shop.a_customer(), at=now)
        uow.commit()

    booking = shop.book(shop.a_customer(), departure, currency="KWD")

    with shop.use.new_uow() as uow:
        stored = uow.bookings.get(booking.id)
    assert stored.price == booking.price
    assert stored.price.exchange is not None
    assert (stored.price.exchange.rate_id, stored.price.exchange.rate) == (rate.id, rate.rate)
    assert (stored.trip, stored.rewards, stored.customer_info) == (booking.trip, booking.rewards, booking.customer_info)
    assert (stored.created_at, stored.deposit_amount) == (booking.created_at, booking.deposit_amount)
