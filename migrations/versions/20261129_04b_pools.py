"""Pools that departures share, and patterns that plan departures ahead.

Online: new tables, columns that are nullable or have a constant default, an index built concurrently. The release
before goes on selling, as no departure has a pool before this release attaches one.
"""

import sqlalchemy as sa
from alembic import op

revision = "20261129_04b"
down_revision = "20261129_04"

# Whoever attaches or detaches a pool, the departure's own row says whether a sale has to lock pools.
GUARDS = """
CREATE FUNCTION note_pools() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE departures d SET has_pools = EXISTS (SELECT 1 FROM departure_pools p WHERE p.departure_id = d.id)
    WHERE d.id IN (SELECT departure_id FROM changed)
      AND d.has_pools <> EXISTS (SELECT 1 FROM departure_pools p WHERE p.departure_id = d.id);
    RETURN NULL;
END $$;
CREATE TRIGGER note_pools AFTER INSERT ON departure_pools
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION note_pools();
CREATE TRIGGER note_pools_gone AFTER DELETE ON departure_pools
    REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION note_pools();
CREATE TRIGGER next_version BEFORE UPDATE ON pools
    FOR EACH ROW
    WHEN ((OLD.name_ar, OLD.name_en, OLD.capacity) IS DISTINCT FROM (NEW.name_ar, NEW.name_en, NEW.capacity))
    EXECUTE FUNCTION next_version();
CREATE TRIGGER next_version BEFORE UPDATE ON pool_series
    FOR EACH ROW EXECUTE FUNCTION next_version();
CREATE TRIGGER next_version BEFORE UPDATE ON departure_patterns
    FOR EACH ROW EXECUTE FUNCTION next_version();
"""

CONSTRAINTS = {
    "fk_departures_pattern_id": "FOREIGN KEY (pattern_id) REFERENCES departure_patterns (id)",
    "ck_departures_planned_for_a_day": "CHECK ((pattern_id IS NULL) = (planned_for IS NULL))",
}


def upgrade() -> None:
    _add_pools()
    _add_patterns()
    op.add_column("departures", sa.Column("has_pools", sa.Boolean(), server_default="false", nullable=False))
    op.add_column("departures", sa.Column("pattern_id", sa.Uuid(), nullable=True))
    op.add_column("departures", sa.Column("planned_for", sa.Date(), nullable=True))
    for name, rule in CONSTRAINTS.items():
        op.execute(f"ALTER TABLE departures ADD CONSTRAINT {name} {rule} NOT VALID")
        op.execute(f"ALTER TABLE departures VALIDATE CONSTRAINT {name}")
    op.execute(GUARDS)
    with op.get_context().autocommit_block():
        op.create_index(
            "uq_departures_pattern_id_planned_for",
            "departures",
            ["pattern_id", "planned_for"],
            unique=True,
            postgresql_concurrently=True,
            if_not_exists=True,
        )


