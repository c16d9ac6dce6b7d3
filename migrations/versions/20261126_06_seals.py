"""Seals of the ledger's days."""

from pathlib import Path

import sqlalchemy as sa
from alembic import op

revision = "20261126_06"
down_revision = "20261126_04"

SQL = Path(__file__).resolve().parents[1] / "sql"


def upgrade() -> None:
    op.create_table(
        "ledger_seals",
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("business_day", sa.Date(), nullable=False),
        sa.Column("sealed_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("journals", sa.BigInteger(), nullable=False),
        sa.Column("entries", sa.BigInteger(), nullable=False),
        sa.Column("journals_xor", sa.Uuid(), nullable=False),
        sa.Column("previous_root", sa.LargeBinary(), nullable=False),
        sa.Column("root", sa.LargeBinary(), nullable=False),
        sa.Column("sealed_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("number > 0", name=op.f("ck_ledger_seals_counted_from_one")),
        sa.CheckConstraint("length(root) = 32 AND length(previous_root) = 32", name=op.f("ck_ledger_seals_sha256")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_ledger_seals")),
        sa.UniqueConstraint("business_day", name=op.f("uq_ledger_seals_business_day")),
    )
    statements = (SQL / "20261126_seals.sql").read_text("utf-8")
    # As they stand: their % and : are no placeholders.
    op.get_bind().connection.driver_connection.execute(statements)


def downgrade() -> None:
    op.execute("DROP FUNCTION ledger_seal()")
    op.execute("DROP FUNCTION ledger_await_writers()")
    op.drop_table("ledger_seals")
