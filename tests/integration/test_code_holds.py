"""Seats that are kept as long as a payment code lives (traps 13, 30): never for ever, whatever providers say."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from uuid import UUID

import pytest

from application.billing.checkouts import HELD_BEYOND
from application.billing.ports import OutcomeUnknown, ProviderRefused
from application.sales.expiry import GRACE, expire_bookings
from config.settings import Settings
from domain.billing.payments import PaymentMethod
from domain.sales.booking_errors import NothingToPay
from domain.sales.bookings import Booking
from domain.sales.holds import KEPT_FREE_BEFORE_START, CodeTerms
from domain.shared.clock import business_date
from domain.shared.percentage import Percentage
from infrastructure.bootstrap import bootstrap
from infrastructure.clock import new_id
from infrastructure.database.roles import DatabaseAddresses
from infrastructure.database.transaction import Database
from tests.builders import egp
from tests.conftest import MovableClock
from tests.integration.amending import GRACE as AMENDING_GRACE
from tests.integration.amending import Desk
from tests.integration.providers import a_provider
from tests.integration.shop import HOLD_FOR, Shop, all_at_once, broken_promises
from tests.integration.tenders import a_rich_customer, from_wallet
from tests.integration.test_offers import ask, price

LIFE, LONGEST = CodeTerms().life, CodeTerms().longest
FAWRY = PaymentMethod.FAWRY
MOMENT = timedelta(seconds=5)


@pytest.fixture(autouse=True)
def every_promise_holds_afterwards(addresses: DatabaseAddresses) -> Iterator[None]:
    yield
    assert broken_promises(addresses) == []


def kept_until(shop: Shop, booking: Booking) -> datetime:
    end: datetime = shop.row("SELECT expires_at FROM holds WHERE booking_id = %s", booking.id)["expires_at"]
    return end


def kept_for(shop: Shop, booking: Booking) -> timedelta:
    return kept_until(shop, booking) - booking.created_at


def ends_at(shop: Shop, payment_id: UUID) -> datetime:
    end: datetime = shop.row("SELECT expires_at FROM payment_attempts WHERE payment_id = %s", payment_id)["expires_at"]
    return end


def sweep(shop: Shop) -> int:
    return expire_bookings(new_uow=shop.use.new_uow, clock=shop.use.clock, new_id=new_id)


def nearly(one: timedelta, other: timedelta) -> bool:
    return abs(one - other) < MOMENT


def test_a_code_keeps_the_seats_as_long_as_it_lives_and_a_card_does_not(
    shop: Shop, customer: UUID, clock: MovableClock
) -> None:
    booking = shop.book(customer)
    shop.pay(customer, booking.id)
    assert kept_until(shop, booking) == booking.hold_expires_at

    payment_id = shop.pay(customer, booking.id, method=FAWRY)

    until = kept_until(shop, booking)
    assert nearly(until - booking.created_at, LIFE)
    assert until == ends_at(shop, payment_id) == shop.gateway.requests[-1].expires_at
    shown = shop.use.queries.sales.booking(booking.id, owner=customer, today=business_date(clock.now()))
    assert shown is not None
    assert shown["hold_expires_at"] == until
    clock.offset += LIFE - MOMENT
    assert sweep(shop) == 0
    shop.charge(payment_id, booking.final_amount)
    shop.look(payment_id)
    assert shop.booking(booking.id)["status"] == "CONFIRMED"


def test_the_seats_are_free_when_the_code_and_the_grace_are_over(
    shop: Shop, customer: UUID, clock: MovableClock
) -> None:
    booking = shop.book(customer)
    shop.pay(customer, booking.id, method=FAWRY)
    clock.offset += LIFE + GRACE - MOMENT
    assert sweep(shop) == 0
    clock.offset += 2 * MOMENT
    assert sweep(shop) == 1
    assert shop.booking(booking.id)["seats_taken"] == 0


def test_codes_again_and_again_keep_no_seats_for_ever(shop: Shop, customer: UUID, clock: MovableClock) -> None:
    booking = shop.book(customer)
    kept = []
    for _ in range(8):
        payment_id = shop.pay(customer, booking.id, method=FAWRY)
        shop.gateway.books[shop.attempt_of(payment_id).provider_reference].is_over = True
        shop.look(payment_id)
        kept.append(kept_for(shop, booking))
        clock.offset += timedelta(hours=8)

    assert kept == sorted(kept)
    assert kept[-1] == LONGEST
    clock.offset += LONGEST + GRACE - timedelta(hours=64) + MOMENT
    with pytest.raises(NothingToPay):
        shop.pay(customer, booking.id, method=FAWRY)
    assert sweep(shop) == 1


def test_no_code_keeps_seats_until_the_trip_begins(shop: Shop, customer: UUID, clock: MovableClock) -> None:
    departure = shop.a_departure()
    clock.offset += departure.begins_at - clock.now() - KEPT_FREE_BEFORE_START - timedelta(hours=5)
    booking = shop.book(customer, departure)

    shop.pay(customer, booking.id, method=FAWRY)

    assert kept_until(shop, booking) == departure.begins_at - KEPT_FREE_BEFORE_START


def test_seats_that_are_kept_longer_already_stay_so(shop: Shop, customer: UUID, clock: MovableClock) -> None:
    departure = shop.a_departure()
    clock.offset += departure.begins_at - clock.now() - KEPT_FREE_BEFORE_START - timedelta(minutes=5)
    booking = shop.book(customer, departure)

    shop.pay(customer, booking.id, method=FAWRY)

    assert nearly(kept_for(shop, booking), HOLD_FOR)


def test_two_codes_at_once_keep_the_seats_as_one(shop: Shop, customer: UUID) -> None:
    booking = shop.book(customer)

    made = all_at_once([lambda: shop.pay(customer, booking.id, method=FAWRY)] * 4)

    assert not [answer for answer in made if isinstance(answer, BaseException)]
    assert nearly(kept_for(shop, booking), LIFE)


@pytest.mark.parametrize("late_by", [-MOMENT, MOMENT])
def test_a_code_and_the_sweep_at_the_same_moment_never_both_have_the_seats(
    shop: Shop, customer: UUID, clock: MovableClock, late_by: timedelta
) -> None:
    """The deadline decides: before it the code keeps the seats, after it and the grace the sweep has them."""
    booking = shop.book(customer)
    clock.offset += HOLD_FOR + (late_by if late_by < timedelta(0) else GRACE + late_by)

    answers = all_at_once([partial(shop.pay, customer, booking.id, method=FAWRY), partial(sweep, shop)])

    row = shop.booking(booking.id)
    if late_by < timedelta(0):
        assert answers[1] == 0
        assert (row["status"], row["hold_status"], row["seats_taken"]) == ("PENDING_PAYMENT", "ACTIVE", 1)
    else:
        assert isinstance(answers[0], NothingToPay)
        assert (row["status"], row["hold_status"], row["seats_taken"]) == ("CANCELLED", "EXPIRED", 0)


class TestWhatProvidersSay:
    def test_a_code_that_ends_sooner_takes_the_hold_with_it(self, shop: Shop, customer: UUID) -> None:
        booking = shop.book(customer)
        shop.gateway.ends_after = timedelta(hours=6)

        payment_id = shop.pay(customer, booking.id, method=FAWRY)

        assert nearly(kept_for(shop, booking), timedelta(hours=6))
        assert ends_at(shop, payment_id) == kept_until(shop, booking)

    def test_but_not_below_what_was_agreed(self, shop: Shop, customer: UUID) -> None:
        booking = shop.book(customer)
        shop.gateway.ends_after = timedelta(minutes=2)

        shop.pay(customer, booking.id, method=FAWRY)

        assert kept_until(shop, booking) == booking.hold_expires_at

    def test_nor_below_another_code_that_is_open(self, shop: Shop, customer: UUID) -> None:
        booking = shop.book(customer, deposit=Percentage(1_000))
        shop.pay(customer, booking.id, method=FAWRY)
        until = kept_until(shop, booking)
        shop.gateway.ends_after = timedelta(hours=6)

        shop.pay(customer, booking.id, method=FAWRY, amount=booking.deposit_amount)

        assert kept_until(shop, booking) == until

    @pytest.mark.parametrize(
        ("ends_after", "kept"), [(timedelta(hours=48), timedelta(hours=48)), (LONGEST * 2, LONGEST)]
    )
    def test_a_code_that_ends_later_is_kept_to_within_the_bound(
        self, shop: Shop, customer: UUID, ends_after: timedelta, kept: timedelta
    ) -> None:
        booking = shop.book(customer)
        shop.gateway.ends_after = ends_after

        shop.pay(customer, booking.id, method=FAWRY)

        assert nearly(kept_for(shop, booking), kept)

    def test_a_card_checkout_that_ends_later_keeps_nothing(self, shop: Shop, customer: UUID) -> None:
        booking = shop.book(customer)
        shop.gateway.ends_after = timedelta(hours=6)

        shop.pay(customer, booking.id)

        assert kept_until(shop, booking) == booking.hold_expires_at

    def test_a_code_that_is_refused_keeps_no_seats(self, shop: Shop, customer: UUID) -> None:
        booking = shop.book(customer)
        shop.gateway.answers.append(ProviderRefused(provider="SCRIPTED", reason="no"))

        with pytest.raises(ProviderRefused):
            shop.pay(customer, booking.id, method=FAWRY)

        assert kept_until(shop, booking) == booking.hold_expires_at

    def test_a_code_in_doubt_keeps_them(self, shop: Shop, customer: UUID) -> None:
        booking = shop.book(customer)
        shop.gateway.answers.append(OutcomeUnknown(provider="SCRIPTED", reason="no answer"))

        shop.pay(customer, booking.id, method=FAWRY)

        assert nearly(kept_for(shop, booking), LIFE)


@pytest.mark.parametrize("ends_after", [None, timedelta(hours=48)])
def test_what_is_set_aside_beside_a_code_is_set_aside_as_long(shop: Shop, ends_after: timedelta | None) -> None:
    customer = a_rich_customer(shop, wallet=50_000)
    booking = shop.book(customer)
    shop.gateway.ends_after = ends_after

    payment_id = shop.pay(customer, booking.id, method=FAWRY, parts=(from_wallet(30_000),))

    rows = shop.database.rows("SELECT expires_at, amount_minor FROM balance_holds WHERE status = 'ACTIVE'")
    assert [(row["expires_at"], row["amount_minor"]) for row in rows] == [
        (ends_at(shop, payment_id) + HELD_BEYOND, 30_000)
    ]
    assert kept_until(shop, booking) == ends_at(shop, payment_id)


@pytest.mark.parametrize("version", ["fawaterk-v2", "fawaterk-v3"])
def test_the_seats_are_kept_until_the_end_that_fawaterk_says(
    settings: Settings, addresses: DatabaseAddresses, clock: MovableClock, tmp_path: Path, version: str
) -> None:
    with a_provider(version, tmp_path) as provider:
        running = bootstrap(provider.configured(settings), database=Database(addresses.app), clock=clock)
        try:
            shop = Shop.selling_through(running, provider.name)
            customer = shop.a_customer()
            booking = shop.book(customer)

            payment_id = shop.pay(customer, booking.id, method=FAWRY)

            assert kept_until(shop, booking) == ends_at(shop, payment_id)
            assert kept_for(shop, booking) > LIFE - MOMENT
        finally:
            running.close()


class TestAmendments:
    """What waits for the difference lives as long as the code that pays it."""

    @pytest.fixture
    def desk(self, shop: Shop) -> Desk:
        return Desk(shop)

    def a_dearer_trip(self, shop: Shop, desk: Desk, customer: UUID) -> tuple[Booking, UUID]:
        """A booking of one is paid, and one of two waits for the difference."""
        booking = shop.a_paid_booking(customer)
        return booking, desk.amend(booking, travelers_count=2)

    def until(self, desk: Desk, amendment_id: UUID) -> datetime:
        end: datetime = desk.amendment(amendment_id)["expires_at"]
        return end

    def test_a_code_keeps_the_amendment_and_its_seats_and_pays_it_the_next_day(
        self, shop: Shop, desk: Desk, customer: UUID, clock: MovableClock
    ) -> None:
        booking, amendment_id = self.a_dearer_trip(shop, desk, customer)
        agreed = self.until(desk, amendment_id)
        shop.pay(customer, booking.id)
        assert self.until(desk, amendment_id) == agreed

        payment_id = shop.pay(customer, booking.id, method=FAWRY)

        assert nearly(self.until(desk, amendment_id) - clock.now(), LIFE)
        assert self.until(desk, amendment_id) == ends_at(shop, payment_id)
        assert desk.amendment(amendment_id)["agreed_until"] == agreed
        clock.offset += LIFE - MOMENT
        assert desk.lapse() == 0
        shop.charge(payment_id, egp("1000.00"))
        shop.look(payment_id)
        assert desk.amendment(amendment_id)["status"] == "APPLIED"
        assert shop.booking(booking.id)["seats_taken"] == 2

    def test_codes_again_and_again_keep_no_amendment_for_ever(
        self, shop: Shop, desk: Desk, customer: UUID, clock: MovableClock
    ) -> None:
        booking, amendment_id = self.a_dearer_trip(shop, desk, customer)
        asked_at = desk.amendment(amendment_id)["requested_at"]
        for _ in range(8):
            payment_id = shop.pay(customer, booking.id, method=FAWRY)
            shop.gateway.books[shop.attempt_of(payment_id).provider_reference].is_over = True
            shop.look(payment_id)
            clock.offset += timedelta(hours=8)
        assert self.until(desk, amendment_id) - asked_at == LONGEST
        clock.offset += LONGEST + AMENDING_GRACE - timedelta(hours=64) + MOMENT
        with pytest.raises(NothingToPay):
            shop.pay(customer, booking.id, method=FAWRY)
        assert (desk.lapse(), shop.booking(booking.id)["seats_taken"]) == (1, 1)

    def test_it_ends_with_the_code_and_not_below_what_was_agreed(self, shop: Shop, desk: Desk, customer: UUID) -> None:
        booking, amendment_id = self.a_dearer_trip(shop, desk, customer)
        agreed = self.until(desk, amendment_id)
        shop.gateway.answers.append(ProviderRefused(provider="SCRIPTED", reason="no"))
        with pytest.raises(ProviderRefused):
            shop.pay(customer, booking.id, method=FAWRY)
        assert self.until(desk, amendment_id) == agreed
        shop.gateway.ends_after = timedelta(hours=6)
        payment_id = shop.pay(customer, booking.id, method=FAWRY)
        assert nearly(self.until(desk, amendment_id) - agreed, timedelta(hours=6) - HOLD_FOR)
        assert self.until(desk, amendment_id) == ends_at(shop, payment_id)

    def test_money_that_comes_after_it_lapsed_waits_for_somebody_to_decide(
        self, shop: Shop, desk: Desk, customer: UUID, clock: MovableClock
    ) -> None:
        booking, amendment_id = self.a_dearer_trip(shop, desk, customer)
        payment_id = shop.pay(customer, booking.id, method=FAWRY)
        clock.offset += LIFE + AMENDING_GRACE + MOMENT
        assert desk.lapse() == 1
        assert desk.lapse() == 0
        shop.charge(payment_id, egp("1000.00"))
        shop.look(payment_id)
        shop.look(payment_id)
        assert desk.amendment(amendment_id)["status"] == "LAPSED"
        assert [disposition for *_, disposition, _ in shop.receipts(payment_id)] == ["SUSPENSE"]
        assert shop.attention() == ["SUSPENSE_LATE"]

    @pytest.mark.parametrize("late_by", [-MOMENT, MOMENT])
    def test_a_code_and_the_lapse_at_the_same_moment_never_both_have_it(
        self, shop: Shop, desk: Desk, customer: UUID, clock: MovableClock, late_by: timedelta
    ) -> None:
        booking, amendment_id = self.a_dearer_trip(shop, desk, customer)
        clock.offset += HOLD_FOR + (late_by if late_by < timedelta(0) else AMENDING_GRACE + late_by)

        answers = all_at_once([partial(shop.pay, customer, booking.id, method=FAWRY), desk.lapse])

        in_time = late_by < timedelta(0)
        assert answers[1] == (0 if in_time else 1)
        assert isinstance(answers[0], NothingToPay) != in_time
        assert desk.amendment(amendment_id)["status"] == ("PENDING" if in_time else "LAPSED")
        assert shop.booking(booking.id)["seats_taken"] == (2 if in_time else 1)


def test_codes_of_what_people_price_count_from_its_price(shop: Shop, customer: UUID, clock: MovableClock) -> None:
    request_id, staff = ask(shop, customer), shop.a_customer()
    clock.offset += timedelta(days=6)
    price(shop, request_id, staff, egp("100.00"), hours=1)

    payment_id = shop.pay(customer, request_id, method=FAWRY)

    with shop.use.new_uow() as uow:
        booking = uow.bookings.get(request_id)
    assert nearly(kept_until(shop, booking) - clock.now(), LIFE)
    clock.offset += LONGEST - timedelta(hours=1)
    price(shop, request_id, staff, egp("200.00"), hours=1)
    assert nearly(kept_until(shop, booking) - clock.now(), timedelta(hours=1))
    shop.pay(customer, request_id, method=FAWRY)
    assert nearly(kept_until(shop, booking) - clock.now(), LIFE)
    assert shop.status_of(payment_id) == "CANCELLED"
