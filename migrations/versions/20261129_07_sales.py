"""Bookings of activities and of what people price; fees, points as a discount, frozen terms and exchange rates.

Online: nullable columns, or columns with a constant default; checks are added without a look at old rows, then validated;
indexes are built concurrently. The release before goes on booking packages: what it does not name has its default.
"""

import sqlalchemy as sa
from alembic import op

revision = "20261129_07"
down_revision = "20261129_06"

AGREED_BEFORE = '{"policy_id": null, "tiers": [{"hours_before": 0, "refund": 10000}]}'
NEW_CHECKS = {
    ("bookings", "price_with_fee_adds_up"): (
        "base_amount_minor - discount_amount_minor - voucher_discount_minor + tax_amount_minor + fee_amount_minor"
        " = final_amount_minor"
    ),
    ("bookings", "points_are_discount"): (
        "points_redeemed >= 0 AND points_worth_minor BETWEEN 0 AND discount_amount_minor"
        " AND (points_redeemed > 0) = (points_worth_minor > 0)"
    ),
    ("bookings", "of_one_item"): "num_nonnulls(package_id, activity_id) <= 1",
    ("holds", "seats_of_a_departure"): "CASE WHEN departure_id IS NULL THEN seats = 0 ELSE seats > 0 END",
    ("membership_plans", "discount_rate_is_percent"): "discount_rate BETWEEN 0 AND 100",
}
OLD_CHECKS = {
    ("bookings", "price_adds_up"): (
        "base_amount_minor - discount_amount_minor - voucher_discount_minor + tax_amount_minor = final_amount_minor"
    ),
    ("holds", "seats_above_zero"): "seats > 0",
}
REFERENCES = {
    "activity_id": "activities",
    "exchange_rate_id": "exchange_rates",
    "cancelled_by_user_id": "users",
}
BOOKING_COLUMNS = (
    sa.Column("activity_id", sa.Uuid(), nullable=True),
    sa.Column("booking_details", sa.dialects.postgresql.JSONB(), server_default="{}", nullable=False),
    sa.Column("fee_amount_minor", sa.BigInteger(), server_default="0", nullable=False),
    sa.Column("points_redeemed", sa.Integer(), server_default="0", nullable=False),
    sa.Column("points_worth_minor", sa.BigInteger(), server_default="0", nullable=False),
    sa.Column("exchange_rate_id", sa.Uuid(), nullable=True),
    sa.Column("exchange_from", sa.Text(), nullable=True),
    sa.Column("exchange_rate", sa.Numeric(21, 12), nullable=True),
    sa.Column("bonus_points", sa.Integer(), server_default="0", nullable=False),
    sa.Column("bonus_cashback_minor", sa.BigInteger(), server_default="0", nullable=False),
    sa.Column("cancellation_terms", sa.dialects.postgresql.JSONB(), server_default=AGREED_BEFORE, nullable=False),
    sa.Column("starts_at", sa.DateTime(timezone=True), nullable=True),
    sa.Column("time_zone", sa.Text(), server_default="Africa/Cairo", nullable=False),
    sa.Column("cancelled_by_user_id", sa.Uuid(), nullable=True),
)
ITEM_COLUMNS = (
    sa.Column("price_minor", sa.BigInteger(), server_default="0", nullable=False),
    sa.Column("discount_minor", sa.BigInteger(), server_default="0", nullable=False),
    sa.Column("tax_minor", sa.BigInteger(), server_default="0", nullable=False),
    sa.Column("fee_minor", sa.BigInteger(), server_default="0", nullable=False),
    sa.Column("item_details", sa.dialects.postgresql.JSONB(), server_default="{}", nullable=False),
    sa.Column("notes", sa.Text(), server_default="", nullable=False),
)


def upgrade() -> None:
    op.add_column("membership_plans", sa.Column("discount_rate", sa.Numeric(5, 2), server_default="0", nullable=False))
    for column in BOOKING_COLUMNS:
        op.add_column("bookings", column)
    for column in ITEM_COLUMNS:
        op.add_column("booking_items", column)
    op.alter_column("holds", "departure_id", nullable=True)
    for column, table in REFERENCES.items():
        _add("bookings", f"fk_bookings_{column}", f"FOREIGN KEY ({column}) REFERENCES {table} (id)")
    for (table, name), condition in NEW_CHECKS.items():
        _add(table, f"ck_{table}_{name}", f"CHECK ({condition})")
    for table, name in OLD_CHECKS:
        op.drop_constraint(op.f(f"ck_{table}_{name}"), table)
    with op.get_context().autocommit_block():
        op.create_index(
            "ix_bookings_activity_id",
            "bookings",
            ["activity_id"],
            postgresql_where="activity_id IS NOT NULL",
            postgresql_concurrently=True,
            if_not_exists=True,
        )


def _add(table: str, name: str, rule: str) -> None:
    op.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} {rule} NOT VALID")
    op.execute(f"ALTER TABLE {table} VALIDATE CONSTRAINT {name}")


def downgrade() -> None:
    """Fails while there is a booking that the release before cannot hold: one with a fee, or of no departure."""
    for (table, name), condition in OLD_CHECKS.items():
        _add(table, f"ck_{table}_{name}", f"CHECK ({condition})")
    op.alter_column("holds", "departure_id", nullable=False)
    op.drop_index("ix_bookings_activity_id", table_name="bookings")
    for table, name in NEW_CHECKS:
        op.drop_constraint(op.f(f"ck_{table}_{name}"), table)
    for column in ITEM_COLUMNS:
        op.drop_column("booking_items", column.name)
    for column in BOOKING_COLUMNS:
        op.drop_column("bookings", column.name)
    op.drop_column("membership_plans", "discount_rate")
