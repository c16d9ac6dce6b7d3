"""Posting, third edition: heads carry balances, newest hashes and what is held; guards ask only whom they have to.

Online: columns without values, functions and triggers are replaced in one short transaction. From then on whoever posts
to an account completes its head; all others are completed behind that, 500 in each transaction. The release before runs
on it: `ledger_post` takes what it took, and nothing that it reads has changed.
"""

import runpy
from pathlib import Path

import sqlalchemy as sa
from alembic import op

revision = "20261129_27"
down_revision = "20261129_26"

VERSIONS = Path(__file__).resolve().parent
SQL = VERSIONS.parent / "sql"
COLUMNS = ("kind", "currency", "balance_minor", "hash", "held_minor")
# What they refused of entries is refused by the guard of entries by hand, and never computed by posting. PostgreSQL
# read these three anew for every statement, a twentieth of a posting.
CHECKS = {
    "amount_not_zero": "amount_minor <> 0",
    "balance_adds_up": "balance_after_minor = balance_before_minor + amount_minor",
    "chained_or_not": "(sequence IS NULL) = (balance_after_minor IS NULL)"
    " AND (sequence IS NULL) = (balance_before_minor IS NULL)",
}
BRINS = ("posted_at", "occurred_at")
# As in 20261126_ledger.sql, with the guard asked of entries by hand alone, and without a check of what lies where: that
# is the partition's own bound, and looked at for every row otherwise.
PARTITIONS = """
CREATE OR REPLACE FUNCTION ledger_guard_partition(partition text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('CREATE UNIQUE INDEX IF NOT EXISTS %I ON %I (account_id, sequence)',
                   'uq_' || partition || '_account_id_sequence', partition);
    EXECUTE format('CREATE TRIGGER keep_table BEFORE TRUNCATE ON %I
                    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()', partition);
    EXECUTE format('CREATE TRIGGER hold_together AFTER INSERT ON %I REFERENCING NEW TABLE AS added
                    FOR EACH STATEMENT WHEN (pg_trigger_depth() < 1) EXECUTE FUNCTION check_ledger_entries()', partition);
END $$;

CREATE OR REPLACE FUNCTION ledger_make_partition(year integer) RETURNS boolean
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE partition text := 'ledger_entries_' || year;
BEGIN
    IF to_regclass(partition) IS NOT NULL THEN
        RETURN false;
    END IF;
    EXECUTE format('CREATE TABLE %I (LIKE ledger_entries INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', partition);
    EXECUTE format('ALTER TABLE %I ADD CONSTRAINT its_year CHECK (journal_id >= %L AND journal_id < %L)',
                   partition, first_id_of_year(year), first_id_of_year(year + 1));
    EXECUTE format('ALTER TABLE ledger_entries ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
                   partition, first_id_of_year(year), first_id_of_year(year + 1));
    EXECUTE format('ALTER TABLE %I DROP CONSTRAINT its_year', partition);
    PERFORM ledger_guard_partition(partition);
    RETURN true;
END $$;
"""
WITHOUT_CHECKS_OF_YEARS = """
DO $$
DECLARE one record;
BEGIN
    FOR one IN
        SELECT c.conrelid::regclass AS partition, c.conname FROM pg_constraint c JOIN pg_inherits i ON i.inhrelid = c.conrelid
        WHERE i.inhparent = 'ledger_entries'::regclass AND c.contype = 'c' AND c.conislocal AND c.coninhcount = 0
          AND c.conname = c.conrelid::regclass || '_journal_id_check'
    LOOP
        EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', one.partition, one.conname);
    END LOOP;
END $$;
"""
GUARD_ANEW = """
DO $$
DECLARE guarded regclass;
BEGIN
    FOR guarded IN SELECT t.tgrelid::regclass FROM pg_trigger t WHERE t.tgname = 'hold_together' ORDER BY 1 LOOP
        EXECUTE format('DROP TRIGGER hold_together ON %s', guarded);
        EXECUTE format('CREATE TRIGGER hold_together AFTER INSERT ON %s REFERENCING NEW TABLE AS added
                        FOR EACH STATEMENT {} EXECUTE FUNCTION check_ledger_entries()', guarded);
    END LOOP;
END $$;
"""
# Whoever posts meanwhile waits in front of it: what is half posted by functions of one edition must not meet tables and
# triggers of the other. Who is behind it already is waited for.
CLOSED = "LOCK TABLE ledger_postings IN ACCESS EXCLUSIVE MODE"
# Heads are written by triggers alone, so completing them is one, too; nothing is switched off meanwhile.
COMPLETING = """
CREATE VIEW ledger_heads_completed AS SELECT NULL::uuid AS behind, NULL::uuid AS reached WHERE false;
CREATE FUNCTION complete_heads() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE account uuid;
BEGIN
    FOR account IN
        SELECT h.account_id FROM ledger_heads h
        WHERE h.account_id > NEW.behind AND h.balance_minor IS NULL ORDER BY h.account_id LIMIT 500
    LOOP
        PERFORM ledger_complete_head(account);
        NEW.reached := account;
    END LOOP;
    RETURN NEW;
END $$;
CREATE TRIGGER complete INSTEAD OF INSERT ON ledger_heads_completed FOR EACH ROW EXECUTE FUNCTION complete_heads();
"""
IN_BATCHES = """
DO $$
DECLARE so_far uuid := '00000000-0000-0000-0000-000000000000';
BEGIN
    WHILE so_far IS NOT NULL LOOP
        INSERT INTO ledger_heads_completed (behind) VALUES (so_far) RETURNING reached INTO so_far;
        COMMIT;
    END LOOP;
END $$;
"""


