"""Sharing what is paid, before any database: parts sum to the whole, and refunds in any order end in the same sums."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise, permutations
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.payouts.earnings import (
    Earning,
    Payee,
    Share,
    SharedItem,
    bring_in_line,
    fallen,
    released_at,
    risen,
    shares_lost,
    split,
    taken_from,
)
from domain.shared.money import Money
from domain.shared.payees import PayeeType
from domain.shared.percentage import Percentage
from infrastructure.clock import new_id
from tests.builders import NOON, egp

UNTAXED = Percentage(0)
VENDOR, AGENT = Payee(PayeeType.VENDOR, new_id()), Payee(PayeeType.AGENT, new_id())

UNITS = st.sampled_from(["JPY", "EGP", "KWD"])
RATES = st.integers(0, 10_000).map(Percentage)
MAYBE_RATES = st.none() | RATES
PRICES = st.integers(0, 5_000_000)


@st.composite
def items(draw: st.DrawFn, unit: str) -> list[SharedItem]:
    vendor_rate, agent_rate = draw(MAYBE_RATES), draw(MAYBE_RATES)
    prices = draw(st.lists(PRICES, min_size=1, max_size=6))
    return [an_item(price, unit, vendor=vendor_rate, agent=agent_rate) for price in prices]


@st.composite
def paid_bookings(draw: st.DrawFn) -> tuple[Money, list[SharedItem], Percentage]:
    unit = draw(UNITS)
    bought = draw(items(unit))
    price = sum(item.price.minor for item in bought)
    return Money.of(draw(st.integers(0, price)), unit), bought, draw(RATES)


def an_item(
    price: int, unit: str = "EGP", *, vendor: Percentage | None = None, agent: Percentage | None = None
) -> SharedItem:
    return SharedItem(item_id=new_id(), price=Money.of(price, unit), vendor_rate=vendor, agent_rate=agent)


def earnings_of(bought: Sequence[SharedItem], unit: str, tax: Percentage = UNTAXED) -> list[Earning]:
    """As they begin: nothing earned, for each item and whoever earns by it."""
    return [
        an_earning(item, payee, rate, unit, tax)
        for item in bought
        for payee, rate in ((VENDOR, item.vendor_rate), (AGENT, item.agent_rate))
        if rate is not None
    ]


def an_earning(item: SharedItem, payee: Payee, rate: Percentage, unit: str, tax: Percentage) -> Earning:
    nothing = Money.zero(unit)
    return Earning(
        id=new_id(),
        booking_id=new_id(),
        booking_item_id=item.item_id,
        payee=payee,
        rate=rate,
        tax_rate=tax,
        base=nothing,
        amount=nothing,
        tax=nothing,
        reversed_amount=nothing,
        reversed_tax=nothing,
        journal_id=None,
        earned_at=NOON,
        released_at=NOON,
    )


def test_eighty_and_twenty_with_a_tenth_for_the_agent() -> None:
    bought = [an_item(100_000, vendor=Percentage.parse("80"), agent=Percentage.parse("10"))]

    (part,) = split(egp("1000.00"), bought, commission_tax=Percentage.parse("5"))

    assert (part.vendor, part.agent, part.platform, part.tax) == (
        egp("800.00"), egp("100.00"), egp("100.00"), egp("5.00")
    )  # fmt: skip


def test_an_agent_gets_no_more_than_the_companys_part() -> None:
    bought = [an_item(100_000, vendor=Percentage.parse("95"), agent=Percentage.parse("10"))]

    (part,) = split(egp("1000.00"), bought, commission_tax=UNTAXED)

    assert (part.agent, part.platform) == (egp("50.00"), egp("0.00"))


def test_what_cost_nothing_earns_nobody_anything() -> None:
    (part,) = split(egp("0.00"), [an_item(0, vendor=Percentage(8_000))], commission_tax=UNTAXED)

    assert part.vendor.is_zero


@given(paid_bookings())
def test_parts_sum_to_what_is_paid_and_nobody_is_below_zero(
    paid: tuple[Money, list[SharedItem], Percentage],
) -> None:
    amount, bought, tax = paid
    parts = split(amount, bought, commission_tax=tax)

    shared = sum(part.vendor.minor + part.agent.minor + part.platform.minor for part in parts)
    assert shared == (amount.minor if any(item.price.minor for item in bought) else 0)
    for part in parts:
        assert min(part.vendor.minor, part.agent.minor, part.platform.minor, part.tax.minor) >= 0
        assert part.tax <= part.agent


@given(paid_bookings(), st.data())
def test_refunds_in_any_order_and_of_any_size_end_in_the_same_sums(
    paid: tuple[Money, list[SharedItem], Percentage], data: st.DataObject
) -> None:
    amount, bought, tax = paid
    unit = amount.currency.code
    cuts = sorted(data.draw(st.lists(st.integers(0, amount.minor), max_size=5)))
    refunds = [after - before for before, after in pairwise([0, *cuts])]
    ends = set()
    for order in (refunds, list(reversed(refunds)), data.draw(st.permutations(refunds))):
        earnings, left = earnings_of(bought, unit, tax), amount
        bring_in_line(earnings, split(left, bought, commission_tax=tax))
        for refund in order:
            left -= Money.of(refund, unit)
            bring_in_line(earnings, split(left, bought, commission_tax=tax))
        ends.add(tuple((each.standing.amount.minor, each.standing.tax.minor) for each in earnings))

    assert len(ends) == 1


@given(paid_bookings(), st.lists(st.integers(1, 1_000_000), max_size=5))
def test_a_refund_of_everything_leaves_nothing_whatever_went_before(
    paid: tuple[Money, list[SharedItem], Percentage], refunds: list[int]
) -> None:
    amount, bought, tax = paid
    earnings, left = earnings_of(bought, amount.currency.code, tax), amount
    bring_in_line(earnings, split(left, bought, commission_tax=tax))
    for refund in [*refunds, amount.minor]:
        left = max(left - Money(refund, amount.currency), Money(0, amount.currency))
        bring_in_line(earnings, split(left, bought, commission_tax=tax))

    assert all(each.standing.amount.is_zero and each.standing.tax.is_zero for each in earnings)


@given(paid_bookings(), st.integers(0, 5_000_000), st.integers(0, 5_000_000))
def test_changes_of_payees_are_what_their_earnings_moved_by(
    paid: tuple[Money, list[SharedItem], Percentage], first: int, second: int
) -> None:
    amount, bought, tax = paid
    unit = amount.currency
    earnings = earnings_of(bought, unit.code, tax)
    moved = dict.fromkeys((VENDOR, AGENT), 0)
    for left in (amount.minor, min(first, amount.minor), min(second, amount.minor)):
        changes = bring_in_line(earnings, split(Money(left, unit), bought, commission_tax=tax))
        for payee, change in changes.items():
            moved[payee] += risen(change).payable.minor - fallen(change).payable.minor
            assert risen(change).amount - fallen(change).amount == change.amount

    for payee, sum_of_changes in moved.items():
        assert sum_of_changes == sum(each.standing.payable.minor for each in earnings if each.payee == payee)


@given(paid_bookings(), st.integers(0, 5_000_000))
def test_what_a_refund_is_shown_to_take_is_what_it_takes(
    paid: tuple[Money, list[SharedItem], Percentage], refund: int
) -> None:
    amount, bought, tax = paid
    unit = amount.currency
    left = Money(amount.minor - min(refund, amount.minor), unit)
    earnings = earnings_of(bought, unit.code, tax)
    bring_in_line(earnings, split(amount, bought, commission_tax=tax))
    before = standing(earnings)
    bring_in_line(earnings, split(left, bought, commission_tax=tax))
    after = standing(earnings)

    lost = shares_lost(amount, left, bought)

    assert (lost.vendor.minor, lost.agent.minor) == (before[0] - after[0], before[1] - after[1])


def standing(earnings: Sequence[Earning]) -> tuple[int, int]:
    vendor, agent = (
        sum(each.standing.amount.minor for each in earnings if each.payee == payee) for payee in (VENDOR, AGENT)
    )
    return vendor, agent


@pytest.mark.slow
def test_shares_of_thousands_of_bookings_with_refunds_sum_to_what_stayed_paid() -> None:
    """2,400 bookings, each refunded up to four times, some of it coming back: Σ shares = Σ paid net, by currency."""
    draw, stayed, shared = random.Random(49), dict.fromkeys(("JPY", "EGP", "KWD"), 0), 0
    for _ in range(2_400):
        unit = draw.choice(list(stayed))
        bought = [
            an_item(draw.randrange(0, 900_000), unit, vendor=Percentage(draw.randrange(10_001)),
                    agent=draw.choice([None, Percentage(draw.randrange(10_001))]))
            for _ in range(draw.randrange(1, 5))
        ]  # fmt: skip
        paid = left = sum(item.price.minor for item in bought)
        tax = Percentage(draw.randrange(2_400))
        earnings = earnings_of(bought, unit, tax)
        bring_in_line(earnings, split(Money.of(left, unit), bought, commission_tax=tax))
        for _ in range(draw.randrange(5)):
            left = draw.randrange(left + 1) if draw.random() < 0.7 else draw.randrange(left, paid + 1)
            bring_in_line(earnings, split(Money.of(left, unit), bought, commission_tax=tax))
        companys = sum(part.platform.minor for part in split(Money.of(left, unit), bought, commission_tax=tax))
        assert sum(standing(earnings)) + companys == left
        stayed[unit] += left
        shared += sum(standing(earnings)) + companys

    assert shared == sum(stayed.values())


def test_a_share_is_taken_back_from_the_newest_journal_first() -> None:
    older, newer = new_id(), new_id()
    left = [(newer, a_share("10.00", "1.00")), (older, a_share("50.00", "5.00"))]

    assert taken_from(left, a_share("20.00", "2.00")) == (
        (newer, a_share("10.00", "1.00")),
        (older, a_share("10.00", "1.00")),
    )


def test_no_more_is_taken_back_than_was_earned() -> None:
    with pytest.raises(ValueError, match="no more"):
        taken_from([(new_id(), a_share("10.00"))], a_share("10.01"))


def a_share(amount: str, tax: str = "0.00") -> Share:
    return Share(amount=egp(amount), tax=egp(tax))


def test_nothing_is_held_back_for_no_days() -> None:
    assert released_at(NOON, ends_on=NOON.date() + timedelta(days=9), release_days=0) == NOON


def test_days_are_counted_from_the_trips_last_in_cairo() -> None:
    # Cairo is two hours before UTC in winter: the day begins at 22:00 of the day before.
    assert released_at(NOON, ends_on=date(2026, 11, 25), release_days=3) == datetime(2026, 11, 28, 22, tzinfo=UTC)


def test_nothing_is_released_before_the_trip_is_completed() -> None:
    late = datetime(2027, 3, 1, 12, tzinfo=UTC)
    assert released_at(late, ends_on=date(2026, 11, 25), release_days=3) == late


def test_every_order_of_three_refunds_ends_in_the_same_shares() -> None:
    bought = [an_item(33_333, vendor=Percentage(7_777), agent=Percentage(1_111)), an_item(1, vendor=Percentage(7_777)),
              an_item(66_667, vendor=Percentage(7_777), agent=Percentage(1_111))]  # fmt: skip
    ends: set[tuple[tuple[UUID, int], ...]] = set()
    for order in permutations([1, 33_333, 20_000]):
        earnings, left = earnings_of(bought, "EGP"), 100_001
        bring_in_line(earnings, split(Money.of(left, "EGP"), bought, commission_tax=UNTAXED))
        for refund in order:
            left -= refund
            bring_in_line(earnings, split(Money.of(left, "EGP"), bought, commission_tax=UNTAXED))
        ends.add(tuple((each.booking_item_id, each.standing.amount.minor) for each in earnings))

    assert len(ends) == 1
