"""Ready-made vouchers, offers and baskets: tests say what matters to them, the rest is ordinary."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from domain.pricing.baskets import Basket, BasketItem, UnitPrice
from domain.pricing.offers import Offer, OfferStatus, OfferType
from domain.pricing.vouchers import HeldVoucher, Voucher, VoucherStatus, VoucherType
from domain.shared.money import Money, total
from domain.shared.percentage import Percentage
from infrastructure.clock import new_id
from tests.builders import NOON, egp

TEN_PERCENT = Percentage.parse("10")


def a_voucher(*, status: VoucherStatus = VoucherStatus.ACTIVE, usage_count: int = 0, **details: Any) -> Voucher:
    """Ten percent off everything, from noon on."""
    made = {
        "code": f"V{new_id().hex}",
        "voucher_type": VoucherType.DISCOUNT_PERCENTAGE,
        "title_ar": "خصم الصيف",
        "title_en": "Summer",
        **details,
    }
    if made["voucher_type"] is VoucherType.DISCOUNT_PERCENTAGE:
        made.setdefault("discount_value", TEN_PERCENT)
    created_by, at = made.pop("created_by", None) or new_id(), made.pop("at", NOON)
    voucher = Voucher.create(voucher_id=new_id(), created_by=created_by, at=at, **made)
    voucher.status, voucher.usage_count = status, usage_count
    return voucher


def an_offer(*, status: OfferStatus = OfferStatus.ACTIVE, usage_count: int = 0, **details: Any) -> Offer:
    """Ten percent off everything, from noon on, running."""
    made = {"offer_type": OfferType.DISCOUNT_PERCENTAGE, "title_ar": "عرض", "title_en": "An offer", **details}
    if made["offer_type"] is OfferType.DISCOUNT_PERCENTAGE:
        made.setdefault("discount_value", TEN_PERCENT)
    created_by, at = made.pop("created_by", None) or new_id(), made.pop("at", NOON)
    offer = Offer.create(offer_id=new_id(), created_by=created_by, at=at, **made)
    offer.status, offer.usage_count = status, usage_count
    return offer


def held(voucher: Voucher, *, used_by_buyer: int = 0) -> HeldVoucher:
    return HeldVoucher(voucher=voucher, used_by_buyer=used_by_buyer)


def an_item(
    *prices: Money | tuple[int, Money],
    key: UUID | None = None,
    booking_type: str = "PACKAGE",
    left: Money | None = None,
) -> BasketItem:
    """One unit at each price, or so many of it; `left` is what discounts have left of them."""
    units = tuple(
        UnitPrice(quantity=count, listed=price, price=price)
        for count, price in (one if isinstance(one, tuple) else (1, one) for one in prices)
    )
    whole = total((unit.amount for unit in units), units[0].price.currency.code)
    return BasketItem(
        key=key or new_id(),
        booking_type=booking_type,
        name_ar="رحلة نيلية",
        name_en="Nile cruise",
        units=units,
        tax_rate=Percentage.parse("14"),
        tax_inclusive=True,
        taken_off=whole - left if left is not None else Money(0, whole.currency),
    )


def a_basket(*items: BasketItem, tier_code: str = "GUEST", **rest: Any) -> Basket:
    """One package for two at EGP 1,000.00 each, bought at noon, unless said otherwise."""
    bought = items or (an_item((2, egp("1000.00"))),)
    code = bought[0].taken_off.currency.code
    return Basket(**{"items": bought, "currency": code, "tier_code": tier_code, "at": NOON, **rest})
