"""Quotes: whatever the basket and the terms, the lines are the total, and so are the items' shares (M6)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.ledger.points import PointsTerms
from domain.pricing.baskets import Basket, BasketItem, Benefit, NotApplied, Promotion, PromotionKind, UnitPrice
from domain.pricing.price_lists import Party, PriceList
from domain.pricing.quotes import LineKind, Quote, Terms, quote
from domain.shared.errors import InvalidValue
from domain.shared.money import Money, total
from domain.shared.percentage import Percentage
from infrastructure.clock import new_id
from tests.builders import NOON, egp

POINTS = PointsTerms()
NO_RATE = Percentage(0)


@dataclass(frozen=True)
class Off:
    """A promotion that takes up to so much off."""

    amount: Money
    combines: bool = True
    kind: PromotionKind = PromotionKind.OFFER

    def evaluate(self, basket: Basket) -> Benefit | NotApplied:
        discount = min(self.amount, basket.left)
        return Benefit(
            kind=self.kind, source_id=new_id(), title_ar="خصم", title_en="Off", discount=discount, keys=basket.keys
        )

    def not_combined(self) -> NotApplied:
        return NotApplied(kind=self.kind, reason="not_combinable")


def a_unit(price: Money, *, quantity: int = 1, listed: Money | None = None) -> UnitPrice:
    return UnitPrice(quantity=quantity, listed=listed or price, price=price)


def an_item(*units: UnitPrice, rate: str = "14", inclusive: bool = True) -> BasketItem:
    return BasketItem(
        key=new_id(),
        booking_type="PACKAGE",
        name_ar="رحلة نيلية",
        name_en="Nile cruise",
        units=units,
        tax_rate=Percentage.parse(rate),
        tax_inclusive=inclusive,
        taken_off=Money(0, units[0].price.currency),
    )


def a_basket(*items: BasketItem) -> Basket:
    return Basket(items=items, currency=items[0].taken_off.currency.code, tier_code="GUEST", at=NOON)


def terms(unit: str = "EGP", **changes: Any) -> Terms:
    plain = Terms(member_rate=NO_RATE, offers=(), voucher=None, points=0, tender=POINTS.tender, fee=Money.zero(unit))
    return replace(plain, **changes)


RATES = st.integers(0, 10_000).map(Percentage)
UNITS_OF = {
    code: st.builds(
        lambda quantity, listed, price, code=code: UnitPrice(
            quantity=quantity, listed=Money.of(listed, code), price=Money.of(price, code)
        ),
        st.integers(1, 9),
        st.integers(0, 10**7),
        st.integers(0, 10**7),
    )
    for code in ("EGP", "KWD", "JPY")
}


@st.composite
def quotes(draw: st.DrawFn) -> Quote:
    """Any basket at any terms, in currencies of 0, 2 and 3 decimals."""
    code = draw(st.sampled_from(sorted(UNITS_OF)))
    money = st.integers(0, 10**7).map(lambda minor: Money.of(minor, code))
    items = draw(
        st.lists(
            st.builds(
                lambda units, rate, inclusive: replace(an_item(*units, inclusive=inclusive), tax_rate=rate),
                st.lists(UNITS_OF[code], min_size=1, max_size=3),
                RATES,
                st.booleans(),
            ),
            min_size=1,
            max_size=4,
        )
    )
    promotions = st.builds(Off, money, st.booleans())
    return quote(
        a_basket(*items),
        Terms(
            member_rate=draw(RATES),
            offers=draw(st.lists(promotions, max_size=3)),
            voucher=draw(st.none() | st.builds(Off, money, st.booleans(), st.just(PromotionKind.VOUCHER))),
            points=draw(st.integers(0, 10**6)),
            tender=POINTS.tender,
            fee=draw(money),
        ),
    )


@given(priced=quotes())
def test_lines_shares_and_columns_are_the_total(priced: Quote) -> None:
    unit = priced.total.currency.code
    assert total((line.amount for line in priced.lines), unit) == priced.total
    assert total((share.total for share in priced.shares), unit) == priced.total
    columns = priced.base_amount - priced.discount_amount - priced.voucher_discount + priced.tax_amount
    assert columns + priced.fee_amount == priced.total
    assert total((share.tax for share in priced.shares), unit) == priced.tax_amount
    taken_off = total((share.discount for share in priced.shares), unit)
    assert taken_off == priced.discount_amount + priced.voucher_discount
    assert total((share.fee for share in priced.shares), unit) == priced.fee_amount


@given(priced=quotes())
def test_nobody_is_paid_for_booking(priced: Quote) -> None:
    for share in priced.shares:
        assert min(share.price.minor, share.discount.minor, share.tax.minor, share.fee.minor, share.total.minor) >= 0
        assert share.discount <= share.price
    assert priced.points_worth <= priced.discount_amount
    assert (priced.points > 0) == priced.points_worth.is_positive


@given(priced=quotes(), data=st.data())
def test_partial_refunds_in_any_order_return_exactly_the_total(priced: Quote, data: st.DataObject) -> None:
    unit = priced.total.currency.code
    left = [share.total for share in priced.shares if share.total.is_positive]
    returned = []
    for share in data.draw(st.permutations(left)):
        part = Money.of(data.draw(st.integers(0, share.minor)), unit)
        returned += [part, share - part]
    assert total(returned, unit) == priced.total


@given(
    price=st.integers(1, 10**9),
    party=st.integers(1, 200),
    rate=RATES,
    code=st.sampled_from(["EGP", "KWD", "JPY"]),
)
def test_a_price_that_includes_tax_stays_what_was_shown(price: int, party: int, rate: Percentage, code: str) -> None:
    unit = a_unit(Money.of(price, code), quantity=party)
    priced = quote(a_basket(replace(an_item(unit), tax_rate=rate)), terms(code))

    assert priced.total == unit.amount


def test_an_ordinary_quote() -> None:
    priced = quote(a_basket(an_item(a_unit(egp("1140.00"), quantity=2))), terms())

    assert [(line.kind, line.quantity, line.amount.decimal()) for line in priced.lines] == [
        (LineKind.BASE, 2, "2000.00"),
        (LineKind.TAX, 1, "280.00"),
    ]
    assert priced.total.decimal() == "2280.00"
    assert priced.lines[1].description_en == "VAT 14.00%"


def test_tax_on_top_is_worked_out_on_what_discounts_leave() -> None:
    item = an_item(a_unit(egp("1000.00")), inclusive=False)
    priced = quote(a_basket(item), terms(member_rate=Percentage.parse("10"), fee=egp("25.00")))

    assert {line.kind: line.amount.decimal() for line in priced.lines} == {
        LineKind.BASE: "1000.00",
        LineKind.MEMBER_DISCOUNT: "-100.00",
        LineKind.TAX: "126.00",
        LineKind.FEE: "25.00",
    }
    assert priced.total == egp("1051.00")


def test_a_season_is_a_line_of_its_own() -> None:
    item = an_item(a_unit(egp("1200.00"), listed=egp("1000.00"), quantity=2), rate="0")
    priced = quote(a_basket(item), terms())

    assert [(line.kind, line.amount.decimal()) for line in priced.lines] == [
        (LineKind.BASE, "2000.00"),
        (LineKind.SEASON, "400.00"),
    ]


def test_offers_come_before_the_voucher_and_points_come_last() -> None:
    voucher = Off(egp("50.00"), kind=PromotionKind.VOUCHER)
    item = an_item(a_unit(egp("1000.00")), rate="0")
    priced = quote(a_basket(item), terms(offers=[Off(egp("100.00"))], voucher=voucher, points=20_000))

    assert [(line.kind, line.amount.decimal()) for line in priced.lines] == [
        (LineKind.BASE, "1000.00"),
        (LineKind.OFFER, "-100.00"),
        (LineKind.VOUCHER, "-50.00"),
        (LineKind.POINTS, "-200.00"),
    ]
    assert (priced.discount_amount, priced.voucher_discount) == (egp("300.00"), egp("50.00"))


def test_points_pay_no_more_than_is_left_and_none_is_taken_in_vain() -> None:
    priced = quote(a_basket(an_item(a_unit(egp("10.00")))), terms(points=5_000))

    assert (priced.total, priced.points, priced.points_worth) == (egp("0.00"), 1_000, egp("10.00"))


@pytest.mark.parametrize(
    ("combine", "applied"),
    [((True, True, True), [1, 2, 3]), ((False, True, True), [1]), ((True, False, True), [1, 3])],
    ids=["all", "the first alone", "the second is left out"],
)
def test_what_goes_with_no_other_is_alone(combine: tuple[bool, ...], applied: list[int]) -> None:
    promotions: list[Promotion] = [
        Off(Money.of(place, "EGP"), combines) for place, combines in enumerate(combine, start=1)
    ]
    priced = quote(a_basket(an_item(a_unit(egp("1000.00")))), terms(offers=promotions))

    assert [benefit.discount.minor for benefit in priced.benefits] == applied
    assert [reason.reason for reason in priced.not_applied] == ["not_combinable"] * (3 - len(applied))


def test_a_discount_beyond_what_is_left_is_a_mistake() -> None:
    basket = a_basket(an_item(a_unit(egp("10.00"))))

    with pytest.raises(ValueError, match="at most what is left"):
        basket.take_off(egp("10.01"), basket.keys)


@pytest.mark.parametrize("party", [0, 1, 7, 1_000])
def test_a_party_that_the_item_does_not_take_is_refused(party: int) -> None:
    prices = PriceList(
        key=new_id(), booking_type="PACKAGE", name_ar="رحلة", name_en="Trip", price=egp("1.00"), tax_rate=NO_RATE,
        tax_inclusive=True, min_travelers=2, max_travelers=6,
    )  # fmt: skip
    with pytest.raises(InvalidValue) as refused:
        prices.item_for(Party(count=party), starts_on=None)

    assert refused.value.faults[0].pointer == "/travelers_count"


def test_an_absurd_price_is_refused_rather_than_wrapped() -> None:
    with pytest.raises(InvalidValue):
        quote(a_basket(an_item(a_unit(Money.of(10**15, "EGP"), quantity=2))), terms())
