"""The ledger: partitions by year, heads, the chart of accounts, reversals, holds, and what is left of points' lots.

Online: the table of entries becomes the first partition where it lies, nothing is copied. The release before runs
on the schema that this leaves: `ledger_post` takes what it took, and new columns have defaults.
"""

import re
from pathlib import Path

import sqlalchemy as sa
from alembic import op

revision = "20261126_01"
down_revision = "20261125_05"

SQL = Path(__file__).resolve().parents[1] / "sql"

TYPES_BEFORE = (
    "DEPOSIT", "WITHDRAWAL", "PAYMENT", "REFUND", "CASHBACK", "BONUS", "COMMISSION", "EARNED", "REDEEMED", "EXPIRED",
    "ADJUSTMENT", "REVERSAL", "REVENUE", "SUSPENSE",
)  # fmt: skip
TYPES_ADDED = ("TRANSFER", "CLAWBACK", "REPAYMENT", "EARNING", "PAYOUT", "FEE", "DISPUTE", "WRITE_OFF")

# Kind, nature, how an owned account may stand.
KINDS = (
    ("WALLET", "LIABILITY", "NEVER_BELOW_ZERO"), ("POINTS", "MEMORANDUM", "NEVER_BELOW_ZERO"),
    ("CASHBACK", "LIABILITY", "NEVER_BELOW_ZERO"), ("CUSTOMER_DEBT", "ASSET", "NEVER_ABOVE_ZERO"),
    ("VENDOR_PAYABLE", "LIABILITY", "EITHER_SIDE"), ("AGENT_PAYABLE", "LIABILITY", "EITHER_SIDE"),
    ("PROVIDER_CLEARING", "ASSET", None), ("PAYOUTS_IN_TRANSIT", "LIABILITY", None), ("SUSPENSE", "LIABILITY", None),
    ("CUSTOMER_PREPAYMENTS", "LIABILITY", None), ("TAX_OWED", "LIABILITY", None), ("EXCHANGE", "ASSET", None),
    ("BOOKING_REVENUE", "INCOME", None), ("MEMBERSHIP_REVENUE", "INCOME", None), ("EXPIRY_INCOME", "INCOME", None),
    ("DISCOUNTS", "EXPENSE", None), ("CASHBACK_COST", "EXPENSE", None), ("VENDOR_SHARES", "EXPENSE", None),
    ("AGENT_COMMISSIONS", "EXPENSE", None), ("PROVIDER_FEES", "EXPENSE", None), ("ADJUSTMENTS", "EXPENSE", None),
    ("BAD_DEBTS", "EXPENSE", None), ("POINTS_ISSUED", "MEMORANDUM", None), ("POINTS_REDEEMED", "MEMORANDUM", None),
)  # fmt: skip

# The year that the entries so far are in; every database before this revision was made in it.
FIRST_YEAR = 2026

INTO_PARTITIONS = """
DROP VIEW wallet_ledger;
DROP VIEW points_ledger;
DROP TRIGGER keep_rows ON ledger_entries;
DROP TRIGGER keep_table ON ledger_entries;
DROP TRIGGER hold_together ON ledger_entries;
ALTER TABLE ledger_entries RENAME TO ledger_entries_{year};
ALTER TABLE ledger_entries_{year} RENAME CONSTRAINT pk_ledger_entries TO pk_ledger_entries_{year};
ALTER TABLE ledger_entries_{year} RENAME CONSTRAINT uq_ledger_entries_account_id_sequence
    TO uq_ledger_entries_{year}_account_id_sequence;
CREATE TABLE ledger_entries (LIKE ledger_entries_{year} INCLUDING DEFAULTS INCLUDING CONSTRAINTS,
                             CONSTRAINT pk_ledger_entries PRIMARY KEY (journal_id, line))
    PARTITION BY RANGE (journal_id);
"""

