"""vouchers, voucher_assignments, voucher_redemptions, voucher_uses, offers, offer_redemptions, offer_uses.

Triggers (migrations/versions/20261129_05_promotions.py) count what is redeemed and given back, and refuse what goes
beyond a limit: `usage_count` moves with redemptions alone, and the tables of uses are theirs.
"""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    Time,
    Uuid,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.schema import SchemaItem

from domain.pricing.deals import AppliesTo
from domain.pricing.offers import OfferStatus, OfferType
from domain.pricing.vouchers import VoucherStatus, VoucherType
from infrastructure.database.metadata import (
    CurrencyCode,
    PercentageNumber,
    instant,
    key,
    metadata,
    money,
    money_at_zero,
    reference,
    status,
    touched,
    version,
)


def _terms() -> tuple[SchemaItem, ...]:
    """The columns that vouchers and offers share."""
    return (
        Column("title_ar", Text, nullable=False),
        Column("title_en", Text, nullable=False),
        Column("description_ar", Text, nullable=False),
        Column("description_en", Text, nullable=False),
        Column("discount_percentage", PercentageNumber),
        money("discount_value", nullable=True),
        Column("gift_ar", Text, nullable=False),
        Column("gift_en", Text, nullable=False),
        *status("applicable_to", AppliesTo),
        money("min_purchase_amount", nullable=True),
        money("max_discount", nullable=True),
        # Of every amount here; NULL where there is none.
        Column("currency", CurrencyCode),
        Column("usage_limit_total", Integer),
        Column("usage_limit_per_user", Integer),
        # Uses that were not given back, kept where there is a total limit; counted from the redemptions elsewhere.
        Column("usage_count", Integer, nullable=False, server_default="0"),
        reference("created_by_user_id", "users.id"),
        instant("created_at"),
        touched(),
        version(),
        CheckConstraint("discount_percentage > 0 AND discount_percentage <= 100", name="percentage_known"),
        CheckConstraint("discount_value_minor > 0 AND max_discount_minor > 0", name="amounts_above_zero"),
        CheckConstraint("min_purchase_amount_minor >= 0", name="minimum_not_negative"),
        CheckConstraint(
            "(currency IS NULL) = (discount_value_minor IS NULL AND min_purchase_amount_minor IS NULL"
            " AND max_discount_minor IS NULL)",
            name="amounts_have_a_currency",
        ),
        CheckConstraint("usage_limit_total > 0 AND usage_limit_per_user > 0", name="limits_above_zero"),
        CheckConstraint("usage_count BETWEEN 0 AND usage_limit_total", name="used_within_limit"),
    )


vouchers = Table(
    "vouchers",
    metadata,
    key(),
    Column("code", Text, nullable=False, unique=True),
    *status("voucher_type", VoucherType),
    *_terms(),
    instant("valid_from"),
    instant("valid_until", nullable=True),
    Column("weekdays", ARRAY(SmallInteger), nullable=False),
    Column("hours_from", Time),
    Column("hours_until", Time),
    Column("travel_from", Date),
    Column("travel_until", Date),
    Column("is_public", Boolean, nullable=False),
    Column("combines_with_offers", Boolean, nullable=False),
    *status("status", VoucherStatus),
    # The import that it came with.
    Column("import_id", Uuid),
    CheckConstraint("code ~ '^[A-Z0-9][A-Z0-9_-]{2,39}$'", name="code_folded"),
    CheckConstraint("valid_until > valid_from", name="window_in_order"),
    CheckConstraint("applicable_to <> 'SPECIFIC_ITEMS'", name="for_no_items"),
    CheckConstraint(
        "(discount_percentage IS NOT NULL) = (voucher_type = 'DISCOUNT_PERCENTAGE'"
        " OR (voucher_type = 'CASHBACK' AND discount_value_minor IS NULL))"
        " AND (discount_value_minor IS NOT NULL) = (voucher_type = 'DISCOUNT_FIXED'"
        " OR (voucher_type = 'CASHBACK' AND discount_percentage IS NULL))",
        name="value_of_its_type",
    ),
    Index("ix_vouchers_created_at_id", "created_at", "id"),
    Index("ix_vouchers_created_by_user_id", "created_by_user_id"),
    Index("ix_vouchers_import_id", "import_id", postgresql_where="import_id IS NOT NULL"),
    # What the job looks for, and what everybody is shown.
    Index("ix_vouchers_ending", "valid_until", postgresql_where="status IN ('ACTIVE', 'EXHAUSTED')"),
    Index("ix_vouchers_shown", "created_at", "id", postgresql_where="status = 'ACTIVE' AND is_public"),
)

