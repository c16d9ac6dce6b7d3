"""Points: what they earn and pay, which lots they leave, and that they go back to the same ones."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.ledger.journal import InsufficientBalance, ReversalRefused
from domain.ledger.lots import LotEntry, OpenLot, consume, consume_from, give_back
from domain.ledger.points import Earning, PointsFigures, PointsTerms, still_to_take
from domain.operations import settings
from domain.shared.money import EXPONENTS, Money, currency
from tests.builders import NOON, egp

TERMS = PointsTerms()
DAY = timedelta(days=1)
GRACE = timedelta(days=30)
MONEY = st.builds(Money.of, st.integers(0, 10**9), st.sampled_from(sorted(EXPONENTS)))
RATES = st.builds(lambda rate: PointsTerms(points_per_money_unit=rate), st.integers(1, 5_000))


def a_lot(number: int, remaining: int, *, ends_in: int = 100) -> OpenLot:
    """Lots are told apart by their number, as their journals are; they end in so many days from noon."""
    return OpenLot(UUID(int=number), remaining, NOON + ends_in * DAY, came_with(number))


def came_with(number: int) -> UUID:
    return UUID(int=1000 + number)


@st.composite
def lots(draw: st.DrawFn) -> list[OpenLot]:
    """Some lots with something left; several may end on one day."""
    kept = draw(st.lists(st.tuples(st.integers(1, 200), st.integers(-20, 200)), min_size=1, max_size=8))
    return [a_lot(number, remaining, ends_in=day) for number, (remaining, day) in enumerate(kept, 1)]


def after(held: list[OpenLot], *done: tuple[LotEntry, ...]) -> dict[UUID, int]:
    """What is left of each lot."""
    left = {lot.id: lot.remaining for lot in held}
    for entry in (entry for entries in done for entry in entries):
        left[entry.lot_id] += entry.points
    return left


def missing(taken: tuple[LotEntry, ...], held: list[OpenLot], *given_back: tuple[LotEntry, ...]) -> list[OpenLot]:
    """What lots still miss of a consumption."""
    before = {lot.id: lot for lot in held}
    gone = {entry.lot_id: -entry.points for entry in taken}
    for entry in (entry for entries in given_back for entry in entries):
        gone[entry.lot_id] -= entry.points
    return [replace(before[lot_id], remaining=points) for lot_id, points in gone.items() if points]


def test_the_soonest_ending_points_are_spent_first() -> None:
    held = [a_lot(1, 50, ends_in=90), a_lot(2, 50, ends_in=10), a_lot(3, 50, ends_in=30)]

    assert consume(held, 70) == (LotEntry(UUID(int=2), -50), LotEntry(UUID(int=3), -20))


def test_of_lots_that_end_together_the_older_is_spent_first() -> None:
    assert consume([a_lot(2, 50), a_lot(1, 50)], 10) == (LotEntry(UUID(int=1), -10),)


def test_what_is_taken_back_leaves_its_own_lot_first() -> None:
    held = [a_lot(1, 50, ends_in=1), a_lot(2, 30, ends_in=9), a_lot(3, 50, ends_in=5)]

    taken = consume_from(held, 100, first=came_with(2))

    assert taken == (LotEntry(UUID(int=2), -30), LotEntry(UUID(int=1), -50), LotEntry(UUID(int=3), -20))


@given(held=lots(), points=st.integers(1, 2_000))
def test_exactly_what_was_asked_is_taken_or_nothing(held: list[OpenLot], points: int) -> None:
    if points > sum(lot.remaining for lot in held):
        with pytest.raises(InsufficientBalance):
            consume(held, points)
        return

    taken = consume(held, points)

    assert -sum(entry.points for entry in taken) == points
    assert all(left >= 0 for left in after(held, taken).values())
    last = max(lot.ends_at for lot in held if any(entry.lot_id == lot.id for entry in taken))
    assert all(after(held, taken)[lot.id] == 0 for lot in held if lot.ends_at < last)


@given(data=st.data(), held=lots())
def test_any_sequence_of_parts_gives_the_same_lots_back(data: st.DataObject, held: list[OpenLot]) -> None:
    points = data.draw(st.integers(1, sum(lot.remaining for lot in held)))
    taken = consume(held, points)
    given_back: list[tuple[LotEntry, ...]] = []

    left = points
    while left:
        part = data.draw(st.integers(1, left))
        given_back.append(give_back(missing(taken, held, *given_back), part, at=NOON, grace=GRACE))
        left -= part

    assert after(held, taken, *given_back) == {lot.id: lot.remaining for lot in held}


@given(data=st.data(), held=lots())
def test_giving_a_part_back_is_as_if_less_had_been_spent(data: st.DataObject, held: list[OpenLot]) -> None:
    points = data.draw(st.integers(1, sum(lot.remaining for lot in held)))
    back = data.draw(st.integers(0, points))
    taken = consume(held, points)

    given_back = give_back(missing(taken, held), back, at=NOON, grace=GRACE)

    assert after(held, taken, given_back) == after(held, consume(held, points - back))


def test_more_than_was_taken_is_not_given_back() -> None:
    with pytest.raises(ReversalRefused):
        give_back([a_lot(1, 10)], 11, at=NOON, grace=GRACE)


@pytest.mark.parametrize(
    ("ends_in", "grace_until"), [(1, None), (0, NOON + GRACE), (-1, NOON + GRACE)], ids=["lives", "ends now", "ended"]
)
def test_only_a_lot_that_has_ended_gets_a_grace(ends_in: int, grace_until: datetime | None) -> None:
    (entry,) = give_back([a_lot(1, 10, ends_in=ends_in)], 4, at=NOON, grace=GRACE)

    assert entry == LotEntry(UUID(int=1), 4, grace_until)


# What points pay ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("points", "code", "worth"),
    [(100, "EGP", "1.00"), (1, "EGP", "0.01"), (199, "JPY", "1"), (99, "JPY", "0"), (1, "KWD", "0.010")],
)
def test_a_hundred_points_pay_one_whole_unit(points: int, code: str, worth: str) -> None:
    assert TERMS.value_of(points, currency(code)) == Money.parse(worth, code)


@given(amount=MONEY, terms=RATES)
def test_the_fewest_points_that_pay_an_amount_pay_all_of_it(amount: Money, terms: PointsTerms) -> None:
    points = terms.points_for_exactly(amount)

    assert amount <= terms.value_of(points, amount.currency)
    assert points == 0 or terms.value_of(points - 1, amount.currency) < amount


@given(due=MONEY, points=st.integers(0, 10**9), terms=RATES)
def test_a_tender_takes_no_point_that_pays_nothing_and_pays_no_more_than_is_due(
    due: Money, points: int, terms: PointsTerms
) -> None:
    tender = terms.tender(points, due)

    assert tender.points <= points
    assert tender.worth <= due
    assert tender.worth == min(terms.value_of(points, due.currency), due, key=lambda amount: amount.minor)
    assert tender.points == 0 or terms.value_of(tender.points - 1, due.currency) < tender.worth


def test_odd_piastres_are_covered_to_the_last_one() -> None:
    terms = PointsTerms(points_per_money_unit=30)

    tender = terms.tender(10_000, egp("9.99"))

    assert (tender.points, tender.worth) == (300, egp("9.99"))


def test_the_terms_are_what_the_settings_say_by_default() -> None:
    assert (
        PointsTerms(
            money_units_per_point=settings.MONEY_UNITS_PER_POINT.default,
            points_per_money_unit=settings.POINTS_PER_MONEY_UNIT.default,
            by_currency=dict(settings.POINTS_BY_CURRENCY.default),
            lifetime=timedelta(days=settings.POINTS_LIFETIME_DAYS.default),
            grace=timedelta(days=settings.POINTS_GRACE_DAYS.default),
            expiring_soon=timedelta(days=settings.POINTS_EXPIRING_SOON_DAYS.default),
        )
        == TERMS
    )


# Another currency than the listed one ------------------------------------------------------------------


@dataclass(frozen=True)
class Rate:
    """What a sale's prices were converted with."""

    from_currency: str
    rate: Decimal


