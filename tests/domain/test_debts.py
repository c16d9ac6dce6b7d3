"""Debts: what is taken back and was spent is owed, and later earnings pay it off (M9)."""

from __future__ import annotations

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.ledger import accounts
from domain.ledger.accounts import POINTS_UNIT, AccountKind
from domain.ledger.debts import debt_of, earn, give_up, take_back
from domain.ledger.journal import Entry
from tests.builders import a_journal
from tests.ledger_world import sums

OWNER = UUID("01890000-0000-7000-8000-000000000001")
WALLET = accounts.wallet(OWNER, "EGP")
DEBT = accounts.debt(OWNER, "EGP")
COST = accounts.platform(AccountKind.CASHBACK_COST, "EGP")
AMOUNTS = st.integers(1, 10**9)


def test_a_debt_is_its_owners_in_the_accounts_own_unit() -> None:
    assert debt_of(WALLET) == DEBT
    assert debt_of(accounts.points(OWNER)) == accounts.debt(OWNER, POINTS_UNIT)
    assert debt_of(accounts.cashback(OWNER, "KWD")) == accounts.debt(OWNER, "KWD")


def test_nobody_owes_for_the_platform() -> None:
    with pytest.raises(ValueError, match="nobody"):
        debt_of(COST)


@pytest.mark.parametrize(
    ("owed", "repaid", "reaches"), [(0, 0, 100), (30, 30, 70), (100, 100, 0), (250, 100, 0)],
    ids=["nothing owed", "some", "all of it", "more than is earned"],
)  # fmt: skip
def test_earnings_pay_a_debt_before_they_reach_the_account(owed: int, repaid: int, reaches: int) -> None:
    legs = sums(earn(COST, WALLET, 100, owed_minor=owed))

    assert (legs[COST], legs.get(DEBT, 0), legs.get(WALLET, 0)) == (-100, repaid, reaches)


@pytest.mark.parametrize(
    ("available", "taken", "owed"), [(0, 0, 100), (40, 40, 60), (100, 100, 0), (900, 100, 0)],
    ids=["all spent", "some spent", "just enough", "plenty"],
)  # fmt: skip
def test_what_was_spent_of_it_is_owed(available: int, taken: int, owed: int) -> None:
    legs = sums(take_back(COST, WALLET, 100, available_minor=available))

    assert (legs[COST], legs.get(WALLET, 0), legs.get(DEBT, 0)) == (100, -taken, -owed)


def test_the_owners_legs_alone_are_those_of_taking_back() -> None:
    assert give_up(WALLET, 100, available_minor=40) == (Entry(WALLET, -40), Entry(DEBT, -60))


@given(amount=AMOUNTS, owed=st.integers(0, 10**9), available=st.integers(0, 10**9))
def test_both_are_journals_and_neither_crosses_zero(amount: int, owed: int, available: int) -> None:
    earned = a_journal(*earn(COST, WALLET, amount, owed_minor=owed))
    taken = a_journal(*take_back(COST, WALLET, amount, available_minor=available))

    assert 0 <= sums(earned.entries).get(DEBT, 0) <= owed
    assert available + sums(taken.entries).get(WALLET, 0) >= 0


@given(amount=AMOUNTS, available=st.integers(0, 10**9))
def test_earning_the_same_again_pays_all_of_a_debt(amount: int, available: int) -> None:
    taken = sums(take_back(COST, WALLET, amount, available_minor=available))
    owed = -taken.get(DEBT, 0)

    earned = sums(earn(COST, WALLET, amount, owed_minor=owed))

    assert earned.get(DEBT, 0) == owed
    assert earned.get(WALLET, 0) == -taken.get(WALLET, 0)
