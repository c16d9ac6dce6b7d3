"""Vouchers and offers, whom vouchers are assigned to, what bookings redeemed of them, and what guards their limits.

Online: new tables only.
"""

from pathlib import Path

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "20261129_05"
down_revision = "20261129_04b"

SQL = Path(__file__).resolve().parents[1] / "sql"
FOLLOW_LIMIT = """, status = CASE
            WHEN status = 'ACTIVE' AND usage_count + step >= usage_limit_total THEN 'EXHAUSTED'
            WHEN status = 'EXHAUSTED' AND usage_count + step < usage_limit_total THEN 'ACTIVE'
            ELSE status END"""
DEALS = (
    {"deal": "voucher", "state": "AL012", "follow": FOLLOW_LIMIT},
    {"deal": "offer", "state": "AL013", "follow": ""},
)
ONLY_FOR_WHO_IS_HERE = """
CREATE TRIGGER only_for_who_is_here BEFORE INSERT ON voucher_assignments
    FOR EACH ROW EXECUTE FUNCTION refuse_for_erased();
"""


def upgrade() -> None:
    _add_vouchers()
    _add_voucher_assignments()
    _add_voucher_redemptions()
    _add_voucher_uses()
    _add_offers()
    _add_offer_redemptions()
    _add_offer_uses()
    guards = (SQL / "20261129_promotions.sql").read_text("utf-8")
    for deal in DEALS:
        execute(_filled(guards, deal))
    op.execute(ONLY_FOR_WHO_IS_HERE)


def execute(statements: str) -> None:
    """Run statements as they stand: their % and : are no placeholders."""
    op.get_bind().connection.driver_connection.execute(statements)


def _filled(template: str, values: dict[str, str]) -> str:
    for name, value in values.items():
        template = template.replace(f"{{{name}}}", value)
    return template


