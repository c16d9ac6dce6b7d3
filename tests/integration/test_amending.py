"""Amending on PostgreSQL: seats and money are always somebody's, whoever else comes at once (M5-M9, traps 31-40)."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from functools import partial
from itertools import count
from uuid import UUID

import pytest

from application.catalogue.pools import AttachPool, CreatePool, attach_pool, create_pool
from application.sales.travelers import WriteTravelers, write_travelers
from domain.billing.payments import PaymentMethod
from domain.catalogue.departures import Departure, DepartureClosed, DepartureNotFound, SoldOut
from domain.ledger import accounts
from domain.pricing.age_bands import AgeBand
from domain.pricing.exchange import ExchangeRate
from domain.pricing.schedules import Schedule
from domain.sales.amendments import AmendmentNotFound, AmendmentWaits
from domain.sales.booking_errors import NothingToPay, PriceMoved, TripStarted
from domain.sales.bookings import Booking
from domain.sales.travelers import AgesArePriced, Traveler, UnfitTravelers
from domain.shared.clock import BUSINESS_ZONE
from domain.shared.errors import IllegalTransition, InvalidValue
from domain.shared.money import Money, currency
from domain.shared.percentage import Percentage
from infrastructure.clock import new_id
from infrastructure.database.roles import DatabaseAddresses, connect
from tests.conftest import MovableClock
from tests.deals import a_voucher, an_offer
from tests.integration.amending import GRACE, Desk
from tests.integration.cancelling import Desk as CancellingDesk
from tests.integration.cancelling import agree
from tests.integration.refunding import Counter
from tests.integration.shop import HOLD_FOR, Shop, all_at_once
from tests.integration.tenders import Killed, a_rich_customer, balances, egp, killed_at, pay_card

pytestmark = pytest.mark.usefixtures("refund_promises")

PRICE = 100_000
"""What one traveller pays."""


@pytest.fixture
def desk(shop: Shop) -> Desk:
    return Desk(shop)


@pytest.fixture
def customer(shop: Shop) -> UUID:
    return a_rich_customer(shop, wallet=900_000, points=50_000)


@pytest.fixture
def departure(shop: Shop) -> Departure:
    return shop.a_departure(seats=4)


def paid(shop: Shop, customer: UUID, departure: Departure, travelers: int = 2, **chosen: object) -> Booking:
    """Paid from the wallet."""
    booking = shop.book(customer, departure, travelers=travelers, **chosen)  # type: ignore[arg-type]
    shop.pay(customer, booking.id, method=PaymentMethod.WALLET)
    return booking


def test_what_costs_more_waits_with_its_seats_and_is_carried_out_by_its_payment(
    shop: Shop, desk: Desk, customer: UUID, departure: Departure
) -> None:
    booking = paid(shop, customer, departure)
    plan = desk.preview(booking, travelers_count=3)
    amendment_id = desk.amend(booking, travelers_count=3, agreed=plan.fingerprint)

    row = shop.booking(booking.id)
    assert (row["travelers_count"], row["final_amount_minor"], row["payment_status"]) == (2, 2 * PRICE, "PAID")
    assert (desk.seats(departure), desk.amendment(amendment_id)["status"]) == (3, "PENDING")

    shop.pay(customer, booking.id, method=PaymentMethod.WALLET)

    row = shop.booking(booking.id)
    assert (row["travelers_count"], row["final_amount_minor"], row["paid_amount_minor"]) == (3, 3 * PRICE, 3 * PRICE)
    assert (row["status"], row["payment_status"]) == ("CONFIRMED", "PAID")
    assert (desk.seats(departure), desk.amendment(amendment_id)["status"]) == (3, "APPLIED")
    assert shop.balance(accounts.points(customer)) == 50_000 + 300
    assert desk.write_papers(booking)[0] == 3 * PRICE
    with pytest.raises(NothingToPay):
        shop.pay(customer, booking.id, method=PaymentMethod.WALLET)


def test_fewer_people_get_their_money_seats_and_papers_at_once(
    shop: Shop, desk: Desk, counter: Counter, customer: UUID, departure: Departure
) -> None:
    booking = shop.book(customer, departure, travelers=3)
    pay_card(shop, shop.pay(customer, booking.id))
    plan = desk.preview(booking, travelers_count=1)
    amendment_id = desk.amend(booking, travelers_count=1, agreed=plan.fingerprint)

    assert (plan.refund, plan.rewards_taken.points) == (egp(2 * PRICE), 200)
    assert (desk.seats(departure), desk.amendment(amendment_id)["status"]) == (1, "APPLIED")
    (refund_id,) = desk.refunds(booking)
    assert shop.booking(booking.id)["overpaid_amount_minor"] == 2 * PRICE
    counter.submit(refund_id)
    row = shop.booking(booking.id)
    assert (row["final_amount_minor"], row["paid_amount_minor"], row["refunded_amount_minor"]) == (
        PRICE, 3 * PRICE, 2 * PRICE,
    )  # fmt: skip
    assert (row["status"], row["payment_status"]) == ("CONFIRMED", "PARTIALLY_REFUNDED")
    assert shop.balance(accounts.points(customer)) == 50_000 + 100
    assert desk.write_papers(booking) == (PRICE, row["tax_amount_minor"])
    staff = shop.a_customer()
    shop.travel(booking.id, staff)
    assert shop.booking(booking.id)["status"] == "COMPLETED"


def test_another_date_swaps_seats_and_nothing_else_while_all_would_come_back(
    shop: Shop, desk: Desk, customer: UUID, departure: Departure
) -> None:
    booking = paid(shop, customer, departure)
    later = desk.another_date(departure, seats=2)
    desk.amend(booking, departure_id=later.id)

    row = shop.booking(booking.id)
    assert (row["departure_id"], row["start_date"], row["final_amount_minor"]) == (later.id, later.starts_on, 2 * PRICE)
    assert (desk.seats(departure), desk.seats(later), desk.refunds(booking)) == (0, 2, [])
    assert row["amended_times"] == 1


def test_another_date_costs_what_the_terms_would_keep_and_no_later_cancelling_gives_that_back(
    shop: Shop, desk: Desk, customer: UUID, departure: Departure, addresses: DatabaseAddresses
) -> None:
    booking = paid(shop, customer, departure)
    agree(addresses, booking.id, (31 * 24, 100), (0, 50))
    later = desk.another_date(departure, days=60)
    plan = desk.preview(booking, departure_id=later.id)
    assert (plan.fee, plan.difference, plan.refund) == (egp(PRICE), egp(PRICE), egp(0))

    desk.amend(booking, departure_id=later.id)
    shop.pay(customer, booking.id, method=PaymentMethod.WALLET)
    row = shop.booking(booking.id)
    assert (row["final_amount_minor"], row["fee_amount_minor"], row["amendment_fees_minor"]) == (
        3 * PRICE,
        PRICE,
        PRICE,
    )
    assert row["price_lines"][-1]["amount_minor"] == PRICE
    assert sum(line["amount_minor"] for line in row["price_lines"]) == 3 * PRICE

    CancellingDesk(shop).cancel(booking.id)
    row = shop.booking(booking.id)
    assert (row["status"], row["kept_amount_minor"], row["refunded_amount_minor"]) == ("CANCELLED", PRICE, 2 * PRICE)


def test_fewer_people_pay_the_terms_share_of_those_who_stay_away(
    shop: Shop, desk: Desk, customer: UUID, departure: Departure, addresses: DatabaseAddresses
) -> None:
    booking = paid(shop, customer, departure)
    agree(addresses, booking.id, (0, 75))
    plan = desk.preview(booking, travelers_count=1)
    desk.amend(booking, travelers_count=1, agreed=plan.fingerprint)

    assert (plan.fee, plan.refund) == (egp(25_000), egp(75_000))
    row = shop.booking(booking.id)
    assert (row["final_amount_minor"], row["refunded_amount_minor"]) == (125_000, 75_000)
    assert desk.write_papers(booking)[0] == 125_000


def test_what_is_not_paid_in_time_lapses_and_money_that_comes_later_is_kept_in_suspense(
    shop: Shop, desk: Desk, customer: UUID, departure: Departure, clock: MovableClock
) -> None:
    booking = paid(shop, customer, departure)
    later = desk.another_date(departure)
    amendment_id = desk.amend(booking, departure_id=later.id, travelers_count=3)
    payment_id = shop.pay(customer, booking.id)
    clock.offset += HOLD_FOR + GRACE + timedelta(seconds=1)

    assert desk.lapse() == 1
    assert desk.lapse() == 0
    assert desk.amendment(amendment_id)["status"] == "LAPSED"
    assert (desk.seats(departure), desk.seats(later), shop.status_of(payment_id)) == (2, 0, "CANCELLED")
    pay_card(shop, payment_id)
    row = shop.booking(booking.id)
    assert (row["departure_id"], row["paid_amount_minor"], row["payment_status"]) == (departure.id, 2 * PRICE, "PAID")
    assert shop.attention() != []


def test_one_that_waits_keeps_others_out_until_it_is_withdrawn(
    shop: Shop, desk: Desk, customer: UUID, departure: Departure
) -> None:
    booking = paid(shop, customer, departure)
    amendment_id = desk.amend(booking, travelers_count=4)
    with pytest.raises(AmendmentWaits):
        desk.amend(booking, travelers_count=1)
    with pytest.raises(SoldOut):
        shop.book(shop.a_customer(), departure)

    desk.withdraw(booking, amendment_id)
    assert (desk.amendment(amendment_id)["status"], desk.seats(departure)) == ("WITHDRAWN", 2)
    with pytest.raises(AmendmentNotFound):
        desk.withdraw(booking, amendment_id)
    desk.amend(booking, travelers_count=1)
    assert desk.seats(departure) == 1


def test_cancelling_lets_go_of_what_waits(shop: Shop, desk: Desk, customer: UUID, departure: Departure) -> None:
    booking = paid(shop, customer, departure)
    later = desk.another_date(departure)
    amendment_id = desk.amend(booking, departure_id=later.id, travelers_count=3)
    cancelling = CancellingDesk(shop)
    assert cancelling.preview(booking.id).seats_returned == 5
    cancelling.cancel(booking.id)

    assert (desk.seats(departure), desk.seats(later)) == (0, 0)
    assert desk.amendment(amendment_id)["status"] == "WITHDRAWN"
    assert shop.booking(booking.id)["status"] == "REFUNDED"


def test_a_deposit_stays_a_deposit_and_a_smaller_trip_lowers_what_is_due_first(
    shop: Shop, desk: Desk, customer: UUID, departure: Departure
) -> None:
    booking = shop.book(customer, departure, travelers=2, deposit=Percentage.parse("30"))
    shop.pay(customer, booking.id, amount=egp(60_000), method=PaymentMethod.WALLET)
    desk.amend(booking, travelers_count=1)
    row = shop.booking(booking.id)
    assert (row["final_amount_minor"], row["paid_amount_minor"], row["payment_status"]) == (
        PRICE, 60_000, "PARTIALLY_PAID",
    )  # fmt: skip
    assert desk.refunds(booking) == []

    # All of the difference at once, and whatever else is due with it.
    desk.amend(booking, travelers_count=2)
    with pytest.raises(InvalidValue):
        shop.pay(customer, booking.id, amount=egp(PRICE - 1), method=PaymentMethod.WALLET)
    shop.pay(customer, booking.id, amount=egp(PRICE), method=PaymentMethod.WALLET)
    assert shop.booking(booking.id)["payment_status"] == "PARTIALLY_PAID"
    shop.pay(customer, booking.id, method=PaymentMethod.WALLET)
    assert shop.booking(booking.id)["paid_amount_minor"] == 2 * PRICE
    assert desk.write_papers(booking)[0] == 2 * PRICE
    assert shop.balance(accounts.points(customer)) == 50_000 + 200


def test_points_that_the_smaller_price_does_not_need_come_back_worth_what_they_were(
    shop: Shop, desk: Desk, customer: UUID, departure: Departure
) -> None:
    cheap = shop.a_departure(price=egp(30_000))
    booking = paid(shop, customer, cheap, travelers=2, points=45_000)
    assert shop.balance(accounts.points(customer)) == 5_000 + 15
    desk.amend(booking, travelers_count=1)

    row = shop.booking(booking.id)
    assert (row["final_amount_minor"], row["points_redeemed"], row["refunded_amount_minor"]) == (0, 30_000, 15_000)
    assert shop.balance(accounts.points(customer)) == 5_000 + 15_000


def test_who_travels_is_written_down_with_it_or_when_it_is_paid(
    shop: Shop, desk: Desk, customer: UUID, departure: Departure
) -> None:
    booking = paid(shop, customer, departure)
    three = tuple(
        Traveler(first_name=name, last_name="Ali", document_number=f"DOC{name}", birth_date=date(1990, 1, 1))
        for name in ("Mona", "Omar", "Sara")
    )
    with pytest.raises(InvalidValue):
        desk.amend(booking, travelers=three)
    with pytest.raises(UnfitTravelers):
        desk.amend(booking, travelers=(three[0], three[0]))
    amendment_id = desk.amend(booking, travelers_count=3, travelers=three)
    with shop.use.new_uow() as uow:
        assert uow.bookings.travelers(booking.id) == ()
    assert b"Mona" not in desk.amendment(amendment_id)["travelers_encrypted"]
    shop.pay(customer, booking.id, method=PaymentMethod.WALLET)

    with shop.use.new_uow() as uow:
        assert uow.bookings.travelers(booking.id) == three
    assert desk.amendment(amendment_id)["travelers_encrypted"] is None
    # Three are named: two of them cannot be meant.
    with pytest.raises(InvalidValue):
        desk.amend(booking, travelers_count=2)


def test_what_cannot_be_amended_says_why(
    shop: Shop, desk: Desk, customer: UUID, departure: Departure, clock: MovableClock, addresses: DatabaseAddresses
) -> None:
    unpaid = shop.book(customer, departure)
    with pytest.raises(IllegalTransition):
        desk.amend(unpaid, travelers_count=2)
    booking = paid(shop, customer, departure)
    with pytest.raises(DepartureNotFound):
        desk.amend(booking, departure_id=shop.a_departure().id)
    with pytest.raises(InvalidValue):
        desk.amend(booking, travelers_count=10_000)
    with pytest.raises(InvalidValue):
        desk.amend(booking)
    closed = desk.another_date(departure)
    with connect(addresses.owner) as connection:
        connection.execute("UPDATE departures SET status = 'CLOSED' WHERE id = %s", (closed.id,))
    with pytest.raises(DepartureClosed):
        desk.amend(booking, departure_id=closed.id)
    clock.offset += timedelta(days=31)
    with pytest.raises(TripStarted):
        desk.amend(booking, travelers_count=1)


def test_what_was_shown_is_done_or_nothing(
    shop: Shop, desk: Desk, customer: UUID, departure: Departure, addresses: DatabaseAddresses
) -> None:
    booking = paid(shop, customer, departure)
    shown = desk.preview(booking, travelers_count=3)
    with connect(addresses.owner) as connection:
        connection.execute("UPDATE packages SET base_price_minor = 120000 WHERE id = %s", (departure.package_id,))

    with pytest.raises(PriceMoved) as moved:
        desk.amend(booking, travelers_count=3, agreed=shown.fingerprint)
    assert moved.value.facts["new_total"] == {"amount": "3600.00", "currency": "EGP"}
    assert desk.seats(departure) == 2


def test_of_two_at_once_for_the_last_seats_one_has_them(shop: Shop, desk: Desk, departure: Departure) -> None:
    bookings = [paid(shop, a_rich_customer(shop, wallet=500_000), departure, travelers=1) for _ in range(2)]
    answers = all_at_once([partial(desk.amend, booking, travelers_count=3) for booking in bookings])

    assert sum(isinstance(answer, UUID) for answer in answers) == 1
    assert sum(isinstance(answer, SoldOut) for answer in answers) == 1
    assert desk.seats(departure) == 4


def test_two_trips_that_change_places_do_not_wait_for_each_other_for_ever(
    shop: Shop, desk: Desk, departure: Departure
) -> None:
    later = desk.another_date(departure)
    one, other = (paid(shop, a_rich_customer(shop, wallet=500_000), where, travelers=1) for where in (departure, later))
    answers = all_at_once(
        [partial(desk.amend, one, departure_id=later.id), partial(desk.amend, other, departure_id=departure.id)]
    )

    assert all(isinstance(answer, UUID) for answer in answers)
    assert (desk.seats(departure), desk.seats(later)) == (1, 1)


def test_the_same_wish_five_times_at_once_is_one_that_waits(
    shop: Shop, desk: Desk, customer: UUID, departure: Departure
) -> None:
    booking = paid(shop, customer, departure)
    answers = all_at_once([partial(desk.amend, booking, travelers_count=3)] * 5)

    assert sorted(type(answer).__name__ for answer in answers) == ["AmendmentWaits"] * 4 + ["UUID"]
    assert desk.seats(departure) == 3


def test_amending_and_cancelling_at_once_end_as_one_after_the_other(
    shop: Shop, desk: Desk, customer: UUID, departure: Departure
) -> None:
    booking = paid(shop, customer, departure)
    later = desk.another_date(departure)
    cancelling = CancellingDesk(shop)
    all_at_once([partial(desk.amend, booking, departure_id=later.id), partial(cancelling.cancel, booking.id)])

    assert shop.booking(booking.id)["status"] == "REFUNDED"
    assert (desk.seats(departure), desk.seats(later)) == (0, 0)
    assert balances(shop, customer)[0] == 900_000


def test_paying_lapsing_and_withdrawing_at_once_end_in_one_of_them(
    shop: Shop, desk: Desk, customer: UUID, departure: Departure, clock: MovableClock
) -> None:
    booking = paid(shop, customer, departure)
    amendment_id = desk.amend(booking, travelers_count=3)
    payment_id = shop.pay(customer, booking.id)
    clock.offset += HOLD_FOR + GRACE + timedelta(seconds=1)
    all_at_once(
        [partial(pay_card, shop, payment_id), desk.lapse, partial(desk.withdraw, booking, amendment_id), desk.lapse]
    )

    status = desk.amendment(amendment_id)["status"]
    row = shop.booking(booking.id)
    assert (row["travelers_count"], desk.seats(departure)) == ((3, 3) if status == "APPLIED" else (2, 2))
    assert row["paid_amount_minor"] == row["final_amount_minor"]
    assert (shop.attention() == []) == (status == "APPLIED")


def test_money_for_the_old_trip_and_a_dearer_wish_at_once_lose_neither(
    shop: Shop, desk: Desk, customer: UUID, departure: Departure
) -> None:
    """Either the trip was paid before, or the money fits no more and is kept in suspense."""
    booking = shop.book(customer, departure, travelers=2, deposit=Percentage.parse("75"))
    shop.pay(customer, booking.id, amount=egp(150_000), method=PaymentMethod.WALLET)
    payment_id = shop.pay(customer, booking.id)
    answers = all_at_once([partial(desk.amend, booking, travelers_count=3), partial(pay_card, shop, payment_id)])

    row = shop.booking(booking.id)
    assert isinstance(answers[0], UUID)
    assert (row["travelers_count"], desk.seats(departure)) == (2, 3)
    in_time = row["paid_amount_minor"] == 2 * PRICE
    assert (shop.attention() == []) == in_time
    shop.pay(customer, booking.id, method=PaymentMethod.WALLET)
    row = shop.booking(booking.id)
    assert (row["travelers_count"], row["paid_amount_minor"]) == (3, 3 * PRICE)


def test_whoever_is_killed_at_any_step_of_amending_leaves_nothing_behind(
    shop: Shop, desk: Desk, customer: UUID, departure: Departure
) -> None:
    booking = paid(shop, customer, departure, travelers=3)

    def seen() -> list[object]:
        row = shop.booking(booking.id)
        return [row["final_amount_minor"], row["version"], desk.seats(departure), balances(shop, customer)]

    for travelers in (2, 4):
        before = seen()
        for step in count(1):
            with killed_at(step) as called:
                try:
                    desk.amend(booking, travelers_count=travelers)
                except Killed:
                    pass
                else:
                    break
            assert seen() == before, called[-1]
        assert "SqlBookings.keep_amendment" in called
    # What waits now is paid, and killed in between.
    before = seen()
    for step in count(1):
        with killed_at(step) as called:
            try:
                shop.pay(customer, booking.id, method=PaymentMethod.WALLET, key="once")
            except Killed:
                pass
            else:
                break
        assert seen() == before, called[-1]
    assert shop.booking(booking.id)["travelers_count"] == 4


@pytest.mark.parametrize("parties", [(4, 1, 3), (1, 4, 2), (3, 1, 2, 4, 1)])
def test_papers_say_what_the_trip_costs_after_any_changes(
    shop: Shop, desk: Desk, counter: Counter, customer: UUID, departure: Departure, parties: tuple[int, ...]
) -> None:
    booking = shop.book(customer, departure, travelers=2, deposit=Percentage.parse("33"), fee=egp(777))
    pay_card(shop, shop.pay(customer, booking.id, amount=booking.deposit_amount))
    for place, party in enumerate(parties):
        desk.amend(booking, travelers_count=party)
        if shop.booking(booking.id)["travelers_count"] != party:
            method = PaymentMethod.WALLET if place % 2 else PaymentMethod.CREDIT_CARD
            payment_id = shop.pay(customer, booking.id, method=method)
            if method is PaymentMethod.CREDIT_CARD:
                pay_card(shop, payment_id)
        for refund_id in desk.refunds(booking):
            counter.submit(refund_id)
        row = shop.booking(booking.id)
        total, tax = desk.write_papers(booking)
        assert total == row["paid_amount_minor"] - row["refunded_amount_minor"]
        assert row["final_amount_minor"] == party * PRICE + 777
        due = row["final_amount_minor"] + row["overpaid_amount_minor"] - row["paid_amount_minor"]
        assert total + due == row["final_amount_minor"]
        if due == 0:
            assert tax == row["tax_amount_minor"]
            earned = shop.balance(accounts.points(customer)) - 50_000
            assert earned == row["final_amount_minor"] // 1_000


def test_vouchers_and_offers_of_the_sale_are_looked_at_again_and_none_that_came_since(
    shop: Shop, desk: Desk, departure: Departure
) -> None:
    customer, at = a_rich_customer(shop, wallet=900_000), shop.use.clock.now()
    voucher = a_voucher(code="FEW", created_by=customer, at=at, usage_limit_total=1, min_purchase_amount=egp(150_000))
    offer = an_offer(created_by=customer, at=at)
    with shop.use.new_uow() as uow:
        uow.vouchers.add([voucher])
        uow.offers.add(offer)
        uow.commit()
    booking = paid(shop, customer, departure, voucher_code="few")
    assert booking.final_amount == egp(162_000)
    with shop.use.new_uow() as uow:
        uow.offers.get(offer.id).disable(at=at)
        uow.offers.save(uow.offers.get(offer.id))
        uow.offers.add(an_offer(created_by=customer, at=at, title_en="Since"))
        uow.commit()

    more = desk.preview(booking, travelers_count=3)
    assert (more.price.final_amount, more.not_applied) == (egp(243_000), ())
    fewer = desk.preview(booking, travelers_count=1)
    assert (fewer.price.final_amount, [each.reason for each in fewer.not_applied]) == (egp(90_000), ["below_minimum"])
    desk.amend(booking, travelers_count=1)
    lines = shop.booking(booking.id)["price_lines"]
    assert [(line["kind"], line["amount_minor"]) for line in lines if line["kind"] in ("OFFER", "VOUCHER")] == [
        ("OFFER", -10_000), ("VOUCHER", 0),
    ]  # fmt: skip
    # It stays used, and counts again where the party grows; it can be used again once all of the money came back.
    assert desk.preview(booking, travelers_count=2).price.final_amount == egp(162_000)
    CancellingDesk(shop).cancel(booking.id)
    assert shop.row("SELECT usage_count FROM vouchers WHERE id = %s", voucher.id)["usage_count"] == 0


def test_within_a_full_bus_that_both_dates_share_nobody_needs_a_free_seat_to_change(
    shop: Shop, desk: Desk, customer: UUID, departure: Departure
) -> None:
    other = desk.another_date(departure)
    command = CreatePool(actor_id=shop.a_customer(), name_ar="حافلة", name_en="Bus", capacity=4)
    bus = create_pool(command, uow=shop.use.new_uow(), clock=shop.use.clock, new_id=new_id)
    for each in (departure, other):
        attach = AttachPool(actor_id=shop.a_customer(), departure_id=each.id, pool_id=bus)
        attach_pool(attach, uow=shop.use.new_uow(), clock=shop.use.clock)
    first, second = paid(shop, customer, departure), paid(shop, customer, other)

    desk.amend(first, departure_id=other.id)
    desk.amend(second, departure_id=departure.id)

    assert (desk.seats(departure), desk.seats(other)) == (2, 2)
    assert shop.row("SELECT seats_taken FROM pools")["seats_taken"] == 4
    with pytest.raises(SoldOut):
        desk.amend(first, departure_id=departure.id, travelers_count=3)
    assert shop.row("SELECT seats_taken FROM pools")["seats_taken"] == 4


def test_a_voucher_of_the_sale_stays_whatever_the_hours_of_the_week_say_since(
    shop: Shop, desk: Desk, departure: Departure
) -> None:
    customer, at = a_rich_customer(shop, wallet=900_000), shop.use.clock.now()
    voucher = a_voucher(code="WEEKLY", created_by=customer, at=at)
    with shop.use.new_uow() as uow:
        uow.vouchers.add([voucher])
        uow.commit()
    booking = paid(shop, customer, departure, voucher_code="weekly")
    another_day = Schedule(weekdays=((booking.created_at.astimezone(BUSINESS_ZONE).isoweekday() + 2) % 7 + 1,))
    with shop.use.new_uow() as uow:
        changed = uow.vouchers.get(voucher.id)
        changed.change(at=at, was_redeemed=True, schedule=another_day)
        uow.vouchers.save(changed)
        uow.commit()

    more = desk.preview(booking, travelers_count=3)

    assert (more.price.final_amount, more.not_applied) == (egp(270_000), ())


def test_ages_on_the_new_day_decide_who_pays_and_who_sits(shop: Shop, desk: Desk, departure: Departure) -> None:
    customer = a_rich_customer(shop, wallet=900_000)
    bands = [
        AgeBand(code="INFANT", name_ar="رضيع", name_en="Infant", min_age=0, max_age=1, price=Percentage(0),
                takes_a_seat=False),
        AgeBand(code="ADULT", name_ar="بالغ", name_en="Adult", min_age=2, max_age=None, price=Percentage(10_000),
                takes_a_seat=True),
    ]  # fmt: skip
    assert departure.package_id is not None
    with shop.use.new_uow() as uow:
        uow.item_prices.replace_bands(shop.item_of(departure), bands)
        uow.commit()
    booking = paid(shop, customer, departure, travelers=2)
    later = desk.another_date(departure)
    # Two on the day of the new trip, and not yet on that of the old one.
    born = later.starts_on.replace(year=later.starts_on.year - 2)
    people = (
        Traveler(first_name="Mona", last_name="Ali"),
        Traveler(first_name="Nour", last_name="Ali", birth_date=born),
    )
    desk.amend(booking, travelers=people)
    assert (shop.booking(booking.id)["final_amount_minor"], desk.seats(departure)) == (PRICE, 1)

    plan = desk.preview(booking, departure_id=later.id)
    assert (plan.difference, plan.trip.seats, plan.seats_taken) == (egp(PRICE), 2, 2)


def test_a_birth_date_that_made_the_price_is_changed_by_an_amendment_alone(
    shop: Shop, desk: Desk, customer: UUID, departure: Departure
) -> None:
    booking = paid(shop, customer, departure)
    child = Traveler(first_name="Nour", last_name="Ali", birth_date=date(2020, 5, 1))
    named = Traveler(first_name="Nour", last_name="Hassan", birth_date=date(2020, 5, 1))
    grown = Traveler(first_name="Nour", last_name="Ali", birth_date=date(1990, 5, 1))
    write(shop, booking, child)
    write(shop, booking, named, grown)
    for others in ((grown,), (), (Traveler(first_name="Nour", last_name="Ali"),)):
        with pytest.raises(AgesArePriced):
            write(shop, booking, *others)
    desk.amend(booking, travelers=(grown,))
    with shop.use.new_uow() as uow:
        assert uow.bookings.travelers(booking.id) == (grown,)


def write(shop: Shop, booking: Booking, *travelers: Traveler) -> None:
    command = WriteTravelers(
        booking_id=booking.id,
        actor_id=booking.user_id,
        travelers=travelers,
        document_valid_days=0,
        expected_version=None,
    )
    write_travelers(command, uow=shop.use.new_uow(), clock=shop.use.clock)


def test_a_rate_that_was_frozen_stays(
    shop: Shop, desk: Desk, departure: Departure, addresses: DatabaseAddresses
) -> None:
    customer = a_rich_customer(shop, wallet=900_000)
    a_rate(shop, customer, "0.02")
    booking = shop.book(customer, departure, travelers=1, currency="USD")
    pay_card(shop, shop.pay(customer, booking.id))
    a_rate(shop, customer, "0.05")
    assert booking.final_amount == Money.of(2_000, "USD")
    plan = desk.preview(booking, travelers_count=2)
    assert (plan.price.final_amount, plan.price.exchange) == (Money.of(4_000, "USD"), booking.price.exchange)


def a_rate(shop: Shop, customer: UUID, rate: str) -> None:
    """The newest one from Egyptian pounds to dollars."""
    now = shop.use.clock.now()
    made = ExchangeRate(
        id=shop.use.new_id(), source=currency("EGP"), target=currency("USD"), rate=Decimal(rate), valid_from=now
    )
    with shop.use.new_uow() as uow:
        uow.exchange.add_rate(made, by=customer, at=now)
        uow.commit()
