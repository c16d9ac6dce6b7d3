"""What pricing holds about a person: which vouchers are theirs, and what they used."""

from infrastructure.database.holdings import Holding, because
from infrastructure.database.pricing import tables

_THEIRS = "user_id = $person"
_SAID_TO_ALL = ("title_ar", "title_en", "description_ar", "description_en", "gift_ar", "gift_en")

HOLDINGS = (
    Holding(table=tables.vouchers, plain=because("the business's own words", "code", *_SAID_TO_ALL, "weekdays")),
    Holding(
        table=tables.voucher_assignments,
        belongs=_THEIRS,
        deleted=True,
        exported_as="vouchers",
        exported=("voucher_id", "assigned_at"),
    ),
    Holding(
        table=tables.voucher_redemptions,
        belongs=_THEIRS,
        exported_as="voucher_redemptions",
        exported=("voucher_id", "booking_id", "discount_applied_minor", "cashback_minor", "currency", "in_use",
                  "redeemed_at", "released_at"),
    ),
    Holding(table=tables.voucher_uses, belongs=_THEIRS),
    Holding(
        table=tables.offers,
        plain=because("the business's own words", *_SAID_TO_ALL, "featured_image", "target_item_ids",
                      "membership_tiers"),
    ),
    Holding(
        table=tables.offer_redemptions,
        belongs=_THEIRS,
        exported_as="offer_redemptions",
        exported=("offer_id", "booking_id", "discount_applied_minor", "bonus_points", "currency", "in_use",
                  "redeemed_at", "released_at"),
    ),
    Holding(table=tables.offer_uses, belongs=_THEIRS),
)  # fmt: skip