CONVERSIONS = st.builds(
    Rate,
    st.sampled_from(["EGP", "JPY", "KWD"]),
    st.decimals("0.000000000001", "999999999", places=12).filter(lambda rate: rate > 0),
)
FIGURES = st.builds(
    PointsFigures, money_units_per_point=st.integers(1, 500), points_per_money_unit=st.integers(1, 5_000)
)
ANY_TERMS = st.builds(
    PointsTerms,
    money_units_per_point=st.integers(1, 500),
    points_per_money_unit=st.integers(1, 5_000),
    by_currency=st.dictionaries(st.sampled_from(["EGP", "JPY", "KWD"]), FIGURES),
)
TARGETS = st.sampled_from(["USD", "KRW", "BHD"])


@given(terms=ANY_TERMS, exchange=CONVERSIONS, code=TARGETS, points=st.integers(0, 10**6))
def test_points_are_worth_no_more_in_another_currency(
    terms: PointsTerms, exchange: Rate, code: str, points: int
) -> None:
    worth = terms.converted(exchange)._minor_of(points, currency(code))

    listed, rate = terms.value_of(points, currency(exchange.from_currency)), Fraction(exchange.rate)
    in_target = rate * currency(code).scale / listed.currency.scale
    assert worth <= in_target * (listed.minor + 1)
    assert in_target * listed.minor < worth + 1


