"""Money that people confirm: checkouts, receipts and slips of the manual gateway; refunds of the sandbox's books.

Online: new tables only.
"""

import sqlalchemy as sa
from alembic import op

revision = "20261128_04"
down_revision = "20261128_03"

# The steps of domain/billing/manual.py; a test compares them.
GUARDS = """
CREATE TRIGGER goes_forward BEFORE INSERT OR UPDATE OR DELETE ON manual_receipts
    FOR EACH ROW EXECUTE FUNCTION goes_forward(
    '{>PENDING,>APPROVED,PENDING>APPROVED,PENDING>REJECTED}',
    '{decided_by_user_id,decided_at,position}',
    '{idempotency_key,updated_at}');
CREATE TRIGGER keep_table BEFORE TRUNCATE ON manual_receipts FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER touch_updated_at BEFORE INSERT OR UPDATE ON manual_receipts
    FOR EACH ROW EXECUTE FUNCTION touch_updated_at();
CREATE TRIGGER only_for_who_is_here BEFORE INSERT ON payment_slips
    FOR EACH ROW EXECUTE FUNCTION refuse_for_erased();
"""


def upgrade() -> None:
    _add_manual_checkouts()
    _add_manual_receipts()
    _add_slips()
    _add_sandbox_refunds()
    _add_sandbox_transfers()
    op.execute(GUARDS)


