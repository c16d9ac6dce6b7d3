"""Posting, second edition: places in chains are worked out once, and a journal's type is checked more cheaply.

Online: functions are replaced, nothing is rewritten. The release before runs on it: `ledger_post` takes what it took.
"""

from pathlib import Path

from alembic import op

revision = "20261128_01"
down_revision = "20261126_07"

SQL = Path(__file__).resolve().parents[1] / "sql"

TYPES = (
    "DEPOSIT", "WITHDRAWAL", "PAYMENT", "REFUND", "CASHBACK", "BONUS", "COMMISSION", "EARNED", "REDEEMED", "EXPIRED",
    "ADJUSTMENT", "REVERSAL", "REVENUE", "SUSPENSE", "TRANSFER", "CLAWBACK", "REPAYMENT", "EARNING", "PAYOUT", "FEE",
    "DISPUTE", "WRITE_OFF",
)  # fmt: skip

KNOWN = "ck_ledger_journals_journal_type_known"


def upgrade() -> None:
    # PostgreSQL reads a constraint's expression anew for every statement: one array takes a third of a list's time.
    _allow_types(f"journal_type = ANY ('{{{','.join(TYPES)}}}'::text[])")
    _execute((SQL / "20261128_posting.sql").read_text("utf-8"))


def downgrade() -> None:
    ledger = (SQL / "20261126_ledger.sql").read_text("utf-8")
    for function in ("check_ledger_entries()", "ledger_post(journals jsonb, legs jsonb)"):
        _execute(_definition(function, ledger))
    _execute("DROP VIEW ledger_postings")
    for function in (
        "post_journals()",
        "check_entries_by_hand(ledger_entries[])",
        "ledger_continue(ledger_entries[], jsonb[])",
    ):
        _execute(f"DROP FUNCTION {function}")
    _allow_types("journal_type IN ({})".format(", ".join(f"'{one}'" for one in TYPES)))


def _allow_types(condition: str) -> None:
    """Put this condition in the place of the one that is there; the rows are looked at without a lock on writers."""
    _execute(
        f"ALTER TABLE ledger_journals DROP CONSTRAINT {KNOWN}, ADD CONSTRAINT {KNOWN} CHECK ({condition}) NOT VALID"
    )
    with op.get_context().autocommit_block():
        _execute(f"ALTER TABLE ledger_journals VALIDATE CONSTRAINT {KNOWN}")


def _definition(function: str, text: str) -> str:
    """A function as another file of SQL defines it."""
    rest = text[text.index(f"FUNCTION {function} ") :]
    return f"CREATE OR REPLACE {rest[: rest.index('END $$;')]}END $$;"


def _execute(statements: str) -> None:
    """Run statements as they stand: their % and : are no placeholders."""
    op.get_bind().connection.driver_connection.execute(statements)
