"""The ledger's rules before any database: balanced journals, named accounts, earned points (M3)."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.ledger import accounts
from domain.ledger.accounts import POINTS_UNIT, USER_KINDS, AccountKind, AccountRef
from domain.ledger.journal import Entry, transfer
from domain.ledger.points import PointsTerms
from domain.shared.money import EXPONENTS, Money
from infrastructure.clock import new_id
from tests.builders import a_journal, egp

OWNER = UUID("01890000-0000-7000-8000-000000000001")
REVENUE = accounts.platform(AccountKind.BOOKING_REVENUE, "EGP")
WALLET = accounts.wallet(OWNER, "EGP")


@given(st.lists(st.integers(-(10**6), 10**6).filter(bool), min_size=2, max_size=6))
def test_a_journal_is_balanced_or_refused(amounts: list[int]) -> None:
    entries = [Entry(REVENUE, amount) for amount in amounts]

    if sum(amounts) == 0:
        assert a_journal(*entries).entries == tuple(entries)
        return
    with pytest.raises(ValueError, match="sums to zero"):
        a_journal(*entries)


def test_each_unit_is_balanced_on_its_own() -> None:
    dollars, points = accounts.wallet(OWNER, "USD"), accounts.points(OWNER)

    with pytest.raises(ValueError, match="sums to zero"):
        a_journal(Entry(WALLET, -100), Entry(dollars, 100))
    with pytest.raises(ValueError, match="sums to zero"):
        a_journal(Entry(WALLET, -100), Entry(points, 100))
    a_journal(
        *transfer(REVENUE, WALLET, 100),
        *transfer(accounts.platform(AccountKind.POINTS_ISSUED, POINTS_UNIT), points, 7),
    )


def test_a_journal_moves_something() -> None:
    with pytest.raises(ValueError, match="no entry is of nothing"):
        a_journal(Entry(WALLET, 0), Entry(REVENUE, 0))
    with pytest.raises(ValueError, match="two entries or more"):
        a_journal(Entry(WALLET, 1))


@pytest.mark.parametrize("amount", [0, -1, Money.zero("EGP")])
def test_a_transfer_moves_more_than_nothing(amount: Money | int) -> None:
    with pytest.raises(ValueError, match="more than nothing"):
        transfer(REVENUE, WALLET, amount)


def test_a_transfer_credits_its_target() -> None:
    assert transfer(REVENUE, WALLET, egp("1.00")) == (Entry(REVENUE, -100), Entry(WALLET, 100))


def test_every_account_has_an_id_of_its_own() -> None:
    owners, units = [OWNER, new_id(), new_id()], [*EXPONENTS, POINTS_UNIT]
    refs = [AccountRef(kind, unit, owner) for kind in USER_KINDS for unit in units for owner in owners]
    refs += [AccountRef(kind, unit) for kind in AccountKind if kind not in USER_KINDS for unit in units]
    refs += [accounts.clearing(provider, unit) for provider in ("STRIPE", "FAWATERK") for unit in units]

    assert [ref for ref, times in Counter(refs).items() if times > 1] == []
    assert len({ref.id for ref in refs}) == len(refs)


def test_ids_of_accounts_never_change() -> None:
    # Rows of every installation carry these: another namespace or spelling would open second accounts.
    assert WALLET.id == UUID("ff4e3e31-d22b-57a7-85dd-7388bfedb860")
    assert accounts.points(OWNER).id == UUID("88cb5c93-0d9d-5db2-8d9b-e2af88b4731c")
    assert accounts.clearing("FAWATERK", "EGP").id == UUID("22b34722-4fcf-55ae-9c40-679e390328a2")
    assert REVENUE.id == UUID("09191577-6e22-5ce6-b362-a9016c16c41b")


@pytest.mark.parametrize("kind", AccountKind)
def test_only_peoples_accounts_have_owners(kind: AccountKind) -> None:
    rightful, wrong = (OWNER, None) if kind in USER_KINDS else (None, OWNER)

    AccountRef(kind, "EGP", rightful)
    with pytest.raises(ValueError, match="owner"):
        AccountRef(kind, "EGP", wrong)


@pytest.mark.parametrize(
    ("amount", "code", "multiplier", "earned"),
    [
        ("1000.00", "EGP", 100, 100),
        ("9.99", "EGP", 100, 0),
        ("10.00", "EGP", 100, 1),
        ("19.99", "EGP", 100, 1),
        ("1999.99", "EGP", 150, 298),  # 199 whole tens, then × 1.5 rounded down
        ("10.00", "EGP", 125, 1),
        ("1000", "JPY", 100, 100),
        ("1000.000", "KWD", 200, 200),
        ("0.00", "EGP", 300, 0),
    ],
)
def test_points_are_one_per_ten_whole_units_times_the_plan(
    amount: str, code: str, multiplier: int, earned: int
) -> None:
    assert PointsTerms().earned_by(Money.parse(amount, code), multiplier) == earned


@given(minor=st.integers(0, 10**12), code=st.sampled_from(sorted(EXPONENTS)), multiplier=st.integers(100, 500))
def test_points_never_exceed_their_exact_share(minor: int, code: str, multiplier: int) -> None:
    money = Money.of(minor, code)

    earned = PointsTerms().earned_by(money, multiplier)

    assert earned * 10 * 100 * money.currency.scale <= minor * multiplier
    assert PointsTerms().earned_by(money, multiplier + 1) >= earned


def test_how_long_points_live() -> None:
    assert PointsTerms().lifetime == timedelta(days=365)
