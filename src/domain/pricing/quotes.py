"""How a price is made: lines whose sum is the total, each with its reason, and each item's share of everything.

What comes off is taken off the price as shown, one after another: the member's discount, offers by priority, the
voucher, points. Tax is worked out once for each item, on what is left of its price; an inclusive price stays what was
shown. The fee is shared among the items, so that the items' totals are the total (guarantee M6).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol
from uuid import UUID

from domain.pricing.baskets import Basket, BasketItem, Benefit, NotApplied, Promotion, PromotionKind, UnitPrice
from domain.shared.errors import RuleBroken
from domain.shared.money import Money, total
from domain.shared.percentage import Percentage


class VoucherNotApplied(RuleBroken):
    """The voucher that was named gives this booking nothing; `reason` says why."""

    code = "voucher_not_applied"


class LineKind(StrEnum):
    """What a price line stands for."""

    BASE = "BASE"
    """The item itself at its list price, before tax."""
    SEASON = "SEASON"
    """What the season adds to the list price, or takes off it."""
    MEMBER_DISCOUNT = "MEMBER_DISCOUNT"
    OFFER = "OFFER"
    VOUCHER = "VOUCHER"
    POINTS = "POINTS"
    TAX = "TAX"
    FEE = "FEE"


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceLine:
    """One reason and its amount, below zero for what comes off; taxes are rounded once, so no unit price is told."""

    kind: LineKind
    description_ar: str
    description_en: str
    quantity: int
    amount: Money
    source_id: UUID | None = None


class PointsTender(Protocol):
    """Points, and the money that they are worth."""

    @property
    def points(self) -> int: ...

    @property
    def worth(self) -> Money: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What this buyer's price is made with beside the items: nothing of it comes from the request but the points.

    `offers` by priority, the first to be tried first. `tender` says how many of some points pay how much of an
    amount. `fee` is for the whole booking.
    """

    member_rate: Percentage
    offers: Sequence[Promotion]
    voucher: Promotion | NotApplied | None
    points: int
    tender: Callable[[int, Money], PointsTender]
    fee: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemShare:
    """One item's part of the price, or that of one kind of unit in it: adults, children.

    `total` is `price` as shown, less `discount`, with `fee`, and with `tax` where the price does not include it.
    """

    item: BasketItem
    unit: UnitPrice
    price: Money
    discount: Money
    tax: Money
    fee: Money
    total: Money


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """A priced offer. `total` is the sum of the lines, and of the shares; frozen into a booking when it is placed.

    `base_amount - discount_amount - voucher_discount + tax_amount + fee_amount` is `total`. `discount_amount` holds
    what member, offers and points take off.
    """

    lines: tuple[PriceLine, ...]
    shares: tuple[ItemShare, ...]
    base_amount: Money
    discount_amount: Money
    voucher_discount: Money
    tax_amount: Money
    fee_amount: Money
    total: Money
    tax_rate: Percentage
    """The items' one rate; zero where they have several."""
    benefits: tuple[Benefit, ...]
    not_applied: tuple[NotApplied, ...]
    points: int
    points_worth: Money

    @property
    def voucher(self) -> Benefit | None:
        """What the voucher gave."""
        return next((benefit for benefit in self.benefits if benefit.kind is PromotionKind.VOUCHER), None)


def quote(basket: Basket, terms: Terms) -> Quote:
    """Price a basket. Pure: the same basket and terms are the same quote."""
    lines: list[PriceLine] = []
    benefits: list[Benefit] = []
    refused: list[NotApplied] = []
    basket = _member_discount(basket, terms.member_rate, lines)
    for benefit in _promotions(basket, terms, refused):
        benefits.append(benefit)
        basket = basket.take_off(benefit.discount, benefit.keys)
        lines.append(_promotion_line(benefit))
    points, worth = _points(basket, terms)
    if worth.is_positive:
        basket = basket.take_off(worth, basket.keys)
        lines.append(_line(LineKind.POINTS, f"{points} نقطة", f"{points} points", -worth))
    shares = _shares(basket, terms.fee)
    return _summed(shares, lines, benefits, refused, points, worth, terms)


