"""Activities are searched as packages are; orders by what is sold, seen and rated of either kind.

Online: columns with constant defaults, filled by a trigger and then in batches that each commit; indexes that are built
concurrently. The release before goes on writing activities, which the trigger folds, and items, which another trigger
gives a row of counts. Filling touches every activity once: a walk by `updated_after` tells all of them once more.
"""

from pathlib import Path
from uuid import UUID

import sqlalchemy as sa
from alembic import op

revision = "20261129_17"
down_revision = "20261129_14"

SQL = Path(__file__).parents[1] / "sql"
BATCH = 1_000

FOLD = """
WITH batch AS (SELECT id FROM activities WHERE id > :after ORDER BY id LIMIT :batch),
     filled AS (UPDATE activities a SET name_ar = name_ar FROM batch WHERE a.id = batch.id RETURNING a.id)
SELECT id FROM filled ORDER BY id DESC LIMIT 1
"""
BEGIN_COUNTS = """
INSERT INTO item_statistics (item_kind, item_id)
SELECT 'PACKAGE', id FROM packages UNION ALL SELECT 'ACTIVITY', id FROM activities ORDER BY 1, 2
ON CONFLICT DO NOTHING
"""
INDEXES = {
    "ix_activities_name_text": "activities USING gin (name_text gin_trgm_ops)",
    "ix_activities_labels": "activities USING gin (labels)",
    "ix_activities_duration_hours_id": "activities (duration_hours, id)",
    "ix_activities_name_ar": 'activities ((left(fold_for_search(name_ar), 40)) COLLATE "C", id)',
    "ix_activities_name_en": 'activities ((left(fold_for_search(name_en), 40)) COLLATE "C", id)',
    "ix_departures_open_activities": (
        "departures (starts_on, activity_id) WHERE status = 'OPEN' AND activity_id IS NOT NULL"
    ),
    "ix_item_statistics_popularity": (
        "item_statistics (item_kind, (bookings_count * 1000000000 + least(views_count, 999999999)), item_id)"
    ),
    "ix_item_statistics_rating_rank": (
        "item_statistics (item_kind, (coalesce(average_rating * 100, 0)::bigint * 1000000000"
        " + least(rating_count, 999999999)), item_id)"
    ),
}


def upgrade() -> None:
    op.add_column("activities", sa.Column("name_text", sa.Text(), server_default="", nullable=False))
    op.add_column("activities", sa.Column("location_key", sa.Text(), server_default="", nullable=False))
    op.add_column("activities", sa.Column("labels", sa.ARRAY(sa.Text()), server_default="{}", nullable=False))
    for column in ("search_text", "name_text"):
        op.execute(f"ALTER TABLE activities ALTER COLUMN {column} SET STATISTICS 300")
    _execute((SQL / "20261129_activity_search.sql").read_text("utf-8"))
    with op.get_context().autocommit_block():
        _fold()
        op.execute(BEGIN_COUNTS)
        for name, columns in INDEXES.items():
            op.execute(f"CREATE INDEX CONCURRENTLY IF NOT EXISTS {name} ON {columns}")


def _execute(statements: str) -> None:
    """Run statements as they stand: their % and : are no placeholders."""
    op.get_bind().connection.driver_connection.execute(statements)


def _fold() -> None:
    after = UUID(int=0)
    while (last := op.get_bind().execute(sa.text(FOLD), {"after": after, "batch": BATCH}).scalar()) is not None:
        after = last


def downgrade() -> None:
    for name in INDEXES:
        op.execute(f"DROP INDEX {name}")
    for table in ("packages", "activities"):
        op.execute(f"DROP TRIGGER begin_counts ON {table}")
    for trigger in ("learn_words", "learn_words_of_new", "fold_activity"):
        op.execute(f"DROP TRIGGER {trigger} ON activities")
    op.execute("ALTER TABLE activities ALTER COLUMN search_text SET STATISTICS -1")
    for column in ("labels", "location_key", "name_text"):
        op.drop_column("activities", column)
    for function in ("fold_activity", "begin_counts"):
        op.execute(f"DROP FUNCTION {function}")
