"""Activities, departures of either kind of item with an hour of their own, and ratings of either kind.

Online: a new table; columns that are nullable or have a constant default, checks that are validated after they are
added, indexes built concurrently. The release before goes on planning departures of packages, at midnight in Cairo.
"""

import sqlalchemy as sa
from alembic import op

revision = "20261129_04"
down_revision = "20261129_03"

CATEGORIES = "'ADVENTURE', 'CULTURAL', 'ENTERTAINMENT', 'SPORTS', 'WELLNESS'"
DIFFICULTIES = "'EASY', 'MODERATE', 'CHALLENGING', 'EXTREME'"
SEARCH_TEXT = (
    "fold_for_search(name_ar || ' ' || name_en || ' ' || description_ar || ' ' || description_en || ' ' || location)"
)
PRICE_THOUSANDTHS = (
    "price_minor * CASE WHEN currency IN ('BHD', 'IQD', 'JOD', 'KWD', 'LYD', 'OMR', 'TND') THEN 1"
    " WHEN currency IN ('JPY', 'KRW') THEN 1000 ELSE 10 END"
)
LISTING_PLACE = "display_order + CASE WHEN is_featured THEN 0 ELSE 1000000 END"

GUARDS = """
CREATE TRIGGER touch_updated_at BEFORE INSERT OR UPDATE ON activities
    FOR EACH ROW EXECUTE FUNCTION touch_updated_at();
CREATE TRIGGER next_version BEFORE UPDATE ON activities
    FOR EACH ROW EXECUTE FUNCTION next_version();
-- What staff edit: seats that are sold meanwhile leave their `If-Match` alone.
CREATE TRIGGER next_version BEFORE UPDATE ON departures
    FOR EACH ROW
    WHEN ((OLD.starts_on, OLD.ends_on, OLD.start_time, OLD.capacity, OLD.status)
          IS DISTINCT FROM (NEW.starts_on, NEW.ends_on, NEW.start_time, NEW.capacity, NEW.status))
    EXECUTE FUNCTION next_version();
"""


def upgrade() -> None:
    _add_activities()
    op.add_column("departures", sa.Column("time_zone", sa.Text(), server_default="Africa/Cairo", nullable=False))
    op.add_column("departures", sa.Column("activity_id", sa.Uuid(), nullable=True))
    op.add_column("departures", sa.Column("start_time", sa.Time(), server_default="00:00", nullable=False))
    op.add_column("departures", sa.Column("version", sa.Integer(), server_default="1", nullable=False))
    op.alter_column("departures", "package_id", nullable=True)
    _constrain()
    _rate_activities()
    op.execute(GUARDS)
    with op.get_context().autocommit_block():
        op.create_index(
            "ix_departures_activity_id_starts_on",
            "departures",
            ["activity_id", "starts_on"],
            postgresql_concurrently=True,
            if_not_exists=True,
        )
        op.create_index(
            "ix_ratings_activity_id_created_at_id",
            "ratings",
            ["activity_id", "created_at", "id"],
            postgresql_concurrently=True,
            if_not_exists=True,
        )


