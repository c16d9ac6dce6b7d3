"""The accountant's side: totals of each day, statements of account, reconciliation of clearing accounts.

Online: new tables, and indexes that are built concurrently. The first run of the job that folds entries into daily
totals reads the whole ledger once; until then the trial balance reads the entries themselves.
"""

import sqlalchemy as sa
from alembic import op

revision = "20261126_07"
down_revision = "20261126_06"

LINE_KINDS = "'PAYMENT', 'REFUND', 'FEE', 'PAYOUT', 'OTHER'"


def upgrade() -> None:
    _total_days()
    _state_accounts()
    _reconcile_clearing()
    with op.get_context().autocommit_block():
        op.create_index(
            "ix_ledger_accounts_created_at_id",
            "ledger_accounts",
            ["created_at", "id"],
            postgresql_concurrently=True,
            if_not_exists=True,
        )
        op.create_index(
            "ix_ledger_journals_occurred_at",
            "ledger_journals",
            ["occurred_at"],
            postgresql_using="brin",
            postgresql_concurrently=True,
            if_not_exists=True,
        )
        op.create_index(
            "ix_payment_receipts_received_at",
            "payment_receipts",
            ["received_at"],
            postgresql_using="brin",
            postgresql_concurrently=True,
            if_not_exists=True,
        )


def _total_days() -> None:
    op.create_table(
        "ledger_daily_totals",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("debits_minor", sa.BigInteger(), nullable=False),
        sa.Column("credits_minor", sa.BigInteger(), nullable=False),
        sa.Column("entries", sa.BigInteger(), nullable=False),
        sa.CheckConstraint(
            "debits_minor >= 0 AND credits_minor >= 0", name=op.f("ck_ledger_daily_totals_sides_not_below_zero")
        ),
        sa.PrimaryKeyConstraint("kind", "provider", "currency", "day", name=op.f("pk_ledger_daily_totals")),
    )
    through = op.create_table(
        "ledger_totals_through",
        sa.Column("id", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("posted_before", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_ledger_totals_through_one_row")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_totals_through")),
    )
    op.execute(through.insert().values(id=1, posted_before=sa.text("'1970-01-01 00:00:00+00'")))


def _state_accounts() -> None:
    op.create_table(
        "account_statements",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("since", sa.Date(), nullable=False),
        sa.Column("until", sa.Date(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("last_sequence", sa.BigInteger(), nullable=False),
        sa.Column("requested_by_user_id", sa.Uuid(), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("size_bytes", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["ledger_accounts.id"], name=op.f("fk_account_statements_account_id")),
        sa.ForeignKeyConstraint(
            ["requested_by_user_id"], ["users.id"], name=op.f("fk_account_statements_requested_by_user_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account_statements")),
        sa.UniqueConstraint(
            "account_id", "since", "until", "language", "last_sequence", name=op.f("uq_account_statements_content")
        ),
    )
    op.create_index("ix_account_statements_requested_at", "account_statements", ["requested_at"])
    op.create_index(
        "ix_account_statements_requested_by_user_id_requested_at",
        "account_statements",
        ["requested_by_user_id", "requested_at"],
    )


def _reconcile_clearing() -> None:
    op.create_table(
        "reconciliations",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("since", sa.Date(), nullable=False),
        sa.Column("until", sa.Date(), nullable=False),
        sa.Column("lines", sa.Integer(), nullable=False),
        sa.Column("matched", sa.Integer(), nullable=False),
        sa.Column("breaks", sa.Integer(), nullable=False),
        sa.Column("imported_by_user_id", sa.Uuid(), nullable=True),
        sa.Column("imported_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["imported_by_user_id"], ["users.id"], name=op.f("fk_reconciliations_imported_by_user_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reconciliations")),
    )
    op.create_table(
        "clearing_statements",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("reconciliation_id", sa.Uuid(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("opening_minor", sa.BigInteger(), nullable=True),
        sa.Column("closing_minor", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["reconciliation_id"], ["reconciliations.id"], name=op.f("fk_clearing_statements_reconciliation_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_clearing_statements")),
        sa.UniqueConstraint("provider", "currency", "day", name=op.f("uq_clearing_statements_provider_currency_day")),
    )
    op.create_index("ix_clearing_statements_reconciliation_id", "clearing_statements", ["reconciliation_id"])
    op.create_table(
        "clearing_statement_lines",
        sa.Column("statement_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("provider_reference", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("booked_on", sa.Date(), nullable=False),
        sa.CheckConstraint(f"kind IN ({LINE_KINDS})", name=op.f("ck_clearing_statement_lines_kind_known")),
        sa.ForeignKeyConstraint(
            ["statement_id"],
            ["clearing_statements.id"],
            name=op.f("fk_clearing_statement_lines_statement_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("statement_id", "position", name=op.f("pk_clearing_statement_lines")),
    )
    op.create_index(
        "ix_clearing_statement_lines_provider_reference",
        "clearing_statement_lines",
        ["provider", "provider_reference"],
    )
    op.create_table(
        "clearing_breaks",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("provider_reference", sa.Text(), nullable=False),
        sa.Column("line_kind", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("ours_minor", sa.BigInteger(), nullable=False),
        sa.Column("theirs_minor", sa.BigInteger(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("found_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("resolved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_by_user_id", sa.Uuid(), nullable=True),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("written_off_minor", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("journal_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint(f"line_kind IN ({LINE_KINDS})", name=op.f("ck_clearing_breaks_line_kind_known")),
        sa.CheckConstraint(
            "kind IN ('ONLY_OURS', 'ONLY_THEIRS', 'AMOUNT_DIFFERS')", name=op.f("ck_clearing_breaks_kind_known")
        ),
        sa.CheckConstraint(
            "status IN ('OPEN', 'MATCHED', 'EXPLAINED', 'WRITTEN_OFF')", name=op.f("ck_clearing_breaks_status_known")
        ),
        sa.CheckConstraint(
            "(resolved_at IS NULL) = (status = 'OPEN')", name=op.f("ck_clearing_breaks_resolved_when_over")
        ),
        sa.CheckConstraint(
            "written_off_minor >= 0 AND (journal_id IS NOT NULL) = (written_off_minor > 0)"
            " AND (status <> 'WRITTEN_OFF' OR journal_id IS NOT NULL)",
            name=op.f("ck_clearing_breaks_written_off_by_a_journal"),
        ),
        sa.ForeignKeyConstraint(
            ["decided_by_user_id"], ["users.id"], name=op.f("fk_clearing_breaks_decided_by_user_id")
        ),
        sa.ForeignKeyConstraint(["journal_id"], ["ledger_journals.id"], name=op.f("fk_clearing_breaks_journal_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_clearing_breaks")),
        sa.UniqueConstraint(
            "provider", "provider_reference", "line_kind", "currency", name=op.f("uq_clearing_breaks_reference")
        ),
    )
    op.create_index("ix_clearing_breaks_status_found_at_id", "clearing_breaks", ["status", "found_at", "id"])


def downgrade() -> None:
    with op.get_context().autocommit_block():
        for index, table in (
            ("ix_payment_receipts_received_at", "payment_receipts"),
            ("ix_ledger_journals_occurred_at", "ledger_journals"),
            ("ix_ledger_accounts_created_at_id", "ledger_accounts"),
        ):
            op.drop_index(index, table_name=table, postgresql_concurrently=True, if_exists=True)
    for table in (
        "clearing_breaks",
        "clearing_statement_lines",
        "clearing_statements",
        "reconciliations",
        "account_statements",
        "ledger_totals_through",
        "ledger_daily_totals",
    ):
        op.drop_table(table)
