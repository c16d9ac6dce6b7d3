"""Seats that are kept as long as a payment code; bookings that replace expired ones; choices about late money.

Online: nullable columns and a new table; the unique index on bookings is built concurrently. The release before writes
neither, and goes on keeping late money in suspense for staff.
"""

import sqlalchemy as sa
from alembic import op

revision = "20261129_11"
down_revision = "20261129_10"

HINDRANCES = (
    "'SOLD_OUT', 'CLOSED', 'BEGUN', 'BOOKED_AGAIN', 'PROMOTION_GONE', 'BALANCE_GONE', 'WRONG_AMOUNT', 'PAID_ALREADY'"
)


def upgrade() -> None:
    op.add_column("holds", sa.Column("agreed_until", sa.DateTime(timezone=True), nullable=True))
    op.add_column("bookings", sa.Column("replaces_booking_id", sa.Uuid(), nullable=True))
    op.execute(
        "ALTER TABLE bookings ADD CONSTRAINT fk_bookings_replaces_booking_id"
        " FOREIGN KEY (replaces_booking_id) REFERENCES bookings (id) NOT VALID"
    )
    op.execute("ALTER TABLE bookings VALIDATE CONSTRAINT fk_bookings_replaces_booking_id")
    _add_late_money()
    with op.get_context().autocommit_block():
        op.create_index(
            "uq_bookings_replaces_booking_id",
            "bookings",
            ["replaces_booking_id"],
            unique=True,
            postgresql_where="replaces_booking_id IS NOT NULL",
            postgresql_concurrently=True,
            if_not_exists=True,
        )


def _add_late_money() -> None:
    op.create_table(
        "late_money",
        sa.Column("receipt_id", sa.Uuid(), nullable=False),
        sa.Column("booking_id", sa.Uuid(), nullable=False),
        sa.Column("hindrance", sa.Text(), nullable=False),
        sa.Column("offered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("choose_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("choice", sa.Text(), nullable=True),
        sa.Column("chosen_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("chosen_by_user_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint(f"hindrance IN ({HINDRANCES})", name=op.f("ck_late_money_hindrance_known")),
        sa.CheckConstraint("choice IN ('WALLET', 'REFUND')", name=op.f("ck_late_money_choice_known")),
        sa.CheckConstraint("(choice IS NULL) = (chosen_at IS NULL)", name=op.f("ck_late_money_chosen_at_some_time")),
        sa.ForeignKeyConstraint(["receipt_id"], ["suspense_items.receipt_id"], name=op.f("fk_late_money_receipt_id")),
        sa.ForeignKeyConstraint(["booking_id"], ["bookings.id"], name=op.f("fk_late_money_booking_id")),
        sa.ForeignKeyConstraint(["chosen_by_user_id"], ["users.id"], name=op.f("fk_late_money_chosen_by_user_id")),
        sa.PrimaryKeyConstraint("receipt_id", name=op.f("pk_late_money")),
    )
    op.create_index("ix_late_money_booking_id", "late_money", ["booking_id"])
    op.create_index("ix_late_money_choose_until", "late_money", ["choose_until"], postgresql_where="choice IS NULL")


def downgrade() -> None:
    """Fails by nothing: bookings that replaced others stay bookings."""
    op.drop_table("late_money")
    op.drop_index("uq_bookings_replaces_booking_id", table_name="bookings")
    op.drop_constraint("fk_bookings_replaces_booking_id", "bookings")
    op.drop_column("bookings", "replaces_booking_id")
    op.drop_column("holds", "agreed_until")
