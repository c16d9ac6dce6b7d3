"""Posting, fourth edition: what the CHECKs of journals asked is asked by posting, and of entries by hand.

Online: functions are replaced and two constraints dropped in one short transaction, in front of which whoever posts
meanwhile waits. The release before runs on it: `ledger_postings` takes what it took.
"""

from pathlib import Path

from alembic import op

revision = "20261130_01"
down_revision = "20261129_29"

SQL = Path(__file__).resolve().parents[1] / "sql"
CLOSED = "LOCK TABLE ledger_postings IN ACCESS EXCLUSIVE MODE"
# PostgreSQL reads a CHECK anew for each statement, an array in it byte by byte: a thirtieth of a posting.
CHECKS = {
    "journal_type_known": "journal_type = ANY ('{DEPOSIT,WITHDRAWAL,PAYMENT,REFUND,CASHBACK,BONUS,COMMISSION,EARNED,"
    "REDEEMED,EXPIRED,ADJUSTMENT,REVERSAL,REVENUE,SUSPENSE,TRANSFER,CLAWBACK,REPAYMENT,EARNING,PAYOUT,FEE,DISPUTE,"
    "WRITE_OFF}'::text[])",
    "only_reversals_reverse": "reverses_journal_id IS NULL OR journal_type = 'REVERSAL'",
}


def execute(statements: str) -> None:
    """Run statements as they stand: their % and : are no placeholders."""
    op.get_bind().connection.driver_connection.execute(statements)


def upgrade() -> None:
    op.execute(CLOSED)
    execute((SQL / "20261130_journals.sql").read_text("utf-8"))
    for name in CHECKS:
        op.execute(f"ALTER TABLE ledger_journals DROP CONSTRAINT ck_ledger_journals_{name}")


def downgrade() -> None:
    op.execute(CLOSED)
    heads = (SQL / "20261129_heads.sql").read_text("utf-8")
    for function in ("check_entries_by_hand(entries ledger_entries[])", "post_journals()"):
        execute(_definition(function, heads))
    execute("DROP FUNCTION ledger_check_journal(text, uuid); DROP FUNCTION ledger_journal_types()")
    for name, condition in CHECKS.items():
        op.execute(
            f"ALTER TABLE ledger_journals ADD CONSTRAINT ck_ledger_journals_{name} CHECK ({condition}) NOT VALID"
        )
    with op.get_context().autocommit_block():
        for name in CHECKS:
            op.execute(f"ALTER TABLE ledger_journals VALIDATE CONSTRAINT ck_ledger_journals_{name}")


def _definition(function: str, text: str) -> str:
    """A function as the edition before defines it."""
    rest = text[text.index(f"CREATE OR REPLACE FUNCTION {function} ") :]
    return f"{rest[: rest.index('END $$;')]}END $$;"