voucher_assignments = Table(
    "voucher_assignments",
    metadata,
    Column("voucher_id", Uuid, ForeignKey("vouchers.id", ondelete="CASCADE"), nullable=False),
    Column("user_id", Uuid, ForeignKey("users.id", ondelete="CASCADE"), nullable=False),
    reference("assigned_by_user_id", "users.id"),
    instant("assigned_at"),
    PrimaryKeyConstraint("voucher_id", "user_id"),
    Index("ix_voucher_assignments_user_id", "user_id"),
    Index("ix_voucher_assignments_assigned_by_user_id", "assigned_by_user_id"),
)

voucher_redemptions = Table(
    "voucher_redemptions",
    metadata,
    reference("voucher_id", "vouchers.id"),
    reference("booking_id", "bookings.id"),
    reference("user_id", "users.id"),
    money("discount_applied"),
    # Promised beside the plan's own.
    money_at_zero("cashback"),
    Column("currency", CurrencyCode, nullable=False),
    Column("in_use", Boolean, nullable=False),
    instant("redeemed_at"),
    # The last time that it was given back, and taken again for money that came late.
    instant("released_at", nullable=True),
    instant("redeemed_again_at", nullable=True),
    PrimaryKeyConstraint("voucher_id", "booking_id"),
    CheckConstraint("discount_applied_minor >= 0 AND cashback_minor >= 0", name="amounts_not_negative"),
    CheckConstraint("in_use OR released_at IS NOT NULL", name="released_at_some_time"),
    Index("ix_voucher_redemptions_booking_id", "booking_id"),
    Index("ix_voucher_redemptions_user_id", "user_id"),
)

voucher_uses = Table(
    "voucher_uses",
    metadata,
    reference("voucher_id", "vouchers.id"),
    reference("user_id", "users.id"),
    Column("used", Integer, nullable=False),
    PrimaryKeyConstraint("voucher_id", "user_id"),
    CheckConstraint("used >= 0", name="used_not_negative"),
    Index("ix_voucher_uses_user_id", "user_id"),
)

offers = Table(
    "offers",
    metadata,
    key(),
    *status("offer_type", OfferType),
    *_terms(),
    Column("featured_image", Text, nullable=False),
    Column("bonus_points", Integer, nullable=False),
    Column("points_per_unit", Boolean, nullable=False),
    Column("target_item_ids", ARRAY(Uuid), nullable=False),
    Column("membership_tiers", ARRAY(Text), nullable=False),
    instant("start_date"),
    instant("end_date", nullable=True),
    *status("status", OfferStatus),
    Column("is_featured", Boolean, nullable=False),
    Column("priority", Integer, nullable=False),
    Column("is_stackable", Boolean, nullable=False),
    CheckConstraint("end_date > start_date", name="window_in_order"),
    CheckConstraint(
        "(applicable_to = 'SPECIFIC_ITEMS') = (cardinality(target_item_ids) > 0)", name="items_where_they_are_named"
    ),
    CheckConstraint(
        "(discount_percentage IS NOT NULL) = (offer_type = 'DISCOUNT_PERCENTAGE')"
        " AND (discount_value_minor IS NOT NULL) = (offer_type = 'DISCOUNT_FIXED')"
        " AND (bonus_points > 0) = (offer_type = 'BONUS_POINTS')",
        name="value_of_its_type",
    ),
    Index("ix_offers_created_by_user_id", "created_by_user_id"),
    Index("ix_offers_priority_id", "priority", "id"),
    # What every quote asks for.
    Index("ix_offers_running", "priority", "id", postgresql_where="status = 'ACTIVE'"),
)

offer_redemptions = Table(
    "offer_redemptions",
    metadata,
    reference("offer_id", "offers.id"),
    reference("booking_id", "bookings.id"),
    reference("user_id", "users.id"),
    money("discount_applied"),
    Column("bonus_points", Integer, nullable=False, server_default="0"),
    Column("currency", CurrencyCode, nullable=False),
    Column("in_use", Boolean, nullable=False),
    instant("redeemed_at"),
    instant("released_at", nullable=True),
    instant("redeemed_again_at", nullable=True),
    PrimaryKeyConstraint("offer_id", "booking_id"),
    CheckConstraint("discount_applied_minor >= 0 AND bonus_points >= 0", name="amounts_not_negative"),
    CheckConstraint("in_use OR released_at IS NOT NULL", name="released_at_some_time"),
    Index("ix_offer_redemptions_booking_id", "booking_id"),
    Index("ix_offer_redemptions_user_id", "user_id"),
)

offer_uses = Table(
    "offer_uses",
    metadata,
    reference("offer_id", "offers.id"),
    reference("user_id", "users.id"),
    Column("used", Integer, nullable=False),
    PrimaryKeyConstraint("offer_id", "user_id"),
    CheckConstraint("used >= 0", name="used_not_negative"),
    Index("ix_offer_uses_user_id", "user_id"),
)
