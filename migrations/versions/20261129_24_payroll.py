"""Payroll: batches, payouts, which entries a payout takes, and who was left out.

Online: new tables; a function of the ledger is replaced by one that asks one question more, and only where a payable
account would fall below zero. The release before writes none of these.
"""

from pathlib import Path

import sqlalchemy as sa
from alembic import op

revision = "20261129_24"
down_revision = "20261129_22"

SQL = Path(__file__).resolve().parents[1] / "sql"
SEQUENCES = ("payout_batch_numbers", "payout_numbers")
BORNE = """        ELSIF entry.amount_minor < 0 AND at_balance < 0 AND account.kind IN ('VENDOR_PAYABLE', 'AGENT_PAYABLE')
              AND EXISTS (SELECT 1 FROM ledger_journals j
                          WHERE j.id = entry.journal_id AND j.journal_type = 'PAYOUT') THEN
            RAISE EXCEPTION 'account % does not bear the payout', account.id USING ERRCODE = 'AL001';
"""


def execute(statements: str) -> None:
    """Run statements as they stand: their % and : are no placeholders."""
    op.get_bind().connection.driver_connection.execute(statements)


def upgrade() -> None:
    for sequence in SEQUENCES:
        op.execute(sa.schema.CreateSequence(sa.Sequence(sequence)))
    _batches()
    _payouts()
    _entries()
    _left_out()
    execute((SQL / "20261129_payroll.sql").read_text("utf-8"))
    execute(_continuing(BORNE))


def _continuing(further: str) -> str:
    """`ledger_continue` as the revision of posting defined it, with a further question."""
    text = (SQL / "20261128_posting.sql").read_text("utf-8")
    text = text[text.index("CREATE FUNCTION ledger_continue") : text.index("REVOKE ALL ON FUNCTION ledger_continue")]
    before = "        ELSIF account.kind = 'CUSTOMER_DEBT'"
    assert text.count(before) == 1  # noqa: S101 - another text would be another function
    return text.replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION").replace(before, further + before)


