"""What offers and vouchers promise beside a price: given when it is paid, that of the trip as it is by now (M9)."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Any
from uuid import UUID

import pytest

from domain.billing.payments import PaymentMethod
from domain.catalogue.departures import Departure
from domain.ledger import accounts
from domain.pricing.offers import OfferType
from domain.pricing.vouchers import VoucherType
from domain.sales.bookings import Booking
from domain.shared.percentage import Percentage
from infrastructure.database.roles import DatabaseAddresses
from tests.conftest import MovableClock
from tests.deals import a_voucher, an_offer
from tests.integration.amending import GRACE, Desk
from tests.integration.cancelling import Desk as CancellingDesk
from tests.integration.cancelling import agree
from tests.integration.refunding import Counter
from tests.integration.shop import HOLD_FOR, Shop, all_at_once
from tests.integration.tenders import a_rich_customer, egp, pay_card

pytestmark = pytest.mark.usefixtures("refund_promises")

PRICE = 100_000
"""What one traveller pays."""
BONUS = 1_000
"""What an offer promises for one traveller, in points."""
FIFTH = Percentage.parse("20")


@pytest.fixture
def desk(shop: Shop) -> Desk:
    return Desk(shop)


@pytest.fixture
def customer(shop: Shop) -> UUID:
    return a_rich_customer(shop, wallet=2_000_000)


@pytest.fixture
def departure(shop: Shop) -> Departure:
    return shop.a_departure(seats=10)


def bonus(shop: Shop, **details: Any) -> None:
    """An offer that promises points."""
    made = {"offer_type": OfferType.BONUS_POINTS, "bonus_points": BONUS, "points_per_unit": True, **details}
    with shop.use.new_uow() as uow:
        uow.offers.add(an_offer(created_by=shop.a_customer(), at=shop.use.clock.now(), **made))
        uow.commit()


def voucher(shop: Shop, **details: Any) -> str:
    """The code of a voucher."""
    with shop.use.new_uow() as uow:
        made = a_voucher(created_by=shop.a_customer(), at=shop.use.clock.now(), **details)
        uow.vouchers.add([made])
        uow.commit()
    return made.code


def cashback_voucher(shop: Shop) -> str:
    return voucher(shop, voucher_type=VoucherType.CASHBACK, discount_value=FIFTH)


def free(shop: Shop) -> str:
    return voucher(shop, discount_value=Percentage(10_000))


def points(shop: Shop, person: UUID) -> int:
    return shop.balance(accounts.points(person))


def cashback(shop: Shop, booking: Booking) -> int:
    """What is promised for a trip that is over, less what was taken back."""
    row = shop.row(
        "SELECT coalesce(sum(cashback_amount_minor - clawed_back_minor), 0)::bigint AS amount"
        " FROM cashback_records WHERE booking_id = %s",
        booking.id,
    )
    amount: int = row["amount"]
    return amount


def paid(shop: Shop, customer: UUID, departure: Departure, travelers: int, **chosen: Any) -> Booking:
    """Paid from the wallet."""
    booking = shop.book(customer, departure, travelers=travelers, **chosen)
    shop.pay(customer, booking.id, method=PaymentMethod.WALLET)
    return booking


class TestAmended:
    def test_a_deposit_for_five_does_not_reward_a_trip_of_one(
        self, shop: Shop, desk: Desk, customer: UUID, departure: Departure
    ) -> None:
        bonus(shop)
        booking = shop.book(customer, departure, travelers=5, deposit=FIFTH, voucher_code=cashback_voucher(shop))
        shop.pay(customer, booking.id, method=PaymentMethod.WALLET, amount=egp(PRICE))
        assert (booking.rewards.bonus_points, booking.rewards.bonus_cashback) == (5 * BONUS, egp(PRICE))

        plan = desk.preview(booking, travelers_count=1)
        desk.amend(booking, travelers_count=1, agreed=plan.fingerprint)

        assert (plan.rewards.bonus_points, plan.rewards.bonus_cashback) == (BONUS, egp(PRICE // 5))
        assert (plan.rewards.tier_code, plan.rewards.cashback_rate) == (
            booking.rewards.tier_code, booking.rewards.cashback_rate,
        )  # fmt: skip
        assert points(shop, customer) == 100 + BONUS
        shop.travel(booking.id, shop.a_customer())
        assert cashback(shop, booking) == PRICE // 5

    def test_what_was_earned_beyond_the_smaller_trip_is_taken_back(
        self, shop: Shop, desk: Desk, customer: UUID, departure: Departure
    ) -> None:
        bonus(shop)
        booking = paid(shop, customer, departure, 5, voucher_code=cashback_voucher(shop))
        assert points(shop, customer) == 500 + 5 * BONUS

        plan = desk.preview(booking, travelers_count=1)
        desk.amend(booking, travelers_count=1, agreed=plan.fingerprint)

        assert plan.rewards_taken.points == 400 + 4 * BONUS
        assert points(shop, customer) == 100 + BONUS
        shop.travel(booking.id, shop.a_customer())
        assert cashback(shop, booking) == PRICE // 5

    def test_a_promise_that_does_not_shrink_with_the_party_stays_whole(
        self, shop: Shop, desk: Desk, counter: Counter, customer: UUID, departure: Departure
    ) -> None:
        bonus(shop, points_per_unit=False)
        booking = shop.book(customer, departure, travelers=5)
        pay_card(shop, shop.pay(customer, booking.id))
        plan = desk.preview(booking, travelers_count=1)
        desk.amend(booking, travelers_count=1, agreed=plan.fingerprint)
        (refund_id,) = desk.refunds(booking)
        assert (plan.rewards_taken.points, points(shop, customer)) == (400, 500 + BONUS)

        counter.submit(refund_id)

        assert points(shop, customer) == 100 + BONUS
        CancellingDesk(shop).cancel(booking.id)
        counter.submit(next(each for each in desk.refunds(booking) if each != refund_id))
        assert points(shop, customer) == 0

    def test_a_trip_that_the_offer_is_not_for_takes_all_of_it_back_until_it_is_for_it_again(
        self, shop: Shop, desk: Desk, customer: UUID, departure: Departure
    ) -> None:
        bonus(shop, min_purchase_amount=egp(2 * PRICE))
        booking = paid(shop, customer, departure, 2)
        assert points(shop, customer) == 200 + 2 * BONUS

        plan = desk.preview(booking, travelers_count=1)
        desk.amend(booking, travelers_count=1, agreed=plan.fingerprint)

        assert (plan.rewards.bonus_points, plan.rewards_taken.points) == (0, 100 + 2 * BONUS)
        assert points(shop, customer) == 100
        desk.amend(booking, travelers_count=2)
        shop.pay(customer, booking.id, method=PaymentMethod.WALLET)
        assert points(shop, customer) == 200 + 2 * BONUS
        CancellingDesk(shop).cancel(booking.id)
        assert points(shop, customer) == 0

    def test_what_was_spent_of_it_is_owed(self, shop: Shop, desk: Desk, customer: UUID, departure: Departure) -> None:
        bonus(shop)
        booking = paid(shop, customer, departure, 3)
        shop.book(customer, travelers=1, points=3 * BONUS)
        assert points(shop, customer) == 300

        desk.amend(booking, travelers_count=1)

        assert points(shop, customer) == 0
        assert shop.balance(accounts.debt(customer, accounts.POINTS_UNIT)) == -(200 + 2 * BONUS - 300)

    def test_a_larger_trip_is_promised_more_once_it_is_paid(
        self, shop: Shop, desk: Desk, customer: UUID, departure: Departure
    ) -> None:
        bonus(shop)
        booking = paid(shop, customer, departure, 1, voucher_code=cashback_voucher(shop))
        plan = desk.preview(booking, travelers_count=3)
        desk.amend(booking, travelers_count=3, agreed=plan.fingerprint)
        assert (plan.rewards.bonus_points, plan.rewards_taken.points) == (3 * BONUS, 0)
        assert (points(shop, customer), shop.booking(booking.id)["bonus_points"]) == (100 + BONUS, BONUS)

        shop.pay(customer, booking.id, method=PaymentMethod.WALLET)

        assert points(shop, customer) == 300 + 3 * BONUS
        row = shop.booking(booking.id)
        assert (row["bonus_points"], row["bonus_cashback_minor"]) == (3 * BONUS, 3 * PRICE // 5)
        desk.amend(booking, travelers_count=2)
        assert points(shop, customer) == 200 + 2 * BONUS
        shop.travel(booking.id, shop.a_customer())
        assert cashback(shop, booking) == 2 * PRICE // 5

    def test_what_is_not_paid_in_time_changes_no_promise(
        self, shop: Shop, desk: Desk, customer: UUID, departure: Departure, clock: MovableClock
    ) -> None:
        bonus(shop)
        booking = paid(shop, customer, departure, 1)
        desk.amend(booking, travelers_count=3)
        clock.offset += HOLD_FOR + GRACE + timedelta(seconds=1)

        assert desk.lapse() == 1

        assert (points(shop, customer), shop.booking(booking.id)["bonus_points"]) == (100 + BONUS, BONUS)

    def test_a_part_that_goes_back_of_the_new_trip_takes_its_share_of_everything(
        self, shop: Shop, desk: Desk, customer: UUID, departure: Departure, addresses: DatabaseAddresses
    ) -> None:
        bonus(shop)
        booking = paid(shop, customer, departure, 5)
        desk.amend(booking, travelers_count=1)
        agree(addresses, booking.id, (0, 50))

        plan = CancellingDesk(shop).preview(booking.id)
        CancellingDesk(shop).cancel(booking.id)

        assert plan.rewards_taken.points == 50 + BONUS // 2
        assert points(shop, customer) == 50 + BONUS // 2

    def test_amending_five_times_at_once_takes_it_back_once(
        self, shop: Shop, desk: Desk, customer: UUID, departure: Departure
    ) -> None:
        bonus(shop)
        booking = paid(shop, customer, departure, 3)
        all_at_once([partial(desk.amend, booking, travelers_count=1)] * 5)

        assert points(shop, customer) == 100 + BONUS


class TestFree:
    def test_a_booking_that_costs_nothing_gives_its_bonus_at_once(
        self, shop: Shop, customer: UUID, departure: Departure
    ) -> None:
        bonus(shop)
        booking = shop.book(customer, departure, travelers=2, voucher_code=free(shop))

        assert (booking.status, points(shop, customer)) == ("CONFIRMED", 2 * BONUS)

    def test_points_that_pay_it_do_not_come_from_it(self, shop: Shop, departure: Departure) -> None:
        bonus(shop)
        customer = a_rich_customer(shop, points=100_000)
        shop.book(customer, departure, points=100_000)

        assert points(shop, customer) == BONUS

    @pytest.mark.parametrize(("back", "taken"), [(100, 2 * BONUS), (25, BONUS // 2), (0, 0)])
    def test_cancelling_it_takes_the_bonus_back_as_the_terms_give_back(
        self, shop: Shop, customer: UUID, departure: Departure, addresses: DatabaseAddresses, back: int, taken: int
    ) -> None:
        bonus(shop)
        booking = shop.book(customer, departure, travelers=2, voucher_code=free(shop))
        agree(addresses, booking.id, (0, back))

        plan = CancellingDesk(shop).preview(booking.id)
        CancellingDesk(shop).cancel(booking.id, agreed=plan.fingerprint)

        assert plan.rewards_taken.points == taken
        assert points(shop, customer) == 2 * BONUS - taken

    def test_a_smaller_party_has_the_bonus_of_a_smaller_party(
        self, shop: Shop, desk: Desk, customer: UUID, departure: Departure
    ) -> None:
        bonus(shop)
        booking = shop.book(customer, departure, travelers=3, voucher_code=free(shop))
        desk.amend(booking, travelers_count=1)

        assert points(shop, customer) == BONUS
        CancellingDesk(shop).cancel(booking.id)
        assert points(shop, customer) == 0

    def test_paid_in_full_both_come_together_and_go_together(
        self, shop: Shop, customer: UUID, departure: Departure
    ) -> None:
        bonus(shop)
        booking = paid(shop, customer, departure, 2)
        assert points(shop, customer) == 200 + 2 * BONUS

        CancellingDesk(shop).cancel(booking.id)

        assert points(shop, customer) == 0


def test_the_same_points_at_once_pay_one_free_trip_and_earn_its_bonus_once(shop: Shop, departure: Departure) -> None:
    bonus(shop)
    customer = a_rich_customer(shop, points=100_000)

    results = all_at_once([lambda: shop.book(customer, departure, points=100_000)] * 6)

    assert [type(result) for result in results].count(Booking) == 1
    assert points(shop, customer) == BONUS


def test_cancelling_a_free_trip_five_times_at_once_takes_its_bonus_back_once(
    shop: Shop, customer: UUID, departure: Departure
) -> None:
    bonus(shop)
    kept, dropped = (shop.book(customer, departure, voucher_code=free(shop)) for _ in range(2))
    assert points(shop, customer) == 2 * BONUS

    all_at_once([partial(CancellingDesk(shop).cancel, dropped.id)] * 5)

    assert points(shop, customer) == BONUS
    assert shop.booking(kept.id)["status"] == "CONFIRMED"
