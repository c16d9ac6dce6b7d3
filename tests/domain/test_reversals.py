"""A journal is taken back to the minor unit, in whole or in any parts, whatever it was made of (M4, M6, M9)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.ledger import accounts
from domain.ledger.accounts import POINTS_UNIT, AccountKind, AccountRef
from domain.ledger.debts import earn, take_back
from domain.ledger.journal import Entry, InsufficientBalance, JournalType, ReversalRefused, transfer
from domain.ledger.lots import LotEntry, OpenLot, consume, consume_from, give_back
from domain.ledger.reversals import BY_HAND, PostedJournal, reversing, with_debts
from domain.shared.money import Money
from infrastructure.clock import new_id
from tests.builders import NOON, a_journal, egp
from tests.ledger_world import UNITS, a_mixed_payment, after, posted, sums

OWNER = UUID("01890000-0000-7000-8000-000000000001")
WALLET = accounts.wallet(OWNER, "EGP")
POINTS = accounts.points(OWNER)
CLEARING = accounts.clearing("CARDS", "EGP")
PREPAID = accounts.platform(AccountKind.CUSTOMER_PREPAYMENTS, "EGP")
ISSUED = accounts.platform(AccountKind.POINTS_ISSUED, POINTS_UNIT)
ADJUSTMENTS = accounts.platform(AccountKind.ADJUSTMENTS, "EGP")
AMOUNTS = st.integers(0, 10**9) | st.integers(0, 20)


@st.composite
def payments(draw: st.DrawFn) -> tuple[PostedJournal, str]:
    """A payment of any legs in a unit of 0, 2 or 3 decimals."""
    unit = draw(UNITS)
    wallet, card, value = draw(AMOUNTS), draw(AMOUNTS), draw(AMOUNTS)
    if not wallet + card + value:
        card = 1
    points = draw(st.integers(1, 10**6)) if value else 0
    journal = a_mixed_payment(OWNER, unit, wallet=wallet, card=card, points=points, points_value=value)
    return posted(journal), unit


def value_of(journal: PostedJournal, unit: str) -> int:
    return sum(minor for account, minor in journal.moved.items() if account.currency == unit and minor > 0)


@settings(max_examples=1500)
@given(payments(), st.lists(st.integers(0, 999), max_size=8))
def test_any_sequence_of_parts_brings_back_every_leg(paid: tuple[PostedJournal, str], thousandths: list[int]) -> None:
    journal, unit = paid
    left, now = value_of(journal, unit), journal
    for cut in thousandths:
        part = max(1, left * cut // 1000)
        if part >= left:
            break
        now, left = after(now, reversing(now, Money.of(part, unit))), left - part
        for account, minor in now.taken_back.items():
            assert abs(minor) <= abs(journal.moved[account])
            assert minor * journal.moved[account] < 0
        prepaid = accounts.platform(AccountKind.CUSTOMER_PREPAYMENTS, unit)
        assert journal.moved[prepaid] + now.taken_back[prepaid] == left

    now = after(now, reversing(now))

    assert now.taken_back == {account: -minor for account, minor in journal.moved.items()}
    with pytest.raises(ReversalRefused):
        reversing(now)


@settings(max_examples=500)
@given(payments(), st.data())
def test_points_come_back_in_proportion_rounded_down(paid: tuple[PostedJournal, str], data: st.DataObject) -> None:
    journal, unit = paid
    value, points = value_of(journal, unit), -journal.moved.get(POINTS, 0)
    reversed_so_far, now = 0, journal
    for _ in range(4):
        if value - reversed_so_far < 2:
            break
        part = data.draw(st.integers(1, value - reversed_so_far - 1))
        now = after(now, reversing(now, Money.of(part, unit)))
        reversed_so_far += part
        assert now.taken_back.get(POINTS, 0) == points * reversed_so_far // value


def test_a_leg_gets_back_its_share_by_largest_remainder_of_what_is_left() -> None:
    payment = posted(a_mixed_payment(OWNER, "EGP", wallet=100, card=50, points=7, points_value=50))

    first = sums(reversing(payment, egp("1.01")))
    rest = sums(reversing(after(payment, reversing(payment, egp("1.01")))))

    discounts = accounts.platform(AccountKind.DISCOUNTS, "EGP")
    # Of 101: 50.5, 25.25 and 25.25; the odd one goes to the largest remainder.
    assert [first[account] for account in (WALLET, CLEARING, discounts, PREPAID, POINTS)] == [51, 25, 25, -101, 3]
    assert [rest[account] for account in (WALLET, CLEARING, discounts, PREPAID, POINTS)] == [49, 25, 25, -99, 4]


@pytest.mark.parametrize("part", [egp("0.00"), egp("-1.00"), egp("2.01"), Money.of(1, "USD")])
def test_a_part_is_of_what_is_left_in_a_unit_of_the_journal(part: Money) -> None:
    journal = posted(a_journal(*transfer(WALLET, PREPAID, 200)))

    with pytest.raises(ReversalRefused):
        reversing(journal, part)


def test_a_reversal_is_not_reversed() -> None:
    reversal = posted(a_journal(*transfer(PREPAID, WALLET, 200), journal_type=JournalType.REVERSAL, reverses=new_id()))

    with pytest.raises(ReversalRefused):
        reversing(reversal)


def test_both_sides_of_one_account_are_taken_together() -> None:
    journal = posted(a_journal(*transfer(WALLET, PREPAID, 200), *transfer(PREPAID, WALLET, 50)))

    assert sums(reversing(journal)) == {WALLET: 150, PREPAID: -150}


def test_of_two_currencies_each_goes_back_in_proportion() -> None:
    dollars = accounts.wallet(OWNER, "USD")
    exchange = [accounts.platform(AccountKind.EXCHANGE, unit) for unit in ("EGP", "USD")]
    journal = posted(a_journal(*transfer(WALLET, exchange[0], 1000), *transfer(exchange[1], dollars, 21)))

    half = reversing(journal, egp("5.00"))
    whole = after(journal, half, reversing(after(journal, half)))

    assert (sums(half)[WALLET], sums(half)[dollars]) == (500, -10)
    assert whole.taken_back == {account: -minor for account, minor in journal.moved.items()}


class TestWhatWasSpent:
    """An account that can no longer give owes, where the caller allows it."""

    bonus = posted(a_journal(*transfer(ADJUSTMENTS, WALLET, 100)))

    def test_is_refused_without_debt(self) -> None:
        with pytest.raises(InsufficientBalance):
            with_debts(reversing(self.bonus), {WALLET: 99}, allows_debt=False)

    def test_becomes_debt_where_that_is_allowed(self) -> None:
        entries = with_debts(reversing(self.bonus), {WALLET: 30}, allows_debt=True)

        assert sums(entries) == {WALLET: -30, accounts.debt(OWNER, "EGP"): -70, ADJUSTMENTS: 100}

    def test_needs_no_debt_where_there_is_enough(self) -> None:
        assert sums(with_debts(reversing(self.bonus), {WALLET: 100}, allows_debt=False)) == {
            WALLET: -100,
            ADJUSTMENTS: 100,
        }

    @given(spent=st.lists(st.tuples(st.integers(1, 60), st.integers(0, 60)), min_size=1, max_size=5))
    def test_debt_counts_as_taken_back(self, spent: list[tuple[int, int]]) -> None:
        now, left = self.bonus, 100
        for part, there in spent:
            if part >= left:
                break
            entries = with_debts(reversing(now, Money.of(part, "EGP")), {WALLET: there}, allows_debt=True)
            now, left = after(now, entries), left - part

        now = after(now, with_debts(reversing(now), {}, allows_debt=True))

        assert now.taken_back[ADJUSTMENTS] == 100
        assert now.taken_back.get(WALLET, 0) + now.taken_back.get(accounts.debt(OWNER, "EGP"), 0) == -100
        with pytest.raises(ReversalRefused):
            reversing(now)

    def test_a_vendors_account_goes_below_zero_instead(self) -> None:
        vendor = AccountRef(AccountKind.VENDOR_PAYABLE, "EGP", OWNER)
        journal = posted(a_journal(*transfer(ADJUSTMENTS, vendor, 100)))

        assert sums(with_debts(reversing(journal), {}, allows_debt=False)) == {vendor: -100, ADJUSTMENTS: 100}

    def test_points_become_a_debt_of_points(self) -> None:
        journal = posted(a_journal(*transfer(ISSUED, POINTS, 40)))

        entries = with_debts(reversing(journal), {POINTS: 15}, allows_debt=True)

        assert sums(entries) == {POINTS: -15, accounts.debt(OWNER, POINTS_UNIT): -25, ISSUED: 40}


class TestDebtsInTheJournalItself:
    """What paid a debt off, or raised one, is taken back with the rest."""

    debt = accounts.debt(OWNER, "EGP")

    @given(st.lists(st.integers(1, 60), max_size=5))
    def test_an_earning_that_paid_a_debt_raises_it_again(self, parts: list[int]) -> None:
        earned = posted(a_journal(*earn(ADJUSTMENTS, WALLET, 100, owed_minor=30)))
        now, left = earned, 100
        for part in parts:
            if part >= left:
                break
            entries = with_debts(reversing(now, Money.of(part, "EGP")), {WALLET: 70}, allows_debt=False)
            now, left = after(now, entries), left - part

        now = after(now, reversing(now))

        assert now.taken_back == {ADJUSTMENTS: 100, self.debt: -30, WALLET: -70}

    def test_a_claw_back_that_raised_a_debt_pays_it_again(self) -> None:
        clawed = posted(a_journal(*take_back(ADJUSTMENTS, WALLET, 100, available_minor=60)))

        entries = with_debts(reversing(clawed), {self.debt: -40}, allows_debt=False)

        assert sums(entries) == {WALLET: 60, self.debt: 40, ADJUSTMENTS: -100}

    def test_but_not_a_debt_that_was_paid_off_meanwhile(self) -> None:
        clawed = posted(a_journal(*take_back(ADJUSTMENTS, WALLET, 100, available_minor=60)))

        with pytest.raises(ReversalRefused):
            with_debts(reversing(clawed), {self.debt: -39}, allows_debt=False)


class TestLots:
    """The same lots get back what was taken of them, the one that lives longest first."""

    grace = timedelta(days=30)

    def lots(self, *remaining: int) -> list[OpenLot]:
        """Lots that end a year and a day, two days, … after noon, each come with a journal of its own."""
        return [
            OpenLot(UUID(int=number), count, NOON + timedelta(days=365 + number), new_id())
            for number, count in enumerate(remaining, 1)
        ]

    @given(st.lists(st.integers(1, 50), min_size=1, max_size=5), st.data())
    def test_in_any_parts_each_lot_gets_back_what_was_taken(self, points: list[int], data: st.DataObject) -> None:
        missing = {lot.id: lot for lot in self.lots(*points)}
        left = sum(points)
        while left:
            part = data.draw(st.integers(1, left))
            for entry in give_back(missing.values(), part, at=NOON, grace=self.grace):
                lot = missing[entry.lot_id]
                missing[entry.lot_id] = replace(lot, remaining=lot.remaining - entry.points)
            left -= part

        assert [lot.remaining for lot in missing.values()] == [0] * len(points)

    def test_the_last_to_end_comes_first(self) -> None:
        first, second, third = self.lots(10, 10, 2)

        given_back = give_back([second, third, first], 7, at=NOON, grace=self.grace)

        assert given_back == (LotEntry(third.id, 2), LotEntry(second.id, 5))

    def test_never_more_than_was_taken(self) -> None:
        with pytest.raises(ReversalRefused):
            give_back(self.lots(6), 7, at=NOON, grace=self.grace)

    def test_a_lot_that_has_ended_lives_on_for_a_while(self) -> None:
        (lot,) = self.lots(6)

        (entry,) = give_back([lot], 6, at=lot.ends_at, grace=self.grace)

        assert entry.grace_until == lot.ends_at + self.grace

    def test_what_is_taken_leaves_the_first_to_end_first(self) -> None:
        first, second, third = self.lots(10, 10, 10)

        assert consume([third, second, first], 13) == (LotEntry(first.id, -10), LotEntry(second.id, -3))
        assert consume_from([first, second, third], 13, first=third.journal_id) == (
            LotEntry(third.id, -10),
            LotEntry(first.id, -3),
        )
        with pytest.raises(InsufficientBalance):
            consume([first, second, third], 31)


def test_what_belongs_to_a_payment_or_a_trip_is_not_for_staff_to_reverse() -> None:
    elsewhere = {JournalType.PAYMENT, JournalType.DEPOSIT, JournalType.REFUND, JournalType.REVERSAL, JournalType.PAYOUT}

    assert BY_HAND.isdisjoint(elsewhere)


def test_two_accounts_of_one_owner_leave_one_debt() -> None:
    journal = posted(a_journal(Entry(WALLET, 70), Entry(CLEARING, -100), Entry(accounts.cashback(OWNER, "EGP"), 30)))

    entries = with_debts(reversing(journal), {WALLET: 10}, allows_debt=True)

    assert sums(entries) == {WALLET: -10, accounts.debt(OWNER, "EGP"): -90, CLEARING: 100}
