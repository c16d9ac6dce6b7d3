"""Wallets: withdrawals, adjustments by staff, exchange rates, transfers between currencies.

Online: new tables; no row that is there is looked at.
"""

import re
from pathlib import Path

import sqlalchemy as sa
from alembic import op

revision = "20261126_04"
down_revision = "20261126_03"

SQL = Path(__file__).resolve().parents[1] / "sql"
SEQUENCES = ("withdrawal_numbers", "adjustment_numbers", "wallet_transfer_numbers")


def execute(statements: str) -> None:
    """Run statements as they stand: their % and : are no placeholders."""
    op.get_bind().connection.driver_connection.execute(statements)


def upgrade() -> None:
    for sequence in SEQUENCES:
        op.execute(sa.schema.CreateSequence(sa.Sequence(sequence)))
    _add_withdrawals()
    _add_adjustments()
    _add_exchange()
    execute((SQL / "20261126_wallets.sql").read_text("utf-8"))


def _add_withdrawals() -> None:
    op.create_table(
        "withdrawals",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("withdrawal_number", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("destination_encrypted", sa.LargeBinary(), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("hold_id", sa.Uuid(), nullable=False),
        sa.Column("journal_id", sa.Uuid(), nullable=True),
        sa.Column("return_journal_id", sa.Uuid(), nullable=True),
        sa.Column("bank_reference", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_by_user_id", sa.Uuid(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_by_user_id", sa.Uuid(), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "updated_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.CheckConstraint(
            "status IN ('REQUESTED', 'APPROVED', 'PAID', 'RETURNED', 'REJECTED', 'CANCELLED')",
            name=op.f("ck_withdrawals_status_known"),
        ),
        sa.CheckConstraint("amount_minor > 0", name=op.f("ck_withdrawals_amount_above_zero")),
        sa.CheckConstraint(
            "(decided_at IS NULL) = (status = 'REQUESTED') AND (decided_by_user_id IS NULL) = (decided_at IS NULL)",
            name=op.f("ck_withdrawals_decided_when_no_longer_requested"),
        ),
        sa.CheckConstraint(
            "status IN ('REQUESTED', 'CANCELLED') OR decided_by_user_id <> user_id",
            name=op.f("ck_withdrawals_decided_by_another"),
        ),
        sa.CheckConstraint(
            "(closed_at IS NOT NULL) = (status IN ('PAID', 'RETURNED'))"
            " AND (closed_by_user_id IS NULL) = (closed_at IS NULL)",
            name=op.f("ck_withdrawals_closed_when_over"),
        ),
        sa.CheckConstraint(
            "(journal_id IS NOT NULL) = (status IN ('APPROVED', 'PAID', 'RETURNED'))"
            " AND (return_journal_id IS NOT NULL) = (status = 'RETURNED')",
            name=op.f("ck_withdrawals_posted_when_approved"),
        ),
        sa.CheckConstraint(
            "(bank_reference IS NOT NULL) = (status = 'PAID')", name=op.f("ck_withdrawals_paid_with_reference")
        ),
        sa.CheckConstraint(
            "status NOT IN ('REJECTED', 'RETURNED') OR reason IS NOT NULL",
            name=op.f("ck_withdrawals_refused_with_reason"),
        ),
        sa.CheckConstraint(
            "status NOT IN ('REQUESTED', 'APPROVED') OR destination_encrypted IS NOT NULL",
            name=op.f("ck_withdrawals_destination_while_open"),
        ),
        *_people("withdrawals", "user_id", "decided_by_user_id", "closed_by_user_id"),
        sa.ForeignKeyConstraint(["hold_id"], ["balance_holds.id"], name=op.f("fk_withdrawals_hold_id")),
        sa.ForeignKeyConstraint(["journal_id"], ["ledger_journals.id"], name=op.f("fk_withdrawals_journal_id")),
        sa.ForeignKeyConstraint(
            ["return_journal_id"], ["ledger_journals.id"], name=op.f("fk_withdrawals_return_journal_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_withdrawals")),
        sa.UniqueConstraint("withdrawal_number", name=op.f("uq_withdrawals_withdrawal_number")),
        sa.UniqueConstraint("hold_id", name=op.f("uq_withdrawals_hold_id")),
    )
    _index("withdrawals", "user_id")
    _index("withdrawals", "status")


def _add_adjustments() -> None:
    op.create_table(
        "adjustments",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("adjustment_number", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("needs_approval", sa.Boolean(), nullable=False),
        sa.Column("made_by_user_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_by_user_id", sa.Uuid(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("journal_id", sa.Uuid(), nullable=True),
        sa.Column(
            "updated_at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False
        ),
        sa.CheckConstraint("status IN ('PENDING', 'APPROVED', 'REJECTED')", name=op.f("ck_adjustments_status_known")),
        sa.CheckConstraint("amount_minor <> 0", name=op.f("ck_adjustments_amount_not_zero")),
        sa.CheckConstraint("made_by_user_id <> user_id", name=op.f("ck_adjustments_made_for_another")),
        sa.CheckConstraint(
            "decided_by_user_id <> made_by_user_id AND decided_by_user_id <> user_id",
            name=op.f("ck_adjustments_decided_by_another"),
        ),
        sa.CheckConstraint(
            "status <> 'APPROVED' OR NOT needs_approval OR decided_by_user_id IS NOT NULL",
            name=op.f("ck_adjustments_approved_by_somebody"),
        ),
        sa.CheckConstraint(
            "(decided_at IS NULL) = (status = 'PENDING')", name=op.f("ck_adjustments_decided_when_no_longer_pending")
        ),
        sa.CheckConstraint(
            "(journal_id IS NOT NULL) = (status = 'APPROVED')", name=op.f("ck_adjustments_posted_when_approved")
        ),
        *_people("adjustments", "user_id", "made_by_user_id", "decided_by_user_id"),
        sa.ForeignKeyConstraint(["journal_id"], ["ledger_journals.id"], name=op.f("fk_adjustments_journal_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_adjustments")),
        sa.UniqueConstraint("adjustment_number", name=op.f("uq_adjustments_adjustment_number")),
    )
    _index("adjustments", "user_id")
    _index("adjustments", "status")


def _add_exchange() -> None:
    op.create_table(
        "exchange_rates",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("from_currency", sa.Text(), nullable=False),
        sa.Column("to_currency", sa.Text(), nullable=False),
        sa.Column("rate", sa.Numeric(21, 12), nullable=False),
        sa.Column("valid_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by_user_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("rate > 0", name=op.f("ck_exchange_rates_rate_above_zero")),
        sa.CheckConstraint("from_currency <> to_currency", name=op.f("ck_exchange_rates_two_currencies")),
        *_people("exchange_rates", "created_by_user_id"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_exchange_rates")),
    )
    op.create_index(
        "ix_exchange_rates_newest",
        "exchange_rates",
        ["from_currency", "to_currency", sa.text("valid_from DESC"), sa.text("id DESC")],
    )
    op.create_table(
        "wallet_transfers",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("transfer_number", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("received_minor", sa.BigInteger(), nullable=False),
        sa.Column("received_currency", sa.Text(), nullable=False),
        sa.Column("rate_id", sa.Uuid(), nullable=False),
        sa.Column("journal_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "amount_minor > 0 AND received_minor > 0", name=op.f("ck_wallet_transfers_amounts_above_zero")
        ),
        sa.CheckConstraint("currency <> received_currency", name=op.f("ck_wallet_transfers_two_currencies")),
        *_people("wallet_transfers", "user_id"),
        sa.ForeignKeyConstraint(["rate_id"], ["exchange_rates.id"], name=op.f("fk_wallet_transfers_rate_id")),
        sa.ForeignKeyConstraint(["journal_id"], ["ledger_journals.id"], name=op.f("fk_wallet_transfers_journal_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_wallet_transfers")),
        sa.UniqueConstraint("transfer_number", name=op.f("uq_wallet_transfers_transfer_number")),
        sa.UniqueConstraint("journal_id", name=op.f("uq_wallet_transfers_journal_id")),
    )
    _index("wallet_transfers", "user_id")


def _people(table: str, *columns: str) -> list[sa.ForeignKeyConstraint]:
    return [sa.ForeignKeyConstraint([column], ["users.id"], name=op.f(f"fk_{table}_{column}")) for column in columns]


def _index(table: str, column: str) -> None:
    op.create_index(f"ix_{table}_{column}_created_at_id", table, [column, "created_at", "id"])


def downgrade() -> None:
    execute(_blockers_before())
    for table in ("wallet_transfers", "exchange_rates", "adjustments", "withdrawals"):
        op.drop_table(table)
    op.execute("DROP FUNCTION goes_forward()")
    for sequence in SEQUENCES:
        op.execute(sa.schema.DropSequence(sa.Sequence(sequence)))


def _blockers_before() -> str:
    """The function as the revision before defined it."""
    text = (SQL / "20261126_ledger.sql").read_text("utf-8")
    rest = text[text.index("CREATE OR REPLACE FUNCTION erasure_blockers(") :]
    match = re.search(r"> at\)\)\)\);$", rest, re.MULTILINE)
    if match is None:
        raise LookupError("erasure_blockers does not end")
    return rest[: match.end()]
