"""Transfers: a journal of two entries is told in columns, and posted by a function that knows there are two.

Online: a view and a function are added. The release before runs on it: it posts through `ledger_postings`, which stays
the way of all other journals.
"""

from pathlib import Path

from alembic import op

revision = "20261130_02"
down_revision = "20261130_01"

SQL = Path(__file__).resolve().parents[1] / "sql"


def upgrade() -> None:
    # As it stands: its % and : are no placeholders.
    op.get_bind().connection.driver_connection.execute((SQL / "20261130_transfers.sql").read_text("utf-8"))


def downgrade() -> None:
    op.execute("DROP VIEW ledger_transfers")
    op.execute("DROP FUNCTION post_transfer()")