def execute(statements: str) -> None:
    """Run statements as they stand: their % and : are no placeholders."""
    op.get_bind().connection.driver_connection.execute(statements)


def upgrade() -> None:
    op.execute(CLOSED)
    for column, kind in zip(COLUMNS, (sa.Text, sa.Text, sa.BigInteger, sa.LargeBinary, sa.BigInteger), strict=True):
        op.add_column("ledger_heads", sa.Column(column, kind(), nullable=True))
    op.execute("DROP TRIGGER keep_rows ON ledger_heads")
    execute((SQL / "20261129_heads.sql").read_text("utf-8"))
    execute(PARTITIONS)
    for name in CHECKS:
        op.execute(f"ALTER TABLE ledger_entries DROP CONSTRAINT ck_ledger_entries_{name}")
    execute(WITHOUT_CHECKS_OF_YEARS)
    execute(GUARD_ANEW.format("WHEN (pg_trigger_depth() < 1)"))
    with op.get_context().autocommit_block():
        _complete_heads()
        _index_instants(("posted_at", "occurred_at"), "instants")
        for column in BRINS:
            op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS ix_ledger_journals_{column}")


def _complete_heads() -> None:
    """All that nobody has completed by posting, each batch in a transaction of its own."""
    execute(COMPLETING)
    execute(IN_BATCHES)
    execute("DROP VIEW ledger_heads_completed; DROP FUNCTION complete_heads()")


def _index_instants(columns: tuple[str, ...], name: str) -> None:
    op.create_index(
        f"ix_ledger_journals_{name}",
        "ledger_journals",
        list(columns),
        postgresql_using="brin",
        postgresql_concurrently=True,
        if_not_exists=True,
    )


def downgrade() -> None:
    with op.get_context().autocommit_block():
        for column in BRINS:
            _index_instants((column,), column)
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS ix_ledger_journals_instants")
    op.execute(CLOSED)
    for name, condition in CHECKS.items():
        op.execute(f"ALTER TABLE ledger_entries ADD CONSTRAINT ck_ledger_entries_{name} CHECK ({condition}) NOT VALID")
    execute(GUARD_ANEW.format(""))
    op.execute("DROP VIEW ledger_continuations")
    _functions_before()
    op.execute("ALTER FUNCTION check_reversals(uuid[]) RESET plan_cache_mode")
    op.execute("DROP TRIGGER counted ON balance_holds")
    op.execute("DROP TRIGGER keep_added ON ledger_heads")
    op.execute("DROP TRIGGER keep_rows ON ledger_heads")
    op.execute(
        "CREATE TRIGGER keep_rows BEFORE UPDATE OR DELETE ON ledger_heads"
        " FOR EACH ROW WHEN (pg_trigger_depth() < 1) EXECUTE FUNCTION refuse_change()"
    )
    for function in (
        "count_hold()",
        "ledger_complete_head(uuid)",
        "ledger_find_head(ledger_entries, jsonb)",
        "ledger_refuse(ledger_entries, bigint)",
        "ledger_check_journals(ledger_entries[], bigint)",
        "ledger_move_head(ledger_entries)",
    ):
        op.execute(f"DROP FUNCTION {function}")
    for column in COLUMNS:
        op.drop_column("ledger_heads", column)
    with op.get_context().autocommit_block():
        for name in CHECKS:
            op.execute(f"ALTER TABLE ledger_entries VALIDATE CONSTRAINT ck_ledger_entries_{name}")


def _functions_before() -> None:
    for file, functions in {
        "20261126_ledger.sql": (
            "account_as_its_kind_says()",
            "begin_chain()",
            "ledger_make_partition(",
            "ledger_guard_partition(",
        ),
        "20261128_posting.sql": ("check_ledger_entries()", "check_entries_by_hand(", "post_journals()"),
    }.items():
        for function in functions:
            execute(_definition(function, (SQL / file).read_text("utf-8")))
    agents = runpy.run_path(str(VERSIONS / "20261129_26_agent_credit.py"))
    execute(agents["_continuing"](agents["BORNE"] + agents["FLOOR"]))
    op.execute("REVOKE ALL ON FUNCTION ledger_continue(ledger_entries[], jsonb[]) FROM PUBLIC")


def _definition(function: str, text: str) -> str:
    """A function's definition as a file has it, in place of the one that is there."""
    begins = f"FUNCTION {function}"
    definition = text[text.index(begins) :]
    return f"CREATE OR REPLACE {definition[: definition.index('END $$;')]}END $$;"
