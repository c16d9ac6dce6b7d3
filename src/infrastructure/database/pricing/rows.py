"""Rows of vouchers and offers as domain values, and back."""

from __future__ import annotations

from typing import Any, Final

from domain.pricing.deals import AppliesTo, Deal
from domain.pricing.offers import Offer, OfferStatus, OfferType
from domain.pricing.schedules import ALWAYS, Schedule
from domain.pricing.vouchers import Voucher, VoucherStatus, VoucherType
from domain.shared.money import Money
from domain.shared.percentage import Percentage
from infrastructure.database.metadata import decimal_of_hundredths
from infrastructure.database.transaction import Row

_WORDS: Final = ("title_ar", "title_en", "description_ar", "description_en", "gift_ar", "gift_en")
_AS_IT_IS: Final = ("id", "usage_limit_total", "usage_limit_per_user", "usage_count", "created_by_user_id",
                    "created_at", "updated_at", "version")  # fmt: skip
_VALUES: Final = ("discount_percentage", "discount_value_minor", "applicable_to", "min_purchase_amount_minor",
                  "max_discount_minor", "currency")  # fmt: skip
TERMS: Final = (*_WORDS, *_AS_IT_IS, *_VALUES)
"""The columns that vouchers and offers share."""

OF_VOUCHERS: Final = {
    "code": "text", "voucher_type": "text", "valid_from": "timestamptz", "valid_until": "timestamptz",
    "weekdays": "smallint[]", "hours_from": "time", "hours_until": "time", "travel_from": "date",
    "travel_until": "date", "is_public": "boolean", "combines_with_offers": "boolean", "status": "text",
    "import_id": "uuid",
}  # fmt: skip
OF_OFFERS: Final = {
    "offer_type": "text", "featured_image": "text", "bonus_points": "integer", "points_per_unit": "boolean",
    "target_item_ids": "uuid[]", "membership_tiers": "text[]", "start_date": "timestamptz",
    "end_date": "timestamptz", "status": "text", "is_featured": "boolean", "priority": "integer",
    "is_stackable": "boolean",
}  # fmt: skip
# Kept by triggers.
_NOT_WRITTEN: Final = ("usage_count", "updated_at", "version")
VOUCHER_COLUMNS: Final = tuple(name for name in (*TERMS, *OF_VOUCHERS) if name not in _NOT_WRITTEN)
OFFER_COLUMNS: Final = tuple(name for name in (*TERMS, *OF_OFFERS) if name not in _NOT_WRITTEN)


def voucher_of(row: Row) -> Voucher:
    return Voucher(
        **_terms(row),
        code=row["code"],
        voucher_type=VoucherType(row["voucher_type"]),
        valid_from=row["valid_from"],
        valid_until=row["valid_until"],
        schedule=_schedule(row),
        is_public=row["is_public"],
        combines_with_offers=row["combines_with_offers"],
        status=VoucherStatus(row["status"]),
        import_id=row["import_id"],
    )


def row_of_voucher(voucher: Voucher) -> Row:
    schedule = voucher.schedule
    return {
        **_row_of_terms(voucher),
        "code": voucher.code,
        "voucher_type": voucher.voucher_type.value,
        "valid_from": voucher.valid_from,
        "valid_until": voucher.valid_until,
        "weekdays": list(schedule.weekdays),
        "hours_from": schedule.hours_from,
        "hours_until": schedule.hours_until,
        "travel_from": schedule.travel_from,
        "travel_until": schedule.travel_until,
        "is_public": voucher.is_public,
        "combines_with_offers": voucher.combines_with_offers,
        "status": voucher.status.value,
        "import_id": voucher.import_id,
    }


def offer_of(row: Row) -> Offer:
    return Offer(
        **_terms(row),
        offer_type=OfferType(row["offer_type"]),
        featured_image=row["featured_image"],
        bonus_points=row["bonus_points"],
        points_per_unit=row["points_per_unit"],
        target_item_ids=tuple(row["target_item_ids"]),
        membership_tiers=tuple(row["membership_tiers"]),
        valid_from=row["start_date"],
        valid_until=row["end_date"],
        status=OfferStatus(row["status"]),
        is_featured=row["is_featured"],
        priority=row["priority"],
        is_stackable=row["is_stackable"],
    )


def row_of_offer(offer: Offer) -> Row:
    return {
        **_row_of_terms(offer),
        "offer_type": offer.offer_type.value,
        "featured_image": offer.featured_image,
        "bonus_points": offer.bonus_points,
        "points_per_unit": offer.points_per_unit,
        "target_item_ids": list(offer.target_item_ids),
        "membership_tiers": list(offer.membership_tiers),
        "start_date": offer.valid_from,
        "end_date": offer.valid_until,
        "status": offer.status.value,
        "is_featured": offer.is_featured,
        "priority": offer.priority,
        "is_stackable": offer.is_stackable,
    }


def _terms(row: Row) -> dict[str, Any]:
    percentage, code = row["discount_percentage"], row["currency"]
    return {
        **{name: row[name] for name in (*_WORDS, *_AS_IT_IS)},
        "discount_value": Percentage(int(percentage.scaleb(2)))
        if percentage is not None
        else _money(row["discount_value_minor"], code),
        "applicable_to": AppliesTo(row["applicable_to"]),
        "min_purchase_amount": _money(row["min_purchase_amount_minor"], code),
        "max_discount": _money(row["max_discount_minor"], code),
    }


def _row_of_terms(deal: Deal) -> Row:
    value = deal.discount_value
    return {
        **{name: getattr(deal, name) for name in (*_WORDS, *_AS_IT_IS) if name not in _NOT_WRITTEN},
        "discount_percentage": decimal_of_hundredths(value.hundredths) if isinstance(value, Percentage) else None,
        "discount_value_minor": value.minor if isinstance(value, Money) else None,
        "applicable_to": deal.applicable_to.value,
        "min_purchase_amount_minor": _minor(deal.min_purchase_amount),
        "max_discount_minor": _minor(deal.max_discount),
        "currency": deal.currency,
    }


def _schedule(row: Row) -> Schedule:
    schedule = Schedule(
        weekdays=tuple(row["weekdays"]),
        hours_from=row["hours_from"],
        hours_until=row["hours_until"],
        travel_from=row["travel_from"],
        travel_until=row["travel_until"],
    )
    return ALWAYS if schedule == ALWAYS else schedule


def _money(minor: int | None, code: str | None) -> Money | None:
    return Money.of(minor, code) if minor is not None and code is not None else None


def _minor(amount: Money | None) -> int | None:
    return None if amount is None else amount.minor
