"""Agents' deposit accounts, how far below zero each may stand, and payments from them.

Online: a kind of account, a new table, nullable columns; wider checks are added without a look at old rows and validated
behind that, the index is built concurrently; a function of the ledger asks one question more, and only of accounts of
the new kind that are below zero. The release before writes none of these.
"""

from pathlib import Path

import sqlalchemy as sa
from alembic import op

revision = "20261129_26"
down_revision = "20261129_25"

SQL = Path(__file__).resolve().parents[1] / "sql"
# As the revision of payroll has it.
BORNE = """        ELSIF entry.amount_minor < 0 AND at_balance < 0 AND account.kind IN ('VENDOR_PAYABLE', 'AGENT_PAYABLE')
              AND EXISTS (SELECT 1 FROM ledger_journals j
                          WHERE j.id = entry.journal_id AND j.journal_type = 'PAYOUT') THEN
            RAISE EXCEPTION 'account % does not bear the payout', account.id USING ERRCODE = 'AL001';
"""
# What goes back into the wallet is the agent's own alone; all else may use the credit.
FLOOR = """        ELSIF entry.amount_minor < 0 AND at_balance < 0 AND account.kind = 'AGENT_DEPOSIT'
              AND (EXISTS (SELECT 1 FROM ledger_journals j
                           WHERE j.id = entry.journal_id AND j.journal_type = 'TRANSFER')
                   OR at_balance < -coalesce((
                       SELECT l.limit_minor FROM partner_profiles p JOIN agent_credit_limits l ON l.profile_id = p.id
                       WHERE p.user_id = account.user_id AND p.payee_type = 'AGENT' AND l.currency = account.currency
                       ORDER BY l.valid_from DESC, l.id DESC LIMIT 1), 0)) THEN
            RAISE EXCEPTION 'account % would fall below its credit limit', account.id USING ERRCODE = 'AL001';
"""
DEPOSIT_BLOCKS = """        UNION ALL
        SELECT 'AGENT_DEPOSIT' WHERE EXISTS (
            SELECT 1 FROM ledger_accounts a JOIN ledger_heads h ON h.account_id = a.id
            JOIN ledger_entries e ON e.journal_id = h.journal_id AND e.line = h.line
            WHERE a.user_id = person AND a.kind = 'AGENT_DEPOSIT' AND e.balance_after_minor <> 0));
"""
METHODS_BEFORE = (
    "CREDIT_CARD", "DEBIT_CARD", "WALLET", "BANK_TRANSFER", "CASH", "FAWRY", "MEEZA", "VODAFONE_CASH", "AMAN", "MASARY",
    "MIXED", "OTHER",
)  # fmt: skip
KINDS_BEFORE = ("WALLET", "VOUCHER_CREDIT", "POINTS", "GATEWAY")
OF_AN_AGENT = "(kind = 'AGENT_CREDIT') = (owner_id IS NOT NULL)"


def execute(statements: str) -> None:
    """Run statements as they stand: their % and : are no placeholders."""
    op.get_bind().connection.driver_connection.execute(statements)


def upgrade() -> None:
    op.execute(
        "INSERT INTO ledger_account_kinds (kind, nature, is_owned, standing)"
        " VALUES ('AGENT_DEPOSIT', 'LIABILITY', true, 'EITHER_SIDE') ON CONFLICT DO NOTHING"
    )
    _limits()
    execute(_continuing(BORNE + FLOOR))
    execute(_blockers().removesuffix(");") + "\n" + DEPOSIT_BLOCKS)
    op.add_column("payment_tenders", sa.Column("owner_id", sa.Uuid(), nullable=True))
    op.execute(
        "ALTER TABLE payment_tenders ADD CONSTRAINT fk_payment_tenders_owner_id"
        " FOREIGN KEY (owner_id) REFERENCES users (id) NOT VALID"
    )
    _know("payments", "payment_method", (*METHODS_BEFORE[:11], "AGENT_CREDIT", *METHODS_BEFORE[11:]))
    _know("payment_tenders", "kind", (*KINDS_BEFORE[:3], "AGENT_CREDIT", *KINDS_BEFORE[3:]))
    _add_check("payment_tenders", "credit_of_an_agent", OF_AN_AGENT)
    with op.get_context().autocommit_block():
        op.create_index(
            "ix_payment_tenders_owner_id",
            "payment_tenders",
            ["owner_id"],
            postgresql_where=sa.text("owner_id IS NOT NULL"),
            postgresql_concurrently=True,
            if_not_exists=True,
        )
        op.execute("ALTER TABLE payment_tenders VALIDATE CONSTRAINT fk_payment_tenders_owner_id")
        _validate()


