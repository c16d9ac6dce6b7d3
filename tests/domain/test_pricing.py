"""Quotes: whatever the package and the party, the lines are the total (M6)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.pricing.quotes import LineKind, PricedItem, Quote, quote_package
from domain.shared.errors import InvalidValue
from domain.shared.money import EXPONENTS, Money, total
from domain.shared.percentage import Percentage


def an_item(price: Money, *, rate: str = "14", inclusive: bool = True, least: int = 1, most: int = 200) -> PricedItem:
    return PricedItem(
        name_ar="رحلة نيلية",
        name_en="Nile cruise",
        unit_price=price,
        tax_rate=Percentage.parse(rate),
        tax_inclusive=inclusive,
        min_travelers=least,
        max_travelers=most,
    )


ITEMS = st.builds(
    an_item,
    st.builds(Money.of, st.integers(1, 10**10), st.sampled_from(sorted(EXPONENTS))),
    rate=st.integers(0, 10_000).map(lambda hundredths: str(Percentage(hundredths))),
    inclusive=st.booleans(),
)
PARTIES = st.integers(1, 200)


def _sum_of(quote: Quote) -> Money:
    return total((line.amount for line in quote.lines), quote.total.currency.code)


@given(item=ITEMS, party=PARTIES)
def test_the_lines_sum_to_the_total(item: PricedItem, party: int) -> None:
    quote = quote_package(item, party)

    assert _sum_of(quote) == quote.total
    assert quote.base_amount - quote.discount_amount - quote.voucher_discount + quote.tax_amount == quote.total


@given(item=ITEMS, party=PARTIES)
def test_no_line_is_below_zero_and_none_is_of_no_tax(item: PricedItem, party: int) -> None:
    for line in quote_package(item, party).lines:
        assert line.amount.minor >= 0
        assert line.kind is LineKind.BASE or line.amount.is_positive


@given(item=ITEMS.filter(lambda item: item.tax_inclusive), party=PARTIES)
def test_a_price_that_includes_tax_stays_what_was_shown(item: PricedItem, party: int) -> None:
    assert quote_package(item, party).total == item.unit_price * party


@given(item=ITEMS.filter(lambda item: not item.tax_inclusive), party=PARTIES)
def test_tax_on_top_is_rounded_once_for_the_whole_party(item: PricedItem, party: int) -> None:
    quote = quote_package(item, party)

    assert quote.base_amount == item.unit_price * party
    assert quote.tax_amount == item.tax_rate.of(item.unit_price * party)


def test_an_ordinary_quote() -> None:
    quote = quote_package(an_item(Money.parse("1140.00", "EGP")), 2)

    assert [(line.kind, line.quantity, line.amount.decimal()) for line in quote.lines] == [
        (LineKind.BASE, 2, "2000.00"),
        (LineKind.TAX, 1, "280.00"),
    ]
    assert quote.total.decimal() == "2280.00"
    assert quote.lines[1].description_en == "VAT 14.00%"


def test_without_tax_there_is_one_line() -> None:
    assert [line.kind for line in quote_package(an_item(Money.of(100, "KWD"), rate="0"), 3).lines] == [LineKind.BASE]


@pytest.mark.parametrize("party", [0, -1, 1, 7, 1_000])
def test_a_party_that_the_package_does_not_take_is_refused(party: int) -> None:
    with pytest.raises(InvalidValue) as refused:
        quote_package(an_item(Money.of(100, "EGP"), least=2, most=6), party)

    assert refused.value.faults[0].pointer == "/travelers_count"


def test_an_absurd_price_is_refused_rather_than_wrapped() -> None:
    with pytest.raises(InvalidValue):
        quote_package(an_item(Money.of(10**15, "EGP")), 2)