@given(terms=ANY_TERMS, exchange=CONVERSIONS, code=TARGETS, minor=st.integers(0, 10**6))
def test_the_fewest_points_pay_an_amount_in_another_currency_too(
    terms: PointsTerms, exchange: Rate, code: str, minor: int
) -> None:
    converted, unit = terms.converted(exchange), currency(code)

    points = converted.points_for_exactly(Money(minor, unit))

    assert converted._minor_of(points, unit) >= minor
    assert points == 0 or converted._minor_of(points - 1, unit) < minor
    tender = converted.tender(points, Money(minor, unit))
    assert (tender.points, tender.worth.minor) == (points, minor)


@given(terms=ANY_TERMS, exchange=CONVERSIONS, code=TARGETS, minor=st.integers(0, 10**9), multiplier=st.integers(1, 500))
def test_money_earns_what_its_worth_in_the_listed_currency_earns(
    terms: PointsTerms, exchange: Rate, code: str, minor: int, multiplier: int
) -> None:
    earned = terms.converted(exchange).earned_by(Money.of(minor, code), multiplier)

    figures = terms.by_currency.get(exchange.from_currency, terms)
    listed_units = Fraction(minor, currency(code).scale) / Fraction(exchange.rate)
    assert earned == int(listed_units / figures.money_units_per_point) * multiplier // 100


@given(terms=ANY_TERMS, amount=MONEY)
def test_without_a_conversion_the_terms_are_the_same(terms: PointsTerms, amount: Money) -> None:
    assert terms.converted(None) is terms
    figures = terms.by_currency.get(amount.currency.code, terms)
    plain = PointsTerms(
        money_units_per_point=figures.money_units_per_point, points_per_money_unit=figures.points_per_money_unit
    )
    assert terms.earned_by(amount, 150) == plain.earned_by(amount, 150)
    assert terms.tender(5_000, amount) == plain.tender(5_000, amount)


def test_thirteen_hundred_points_pay_thirteen_pounds_in_dinars() -> None:
    terms = TERMS.converted(Rate("EGP", Decimal("0.0065")))

    assert terms.value_of(1_300, currency("KWD")) == Money.parse("0.084", "KWD")
    assert terms.points_for_exactly(Money.parse("13.000", "KWD")) == 200_000
    assert terms.earned_by(Money.parse("13.000", "KWD"), 100) == TERMS.earned_by(egp("2000.00"), 100) == 200


def test_a_currency_may_have_figures_of_its_own() -> None:
    dinars = PointsFigures(money_units_per_point=1, points_per_money_unit=15_000)
    terms = PointsTerms(by_currency={"KWD": dinars})

    assert terms.value_of(1_500, currency("KWD")) == Money.parse("0.100", "KWD")
    assert terms.earned_by(Money.parse("3.000", "KWD"), 100) == 3
    assert terms.value_of(1_500, currency("EGP")) == egp("15.00")
    in_pounds = terms.converted(Rate("KWD", Decimal(150)))
    assert in_pounds.value_of(1_500, currency("EGP")) == egp("15.00")
    assert in_pounds.earned_by(egp("450.00"), 100) == 3


# Taking earnings back ----------------------------------------------------------------------------------


def an_earning(points: int, *, reached: int | None = None, **since: int) -> Earning:
    return Earning(
        journal_id=UUID(int=1),
        points=points,
        reached=points if reached is None else reached,
        **since,
    )


@given(points=st.integers(1, 10_000), paid=st.integers(1, 10**7), parts=st.lists(st.integers(1, 10**6), max_size=6))
def test_what_is_clawed_back_is_in_proportion_and_in_the_end_everything(
    points: int, paid: int, parts: list[int]
) -> None:
    taken = refunded = 0
    for part in [*parts, paid]:
        refunded = min(refunded + part, paid)
        earnings = [an_earning(points, taken_back=taken)]
        taken += still_to_take(earnings, paid=Money.of(paid, "EGP"), refunded=Money.of(refunded, "EGP"))
        assert points - taken == points * (paid - refunded) // paid

    assert taken == points


@pytest.mark.parametrize(
    ("promised", "paid", "refunded", "taken"),
    [(1_000, 1_000, 0, 4_000), (1_000, 1_000, 500, 4_500), (0, 1_000, 0, 5_000), (5_000, 1_000, 0, 0),
     (7_000, 1_000, 0, 0), (1_000, 0, 0, 4_000), (400, 0, 0, 4_600)],
)  # fmt: skip
def test_what_is_promised_no_more_is_taken_back(promised: int, paid: int, refunded: int, taken: int) -> None:
    money = {"paid": Money.of(paid, "EGP"), "refunded": Money.of(refunded, "EGP")}

    assert still_to_take([an_earning(5_000)], promised=promised, **money) == taken
    assert still_to_take([an_earning(5_000, taken_back=taken)], promised=promised, **money) == 0


def test_what_paid_off_a_debt_becomes_debt_again() -> None:
    assert an_earning(100, reached=70).takeable(500) == 70
    assert an_earning(100, reached=70, taken_from_points=60).takeable(500) == 10
    assert an_earning(100).takeable(30) == 30
    assert an_earning(100).takeable(-5) == 0