def _add_pools() -> None:
    op.create_table(
        "pool_series",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name_ar", sa.Text(), nullable=False),
        sa.Column("name_en", sa.Text(), nullable=False),
        sa.Column("capacity", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint("capacity > 0", name=op.f("ck_pool_series_capacity_above_zero")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pool_series")),
    )
    op.create_table(
        "pools",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name_ar", sa.Text(), nullable=False),
        sa.Column("name_en", sa.Text(), nullable=False),
        sa.Column("capacity", sa.Integer(), nullable=False),
        sa.Column("seats_taken", sa.Integer(), server_default="0", nullable=False),
        sa.Column("series_id", sa.Uuid(), nullable=True),
        sa.Column("on_date", sa.Date(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint("seats_taken BETWEEN 0 AND capacity", name=op.f("ck_pools_never_oversold")),
        sa.CheckConstraint("(series_id IS NULL) = (on_date IS NULL)", name=op.f("ck_pools_dated_in_a_series")),
        sa.ForeignKeyConstraint(["series_id"], ["pool_series.id"], name=op.f("fk_pools_series_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pools")),
        sa.UniqueConstraint("series_id", "on_date", name=op.f("uq_pools_series_id_on_date")),
    )
    op.create_table(
        "departure_pools",
        sa.Column("departure_id", sa.Uuid(), nullable=False),
        sa.Column("pool_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["departure_id"], ["departures.id"], name=op.f("fk_departure_pools_departure_id")),
        sa.ForeignKeyConstraint(["pool_id"], ["pools.id"], name=op.f("fk_departure_pools_pool_id")),
        sa.PrimaryKeyConstraint("departure_id", "pool_id", name=op.f("pk_departure_pools")),
    )
    op.create_index("ix_departure_pools_pool_id", "departure_pools", ["pool_id"])


def _add_patterns() -> None:
    op.create_table(
        "departure_patterns",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("package_id", sa.Uuid(), nullable=True),
        sa.Column("activity_id", sa.Uuid(), nullable=True),
        sa.Column("weekdays", sa.ARRAY(sa.SmallInteger()), nullable=False),
        sa.Column("first_on", sa.Date(), nullable=False),
        sa.Column("last_on", sa.Date(), nullable=True),
        sa.Column("exceptions", sa.ARRAY(sa.Date()), nullable=False),
        sa.Column("start_time", sa.Time(), nullable=False),
        sa.Column("capacity", sa.Integer(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("created_by_user_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.CheckConstraint("status IN ('ACTIVE', 'STOPPED')", name=op.f("ck_departure_patterns_status_known")),
        sa.CheckConstraint("num_nonnulls(package_id, activity_id) = 1", name=op.f("ck_departure_patterns_of_one_item")),
        sa.CheckConstraint(
            "weekdays <@ '{1,2,3,4,5,6,7}' AND cardinality(weekdays) > 0",
            name=op.f("ck_departure_patterns_weekdays_known"),
        ),
        sa.CheckConstraint("last_on >= first_on", name=op.f("ck_departure_patterns_days_in_order")),
        sa.CheckConstraint("capacity > 0", name=op.f("ck_departure_patterns_capacity_above_zero")),
        sa.ForeignKeyConstraint(["package_id"], ["packages.id"], name=op.f("fk_departure_patterns_package_id")),
        sa.ForeignKeyConstraint(["activity_id"], ["activities.id"], name=op.f("fk_departure_patterns_activity_id")),
        sa.ForeignKeyConstraint(
            ["created_by_user_id"], ["users.id"], name=op.f("fk_departure_patterns_created_by_user_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_departure_patterns")),
    )
    op.create_index("ix_departure_patterns_package_id", "departure_patterns", ["package_id"])
    op.create_index("ix_departure_patterns_activity_id", "departure_patterns", ["activity_id"])
    op.create_table(
        "departure_pattern_series",
        sa.Column("pattern_id", sa.Uuid(), nullable=False),
        sa.Column("series_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["pattern_id"], ["departure_patterns.id"], name=op.f("fk_departure_pattern_series_pattern_id")
        ),
        sa.ForeignKeyConstraint(["series_id"], ["pool_series.id"], name=op.f("fk_departure_pattern_series_series_id")),
        sa.PrimaryKeyConstraint("pattern_id", "series_id", name=op.f("pk_departure_pattern_series")),
    )
    op.create_index("ix_departure_pattern_series_series_id", "departure_pattern_series", ["series_id"])


def downgrade() -> None:
    op.drop_index("uq_departures_pattern_id_planned_for", table_name="departures")
    for name in CONSTRAINTS:
        op.drop_constraint(op.f(name), "departures")
    for table in ("departure_pools", "pools"):
        op.execute(f"DROP TABLE {table}")
    op.execute("DROP FUNCTION note_pools()")
    for column in ("planned_for", "pattern_id", "has_pools"):
        op.drop_column("departures", column)
    for table in ("departure_pattern_series", "departure_patterns", "pool_series"):
        op.drop_table(table)
