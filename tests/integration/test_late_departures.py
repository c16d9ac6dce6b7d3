"""Another departure for money that came too late: booked and paid once, whatever happens at the same time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from application.sales.late_departures import (
    ChooseDeparture,
    LateDeparture,
    LateDeparturePreview,
    choose_departure,
    preview_late_departure,
)
from application.sales.quotes import price_token
from domain.billing.late_money import Hindrance, LateChoice, NoLateMoney
from domain.catalogue.departures import Departure, DepartureNotFound, SoldOut
from domain.ledger import accounts
from domain.sales.booking_errors import BookingNotFound, PriceMoved
from domain.sales.bookings import Booking
from domain.sales.instalments import PlanTerms
from domain.shared.clock import business_date
from domain.shared.errors import IllegalTransition, InvalidValue
from domain.shared.percentage import Percentage
from infrastructure.database.roles import DatabaseAddresses
from tests.builders import a_departure, egp
from tests.conftest import MovableClock
from tests.integration.shop import HOLD_FOR, Shop, all_at_once, broken_promises
from tests.integration.test_late_money import (
    PRICE,
    SUSPENSE,
    TOO_LATE,
    Died,
    choose,
    closed,
    die_at_commit,
    item_of,
    pay_late,
    sold_out,
    sweep,
    wallet,
)

WHOLE = Percentage(10_000)
THIRD = Percentage(3_000)


@pytest.fixture(autouse=True)
def every_promise_holds_afterwards(shop: Shop, addresses: DatabaseAddresses) -> Iterator[None]:
    yield
    assert broken_promises(addresses) == []
    assert (
        shop.balance(SUSPENSE)
        == shop.row("SELECT coalesce(sum(amount_minor), 0) AS sum FROM suspense_items WHERE status <> 'RESOLVED'")[
            "sum"
        ]
    )


def another(shop: Shop, booking: Booking, *, seats: int = 5, days_ahead: int = 60) -> Departure:
    """Another departure of the same package."""
    with shop.use.new_uow() as uow:
        starts_on = business_date(shop.use.clock.now()) + timedelta(days=days_ahead)
        departure = a_departure(package_id=booking.trip.package_id, capacity=seats, starts_on=starts_on)
        uow.departures.add(departure)
        uow.commit()
    return departure


def reprice(shop: Shop, booking: Booking, amount: str) -> None:
    assert booking.trip.package_id is not None
    with shop.use.new_uow() as uow:
        uow.packages.get(booking.trip.package_id).change(at=shop.use.clock.now(), base_price=egp(amount))
        uow.commit()


@dataclass(frozen=True)
class Late:
    """A booking whose money came when its seats were gone, and another departure."""

    shop: Shop
    booking: Booking
    payment_id: UUID
    departure: Departure

    def wanted(self, *, by: UUID | None = None, deposit: Percentage = WHOLE, **changes: Any) -> dict[str, Any]:
        return {
            "booking_id": self.booking.id,
            "user_id": by or self.booking.user_id,
            "departure_id": self.departure.id,
            "hold_for": HOLD_FOR,
            "plan_terms": PlanTerms(deposit=deposit, due_days_before=14, most_parts=3),
            "settings": self.shop.pricing(),
            **changes,
        }

    def preview(self, **changes: Any) -> LateDeparturePreview:
        use = self.shop.use
        return preview_late_departure(
            LateDeparture(**self.wanted(**changes)),
            uow=use.new_uow(),
            queries=use.queries.sales,
            promotions=use.queries.pricing,
            clock=use.clock,
        )

    def take(self, token: str | None = None, **changes: Any) -> UUID:
        use = self.shop.use
        shown = token or price_token(self.preview(**changes).quoted, digests=use.digests)
        command = ChooseDeparture(**self.wanted(**changes), price_token=shown, document_valid_days=0)
        return choose_departure(command, uow=use.new_uow(), clock=use.clock, new_id=use.new_id, digests=use.digests)

    def token(self) -> str:
        return price_token(self.preview().quoted, digests=self.shop.use.digests)


@pytest.fixture
def late(shop: Shop, customer: UUID, clock: MovableClock) -> Late:
    booking, payment_id = pay_late(shop, clock, customer, shop.a_departure(seats=1))
    sold_out(shop, booking)
    shop.take_late_money()
    return Late(shop, booking, payment_id, another(shop, booking))


def test_it_is_booked_and_paid_through_the_wallet(late: Late) -> None:
    shop, owner = late.shop, late.booking.user_id
    preview = late.preview()
    assert (preview.money, preview.pays, preview.to_wallet, preview.amount_due) == (
        egp("1000.00"), egp("1000.00"), egp("0.00"), egp("0.00"),
    )  # fmt: skip

    new = shop.booking(late.take())

    assert (new["status"], new["payment_status"], new["paid_amount_minor"]) == ("CONFIRMED", "PAID", PRICE)
    assert (new["departure_id"], new["seats_taken"], new["hold_status"]) == (late.departure.id, 1, "CAPTURED")
    assert new["start_date"] == late.departure.starts_on
    assert (wallet(shop, owner), item_of(shop, late.payment_id)) == (0, ("RESOLVED", "APPLIED"))
    assert shop.replacement(late.booking.id) is None
    assert shop.balance(accounts.points(owner)) == 100
    [told] = shop.use.queries.late_money.of_booking(late.booking.id)
    assert (told["status"], told["choice"], told["rebooked_id"]) == ("APPLIED", LateChoice.DEPARTURE, new["id"])
    [kept] = shop.database.rows("SELECT user_id FROM audit_logs WHERE action = 'payments.late_choice'")
    assert kept["user_id"] == owner
    with pytest.raises(NoLateMoney):
        late.take(token="x")


def test_what_it_exceeds_the_price_by_stays_in_the_wallet(late: Late) -> None:
    reprice(late.shop, late.booking, "600.00")
    assert late.preview().to_wallet == egp("400.00")
    new = late.shop.booking(late.take())
    assert (new["payment_status"], new["paid_amount_minor"]) == ("PAID", 60_000)
    assert wallet(late.shop, late.booking.user_id) == 40_000


def test_what_it_lacks_is_due_by_the_plan(late: Late) -> None:
    reprice(late.shop, late.booking, "1500.00")
    assert late.preview(deposit=THIRD).amount_due == egp("500.00")
    new = late.shop.booking(late.take(deposit=THIRD))
    assert (new["status"], new["payment_status"], new["paid_amount_minor"]) == ("CONFIRMED", "PARTIALLY_PAID", PRICE)
    assert wallet(late.shop, late.booking.user_id) == 0


def test_what_does_not_confirm_it_holds_the_seats_and_is_in_the_wallet_to_pay_with(
    late: Late, clock: MovableClock
) -> None:
    shop, owner = late.shop, late.booking.user_id
    reprice(shop, late.booking, "1500.00")
    preview = late.preview()
    assert (preview.pays, preview.to_wallet, preview.amount_due) == (egp("0.00"), egp("1000.00"), egp("1500.00"))

    held_id = late.take()

    held = shop.booking(held_id)
    assert (held["status"], held["payment_status"], held["seats_taken"]) == ("PENDING_PAYMENT", "UNPAID", 1)
    assert (wallet(shop, owner), item_of(shop, late.payment_id)) == (PRICE, ("RESOLVED", "WALLET"))
    clock.offset += TOO_LATE
    assert sweep(shop) == 1
    assert (shop.booking(held_id)["seats_taken"], wallet(shop, owner)) == (0, PRICE)


def test_at_its_price_or_not_at_all(late: Late) -> None:
    token = late.token()
    reprice(late.shop, late.booking, "1200.00")
    with pytest.raises(PriceMoved) as moved:
        late.take(token)
    assert moved.value.facts["new_total"] == {"amount": "1200.00", "currency": "EGP"}
    assert item_of(late.shop, late.payment_id) == ("OPEN", None)
    late.take()


def test_whoever_asks_at_the_same_time_it_is_booked_once(late: Late) -> None:
    token = late.token()
    answers = all_at_once([partial(late.take, token)] * 4)
    assert [type(answer) for answer in answers].count(NoLateMoney) == 3
    assert late.shop.row("SELECT count(*) AS n FROM bookings WHERE departure_id = %s", late.departure.id)["n"] == 1


def test_it_or_the_wallet_or_a_refund_but_one_of_them(late: Late) -> None:
    token, shop = late.token(), late.shop
    choices = [partial(choose, shop, late.booking, choice) for choice in (LateChoice.WALLET, LateChoice.REFUND)]
    answers = all_at_once([partial(late.take, token), *choices])
    refused = [answer for answer in answers if isinstance(answer, NoLateMoney | IllegalTransition)]
    assert len(refused) == 2
    rows = shop.database.rows("SELECT choice FROM late_money")
    assert len(rows) == 1 and rows[0]["choice"] is not None


def test_its_last_seat_goes_to_one(late: Late, clock: MovableClock) -> None:
    shop = late.shop
    last = another(shop, late.booking, seats=1, days_ahead=61)
    only = Late(shop, late.booking, late.payment_id, last)
    token = only.token()
    answers = all_at_once([partial(only.take, token), partial(shop.book, shop.a_customer(), last)])
    assert len([answer for answer in answers if isinstance(answer, SoldOut)]) == 1
    if isinstance(answers[0], SoldOut):
        assert item_of(shop, late.payment_id) == ("OPEN", None)
        late.take()


def test_two_late_payments_go_together(shop: Shop, customer: UUID, clock: MovableClock) -> None:
    booking = shop.book(customer, shop.a_departure(seats=1), deposit=THIRD)
    first = shop.pay(customer, booking.id, amount=egp("300.00"))
    rest = shop.pay(customer, booking.id, amount=egp("700.00"))
    clock.offset += TOO_LATE
    assert sweep(shop) == 1
    sold_out(shop, booking)
    for payment_id, amount in ((first, "300.00"), (rest, "700.00")):
        shop.charge(payment_id, egp(amount))
        shop.look(payment_id)
        shop.take_late_money()
    late = Late(shop, booking, first, another(shop, booking))

    new = shop.booking(late.take())

    assert (new["payment_status"], new["paid_amount_minor"]) == ("PAID", PRICE)
    assert [item_of(shop, each) for each in (first, rest)] == [("RESOLVED", "APPLIED")] * 2
    assert {row["rebooked_id"] for row in shop.use.queries.late_money.of_booking(booking.id)} == {new["id"]}


def test_money_that_comes_later_still_does_not_book_the_old_trip_beside_it(
    shop: Shop, customer: UUID, clock: MovableClock
) -> None:
    booking = shop.book(customer, shop.a_departure(seats=5), deposit=THIRD)
    payments = [shop.pay(customer, booking.id, amount=egp(amount)) for amount in ("300.00", "700.00")]
    clock.offset += TOO_LATE
    assert sweep(shop) == 1
    closed(shop, booking)
    shop.charge(payments[0], egp("300.00"))
    shop.look(payments[0])
    shop.take_late_money()
    Late(shop, booking, payments[0], another(shop, booking)).take(deposit=THIRD)
    with shop.use.new_uow() as uow:
        uow.departures.get(booking.trip.departure_id).reopen(  # type: ignore[arg-type]
            at=shop.use.clock.now()
        )
        uow.commit()
    shop.charge(payments[1], egp("700.00"))
    shop.look(payments[1])
    shop.take_late_money(times=2)
    assert shop.replacement(booking.id) is None
    hindrances = [row["hindrance"] for row in shop.use.queries.late_money.of_booking(booking.id)]
    assert hindrances == [Hindrance.CLOSED, Hindrance.BOOKED_AGAIN]


def test_what_is_refused_changes_nothing(late: Late) -> None:
    shop, token = late.shop, late.token()
    with pytest.raises(BookingNotFound):
        late.take(token, by=shop.a_customer())
    for departure, refusal in (
        (shop.a_departure(), DepartureNotFound), (another(shop, late.booking, seats=1, days_ahead=70), None),
    ):  # fmt: skip
        if refusal is None:
            shop.book(shop.a_customer(), departure)
            refusal = SoldOut  # type: ignore[assignment]
        with pytest.raises(refusal):  # type: ignore[arg-type]
            Late(shop, late.booking, late.payment_id, departure).take(token)
    assert item_of(shop, late.payment_id) == ("OPEN", None)
    assert wallet(shop, late.booking.user_id) == 0


def test_a_trip_that_people_priced_has_no_departures(shop: Shop, late: Late) -> None:
    on_request = "UPDATE bookings SET package_id = NULL, departure_id = NULL, booking_type = 'HOTEL' WHERE id = %s"
    with shop.database.transaction() as transaction:
        transaction.execute(on_request, (late.booking.id,))
        transaction.commit()
    with pytest.raises(InvalidValue):
        late.preview()


@pytest.mark.parametrize("committed", [False, True])
def test_whoever_dies_in_between_is_followed_by_one_who_finishes(late: Late, committed: bool) -> None:
    token = late.token()
    with pytest.MonkeyPatch.context() as patch, pytest.raises(Died):
        die_at_commit(patch, committed=committed)
        late.take(token)
    if committed:
        with pytest.raises(NoLateMoney):
            late.take(token)
    else:
        late.take(token)
    assert late.shop.row("SELECT count(*) AS n FROM bookings WHERE departure_id = %s", late.departure.id)["n"] == 1
    assert late.shop.balance(SUSPENSE) == 0


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(price=st.integers(1, 400_000), deposit=st.sampled_from([1_000, 3_000, 9_900, 10_000]))
def test_no_piastre_is_lost_whatever_it_costs(shop: Shop, clock: MovableClock, price: int, deposit: int) -> None:
    customer = shop.a_customer()
    clock.offset = timedelta()
    booking, payment_id = pay_late(shop, clock, customer, shop.a_departure(seats=1))
    sold_out(shop, booking)
    shop.take_late_money()
    late = Late(shop, booking, payment_id, another(shop, booking))
    reprice(shop, booking, f"{price // 100}.{price % 100:02d}")
    preview = late.preview(deposit=Percentage(deposit))

    new = shop.booking(late.take(deposit=Percentage(deposit)))

    paid = int(new["paid_amount_minor"])
    assert paid + wallet(shop, customer) == PRICE
    assert (paid, wallet(shop, customer)) == (preview.pays.minor, preview.to_wallet.minor)
    assert new["final_amount_minor"] == price == paid + preview.amount_due.minor
    assert (new["status"] == "CONFIRMED") == (paid > 0)
