"""Amendments of what people priced have no departure, and wait as long as a payment code; a hold knows when it began.

Online: columns without a default, and a check that is added without a look at old rows, then validated. The release
before neither makes nor reads amendments without a departure.
"""

from alembic import op

revision = "20261201_02"
down_revision = "20261130_02"

WHOLE_OR_NONE = "(previous_departure_id IS NULL) = (departure_id IS NULL)"
DEPARTURES = ("previous_departure_id", "departure_id")


def upgrade() -> None:
    op.execute("ALTER TABLE holds ADD COLUMN begun_at timestamptz")
    op.execute("ALTER TABLE booking_amendments ADD COLUMN agreed_until timestamptz")
    for name in DEPARTURES:
        op.execute(f"ALTER TABLE booking_amendments ALTER COLUMN {name} DROP NOT NULL")
    check = "ck_booking_amendments_of_departures_or_of_none"
    op.execute(f"ALTER TABLE booking_amendments ADD CONSTRAINT {check} CHECK ({WHOLE_OR_NONE}) NOT VALID")
    with op.get_context().autocommit_block():
        op.execute(f"ALTER TABLE booking_amendments VALIDATE CONSTRAINT {check}")


def downgrade() -> None:
    """What people priced stays as it was amended; the list of its amendments is not kept."""
    op.execute("DELETE FROM booking_amendments WHERE departure_id IS NULL")
    op.drop_constraint(op.f("ck_booking_amendments_of_departures_or_of_none"), "booking_amendments")
    for name in DEPARTURES:
        op.execute(f"ALTER TABLE booking_amendments ALTER COLUMN {name} SET NOT NULL")
    op.drop_column("booking_amendments", "agreed_until")
    op.drop_column("holds", "begun_at")