def _limits() -> None:
    op.create_table(
        "agent_credit_limits",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("profile_id", sa.Uuid(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("limit_minor", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("set_by_user_id", sa.Uuid(), nullable=False),
        sa.Column("valid_from", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("limit_minor >= 0", name=op.f("ck_agent_credit_limits_not_negative")),
        sa.ForeignKeyConstraint(
            ["profile_id"], ["partner_profiles.id"], name=op.f("fk_agent_credit_limits_profile_id")
        ),
        sa.ForeignKeyConstraint(["set_by_user_id"], ["users.id"], name=op.f("fk_agent_credit_limits_set_by_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_agent_credit_limits")),
    )
    op.create_index(
        "ix_agent_credit_limits_newest", "agent_credit_limits", ["profile_id", "currency", "valid_from", "id"]
    )
    op.execute(
        "CREATE TRIGGER keep_rows BEFORE UPDATE OR DELETE ON agent_credit_limits"
        " FOR EACH ROW EXECUTE FUNCTION refuse_change();"
        " CREATE TRIGGER keep_table BEFORE TRUNCATE ON agent_credit_limits"
        " FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();"
    )


def _continuing(further: str) -> str:
    """`ledger_continue` as the revision of posting defined it, with further questions."""
    text = (SQL / "20261128_posting.sql").read_text("utf-8")
    text = text[text.index("CREATE FUNCTION ledger_continue") : text.index("REVOKE ALL ON FUNCTION ledger_continue")]
    before = "        ELSIF account.kind = 'CUSTOMER_DEBT'"
    assert text.count(before) == 1  # noqa: S101 - another text would be another function
    return text.replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION").replace(before, further + before)


def _blockers() -> str:
    """The function as the revision of payroll defined it."""
    text = (SQL / "20261129_payroll.sql").read_text("utf-8")
    return text[text.index("CREATE OR REPLACE FUNCTION erasure_blockers") :].strip()


def _know(table: str, column: str, allowed: tuple[str, ...]) -> None:
    listed = ", ".join(f"'{value}'" for value in allowed)
    op.execute(f"ALTER TABLE {table} DROP CONSTRAINT ck_{table}_{column}_known")
    _add_check(table, f"{column}_known", f"{column} IN ({listed})")


def _add_check(table: str, name: str, condition: str) -> None:
    op.execute(f"ALTER TABLE {table} ADD CONSTRAINT ck_{table}_{name} CHECK ({condition}) NOT VALID")


def _validate() -> None:
    for table, name in (
        ("payments", "payment_method_known"),
        ("payment_tenders", "kind_known"),
        ("payment_tenders", "credit_of_an_agent"),
    ):
        op.execute(f"ALTER TABLE {table} VALIDATE CONSTRAINT ck_{table}_{name}")


def downgrade() -> None:
    """Fails while any deposit account has moved: the release before would know nothing of it."""
    op.execute(
        "DO $$ BEGIN IF EXISTS (SELECT 1 FROM ledger_accounts WHERE kind = 'AGENT_DEPOSIT') THEN"
        " RAISE EXCEPTION 'agents have paid in, or on credit: there is no way back'; END IF; END $$"
    )
    execute(_continuing(BORNE))
    execute(_blockers())
    op.drop_index("ix_payment_tenders_owner_id", table_name="payment_tenders")
    op.execute("ALTER TABLE payment_tenders DROP CONSTRAINT ck_payment_tenders_credit_of_an_agent")
    _know("payments", "payment_method", METHODS_BEFORE)
    _know("payment_tenders", "kind", KINDS_BEFORE)
    op.drop_column("payment_tenders", "owner_id")
    op.drop_table("agent_credit_limits")