# The CHECK spares ATTACH its look at every row under a lock.
ATTACH_FIRST = """
DO $$
DECLARE bound uuid := first_id_of_year({year} + 1);
BEGIN
    EXECUTE format('ALTER TABLE ledger_entries_{year} ADD CONSTRAINT within_its_year CHECK (journal_id < %L)', bound);
    EXECUTE format('ALTER TABLE ledger_entries ATTACH PARTITION ledger_entries_{year}
                    FOR VALUES FROM (MINVALUE) TO (%L)', bound);
    ALTER TABLE ledger_entries_{year} DROP CONSTRAINT within_its_year;
END $$;
-- Ids beyond the years that have a partition; empty as long as the yearly job runs.
CREATE TABLE ledger_entries_beyond PARTITION OF ledger_entries DEFAULT;
SELECT ledger_guard_partition('ledger_entries_{year}');
SELECT ledger_guard_partition('ledger_entries_beyond');
SELECT ledger_make_partition({year} + 1);
SELECT ledger_make_partition({year} + 2);
CREATE TRIGGER keep_rows BEFORE UPDATE OR DELETE ON ledger_entries
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER keep_table BEFORE TRUNCATE ON ledger_entries FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER hold_together AFTER INSERT ON ledger_entries
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION check_ledger_entries();
CREATE CONSTRAINT TRIGGER lots_agree AFTER INSERT ON ledger_entries DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN (NEW.currency = 'PTS' AND NEW.sequence IS NOT NULL) EXECUTE FUNCTION check_lots_against_account('entry');
"""

HEADS = """
INSERT INTO ledger_heads (account_id, sequence, journal_id, line)
SELECT a.id, coalesce(e.sequence, 0), e.journal_id, e.line
FROM ledger_accounts a LEFT JOIN LATERAL (
    SELECT sequence, journal_id, line FROM ledger_entries_{year} l
    WHERE l.account_id = a.id ORDER BY l.sequence DESC LIMIT 1) e ON true
WHERE a.is_chained
"""

OUT_OF_PARTITIONS = """
DROP VIEW wallet_ledger;
DROP VIEW points_ledger;
DROP FUNCTION erasure_blockers(uuid, timestamptz);
DROP TRIGGER keep_rows ON ledger_entries;
DROP TRIGGER lots_agree ON ledger_entries;
ALTER TABLE ledger_entries DETACH PARTITION ledger_entries_{year};
DROP TRIGGER keep_table ON ledger_entries_{year};
DROP TRIGGER hold_together ON ledger_entries_{year};
INSERT INTO ledger_entries_{year} SELECT * FROM ledger_entries ORDER BY journal_id, line;
DROP TABLE ledger_entries;
ALTER TABLE ledger_entries_{year} RENAME TO ledger_entries;
ALTER TABLE ledger_entries RENAME CONSTRAINT pk_ledger_entries_{year} TO pk_ledger_entries;
ALTER TABLE ledger_entries RENAME CONSTRAINT uq_ledger_entries_{year}_account_id_sequence
    TO uq_ledger_entries_account_id_sequence;
CREATE TRIGGER keep_rows BEFORE UPDATE OR DELETE ON ledger_entries FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER keep_table BEFORE TRUNCATE ON ledger_entries FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
DROP TRIGGER as_its_kind_says ON ledger_accounts;
DROP TRIGGER begin_chain ON ledger_accounts;
DROP TRIGGER keep_rows ON points_lots;
DROP TRIGGER begin_lot ON points_lots;
DROP TRIGGER lots_agree ON points_lots;
CREATE TRIGGER keep_rows BEFORE UPDATE OR DELETE ON points_lots FOR EACH ROW EXECUTE FUNCTION refuse_change();
"""


def execute(statements: str) -> None:
    """Run statements as they stand: their % and : are no placeholders."""
    op.get_bind().connection.driver_connection.execute(statements)


def upgrade() -> None:
    _know_kinds()
    _point_at_heads()
    _widen_journals()
    _add_holds()
    _divide_lots()
    execute(INTO_PARTITIONS.format(year=FIRST_YEAR))
    execute((SQL / "20261126_ledger.sql").read_text("utf-8"))
    execute(HEADS.format(year=FIRST_YEAR))
    execute(ATTACH_FIRST.format(year=FIRST_YEAR))
    with op.get_context().autocommit_block():
        op.create_index(
            "ix_ledger_journals_posted_at",
            "ledger_journals",
            ["posted_at"],
            postgresql_using="brin",
            postgresql_concurrently=True,
            if_not_exists=True,
        )
        op.create_index(
            "ix_ledger_journals_reverses_journal_id",
            "ledger_journals",
            ["reverses_journal_id"],
            postgresql_where="reverses_journal_id IS NOT NULL",
            postgresql_concurrently=True,
            if_not_exists=True,
        )


