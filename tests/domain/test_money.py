"""Money and percentages: exact, refused where they are not, and split without losing a unit (M1, M2, M6)."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.shared.errors import InvalidValue
from domain.shared.money import EXPONENTS, LARGEST_MINOR, CurrencyMismatch, Money, allocate, currency, total
from domain.shared.percentage import Percentage

CODES = st.sampled_from(sorted(EXPONENTS))
ONE_OF_EACH_EXPONENT = st.sampled_from(["JPY", "EGP", "KWD"])
MINORS = st.integers(-LARGEST_MINOR, LARGEST_MINOR)
MODEST = st.integers(-(10**12), 10**12)
WEIGHTS = st.lists(st.integers(0, 10**9), min_size=1, max_size=12).filter(any)
RATES = st.integers(0, 10_000).map(Percentage)


@given(minor=MODEST, code=ONE_OF_EACH_EXPONENT)
def test_what_is_written_is_read_back(minor: int, code: str) -> None:
    money = Money.of(minor, code)

    assert Money.parse(money.decimal(), code) == money


@given(minor=MODEST, code=ONE_OF_EACH_EXPONENT)
def test_an_amount_is_written_with_exactly_its_currencys_decimals(minor: int, code: str) -> None:
    written = Money.of(minor, code).decimal()

    _, point, decimals = written.partition(".")
    assert len(decimals) == EXPONENTS[code]
    assert bool(point) == (EXPONENTS[code] > 0)
    assert Fraction(written) == Fraction(minor, 10 ** EXPONENTS[code])


@pytest.mark.parametrize(
    ("text", "code", "minor"),
    [
        ("1499.00", "EGP", 149_900),
        ("1499", "EGP", 149_900),
        ("1499.5", "EGP", 149_950),
        ("0.05", "EGP", 5),
        ("-0.05", "EGP", -5),
        ("0.005", "KWD", 5),
        ("1499", "JPY", 1499),
        ("007.10", "EGP", 710),
    ],
)
def test_plain_decimals_are_read(text: str, code: str, minor: int) -> None:
    assert Money.parse(text, code) == Money.of(minor, code)


@pytest.mark.parametrize(
    "text",
    ["NaN", "nan", "Infinity", "-inf", "1e3", "1E3", "+1", "1,000", "1 000", "1_000", "١٢", "１２", "", " 1", "1 ",
     "1\n", ".5", "5.", "--1", "0x10", "1.2.3", "٫5", "1٫5", "−1", "½"],
)  # fmt: skip
def test_nothing_else_is_an_amount(text: str) -> None:
    with pytest.raises(InvalidValue) as refused:
        Money.parse(text, "EGP")

    assert refused.value.faults[0].code == "invalid_amount"


@given(text=st.text(max_size=20))
def test_any_text_is_read_exactly_or_refused(text: str) -> None:
    try:
        money = Money.parse(text, "EGP")
    except InvalidValue:
        return
    assert Fraction(text) == Fraction(money.minor, 100)


@given(minor=st.integers(0, 10**9), code=CODES)
def test_one_decimal_too_many_is_refused_even_if_it_is_nought(minor: int, code: str) -> None:
    written = Money.of(minor, code).decimal()
    one_more = written + ("0" if "." in written else ".0")

    with pytest.raises(InvalidValue) as refused:
        Money.parse(one_more, code)

    assert refused.value.faults[0].code == "too_many_decimals"


@pytest.mark.parametrize("minor", [1.0, 1.5, True, False, "1", None, Fraction(1)])
def test_money_counts_whole_units_of_nothing_but_int(minor: Any) -> None:
    with pytest.raises(TypeError):
        Money.of(minor, "EGP")


@pytest.mark.parametrize("count", [1.0, True, 0.5])
def test_money_is_multiplied_by_whole_counts_only(count: Any) -> None:
    with pytest.raises(TypeError):
        Money.of(100, "EGP") * count


@pytest.mark.parametrize("hundredths", [14.0, True, "14"])
def test_percentages_count_whole_hundredths_of_nothing_but_int(hundredths: Any) -> None:
    with pytest.raises(TypeError):
        Percentage(hundredths)


def test_absurd_amounts_are_refused() -> None:
    Money.of(LARGEST_MINOR, "EGP")

    for too_much in (LARGEST_MINOR + 1, -LARGEST_MINOR - 1):
        with pytest.raises(InvalidValue):
            Money.of(too_much, "EGP")
    with pytest.raises(InvalidValue):
        Money.parse("9" * 15, "KWD")
    with pytest.raises(InvalidValue):
        Money.of(LARGEST_MINOR, "EGP") + Money.of(1, "EGP")


@pytest.mark.parametrize("code", ["XXX", "egp", "EG", "", "PTS", "EGP "])
def test_unknown_currencies_are_refused(code: str) -> None:
    with pytest.raises(InvalidValue) as refused:
        currency(code)

    assert refused.value.faults[0].code == "unknown_currency"


def test_currencies_do_not_mix() -> None:
    pounds, dollars = Money.of(100, "EGP"), Money.of(100, "USD")

    for mixed in (
        lambda: pounds + dollars,
        lambda: pounds - dollars,
        lambda: pounds < dollars,
        lambda: pounds <= dollars,
        lambda: total([pounds, dollars], "EGP"),
    ):
        with pytest.raises(CurrencyMismatch):
            mixed()
    assert pounds != dollars


@given(one=MODEST, other=MODEST)
def test_sums_and_order_are_those_of_whole_numbers(one: int, other: int) -> None:
    first, second = Money.of(one, "EGP"), Money.of(other, "EGP")

    assert (first + second).minor == one + other
    assert (first - second).minor == one - other
    assert (-first).minor == -one
    assert (first < second, first <= second, first > second) == (one < other, one <= other, one > other)


@given(whole=MINORS, weights=WEIGHTS)
def test_shares_always_sum_to_the_whole(whole: int, weights: list[int]) -> None:
    assert sum(allocate(whole, weights)) == whole


@given(whole=MINORS, weights=WEIGHTS)
def test_a_share_is_less_than_one_unit_from_exact(whole: int, weights: list[int]) -> None:
    for part, weight in zip(allocate(whole, weights), weights, strict=True):
        assert abs(part - Fraction(whole * weight, sum(weights))) < 1


@given(whole=MINORS, weights=WEIGHTS)
def test_what_has_no_weight_gets_nothing_and_no_share_has_the_other_sign(whole: int, weights: list[int]) -> None:
    for part, weight in zip(allocate(whole, weights), weights, strict=True):
        assert part * whole >= 0
        assert weight or part == 0


@given(whole=st.integers(0, LARGEST_MINOR), weights=WEIGHTS)
def test_what_was_split_is_taken_back_in_the_same_shares(whole: int, weights: list[int]) -> None:
    assert allocate(-whole, weights) == [-part for part in allocate(whole, weights)]


@given(whole=MINORS, weight=st.integers(1, 9), parts=st.integers(1, 20))
def test_equal_weights_differ_by_at_most_one_unit_and_the_first_get_it(whole: int, weight: int, parts: int) -> None:
    shares = [abs(share) for share in allocate(whole, [weight] * parts)]

    assert max(shares) - min(shares) <= 1
    assert shares == sorted(shares, reverse=True)


def test_the_largest_remainder_gets_the_unit_left_over() -> None:
    assert [part.minor for part in Money.of(100, "EGP").allocate([1, 1, 1])] == [34, 33, 33]
    assert allocate(10, [1, 2, 4]) == [1, 3, 6]


@pytest.mark.parametrize("weights", [[], [0], [0, 0], [1, -1], [-1]])
def test_a_split_needs_weights(weights: list[int]) -> None:
    with pytest.raises(ValueError, match="weights"):
        allocate(100, weights)


@given(minor=MODEST, rate=RATES)
def test_tax_and_rest_of_an_inclusive_price_are_the_price(minor: int, rate: Percentage) -> None:
    price = Money.of(minor, "EGP")
    tax = rate.contained_in(price)

    assert tax + (price - tax) == price
    exact = Fraction(minor * rate.hundredths, 10_000 + rate.hundredths)
    assert abs(tax.minor - exact) <= Fraction(1, 2)


@given(minor=MODEST, rate=RATES)
def test_a_percentage_is_rounded_to_the_nearest_unit_halves_away_from_zero(minor: int, rate: Percentage) -> None:
    share, exact = rate.of(Money.of(minor, "EGP")).minor, Fraction(minor * rate.hundredths, 10_000)

    assert abs(share - exact) <= Fraction(1, 2)
    if abs(share - exact) == Fraction(1, 2):
        assert abs(share) > abs(exact)
    assert rate.of(Money.of(-minor, "EGP")).minor == -share


@given(hundredths=st.integers(0, 10_000))
def test_a_percentage_is_read_back_as_written(hundredths: int) -> None:
    assert Percentage.parse(str(Percentage(hundredths))) == Percentage(hundredths)


@pytest.mark.parametrize(
    "text", ["", "-1", "+1", "1e1", "NaN", "14.000", "14.", ".5", "١٤", "14%", " 14", "14 ", "1000", "100.01", "101"]
)
def test_nothing_else_is_a_percentage(text: str) -> None:
    with pytest.raises(InvalidValue):
        Percentage.parse(text)
