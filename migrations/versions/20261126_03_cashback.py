"""Cashback beyond its promise: who approved it, when it was credited or cancelled, what refunds took back.

Online: columns come without a rewrite, constraints are validated apart, indexes are built CONCURRENTLY. The release
before runs on the schema that this leaves: it inserts PENDING records, and a trigger finds their journals.
"""

from pathlib import Path

import sqlalchemy as sa
from alembic import op

revision = "20261126_03"
down_revision = "20261126_02"

SQL = Path(__file__).resolve().parents[1] / "sql"

COLUMNS = {
    "promise_journal_id": sa.Uuid(),
    "approved_at": sa.DateTime(timezone=True),
    "approved_by_user_id": sa.Uuid(),
    "credited_at": sa.DateTime(timezone=True),
    "credit_journal_id": sa.Uuid(),
    "cancelled_at": sa.DateTime(timezone=True),
    "cancel_reason": sa.Text(),
}
REFERENCES = (
    ("promise_journal_id", "ledger_journals"),
    ("approved_by_user_id", "users"),
    ("credit_journal_id", "ledger_journals"),
)
CHECKS = {
    "promised_by_a_journal": "promise_journal_id IS NOT NULL",
    "clawed_back_of_amount": "clawed_back_minor BETWEEN 0 AND cashback_amount_minor"
    " AND (clawed_back_minor < cashback_amount_minor OR status NOT IN ('PENDING', 'APPROVED'))",
    "approved_first": "CASE status WHEN 'PENDING' THEN approved_at IS NULL WHEN 'CANCELLED' THEN true"
    " ELSE approved_at IS NOT NULL END AND (approved_at IS NOT NULL OR approved_by_user_id IS NULL)",
    "credited_when_eligible": "(status = 'CREDITED') = (credited_at IS NOT NULL)"
    " AND (status = 'CREDITED') = (credit_journal_id IS NOT NULL)"
    " AND (credited_at IS NULL OR credited_at >= eligible_at)",
    "cancelled_for_a_reason": "(status = 'CANCELLED') = (cancelled_at IS NOT NULL)"
    " AND (status = 'CANCELLED') = (cancel_reason IS NOT NULL)",
}

NAME_JOURNALS = """
UPDATE cashback_records c SET promise_journal_id = j.id
FROM ledger_journals j WHERE j.idempotency_key = 'cashback:booking:' || c.booking_id
"""

VIEW_BEFORE = """
DROP VIEW cashback_ledger;
CREATE VIEW cashback_ledger AS
SELECT id, user_id, booking_id, booking_amount_minor AS booking_amount, cashback_rate,
       cashback_amount_minor AS cashback_amount, currency, status, eligible_at, created_at
FROM cashback_records;
"""


def execute(statements: str) -> None:
    """Run statements as they stand: their % and : are no placeholders."""
    op.get_bind().connection.driver_connection.execute(statements)


def upgrade() -> None:
    op.add_column(
        "cashback_records", sa.Column("clawed_back_minor", sa.BigInteger(), server_default="0", nullable=False)
    )
    for name, kind in COLUMNS.items():
        op.add_column("cashback_records", sa.Column(name, kind, nullable=True))
    # Before the rows are read: a promise that the release before makes meanwhile names its journal, too.
    execute((SQL / "20261126_cashback.sql").read_text("utf-8"))
    op.execute("ALTER TABLE cashback_records DISABLE TRIGGER records_agree")
    op.execute(NAME_JOURNALS)
    op.execute("ALTER TABLE cashback_records ENABLE TRIGGER records_agree")
    for column, table in REFERENCES:
        op.create_foreign_key(
            op.f(f"fk_cashback_records_{column}"),
            "cashback_records",
            table,
            [column],
            ["id"],
            postgresql_not_valid=True,
        )
        op.execute(f"ALTER TABLE cashback_records VALIDATE CONSTRAINT fk_cashback_records_{column}")
    for name, condition in CHECKS.items():
        op.create_check_constraint(
            op.f(f"ck_cashback_records_{name}"), "cashback_records", condition, postgresql_not_valid=True
        )
        op.execute(f"ALTER TABLE cashback_records VALIDATE CONSTRAINT ck_cashback_records_{name}")
    with op.get_context().autocommit_block():
        op.create_index(
            "ix_cashback_records_created_at_id",
            "cashback_records",
            ["created_at", "id"],
            postgresql_concurrently=True,
            if_not_exists=True,
        )
        op.create_index(
            "ix_cashback_records_eligible_at",
            "cashback_records",
            ["eligible_at", "id"],
            postgresql_where="status IN ('PENDING', 'APPROVED')",
            postgresql_concurrently=True,
            if_not_exists=True,
        )


def downgrade() -> None:
    with op.get_context().autocommit_block():
        for index in ("ix_cashback_records_created_at_id", "ix_cashback_records_eligible_at"):
            op.drop_index(index, table_name="cashback_records", postgresql_concurrently=True, if_exists=True)
    execute(VIEW_BEFORE)
    for trigger in ("moves_forward", "keep_table", "records_agree"):
        op.execute(f"DROP TRIGGER {trigger} ON cashback_records")
    for function in ("check_cashback_record", "check_cashback_against_account"):
        op.execute(f"DROP FUNCTION {function}()")
    for name in CHECKS:
        op.drop_constraint(op.f(f"ck_cashback_records_{name}"), "cashback_records")
    for column, _ in REFERENCES:
        op.drop_constraint(op.f(f"fk_cashback_records_{column}"), "cashback_records")
    for name in reversed(COLUMNS):
        op.drop_column("cashback_records", name)
    op.drop_column("cashback_records", "clawed_back_minor")