def _know_kinds() -> None:
    kinds = op.create_table(
        "ledger_account_kinds",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("nature", sa.Text(), nullable=False),
        sa.Column("is_owned", sa.Boolean(), nullable=False),
        sa.Column("standing", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "nature IN ('LIABILITY', 'ASSET', 'INCOME', 'EXPENSE', 'MEMORANDUM')",
            name=op.f("ck_ledger_account_kinds_nature_known"),
        ),
        sa.CheckConstraint(
            "standing IN ('NEVER_BELOW_ZERO', 'EITHER_SIDE', 'NEVER_ABOVE_ZERO')",
            name=op.f("ck_ledger_account_kinds_standing_known"),
        ),
        sa.CheckConstraint("is_owned = (standing IS NOT NULL)", name=op.f("ck_ledger_account_kinds_owned_stand")),
        sa.PrimaryKeyConstraint("kind", name=op.f("pk_ledger_account_kinds")),
    )
    op.bulk_insert(
        kinds,
        [
            {"kind": kind, "nature": nature, "is_owned": standing is not None, "standing": standing}
            for kind, nature, standing in KINDS
        ],
    )


def _point_at_heads() -> None:
    op.create_table(
        "ledger_heads",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("sequence", sa.BigInteger(), nullable=False),
        sa.Column("journal_id", sa.Uuid(), nullable=True),
        sa.Column("line", sa.SmallInteger(), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["ledger_accounts.id"], name=op.f("fk_ledger_heads_account_id")),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_ledger_heads")),
        # Room beside each row for its next version: no index is touched when a head moves.
        postgresql_with={"fillfactor": 60},
    )