def _member_discount(basket: Basket, rate: Percentage, lines: list[PriceLine]) -> Basket:
    if not rate.hundredths:
        return basket
    amount = rate.of(basket.left)
    if not amount.is_positive:
        return basket
    words = (f"خصم العضوية {rate}%", f"Member discount {rate}%")
    lines.append(_line(LineKind.MEMBER_DISCOUNT, *words, -amount))
    return basket.take_off(amount, basket.keys)


def _promotions(basket: Basket, terms: Terms, refused: list[NotApplied]) -> Iterator[Benefit]:
    """What applies, one after another; one that goes with no other ends the row, or does not begin it."""
    is_alone = has_any = False
    wanted = [*terms.offers]
    if isinstance(terms.voucher, NotApplied):
        refused.append(terms.voucher)
    elif terms.voucher is not None:
        wanted.append(terms.voucher)
    for promotion in wanted:
        if is_alone or (has_any and not promotion.combines):
            refused.append(promotion.not_combined())
            continue
        found = promotion.evaluate(basket)
        if isinstance(found, NotApplied):
            refused.append(found)
            continue
        has_any, is_alone = True, not promotion.combines
        basket = basket.take_off(found.discount, found.keys)
        yield found


def _promotion_line(benefit: Benefit) -> PriceLine:
    kind = LineKind.VOUCHER if benefit.kind is PromotionKind.VOUCHER else LineKind.OFFER
    ar, en = (
        f"{title} ({gift})" if gift else title
        for title, gift in ((benefit.title_ar, benefit.gift_ar), (benefit.title_en, benefit.gift_en))
    )
    return _line(kind, ar, en, -benefit.discount, source_id=benefit.source_id)


def _points(basket: Basket, terms: Terms) -> tuple[int, Money]:
    """How many of the points pay how much of what is left."""
    if terms.points:
        tender = terms.tender(terms.points, basket.left)
        if tender.worth.is_positive:
            return tender.points, tender.worth
    return 0, Money.zero(terms.fee.currency.code)


def _shares(basket: Basket, fee: Money) -> tuple[ItemShare, ...]:
    lefts = [item.left for item in basket.items]
    rows = zip(basket.items, lefts, _split(fee, lefts), strict=True)
    return tuple(share for item, left, part in rows for share in _unit_shares(item, left, part))


def _unit_shares(item: BasketItem, item_left: Money, fee: Money) -> Iterator[ItemShare]:
    prices = [unit.amount for unit in item.units]
    discounts = _split(item.taken_off, prices)
    left = [price - discount for price, discount in zip(prices, discounts, strict=True)]
    rows = zip(item.units, prices, discounts, left, _split(_tax(item, item_left), left), _split(fee, left), strict=True)
    for unit, price, discount, rest, tax, part in rows:
        yield ItemShare(
            item=item,
            unit=unit,
            price=price,
            discount=discount,
            tax=tax,
            fee=part,
            total=rest + part if item.tax_inclusive else rest + tax + part,
        )


def _split(amount: Money, by: Sequence[Money]) -> list[Money]:
    """Shares in proportion; equal ones where there is nothing to be in proportion to."""
    if len(by) == 1:
        return [amount]
    weights = [each.minor for each in by]
    return amount.allocate(weights if any(weights) else [1] * len(weights))


def _tax(item: BasketItem, left: Money) -> Money:
    return item.tax_rate.contained_in(left) if item.tax_inclusive else item.tax_rate.of(left)


