"""Payments in parts: tenders, deposits, the provider's name for a charge, credit that vouchers give.

Online: new tables and nullable or defaulted columns; checks are added without a look at old rows, then validated. The
release before goes on opening and settling payments of one part: their tender is made when this one first reads them.
"""

import sqlalchemy as sa
from alembic import op

revision = "20261128_02"
down_revision = "20261128_01"

METHODS_BEFORE = (
    "CREDIT_CARD", "DEBIT_CARD", "WALLET", "BANK_TRANSFER", "CASH", "FAWRY", "MEEZA", "VODAFONE_CASH", "MIXED", "OTHER",
)  # fmt: skip
METHODS = (*METHODS_BEFORE[:8], "AMAN", "MASARY", *METHODS_BEFORE[8:])
REASONS_BEFORE = ("SHORT", "OVER", "CURRENCY", "TWICE", "LATE", "MODE")
REASONS = (*REASONS_BEFORE, "INCOMPLETE")

# Every payment so far is one part; it has the payment's own id.
MAKE_TENDERS = """
INSERT INTO payment_tenders (id, payment_id, position, kind, method, amount_minor, currency, status, journal_id,
                             refunding_minor, refunded_minor, updated_at)
SELECT p.id, p.id, 0, CASE WHEN p.provider IS NULL THEN 'WALLET' ELSE 'GATEWAY' END, p.payment_method,
       p.amount_minor, p.currency,
       CASE WHEN j.id IS NOT NULL THEN 'CAPTURED' WHEN p.status = 'CANCELLED' THEN 'RELEASED' ELSE 'PLANNED' END,
       j.id, 0, 0, p.updated_at
FROM payments p LEFT JOIN LATERAL (
    SELECT r.journal_id AS id FROM payment_receipts r JOIN payment_attempts a ON a.id = r.attempt_id
    WHERE a.payment_id = p.id AND r.disposition = 'SETTLED'
    UNION ALL
    SELECT l.id FROM ledger_journals l WHERE l.idempotency_key = 'payment:' || p.id
    LIMIT 1) j ON true
"""


def upgrade() -> None:
    _make_tenders()
    _name_charges()
    _part_bookings()
    _swap_check("payments", "payment_method_known", "payment_method", METHODS)
    _swap_check("payment_receipts", "reason_known", "reason", REASONS)
    op.execute(
        "INSERT INTO ledger_account_kinds (kind, nature, is_owned, standing)"
        " VALUES ('VOUCHER_CREDIT', 'LIABILITY', true, 'NEVER_BELOW_ZERO') ON CONFLICT DO NOTHING"
    )
    with op.get_context().autocommit_block():
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS uq_payments_paid_booking_id")
        op.create_index(
            "ix_payments_subscription_id",
            "payments",
            ["subscription_id"],
            postgresql_concurrently=True,
            if_not_exists=True,
        )
        op.create_index(
            "ix_payment_attempts_charge_reference",
            "payment_attempts",
            ["provider", "charge_reference"],
            postgresql_concurrently=True,
            if_not_exists=True,
        )


