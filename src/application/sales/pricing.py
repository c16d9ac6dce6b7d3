"""The price of what a customer chose: the same for a quote and for the booking that is made of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from fractions import Fraction
from typing import Any
from uuid import UUID

from application.ledger.points import points_terms
from application.operations.ports import SystemSettings
from application.pricing.ports import Offered, OfferedPromotions
from application.sales.ports import OnSale, PartnerRates
from domain.ledger.points import PointsTerms
from domain.operations.settings import (
    AGENT_COMMISSION_PERCENT,
    BALANCE_DUE_DAYS_BEFORE,
    BOOKING_FEE,
    DEPOSIT_PERCENT,
    INSTALMENTS_MOST,
    VENDOR_SHARE_PERCENT,
)
from domain.pricing.baskets import Basket, PromotionKind
from domain.pricing.deals import Reason
from domain.pricing.price_lists import Party
from domain.pricing.quotes import ItemShare, PriceLine, Quote, Terms, VoucherNotApplied, quote
from domain.pricing.rounding import as_price
from domain.pricing.vouchers import VoucherExhausted
from domain.sales.agreed import BookedPrice, BookingItem, BookingType, FrozenRate, FrozenShares, RewardTerms
from domain.sales.instalments import PlanTerms
from domain.shared.errors import FieldFault
from domain.shared.identifiers import NewId
from domain.shared.money import Money, currency
from domain.shared.percentage import Percentage


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """What the customer chose that the price depends on."""

    party: Party
    voucher_code: str | None = None
    points: int = 0
    currency: str | None = None
    """None is the item's own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PricingSettings:
    """The company's figures: what points are worth, its fee on a booking, by currency, and partners' usual rates."""

    points: PointsTerms
    fees: Mapping[str, Money]
    vendor_share: Percentage
    """What vendors earn of what is paid, where nothing else was agreed with them."""
    agent_commission: Percentage

    def fee_in(self, code: str, exchange: FrozenRate | None = None) -> Money:
        """The currency's own, else that of what was listed, at the rate that its prices were converted with."""
        own = self.fees.get(code)
        if own is not None:
            return own
        listed = self.fees.get(exchange.from_currency) if exchange is not None else None
        if exchange is None or listed is None:
            return Money.zero(code)
        unit = currency(code)
        return as_price(Fraction(exchange.rate) * Fraction(listed.minor * unit.scale, listed.currency.scale), unit)


def pricing_settings(values: SystemSettings) -> PricingSettings:
    """The company's figures, as staff chose them."""
    fees = [Money.parse(fee["amount"], fee["currency"]) for fee in values.value(BOOKING_FEE)]
    return PricingSettings(
        points=points_terms(values),
        fees={fee.currency.code: fee for fee in fees},
        vendor_share=Percentage(values.value(VENDOR_SHARE_PERCENT) * 100),
        agent_commission=Percentage(values.value(AGENT_COMMISSION_PERCENT) * 100),
    )


def plan_terms(values: SystemSettings) -> PlanTerms:
    """What the company offers of deposits and instalments, as staff chose it."""
    return PlanTerms(
        deposit=Percentage(values.value(DEPOSIT_PERCENT) * 100),
        due_days_before=values.value(BALANCE_DUE_DAYS_BEFORE),
        most_parts=values.value(INSTALMENTS_MOST),
    )


def promotions_for(
    offered: OnSale, chosen: Chosen, buyer_id: UUID, *, promotions: OfferedPromotions, at: datetime
) -> Offered:
    """The offers and the voucher that a price may count on; nothing is read where there can be none."""
    if not offered.has_offers and chosen.voucher_code is None:
        return Offered((), None)
    return promotions.offered(buyer_id=buyer_id, at=at, voucher_code=chosen.voucher_code)


def refuse_unused_voucher(code: str | None, priced: Quote) -> None:
    """Whoever names a voucher does not want to book without it.

    Raises VoucherExhausted, or VoucherNotApplied with the reason.
    """
    if code is None or priced.voucher is not None:
        return
    refused = next(reason for reason in priced.not_applied if reason.kind is PromotionKind.VOUCHER)
    if refused.reason in (Reason.EXHAUSTED, Reason.USED_UP_BY_YOU):
        raise VoucherExhausted()
    fault = FieldFault("/voucher_code", refused.reason, "gives this booking nothing")
    raise VoucherNotApplied(faults=(fault,), reason=refused.reason, **refused.figures)


