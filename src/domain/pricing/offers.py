"""Offers: what the company gives without a code, to everybody or to members of some tiers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, Unpack
from uuid import UUID

from domain.pricing.baskets import Basket, BasketItem, Benefit, NotApplied, PromotionKind
from domain.pricing.deals import (
    AppliesTo,
    Deal,
    DealDetails,
    Reason,
    Why,
    deal_faults,
    out_of_range,
    refuse,
    value_faults,
)
from domain.shared.errors import Conflict, FieldFault, IllegalTransition, NotFound
from domain.shared.money import Money, total
from domain.shared.percentage import Percentage


class OfferNotFound(NotFound):
    """There is no such offer, or it does not run."""

    code = "offer_not_found"


class OfferExhausted(Conflict):
    """The offer has no use left, for anybody or for this buyer."""

    code = "offer_exhausted"


class OfferOver(Conflict):
    """Its time is over: give it another end first."""

    code = "offer_over"


class OfferType(StrEnum):
    """What it gives."""

    DISCOUNT_PERCENTAGE = "DISCOUNT_PERCENTAGE"
    DISCOUNT_FIXED = "DISCOUNT_FIXED"
    BOGO = "BOGO"
    """Of every two units of one item, the cheaper is free."""
    FREE_UPGRADE = "FREE_UPGRADE"
    """A named upgrade at no cost; no money comes off."""
    BONUS_POINTS = "BONUS_POINTS"
    """Points beside those that the payment earns."""


class OfferStatus(StrEnum):
    """Whether it runs."""

    DRAFT = "DRAFT"
    ACTIVE = "ACTIVE"
    EXPIRED = "EXPIRED"
    """A job found that its time was over."""
    DISABLED = "DISABLED"
    """Staff stopped it."""


NEXT: Final = {
    OfferStatus.DRAFT: {OfferStatus.ACTIVE, OfferStatus.DISABLED},
    OfferStatus.ACTIVE: {OfferStatus.EXPIRED, OfferStatus.DISABLED},
    OfferStatus.EXPIRED: {OfferStatus.ACTIVE},
    OfferStatus.DISABLED: {OfferStatus.ACTIVE},
}

_VALUES: Final[dict[OfferType, tuple[type[Percentage | Money], ...]]] = {
    OfferType.DISCOUNT_PERCENTAGE: (Percentage,),
    OfferType.DISCOUNT_FIXED: (Money,),
    OfferType.BOGO: (),
    OfferType.FREE_UPGRADE: (),
    OfferType.BONUS_POINTS: (),
}
_TIER: Final = re.compile(r"[A-Z][A-Z0-9_]{1,29}")
HIGHEST_PRIORITY: Final = 1_000
MOST_TARGETS: Final = 200
MOST_TIERS: Final = 20
MOST_POINTS: Final = 1_000_000
LONGEST_IMAGE: Final = 500


class OfferDetails(DealDetails, total=False):
    """What staff decide about an offer; what is left out stays as it is."""

    offer_type: OfferType
    featured_image: str
    target_item_ids: tuple[UUID, ...]
    membership_tiers: tuple[str, ...]
    bonus_points: int
    points_per_unit: bool
    priority: int
    is_stackable: bool
    is_featured: bool


@dataclass(eq=False, kw_only=True)
class Offer(Deal):
    """An offer with its terms.

    Among those that run, the one of the highest priority is tried first. Without `membership_tiers` it is for
    everybody. `bonus_points` are for the purchase, or with `points_per_unit` for each unit of it.
    """

    offer_type: OfferType
    featured_image: str = ""
    target_item_ids: tuple[UUID, ...] = ()
    membership_tiers: tuple[str, ...] = ()
    bonus_points: int = 0
    points_per_unit: bool = False
    priority: int = 0
    is_stackable: bool = True
    is_featured: bool = False
    status: OfferStatus = OfferStatus.DRAFT

    @classmethod
    def create(cls, *, offer_id: UUID, created_by: UUID, at: datetime, **details: Unpack[OfferDetails]) -> Offer:
        """A draft that nobody gets yet. Raises UnsoundDeal naming every field that cannot be."""
        values: dict[str, Any] = {"valid_from": at, **details}
        offer = cls(id=offer_id, created_by_user_id=created_by, created_at=at, updated_at=at, **values)
        refuse(_faults(offer))
        return offer

    def details(self) -> OfferDetails:
        """What staff decided, as it stands now."""
        return {name: getattr(self, name) for name in DETAILS}  # type: ignore[return-value]

    def change(self, *, at: datetime, **details: Unpack[OfferDetails]) -> None:
        """Change what was given; bookings keep the price that they were made at. Raises UnsoundDeal."""
        refuse(_faults(replace(self, **details)))
        for name, value in details.items():
            setattr(self, name, value)
        self.updated_at = at

    def activate(self, *, at: datetime) -> None:
        """Let it run, once its window has begun. Raises OfferOver or IllegalTransition."""
        if self.is_over(at):
            raise OfferOver()
        self._move_to(OfferStatus.ACTIVE, at=at)

    def disable(self, *, at: datetime) -> None:
        """Stop it. Raises IllegalTransition."""
        self._move_to(OfferStatus.DISABLED, at=at)

    def keys(self, basket: Basket) -> frozenset[UUID]:
        if self.applicable_to is AppliesTo.SPECIFIC_ITEMS:
            return basket.keys & frozenset(self.target_item_ids)
        return super().keys(basket)

    def _move_to(self, status: OfferStatus, *, at: datetime) -> None:
        if status not in NEXT[self.status]:
            raise IllegalTransition(current=self.status, wanted=status)
        self.status = status
        self.updated_at = at


DETAILS: Final = tuple(dict.fromkeys((*DealDetails.__annotations__, *OfferDetails.__annotations__)))


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenOffer:
    """An offer as one buyer meets it; implements `baskets.Promotion`."""

    offer: Offer
    used_by_buyer: int

    @property
    def combines(self) -> bool:
        return self.offer.is_stackable

    def evaluate(self, basket: Basket) -> Benefit | NotApplied:
        keys = self.offer.keys(basket)
        why = next(self._why_not(basket, keys), None)
        return self._refused(*why) if why is not None else self._given(basket, keys)

    def not_combined(self) -> NotApplied:
        return self._refused(Reason.NOT_COMBINABLE, {})

    def _why_not(self, basket: Basket, keys: frozenset[UUID]) -> Iterator[Why]:
        offer = self.offer
        if offer.status is not OfferStatus.ACTIVE:
            yield Reason.INACTIVE, {}
        yield from offer.why_not_now(basket.at)
        yield from offer.why_no_more(self.used_by_buyer)
        if not keys and offer.applicable_to is AppliesTo.SPECIFIC_ITEMS:
            yield Reason.WRONG_ITEM, {}
        if not keys:
            yield Reason.WRONG_TYPE, {"wanted": offer.applicable_to.value}
        if offer.membership_tiers and basket.tier_code not in offer.membership_tiers:
            yield Reason.WRONG_TIER, {"tiers": ", ".join(offer.membership_tiers)}
        yield from offer.why_not_this_much(basket.left_of(keys))

    def _given(self, basket: Basket, keys: frozenset[UUID]) -> Benefit | NotApplied:
        nothing = Money(0, basket.left.currency)
        match self.offer.offer_type:
            case OfferType.FREE_UPGRADE:
                return self._benefit(nothing, keys)
            case OfferType.BONUS_POINTS:
                return self._benefit(nothing, keys, points=self._points(basket, keys))
            case OfferType.BOGO:
                return self._second_ones(basket, keys)
            case _:
                return self._discount(self.offer.worth(basket.left_of(keys)), keys)

    def _second_ones(self, basket: Basket, keys: frozenset[UUID]) -> Benefit | NotApplied:
        items = [item for item in basket.items if item.key in keys and item.quantity > 1]
        if not items:
            return self._refused(Reason.NO_PAIR, {})
        free = total((left_of_second_ones(item) for item in items), basket.currency)
        return self._discount(self.offer.capped(free), frozenset(item.key for item in items))

    def _discount(self, amount: Money, keys: frozenset[UUID]) -> Benefit | NotApplied:
        if amount.is_zero:
            return self._refused(Reason.NOTHING_LEFT, {})
        return self._benefit(amount, keys)

    def _points(self, basket: Basket, keys: frozenset[UUID]) -> int:
        units = sum(item.quantity for item in basket.items if item.key in keys)
        return self.offer.bonus_points * (units if self.offer.points_per_unit else 1)

    def _benefit(self, discount: Money, keys: frozenset[UUID], *, points: int = 0) -> Benefit:
        offer = self.offer
        return Benefit(
            kind=PromotionKind.OFFER,
            source_id=offer.id,
            title_ar=offer.title_ar or offer.title_en,
            title_en=offer.title_en or offer.title_ar,
            discount=discount,
            keys=keys,
            bonus_points=points,
            gift_ar=offer.gift_ar or offer.gift_en,
            gift_en=offer.gift_en or offer.gift_ar,
        )

    def _refused(self, reason: Reason, figures: Mapping[str, str]) -> NotApplied:
        return NotApplied(
            kind=PromotionKind.OFFER,
            reason=reason.value,
            title_ar=self.offer.title_ar,
            title_en=self.offer.title_en,
            source_id=self.offer.id,
            figures=figures,
        )


def redeemed_offer(offer: Offer, *, at: datetime) -> OpenOffer:
    """An offer in the hands of whoever used it at an instant: neither its window, status nor limits count again."""
    kept = replace(
        offer,
        status=OfferStatus.ACTIVE,
        valid_from=at,
        valid_until=None,
        usage_limit_total=None,
        usage_limit_per_user=None,
    )
    return OpenOffer(offer=kept, used_by_buyer=0)


def left_of_second_ones(item: BasketItem) -> Money:
    """What is left of the price of an item's second units.

    Its units are ranked by price, the dearest first, and paired in that order; the second of each pair is the
    cheaper one, and a unit that is left over is paid. Where discounts came before, each unit has had its share.
    """
    if not item.price.is_positive:
        return Money(0, item.price.currency)
    second, before = 0, 0
    for unit in sorted(item.units, key=lambda unit: unit.price, reverse=True):
        after = before + unit.quantity
        # Of the places before+1 … after, as many are even.
        second += (after // 2 - before // 2) * unit.price.minor
        before = after
    return item.left.allocate([second, item.price.minor - second])[0]


def _faults(offer: Offer) -> Iterator[FieldFault]:
    yield from deal_faults(offer)
    is_gift = offer.offer_type is OfferType.FREE_UPGRADE
    yield from value_faults(offer, _VALUES[offer.offer_type], gift=is_gift)
    if not (offer.title_ar or offer.title_en):
        yield FieldFault("/title_en", "required", "an offer has a title in Arabic or English")
    if offer.valid_until is not None and offer.valid_until <= offer.valid_from:
        yield out_of_range("end_date", "after start_date")
    if (offer.offer_type is OfferType.BONUS_POINTS) != (1 <= offer.bonus_points <= MOST_POINTS):
        yield out_of_range("bonus_points", f"1 to {MOST_POINTS} where it gives points, else none")
    if not -HIGHEST_PRIORITY <= offer.priority <= HIGHEST_PRIORITY:
        yield out_of_range("priority", f"at most {HIGHEST_PRIORITY}")
    if len(offer.featured_image) > LONGEST_IMAGE:
        yield out_of_range("featured_image", f"at most {LONGEST_IMAGE} characters")
    yield from _whom_faults(offer)


def _whom_faults(offer: Offer) -> Iterator[FieldFault]:
    wants_targets = offer.applicable_to is AppliesTo.SPECIFIC_ITEMS
    if wants_targets != bool(offer.target_item_ids):
        yield FieldFault("/target_item_ids", "required", "items are named for SPECIFIC_ITEMS, and only there")
    if len(offer.target_item_ids) > MOST_TARGETS:
        yield out_of_range("target_item_ids", f"at most {MOST_TARGETS}")
    if len(offer.membership_tiers) > MOST_TIERS or not all(map(_TIER.fullmatch, offer.membership_tiers)):
        yield FieldFault("/membership_tiers", "invalid", "codes of membership plans such as GOLD")