def _widen_journals() -> None:
    op.add_column("ledger_journals", sa.Column("reverses_journal_id", sa.Uuid(), nullable=True))
    # now() is read once for all rows that are there; clock_timestamp() would rewrite the table.
    op.add_column(
        "ledger_journals",
        sa.Column("posted_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
    )
    op.alter_column("ledger_journals", "posted_at", server_default=sa.text("clock_timestamp()"))
    _allow_types((*TYPES_BEFORE, *TYPES_ADDED))
    op.create_check_constraint(
        op.f("ck_ledger_journals_only_reversals_reverse"),
        "ledger_journals",
        "reverses_journal_id IS NULL OR journal_type = 'REVERSAL'",
        postgresql_not_valid=True,
    )
    op.execute("ALTER TABLE ledger_journals VALIDATE CONSTRAINT ck_ledger_journals_only_reversals_reverse")


def _allow_types(types: tuple[str, ...]) -> None:
    known = ", ".join(f"'{one}'" for one in types)
    op.drop_constraint(op.f("ck_ledger_journals_journal_type_known"), "ledger_journals")
    op.create_check_constraint(
        op.f("ck_ledger_journals_journal_type_known"),
        "ledger_journals",
        f"journal_type IN ({known})",
        postgresql_not_valid=True,
    )
    op.execute("ALTER TABLE ledger_journals VALIDATE CONSTRAINT ck_ledger_journals_journal_type_known")


def _add_holds() -> None:
    op.create_table(
        "balance_holds",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("captured_minor", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("reference_type", sa.Text(), nullable=False),
        sa.Column("reference_id", sa.Uuid(), nullable=False),
        sa.Column("journal_id", sa.Uuid(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("resolved_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "status IN ('ACTIVE', 'CAPTURED', 'RELEASED', 'EXPIRED')", name=op.f("ck_balance_holds_status_known")
        ),
        sa.CheckConstraint("amount_minor > 0", name=op.f("ck_balance_holds_amount_above_zero")),
        sa.CheckConstraint(
            "captured_minor BETWEEN 0 AND amount_minor AND (captured_minor > 0) = (status = 'CAPTURED')"
            " AND (journal_id IS NOT NULL) = (status = 'CAPTURED')",
            name=op.f("ck_balance_holds_captured_in_part_or_whole"),
        ),
        sa.CheckConstraint(
            "(resolved_at IS NULL) = (status = 'ACTIVE')", name=op.f("ck_balance_holds_resolved_when_over")
        ),
        sa.ForeignKeyConstraint(["account_id"], ["ledger_accounts.id"], name=op.f("fk_balance_holds_account_id")),
        sa.ForeignKeyConstraint(["journal_id"], ["ledger_journals.id"], name=op.f("fk_balance_holds_journal_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_balance_holds")),
    )
    op.create_index("ix_balance_holds_active", "balance_holds", ["account_id"], postgresql_where="status = 'ACTIVE'")
    op.create_index(
        "ix_balance_holds_expires_at", "balance_holds", ["expires_at"], postgresql_where="status = 'ACTIVE'"
    )
    op.create_index("ix_balance_holds_reference_id", "balance_holds", ["reference_id"])


def _divide_lots() -> None:
    op.execute("ALTER TABLE points_lots DISABLE TRIGGER keep_rows")
    op.add_column("points_lots", sa.Column("remaining", sa.BigInteger(), nullable=True))
    op.add_column("points_lots", sa.Column("grace_until", sa.DateTime(timezone=True), nullable=True))
    # Nothing has taken from a lot before this revision.
    op.execute("UPDATE points_lots SET remaining = points")
    op.execute("ALTER TABLE points_lots ENABLE TRIGGER keep_rows")
    op.create_check_constraint(
        op.f("ck_points_lots_remaining_of_points"),
        "points_lots",
        "remaining IS NOT NULL AND remaining BETWEEN 0 AND points",
    )
    op.create_index(
        "ix_points_lots_open",
        "points_lots",
        ["user_id", sa.text("greatest(expires_at, grace_until)")],
        postgresql_where="remaining > 0",
    )
    op.create_table(
        "points_lot_entries",
        sa.Column("lot_id", sa.Uuid(), nullable=False),
        sa.Column("journal_id", sa.Uuid(), nullable=False),
        sa.Column("points", sa.BigInteger(), nullable=False),
        sa.Column("grace_until", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("points <> 0", name=op.f("ck_points_lot_entries_points_not_zero")),
        sa.CheckConstraint(
            "grace_until IS NULL OR points > 0", name=op.f("ck_points_lot_entries_grace_for_what_is_given_back")
        ),
        sa.ForeignKeyConstraint(["lot_id"], ["points_lots.id"], name=op.f("fk_points_lot_entries_lot_id")),
        sa.ForeignKeyConstraint(["journal_id"], ["ledger_journals.id"], name=op.f("fk_points_lot_entries_journal_id")),
        sa.PrimaryKeyConstraint("journal_id", "lot_id", name=op.f("pk_points_lot_entries")),
    )
    op.create_index("ix_points_lot_entries_lot_id", "points_lot_entries", ["lot_id"])


def downgrade() -> None:
    with op.get_context().autocommit_block():
        for index in ("ix_ledger_journals_posted_at", "ix_ledger_journals_reverses_journal_id"):
            op.drop_index(index, table_name="ledger_journals", postgresql_concurrently=True, if_exists=True)
    execute(OUT_OF_PARTITIONS.format(year=FIRST_YEAR))
    for function in ("check_ledger_entries()", "ledger_post(jsonb)", "erasure_blockers(uuid, timestamptz)"):
        execute(_as_it_was(function))
    op.execute("DROP FUNCTION ledger_post(jsonb, jsonb)")
    execute(
        "CREATE TRIGGER hold_together AFTER INSERT ON ledger_entries"
        " REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION check_ledger_entries()"
    )
    for view in ("wallet_ledger", "points_ledger"):
        execute(_statement("20261123_after_tables.sql", f"CREATE VIEW {view} "))
    op.drop_table("points_lot_entries")
    op.drop_index("ix_points_lots_open", table_name="points_lots")
    op.drop_column("points_lots", "grace_until")
    op.drop_column("points_lots", "remaining")
    op.drop_table("balance_holds")
    op.drop_constraint(op.f("ck_ledger_journals_only_reversals_reverse"), "ledger_journals")
    _allow_types(TYPES_BEFORE)
    op.drop_column("ledger_journals", "posted_at")
    op.drop_column("ledger_journals", "reverses_journal_id")
    op.drop_table("ledger_heads")
    op.drop_table("ledger_account_kinds")
    for function in (
        "ledger_open_account(jsonb)",
        "ledger_lock(uuid[])",
        "check_reversals(uuid[])",
        "check_balance_hold()",
        "begin_lot()",
        "count_lot_entries()",
        "check_lots_against_account()",
        "account_as_its_kind_says()",
        "begin_chain()",
        "ledger_make_partition(integer)",
        "ledger_guard_partition(text)",
        "first_id_of_year(integer)",
    ):
        op.execute(f"DROP FUNCTION {function}")


def _as_it_was(function: str) -> str:
    """A function's definition before this revision."""
    file = "20261125_privacy.sql" if function.startswith("erasure_blockers") else "20261123_after_tables.sql"
    name = function.partition("(")[0]
    definition = _statement(file, f"CREATE FUNCTION {name}(", end=r"(END \$\$;|> at\)\)\)\);)$")
    return definition.replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION", 1)


def _statement(file: str, begins: str, *, end: str = ";$") -> str:
    """One statement of a file of SQL, from the line that begins so to the one that ends so."""
    text = (SQL / file).read_text("utf-8")
    rest = text[text.index(begins) :]
    match = re.search(end, rest, re.MULTILINE)
    if match is None:
        raise LookupError(f"{begins!r} does not end in {file}")
    return rest[: match.end()]
