"""Guards of the ledger that were open: reversals of nothing, a second id for an account, holds in another unit.

Online: functions are replaced, and a constraint is checked later; no row is looked at.
"""

from pathlib import Path

from alembic import op

revision = "20261126_08"
down_revision = "20261126_01"

SQL = Path(__file__).resolve().parents[1] / "sql"
HOLDS_JOURNAL = "ALTER TABLE balance_holds ALTER CONSTRAINT fk_balance_holds_journal_id {when}"
FUNCTIONS = ("account_as_its_kind_says", "check_reversals", "check_balance_hold")


def execute(statements: str) -> None:
    """Run statements as they stand: their % and : are no placeholders."""
    op.get_bind().connection.driver_connection.execute(statements)


def upgrade() -> None:
    # The journal of a capture is posted after its hold has ended: until then the amount is still set aside.
    execute(HOLDS_JOURNAL.format(when="DEFERRABLE INITIALLY DEFERRED"))
    execute((SQL / "20261126_ledger_guards.sql").read_text("utf-8"))


def downgrade() -> None:
    for function in FUNCTIONS:
        execute(_as_it_was(function))
    execute(HOLDS_JOURNAL.format(when="NOT DEFERRABLE"))


def _as_it_was(function: str) -> str:
    """A function's definition before this revision."""
    text = (SQL / "20261126_ledger.sql").read_text("utf-8")
    rest = text[text.index(f"CREATE FUNCTION {function}(") :]
    definition = rest[: rest.index("\nEND $$;") + len("\nEND $$;")]
    return definition.replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION", 1)
