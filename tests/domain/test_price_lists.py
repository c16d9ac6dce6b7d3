"""Price lists: what a party pays by ages and by the day, and in another currency (M1, Q2)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.pricing.age_bands import ADULT, AgeBand, UnsoundPrices, age_on, refuse_unsound_bands
from domain.pricing.exchange import ExchangeRate
from domain.pricing.price_lists import Party, PriceList
from domain.pricing.rounding import as_price
from domain.pricing.seasons import Adjustment, Season, refuse_unsound_seasons
from domain.shared.errors import InvalidValue
from domain.shared.money import CurrencyMismatch, Money, currency
from domain.shared.percentage import Percentage
from infrastructure.clock import new_id
from tests.builders import NOON, egp

START = date(2027, 7, 15)  # a Thursday
CODES = ["JPY", "EGP", "KWD"]
"""Currencies of no, two and three decimals."""


def a_band(
    code: str = ADULT, ages: tuple[int, int | None] = (12, None), price: str | Money = "100", **rest: bool
) -> AgeBand:
    return AgeBand(
        code=code,
        name_ar=f"فئة {code}",
        name_en=code.title(),
        min_age=ages[0],
        max_age=ages[1],
        price=price if isinstance(price, Money) else Percentage.parse(price),
        **rest,
    )


FAMILY = (
    a_band("INFANT", (0, 1), "0", takes_a_seat=False),
    a_band("CHILD", (2, 11), "50"),
    a_band(),
)


def a_season(
    adjustment: Adjustment = Adjustment.PERCENTAGE_UP,
    amount: str | Money = "20",
    *,
    days: tuple[date, date] = (START, START),
    weekdays: tuple[int, ...] = (),
    priority: int = 0,
) -> Season:
    return Season(
        name_ar="صيف",
        name_en="Summer",
        first_on=days[0],
        last_on=days[1],
        weekdays=frozenset(weekdays),
        adjustment=adjustment,
        amount=amount if isinstance(amount, Money) else Percentage.parse(amount),
        priority=priority,
    )


def a_list(price: Money | None = None, bands: tuple[AgeBand, ...] = FAMILY, *seasons: Season) -> PriceList:
    return PriceList(
        key=new_id(),
        booking_type="PACKAGE",
        name_ar="رحلة نيلية",
        name_en="Nile cruise",
        price=price or egp("1000"),
        tax_rate=Percentage.parse("14"),
        tax_inclusive=True,
        min_travelers=1,
        max_travelers=200,
        bands=bands,
        seasons=seasons,
    )


def born(age: int, *, days_before: int = 0) -> date:
    """Somebody who has this age on the first day of travel since so many days."""
    return START.replace(year=START.year - age) - timedelta(days=days_before)


def units(prices: PriceList, party: Party, day: date | None = START) -> list[tuple[str, int, str, str]]:
    return [
        (unit.label_en, unit.quantity, unit.listed.decimal(), unit.price.decimal())
        for unit in prices.item_for(party, starts_on=day).units
    ]


class TestAges:
    @pytest.mark.parametrize(
        ("birth_date", "day", "age"),
        [
            (date(2015, 7, 15), date(2027, 7, 14), 11),
            (date(2015, 7, 15), date(2027, 7, 15), 12),
            (date(2027, 7, 15), date(2027, 7, 15), 0),
            (date(2016, 2, 29), date(2028, 2, 28), 11),
            (date(2016, 2, 29), date(2028, 2, 29), 12),
            (date(2016, 2, 29), date(2027, 2, 28), 10),
            (date(2016, 2, 29), date(2027, 3, 1), 11),
        ],
    )
    def test_age_is_how_many_birthdays_one_has_had(self, birth_date: date, day: date, age: int) -> None:
        assert age_on(day, birth_date) == age

    def test_nobody_travels_before_they_are_born(self) -> None:
        with pytest.raises(InvalidValue):
            a_list().item_for(Party(count=1, birth_dates=(START + timedelta(days=1),)), starts_on=START)

    def test_no_more_are_named_than_travel(self) -> None:
        with pytest.raises(InvalidValue):
            Party(count=1, birth_dates=(born(30), born(31)))


class TestParties:
    def test_each_band_that_travels_has_a_price_of_its_own(self) -> None:
        party = Party(count=5, birth_dates=(born(1), born(11, days_before=364), born(12), born(2)))

        assert units(a_list(), party) == [
            ("Adult", 2, "1000.00", "1000.00"),
            ("Child", 2, "500.00", "500.00"),
            ("Infant", 1, "0.00", "0.00"),
        ]

    def test_an_item_without_bands_costs_everybody_the_same(self) -> None:
        party = Party(count=3, birth_dates=(born(1),))

        assert units(a_list(bands=()), party) == [("", 3, "1000.00", "1000.00")]
        assert a_list(bands=()).seats_for(party, START) == 3

    def test_while_nobody_knows_the_day_everybody_is_an_adult_out_of_season(self) -> None:
        prices = a_list(None, FAMILY, a_season())

        assert units(prices, Party(count=2, birth_dates=(born(1),)), None) == [("Adult", 2, "1000.00", "1000.00")]

    def test_infants_sit_on_a_lap(self) -> None:
        assert a_list().seats_for(Party(count=4, birth_dates=(born(0), born(1), born(2))), START) == 2

    def test_somebody_takes_a_seat(self) -> None:
        with pytest.raises(InvalidValue) as refused:
            a_list().seats_for(Party(count=1, birth_dates=(born(1),)), START)
        assert refused.value.faults[0].code == "nobody_takes_a_seat"

    @pytest.mark.parametrize("count", [0, 201])
    def test_a_party_that_the_item_does_not_take_is_refused(self, count: int) -> None:
        with pytest.raises(InvalidValue):
            a_list().item_for(Party(count=count), starts_on=START)


class TestSeasons:
    @pytest.mark.parametrize(
        ("season", "expected"),
        [
            (a_season(), ["1200.00", "600.00", "0.00", "84.00"]),
            (a_season(Adjustment.PERCENTAGE_DOWN, "33.33"), ["666.70", "333.35", "0.00", "46.67"]),
            (a_season(Adjustment.FIXED_PRICE, egp("1555")), ["1555.00", "777.50", "0.00", "70.00"]),
        ],
    )
    def test_a_season_changes_every_bands_price(self, season: Season, expected: list[str]) -> None:
        bands = (FAMILY[0], a_band("CHILD", (2, 6), egp("70")), a_band("YOUTH", (7, 11), "50"), FAMILY[2])
        party = Party(count=4, birth_dates=(born(0), born(5), born(8)))
        item = a_list(None, bands, season).item_for(party, starts_on=START)
        adult, youth, child, infant = item.units

        assert [unit.price.decimal() for unit in (adult, youth, infant, child)] == expected
        assert [unit.listed.decimal() for unit in item.units] == ["1000.00", "500.00", "70.00", "0.00"]
        assert {(unit.season_ar, unit.season_en) for unit in item.units} == {("صيف", "Summer")}

    @given(st.integers(-3, 13))
    def test_both_its_days_are_in_it(self, offset: int) -> None:
        last = START + timedelta(days=10)
        price = a_list(None, (), a_season(days=(START, last))).adult_on(START + timedelta(days=offset)).price

        assert price == (egp("1200") if 0 <= offset <= 10 else egp("1000"))

    def test_only_its_weekdays_are_in_it(self) -> None:
        weekend = a_season(days=(START, START + timedelta(days=6)), weekdays=(5, 6))
        dear = [
            day.isoweekday()
            for day in (START + timedelta(days=i) for i in range(7))
            if a_list(None, (), weekend).adult_on(day).season_en
        ]

        assert dear == [5, 6]

    def test_of_two_the_one_of_higher_priority_counts_alone(self) -> None:
        summer = a_season(days=(START - timedelta(days=30), START + timedelta(days=30)))
        feast = a_season(Adjustment.FIXED_PRICE, egp("3000"), priority=1)

        for seasons in ((summer, feast), (feast, summer)):
            assert a_list(None, (), *seasons).adult_on(START).price == egp("3000")

    @given(st.integers(1, 10**9), st.sampled_from(CODES), st.sampled_from(list(Adjustment)[:2]))
    def test_a_change_of_nothing_changes_nothing(self, minor: int, code: str, adjustment: Adjustment) -> None:
        price = Money.of(minor, code)
        bands = (*FAMILY[:1], a_band("CHILD", (2, 11), "33.33"), FAMILY[2])
        party = Party(count=3, birth_dates=(born(0), born(5)))

        item = a_list(price, bands, a_season(adjustment, "0")).item_for(party, starts_on=START)
        assert all(unit.price == unit.listed for unit in item.units)

    def test_a_price_is_rounded_half_up_and_once(self) -> None:
        half_off = a_season(Adjustment.PERCENTAGE_DOWN, "50")
        bands = (a_band("CHILD", (0, 11), "50"), FAMILY[2])
        item = a_list(Money.of(5, "EGP"), bands, half_off).item_for(
            Party(count=2, birth_dates=(born(5),)), starts_on=START
        )

        # A quarter of 5 is 1.25: a half of a half that was rounded first would be 1.5, and 2.
        assert [(unit.listed.minor, unit.price.minor) for unit in item.units] == [(5, 3), (3, 1)]


PERCENTAGES = st.integers(0, 10_000).map(Percentage)
PRICES = st.builds(Money.of, st.integers(1, 10**9), st.sampled_from(CODES))
BIRTHS = st.lists(st.dates(date(1940, 1, 1), START), max_size=12)


@st.composite
def lists(draw: st.DrawFn) -> PriceList:
    price = draw(PRICES)
    fixed = st.integers(0, 10**7).map(lambda minor: Money(minor, price.currency))
    ends = sorted(draw(st.sets(st.integers(0, 40), max_size=4)))
    starts = [0, *(end + 1 for end in ends)]
    young = tuple(
        replace(a_band(f"BAND_{end}", (first, end)), price=draw(PERCENTAGES | fixed), takes_a_seat=draw(st.booleans()))
        for first, end in zip(starts, ends, strict=False)
    )
    adjustment = draw(st.sampled_from(Adjustment))
    amount = draw(fixed if adjustment is Adjustment.FIXED_PRICE else PERCENTAGES)
    season = replace(a_season(), adjustment=adjustment, amount=amount)
    made = a_list(price, (*young, a_band(ages=(starts[-1], None))), season)
    refuse_unsound_bands(made.bands, price)
    return made


@given(prices=lists(), births=BIRTHS, unknown=st.integers(1, 5), shuffle=st.randoms(use_true_random=False))
def test_whoever_travels_is_counted_once_in_any_order_and_pays_no_less_than_nothing(
    prices: PriceList, births: list[date], unknown: int, shuffle: Random
) -> None:
    party = Party(count=len(births) + unknown, birth_dates=tuple(births))
    shuffled = births[:]
    shuffle.shuffle(shuffled)
    item = prices.item_for(party, starts_on=START)

    assert item == prices.item_for(Party(count=party.count, birth_dates=tuple(shuffled)), starts_on=START)
    assert item.quantity == party.count
    assert all(unit.quantity > 0 and unit.price.minor >= 0 and unit.listed.minor >= 0 for unit in item.units)
    assert unknown <= prices.seats_for(party, START) <= party.count


@given(prices=lists(), births=BIRTHS, unknown=st.integers(1, 5))
def test_whose_age_nobody_knows_pays_as_an_adult(prices: PriceList, births: list[date], unknown: int) -> None:
    known = prices.item_for(Party(count=len(births) + 1, birth_dates=(*births, born(80))), starts_on=START)
    unsaid = prices.item_for(Party(count=len(births) + 1, birth_dates=tuple(births)), starts_on=START)

    assert unsaid == known
    (adults,) = prices.item_for(Party(count=unknown), starts_on=START).units
    assert adults.listed == prices.price
    assert adults == replace(prices.adult_on(START), quantity=unknown)


class TestSoundness:
    @pytest.mark.parametrize(
        ("bands", "faults"),
        [
            ((), []),
            (FAMILY, []),
            (FAMILY[::-1], []),
            (FAMILY[:2], [("", "adult_missing")]),
            (FAMILY[1:], [("/0/min_age", "gap")]),
            ((FAMILY[0], a_band(ages=(3, None))), [("/1/min_age", "gap")]),
            ((FAMILY[0], a_band(ages=(1, None))), [("/1/min_age", "overlap")]),
            ((a_band("CHILD", (0, None), "50"), a_band()), [("/1/min_age", "overlap")]),
            ((a_band(ages=(0, None)), a_band("SENIOR", (60, 99), "50")), [("/1/min_age", "overlap")]),
            ((a_band(ages=(0, 60)),), [("/0/max_age", "out_of_range")]),
            ((a_band(ages=(0, None), price="90"),), [("/0/percentage", "out_of_range")]),
            ((a_band(ages=(0, None), takes_a_seat=False),), [("/0/takes_a_seat", "invalid")]),
            ((a_band("CHILD", (0, 11), Money.of(5, "USD")), a_band()), [("/0/price", "currency_mismatch")]),
            ((a_band("CHILD", (0, 11), Money.of(-1, "EGP")), a_band()), [("/0/price", "out_of_range")]),
            ((a_band("CHILD", (0, 5)), a_band("CHILD", (6, 11)), a_band()), [("/1/code", "duplicate")]),
            ((a_band("child", (0, 11)), a_band()), [("/0/code", "invalid")]),
            ((a_band("CHILD", (5, 4)), a_band(ages=(5, None))),
             [("/0/max_age", "out_of_range"), ("/0/min_age", "gap")]),
        ],
    )  # fmt: skip
    def test_every_age_is_in_just_one_band(self, bands: tuple[AgeBand, ...], faults: list[tuple[str, str]]) -> None:
        try:
            refuse_unsound_bands(bands, egp("1000"))
        except UnsoundPrices as refused:
            found = [(fault.pointer.removeprefix("/age_bands"), fault.code) for fault in refused.faults]
        else:
            found = []
        assert found == faults

    @pytest.mark.parametrize(
        ("seasons", "faults"),
        [
            ([], []),
            ([a_season(), a_season(days=(START + timedelta(days=1), date.max))], []),
            ([a_season(), a_season()], [("/1/priority", "overlap")]),
            ([a_season(), a_season(priority=1)], []),
            ([a_season(weekdays=(4,)), a_season(weekdays=(1, 2))], []),
            ([a_season(weekdays=(4,)), a_season()], [("/1/priority", "overlap")]),
            ([a_season(days=(START, START - timedelta(days=1)))], [("/0/last_on", "out_of_range")]),
            ([a_season(weekdays=(0,))], [("/0/weekdays", "out_of_range")]),
            ([a_season(priority=101)], [("/0/priority", "out_of_range")]),
            ([a_season(Adjustment.PERCENTAGE_DOWN, "100")], [("/0/percentage", "out_of_range")]),
            ([a_season(Adjustment.PERCENTAGE_UP, "100")], []),
            ([a_season(Adjustment.FIXED_PRICE, egp("0"))], [("/0/price", "out_of_range")]),
            ([a_season(Adjustment.FIXED_PRICE, Money.of(9, "USD"))], [("/0/price", "currency_mismatch")]),
            ([a_season(priority=i) for i in range(51)], [("", "out_of_range")]),
        ],
    )
    def test_of_two_seasons_it_is_always_said_which_one_counts(
        self, seasons: list[Season], faults: list[tuple[str, str]]
    ) -> None:
        try:
            refuse_unsound_seasons(seasons, egp("1000"))
        except UnsoundPrices as refused:
            found = [(fault.pointer.removeprefix("/seasons"), fault.code) for fault in refused.faults]
        else:
            found = []
        assert found == faults

    def test_a_season_is_a_percentage_or_a_price(self) -> None:
        with pytest.raises(TypeError):
            a_season(Adjustment.FIXED_PRICE, "20")
        with pytest.raises(TypeError):
            a_season(Adjustment.PERCENTAGE_UP, egp("20"))


def a_rate(source: str, target: str, rate: str | Decimal) -> ExchangeRate:
    return ExchangeRate(
        id=new_id(), source=currency(source), target=currency(target), rate=Decimal(rate), valid_from=NOON
    )


class TestAnotherCurrency:
    @pytest.mark.parametrize(
        ("source", "price", "target", "rate", "expected"),
        [
            ("EGP", "1000.00", "KWD", "0.0061505", "6.151"),
            ("EGP", "1000.00", "JPY", "3.0005", "3001"),
            ("EGP", "1000.00", "USD", "0.020404", "20.40"),
            ("KWD", "10.000", "JPY", "490.15", "4902"),
            ("JPY", "15000", "EGP", "0.33333", "4999.95"),
            ("JPY", "1", "KWD", "0.0020", "0.002"),
            ("EGP", "0.01", "JPY", "3", "1"),
            ("EGP", "0.00", "JPY", "3", "0"),
            ("KWD", "0.000", "EGP", "163", "0.00"),
        ],
    )
    def test_a_price_is_rounded_half_up_and_never_becomes_free(
        self, source: str, price: str, target: str, rate: str, expected: str
    ) -> None:
        shown = a_rate(source, target, rate).convert_price(Money.parse(price, source))

        assert (shown.decimal(), shown.currency.code) == (expected, target)

    @given(price=PRICES, target=st.sampled_from(CODES), rate=st.integers(1, 10**12))
    def test_it_is_the_exact_worth_but_half_a_coin(self, price: Money, target: str, rate: int) -> None:
        if price.currency.code == target:
            return
        dated = a_rate(price.currency.code, target, Decimal(rate).scaleb(-9))
        exact = Fraction(price.minor, price.currency.scale) * Fraction(dated.rate) * currency(target).scale
        if exact > 10**15:
            return
        shown = dated.convert_price(price)

        assert shown.is_positive
        assert abs(shown.minor - exact) <= Fraction(1, 2) or (shown.minor == 1 and exact < 1)

    def test_everything_in_the_list_is_in_the_other_currency(self) -> None:
        bands = (a_band("CHILD", (0, 5), egp("100")), a_band("YOUTH", (6, 11), "50"), a_band())
        feast = a_season(Adjustment.FIXED_PRICE, egp("3000"))
        prices = a_list(None, bands, feast).in_currency(a_rate("EGP", "KWD", "0.0061505"))
        item = prices.item_for(Party(count=3, birth_dates=(born(3), born(8))), starts_on=START)

        assert prices.price.decimal() == "6.151"
        assert [unit.price.decimal() for unit in item.units] == ["18.452", "9.226", "0.615"]
        assert {unit.listed.currency.code for unit in item.units} == {"KWD"} == {item.left.currency.code}

    def test_an_amount_in_another_currency_is_refused(self) -> None:
        for bands, seasons in [
            ((a_band("CHILD", (0, 11), Money.of(5, "USD")), a_band()), ()),
            ((), (a_season(Adjustment.FIXED_PRICE, Money.of(5, "USD")),)),
        ]:
            with pytest.raises(CurrencyMismatch):
                a_list(egp("1000"), bands, *seasons)

    def test_a_rate_of_other_currencies_is_refused(self) -> None:
        with pytest.raises(CurrencyMismatch):
            a_list().in_currency(a_rate("USD", "EGP", "48"))


def test_no_price_is_below_zero() -> None:
    with pytest.raises(ValueError, match="below zero"):
        as_price(Fraction(-1, 3), currency("EGP"))


@pytest.mark.parametrize(
    ("day", "rate", "each", "together"),
    [
        (date(2027, 6, 30), None, ["1000.00", "500.00", "75.50"], "EGP 2575.50"),
        (date(2027, 7, 5), None, ["1125.00", "562.50", "84.94"], "EGP 2897.44"),
        (date(2027, 7, 10), None, ["2500.00", "1250.00", "75.50"], "EGP 6325.50"),
        (date(2027, 7, 5), a_rate("EGP", "KWD", "0.0061505"), ["6.920", "3.460", "0.522"], "KWD 17.822"),
    ],
)
def test_the_example_of_the_documentation(day: date, rate: ExchangeRate | None, each: list[str], together: str) -> None:
    """docs/prices.md."""
    bands = (a_band("INFANT", (0, 1), egp("75.50"), takes_a_seat=False), *FAMILY[1:])
    summer = a_season(amount="12.50", days=(date(2027, 7, 1), date(2027, 7, 31)))
    feast = a_season(
        Adjustment.FIXED_PRICE,
        egp("2500.00"),
        days=(date(2027, 7, 9), date(2027, 7, 10)),
        weekdays=(5, 6),
        priority=1,
    )
    refuse_unsound_seasons([summer, feast], egp("1000.00"))
    prices = a_list(egp("1000.00"), bands, summer, feast)
    prices = prices if rate is None else prices.in_currency(rate)
    almost_twelve = (day + timedelta(days=1)).replace(year=day.year - 12)
    party = Party(count=4, birth_dates=(date(1990, 1, 1), almost_twelve, date(2026, 1, 1)))
    item = prices.item_for(party, starts_on=day)

    assert [(unit.quantity, unit.price.decimal()) for unit in item.units] == [
        (count, price) for count, price in zip((2, 1, 1), each, strict=True)
    ]
    assert str(item.price) == together
    assert prices.seats_for(party, day) == 3
