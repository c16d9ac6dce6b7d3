"""What a voucher and an offer have in common: words, a value, what it is for, a window in time, and limits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final, TypedDict
from uuid import UUID

from domain.pricing.baskets import Basket
from domain.shared.card_numbers import holds_card_number
from domain.shared.errors import FieldFault, RuleBroken
from domain.shared.money import Money
from domain.shared.percentage import Percentage


class UnsoundDeal(RuleBroken):
    """What was given can be neither a voucher nor an offer; the faults name each field."""

    code = "validation_failed"


class AppliesTo(StrEnum):
    """What it can be used for: everything, one booking type, or (offers alone) the items that it names."""

    ALL = "ALL"
    HOTEL = "HOTEL"
    FLIGHT = "FLIGHT"
    TOUR = "TOUR"
    PACKAGE = "PACKAGE"
    ACTIVITY = "ACTIVITY"
    TRANSPORTATION = "TRANSPORTATION"
    CAR_RENTAL = "CAR_RENTAL"
    SPECIFIC_ITEMS = "SPECIFIC_ITEMS"


class Reason(StrEnum):
    """Why a voucher or an offer gives a basket nothing, or points less; `middlewares/messages/pricing.py` says it."""

    VOUCHER_UNKNOWN = "voucher_unknown"
    """There is no such code, or it is private and not this buyer's: nobody is told which."""
    NOT_STARTED = "not_started"
    EXPIRED = "expired"
    INACTIVE = "inactive"
    EXHAUSTED = "exhausted"
    USED_UP_BY_YOU = "used_up_by_you"
    OUTSIDE_SCHEDULE = "outside_schedule"
    TRAVEL_DATES = "travel_dates"
    WRONG_TYPE = "wrong_type"
    WRONG_ITEM = "wrong_item"
    WRONG_TIER = "wrong_tier"
    WRONG_CURRENCY = "wrong_currency"
    BELOW_MINIMUM = "below_minimum"
    NO_PAIR = "no_pair"
    """BOGO: nothing in the basket is bought twice."""
    NOTHING_LEFT = "nothing_left"
    """What came before left nothing to take off, or less than the smallest coin of it."""
    NOT_COMBINABLE = "not_combinable"
    INSUFFICIENT_BALANCE = "insufficient_balance"
    """Points: the buyer has fewer to spend than the price would take."""


Why = tuple[Reason, dict[str, str]]
"""A reason, and the figures that its sentence names."""


class DealDetails(TypedDict, total=False):
    """What staff decide about either kind."""

    title_ar: str
    title_en: str
    description_ar: str
    description_en: str
    discount_value: Percentage | Money | None
    gift_ar: str
    gift_en: str
    applicable_to: AppliesTo
    min_purchase_amount: Money | None
    max_discount: Money | None
    usage_limit_total: int | None
    usage_limit_per_user: int | None
    valid_from: datetime
    valid_until: datetime | None


@dataclass(eq=False, kw_only=True)
class Deal:
    """The terms of a voucher or an offer.

    Every amount is in one currency; without any amount it is good in all of them. `usage_count` counts the uses
    that were not given back. It runs from `valid_from` until just before `valid_until`.
    """

    id: UUID
    title_ar: str = ""
    title_en: str = ""
    description_ar: str = ""
    description_en: str = ""
    discount_value: Percentage | Money | None = None
    gift_ar: str = ""
    gift_en: str = ""
    applicable_to: AppliesTo = AppliesTo.ALL
    min_purchase_amount: Money | None = None
    max_discount: Money | None = None
    usage_limit_total: int | None = None
    usage_limit_per_user: int | None = None
    usage_count: int = 0
    valid_from: datetime
    valid_until: datetime | None = None
    created_by_user_id: UUID
    created_at: datetime
    updated_at: datetime
    version: int = 1

    @property
    def amounts(self) -> Mapping[str, Money]:
        """Every amount of its terms, by name."""
        names = ("discount_value", "min_purchase_amount", "max_discount")
        return {name: value for name in names if isinstance(value := getattr(self, name), Money)}

    @property
    def currency(self) -> str | None:
        """The one of its amounts; None where it has none."""
        return next((amount.currency.code for amount in self.amounts.values()), None)

    @property
    def is_used_up(self) -> bool:
        return self.usage_limit_total is not None and self.usage_count >= self.usage_limit_total

    def is_over(self, at: datetime) -> bool:
        return self.valid_until is not None and self.valid_until <= at

    def keys(self, basket: Basket) -> frozenset[UUID]:
        """The items of a basket that it is for."""
        if self.applicable_to is AppliesTo.ALL:
            return basket.keys
        return frozenset(item.key for item in basket.items if item.booking_type == self.applicable_to)

    def worth(self, left: Money) -> Money:
        """What its value comes to on what is left of a price: never more than that, or than `max_discount`."""
        value = self.discount_value
        if value is None:
            return Money(0, left.currency)
        amount = value.of(left) if isinstance(value, Percentage) else value
        return self.capped(min(amount, left))

    def capped(self, amount: Money) -> Money:
        return amount if self.max_discount is None else min(amount, self.max_discount)

    def why_not_now(self, at: datetime) -> Iterator[Why]:
        """What its window has against an instant."""
        if at < self.valid_from:
            yield Reason.NOT_STARTED, {"since": self.valid_from.isoformat()}
        if self.valid_until is not None and self.is_over(at):
            yield Reason.EXPIRED, {"until": self.valid_until.isoformat()}

    def why_no_more(self, used_by_buyer: int) -> Iterator[Why]:
        """What its limits have against one more use."""
        if self.is_used_up:
            yield Reason.EXHAUSTED, {}
        limit = self.usage_limit_per_user
        if limit is not None and used_by_buyer >= limit:
            yield Reason.USED_UP_BY_YOU, {"limit": str(limit)}

    def why_not_this_much(self, left: Money) -> Iterator[Why]:
        """What its amounts have against what is left of the items that it is for."""
        if self.currency not in (None, left.currency.code):
            yield Reason.WRONG_CURRENCY, {"currency": str(self.currency)}
        least = self.min_purchase_amount
        if least is not None and left < least:
            yield Reason.BELOW_MINIMUM, {"minimum": str(least), "missing": str(least - left)}