def _add_activities() -> None:
    op.create_table(
        "activities",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("slug", sa.Text(), nullable=False),
        sa.Column("name_ar", sa.Text(), nullable=False),
        sa.Column("name_en", sa.Text(), nullable=False),
        sa.Column("description_ar", sa.Text(), nullable=False),
        sa.Column("description_en", sa.Text(), nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("difficulty_level", sa.Text(), nullable=False),
        sa.Column("price_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("tax_rate", sa.Numeric(5, 2), nullable=False),
        sa.Column("tax_inclusive", sa.Boolean(), nullable=False),
        sa.Column("duration_hours", sa.Integer(), nullable=False),
        sa.Column("location", sa.Text(), nullable=False),
        sa.Column("min_participants", sa.Integer(), nullable=False),
        sa.Column("max_participants", sa.Integer(), nullable=False),
        sa.Column("featured_image", sa.Text(), nullable=True),
        sa.Column("is_featured", sa.Boolean(), nullable=False),
        sa.Column("display_order", sa.Integer(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("availability_start", sa.Date(), nullable=True),
        sa.Column("availability_end", sa.Date(), nullable=True),
        sa.Column("time_zone", sa.Text(), server_default="Africa/Cairo", nullable=False),
        sa.Column("vendor_id", sa.Uuid(), nullable=True),
        sa.Column("created_by_user_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("search_text", sa.Text(), sa.Computed(SEARCH_TEXT, persisted=True), nullable=True),
        sa.Column("listing_place", sa.Integer(), sa.Computed(LISTING_PLACE, persisted=True), nullable=True),
        sa.Column("price_thousandths", sa.BigInteger(), sa.Computed(PRICE_THOUSANDTHS, persisted=True), nullable=True),
        sa.CheckConstraint(f"category IN ({CATEGORIES})", name=op.f("ck_activities_category_known")),
        sa.CheckConstraint(f"difficulty_level IN ({DIFFICULTIES})", name=op.f("ck_activities_difficulty_level_known")),
        sa.CheckConstraint(
            "status IN ('DRAFT', 'ACTIVE', 'INACTIVE', 'ARCHIVED')", name=op.f("ck_activities_status_known")
        ),
        sa.CheckConstraint("price_minor >= 0", name=op.f("ck_activities_price_not_negative")),
        sa.CheckConstraint("duration_hours > 0", name=op.f("ck_activities_duration_above_zero")),
        sa.CheckConstraint("display_order BETWEEN 0 AND 10000", name=op.f("ck_activities_display_order_known")),
        sa.CheckConstraint(
            "min_participants BETWEEN 1 AND max_participants", name=op.f("ck_activities_participants_in_order")
        ),
        sa.ForeignKeyConstraint(["vendor_id"], ["users.id"], name=op.f("fk_activities_vendor_id")),
        sa.ForeignKeyConstraint(["created_by_user_id"], ["users.id"], name=op.f("fk_activities_created_by_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_activities")),
        sa.UniqueConstraint("slug", name=op.f("uq_activities_slug")),
    )
    op.create_index("ix_activities_listing_place_id", "activities", ["listing_place", "id"])
    op.create_index("ix_activities_price_thousandths_id", "activities", ["price_thousandths", "id"])
    op.create_index("ix_activities_created_at_id", "activities", ["created_at", "id"])
    op.create_index("ix_activities_updated_at_id", "activities", ["updated_at", "id"])
    op.create_index("ix_activities_vendor_id", "activities", ["vendor_id"])
    op.create_index(
        "ix_activities_search_text",
        "activities",
        ["search_text"],
        postgresql_using="gin",
        postgresql_ops={"search_text": "gin_trgm_ops"},
    )


CONSTRAINTS = {
    "fk_departures_activity_id": "FOREIGN KEY (activity_id) REFERENCES activities (id)",
    "ck_departures_of_one_item": "CHECK (num_nonnulls(package_id, activity_id) = 1)",
}


def _constrain() -> None:
    for name, rule in CONSTRAINTS.items():
        op.execute(f"ALTER TABLE departures ADD CONSTRAINT {name} {rule} NOT VALID")
        op.execute(f"ALTER TABLE departures VALIDATE CONSTRAINT {name}")


def _rate_activities() -> None:
    """The check of one item is replaced in one statement with the column that it names: there is always one."""
    op.execute(
        "ALTER TABLE ratings ADD COLUMN activity_id uuid,"
        " ADD CONSTRAINT fk_ratings_activity_id FOREIGN KEY (activity_id) REFERENCES activities (id) NOT VALID,"
        " DROP CONSTRAINT ck_ratings_of_one_item,"
        " ADD CONSTRAINT ck_ratings_of_one_item CHECK (num_nonnulls(package_id, activity_id) = 1) NOT VALID"
    )
    op.execute("ALTER TABLE ratings VALIDATE CONSTRAINT fk_ratings_activity_id")
    op.execute("ALTER TABLE ratings VALIDATE CONSTRAINT ck_ratings_of_one_item")


def _forget_ratings_of_activities() -> None:
    op.execute("DELETE FROM ratings WHERE activity_id IS NOT NULL")
    op.execute(
        "ALTER TABLE ratings DROP CONSTRAINT ck_ratings_of_one_item, DROP COLUMN activity_id,"
        " ADD CONSTRAINT ck_ratings_of_one_item CHECK (num_nonnulls(package_id) = 1)"
    )


def downgrade() -> None:
    """Departures and ratings of activities cannot be kept: the release before knows none."""
    op.drop_index("ix_departures_activity_id_starts_on", table_name="departures")
    op.execute("DROP TRIGGER next_version ON departures")
    for name in reversed(CONSTRAINTS):
        op.drop_constraint(op.f(name), "departures")
    op.execute("DELETE FROM departures WHERE activity_id IS NOT NULL")
    op.alter_column("departures", "package_id", nullable=False)
    for column in ("version", "start_time", "activity_id", "time_zone"):
        op.drop_column("departures", column)
    _forget_ratings_of_activities()
    op.drop_table("activities")
