"""Versions for ETags, and instants of change for clients that keep a copy.

Online: columns come with a default that needs no rewrite, indexes are built CONCURRENTLY. The release before
runs on the schema that this leaves: triggers fill what it does not know.
"""

import sqlalchemy as sa
from alembic import op

revision = "20261125_06"
down_revision = "20261125_04"

TOUCHED = ("bookings", "invoices", "packages", "payments", "users")
"""Tables whose `updated_at` the database keeps."""

DATED = ("invoices", "users")
"""Those of them that had no such column."""

VERSIONED = ("packages", "users")

FUNCTIONS = """
-- The database's clock, read when the row is written: never before the transaction began, whatever the
-- application's clock says. Walks by `updated_at` lose no row because of that.
CREATE FUNCTION touch_updated_at() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.updated_at := clock_timestamp();
    RETURN NEW;
END $$;

CREATE FUNCTION next_version() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.version := OLD.version + 1;
    RETURN NEW;
END $$;

-- A payment is shown with its newest attempt: when that changes, so does the payment.
CREATE FUNCTION touch_payment() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE payments SET updated_at = clock_timestamp() WHERE id = NEW.payment_id;
    RETURN NULL;
END $$;
"""


def upgrade() -> None:
    for table in DATED:
        # now() is read once for all rows that are there; clock_timestamp() would rewrite the table.
        op.add_column(
            table, sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False)
        )
        op.alter_column(table, "updated_at", server_default=sa.text("clock_timestamp()"))
    for table in VERSIONED:
        op.add_column(table, sa.Column("version", sa.Integer(), server_default="1", nullable=False))
    op.execute(FUNCTIONS)
    for table in TOUCHED:
        op.execute(
            f"CREATE TRIGGER touch_updated_at BEFORE INSERT OR UPDATE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION touch_updated_at()"
        )
    for table in VERSIONED:
        op.execute(f"CREATE TRIGGER next_version BEFORE UPDATE ON {table} FOR EACH ROW EXECUTE FUNCTION next_version()")
    op.execute(
        "CREATE TRIGGER touch_payment AFTER INSERT OR UPDATE ON payment_attempts "
        "FOR EACH ROW EXECUTE FUNCTION touch_payment()"
    )
    with op.get_context().autocommit_block():
        for table in TOUCHED:
            op.create_index(
                f"ix_{table}_updated_at_id",
                table,
                ["updated_at", "id"],
                postgresql_concurrently=True,
                if_not_exists=True,
            )


def downgrade() -> None:
    for table in TOUCHED:
        op.drop_index(f"ix_{table}_updated_at_id", table_name=table)
        op.execute(f"DROP TRIGGER touch_updated_at ON {table}")
    op.execute("DROP TRIGGER touch_payment ON payment_attempts")
    for table in VERSIONED:
        op.execute(f"DROP TRIGGER next_version ON {table}")
        op.drop_column(table, "version")
    for table in DATED:
        op.drop_column(table, "updated_at")
    for function in ("touch_payment", "next_version", "touch_updated_at"):
        op.execute(f"DROP FUNCTION {function}")