TITLE_LENGTH: Final = 200
DESCRIPTION_LENGTH: Final = 5_000
MOST_USES: Final = 10_000_000

_LONGEST: Final = {
    "title_ar": TITLE_LENGTH,
    "title_en": TITLE_LENGTH,
    "gift_ar": TITLE_LENGTH,
    "gift_en": TITLE_LENGTH,
    "description_ar": DESCRIPTION_LENGTH,
    "description_en": DESCRIPTION_LENGTH,
}


def deal_faults(deal: Deal) -> Iterator[FieldFault]:
    """What neither kind may be."""
    for name, longest in _LONGEST.items():
        text = getattr(deal, name)
        if len(text) > longest:
            yield out_of_range(name, f"at most {longest} characters")
        yield from card_faults(name, text)
    yield from _amount_faults(deal)
    for name in ("usage_limit_total", "usage_limit_per_user"):
        limit = getattr(deal, name)
        if limit is not None and not 1 <= limit <= MOST_USES:
            yield out_of_range(name, f"1 to {MOST_USES}")
    if deal.usage_limit_total is not None and deal.usage_limit_total < deal.usage_count:
        yield out_of_range("usage_limit_total", f"it was used {deal.usage_count} times")


def card_faults(name: str, text: str) -> Iterator[FieldFault]:
    """What a text that looks like a card number is told, wherever it comes from (S8)."""
    if holds_card_number(text):
        yield FieldFault(f"/{name}", "card_number_refused", "this looks like a card number")


def _amount_faults(deal: Deal) -> Iterator[FieldFault]:
    for name, amount in deal.amounts.items():
        if amount.currency.code != deal.currency:
            yield FieldFault(f"/{name}", "currency_mismatch", f"every amount is in {deal.currency}")
        if amount.minor < (0 if name == "min_purchase_amount" else 1):
            yield out_of_range(name, "an amount above 0")
    if isinstance(deal.discount_value, Percentage) and deal.discount_value.hundredths == 0:
        yield out_of_range("discount_value", "a percentage above 0")


def value_faults(deal: Deal, kinds: tuple[type[Percentage | Money], ...], *, gift: bool) -> Iterator[FieldFault]:
    """What a value of another kind than its type wants, or a gift without a name, or beside money, is told."""
    if kinds and not isinstance(deal.discount_value, kinds):
        wanted = " or ".join("a percentage" if kind is Percentage else "an amount" for kind in kinds)
        yield FieldFault("/discount_value", "wrong_value", f"this type gives {wanted}")
    if not kinds and deal.discount_value is not None:
        yield FieldFault("/discount_value", "wrong_value", "this type takes nothing off")
    if gift and not (deal.gift_ar or deal.gift_en):
        yield FieldFault("/gift_en", "required", "what is given has a name in Arabic or English")
    if not gift and (deal.gift_ar or deal.gift_en):
        yield FieldFault("/gift_en", "wrong_value", "this type gives nothing beside money")


def out_of_range(name: str, detail: str) -> FieldFault:
    return FieldFault(pointer=f"/{name}", code="out_of_range", detail=detail)


def refuse(faults: Iterator[FieldFault]) -> None:
    """Raises UnsoundDeal where there are any."""
    found = tuple(faults)
    if found:
        raise UnsoundDeal(faults=found)


def shown(details: Mapping[str, Any]) -> dict[str, object]:
    """Details as the audit log keeps them: values as people read them."""
    return {name: _plain(value) for name, value in details.items()}


def _plain(value: Any) -> object:
    if isinstance(value, list | tuple | frozenset):
        return [_plain(one) for one in value]
    return value if value is None or isinstance(value, bool | int | str) else str(value)
