"""Exchange rates: exact, down to the minor unit, never money out of nothing (M1, M6)."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from domain.ledger.accounts import AccountKind
from domain.ledger.transfers import WalletTransfer
from domain.pricing.exchange import ConversionTooSmall, ExchangeRate, RateMoved, plain, read_rate
from domain.shared.errors import InvalidValue
from domain.shared.money import CurrencyMismatch, Money, currency
from infrastructure.clock import new_id
from tests.builders import NOON, a_journal, egp

CODES = st.sampled_from(["JPY", "KRW", "EGP", "USD", "KWD", "BHD"])
"""Currencies of no, two and three decimals."""
RATES = st.integers(1, 10**15).map(lambda units: Decimal(units).scaleb(-9))
AMOUNTS = st.integers(1, 10**9)


def a_rate(source: str, target: str, rate: Decimal | str) -> ExchangeRate:
    return ExchangeRate(
        id=new_id(), source=currency(source), target=currency(target), rate=Decimal(rate), valid_from=NOON
    )


def worth(money: Money) -> Fraction:
    """An amount in whole units, exactly."""
    return Fraction(money.minor, money.currency.scale)


@given(CODES, CODES, RATES, AMOUNTS)
def test_what_is_received_is_the_exact_worth_less_than_one_minor_unit(
    source: str, target: str, rate: Decimal, minor: int
) -> None:
    assume(source != target)
    exact = worth(Money.of(minor, source)) * Fraction(rate)
    assume(exact * currency(target).scale < 10**15)

    try:
        received = a_rate(source, target, rate).convert(Money.of(minor, source))
    except ConversionTooSmall:
        assert exact < Fraction(1, currency(target).scale)
        return

    assert received.currency == currency(target)
    assert 0 <= exact - worth(received) < Fraction(1, currency(target).scale)


@given(CODES, CODES, RATES, AMOUNTS)
def test_there_and_back_at_inverse_rates_never_makes_money(source: str, target: str, rate: Decimal, minor: int) -> None:
    assume(source != target)
    inverse = (1 / rate).quantize(Decimal("1e-12"), rounding="ROUND_DOWN")
    assume(inverse > 0)
    assume(worth(Money.of(minor, source)) * Fraction(rate) * currency(target).scale < 10**15)

    try:
        there = a_rate(source, target, rate).convert(Money.of(minor, source))
        back = a_rate(target, source, inverse).convert(there)
    except ConversionTooSmall:
        return

    assert back <= Money.of(minor, source)


@given(CODES, CODES, AMOUNTS, AMOUNTS)
def test_a_transfers_journal_sums_to_zero_in_each_currency(source: str, target: str, sent: int, received: int) -> None:
    assume(source != target)
    made = WalletTransfer(
        id=new_id(),
        transfer_number="TR-2026-000001",
        user_id=new_id(),
        sent=Money.of(sent, source),
        received=Money.of(received, target),
        rate_id=new_id(),
        journal_id=new_id(),
        created_at=NOON,
    )

    journal = a_journal(*made.entries)

    wallets = {entry.account.currency: entry.amount_minor for entry in journal.entries
               if entry.account.kind is AccountKind.WALLET}  # fmt: skip
    company = Counter[str]()
    for entry in journal.entries:
        if entry.account.kind is AccountKind.EXCHANGE:
            company[entry.account.currency] += entry.amount_minor
    assert wallets == {source: -sent, target: received}
    assert company == {source: sent, target: -received}


@pytest.mark.parametrize(
    ("source", "target", "rate", "amount", "received"),
    [
        ("EGP", "JPY", "3.17", "100.00", "317"), ("EGP", "JPY", "3.179", "100.00", "317"),
        ("JPY", "EGP", "0.315", "1000", "315.00"), ("EGP", "KWD", "0.0063291139", "1000.00", "6.329"),
        ("KWD", "EGP", "158.005", "0.001", "0.15"), ("USD", "EGP", "49.1", "0.01", "0.49"),
    ],
)  # fmt: skip
def test_conversions_round_down_to_the_targets_minor_unit(
    source: str, target: str, rate: str, amount: str, received: str
) -> None:
    assert a_rate(source, target, rate).convert(Money.parse(amount, source)) == Money.parse(received, target)


def test_what_is_worth_nothing_is_refused() -> None:
    with pytest.raises(ConversionTooSmall):
        a_rate("EGP", "JPY", "0.9").convert(egp("1.00"))


def test_an_amount_is_changed_at_a_rate_of_its_own_currency() -> None:
    with pytest.raises(CurrencyMismatch):
        a_rate("USD", "EGP", "49").convert(egp("1.00"))


def test_a_rate_is_between_two_currencies() -> None:
    with pytest.raises(InvalidValue):
        a_rate("EGP", "EGP", "1")


@pytest.mark.parametrize(
    "text", ["", "0", "0.000", "-1", "+1", "1e3", "NaN", "Infinity", "1,5", ".5", "1.", "1.0000000000001", "1" * 10,
             "٣", " 1", "1\n"],
)  # fmt: skip
def test_a_rate_is_a_plain_decimal_above_zero(text: str) -> None:
    with pytest.raises(InvalidValue) as refused:
        read_rate(text)

    assert refused.value.faults[0].pointer == "/rate"


@given(RATES)
def test_a_rate_is_read_as_it_is_written(rate: Decimal) -> None:
    assert read_rate(plain(rate)) == rate


def test_a_rate_that_moved_says_which_one_holds() -> None:
    newest = a_rate("EGP", "USD", "0.020000")

    shown = RateMoved(newest).facts["current_rate"]

    assert shown == {
        "id": str(newest.id), "from_currency": "EGP", "to_currency": "USD", "rate": "0.02",
        "valid_from": NOON.isoformat(),
    }  # fmt: skip
