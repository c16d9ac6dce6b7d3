"""The chart of accounts: every kind once, with a name in both languages and one way to stand (M3, M5)."""

from __future__ import annotations

from uuid import UUID

import pytest

from domain.ledger import accounts
from domain.ledger.accounts import CHART, POINTS_UNIT, USER_KINDS, AccountKind, Nature, Standing
from domain.shared.money import EXPONENTS

OWNER = UUID("01890000-0000-7000-8000-000000000001")


def test_every_kind_has_one_line() -> None:
    assert set(CHART) == set(AccountKind)
    assert list(CHART) == list(AccountKind)


@pytest.mark.parametrize("kind", AccountKind)
def test_a_line_can_be_read_in_both_languages(kind: AccountKind) -> None:
    line = CHART[kind]

    assert line.name_en and line.name_en[0].isupper() and line.name_en.isascii()
    assert line.name_ar and not any(char.isascii() and char.isalpha() for char in line.name_ar)
    assert line.meaning.endswith(".")


def test_names_are_their_own() -> None:
    for names in ([line.name_en for line in CHART.values()], [line.name_ar for line in CHART.values()]):
        assert len(set(names)) == len(names)


def test_how_people_and_partners_may_stand() -> None:
    assert {kind: CHART[kind].standing for kind in USER_KINDS} == {
        AccountKind.WALLET: Standing.NEVER_BELOW_ZERO,
        AccountKind.VOUCHER_CREDIT: Standing.NEVER_BELOW_ZERO,
        AccountKind.POINTS: Standing.NEVER_BELOW_ZERO,
        AccountKind.CASHBACK: Standing.NEVER_BELOW_ZERO,
        AccountKind.CUSTOMER_DEBT: Standing.NEVER_ABOVE_ZERO,
        AccountKind.VENDOR_PAYABLE: Standing.EITHER_SIDE,
        AccountKind.AGENT_PAYABLE: Standing.EITHER_SIDE,
        AccountKind.AGENT_DEPOSIT: Standing.EITHER_SIDE,
    }


def test_income_and_expenses_are_the_platforms() -> None:
    for line in CHART.values():
        if line.nature in (Nature.INCOME, Nature.EXPENSE):
            assert not line.is_owned


def test_what_a_person_owns_is_named_by_kind_unit_and_owner() -> None:
    named = {
        accounts.wallet(OWNER, "EGP"): (AccountKind.WALLET, "EGP"),
        accounts.points(OWNER): (AccountKind.POINTS, POINTS_UNIT),
        accounts.cashback(OWNER, "KWD"): (AccountKind.CASHBACK, "KWD"),
        accounts.debt(OWNER, POINTS_UNIT): (AccountKind.CUSTOMER_DEBT, POINTS_UNIT),
    }

    assert {account: (account.kind, account.currency) for account in named} == named
    assert {account.owner for account in named} == {OWNER}


def test_a_clearing_account_is_one_providers() -> None:
    assert accounts.clearing("FAWATERK", "EGP").id != accounts.clearing("STRIPE", "EGP").id
    assert accounts.clearing("FAWATERK", "EGP").owner is None


def test_points_are_no_currency() -> None:
    assert POINTS_UNIT not in EXPONENTS
