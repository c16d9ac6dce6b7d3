"""Waiting lists of departures.

Online: a new table only.
"""

import sqlalchemy as sa
from alembic import op

revision = "20261129_12"
down_revision = "20261129_11"

OPEN = "status IN ('WAITING', 'OFFERED')"
CHECKS = {
    "status_known": "status IN ('WAITING', 'OFFERED', 'ACCEPTED', 'EXPIRED', 'CANCELLED')",
    "seats_above_zero": "seats > 0",
    "offers_end": "(offered_at IS NULL) = (offer_expires_at IS NULL)",
    "offered_until": "status <> 'OFFERED' OR offer_expires_at IS NOT NULL",
    "accepted_with_its_booking": "(status = 'ACCEPTED') = (booking_id IS NOT NULL)",
}
REFERENCES = {"departure_id": "departures", "user_id": "users", "booking_id": "bookings"}
ONLY_FOR_WHO_IS_HERE = """
CREATE TRIGGER only_for_who_is_here BEFORE INSERT ON waiting_list_entries
    FOR EACH ROW EXECUTE FUNCTION refuse_for_erased();
"""


def upgrade() -> None:
    op.create_table(
        "waiting_list_entries",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("departure_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("seats", sa.Integer(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("offered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("offer_expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("booking_id", sa.Uuid(), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        *(
            sa.CheckConstraint(condition, name=op.f(f"ck_waiting_list_entries_{name}"))
            for name, condition in CHECKS.items()
        ),
        *(
            sa.ForeignKeyConstraint([column], [f"{table}.id"], name=op.f(f"fk_waiting_list_entries_{column}"))
            for column, table in REFERENCES.items()
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_waiting_list_entries")),
    )
    op.create_index(
        "uq_waiting_list_entries_open_departure_id_user_id",
        "waiting_list_entries",
        ["departure_id", "user_id"],
        unique=True,
        postgresql_where=OPEN,
    )
    for owner in ("departure_id", "user_id"):
        columns = [owner, "created_at", "id"]
        op.create_index(f"ix_waiting_list_entries_{owner}_created_at_id", "waiting_list_entries", columns)
    op.create_index(
        "ix_waiting_list_entries_offer_expires_at",
        "waiting_list_entries",
        ["offer_expires_at"],
        postgresql_where="status = 'OFFERED'",
    )
    op.create_index(
        "ix_waiting_list_entries_waiting",
        "waiting_list_entries",
        ["departure_id"],
        postgresql_where="status = 'WAITING'",
    )
    op.create_index(
        "uq_waiting_list_entries_booking_id",
        "waiting_list_entries",
        ["booking_id"],
        unique=True,
        postgresql_where="booking_id IS NOT NULL",
    )
    op.execute(ONLY_FOR_WHO_IS_HERE)


def downgrade() -> None:
    """Fails while seats are offered: the release before would count them as sold for ever."""
    op.execute(
        "DO $$ BEGIN IF EXISTS (SELECT 1 FROM waiting_list_entries WHERE status = 'OFFERED') THEN"
        " RAISE EXCEPTION 'seats are offered: end the offers first'; END IF; END $$"
    )
    op.drop_table("waiting_list_entries")
