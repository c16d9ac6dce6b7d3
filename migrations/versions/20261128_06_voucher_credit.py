"""Adjustments say which account they are of: the wallet, or the credit of vouchers. Payments that wait are found.

Online: a column with a constant default, checks that are added without a look at old rows and then validated, and an
index that is built concurrently. The release before goes on adjusting wallets and points.
"""

import sqlalchemy as sa
from alembic import op

revision = "20261128_06"
down_revision = "20261128_05"

CHECKS = {
    "account_kind_known": "account_kind IN ('WALLET', 'VOUCHER_CREDIT', 'POINTS')",
    # The release before writes points as WALLET: the unit says what they are.
    "account_kind_of_unit": "(account_kind <> 'POINTS' OR currency = 'PTS')"
    " AND (account_kind <> 'VOUCHER_CREDIT' OR currency <> 'PTS')",
}


def upgrade() -> None:
    op.add_column("adjustments", sa.Column("account_kind", sa.Text(), server_default="WALLET", nullable=False))
    for name, condition in CHECKS.items():
        op.execute(f"ALTER TABLE adjustments ADD CONSTRAINT ck_adjustments_{name} CHECK ({condition}) NOT VALID")
        op.execute(f"ALTER TABLE adjustments VALIDATE CONSTRAINT ck_adjustments_{name}")
    with op.get_context().autocommit_block():
        op.create_index(
            "ix_payments_pending",
            "payments",
            ["id"],
            postgresql_where="status = 'PENDING'",
            postgresql_concurrently=True,
            if_not_exists=True,
        )


def downgrade() -> None:
    op.drop_index("ix_payments_pending", table_name="payments")
    for name in CHECKS:
        op.drop_constraint(op.f(f"ck_adjustments_{name}"), "adjustments")
    op.drop_column("adjustments", "account_kind")
