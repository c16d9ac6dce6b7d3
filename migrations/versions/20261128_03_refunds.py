"""Refunds with their parts, disputes, credit notes of refunds.

Online: new tables; invoices get a nullable column, and their unique constraint gives way to two indexes that are made
beside it. The release before issues one invoice of a kind for each payment, as before.
"""

from pathlib import Path

import sqlalchemy as sa
from alembic import op

revision = "20261128_03"
down_revision = "20261128_02"

SQL = Path(__file__).resolve().parents[1] / "sql"
STATUSES = "'REQUESTED', 'SUBMITTED', 'SUCCEEDED', 'FAILED', 'UNKNOWN', 'AWAITING_OPERATOR'"


def execute(statements: str) -> None:
    """Run statements as they stand: their % and : are no placeholders."""
    op.get_bind().connection.driver_connection.execute(statements)


def upgrade() -> None:
    op.execute(sa.schema.CreateSequence(sa.Sequence("refund_numbers")))
    _make_refunds()
    _make_parts()
    _make_disputes()
    for table in ("refunds", "disputes"):
        op.execute(
            f"CREATE TRIGGER touch_updated_at BEFORE INSERT OR UPDATE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION touch_updated_at()"
        )
    execute((SQL / "20261128_refunds.sql").read_text("utf-8"))
    op.add_column("invoices", sa.Column("refund_id", sa.Uuid(), nullable=True))
    op.execute(
        "ALTER TABLE invoices ADD CONSTRAINT fk_invoices_refund_id FOREIGN KEY (refund_id) REFERENCES refunds (id)"
        " NOT VALID"
    )
    op.execute("ALTER TABLE invoices VALIDATE CONSTRAINT fk_invoices_refund_id")
    op.execute(
        "ALTER TABLE invoices ADD CONSTRAINT ck_invoices_credit_note_of_a_refund"
        " CHECK ((invoice_type = 'CREDIT_NOTE') = (refund_id IS NOT NULL)) NOT VALID"
    )
    op.execute("ALTER TABLE invoices VALIDATE CONSTRAINT ck_invoices_credit_note_of_a_refund")
    with op.get_context().autocommit_block():
        op.create_index(
            "uq_invoices_kind_of_payment",
            "invoices",
            ["payment_id", "invoice_type"],
            unique=True,
            postgresql_where=sa.text("refund_id IS NULL"),
            postgresql_concurrently=True,
            if_not_exists=True,
        )
        op.create_index(
            "uq_invoices_refund_id",
            "invoices",
            ["refund_id"],
            unique=True,
            postgresql_concurrently=True,
            if_not_exists=True,
        )
    op.execute("ALTER TABLE invoices DROP CONSTRAINT IF EXISTS uq_invoices_payment_id_invoice_type")


