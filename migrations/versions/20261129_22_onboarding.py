"""Onboarding of vendors and agents: refusals, ways of payout that cool off, papers; what analysts see of partners.

Online: nullable columns, a new table, views, and a function that is replaced in one step. The release before reads and
writes none of the new columns.
"""

from pathlib import Path

import sqlalchemy as sa
from alembic import op

revision = "20261129_22"
down_revision = "20261129_21"

SQL = Path(__file__).resolve().parents[1] / "sql"
CATEGORIES = (
    "'general', 'payment', 'notification', 'membership', 'booking', 'ledger', 'security', 'privacy', 'catalogue'"
)
REFUSED = "refusal_reason IS NULL OR status = 'PENDING_APPROVAL'"


def execute(statements: str) -> None:
    """Run statements as they stand: their % and : are no placeholders."""
    op.get_bind().connection.driver_connection.execute(statements)


def upgrade() -> None:
    op.add_column("partner_profiles", sa.Column("refusal_reason", sa.Text(), nullable=True))
    op.add_column("partner_profiles", sa.Column("payouts_from", sa.DateTime(timezone=True), nullable=True))
    _check("partner_profiles", "refused_while_pending", REFUSED)
    _papers()
    with op.get_context().autocommit_block():
        op.create_index(
            "ix_partner_profiles_status_created_at_id",
            "partner_profiles",
            ["payee_type", "status", "created_at", "id"],
            postgresql_concurrently=True,
            if_not_exists=True,
        )
    _know_categories(f"{CATEGORIES}, 'payout'")
    execute((SQL / "20261129_onboarding.sql").read_text("utf-8"))


def _papers() -> None:
    op.create_table(
        "partner_documents",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("profile_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("expires_on", sa.Date(), nullable=True),
        sa.Column("storage_key", sa.Text(), nullable=False),
        sa.Column("content_type", sa.Text(), nullable=False),
        sa.Column("size_bytes", sa.Integer(), nullable=False),
        sa.Column("uploaded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("stored_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("verified_by_user_id", sa.Uuid(), nullable=True),
        sa.Column("verified_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "kind IN ('LICENSE', 'TAX_CARD', 'CONTRACT', 'OTHER')", name=op.f("ck_partner_documents_kind_known")
        ),
        sa.CheckConstraint(
            "(verified_at IS NULL) = (verified_by_user_id IS NULL)",
            name=op.f("ck_partner_documents_verified_by_somebody"),
        ),
        sa.CheckConstraint(
            "verified_at IS NULL OR stored_at IS NOT NULL", name=op.f("ck_partner_documents_verified_when_seen")
        ),
        sa.ForeignKeyConstraint(["profile_id"], ["partner_profiles.id"], name=op.f("fk_partner_documents_profile_id")),
        sa.ForeignKeyConstraint(
            ["verified_by_user_id"], ["users.id"], name=op.f("fk_partner_documents_verified_by_user_id")
        ),
        sa.UniqueConstraint("storage_key", name=op.f("uq_partner_documents_storage_key")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_partner_documents")),
    )
    op.create_index("ix_partner_documents_profile_id_kind_id", "partner_documents", ["profile_id", "kind", "id"])
    op.create_index(
        "ix_partner_documents_expires_on", "partner_documents", ["expires_on", "id"],
        postgresql_where="expires_on IS NOT NULL AND stored_at IS NOT NULL",
    )  # fmt: skip


def _know_categories(known: str) -> None:
    """A setting's category is its key's first word."""
    op.execute("ALTER TABLE system_settings DROP CONSTRAINT IF EXISTS ck_system_settings_category_known")
    _check("system_settings", "category_known", f"category IN ({known})")


def _check(table: str, name: str, condition: str) -> None:
    op.execute(f"ALTER TABLE {table} ADD CONSTRAINT ck_{table}_{name} CHECK ({condition}) NOT VALID")
    op.execute(f"ALTER TABLE {table} VALIDATE CONSTRAINT ck_{table}_{name}")


def downgrade() -> None:
    op.execute("DROP VIEW agent_profiles; DROP VIEW vendor_profiles")
    op.execute("DROP TRIGGER only_for_who_is_here ON partner_bank_accounts")
    execute((SQL / "20261128_refunds.sql").read_text("utf-8"))
    op.execute("DELETE FROM system_settings WHERE category = 'payout'")
    _know_categories(CATEGORIES)
    op.drop_index("ix_partner_profiles_status_created_at_id", table_name="partner_profiles")
    op.drop_table("partner_documents")
    op.execute("DROP FUNCTION refuse_partner_of_erased()")
    op.drop_constraint(op.f("ck_partner_profiles_refused_while_pending"), "partner_profiles")
    op.drop_column("partner_profiles", "payouts_from")
    op.drop_column("partner_profiles", "refusal_reason")