def _add_vouchers() -> None:
    op.create_table(
        "vouchers",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("voucher_type", sa.Text(), nullable=False),
        sa.Column("title_ar", sa.Text(), nullable=False),
        sa.Column("title_en", sa.Text(), nullable=False),
        sa.Column("description_ar", sa.Text(), nullable=False),
        sa.Column("description_en", sa.Text(), nullable=False),
        sa.Column("discount_percentage", sa.Numeric(5, 2), nullable=True),
        sa.Column("discount_value_minor", sa.BigInteger(), nullable=True),
        sa.Column("gift_ar", sa.Text(), nullable=False),
        sa.Column("gift_en", sa.Text(), nullable=False),
        sa.Column("applicable_to", sa.Text(), nullable=False),
        sa.Column("min_purchase_amount_minor", sa.BigInteger(), nullable=True),
        sa.Column("max_discount_minor", sa.BigInteger(), nullable=True),
        sa.Column("currency", sa.Text(), nullable=True),
        sa.Column("usage_limit_total", sa.Integer(), nullable=True),
        sa.Column("usage_limit_per_user", sa.Integer(), nullable=True),
        sa.Column("usage_count", sa.Integer(), server_default="0", nullable=False),
        sa.Column("created_by_user_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "updated_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("valid_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("valid_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("weekdays", postgresql.ARRAY(sa.SmallInteger()), nullable=False),
        sa.Column("hours_from", sa.Time(), nullable=True),
        sa.Column("hours_until", sa.Time(), nullable=True),
        sa.Column("travel_from", sa.Date(), nullable=True),
        sa.Column("travel_until", sa.Date(), nullable=True),
        sa.Column("is_public", sa.Boolean(), nullable=False),
        sa.Column("combines_with_offers", sa.Boolean(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("import_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint(
            "(discount_percentage IS NOT NULL) = (voucher_type = 'DISCOUNT_PERCENTAGE'"
            " OR (voucher_type = 'CASHBACK' AND discount_value_minor IS NULL))"
            " AND (discount_value_minor IS NOT NULL) = (voucher_type = 'DISCOUNT_FIXED'"
            " OR (voucher_type = 'CASHBACK' AND discount_percentage IS NULL))",
            name=op.f("ck_vouchers_value_of_its_type"),
        ),
        sa.CheckConstraint("applicable_to <> 'SPECIFIC_ITEMS'", name=op.f("ck_vouchers_for_no_items")),
        sa.CheckConstraint(
            "applicable_to IN ('ALL', 'HOTEL', 'FLIGHT', 'TOUR', 'PACKAGE', 'ACTIVITY', 'TRANSPORTATION',"
            " 'CAR_RENTAL', 'SPECIFIC_ITEMS')",
            name=op.f("ck_vouchers_applicable_to_known"),
        ),
        sa.CheckConstraint("code ~ '^[A-Z0-9][A-Z0-9_-]{2,39}$'", name=op.f("ck_vouchers_code_folded")),
        sa.CheckConstraint(
            "status IN ('ACTIVE', 'INACTIVE', 'EXPIRED', 'EXHAUSTED')", name=op.f("ck_vouchers_status_known")
        ),
        sa.CheckConstraint(
            "voucher_type IN ('DISCOUNT_PERCENTAGE', 'DISCOUNT_FIXED', 'CASHBACK', 'FREE_SERVICE')",
            name=op.f("ck_vouchers_voucher_type_known"),
        ),
        sa.CheckConstraint(
            "(currency IS NULL) = (discount_value_minor IS NULL AND min_purchase_amount_minor IS NULL"
            " AND max_discount_minor IS NULL)",
            name=op.f("ck_vouchers_amounts_have_a_currency"),
        ),
        sa.CheckConstraint(
            "discount_percentage > 0 AND discount_percentage <= 100", name=op.f("ck_vouchers_percentage_known")
        ),
        sa.CheckConstraint(
            "discount_value_minor > 0 AND max_discount_minor > 0", name=op.f("ck_vouchers_amounts_above_zero")
        ),
        sa.CheckConstraint("min_purchase_amount_minor >= 0", name=op.f("ck_vouchers_minimum_not_negative")),
        sa.CheckConstraint("usage_count BETWEEN 0 AND usage_limit_total", name=op.f("ck_vouchers_used_within_limit")),
        sa.CheckConstraint(
            "usage_limit_total > 0 AND usage_limit_per_user > 0", name=op.f("ck_vouchers_limits_above_zero")
        ),
        sa.CheckConstraint("valid_until > valid_from", name=op.f("ck_vouchers_window_in_order")),
        sa.ForeignKeyConstraint(["created_by_user_id"], ["users.id"], name=op.f("fk_vouchers_created_by_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_vouchers")),
        sa.UniqueConstraint("code", name=op.f("uq_vouchers_code")),
    )
    op.create_index("ix_vouchers_created_at_id", "vouchers", ["created_at", "id"])
    op.create_index("ix_vouchers_created_by_user_id", "vouchers", ["created_by_user_id"])
    op.create_index(
        "ix_vouchers_ending", "vouchers", ["valid_until"], postgresql_where="status IN ('ACTIVE', 'EXHAUSTED')"
    )
    op.create_index("ix_vouchers_import_id", "vouchers", ["import_id"], postgresql_where="import_id IS NOT NULL")
    op.create_index(
        "ix_vouchers_shown", "vouchers", ["created_at", "id"], postgresql_where="status = 'ACTIVE' AND is_public"
    )


def _add_voucher_assignments() -> None:
    op.create_table(
        "voucher_assignments",
        sa.Column("voucher_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("assigned_by_user_id", sa.Uuid(), nullable=False),
        sa.Column("assigned_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["assigned_by_user_id"], ["users.id"], name=op.f("fk_voucher_assignments_assigned_by_user_id")
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_voucher_assignments_user_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["voucher_id"], ["vouchers.id"], name=op.f("fk_voucher_assignments_voucher_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("voucher_id", "user_id", name=op.f("pk_voucher_assignments")),
    )
    op.create_index("ix_voucher_assignments_assigned_by_user_id", "voucher_assignments", ["assigned_by_user_id"])
    op.create_index("ix_voucher_assignments_user_id", "voucher_assignments", ["user_id"])


def _add_voucher_redemptions() -> None:
    op.create_table(
        "voucher_redemptions",
        sa.Column("voucher_id", sa.Uuid(), nullable=False),
        sa.Column("booking_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("discount_applied_minor", sa.BigInteger(), nullable=False),
        sa.Column("cashback_minor", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("in_use", sa.Boolean(), nullable=False),
        sa.Column("redeemed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("released_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("redeemed_again_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "discount_applied_minor >= 0 AND cashback_minor >= 0",
            name=op.f("ck_voucher_redemptions_amounts_not_negative"),
        ),
        sa.CheckConstraint(
            "in_use OR released_at IS NOT NULL", name=op.f("ck_voucher_redemptions_released_at_some_time")
        ),
        sa.ForeignKeyConstraint(["booking_id"], ["bookings.id"], name=op.f("fk_voucher_redemptions_booking_id")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_voucher_redemptions_user_id")),
        sa.ForeignKeyConstraint(["voucher_id"], ["vouchers.id"], name=op.f("fk_voucher_redemptions_voucher_id")),
        sa.PrimaryKeyConstraint("voucher_id", "booking_id", name=op.f("pk_voucher_redemptions")),
    )
    op.create_index("ix_voucher_redemptions_booking_id", "voucher_redemptions", ["booking_id"])
    op.create_index("ix_voucher_redemptions_user_id", "voucher_redemptions", ["user_id"])


def _add_voucher_uses() -> None:
    op.create_table(
        "voucher_uses",
        sa.Column("voucher_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("used", sa.Integer(), nullable=False),
        sa.CheckConstraint("used >= 0", name=op.f("ck_voucher_uses_used_not_negative")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_voucher_uses_user_id")),
        sa.ForeignKeyConstraint(["voucher_id"], ["vouchers.id"], name=op.f("fk_voucher_uses_voucher_id")),
        sa.PrimaryKeyConstraint("voucher_id", "user_id", name=op.f("pk_voucher_uses")),
    )
    op.create_index("ix_voucher_uses_user_id", "voucher_uses", ["user_id"])


def _add_offers() -> None:
    op.create_table(
        "offers",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("offer_type", sa.Text(), nullable=False),
        sa.Column("title_ar", sa.Text(), nullable=False),
        sa.Column("title_en", sa.Text(), nullable=False),
        sa.Column("description_ar", sa.Text(), nullable=False),
        sa.Column("description_en", sa.Text(), nullable=False),
        sa.Column("discount_percentage", sa.Numeric(5, 2), nullable=True),
        sa.Column("discount_value_minor", sa.BigInteger(), nullable=True),
        sa.Column("gift_ar", sa.Text(), nullable=False),
        sa.Column("gift_en", sa.Text(), nullable=False),
        sa.Column("applicable_to", sa.Text(), nullable=False),
        sa.Column("min_purchase_amount_minor", sa.BigInteger(), nullable=True),
        sa.Column("max_discount_minor", sa.BigInteger(), nullable=True),
        sa.Column("currency", sa.Text(), nullable=True),
        sa.Column("usage_limit_total", sa.Integer(), nullable=True),
        sa.Column("usage_limit_per_user", sa.Integer(), nullable=True),
        sa.Column("usage_count", sa.Integer(), server_default="0", nullable=False),
        sa.Column("created_by_user_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "updated_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("featured_image", sa.Text(), nullable=False),
        sa.Column("bonus_points", sa.Integer(), nullable=False),
        sa.Column("points_per_unit", sa.Boolean(), nullable=False),
        sa.Column("target_item_ids", postgresql.ARRAY(sa.Uuid()), nullable=False),
        sa.Column("membership_tiers", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("start_date", sa.DateTime(timezone=True), nullable=False),
        sa.Column("end_date", sa.DateTime(timezone=True), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("is_featured", sa.Boolean(), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("is_stackable", sa.Boolean(), nullable=False),
        sa.CheckConstraint(
            "(applicable_to = 'SPECIFIC_ITEMS') = (cardinality(target_item_ids) > 0)",
            name=op.f("ck_offers_items_where_they_are_named"),
        ),
        sa.CheckConstraint(
            "(discount_percentage IS NOT NULL) = (offer_type = 'DISCOUNT_PERCENTAGE')"
            " AND (discount_value_minor IS NOT NULL) = (offer_type = 'DISCOUNT_FIXED')"
            " AND (bonus_points > 0) = (offer_type = 'BONUS_POINTS')",
            name=op.f("ck_offers_value_of_its_type"),
        ),
        sa.CheckConstraint(
            "applicable_to IN ('ALL', 'HOTEL', 'FLIGHT', 'TOUR', 'PACKAGE', 'ACTIVITY', 'TRANSPORTATION',"
            " 'CAR_RENTAL', 'SPECIFIC_ITEMS')",
            name=op.f("ck_offers_applicable_to_known"),
        ),
        sa.CheckConstraint(
            "offer_type IN ('DISCOUNT_PERCENTAGE', 'DISCOUNT_FIXED', 'BOGO', 'FREE_UPGRADE', 'BONUS_POINTS')",
            name=op.f("ck_offers_offer_type_known"),
        ),
        sa.CheckConstraint("status IN ('DRAFT', 'ACTIVE', 'EXPIRED', 'DISABLED')", name=op.f("ck_offers_status_known")),
        sa.CheckConstraint(
            "(currency IS NULL) = (discount_value_minor IS NULL AND min_purchase_amount_minor IS NULL"
            " AND max_discount_minor IS NULL)",
            name=op.f("ck_offers_amounts_have_a_currency"),
        ),
        sa.CheckConstraint(
            "discount_percentage > 0 AND discount_percentage <= 100", name=op.f("ck_offers_percentage_known")
        ),
        sa.CheckConstraint(
            "discount_value_minor > 0 AND max_discount_minor > 0", name=op.f("ck_offers_amounts_above_zero")
        ),
        sa.CheckConstraint("end_date > start_date", name=op.f("ck_offers_window_in_order")),
        sa.CheckConstraint("min_purchase_amount_minor >= 0", name=op.f("ck_offers_minimum_not_negative")),
        sa.CheckConstraint("usage_count BETWEEN 0 AND usage_limit_total", name=op.f("ck_offers_used_within_limit")),
        sa.CheckConstraint(
            "usage_limit_total > 0 AND usage_limit_per_user > 0", name=op.f("ck_offers_limits_above_zero")
        ),
        sa.ForeignKeyConstraint(["created_by_user_id"], ["users.id"], name=op.f("fk_offers_created_by_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_offers")),
    )
    op.create_index("ix_offers_created_by_user_id", "offers", ["created_by_user_id"])
    op.create_index("ix_offers_priority_id", "offers", ["priority", "id"])
    op.create_index("ix_offers_running", "offers", ["priority", "id"], postgresql_where="status = 'ACTIVE'")


def _add_offer_redemptions() -> None:
    op.create_table(
        "offer_redemptions",
        sa.Column("offer_id", sa.Uuid(), nullable=False),
        sa.Column("booking_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("discount_applied_minor", sa.BigInteger(), nullable=False),
        sa.Column("bonus_points", sa.Integer(), server_default="0", nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("in_use", sa.Boolean(), nullable=False),
        sa.Column("redeemed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("released_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("redeemed_again_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "discount_applied_minor >= 0 AND bonus_points >= 0", name=op.f("ck_offer_redemptions_amounts_not_negative")
        ),
        sa.CheckConstraint(
            "in_use OR released_at IS NOT NULL", name=op.f("ck_offer_redemptions_released_at_some_time")
        ),
        sa.ForeignKeyConstraint(["booking_id"], ["bookings.id"], name=op.f("fk_offer_redemptions_booking_id")),
        sa.ForeignKeyConstraint(["offer_id"], ["offers.id"], name=op.f("fk_offer_redemptions_offer_id")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_offer_redemptions_user_id")),
        sa.PrimaryKeyConstraint("offer_id", "booking_id", name=op.f("pk_offer_redemptions")),
    )
    op.create_index("ix_offer_redemptions_booking_id", "offer_redemptions", ["booking_id"])
    op.create_index("ix_offer_redemptions_user_id", "offer_redemptions", ["user_id"])


def _add_offer_uses() -> None:
    op.create_table(
        "offer_uses",
        sa.Column("offer_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("used", sa.Integer(), nullable=False),
        sa.CheckConstraint("used >= 0", name=op.f("ck_offer_uses_used_not_negative")),
        sa.ForeignKeyConstraint(["offer_id"], ["offers.id"], name=op.f("fk_offer_uses_offer_id")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_offer_uses_user_id")),
        sa.PrimaryKeyConstraint("offer_id", "user_id", name=op.f("pk_offer_uses")),
    )
    op.create_index("ix_offer_uses_user_id", "offer_uses", ["user_id"])


def downgrade() -> None:
    for table in (
        "offer_uses",
        "offer_redemptions",
        "offers",
        "voucher_uses",
        "voucher_redemptions",
        "voucher_assignments",
        "vouchers",
    ):
        op.drop_table(table)
    for deal in ("voucher", "offer"):
        op.execute(f"DROP FUNCTION count_{deal}_use()")
        op.execute(f"DROP FUNCTION keep_{deal}_count()")
