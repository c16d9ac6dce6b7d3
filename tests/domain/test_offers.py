"""Offers: what they give, two for the price of one, and why they give nothing."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.pricing.baskets import Basket, Benefit, NotApplied
from domain.pricing.deals import AppliesTo, Reason, UnsoundDeal
from domain.pricing.offers import NEXT, Offer, OfferOver, OfferStatus, OfferType, OpenOffer, left_of_second_ones
from domain.shared.errors import IllegalTransition
from domain.shared.money import Money
from infrastructure.clock import new_id
from middlewares.messages.pricing import reason_sentence
from tests.builders import NOON, egp
from tests.deals import TEN_PERCENT, a_basket, an_item, an_offer

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
BOGO, POINTS, UPGRADE = OfferType.BOGO, OfferType.BONUS_POINTS, OfferType.FREE_UPGRADE
ELSEWHERE = new_id()


def evaluated(offer: Offer, basket: Basket | None = None, *, used: int = 0) -> Benefit | NotApplied:
    return OpenOffer(offer=offer, used_by_buyer=used).evaluate(basket or a_basket())


def given_by(offer: Offer, basket: Basket | None = None) -> Benefit:
    found = evaluated(offer, basket)
    assert isinstance(found, Benefit), found
    return found


class TestBenefit:
    def test_a_percentage_and_an_amount_come_off(self) -> None:
        assert given_by(an_offer()).discount == egp("200.00")
        fixed = an_offer(offer_type=OfferType.DISCOUNT_FIXED, discount_value=egp("5000.00"), max_discount=egp("99.99"))
        assert given_by(fixed).discount == egp("99.99")

    def test_only_the_items_that_it_names_count(self) -> None:
        one, other = an_item(egp("300.00")), an_item(egp("700.00"))
        offer = an_offer(applicable_to=AppliesTo.SPECIFIC_ITEMS, target_item_ids=(other.key, ELSEWHERE))

        benefit = given_by(offer, a_basket(one, other))

        assert (benefit.discount, benefit.keys) == (egp("70.00"), {other.key})

    def test_an_upgrade_is_named_and_costs_nothing(self) -> None:
        benefit = given_by(an_offer(offer_type=UPGRADE, gift_en="Sea view"))

        assert (benefit.discount, benefit.gift_en, benefit.gift_ar) == (egp("0.00"), "Sea view", "Sea view")

    @pytest.mark.parametrize(("per_unit", "points"), [(False, 500), (True, 1000)])
    def test_points_are_for_the_purchase_or_for_each_unit(self, per_unit: bool, points: int) -> None:
        offer = an_offer(offer_type=POINTS, bonus_points=500, points_per_unit=per_unit)

        assert given_by(offer).bonus_points == points


class TestTwoForOne:
    @pytest.mark.parametrize(
        ("prices", "free"),
        [
            (["100"] * 2, "100"), (["100"] * 3, "100"), (["100"] * 4, "200"), (["100", "60"], "60"),
            # The dearest first, in pairs: 100 and 100, then the child is left over.
            (["100", "50", "100"], "100"), (["100", "50", "50", "20"], "70"),
        ],
    )  # fmt: skip
    def test_of_every_two_units_the_cheaper_is_free(self, prices: list[str], free: str) -> None:
        item = an_item(*(egp(price) for price in prices))

        assert given_by(an_offer(offer_type=BOGO), a_basket(item)).discount == egp(free)

    def test_units_of_different_items_are_no_pair(self) -> None:
        found = evaluated(an_offer(offer_type=BOGO), a_basket(an_item(egp("100")), an_item(egp("100"))))

        assert isinstance(found, NotApplied)
        assert found.reason == Reason.NO_PAIR

    def test_a_free_unit_has_had_its_share_of_earlier_discounts(self) -> None:
        item = an_item((2, egp("100.00")), left=egp("180.00"))

        assert given_by(an_offer(offer_type=BOGO), a_basket(item)).discount == egp("90.00")

    def test_it_stops_at_its_maximum(self) -> None:
        assert given_by(an_offer(offer_type=BOGO, max_discount=egp("400.00"))).discount == egp("400.00")

    def test_items_that_cost_nothing_have_no_second_one_to_give(self) -> None:
        found = evaluated(an_offer(offer_type=BOGO), a_basket(an_item((2, egp("0")))))

        assert isinstance(found, NotApplied)
        assert found.reason == Reason.NOTHING_LEFT

    @given(
        st.lists(st.tuples(st.integers(1, 5), st.integers(0, 10**6)), min_size=1, max_size=5),
        st.integers(0, 100),
        st.sampled_from(["JPY", "EGP", "KWD"]),
    )
    def test_whatever_the_units_it_is_at_most_half_and_each_second_one(
        self, kinds: list[tuple[int, int]], percent_left: int, code: str
    ) -> None:
        item = an_item(*((count, Money.of(minor, code)) for count, minor in kinds))
        left = Money.of(item.price.minor * percent_left // 100, code)
        ranked = sorted((minor for count, minor in kinds for _ in range(count)), reverse=True)

        assert left_of_second_ones(item) == Money.of(sum(ranked[1::2]), code)
        reduced = left_of_second_ones(an_item(*((c, Money.of(m, code)) for c, m in kinds), left=left))
        assert 0 <= reduced.minor <= min(left.minor, left.minor // 2 + 1)


REFUSALS: list[tuple[Reason, dict[str, Any], dict[str, Any], int]] = [
    (Reason.INACTIVE, {"status": OfferStatus.DRAFT}, {}, 0),
    (Reason.INACTIVE, {"status": OfferStatus.DISABLED}, {}, 0),
    (Reason.NOT_STARTED, {"valid_from": NOON + HOUR}, {}, 0),
    (Reason.EXPIRED, {"valid_from": NOON - DAY, "valid_until": NOON}, {}, 0),
    (Reason.EXHAUSTED, {"usage_limit_total": 3, "usage_count": 3}, {}, 0),
    (Reason.USED_UP_BY_YOU, {"usage_limit_per_user": 1}, {}, 1),
    (Reason.WRONG_ITEM, {"applicable_to": AppliesTo.SPECIFIC_ITEMS, "target_item_ids": (ELSEWHERE,)}, {}, 0),
    (Reason.WRONG_TYPE, {"applicable_to": AppliesTo.HOTEL}, {}, 0),
    (Reason.WRONG_TIER, {"membership_tiers": ("GOLD", "PLATINUM")}, {"tier_code": "SILVER"}, 0),
    (Reason.WRONG_CURRENCY, {"min_purchase_amount": Money.of(1, "USD")}, {}, 0),
    (Reason.BELOW_MINIMUM, {"min_purchase_amount": egp("2000.01")}, {}, 0),
]


@pytest.mark.parametrize(("reason", "terms", "basket", "used"), REFUSALS)
def test_each_reason_is_told(reason: Reason, terms: dict[str, Any], basket: dict[str, Any], used: int) -> None:
    found = evaluated(an_offer(**terms), a_basket(**basket), used=used)

    assert isinstance(found, NotApplied)
    assert found.reason == reason
    for language in ("ar", "en"):
        assert reason_sentence(found.reason, language, found.figures)


def test_one_that_goes_with_no_other_says_so() -> None:
    offer = OpenOffer(offer=an_offer(is_stackable=False), used_by_buyer=0)

    assert not offer.combines
    assert offer.not_combined().reason == Reason.NOT_COMBINABLE


@pytest.mark.parametrize(
    ("terms", "pointer"),
    [
        ({"title_ar": "", "title_en": ""}, "/title_en"),
        ({"offer_type": BOGO, "discount_value": TEN_PERCENT}, "/discount_value"),
        ({"offer_type": POINTS}, "/bonus_points"), ({"bonus_points": 5}, "/bonus_points"),
        ({"offer_type": UPGRADE}, "/gift_en"), ({"target_item_ids": (ELSEWHERE,)}, "/target_item_ids"),
        ({"applicable_to": AppliesTo.SPECIFIC_ITEMS}, "/target_item_ids"),
        ({"membership_tiers": ("gold",)}, "/membership_tiers"),
        ({"valid_from": NOON, "valid_until": NOON}, "/end_date"), ({"priority": 1001}, "/priority"),
        ({"featured_image": "x" * 501}, "/featured_image"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_named(terms: dict[str, Any], pointer: str) -> None:
    with pytest.raises(UnsoundDeal) as refusal:
        an_offer(**terms)

    assert pointer in [fault.pointer for fault in refusal.value.faults]


@pytest.mark.parametrize("status", OfferStatus)
@pytest.mark.parametrize(("verb", "wanted"), [("activate", OfferStatus.ACTIVE), ("disable", OfferStatus.DISABLED)])
def test_a_verb_moves_as_the_table_says(status: OfferStatus, verb: str, wanted: OfferStatus) -> None:
    offer = an_offer(status=status)

    if wanted in NEXT[status]:
        getattr(offer, verb)(at=NOON)
        assert offer.status is wanted
    else:
        with pytest.raises(IllegalTransition):
            getattr(offer, verb)(at=NOON)
        assert offer.status is status


def test_one_that_is_over_is_not_started_again() -> None:
    offer = an_offer(status=OfferStatus.EXPIRED, valid_from=NOON - DAY, valid_until=NOON)

    with pytest.raises(OfferOver):
        offer.activate(at=NOON)
    offer.change(at=NOON, valid_until=NOON + DAY)
    offer.activate(at=NOON)
    assert offer.status is OfferStatus.ACTIVE
