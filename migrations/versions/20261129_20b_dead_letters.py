"""Dead letters are listed by an index of their own.

Online: built concurrently.
"""

from alembic import op

revision = "20261129_20b"
down_revision = "20261129_20"

INDEX = "ix_processed_events_dead"


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {INDEX}")
        op.execute(
            f"CREATE INDEX CONCURRENTLY {INDEX} ON processed_events (dead_at)"
            " WHERE dead_at IS NOT NULL AND processed_at IS NULL"
        )


def downgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {INDEX}")