def _batches() -> None:
    op.create_table(
        "payout_batches",
        _id("id"),
        _text("batch_number"),
        _text("period"),
        _text("payee_type"),
        _text("origin"),
        sa.Column("period_start", sa.Date(), nullable=False),
        _instant("cut_off"),
        _text("status"),
        _id("created_by_user_id", nullable=True),
        _id("approved_by_user_id", nullable=True),
        _text("debtor_name", nullable=True),
        _text("debtor_iban", nullable=True),
        _text("debtor_bic", nullable=True),
        _instant("created_at"),
        _instant("approved_at", nullable=True),
        _instant("processing_at", nullable=True),
        _instant("completed_at", nullable=True),
        _instant("cancelled_at", nullable=True),
        *_touched(),
        *_checks(
            "payout_batches",
            period_known="period IN ('WEEKLY', 'MONTHLY')",
            payee_type_known="payee_type IN ('VENDOR', 'AGENT', 'ALL')",
            origin_known="origin IN ('SCHEDULE', 'STAFF')",
            status_known="status IN ('DRAFT', 'APPROVED', 'PROCESSING', 'COMPLETED', 'CANCELLED')",
            approved_by_another="approved_by_user_id <> created_by_user_id",
            made_by_somebody="(created_by_user_id IS NULL) = (origin = 'SCHEDULE')",
            approved_by_somebody="(approved_at IS NOT NULL) = (status IN ('APPROVED', 'PROCESSING', 'COMPLETED'))"
            " AND (approved_by_user_id IS NOT NULL) = (approved_at IS NOT NULL)"
            " AND (debtor_name IS NOT NULL) = (approved_at IS NOT NULL)",
            instants_of_status="(processing_at IS NOT NULL) = (status IN ('PROCESSING', 'COMPLETED'))"
            " AND (completed_at IS NOT NULL) = (status = 'COMPLETED')"
            " AND (cancelled_at IS NOT NULL) = (status = 'CANCELLED')",
        ),
        *_references("payout_batches", created_by_user_id="users", approved_by_user_id="users"),
        sa.UniqueConstraint("batch_number", name=op.f("uq_payout_batches_batch_number")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payout_batches")),
    )
    op.create_index(
        "uq_payout_batches_scheduled",
        "payout_batches",
        ["period", "period_start", "payee_type"],
        unique=True,
        postgresql_where=sa.text("origin = 'SCHEDULE'"),
    )
    op.create_index("ix_payout_batches_created_at_id", "payout_batches", ["created_at", "id"])
    op.create_index(
        "ix_payout_batches_open",
        "payout_batches",
        ["status"],
        postgresql_where=sa.text("status IN ('APPROVED', 'PROCESSING')"),
    )


def _payouts() -> None:
    op.create_table(
        "payouts",
        _id("id"),
        _text("payout_number"),
        _id("batch_id"),
        _id("payee_id"),
        _text("payee_type"),
        _id("profile_id"),
        _id("account_id"),
        _text("method"),
        sa.Column("destination_encrypted", sa.LargeBinary(), nullable=True),
        _text("destination_masked", server_default=""),
        _text("stripe_account", nullable=True),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        _text("currency"),
        _text("status"),
        _id("journal_id", nullable=True),
        _id("paid_journal_id", nullable=True),
        _id("return_journal_id", nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False, server_default="0"),
        _instant("next_try_at", nullable=True),
        _text("provider_reference", nullable=True),
        _text("bank_reference", nullable=True),
        _text("failure_code", nullable=True),
        _text("reason", nullable=True),
        _id("decided_by_user_id", nullable=True),
        _instant("created_at"),
        _instant("sent_at", nullable=True),
        _instant("closed_at", nullable=True),
        *_touched(),
        *_checks(
            "payouts",
            payee_type_known="payee_type IN ('VENDOR', 'AGENT')",
            method_known="method IN ('BANK_TRANSFER', 'WALLET', 'STRIPE')",
            status_known="status IN ('PENDING', 'SENT', 'PAID', 'FAILED', 'UNKNOWN', 'CANCELLED')",
            amount_above_zero="amount_minor > 0",
            out_of_the_account="status IN ('PENDING', 'CANCELLED') OR journal_id IS NOT NULL",
            paid_by_a_journal="(paid_journal_id IS NOT NULL) = (status = 'PAID')",
            returned_by_a_journal="(return_journal_id IS NOT NULL)"
            " = (journal_id IS NOT NULL AND status IN ('FAILED', 'CANCELLED'))",
            closed_when_over="(closed_at IS NOT NULL) = (status IN ('PAID', 'FAILED', 'CANCELLED'))",
            sent_at_an_instant="status NOT IN ('SENT', 'UNKNOWN') OR sent_at IS NOT NULL",
            refused_with_reason="status NOT IN ('FAILED', 'CANCELLED') OR failure_code IS NOT NULL",
            stripe_needs_account="(method = 'STRIPE') = (stripe_account IS NOT NULL)",
            destination_while_open="method <> 'BANK_TRANSFER' OR closed_at IS NOT NULL"
            " OR destination_encrypted IS NOT NULL",
        ),
        *_references(
            "payouts",
            batch_id="payout_batches",
            payee_id="users",
            profile_id="partner_profiles",
            account_id="ledger_accounts",
            journal_id="ledger_journals",
            paid_journal_id="ledger_journals",
            return_journal_id="ledger_journals",
            decided_by_user_id="users",
        ),
        *(
            sa.UniqueConstraint(column, name=op.f(f"uq_payouts_{column}"))
            for column in (
                "payout_number",
                "journal_id",
                "paid_journal_id",
                "return_journal_id",
                "provider_reference",
            )
        ),
        sa.UniqueConstraint(
            "batch_id",
            "payee_id",
            "payee_type",
            "currency",
            name=op.f("uq_payouts_batch_id_payee_id_payee_type_currency"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payouts")),
    )
    op.create_index("ix_payouts_batch_id_status", "payouts", ["batch_id", "status"])
    op.create_index("ix_payouts_payee_id_created_at_id", "payouts", ["payee_id", "created_at", "id"])
    op.create_index("ix_payouts_created_at_id", "payouts", ["created_at", "id"])
    op.create_index("ix_payouts_due", "payouts", ["next_try_at"], postgresql_where=sa.text("next_try_at IS NOT NULL"))


def _entries() -> None:
    op.create_table(
        "payout_entries",
        _id("payable_entry_id"),
        _id("payout_id"),
        sa.PrimaryKeyConstraint("payable_entry_id", name=op.f("pk_payout_entries")),
    )
    op.create_index("ix_payout_entries_payout_id", "payout_entries", ["payout_id"])


def _left_out() -> None:
    op.create_table(
        "payouts_left_out",
        _id("batch_id"),
        _id("payee_id"),
        _text("payee_type"),
        _text("currency"),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        _text("reason"),
        *_checks(
            "payouts_left_out",
            payee_type_known="payee_type IN ('VENDOR', 'AGENT')",
            reason_known="reason IN ('BELOW_MINIMUM', 'NOTHING_OWED', 'NOT_ACTIVE', 'NO_DESTINATION', 'COOLING_OFF',"
            " 'OUT_OF_BALANCE')",
        ),
        *_references("payouts_left_out", batch_id="payout_batches", payee_id="users"),
        sa.PrimaryKeyConstraint("batch_id", "payee_id", "payee_type", "currency", name=op.f("pk_payouts_left_out")),
    )


def _id(name: str, *, nullable: bool = False) -> sa.Column:
    return sa.Column(name, sa.Uuid(), nullable=nullable)


def _text(name: str, *, nullable: bool = False, server_default: str | None = None) -> sa.Column:
    return sa.Column(name, sa.Text(), nullable=nullable, server_default=server_default)


def _instant(name: str, *, nullable: bool = False, server_default: object = None) -> sa.Column:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable, server_default=server_default)


def _touched() -> list[sa.Column]:
    return [
        _instant("updated_at", server_default=sa.text("clock_timestamp()")),
        sa.Column("version", sa.Integer(), nullable=False, server_default="1"),
    ]


def _checks(table: str, **conditions: str) -> list[sa.CheckConstraint]:
    return [sa.CheckConstraint(condition, name=op.f(f"ck_{table}_{name}")) for name, condition in conditions.items()]


def _references(table: str, **targets: str) -> list[sa.ForeignKeyConstraint]:
    return [
        sa.ForeignKeyConstraint([column], [f"{target}.id"], name=op.f(f"fk_{table}_{column}"))
        for column, target in targets.items()
    ]


def downgrade() -> None:
    """Fails while money is on its way or was paid: the release before would know nothing of it."""
    op.execute(
        "DO $$ BEGIN IF EXISTS (SELECT 1 FROM payouts WHERE journal_id IS NOT NULL) THEN"
        " RAISE EXCEPTION 'partners were paid: there is no way back'; END IF; END $$"
    )
    execute(_continuing(""))
    execute(_blockers_before())
    for table in ("payouts_left_out", "payout_entries", "payouts", "payout_batches"):
        op.drop_table(table)
    for function in ("only_of_drafts", "check_payout_batch", "payout_journal_once", "check_batch_over", "fresh_id"):
        op.execute(f"DROP FUNCTION {function}()")
    for sequence in SEQUENCES:
        op.execute(sa.schema.DropSequence(sa.Sequence(sequence)))


def _blockers_before() -> str:
    """The function as the revision of onboarding defined it."""
    text = (SQL / "20261129_onboarding.sql").read_text("utf-8")
    return text[text.index("CREATE OR REPLACE FUNCTION erasure_blockers") :].split(";\n", 1)[0] + ";"
