"""Vouchers: what they give, why they give nothing, and what staff may change of them (traps 29 to 31)."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.pricing.baskets import Basket, Benefit, NotApplied
from domain.pricing.codes import fold_code
from domain.pricing.deals import AppliesTo, Reason, UnsoundDeal
from domain.pricing.schedules import Schedule
from domain.pricing.vouchers import (
    NEXT,
    Voucher,
    VoucherExhausted,
    VoucherOver,
    VoucherRedeemed,
    VoucherStatus,
    VoucherType,
)
from domain.shared.errors import IllegalTransition, InvalidValue
from domain.shared.money import EXPONENTS, Money
from domain.shared.percentage import Percentage
from middlewares.messages.pricing import REASONS, reason_sentence
from tests.builders import NOON, egp
from tests.deals import TEN_PERCENT, a_basket, a_voucher, an_item, held

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
FIXED, CASHBACK, FREE = VoucherType.DISCOUNT_FIXED, VoucherType.CASHBACK, VoucherType.FREE_SERVICE
# 23 November 2026 is a Monday; NOON is 12:00 in Cairo.
MONDAY = 1


def given_by(voucher: Voucher, basket: Basket | None = None) -> Benefit:
    found = held(voucher).evaluate(basket or a_basket())
    assert isinstance(found, Benefit), found
    return found


def refused(voucher: Voucher, basket: Basket | None = None, *, used: int = 0) -> NotApplied:
    found = held(voucher, used_by_buyer=used).evaluate(basket or a_basket())
    assert isinstance(found, NotApplied), found
    return found


class TestBenefit:
    def test_a_percentage_comes_off_what_is_left(self) -> None:
        basket = a_basket(an_item((2, egp("1000.00")), left=egp("1800.00")))

        benefit = given_by(a_voucher(), basket)

        assert benefit.discount == egp("180.00")
        assert benefit.keys == basket.keys
        assert benefit.cashback is None

    def test_a_percentage_stops_at_its_maximum(self) -> None:
        assert given_by(a_voucher(max_discount=egp("150.00"))).discount == egp("150.00")

    def test_an_amount_takes_no_more_than_there_is(self) -> None:
        voucher = a_voucher(voucher_type=FIXED, discount_value=egp("5000.00"))

        assert given_by(voucher).discount == egp("2000.00")

    def test_cashback_is_promised_and_nothing_comes_off(self) -> None:
        benefit = given_by(a_voucher(voucher_type=CASHBACK, discount_value=TEN_PERCENT, max_discount=egp("150.00")))

        assert (benefit.discount, benefit.cashback) == (egp("0.00"), egp("150.00"))

    def test_a_free_service_is_named_even_where_nothing_is_left_to_pay(self) -> None:
        voucher = a_voucher(voucher_type=FREE, gift_ar="استقبال من المطار", gift_en="Airport pick-up")
        basket = a_basket(an_item((2, egp("1000.00")), left=egp("0.00")))

        benefit = given_by(voucher, basket)

        assert (benefit.discount, benefit.gift_en, benefit.gift_ar) == (
            egp("0.00"), "Airport pick-up", "استقبال من المطار",
        )  # fmt: skip

    def test_only_items_of_its_type_count(self) -> None:
        hotel, tour = an_item(egp("300.00"), booking_type="HOTEL"), an_item(egp("700.00"), booking_type="TOUR")
        voucher = a_voucher(applicable_to=AppliesTo.TOUR)

        benefit = given_by(voucher, a_basket(hotel, tour))

        assert (benefit.discount, benefit.keys) == (egp("70.00"), {tour.key})

    def test_without_a_title_it_is_called_by_its_code(self) -> None:
        assert given_by(a_voucher(code="SUMMER", title_ar="", title_en="")).title_ar == "SUMMER"


REFUSALS: list[tuple[Reason, dict[str, Any], dict[str, Any], int]] = [
    # reason, the voucher's terms, the basket's, how often the buyer has used it
    (Reason.NOT_STARTED, {"valid_from": NOON + HOUR}, {}, 0),
    (Reason.EXPIRED, {"valid_from": NOON - DAY, "valid_until": NOON}, {}, 0),
    (Reason.INACTIVE, {"status": VoucherStatus.INACTIVE}, {}, 0),
    (Reason.INACTIVE, {"status": VoucherStatus.EXPIRED}, {}, 0),
    (Reason.EXHAUSTED, {"status": VoucherStatus.EXHAUSTED}, {}, 0),
    (Reason.EXHAUSTED, {"usage_limit_total": 3, "usage_count": 3}, {}, 0),
    (Reason.USED_UP_BY_YOU, {"usage_limit_per_user": 2}, {}, 2),
    (Reason.OUTSIDE_SCHEDULE, {"schedule": Schedule(weekdays=(2, 3))}, {}, 0),
    (Reason.TRAVEL_DATES, {"schedule": Schedule(travel_from=date(2027, 1, 1))}, {"starts_on": date(2026, 12, 31)}, 0),
    (Reason.TRAVEL_DATES, {"schedule": Schedule(travel_until=date(2027, 1, 1))}, {}, 0),
    (Reason.WRONG_TYPE, {"applicable_to": AppliesTo.FLIGHT}, {}, 0),
    (Reason.WRONG_CURRENCY, {"max_discount": Money.of(1, "KWD")}, {}, 0),
    (Reason.BELOW_MINIMUM, {"min_purchase_amount": egp("2000.01")}, {}, 0),
]


@pytest.mark.parametrize(("reason", "terms", "basket", "used"), REFUSALS)
def test_each_reason_is_told(reason: Reason, terms: dict[str, Any], basket: dict[str, Any], used: int) -> None:
    found = refused(a_voucher(**terms), a_basket(**basket), used=used)

    assert found.reason == reason
    assert found.title_en == "Summer"
    for language in ("ar", "en"):
        assert reason_sentence(found.reason, language, found.figures)


def test_nothing_left_is_told() -> None:
    basket = a_basket(an_item(egp("10.00"), left=egp("0.00")))

    assert refused(a_voucher(), basket).reason == Reason.NOTHING_LEFT
    assert refused(a_voucher(voucher_type=FIXED, discount_value=egp("5.00")), basket).reason == Reason.NOTHING_LEFT


def test_what_is_below_the_minimum_is_told_how_far() -> None:
    found = refused(a_voucher(min_purchase_amount=egp("2500.00")))

    assert found.figures == {"minimum": "EGP 2500.00", "missing": "EGP 500.00"}


def test_one_that_goes_with_no_other_says_so() -> None:
    voucher = held(a_voucher(combines_with_offers=False))

    assert not voucher.combines
    assert voucher.not_combined().reason == Reason.NOT_COMBINABLE


def test_every_reason_has_its_sentences() -> None:
    assert set(REASONS) == set(Reason)


class TestSchedule:
    LATE = Schedule(weekdays=(MONDAY,), hours_from=time(22), hours_until=time(2))

    @pytest.mark.parametrize(
        ("cairo", "covered"),
        [
            ("2026-11-23T21:59", False), ("2026-11-23T22:00", True), ("2026-11-24T01:59", True),
            ("2026-11-24T02:00", False), ("2026-11-23T01:00", False), ("2026-11-24T22:30", False),
        ],
    )  # fmt: skip
    def test_hours_past_midnight_belong_to_the_day_before(self, cairo: str, covered: bool) -> None:
        at = datetime.fromisoformat(f"{cairo}+02:00").astimezone(UTC)

        assert self.LATE.covers(at) == covered

    def test_hours_are_those_of_cairo_in_summer_too(self) -> None:
        evening = Schedule(hours_from=time(18), hours_until=time(19))

        assert evening.covers(datetime(2026, 7, 1, 15, 30, tzinfo=UTC))
        assert not evening.covers(datetime(2026, 7, 1, 16, 30, tzinfo=UTC))

    def test_both_travel_dates_count(self) -> None:
        january = Schedule(travel_from=date(2027, 1, 1), travel_until=date(2027, 1, 31))

        assert [january.covers_trip(date(2027, *day)) for day in ((1, 1), (1, 31), (2, 1))] == [True, True, False]


class TestCodes:
    @pytest.mark.parametrize(
        ("typed", "kept"),
        [("summer26", "SUMMER26"), ("  ｓｕｍｍｅｒ ", "SUMMER"), ("SALE-٢٠٢٦", "SALE-2026"), ("a_b", "A_B")],
    )
    def test_what_people_type_alike_is_one_code(self, typed: str, kept: str) -> None:
        assert fold_code(typed) == kept

    @pytest.mark.parametrize(
        "typed", ["", "AB", "A" * 41, "TWO WORDS", "-DASH", "رمضان", "A\x00BC", "💰💰💰", "ABC\n1"]
    )
    def test_anything_else_is_none(self, typed: str) -> None:
        with pytest.raises(InvalidValue):
            fold_code(typed)

    @given(st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_-]{2,39}", fullmatch=True))
    def test_folding_is_the_same_whatever_the_case_and_done_once(self, typed: str) -> None:
        code = fold_code(typed)

        assert fold_code(code) == fold_code(typed.lower()) == fold_code(typed.swapcase()) == code == typed.upper()

    @given(st.text(max_size=45))
    def test_whatever_is_typed_folds_to_a_code_that_folds_to_itself(self, typed: str) -> None:
        try:
            code = fold_code(typed)
        except InvalidValue:
            return
        assert code.isascii()
        assert fold_code(code) == code


class TestTerms:
    @pytest.mark.parametrize(
        ("terms", "pointer"),
        [
            ({"discount_value": None}, "/discount_value"), ({"discount_value": egp("1.00")}, "/discount_value"),
            ({"discount_value": Percentage(0)}, "/discount_value"),
            ({"voucher_type": FIXED, "discount_value": TEN_PERCENT}, "/discount_value"),
            ({"voucher_type": FIXED, "discount_value": egp("0.00")}, "/discount_value"),
            ({"voucher_type": FREE, "discount_value": TEN_PERCENT, "gift_en": "Lunch"}, "/discount_value"),
            ({"voucher_type": FREE}, "/gift_en"), ({"gift_en": "Lunch"}, "/gift_en"),
            ({"max_discount": egp("1.00"), "min_purchase_amount": Money.of(1, "USD")}, "/max_discount"),
            ({"max_discount": egp("0.00")}, "/max_discount"),
            ({"min_purchase_amount": -egp("1.00")}, "/min_purchase_amount"),
            ({"usage_limit_total": 0}, "/usage_limit_total"), ({"usage_limit_per_user": 0}, "/usage_limit_per_user"),
            ({"valid_from": NOON, "valid_until": NOON}, "/valid_until"), ({"title_en": "x" * 201}, "/title_en"),
            ({"applicable_to": AppliesTo.SPECIFIC_ITEMS}, "/applicable_to"),
            ({"schedule": Schedule(weekdays=(8,))}, "/schedule/weekdays"),
            ({"schedule": Schedule(hours_from=time(1))}, "/schedule/hours_until"),
            ({"schedule": Schedule(hours_from=time(1), hours_until=time(1))}, "/schedule/hours_until"),
            (
                {"schedule": Schedule(travel_from=date(2027, 1, 2), travel_until=date(2027, 1, 1))},
                "/schedule/travel_until",
            ),
        ],
    )  # fmt: skip
    def test_what_cannot_be_is_named(self, terms: dict[str, Any], pointer: str) -> None:
        with pytest.raises(UnsoundDeal) as refusal:
            a_voucher(**terms)

        assert pointer in [fault.pointer for fault in refusal.value.faults]

    def test_once_it_was_redeemed_what_it_gives_stays(self) -> None:
        voucher = a_voucher()

        with pytest.raises(VoucherRedeemed) as refusal:
            voucher.change(was_redeemed=True, at=NOON, discount_value=Percentage.parse("90"), code="other")
        assert {fault.pointer for fault in refusal.value.faults} == {"/code", "/discount_value"}

        voucher.change(
            was_redeemed=True, at=NOON, usage_limit_total=5, valid_until=NOON + DAY, discount_value=TEN_PERCENT
        )
        assert (voucher.usage_limit_total, voucher.valid_until) == (5, NOON + DAY)

    def test_a_limit_is_never_below_the_count(self) -> None:
        voucher = a_voucher(usage_limit_total=5, usage_count=3)

        with pytest.raises(UnsoundDeal):
            voucher.change(was_redeemed=True, at=NOON, usage_limit_total=2)
        assert voucher.usage_limit_total == 5

    def test_a_limit_that_is_moved_takes_the_status_with_it(self) -> None:
        voucher = a_voucher(usage_limit_total=5, usage_count=3)

        voucher.change(was_redeemed=True, at=NOON, usage_limit_total=3)
        assert voucher.status is VoucherStatus.EXHAUSTED
        voucher.change(was_redeemed=True, at=NOON, usage_limit_total=None)
        assert voucher.status is VoucherStatus.ACTIVE


class TestStatus:
    @pytest.mark.parametrize("status", VoucherStatus)
    @pytest.mark.parametrize(
        ("verb", "wanted"), [("activate", VoucherStatus.ACTIVE), ("deactivate", VoucherStatus.INACTIVE)]
    )
    def test_a_verb_moves_as_the_table_says(self, status: VoucherStatus, verb: str, wanted: VoucherStatus) -> None:
        voucher = a_voucher(status=status)

        if wanted in NEXT[status]:
            getattr(voucher, verb)(at=NOON)
            assert voucher.status is wanted
        else:
            with pytest.raises(IllegalTransition):
                getattr(voucher, verb)(at=NOON)
            assert voucher.status is status

    def test_one_that_is_over_or_used_up_is_not_put_in_use(self) -> None:
        with pytest.raises(VoucherOver):
            a_voucher(status=VoucherStatus.EXPIRED, valid_from=NOON - DAY, valid_until=NOON).activate(at=NOON)
        with pytest.raises(VoucherExhausted):
            a_voucher(status=VoucherStatus.INACTIVE, usage_limit_total=1, usage_count=1).activate(at=NOON)


MINOR = st.integers(0, 10**10)


@st.composite
def purchases(draw: st.DrawFn) -> tuple[Voucher, Basket]:
    """A voucher with a value in some currency, and a basket of which discounts have left something."""
    code = draw(st.sampled_from(sorted(EXPONENTS)))
    kind = draw(st.sampled_from((VoucherType.DISCOUNT_PERCENTAGE, FIXED, CASHBACK)))
    percent = kind is VoucherType.DISCOUNT_PERCENTAGE or (kind is CASHBACK and draw(st.booleans()))
    value = Percentage(draw(st.integers(1, 10_000))) if percent else Money.of(draw(st.integers(1, 10**10)), code)
    most = draw(st.none() | st.integers(1, 10**9).map(lambda minor: Money.of(minor, code)))
    items = []
    for price in draw(st.lists(st.integers(0, 10**9), min_size=1, max_size=4)):
        left = draw(st.integers(0, price * 2))
        items.append(an_item((2, Money.of(price, code)), left=Money.of(left, code)))
    voucher = a_voucher(voucher_type=kind, discount_value=value, max_discount=most)
    return voucher, a_basket(*items)


@given(purchases())
def test_a_voucher_gives_no_more_than_is_left_and_than_its_maximum(purchase: tuple[Voucher, Basket]) -> None:
    voucher, basket = purchase

    found = held(voucher).evaluate(basket)

    if isinstance(found, NotApplied):
        assert found.reason == Reason.NOTHING_LEFT
        return
    given = found.discount if found.cashback is None else found.cashback
    assert Money(0, given.currency) < given <= basket.left
    assert voucher.max_discount is None or given <= voucher.max_discount
    assert basket.take_off(found.discount, found.keys).left == basket.left - found.discount


@given(minor=st.integers(0, 10**12), hundredths=st.integers(1, 10_000), code=st.sampled_from(["JPY", "EGP", "KWD"]))
def test_a_percentage_is_rounded_half_up_to_the_smallest_coin(minor: int, hundredths: int, code: str) -> None:
    voucher = a_voucher(discount_value=Percentage(hundredths))

    worth = voucher.worth(Money.of(minor, code)).minor

    assert abs(worth * 10_000 - minor * hundredths) * 2 <= 10_000
    assert worth == (minor * hundredths * 2 + 10_000) // 20_000
