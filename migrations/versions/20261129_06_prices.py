"""Age bands and seasons of packages and activities.

Online: an extension that PostgreSQL trusts, a function, and new tables only.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "20261129_06"
down_revision = "20261129_05"

# Days of the week as an exclusion constraint compares them; none named are all seven.
WEEKDAY_RANGES = """
CREATE FUNCTION weekday_ranges(days smallint[]) RETURNS int4multirange
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN CASE WHEN cardinality(days) = 0 THEN int4multirange(int4range(1, 8))
                ELSE (SELECT range_agg(int4range(day, day + 1)) FROM unnest(days) AS day) END
"""
ADJUSTMENTS = "'PERCENTAGE_UP', 'PERCENTAGE_DOWN', 'FIXED_PRICE'"


def upgrade() -> None:
    op.execute("CREATE EXTENSION IF NOT EXISTS btree_gist")
    op.execute(WEEKDAY_RANGES)
    _add_age_bands()
    _add_seasons()


def _add_age_bands() -> None:
    op.create_table(
        "item_age_bands",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("package_id", sa.Uuid(), nullable=True),
        sa.Column("activity_id", sa.Uuid(), nullable=True),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name_ar", sa.Text(), nullable=False),
        sa.Column("name_en", sa.Text(), nullable=False),
        sa.Column("min_age", sa.SmallInteger(), nullable=False),
        sa.Column("max_age", sa.SmallInteger(), nullable=True),
        sa.Column("percentage", sa.Numeric(5, 2), nullable=True),
        sa.Column("price_minor", sa.BigInteger(), nullable=True),
        sa.Column("currency", sa.Text(), nullable=True),
        sa.Column("takes_a_seat", sa.Boolean(), nullable=False),
        sa.CheckConstraint("num_nonnulls(package_id, activity_id) = 1", name=op.f("ck_item_age_bands_of_one_item")),
        sa.CheckConstraint("num_nonnulls(percentage, price_minor) = 1", name=op.f("ck_item_age_bands_one_price")),
        sa.CheckConstraint(
            "(price_minor IS NULL) = (currency IS NULL)", name=op.f("ck_item_age_bands_price_in_a_currency")
        ),
        sa.CheckConstraint("percentage BETWEEN 0 AND 100", name=op.f("ck_item_age_bands_percentage_known")),
        sa.CheckConstraint("price_minor >= 0", name=op.f("ck_item_age_bands_price_not_negative")),
        sa.CheckConstraint("min_age >= 0 AND max_age >= min_age", name=op.f("ck_item_age_bands_ages_in_order")),
        sa.CheckConstraint("(max_age IS NULL) = (code = 'ADULT')", name=op.f("ck_item_age_bands_open_for_adults")),
        sa.CheckConstraint(
            "code <> 'ADULT' OR (takes_a_seat AND percentage IS NOT NULL AND percentage = 100)",
            name=op.f("ck_item_age_bands_adults_pay_the_price"),
        ),
        sa.ForeignKeyConstraint(["package_id"], ["packages.id"], name=op.f("fk_item_age_bands_package_id")),
        sa.ForeignKeyConstraint(["activity_id"], ["activities.id"], name=op.f("fk_item_age_bands_activity_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_item_age_bands")),
        sa.UniqueConstraint("package_id", "code", name=op.f("uq_item_age_bands_package_id_code")),
        sa.UniqueConstraint("activity_id", "code", name=op.f("uq_item_age_bands_activity_id_code")),
        *(
            postgresql.ExcludeConstraint(
                (sa.column(item), "="),
                (sa.text("int4range(min_age, max_age + 1)"), "&&"),
                name=f"ex_item_age_bands_{item}_ages",
                using="gist",
            )
            for item in ("package_id", "activity_id")
        ),
    )


def _add_seasons() -> None:
    op.create_table(
        "item_seasons",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("package_id", sa.Uuid(), nullable=True),
        sa.Column("activity_id", sa.Uuid(), nullable=True),
        sa.Column("name_ar", sa.Text(), nullable=False),
        sa.Column("name_en", sa.Text(), nullable=False),
        sa.Column("first_on", sa.Date(), nullable=False),
        sa.Column("last_on", sa.Date(), nullable=False),
        sa.Column("weekdays", postgresql.ARRAY(sa.SmallInteger()), nullable=False),
        sa.Column("adjustment", sa.Text(), nullable=False),
        sa.Column("percentage", sa.Numeric(5, 2), nullable=True),
        sa.Column("price_minor", sa.BigInteger(), nullable=True),
        sa.Column("currency", sa.Text(), nullable=True),
        sa.Column("priority", sa.SmallInteger(), nullable=False),
        sa.CheckConstraint(f"adjustment IN ({ADJUSTMENTS})", name=op.f("ck_item_seasons_adjustment_known")),
        sa.CheckConstraint("num_nonnulls(package_id, activity_id) = 1", name=op.f("ck_item_seasons_of_one_item")),
        sa.CheckConstraint("num_nonnulls(percentage, price_minor) = 1", name=op.f("ck_item_seasons_one_amount")),
        sa.CheckConstraint(
            "(price_minor IS NOT NULL) = (adjustment = 'FIXED_PRICE')", name=op.f("ck_item_seasons_amount_of_its_kind")
        ),
        sa.CheckConstraint(
            "(price_minor IS NULL) = (currency IS NULL)", name=op.f("ck_item_seasons_price_in_a_currency")
        ),
        sa.CheckConstraint("percentage BETWEEN 0 AND 100", name=op.f("ck_item_seasons_percentage_known")),
        sa.CheckConstraint("price_minor > 0", name=op.f("ck_item_seasons_price_above_zero")),
        sa.CheckConstraint("last_on >= first_on", name=op.f("ck_item_seasons_days_in_order")),
        sa.CheckConstraint("weekdays <@ '{1,2,3,4,5,6,7}'", name=op.f("ck_item_seasons_weekdays_known")),
        sa.ForeignKeyConstraint(["package_id"], ["packages.id"], name=op.f("fk_item_seasons_package_id")),
        sa.ForeignKeyConstraint(["activity_id"], ["activities.id"], name=op.f("fk_item_seasons_activity_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_item_seasons")),
        *(
            postgresql.ExcludeConstraint(
                (sa.column(item), "="),
                (sa.column("priority"), "="),
                (sa.text("daterange(first_on, last_on, '[]')"), "&&"),
                (sa.text("weekday_ranges(weekdays)"), "&&"),
                name=f"ex_item_seasons_{item}_days",
                using="gist",
            )
            for item in ("package_id", "activity_id")
        ),
    )
    op.create_index("ix_item_seasons_package_id", "item_seasons", ["package_id"])
    op.create_index("ix_item_seasons_activity_id", "item_seasons", ["activity_id"])


def downgrade() -> None:
    """The extension stays: tables of other releases may lean on it."""
    op.drop_table("item_seasons")
    op.drop_table("item_age_bands")
    op.execute("DROP FUNCTION weekday_ranges(smallint[])")
