"""Disputes take from wallets, and hold there what they question; credit notes of disputes, and of parts of refunds.

Online: columns with a constant default, constraints validated afterwards, indexes made beside the traffic. The release
before runs on it: it writes neither column, and each of its notes is of one refund.
"""

import sqlalchemy as sa
from alembic import op

revision = "20261201_06"
down_revision = "20261201_04"

TAKES = (
    "taken_minor >= 0 AND taken_from_suspense_minor >= 0{more} AND taken_minor + taken_from_suspense_minor{sum}"
    " <= CASE WHEN status = 'LOST' THEN amount_minor ELSE 0 END"
)
TAKES_BEFORE = TAKES.format(more="", sum="")
TAKES_NOW = TAKES.format(more=" AND taken_from_wallet_minor >= 0", sum=" + taken_from_wallet_minor")
OF_A_REFUND = "(invoice_type = 'CREDIT_NOTE') = (refund_id IS NOT NULL)"
OF_WHAT_WENT_BACK = "(invoice_type = 'CREDIT_NOTE') = (refund_id IS NOT NULL OR dispute_id IS NOT NULL)"

BEYOND = "status = 'SUCCEEDED' AND way <> 'OWN' AND tender_id IS NULL AND receipt_id IS NULL"


def upgrade() -> None:
    op.add_column("disputes", sa.Column("taken_from_wallet_minor", sa.BigInteger(), server_default="0", nullable=False))
    op.add_column("disputes", sa.Column("hold_id", sa.Uuid(), nullable=True))
    op.add_column("invoices", sa.Column("dispute_id", sa.Uuid(), nullable=True))
    _refer("disputes", "hold_id", "balance_holds")
    _refer("invoices", "dispute_id", "disputes")
    _replace_check("disputes", "takes_what_is_lost", "takes_what_is_lost", TAKES_NOW)
    _replace_check("invoices", "credit_note_of_a_refund", "credit_note_of_what_went_back", OF_WHAT_WENT_BACK)
    with op.get_context().autocommit_block():
        for table, name in (
            ("disputes", "fk_disputes_hold_id"),
            ("invoices", "fk_invoices_dispute_id"),
            ("disputes", "ck_disputes_takes_what_is_lost"),
            ("invoices", "ck_invoices_credit_note_of_what_went_back"),
        ):
            op.execute(f"ALTER TABLE {table} VALIDATE CONSTRAINT {name}")
        _index("uq_invoices_one_of_payment", ["payment_id", "invoice_type"], "refund_id IS NULL AND dispute_id IS NULL")
        _index("ix_invoices_refund_id", ["refund_id"], unique=False)
        _index("ix_invoices_dispute_id", ["dispute_id"], "dispute_id IS NOT NULL", unique=False)
        op.create_index(
            "ix_refund_parts_beyond",
            "refund_parts",
            ["refund_id"],
            postgresql_where=sa.text(BEYOND),
            postgresql_concurrently=True,
            if_not_exists=True,
        )
        for name in ("uq_invoices_kind_of_payment", "uq_invoices_refund_id"):
            op.drop_index(name, table_name="invoices", postgresql_concurrently=True, if_exists=True)


def _refer(table: str, column: str, other: str) -> None:
    op.execute(
        f"ALTER TABLE {table} ADD CONSTRAINT fk_{table}_{column}"
        f" FOREIGN KEY ({column}) REFERENCES {other} (id) NOT VALID"
    )


def _replace_check(table: str, before: str, name: str, condition: str) -> None:
    op.execute(f"ALTER TABLE {table} DROP CONSTRAINT ck_{table}_{before}")
    op.execute(f"ALTER TABLE {table} ADD CONSTRAINT ck_{table}_{name} CHECK ({condition}) NOT VALID")


def _index(name: str, columns: list[str], where: str | None = None, *, unique: bool = True) -> None:
    op.create_index(
        name,
        "invoices",
        columns,
        unique=unique,
        postgresql_where=sa.text(where) if where is not None else None,
        postgresql_concurrently=True,
        if_not_exists=True,
    )


def downgrade() -> None:
    """Fails where a dispute took from a wallet or has a note, and where a refund has two: it knows none of these."""
    _replace_check("disputes", "takes_what_is_lost", "takes_what_is_lost", TAKES_BEFORE)
    _replace_check("invoices", "credit_note_of_what_went_back", "credit_note_of_a_refund", OF_A_REFUND)
    op.execute(
        "DO $$ BEGIN IF EXISTS (SELECT 1 FROM disputes WHERE taken_from_wallet_minor > 0) THEN"
        " RAISE EXCEPTION 'disputes took from wallets: there is no way back'; END IF; END $$"
    )
    op.drop_column("disputes", "taken_from_wallet_minor")
    op.drop_column("disputes", "hold_id")
    with op.get_context().autocommit_block():
        op.execute("ALTER TABLE disputes VALIDATE CONSTRAINT ck_disputes_takes_what_is_lost")
        op.execute("ALTER TABLE invoices VALIDATE CONSTRAINT ck_invoices_credit_note_of_a_refund")
        _index("uq_invoices_kind_of_payment", ["payment_id", "invoice_type"], "refund_id IS NULL")
        _index("uq_invoices_refund_id", ["refund_id"])
        op.drop_index("ix_refund_parts_beyond", postgresql_concurrently=True, if_exists=True)
        for name in ("uq_invoices_one_of_payment", "ix_invoices_refund_id", "ix_invoices_dispute_id"):
            op.drop_index(name, table_name="invoices", postgresql_concurrently=True, if_exists=True)
    op.drop_column("invoices", "dispute_id")