def _add_manual_checkouts() -> None:
    op.execute(sa.schema.CreateSequence(sa.Sequence("manual_references")))
    op.create_table(
        "manual_checkouts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("merchant_reference", sa.Text(), nullable=False),
        sa.Column("reference_number", sa.Text(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_manual_checkouts")),
        sa.UniqueConstraint("merchant_reference", name=op.f("uq_manual_checkouts_merchant_reference")),
        sa.UniqueConstraint("reference_number", name=op.f("uq_manual_checkouts_reference_number")),
    )


def _add_manual_receipts() -> None:
    op.create_table(
        "manual_receipts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("checkout_id", sa.Uuid(), nullable=False),
        sa.Column("payment_id", sa.Uuid(), nullable=False),
        sa.Column("payer_user_id", sa.Uuid(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("received_on", sa.Date(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("needs_approval", sa.Boolean(), nullable=False),
        sa.Column("made_by_user_id", sa.Uuid(), nullable=False),
        sa.Column("idempotency_key", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_by_user_id", sa.Uuid(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("position", sa.SmallInteger(), nullable=True),
        sa.Column(
            "updated_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.CheckConstraint(
            "status IN ('PENDING', 'APPROVED', 'REJECTED')", name=op.f("ck_manual_receipts_status_known")
        ),
        sa.CheckConstraint("amount_minor > 0", name=op.f("ck_manual_receipts_amount_above_zero")),
        sa.CheckConstraint("made_by_user_id <> payer_user_id", name=op.f("ck_manual_receipts_made_for_another")),
        sa.CheckConstraint(
            "decided_by_user_id <> made_by_user_id AND decided_by_user_id <> payer_user_id",
            name=op.f("ck_manual_receipts_decided_by_another"),
        ),
        sa.CheckConstraint(
            "status <> 'APPROVED' OR NOT needs_approval OR decided_by_user_id IS NOT NULL",
            name=op.f("ck_manual_receipts_approved_by_somebody"),
        ),
        sa.CheckConstraint(
            "(decided_at IS NULL) = (status = 'PENDING')",
            name=op.f("ck_manual_receipts_decided_when_no_longer_pending"),
        ),
        sa.CheckConstraint(
            "(position IS NOT NULL) = (status = 'APPROVED')", name=op.f("ck_manual_receipts_a_charge_when_approved")
        ),
        sa.ForeignKeyConstraint(["checkout_id"], ["manual_checkouts.id"], name=op.f("fk_manual_receipts_checkout_id")),
        sa.ForeignKeyConstraint(["payment_id"], ["payments.id"], name=op.f("fk_manual_receipts_payment_id")),
        sa.ForeignKeyConstraint(["payer_user_id"], ["users.id"], name=op.f("fk_manual_receipts_payer_user_id")),
        sa.ForeignKeyConstraint(["made_by_user_id"], ["users.id"], name=op.f("fk_manual_receipts_made_by_user_id")),
        sa.ForeignKeyConstraint(
            ["decided_by_user_id"], ["users.id"], name=op.f("fk_manual_receipts_decided_by_user_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_manual_receipts")),
        sa.UniqueConstraint("idempotency_key", name=op.f("uq_manual_receipts_idempotency_key")),
        sa.UniqueConstraint("checkout_id", "position", name=op.f("uq_manual_receipts_checkout_id_position")),
    )
    op.create_index(
        "uq_manual_receipts_reference",
        "manual_receipts",
        ["reference"],
        unique=True,
        postgresql_where=sa.text("status <> 'REJECTED'"),
    )
    op.create_index("ix_manual_receipts_payment_id", "manual_receipts", ["payment_id"])
    op.create_index("ix_manual_receipts_status_created_at_id", "manual_receipts", ["status", "created_at", "id"])


def _add_slips() -> None:
    op.create_table(
        "payment_slips",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("payment_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("storage_key", sa.Text(), nullable=False),
        sa.Column("content_type", sa.Text(), nullable=False),
        sa.Column("size_bytes", sa.Integer(), nullable=False),
        sa.Column("uploaded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("stored_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["payment_id"], ["payments.id"], name=op.f("fk_payment_slips_payment_id")),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_payment_slips_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payment_slips")),
        sa.UniqueConstraint("storage_key", name=op.f("uq_payment_slips_storage_key")),
    )
    op.create_index("ix_payment_slips_payment_id_id", "payment_slips", ["payment_id", "id"])
    op.create_index("ix_payment_slips_user_id", "payment_slips", ["user_id"])


def _add_sandbox_refunds() -> None:
    op.create_table(
        "sandbox_refunds",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("checkout_id", sa.Uuid(), nullable=False),
        sa.Column("merchant_reference", sa.Text(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("fails", sa.Boolean(), nullable=False),
        sa.Column("settles_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("amount_minor > 0", name=op.f("ck_sandbox_refunds_amount_above_zero")),
        sa.ForeignKeyConstraint(["checkout_id"], ["sandbox_checkouts.id"], name=op.f("fk_sandbox_refunds_checkout_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sandbox_refunds")),
        sa.UniqueConstraint("merchant_reference", name=op.f("uq_sandbox_refunds_merchant_reference")),
    )
    op.create_index("ix_sandbox_refunds_checkout_id", "sandbox_refunds", ["checkout_id"])
    op.create_index(
        "ix_sandbox_refunds_untold", "sandbox_refunds", ["settles_at"], postgresql_where=sa.text("told_at IS NULL")
    )
    op.create_table(
        "sandbox_disputes",
        sa.Column("checkout_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("state IN ('OPEN', 'WON', 'LOST')", name=op.f("ck_sandbox_disputes_state_known")),
        sa.ForeignKeyConstraint(
            ["checkout_id"], ["sandbox_checkouts.id"], name=op.f("fk_sandbox_disputes_checkout_id")
        ),
        sa.PrimaryKeyConstraint("checkout_id", name=op.f("pk_sandbox_disputes")),
    )


def _add_sandbox_transfers() -> None:
    op.create_table(
        "sandbox_transfers",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("merchant_reference", sa.Text(), nullable=False),
        sa.Column("destination", sa.Text(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("amount_minor > 0", name=op.f("ck_sandbox_transfers_amount_above_zero")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sandbox_transfers")),
        sa.UniqueConstraint("merchant_reference", name=op.f("uq_sandbox_transfers_merchant_reference")),
    )


def downgrade() -> None:
    for table in (
        "sandbox_transfers",
        "sandbox_disputes",
        "sandbox_refunds",
        "payment_slips",
        "manual_receipts",
        "manual_checkouts",
    ):
        op.drop_table(table)
    op.execute(sa.schema.DropSequence(sa.Sequence("manual_references")))