def _make_tenders() -> None:
    op.create_table(
        "payment_tenders",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("payment_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.SmallInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("points", sa.Integer(), nullable=True),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("hold_id", sa.Uuid(), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("journal_id", sa.Uuid(), nullable=True),
        sa.Column("refunding_minor", sa.BigInteger(), nullable=False),
        sa.Column("refunded_minor", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "kind IN ('WALLET', 'VOUCHER_CREDIT', 'POINTS', 'GATEWAY')", name=op.f("ck_payment_tenders_kind_known")
        ),
        sa.CheckConstraint(
            "status IN ('PLANNED', 'CAPTURED', 'RELEASED')", name=op.f("ck_payment_tenders_status_known")
        ),
        sa.CheckConstraint("amount_minor > 0", name=op.f("ck_payment_tenders_amount_above_zero")),
        sa.CheckConstraint(
            "(kind = 'POINTS') = (points IS NOT NULL) AND coalesce(points, 1) > 0",
            name=op.f("ck_payment_tenders_points_of_points"),
        ),
        sa.CheckConstraint(
            "(status = 'CAPTURED') = (journal_id IS NOT NULL)", name=op.f("ck_payment_tenders_captured_by_a_journal")
        ),
        sa.CheckConstraint(
            "refunding_minor >= 0 AND refunded_minor >= 0 AND refunding_minor + refunded_minor"
            " <= CASE WHEN status = 'CAPTURED' THEN amount_minor ELSE 0 END",
            name=op.f("ck_payment_tenders_refunds_within_capture"),
        ),
        sa.ForeignKeyConstraint(["payment_id"], ["payments.id"], name=op.f("fk_payment_tenders_payment_id")),
        sa.ForeignKeyConstraint(["hold_id"], ["balance_holds.id"], name=op.f("fk_payment_tenders_hold_id")),
        sa.ForeignKeyConstraint(["journal_id"], ["ledger_journals.id"], name=op.f("fk_payment_tenders_journal_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payment_tenders")),
        sa.UniqueConstraint("payment_id", "position", name=op.f("uq_payment_tenders_payment_id_position")),
        sa.UniqueConstraint("journal_id", name=op.f("uq_payment_tenders_journal_id")),
    )
    op.execute(MAKE_TENDERS)


def _name_charges() -> None:
    op.add_column("payment_attempts", sa.Column("charge_reference", sa.Text(), nullable=True))
    op.add_column("payment_attempts", sa.Column("locale", sa.Text(), server_default="en", nullable=False))
    op.add_column("payment_webhook_logs", sa.Column("charge_reference", sa.Text(), server_default="", nullable=False))
    op.add_column(
        "payment_webhook_logs", sa.Column("is_about_refund", sa.Boolean(), server_default="false", nullable=False)
    )


def _part_bookings() -> None:
    op.add_column("bookings", sa.Column("deposit_amount_minor", sa.BigInteger(), nullable=True))
    for name in ("points_paid_amount_minor", "refunded_amount_minor"):
        op.add_column("bookings", sa.Column(name, sa.BigInteger(), server_default="0", nullable=False))
    op.drop_constraint(op.f("ck_bookings_confirmed_with_its_money"), "bookings")
    for name, condition in {
        "confirmed_with_its_deposit": "status NOT IN ('CONFIRMED', 'IN_PROGRESS')"
        " OR paid_amount_minor >= coalesce(deposit_amount_minor, final_amount_minor)",
        "completed_with_its_money": "status <> 'COMPLETED' OR paid_amount_minor = final_amount_minor",
        "refunds_within_payments": "refunded_amount_minor BETWEEN 0 AND paid_amount_minor",
        "points_within_payments": "points_paid_amount_minor BETWEEN 0 AND paid_amount_minor",
    }.items():
        _check("bookings", name, condition)


def _swap_check(table: str, name: str, column: str, allowed: tuple[str, ...]) -> None:
    op.drop_constraint(op.f(f"ck_{table}_{name}"), table)
    listed = ", ".join(f"'{value}'" for value in allowed)
    _check(table, name, f"{column} IN ({listed})")


def _check(table: str, name: str, condition: str) -> None:
    op.execute(f"ALTER TABLE {table} ADD CONSTRAINT ck_{table}_{name} CHECK ({condition}) NOT VALID")
    op.execute(f"ALTER TABLE {table} VALIDATE CONSTRAINT ck_{table}_{name}")


def downgrade() -> None:
    op.create_index(
        "uq_payments_paid_booking_id",
        "payments",
        ["booking_id"],
        unique=True,
        postgresql_where=sa.text("status = 'PAID'"),
    )
    op.drop_index("ix_payments_subscription_id", table_name="payments")
    op.drop_index("ix_payment_attempts_charge_reference", table_name="payment_attempts")
    _swap_check("payment_receipts", "reason_known", "reason", REASONS_BEFORE)
    _swap_check("payments", "payment_method_known", "payment_method", METHODS_BEFORE)
    for name in ("confirmed_with_its_deposit", "completed_with_its_money", "refunds_within_payments"):
        op.drop_constraint(op.f(f"ck_bookings_{name}"), "bookings")
    op.drop_constraint(op.f("ck_bookings_points_within_payments"), "bookings")
    for name in ("deposit_amount_minor", "points_paid_amount_minor", "refunded_amount_minor"):
        op.drop_column("bookings", name)
    _check(
        "bookings",
        "confirmed_with_its_money",
        "status NOT IN ('CONFIRMED', 'IN_PROGRESS', 'COMPLETED') OR paid_amount_minor = final_amount_minor",
    )
    for table, name in (
        ("payment_webhook_logs", "is_about_refund"),
        ("payment_webhook_logs", "charge_reference"),
        ("payment_attempts", "locale"),
        ("payment_attempts", "charge_reference"),
    ):
        op.drop_column(table, name)
    op.drop_table("payment_tenders")