def _make_refunds() -> None:
    op.create_table(
        "refunds",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("refund_number", sa.Text(), nullable=False),
        sa.Column("payment_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("destination", sa.Text(), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("requested_by_user_id", sa.Uuid(), nullable=True),
        sa.Column("idempotency_key", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("succeeded_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "updated_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.CheckConstraint("destination IN ('ORIGINAL', 'WALLET')", name=op.f("ck_refunds_destination_known")),
        sa.CheckConstraint("origin IN ('STAFF', 'SYSTEM', 'PROVIDER')", name=op.f("ck_refunds_origin_known")),
        sa.CheckConstraint(f"status IN ({STATUSES})", name=op.f("ck_refunds_status_known")),
        sa.CheckConstraint("amount_minor > 0", name=op.f("ck_refunds_amount_above_zero")),
        _references("refunds", "payment_id", "payments"),
        _references("refunds", "user_id", "users"),
        _references("refunds", "requested_by_user_id", "users"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_refunds")),
        sa.UniqueConstraint("refund_number", name=op.f("uq_refunds_refund_number")),
        sa.UniqueConstraint("idempotency_key", name=op.f("uq_refunds_idempotency_key")),
    )
    op.create_index("ix_refunds_payment_id", "refunds", ["payment_id"])
    op.create_index("ix_refunds_user_id_created_at_id", "refunds", ["user_id", "created_at", "id"])
    op.create_index("ix_refunds_created_at_id", "refunds", ["created_at", "id"])


def _make_parts() -> None:
    op.create_table(
        "refund_parts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("refund_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.SmallInteger(), nullable=False),
        sa.Column("tender_id", sa.Uuid(), nullable=True),
        sa.Column("receipt_id", sa.Uuid(), nullable=True),
        sa.Column("attempt_id", sa.Uuid(), nullable=True),
        sa.Column("way", sa.Text(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("points", sa.Integer(), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("merchant_reference", sa.Text(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=True),
        sa.Column("provider_refund_reference", sa.Text(), nullable=True),
        sa.Column("told", sa.Text(), nullable=True),
        sa.Column("error_code", sa.Text(), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("next_try_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("hold_id", sa.Uuid(), nullable=True),
        sa.Column("journal_id", sa.Uuid(), nullable=True),
        sa.Column("return_journal_id", sa.Uuid(), nullable=True),
        sa.Column("replaced_by", sa.Uuid(), nullable=True),
        sa.CheckConstraint("way IN ('OWN', 'PROVIDER', 'OPERATOR')", name=op.f("ck_refund_parts_way_known")),
        sa.CheckConstraint(f"status IN ({STATUSES})", name=op.f("ck_refund_parts_status_known")),
        sa.CheckConstraint("told IN ('PENDING', 'SUCCEEDED', 'FAILED')", name=op.f("ck_refund_parts_told_known")),
        sa.CheckConstraint("amount_minor > 0", name=op.f("ck_refund_parts_amount_above_zero")),
        sa.CheckConstraint("tender_id IS NULL OR receipt_id IS NULL", name=op.f("ck_refund_parts_of_one_thing")),
        sa.CheckConstraint("(way = 'OWN') = (provider IS NULL)", name=op.f("ck_refund_parts_provider_but_for_own")),
        sa.CheckConstraint(
            "status <> 'SUCCEEDED' OR journal_id IS NOT NULL", name=op.f("ck_refund_parts_done_by_a_journal")
        ),
        sa.CheckConstraint(
            "(return_journal_id IS NOT NULL) = (journal_id IS NOT NULL AND status = 'FAILED')",
            name=op.f("ck_refund_parts_returned_by_a_journal"),
        ),
        _references("refund_parts", "refund_id", "refunds"),
        _references("refund_parts", "tender_id", "payment_tenders"),
        _references("refund_parts", "receipt_id", "payment_receipts"),
        _references("refund_parts", "attempt_id", "payment_attempts"),
        _references("refund_parts", "hold_id", "balance_holds"),
        _references("refund_parts", "journal_id", "ledger_journals"),
        _references("refund_parts", "return_journal_id", "ledger_journals"),
        sa.ForeignKeyConstraint(
            ["replaced_by"],
            ["refund_parts.id"],
            name=op.f("fk_refund_parts_replaced_by"),
            deferrable=True,
            initially="DEFERRED",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_refund_parts")),
        sa.UniqueConstraint("merchant_reference", name=op.f("uq_refund_parts_merchant_reference")),
        sa.UniqueConstraint("journal_id", name=op.f("uq_refund_parts_journal_id")),
        sa.UniqueConstraint("return_journal_id", name=op.f("uq_refund_parts_return_journal_id")),
        sa.UniqueConstraint("refund_id", "position", name=op.f("uq_refund_parts_refund_id_position")),
        sa.UniqueConstraint(
            "provider", "provider_refund_reference", name=op.f("uq_refund_parts_provider_provider_refund_reference")
        ),
    )
    op.create_index(
        "uq_refund_parts_receipt_id",
        "refund_parts",
        ["receipt_id"],
        unique=True,
        postgresql_where=sa.text("status <> 'FAILED'"),
    )
    op.create_index(
        "ix_refund_parts_due",
        "refund_parts",
        ["next_try_at"],
        postgresql_where=sa.text("status IN ('REQUESTED', 'SUBMITTED', 'UNKNOWN') AND next_try_at IS NOT NULL"),
    )


def _make_disputes() -> None:
    op.create_table(
        "disputes",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("payment_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("attempt_id", sa.Uuid(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("provider_dispute_reference", sa.Text(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("taken_minor", sa.BigInteger(), nullable=False),
        sa.Column("taken_from_suspense_minor", sa.BigInteger(), nullable=False),
        sa.Column("postings", sa.Integer(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "updated_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.CheckConstraint("status IN ('OPEN', 'WON', 'LOST')", name=op.f("ck_disputes_status_known")),
        sa.CheckConstraint("amount_minor > 0", name=op.f("ck_disputes_amount_above_zero")),
        sa.CheckConstraint(
            "taken_minor >= 0 AND taken_from_suspense_minor >= 0 AND taken_minor + taken_from_suspense_minor"
            " <= CASE WHEN status = 'LOST' THEN amount_minor ELSE 0 END",
            name=op.f("ck_disputes_takes_what_is_lost"),
        ),
        _references("disputes", "payment_id", "payments"),
        _references("disputes", "user_id", "users"),
        _references("disputes", "attempt_id", "payment_attempts"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_disputes")),
        sa.UniqueConstraint(
            "provider", "provider_dispute_reference", name=op.f("uq_disputes_provider_provider_dispute_reference")
        ),
    )
    op.create_index("ix_disputes_payment_id", "disputes", ["payment_id"])
    op.create_index("ix_disputes_opened_at_id", "disputes", ["opened_at", "id"])


def _references(table: str, column: str, other: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{other}.id"], name=op.f(f"fk_{table}_{column}"))


def downgrade() -> None:
    op.drop_constraint(op.f("ck_invoices_credit_note_of_a_refund"), "invoices")
    op.drop_index("uq_invoices_refund_id", table_name="invoices")
    op.drop_index("uq_invoices_kind_of_payment", table_name="invoices")
    op.drop_constraint(op.f("fk_invoices_refund_id"), "invoices")
    op.drop_column("invoices", "refund_id")
    op.create_unique_constraint(op.f("uq_invoices_payment_id_invoice_type"), "invoices", ["payment_id", "invoice_type"])
    execute(_blockers_before())
    for table in ("disputes", "refund_parts", "refunds"):
        op.drop_table(table)
    op.execute(sa.schema.DropSequence(sa.Sequence("refund_numbers")))


def _blockers_before() -> str:
    """The function as the revision of wallets defined it."""
    text = (SQL / "20261126_wallets.sql").read_text("utf-8")
    return text[text.index("CREATE OR REPLACE FUNCTION erasure_blockers") :].split(";\n", 1)[0] + ";"
