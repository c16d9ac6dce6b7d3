"""Cancellation policies, which items name; and what is kept of bookings that were cancelled.

Online: a new table; columns that are nullable or have a constant default, constraints that are validated after they are
added, indexes built concurrently. The release before sells with everything back until the trip begins.
"""

import sqlalchemy as sa
from alembic import op

revision = "20261129_08"
down_revision = "20261129_07"

ITEMS = ("packages", "activities")
GUARDS = """
CREATE TRIGGER touch_updated_at BEFORE INSERT OR UPDATE ON cancellation_policies
    FOR EACH ROW EXECUTE FUNCTION touch_updated_at();
CREATE TRIGGER next_version BEFORE UPDATE ON cancellation_policies
    FOR EACH ROW EXECUTE FUNCTION next_version();
"""
KEPT = "kept_amount_minor BETWEEN 0 AND paid_amount_minor - refunded_amount_minor"


def upgrade() -> None:
    op.create_table(
        "cancellation_policies",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name_ar", sa.Text(), nullable=False),
        sa.Column("name_en", sa.Text(), nullable=False),
        sa.Column("tiers", sa.dialects.postgresql.JSONB(), nullable=False),
        sa.Column("is_default", sa.Boolean(), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("created_by_user_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "updated_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint("is_active OR NOT is_default", name=op.f("ck_cancellation_policies_default_is_active")),
        sa.CheckConstraint("jsonb_typeof(tiers) = 'array'", name=op.f("ck_cancellation_policies_tiers_are_a_list")),
        sa.ForeignKeyConstraint(
            ["created_by_user_id"], ["users.id"], name=op.f("fk_cancellation_policies_created_by_user_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cancellation_policies")),
    )
    op.create_index(
        "uq_cancellation_policies_default",
        "cancellation_policies",
        ["is_default"],
        unique=True,
        postgresql_where="is_default",
    )
    op.execute(GUARDS)
    for table in ITEMS:
        op.add_column(table, sa.Column("cancellation_policy_id", sa.Uuid(), nullable=True))
        _add(
            table,
            f"fk_{table}_cancellation_policy_id",
            "FOREIGN KEY (cancellation_policy_id) REFERENCES cancellation_policies (id)",
        )
    op.add_column("bookings", sa.Column("kept_amount_minor", sa.BigInteger(), server_default="0", nullable=False))
    _add("bookings", "ck_bookings_kept_of_what_did_not_go_back", f"CHECK ({KEPT})")
    with op.get_context().autocommit_block():
        for table in ITEMS:
            op.create_index(
                f"ix_{table}_cancellation_policy_id",
                table,
                ["cancellation_policy_id"],
                postgresql_where="cancellation_policy_id IS NOT NULL",
                postgresql_concurrently=True,
                if_not_exists=True,
            )


def _add(table: str, name: str, rule: str) -> None:
    op.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} {rule} NOT VALID")
    op.execute(f"ALTER TABLE {table} VALIDATE CONSTRAINT {name}")


def downgrade() -> None:
    op.drop_column("bookings", "kept_amount_minor")
    for table in ITEMS:
        op.drop_column(table, "cancellation_policy_id")
    op.drop_table("cancellation_policies")
