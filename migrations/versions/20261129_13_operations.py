"""Mass operations on departures, and until when a customer whose trip was moved may cancel it for nothing.

Online: new tables, and a nullable column.
"""

import sqlalchemy as sa
from alembic import op

revision = "20261129_13"
down_revision = "20261129_12"

OPERATIONS, ITEMS = "departure_operations", "departure_operation_items"
CHECKS = {
    OPERATIONS: {
        "kind_known": "kind IN ('CANCEL', 'MOVE')",
        "status_known": "status IN ('PENDING', 'RUNNING', 'COMPLETED', 'COMPLETED_WITH_FAULTS')",
        "moves_lead_somewhere": "(kind = 'MOVE') = (target_departure_id IS NOT NULL)",
        "leads_elsewhere": "target_departure_id <> departure_id",
        "finished_at_its_end": "(status IN ('PENDING', 'RUNNING')) = (finished_at IS NULL)",
    },
    ITEMS: {
        "status_known": "status IN ('PENDING', 'DONE', 'SKIPPED', 'FAILED')",
        "faults_have_a_reason": "(status = 'FAILED') = (error IS NOT NULL)",
        "done_at_its_end": "(status = 'PENDING') = (done_at IS NULL)",
    },
}
REFERENCES = {
    OPERATIONS: {
        "departure_id": "departures",
        "target_departure_id": "departures",
        "created_by_user_id": "users",
    },
    ITEMS: {"operation_id": OPERATIONS, "booking_id": "bookings"},
}


def _rules(table: str) -> list[sa.Constraint]:
    checks = [sa.CheckConstraint(rule, name=op.f(f"ck_{table}_{name}")) for name, rule in CHECKS[table].items()]
    keys = [
        sa.ForeignKeyConstraint([column], [f"{target}.id"], name=op.f(f"fk_{table}_{column}"))
        for column, target in REFERENCES[table].items()
    ]
    return [*checks, *keys]


def upgrade() -> None:
    op.create_table(
        OPERATIONS,
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("departure_id", sa.Uuid(), nullable=False),
        sa.Column("target_departure_id", sa.Uuid(), nullable=True),
        sa.Column("reason_ar", sa.Text(), nullable=False),
        sa.Column("reason_en", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("created_by_user_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        *_rules(OPERATIONS),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{OPERATIONS}")),
    )
    op.create_index(
        "uq_departure_operations_open_departure_id",
        OPERATIONS,
        ["departure_id"],
        unique=True,
        postgresql_where="status IN ('PENDING', 'RUNNING')",
    )
    by_departure = ["departure_id", "created_at", "id"]
    op.create_index("ix_departure_operations_departure_id_created_at_id", OPERATIONS, by_departure)
    op.create_index("ix_departure_operations_target_departure_id", OPERATIONS, ["target_departure_id"])
    op.create_index("ix_departure_operations_created_at_id", OPERATIONS, ["created_at", "id"])
    op.create_table(
        ITEMS,
        sa.Column("operation_id", sa.Uuid(), nullable=False),
        sa.Column("booking_id", sa.Uuid(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        *_rules(ITEMS),
        sa.PrimaryKeyConstraint("operation_id", "booking_id", name=op.f(f"pk_{ITEMS}")),
    )
    op.create_index("ix_departure_operation_items_booking_id", ITEMS, ["booking_id"])
    op.create_index("ix_departure_operation_items_open", ITEMS, ["operation_id"], postgresql_where="status = 'PENDING'")
    op.add_column("bookings", sa.Column("free_cancellation_until", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.drop_column("bookings", "free_cancellation_until")
    op.drop_table(ITEMS)
    op.drop_table(OPERATIONS)
