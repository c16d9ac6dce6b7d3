"""Search: names and destinations in their folded spelling, the words that the catalogue knows, indexes of new orders.

Online: columns with constant defaults, filled by triggers and then in batches that each commit; a new table; indexes
that are built concurrently. The release before goes on writing packages, which the triggers fold, and searching them.
Filling touches every package once: a walk by `updated_after` tells all of them once more, and their tags change.
"""

from pathlib import Path
from uuid import UUID

import sqlalchemy as sa
from alembic import op

revision = "20261129_03"
down_revision = "20261129_02"

SQL = Path(__file__).parents[1] / "sql"
BATCH = 1_000

TRIGGERS = """
CREATE TRIGGER fold_package BEFORE INSERT OR UPDATE OF name_ar, name_en, destinations, category, currency ON packages
    FOR EACH ROW EXECUTE FUNCTION fold_package();
CREATE TRIGGER learn_words_of_new AFTER INSERT ON packages FOR EACH ROW EXECUTE FUNCTION learn_words();
CREATE TRIGGER learn_words AFTER UPDATE ON packages
    FOR EACH ROW WHEN (OLD.search_text IS DISTINCT FROM NEW.search_text OR OLD.name_text = '')
    EXECUTE FUNCTION learn_words();
"""
# The generated column follows, by the rules of folding as they are now.
FILL = """
WITH batch AS (SELECT id FROM packages WHERE id > :after ORDER BY id LIMIT :batch),
     filled AS (UPDATE packages p SET name_ar = name_ar FROM batch WHERE p.id = batch.id RETURNING p.id)
SELECT id FROM filled ORDER BY id DESC LIMIT 1
"""
EXPRESSIONS = {
    "ix_packages_name_ar": '((left(fold_for_search(name_ar), 40)) COLLATE "C", id)',
    "ix_packages_name_en": '((left(fold_for_search(name_en), 40)) COLLATE "C", id)',
}


def upgrade() -> None:
    op.create_table(
        "search_words",
        sa.Column("word", sa.Text(collation="C"), nullable=False),
        sa.Column("deletions", sa.ARRAY(sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("word", name=op.f("pk_search_words")),
    )
    op.create_index("ix_search_words_deletions", "search_words", ["deletions"], postgresql_using="gin")
    _execute((SQL / "20261129_search.sql").read_text("utf-8"))
    op.add_column("packages", sa.Column("name_text", sa.Text(), server_default="", nullable=False))
    op.add_column("packages", sa.Column("destination_keys", sa.ARRAY(sa.Text()), server_default="{}", nullable=False))
    op.add_column("packages", sa.Column("labels", sa.ARRAY(sa.Text()), server_default="{}", nullable=False))
    # A word in one row of a hundred is seldom among the hundred that are looked at by default.
    for column in ("search_text", "name_text"):
        op.execute(f"ALTER TABLE packages ALTER COLUMN {column} SET STATISTICS 300")
    op.execute(TRIGGERS)
    with op.get_context().autocommit_block():
        _fill()
        _index()


def _execute(statements: str) -> None:
    """Run statements as they stand: their % and : are no placeholders."""
    op.get_bind().connection.driver_connection.execute(statements)


def _fill() -> None:
    after = UUID(int=0)
    while (last := op.get_bind().execute(sa.text(FILL), {"after": after, "batch": BATCH}).scalar()) is not None:
        after = last


def _index() -> None:
    concurrently = {"postgresql_concurrently": True, "if_not_exists": True}
    op.create_index(
        "ix_packages_name_text",
        "packages",
        ["name_text"],
        postgresql_using="gin",
        postgresql_ops={"name_text": "gin_trgm_ops"},
        **concurrently,
    )
    op.create_index("ix_packages_labels", "packages", ["labels"], postgresql_using="gin", **concurrently)
    op.create_index("ix_packages_duration_days_id", "packages", ["duration_days", "id"], **concurrently)
    for name, columns in EXPRESSIONS.items():
        op.execute(f"CREATE INDEX CONCURRENTLY IF NOT EXISTS {name} ON packages {columns}")
    op.create_index(
        "ix_departures_open",
        "departures",
        ["starts_on", "package_id"],
        postgresql_where=sa.text("status = 'OPEN'"),
        **concurrently,
    )


def downgrade() -> None:
    op.drop_index("ix_departures_open", table_name="departures")
    for name in (*EXPRESSIONS, "ix_packages_duration_days_id"):
        op.drop_index(name, table_name="packages")
    for trigger in ("learn_words", "learn_words_of_new", "fold_package"):
        op.execute(f"DROP TRIGGER {trigger} ON packages")
    op.execute("ALTER TABLE packages ALTER COLUMN search_text SET STATISTICS -1")
    op.drop_column("packages", "labels")
    op.drop_column("packages", "destination_keys")
    op.drop_column("packages", "name_text")
    op.drop_table("search_words")
    for function in ("fold_package", "learn_words", "deletions_of", "fold_each"):
        op.execute(f"DROP FUNCTION {function}")
    op.execute(FOLD_BEFORE)


FOLD_BEFORE = """
CREATE OR REPLACE FUNCTION fold_for_search(written text) RETURNS text
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN translate(
        regexp_replace(normalize(written, NFKD),
                       '[\\u0300-\\u036f\\u0610-\\u061a\\u0640\\u064b-\\u065f\\u0670\\u06d6-\\u06ed]', '', 'g'),
        'ٱىةیک٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹ABCDEFGHIJKLMNOPQRSTUVWXYZ',
        'ايهيك01234567890123456789abcdefghijklmnopqrstuvwxyz')
"""
