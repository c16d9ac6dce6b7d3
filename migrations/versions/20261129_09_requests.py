"""Requests and staff verbs of bookings: versions for `If-Match`, no-shows, archived bookings, agents' lists.

Online: nullable columns, or columns with a constant default; checks are added without a look at old rows, then validated;
indexes are built concurrently. The release before goes on: the trigger counts versions that it does not know.
"""

import sqlalchemy as sa
from alembic import op

revision = "20261129_09"
down_revision = "20261129_07"

OVER = "('COMPLETED', 'CANCELLED', 'REFUNDED')"
COLUMNS = (
    sa.Column("no_show_at", sa.DateTime(timezone=True), nullable=True),
    sa.Column("archived_at", sa.DateTime(timezone=True), nullable=True),
    sa.Column("version", sa.Integer(), server_default="1", nullable=False),
)
CHECKS = {
    ("bookings", "missed_once_sold"): "no_show_at IS NULL OR status NOT IN ('DRAFT', 'PENDING_PAYMENT')",
    ("bookings", "archived_once_over"): f"archived_at IS NULL OR status IN {OVER}",
    ("booking_travelers", "position_in_party"): "position BETWEEN 1 AND 200",
}
INDEXES = {
    "ix_bookings_agent_id_created_at_id": (["agent_id", "created_at", "id"], "agent_id IS NOT NULL"),
    "ix_bookings_drafts": (["created_at", "id"], "status = 'DRAFT'"),
    "ix_bookings_to_archive": (["updated_at"], f"archived_at IS NULL AND status IN {OVER}"),
}


def upgrade() -> None:
    for column in COLUMNS:
        op.add_column("bookings", column)
    for (table, name), condition in CHECKS.items():
        op.execute(f"ALTER TABLE {table} ADD CONSTRAINT ck_{table}_{name} CHECK ({condition}) NOT VALID")
        op.execute(f"ALTER TABLE {table} VALIDATE CONSTRAINT ck_{table}_{name}")
    op.execute("CREATE TRIGGER next_version BEFORE UPDATE ON bookings FOR EACH ROW EXECUTE FUNCTION next_version()")
    with op.get_context().autocommit_block():
        for name, (columns, condition) in INDEXES.items():
            op.create_index(
                name, "bookings", columns,
                postgresql_where=condition, postgresql_concurrently=True, if_not_exists=True,
            )  # fmt: skip


def downgrade() -> None:
    for name in INDEXES:
        op.drop_index(name, table_name="bookings")
    op.execute("DROP TRIGGER next_version ON bookings")
    for table, name in CHECKS:
        op.drop_constraint(op.f(f"ck_{table}_{name}"), table)
    for column in COLUMNS:
        op.drop_column("bookings", column.name)
