"""Amendments of bookings: what waits for its money, what was paid beyond a price that was lowered, and what it cost.

Online: a new table; columns with a constant default; checks that are only ever wider than before are exchanged without a
look at old rows, then validated. The release before goes on: it knows no amendments, and its rows have none.
"""

import sqlalchemy as sa
from alembic import op

revision = "20261129_16"
down_revision = "20261129_17"

ONCE = {
    "paid_within_price": "paid_amount_minor BETWEEN 0 AND final_amount_minor",
    "completed_with_its_money": "status <> 'COMPLETED' OR paid_amount_minor = final_amount_minor",
}
WIDER = {name: f"{condition} + overpaid_amount_minor" for name, condition in ONCE.items()}
CHECKS = {
    "overpaid_of_what_was_paid": "overpaid_amount_minor BETWEEN 0 AND paid_amount_minor",
    "amendments_cost_fees": "amendment_fees_minor BETWEEN 0 AND fee_amount_minor",
    "amended_times_counted": "amended_times >= 0",
}
COLUMNS = (
    sa.Column("overpaid_amount_minor", sa.BigInteger(), server_default="0", nullable=False),
    sa.Column("amendment_fees_minor", sa.BigInteger(), server_default="0", nullable=False),
    sa.Column("amended_times", sa.SmallInteger(), server_default="0", nullable=False),
)
KNOWN = "status IN ('PENDING', 'APPLIED', 'LAPSED', 'WITHDRAWN')"
OF_AMENDMENTS = {
    "status_known": KNOWN,
    "pending_until_resolved": "(status = 'PENDING') = (resolved_at IS NULL)",
    "waits_for_money": "status <> 'PENDING' OR (expires_at IS NOT NULL AND amount_minor > previous_amount_minor)",
    "keeps_travelers_while_pending": "status = 'PENDING' OR travelers_encrypted IS NULL",
    "figures_not_below_zero":
        "fee_minor >= 0 AND refund_minor >= 0 AND points_restored >= 0 AND seats_held >= 0 AND travelers_count > 0",
}  # fmt: skip
REFERENCES = {
    "booking_id": "bookings",
    "previous_departure_id": "departures",
    "departure_id": "departures",
    "requested_by_user_id": "users",
}


def upgrade() -> None:
    for column in COLUMNS:
        op.add_column("bookings", column)
    for name, condition in WIDER.items():
        op.drop_constraint(op.f(f"ck_bookings_{name}"), "bookings")
        _check(name, condition)
    for name, condition in CHECKS.items():
        _check(name, condition)
    op.create_table(
        "booking_amendments",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("booking_id", sa.Uuid(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("previous_departure_id", sa.Uuid(), nullable=False),
        sa.Column("departure_id", sa.Uuid(), nullable=False),
        sa.Column("previous_start_date", sa.Date(), nullable=False),
        sa.Column("start_date", sa.Date(), nullable=False),
        sa.Column("previous_travelers_count", sa.Integer(), nullable=False),
        sa.Column("travelers_count", sa.Integer(), nullable=False),
        sa.Column("previous_amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("fee_minor", sa.BigInteger(), nullable=False),
        sa.Column("refund_minor", sa.BigInteger(), nullable=False),
        sa.Column("points_restored", sa.Integer(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("seats_held", sa.Integer(), nullable=False),
        sa.Column("agreed", sa.dialects.postgresql.JSONB(), nullable=False),
        sa.Column("travelers_encrypted", sa.LargeBinary(), nullable=True),
        sa.Column("requested_by_user_id", sa.Uuid(), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("resolved_at", sa.DateTime(timezone=True), nullable=True),
        *(
            sa.CheckConstraint(condition, name=op.f(f"ck_booking_amendments_{name}"))
            for name, condition in OF_AMENDMENTS.items()
        ),
        *(
            sa.ForeignKeyConstraint([name], [f"{table}.id"], name=op.f(f"fk_booking_amendments_{name}"))
            for name, table in REFERENCES.items()
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_booking_amendments")),
    )
    for name in ("booking_id", "previous_departure_id", "departure_id"):
        op.create_index(f"ix_booking_amendments_{name}", "booking_amendments", [name])
    pending = "status = 'PENDING'"
    op.create_index(
        "uq_booking_amendments_pending", "booking_amendments", ["booking_id"], unique=True, postgresql_where=pending
    )
    op.create_index("ix_booking_amendments_expires_at", "booking_amendments", ["expires_at"], postgresql_where=pending)


def _check(name: str, condition: str) -> None:
    op.execute(f"ALTER TABLE bookings ADD CONSTRAINT ck_bookings_{name} CHECK ({condition}) NOT VALID")
    op.execute(f"ALTER TABLE bookings VALIDATE CONSTRAINT ck_bookings_{name}")


def downgrade() -> None:
    op.drop_table("booking_amendments")
    for name in (*CHECKS, *WIDER):
        op.drop_constraint(op.f(f"ck_bookings_{name}"), "bookings")
    for name, condition in ONCE.items():
        _check(name, condition)
    for column in COLUMNS:
        op.drop_column("bookings", column.name)
