"""Statements of payouts: which PDFs were asked for, and which are made.

Online: a new table, of which the release before knows nothing.
"""

import sqlalchemy as sa
from alembic import op

revision = "20261129_25"
down_revision = "20261129_23"

LANGUAGES = "'ar', 'en', 'both'"
STATUSES = "'PENDING', 'SENT', 'PAID', 'FAILED', 'UNKNOWN', 'CANCELLED'"


def upgrade() -> None:
    op.create_table(
        "payout_statements",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("payout_id", sa.Uuid(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("requested_by_user_id", sa.Uuid(), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("size_bytes", sa.Integer(), nullable=True),
        sa.CheckConstraint(f"language IN ({LANGUAGES})", name=op.f("ck_payout_statements_language_known")),
        sa.CheckConstraint(f"status IN ({STATUSES})", name=op.f("ck_payout_statements_status_known")),
        sa.ForeignKeyConstraint(["payout_id"], ["payouts.id"], name=op.f("fk_payout_statements_payout_id")),
        sa.ForeignKeyConstraint(
            ["requested_by_user_id"], ["users.id"], name=op.f("fk_payout_statements_requested_by_user_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payout_statements")),
        sa.UniqueConstraint("payout_id", "language", "status", name=op.f("uq_payout_statements_content")),
    )
    op.create_index("ix_payout_statements_requested_at", "payout_statements", ["requested_at"])
    op.create_index(
        "ix_payout_statements_requested_by_user_id_requested_at",
        "payout_statements",
        ["requested_by_user_id", "requested_at"],
    )


def downgrade() -> None:
    op.drop_table("payout_statements")
