"""What a payout consists of is checked once, when it is made; what was released to somebody is read from an index.

Online: functions and triggers are replaced under the lock of whoever draws up a batch, and drafts that are there are
looked at once; the index is built concurrently. The release before draws up and approves batches as this one does.
"""

from pathlib import Path

from alembic import op

revision = "20261129_29"
down_revision = "20261129_26"

SQL = Path(__file__).resolve().parents[1] / "sql"
INDEX = "ix_payable_entries_account_id_released_at"
# The approval asks no more for the sums of what was drawn up before: it is asked here, once.
DRAFTS = """
DO $$ BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('altayar payroll'));
    IF EXISTS (
        SELECT 1 FROM payouts p JOIN payout_batches b ON b.id = p.batch_id LEFT JOIN (
            SELECT l.payout_id, sum(e.amount_minor) AS minor, max(e.released_at) AS released_at,
                   bool_and(e.account_id = q.account_id) AS are_theirs
            FROM payouts q JOIN payout_batches d ON d.id = q.batch_id JOIN payout_entries l ON l.payout_id = q.id
            JOIN payable_entries e ON e.id = l.payable_entry_id
            WHERE d.status = 'DRAFT' GROUP BY l.payout_id) t ON t.payout_id = p.id
        WHERE b.status = 'DRAFT' AND p.status <> 'CANCELLED'
          AND (t.minor = p.amount_minor AND t.are_theirs AND t.released_at <= b.cut_off) IS NOT TRUE) THEN
        RAISE EXCEPTION 'a draft of payroll is not the sum of its entries: cancel it first';
    END IF;
END $$
"""


def execute(statements: str) -> None:
    """Run statements as they stand: their % and : are no placeholders."""
    op.get_bind().connection.driver_connection.execute(statements)


def upgrade() -> None:
    execute(DRAFTS)
    execute((SQL / "20261129_payroll_checks.sql").read_text("utf-8"))
    with op.get_context().autocommit_block():
        op.create_index(
            INDEX,
            "payable_entries",
            ["account_id", "released_at"],
            postgresql_include=["amount_minor"],
            postgresql_concurrently=True,
            if_not_exists=True,
        )


def downgrade() -> None:
    execute(
        "DROP TRIGGER their_sums ON payout_entries; DROP TRIGGER only_of_cancelled ON payout_entries;"
        " DROP FUNCTION check_payout_links(); DROP FUNCTION only_of_cancelled()"
    )
    execute(_before("CREATE FUNCTION fresh_id", "-- The tables of steps"))
    execute(_before("CREATE FUNCTION only_of_drafts", "CREATE TRIGGER only_of_drafts AFTER INSERT ON payouts"))
    execute(_before("CREATE TRIGGER only_of_drafts_added", "-- When a batch is approved"))
    execute(_before("CREATE FUNCTION check_payout_batch", "CREATE TRIGGER its_sums"))
    op.drop_index(INDEX, table_name="payable_entries")


def _before(first: str, behind: str) -> str:
    """A part of what the revision of payroll defined."""
    text = (SQL / "20261129_payroll.sql").read_text("utf-8")
    part = text[text.index(first) : text.index(behind)]
    return part.replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION")
