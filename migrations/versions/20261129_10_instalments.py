"""Instalments of bookings.

Online: a new table, a partial index that is built concurrently, and a trigger on bookings that looks only where the
price or the deposit changes. The release before books without instalments, and pays bookings that have some.
"""

import sqlalchemy as sa
from alembic import op

revision = "20261129_10"
down_revision = "20261129_09"

# One function for both tables: whichever changes, the schedule of the booking has to be its price when it commits.
CHECK = """
CREATE FUNCTION check_instalments() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
    booking uuid := CASE TG_TABLE_NAME WHEN 'bookings' THEN (to_jsonb(coalesce(NEW, OLD)) ->> 'id')::uuid
                    ELSE (to_jsonb(coalesce(NEW, OLD)) ->> 'booking_id')::uuid END;
    wrong boolean;
BEGIN
    SELECT s.total <> b.final_amount_minor OR s.deposit IS DISTINCT FROM b.deposit_amount_minor INTO wrong
    FROM bookings b CROSS JOIN LATERAL (
        SELECT sum(i.amount_minor) AS total, min(i.amount_minor) FILTER (WHERE i.position = 1) AS deposit
        FROM booking_instalments i WHERE i.booking_id = b.id) s
    WHERE b.id = booking AND s.total IS NOT NULL;
    IF wrong THEN
        RAISE EXCEPTION 'the instalments of booking % are not its price', booking
            USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'instalments_are_the_price';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER instalments_are_the_price
    AFTER INSERT OR DELETE OR UPDATE OF booking_id, position, amount_minor ON booking_instalments
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION check_instalments();
CREATE CONSTRAINT TRIGGER instalments_are_the_price
    AFTER UPDATE OF final_amount_minor, deposit_amount_minor ON bookings
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN ((OLD.final_amount_minor, OLD.deposit_amount_minor)
          IS DISTINCT FROM (NEW.final_amount_minor, NEW.deposit_amount_minor))
    EXECUTE FUNCTION check_instalments();
"""


def upgrade() -> None:
    op.create_table(
        "booking_instalments",
        sa.Column("booking_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.SmallInteger(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("amount_minor", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("reminded_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("due_told_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("overdue_told_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("position > 0", name=op.f("ck_booking_instalments_position_from_one")),
        sa.CheckConstraint("amount_minor > 0", name=op.f("ck_booking_instalments_amount_above_zero")),
        sa.ForeignKeyConstraint(
            ["booking_id"], ["bookings.id"], name=op.f("fk_booking_instalments_booking_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("booking_id", "position", name=op.f("pk_booking_instalments")),
    )
    op.create_index(
        "ix_booking_instalments_due_on",
        "booking_instalments",
        ["due_on"],
        postgresql_where="overdue_told_at IS NULL AND position > 1",
    )
    op.execute(CHECK)
    with op.get_context().autocommit_block():
        op.create_index(
            "ix_bookings_owing",
            "bookings",
            ["id"],
            postgresql_where="status = 'CONFIRMED' AND paid_amount_minor < final_amount_minor",
            postgresql_concurrently=True,
            if_not_exists=True,
        )


def downgrade() -> None:
    op.drop_index("ix_bookings_owing", table_name="bookings")
    op.execute("DROP TRIGGER instalments_are_the_price ON bookings")
    op.drop_table("booking_instalments")
    op.execute("DROP FUNCTION check_instalments()")