def price_of(offered: OnSale, chosen: Chosen, *, promoted: Offered, settings: PricingSettings, at: datetime) -> Quote:
    """Price an item of the catalogue. Raises InvalidValue for a party that it does not take."""
    starts_on = offered.departs.starts_on if offered.departs is not None else None
    item = offered.price_list.item_for(chosen.party, starts_on=starts_on)
    basket = Basket(
        items=(item,),
        currency=item.taken_off.currency.code,
        tier_code=offered.rewards.tier_code,
        at=at,
        starts_on=starts_on,
    )
    terms = Terms(
        member_rate=offered.member_rate,
        offers=promoted.offers,
        voucher=promoted.voucher,
        points=chosen.points,
        tender=settings.points.converted(offered.exchange).tender,
        fee=settings.fee_in(basket.currency, offered.exchange),
    )
    return quote(basket, terms)


def rewards_with(plan: RewardTerms, priced: Quote) -> RewardTerms:
    """The plan's terms, and what offers and the voucher add to them."""
    if not priced.benefits:
        return plan
    cashback = [benefit.cashback for benefit in priced.benefits if benefit.cashback is not None]
    return replace(
        plan,
        bonus_points=sum(benefit.bonus_points for benefit in priced.benefits),
        bonus_cashback=sum(cashback[1:], start=cashback[0]) if cashback else None,
    )


def booked_price(priced: Quote, exchange: FrozenRate | None) -> BookedPrice:
    """A quote as a booking freezes it, with the rate that the prices were converted with."""
    return BookedPrice(
        lines=tuple(line_row(line) for line in priced.lines),
        base_amount=priced.base_amount,
        discount_amount=priced.discount_amount,
        voucher_discount=priced.voucher_discount,
        tax_amount=priced.tax_amount,
        fee_amount=priced.fee_amount,
        tax_rate=priced.tax_rate,
        final_amount=priced.total,
        points=priced.points,
        points_worth=priced.points_worth,
        exchange=exchange,
    )


def line_row(line: PriceLine) -> dict[str, Any]:
    """A line as it is kept and shown: minor units beside their currency."""
    return {
        "kind": line.kind.value,
        "description_ar": line.description_ar,
        "description_en": line.description_en,
        "quantity": line.quantity,
        "amount_minor": line.amount.minor,
        "currency": line.amount.currency.code,
        "source_id": str(line.source_id) if line.source_id is not None else None,
    }


def frozen_shares(rates: PartnerRates, *, agent_id: UUID | None, settings: PricingSettings) -> FrozenShares:
    """The rates that a sale freezes: what was agreed with vendor and agent, else the company's usual ones."""
    vendor = settings.vendor_share if rates.vendor is None else rates.vendor
    agent = settings.agent_commission if rates.agent is None else rates.agent
    return FrozenShares(
        vendor_id=rates.vendor_id,
        vendor_rate=vendor if rates.vendor_id is not None else None,
        agent_rate=agent if agent_id is not None else None,
    )


def booked_items(priced: Quote, shares: FrozenShares, *, new_id: NewId) -> list[BookingItem]:
    """What was bought, with each item's part of everything; what came free of charge is an item of no price."""
    bought = [_booked(share, shares, new_id()) for share in priced.shares]
    first = bought[0]
    gifts = [
        _gift(benefit.gift_ar, benefit.gift_en, first, new_id())
        for benefit in priced.benefits
        if benefit.gift_ar or benefit.gift_en
    ]
    return [*bought, *gifts]


def _booked(share: ItemShare, shares: FrozenShares, item_id: UUID) -> BookingItem:
    item, unit = share.item, share.unit
    return BookingItem(
        id=item_id,
        booking_type=BookingType(item.booking_type),
        item_name_ar=f"{item.name_ar} - {unit.label_ar}" if unit.label_ar else item.name_ar,
        item_name_en=f"{item.name_en} - {unit.label_en}" if unit.label_en else item.name_en,
        quantity=unit.quantity,
        unit_price=unit.price,
        price=share.price,
        discount=share.discount,
        tax=share.tax,
        fee=share.fee,
        total_price=share.total,
        shares=shares,
    )


def _gift(name_ar: str, name_en: str, beside: BookingItem, item_id: UUID) -> BookingItem:
    nothing = Money(0, beside.total_price.currency)
    return BookingItem(
        id=item_id,
        booking_type=beside.booking_type,
        item_name_ar=name_ar,
        item_name_en=name_en,
        quantity=1,
        unit_price=nothing,
        price=nothing,
        discount=nothing,
        tax=nothing,
        fee=nothing,
        total_price=nothing,
        shares=beside.shares,
    )