def _summed(
    shares: tuple[ItemShare, ...],
    discounts: Sequence[PriceLine],
    benefits: Sequence[Benefit],
    refused: Sequence[NotApplied],
    points: int,
    worth: Money,
    terms: Terms,
) -> Quote:
    unit = terms.fee.currency
    base_lines = (
        *(_listed(share) for share in shares),
        *(_seasonal(share) for share in shares if share.unit.is_seasonal),
    )
    tax_lines = tuple(_tax_lines(shares))
    fee_lines = (_line(LineKind.FEE, "رسوم الخدمة", "Service fee", terms.fee),) if terms.fee.is_positive else ()
    lines = (*base_lines, *discounts, *tax_lines, *fee_lines)
    rates = {share.item.tax_rate for share in shares}
    whole = total([line.amount for line in lines], unit.code)
    of_kind: dict[LineKind, int] = defaultdict(int)
    for line in lines:
        of_kind[line.kind] += line.amount.minor

    return Quote(
        lines=lines,
        shares=shares,
        base_amount=Money(of_kind[LineKind.BASE] + of_kind[LineKind.SEASON], unit),
        discount_amount=Money(
            -(of_kind[LineKind.MEMBER_DISCOUNT] + of_kind[LineKind.OFFER] + of_kind[LineKind.POINTS]), unit
        ),
        voucher_discount=Money(-of_kind[LineKind.VOUCHER], unit),
        tax_amount=Money(of_kind[LineKind.TAX], unit),
        fee_amount=terms.fee,
        total=whole,
        tax_rate=rates.pop() if len(rates) == 1 else Percentage(0),
        benefits=tuple(benefits),
        not_applied=tuple(refused),
        points=points,
        points_worth=worth,
    )


def _listed(share: ItemShare) -> PriceLine:
    """The list price, without the part of the tax that it includes."""
    unit = share.unit
    amount = unit.listed * unit.quantity - _included_tax(share)[0]
    return _of_unit(LineKind.BASE, share, amount, unit.label_ar, unit.label_en)


def _seasonal(share: ItemShare) -> PriceLine:
    """What the season changes, without the part of the tax that it includes."""
    unit = share.unit
    amount = (unit.price - unit.listed) * unit.quantity - _included_tax(share)[1]
    return _of_unit(LineKind.SEASON, share, amount, unit.season_ar, unit.season_en)


def _included_tax(share: ItemShare) -> tuple[Money, Money]:
    """The tax in the list price, and in what the season adds to it."""
    nothing = Money.zero(share.tax.currency.code)
    if not share.item.tax_inclusive or share.tax.is_zero:
        return nothing, nothing
    if not share.unit.is_seasonal:
        return share.tax, nothing
    listed = share.unit.listed * share.unit.quantity
    in_list, in_season = share.tax.allocate([listed.minor, max((share.price - listed).minor, 0)])
    return in_list, in_season


def _of_unit(kind: LineKind, share: ItemShare, amount: Money, label_ar: str, label_en: str) -> PriceLine:
    item = share.item
    return PriceLine(
        kind=kind,
        description_ar=f"{item.name_ar} - {label_ar}" if label_ar else item.name_ar,
        description_en=f"{item.name_en} - {label_en}" if label_en else item.name_en,
        quantity=share.unit.quantity,
        amount=amount,
    )


def _tax_lines(shares: Sequence[ItemShare]) -> Iterator[PriceLine]:
    """One line for each rate."""
    for rate in dict.fromkeys(share.item.tax_rate for share in shares if share.tax.is_positive):
        tax = total((share.tax for share in shares if share.item.tax_rate == rate), shares[0].tax.currency.code)
        yield _line(LineKind.TAX, f"ضريبة القيمة المضافة {rate}%", f"VAT {rate}%", tax)


def _line(
    kind: LineKind, description_ar: str, description_en: str, amount: Money, source_id: UUID | None = None
) -> PriceLine:
    return PriceLine(
        kind=kind,
        description_ar=description_ar,
        description_en=description_en,
        quantity=1,
        amount=amount,
        source_id=source_id,
    )
