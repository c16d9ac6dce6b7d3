"""What needs a person: items of money in suspense, webhooks dismissed, attempts and webhooks looked at again.

Online: new tables, nullable or defaulted columns, indexes built concurrently. The release before goes on writing
attempts (they are due at once, by default) and receipts in suspense (the reconciler makes their items).
"""

import sqlalchemy as sa
from alembic import op

revision = "20261128_05"
down_revision = "20261128_04"

REASONS = "'SHORT', 'OVER', 'CURRENCY', 'TWICE', 'LATE', 'MODE', 'INCOMPLETE'"

MAKE_ITEMS = """
INSERT INTO suspense_items (receipt_id, payment_id, provider, amount_minor, currency, reason, status, opened_at)
SELECT r.id, a.payment_id, a.provider, r.amount_minor, r.currency, r.reason, 'OPEN', r.received_at
FROM payment_receipts r JOIN payment_attempts a ON a.id = r.attempt_id
WHERE r.disposition = 'SUSPENSE'
ON CONFLICT (receipt_id) DO NOTHING
"""
# Those paid lately come in their turn over a day, so that providers are not asked about all of them at once.
MAKE_DUE = """
UPDATE payment_attempts
SET read_again_at = now() + CASE WHEN status = 'PAID' THEN random() * interval '1 day' ELSE interval '0' END
WHERE status IN ('CREATED', 'OPEN', 'UNKNOWN')
   OR (status = 'PAID' AND updated_at > now() - interval '120 days')
"""
SAY_WHY = """
UPDATE payment_webhook_logs SET error_message = 'unknown_reference'
WHERE status = 'FAILED' AND error_message = 'it speaks of no payment of ours'
"""


def upgrade() -> None:
    _suspend()
    _fetch_statements()
    op.add_column("payment_attempts", sa.Column("read_again_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("payment_attempts", sa.Column("reads", sa.Integer(), server_default="0", nullable=False))
    op.alter_column("payment_attempts", "read_again_at", server_default=sa.text("now()"))
    _dismiss_webhooks()
    op.execute(MAKE_ITEMS)
    op.execute(MAKE_DUE)
    op.execute(SAY_WHY)
    _index()


def _suspend() -> None:
    op.create_table(
        "suspense_items",
        sa.Column("receipt_id", sa.Uuid(), nullable=False),
        sa.Column("payment_id", sa.Uuid(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("resolution", sa.Text(), nullable=True),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_by_user_id", sa.Uuid(), nullable=True),
        sa.Column("decision_reason", sa.Text(), server_default="", nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("journal_id", sa.Uuid(), nullable=True),
        sa.Column("refund_id", sa.Uuid(), nullable=True),
        sa.CheckConstraint(f"reason IN ({REASONS})", name=op.f("ck_suspense_items_reason_known")),
        sa.CheckConstraint("status IN ('OPEN', 'REFUNDING', 'RESOLVED')", name=op.f("ck_suspense_items_status_known")),
        sa.CheckConstraint(
            "resolution IN ('WALLET', 'APPLIED', 'REFUNDED', 'WRITTEN_OFF', 'DISPUTED')",
            name=op.f("ck_suspense_items_resolution_known"),
        ),
        sa.CheckConstraint("amount_minor > 0", name=op.f("ck_suspense_items_amount_above_zero")),
        sa.CheckConstraint(
            "(status = 'RESOLVED') = (resolution IS NOT NULL) AND (status = 'RESOLVED') = (journal_id IS NOT NULL)",
            name=op.f("ck_suspense_items_resolved_by_a_journal"),
        ),
        sa.CheckConstraint(
            "(status = 'OPEN') = (decided_at IS NULL)", name=op.f("ck_suspense_items_decided_by_somebody")
        ),
        sa.ForeignKeyConstraint(["receipt_id"], ["payment_receipts.id"], name=op.f("fk_suspense_items_receipt_id")),
        sa.ForeignKeyConstraint(["payment_id"], ["payments.id"], name=op.f("fk_suspense_items_payment_id")),
        sa.ForeignKeyConstraint(
            ["decided_by_user_id"], ["users.id"], name=op.f("fk_suspense_items_decided_by_user_id")
        ),
        sa.ForeignKeyConstraint(["journal_id"], ["ledger_journals.id"], name=op.f("fk_suspense_items_journal_id")),
        sa.PrimaryKeyConstraint("receipt_id", name=op.f("pk_suspense_items")),
    )
    op.create_index(
        "ix_suspense_items_open", "suspense_items", ["opened_at"], postgresql_where=sa.text("status = 'OPEN'")
    )
    op.create_index("ix_suspense_items_payment_id", "suspense_items", ["payment_id"])


def _fetch_statements() -> None:
    op.create_table(
        "statement_fetches",
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("reconciliation_id", sa.Uuid(), nullable=True),
        sa.Column("fetched_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["reconciliation_id"], ["reconciliations.id"], name=op.f("fk_statement_fetches_reconciliation_id")
        ),
        sa.PrimaryKeyConstraint("provider", "day", name=op.f("pk_statement_fetches")),
    )


def _dismiss_webhooks() -> None:
    for column in (
        sa.Column("look_again_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("dismissed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("dismissed_by_user_id", sa.Uuid(), nullable=True),
        sa.Column("dismissed_reason", sa.Text(), nullable=True),
    ):
        op.add_column("payment_webhook_logs", column)
    name = "fk_payment_webhook_logs_dismissed_by_user_id"
    op.execute(
        f"ALTER TABLE payment_webhook_logs ADD CONSTRAINT {name}"
        " FOREIGN KEY (dismissed_by_user_id) REFERENCES users (id) NOT VALID"
    )
    op.execute(f"ALTER TABLE payment_webhook_logs VALIDATE CONSTRAINT {name}")


def _index() -> None:
    with op.get_context().autocommit_block():
        for name, table, columns, where in INDEXES:
            op.create_index(
                name,
                table,
                columns,
                postgresql_where=sa.text(where) if where else None,
                postgresql_concurrently=True,
                if_not_exists=True,
            )


INDEXES = (
    (
        "ix_payment_attempts_due",
        "payment_attempts",
        ["provider", "read_again_at"],
        "status IN ('CREATED', 'OPEN', 'UNKNOWN')",
    ),
    ("ix_payment_attempts_paid_due", "payment_attempts", ["provider", "read_again_at"], "status = 'PAID'"),
    ("ix_payment_webhook_logs_failed", "payment_webhook_logs", ["received_at"], "status = 'FAILED'"),
    ("ix_payment_webhook_logs_payment_id", "payment_webhook_logs", ["payment_id"], ""),
    ("ix_payments_paid_at", "payments", ["paid_at"], "paid_at IS NOT NULL"),
)


def downgrade() -> None:
    for name, table, _, _ in reversed(INDEXES):
        op.drop_index(name, table_name=table)
    for column in ("dismissed_reason", "dismissed_by_user_id", "dismissed_at", "look_again_at"):
        op.drop_column("payment_webhook_logs", column)
    op.drop_column("payment_attempts", "reads")
    op.drop_column("payment_attempts", "read_again_at")
    op.drop_table("statement_fetches")
    op.drop_table("suspense_items")
